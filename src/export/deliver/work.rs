//! One batch on its way: sent, and sent again in whole or in part, until every record of it has met
//! its end. Then, and only then, it is settled.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use tokio::sync::{Mutex, Notify, watch};

use super::Rewrite;
use super::quiet::Quiet;
use crate::budget::Permit;
use crate::checkpoint::settle::Settle;
use crate::export::buffer::Buffer;
use crate::export::dead_letter::Reason;
use crate::export::dead_letter::file::DeadLetterFile;
use crate::export::gate::{Gate, Slot, backoff_for};
use crate::export::outcome::{Outcome, Refusal, Verdict};
use crate::export::payload::Payload;
use crate::export::rewrite::Cut;
use crate::export::sink::{Answer, Sink};
use crate::export::stats::DestinationStats;

pub(super) use self::aside::Load;
use self::aside::{Call, Ear, Origin, Tried};
use self::search::{Search, found};
use self::tally::{Tally, hold};
use self::withheld::Withheld;

mod again;
pub(super) mod aside;
mod divide;
mod refuse;
mod search;
mod tally;
mod withheld;

/// What the batches of one destination share.
pub(super) struct Shared<S, R> {
    pub(super) destination: usize,
    pub(super) name: String,
    pub(super) sink: S,
    pub(super) rewriter: R,
    pub(super) gate: Arc<Gate>,
    pub(super) stats: Arc<DestinationStats>,
    pub(super) settle: Arc<dyn Settle>,
    pub(super) dead_letters: DeadLetterFile,
    /// Whether a probe is cut out of a large payload.
    pub(super) small_probes: bool,
    /// Held while dead letters are made and kept: as long as their file cannot be written, one
    /// slice of them is in memory, and the other batches wait as compressed as they are.
    pub(super) letters: Mutex<()>,
    /// Keeps lines about refused records few.
    pub(super) refusals: Quiet,
    /// The same about those that the answer did not tell apart.
    pub(super) unattributed: Quiet,
    /// Whether the destination has taken any record since the start. Until then, a refusal of a
    /// whole request may be about the configuration (a parameter, a proxy's limit), as may one that is
    /// [`Verdict::Doubted`], and condemns no record.
    pub(super) proven: AtomicBool,
    /// Batches in trouble that let others pass.
    pub(super) passed: AtomicUsize,
    /// Rung when another batch may be at hand.
    pub(super) more: Notify,
    /// Where batches go while the destination is in trouble.
    pub(super) buffer: Option<Arc<Buffer>>,
    /// What is asked of work in progress.
    pub(super) call: watch::Sender<Call>,
    /// Batches on their way from the queue to the buffer, each a [`Writing`](aside::Writing).
    pub(super) writing: Arc<AtomicUsize>,
}

/// How a batch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Settled.
    Settled,
    /// Dropped unsettled: the destination is gone for good.
    Gone,
    /// Dropped unsettled: there is no time left. What came from the buffer is there still.
    GivenUp,
}

/// What is left of a batch.
struct Work<S, R> {
    shared: Arc<Shared<S, R>>,
    pieces: VecDeque<Piece>,
    permit: Permit,
    /// Bytes of the permit that are not payload: the receipt, and what the answer may take.
    besides: usize,
    /// Who is told at the end.
    origin: Origin,
    ear: Ear,
    /// What was refused of a payload from the buffer.
    withheld: Withheld,
    /// Its place among the batches.
    ticket: u64,
    /// Whether it is among [`Shared::passed`].
    is_passed: bool,
    /// [`Gate::answered`] as of its last failure, if nothing of it was answered well since.
    answered: Option<u64>,
    /// Failures in a row before which another batch was answered well.
    alone: u32,
    /// The search for records that were refused and not named, while there is one.
    search: Option<Search>,
}

impl<S, R> Drop for Work<S, R> {
    fn drop(&mut self) {
        self.shared.passed.fetch_sub(usize::from(self.is_passed), Relaxed);
    }
}

/// A payload that is still to be sent.
struct Piece {
    payload: Payload,
    /// Times it failed on its own account.
    failures: u32,
    /// Whether it is part of [`Work::search`]: those that are stand before all others.
    searched: bool,
    /// Whether some of it may be stored without anybody having said so: an answer was lost, or it
    /// comes from the buffer, where nothing is known of earlier attempts.
    maybe_stored: bool,
}

impl Piece {
    /// The reason that its dead letters name for a refusal.
    fn reason(&self, refusal: &Refusal) -> Reason {
        if self.maybe_stored && refusal.may_follow_success() {
            Reason::Uncertain
        } else {
            refusal.reason()
        }
    }
}

/// Delivers a load, or takes it to the buffer, and settles it.
pub(super) async fn deliver<S: Sink, R: Rewrite>(shared: Arc<Shared<S, R>>, load: Load) -> End {
    let (mut work, refused, writing) = Work::on(&shared, load);
    work.readdress();
    work.keep_all(refused).await;
    if let Some(writing) = writing {
        let goes_on = work.step_aside().await;
        drop(writing);
        shared.more.notify_one();
        if !goes_on {
            return End::GivenUp;
        }
    }
    while let Some(piece) = work.pieces.pop_front() {
        match work.attempt(piece).await {
            Tried::Answered => {
                work.conclude().await;
                work.account();
            }
            Tried::Called => {
                if !work.step_aside().await {
                    return End::GivenUp;
                }
            }
            Tried::Gone => return End::Gone,
        }
    }
    work.settle().await
}

fn resident(pieces: &VecDeque<Piece>) -> usize {
    pieces.iter().map(|piece| piece.payload.resident()).sum()
}

impl<S: Sink, R: Rewrite> Work<S, R> {
    /// Sends one piece once. Puts back what is left of it.
    async fn attempt(&mut self, mut piece: Piece) -> Tried {
        let Some(slot) = self.enter().await else {
            self.pieces.push_front(piece);
            return Tried::Called;
        };
        if slot.is_probe() && self.shared.small_probes {
            piece = self.small(piece);
        }
        self.account_with(&piece.payload);
        let payload = &piece.payload;
        let stats = &self.shared.stats;
        stats.requests.fetch_add(1, Relaxed);
        stats.bytes_wire.fetch_add(payload.body.len() as u64, Relaxed);
        stats.bytes_plain.fetch_add(payload.plain_bytes as u64, Relaxed);
        let Some(Answer { outcome, status, detail }) = self.send(&piece.payload).await else {
            self.pieces.push_front(piece);
            return Tried::Called;
        };
        let stats = &self.shared.stats;
        stats.last_status.store(status, Relaxed);
        if !matches!(outcome, Outcome::Retry { .. }) {
            (self.answered, self.alone) = (None, 0);
        }
        match outcome {
            Outcome::Delivered => {
                self.recovered(slot.succeeded());
                self.shared.proven.store(true, Relaxed);
                stats.deliver(u64::from(piece.payload.records));
            }
            Outcome::Records(verdicts) => match found(&piece, &verdicts) {
                Some(refusal) => self.found(slot, piece, refusal),
                None => self.judge(slot, piece, verdicts).await,
            },
            Outcome::PartlyRefused { refused, refusal } => {
                self.search(slot, piece, refused, refusal);
            }
            Outcome::Unattributed { refused } => {
                self.recovered(slot.succeeded());
                self.unattributed(&piece, status, refused);
            }
            Outcome::Retry { class, after } => {
                self.retry(slot, piece, class, after, status, detail).await;
            }
            Outcome::TooLarge { status, overload } => {
                self.too_large(slot, piece, status, overload).await;
            }
            Outcome::Poisoned(refusal) => self.divide(slot, piece, refusal, Cut::Records).await,
            Outcome::StreamRefused(refusal) => {
                self.divide(slot, piece, refusal, Cut::Streams).await;
            }
            Outcome::Pause(class) => {
                self.pause(slot, class, status, detail.as_deref());
                self.pieces.push_front(piece);
            }
            Outcome::Gone => return Tried::Gone,
        }
        Tried::Answered
    }

    /// Acts on the verdict over each record.
    async fn judge(&mut self, slot: Slot, piece: Piece, mut verdicts: Vec<Verdict>) {
        let Tally { delivered, duplicate, failure_store, retry, pause } = Tally::of(&verdicts);
        let stats = &self.shared.stats;
        self.shared.proven.fetch_or(delivered + duplicate > 0, Relaxed);
        let doubt = if self.shared.proven.load(Relaxed) { None } else { hold(&mut verdicts) };
        stats.deliver(delivered);
        stats.duplicate(duplicate);
        stats.dead_letter(Reason::FailureStore, failure_store);
        let all = retry.is_some() && verdicts.iter().all(|v| matches!(v, Verdict::Retry(_)));
        let mut wait = None;
        match (&doubt, pause, retry) {
            (Some(refusal), _, _) => self.doubt(slot, refusal),
            (None, Some(class), _) => self.pause(slot, class, 200, None),
            (None, None, Some(class)) => {
                stats.retry(class);
                let open = if all { slot.failed(class, None) } else { self.strained(slot) };
                let failures = piece.failures + 1;
                wait = (!open).then(|| self.shared.gate.delay(backoff_for(class), failures, None));
            }
            (None, None, None) => self.recovered(slot.succeeded()),
        }
        let why = |at: u32| match verdicts.get(at as usize) {
            Some(Verdict::Refused(refusal) | Verdict::Doubted(refusal)) => Some(refusal.clone()),
            _ => None,
        };
        self.refuse_as(&piece.payload, why, |refusal| piece.reason(refusal)).await;
        let put_back = self.put_back(piece, &verdicts);
        if put_back && doubt.is_some() {
            // The others first: one of them may be taken.
            self.pieces.rotate_left(1);
        }
        if let Some(wait) = wait {
            self.account();
            self.pass(wait).await;
        }
    }

    fn strained(&self, slot: Slot) -> bool {
        self.recovered(slot.strained());
        false
    }
}
