//! Definitions: what a format is called, which grammar or pattern reads it, and samples that prove
//! it. The built-in ones are the files in `parsers/definitions/`; users write the same grammar under
//! `parsers:` in their configuration.

mod check;
mod fault;
mod joiner;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::multiline::Joiner;
use crate::record::Level;

pub use check::{Difference, SampleMismatch};
pub use fault::{DefinitionError, Fault};
pub use joiner::{JoinerField, RecordStart};

/// One format, as its YAML says it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What a source's `parser:` calls it. Empty under `parsers:` of a configuration, where the
    /// mapping's key is the name and whoever reads it puts it here.
    #[serde(default)]
    pub name: String,
    /// One sentence for `pillion parsers`.
    #[serde(default)]
    pub doc: String,
    /// A hand-written grammar, by name. Exactly one of `grammar`, `layout` and `pattern` is given.
    #[serde(default)]
    pub grammar: Option<String>,
    /// How a line looks: text that stands for itself, and fields as `{name}` or `{name:kind}`. Of
    /// several layouts, the first that a line fits reads it. `time`, `level` and `message` become what
    /// they say; a field that is empty or `-` is left out.
    #[serde(default, deserialize_with = "one_or_many")]
    pub layout: Vec<String>,
    /// A parser that reads what this one's lines may be wrapped in (`syslog`): this one then reads the
    /// message.
    #[serde(default)]
    pub within: Option<String>,
    /// The programs whose lines these are, where what they are wrapped in names one. `postfix/` means
    /// all whose names begin so.
    #[serde(default)]
    pub programs: Vec<String>,
    /// A format whose messages hold what this one's do: formats that say they stand in it are looked for
    /// in these, too.
    #[serde(default)]
    pub wraps: Option<String>,
    /// A parser that reads the message further, where it fits.
    #[serde(default)]
    pub nested: Option<String>,
    /// Objects of a JSON record whose members become fields of the record: `span` puts them in its
    /// place, `log.` too, but called `log.level` and so on. One that was opened may have another to
    /// open in it. For grammars.
    #[serde(default)]
    pub open: Vec<String>,
    /// What the program calls a field, and what it is called here: one of pillion's own names, that
    /// destinations know, or `message`. A field that is not there, or whose new name is taken, stays as it is;
    /// one that says that there is no value (`-`, or nothing) is left out. `time` is the record's if
    /// that has none, or a coarser one; `request`, a request line, is taken apart. For grammars.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Texts that a line has if it is of this format: `auto` tries it only on those that have all.
    #[serde(default)]
    pub contains: Vec<String>,
    /// Whether `auto` does not try it: what is too common in form to be told from others.
    #[serde(default)]
    pub manual: bool,
    /// Whether lines of other formats fit it, too: `auto` tries those first, whatever the lines before
    /// were.
    #[serde(default)]
    pub generic: bool,
    /// A regular expression (the syntax of the `regex` crate) whose named captures become fields;
    /// `time`, `level` and `message` become what they say.
    #[serde(default)]
    pub pattern: Option<String>,
    /// How the grammar `csv` is to read.
    #[serde(default)]
    pub csv: Option<CsvOptions>,
    /// What a field's text is turned into. A field that is empty or `-` is left out; a line with a
    /// field that cannot be turned does not fit. Without an entry a field stays as it was found.
    #[serde(default)]
    pub types: BTreeMap<String, FieldType>,
    /// Where the record's time is, and how it is written.
    #[serde(default)]
    pub time: Option<TimeField>,
    /// Where the record's level is, and what its values mean.
    #[serde(default)]
    pub level: Option<LevelField>,
    /// The joiner that suits the format, for sources that name none: a name, or `{start: PATTERN}` that
    /// a record's first line matches.
    #[serde(default)]
    pub joiner: Option<JoinerField>,
    /// Lines and what must come of them.
    #[serde(default)]
    pub samples: Vec<Sample>,
    /// Logs in `fixtures/recorded/`, written by the real program, that it is proven by.
    #[serde(default)]
    pub recorded: Vec<String>,
    /// Where the format is described, for those that no log was recorded of in all their forms.
    #[serde(default)]
    pub documented: Option<String>,
}

/// Reads a text, or a list of texts.
fn one_or_many<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(reader)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}

/// How columns are written, for the grammar `csv`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvOptions {
    /// The columns' names. Without them, the first line of each File has them.
    #[serde(default)]
    pub columns: Option<Vec<String>>,
    /// What stands between columns: one character, or `tab`; a comma if absent.
    #[serde(default)]
    pub delimiter: Option<String>,
    /// What stands around a column that has the delimiter or a line break in it, and twice within for
    /// itself: one character, or `none`; `"` if absent.
    #[serde(default)]
    pub quote: Option<String>,
    /// What a line begins with that is none of columns: one character.
    #[serde(default)]
    pub comment: Option<String>,
}

/// What the text of a field is turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// A whole number of 64 bits with sign.
    Integer,
    /// A finite number of 64 bits.
    Float,
    /// `true`, `yes`, `on`, `1` and their opposites, in any case.
    Boolean,
    /// Text, also where the grammar would give a number.
    String,
    /// A duration, in seconds unless the text has units of its own (`1.5ms`), as whole nanoseconds.
    /// One below zero is left out, as programs write so what was not.
    #[serde(rename = "s")]
    Seconds,
    /// The same in milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// The same in microseconds.
    #[serde(rename = "us")]
    Microseconds,
    /// The same in nanoseconds.
    #[serde(rename = "ns")]
    Nanoseconds,
}

impl FieldType {
    /// The unit's nanoseconds, of a duration.
    pub(crate) const fn unit(self) -> Option<i64> {
        match self {
            Self::Seconds => Some(1_000_000_000),
            Self::Milliseconds => Some(1_000_000),
            Self::Microseconds => Some(1_000),
            Self::Nanoseconds => Some(1),
            Self::Integer | Self::Float | Self::Boolean | Self::String => None,
        }
    }
}

/// Where a record's time is, and how it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeField {
    /// The field that holds it. `time` if a pattern has it; a grammar knows its own.
    #[serde(default)]
    pub field: Option<String>,
    /// `iso`, `clf`, `rfc2822`, `rfc3164`, `ctime`, `compact`, `glog`, `time_of_day`, `epoch`,
    /// `epoch_s`, `epoch_ms`, `epoch_us`, `epoch_ns`, or a strptime format as jiff understands it
    /// (`%Y-%m-%d %H:%M:%S%.3f`). Without one, the usual formats are recognised.
    #[serde(default)]
    pub format: Option<String>,
    /// A field with the nanoseconds of the second that the time is in, where a grammar gives those
    /// apart.
    #[serde(default)]
    pub nanos: Option<String>,
    /// The zone of times that name none: `UTC`, an offset as `+01:00`, or an IANA name. If absent
    /// the source says it, else it is UTC.
    #[serde(default)]
    pub zone: Option<String>,
}

/// Where a record's level is, and what its values mean.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelField {
    /// The field that holds it. `level` if a pattern has it; a grammar knows its own.
    #[serde(default)]
    pub field: Option<String>,
    /// What the format's own words mean (`trace` … `fatal`), before the usual names are tried.
    #[serde(default)]
    pub map: BTreeMap<String, LevelName>,
    /// A field for those words of `map` that come, since a level says less.
    #[serde(default)]
    pub keep: Option<String>,
}

/// A level as a definition writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are those of `Level`, which documents them")]
pub enum LevelName {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

impl From<LevelName> for Level {
    fn from(name: LevelName) -> Self {
        match name {
            LevelName::Trace => Self::Trace,
            LevelName::Debug => Self::Debug,
            LevelName::Info => Self::Info,
            LevelName::Warn => Self::Warn,
            LevelName::Error => Self::Error,
            LevelName::Fatal => Self::Fatal,
        }
    }
}

/// A line, and what must come of it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The line, or the joined lines, without its terminator.
    pub line: String,
    /// What stands above it in its File: the header that it is read by.
    #[serde(default)]
    pub header: Option<String>,
    /// The record: its fields by name, and `time` (RFC 3339), `level` and `message`. Every field,
    /// the level and the message must be named and equal; only `time` may be left out. Without
    /// a `record` the sample says that the line does *not* fit.
    #[serde(default)]
    pub record: Option<BTreeMap<String, serde_json::Value>>,
    /// When the line was read, RFC 3339: the year of formats that have none hangs on it.
    /// 2026-11-22T12:00:00Z if absent.
    #[serde(default)]
    pub read_at: Option<String>,
}

impl Definition {
    /// Reads one definition from YAML. Unknown keys are refused.
    ///
    /// # Errors
    /// With the place in the text, when it is not a definition.
    pub fn from_yaml(yaml: &str) -> Result<Self, DefinitionError> {
        serde_saphyr::from_str(yaml).map_err(|error| DefinitionError {
            name: String::new(),
            fault: Fault::Yaml(error.to_string()),
        })
    }

    /// The joiner for sources that name none: the one declared, else what the grammar itself implies.
    /// `None` where neither says any.
    #[must_use]
    pub fn implied_joiner(&self) -> Option<Joiner> {
        let columns = self.grammar.as_deref() == Some("csv");
        match &self.joiner {
            None if !columns => None,
            Some(field) if *field != JoinerField::Named("csv".to_owned()) => field.joiner().ok(),
            _ => {
                let quote = self.csv.as_ref().and_then(|csv| csv.quote.as_deref());
                match quote.map(str::as_bytes) {
                    None => Joiner::named("csv"),
                    Some([quote]) => Some(Joiner::quoted(*quote)),
                    Some(_) => None,
                }
            }
        }
    }
}
