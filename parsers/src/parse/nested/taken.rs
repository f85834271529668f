//! The names of two records that become one, where they are too many to be compared each with each.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::record::Field;

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
