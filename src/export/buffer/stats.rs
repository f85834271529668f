//! A buffer's counters.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// Counters of one destination's buffer; all zero where there is none.
#[derive(Debug, Default)]
pub struct BufferStats {
    /// Records in the buffer that are neither being sent nor have met their end.
    pub records: AtomicU64,
    /// Whether payloads may wait in it.
    pub(super) waiting: AtomicBool,
    /// Bytes of its segments.
    pub bytes: AtomicU64,
    /// Bytes that they may have.
    pub limit: AtomicU64,
    /// Attempts to write to it that failed and are tried again.
    pub write_failures: AtomicU64,
    /// Whether it takes nothing at present: it is full, or cannot be written.
    pub(super) refuses: AtomicBool,
}

impl BufferStats {
    /// There is no buffer, until one is opened. What its records are counted as stays.
    pub(super) fn clear(&self) {
        for size in [&self.bytes, &self.limit] {
            size.store(0, Relaxed);
        }
        for state in [&self.waiting, &self.refuses] {
            state.store(false, Relaxed);
        }
    }

    /// Whether there is a buffer that takes more.
    #[must_use]
    pub fn takes(&self) -> bool {
        self.limit.load(Relaxed) > 0 && !self.refuses.load(Relaxed)
    }
}
