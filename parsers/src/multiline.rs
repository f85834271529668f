//! Joiners: which lines belong to the record before them. Stack traces of eight languages, quoted line
//! breaks of CSV, or what a user says of the lines: indentation, a trailing backslash, patterns.
//!
//! A joiner looks at one line at a time and remembers a few bits. It never looks ahead and never
//! copies; the [`Framer`](crate::frame::Framer) does the joining. Each language is a small machine:
//! `traces` asks all of them, and since none leaves its rest but at certain first bytes, most lines
//! are settled by a look into a table. A false join is worse than a missed one: a machine joins what
//! only a trace says, or what follows a header it knows.

mod below;
mod by_format;
mod calm;
mod csv;
mod dotnet;
mod go;
mod java;
mod machines;
mod node;
mod pattern;
mod php;
mod python;
mod ruby;
mod rust;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use by_format::ByFormat;
use machines::{Machines, Traces};
use pattern::{Patterns, State};

pub(crate) use by_format::{Choice, Chosen, Formats, Joining};
pub use pattern::{LinePattern, Part};

/// Decides, line by line, what continues a record. Cheap to clone.
#[derive(Clone)]
pub struct Joiner(Kind);

#[derive(Clone)]
enum Kind {
    None,
    Traces(Machines),
    Indent,
    Backslash,
    /// By its quote.
    Csv(u8),
    /// Shared, since a clone of a regex has memory of its own to match with.
    Patterns(Arc<Patterns>),
    /// One for each lineage.
    ByFormat(Arc<ByFormat>),
}

/// What a joiner remembers of the lines so far. A framer keeps one for each stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct JoinState {
    traces: Traces,
    csv: csv::State,
    /// The line before was the empty one a record begins with: no trace belongs to it.
    blank: bool,
    patterns: State,
    /// For a backslash: the record goes on.
    open: bool,
    /// The record is a JSON object, as it begins, and whether it has come to its end: only a trace goes on
    /// with one that has.
    object: Object,
    /// By format: that of the record's first line.
    format: Option<u16>,
    /// By format: how many lines that are not indented may yet go on with the record.
    loose: u16,
}

/// How far a record is a JSON object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Object {
    /// It begins otherwise.
    #[default]
    No,
    /// It begins as one.
    Open,
    /// A line of it ended in a brace.
    Closed,
}

impl Object {
    /// Of a record that begins with a line.
    fn begun_by(line: &[u8]) -> Self {
        let begun = if line.first() == Some(&b'{') { Self::Open } else { Self::No };
        begun.after(line)
    }

    /// The same after another line.
    fn after(self, line: &[u8]) -> Self {
        let closes = self == Self::Open && line.trim_ascii_end().ends_with(b"}");
        if closes { Self::Closed } else { self }
    }
}

/// The named joiners. .NET's traces are Java's and a little more.
const NAMED: [(&str, Kind); 12] = [
    ("java", Kind::Traces(Machines::JAVA)),
    ("python", Kind::Traces(Machines::PYTHON)),
    ("go", Kind::Traces(Machines::GO)),
    ("node", Kind::Traces(Machines::NODE)),
    ("ruby", Kind::Traces(Machines::RUBY)),
    ("php", Kind::Traces(Machines::PHP)),
    ("dotnet", Kind::Traces(Machines::DOTNET)),
    ("rust", Kind::Traces(Machines::RUST)),
    ("traces", Kind::Traces(Machines::ALL)),
    ("indent", Kind::Indent),
    ("backslash", Kind::Backslash),
    ("csv", Kind::Csv(b'"')),
];

impl Joiner {
    /// Every line is a record.
    #[must_use]
    pub const fn none() -> Self {
        Self(Kind::None)
    }

    /// The joiner of that name, one of [`Joiner::names`].
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        NAMED.into_iter().find(|(known, _)| *known == name).map(|(_, kind)| Self(kind))
    }

    /// What [`Joiner::named`] knows: the languages `java`, `python`, `go`, `node`, `ruby`, `php`,
    /// `dotnet` and `rust`; `traces` for all of them at once; `indent`, a line that begins with a
    /// space or a tab goes on with the one before; `backslash`, a line that ends in one is gone on
    /// with by the next; `csv`, a column in quotes goes on over its line's end.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.into_iter().map(|(name, _)| name)
    }

    /// A record of columns goes on as long as this quote is open, as `csv` does by `"`.
    pub(crate) const fn quoted(quote: u8) -> Self {
        Self(Kind::Csv(quote))
    }

    /// A joiner made of patterns, at most one of each [`Part`].
    ///
    /// - `start` alone: a record begins at each line it matches; all others go on with one.
    /// - `continue` alone: a line it matches goes on with the one before.
    /// - `end` alone: a record ends with each line it matches.
    /// - `start` with one of the others: what lies outside is a record line by line. With `continue`
    ///   a record that began goes on as long as it matches, with `end` up to and with the line it
    ///   matches.
    ///
    /// Of a line that a container split, patterns see the first part. No pattern: [`Joiner::none`].
    #[must_use]
    pub fn of_patterns(patterns: impl IntoIterator<Item = LinePattern>) -> Self {
        match Patterns::new(patterns) {
            Some(patterns) => Self(Kind::Patterns(Arc::new(patterns))),
            None => Self::none(),
        }
    }

    /// A record begins at each line that `start` matches, or at the one before where `ahead` matches
    /// that; all others go on with one.
    pub(crate) fn of_starts(start: LinePattern, ahead: Option<LinePattern>) -> Self {
        Self(Kind::Patterns(Arc::new(Patterns::of_starts(start, ahead))))
    }

    /// Each record goes on as the format of its first line asks for, by what was chosen so far.
    pub(crate) fn by_format(formats: Arc<dyn Formats>, choice: Choice) -> Self {
        Self(Kind::ByFormat(Arc::new(ByFormat::new(formats, choice))))
    }

    /// Whether this is [`Joiner::none`].
    #[must_use]
    pub const fn is_none(&self) -> bool {
        matches!(self.0, Kind::None)
    }

    /// Whether it joins the traces of some languages, and nothing else.
    pub(crate) const fn is_traces(&self) -> bool {
        matches!(self.0, Kind::Traces(_))
    }

    /// Whether no line can continue the record as of the last one.
    pub(crate) fn is_closed(&self, state: &JoinState) -> bool {
        match &self.0 {
            Kind::None => true,
            Kind::ByFormat(by_format) => by_format.is_closed(state),
            Kind::Csv(_) => state.csv.is_closed(),
            _ => false,
        }
    }

    /// Whether `line`, without its terminator, continues the record before it.
    #[inline]
    pub(crate) fn joins(&self, state: &mut JoinState, line: &[u8]) -> bool {
        let joined = match &self.0 {
            Kind::None => false,
            Kind::Traces(machines) => machines.join(&mut state.traces, line, state.blank),
            Kind::Indent => is_indented(line) && !state.blank,
            Kind::Backslash => {
                return std::mem::replace(&mut state.open, line.ends_with(b"\\"));
            }
            Kind::Csv(quote) => return csv::joins(&mut state.csv, *quote, line),
            Kind::Patterns(patterns) => {
                let joins = patterns.joins(&mut state.patterns, line);
                if joins && state.object == Object::Closed {
                    return Machines::ALL.join(&mut state.traces, line, false);
                }
                state.object = state.object.after(line);
                return joins;
            }
            Kind::ByFormat(by_format) => return by_format.joins(state, line),
        };
        state.blank = !joined && line.is_empty();
        joined
    }
}

impl Joiner {
    /// Whether a line that [`joins`](Self::joins) took begins a record all the same, for what the one
    /// before it says so far: a program dies, and what it logged before tells of no error.
    #[inline]
    pub(crate) fn parts(&self, state: &JoinState, record: &[u8], line: &[u8]) -> bool {
        // How a logger begins its lines is still told by the record before.
        let asked = matches!(self.0, Kind::Traces(_) | Kind::ByFormat(_));
        asked && python::begins(line) && state.traces.is_fresh() && calm::is_calm(record)
    }

    /// Hears that a record begins with `line`, about which [`joins`](Self::joins) was asked.
    #[inline]
    pub(crate) fn begin(&self, state: &mut JoinState, line: &[u8]) {
        match &self.0 {
            Kind::ByFormat(by_format) => by_format.begin(state, line),
            Kind::Patterns(patterns) if patterns.is_of_starts() => {
                state.object = Object::begun_by(line);
                if state.object == Object::Closed {
                    state.traces = Traces::default();
                    Machines::ALL.join(&mut state.traces, line, false);
                }
            }
            _ => {}
        }
    }
}

impl fmt::Debug for Joiner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &self.0 {
            Kind::None => "none",
            Kind::Traces(machines) => machines.name(),
            Kind::Indent => "indent",
            Kind::Backslash => "backslash",
            Kind::Csv(_) => "csv",
            Kind::Patterns(patterns) => return write!(f, "Joiner({patterns:?})"),
            Kind::ByFormat(by_format) => return write!(f, "Joiner({by_format:?})"),
        };
        write!(f, "Joiner({name})")
    }
}

/// Whether `line` begins with a space or a tab.
fn is_indented(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

/// `line` from its first byte that is neither a space nor a tab.
fn unindented(line: &[u8]) -> &[u8] {
    let indent = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    line.get(indent..).unwrap_or_default()
}

/// Whether `line` begins with one of `prefixes`.
fn begins_with_any(line: &[u8], prefixes: &[&[u8]]) -> bool {
    prefixes.iter().any(|prefix| line.starts_with(prefix))
}

/// Whether `text` has `part` in it.
fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

/// Whether a line is, after its indentation, a frame as Java, Node, .NET and Rust print it: `at `, and
/// a place or a function.
fn is_frame(line: &[u8]) -> bool {
    line.strip_prefix(b"at ")
        .is_some_and(|rest| !is_indented(rest) && memchr::memchr3(b'(', b':', b'.', rest).is_some())
}

/// `text` after the decimal digits it begins with; `None` if there are none.
fn after_digits(text: &[u8]) -> Option<&[u8]> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 { None } else { text.get(digits..) }
}
