//! One destination's counters, documented, and read by whoever shows them.
//!
//! The equation that must hold at rest, per destination, in records:
//!
//! ```text
//! records_in = delivered + duplicate + already_settled + dead_lettered + dropped + lost + returned +
//!     in_flight + buffered
//! ```
//!
//! What an earlier run left in the buffer enters again when it is opened.

mod equation;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::breaker::Shown;
use super::buffer::stats::BufferStats;
use super::dead_letter::Reason;
use super::outcome::{PauseClass, RetryClass, classes};

classes! {
    /// Why a record is lost: neither at the destination nor in a dead letter.
    LostReason {
        /// The dead-letter file is at its cap.
        DeadLetterFull = "dead_letter_full",
        /// The destination refused it, without saying which of its batch it was.
        Unattributed = "unattributed",
        /// What was to be kept as a dead letter could not be read back from its payload.
        Unreadable = "unreadable",
        /// It was in the disk buffer, and there it was damaged or taken away.
        Buffer = "buffer",
    }
}

classes! {
    /// Why a record is left out on the user's wish.
    DropReason {
        /// A rule says so: a step, or a redaction's action.
        Rule = "rule",
        /// The destination is in trouble and at its share of the memory (`when_full: drop_newest`).
        Full = "full",
    }
}

/// Counters of one destination. All are written by its queue and its delivery only, except
/// those of dropped records; all may be read at any time.
#[derive(Debug)]
pub struct DestinationStats {
    /// Records meant for the destination, whatever became of them, and those that were in its buffer
    /// at the start. Written by the workers. At rest it is [`Self::resolved`] plus
    /// [`Self::in_flight`] plus the buffer's plus [`Self::open`].
    pub routed: AtomicU64,
    /// Records in the workers' open batches, or on their way there. Written by the workers.
    pub open: AtomicU64,
    /// Records cut to the destination's own limit on a line. Written by the workers.
    pub cut: AtomicU64,
    /// Records accepted into the queue.
    pub records_in: AtomicU64,
    /// Records stored at the destination.
    pub delivered: AtomicU64,
    /// Records that an earlier attempt had already stored.
    pub duplicate: AtomicU64,
    /// Records read again, for another destination, that an earlier run had settled here. Written by
    /// the workers.
    pub already_settled: AtomicU64,
    /// Records refused for good and kept: by reason, in a synced dead letter or, for
    /// [`Reason::FailureStore`], at the server.
    dead_lettered: [AtomicU64; Reason::ALL.len()],
    /// Records that were accepted and then left out on the user's wish, by reason. Written by
    /// whoever drops.
    dropped: [AtomicU64; DropReason::ALL.len()],
    /// Records neither delivered nor kept, by reason.
    lost: [AtomicU64; LostReason::ALL.len()],
    /// Records given up unsettled when the configuration was loaded anew, and read again since.
    pub returned: AtomicU64,
    /// Records accepted and not yet any of the above.
    pub in_flight: AtomicU64,
    /// The disk buffer.
    pub buffer: BufferStats,
    /// Batches settled.
    pub batches_settled: AtomicU64,
    /// Requests sent, whatever their answer; for files and the console, writes.
    pub requests: AtomicU64,
    /// Bytes of bodies sent, as they went over the wire, retries included.
    pub bytes_wire: AtomicU64,
    /// The same before compression.
    pub bytes_plain: AtomicU64,
    /// Requests, or records of them, that were to be sent again, by class.
    retries: [AtomicU64; RetryClass::ALL.len()],
    /// Answers that a person must act on, by class.
    pauses: [AtomicU64; PauseClass::ALL.len()],
    /// Payloads sent again in two parts.
    pub splits: AtomicU64,
    /// Requests in flight now.
    pub active: AtomicU64,
    /// Requests that may be in flight now.
    pub concurrency: AtomicU64,
    /// Bytes in the dead-letter file.
    pub dead_letter_bytes: AtomicU64,
    /// Attempts to write a dead letter that failed and were, or will be, tried again.
    pub dead_letter_failures: AtomicU64,
    breaker: AtomicU8,
    /// HTTP status of the last answer; 0 for none.
    pub last_status: AtomicU16,
    /// 0: none; 1..: an index into the retry classes; 128..: into the pause classes.
    last_error: AtomicU8,
    /// Milliseconds after `began`, plus 1; 0 for none.
    retry_at: AtomicU64,
    oldest: AtomicU64,
    progress: AtomicU64,
    began: Instant,
}

/// Tells the two kinds of class in `last_error` apart.
const PAUSES_FROM: usize = 128;

impl Default for DestinationStats {
    fn default() -> Self {
        Self {
            routed: AtomicU64::new(0),
            open: AtomicU64::new(0),
            cut: AtomicU64::new(0),
            records_in: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            duplicate: AtomicU64::new(0),
            already_settled: AtomicU64::new(0),
            dead_lettered: std::array::from_fn(|_| AtomicU64::new(0)),
            dropped: std::array::from_fn(|_| AtomicU64::new(0)),
            lost: std::array::from_fn(|_| AtomicU64::new(0)),
            returned: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            buffer: BufferStats::default(),
            batches_settled: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            bytes_wire: AtomicU64::new(0),
            bytes_plain: AtomicU64::new(0),
            retries: std::array::from_fn(|_| AtomicU64::new(0)),
            pauses: std::array::from_fn(|_| AtomicU64::new(0)),
            splits: AtomicU64::new(0),
            active: AtomicU64::new(0),
            concurrency: AtomicU64::new(1),
            dead_letter_bytes: AtomicU64::new(0),
            dead_letter_failures: AtomicU64::new(0),
            breaker: AtomicU8::new(0),
            last_status: AtomicU16::new(0),
            last_error: AtomicU8::new(0),
            retry_at: AtomicU64::new(0),
            oldest: AtomicU64::new(0),
            progress: AtomicU64::new(0),
            began: Instant::now(),
        }
    }
}

impl DestinationStats {
    /// Records entered the queue.
    pub fn accept(&self, records: u64) {
        self.in_flight.fetch_add(records, Ordering::Relaxed);
        self.records_in.fetch_add(records, Ordering::Relaxed);
    }

    /// Records were stored.
    pub fn deliver(&self, records: u64) {
        self.leave(&self.delivered, records);
    }

    /// Records turned out to be stored already.
    pub fn duplicate(&self, records: u64) {
        self.leave(&self.duplicate, records);
    }

    /// Records were refused and kept.
    pub fn dead_letter(&self, reason: Reason, records: u64) {
        if let Some(counter) = self.dead_lettered.get(reason as usize) {
            self.leave(counter, records);
        }
    }

    /// A worker has a record for the destination: it is open until it is said what becomes of it.
    pub fn route(&self) {
        self.routed.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    /// An open record was left out.
    pub fn drop_record(&self, reason: DropReason) {
        if let Some(counter) = self.dropped.get(reason as usize) {
            self.leave_open(counter);
        }
    }

    /// An open record turned out to be settled by an earlier run.
    pub fn pass_over(&self) {
        self.leave_open(&self.already_settled);
    }

    /// An open record is given up: the next generation reads it again.
    pub fn give_back(&self) {
        self.leave_open(&self.returned);
    }

    fn leave_open(&self, counter: &AtomicU64) {
        self.records_in.fetch_add(1, Ordering::Relaxed);
        counter.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Records were lost.
    pub fn lose(&self, reason: LostReason, records: u64) {
        if let Some(counter) = self.lost.get(reason as usize) {
            self.leave(counter, records);
        }
    }

    /// Nobody delivers any more what is in flight or open, until the next generation does: it is read
    /// again. To be called when its workers and its delivery have ended.
    pub fn hand_over(&self) {
        let open = self.open.swap(0, Ordering::Relaxed);
        self.records_in.fetch_add(open, Ordering::Relaxed);
        let left = self.in_flight.swap(0, Ordering::Relaxed) + open;
        self.returned.fetch_add(left, Ordering::Relaxed);
        self.active.store(0, Ordering::Relaxed);
        self.show_breaker(Shown::Closed, None);
        self.show_oldest(None);
    }

    /// Records went from memory to the buffer.
    pub fn store(&self, records: u64) {
        self.buffer.records.fetch_add(records, Ordering::Relaxed);
        self.in_flight.fetch_sub(records, Ordering::Relaxed);
    }

    /// Records came back from the buffer, to be sent.
    pub fn fetch(&self, records: u64) {
        self.in_flight.fetch_add(records, Ordering::Relaxed);
        self.buffer.records.fetch_sub(records, Ordering::Relaxed);
    }

    /// Records turned out to be in the buffer that were not counted there: taken for lost, or there twice.
    pub fn find_buffered(&self, records: u64) {
        for counter in [&self.buffer.records, &self.routed, &self.records_in] {
            counter.fetch_add(records, Ordering::Relaxed);
        }
    }

    /// Records in the buffer turned out to be gone.
    pub fn lose_buffered(&self, records: u64) {
        self.fetch(records);
        self.lose(LostReason::Buffer, records);
    }

    /// A buffer was opened with so many records in it. Those that it had when it was closed in this
    /// run are counted already; what it has no more, such as bodies for other settings, is not to be
    /// sent in this run.
    pub fn adopt(&self, records: u64) {
        let known = self.buffer.records.swap(records, Ordering::Relaxed);
        self.returned.fetch_add(known.saturating_sub(records), Ordering::Relaxed);
        let new = records.saturating_sub(known);
        self.routed.fetch_add(new, Ordering::Relaxed);
        self.records_in.fetch_add(new, Ordering::Relaxed);
    }

    fn leave(&self, counter: &AtomicU64, records: u64) {
        counter.fetch_add(records, Ordering::Relaxed);
        self.in_flight.fetch_sub(records, Ordering::Relaxed);
        self.show_progress();
    }

    /// Something is to be sent again.
    pub fn retry(&self, class: RetryClass) {
        if let Some(counter) = self.retries.get(class as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        self.set_last_error(1 + class as usize);
    }

    /// A person must act.
    pub fn pause(&self, class: PauseClass) {
        if let Some(counter) = self.pauses.get(class as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        self.set_last_error(PAUSES_FROM + class as usize);
    }

    fn set_last_error(&self, code: usize) {
        self.last_error.store(u8::try_from(code).unwrap_or(u8::MAX), Ordering::Relaxed);
    }

    /// Shows the breaker's state and, if it is not closed, when the next attempt is made.
    pub fn show_breaker(&self, shown: Shown, retry_at: Option<Instant>) {
        self.breaker.store(shown as u8, Ordering::Relaxed);
        self.retry_at.store(self.stamp(retry_at), Ordering::Relaxed);
    }

    /// Shows since when the oldest batch in flight is waiting.
    pub fn show_oldest(&self, since: Option<Instant>) {
        self.oldest.store(self.stamp(since), Ordering::Relaxed);
    }

    /// Shows that the destination has just answered as one that works does, or that records have met
    /// their end.
    pub fn show_progress(&self) {
        self.progress.store(self.stamp(Some(Instant::now())), Ordering::Relaxed);
    }

    fn stamp(&self, at: Option<Instant>) -> u64 {
        at.map_or(0, |at| {
            let millis = at.saturating_duration_since(self.began).as_millis();
            u64::try_from(millis).unwrap_or(u64::MAX - 1) + 1
        })
    }

    fn instant(&self, stamp: &AtomicU64) -> Option<Instant> {
        let millis = stamp.load(Ordering::Relaxed).checked_sub(1)?;
        self.began.checked_add(Duration::from_millis(millis))
    }

    /// Records kept as dead letters, by reason.
    pub fn dead_lettered(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.iter().copied().zip(self.dead_lettered.iter().map(load))
    }

    /// Records dropped, by reason.
    pub fn dropped(&self) -> impl Iterator<Item = (DropReason, u64)> {
        DropReason::ALL.iter().copied().zip(self.dropped.iter().map(load))
    }

    /// Records lost, by reason.
    pub fn lost(&self) -> impl Iterator<Item = (LostReason, u64)> {
        LostReason::ALL.iter().copied().zip(self.lost.iter().map(load))
    }

    /// Retries by class.
    pub fn retries(&self) -> impl Iterator<Item = (RetryClass, u64)> {
        RetryClass::ALL.iter().copied().zip(self.retries.iter().map(load))
    }

    /// Answers that a person must act on, by class.
    pub fn pauses(&self) -> impl Iterator<Item = (PauseClass, u64)> {
        PauseClass::ALL.iter().copied().zip(self.pauses.iter().map(load))
    }

    /// The breaker's state.
    #[must_use]
    pub fn breaker(&self) -> Shown {
        match self.breaker.load(Ordering::Relaxed) {
            0 => Shown::Closed,
            1 => Shown::Open,
            _ => Shown::Paused,
        }
    }

    /// The name of the last error's class, since the start.
    #[must_use]
    pub fn last_error(&self) -> Option<&'static str> {
        let code = usize::from(self.last_error.load(Ordering::Relaxed));
        if code >= PAUSES_FROM {
            return PauseClass::ALL.get(code - PAUSES_FROM).map(|class| class.name());
        }
        RetryClass::ALL.get(code.checked_sub(1)?).map(|class| class.name())
    }

    /// Time until the next attempt, while nothing is sent; zero when it is due.
    #[must_use]
    pub fn retry_in(&self) -> Option<Duration> {
        self.instant(&self.retry_at).map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Age of the oldest batch in flight, since the queue accepted it.
    #[must_use]
    pub fn oldest_age(&self) -> Option<Duration> {
        self.instant(&self.oldest).map(|since| since.elapsed())
    }

    /// Whether the destination takes nothing at present: it fails or is paused, or has not got on with
    /// what it was given for longer than a slow answer takes. How long a batch waited for its turn
    /// says nothing: behind a backlog that is long.
    #[must_use]
    pub fn is_in_trouble(&self) -> bool {
        const SLOW: Duration = Duration::from_secs(10);
        let progress = self.instant(&self.progress).map_or(Duration::MAX, |at| at.elapsed());
        self.breaker() != Shown::Closed
            || self.oldest_age().is_some_and(|age| age.min(progress) > SLOW)
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
