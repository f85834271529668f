//! Remembers Files that are finished, so that they are known again when they turn up compressed.

use std::sync::Arc;

use pillion_parsers::frame::FileNumber;

use super::{Archive, Key, Verdict};
use crate::checkpoint::resume::Resume;
use crate::checkpoint::snapshot::{FileEntry, MarkEntry};
use crate::checkpoint::tombstone::Tombstone;
use crate::tail::lineage::TailedFile;
use crate::tail::tailer::Tailer;

impl Tailer {
    /// Remembers a File that is finished.
    pub(in crate::tail::tailer) fn bury(&mut self, number: FileNumber, file: &TailedFile) {
        self.numbers.dirty = true;
        self.archives.wanting = true;
        let Some(source) = self.settings.sources.get(file.source) else { return };
        let tail = file.reader.tail();
        if tail.len == 0 {
            return;
        }
        // What was read to its end has nothing more, and be it that zeros stay at the end.
        let read = (file.archived && file.unread() == 0).then_some((file.source, file.id));
        let of = |key: &Key, archive: &Archive| {
            let whole = |len: u64| len <= tail.end || read == Some(*key);
            matches!(archive.verdict, Verdict::Of(its, len) if its == number.0 && whole(len))
        };
        let archive = self.archives.seen.iter().find(|(key, archive)| of(key, archive));
        let id = archive.map_or(0, |(key, archive)| archive.id(key.1));
        self.archives.tombstones.push(Tombstone {
            number: number.0,
            source: Arc::from(source.name.as_str()),
            path: crate::tail::lineage::text(&file.path),
            fingerprint: file.reader.prefix,
            size: file.reader.size.max(file.reader.offset),
            tail,
            middle: file.reader.middle(),
            when: self.steady_seconds(),
            archive: id,
            hoped_for: self.missing.contains_key(&number.0),
            resume: self.tracker.slowest(number).and_then(|mark| worth_keeping(mark.resume)),
        });
        self.doubt_others(number, file);
    }

    /// Of several compressed files that could be a File, it was read in one: whether the others are
    /// copies of that, or others that only begin alike, is to be seen now.
    fn doubt_others(&mut self, number: FileNumber, file: &TailedFile) {
        let of = |verdict| matches!(verdict, Verdict::Of(its, _) if its == number.0);
        let own = (file.source, file.id);
        let others = self.archives.seen.iter().filter(|(key, archive)| {
            file.archived && key.0 == file.source && **key != own && of(archive.verdict)
        });
        for key in others.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.archives.doubt(key);
        }
    }

    /// The same of an entry of the checkpoint.
    pub(in crate::tail::tailer) fn bury_entry(&mut self, entry: &FileEntry) {
        self.numbers.dirty = true;
        self.archives.wanting = true;
        if entry.tail.len == 0 {
            return;
        }
        let its = |mark: &&MarkEntry| self.destinations_of(&entry.source).any(|it| it == mark.to);
        let slowest = entry.marks.iter().filter(its).min_by_key(|mark| mark.safe);
        let mut resume = slowest.map(|mark| mark.mark().resume).unwrap_or_default();
        // The state is that of another place: in doubt, what comes is the rest of a key.
        resume.in_private_key |= slowest.is_some_and(|mark| mark.safe != entry.tail.end);
        self.archives.tombstones.push(Tombstone {
            number: entry.number,
            source: Arc::from(entry.source.as_str()),
            path: Arc::from(entry.path.as_str()),
            fingerprint: entry.fingerprint,
            size: entry.size.max(entry.tail.end),
            tail: entry.tail,
            middle: entry.middle,
            when: self.steady_seconds(),
            archive: 0,
            hoped_for: false,
            resume: worth_keeping(resume),
        });
    }
}

/// A tombstone's state, if it is not that of a File's first byte.
fn worth_keeping(resume: Resume) -> Option<Arc<Resume>> {
    (resume != Resume::default()).then(|| Arc::new(resume))
}
