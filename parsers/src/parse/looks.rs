//! What lines of a format look like: whether a text could be of it, in a few nanoseconds and before it is
//! read.

use super::compiled::{Compiled, Method};
use super::seen::Seen;

/// Bytes of a text in which what a format must have is looked for.
const LOOKED_AT: usize = 4096;

/// The bytes that a text has. One that is too long to be looked at could have any.
pub(super) fn look(text: &str) -> Seen {
    if text.len() > LOOKED_AT { Seen::ALL } else { Seen::of(text.as_bytes()) }
}

/// How the lines of several formats look, told apart by their first bytes.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// For each byte that a text may begin with, which of `lists` has those that it could be of.
    by_first: Vec<usize>,
    /// Ways to be of a format, in the order of the formats. Many bytes have the same.
    lists: Vec<Vec<Way>>,
}

/// A way to be of a format, by its grammar or by one of its layouts: the bytes that a text has, and the
/// format's place.
type Way = (Seen, usize);

/// The ways to be of a format that a text has, as its first byte tells.
#[derive(Clone, Copy)]
pub(super) struct Ways<'l>(&'l [Way]);

impl Looks {
    pub(super) fn new<'c>(formats: impl Iterator<Item = &'c Compiled> + Clone) -> Self {
        let mut looks = Self::default();
        for first in 0..=u8::MAX {
            let mut list = Vec::new();
            for (place, compiled) in formats.clone().enumerate() {
                compiled.ways(place, first, &mut list);
            }
            let known = looks.lists.iter().position(|known| *known == list);
            looks.by_first.push(known.unwrap_or(looks.lists.len()));
            if known.is_none() {
                looks.lists.push(list);
            }
        }
        looks
    }

    /// Those of a text.
    pub(super) fn ways(&self, text: &str) -> Ways<'_> {
        let first = text.as_bytes().first();
        let list = first.and_then(|first| self.by_first.get(usize::from(*first)));
        Ways(list.and_then(|list| self.lists.get(*list)).map_or(&[], Vec::as_slice))
    }
}

impl<'l> Ways<'l> {
    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The places of the formats that a text with these bytes could be of, each once.
    pub(super) fn places(self, seen: Seen) -> impl Iterator<Item = usize> + 'l {
        let mut last = None;
        self.0.iter().filter_map(move |(needs, place)| {
            let is_new = seen.has(*needs) && last != Some(*place);
            is_new.then(|| *last.insert(*place))
        })
    }
}

impl Compiled {
    /// Adds the ways in which a text that begins so may be of this format. One that needs all that
    /// another does is none of its own.
    fn ways(&self, place: usize, first: u8, list: &mut Vec<Way>) {
        let contains = self.contains.iter();
        let needs = contains.map(|part| Seen::of(part.needle())).fold(Seen::default(), Seen::and);
        let mut add = |form: Seen| {
            let way = (form.and(needs), place);
            let covers = |other: &Way| other.1 == place && way.0.has(other.0);
            if !list.iter().any(covers) {
                list.push(way);
            }
        };
        match &*self.method {
            Method::Grammar(grammar) => add(Seen::of(grammar.needs.as_bytes())),
            Method::Layout(layout) => layout.needs(first).into_iter().for_each(add),
            Method::Auto | Method::Pattern(_) => {}
        }
    }

    /// Whether a text could be of this format, where that must show: a few nanoseconds.
    pub(super) fn may_fit(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let begins = match &*self.method {
            Method::Grammar(grammar) => grammar.probe.is_some_and(|probe| probe(bytes)),
            Method::Layout(layout) => layout.may_fit(bytes),
            Method::Auto | Method::Pattern(_) => false,
        };
        let head = bytes.get(..LOOKED_AT).unwrap_or(bytes);
        begins && self.contains.iter().all(|part| part.find(head).is_some())
    }
}
