//! The `file` destination: NDJSON appended to a file, synced before a batch is settled.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::append::Appender;
use super::outcome::{Outcome, RetryClass};
use super::payload::Payload;
use super::sink::{Answer, Sink};

/// Appends payloads to a file. What does not fit on the disk is held and tried again.
#[derive(Debug)]
pub struct FileSink {
    /// Shared with the blocking thread that writes; one at a time.
    appender: Arc<Mutex<Appender>>,
}

impl FileSink {
    /// A sink that appends to `path`.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { appender: Arc::new(Mutex::new(Appender::new(path))) }
    }
}

impl Sink for FileSink {
    /// Writes on tokio's blocking pool: a sync can take seconds, and the runtime has one thread.
    async fn send(&self, payload: &Payload) -> Answer {
        let (appender, body) = (Arc::clone(&self.appender), payload.body.clone());
        let written = tokio::task::spawn_blocking(move || {
            appender.lock().unwrap_or_else(PoisonError::into_inner).append(&body, None)
        });
        let error = match written.await {
            Ok(Ok(_)) => return Outcome::Delivered.into(),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        let outcome = Outcome::Retry { class: RetryClass::Disk, after: None };
        Answer { outcome, status: 0, detail: Some(error.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(body: &'static str) -> Payload {
        Payload {
            body: body.as_bytes().into(),
            plain_bytes: body.len(),
            records: 1,
            ids: bytes::Bytes::new(),
        }
    }

    #[tokio::test]
    async fn what_is_delivered_is_in_the_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("out.ndjson");
        let sink = FileSink::new(path.clone());
        for body in ["{\"a\":1}\n", "{\"a\":2}\n"] {
            assert_eq!(sink.send(&payload(body)).await.outcome, Outcome::Delivered);
        }
        assert_eq!(std::fs::read_to_string(path).expect("readable"), "{\"a\":1}\n{\"a\":2}\n");
    }

    #[tokio::test]
    async fn a_full_disk_holds() {
        let answer = FileSink::new("/dev/full".into()).send(&payload("{}\n")).await;
        assert_eq!(answer.outcome, Outcome::Retry { class: RetryClass::Disk, after: None });
        assert!(answer.detail.is_some_and(|detail| detail.contains("No space left")));
    }
}
