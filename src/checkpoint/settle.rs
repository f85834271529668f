//! The edge from delivery back to the checkpoint: what a destination calls once a batch is done with.

use crate::pipeline::batch::Receipt;

/// Learns what is settled: delivered, dead-lettered, dropped by a rule, or lost with a reason.
pub trait Settle: Send + Sync {
    /// Settles the receipt's bytes for one destination (index into `Settings::destinations`). Never
    /// blocks on I/O or on another stage. Settling the same bytes twice changes nothing.
    fn settle(&self, destination: usize, receipt: &Receipt);
}
