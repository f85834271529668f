//! Taking a batch's payloads apart, and what that costs of the budget.

use std::sync::atomic::Ordering::Relaxed;

use super::search::Search;
use super::{Piece, Work, resident};
use crate::export::deliver::Rewrite;
use crate::export::gate::Slot;
use crate::export::outcome::{PauseClass, Refusal, Verdict};
use crate::export::payload::Payload;
use crate::export::rewrite::Cut;
use crate::export::sink::Sink;

/// Bytes before compression that a probe of an open circuit has at most, if records allow.
pub(super) const PROBE: usize = 64 << 10;

impl<S: Sink, R: Rewrite> Work<S, R> {
    /// Keeps the records that are to be sent again, first in line. Whether there are any.
    pub(super) fn put_back(&mut self, piece: Piece, verdicts: &[Verdict]) -> bool {
        let again = |at: u32| {
            matches!(verdicts.get(at as usize), Some(Verdict::Retry(_) | Verdict::Pause(_)))
        };
        let left = (0..piece.payload.records).filter(|at| again(*at)).count();
        if left == 0 {
            return false;
        }
        let failures = piece.failures + 1;
        if left == piece.payload.records as usize {
            self.pieces.push_front(Piece { failures, ..piece });
            return true;
        }
        self.reserve(&piece.payload);
        match self.shared.rewriter.select(&piece.payload, &mut |at| again(at)) {
            Ok(Some(payload)) => {
                self.pieces.push_front(Piece { payload, failures, ..piece });
                true
            }
            _ => {
                self.unreadable(left as u64);
                false
            }
        }
    }

    /// Halves a piece that was refused as a whole, or refuses what cannot be parted any more.
    pub(super) async fn divide(&mut self, slot: Slot, piece: Piece, refusal: Refusal, cut: Cut) {
        match self.halve(piece, cut) {
            None => self.recovered(slot.succeeded()),
            Some(piece) => self.condemn(slot, piece, refusal).await,
        }
    }

    /// Refuses a piece for good: if the destination has shown that it takes others.
    pub(super) async fn condemn(&mut self, slot: Slot, piece: Piece, refusal: Refusal) {
        if piece.searched {
            // It was taken apart and judged before: whatever this is, it does not say what is stored.
            self.recovered(slot.succeeded());
            self.leave_undecided(piece);
        } else if self.shared.proven.load(Relaxed) {
            self.recovered(slot.succeeded());
            self.refuse(&piece.payload, |_| Some(refusal.clone())).await;
        } else {
            self.doubt(slot, &refusal);
            // The others first: one of them may be taken.
            self.pieces.push_back(piece);
        }
    }

    /// Waits, since the destination has not shown yet that it takes anything.
    /// Another batch, if there is one, may show what it takes.
    pub(super) fn doubt(&mut self, slot: Slot, refusal: &Refusal) {
        let error = refusal.error.as_deref().unwrap_or("no reason named");
        let detail = format!("every record so far was refused: {error}");
        self.shared.stats.pause(PauseClass::Unexpected);
        slot.doubted();
        self.say_paused(PauseClass::Unexpected, refusal.status, Some(&detail));
        self.let_pass();
    }

    /// Puts back a piece as two, with the same failures behind them. Returns it if it has no place
    /// to cut.
    pub(super) fn halve(&mut self, piece: Piece, cut: Cut) -> Option<Piece> {
        if piece.payload.records == 1 {
            return Some(piece);
        }
        self.reserve(&piece.payload);
        match self.shared.rewriter.split(&piece.payload, cut) {
            Ok(Some((first, second))) => {
                self.shared.stats.splits.fetch_add(1, Relaxed);
                for payload in [second, first] {
                    self.pieces.push_front(Piece { payload, ..piece });
                }
            }
            Ok(None) => return Some(piece),
            Err(_) => self.unreadable(u64::from(piece.payload.records)),
        }
        None
    }

    /// Cuts a small piece off a large one; the rest stays first in line.
    pub(super) fn small(&mut self, piece: Piece) -> Piece {
        let Payload { records, plain_bytes, .. } = piece.payload;
        let per_record = (plain_bytes / (records as usize).max(1)).max(1);
        let head = u32::try_from(PROBE / per_record).unwrap_or(u32::MAX).max(1);
        if head >= records {
            return piece;
        }
        self.reserve(&piece.payload);
        let rewriter = &self.shared.rewriter;
        let first = rewriter.select(&piece.payload, &mut |at| at < head);
        let rest = rewriter.select(&piece.payload, &mut |at| at >= head);
        let (Ok(Some(first)), Ok(Some(rest))) = (first, rest) else { return piece };
        self.shared.stats.splits.fetch_add(1, Relaxed);
        self.pieces.push_front(Piece { payload: rest, failures: 0, ..piece });
        Piece { payload: first, ..piece }
    }

    /// Takes budget for a rewrite of `payload`, which ends before anything else is done: there is one
    /// at a time.
    pub(super) fn reserve(&mut self, payload: &Payload) {
        let scratch = self.shared.rewriter.rewriting(payload);
        self.permit.resize(self.held() + payload.resident() + scratch);
    }

    /// Takes budget for a slice of dead letters of `payload`, as records and as lines, beside what
    /// reading takes.
    pub(super) fn write_letters(&mut self, payload: &Payload, slice: usize) {
        let held = self.held() + payload.resident();
        self.permit.resize(held + self.shared.rewriter.reading(payload) + 3 * slice);
    }

    /// Bytes of the receipt, of the answer, of what is still to be sent, of what a search has found, and
    /// of what is withheld.
    fn held(&self) -> usize {
        let found = self.search.as_ref().map_or(0, Search::resident);
        self.besides + resident(&self.pieces) + found + self.withheld.resident()
    }

    /// Trues the budget up to what is left.
    pub(super) fn account(&mut self) {
        self.permit.resize(self.held());
    }

    /// Trues the budget up to what is left, and to a payload that is being sent. The answer's share was
    /// taken with the records; of a long one, the transport takes the rest.
    pub(super) fn account_with(&mut self, payload: &Payload) {
        self.permit.resize(self.held() + payload.resident());
    }
}
