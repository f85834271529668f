//! Looks through one compressed file after the other, and says what each is.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use pillion_parsers::frame::FileNumber;

use super::{Key, PATIENCE, Verdict};
use crate::checkpoint::snapshot::{FileEntry, Prefix, TailHash};
use crate::checkpoint::tombstone::Tombstone;
use crate::tail::archive::{Candidate, EXAMINATION, Examination, Progress, is_kin, said_length};
use crate::tail::handle::Handle;
use crate::tail::inflate::End;
use crate::tail::open::Refusal;
use crate::tail::stats::count;
use crate::tail::tailer::Tailer;

impl Tailer {
    /// Takes one step of looking through.
    pub(super) fn examine(&mut self) {
        let Some((key, mut exam)) = self.archives.examination.take().or_else(|| self.begin_exam())
        else {
            return;
        };
        match exam.step() {
            Ok(Progress::More) => self.archives.examination = Some((key, exam)),
            Ok(Progress::Head) => self.compare(key, exam),
            Ok(Progress::Ended(end)) => self.decide(key, &exam, end),
            Err(error) => {
                count(&self.stats.read_errors, 1);
                if let Some(path) = self.archives.seen.get(&key).map(|it| Arc::clone(&it.path)) {
                    self.refuse(&path, &Refusal::Other(error));
                }
                self.archives.judge(key, Verdict::Refused, self.now);
            }
        }
    }

    /// Begins with the next one, if it can be told only by looking through it.
    fn begin_exam(&mut self) -> Option<(Key, Examination)> {
        let key = self.archives.due.pop_front()?;
        if self.archives.seen.get(&key)?.verdict != Verdict::Due {
            return None;
        }
        let open = self.open_archive(key)?;
        let Handle::Plain(file) = open.file else { return None };
        if let Some(said) = said_length(&file).ok().flatten() {
            let archive = self.archives.seen.get_mut(&key)?;
            archive.said = said;
        }
        Some((key, Examination::new(file, self.budget.overdraw(EXAMINATION))))
    }

    /// Names the Files that begin as it does. If there are none, and it is not asked for by itself, that
    /// is all there is to know of it.
    fn compare(&mut self, key: Key, mut exam: Examination) {
        let candidates = self.candidates(key, exam.head());
        let Some(archive) = self.archives.seen.get(&key) else { return };
        if let Some((number, len)) = self.plainly(key, &candidates) {
            return self.becomes(key, number, len);
        }
        let source = self.settings.sources.get(key.0);
        let max_age = source.and_then(|source| source.ignore_older);
        let old = max_age.is_some_and(|age| {
            archive.age(self.now) > i64::try_from(age.as_secs()).unwrap_or(i64::MAX)
        });
        if candidates.is_empty() && (!archive.fits || old) {
            return self.dismiss(key, Verdict::Nobodys);
        }
        exam.compare_with(candidates);
        self.archives.examination = Some((key, exam));
    }

    /// A File that was known to its end, with the very length that the compressed one says it has and
    /// the name that rotation gives it, is it. There are many of these, and each would cost as much as
    /// its reading did.
    fn plainly(&self, key: Key, candidates: &[Candidate]) -> Option<(u32, u64)> {
        let said = self.archives.seen.get(&key)?.said;
        let found = candidates.iter().filter(|it| {
            let finished = !self.dormant.iter().any(|entry| entry.number == it.number);
            finished
                && it.kin
                && it.fingerprint.len == Prefix::MAX
                && it.size & u64::from(u32::MAX) == u64::from(said)
                && !it.claimed
        });
        let mut found = found.map(|it| (it.number, it.size));
        // Of several that are so much alike, looking through tells.
        found.next().filter(|_| found.next().is_none())
    }

    /// The known Files of a source that begin like these bytes.
    fn candidates(&self, key: Key, head: &[u8]) -> Vec<Candidate> {
        let (Some(archive), Some(source)) =
            (self.archives.seen.get(&key), self.settings.sources.get(key.0))
        else {
            return Vec::new();
        };
        let mut hashes: HashMap<u16, Option<Prefix>> = HashMap::new();
        let mut begins = |as_read: Prefix| {
            let hash = |len: &u16| head.get(..usize::from(*len)).map(Prefix::of);
            let found = hashes.entry(as_read.len).or_insert_with_key(hash);
            as_read.len > 0 && *found == Some(as_read)
        };
        let mut candidates = Vec::new();
        for entry in self.dormant.iter().filter(|entry| entry.source == source.name) {
            if begins(entry.fingerprint) {
                let claimed = self.archives.hold(key.0, entry.number);
                candidates.push(dormant(entry, &archive.path, claimed));
            }
        }
        for (number, file) in self.files.iter().filter(|(_, file)| file.source == key.0) {
            let fingerprint = match &file.reader.file {
                Some(handle) if file.leaving() && file.reader.prefix.len < Prefix::MAX => {
                    Prefix::read(handle, u64::from(Prefix::MAX)).unwrap_or(file.reader.prefix)
                }
                _ => file.reader.prefix,
            };
            if begins(fingerprint) {
                let (tail, FileNumber(number)) = (file.reader.tail(), *number);
                let size = file.reader.size.max(tail.end);
                let kin = is_kin(&file.path, &archive.path);
                let claimed = self.archives.hold(key.0, number);
                let read = tail.end;
                candidates.push(Candidate { number, fingerprint, tail, read, size, kin, claimed });
            }
        }
        for tombstone in self.archives.tombstones.iter() {
            if *tombstone.source == source.name && begins(tombstone.fingerprint) {
                let Tombstone { number, fingerprint, size, tail, .. } = *tombstone;
                let kin = is_kin(Path::new(&*tombstone.path), &archive.path);
                let claimed = self.archives.hold(key.0, number);
                let read = tail.end;
                candidates.push(Candidate { number, fingerprint, tail, read, size, kin, claimed });
            }
        }
        // Short Files are alike: each is taken for one compressed file only, if its name says nothing.
        candidates.retain(|it: &Candidate| it.kin || it.is_strong() || !it.claimed);
        candidates
    }

    /// Says what one is that was looked through.
    fn decide(&mut self, key: Key, exam: &Examination, end: End) {
        let len = exam.len();
        let Some(archive) = self.archives.seen.get(&key) else { return };
        let (fits, said) = (archive.fits, u64::from(archive.said));
        // Nobody writes the rest any more of one that has rested for so long: it is as good as damaged.
        let (fits, end) = match end {
            End::Early if !archive.rests(self.now, PATIENCE) => {
                return self.dismiss(key, Verdict::Early);
            }
            End::Early => (false, End::Damaged),
            end => (fits, end),
        };
        match exam.best(end).map(|it| it.number).or_else(|| self.copied(exam)) {
            Some(number) => {
                if end == End::Damaged {
                    self.damaged(key, number, len);
                }
                self.becomes(key, number, len);
            }
            None if !fits || len == 0 => self.dismiss(key, Verdict::Nobodys),
            None if self.begins_at_end(key) => self.begin_at_its_end(key, exam),
            None => {
                if end == End::Damaged {
                    self.lose_damaged(key, len, said.saturating_sub(len));
                }
                self.archives.judge(key, Verdict::New(len), self.now);
                self.archives.wanting = true;
            }
        }
    }

    /// The open File whose beginning it is a copy of, while that is written on.
    fn copied(&self, exam: &Examination) -> Option<u32> {
        let is_copy = |number: u32| {
            let handle = self.files.get(&FileNumber(number))?.reader.file.as_ref()?;
            let tail = (!handle.is_gzip()).then(|| TailHash::read(handle, exam.len()))?;
            tail.ok().filter(|tail| *tail == exam.tail())
        };
        exam.longer().map(|it| it.number).find(|number| is_copy(*number).is_some())
    }

    /// It brings nothing, for now. After the last one, Files that were hoped for are given up.
    fn dismiss(&mut self, key: Key, verdict: Verdict) {
        self.archives.judge(key, verdict, self.now);
        if self.archives.due.is_empty() && !self.archives.awaited.is_empty() {
            self.look_due = self.now.instant;
        }
    }

    /// It is this File, or the beginning of it.
    fn becomes(&mut self, key: Key, number: u32, len: u64) {
        self.archives.judge(key, Verdict::Of(number, len), self.now);
        self.archives.wanting = true;
        let id = self.archives.seen.get(&key).map_or(0, |archive| archive.id(key.1));
        let finished = |it: &Tombstone| it.tail.end >= len;
        if self.archives.tombstones.get(number).is_some_and(finished) {
            self.numbers.dirty |= self.archives.tombstones.mark(number, id);
        }
    }

    /// Whether it was there when its source began, at the ends of its files.
    fn begins_at_end(&self, key: Key) -> bool {
        let at_end = self.settings.sources.get(key.0).is_some_and(|it| it.start_at_end);
        at_end && self.archives.seen.get(&key).is_some_and(|it| it.first)
    }

    /// A File of which nothing is read is remembered, so that it is not new after a restart.
    fn begin_at_its_end(&mut self, key: Key, exam: &Examination) {
        let (Some(source), Some(archive)) =
            (self.settings.sources.get(key.0), self.archives.seen.get(&key))
        else {
            return;
        };
        let Some(FileNumber(number)) = self.numbers.mint() else { return };
        self.archives.tombstones.push(Tombstone {
            number,
            source: Arc::from(source.name.as_str()),
            path: crate::tail::lineage::text(&archive.path),
            fingerprint: Prefix::of(exam.head()),
            size: exam.len(),
            tail: exam.tail(),
            when: self.now.wall / 1_000_000_000,
            archive: archive.id(key.1),
        });
        self.becomes(key, number, exam.len());
    }

    /// What comes after `len` of a File that is nowhere else is lost.
    fn damaged(&mut self, key: Key, number: u32, len: u64) {
        let to = self.settings.destinations.clone();
        let entry = self.dormant.iter_mut().find(|entry| entry.number == number);
        let Some(entry) = entry else { return };
        let unsettled = entry.unsettled(to.iter().map(String::as_str));
        let lost = unsettled.min(entry.size.saturating_sub(len));
        entry.size -= lost;
        if unsettled > 0 {
            self.lose_damaged(key, len, lost);
        }
    }

    fn lose_damaged(&self, key: Key, len: u64, lost: u64) {
        let Some(archive) = self.archives.seen.get(&key) else { return };
        self.stats.lost_damaged.fetch_add(lost, Ordering::Relaxed);
        tracing::warn!(
            path = ?archive.path, bytes = len, lost,
            "a compressed log file is damaged: so many bytes of it can be read, what follows is lost"
        );
    }
}

fn dormant(entry: &FileEntry, archive: &Path, claimed: bool) -> Candidate {
    Candidate {
        number: entry.number,
        fingerprint: entry.fingerprint,
        tail: entry.tail,
        read: entry.marks.iter().map(|mark| mark.safe).max().unwrap_or(0),
        size: entry.size,
        kin: is_kin(Path::new(&entry.path), archive),
        claimed,
    }
}
