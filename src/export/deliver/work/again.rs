//! What is sent again: when, in which size, and what is said about it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tracing::{debug, error, info, warn};

use super::divide::PROBE;
use super::{Piece, Work};
use crate::export::backoff::Backoff;
use crate::export::deliver::Rewrite;
use crate::export::gate::{Slot, backoff_for};
use crate::export::outcome::{PauseClass, Refusal, RetryClass};
use crate::export::rewrite::Cut;
use crate::export::sink::Sink;

/// After this many broken or missing answers to the same payload, it is sent in halves: a server or
/// a proxy may cut off what is too large for it, or too slow, without saying so.
const HALVE_AFTER: u32 = 3;

/// After this many answers in a row that say "not now" to the same payload, its batch lets others
/// be tried: it may be alone in its trouble, as one whose stream is over a limit.
const PASSED_AFTER: u32 = 3;

/// After this many failures with another batch's success before each, it is alone in its trouble, and
/// keeps no place in line. Not after one: the oldest batch's success is what ends an outage, and the
/// next batch may still be told "not now".
const ALONE_AFTER: u32 = 2;

impl<S: Sink, R: Rewrite> Work<S, R> {
    pub(super) async fn retry(
        &mut self,
        slot: Slot,
        mut piece: Piece,
        class: RetryClass,
        after: Option<Duration>,
        status: u16,
        detail: Option<Box<str>>,
    ) {
        let shared = Arc::clone(&self.shared);
        shared.stats.retry(class);
        piece.failures = piece.failures.saturating_add(1);
        // Where nobody was reached, nothing is stored.
        piece.maybe_stored |= class != RetryClass::Connect;
        let failures = piece.failures;
        let answered = shared.gate.answered();
        self.alone += u32::from(self.answered.is_some_and(|before| before != answered));
        self.answered = Some(answered);
        let open = slot.failed(class, after);
        self.say_failed(open, class, failures, status, detail.as_deref());
        // Only of a destination that answers; and where one batch is in trouble, more may be.
        let answers = matches!(class, RetryClass::Overload | RetryClass::Server);
        let in_trouble = failures >= PASSED_AFTER || shared.passed.load(Relaxed) > 0;
        if open && answers && in_trouble {
            self.let_pass();
        }
        let silent = match class {
            RetryClass::Broken | RetryClass::Timeout => piece.payload.plain_bytes > PROBE,
            RetryClass::Reply => true,
            _ => false,
        };
        let again = if silent && failures.is_multiple_of(HALVE_AFTER) {
            self.halve(piece, Cut::Records)
        } else {
            Some(piece)
        };
        again.into_iter().for_each(|piece| self.pieces.push_front(piece));
        if !open {
            self.account();
            let place = (self.alone < ALONE_AFTER).then(|| shared.gate.hold(self.ticket)).flatten();
            // With others behind it, it asks more often.
            let failures = if place.is_some() { failures.min(PASSED_AFTER) } else { failures };
            self.pass(shared.gate.delay(backoff_for(class), failures, after)).await;
        }
    }

    fn say_failed(
        &self,
        open: bool,
        class: RetryClass,
        failures: u32,
        status: u16,
        detail: Option<&str>,
    ) {
        let (destination, class) = (&self.shared.name, class.name());
        if open {
            let retry_in = self.shared.stats.retry_in().unwrap_or_default();
            let said = "destination fails, waiting";
            warn!(destination, class, status, detail, failures, ?retry_in, "{said}");
        } else {
            debug!(destination, class, status, detail, failures, "request failed, trying again");
        }
    }

    /// Lets a batch more be at hand.
    pub(super) fn let_pass(&mut self) {
        if !self.is_passed {
            self.is_passed = true;
            self.shared.passed.fetch_add(1, Relaxed);
            self.shared.more.notify_one();
        }
    }

    pub(super) async fn too_large(
        &mut self,
        slot: Slot,
        piece: Piece,
        status: u16,
        overload: bool,
    ) {
        if !overload {
            let refusal = Refusal { status, error: None };
            return self.divide(slot, piece, refusal, Cut::Records).await;
        }
        // What must be smaller must also wait, and overload condemns no record.
        if piece.payload.records == 1 {
            self.retry(slot, piece, RetryClass::Overload, None, status, None).await;
            return;
        }
        self.shared.stats.retry(RetryClass::Overload);
        let (open, failures) = (slot.failed(RetryClass::Overload, None), piece.failures + 1);
        let again = self.halve(Piece { failures, ..piece }, Cut::Records);
        again.into_iter().for_each(|piece| self.pieces.push_front(piece));
        if !open {
            self.account();
            let gate = Arc::clone(&self.shared.gate);
            let wait = gate.delay(Backoff::OVERLOAD, failures, None);
            let _place = gate.hold(self.ticket);
            self.pass(wait).await;
        }
    }

    pub(super) fn pause(&self, slot: Slot, class: PauseClass, status: u16, detail: Option<&str>) {
        self.shared.stats.pause(class);
        slot.paused();
        self.say_paused(class, status, detail);
    }

    pub(super) fn say_paused(&self, class: PauseClass, status: u16, detail: Option<&str>) {
        let retry_in = self.shared.stats.retry_in().unwrap_or_default();
        let (destination, name, advice) = (&self.shared.name, class.name(), class.advice());
        error!(
            destination,
            class = name,
            status,
            detail,
            ?retry_in,
            advice,
            "destination paused: its configuration does not work; nothing is dropped"
        );
    }

    pub(super) fn recovered(&self, recovered: bool) {
        if recovered {
            info!(destination = self.shared.name, "destination answers again");
        }
    }
}
