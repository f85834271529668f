//! What holds a worker back in the middle of a chunk.
//!
//! The tailer takes budget for what a chunk usually becomes. A chunk of bare newlines becomes a
//! hundred times its size: then the worker itself waits, between two batches, until destinations have
//! settled enough of what it has already handed them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use crate::budget::Budget;
use crate::export::queue::Queue;

/// The first and the longest nap between two looks at the budget.
const NAPS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// Nothing ends, or ends in its own time.
const ON: u8 = 0;
/// Another generation of the agent is to go on.
const HANDING_OVER: u8 = 1;
/// The grace is over.
const ABANDONED: u8 = 2;

/// The budget a worker must not outrun, and the word that there is no time left to wait for it.
#[derive(Clone, Debug)]
pub struct Pressure {
    budget: Arc<Budget>,
    /// Set by the agent: what a worker still holds is then left unsettled.
    ending: Arc<AtomicU8>,
}

impl Pressure {
    /// Of this budget, with no end in sight.
    #[must_use]
    pub fn new(budget: Arc<Budget>) -> Self {
        Self { budget, ending: Arc::new(AtomicU8::new(ON)) }
    }

    /// The budget.
    #[must_use]
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// Ends all waiting, now and from now on. What is handed over stays so: a chunk of which something
    /// was left out must have nothing more taken from it.
    pub fn abandon(&self) {
        let order = Ordering::Relaxed;
        let _ = self.ending.compare_exchange(ON, ABANDONED, order, order);
    }

    /// Ends all waiting, and has workers leave unsettled what is in no batch yet: another generation
    /// of the agent reads it again, and a record that is held open must not be ended here.
    pub fn hand_over(&self) {
        self.ending.store(HANDING_OVER, Ordering::Relaxed);
    }

    /// Whether another generation is to go on.
    #[must_use]
    pub fn is_handing_over(&self) -> bool {
        self.ending.load(Ordering::Relaxed) == HANDING_OVER
    }

    /// Whether the grace is over.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.ending.load(Ordering::Relaxed) == ABANDONED
    }

    /// Waits while more is in flight than reads may fill and `queue`'s destination is holding some
    /// of it: it will give that back. What nobody would give back is not waited for, so that this
    /// cannot last longer than the destination's trouble.
    pub fn ease(&self, queue: &Queue) {
        self.wait_while(|| self.budget.used() > self.budget.room() && queue.resident() > 0);
    }

    /// Waits as long as `held` says so, if nothing ends.
    pub fn wait_while(&self, held: impl Fn() -> bool) {
        let mut nap = NAPS.0;
        while held() && self.ending.load(Ordering::Relaxed) == ON {
            std::thread::sleep(nap);
            nap = (nap * 2).min(NAPS.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_over_that_is_late_stays_one() {
        let pressure = Pressure::new(Budget::new(1));
        pressure.hand_over();
        pressure.abandon();
        assert!(pressure.is_handing_over() && !pressure.is_abandoned());
        let pressure = Pressure::new(Budget::new(1));
        pressure.abandon();
        assert!(pressure.is_abandoned());
    }
}
