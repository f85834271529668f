//! Deleted files that are still held: the disk keeps their bytes for as long as there is a handle, and
//! there is a bound to that, since a volume that fills hurts the application.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Instant;

use pillion_parsers::frame::FileNumber;

use super::Tailer;
use crate::tail::identity::DiskId;
use crate::tail::lineage::Standing;
use crate::tail::stats::count;

/// What handles hold of one deleted file. Two sources may tail the same one.
struct Pinned {
    /// Whether letting go of it would lose anything, as far as known.
    needed: bool,
    /// When it was first seen to leave.
    since: Instant,
    /// Bytes it has on the disk.
    bytes: u64,
    numbers: Vec<FileNumber>,
}

impl Tailer {
    /// Lets go of deleted Files while more of the disk is held through them than may be: of those of
    /// which everything is settled first, then of the one that was deleted longest ago.
    pub(super) fn unpin(&mut self) {
        let mut pinned: Vec<Pinned> = self.pinned().into_values().collect();
        let mut total = pinned.iter().fold(0, |sum: u64, it| sum.saturating_add(it.bytes));
        pinned.sort_by_key(|it| (it.needed, it.since));
        for it in pinned {
            if total <= self.settings.pin {
                break;
            }
            total -= it.bytes;
            for number in it.numbers {
                self.lose_pinned(number);
            }
        }
        self.stats.pinned_bytes.store(total, Ordering::Relaxed);
    }

    fn pinned(&self) -> BTreeMap<DiskId, Pinned> {
        let mut pinned: BTreeMap<DiskId, Pinned> = BTreeMap::new();
        for (number, file) in self.files.awake() {
            let Standing::Leaving { since, deleted: true } = file.standing else { continue };
            let Some(bytes) = file.reader.pinned() else { continue };
            let needed = file.unread() > 0 || !self.settled(number, file);
            let all = pinned.entry(file.id).or_insert(Pinned {
                needed,
                since,
                bytes,
                numbers: Vec::new(),
            });
            all.needed |= needed;
            all.since = all.since.min(since);
            all.numbers.push(number);
        }
        pinned
    }

    fn lose_pinned(&mut self, number: FileNumber) {
        if self.files.get(&number).is_some_and(|file| file.spent) {
            // All but a last line without its end was read; that much is shipped if it can be.
            self.read_last(number);
        }
        let Some(file) = self.files.get(&number) else { return };
        let lost = file.unread();
        if lost > 0 {
            count(&self.stats.lost_pin, lost);
            tracing::warn!(
                path = ?file.path, bytes = lost, pin = self.settings.pin,
                "a deleted log file was let go before it was read to its end: deleted files held more \
                 of the disk than `pin` allows; raise it, or delete rotated files later"
            );
        }
        self.let_go(number, true);
    }
}
