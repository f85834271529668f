//! Goes on reading a File in its compressed rotation, from the offset it had.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use pillion_parsers::frame::FileNumber;

use super::{Key, Verdict};
use crate::checkpoint::snapshot::{FileEntry, MarkEntry, TailHash};
use crate::checkpoint::tombstone::Tombstone;
use crate::tail::handle::{Handle, Inflated};
use crate::tail::open::OpenFile;
use crate::tail::stats::count;
use crate::tail::tailer::Tailer;

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
        let mut by_number: BTreeMap<u32, (Key, u64)> = BTreeMap::new();
        let free = |(source, _): &Key| !busy.contains(source);
        for (key, archive) in archives.seen.iter().filter(|(key, _)| free(key)) {
            if let Verdict::Of(number, len) = archive.verdict {
                by_number.insert(number, (*key, len));
            }
        }
        let unread =
            |it: &&Tombstone| by_number.get(&it.number).is_some_and(|of| it.tail.end < of.1);
        let dormant = self.dormant.iter().map(|entry| (entry.number, entry.path.as_str()));
        let finished = archives.tombstones.iter().filter(unread).map(|it| (it.number, &*it.path));
        let found = |(number, path): (u32, &str)| {
            let (key, len) = by_number.get(&number)?;
            let at = &archives.seen.get(key)?.path;
            self.is_wanted(key.0, Path::new(path), at).then_some((number, *key, *len))
        };
        let known = dormant.chain(finished).filter_map(found).min_by_key(|(number, ..)| *number);
        if let Some((number, key, len)) = known {
            return Some((key, len, Some(number)));
        }
        let new = archives.seen.iter().filter_map(|(key, archive)| match archive.verdict {
            Verdict::New(len) if free(key) => Some((archive.state.1, *key, len)),
            _ => None,
        });
        new.min_by_key(|(changed, ..)| *changed).map(|(_, key, len)| (key, len, None))
    }

    /// Begins a new File.
    fn begin_archive(&mut self, key: Key, len: u64, open: OpenFile) {
        let Some(path) = self.archives.seen.get(&key).map(|it| Arc::clone(&it.path)) else {
            return;
        };
        if self.files.len() >= self.settings.max_known
            || self.begin_fresh(key.0, open, &path, &path, false).is_err()
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
        let Some(entry) = self.entry_of(key, number, len) else { return };
        let to = self.settings.sources.get(key.0).map(|it| it.to.as_slice()).unwrap_or_default();
        let names = to.iter().filter_map(|index| self.settings.destinations.get(*index));
        let safe = |name: &String| {
            entry.marks.iter().find(|mark| mark.to == *name).map_or(0, |mark| mark.safe)
        };
        let offset = names.map(safe).min().unwrap_or(len);
        if offset >= len {
            // Nothing of it was left, or nothing that is not damaged.
            self.take_entry(number);
            self.give_up(&entry, "compressed");
            self.no_longer_awaited(number);
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
        let mark = |to: &String| MarkEntry {
            to: to.clone(),
            safe: tombstone.tail.end,
            parser: None,
            in_private_key: false,
            container: None,
        };
        Some(FileEntry {
            number,
            source: tombstone.source.to_string(),
            path: tombstone.path.to_string(),
            at: None,
            real: None,
            dev: key.1.dev,
            inode: key.1.inode,
            size: len,
            fingerprint: tombstone.fingerprint,
            tail: tombstone.tail,
            marks: self.settings.destinations.iter().map(mark).collect(),
            gone: false,
        })
    }

    /// Forgets what is known of a File that is not read: it is now, or never will be.
    fn take_entry(&mut self, number: u32) {
        self.dormant.retain(|entry| entry.number != number);
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
                self.archives.judge(opening.key, Verdict::Nobodys, self.now);
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
        let Opening { key, entry, open, .. } = opening;
        let Some(path) = self.archives.seen.get(&key).map(|it| Arc::clone(&it.path)) else {
            return;
        };
        self.take_entry(entry.number);
        self.no_longer_awaited(entry.number);
        if self.resume(key.0, entry.clone(), open, &path, false).is_err() {
            self.dormant.push(entry);
            self.archives.judge(key, Verdict::Fresh, self.now);
        }
    }
}
