//! What lines of a format look like: whether a text could be of it, in a few nanoseconds and before it is
//! read.

use memchr::memmem::Finder;

use super::compiled::{Compiled, Method};
use super::quoted::{Quoted, Shown};
use super::seen::Seen;

/// Bytes of a text in which what a format must have is looked for.
const LOOKED_AT: usize = 4096;

/// From so many formats on, the texts that they show by are looked for together.
const MANY: usize = 4;

/// The bytes that a text has. One that is too long to be looked at could have any.
pub(super) fn look(text: &str) -> Seen {
    if text.len() > LOOKED_AT { Seen::ALL } else { Seen::of(text.as_bytes()) }
}

/// The bytes of a text in which what a format must have is looked for.
fn head(text: &str) -> &[u8] {
    text.as_bytes().get(..LOOKED_AT).unwrap_or(text.as_bytes())
}

/// How the lines of several formats look, told apart by their first bytes.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// For each byte that a text may begin with, which of `lists` has those that it could be of.
    by_first: Vec<usize>,
    /// Ways to be of a format, in the order of the formats. Many bytes have the same.
    lists: Vec<List>,
    /// The texts with a quote that formats must have.
    quoted: Quoted,
}

/// The ways that texts with the same first byte have.
#[derive(Debug, Default, PartialEq, Eq)]
struct List {
    ways: Vec<Way>,
    /// Whether many show by texts that have a quote: those are looked for at once.
    is_quoted: bool,
}

/// A way to be of a format, by its grammar or by one of its layouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Way {
    /// The bytes that a text has.
    needs: Seen,
    /// Those of the texts that it must have which have a quote.
    shows: Shown,
    /// The format's place.
    place: usize,
}

/// The ways to be of a format that a text has, as its first byte tells.
#[derive(Clone, Copy)]
pub(super) struct Ways<'l> {
    list: Option<&'l List>,
    quoted: &'l Quoted,
}

impl Looks {
    pub(super) fn new<'c>(formats: impl Iterator<Item = &'c Compiled> + Clone) -> Self {
        let mut looks = Self::default();
        for first in 0..=u8::MAX {
            let mut list = Vec::new();
            for (place, compiled) in formats.clone().enumerate() {
                compiled.ways(place, first, &mut looks.quoted, &mut list);
            }
            let shows = list.iter().filter(|way: &&Way| !way.shows.is_none()).count();
            let list = List { is_quoted: shows >= MANY, ways: list };
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
        Ways { list: list.and_then(|list| self.lists.get(*list)), quoted: &self.quoted }
    }
}

impl<'l> Ways<'l> {
    pub(super) fn is_empty(self) -> bool {
        self.ways().is_empty()
    }

    fn ways(self) -> &'l [Way] {
        self.list.map_or(&[], |list| &list.ways)
    }

    /// The places of the formats that a text with these bytes could be of, each once.
    pub(super) fn places(self, seen: Seen) -> impl Iterator<Item = usize> + 'l {
        self.showing(seen, Shown::ALL)
    }

    /// The same without those that show by texts which the text has not.
    pub(super) fn showing(self, seen: Seen, shown: Shown) -> impl Iterator<Item = usize> + 'l {
        let mut last = None;
        self.ways().iter().filter_map(move |way| {
            let is_new = seen.has(way.needs) && shown.has(way.shows) && last != Some(way.place);
            is_new.then(|| *last.insert(way.place))
        })
    }

    /// The texts with a quote that a text has, of those that formats show by; all, where few do.
    pub(super) fn shown(self, text: &str) -> Shown {
        match self.list {
            Some(list) if list.is_quoted => self.quoted.find(head(text)),
            _ => Shown::ALL,
        }
    }

    /// Whether a text with these bytes could be of the format at a place.
    pub(super) fn has(self, place: usize, seen: Seen) -> bool {
        self.ways().iter().any(|way| way.place == place && seen.has(way.needs))
    }
}

impl Compiled {
    /// Adds the ways in which a text that begins so may be of this format. One that needs all that
    /// another does is none of its own.
    fn ways(&self, place: usize, first: u8, quoted: &mut Quoted, list: &mut Vec<Way>) {
        let contains = self.contains.iter().map(Finder::needle);
        let needs = contains.clone().map(Seen::of).fold(Seen::default(), Seen::and);
        let shows = contains.filter_map(|part| quoted.add(part));
        let shows = shows.fold(Shown::default(), Shown::and);
        let mut add = |form: Seen| {
            let way = Way { needs: form.and(needs), shows, place };
            let covers = |other: &Way| other.place == place && way.needs.has(other.needs);
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
        let head = head(text);
        self.may_begin(text) && self.contains.iter().all(|part| part.find(head).is_some())
    }

    /// Whether a text begins as one of this format may.
    fn may_begin(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        match &*self.method {
            Method::Grammar(grammar) => grammar.probe.is_some_and(|probe| probe(bytes)),
            Method::Layout(layout) => layout.may_fit(bytes),
            Method::Auto | Method::Pattern(_) => false,
        }
    }
}
