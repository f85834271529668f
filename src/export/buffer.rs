//! The disk buffer of one destination: where batches wait while it takes nothing, for volumes that are
//! gone before it is back.
//!
//! ```text
//! queue ──────────────────────────────> delivery      nothing buffered, and the destination works
//! queue ──> frames, synced ──> settled                it is in trouble, or something is buffered
//!               └──────> oldest first ──> delivery
//! ```
//!
//! A batch's receipt is settled once its payload is on disk and synced. From then on the buffer answers
//! for it: until the destination has taken it, or it is a dead letter. Written once, a payload is sent
//! as it is, with the ids it has, so that what is sent again after a crash is known for what it is.
//!
//! Layout: `buffer/<destination>/<form>/` in the state directory holds segments of frames, and the
//! bounds of it all. [`Buffer`] is the asynchronous side: its work on files is done on tokio's blocking
//! pool, one thing at a time.

mod bounds;
mod disk;
mod done;
mod form;
mod frame;
mod open;
mod segment;
mod stand_in;
pub mod stats;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::{error, info, warn};

use self::disk::{Disk, Place, Refusal, Take};
use self::form::{Form, holds_segments};
use super::payload::Payload;
use super::stats::DestinationStats;
use crate::budget::{Budget, Permit};
use crate::config::settings::Destination;

/// How long a disk that failed is left alone.
const PATIENCE: Duration = Duration::from_secs(2);

/// One destination's buffer, open.
#[derive(Debug)]
pub struct Buffer {
    destination: String,
    /// Held by one blocking thread at a time.
    disk: Arc<Mutex<Disk>>,
    stats: Arc<DestinationStats>,
    budget: Arc<Budget>,
    /// When to try again to write; `None` while writing works.
    retry_at: Mutex<Option<Instant>>,
    /// Whether the last attempt to read failed.
    unreadable: AtomicBool,
}

/// A payload taken out of the buffer. It stays on disk until it is said to be [done](Buffer::done).
#[derive(Debug)]
pub struct Taken {
    /// What to send.
    pub payload: Payload,
    /// Its share of the budget.
    pub permit: Permit,
    /// Where it is.
    pub stored: Stored,
}

/// Where a payload lies in the buffer.
#[derive(Clone, Copy, Debug)]
pub struct Stored(Place);

impl Buffer {
    /// Opens the buffer of a destination below the state directory, and counts what it holds. `None` if
    /// it is to have none and nothing is left from when it had one; what is left is sent. Nothing is
    /// created before it is needed. The counters may be those of an earlier generation, whose buffer is
    /// closed: nothing of what they said about its state holds.
    ///
    /// # Errors
    ///
    /// When what is there cannot be read.
    pub fn open(
        state: &Path,
        settings: &Destination,
        stats: &Arc<DestinationStats>,
        budget: &Arc<Budget>,
    ) -> io::Result<Option<Arc<Self>>> {
        stats.buffer.clear();
        let disk = Self::find(state, settings, stats);
        if !matches!(disk, Ok(Some(_))) {
            stats.adopt(0);
        }
        Ok(disk?.map(|disk| {
            stats.buffer.limit.store(disk.limit, Relaxed);
            Arc::new(Self {
                destination: settings.name.clone(),
                disk: Arc::new(Mutex::new(disk)),
                stats: Arc::clone(stats),
                budget: Arc::clone(budget),
                retry_at: Mutex::default(),
                unreadable: AtomicBool::default(),
            })
        }))
    }

    fn find(
        state: &Path,
        settings: &Destination,
        stats: &Arc<DestinationStats>,
    ) -> io::Result<Option<Disk>> {
        let (destination, form) = (&settings.name, Form::of(settings));
        for (form, directory) in Form::others(form, state, destination) {
            warn!(
                destination,
                form,
                directory = %directory.display(),
                "the buffer holds bodies that were written for other settings: they are kept and not \
                 sent; give the destination back its kind, format or compression until they are, or \
                 remove the directory"
            );
        }
        let Some(form) = form else { return Ok(None) };
        let directory = form.directory(state, destination);
        if settings.buffer.is_none() && !holds_segments(&directory) {
            return Ok(None);
        }
        let limit = settings.buffer.unwrap_or(0);
        Disk::open(destination, directory, limit, Arc::clone(stats)).map(Some)
    }

    /// Whether a payload waits to be taken. In doubt one does: [`Self::take`] finds out.
    #[must_use]
    pub fn has_waiting(&self) -> bool {
        self.stats.buffer.waiting.load(Relaxed)
    }

    /// Whether it is worth trying to write to it: it has room, and did not just fail.
    #[must_use]
    pub fn admits(&self) -> bool {
        match *lock(&self.retry_at) {
            Some(at) => at <= Instant::now(),
            None => self.stats.buffer.takes(),
        }
    }

    /// Writes payloads and syncs them, all or none: whether they are in the buffer. Their records are
    /// in flight before, and buffered after.
    pub async fn append(&self, payloads: Vec<Payload>) -> bool {
        let records = payloads.iter().map(|payload| u64::from(payload.records)).sum();
        let appended = self.on_disk(
            move |disk| disk.append(&payloads),
            move |stats| {
                stats.store(records);
            },
        );
        match appended.await {
            Some(Ok(())) => {
                self.failing(None);
                true
            }
            Some(Err(Refusal::Full)) => {
                self.failing(None);
                if !self.stats.buffer.refuses.swap(true, Relaxed) {
                    let (destination, limit) = (&self.destination, self.limit());
                    warn!(
                        destination,
                        limit,
                        "the buffer is full: as without one, what cannot be sent stays in the log \
                         files until there is room"
                    );
                }
                false
            }
            Some(Err(Refusal::TooLarge)) => false,
            Some(Err(Refusal::Io(error))) => {
                self.failing(Some(error));
                false
            }
            None => false,
        }
    }

    /// The oldest payload that was not taken yet; `None` if there is none, or not now: the budget has
    /// no room for it, and it need not be had (`must`), or the disk does not give it. Its records are
    /// buffered before, and in flight after.
    pub async fn take(&self, must: bool) -> Option<Taken> {
        let budget = Arc::clone(&self.budget);
        let taken = self.on_disk(
            move |disk| {
                let taken = disk.take(&budget, must);
                if let Ok(Take::Payload(payload, ..)) = &taken {
                    disk.stats.fetch(u64::from(payload.records));
                }
                taken
            },
            |_| {},
        );
        let taken = taken.await?;
        let destination = &self.destination;
        let unreadable = self.unreadable.swap(taken.is_err(), Relaxed);
        match taken {
            Ok(Take::Payload(payload, permit, place)) => {
                Some(Taken { payload, permit, stored: Stored(place) })
            }
            Ok(Take::Nothing | Take::NoBudget) => None,
            Err(error) => {
                if !unreadable {
                    error!(destination, %error, "the buffer cannot be read: tried every second");
                }
                None
            }
        }
    }

    /// A payload that was taken, once more; `None` if it is damaged or gone.
    ///
    /// # Errors
    ///
    /// When the disk does not give it now.
    pub async fn again(&self, stored: &Stored) -> io::Result<Option<Payload>> {
        let Stored(place) = *stored;
        self.on_disk(move |disk| disk.again(place), |_| {}).await.unwrap_or(Ok(None))
    }

    /// Says that every record of a payload has met its end.
    pub async fn done(&self, stored: Stored) {
        let done = move |disk: &mut Disk| {
            disk.done(stored.0);
            Ok::<_, ()>(())
        };
        self.on_disk(done, |_| {}).await;
    }

    /// Waits until nothing is done to its files any more, nor will be: also what was begun for somebody
    /// who no longer waits for it. To be called when nobody else will call.
    pub async fn rest(&self) {
        let mark = |disk: &mut Disk| {
            disk.mark();
            Ok::<_, ()>(())
        };
        self.on_disk(mark, |_| {}).await;
        while Arc::strong_count(&self.disk) > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Does something on a blocking thread, and counts it if it was done; `None` if that thread
    /// panicked. Where it makes room, the buffer takes more.
    async fn on_disk<T: Send + 'static, E: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Disk) -> Result<T, E> + Send + 'static,
        count: impl FnOnce(&DestinationStats) + Send + 'static,
    ) -> Option<Result<T, E>> {
        let disk = Arc::clone(&self.disk);
        let acted = tokio::task::spawn_blocking(move || {
            let mut disk = lock(&disk);
            let before = disk.bytes();
            let done = act(&mut disk);
            if done.is_ok() {
                // In the same breath, so that what is done is counted even if nobody waits for it.
                count(&disk.stats);
            }
            disk.show();
            (done, disk.bytes() < before)
        });
        let (done, has_room) = acted.await.ok()?;
        if has_room && lock(&self.retry_at).is_none() {
            self.stats.buffer.refuses.store(false, Relaxed);
        }
        Some(done)
    }

    /// Notes whether the disk takes what is written to it.
    fn failing(&self, error: Option<io::Error>) {
        let destination = &self.destination;
        let retry_at = error.is_some().then(|| Instant::now() + PATIENCE);
        let before = std::mem::replace(&mut *lock(&self.retry_at), retry_at);
        if error.is_some() || before.is_some() {
            self.stats.buffer.refuses.store(error.is_some(), Relaxed);
        }
        match (error, before) {
            (Some(error), before) => {
                self.stats.buffer.write_failures.fetch_add(1, Relaxed);
                if before.is_none() {
                    error!(
                        destination,
                        %error,
                        "the buffer cannot be written: what cannot be sent stays in the log files; \
                         it is tried again every two seconds, so make room on its disk, or lower \
                         `buffer`"
                    );
                }
            }
            (None, Some(_)) => info!(destination, "the buffer can be written again"),
            (None, None) => {}
        }
    }

    fn limit(&self) -> u64 {
        self.stats.buffer.limit.load(Relaxed)
    }
}

/// Says which buffers below the state directory hold something for a destination that is none of
/// these: it was removed or renamed.
pub fn warn_of_strangers(state: &Path, destinations: &[&str]) {
    for directory in form::strangers(state, destinations) {
        warn!(
            directory = %directory.display(),
            "the buffer holds records for a destination that is not configured any more: they are \
             kept and not sent; give a destination that name again until they are, or remove the \
             directory"
        );
    }
}

/// Nothing panics while one is held that would leave half of it behind.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
