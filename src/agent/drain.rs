//! The end of an agent, in order: stop looking for files, read those that are known to their ends,
//! flush the joiners, close the batches, wait for the acks, save.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Agent;
use crate::tail::{Finished, LeftBehind};

/// The part of the grace in which files are still read; the rest is for what is then in flight.
const READING: f64 = 0.8;

/// How long deliveries that were told to give up may take to let go.
const LETTING_GO: Duration = Duration::from_secs(1);

/// How long the last save may take, beyond the grace.
const SAVING: Duration = Duration::from_secs(3);

/// How a drain went.
#[derive(Clone, Copy, Debug)]
pub struct Drained {
    /// What was not read.
    pub left_behind: LeftBehind,
    /// What was not settled, and whether the checkpoint was saved.
    pub finished: Finished,
    /// Whether every destination settled all it had been given before the grace was over.
    pub settled: bool,
}

impl Agent {
    /// Drains, and takes at most about `grace`. What is not settled then is read again at the next
    /// start.
    pub async fn drain(mut self, grace: Duration) -> Drained {
        let begun = Instant::now();
        let deadline = begun + grace;
        self.health.drain();
        let told = self.tail.stop_discovery_and_drain(begun + grace.mul_f64(READING));
        // The tail keeps its deadline itself, unless a disk that does not answer holds it.
        let left_behind = tokio::time::timeout_at(deadline.into(), told).await;
        if let Ok(Err(_)) = left_behind {
            tracing::error!("reading ended with a panic: what was not read is read next time");
        }
        let left_behind = left_behind.ok().and_then(Result::ok).unwrap_or_default();
        self.end_workers(deadline).await;
        for queue in &self.queues {
            queue.close();
        }
        let settled = tokio::time::timeout_at(deadline.into(), self.all_delivered()).await.is_ok();
        if !settled {
            // Nobody listens only when all deliveries are done already.
            let _ = self.give_up.send(true);
            let _ = tokio::time::timeout(LETTING_GO, self.all_delivered()).await;
        }
        self.tail.begin_to_finish();
        let saved = ended(Instant::now() + SAVING, || self.tail.has_finished()).await;
        let finished = if saved { self.tail.finish() } else { Finished::default() };
        Drained { left_behind, finished, settled }
    }

    async fn end_workers(&mut self, deadline: Instant) {
        let workers = std::mem::take(&mut self.workers);
        let all = || workers.iter().all(JoinHandle::is_finished);
        if !ended(deadline, all).await {
            // They wait for a destination that does not settle.
            self.pressure.abandon();
        }
        if !ended(deadline + LETTING_GO, all).await {
            tracing::error!("a worker did not end in time: what it holds is read again next time");
            return;
        }
        if !workers.into_iter().map(JoinHandle::join).all(|ended| ended.is_ok()) {
            tracing::error!("a worker ended with a panic: what it held is read again next time");
        }
    }

    async fn all_delivered(&mut self) {
        while self.deliveries.join_next().await.is_some() {}
    }
}

/// Waits for threads, at most until `deadline`: neither on the runtime's own thread nor on its
/// blocking pool, all of whose threads may hang in writes that nobody reads or in name lookups.
/// Whether they have ended.
async fn ended(deadline: Instant, ended: impl Fn() -> bool) -> bool {
    while !ended() {
        if Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    true
}
