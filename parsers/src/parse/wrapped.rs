//! Formats whose lines may stand in those of another, as an access log in syslog: which of them a
//! message is of.
//!
//! The program that the wrapping names selects, where a format names it too. Else the message's own
//! look does, as `auto` looks at a line: what is of none of them is not read any further.

use std::sync::Arc;

use super::auto::{Candidate, look, needs};
use super::compiled::{Compiled, Method};
use super::grammar::Context;
use super::nested;
use super::seen::Seen;
use crate::record::{Known, Record};

/// The formats that may stand in one.
#[derive(Debug, Default)]
pub(super) struct Wrapped {
    /// Those that name their programs.
    of_programs: Vec<Arc<Compiled>>,
    /// Those known by their look, with the bytes that a text of each has.
    looking: Vec<(Seen, Candidate)>,
    /// For each byte that a message may begin with, the places in `looking` that it could be of, a bit
    /// each.
    by_first: Vec<u64>,
}

impl Wrapped {
    /// Of the formats that say they stand in `outer`.
    pub(super) fn new(outer: &Compiled, all: &[Arc<Compiled>]) -> Self {
        let wraps = |inner: &&Arc<Compiled>| {
            inner.within.as_ref().is_some_and(|within| within.wraps_as(outer))
        };
        let (of_programs, by_look): (Vec<_>, Vec<_>) =
            all.iter().filter(wraps).cloned().partition(|inner| !inner.programs.is_empty());
        let mut looking: Vec<(Seen, Candidate)> = Vec::new();
        for compiled in by_look {
            // Another name for the same grammar finds nothing that the first does not.
            let known = looking.iter().any(|(_, known)| is_same(&known.compiled, &compiled));
            if !known && looking.len() < 64 {
                let needs = needs(&compiled);
                looking.push((needs, Candidate { compiled, inner: Self::default() }));
            }
        }
        let may_begin = |first: u8| {
            let bits = looking.iter().enumerate().filter(|(_, (_, known))| known.may_begin(first));
            bits.fold(0, |bits, (place, _)| bits | 1 << place)
        };
        // Most formats wrap none, and take no memory for it.
        let firsts = if looking.is_empty() { None } else { Some(0..=u8::MAX) };
        Self {
            of_programs,
            by_first: firsts.into_iter().flatten().map(may_begin).collect(),
            looking,
        }
    }

    /// Reads the message further, by the format it is of, if it is of one.
    pub(super) fn read<'a>(&self, record: &mut Record<'a>, cx: &mut Context<'_, 'a>) {
        let mut named = false;
        for inner in &self.of_programs {
            if nested::says(record, Known::Program.name(), &inner.programs) {
                named = true;
                if inner.read_message(record, cx).is_ok() {
                    return;
                }
            }
        }
        // What a program says that is known is not taken for another's.
        let Some(message) = record.message.filter(|message| !named && !message.is_escaped()) else {
            return;
        };
        let text = message.as_stored().trim_start_matches(' ');
        let Some(first) = text.as_bytes().first() else { return };
        let mut could = self.by_first.get(usize::from(*first)).copied().unwrap_or_default();
        if could == 0 {
            return;
        }
        let seen = look(text);
        while could != 0 {
            let place = could.trailing_zeros() as usize;
            could &= could - 1;
            if let Some((needs, inner)) = self.looking.get(place)
                && seen.has(*needs)
                && inner.may_fit(text, seen)
                && inner.compiled.read_message(record, cx).is_ok()
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
