//! How changes are learned of: by the kernel's events, or, where those are not to be had or do not
//! come, by looking again and again.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use pillion_parsers::frame::FileNumber;

use super::{HINTED_LOOK, MISSING_LOOK, POLL, SAFETY_LOOK, Tailer};
use crate::tail::discovery::Found;
use crate::tail::watcher::{Unwatchable, Watcher};

/// Growth in a directory that no hint announced, so many times in a row, means that hints about it do
/// not come.
const MAX_UNHINTED: u32 = 3;
/// A hint has come after this long, if it comes.
const HINT_DELAY: Duration = Duration::from_secs(2);
/// Between looks round while files wait for descriptors, and some got one: these are read by then.
const CROWDED_LOOK: Duration = Duration::from_millis(50);
/// While events come, a look round asks about each file it knows only every so many looks: one for so
/// many files.
const ASKED: usize = 7_000;
/// Between looks round while events come, for each file.
const SAFETY_PER_FILE: Duration = Duration::from_millis(1);
/// Directories under suspicion at most. One that grows without an event comes back to it.
const MAX_SUSPECTS: usize = 1024;
/// Until events are tried again that could not be had.
const TRY_AGAIN: Duration = Duration::from_secs(300);

/// What the tail looks by.
#[derive(Default)]
pub(super) struct Watching {
    /// None while polling.
    pub(super) watcher: Option<Watcher>,
    /// Between looks round while polling.
    poll: Duration,
    /// Between looks round while events come: they are trusted by and by.
    safety: Duration,
    /// Directories in which growth was found that no hint had announced: how often in a row, and
    /// when last.
    suspects: HashMap<PathBuf, (u32, Instant)>,
    /// When events are tried again; none if they would be no better.
    again: Option<Instant>,
    /// Looks round since one asked about each file.
    listed: usize,
    /// Whether the next one has to: not all was hinted at.
    ask: bool,
}

impl Watching {
    /// Directories under suspicion.
    #[cfg(test)]
    pub(super) fn suspects(&self) -> usize {
        self.suspects.len()
    }

    /// Looks round since one asked about each file.
    #[cfg(test)]
    pub(super) fn listed(&self) -> usize {
        self.listed
    }

    /// Has the next look round ask about each file.
    pub(super) fn ask_all(&mut self) {
        self.ask = true;
    }
}

impl Tailer {
    /// `earlier`: what an earlier tail watched with.
    pub(super) fn begin_watching(&mut self, earlier: Option<Watcher>) {
        self.watching.safety = SAFETY_LOOK.0;
        self.watching.poll = POLL.0;
        // An earlier tail may have polled.
        self.stats.polling.store(self.settings.polling, Ordering::Relaxed);
        if self.settings.polling {
            return;
        }
        if let Some(watcher) = earlier {
            watcher.post_to(&self.inbox);
            self.watching.watcher = Some(watcher);
            return;
        }
        match Watcher::new(Arc::clone(&self.inbox)) {
            Ok(watcher) => self.watching.watcher = Some(watcher),
            Err(trouble) => self.begin_polling(&trouble),
        }
    }

    pub(super) fn begin_polling(&mut self, trouble: &Unwatchable) {
        if !self.stats.polling.swap(true, Ordering::Relaxed) {
            let why = &trouble.why;
            tracing::warn!(why, "polling the log files, since events about them do not come");
        }
        let again = trouble.passing.then(|| self.now.instant + TRY_AGAIN);
        self.watching =
            Watching { poll: POLL.0, safety: SAFETY_LOOK.0, again, ..Watching::default() };
        self.look_due = self.now.instant;
    }

    /// Whether a look round has to ask about each file. While events tell of what is written, the name and
    /// the inode that a directory lists say enough of most that are known: of all but every now and then
    /// only where there are few. Not before events were found to be worth their trust, and not while
    /// something is amiss.
    pub(super) fn asks_all(&mut self) -> bool {
        let well = self.watching.watcher.is_some()
            && self.watching.suspects.is_empty()
            && self.watching.safety >= SAFETY_LOOK.1
            && !self.unsure
            && self.crowded == 0;
        let watching = &mut self.watching;
        watching.listed += 1;
        let asks = std::mem::take(&mut watching.ask)
            || !well
            || watching.listed * ASKED > self.files.len();
        if asks {
            watching.listed = 0;
        }
        asks
    }

    /// Has these directories watched. Whether some are that were not: what happened in them before
    /// that was hinted at by nobody.
    pub(super) fn watch(&mut self, dirs: &BTreeSet<PathBuf>) -> bool {
        self.try_events_again();
        self.watching.suspects.retain(|dir, _| dirs.contains(dir));
        let Some(watcher) = &mut self.watching.watcher else { return false };
        match watcher.watch(dirs) {
            Ok(added) => {
                self.watching.ask |= added;
                if self.stats.polling.swap(false, Ordering::Relaxed) {
                    tracing::info!("events about the log files come: no more polling");
                }
                added
            }
            Err(trouble) => {
                self.begin_polling(&trouble);
                false
            }
        }
    }

    fn try_events_again(&mut self) {
        if self.watching.again.is_some_and(|at| at <= self.now.instant) {
            self.watching.again = Some(self.now.instant + TRY_AGAIN);
            // Another watcher needs one more instance; what is wrong was said when polling began.
            self.watching.watcher = Watcher::new(Arc::clone(&self.inbox)).ok();
        }
    }

    /// How long until the next look round. `quiet`: the last one found nothing new.
    pub(super) fn until_look(&mut self, quiet: bool, missing: bool, added: bool) -> Duration {
        let crowded = self.gap(if self.admitted > 0 { CROWDED_LOOK } else { POLL.0 });
        let files = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        let longest = SAFETY_LOOK.1.max(SAFETY_PER_FILE.saturating_mul(files));
        let watching = &mut self.watching;
        watching.poll = if quiet { (watching.poll * 2).min(POLL.1) } else { POLL.0 };
        let safety = watching.safety;
        watching.safety = match watching.suspects.is_empty() {
            true => (safety * 2).min(longest),
            false => SAFETY_LOOK.0,
        };
        match watching.watcher {
            _ if added => HINTED_LOOK,
            _ if self.crowded > 0 => crowded,
            _ if self.unsure => POLL.0,
            None => watching.poll,
            Some(_) if missing => MISSING_LOOK,
            Some(_) => safety.min(watching.safety),
        }
    }

    /// A hint came about a File: they do come for its directory.
    pub(super) fn hinted(&mut self, number: FileNumber) {
        if self.watching.suspects.is_empty() {
            return;
        }
        let dir = self.files.get(&number).and_then(|file| file.real.parent());
        if let Some(dir) = dir {
            self.watching.suspects.remove(dir);
        }
    }

    /// A watched directory was removed; another may have its name, and even its inode.
    pub(super) fn unwatched(&mut self, dir: Option<&Path>) {
        if let Some(watcher) = &mut self.watching.watcher {
            watcher.doubt(dir);
        }
    }

    /// Notices growth of a File that should have been hinted at.
    pub(super) fn see_growth(&mut self, number: FileNumber, found: &Found) {
        let now = self.now.instant;
        let Some(file) = self.files.get(&number) else { return };
        let lineage = file.lineage.and_then(|id| self.lineages.get(&id));
        // While nothing is read, growth is not news.
        let unhinted = self.watching.watcher.is_some()
            && !self.handing_over
            && found.size > file.reader.size
            && file.reader.file.is_some()
            && file.saved
            && lineage.is_some_and(|lineage| !lineage.queued)
            // It is not looked at, whatever hints come.
            && !self.waits_for_older(number);
        let Some(dir) = file.real.parent().filter(|_| unhinted) else { return };
        // Written a moment ago, the hint is on its way, and clears the directory of suspicion.
        let (times, last) = self.watching.suspects.get(dir).copied().unwrap_or((0, now));
        if times > 0 && now.saturating_duration_since(last) < HINT_DELAY {
            return;
        }
        if times + 1 < MAX_UNHINTED {
            if times > 0 || self.watching.suspects.len() < MAX_SUSPECTS {
                self.watching.suspects.insert(dir.to_owned(), (times + 1, now));
            }
            return;
        }
        let why = format!("files grow in {dir:?}, and no event says so");
        self.begin_polling(&Unwatchable { why, passing: false });
    }
}
