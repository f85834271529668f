//! What can go wrong with a server, switched on and off while it runs, for all requests or for a
//! seeded fraction of them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One thing that goes wrong with bulk and push requests.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The request is answered with this status, and nothing is stored. 260, 401, 403, 413, 429, 500
    /// and 503 carry the text the real servers send.
    Status {
        /// The HTTP status.
        status: u16,
        /// A `Retry-After` header, in whole seconds.
        retry_after: Option<Duration>,
    },
    /// The connection is reset instead of an answer.
    Reset {
        /// Whether the request was carried out before: the client cannot know.
        stored: bool,
    },
    /// No answer ever comes; the connection stays open.
    Hang {
        /// Whether the request was carried out before.
        stored: bool,
    },
    /// The request waits this long, then goes its usual way.
    Slow(Duration),
    /// The request is carried out; its answer breaks off in the middle. An answer without a body
    /// (Loki's 204) breaks off within its head.
    TruncatedReply,
    /// The request is carried out; its answer stops in the middle, and the connection stays open. An
    /// answer without a body does not come at all.
    StalledReply,
    /// The request is carried out; its answer is padded with this many bytes. An answer that cannot
    /// have a body (204) becomes a 500 that has one.
    OversizeReply(usize),
    /// Bodies of more than this many bytes, after decompression, are refused with 413.
    TooLarge(usize),
    /// Each record of a bulk request is answered with this status, with the given probability, and
    /// not stored: 429, or 400, 403, 404, 500, 503. Of a push request, which has no status per
    /// record, each stream is over its rate limit with this probability, whatever the status: the
    /// other streams are stored, and the answer is 429.
    Records {
        /// The record's status.
        status: u16,
        /// How likely, 0 to 1.
        fraction: f64,
    },
}

/// The faults of a receiver. Several may be on at once; each is drawn for by itself.
#[derive(Debug)]
pub struct Faults(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    dice: fastrand::Rng,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    fault: Fault,
    fraction: f64,
    /// How many requests it still meets; `None` has no end.
    left: Option<u32>,
}

/// What one request meets.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Drawn {
    pub(super) delay: Duration,
    pub(super) status: Option<(u16, Option<Duration>)>,
    pub(super) too_large: Option<usize>,
    pub(super) records: Option<(u16, f64)>,
    pub(super) ending: Option<Ending>,
}

/// How the answer to one request ends, if not as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Reset { stored: bool },
    Hang { stored: bool },
    Truncated,
    Stalled,
    Oversize(usize),
}

impl Faults {
    /// No faults yet; dice from `seed`.
    pub(super) fn seeded(seed: u64) -> Self {
        Self(Mutex::new(Inner { dice: fastrand::Rng::with_seed(seed), rules: Vec::new() }))
    }

    /// Switches a fault on for every request until [`Faults::clear`].
    pub fn set(&self, fault: Fault) {
        self.add(fault, 1.0, None);
    }

    /// Switches a fault on for a fraction (0 to 1) of the requests.
    pub fn set_for(&self, fraction: f64, fault: Fault) {
        self.add(fault, fraction, None);
    }

    /// Switches a fault on for the next `requests` requests.
    pub fn set_times(&self, requests: u32, fault: Fault) {
        self.add(fault, 1.0, Some(requests));
    }

    /// Switches all faults off. Requests that hang already go on hanging.
    pub fn clear(&self) {
        self.lock().rules.clear();
    }

    fn add(&self, fault: Fault, fraction: f64, left: Option<u32>) {
        self.lock().rules.push(Rule { fault, fraction, left });
    }

    /// Draws for one request.
    pub(super) fn draw(&self) -> Drawn {
        let mut inner = self.lock();
        let Inner { dice, rules } = &mut *inner;
        let mut drawn = Drawn::default();
        for rule in rules.iter_mut() {
            if dice.f64() >= rule.fraction {
                continue;
            }
            if let Some(left) = &mut rule.left {
                *left = left.saturating_sub(1);
            }
            drawn.meet(&rule.fault);
        }
        rules.retain(|rule| rule.left != Some(0));
        drawn
    }

    /// Draws for one record.
    pub(super) fn hits(&self, fraction: f64) -> bool {
        self.lock().dice.f64() < fraction
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drawn {
    fn meet(&mut self, fault: &Fault) {
        match *fault {
            Fault::Status { status, retry_after } => self.status = Some((status, retry_after)),
            Fault::Slow(delay) => self.delay += delay,
            Fault::TooLarge(limit) => self.too_large = Some(limit),
            Fault::Records { status, fraction } => self.records = Some((status, fraction)),
            Fault::Reset { stored } => self.ending = Some(Ending::Reset { stored }),
            Fault::Hang { stored } => self.ending = Some(Ending::Hang { stored }),
            Fault::TruncatedReply => self.ending = Some(Ending::Truncated),
            Fault::StalledReply => self.ending = Some(Ending::Stalled),
            Fault::OversizeReply(bytes) => self.ending = Some(Ending::Oversize(bytes)),
        }
    }

    /// Whether the request goes wrong in any way.
    pub(super) fn any(&self) -> bool {
        *self != Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(seed: u64) -> Vec<bool> {
        let faults = Faults::seeded(seed);
        faults.set_for(0.5, Fault::Status { status: 429, retry_after: None });
        (0..64).map(|_| faults.draw().status.is_some()).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same_faults() {
        assert_eq!(statuses(7), statuses(7));
        assert_ne!(statuses(7), statuses(8));
        let hit = statuses(7).into_iter().filter(|hit| *hit).count();
        assert!((16..48).contains(&hit), "{hit} of 64");
    }

    #[test]
    fn a_fault_for_so_many_requests_ends_by_itself() {
        let faults = Faults::seeded(0);
        faults.set_times(2, Fault::Reset { stored: true });
        faults.set(Fault::Slow(Duration::from_secs(1)));
        let drawn: Vec<_> = (0..3).map(|_| faults.draw().ending).collect();
        let reset = Some(Ending::Reset { stored: true });
        assert_eq!(drawn, [reset, reset, None]);
        assert_eq!(faults.draw().delay, Duration::from_secs(1));
        faults.clear();
        assert!(!faults.draw().any());
    }
}
