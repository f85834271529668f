//! Records that will never be delivered: kept, or counted as lost.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tracing::{error, warn};

use super::{Piece, Work};
use crate::export::backoff::Backoff;
use crate::export::dead_letter::file::{Kept, Refused};
use crate::export::dead_letter::{DeadLetter, Reason};
use crate::export::deliver::Rewrite;
use crate::export::outcome::Refusal;
use crate::export::payload::Payload;
use crate::export::sink::Sink;
use crate::export::stats::LostReason;

/// Bytes of dead letters made at a time, or more if a payload would have to be read more than
/// [`PASSES`] times.
const SLICE: usize = 256 << 10;

/// Times that a payload is read at the most, about, to make its dead letters in slices.
const PASSES: usize = 16;

/// Bytes of dead letters of a payload that are made at a time.
pub(super) fn slice(payload: &Payload) -> usize {
    SLICE.max(payload.plain_bytes / PASSES)
}

impl<S: Sink, R: Rewrite> Work<S, R> {
    /// Keeps dead letters of the records that were refused for good: a slice at a time, of one batch
    /// of the destination at a time.
    pub(super) async fn refuse(&mut self, payload: &Payload, why: impl Fn(u32) -> Option<Refusal>) {
        self.refuse_as(payload, why, Refusal::reason).await;
    }

    /// As [`Work::refuse`], for reasons of the caller's.
    pub(super) async fn refuse_as(
        &mut self,
        payload: &Payload,
        why: impl Fn(u32) -> Option<Refusal>,
        reason: impl Fn(&Refusal) -> Reason,
    ) {
        let mut refusals = (0..payload.records).filter_map(&why);
        let Some(first) = refusals.next() else { return };
        if self.is_from_buffer() {
            return self.withhold(payload, why, reason);
        }
        let (count, shared) = (1 + refusals.count() as u64, Arc::clone(&self.shared));
        let _turn = shared.letters.lock().await;
        let most = slice(payload);
        self.write_letters(payload, most);
        let (mut next, mut left, mut kept) = (0, count, 0);
        while left > 0 {
            let reason = &|at| why(at).as_ref().map(&reason);
            match shared.rewriter.dead_letters(payload, next, most, reason) {
                Ok((letters, end)) if !letters.is_empty() => {
                    left = left.saturating_sub(letters.len() as u64);
                    let letters = letters.into_iter().zip((next..end).filter_map(&why));
                    let refused = |(letter, refusal)| Refused { letter, refusal: Some(refusal) };
                    kept += self.keep(letters.map(refused).collect()).await;
                    next = end;
                }
                _ => {
                    self.unreadable(left);
                    break;
                }
            }
        }
        self.say_refused(&first, [kept, count - kept]);
    }

    pub(super) fn say_refused(&self, first: &Refusal, kept_and_lost: [u64; 2]) {
        if let Some([kept, lost]) = self.shared.refusals.add(kept_and_lost) {
            let destination = &self.shared.name;
            let (status, error) = (first.status, first.error.as_deref());
            warn!(
                destination,
                kept, lost, status, error, "records refused for good; those kept are dead letters"
            );
        }
    }

    /// Keeps the dead letters that the encoder made, and gives back what they took.
    pub(super) async fn keep_all(&mut self, letters: Vec<DeadLetter>) {
        if letters.is_empty() {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let _turn = shared.letters.lock().await;
        let bytes: usize = letters.iter().map(DeadLetter::resident).sum();
        let (mut slice, mut size) = (Vec::new(), 0);
        for letter in letters {
            size += letter.resident();
            slice.push(Refused { letter, refusal: None });
            if size >= SLICE {
                self.keep(std::mem::take(&mut slice)).await;
                size = 0;
            }
        }
        self.keep(slice).await;
        self.besides = self.besides.saturating_sub(bytes);
        self.account();
    }

    /// Writes dead letters, however long it takes: until they are on disk the batch is not settled.
    /// How many are kept; the others are lost.
    pub(super) async fn keep(&self, letters: Vec<Refused>) -> u64 {
        if letters.is_empty() {
            return 0;
        }
        let (shared, mut failures) = (&self.shared, 0);
        let kept = loop {
            match shared.dead_letters.keep(&letters).await {
                Ok(kept) => break kept,
                Err(problem) => {
                    failures += 1;
                    shared.stats.dead_letter_failures.fetch_add(1, Relaxed);
                    let wait = shared.gate.delay(Backoff::DISK, failures, None);
                    let destination = &shared.name;
                    error!(destination, %problem, ?wait, "cannot write dead letters, batch held");
                    tokio::time::sleep(wait).await;
                }
            }
        };
        let mut synced = 0;
        for (refused, kept) in letters.iter().zip(kept) {
            match kept {
                Kept::Synced => {
                    synced += 1;
                    shared.stats.dead_letter(refused.letter.reason, 1);
                }
                Kept::Full => shared.stats.lose(LostReason::DeadLetterFull, 1),
            }
        }
        synced
    }

    pub(super) fn unattributed(&self, piece: &Piece, status: u16, refused: u32) {
        let (stats, refused) = (&self.shared.stats, refused.min(piece.payload.records));
        self.shared.proven.fetch_or(refused < piece.payload.records, Relaxed);
        stats.deliver(u64::from(piece.payload.records - refused));
        stats.lose(LostReason::Unattributed, u64::from(refused));
        if let Some([_, records]) = self.shared.unattributed.add([0, u64::from(refused)]) {
            let destination = &self.shared.name;
            warn!(
                destination,
                records, status, "records refused, and the answer does not say which: lost"
            );
        }
    }

    /// A payload that its own encoder's reader cannot read: its records cannot be told apart.
    pub(super) fn unreadable(&self, records: u64) {
        let destination = &self.shared.name;
        error!(
            destination,
            records, "a refused payload cannot be taken apart: its records are lost"
        );
        self.shared.stats.lose(LostReason::Unreadable, records);
    }
}
