//! How a definition says that lines become records.

use std::fmt;

use serde::Deserialize;

use crate::multiline::{Joiner, Joining, LinePattern, Part};

/// A joiner's name, or how a record begins.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum JoinerField {
    /// One of [`Joiner::names`].
    Named(String),
    /// By a pattern.
    Pattern(RecordStart),
}

/// The pattern of a record's first line: what it does not match goes on with the record before.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordStart {
    /// A regular expression, searched for anywhere in a line.
    pub start: String,
    /// The same of a line that may stand ahead of the first: both begin the record together.
    #[serde(default)]
    pub ahead: Option<String>,
    /// How many lines that are neither indented nor of a trace may go on with a record under `auto`,
    /// where the file need not be this format's alone: none if absent. A source that names the parser
    /// joins all of them.
    #[serde(default)]
    pub loose: u16,
}

impl JoinerField {
    /// The joiner.
    ///
    /// # Errors
    /// What is wrong with the name or the pattern, for a person.
    pub fn joiner(&self) -> Result<Joiner, String> {
        match self {
            Self::Named(name) => {
                Joiner::named(name).ok_or_else(|| format!("there is no joiner `{name}`"))
            }
            Self::Pattern(RecordStart { start, ahead, .. }) => {
                let pattern = |pattern: &String| LinePattern::new(Part::Start, pattern);
                let ahead = ahead.as_ref().map(pattern).transpose()?;
                Ok(Joiner::of_starts(pattern(start)?, ahead))
            }
        }
    }
}

impl JoinerField {
    /// How lines become records where `auto` found the format; `None` if as any other's.
    pub(crate) fn joining(&self) -> Option<Joining> {
        match self {
            Self::Named(name) => {
                let joiner = Joiner::named(name)?;
                // `auto` joins the traces of all languages.
                (!joiner.is_traces()).then_some(Joining::By(joiner))
            }
            Self::Pattern(RecordStart { start, ahead, loose }) => {
                let pattern = |pattern: &String| LinePattern::new(Part::Start, pattern).ok();
                let (start, ahead) = (pattern(start)?, ahead.as_ref().and_then(pattern));
                Some(Joining::From { start, ahead, loose: *loose })
            }
        }
    }
}

impl fmt::Display for JoinerField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Pattern(RecordStart { start, ahead: None, .. }) => {
                write!(f, "a record begins as {start}")
            }
            Self::Pattern(RecordStart { start, ahead: Some(ahead), .. }) => {
                write!(f, "a record begins as {start}, or with {ahead} ahead of that")
            }
        }
    }
}
