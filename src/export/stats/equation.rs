//! The equation itself: what has met its end, and what is nowhere.

use std::sync::atomic::AtomicU64;

use super::{DestinationStats, load};

impl DestinationStats {
    /// Records that are no longer in flight, over all ends. At rest, `records_in` minus this is
    /// [`Self::in_flight`].
    #[must_use]
    pub fn resolved(&self) -> u64 {
        let sum = |counters: &[AtomicU64]| counters.iter().map(load).sum::<u64>();
        load(&self.delivered)
            + load(&self.duplicate)
            + load(&self.already_settled)
            + sum(&self.dropped)
            + sum(&self.dead_lettered)
            + sum(&self.lost)
            + load(&self.returned)
    }

    /// Records meant for the destination that are nowhere: not settled, not in flight, not in an open
    /// batch. Always 0 at rest. Negative: more met their end than came.
    ///
    /// The terms are not read in one instant, so while records move one of them may be on its way from
    /// one term to another; it is looked at a few times before that is believed.
    #[must_use]
    pub fn unaccounted(&self) -> i64 {
        const LOOKS: usize = 4;
        let look = || {
            let known = self.resolved()
                + load(&self.in_flight)
                + load(&self.open)
                + load(&self.buffer.records);
            load(&self.routed).cast_signed().wrapping_sub(known.cast_signed())
        };
        let mut found = look();
        for _ in 1..LOOKS {
            if found == 0 {
                break;
            }
            found = look();
        }
        found
    }
}
