//! Stepping aside: what waits for a destination in trouble goes to the disk buffer, and what is given
//! up at the end of the grace goes there too.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::watch;

use super::search::Search;
use super::withheld::Withheld;
use super::{End, Piece, Shared, Work, resident};
use crate::budget::Permit;
use crate::export::buffer::{Stored, Taken};
use crate::export::dead_letter::DeadLetter;
use crate::export::deliver::Rewrite;
use crate::export::gate::Slot;
use crate::export::payload::Payload;
use crate::export::sink::{Answer, Sink};
use crate::pipeline::batch::{Batch, Receipt};

/// What the loop asks of work in progress. Without a buffer it never asks for anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::export::deliver) enum Call {
    /// Nothing.
    Stay,
    /// To go to the buffer instead of waiting, unless it comes from there.
    Queued,
    /// To stay in the buffer instead of waiting, if it comes from there.
    Taken,
    /// To go there at once, or to be given up.
    Leave,
}

/// What is to be delivered.
#[derive(Debug)]
pub(in crate::export::deliver) enum Load {
    /// A batch, to be sent.
    Batch(Batch),
    /// A batch for the buffer; to be sent only if that does not take it.
    ToBuffer(Batch, Writing),
    /// A payload from the buffer, to be sent.
    Taken(Taken),
}

/// Counts in [`Shared::writing`] until it is dropped, however that comes.
#[derive(Debug)]
pub(in crate::export::deliver) struct Writing(Arc<AtomicUsize>);

impl Writing {
    pub(in crate::export::deliver) fn count(all: &Arc<AtomicUsize>) -> Self {
        all.fetch_add(1, Relaxed);
        Self(Arc::clone(all))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// How an attempt ended.
pub(super) enum Tried {
    /// What is left, if anything, is to be tried again.
    Answered,
    /// It was called to step aside.
    Called,
    /// The destination is gone for good.
    Gone,
}

/// Who is told when all has met its end.
pub(super) enum Origin {
    /// The ledger.
    Queue(Receipt),
    /// The buffer; nothing once it was told.
    Buffer(Option<Stored>),
}

/// The ear for calls.
pub(super) struct Ear {
    call: watch::Receiver<Call>,
    /// The buffer did not take it: it waits for the next call, or a while.
    refused: bool,
}

/// How long a batch that the buffer did not take waits before it offers itself again.
const OFFERED_AGAIN: Duration = Duration::from_secs(2);

impl Ear {
    /// Resolves when called to step aside.
    async fn called(&mut self, from_buffer: bool) {
        loop {
            if self.call.has_changed().unwrap_or(false) {
                self.refused = false;
            }
            let call = *self.call.borrow_and_update();
            let called = match call {
                Call::Stay => false,
                Call::Queued => !from_buffer && !self.refused,
                Call::Taken => from_buffer,
                Call::Leave => !self.refused,
            };
            if called {
                return;
            }
            tokio::select! {
                changed = self.call.changed() => if changed.is_err() {
                    std::future::pending::<()>().await;
                },
                () = tokio::time::sleep(OFFERED_AGAIN), if self.refused => {}
            }
            self.refused = false;
        }
    }

    /// Resolves when there is no time left.
    async fn called_to_leave(&mut self) {
        if self.call.wait_for(|call| *call == Call::Leave).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether what comes from the buffer is not to be sent any more.
    fn is_to_stay_there(&self) -> bool {
        *self.call.borrow() == Call::Taken
    }

    fn is_to_leave(&self) -> bool {
        *self.call.borrow() == Call::Leave
    }
}

impl Load {
    /// What it consists of: the share of the budget is last.
    fn apart(self) -> (Option<Payload>, Vec<DeadLetter>, Option<Writing>, Origin, Permit) {
        let (batch, writing) = match self {
            Self::Batch(batch) => (batch, None),
            Self::ToBuffer(batch, writing) => (batch, Some(writing)),
            Self::Taken(Taken { payload, permit, stored }) => {
                return (Some(payload), Vec::new(), None, Origin::Buffer(Some(stored)), permit);
            }
        };
        let Batch { payload, refused, receipt, permit } = batch;
        (payload, refused, writing, Origin::Queue(receipt), permit)
    }
}

impl<S: Sink, R: Rewrite> Work<S, R> {
    /// The work of a load; what its encoder refused, to be kept first; and whether it is then to go to
    /// the buffer.
    pub(super) fn on(
        shared: &Arc<Shared<S, R>>,
        load: Load,
    ) -> (Self, Vec<DeadLetter>, Option<Writing>) {
        let (payload, refused, writing, origin, permit) = load.apart();
        let maybe_stored = matches!(origin, Origin::Buffer(_));
        let piece = |payload| Piece { payload, failures: 0, searched: false, maybe_stored };
        let pieces: VecDeque<_> = payload.into_iter().map(piece).collect();
        let work = Self {
            besides: permit.bytes().saturating_sub(resident(&pieces)),
            ticket: shared.gate.ticket(),
            ear: Ear { call: shared.call.subscribe(), refused: false },
            shared: Arc::clone(shared),
            pieces,
            permit,
            origin,
            withheld: Withheld::default(),
            is_passed: false,
            answered: None,
            alone: 0,
            search: None,
        };
        (work, refused, writing)
    }

    /// Has what comes from the buffer go to where the destination leads now. On disk it stays as it is.
    pub(super) fn readdress(&mut self) {
        let rewriter = &self.shared.rewriter;
        let front = self.pieces.front().filter(|_| self.is_from_buffer());
        let Some(payload) = front.map(|piece| piece.payload.clone()) else { return };
        // What cannot be read is for the server to judge.
        if rewriter.leads_elsewhere(&payload).unwrap_or(false) {
            self.reserve(&payload);
            if let Ok(payload) = self.shared.rewriter.readdress(&payload)
                && let Some(piece) = self.pieces.front_mut()
            {
                piece.payload = payload;
            }
            self.account();
        }
    }

    /// Waits for leave to send; `None` if it is to step aside instead.
    pub(super) async fn enter(&mut self) -> Option<Slot> {
        let from_buffer = self.is_from_buffer();
        if from_buffer && self.ear.is_to_stay_there() {
            return None;
        }
        tokio::select! {
            biased;
            slot = self.shared.gate.enter(self.ticket) => Some(slot),
            () = self.ear.called(from_buffer) => None,
        }
    }

    /// Sends a payload; `None` if there is no time left for the answer.
    pub(super) async fn send(&mut self, payload: &Payload) -> Option<Answer> {
        tokio::select! {
            biased;
            answer = self.shared.sink.send(payload) => Some(answer),
            () = self.ear.called_to_leave() => None,
        }
    }

    /// Waits, unless it is to step aside.
    pub(super) async fn pass(&mut self, time: Duration) {
        let from_buffer = self.is_from_buffer();
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.ear.called(from_buffer) => {}
        }
    }

    pub(super) fn is_from_buffer(&self) -> bool {
        matches!(self.origin, Origin::Buffer(_))
    }

    /// What has not met its end, in order. What a search has found has not: it is searched for again.
    fn left(&self) -> impl Iterator<Item = &Payload> {
        let searched = self.search.iter().flat_map(Search::payloads);
        searched.chain(self.pieces.iter().map(|piece| &piece.payload))
    }

    /// Steps aside: all that is left goes to the buffer, if that takes it. Whether to go on: with nothing,
    /// or with what it did not take.
    pub(super) async fn step_aside(&mut self) -> bool {
        let Some(buffer) = self.shared.buffer.clone() else { return true };
        if let Origin::Buffer(_) = self.origin {
            // It lies there whole. What of it was stored meanwhile is sent again, as the same bytes.
            let left: u64 = self.left().map(|payload| u64::from(payload.records)).sum();
            self.shared.stats.store(left + self.withheld.records());
            return false;
        }
        let payloads = self.left().cloned().collect::<Vec<_>>();
        if payloads.is_empty() || buffer.append(payloads).await {
            self.pieces.clear();
            self.search = None;
            return true;
        }
        self.ear.refused = true;
        !self.ear.is_to_leave()
    }

    /// Says that all has met its end, or is in the buffer.
    pub(super) async fn settle(&mut self) -> End {
        self.keep_withheld().await;
        let shared = Arc::clone(&self.shared);
        match &mut self.origin {
            Origin::Queue(receipt) => shared.settle.settle(shared.destination, receipt),
            Origin::Buffer(stored) => {
                if let (Some(buffer), Some(stored)) = (&shared.buffer, stored.take()) {
                    buffer.done(stored).await;
                }
            }
        }
        shared.stats.batches_settled.fetch_add(1, Relaxed);
        // The permit and the receipt go with the work.
        End::Settled
    }
}
