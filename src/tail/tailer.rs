//! The tail without its thread: everything happens in [`Tailer::turn`], which never waits, so that
//! tests can drive it step by step with a clock of their own.
//!
//! One turn: hints and commands are taken in; the directories are looked at if that is due; Files
//! that are new get into the checkpoint; then every lineage that may have something to read gets one
//! chunk; once a second, Files that left are looked after and the checkpoint is saved.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use pillion_parsers::frame::FileNumber;

use super::identity::DiskId;
use super::inbox::{Inbox, Posted};
use super::lineage::Lineage;
use super::pattern::Patterns;
use super::settings::{TailSettings, TailSource};
use super::stats::{TailStats, count};
use super::{Finished, TailParts};
use crate::budget::Budget;
use crate::checkpoint::snapshot::FileEntry;
use crate::checkpoint::store::Store;
use crate::checkpoint::tracker::Tracker;
use crate::pipeline::chunk::{LineageId, Read};
use archives::Archives;
use draining::Draining;
use files::Files;
use hand_over::Inherited;
use saving::Numbers;

mod archives;
mod begin;
mod dormant;
mod draining;
mod files;
pub(super) mod hand_over;
mod head;
mod hints;
mod leave;
mod look_round;
mod missing;
mod pinned;
mod room;
mod rounds;
mod saving;
mod volumes;
mod watching;

/// Between looks round when events come, against what no event told: at first, and at most.
const SAFETY_LOOK: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(10));
/// Between looks round while a source's directory does not exist.
const MISSING_LOOK: Duration = Duration::from_secs(1);
/// Between looks round without events: after something changed, and at most.
const POLL: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(1));
/// Between two looks round that were asked for by hints, at least.
const HINTED_LOOK: Duration = Duration::from_millis(20);
/// Between saves, and between visits to Files that left.
const TICK: Duration = Duration::from_secs(1);
/// For how long it is remembered where a file went: hints come late, and until all have come, another
/// file may be where they say that it is.
const REMEMBER_RENAMED: Duration = Duration::from_secs(2);
/// Renamed files remembered at most.
const MAX_RENAMED: usize = 4096;
/// Until a full channel to a worker is tried again.
const FULL_CHANNEL: Duration = Duration::from_millis(2);
/// Bytes searched at once for the end of a long line.
const SEARCH: usize = 128 << 10;

/// The time, as told to a turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// For intervals.
    pub(super) instant: Instant,
    /// For records: nanoseconds since the Unix epoch.
    pub(super) wall: i64,
}

/// What to do after a turn.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Another turn at once: there is more to read.
    Again,
    /// Another turn after this long, or when woken.
    Wait(Duration),
    /// No more turns.
    Finished(Finished),
}

/// Where a file went that may never have been seen under its first name.
#[derive(Clone, Debug)]
struct Renamed {
    /// The path it had, which fits.
    from: PathBuf,
    /// Where it is, as far as hints have told.
    at: PathBuf,
    /// When one told last.
    told: Instant,
}

/// The tail.
pub(super) struct Tailer {
    settings: TailSettings,
    budget: Arc<Budget>,
    tracker: Arc<Tracker>,
    store: Store,
    stats: Arc<TailStats>,
    patterns: Arc<Vec<Patterns>>,
    /// Closed (empty) once a drain is over.
    workers: Vec<SyncSender<Read>>,
    /// Per worker, what did not fit its channel: at most one chunk, and news of Files. While there
    /// is something, nothing is read for that worker.
    outbox: Vec<VecDeque<Read>>,
    files: Files,
    lineages: BTreeMap<LineageId, Lineage>,
    next_lineage: u32,
    by_disk: HashMap<(usize, DiskId), FileNumber>,
    by_lineage: HashMap<(usize, Arc<Path>), LineageId>,
    /// The newest File of each path that was gone on with after the start.
    resumed: HashMap<(usize, Arc<Path>), FileNumber>,
    /// Where hints may point: the paths Files were last seen at. Made anew by a look round if some are
    /// elsewhere by now, or gone.
    by_path: HashMap<Arc<Path>, Vec<FileNumber>>,
    misplaced: bool,
    /// Entries of the checkpoint whose files were not found yet.
    dormant: Vec<FileEntry>,
    /// Open files of an earlier tail that could not be read yet, by File number.
    unadopted: HashMap<u32, hand_over::Kept>,
    /// What is missing of Files that went before they were read to their end, by their numbers.
    missing: HashMap<u32, missing::Missing>,
    /// Volumes that are waited for, and those there are.
    volumes: volumes::Volumes,
    /// Compressed files, and the finished Files that they may be.
    archives: Archives,
    /// Lineages that may have something to read, in the order of their turns.
    ready: VecDeque<LineageId>,
    /// Files that were renamed to a name that does not fit, maybe before they were looked at.
    renamed: Vec<Renamed>,
    /// Paths that were warned about, until they are well again.
    warned: HashSet<PathBuf>,
    watching: watching::Watching,
    inbox: Arc<Inbox>,
    known_sources: BTreeSet<String>,
    numbers: Numbers,
    looks: u64,
    /// The time when it began.
    began: Now,
    look_due: Instant,
    last_look: Instant,
    tick_due: Instant,
    /// Files open, or a few more than that: counted anew when it matters.
    opened: usize,
    /// Files opened since the last look round.
    admitted: u64,
    /// How many may be open, and until when, after the system gave no more.
    lowered: Option<(usize, Instant)>,
    /// Files that wait for another to be closed, as of the last look round.
    crowded: u64,
    /// The turn in which no room could be made.
    crowded_at: Option<Instant>,
    /// Whether a closed File was missed in the last look round: only when it is missed again it is
    /// gone.
    unsure: bool,
    /// The last look round in which all of a source's directories could be looked at.
    seen_whole: HashMap<usize, u64>,
    /// Whether something is in flight, or leaving: then ticks are needed.
    restless: bool,
    drain: Option<Draining>,
    /// Whether another tail of this process is to go on with what this one knows.
    handing_over: bool,
    paused_since: Option<Instant>,
    search: Vec<u8>,
    now: Now,
}

/// The globs of each source.
///
/// # Errors
///
/// A glob that cannot be compiled, with its source's name.
pub(super) fn compile(settings: &TailSettings) -> Result<Vec<Patterns>, String> {
    let named = |source: &TailSource| {
        Patterns::new(source).map_err(|error| format!("source {:?}: {error}", source.name))
    };
    settings.sources.iter().map(named).collect()
}

impl Tailer {
    /// A tailer that has not looked at anything yet. `patterns` are those of its settings, compiled.
    pub(super) fn new(
        parts: TailParts,
        patterns: Vec<Patterns>,
        inbox: Arc<Inbox>,
        now: Now,
    ) -> Self {
        let TailParts { settings, budget, tracker, store, snapshot, inherited, workers, stats } =
            parts;
        let Inherited { handles, numbers, warned, watcher, renamed, missing: known, hoped, missed } =
            inherited;
        let mut missing: HashMap<_, _> =
            missing::Missing::of(&snapshot.tombstones, now.instant).collect();
        // It knows since when.
        missing.extend(known);
        let is_start = numbers.is_none();
        let mut numbers = numbers.unwrap_or_else(|| Numbers::new(&snapshot, now.instant));
        let mut known_sources: BTreeSet<String> = snapshot.sources.into_iter().collect();
        if store.knew_more() {
            // Any of them may be one that was read: better from the beginning than not at all.
            known_sources.extend(settings.sources.iter().map(|source| source.name.clone()));
            numbers.dirty = true;
        }
        let mut tailer = Self {
            patterns: Arc::new(patterns),
            outbox: workers.iter().map(|_| VecDeque::new()).collect(),
            workers,
            files: Files::default(),
            lineages: BTreeMap::new(),
            next_lineage: 0,
            by_disk: HashMap::new(),
            by_lineage: HashMap::new(),
            resumed: HashMap::new(),
            by_path: HashMap::new(),
            misplaced: false,
            ready: VecDeque::new(),
            renamed,
            missing,
            warned,
            watching: watching::Watching::default(),
            inbox,
            numbers,
            known_sources,
            dormant: snapshot.files,
            unadopted: HashMap::new(),
            volumes: volumes::Volumes::new(missed),
            archives: Archives::new(snapshot.tombstones, now.wall / 1_000_000_000),
            looks: 0,
            look_due: now.instant,
            last_look: now.instant,
            began: now,
            tick_due: now.instant + TICK,
            opened: 0,
            admitted: 0,
            lowered: None,
            crowded: 0,
            crowded_at: None,
            unsure: false,
            seen_whole: HashMap::new(),
            restless: true,
            drain: None,
            handing_over: false,
            paused_since: None,
            search: vec![0; SEARCH],
            now,
            settings,
            budget,
            tracker,
            store,
            stats,
        };
        tailer.archives.hoped = hoped;
        tailer.begin_watching(watcher);
        if is_start {
            tailer.recognise_shared();
        }
        tailer.adopt(handles);
        tailer
    }

    /// Does what is due. Never waits.
    pub(super) fn turn(&mut self, posted: Posted, now: Now) -> Next {
        self.now = now;
        count(&self.stats.turns, 1);
        if posted.finish {
            if self.handing_over || posted.stop {
                // The next tail goes on from these hints, too.
                self.take_in(posted);
            }
            return Next::Finished(self.finish());
        }
        self.take_in(posted);
        // A hand-over may take seconds, in which files are made that are gone by its end.
        let looks = self.drain.is_none() || self.handing_over;
        if looks && now.instant >= self.look_due {
            self.look_round();
        }
        let looks_through = !self.handing_over && self.look_through_archives();
        self.save_new_files();
        let blocked = self.round();
        if blocked == rounds::Blocked::Budget {
            self.press();
        }
        if now.instant >= self.tick_due {
            self.tick();
        }
        let draining = self.drain_on();
        let until_look = self.look_due.saturating_duration_since(now.instant);
        let until_tick = self.tick_due.saturating_duration_since(now.instant);
        if looks_through || self.numbers.due(now.instant) || draining == Some(Duration::ZERO) {
            return Next::Again;
        }
        let mut wait = match blocked {
            rounds::Blocked::No if self.ready.is_empty() => Duration::MAX,
            rounds::Blocked::No => return Next::Again,
            // Budget that comes back wakes the thread.
            rounds::Blocked::Budget => TICK,
            rounds::Blocked::Channel => FULL_CHANNEL,
        };
        if looks {
            wait = wait.min(until_look);
        }
        if self.restless || !self.unadopted.is_empty() || self.drain.is_some() {
            wait = wait.min(until_tick);
        }
        Next::Wait(wait.min(draining.unwrap_or(wait)).min(SAFETY_LOOK.1))
    }

    /// Once a second.
    fn tick(&mut self) {
        self.tick_due = self.now.instant + TICK;
        let unadopted = std::mem::take(&mut self.unadopted);
        if !unadopted.is_empty() {
            self.adopt(unadopted);
        }
        self.visit_leaving();
        self.unpin();
        self.drop_settled();
        self.show();
        self.save_if_dirty();
    }

    /// Seconds since a time of change, which may have been told by a clock that was set since, or is
    /// told by one that will be: in doubt it was less long ago.
    fn age(&self, changed: i64) -> i64 {
        (self.now.wall / 1_000_000_000).min(self.steady_seconds()).saturating_sub(changed)
    }

    /// Seconds since the Unix epoch, by a clock that nobody has set since the tail began.
    fn steady_seconds(&self) -> i64 {
        let passed = self.now.instant.saturating_duration_since(self.began.instant).as_secs();
        let began = self.began.wall / 1_000_000_000;
        began.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }

    /// Between looks round, at least: a large directory is not listed at every file that comes or goes.
    fn gap(&self, least: Duration) -> Duration {
        let files = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        least.max(Duration::from_micros(20).saturating_mul(files))
    }

    /// Queues a lineage for its turn, unless nothing is read any more.
    fn queue(&mut self, id: LineageId) {
        if !self.handing_over
            && let Some(lineage) = self.lineages.get_mut(&id)
            && !lineage.queued
        {
            lineage.queued = true;
            self.ready.push_back(id);
        }
    }
}

#[cfg(test)]
mod tests;
