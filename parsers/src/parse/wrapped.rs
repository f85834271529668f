//! Formats whose lines may stand in those of another, as an access log in syslog: which of them a
//! message is of.
//!
//! The program that the wrapping names selects, where a format names it too. Else the message's own
//! look does, as `auto` looks at a line: what is of none of them is not read any further.

use std::sync::Arc;

use super::compiled::{Compiled, Method, program};
use super::grammar::Context;
use super::json::decode;
use super::looks::{Looks, look};
use crate::record::Record;

/// The formats that may stand in one.
#[derive(Debug, Default)]
pub(super) struct Wrapped {
    /// Those that name their programs.
    of_programs: Vec<Arc<Compiled>>,
    /// Those known by their look.
    looking: Vec<Arc<Compiled>>,
    looks: Looks,
}

impl Wrapped {
    /// Of the formats that say they stand in `outer`: one of those `known`, where the same stand in that.
    pub(super) fn new(
        outer: &Compiled,
        all: &[Arc<Compiled>],
        known: &mut Vec<Arc<Self>>,
    ) -> Arc<Self> {
        let wraps = |inner: &&Arc<Compiled>| {
            inner.within.as_ref().is_some_and(|within| within.wraps_as(outer))
        };
        let (of_programs, by_look): (Vec<_>, Vec<_>) =
            all.iter().filter(wraps).cloned().partition(|inner| !inner.programs.is_empty());
        let mut looking: Vec<Arc<Compiled>> = Vec::new();
        for compiled in by_look {
            // Another name for the same grammar finds nothing that the first does not.
            if !looking.iter().any(|known| is_same(known, &compiled)) {
                looking.push(compiled);
            }
        }
        let are_same = |some: &[Arc<Compiled>], others: &[Arc<Compiled>]| {
            some.len() == others.len()
                && some.iter().zip(others).all(|(one, other)| Arc::ptr_eq(one, other))
        };
        let same = |it: &&Arc<Self>| {
            are_same(&it.looking, &looking) && are_same(&it.of_programs, &of_programs)
        };
        if let Some(same) = known.iter().find(same) {
            return same.clone();
        }
        // Most formats wrap none, and take no memory for it.
        let looks = match looking.is_empty() {
            true => Looks::default(),
            false => Looks::new(looking.iter().map(|compiled| &**compiled)),
        };
        let new = Arc::new(Self { of_programs, looking, looks });
        known.push(new.clone());
        new
    }

    /// Reads the message further, by the format it is of, if it is of one.
    pub(super) fn read<'a>(&self, record: &mut Record<'a>, cx: &mut Context<'_, 'a>) {
        if let Some(program) = program(record).filter(|_| !self.of_programs.is_empty()) {
            let mut named = false;
            for inner in self.of_programs.iter().filter(|inner| inner.is_of(Some(program))) {
                named = true;
                if inner.read_inside(record, cx).is_ok() {
                    break;
                }
            }
            // What a program says that is known is not taken for another's.
            if named {
                return;
            }
        }
        let Some(message) = record.message.filter(|_| !self.looking.is_empty()) else { return };
        let stored = message.as_stored();
        let text = if message.is_escaped() { decode(stored, cx.arena) } else { stored };
        let text = text.trim_start_matches(' ');
        let ways = self.looks.ways(text);
        if ways.is_empty() {
            return;
        }
        for place in ways.places(look(text)) {
            if let Some(inner) = self.looking.get(usize::from(place))
                && inner.may_fit(text)
                && inner.read_inside(record, cx).is_ok()
            {
                return;
            }
        }
    }
}

/// Whether two formats are one grammar, to which neither adds anything.
fn is_same(one: &Compiled, other: &Compiled) -> bool {
    match (&*one.method, &*other.method) {
        (Method::Grammar(grammar), Method::Grammar(same)) => {
            let plain = |of: &Compiled| of.refine.is_none() && of.contains.is_empty();
            grammar.name == same.name && plain(one) && plain(other)
        }
        _ => false,
    }
}
