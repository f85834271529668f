//! What others tell the tail thread: hints from the kernel's events, and the agent's commands.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Instant;

use tokio::sync::oneshot;

use super::LeftBehind;

/// Paths held at most; beyond it, everything is looked at instead.
const MAX_HINTS: usize = 4096;

/// Shared by the tail thread, the watcher's thread and the handle. Every post wakes the tail thread.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    posted: Mutex<Posted>,
    /// Set once by the tail thread itself.
    reader: OnceLock<Thread>,
}

/// What was posted since the last look.
#[derive(Debug, Default)]
pub(super) struct Posted {
    /// Files whose bytes may have changed.
    pub(super) changed: HashSet<PathBuf>,
    /// Paths that appeared, went, or changed their name.
    pub(super) moved: HashSet<PathBuf>,
    /// Directories that were removed: with them went their watches.
    pub(super) removed_dirs: HashSet<PathBuf>,
    /// Renamings, in order: from, to.
    pub(super) renamed: Vec<(PathBuf, PathBuf)>,
    /// Whether hints were lost: look at everything.
    pub(super) overflowed: bool,
    /// Whether the watcher is no good any more, and why.
    pub(super) failed: Option<String>,
    /// The agent wants the directories looked at.
    pub(super) look: bool,
    /// The agent wants nothing more read: another tail of this process is to go on.
    pub(super) stop: bool,
    /// The agent wants everything read to its end.
    pub(super) drain: Option<Drain>,
    /// The agent is done.
    pub(super) finish: bool,
}

/// An order to read everything to its end as of now.
#[derive(Debug)]
pub(super) struct Drain {
    /// When to give up.
    pub(super) deadline: Instant,
    /// Told what stayed behind.
    pub(super) done: oneshot::Sender<LeftBehind>,
}

impl Inbox {
    /// Names the thread that posts wake.
    pub(super) fn read_by(&self, thread: Thread) {
        let _ = self.reader.set(thread);
    }

    /// Changes what is posted and wakes the reader.
    pub(super) fn post(&self, change: impl FnOnce(&mut Posted)) {
        let mut posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut posted);
        drop(posted);
        if let Some(thread) = self.reader.get() {
            thread.unpark();
        }
    }

    /// Whether there are hints about written bytes and nothing more urgent.
    pub(super) fn only_writes(&self) -> bool {
        let posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
        let told = posted.drain.is_some() || posted.stop || posted.finish;
        let urgent = !posted.moved.is_empty() || told;
        !posted.changed.is_empty() && !urgent
    }

    /// Takes everything.
    pub(super) fn take(&self) -> Posted {
        std::mem::take(&mut *self.posted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Posted {
    /// Takes over the hints that were posted to another, of which there are none here so far. Commands
    /// were for that one.
    pub(super) fn inherit(&mut self, hints: Self) {
        let Self { look, stop, drain, finish, .. } = std::mem::take(self);
        *self = Self { look, stop, drain, finish, ..hints };
    }

    /// A file's bytes may have changed.
    pub(super) fn change(&mut self, path: PathBuf) {
        if self.changed.len() < MAX_HINTS {
            self.changed.insert(path);
        } else if !self.changed.contains(&path) {
            self.overflowed = true;
        }
    }

    /// A file got another name. Beyond the bound it is found only if that fits, or if it was seen
    /// before: as when the kernel has lost the hint.
    pub(super) fn follow(&mut self, from: PathBuf, to: PathBuf) {
        if self.renamed.len() < MAX_HINTS {
            self.renamed.push((from, to));
        } else {
            self.overflowed = true;
        }
    }

    /// A directory was removed.
    pub(super) fn remove_dir(&mut self, dir: PathBuf) {
        if self.removed_dirs.len() < MAX_HINTS {
            self.removed_dirs.insert(dir.clone());
        } else {
            self.overflowed = true;
        }
        self.rename(dir);
    }

    /// A name appeared, went or changed.
    pub(super) fn rename(&mut self, path: PathBuf) {
        if self.moved.len() < MAX_HINTS {
            self.moved.insert(path);
        } else if !self.moved.contains(&path) {
            self.overflowed = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_bounded_and_overflow_into_a_look_at_everything() {
        let inbox = Inbox::default();
        for n in 0..MAX_HINTS {
            inbox.post(|posted| posted.change(PathBuf::from(format!("/{n}"))));
        }
        inbox.post(|posted| posted.change(PathBuf::from("/0")));
        let posted = inbox.take();
        assert_eq!((posted.changed.len(), posted.overflowed), (MAX_HINTS, false));
        for n in 0..=MAX_HINTS {
            inbox.post(|posted| posted.rename(PathBuf::from(format!("/{n}"))));
        }
        let posted = inbox.take();
        assert_eq!((posted.moved.len(), posted.overflowed), (MAX_HINTS, true));
        for n in 0..=MAX_HINTS {
            let [from, to] = ["from", "to"].map(|name| PathBuf::from(format!("/{name}{n}")));
            inbox.post(|posted| posted.follow(from, to));
        }
        let posted = inbox.take();
        assert_eq!((posted.renamed.len(), posted.overflowed), (MAX_HINTS, true));
    }
}
