//! Turns the text of one raw record into a [`Record`] that borrows from it.
//!
//! Each hand-written grammar is one file here and one definition in `parsers/definitions/`;
//! users' patterns go through `pattern`. A [`Parser`] belongs to one lineage and remembers what
//! helps with its next line: the last second's conversion, what `auto` chose.
//! Parsing is total: what fits nothing becomes a record with the whole text as its message.

mod access;
mod auto;
mod convert;
mod cursor;
mod escape;
mod explain;
mod grammar;
mod java;
mod json;
mod keys;
mod level;
mod library;
mod logfmt;
mod nginx_error;
mod pattern;
mod plain;
mod roles;
mod syslog;
mod trace;

use std::sync::Arc;

use regex::CaptureLocations;

use crate::Arena;
use crate::record::{Record, Text, Time};
use crate::timestamp::Clock;
use auto::{Auto, Found};
use grammar::Context;
use library::Method;
use trace::whole_or_head;

pub use explain::{Fit, explain};
pub(crate) use json::decode;
pub(crate) use library::Compiled;
pub use library::{Library, UnknownParser};

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
}

/// Why a text did not fit: what the count of unparsed records is broken down by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Misfit {
    /// Not in the format's grammar; under `auto`, in none.
    Syntax,
    /// A key appears twice in one object or line; Elasticsearch refuses such a document.
    DuplicateKey,
    /// JSON nested more than 19 levels deep.
    TooDeep,
    /// More keys than a record may have: 256 in one object, 1,024 in all.
    TooManyKeys,
    /// A number of more than 64 bytes, or beyond what a 64-bit float holds.
    Number,
    /// Half of a UTF-16 pair in a JSON escape: text that UTF-8 cannot hold.
    LoneSurrogate,
    /// A field that its definition types is not of that type.
    FieldType,
}

impl Misfit {
    /// Every reason, in the order of [`Counters::unparsed`].
    pub const ALL: [Self; 7] = [
        Self::Syntax,
        Self::DuplicateKey,
        Self::TooDeep,
        Self::TooManyKeys,
        Self::Number,
        Self::LoneSurrogate,
        Self::FieldType,
    ];

    /// The reason's name as a metric's label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::DuplicateKey => "duplicate_key",
            Self::TooDeep => "too_deep",
            Self::TooManyKeys => "too_many_keys",
            Self::Number => "number",
            Self::LoneSurrogate => "lone_surrogate",
            Self::FieldType => "field_type",
        }
    }
}

/// Running counts of one parser, in records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Records that fitted.
    pub parsed: u64,
    /// Records that did not, by reason: indexed like [`Misfit::ALL`].
    pub unparsed: [u64; Misfit::ALL.len()],
    /// Records with a time that could not be read: they have none, and keep its text as a field
    /// where the format has one for it.
    pub bad_times: u64,
}

impl Counters {
    /// Records that did not fit, whatever the reason.
    #[must_use]
    pub fn unparsed_total(&self) -> u64 {
        self.unparsed.iter().sum()
    }
}

/// A lineage's parser.
pub struct Parser {
    compiled: Arc<Compiled>,
    clock: Clock,
    /// What `auto` knows; idle in every other parser.
    auto: Auto,
    /// Room for a pattern's match, reused from line to line.
    locations: Option<CaptureLocations>,
    counters: Counters,
    /// Whether even a named grammar reads as `auto` would: see [`Context::guessing`].
    guessing: bool,
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
        library.compiled(name).map(|compiled| Self::with(compiled, resume))
    }

    /// The parser that takes every text as the message, without a library.
    #[must_use]
    pub fn plain() -> Self {
        Self::with(Arc::new(Compiled::plain()), ParserState::default())
    }

    /// A parser of a compiled definition.
    pub(crate) fn with(compiled: Arc<Compiled>, resume: ParserState) -> Self {
        let locations = match &compiled.method {
            Method::Pattern(pattern) => Some(pattern.locations()),
            _ => None,
        };
        let chosen = resume.chosen.filter(|_| matches!(compiled.method, Method::Auto));
        Self {
            clock: Clock::new(compiled.zone.clone()),
            auto: Auto::new(chosen),
            locations,
            counters: Counters::default(),
            guessing: false,
            compiled,
        }
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
        self.clock.set_now(at.now);
        let mut bad_times = 0;
        match self.read(text, arena, &mut bad_times, record) {
            Ok(below) => {
                if !below.is_empty() {
                    trace::put_below(record, below, arena);
                }
                self.counters.parsed += 1;
                self.counters.bad_times += bad_times;
            }
            Err(misfit) => {
                auto::clear(record);
                record.message = Some(Text::raw(text));
                record.marks.unparsed = true;
                if let Some(count) = self.counters.unparsed.get_mut(misfit as usize) {
                    *count += 1;
                }
            }
        }
        record.time = record.time.or(at.container_time);
    }

    /// Fills the record from a text, or from its first line if that alone fits. Gives what lies below
    /// it.
    fn read<'a>(
        &mut self,
        text: &'a str,
        arena: &'a Arena,
        bad_times: &mut u64,
        record: &mut Record<'a>,
    ) -> Result<&'a str, Misfit> {
        let (clock, refine) = (&mut self.clock, self.compiled.refine.as_ref());
        let below = match (&self.compiled.method, &mut self.locations) {
            (Method::Pattern(pattern), Some(locations)) => {
                whole_or_head(text, record, |text, record| {
                    *bad_times = 0;
                    pattern.read(text, locations, arena, clock, bad_times, record)
                })?
            }
            (Method::Grammar(grammar), _) => {
                let mut cx = Context { arena, clock, bad_times, guessing: self.guessing, refine };
                whole_or_head(text, record, |text, record| {
                    *cx.bad_times = 0;
                    (grammar.read)(text, &mut cx, record)
                })?
            }
            _ => {
                let mut cx = Context { arena, clock, bad_times, guessing: true, refine };
                match self.auto.read(text, &mut cx, record) {
                    Found::Fitted(below) => below,
                    Found::Unfit(misfit) => return Err(misfit),
                    Found::Plain => {
                        auto::clear(record);
                        trace::put(record, text);
                        ""
                    }
                }
            }
        };
        if let Some(refine) = refine {
            refine.apply(record, &mut self.clock, bad_times)?;
        }
        Ok(below)
    }

    /// What `auto` chose, once it has; `None` for every other parser. A name in the library.
    #[must_use]
    pub fn chosen(&self) -> Option<&Arc<str>> {
        self.auto.chosen()
    }

    /// What must be kept to resume.
    #[must_use]
    pub fn state(&self) -> ParserState {
        ParserState { chosen: self.chosen().cloned() }
    }

    /// Running counts since the parser was made.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

#[cfg(test)]
mod tests;
