//! The loop of one destination: what is taken up next, from the queue or from the disk buffer, and when
//! what is in memory goes to the buffer.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tracing::{error, info};

use super::work::aside::{Call, Writing};
use super::work::{self, End, Load, Shared};
use super::{Ended, Notice, Report, Rewrite};
use crate::export::concurrency::MOST;
use crate::export::queue::{Accepted, Held, Queue};
use crate::export::sink::Sink;

/// How long it takes at the most until trouble, or a disk that takes something again, is noticed by a
/// destination that has a buffer.
const LOOK: Duration = Duration::from_secs(1);

/// How long batches that are given up may take to get to the buffer.
const LEAVING: Duration = Duration::from_millis(900);

/// Where batches go that come out of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    /// To the destination.
    Straight,
    /// To the buffer.
    Buffer,
    /// Nowhere: what is in the buffer goes first, and it takes nothing more.
    Wait,
}

/// What is known of work in progress.
struct Known {
    since: Instant,
    /// Of a batch from the queue.
    held: Option<Held>,
}

struct Drive<'q, S, R> {
    shared: Arc<Shared<S, R>>,
    queue: &'q Queue,
    working: JoinSet<End>,
    known: HashMap<Id, Known>,
    /// Whether the queue may bring something.
    open: bool,
    /// [`Gate::failed`](crate::export::gate::Gate::failed) as of when it no longer did.
    failed_before: u64,
    abandoned: usize,
    /// The buffer gave nothing: there is no use in asking again before something has changed.
    starved: bool,
    /// Another generation is to go on: the buffer is left as it is.
    handing_over: bool,
}

/// Delivers until all is settled, or until told to give up.
pub(super) async fn drive<S: Sink, R: Rewrite>(
    shared: Shared<S, R>,
    queue: &Queue,
    mut notice: watch::Receiver<Notice>,
) -> Report {
    let mut drive = Drive {
        shared: Arc::new(shared),
        queue,
        working: JoinSet::new(),
        known: HashMap::new(),
        open: true,
        failed_before: 0,
        abandoned: 0,
        starved: false,
        handing_over: false,
    };
    let ended = drive.until_ended(&mut notice).await;
    drive.leave(ended).await
}

impl<S: Sink, R: Rewrite> Drive<'_, S, R> {
    async fn until_ended(&mut self, notice: &mut watch::Receiver<Notice>) -> Ended {
        loop {
            let told = *notice.borrow_and_update();
            self.handing_over = told.hand_over;
            if told.give_up {
                return Ended::GaveUp;
            }
            let oldest = self.known.values().map(|known| known.since).min();
            self.shared.stats.show_oldest(oldest.or_else(|| self.queue.oldest()));
            let route = self.route();
            self.take_from_buffer().await;
            let buffer = self.shared.buffer.clone();
            let buffered = buffer.as_ref().is_some_and(|buffer| buffer.has_waiting());
            if self.working.is_empty() {
                match (self.open, buffered) {
                    (false, false) => return Ended::Drained,
                    // The next generation sends what is there, and what comes out of the queue would
                    // have to wait for that.
                    (_, true) if self.handing_over => return Ended::GaveUp,
                    _ => {}
                }
            }
            // Not before it is certain: the volume of the buffer may end with the process.
            if self.is_safe() && self.shared.gate.is_hopeless(self.failed_before, told.until) {
                return Ended::Buffered;
            }
            let pops = self.open && self.may_pop(route);
            let shared = Arc::clone(&self.shared);
            tokio::select! {
                biased;
                () = changed(notice) => {}
                Some(done) = self.working.join_next_with_id(), if !self.working.is_empty() => {
                    if let Some(ended) = self.joined(done) {
                        return ended;
                    }
                }
                () = shared.more.notified() => {}
                accepted = self.queue.pop(), if pops => match accepted {
                    Some(accepted) => self.begin(accepted, route == Route::Buffer),
                    None => (self.open, self.failed_before) = (false, self.shared.gate.failed()),
                },
                () = tokio::time::sleep(LOOK), if buffer.is_some() => self.starved = false,
            }
        }
    }

    /// Whether nothing more will come, and all that is at hand lies in the buffer for the next start.
    fn is_safe(&self) -> bool {
        let from_buffer = |known: &Known| known.held.is_none();
        let buffered = self.shared.buffer.as_ref().is_some_and(|buffer| buffer.has_waiting());
        let all = self.known.values().all(from_buffer) && (buffered || !self.known.is_empty());
        !self.open && !self.handing_over && all
    }

    /// Where the next batch goes. Calls those that wait in trouble to the buffer.
    fn route(&self) -> Route {
        let Some(buffer) = &self.shared.buffer else { return Route::Straight };
        let in_trouble = self.shared.stats.is_in_trouble();
        let admits = buffer.admits() && !self.handing_over;
        let call = match in_trouble && admits {
            // What is under way from there is still waited for.
            _ if self.handing_over => Call::Taken,
            true => Call::Queued,
            false => Call::Stay,
        };
        self.shared.call.send_if_modified(|now| std::mem::replace(now, call) != call);
        match (buffer.has_waiting(), admits) {
            (true, false) => Route::Wait,
            (true, true) => Route::Buffer,
            (false, true) if in_trouble => Route::Buffer,
            (false, _) => Route::Straight,
        }
    }

    fn may_pop(&self, route: Route) -> bool {
        let writing = self.shared.writing.load(Relaxed);
        match route {
            Route::Straight => self.has_room(),
            // One at a time, so that they lie there in their order. What waits in memory is older: where
            // order matters, it goes first.
            Route::Buffer if writing > 0 => false,
            Route::Buffer if self.shared.gate.is_in_order() => self.straight() == 0,
            // Those that the disk does not take stay in memory.
            Route::Buffer => self.straight() < self.room(),
            Route::Wait => false,
        }
    }

    /// Batches and payloads that may be at hand. Each in trouble of its own leaves its place to
    /// another, within bounds.
    fn room(&self) -> usize {
        self.shared.gate.width() + self.shared.passed.load(Relaxed).min(MOST)
    }

    fn sending(&self) -> usize {
        self.working.len().saturating_sub(self.shared.writing.load(Relaxed))
    }

    fn has_room(&self) -> bool {
        self.sending() < self.room()
    }

    /// Batches of the queue that are being sent.
    fn straight(&self) -> usize {
        let from_queue = self.known.values().filter(|known| known.held.is_some()).count();
        from_queue.saturating_sub(self.shared.writing.load(Relaxed))
    }

    fn begin(&mut self, accepted: Accepted, to_buffer: bool) {
        let Accepted { batch, since, held } = accepted;
        let load = if to_buffer {
            Load::ToBuffer(batch, Writing::count(&self.shared.writing))
        } else {
            Load::Batch(batch)
        };
        let handle = self.working.spawn(work::deliver(Arc::clone(&self.shared), load));
        self.known.insert(handle.id(), Known { since, held: Some(held) });
    }

    async fn take_from_buffer(&mut self) {
        let Some(buffer) = self.shared.buffer.clone() else { return };
        let may = !self.handing_over;
        while may && !self.starved && buffer.has_waiting() && self.has_room() {
            // One even past the budget's limit, so that it empties while what is read fills the memory.
            match buffer.take(self.sending() == 0).await {
                Some(taken) => {
                    let load = Load::Taken(taken);
                    let handle = self.working.spawn(work::deliver(Arc::clone(&self.shared), load));
                    self.known.insert(handle.id(), Known { since: Instant::now(), held: None });
                }
                None => self.starved = true,
            }
        }
    }

    fn joined(&mut self, done: Result<(Id, End), JoinError>) -> Option<Ended> {
        self.starved = false;
        match done {
            Ok((id, End::Settled)) => drop(self.known.remove(&id)),
            Ok((id, End::GivenUp)) => {
                let known = self.known.remove(&id);
                self.abandoned += usize::from(known.is_some_and(|known| known.held.is_some()));
            }
            Ok((_, End::Gone)) => {
                // Its batch is dropped by now.
                self.abandoned += 1;
                return Some(Ended::OutputClosed);
            }
            Err(failed) => {
                self.known.remove(&failed.id());
                self.abandoned += 1;
                let destination = &self.shared.name;
                error!(destination, "a bug in delivery left a batch unsettled");
            }
        }
        None
    }

    /// Lets go of what is left: to the buffer, if there is one, and nobody is to read it again at once.
    async fn leave(mut self, ended: Ended) -> Report {
        let to_buffer = matches!(ended, Ended::GaveUp | Ended::Buffered) && !self.handing_over;
        if to_buffer && self.shared.buffer.is_some() {
            // What does not get there in time is read again.
            let _ = tokio::time::timeout(LEAVING, self.leave_to_buffer()).await;
        }
        let Self { shared, queue, mut working, abandoned, known, .. } = self;
        let in_memory = known.values().filter(|known| known.held.is_some()).count();
        let in_memory = if shared.buffer.is_some() { in_memory } else { working.len() };
        let batches_left = abandoned + in_memory + queue.abandon();
        working.shutdown().await;
        if let Some(buffer) = &shared.buffer {
            // However long the disk takes: the next generation opens the same files.
            buffer.rest().await;
        }
        let records_left = shared.stats.in_flight.load(Relaxed);
        let records_buffered = shared.stats.buffer.records.load(Relaxed);
        let destination = &shared.name;
        info!(destination, ?ended, batches_left, records_left, records_buffered, "delivery ended");
        Report { ended, batches_left, records_left }
    }

    async fn leave_to_buffer(&mut self) {
        self.shared.call.send_replace(Call::Leave);
        while let Some(done) = self.working.join_next_with_id().await {
            self.joined(done);
        }
        self.queue.close();
        while let Some(accepted) = self.queue.pop().await {
            self.begin(accepted, true);
            while let Some(done) = self.working.join_next_with_id().await {
                self.joined(done);
            }
        }
    }
}

/// Resolves when told something new; never, if whoever could tell is gone.
async fn changed(notice: &mut watch::Receiver<Notice>) {
    if notice.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
