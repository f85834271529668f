//! Descriptors: no more files are open than may be, and idle ones make room for those with something
//! to be read. What the system gives may be less than what it said it would.

use std::path::Path;
use std::time::Duration;

use pillion_parsers::frame::FileNumber;

use super::{POLL, Tailer};
use crate::tail::lineage::{Standing, TailedFile};
use crate::tail::open::{self, Allowed, OpenFile, Refusal};
use crate::tail::stats::count;

/// How long fewer files are held open, after the system gave no more.
const LOWERED: Duration = Duration::from_secs(60);

impl Tailer {
    /// Opens a file, for which room is made.
    pub(super) fn open_in_room(
        &mut self,
        allowed: &Allowed,
        path: &Path,
    ) -> Result<OpenFile, Refusal> {
        self.make_room()?;
        match open::open(allowed, path) {
            Ok(open) => {
                self.admitted += 1;
                Ok(open)
            }
            Err(Refusal::TooManyOpen) => {
                self.lower();
                Err(Refusal::Crowded)
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Files that may be open now.
    pub(super) fn max_open(&self) -> usize {
        match self.lowered {
            Some((limit, until)) if self.now.instant < until => limit,
            _ => self.settings.max_open,
        }
    }

    /// The process, or the system, has no more descriptors. Without some for connections nothing gets
    /// settled, and without one for the checkpoint nothing saved: files give way.
    pub(super) fn lower(&mut self) {
        let open = self.count_open();
        let limit = open.saturating_sub((open / 4).max(4)).max(1);
        let said = self.lowered.is_some_and(|(_, until)| self.now.instant < until);
        self.lowered = Some((limit, self.now.instant + LOWERED));
        self.close(open.saturating_sub(limit), true);
        self.opened = self.count_open();
        self.crowd();
        count(&self.stats.refused.too_many_open, 1);
        if said {
            return;
        }
        tracing::warn!(
            limit,
            "too many open files: no more log files than this are held open for a minute, and the rest \
             take turns; raise the limit (ulimit -n)"
        );
    }

    /// Makes room for one more open file: closes idle ones when as many are open as may be.
    fn make_room(&mut self) -> Result<(), Refusal> {
        let limit = self.max_open();
        if self.crowded_at == Some(self.now.instant) {
            // Nothing becomes idle within a turn.
            self.crowded += 1;
            return Err(Refusal::Crowded);
        }
        self.opened += 1;
        if self.opened <= limit {
            return Ok(());
        }
        let surplus = (self.count_open() + 1).saturating_sub(limit);
        if surplus > 0 {
            self.close(surplus.max(limit.div_ceil(8)), false);
        }
        self.opened = self.count_open() + 1;
        if self.opened > limit {
            self.crowd();
            return Err(Refusal::Crowded);
        }
        Ok(())
    }

    /// A file waits until another is idle: nobody hints at that.
    fn crowd(&mut self) {
        self.crowded += 1;
        self.crowded_at = Some(self.now.instant);
        self.look_due = self.look_due.min(self.now.instant + POLL.0);
    }

    fn count_open(&self) -> usize {
        self.files.values().filter(|file| file.reader.file.is_some()).count()
    }

    /// Closes some files that can be opened again: idle ones, and if it must be (`forced`) also others
    /// that have their name. Those with half a line at their end late, for they will go on, and before
    /// them those with bytes in flight, which may have to be read again.
    fn close(&mut self, some: usize, forced: bool) {
        let may_be = |file: &TailedFile| match file.standing {
            Standing::Live => file.spent || forced,
            Standing::Leaving { deleted, .. } => !deleted && file.spent && file.unread() == 0,
            Standing::Resting | Standing::Gone => false,
        };
        let mut chosen: Vec<(bool, bool, bool, _, FileNumber)> = self
            .files
            .iter()
            .filter(|(_, file)| file.reader.file.is_some() && may_be(file))
            .map(|(number, file)| {
                let unsettled = !self.settled(*number, file);
                (!file.spent, file.unread() > 0, unsettled, file.grown, *number)
            })
            .collect();
        chosen.sort_unstable();
        for (unread, .., number) in chosen.into_iter().take(some) {
            if let Some(file) = self.files.get_mut(&number) {
                file.reader.file = None;
                if unread {
                    // The next look is to find it changed.
                    file.reader.changed = (0, 0);
                }
            }
        }
    }
}
