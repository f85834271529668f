//! What can be wrong with a definition, in words for whoever wrote it.

use std::fmt;

use super::SampleMismatch;

/// Why a definition cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub struct DefinitionError {
    /// The definition's name; empty when it could not be read that far.
    pub name: String,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a definition. Its [`field`](Fault::field) is the key to point at.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Not YAML, or not a definition: the reader's own words.
    Yaml(String),
    /// The name is empty or taken by a built-in parser or another definition.
    Name,
    /// Not one of a grammar, a layout and a pattern.
    Method,
    /// A layout is not one.
    Layout {
        /// The layout.
        layout: String,
        /// Where it goes wrong, in characters, from 1.
        column: usize,
        /// What is wrong there.
        what: String,
    },
    /// Another parser that it names under `within` or `nested` is not there, or leads back to itself.
    Other {
        /// `within` or `nested`.
        key: &'static str,
        /// The name.
        name: String,
    },
    /// No grammar of that name.
    Grammar(String),
    /// The pattern does not compile, is too large, or captures nothing.
    Pattern(String),
    /// There is no joiner of that name, or its pattern cannot be used.
    Joiner(String),
    /// The time's zone is not one.
    Zone(String),
    /// The time's format cannot be used.
    TimeFormat(String),
    /// What is said of columns cannot be used.
    Csv(String),
    /// What the level's words mean is said, but not which field they are in, and the grammar has no
    /// keys to find it by.
    Level,
    /// `open` or `fields`, which a layout and a pattern have no use for.
    Grammarless {
        /// `open` or `fields`.
        key: &'static str,
    },
    /// A field under `types`, `time` or `level` that the pattern does not capture.
    NoSuchField {
        /// `types`, `time` or `level`.
        key: &'static str,
        /// The field.
        field: String,
    },
    /// A sample does not come out as it says.
    Sample(SampleMismatch),
}

impl Fault {
    /// The key of the definition that is to blame, for pointing at it in a file.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::Yaml(_) | Self::Name => "name",
            Self::Method | Self::Pattern(_) => "pattern",
            Self::Layout { .. } => "layout",
            Self::Other { key, .. } => key,
            Self::Grammar(_) => "grammar",
            Self::Joiner(_) => "joiner",
            Self::Csv(_) => "csv",
            Self::Zone(_) | Self::TimeFormat(_) => "time",
            Self::Level => "level",
            Self::NoSuchField { key, .. } | Self::Grammarless { key } => key,
            Self::Sample(_) => "samples",
        }
    }
}

impl fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.name.is_empty() {
            write!(f, "parser `{}`: ", self.name)?;
        }
        match &self.fault {
            Fault::Yaml(error) => f.write_str(error),
            Fault::Name => f.write_str("the name is empty or already taken: choose another"),
            Fault::Method => f.write_str("give one of `layout`, `pattern` and `grammar`"),
            Fault::Layout { layout, column, what } => {
                write!(f, "the layout `{layout}` cannot be used, at column {column}: {what}")
            }
            Fault::Other { key, name } => write!(
                f,
                "`{key}: {name}` names no parser that can be used there: `pillion parsers` lists them"
            ),
            Fault::Grammar(name) => write!(f, "there is no grammar `{name}`"),
            Fault::Joiner(error) => write!(f, "the joiner cannot be used: {error}"),
            Fault::Pattern(error) => write!(f, "the pattern cannot be used: {error}"),
            Fault::Zone(zone) => {
                write!(
                    f,
                    "`{zone}` is no time zone: use an IANA name, `UTC` or an offset as `+01:00`"
                )
            }
            Fault::TimeFormat(error) => write!(f, "the time format cannot be used: {error}"),
            Fault::Csv(error) => f.write_str(error),
            Fault::Level => f.write_str(
                "a grammar reads its own level: name the `field` that this `level` is about",
            ),
            Fault::Grammarless { key } => write!(
                f,
                "`{key}` is for a `grammar`: a layout and a pattern name their fields themselves"
            ),
            Fault::NoSuchField { key, field } => {
                write!(f, "`{key}` names the field `{field}`, which the pattern does not capture")
            }
            Fault::Sample(mismatch) => mismatch.fmt(f),
        }
    }
}

impl std::error::Error for DefinitionError {}
