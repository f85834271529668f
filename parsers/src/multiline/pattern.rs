//! Joiners of a user's own: patterns that say where a record begins, goes on, or ends.

use std::fmt;

use regex::bytes::{Regex, RegexBuilder};

/// Memory that a user's compiled pattern may take, and that its lazy automaton may take for each
/// thread, in bytes.
const PATTERN_MEMORY: usize = 1 << 20;

/// What a line that a pattern matches is to its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Its first.
    Start,
    /// One that goes on with it.
    Continue,
    /// Its last.
    End,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 3] = [Self::Start, Self::Continue, Self::End];

    /// The part's key in a configuration: `start`, `continue` or `end`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Continue => "continue",
            Self::End => "end",
        }
    }
}

/// A pattern that is searched for anywhere in a line, and what the line then is.
pub struct LinePattern {
    part: Part,
    regex: Regex,
}

impl LinePattern {
    /// Compiles a pattern in the syntax of the `regex` crate.
    ///
    /// # Errors
    /// What is wrong with the pattern, for a person: it is no regular expression, takes too much
    /// memory, or matches any line, so that it would tell none from another.
    pub fn new(part: Part, pattern: &str) -> Result<Self, String> {
        let regex = RegexBuilder::new(pattern)
            .size_limit(PATTERN_MEMORY)
            .dfa_size_limit(PATTERN_MEMORY)
            .build()
            .map_err(|error| error.to_string())?;
        if ["", "\t", "a", "~0"].iter().all(|line| regex.is_match(line.as_bytes())) {
            let (makes, anchored) = match part {
                Part::Start => ("join nothing", r"'^\d{4}-'"),
                Part::Continue => ("join everything", r"'^\s'"),
                Part::End => ("join nothing", "';$'"),
            };
            return Err(format!(
                "the {} pattern {pattern:?} matches any line, even an empty one, so it would \
                 {makes}: anchor it, for example as {anchored}",
                part.name()
            ));
        }
        Ok(Self { part, regex })
    }

    /// Whether a line is so.
    pub(crate) fn matches(&self, line: &[u8]) -> bool {
        self.regex.is_match(line)
    }
}

impl fmt::Debug for LinePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.part.name(), self.regex.as_str())
    }
}

/// The patterns of one joiner; at least one is there.
pub(super) struct Patterns {
    start: Option<LinePattern>,
    goes_on: Option<LinePattern>,
    end: Option<LinePattern>,
    /// What may stand ahead of a record's first line, and begins the record then.
    ahead: Option<LinePattern>,
    /// Whether they are a format's, and not a user's for a source.
    of_starts: bool,
}

/// What is remembered of the lines so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    /// The record may go on.
    open: bool,
    /// The line before stands ahead of a record's first.
    pub(super) ahead: bool,
}

impl Patterns {
    /// Of where records begin, and what may stand ahead of that.
    pub(super) fn of_starts(start: LinePattern, ahead: Option<LinePattern>) -> Self {
        Self { start: Some(start), goes_on: None, end: None, ahead, of_starts: true }
    }

    pub(super) fn new(patterns: impl IntoIterator<Item = LinePattern>) -> Option<Self> {
        let mut found =
            Self { start: None, goes_on: None, end: None, ahead: None, of_starts: false };
        for pattern in patterns {
            let place = match pattern.part {
                Part::Start => &mut found.start,
                Part::Continue => &mut found.goes_on,
                Part::End => &mut found.end,
            };
            *place = Some(pattern);
        }
        (found.start.is_some() || found.goes_on.is_some() || found.end.is_some()).then_some(found)
    }

    /// Whether a format says so where its records begin.
    pub(super) const fn is_of_starts(&self) -> bool {
        self.of_starts
    }

    /// Whether `line` continues the record before it.
    pub(super) fn joins(&self, state: &mut State, line: &[u8]) -> bool {
        let matches =
            |pattern: &Option<LinePattern>| pattern.as_ref().map(|pattern| pattern.matches(line));
        let begins = matches(&self.start);
        let ahead = matches(&self.ahead) == Some(true);
        let behind = std::mem::replace(&mut state.ahead, ahead) && begins == Some(true);
        if behind || ahead {
            state.open = true;
            return behind;
        }
        let joins = state.open && begins != Some(true) && matches(&self.goes_on) != Some(false);
        // With more than a start, what neither begins a record nor belongs to one stands by itself.
        let alone = self.goes_on.is_none() && self.end.is_none();
        let inside = alone || begins != Some(false) || joins;
        state.open = inside && matches(&self.end) != Some(true);
        joins
    }
}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for pattern in [&self.start, &self.goes_on, &self.end].into_iter().flatten() {
            write!(f, "{between}{pattern:?}")?;
            between = ", ";
        }
        Ok(())
    }
}
