//! The formats that `auto` knows, and which of them a text could be of.

use std::sync::Arc;

use super::super::compiled::{Compiled, Method};
use super::super::grammar::Context;
use super::super::looks::Looks;
use super::super::seen::Seen;
use super::super::wrapped::Wrapped;
use super::super::{Misfit, json};
use crate::Arena;
use crate::record::Record;

/// The formats that `auto` knows, in the order they are tried.
#[derive(Debug)]
pub(in super::super) struct Candidates {
    formats: Vec<Candidate>,
    looks: Looks,
}

/// Places of formats.
pub(super) type Places<'a> = bumpalo::collections::Vec<'a, usize>;

/// A format, and those whose lines may stand in it.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) compiled: Arc<Compiled>,
    inner: Wrapped,
    has_flavours: bool,
}

impl Candidates {
    pub(in super::super) fn new(compiled: impl Iterator<Item = Arc<Compiled>>) -> Self {
        let all: Vec<Arc<Compiled>> = compiled.collect();
        let tried = all.iter().filter(|compiled| match &*compiled.method {
            Method::Grammar(grammar) => grammar.probe.is_some(),
            // What names its programs has no look of its own.
            Method::Layout(_) => compiled.programs.is_empty(),
            Method::Auto | Method::Pattern(_) => false,
        });
        let formats = tried.map(|compiled| {
            let flavour = |other: &Arc<Compiled>| {
                !other.contains.is_empty()
                    && other.grammar().is_some_and(|grammar| compiled.grammar() == Some(grammar))
            };
            Candidate {
                compiled: Arc::clone(compiled),
                inner: Wrapped::new(compiled, &all),
                has_flavours: all.iter().any(flavour),
            }
        });
        let formats: Vec<Candidate> = formats.collect();
        let looks = Looks::new(formats.iter().map(|candidate| &*candidate.compiled));
        Self { formats, looks }
    }

    /// The places of the formats that a text could be of, from its first byte and those that it has.
    pub(super) fn possible<'a>(&self, text: &str, seen: Seen, arena: &'a Arena) -> Places<'a> {
        let mut places = Places::with_capacity_in(32, arena);
        places.extend(self.looks.ways(text).places(seen));
        places
    }

    /// Whether a format has texts of its own, by which it shows.
    pub(super) fn shows(&self, place: usize) -> bool {
        self.get(place).is_some_and(|candidate| !candidate.compiled.contains.is_empty())
    }

    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.formats.iter().position(|candidate| &*candidate.compiled.name == name)
    }

    /// Whether it is JSON of no flavour.
    pub(super) fn is_json(&self, place: usize) -> bool {
        self.get(place).is_some_and(|candidate| &*candidate.compiled.name == json::GRAMMAR.name)
    }

    /// Whether other formats are in the same grammar, which show by texts of their own.
    pub(super) fn has_flavours(&self, place: usize) -> bool {
        self.get(place).is_some_and(|candidate| candidate.has_flavours)
    }

    pub(super) fn get(&self, place: usize) -> Option<&Candidate> {
        self.formats.get(place)
    }
}

impl Candidate {
    /// Reads a text by this format, and what may stand in it by its own.
    pub(super) fn read<'a>(
        &self,
        text: &'a str,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        self.compiled.read_unwrapped(text, cx, record)?;
        self.inner.read(record, cx);
        Ok(())
    }
}
