//! Drops records beyond a rate, each key by itself. The time is when a record's bytes were read.
//!
//! Of a key only a hash is kept, with the time at which it has used up what it may have (the generic
//! cell rate algorithm: one number does for a bucket of tokens). The hash is of this process alone,
//! so nobody can write keys that share a bucket with somebody else's.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use super::template::Template;
use crate::record::Record;

/// Most keys that are told apart at a time, over all steps of a worker; those beyond share one bucket.
pub const MAX_KEYS: usize = 14_000;

/// Bytes of a key that tell it from others.
const LONGEST_KEY: usize = 64 * 1024;

/// How many records a span of time may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Records, at least one.
    pub records: u32,
    /// Nanoseconds, at least as many as records.
    pub per: u64,
}

/// What is let pass.
#[derive(Clone, Debug)]
pub struct Throttle {
    key: Option<Template>,
    /// Nanoseconds from one record to the next.
    interval: i64,
    /// How far a key may run ahead, in nanoseconds.
    ahead: i64,
}

impl Throttle {
    /// Lets `rate` pass of each key, or of all together without one; `burst` records may come at once.
    #[must_use]
    pub fn new(rate: Rate, burst: u32, key: Option<Template>) -> Self {
        let interval = rate.per / u64::from(rate.records.max(1));
        let interval = i64::try_from(interval).unwrap_or(i64::MAX).max(1);
        let ahead = interval.saturating_mul(i64::from(burst.max(1)));
        Self { key, interval, ahead }
    }

    /// What tells records apart.
    #[must_use]
    pub const fn key(&self) -> Option<&Template> {
        self.key.as_ref()
    }
}

/// The keys of all steps of a worker.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// When a key will have used up nothing any more, by the hash of step and key.
    keys: HashMap<u64, i64>,
    /// Hashes keys.
    hasher: RandomState,
    /// The same as in `keys`, for those that found no room, by step.
    beyond: HashMap<usize, i64>,
    /// Before this, no key is worth forgetting.
    full_until: i64,
}

impl Table {
    /// Whether a record may pass a step, at a time.
    pub(super) fn lets_pass(
        &mut self,
        step: usize,
        throttle: &Throttle,
        now: i64,
        record: &Record<'_>,
        text: &mut String,
    ) -> bool {
        text.clear();
        if let Some(key) = &throttle.key {
            key.render(record, LONGEST_KEY, text);
        }
        let hash = self.hasher.hash_one((step, &*text));
        if self.keys.len() >= MAX_KEYS && !self.keys.contains_key(&hash) {
            self.forget(now);
        }
        let used = if self.keys.len() < MAX_KEYS || self.keys.contains_key(&hash) {
            self.keys.entry(hash)
        } else {
            return take(self.beyond.entry(step).or_insert(now), throttle, now);
        };
        take(used.or_insert(now), throttle, now)
    }

    /// Forgets keys that have used up nothing: they begin anew as they are.
    fn forget(&mut self, now: i64) {
        // A clock that was set back by much would keep them for long.
        let set_back = self.full_until.saturating_sub(now) > LONGEST;
        if now < self.full_until && !set_back {
            return;
        }
        self.keys.retain(|_, used| *used > now && used.saturating_sub(now) <= LONGEST);
        self.full_until = self.keys.values().copied().min().unwrap_or(now);
    }
}

/// A day: no key is ever ahead by more.
const LONGEST: i64 = 86_400_000_000_000;

/// Takes one record's share of what a key may have, if there is as much left.
fn take(used: &mut i64, throttle: &Throttle, now: i64) -> bool {
    // Not before now: what was not used is gone. Not further than it can be: the clock was set back.
    let from = (*used).clamp(now, now.saturating_add(throttle.ahead));
    let to = from.saturating_add(throttle.interval);
    let passes = to.saturating_sub(now) <= throttle.ahead;
    *used = if passes { to } else { from };
    passes
}

#[cfg(test)]
impl Table {
    /// Buckets that are remembered.
    pub(super) fn len(&self) -> usize {
        self.keys.len() + self.beyond.len()
    }
}
