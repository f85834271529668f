//! From files to Chunks: one plain thread finds files, reads them and saves the checkpoint.
//!
//! ```text
//! notify ──hints──┐                       ┌─ SyncSender<Read> ─> worker 0
//! Budget ─unpark──┼─> Tailer::turn ──────>┼─ SyncSender<Read> ─> worker 1 …
//! commands ───────┘        │              └─ (one per worker, never waited for)
//!                          └── Store::save (every second, and before a new File's first byte)
//! ```
//!
//! A **File** is one generation of bytes, a **Lineage** a path and its rotations. The thread never
//! waits for a worker or a destination: without budget, or with a full channel, it parks. Hints from
//! the kernel are only hints: what counts is what a look at the directory and the file says, and a
//! slow look round happens even when no hint comes.
//!
//! A File may go on in a compressed file: it is found there by its bytes, and read through a handle that
//! decompresses, under its own number and offsets.
//!
//! What it counts: bytes and lines read are counted here, as chunks are handed over.

mod archive;
mod discovery;
mod handle;
mod identity;
mod inbox;
mod inflate;
mod lineage;
mod open;
pub mod own_log;
pub mod pattern;
mod reader;
pub mod settings;
pub mod stats;
mod tailer;
mod thread;
mod watcher;

use std::io::Error;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::budget::Budget;
use crate::checkpoint::snapshot::Snapshot;
use crate::checkpoint::store::Store;
use crate::checkpoint::tracker::Tracker;
use crate::pipeline::chunk::Read;
use inbox::{Drain, Inbox};
use pattern::Patterns;
use settings::TailSettings;
use stats::TailStats;
use tailer::Tailer;
pub use tailer::hand_over::{HandedOver, Inherited};

/// What a drain left unread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftBehind {
    /// Bytes that lie in files and were not handed to a worker.
    pub bytes: u64,
    /// Files with such bytes.
    pub files: usize,
}

/// What was still open when the tail ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// Bytes that lie in files and are not settled for every destination: unread, or in flight when
    /// the agent gave up. They are read again at the next start.
    pub unsettled: u64,
    /// Whether the last save succeeded.
    pub saved: bool,
}

/// What the tail thread works with.
#[derive(Debug)]
pub struct TailParts {
    /// What to tail, and how.
    pub settings: TailSettings,
    /// Bounds what is read.
    pub budget: Arc<Budget>,
    /// Where destinations settle. Knows no File yet: the tail tells it.
    pub tracker: Arc<Tracker>,
    /// The state directory; from here on only the tail writes its checkpoint.
    pub store: Store,
    /// What [`Store::open`] found, or what an earlier tail of this process handed over.
    pub snapshot: Snapshot,
    /// What else it handed over; nothing at the start of the process.
    pub inherited: Inherited,
    /// One per worker; lineage `n` goes to worker `n % workers.len()`. The chunks in a channel hold
    /// their shares of the budget, so its bound need not be small: at least 256, for a full channel
    /// is tried again only after two milliseconds, and many small files make many small chunks.
    pub workers: Vec<SyncSender<Read>>,
    /// Where it counts.
    pub stats: Arc<TailStats>,
}

/// A tail's thread that waits for its parts: what can fail has not.
#[derive(Debug)]
pub struct ReadyTail {
    inbox: Arc<Inbox>,
    patterns: Vec<Patterns>,
    /// Takes what the thread begins with; dropped, the thread ends.
    begin: SyncSender<(TailParts, Vec<Patterns>)>,
    thread: JoinHandle<Ended>,
}

/// What the thread ends with.
#[derive(Debug, Default)]
struct Ended {
    finished: Finished,
    /// For the next tail, if one is to go on.
    handed_over: Option<HandedOver>,
}

/// The running tail thread. Dropped without [`TailHandle::finish`], the thread saves and ends too,
/// but nobody waits for it.
#[derive(Debug)]
pub struct TailHandle {
    inbox: Arc<Inbox>,
    /// `None` once joined.
    thread: Option<JoinHandle<Ended>>,
}

impl ReadyTail {
    /// Does what can fail of starting a tail with these settings, and reads nothing.
    ///
    /// # Errors
    ///
    /// A glob that cannot be compiled, or a system that gives no thread.
    pub fn new(settings: &TailSettings) -> std::io::Result<Self> {
        let patterns = tailer::compile(settings).map_err(Error::other)?;
        let inbox = Arc::new(Inbox::default());
        let posted = Arc::clone(&inbox);
        let (begin, begun) = sync_channel::<(TailParts, Vec<Patterns>)>(1);
        let thread = Builder::new().name("tail".to_owned()).spawn(move || {
            posted.read_by(std::thread::current());
            let Ok((parts, patterns)) = begun.recv() else { return Ended::default() };
            parts.budget.wake(std::thread::current());
            let tailer = Tailer::new(parts, patterns, Arc::clone(&posted), thread::now());
            thread::run(tailer, &posted)
        })?;
        Ok(Self { inbox, patterns, begin, thread })
    }

    /// Begins to tail. The settings in `parts` are those this was made with.
    #[must_use]
    pub fn begin(self, parts: TailParts) -> TailHandle {
        // The thread waits for it: it cannot have ended.
        let _ = self.begin.send((parts, self.patterns));
        TailHandle { inbox: self.inbox, thread: Some(self.thread) }
    }
}

impl TailHandle {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// A glob that cannot be compiled, or a system that gives no thread.
    pub fn spawn(parts: TailParts) -> std::io::Result<Self> {
        Ok(ReadyTail::new(&parts.settings)?.begin(parts))
    }

    /// Has the directories looked at soon.
    pub fn look(&self) {
        self.inbox.post(|posted| posted.look = true);
    }

    /// Reads nothing more, from now on, and closes the channels to the workers. The checkpoint goes on
    /// being saved, and files that come are still opened, for the next tail. The first half of a
    /// hand-over, which [`TailHandle::hand_over`] ends.
    pub fn stop_reading(&self) {
        self.inbox.post(|posted| posted.stop = true);
    }

    /// Stops looking for new files, reads every file to its end as of now, ships held last lines
    /// that have not grown for a second, retires every File, and closes the channels to the workers.
    /// Then, or at `deadline` if that is earlier, it tells what stayed unread. The receiver can be
    /// awaited, or waited for with `blocking_recv`.
    ///
    /// The checkpoint goes on being saved until [`TailHandle::finish`].
    #[must_use]
    pub fn stop_discovery_and_drain(&self, deadline: Instant) -> oneshot::Receiver<LeftBehind> {
        let (done, told) = oneshot::channel();
        self.inbox.post(|posted| posted.drain = Some(Drain { deadline, done }));
        told
    }

    /// Asks the thread to save a last time and to end. [`TailHandle::finish`] is still to be called.
    pub fn begin_to_finish(&self) {
        self.inbox.post(|posted| posted.finish = true);
    }

    /// Whether the thread has ended.
    #[must_use]
    pub fn has_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Saves a last time and ends the thread. To be called when every destination has settled, or
    /// has given up. Waits for the save: milliseconds on a healthy disk.
    #[must_use]
    pub fn finish(mut self) -> Finished {
        self.join().finished
    }

    /// As [`TailHandle::finish`], once after [`TailHandle::stop_reading`]: what the next tail of this
    /// process begins with.
    ///
    /// # Panics
    ///
    /// When reading was not stopped before, or for the second time.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "the caller's mistake, which no configuration can cause"
    )]
    pub fn hand_over(&mut self) -> HandedOver {
        self.join().handed_over.expect("reading was stopped, and the thread not joined")
    }

    fn join(&mut self) -> Ended {
        self.begin_to_finish();
        // A panic ends the program as it is released; in a build that unwinds it goes on here.
        let ended =
            |thread: JoinHandle<Ended>| thread.join().unwrap_or_else(|it| resume_unwind(it));
        self.thread.take().map_or_else(Ended::default, ended)
    }
}

impl Drop for TailHandle {
    fn drop(&mut self) {
        self.begin_to_finish();
    }
}

#[cfg(test)]
mod tests;
