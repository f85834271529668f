//! File numbers, and the checkpoint that makes them safe to use.
//!
//! Numbers are reserved ahead: a checkpoint names the first number that no run has used, beyond some
//! that this run still may use. So new Files can be read for a while even when the state directory's
//! disk is full: after a crash they are found anew under other numbers, which costs repeats, and no
//! number is ever used for two Files.
//!
//! A start may go on from either generation of the checkpoint, and with as much of a journal as it can
//! read. So a number is used once both generations have it reserved, and journals reserve nothing: where
//! all others are used up, the next save is a whole one. Whatever is damaged or cut short then, and be it
//! between two saves, where nobody can tell, nothing that was used is minted again; and a start leaves no
//! more numbers unused than the run before it used, or 512.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use pillion_parsers::frame::FileNumber;

use super::Tailer;
use crate::checkpoint::snapshot::{FileEntry, MarkEntry, Outline, Snapshot};
use crate::checkpoint::tracker::Tracker;
use crate::tail::Finished;
use crate::tail::identity::middle_of;
use crate::tail::lineage::TailedFile;
use crate::tail::settings::TailSettings;
use crate::tail::stats::{FileLag, count};

/// Numbers that a checkpoint reserves beyond those in use, at least.
const RESERVE: u32 = 512;
/// And at most.
const MOST: u32 = 1 << 16;
/// Numbers that should be left to be used while nothing can be saved.
const SPARE: u32 = 256;
/// Between attempts to save when saving fails.
const RETRY: Duration = Duration::from_secs(1);
/// Bytes of a File in a checkpoint, about.
const ENTRY: u64 = 500;
/// A save may take this share of the time, one part in so many.
const SHARE: u32 = 20;

/// What is known of numbers and saves.
#[derive(Debug)]
pub(super) struct Numbers {
    /// The first number that this run may use.
    first: u32,
    /// The next number.
    next: u32,
    /// Numbers below this may be used even if no save succeeds: both generations have them reserved.
    reserved: u32,
    /// The newest generation has numbers below this reserved.
    newest: u32,
    /// Whether a save is due at once: Files wait for it before they are read, a source began, or few
    /// numbers are left.
    pending: bool,
    /// Whether something else changed that is worth saving.
    pub(super) dirty: bool,
    /// No save before this.
    not_before: Instant,
    /// Since when saving fails.
    failing_since: Option<Instant>,
}

impl Numbers {
    pub(super) fn new(snapshot: &Snapshot, now: Instant) -> Self {
        let next = snapshot.next_file.max(1);
        // Nothing was ever saved under this instance: nothing saved can be contradicted.
        let fresh = snapshot == &Snapshot::default();
        let (reserved, newest) = if fresh { (next + SPARE, u32::MAX) } else { (next, next) };
        Self {
            first: next,
            next,
            reserved,
            newest,
            pending: false,
            dirty: false,
            not_before: now,
            failing_since: None,
        }
    }

    /// A new File's number. None when all are used up: four thousand million Files.
    pub(super) fn mint(&mut self) -> Option<FileNumber> {
        let number = FileNumber(self.next);
        self.next = self.next.checked_add(1)?;
        self.pending = true;
        Some(number)
    }

    /// A source is tailed for the first time: to be saved at once, before anything is read of it. That save
    /// is a whole one, since it is a tail's first.
    pub(super) fn begin_source(&mut self) {
        self.pending = true;
    }

    /// Whether a number may be used even if no save succeeds from now on.
    pub(super) fn is_reserved(&self, number: FileNumber) -> bool {
        number.0 < self.reserved
    }

    /// The next number that nobody has.
    pub(super) fn next(&self) -> u32 {
        self.next
    }

    /// Whether too few numbers may be used: a whole save has to reserve more.
    fn is_short(&self) -> bool {
        self.next.saturating_add(SPARE) > self.reserved
    }

    /// What a new generation reserves numbers below. The more a run uses, the more at once: however many
    /// that are, few whole saves do.
    fn ahead(&self) -> u32 {
        let used = self.next.saturating_sub(self.first);
        self.next.saturating_add(used.clamp(RESERVE, MOST))
    }

    /// A new generation has numbers below this reserved, and the newest one has become the one before.
    fn reserve(&mut self, below: u32) {
        self.reserved = self.newest.min(below);
        self.newest = below;
    }

    /// Whether a turn should save, for Files that wait, for a source or for numbers.
    pub(super) fn due(&self, now: Instant) -> bool {
        self.pending && (self.failing_since.is_none() || now >= self.not_before)
    }
}

impl Tailer {
    /// Saves if there are Files whose numbers are not in the checkpoint: one save for all of them.
    pub(super) fn save_new_files(&mut self) {
        if self.numbers.due(self.now.instant) {
            self.save();
        }
    }

    /// Saves if an offset moved, or what is known of the Files changed.
    pub(super) fn save_if_dirty(&mut self) {
        if self.now.instant < self.numbers.not_before {
            return;
        }
        if self.tracker.take_dirty() | self.numbers.dirty {
            self.numbers.dirty = true;
            self.save();
        }
    }

    /// The last save, and what stays unsettled.
    pub(super) fn finish(&mut self) -> Finished {
        self.drop_settled();
        if !self.handing_over {
            self.count_missing(true);
        }
        let unsettled = self
            .files
            .iter()
            .map(|(number, file)| {
                let size = file.end_now();
                size.saturating_sub(self.tracker.safe(*number).unwrap_or(size))
            })
            .chain(self.awaited_bytes())
            .fold(0, u64::saturating_add);
        Finished { unsettled, saved: self.save() }
    }

    fn save(&mut self) -> bool {
        let began = Instant::now();
        self.tracker.take_dirty();
        let now = self.steady_seconds();
        let there = self.archives.there();
        if !there.is_empty() {
            self.archives.tombstones.refresh(&there, now);
        }
        self.archives.tombstones.age(now);
        let saved = match self.write() {
            Ok(()) => {
                count(&self.stats.saves, 1);
                if self.numbers.failing_since.take().is_some() {
                    tracing::info!(dir = ?self.store.dir(), "the checkpoint can be saved again");
                }
                self.numbers.pending = self.numbers.is_short();
                self.numbers.dirty = false;
                self.numbers.not_before = self.now.instant + began.elapsed() * SHARE;
                true
            }
            Err(error) => {
                count(&self.stats.save_errors, 1);
                if self.numbers.failing_since.is_none() {
                    self.numbers.failing_since = Some(self.now.instant);
                    tracing::error!(
                        dir = ?self.store.dir(), %error,
                        "the checkpoint cannot be saved: shipping goes on, but after a crash what \
                         was shipped since will be shipped again"
                    );
                }
                self.numbers.dirty = true;
                self.numbers.not_before = self.now.instant + RETRY;
                false
            }
        };
        self.release();
        saved
    }

    /// Lets Files be read whose numbers may be used.
    fn release(&mut self) {
        let mut released = Vec::new();
        let numbers = &self.numbers;
        self.files.each_awake(|number, file| {
            if !file.saved && numbers.is_reserved(number) {
                file.saved = true;
                released.extend(file.lineage);
            }
        });
        for lineage in released {
            self.queue(lineage);
        }
    }

    /// Writes the checkpoint, or, of a large one, what changed since.
    fn write(&mut self) -> std::io::Result<()> {
        let moved = self.tracker.take_moved();
        self.files.change(moved);
        let few = self.files.changed().is_some_and(|changed| {
            let entries = changed.len() + self.archives.tombstones.changes();
            self.store.takes_changes(ENTRY.saturating_mul(entries as u64))
        });
        let few = few && !self.numbers.is_short();
        let written = if few { self.write_changes() } else { self.write_whole() };
        // After one that failed all is to be written: what changes until that succeeds is not kept.
        self.files.be_saved(written.is_ok());
        self.archives.tombstones.written();
        #[cfg(test)]
        if written.is_ok() {
            self.assert_saved();
        }
        written
    }

    fn write_whole(&mut self) -> std::io::Result<()> {
        let next_file = self.numbers.ahead();
        let (tracker, settings) = (&self.tracker, &self.settings);
        let known =
            self.files.describe(true, |number, file| entry(tracker, settings, number, file));
        let saved = self.store.save(&Outline {
            next_file,
            sources: &self.known_sources,
            files: RefCell::new(self.dormant.iter().cloned().chain(known)),
            tombstones: RefCell::new(self.archives.tombstones.iter()),
            forgotten: Vec::new(),
            unburied: Vec::new(),
        });
        match &saved {
            Ok(()) => self.numbers.reserve(next_file),
            // It may have become the newest one all the same.
            Err(_) => self.numbers.newest = self.numbers.newest.min(next_file),
        }
        saved
    }

    fn write_changes(&mut self) -> std::io::Result<()> {
        let (tracker, settings) = (&self.tracker, &self.settings);
        let changed = self.files.changed().into_iter().flatten();
        let mut forgotten: BTreeSet<u32> =
            changed.filter(|number| !self.files.contains_key(number)).map(|it| it.0).collect();
        // Those that were not found yet are few, or as they were saved.
        let dormant: Vec<&FileEntry> = match forgotten.is_empty() {
            true => Vec::new(),
            false => self.dormant.iter().filter(|it| forgotten.contains(&it.number)).collect(),
        };
        for entry in &dormant {
            forgotten.remove(&entry.number);
        }
        let known =
            self.files.describe(false, |number, file| entry(tracker, settings, number, file));
        self.store.save_changes(&Outline {
            next_file: self.numbers.newest,
            sources: &self.known_sources,
            files: RefCell::new(dormant.into_iter().cloned().chain(known)),
            tombstones: RefCell::new(self.archives.tombstones.changed()),
            forgotten: forgotten.into_iter().collect(),
            unburied: self.archives.tombstones.taken(),
        })
    }

    /// Something is to be read or to be settled. Whoever waits for the opposite sees it at once.
    pub(super) fn be_restless(&mut self) {
        self.restless = true;
        self.stats.busy.store(true, Ordering::Relaxed);
    }

    /// Shows gauges and lag, and finds out which Files are at rest.
    pub(super) fn show(&mut self) {
        let (mut lags, mut at_rest) = (Vec::new(), Vec::new());
        let mut busy = !self.ready.is_empty() || self.crowded > 0 || self.archives.busy();
        self.restless = !self.ready.is_empty() || self.numbers.dirty;
        for (number, file) in self.files.awake() {
            let lineage = file.lineage.and_then(|id| self.lineages.get(&id));
            let queued = lineage.is_some_and(|lineage| lineage.queued);
            let size = match () {
                () if file.gone() => file.reader.offset,
                () if queued => file.end_now(),
                () => file.reader.end(),
            };
            let safe = self.tracker.safe(number).unwrap_or(size);
            let unsettled = safe < file.reader.offset;
            self.restless |= unsettled || file.leaving();
            busy |= unsettled || !file.gone() && !file.spent && file.unread() > 0;
            // What cannot be read is not read to its end.
            busy |= file.failing.is_some() && !file.gone();
            if let Some(bytes) = size.checked_sub(safe).filter(|bytes| *bytes > 0) {
                let path = crate::tail::lineage::text(&file.path);
                lags.push(FileLag { source: file.source, path, bytes });
            } else if !(unsettled || queued || file.leaving() || file.gone())
                && file.saved
                && file.failing.is_none()
            {
                at_rest.push(number);
            }
        }
        let open = self.files.let_rest(&at_rest);
        self.count_pause(true);
        let gauge = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        self.stats.busy.store(busy, Ordering::Relaxed);
        self.stats.open_files.store(gauge(open), Ordering::Relaxed);
        self.stats.known_files.store(gauge(self.files.len()), Ordering::Relaxed);
        self.stats.lineages.store(gauge(self.lineages.len()), Ordering::Relaxed);
        self.stats.show_lag(lags);
    }
}

/// What a checkpoint says of a File.
pub(super) fn entry(
    tracker: &Tracker,
    settings: &TailSettings,
    number: FileNumber,
    file: &mut TailedFile,
) -> FileEntry {
    let marks = tracker.marks(number);
    let safe = marks.iter().flatten().map(|mark| mark.safe).min().unwrap_or(0);
    let marks = settings
        .destinations
        .iter()
        .zip(&marks)
        .filter_map(|(name, mark)| mark.as_ref().map(|mark| MarkEntry::new(name, mark)));
    let source = settings.sources.get(file.source);
    let tail = file.reader.tail_before(safe);
    // What was read since may have another place in its middle.
    let middle = match middle_of(tail.end) == middle_of(file.reader.offset) {
        true => file.reader.middle(),
        false => 0,
    };
    let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
    FileEntry {
        number: number.0,
        source: source.map_or_else(String::new, |source| source.name.clone()),
        path: text(&file.path),
        at: (file.at != file.path).then(|| text(&file.at)),
        real: (file.real != file.at).then(|| text(&file.real)),
        dev: file.id.dev,
        dir_dev: file.dir_dev,
        inode: file.id.inode,
        born: file.born,
        size: if file.gone() { file.reader.offset } else { file.reader.end() },
        fingerprint: file.fingerprint(),
        tail,
        middle,
        marks: marks.chain(file.absent.iter().cloned()).collect(),
        // One that was read to its end compressed is still there.
        gone: file.gone() && !file.archived,
    }
}
