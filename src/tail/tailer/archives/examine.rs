//! Looks through one compressed file after the other, and says what each is.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use pillion_parsers::frame::FileNumber;

use super::{Key, PATIENCE, Verdict};
use crate::checkpoint::snapshot::{Prefix, TailHash};
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
        let candidates = self.candidates(key, &exam);
        let Some(archive) = self.archives.seen.get(&key) else { return };
        if let Some((number, len)) = self.plainly(key, &exam, &candidates) {
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

    /// A File that was known to its end, is alike in its middle, and has the very length that the compressed
    /// one says it has and the name that rotation gives it, is it. There are many of these, and each would cost as much as
    /// its reading did.
    fn plainly(
        &self,
        key: Key,
        exam: &Examination,
        candidates: &[Candidate],
    ) -> Option<(u32, u64)> {
        let archive = self.archives.seen.get(&key).filter(|archive| !archive.doubted)?;
        let said = archive.said;
        let found = candidates.iter().filter(|it| {
            let live = self.files.get(&FileNumber(it.number)).is_some_and(|file| !file.gone());
            let finished = !live && !self.dormant.iter().any(|entry| entry.number == it.number);
            finished
                && it.kin
                && it.fingerprint.len == Prefix::MAX
                && exam.fits_middle(it.tail.end, it.middle, true)
                && it.size & u64::from(u32::MAX) == u64::from(said)
                && !it.claimed
        });
        let mut found = found.map(|it| (it.number, it.size));
        // Of several that are so much alike, looking through tells.
        found.next().filter(|_| found.next().is_none())
    }

    /// The known Files of a source that begin like it.
    fn candidates(&self, key: Key, exam: &Examination) -> Vec<Candidate> {
        let (Some(archive), Some(source)) =
            (self.archives.seen.get(&key), self.settings.sources.get(key.0))
        else {
            return Vec::new();
        };
        let mut hashes: HashMap<u16, Option<Prefix>> = HashMap::new();
        let mut begins = |as_read: Prefix| {
            let hash = |len: &u16| exam.head().get(..usize::from(*len)).map(Prefix::of);
            let found = hashes.entry(as_read.len).or_insert_with_key(hash);
            as_read.len > 0 && *found == Some(as_read)
        };
        // Of each: its number, path, first bytes, tail and middle, how far it was read, its size, whether it is over.
        let candidate =
            |number: u32, path: &Path, (fingerprint, tail, middle), read, size, over| Candidate {
                number,
                fingerprint,
                tail,
                middle,
                read,
                size,
                kin: is_kin(path, &archive.path),
                claimed: self.archives.hold(key.0, number),
                over,
            };
        let mut candidates = Vec::new();
        for entry in self.dormant.iter().filter(|entry| entry.source == source.name) {
            if begins(entry.fingerprint) {
                let read = entry.marks.iter().map(|mark| mark.safe).max().unwrap_or(0);
                let (path, known) =
                    (Path::new(&entry.path), (entry.fingerprint, entry.tail, entry.middle));
                candidates.push(candidate(entry.number, path, known, read, entry.size, false));
            }
        }
        for (FileNumber(number), file) in self.files.iter().filter(|(_, it)| it.source == key.0) {
            let fingerprint = match &file.reader.file {
                Some(handle) if file.leaving() && file.reader.prefix.len < Prefix::MAX => {
                    Prefix::read(handle, u64::from(Prefix::MAX)).unwrap_or(file.reader.prefix)
                }
                _ => file.reader.prefix,
            };
            if begins(fingerprint) {
                let tail = file.reader.tail();
                let known = (fingerprint, tail, file.reader.middle());
                let size = file.reader.size.max(tail.end);
                candidates.push(candidate(*number, &file.path, known, tail.end, size, false));
            }
        }
        for it in self.archives.tombstones.iter().filter(|it| *it.source == source.name) {
            if begins(it.fingerprint) {
                let (known, over) = ((it.fingerprint, it.tail, it.middle), it.tail.end >= it.size);
                let path = Path::new(&*it.path);
                candidates.push(candidate(it.number, path, known, it.tail.end, it.size, over));
            }
        }
        // Short Files are alike: each is taken for one compressed file only, if its name says nothing.
        candidates.retain(|it: &Candidate| {
            exam.fits_middle(it.tail.end, it.middle, false)
                && (it.kin || it.is_strong() || !it.claimed)
        });
        candidates
    }

    /// Says what one is that was looked through.
    fn decide(&mut self, key: Key, exam: &Examination, end: End) {
        let len = exam.len();
        let Some(archive) = self.archives.seen.get(&key) else { return };
        let fits = archive.fits;
        // Nobody writes the rest any more of one that has rested for so long: it is as good as damaged.
        let (fits, end) = match end {
            End::Early if !archive.rests(self.now, PATIENCE) => {
                return self.dismiss(key, Verdict::Early);
            }
            End::Early => (false, End::Damaged),
            end => (fits, end),
        };
        match exam.best(end).map(|it| it.number).or_else(|| self.copied(exam, end)) {
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
                    // How much it held, its own last bytes say: anybody's word.
                    self.lose_damaged(key, len, 0);
                }
                self.archives.judge(key, Verdict::New(len), self.now);
                self.archives.wanting = true;
            }
        }
    }

    /// The File whose beginning it is a copy of: one that is open and written on, or was truncated.
    fn copied(&self, exam: &Examination, end: End) -> Option<u32> {
        let is_copy = |number: u32| {
            let handle = self.files.get(&FileNumber(number))?.reader.file.as_ref()?;
            let tail = (!handle.is_gzip()).then(|| TailHash::read(handle, exam.len()))?;
            tail.ok().filter(|tail| *tail == exam.tail())
        };
        let open = exam.longer().map(|it| it.number).find(|number| is_copy(*number).is_some());
        let known =
            |number: &u32| self.files.get(&FileNumber(*number)).is_some_and(|it| !it.gone());
        let gone = || exam.copied_from().filter(|number| end == End::Whole && !known(number));
        open.or_else(gone)
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
            middle: exam.middle(exam.len()),
            when: self.steady_seconds(),
            archive: archive.id(key.1),
            hoped_for: false,
            resume: None,
        });
        self.becomes(key, number, exam.len());
    }

    /// What comes after `len` of a File that is nowhere else is lost.
    fn damaged(&mut self, key: Key, number: u32, len: u64) {
        let Some(index) = self.dormant.iter().position(|entry| entry.number == number) else {
            return;
        };
        let entry = self.dormant.get(index);
        let unsettled =
            entry.map_or(0, |entry| entry.unsettled(self.destinations_of(&entry.source)));
        let Some(entry) = self.dormant.get_mut(index) else { return };
        let lost = unsettled.min(entry.size.saturating_sub(len));
        entry.size -= lost;
        self.files.change([FileNumber(number)]);
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
