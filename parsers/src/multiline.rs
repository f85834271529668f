//! Joiners: which lines belong to the record before them. Stack traces of Java (and what prints the
//! like: .NET, Node), Python and Go, quoted line breaks of CSV, or a user's own pattern for a record's
//! first line.
//!
//! A joiner looks at one line at a time and remembers a few bits. It never looks ahead and never
//! copies; the [`Framer`](crate::frame::Framer) does the joining. The first byte settles most lines.

mod csv;
mod go;
mod java;
mod python;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};

/// Memory that a user's compiled pattern may take, and that its lazy automaton may take for each
/// thread, in bytes.
const PATTERN_MEMORY: usize = 1 << 20;

/// Decides, line by line, what continues a record. Cheap to clone.
#[derive(Clone)]
pub struct Joiner(Kind);

#[derive(Clone)]
enum Kind {
    None,
    Java,
    Python,
    Go,
    Traces,
    /// By its quote.
    Csv(u8),
    /// Shared, since a clone of a regex has memory of its own to match with.
    Start(Arc<Regex>),
}

/// What a joiner remembers of the lines so far. A framer keeps one for each stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct JoinState {
    java: java::State,
    python: python::State,
    go: go::State,
    csv: csv::State,
    /// The record before is one blank line: no trace belongs to it.
    blank: bool,
}

/// The named joiners.
const NAMED: [(&str, Kind); 5] = [
    ("java", Kind::Java),
    ("python", Kind::Python),
    ("go", Kind::Go),
    ("traces", Kind::Traces),
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

    /// What [`Joiner::named`] knows: `java`, `python`, `go`, `traces` for the three at once, and `csv`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.into_iter().map(|(name, _)| name)
    }

    /// A record of columns goes on as long as this quote is open, as `csv` does by `"`.
    pub(crate) const fn quoted(quote: u8) -> Self {
        Self(Kind::Csv(quote))
    }

    /// A record begins at each line that the pattern matches anywhere in; all others continue one.
    /// Of a line that a container split, the pattern sees the first part.
    ///
    /// # Errors
    /// What is wrong with the pattern, for a person: it is no regular expression, takes too much
    /// memory, or matches any line, so that it would join nothing.
    pub fn start_pattern(pattern: &str) -> Result<Self, String> {
        let regex = RegexBuilder::new(pattern)
            .size_limit(PATTERN_MEMORY)
            .dfa_size_limit(PATTERN_MEMORY)
            .build()
            .map_err(|error| error.to_string())?;
        if ["", "\t", "a", "~0"].iter().all(|line| regex.is_match(line.as_bytes())) {
            return Err(format!(
                "the start pattern {pattern:?} matches any line, even an empty one, so it would join \
                 nothing: anchor it, for example as '^\\d{{4}}-'"
            ));
        }
        Ok(Self(Kind::Start(Arc::new(regex))))
    }

    /// Whether this is [`Joiner::none`].
    #[must_use]
    pub const fn is_none(&self) -> bool {
        matches!(self.0, Kind::None)
    }

    /// Whether no line can continue the record as of the last one.
    pub(crate) const fn is_closed(&self, state: &JoinState) -> bool {
        match self.0 {
            Kind::None => true,
            Kind::Csv(_) => state.csv.is_closed(),
            _ => false,
        }
    }

    /// Whether `line`, without its terminator, continues the record before it.
    pub(crate) fn joins(&self, state: &mut JoinState, line: &[u8]) -> bool {
        let joined = match &self.0 {
            Kind::None => false,
            Kind::Java => java::joins(&mut state.java, line),
            Kind::Python => python::joins(&mut state.python, line),
            Kind::Go => go::joins(&mut state.go, line),
            Kind::Traces => {
                // Each must see every line, so no short circuit.
                java::joins(&mut state.java, line)
                    | python::joins(&mut state.python, line)
                    | go::joins(&mut state.go, line)
            }
            Kind::Csv(quote) => return csv::joins(&mut state.csv, *quote, line),
            Kind::Start(regex) => return !regex.is_match(line),
        };
        let joined = joined && !state.blank;
        state.blank = !joined && line.is_empty();
        joined
    }
}

impl fmt::Debug for Joiner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &self.0 {
            Kind::None => "none",
            Kind::Java => "java",
            Kind::Python => "python",
            Kind::Go => "go",
            Kind::Traces => "traces",
            Kind::Csv(_) => "csv",
            Kind::Start(regex) => return write!(f, "Joiner(start {:?})", regex.as_str()),
        };
        write!(f, "Joiner({name})")
    }
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
