//! What lines of a format look like: whether a text could be of it, in a few nanoseconds and before it is
//! read.

use std::ops::Range;

use memchr::memmem::Finder;

use super::compiled::{Compiled, Method};
use super::quoted::{Quoted, Shown};
use super::seen::{Few, Seen};

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
    /// The texts with a quote that formats must have, and those of each.
    quoted: Quoted,
    shows: Vec<Shows>,
}

/// The texts that a format must have.
#[derive(Clone, Copy, Debug)]
struct Shows {
    /// Those that have a quote.
    quoted: Shown,
    /// Whether all have.
    are_quoted: bool,
}

/// The ways that texts with the same first byte have.
#[derive(Debug, Default, PartialEq, Eq)]
struct List {
    ways: Vec<Way>,
    /// Whether many show by texts that have a quote: those are looked for at once.
    is_quoted: bool,
}

/// A way to be of a format, by its grammar or by one of its layouts. There are thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Way {
    /// The bytes that a text has.
    needs: Seen,
    /// Those of them that it has besides those of the texts that it must have, where these have quotes and
    /// the others are few.
    form: Option<Few>,
    /// The format's place.
    place: u16,
}

/// The ways to be of a format that a text has, as its first byte tells.
#[derive(Clone, Copy)]
pub(super) struct Ways<'l>(&'l [Way]);

impl Looks {
    pub(super) fn new<'c>(formats: impl Iterator<Item = &'c Compiled> + Clone) -> Self {
        let mut looks = Self::default();
        let texts = formats.clone().map(|compiled| Texts::new(compiled, &mut looks.quoted));
        let texts: Vec<Texts> = texts.collect();
        for first in 0..=u8::MAX {
            let mut list = Vec::new();
            for (place, (compiled, texts)) in (0..).zip(formats.clone().zip(&texts)) {
                compiled.ways(place, first, texts, &mut list);
            }
            let shows = |way: &&Way| {
                texts.get(usize::from(way.place)).is_some_and(|texts| !texts.shows.quoted.is_none())
            };
            let is_quoted = list.iter().filter(shows).count() >= MANY;
            let list = List { is_quoted, ways: list };
            let known = looks.lists.iter().position(|known| *known == list);
            looks.by_first.push(known.unwrap_or(looks.lists.len()));
            if known.is_none() {
                looks.lists.push(list);
            }
        }
        looks.shows = texts.into_iter().map(|texts| texts.shows).collect();
        looks
    }

    fn list(&self, text: &str) -> Option<&List> {
        self.lists.get(*self.by_first.get(usize::from(*text.as_bytes().first()?))?)
    }

    /// Those of a text.
    pub(super) fn ways(&self, text: &str) -> Ways<'_> {
        Ways(self.list(text).map_or(&[], |list| &list.ways))
    }

    /// Those of a text, which is looked at.
    pub(super) fn look_at<'t>(&self, text: &'t str) -> Looked<'_, 't> {
        let list = self.list(text);
        let (ways, shows) = (list.map_or(&[][..], |list| &list.ways), self.shows.as_slice());
        let is_long = text.len() > LOOKED_AT;
        match list {
            Some(list) if list.is_quoted => {
                let shown = self.quoted.find(head(text));
                Looked { ways, shows, text, shown, seen: is_long.then_some(Seen::ALL) }
            }
            _ => Looked { ways, shows, text, shown: Shown::ALL, seen: Some(look(text)) },
        }
    }
}

impl<'l> Ways<'l> {
    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The places of the formats that a text with these bytes could be of, each once.
    pub(super) fn places(self, seen: Seen) -> impl Iterator<Item = u16> + 'l {
        let mut last = None;
        self.0.iter().filter_map(move |way| {
            let is_new = seen.has(way.needs) && last != Some(way.place);
            is_new.then(|| *last.insert(way.place))
        })
    }
}

/// A text that is looked at no more closely than it must be.
pub(super) struct Looked<'l, 't> {
    ways: &'l [Way],
    /// The texts that each format must have.
    shows: &'l [Shows],
    text: &'t str,
    /// The texts with a quote that it has, of those that formats show by; all, where few do.
    shown: Shown,
    /// The bytes that it has, once that had to be known.
    seen: Option<Seen>,
}

impl<'t> Looked<'_, 't> {
    /// The bytes that the text has, as far as that is known.
    pub(super) fn seen(&self) -> Seen {
        self.seen.unwrap_or(Seen::ALL)
    }

    /// Whether the text could be of the format at a place, as its bytes tell.
    pub(super) fn has(&mut self, place: u16) -> bool {
        let from = self.ways.partition_point(|way| way.place < place);
        let ways = self.ways.get(from..).unwrap_or_default();
        ways.iter().take_while(|way| way.place == place).any(|way| self.has_bytes(way))
    }

    /// Whether the text is known to have all texts that the format at one of its [`places`](Self::places)
    /// must have.
    pub(super) fn shows_all(&self, place: u16) -> bool {
        let all = |shows: &Shows| shows.are_quoted && self.shown != Shown::ALL;
        self.shows.get(usize::from(place)).is_some_and(all)
    }

    /// Calls with the places in a range of the formats that the text could be of, each once.
    pub(super) fn places(&mut self, of: Range<u16>, mut give: impl FnMut(u16)) {
        let from = self.ways.partition_point(|way| way.place < of.start);
        let ways = self.ways.get(from..).unwrap_or_default();
        let ways = ways.iter().take_while(|way| way.place < of.end);
        let mut last = None;
        match self.seen {
            // Most are not: with the bytes they have it is soonest told.
            Some(seen) if self.shown == Shown::ALL => {
                for way in ways.filter(|way| seen.has(way.needs)) {
                    if last != Some(way.place) {
                        give(*last.insert(way.place));
                    }
                }
            }
            _ => {
                for way in ways {
                    if last != Some(way.place) && self.shows(way) && self.has_bytes(way) {
                        give(*last.insert(way.place));
                    }
                }
            }
        }
    }

    /// Whether the text has what a format shows by.
    #[inline]
    fn shows(&self, way: &Way) -> bool {
        let shows = self.shows.get(usize::from(way.place));
        shows.is_none_or(|shows| self.shown.has(shows.quoted))
    }

    /// Whether the text has the bytes that this way needs. What it shows by has most of them.
    #[inline]
    fn has_bytes(&mut self, way: &Way) -> bool {
        match (self.seen, way.form) {
            (Some(seen), _) => seen.has(way.needs),
            (None, Some(form)) if self.shows(way) => form.is_in(self.text.as_bytes()),
            (None, _) => self.seen.insert(look(self.text)).has(way.needs),
        }
    }
}

/// The texts that a format must have, and their bytes.
struct Texts {
    needs: Seen,
    shows: Shows,
}

impl Texts {
    fn new(compiled: &Compiled, quoted: &mut Quoted) -> Self {
        let shows = Shows { quoted: Shown::default(), are_quoted: true };
        let none = Self { needs: Seen::default(), shows };
        compiled.contains.iter().map(Finder::needle).fold(none, |texts, part| {
            let shown = quoted.add(part);
            Self {
                needs: texts.needs.and(Seen::of(part)),
                shows: Shows {
                    quoted: texts.shows.quoted.and(shown.unwrap_or_default()),
                    are_quoted: texts.shows.are_quoted && shown.is_some(),
                },
            }
        })
    }
}

impl Compiled {
    /// Adds the ways in which a text that begins so may be of this format. One that needs all that
    /// another does is none of its own.
    fn ways(&self, place: u16, first: u8, texts: &Texts, list: &mut Vec<Way>) {
        let mut add = |form: Seen| {
            let needs = form.and(texts.needs);
            let way = Way { needs, form: form.few().filter(|_| texts.shows.are_quoted), place };
            let covers = |other: &Way| other.place == place && way.needs.has(other.needs);
            if !list.iter().any(covers) {
                list.push(way);
            }
        };
        match &*self.method {
            Method::Grammar(grammar) => {
                if grammar.begins.is_empty() || grammar.begins.contains(&first) {
                    add(Seen::of(grammar.needs.as_bytes()));
                }
            }
            Method::Layout(layout) => layout.needs(first).into_iter().for_each(add),
            Method::Auto | Method::Pattern(_) => {}
        }
    }

    /// Whether a text could be of this format, where that must show: a few nanoseconds.
    pub(super) fn may_fit(&self, text: &str) -> bool {
        let head = head(text);
        self.may_begin(text) && self.contains.iter().all(|part| part.find(head).is_some())
    }

    /// Whether a text begins, and ends, as one of this format may.
    pub(super) fn may_begin(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        match &*self.method {
            Method::Grammar(grammar) => grammar.probe.is_some_and(|probe| probe(bytes)),
            Method::Layout(layout) => layout.may_fit(bytes),
            Method::Auto | Method::Pattern(_) => false,
        }
    }
}
