//! The one bound on memory: resident bytes in flight, over all stages and destinations.
//!
//! The tailer takes a [`Permit`] before it reads; the permit travels with what the bytes become
//! (chunk, open batch, payload) and gives its bytes back when dropped, which wakes the tailer.
//! Nothing else throttles: when destinations stall, permits stay out and reading stops.
//!
//! A part of the limit is set aside: no read gets it. What cannot wait is taken from it: a compressor
//! for the next batch, the scratch in which a payload is taken apart.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Thread;

/// A shared count of resident bytes, and its limit.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    /// The part of the limit that reads do not get.
    aside: usize,
    used: AtomicUsize,
    peak: AtomicUsize,
    /// Whether the waiter was refused since it was last woken: saves a wake-up per permit.
    starved: AtomicBool,
    /// The thread to wake when bytes come back: the tailer, which alone waits for budget.
    waiter: Mutex<Option<Thread>>,
}

impl Budget {
    /// A budget of `limit` bytes, none used.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        Self::setting_aside(0, limit)
    }

    /// A budget of `limit` bytes, none used, of which reads do not get `aside`.
    #[must_use]
    pub fn setting_aside(aside: usize, limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            aside: aside.min(limit),
            used: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            starved: AtomicBool::new(false),
            waiter: Mutex::new(None),
        })
    }

    /// Names the thread that is unparked when bytes come back after a refusal.
    pub fn wake(&self, waiter: Thread) {
        if let Ok(mut slot) = self.waiter.lock() {
            *slot = Some(waiter);
        }
    }

    /// Takes `bytes` if they are free for a read. On `None` the waiter is unparked at the next return.
    #[must_use]
    pub fn try_take(self: &Arc<Self>, bytes: usize) -> Option<Permit> {
        // Said before looking, so that a return between the look and the refusal still wakes.
        self.starved.store(true, Ordering::SeqCst);
        let taken = self
            .used
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |used| {
                used.checked_add(bytes).filter(|sum| *sum <= self.room())
            })
            .ok()?;
        self.starved.store(false, Ordering::SeqCst);
        self.peak.fetch_max(taken + bytes, Ordering::Relaxed);
        Some(Permit { budget: Arc::clone(self), bytes })
    }

    /// Takes `bytes` from what is set aside, and even past the limit: for what already lies in memory
    /// and must be accounted for. What reads could not have stops the next one.
    #[must_use]
    pub fn overdraw(self: &Arc<Self>, bytes: usize) -> Permit {
        let before = self.used.fetch_add(bytes, Ordering::SeqCst);
        self.peak.fetch_max(before + bytes, Ordering::Relaxed);
        Permit { budget: Arc::clone(self), bytes }
    }

    /// Bytes taken now.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// The most bytes ever taken at once.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// The limit in bytes.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The part of the limit in bytes that reads may fill.
    #[must_use]
    pub fn room(&self) -> usize {
        self.limit - self.aside
    }

    fn give_back(&self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        self.used.fetch_sub(bytes, Ordering::SeqCst);
        if self.starved.swap(false, Ordering::SeqCst)
            && let Ok(waiter) = self.waiter.lock()
            && let Some(thread) = waiter.as_ref()
        {
            thread.unpark();
        }
    }
}

/// A share of the budget, given back when dropped.
#[derive(Debug)]
pub struct Permit {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Permit {
    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Trues the share up, or down, to what really lies in memory.
    pub fn resize(&mut self, bytes: usize) {
        if bytes > self.bytes {
            let more = self.budget.overdraw(bytes - self.bytes);
            self.absorb(more);
        } else {
            self.budget.give_back(self.bytes - bytes);
            self.bytes = bytes;
        }
    }

    /// Moves up to `bytes` of this share into a new one, without the budget seeing them come free.
    #[must_use]
    pub fn split(&mut self, bytes: usize) -> Permit {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Permit { budget: Arc::clone(&self.budget), bytes }
    }

    /// Adds another share to this one.
    pub fn absorb(&mut self, mut other: Permit) {
        self.bytes += std::mem::take(&mut other.bytes);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_comes_back_whatever_way_it_went() {
        let budget = Budget::new(100);
        let mut one = budget.try_take(60).expect("free");
        assert!(budget.try_take(41).is_none());
        let two = one.split(50);
        assert_eq!((one.bytes(), two.bytes(), budget.used()), (10, 50, 60));
        one.resize(150);
        assert_eq!(budget.used(), 200);
        one.absorb(two);
        assert_eq!((one.bytes(), budget.used(), budget.peak()), (200, 200, 200));
        drop(one);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn what_is_set_aside_is_not_for_reads() {
        let budget = Budget::setting_aside(30, 100);
        let mut read = budget.try_take(70).expect("room for it");
        assert!(budget.try_take(1).is_none());
        read.resize(100);
        assert_eq!((budget.used(), budget.peak(), budget.room()), (100, 100, 70));
        read.resize(69);
        assert!(budget.try_take(1).is_some());
    }

    #[test]
    fn a_refused_waiter_is_woken_by_the_next_return() {
        let budget = Budget::new(10);
        let held = budget.try_take(10).expect("free");
        budget.wake(std::thread::current());
        assert!(budget.try_take(1).is_none());
        std::thread::spawn(move || drop(held)).join().expect("no panic");
        // Returns at once: the token is already there. Without it, this test would not end.
        std::thread::park();
        assert!(budget.try_take(1).is_some());
    }
}
