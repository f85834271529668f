//! Records that will never be delivered: kept, or counted as lost.

use std::sync::atomic::Ordering::Relaxed;

use tracing::{error, warn};

use super::{Piece, Work};
use crate::export::backoff::Backoff;
use crate::export::dead_letter::file::{Kept, Refused};
use crate::export::deliver::Rewrite;
use crate::export::outcome::Refusal;
use crate::export::payload::Payload;
use crate::export::sink::Sink;
use crate::export::stats::LostReason;

impl<S: Sink, R: Rewrite> Work<S, R> {
    /// Keeps dead letters of the records that were refused for good.
    pub(super) async fn refuse(&mut self, payload: &Payload, why: impl Fn(u32) -> Option<Refusal>) {
        let refusals: Vec<_> = (0..payload.records).filter_map(&why).collect();
        let Some(first) = refusals.first() else { return };
        let count = refusals.len() as u64;
        if let Some(records) = self.shared.refusals.add(count) {
            let (destination, status) = (&self.shared.name, first.status);
            let error = first.error.as_deref();
            warn!(
                destination,
                records, status, error, "records refused for good, kept as dead letters"
            );
        }
        self.reserve(payload);
        let reason = &mut |at| why(at).map(|refusal| refusal.reason());
        match self.shared.rewriter.dead_letters(payload, reason) {
            Ok(letters) if letters.len() == refusals.len() => {
                let letters = letters.into_iter().zip(refusals);
                let refused = |(letter, refusal)| Refused { letter, refusal: Some(refusal) };
                self.keep(letters.map(refused).collect()).await;
            }
            _ => self.unreadable(count),
        }
    }

    /// Writes dead letters, however long it takes: until they are on disk the batch is not settled.
    pub(super) async fn keep(&mut self, letters: Vec<Refused>) {
        if letters.is_empty() {
            return;
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
        for (refused, kept) in letters.iter().zip(kept) {
            match kept {
                Kept::Synced => shared.stats.dead_letter(refused.letter.reason, 1),
                Kept::Full => shared.stats.lose(LostReason::DeadLetterFull, 1),
            }
        }
    }

    pub(super) fn unattributed(&self, piece: &Piece, status: u16, refused: u32) {
        let (stats, refused) = (&self.shared.stats, refused.min(piece.payload.records));
        self.shared.proven.fetch_or(refused < piece.payload.records, Relaxed);
        stats.deliver(u64::from(piece.payload.records - refused));
        stats.lose(LostReason::Unattributed, u64::from(refused));
        if let Some(records) = self.shared.refusals.add(u64::from(refused)) {
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
