//! Goes on reading a File in its compressed rotation, from the offset it had.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

use pillion_parsers::frame::FileNumber;

use super::{Key, Verdict};
use crate::checkpoint::ledger::Mark;
use crate::checkpoint::snapshot::{FileEntry, MarkEntry, TailHash};
use crate::tail::archive::is_kin;
use crate::tail::handle::{Handle, Inflated};
use crate::tail::identity::DiskId;
use crate::tail::open::OpenFile;
use crate::tail::stats::count;
use crate::tail::tailer::Tailer;
use crate::tail::tailer::dormant::lying::{Lain, Lying};

/// A compressed file on its way to where reading goes on: all before that has to be decompressed.
pub(super) struct Opening {
    key: Key,
    entry: FileEntry,
    open: OpenFile,
    /// Where reading goes on.
    offset: u64,
    /// Whether the bytes before the hash's place were found to be the File's.
    verified: bool,
}

impl Tailer {
    /// Opens the one that holds what was not read of the oldest File: one for each source at a time.
    /// Whether it did.
    pub(super) fn open_wanted(&mut self) -> bool {
        let open = self.files.values().filter(|file| file.archived && !file.gone());
        let busy: BTreeSet<usize> = open.map(|file| file.source).collect();
        let Some((key, len, number)) = self.wanted(&busy) else { return false };
        let max_record = self.settings.sources.get(key.0).map_or(0, |it| it.max_record);
        let line = max_record.max(self.settings.chunk);
        // One is always to be had; it waits for no more than a chunk would.
        let permit = match busy.is_empty() {
            true => Some(self.budget.overdraw(Inflated::resident(line))),
            false => self.budget.try_take(Inflated::resident(line)),
        };
        let Some(permit) = permit else { return false };
        self.archives.wanting = true;
        let Some(mut open) = self.open_archive(key) else { return true };
        let Handle::Plain(file) = open.file else { return true };
        let inflated = Inflated::new(file, len, line, permit);
        open.file = Handle::Gzip(Box::new(RefCell::new(inflated)));
        match number {
            Some(number) => self.begin_opening(key, number, len, open),
            None => self.begin_archive(key, len, open),
        }
        true
    }

    /// Which one to open: the one of the smallest number, the new ones last, oldest first.
    fn wanted(&self, busy: &BTreeSet<usize>) -> Option<(Key, u64, Option<u32>)> {
        let archives = &self.archives;
        let mut by_number: BTreeMap<u32, Vec<(Key, u64)>> = BTreeMap::new();
        let free = |(source, _): &Key| !busy.contains(source);
        for (key, archive) in archives.seen.iter().filter(|(key, _)| free(key)) {
            if let Verdict::Of(number, len) = archive.verdict {
                by_number.entry(number).or_default().push((*key, len));
            }
        }
        let of = |number: u32, path: &str| -> Vec<(Key, u64)> {
            let wanted = |key: &Key| {
                let at = archives.seen.get(key).map(|archive| &archive.path);
                at.is_some_and(|at| self.is_wanted(key.0, Path::new(path), at))
            };
            let all = by_number.get(&number).into_iter().flatten().copied();
            all.filter(|(key, _)| wanted(key)).collect()
        };
        let dormant = self.dormant.iter().filter_map(|entry| {
            let was = DiskId { dev: entry.dev, inode: entry.inode };
            let best = of(entry.number, &entry.path).into_iter().max_by_key(|(key, len)| {
                self.likeness(*key, (&entry.path, *len), entry.size, was)
            })?;
            // What has its inode may be a compressed file by now, or one that nobody lets us read.
            let compressed = |id| archives.seen.get(&(best.0.0, id));
            let other = |it: &Lain| {
                let known = self.by_disk.get(&(best.0.0, it.id));
                known.is_some_and(|known| known.0 != entry.number)
                    || compressed(it.id).is_some_and(|it| it.verdict != Verdict::Plain)
                    || it.is_denied()
            };
            // Its original may be there, and wait to be opened.
            let inode = HashSet::from([entry.inode]);
            let lies = || entry.dirs().any(|dir| Lying::list(dir, &inode).holds(entry, dir, other));
            let gone = entry.gone || !lies();
            gone.then_some((entry.number, best))
        });
        let finished = archives.tombstones.iter().filter_map(|it| {
            let read = |key: &Key| {
                archives.seen.get(key).is_some_and(|archive| archive.id(key.1) == it.archive)
            };
            let more = of(it.number, &it.path).into_iter();
            let more = more.filter(|(key, len)| it.tail.end < *len && !read(key));
            let was = DiskId { dev: 0, inode: 0 };
            let best =
                more.max_by_key(|(key, len)| self.likeness(*key, (&it.path, *len), it.size, was))?;
            Some((it.number, best))
        });
        if let Some((number, (key, len))) = dormant.chain(finished).min_by_key(|it| it.0) {
            return Some((key, len, Some(number)));
        }
        let new = archives.seen.iter().filter_map(|(key, archive)| match archive.verdict {
            Verdict::New(len) if free(key) => Some((archive.state.1, *key, len)),
            _ => None,
        });
        new.min_by_key(|(changed, ..)| *changed).map(|(_, key, len)| (key, len, None))
    }

    /// Of several compressed files that could be a File of this path and size, how likely one is: the
    /// one that was being read first, then the one of its length, then of its name; then the one changed
    /// longest ago, so that it is the same one each time.
    fn likeness(
        &self,
        key: Key,
        (path, len): (&str, u64),
        size: u64,
        was: DiskId,
    ) -> impl Ord + use<> {
        let archive = self.archives.seen.get(&key);
        let kin = archive.is_some_and(|it| is_kin(Path::new(path), &it.path));
        let changed = archive.map(|it| (it.state.1, key.1.inode));
        (key.1 == was, len == size, kin, Reverse(changed))
    }

    /// Begins a new File.
    fn begin_archive(&mut self, key: Key, len: u64, open: OpenFile) {
        let Some(path) = self.archives.seen.get(&key).map(|it| Arc::clone(&it.path)) else {
            return;
        };
        if self.files.len() >= self.settings.max_known
            || self.begin_fresh(key.0, open, &path, &path, 0).is_err()
        {
            // Tried again after the next look.
            self.archives.wanting = false;
            return;
        }
        if let Some((FileNumber(number), _)) = self.files.last_key_value() {
            let verdict = Verdict::Of(*number, len);
            self.archives.judge(key, verdict, self.now);
        }
    }

    /// Begins to go on with a File that is known.
    fn begin_opening(&mut self, key: Key, number: u32, len: u64, open: OpenFile) {
        let Some(mut entry) = self.entry_of(key, number, len) else { return };
        let Some(source) = self.settings.sources.get(key.0) else { return };
        let mut offset = len;
        for name in source.to.iter().filter_map(|index| self.settings.destinations.get(*index)) {
            let known = entry.marks.iter().find(|mark| mark.to == *name).map(|mark| mark.safe);
            let safe = known.unwrap_or_else(|| {
                // A destination that is new here begins as a source would.
                let safe = if source.start_at_end { len } else { 0 };
                entry.marks.push(MarkEntry::new(name, &Mark { safe, ..Mark::default() }));
                safe
            });
            offset = offset.min(safe);
        }
        if offset >= len {
            // Nothing of it was left, or nothing that is not damaged.
            self.take_entry(number);
            self.give_up(&entry, "compressed");
            self.no_longer_awaited(number);
            self.find_missing(number, 0);
            let id = self.archives.seen.get(&key).map_or(0, |archive| archive.id(key.1));
            self.archives.tombstones.mark(number, id);
            return;
        }
        open.file.release(entry.tail.end.min(offset));
        self.archives.opening = Some(Opening { key, entry, open, offset, verified: false });
    }

    /// What is known of a File, as the checkpoint has it.
    fn entry_of(&self, key: Key, number: u32, len: u64) -> Option<FileEntry> {
        if let Some(entry) = self.dormant.iter().find(|entry| entry.number == number) {
            return Some(entry.clone());
        }
        let tombstone = self.archives.tombstones.get(number)?;
        let resume = tombstone.resume.as_deref().cloned().unwrap_or_default();
        let mark = Mark { safe: tombstone.tail.end, resume };
        let names = self.destinations_of(&tombstone.source);
        Some(FileEntry {
            number,
            source: tombstone.source.to_string(),
            path: tombstone.path.to_string(),
            at: None,
            real: None,
            dev: key.1.dev,
            dir_dev: None,
            inode: key.1.inode,
            born: None,
            size: len,
            fingerprint: tombstone.fingerprint,
            tail: tombstone.tail,
            middle: tombstone.middle,
            marks: names.map(|to| MarkEntry::new(to, &mark)).collect(),
            gone: false,
        })
    }

    /// Forgets what is known of a File that is not read: it is now, or never will be.
    fn take_entry(&mut self, number: u32) {
        self.dormant.retain(|entry| entry.number != number);
        self.files.change([FileNumber(number)]);
        self.archives.tombstones.take(number);
        self.numbers.dirty = true;
    }

    /// Decompresses one further towards its offset; goes on reading once it is there.
    pub(super) fn go_on_opening(&mut self) {
        let Some(mut opening) = self.archives.opening.take() else { return };
        let handle = &opening.open.file;
        handle.allow_a_step();
        let reached = if opening.verified {
            TailHash::read(handle, opening.offset).map(|_| true)
        } else {
            opening.entry.tail.fits(handle)
        };
        match reached {
            Ok(true) if opening.verified => self.resume_archive(opening),
            Ok(true) => {
                opening.verified = true;
                handle.release(opening.offset);
                self.archives.opening = Some(opening);
            }
            Ok(false) => {
                // Another one after all: its bytes stay with whoever they are of.
                if !self.archives.doubt(opening.key) {
                    self.archives.judge(opening.key, Verdict::Nobodys, self.now);
                }
                self.archives.wanting = true;
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                self.archives.opening = Some(opening);
            }
            Err(_) => {
                count(&self.stats.read_errors, 1);
                self.archives.judge(opening.key, Verdict::Refused, self.now);
            }
        }
    }

    fn resume_archive(&mut self, opening: Opening) {
        let Opening { key, entry, open, offset, .. } = opening;
        let Some(archive) = self.archives.seen.get(&key) else { return };
        let (path, verdict) = (Arc::clone(&archive.path), archive.verdict);
        let number = entry.number;
        self.take_entry(number);
        if let Verdict::Of(_, len) = verdict {
            self.find_missing(number, len.saturating_sub(offset));
        }
        if self.resume(key.0, entry.clone(), open, &path, false).is_err() {
            self.dormant.push(entry);
            self.archives.judge(key, Verdict::Fresh, self.now);
        }
        // Its lineage goes on with it, and does not end before.
        self.no_longer_awaited(number);
    }
}
