//! Descriptors: no more files are open than may be, and idle ones make room for those with something
//! to be read.

use std::path::Path;

use super::{POLL, Tailer};
use crate::tail::lineage::{Standing, TailedFile};
use crate::tail::open::{self, Allowed, OpenFile, Refusal};

impl Tailer {
    /// Opens a file, for which room is made.
    pub(super) fn open_in_room(
        &mut self,
        allowed: &Allowed,
        path: &Path,
    ) -> Result<OpenFile, Refusal> {
        self.make_room()?;
        let opened = open::open(allowed, path);
        if let Err(Refusal::TooManyOpen) = opened {
            // Others need some as well: the checkpoint, connections.
            self.close_idle(self.settings.max_open.div_ceil(8));
            self.opened = self.count_open();
            self.crowd();
        }
        opened
    }

    /// Makes room for one more open file: closes idle ones when as many are open as may be.
    pub(super) fn make_room(&mut self) -> Result<(), Refusal> {
        let limit = self.settings.max_open;
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
            self.close_idle(surplus.max(limit.div_ceil(8)));
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

    /// Closes some files that can be opened again. Those with half a line at their end last, for they
    /// will go on, and before them those with bytes in flight, which may have to be read again.
    fn close_idle(&mut self, some: usize) {
        let idle = |file: &TailedFile| {
            let can_be_opened_again = match file.standing {
                Standing::Live => true,
                Standing::Leaving { deleted, .. } => !deleted && file.unread() == 0,
                Standing::Resting | Standing::Gone => false,
            };
            can_be_opened_again && file.reader.file.is_some() && file.spent
        };
        let mut idle: Vec<_> = self
            .files
            .iter()
            .filter(|(_, file)| idle(file))
            .map(|(number, file)| {
                (file.unread() > 0, !self.settled(*number, file), file.grown, *number)
            })
            .collect();
        idle.sort_unstable();
        for (.., number) in idle.into_iter().take(some) {
            if let Some(file) = self.files.get_mut(&number) {
                file.reader.file = None;
            }
        }
    }
}
