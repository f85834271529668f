//! What the tail counts. Read at scrape time by whoever shows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Files listed by lag at most.
pub const LAG_LISTED: usize = 50;

/// Counters and gauges of the tail. Counters only grow within a run of the agent.
#[derive(Debug, Default)]
pub struct TailStats {
    /// Bytes handed to workers, what was left out of cut lines included.
    pub bytes_read: AtomicU64,
    /// Of those, the ones that were no records yet when a configuration was loaded anew: they are read
    /// again.
    pub bytes_returned: AtomicU64,
    /// Lines handed to workers: newlines, and last lines without one.
    pub lines_read: AtomicU64,
    /// Chunks handed to workers.
    pub chunks: AtomicU64,
    /// Gauge: files held open.
    pub open_files: AtomicU64,
    /// Gauge: Files known, closed ones included.
    pub known_files: AtomicU64,
    /// Gauge: files that wait for another to be closed, since no more may be open.
    pub waiting_files: AtomicU64,
    /// Gauge: lineages.
    pub lineages: AtomicU64,
    /// Files that were found shorter than what had been read of them.
    pub truncated_shorter: AtomicU64,
    /// Files that had grown back past what had been read of them, with other bytes.
    pub truncated_regrown: AtomicU64,
    /// Bytes that were truncated away before they were read, as far as their number was known.
    pub lost_truncated: AtomicU64,
    /// Bytes of Files that were gone before they were read to their end, or were not found again after
    /// a restart, as far as their number was known.
    pub lost_gone: AtomicU64,
    /// Bytes of deleted Files that were let go before they were read to their end, because such held
    /// more of the disk than they may.
    pub lost_pin: AtomicU64,
    /// Gauge: bytes on the disk of deleted Files that are held open.
    pub pinned_bytes: AtomicU64,
    /// Bytes of compressed files that could not be decompressed, as far as their number was known.
    pub lost_damaged: AtomicU64,
    /// Bytes left out of lines longer than `max_record`.
    pub cut_bytes: AtomicU64,
    /// Lines longer than `max_record`.
    pub cut_lines: AtomicU64,
    /// Zero bytes skipped where a line should begin (a truncated file written on at its old offset).
    pub zeros_skipped: AtomicU64,
    /// Last lines shipped without their newline.
    pub partial_lines: AtomicU64,
    /// Paths that matched and were refused, by reason.
    pub refused: Refusals,
    /// Failed reads.
    pub read_errors: AtomicU64,
    /// Gauge, 0 or 1: whether files are polled because events do not come.
    pub polling: AtomicBool,
    /// Times the kernel's event queue overflowed.
    pub watcher_overflows: AtomicU64,
    /// Turns taken: stands still only when the thread does.
    pub turns: AtomicU64,
    /// Times a file grew, or was found: while this stands still, the files are quiet.
    pub stirred: AtomicU64,
    /// Gauge, 0 or 1: whether something that was read is not settled, or something that could be read
    /// is not read. As of the last second in which anything moved.
    pub busy: AtomicBool,
    /// Looks round all directories.
    pub rescans: AtomicU64,
    /// Times reading stopped for lack of budget.
    pub budget_pauses: AtomicU64,
    /// Nanoseconds spent in such pauses, the present one included up to the last second.
    pub budget_paused_nanos: AtomicU64,
    /// Checkpoints saved.
    pub saves: AtomicU64,
    /// Checkpoints that could not be saved.
    pub save_errors: AtomicU64,
    /// Gauge: bytes in files that are not settled everywhere, over all Files.
    pub lag_bytes: AtomicU64,
    lagging: Mutex<Vec<FileLag>>,
}

/// Why a path that matched is not tailed. Each path counts once until it is well.
#[derive(Debug, Default)]
pub struct Refusals {
    /// A FIFO, socket or device.
    pub not_regular: AtomicU64,
    /// A directory under a file's pattern.
    pub directory: AtomicU64,
    /// Permission denied.
    pub denied: AtomicU64,
    /// A symlink that leads out of the root and the `links_to` directories, or in a circle.
    pub escapes: AtomicU64,
    /// The agent's own log.
    pub own_log: AtomicU64,
    /// Times the system gave no more open files.
    pub too_many_open: AtomicU64,
    /// Beyond the bounds on depth or number of a source's directories.
    pub beyond_bounds: AtomicU64,
    /// Any other error.
    pub other: AtomicU64,
}

/// One File's distance to being settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLag {
    /// Index of its source.
    pub source: usize,
    /// The path its lineage goes by; as found, not redacted.
    pub path: Arc<str>,
    /// Bytes in the file that are not settled everywhere.
    pub bytes: u64,
}

impl TailStats {
    /// The Files furthest behind, at most [`LAG_LISTED`], furthest first. As of the last save tick.
    #[must_use]
    pub fn lagging(&self) -> Vec<FileLag> {
        self.lagging.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the lag list with the furthest of `all`.
    pub(crate) fn show_lag(&self, mut all: Vec<FileLag>) {
        let total = all.iter().fold(0, |sum: u64, lag| sum.saturating_add(lag.bytes));
        self.lag_bytes.store(total, Ordering::Relaxed);
        all.sort_unstable_by(|one, other| {
            other.bytes.cmp(&one.bytes).then_with(|| one.path.cmp(&other.path))
        });
        all.truncate(LAG_LISTED);
        *self.lagging.lock().unwrap_or_else(PoisonError::into_inner) = all;
    }
}

/// Adds to a counter.
pub(crate) fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_furthest_behind_come_first_and_the_list_is_bounded() {
        let stats = TailStats::default();
        let lag = |bytes| FileLag { source: 0, path: Arc::from(format!("/{bytes}")), bytes };
        stats.show_lag((0..80).map(lag).collect());
        let listed: Vec<u64> = stats.lagging().iter().map(|lag| lag.bytes).collect();
        assert_eq!(listed, (30..80).rev().collect::<Vec<_>>());
        assert_eq!(stats.lag_bytes.load(Ordering::Relaxed), (0..80).sum::<u64>());
    }
}
