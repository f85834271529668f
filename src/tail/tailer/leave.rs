//! Files that leave: renamed or deleted, read on while a writer may still hold them, then retired,
//! and forgotten once nothing of them is on the disk and everything is settled.

use std::sync::Arc;

use pillion_parsers::frame::FileNumber;

use super::{TICK, Tailer, rounds};
use crate::pipeline::chunk::{LineageId, Read};
use crate::tail::lineage::{Standing, TailedFile};
use crate::tail::reader::Look;

impl Tailer {
    /// A File lost its name.
    pub(super) fn leave(&mut self, number: FileNumber, deleted: bool) {
        let now = self.now.instant;
        let Some(file) = self.files.get_mut(&number) else { return };
        match &mut file.standing {
            Standing::Live => {
                file.standing = Standing::Leaving { since: now, deleted };
                // What was written up to the last moment is read before what follows in its place.
                if let Some(lineage) = file.lineage {
                    self.queue(lineage);
                }
            }
            Standing::Leaving { deleted: already, .. } => *already |= deleted,
            Standing::Resting if deleted => {
                self.lose_unread(number);
                self.let_go(number, true);
            }
            Standing::Resting | Standing::Gone => {}
        }
        self.restless = true;
    }

    /// Retires Files that left and were patient enough; has those looked at that may have grown.
    pub(super) fn visit_leaving(&mut self) {
        let now = self.now.instant;
        if self.workers.is_empty() {
            return; // drained: what is still held is read at the next start
        }
        let leaving: Vec<FileNumber> =
            self.files.awake().filter(|(_, file)| file.leaving()).map(|(n, _)| n).collect();
        for number in leaving {
            let looked = self.look(number);
            let Some(file) = self.files.get_mut(&number) else { continue };
            let nameless = file.reader.nameless();
            let Standing::Leaving { since, deleted } = &mut file.standing else { continue };
            // Whether one that was closed is gone is found out by looking round.
            *deleted |= nameless;
            // One that wrote after the file was deleted may do so again.
            let goes_on = file.grown > *since + 2 * TICK;
            let grace = match *deleted && !goes_on {
                // Nobody writes into it.
                _ if file.archived => std::time::Duration::ZERO,
                true => self.settings.deleted_grace,
                false => self.settings.renamed_grace,
            };
            let patient_until = (*since).max(file.grown) + grace;
            let changed = looked.is_ok_and(|look| look != Look::Same);
            if changed {
                file.grown = now;
                file.spent = false;
            }
            match file.lineage {
                Some(lineage) if changed || !file.spent => self.queue(lineage),
                _ if file.spent && now >= patient_until => self.retire(number),
                _ => {}
            }
        }
        let retry: Vec<_> = self
            .files
            .awake()
            .filter(|(_, file)| file.failing.as_ref().is_some_and(|it| it.retry_at <= now))
            .filter_map(|(_, file)| file.lineage)
            .collect();
        for lineage in retry {
            self.queue(lineage);
        }
    }

    /// Ships a held last line and closes a File that left. Tried again at the next tick if there is
    /// no budget for it, or while something of it is in flight.
    fn retire(&mut self, number: FileNumber) {
        let closed = self.files.get(&number).filter(|file| file.reader.file.is_none());
        let gone = |file: &TailedFile| matches!(file.standing, Standing::Leaving { deleted, .. } if deleted);
        if closed.is_some_and(|file| file.unread() > 0 && !gone(file)) {
            self.open_again(number);
            return;
        }
        if self.read_last(number) != rounds::Turn::Nothing {
            return;
        }
        let Some(file) = self.files.get(&number) else { return };
        if file.archived {
            // What is in flight may have to be read again, and is found again compressed. Another one is
            // opened before it is settled: its last record may go on in that.
            self.archives.wanting = true;
        } else if file.reader.file.is_some() && !self.settled(number, file) {
            // Once the file is deleted, be it later, only this handle can read that again.
            return;
        }
        if gone(file) {
            self.lose_unread(number);
            self.let_go(number, true);
        } else {
            self.detach(number, true);
            if let Some(file) = self.files.get_mut(&number) {
                file.reader.file = None;
                file.standing = Standing::Resting;
            }
        }
        self.numbers.dirty = true;
    }

    /// Whether everything that was read of a File is settled everywhere.
    pub(super) fn settled(&self, number: FileNumber, file: &TailedFile) -> bool {
        self.tracker.safe(number).is_none_or(|safe| safe >= file.reader.offset)
    }

    /// No more bytes of this File can come.
    pub(super) fn let_go(&mut self, number: FileNumber, last: bool) {
        self.detach(number, last);
        let Some(file) = self.files.get_mut(&number) else { return };
        file.reader.file = None;
        file.standing = Standing::Gone;
        self.misplaced = true;
        let key = (file.source, file.id);
        if self.by_disk.get(&key) == Some(&number) {
            self.by_disk.remove(&key);
        }
        self.numbers.dirty = true;
    }

    /// Takes a File out of its lineage and tells the worker. A lineage without Files ends, unless
    /// (`may_end`) another File is about to follow.
    pub(super) fn detach(&mut self, number: FileNumber, may_end: bool) {
        let Some(file) = self.files.get_mut(&number) else { return };
        let announced = std::mem::take(&mut file.announced);
        let Some(id) = file.lineage.take() else { return };
        let Some(lineage) = self.lineages.get_mut(&id) else { return };
        lineage.files.retain(|other| *other != number);
        let (source, path) = (lineage.source, Arc::clone(&lineage.path));
        let empty = lineage.files.is_empty();
        // Nothing that is awaited comes during a drain.
        let follows = empty && self.drain.is_none() && self.is_awaited(source, &path);
        if may_end && empty && !follows {
            return self.end_lineage(id, number);
        }
        if announced {
            self.send(id, Read::Retired { lineage: id, file: number, last: false });
        }
        if follows {
            self.denied(id);
        }
    }

    /// A lineage has no Files any more, and none is about to follow; `number` is its last one.
    pub(super) fn end_lineage(&mut self, id: LineageId, number: FileNumber) {
        let Some(lineage) = self.lineages.remove(&id) else { return };
        self.by_lineage.remove(&(lineage.source, lineage.path));
        if lineage.announced {
            self.send(id, Read::Retired { lineage: id, file: number, last: true });
        }
    }

    /// Forgets Files that are gone and settled.
    pub(super) fn drop_settled(&mut self) {
        let settled: Vec<FileNumber> = self
            .files
            .awake()
            .filter(|(number, file)| file.gone() && self.settled(*number, file))
            .map(|(number, _)| number)
            .collect();
        for number in settled {
            if let Some(file) = self.files.remove(number) {
                self.bury(number, &file);
            }
            self.tracker.forget(number);
        }
    }
}
