//! The names of two records that become one: what spares most comparisons, and what serves where they
//! are too many to be compared each with each.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::record::{Field, Key, Known};

/// Names that are taken.
pub(super) struct Taken<'a> {
    /// Those of the outer record.
    outer: HashSet<&'a str>,
    /// Those of both, without the `_` at their ends: how many each has there.
    stems: HashMap<&'a str, BTreeSet<usize>>,
}

impl<'a> Taken<'a> {
    pub(super) fn new(outer: &[Field<'a>], inner: &[Field<'a>]) -> Self {
        let names = outer.iter().map(|field| field.key.name());
        let mut taken = Self { outer: names.collect(), stems: HashMap::new() };
        for field in outer.iter().chain(inner) {
            let (stem, count) = parts(field.key.name());
            taken.stems.entry(stem).or_default().insert(count);
        }
        taken
    }

    /// Whether the outer record has it.
    pub(super) fn is_outer(&self, name: &str) -> bool {
        self.outer.contains(name)
    }

    /// How many `_` behind a name make it one of its own: taken from now on.
    pub(super) fn free(&mut self, name: &'a str) -> usize {
        let (stem, count) = parts(name);
        let counts = self.stems.entry(stem).or_default();
        let mut free = count + 1;
        for taken in counts.range(free..) {
            if *taken > free {
                break;
            }
            free += 1;
        }
        counts.insert(free);
        free - count
    }
}

/// A name without the `_` at its end, and their number.
fn parts(name: &str) -> (&str, usize) {
    let stem = name.trim_end_matches('_');
    (stem, name.len() - stem.len())
}

/// What tells of most names that none of some fields has them.
pub(super) struct Sieve {
    /// One bit for each of our own names.
    known: u128,
    /// Bits for the other names, and for all.
    others: u64,
    all: u64,
}

impl Sieve {
    /// Takes the names of these fields.
    pub(super) fn of(fields: &[Field<'_>]) -> Self {
        let mut sieve = Self { known: 0, others: 0, all: 0 };
        for field in fields {
            let bit = name_bit(field.key.name());
            sieve.all |= bit;
            match field.key {
                Key::Known(known) => sieve.known |= known_bit(known),
                Key::Text(_) => sieve.others |= bit,
            }
        }
        sieve
    }

    /// Whether one of the fields may be called so.
    #[inline]
    pub(super) fn may_have(&self, key: Key<'_>) -> bool {
        match key {
            Key::Known(known) => {
                self.known & known_bit(known) != 0
                    || self.others != 0 && self.others & name_bit(key.name()) != 0
            }
            Key::Text(_) => self.all & name_bit(key.name()) != 0,
        }
    }
}

#[inline]
fn known_bit(known: Known) -> u128 {
    1 << (known as u32 % u128::BITS)
}

/// One bit by the length of a name and its first letter.
#[inline]
fn name_bit(name: &str) -> u64 {
    let first = name.as_bytes().first().copied().unwrap_or_default();
    1 << ((name.len() + 5 * usize::from(first)) % 64)
}
