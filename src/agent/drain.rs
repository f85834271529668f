//! The end of an agent, in order: read on until the application is quiet, stop looking for files, read
//! those that are known to their ends, end the records that nothing follows, close the batches, wait for the acks, save.

use std::panic::resume_unwind;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Agent;
use super::generation::Generation;
use crate::tail::{Finished, LeftBehind};

/// The part of the grace in which files are still read; the rest is for what is then in flight.
const READING: f64 = 0.8;

/// How long the drain may take at least to find out whether what was being written goes on, also when
/// the time for reading is over.
const LAST_LINES: Duration = Duration::from_millis(1200);

/// How long deliveries that were told to give up may take to let go.
const LETTING_GO: Duration = Duration::from_secs(1);

/// How long the last save may take, beyond the grace.
const SAVING: Duration = Duration::from_secs(3);

/// Between looks at whether files are quiet.
const LISTEN: Duration = Duration::from_millis(20);

/// Between looks round the directories meanwhile, where no events come.
const LOOK: Duration = Duration::from_millis(250);

/// How a drain went.
#[derive(Clone, Copy, Debug)]
pub struct Drained {
    /// What was not read.
    pub left_behind: LeftBehind,
    /// What was not settled, and whether the checkpoint was saved.
    pub finished: Finished,
    /// Whether every destination settled all it had been given before the grace was over.
    pub settled: bool,
    /// Records in disk buffers: settled, and sent by the next start.
    pub buffered: u64,
    /// Records meant for a destination that are nowhere, over all destinations: 0, or the agent has a
    /// mistake in it.
    pub unaccounted: u64,
}

impl Agent {
    /// Reads on until no file has grown and none has appeared for `quiet`, then drains. Takes at most
    /// about `grace` in all; what is not settled then is read again at the next start.
    pub async fn drain(self, grace: Duration, quiet: Duration) -> Drained {
        let begun = Instant::now();
        self.health.drain();
        let read_until = begun + grace.mul_f64(READING);
        self.generation.until_quiet(quiet, read_until).await;
        self.generation.drain(read_until, begun + grace).await
    }
}

impl Generation {
    /// Waits until files have been quiet for so long, at most until `deadline`.
    async fn until_quiet(&self, quiet: Duration, deadline: Instant) {
        let tail = &self.counted.tail;
        let mut heard = tail.stirred.load(Ordering::Relaxed);
        let (mut since, mut looked) = (Instant::now(), Instant::now());
        while since.elapsed() < quiet && Instant::now() < deadline {
            tokio::time::sleep(LISTEN.min(quiet)).await;
            let stirred = tail.stirred.load(Ordering::Relaxed);
            if std::mem::replace(&mut heard, stirred) != stirred {
                since = Instant::now();
            }
            if tail.polling.load(Ordering::Relaxed) && looked.elapsed() >= LOOK {
                looked = Instant::now();
                self.tail.look();
            }
        }
    }

    async fn drain(mut self, read_until: Instant, deadline: Instant) -> Drained {
        let read_until = read_until.max(Instant::now() + LAST_LINES).min(deadline);
        let told = self.tail.stop_discovery_and_drain(read_until);
        // The tail keeps its deadline itself, unless a disk that does not answer holds it.
        let left_behind = tokio::time::timeout_at(deadline.into(), told).await;
        let left_behind = left_behind.ok().and_then(Result::ok).unwrap_or_default();
        let settled = self.end_deliveries(deadline).await;
        self.tail.begin_to_finish();
        let saved = ended(Some(Instant::now() + SAVING), || self.tail.has_finished()).await;
        let finished = if saved { self.tail.finish() } else { Finished::default() };
        let buffers = self.counted.destinations.iter().map(|(_, stats)| &stats.buffer.records);
        let buffered = buffers.map(|records| records.load(Ordering::Relaxed)).sum();
        let stats = self.counted.destinations.iter().map(|(_, stats)| stats);
        let unaccounted = stats.map(|stats| stats.unaccounted().unsigned_abs()).sum();
        Drained { left_behind, finished, settled, buffered, unaccounted }
    }

    /// Ends the workers, to which nothing is sent any more, and the deliveries, which settle what they
    /// have if they can by the deadline. Whether they could.
    pub(super) async fn end_deliveries(&mut self, deadline: Instant) -> bool {
        self.notice.send_modify(|notice| notice.until = Some(deadline.into()));
        self.end_workers(deadline).await;
        for queue in &self.queues {
            queue.close();
        }
        let settled = tokio::time::timeout_at(deadline.into(), self.all_delivered()).await;
        if settled.is_err() {
            self.notice.send_modify(|notice| notice.give_up = true);
            let _ = tokio::time::timeout(LETTING_GO, self.all_delivered()).await;
        }
        settled.unwrap_or(false)
    }

    async fn end_workers(&mut self, deadline: Instant) {
        let workers = std::mem::take(&mut self.workers);
        let all = || workers.iter().all(JoinHandle::is_finished);
        if !ended(Some(deadline), all).await {
            // They wait for a destination that does not settle.
            self.pressure.abandon();
        }
        if !ended(Some(deadline + LETTING_GO), all).await {
            tracing::error!("a worker did not end in time: what it holds is read again next time");
            return;
        }
        for worker in workers {
            // A panic ends the program as it is released; in a build that unwinds it goes on here.
            worker.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    }

    /// Waits until the deliveries have ended. Whether none left anything.
    pub(super) async fn all_delivered(&mut self) -> bool {
        let mut settled = true;
        while let Some(ended) = self.deliveries.join_next().await {
            settled &= ended.is_ok_and(|(_, report)| report.batches_left == 0);
        }
        settled
    }
}

/// Waits for threads, at most until a deadline if there is one: neither on the runtime's own thread nor
/// on its blocking pool, all of whose threads may hang in writes that nobody reads or in name lookups.
/// Whether they have ended.
pub(super) async fn ended(deadline: Option<Instant>, ended: impl Fn() -> bool) -> bool {
    while !ended() {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    true
}
