//! The formats that `auto` knows, and which of them a text could be of.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use xxhash_rust::xxh3::xxh3_64;

use super::super::columns::Columns;
use super::super::compiled::{Compiled, Method};
use super::super::csv::Dialect;
use super::super::grammar::Context;
use super::super::looks::{Looked, Looks};
use super::super::pattern::Locations;
use super::super::roles::Outside;
use super::super::seen::Seen;
use super::super::wrapped::Wrapped;
use super::super::{Misfit, json};
use crate::Arena;
use crate::multiline::{Formats, Joining};
use crate::record::Record;
use crate::timestamp::Clock;

/// The formats that `auto` knows, in the order they are tried.
#[derive(Debug)]
pub(in super::super) struct Candidates {
    formats: Vec<Candidate>,
    looks: Looks,
    /// Tells these formats from those of another version.
    number: u32,
}

/// Places of formats.
pub(super) type Places<'a> = bumpalo::collections::Vec<'a, u16>;

/// The formats that a text could be of.
pub(super) struct Possible<'l, 't>(Looked<'l, 't>);

impl Possible<'_, '_> {
    /// The last of some places whose format the text could be of, as its bytes tell.
    pub(super) fn last_of(&mut self, places: impl Iterator<Item = u16>) -> Option<u16> {
        places.filter(|place| self.0.has(*place)).max()
    }

    /// The places in a range whose formats the text could be of, in the order they are tried.
    pub(super) fn places<'a>(&mut self, of: Range<u16>, arena: &'a Arena) -> Places<'a> {
        let mut places = Places::new_in(arena);
        if !of.is_empty() {
            places.reserve(32);
            self.0.places(of, |place| places.push(place));
        }
        places
    }

    /// Whether the text is known to have all texts that the format at one of these places must have.
    pub(super) fn shows_all(&self, place: u16) -> bool {
        self.0.shows_all(place)
    }

    /// The bytes that the text has, as far as that is known.
    pub(super) fn seen(&self) -> Seen {
        self.0.seen()
    }
}

/// A format, and those whose lines may stand in it.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) compiled: Arc<Compiled>,
    inner: Arc<Wrapped>,
    /// Whether it has texts of its own, by which it shows.
    shows: bool,
    /// Whether lines of other formats fit it, too.
    yields: bool,
    /// How its lines become records, once that is asked.
    joining: OnceLock<Option<Joining>>,
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
        let mut wrapped = Vec::new();
        let formats = tried.map(|compiled| {
            let flavour = |other: &Arc<Compiled>| {
                !other.contains.is_empty()
                    && other.grammar().is_some_and(|grammar| compiled.grammar() == Some(grammar))
            };
            Candidate {
                compiled: Arc::clone(compiled),
                inner: Wrapped::new(compiled, &all, &mut wrapped),
                shows: !compiled.contains.is_empty(),
                yields: compiled.generic || all.iter().any(flavour),
                joining: OnceLock::new(),
            }
        });
        let formats: Vec<Candidate> = formats.collect();
        let looks = Looks::new(formats.iter().map(|candidate| &*candidate.compiled));
        let names: Vec<&str> = formats.iter().map(|it| &*it.compiled.name).collect();
        let number = number_of(&names.join(" "));
        Self { formats, looks, number }
    }

    /// Looks at a text.
    pub(super) fn look_at<'t>(&self, text: &'t str) -> Possible<'_, 't> {
        Possible(self.looks.look_at(text))
    }

    /// Whether a format has texts of its own, by which it shows.
    pub(super) fn shows(&self, place: u16) -> bool {
        self.get(place).is_some_and(|candidate| candidate.shows)
    }

    pub(super) fn place(&self, name: &str) -> Option<u16> {
        (0..).zip(&self.formats).find(|(_, it)| &*it.compiled.name == name).map(|(place, _)| place)
    }

    /// Tells these formats from those of another version, where their places may be others.
    pub(super) const fn number(&self) -> u32 {
        self.number
    }

    /// Whether it is JSON of no flavour.
    pub(super) fn is_json(&self, place: u16) -> bool {
        self.get(place).is_some_and(|candidate| &*candidate.compiled.name == json::GRAMMAR.name)
    }

    /// Whether lines of other formats fit it, too: it is tried behind them.
    pub(super) fn yields(&self, place: u16) -> bool {
        self.get(place).is_some_and(|candidate| candidate.yields)
    }

    /// Whether lines of formats that are nothing like it fit it, too.
    pub(super) fn is_generic(&self, place: u16) -> bool {
        self.get(place).is_some_and(|it| it.compiled.generic)
    }

    /// Whether a record shows that its File is of the format which it was read by: with a level alone,
    /// and no time, it may be a line of any text.
    pub(super) fn is_told(&self, place: u16, record: &Record<'_>) -> bool {
        record.time.is_some() || !self.is_generic(place)
    }

    pub(super) fn get(&self, place: u16) -> Option<&Candidate> {
        self.formats.get(usize::from(place))
    }
}

impl Formats for Candidates {
    fn joining(&self, place: u16) -> Option<&Joining> {
        self.get(place)?.joining()
    }

    fn format_of(&self, line: &[u8]) -> Option<u16> {
        let begun = self.begun_by(line);
        let text = std::str::from_utf8(line).ok()?;
        let text = text.strip_suffix('\r').unwrap_or(text);
        let (arena, mut record) = (Arena::new(), Record::default());
        let (mut clock, mut bad_times) = (Clock::default(), 0);
        let (mut locations, mut columns) = (Locations::default(), Columns::default());
        let mut possible = self.look_at(text);
        let places = possible.places(0..begun.unwrap_or(u16::MAX), &arena);
        let mut cx = Context {
            arena: &arena,
            clock: &mut clock,
            bad_times: &mut bad_times,
            guessing: true,
            seen: possible.seen(),
            locations: &mut locations,
            refine: None,
            auto: None,
            columns: &mut columns,
            dialect: &Dialect::COMMAS,
            outside: Outside::default(),
        };
        let found = places.into_iter().find(|place| {
            super::clear(&mut record);
            let candidate = self.get(*place).filter(|candidate| candidate.compiled.may_fit(text));
            let fits = candidate.is_some_and(|it| it.read(text, &mut cx, &mut record).is_ok());
            fits && self.is_told(*place, &record)
        });
        found.or(begun)
    }

    fn begun_by(&self, line: &[u8]) -> Option<u16> {
        let begun = (0..).zip(&self.formats).find(|(_, candidate)| candidate.begins(line));
        begun.map(|(place, _)| place)
    }
}

/// A number of a text.
#[expect(clippy::cast_possible_truncation, reason = "half of the hash tells two versions apart")]
fn number_of(text: &str) -> u32 {
    xxh3_64(text.as_bytes()) as u32
}

impl Candidate {
    /// How its lines become records; `None` if as any other's.
    fn joining(&self) -> Option<&Joining> {
        self.joining.get_or_init(|| self.compiled.joiner.as_ref()?.joining()).as_ref()
    }

    /// Whether a line begins a record of this format, whose records have several.
    fn begins(&self, line: &[u8]) -> bool {
        let first = self.compiled.several
            && matches!(&*self.compiled.method, Method::Layout(layout) if layout.may_begin(line));
        first && self.joining().is_some_and(|joining| joining.begins(line))
    }

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
