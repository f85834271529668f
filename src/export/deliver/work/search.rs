//! The search for records that a destination refused without naming them: it stored the others, and
//! knows them again when it gets the same bytes. Halves are sent, one at a time and in order, until
//! each half is taken whole or refused whole.
//!
//! A record that is refused now may yet have been stored before: Loki takes a line, then a newer one of
//! the same stream, and an hour behind that the first one comes too late. So what was found is certain
//! only if it is no more than what the first answer counted, and that was the answer to the first
//! attempt; else it is kept as [`Reason::Uncertain`].

use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;

use tracing::debug;

use super::{Piece, Work};
use crate::export::dead_letter::Reason;
use crate::export::deliver::Rewrite;
use crate::export::gate::Slot;
use crate::export::outcome::{Refusal, Verdict};
use crate::export::payload::Payload;
use crate::export::rewrite::Cut;
use crate::export::sink::Sink;

/// Refusals that one search may meet, beside at most as many answers that all is stored: one for each
/// halving on the way to a culprit. Finds some ten scattered over ten thousand records, or any number
/// in a row.
pub(super) const MOST_REFUSALS: u32 = 128;

/// What is known so far.
pub(super) struct Search {
    /// How many were refused, as the first answer had it.
    said: u32,
    /// Whether that may be an answer to a later attempt than the first: [`Piece::maybe_stored`].
    after_others: bool,
    /// What the first answer said.
    first: Refusal,
    /// Refusals since.
    refusals: u32,
    /// Payloads that were refused whole, and why.
    found: VecDeque<(Payload, Refusal)>,
    /// Payloads of which nobody can tell what of them is stored.
    undecided: VecDeque<Payload>,
}

impl Search {
    /// The payloads that are kept, none of whose records has met its end.
    pub(super) fn payloads(&self) -> impl Iterator<Item = &Payload> {
        self.found.iter().map(|(payload, _)| payload).chain(&self.undecided)
    }

    /// Bytes of them.
    pub(super) fn resident(&self) -> usize {
        self.payloads().map(Payload::resident).sum()
    }

    /// Whether those found were all refused at first.
    fn is_certain(&self) -> bool {
        let found = self.found.iter().filter(|(_, refusal)| refusal.may_follow_success());
        let found: u64 = found.map(|(payload, _)| u64::from(payload.records)).sum();
        let of_all = !self.after_others && self.first.may_follow_success();
        of_all && found <= u64::from(self.said)
    }
}

/// Why all records of a piece that is being searched were refused, if they were.
pub(super) fn found(piece: &Piece, verdicts: &[Verdict]) -> Option<Refusal> {
    let Some(Verdict::Refused(refusal)) = verdicts.first() else { return None };
    let all = verdicts.iter().all(|verdict| matches!(verdict, Verdict::Refused(_)));
    (piece.searched && all).then(|| refusal.clone())
}

impl<S: Sink, R: Rewrite> Work<S, R> {
    /// Looks for the records of a piece that were refused; begins a search if there is none yet.
    pub(super) fn search(&mut self, slot: Slot, piece: Piece, refused: u32, refusal: Refusal) {
        self.recovered(slot.succeeded());
        self.shared.proven.store(true, Relaxed);
        let search = self.search.get_or_insert_with(|| Search {
            said: refused,
            after_others: piece.maybe_stored,
            first: refusal,
            refusals: 0,
            found: VecDeque::new(),
            undecided: VecDeque::new(),
        });
        search.refusals += u32::from(piece.searched);
        debug!(
            destination = self.shared.name,
            records = piece.payload.records,
            refused,
            refusals = search.refusals,
            "records refused without being named: sending halves"
        );
        if let Some(piece) = self.halve(Piece { searched: true, ..piece }, Cut::Records) {
            // One record, of which something was refused and something not.
            self.leave_undecided(piece);
        }
    }

    /// A piece that is being searched was refused whole.
    pub(super) fn found(&mut self, slot: Slot, piece: Piece, refusal: Refusal) {
        self.recovered(slot.succeeded());
        if let Some(search) = &mut self.search {
            search.refusals += 1;
            search.found.push_back((piece.payload, refusal));
        }
    }

    /// Gives up on a piece that is being searched.
    pub(super) fn leave_undecided(&mut self, piece: Piece) {
        if let Some(search) = &mut self.search {
            search.undecided.push_back(piece.payload);
        }
    }

    /// Ends the search if it is over, or has taken too long, and keeps what was found.
    pub(super) async fn conclude(&mut self) {
        let Some(search) = &mut self.search else { return };
        while self.pieces.front().is_some_and(|piece| piece.searched) {
            if search.refusals < MOST_REFUSALS {
                return;
            }
            search.undecided.extend(self.pieces.pop_front().map(|piece| piece.payload));
        }
        let (is_certain, first) = (search.is_certain(), search.first.clone());
        while let Some((payload, refusal)) =
            self.search.as_mut().and_then(|it| it.found.pop_front())
        {
            let known = is_certain || !refusal.may_follow_success();
            let reason = if known { refusal.reason() } else { Reason::Uncertain };
            self.refuse_as(&payload, |_| Some(refusal.clone()), |_| reason).await;
        }
        while let Some(payload) = self.search.as_mut().and_then(|it| it.undecided.pop_front()) {
            self.refuse_as(&payload, |_| Some(first.clone()), |_| Reason::Uncertain).await;
        }
        self.search = None;
    }
}
