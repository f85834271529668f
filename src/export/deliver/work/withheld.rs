//! What is refused of a payload from the disk buffer, withheld until all else of it has met its end.
//!
//! A payload stays in the buffer whole until that is so: if it has to step aside before, as when the
//! configuration is loaded anew, all of it is sent again. A record that was a dead letter by then could
//! be one twice, or be stored as well. What is withheld is an id and a reason; the dead letters are made
//! at the end, from what the buffer has.

use std::collections::HashMap;
use std::sync::Arc;

use tracing::error;

use super::refuse::slice;
use super::{Origin, Work};
use crate::export::backoff::Backoff;
use crate::export::dead_letter::file::Refused;
use crate::export::dead_letter::{DeadLetter, Reason};
use crate::export::deliver::Rewrite;
use crate::export::outcome::Refusal;
use crate::export::payload::Payload;
use crate::export::sink::Sink;

/// Times that the buffer is asked for what it has to have.
const READS: u32 = 5;

/// Records that were refused for good and are no dead letters yet.
#[derive(Default)]
pub(super) struct Withheld {
    /// By their ids.
    why: HashMap<String, (Refusal, Reason)>,
    records: u64,
    bytes: usize,
}

impl Withheld {
    fn add(&mut self, letter: DeadLetter, refusal: Refusal) {
        let DeadLetter { id, reason, .. } = letter;
        self.records += 1;
        self.bytes += id.capacity() + size_of::<(String, Refusal, Reason)>();
        self.why.insert(id, (refusal, reason));
    }

    /// How many there are.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// Bytes of memory that they take.
    pub(super) fn resident(&self) -> usize {
        self.bytes
    }

    fn take(&self, mut letter: DeadLetter) -> Option<Refused> {
        let (refusal, reason) = self.why.get(&letter.id)?;
        letter.reason = *reason;
        Some(Refused { letter, refusal: Some(refusal.clone()) })
    }
}

impl<S: Sink, R: Rewrite> Work<S, R> {
    /// Withholds the records of a payload that were refused for good: a slice at a time.
    pub(super) fn withhold(
        &mut self,
        payload: &Payload,
        why: impl Fn(u32) -> Option<Refusal>,
        reason: impl Fn(&Refusal) -> Reason,
    ) {
        let mut left = (0..payload.records).filter(|at| why(*at).is_some()).count();
        let most = slice(payload);
        self.write_letters(payload, most);
        let mut next = 0;
        while left > 0 {
            let reason = &|at| why(at).as_ref().map(&reason);
            match self.shared.rewriter.dead_letters(payload, next, most, reason) {
                Ok((letters, end)) if !letters.is_empty() => {
                    left = left.saturating_sub(letters.len());
                    let refusals = (next..end).filter_map(&why);
                    let all = letters.into_iter().zip(refusals);
                    all.for_each(|(letter, refusal)| self.withheld.add(letter, refusal));
                    next = end;
                }
                _ => {
                    self.unreadable(left as u64);
                    break;
                }
            }
        }
        self.account();
    }

    /// Keeps dead letters of what was withheld: nothing else is left of the payload.
    pub(super) async fn keep_withheld(&mut self) {
        let withheld = std::mem::take(&mut self.withheld);
        let (mut left, shared) = (withheld.records, Arc::clone(&self.shared));
        if left == 0 {
            return;
        }
        let _turn = shared.letters.lock().await;
        let payload = self.whole().await;
        let (mut next, mut found, mut kept, mut first) = (0, 0, 0, None);
        while let Some(payload) = &payload
            && left > 0
        {
            let most = slice(payload);
            self.write_letters(payload, most + withheld.bytes);
            let any = &|_| Some(Reason::Refused);
            let Ok((letters, end)) = shared.rewriter.dead_letters(payload, next, most, any) else {
                break;
            };
            if letters.is_empty() {
                break;
            }
            let refused: Vec<_> =
                letters.into_iter().filter_map(|letter| withheld.take(letter)).collect();
            first = first.or_else(|| refused.first().and_then(|it| it.refusal.clone()));
            found += refused.len() as u64;
            left = withheld.records.saturating_sub(found);
            kept += self.keep(refused).await;
            next = end;
        }
        if left > 0 {
            self.unreadable(left);
        }
        if let Some(first) = first {
            self.say_refused(&first, [kept, found - kept]);
        }
    }

    /// All of a payload from the buffer, as it lies there; `None` if it is not to be had any more.
    async fn whole(&self) -> Option<Payload> {
        let (Some(buffer), Origin::Buffer(Some(stored))) = (&self.shared.buffer, &self.origin)
        else {
            return None;
        };
        for failures in 1..=READS {
            match buffer.again(stored).await {
                Ok(payload) => return payload,
                Err(problem) => {
                    let wait = self.shared.gate.delay(Backoff::DISK, failures, None);
                    let destination = &self.shared.name;
                    error!(
                        destination, %problem, ?wait,
                        "the buffer cannot be read: no dead letters of what was refused, batch held"
                    );
                    tokio::time::sleep(wait).await;
                }
            }
        }
        None
    }
}
