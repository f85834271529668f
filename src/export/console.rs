//! The `console` destination: NDJSON on standard output.

use std::io::{self, Write};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::sync::Mutex;

use super::outcome::{Outcome, RetryClass};
use super::payload::Payload;
use super::sink::{Answer, Sink};

/// One for all generations of an agent: a write that hangs keeps one thread, however many would follow.
static STDOUT: LazyLock<Arc<Mutex<io::Stdout>>> =
    LazyLock::new(|| Arc::new(Mutex::new(io::stdout())));

/// Writes payloads to standard output, or to what stands for it in a test.
#[derive(Debug)]
pub struct ConsoleSink<W> {
    /// Shared with the blocking thread that writes, and with other sinks; one writes at a time, and
    /// those that wait for it need no thread.
    out: Arc<Mutex<W>>,
}

impl ConsoleSink<io::Stdout> {
    /// A sink to standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self { out: Arc::clone(&STDOUT) }
    }
}

impl<W: Write + Send + 'static> ConsoleSink<W> {
    /// A sink to `out`.
    #[must_use]
    pub fn new(out: W) -> Self {
        Self { out: Arc::new(Mutex::new(out)) }
    }
}

impl<W: Write + Send + 'static> Sink for ConsoleSink<W> {
    /// Writes on tokio's blocking pool: who reads the pipe may have stopped (a pager), and the
    /// runtime has one thread. A write that hangs outlives this future; one that waits for it is
    /// dropped with its own.
    async fn send(&self, payload: &Payload) -> Answer {
        let (mut out, body) = (Arc::clone(&self.out).lock_owned().await, payload.body.clone());
        let written = tokio::task::spawn_blocking(move || write(&mut *out, &body));
        let error = match written.await {
            Ok(Ok(())) => return Outcome::Delivered.into(),
            Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Outcome::Gone.into();
            }
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        let outcome = Outcome::Retry { class: RetryClass::Disk, after: None };
        Answer { outcome, status: 0, detail: Some(error.into()) }
    }
}

fn write(out: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Somebody else who has the same terminal made it non-blocking. What is written must not
            // be written again, so this waits here, on a thread that may.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(error),
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// Answers each write as scripted, then takes everything.
    struct Scripted {
        answers: VecDeque<io::Result<usize>>,
        taken: Vec<u8>,
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let most = self.answers.pop_front().unwrap_or(Ok(usize::MAX))?;
            let taken = bytes.get(..most.min(bytes.len())).unwrap_or_default();
            self.taken.extend_from_slice(taken);
            Ok(taken.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    async fn send(answers: impl IntoIterator<Item = io::Result<usize>>) -> (Outcome, Vec<u8>) {
        let out = Scripted { answers: answers.into_iter().collect(), taken: Vec::new() };
        let sink = ConsoleSink::new(out);
        let body = bytes::Bytes::from_static(b"{\"a\":1}\n");
        let payload =
            Payload { plain_bytes: body.len(), body, records: 1, ids: bytes::Bytes::new() };
        let answer = sink.send(&payload).await;
        let taken = std::mem::take(&mut sink.out.lock().await.taken);
        (answer.outcome, taken)
    }

    #[tokio::test]
    async fn short_and_refused_writes_go_on_where_they_stopped() {
        let would_block = || Err(io::ErrorKind::WouldBlock.into());
        let (outcome, taken) = send([Ok(3), would_block(), Ok(1), would_block()]).await;
        assert_eq!((outcome, taken.as_slice()), (Outcome::Delivered, &b"{\"a\":1}\n"[..]));
    }

    /// As when a configuration is loaded again and again while a pager stands still: `file` destinations
    /// and dead letters need threads, too.
    #[test]
    fn writes_that_hang_keep_one_thread_however_many_there_are() {
        struct Hangs(std::sync::mpsc::Receiver<()>);
        impl Write for Hangs {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let _ = self.0.recv();
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (release, hangs) = std::sync::mpsc::sync_channel::<()>(0);
        let out = Arc::new(Mutex::new(Hangs(hangs)));
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().max_blocking_threads(2).build().expect("a runtime");
        runtime.block_on(async {
            let body = bytes::Bytes::from_static(b"{}\n");
            let payload =
                Payload { plain_bytes: body.len(), body, records: 1, ids: bytes::Bytes::new() };
            for _ in 0..4 {
                let sink = ConsoleSink { out: Arc::clone(&out) };
                let sent = tokio::time::timeout(Duration::from_millis(20), sink.send(&payload));
                assert!(sent.await.is_err(), "it hangs");
            }
            let other = tokio::task::spawn_blocking(|| ());
            let other = tokio::time::timeout(Duration::from_secs(30), other);
            assert!(other.await.is_ok(), "a thread is free");
        });
        drop(release);
        let (one, other) = (ConsoleSink::stdout(), ConsoleSink::stdout());
        assert!(Arc::ptr_eq(&one.out, &other.out));
    }

    #[tokio::test]
    async fn a_reader_that_left_is_gone_for_good() {
        let (outcome, _) = send([Err(io::ErrorKind::BrokenPipe.into())]).await;
        assert_eq!(outcome, Outcome::Gone);
    }
}
