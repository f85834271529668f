//! The gate before one destination: how many requests may be out (concurrency), whether any may
//! (breaker), and who goes next. Every request passes it, whichever batch it is for.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::backoff::Backoff;
use super::breaker::{Admission, Breaker};
use super::concurrency::Concurrency;
use super::outcome::RetryClass;
use super::stats::DestinationStats;

/// Failures in a row after which trouble is not over in a moment: those that open the circuit, and three
/// probes at growing intervals.
const LASTING: u32 = 6;

/// A request that may go so soon is waited for: it may be on its way by the time that it is called off.
const AT_HAND: Duration = Duration::from_millis(100);

/// Shared by the batches of one destination that are being delivered.
#[derive(Debug)]
pub struct Gate {
    inner: Mutex<Inner>,
    /// Wakes all that wait whenever something changed that may let one of them through.
    changed: Notify,
    stats: Arc<DestinationStats>,
}

#[derive(Debug)]
struct Inner {
    breaker: Breaker,
    concurrency: Concurrency,
    active: usize,
    /// Those that wait; the lowest goes first. A batch whose probe failed comes back with a higher
    /// one, so that a batch which can never succeed does not keep the circuit open for the others.
    /// Where order matters, a batch keeps the one that it has.
    tickets: BTreeSet<u64>,
    next_ticket: u64,
    /// Where order matters, those whose probe failed in this round: the others go before them.
    asked: BTreeSet<u64>,
    /// Requests that were answered well.
    answered: u64,
    /// Requests that were not: failed, or answered for a person.
    failed: u64,
    /// Chance, for jitter; seeded in tests.
    random: fastrand::Rng,
}

/// Leave to send one request. Dropped without a report (the batch was given up), it only frees its
/// place.
#[derive(Debug)]
pub struct Slot {
    gate: Arc<Gate>,
    began: Instant,
    ticket: u64,
    probe: bool,
    reported: bool,
}

/// A place in line. Takes the ticket back when its holder stops waiting.
#[derive(Debug)]
pub struct Waiting<'g> {
    gate: &'g Gate,
    ticket: u64,
}

impl Gate {
    /// An open gate for up to `most` requests at a time.
    #[must_use]
    pub fn new(most: usize, random: fastrand::Rng, stats: Arc<DestinationStats>) -> Arc<Self> {
        let inner = Inner {
            breaker: Breaker::default(),
            concurrency: Concurrency::new(most),
            active: 0,
            tickets: BTreeSet::new(),
            next_ticket: 0,
            asked: BTreeSet::new(),
            answered: 0,
            failed: 0,
            random,
        };
        Arc::new(Self { inner: Mutex::new(inner), changed: Notify::new(), stats })
    }

    /// A batch's own ticket. Where order matters, those that wait go in the order of these, else in
    /// that of their arrival.
    #[must_use]
    pub fn ticket(&self) -> u64 {
        self.lock().mint()
    }

    /// Waits until a request may be sent for the batch that has this ticket.
    pub async fn enter(self: &Arc<Self>, ticket: u64) -> Slot {
        let waiting = self.line_up(ticket);
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Before looking, so that a change between the look and the wait still wakes.
            changed.as_mut().enable();
            match self.try_enter(waiting.ticket) {
                Ok(slot) => return slot,
                Err(Some(until)) => tokio::select! {
                    () = sleep_until(until) => {}
                    () = changed => {}
                },
                Err(None) => changed.await,
            }
        }
    }

    /// Batches worth having at hand: as many as may be out, and one more, so that a batch in
    /// trouble of its own never is the only one that could probe. Where only one may ever be out,
    /// order matters, and none is to pass one that waits.
    #[must_use]
    pub fn width(&self) -> usize {
        let inner = self.lock();
        inner.concurrency.limit() + usize::from(!inner.in_order())
    }

    /// Whether order matters: only one request may ever be out.
    #[must_use]
    pub fn is_in_order(&self) -> bool {
        self.lock().in_order()
    }

    /// How many requests were answered well so far, of whichever batch.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.lock().answered
    }

    /// How many requests failed as a whole so far, or were answered for a person to mend something.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.lock().failed
    }

    /// Whether it is no use to wait until the deadline: no request is out, and the next may go only
    /// after it; or the trouble has lasted for six attempts, at least one of which was made since
    /// [`Self::failed`] was `before`, and the next is not at hand.
    #[must_use]
    pub fn is_hopeless(&self, before: u64, deadline: Option<Instant>) -> bool {
        let (inner, now) = (self.lock(), Instant::now());
        let Admission::At(next) = inner.breaker.admit(now) else { return false };
        let too_late = deadline.is_some_and(|deadline| deadline <= next);
        let lasts = inner.breaker.failures() >= LASTING && inner.failed > before;
        inner.active == 0 && (too_late || lasts && next > now + AT_HAND)
    }

    /// A random delay from `backoff`, for a batch that waits on its own account.
    pub fn delay(&self, backoff: Backoff, failures: u32, after: Option<Duration>) -> Duration {
        let random = self.lock().random.f64();
        backoff.delay(failures, random, after)
    }

    /// Where order matters, keeps the place in line of a batch that waits on its own account, so that
    /// none passes it.
    #[must_use]
    pub fn hold(&self, ticket: u64) -> Option<Waiting<'_>> {
        let in_order = self.lock().in_order();
        in_order.then(|| self.line_up(ticket))
    }

    fn line_up(&self, ticket: u64) -> Waiting<'_> {
        let mut inner = self.lock();
        let ticket = if inner.in_order() { ticket } else { inner.mint() };
        inner.tickets.insert(ticket);
        Waiting { gate: self, ticket }
    }

    fn try_enter(self: &Arc<Self>, ticket: u64) -> Result<Slot, Option<Instant>> {
        let mut inner = self.lock();
        let now = Instant::now();
        if inner.next() != Some(ticket) {
            return Err(None);
        }
        let probe = match inner.breaker.admit(now) {
            Admission::Yes if inner.active < inner.concurrency.limit() => false,
            Admission::Yes | Admission::AfterProbe => return Err(None),
            Admission::At(until) => return Err(Some(until)),
            Admission::Probe => {
                inner.breaker.probe();
                true
            }
        };
        inner.active += 1;
        let active = inner.active;
        inner.concurrency.began(active);
        self.show(&inner, None);
        Ok(Slot { gate: Arc::clone(self), began: now, ticket, probe, reported: false })
    }

    fn show(&self, inner: &Inner, retry_at: Option<Instant>) {
        use std::sync::atomic::Ordering::Relaxed;
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.stats.active.store(number(inner.active), Relaxed);
        self.stats.concurrency.store(number(inner.concurrency.limit()), Relaxed);
        let retry_at = retry_at.or(match inner.breaker.admit(Instant::now()) {
            Admission::At(until) => Some(until),
            _ => None,
        });
        self.stats.show_breaker(inner.breaker.shown(), retry_at);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it is held.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Whether order matters: only one may ever be out.
    fn in_order(&self) -> bool {
        self.concurrency.most() == 1
    }

    fn mint(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }

    /// Who goes next: the first that was not asked in this round, or else the first of the next one.
    fn next(&self) -> Option<u64> {
        self.tickets.difference(&self.asked).next().or(self.tickets.first()).copied()
    }

    /// Where order matters, notes that a batch had its turn. Whether another one has it still in this
    /// round.
    fn passes_on(&mut self, ticket: u64) -> bool {
        if !self.in_order() {
            return false;
        }
        self.asked.insert(ticket);
        let passes_on = self.tickets.difference(&self.asked).next().is_some();
        if !passes_on {
            self.asked.clear();
        }
        passes_on
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.gate.lock().tickets.remove(&self.ticket);
        // Whoever is next in line may have looked before this one left it.
        self.gate.changed.notify_waiters();
    }
}

impl Slot {
    /// Whether this is the probe of an open circuit: send something small.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.probe
    }

    /// The destination answered, and is well. Returns whether it was not before.
    pub fn succeeded(mut self) -> bool {
        self.gate.stats.show_progress();
        self.report(|inner, took, now| {
            inner.asked.clear();
            inner.answered += 1;
            let recovered = inner.breaker.succeeded();
            if recovered {
                inner.concurrency.restart();
            } else {
                inner.concurrency.ended(now, Some(took));
            }
            recovered
        })
    }

    /// The destination stored some and is short of capacity for others: a success to the breaker,
    /// a sign of overload to the concurrency.
    pub fn strained(mut self) -> bool {
        self.report(|inner, _, now| {
            inner.concurrency.ended(now, None);
            inner.asked.clear();
            inner.answered += 1;
            let recovered = inner.breaker.succeeded();
            if recovered {
                inner.concurrency.restart();
            }
            recovered
        })
    }

    /// The request failed as a whole. Returns whether the circuit is open now: then the gate does
    /// the waiting, and the batch need not wait on its own account.
    ///
    /// Where order matters, a failed probe lets the next batch in line probe at once, and the wait
    /// comes after the last: a destination that heals while nobody asks is asked by the oldest first.
    pub fn failed(mut self, class: RetryClass, after: Option<Duration>) -> bool {
        let (backoff, probe, ticket) = (backoff_for(class), self.probe, self.ticket);
        self.report(|inner, _, now| {
            inner.concurrency.ended(now, None);
            inner.failed += 1;
            if probe && after.is_none() && inner.passes_on(ticket) {
                inner.breaker.abandon(now);
                return true;
            }
            let random = inner.random.f64();
            inner.breaker.failed(now, backoff, random, after, probe).is_some()
        })
    }

    /// A person must mend something: the whole destination waits, and is then asked by the oldest.
    pub fn paused(mut self) {
        let probe = self.probe;
        self.report(|inner, _, now| {
            inner.asked.clear();
            inner.failed += 1;
            let random = inner.random.f64();
            inner.breaker.pause(now, random, probe);
        });
    }

    /// Perhaps a person must mend something, perhaps this batch is alone in its trouble: the whole
    /// destination waits, and is then asked by another batch.
    pub fn doubted(mut self) {
        let (probe, ticket) = (self.probe, self.ticket);
        self.report(|inner, _, now| {
            let _ = inner.passes_on(ticket);
            inner.failed += 1;
            let random = inner.random.f64();
            inner.breaker.pause(now, random, probe);
        });
    }

    fn report<R>(&mut self, judge: impl FnOnce(&mut Inner, Duration, Instant) -> R) -> R {
        self.reported = true;
        let now = Instant::now();
        let mut inner = self.gate.lock();
        inner.active = inner.active.saturating_sub(1);
        let result = judge(&mut inner, now.saturating_duration_since(self.began), now);
        self.gate.show(&inner, None);
        drop(inner);
        self.gate.changed.notify_waiters();
        result
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.reported {
            let probe = self.probe;
            self.report(|inner, _, now| {
                if probe {
                    inner.breaker.abandon(now);
                }
            });
        }
    }
}

/// The schedule for a class of failure.
#[must_use]
pub fn backoff_for(class: RetryClass) -> Backoff {
    match class {
        RetryClass::Overload | RetryClass::Server => Backoff::OVERLOAD,
        RetryClass::Disk => Backoff::DISK,
        RetryClass::Connect | RetryClass::Broken | RetryClass::Timeout | RetryClass::Reply => {
            Backoff::NETWORK
        }
    }
}

#[cfg(test)]
mod tests;
