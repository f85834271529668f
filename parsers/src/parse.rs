//! Turns the text of one raw record into a [`Record`] that borrows from it.
//!
//! Each hand-written grammar is one file here and one definition in `parsers/definitions/`;
//! users' patterns go through `pattern`. A [`Parser`] belongs to one lineage and remembers what
//! helps with its next line: the last second's conversion, what `auto` chose.
//! Parsing is total: what fits nothing becomes a record with the whole text as its message.

mod access;
mod auditd;
mod auto;
mod cef;
mod colour;
mod columns;
mod compiled;
mod convert;
mod crash;
mod csv;
mod cursor;
mod duration;
mod escape;
mod explain;
mod grammar;
mod hashed;
mod header_form;
mod java;
mod json;
mod key_value;
mod keys;
mod layout;
pub(crate) mod level;
mod library;
mod logfmt;
mod looks;
mod ltsv;
mod misfit;
mod names;
mod nested;
mod netfilter;
mod nginx_error;
mod otlp;
mod pairs;
mod pattern;
mod plain;
mod quoted;
mod refine;
mod rename;
mod roles;
mod seen;
mod syslog;
mod trace;
mod tracing;
mod w3c;
mod why;
mod wrapped;

use std::sync::Arc;

use crate::Arena;
use crate::definition::JoinerField;
use crate::frame::FileSpan;
use crate::multiline::Joiner;
use crate::record::{Record, Text, Time};
use crate::timestamp::{Clock, Zone};
use auto::Auto;
use columns::Columns;
use csv::Dialect;
use grammar::Context;
use pattern::Locations;
use roles::Outside;
use seen::Seen;

pub use auto::Tally;
pub use columns::HeaderAt;
pub(crate) use compiled::Compiled;
pub use explain::{Explainer, Fit};
pub use grammar::grammars;
pub use header_form::HeaderForm;
pub(crate) use json::decode;
pub use library::{Library, UnknownParser};
pub use misfit::{Counters, Misfit};
pub use otlp::Parts;
pub use why::why;

/// When a record was read, and what its container said of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadAt {
    /// When the bytes were read: nanoseconds since the Unix epoch.
    pub now: i64,
    /// The time in a container's own prefix: taken when the text carries none that can be read.
    pub container_time: Option<Time>,
}

/// What a parser must know to go on in the middle of a File as if nothing had happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParserState {
    /// The parser that `auto` chose.
    pub chosen: Option<Arc<str>>,
    /// What `auto` saw in the recent lines: without it, only the choice is kept.
    pub tally: Option<Tally>,
}

/// A lineage's parser.
pub struct Parser {
    compiled: Arc<Compiled>,
    clock: Clock,
    /// What `auto` knows; no other parser has it.
    auto: Option<Auto>,
    /// What the File's header calls its columns; idle where a format has none.
    columns: Columns,
    /// Room for patterns' matches, reused from line to line.
    locations: Locations,
    counters: Counters,
    /// Whether even a named grammar reads as `auto` would: see [`Context::guessing`].
    guessing: bool,
    /// Whether every text is its message, and nothing else.
    is_plain: bool,
}

impl std::fmt::Debug for Parser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Parser({:?}, chosen {:?})", self.counters, self.chosen())
    }
}

impl Parser {
    /// A parser by name, resumed from where it was.
    ///
    /// # Errors
    /// When the library has no parser of that name.
    pub fn new(library: &Library, name: &str, resume: ParserState) -> Result<Self, UnknownParser> {
        Self::chain(library, [name], resume)
    }

    /// Parsers by name, each of which reads the message that the one before gives, where it fits.
    ///
    /// # Errors
    /// When the library has no parser of one of the names.
    pub fn chain<'n>(
        library: &Library,
        names: impl IntoIterator<Item = &'n str>,
        resume: ParserState,
    ) -> Result<Self, UnknownParser> {
        let mut chain: Option<Arc<Compiled>> = None;
        for name in names {
            let next = library.compiled(name)?;
            chain = Some(match chain {
                None => next,
                Some(first) => Arc::new(first.then(next)),
            });
        }
        let compiled = chain.ok_or_else(|| UnknownParser(String::new()))?;
        Ok(Self::with(compiled, library, resume))
    }

    /// The parser that takes every text as the message, without a library.
    #[must_use]
    pub fn plain() -> Self {
        Self::of(Arc::new(Compiled::plain()), None)
    }

    /// A parser of a compiled definition.
    pub(crate) fn with(compiled: Arc<Compiled>, library: &Library, resume: ParserState) -> Self {
        let auto = compiled.is_auto().then(|| Auto::new(library.candidates(), resume));
        Self::of(compiled, auto)
    }

    fn of(compiled: Arc<Compiled>, auto: Option<Auto>) -> Self {
        Self {
            clock: Clock::new(compiled.zone.clone().unwrap_or_default()),
            auto,
            columns: Columns::default(),
            locations: Locations::default(),
            counters: Counters::default(),
            guessing: false,
            is_plain: compiled.is_plain(),
            compiled,
        }
    }

    /// The same parser for lines whose times are in this zone, unless they name another or the
    /// parser's definition does.
    #[must_use]
    pub fn in_zone(mut self, zone: &Zone) -> Self {
        if self.compiled.zone.is_none() {
            self.clock = Clock::new(zone.clone());
        }
        self
    }

    /// Says which bytes of which File the next text is made of, the first if there are several: a
    /// header holds for its own File.
    #[inline]
    pub fn place(&mut self, first: FileSpan) {
        self.columns.place(first);
    }

    /// Takes in a text that lies above those to be parsed, where its header is looked for: it was a
    /// record before. The first that may be the header is, and each directive that follows one. Whether
    /// the header is known now.
    pub fn learn(&mut self, text: &str) -> bool {
        self.columns.await_header();
        let is_known = self.columns.names().is_some();
        if !is_known || self.follows_directives() && text.contains(HeaderForm::DIRECTIVE) {
            let (arena, mut record) = (Arena::new(), Record::default());
            // What it says besides was said before.
            let _ = self.read(text, Seen::ALL, &arena, &mut 0, &mut record);
        }
        self.columns.names().is_some()
    }

    /// Ends what is learned: `all` that lies above the texts to be parsed, or else none of these is the
    /// header. Whether it is known, or may yet come.
    pub fn end_learning(&mut self, all: bool) -> bool {
        if !all && self.columns.is_awaited() {
            self.columns.begin();
        }
        self.columns.names().is_some() || self.columns.is_awaited() && !self.follows_directives()
    }

    fn follows_directives(&self) -> bool {
        matches!(self.compiled.header_form(), Some(HeaderForm::Directive { .. }))
    }

    /// Where the header lies by which the File at hand is read: what has to be known to go on in its
    /// middle.
    #[inline]
    #[must_use]
    pub fn header(&self) -> Option<HeaderAt> {
        self.columns.header()
    }

    /// Finds the records that a text holds, if it holds several and this parser reads them one by one:
    /// each of the `parts` is then to be parsed as a text of its own. False for a text that is one
    /// record, as nearly all are.
    #[inline]
    pub fn split(&self, text: &str, parts: &mut Parts) -> bool {
        otlp::probe(text.as_bytes()) && self.compiled.reads_requests() && parts.find(text)
    }

    /// Fills `record`, which is empty. Never fails: what fits nothing gets the whole text as its
    /// message and is marked unparsed.
    pub fn parse<'a>(
        &mut self,
        text: &'a str,
        at: ReadAt,
        arena: &'a Arena,
        record: &mut Record<'a>,
    ) {
        if self.is_plain {
            record.message = Some(Text::raw(text));
            record.time = at.container_time;
            self.counters.parsed += 1;
            return;
        }
        self.clock.set_now(at.now);
        let mut bad_times = 0;
        // JSON has no control characters; the others are looked through for colours and for a second line
        // at once, at the speed of memory.
        let (mut plain, mut seen) = (None, Seen::ALL);
        if !text.starts_with('{') {
            match memchr::memchr2(colour::ESCAPE, b'\n', text.as_bytes()) {
                Some(_) => plain = colour::without(text, arena),
                None => seen = Seen::ONE_LINE,
            }
        }
        match self.read(plain.unwrap_or(text), seen, arena, &mut bad_times, record) {
            Ok(below) => {
                if !below.is_empty() {
                    trace::put_below(record, below, arena);
                }
                if let Some(plain) = plain {
                    // Nothing was found in it: it stays as it is.
                    let whole = |message: Text<'_>| message.as_stored().len() == plain.len();
                    if record.fields.is_empty() && record.message.is_some_and(whole) {
                        record.message = Some(Text::raw(text));
                    } else {
                        record.decoded = true;
                    }
                }
                self.counters.parsed += 1;
                self.counters.bad_times += bad_times;
                self.counters.vague_zones += u64::from(self.clock.take_vague());
            }
            Err(misfit) => {
                auto::clear(record);
                record.message = Some(Text::raw(text));
                // A blank line says nothing that could have been read.
                record.marks.unparsed = !text.trim_ascii().is_empty();
                if !record.marks.unparsed {
                    self.counters.parsed += 1;
                } else if let Some(count) = self.counters.unparsed.get_mut(misfit as usize) {
                    *count += 1;
                }
            }
        }
        record.time = record.time.or(at.container_time);
    }

    /// Fills the record from a text, of whose bytes this is known, or from its first line if that alone
    /// fits. Gives what lies below it.
    fn read<'a>(
        &mut self,
        text: &'a str,
        seen: Seen,
        arena: &'a Arena,
        bad_times: &mut u64,
        record: &mut Record<'a>,
    ) -> Result<&'a str, Misfit> {
        let mut cx = Context {
            arena,
            clock: &mut self.clock,
            bad_times,
            guessing: self.guessing,
            seen,
            outside: Outside::default(),
            locations: &mut self.locations,
            refine: None,
            auto: self.auto.as_mut(),
            columns: &mut self.columns,
            dialect: &Dialect::COMMAS,
        };
        self.compiled.read(text, &mut cx, record)
    }

    /// What `auto` chose, once it has; `None` for every other parser. A name in the library.
    #[must_use]
    pub fn chosen(&self) -> Option<&Arc<str>> {
        self.auto.as_ref()?.chosen()
    }

    /// What must be kept to resume.
    #[must_use]
    pub fn state(&self) -> ParserState {
        ParserState { chosen: self.chosen().cloned(), tally: self.tally() }
    }

    /// What `auto` saw in the recent lines; `None` for every other parser.
    #[inline]
    #[must_use]
    pub fn tally(&self) -> Option<Tally> {
        self.auto.as_ref().map(Auto::tally)
    }

    /// How sure `auto` is of what it chose: so many of so many recent records are of it.
    #[must_use]
    pub fn sure(&self) -> Option<(u16, u16)> {
        self.auto.as_ref().map(Auto::sure)
    }

    /// The joiner for the lines of this parser, where `auto` finds out the format: it goes by what this
    /// parser chose of the records before, and so must be asked for anew if the parser changes. `None`
    /// for every other parser, and where a definition of `auto`'s grammar says how lines are joined.
    #[must_use]
    pub fn joiner(&self) -> Option<Joiner> {
        let traces = |joiner: &JoinerField| *joiner == JoinerField::Named("traces".to_owned());
        let open = self.compiled.finds() && self.compiled.joiner.as_ref().is_some_and(traces);
        self.auto.as_ref().filter(|_| open).map(Auto::joiner)
    }

    /// Running counts since the parser was made.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

#[cfg(test)]
mod tests;
