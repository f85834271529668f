//! What holds a worker back in the middle of a chunk.
//!
//! The tailer takes budget for what a chunk usually becomes. A chunk of bare newlines becomes a
//! hundred times its size: then the worker itself waits, between two batches, until destinations have
//! settled enough of what it has already handed them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::budget::Budget;
use crate::export::queue::Queue;

/// The first and the longest nap between two looks at the budget.
const NAPS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// The budget a worker must not outrun, and the word that there is no time left to wait for it.
#[derive(Clone, Debug)]
pub struct Pressure {
    budget: Arc<Budget>,
    /// Set by the agent when the grace is over: what a worker still holds is then left unsettled.
    abandoned: Arc<AtomicBool>,
}

impl Pressure {
    /// Of this budget, with nothing abandoned.
    #[must_use]
    pub fn new(budget: Arc<Budget>) -> Self {
        Self { budget, abandoned: Arc::new(AtomicBool::new(false)) }
    }

    /// The budget.
    #[must_use]
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// Ends all waiting, now and from now on.
    pub fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    /// Whether the grace is over.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// Waits while more is in flight than the budget allows and `queue`'s destination is holding some
    /// of it: it will give that back. What nobody would give back is not waited for, so that this
    /// cannot last longer than the destination's trouble.
    pub fn ease(&self, queue: &Queue) {
        self.wait_while(|| self.budget.used() > self.budget.limit() && queue.resident() > 0);
    }

    /// Waits as long as `held` says so, if the grace lasts.
    pub fn wait_while(&self, held: impl Fn() -> bool) {
        let mut nap = NAPS.0;
        while held() && !self.is_abandoned() {
            std::thread::sleep(nap);
            nap = (nap * 2).min(NAPS.1);
        }
    }
}
