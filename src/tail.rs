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
pub mod pattern;
mod reader;
pub mod settings;
pub mod stats;
mod tailer;
mod thread;
mod watcher;

use std::io::Error;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::budget::Budget;
use crate::checkpoint::snapshot::Snapshot;
use crate::checkpoint::store::Store;
use crate::checkpoint::tracker::Tracker;
use crate::pipeline::chunk::Read;
use inbox::{Drain, Inbox};
use settings::TailSettings;
use stats::TailStats;
use tailer::Tailer;

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
    /// What [`Store::open`] found.
    pub snapshot: Snapshot,
    /// One per worker; lineage `n` goes to worker `n % workers.len()`. The chunks in a channel hold
    /// their shares of the budget, so its bound need not be small: at least 256, for a full channel
    /// is tried again only after two milliseconds, and many small files make many small chunks.
    pub workers: Vec<SyncSender<Read>>,
    /// Where it counts.
    pub stats: Arc<TailStats>,
}

/// The running tail thread. Dropped without [`TailHandle::finish`], the thread saves and ends too,
/// but nobody waits for it.
#[derive(Debug)]
pub struct TailHandle {
    inbox: Arc<Inbox>,
    /// `None` once joined.
    thread: Option<JoinHandle<Finished>>,
}

impl TailHandle {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// A glob that cannot be compiled, or a system that gives no thread.
    pub fn spawn(parts: TailParts) -> std::io::Result<Self> {
        let inbox = Arc::new(Inbox::default());
        let budget = Arc::clone(&parts.budget);
        let tailer = Tailer::new(parts, Arc::clone(&inbox), thread::now()).map_err(Error::other)?;
        let posted = Arc::clone(&inbox);
        let thread = Builder::new().name("tail".to_owned()).spawn(move || {
            posted.read_by(std::thread::current());
            budget.wake(std::thread::current());
            thread::run(tailer, &posted)
        })?;
        Ok(Self { inbox, thread: Some(thread) })
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
        self.begin_to_finish();
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for TailHandle {
    fn drop(&mut self) {
        self.begin_to_finish();
    }
}

#[cfg(test)]
mod tests;
