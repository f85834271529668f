//! Runs a definition's samples and says how what comes out differs from what they say.
//!
//! This is a comparison, on purpose without a JSON view of a Record: nothing but a redacted record
//! is ever encoded.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Definition, DefinitionError, Fault, Sample};
use crate::Arena;
use crate::frame::{
    Container, Encoding, FileNumber, FrameSettings, Framer, LineEnding, Lines, Raw,
};
use crate::multiline::{JoinState, Joiner};
use crate::parse::{Compiled, Library, Misfit, Parser, ParserState, ReadAt, decode};
use crate::record::{Record, Text, Time, Value};

/// When a sample is read that does not say: 2026-11-22T12:00:00Z.
const READ_AT: i64 = 1_795_348_800_000_000_000;

/// The most bytes of a sample that stands in a container's lines.
const LONGEST: usize = 1 << 20;

/// All differences between a sample and what came of its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleMismatch {
    /// Which sample, counted from 0.
    pub sample: usize,
    /// Field by field, those that the sample names first.
    pub differences: Vec<Difference>,
}

/// One field that came out otherwise than a sample says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which field: a field's name, `time`, `level`, `message`, or `line` when it is about whether
    /// the line fits at all.
    pub field: String,
    /// What the sample says.
    pub expected: String,
    /// What came out.
    pub found: String,
}

impl fmt::Display for SampleMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sample {}", self.sample + 1)?;
        for (index, difference) in self.differences.iter().enumerate() {
            write!(f, "{} {difference}", if index == 0 { "," } else { ";" })?;
        }
        Ok(())
    }
}

impl Difference {
    fn new(field: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { field: field.to_owned(), expected: expected.into(), found: found.into() }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, expected, found } = self;
        write!(f, "`{field}`: expected {expected}, found {found}")
    }
}

impl Definition {
    /// Compiles the definition and runs its samples.
    ///
    /// # Errors
    /// When it does not compile, or for the first sample that does not come out as it says.
    pub fn check(&self) -> Result<(), DefinitionError> {
        self.compile_and_check(&Library::builtin())
            .map(|_| ())
            .map_err(|fault| DefinitionError { name: self.name.clone(), fault })
    }

    /// Compiles the definition, proved by its samples.
    pub(crate) fn compile_and_check(&self, library: &Library) -> Result<Arc<Compiled>, Fault> {
        let compiled = Arc::new(Compiled::new(self, library)?);
        let joining = (Container::from_name(&self.name), self.implied_joiner());
        for (index, sample) in self.samples.iter().enumerate() {
            let differences = run(&compiled, library, &joining, sample);
            if !differences.is_empty() {
                return Err(Fault::Sample(SampleMismatch { sample: index, differences }));
            }
        }
        Ok(compiled)
    }
}

/// Whether the lines of a sample are one record to the format's own joiner: else no File has it.
fn one_record(joiner: Option<&Joiner>, text: &str) -> Option<Difference> {
    let joiner = joiner?;
    let mut state = JoinState::default();
    for (at, line) in text.split('\n').enumerate() {
        if !joiner.joins(&mut state, line.as_bytes()) && at > 0 {
            let found = format!("that the joiner begins another with line {}", at + 1);
            return Some(Difference::new("line", "that it is one record", found));
        }
    }
    None
}

/// The text that a container's lines hold, and the time of the first: they are one record.
fn unwrapped(
    container: Container,
    joiner: Option<&Joiner>,
    lines: &str,
) -> Result<(String, Option<Time>), Difference> {
    let joiner = joiner.cloned().unwrap_or_else(Joiner::none);
    let mut framer = Framer::new(FrameSettings { container, joiner, max_record: LONGEST });
    let mut records = Vec::new();
    let mut emit = |raw: Raw<'_>| {
        records.push((String::from_utf8_lossy(raw.text).into_owned(), raw.container_time));
    };
    let lines = format!("{lines}\n");
    let bytes = lines.as_bytes();
    let (ending, encoding) = (LineEnding::Newline, Encoding::default());
    framer.push(
        Lines { file: FileNumber(1), start: 0, bytes, ending, encoding },
        READ_AT,
        &mut emit,
    );
    framer.flush(&mut emit);
    match <[_; 1]>::try_from(records) {
        Ok([record]) => Ok(record),
        Err(records) => {
            let found = format!("that it is {}", records.len());
            Err(Difference::new("line", "that it is one record", found))
        }
    }
}

/// The text that a sample's line is for its parser, and the time that its container gives.
fn text_of(
    (container, joiner): &(Option<Container>, Option<Joiner>),
    sample: &Sample,
) -> Result<(String, Option<Time>), Difference> {
    match container {
        Some(container) => unwrapped(*container, joiner.as_ref(), &sample.line),
        None => {
            let one =
                sample.record.as_ref().and_then(|_| one_record(joiner.as_ref(), &sample.line));
            one.map_or_else(|| Ok((sample.line.clone(), None)), Err)
        }
    }
}

/// How what comes of a sample's line differs from what the sample says.
fn run(
    compiled: &Arc<Compiled>,
    library: &Library,
    joining: &(Option<Container>, Option<Joiner>),
    sample: &Sample,
) -> Vec<Difference> {
    let now = match sample.read_at.as_deref().map(|text| (text, instant(text))) {
        None => READ_AT,
        Some((_, Some(instant))) => instant,
        Some((text, None)) => {
            let found = format!("`{text}`");
            return vec![Difference::new("read_at", "an RFC 3339 time", found)];
        }
    };
    let (text, container_time) = match text_of(joining, sample) {
        Ok(text) => text,
        Err(difference) => return vec![difference],
    };
    let arena = Arena::new();
    let mut record = Record::default();
    let mut parser = Parser::with(compiled.clone(), library, ParserState::default());
    if let Some(header) = &sample.header {
        parser.learn(header);
    }
    let at = ReadAt { now, container_time };
    parser.parse(&text, at, &arena, &mut record);
    let line = |expected: &str, found: String| vec![Difference::new("line", expected, found)];
    let Some(expected) = &sample.record else {
        let what = "that it does not fit (the sample has no `record`)";
        let fits = !record.marks.unparsed;
        return if fits { line(what, "that it fits".to_owned()) } else { Vec::new() };
    };
    if record.marks.unparsed {
        let counts = parser.counters().unparsed;
        let reason = Misfit::ALL.iter().zip(counts).find(|(_, count)| *count > 0);
        let reason = reason.map_or("syntax", |(misfit, _)| misfit.name());
        return line("that it fits", format!("that it does not ({reason})"));
    }
    let named = expected.iter().filter_map(|(name, expected)| compare(&record, name, expected));
    let unnamed = |name: &str| !expected.contains_key(name);
    let beside = |name: &str, found: String| Difference::new(name, "nothing", found);
    let level = record.level.filter(|_| unnamed("level"));
    let level = level.map(|level| beside("level", format!("`{}`", level.name())));
    let message = record.message.filter(|_| unnamed("message"));
    let message = message.map(|message| beside("message", show(&Value::Text(message))));
    let fields = record.fields.iter().filter(|field| unnamed(field.key.name()));
    let fields = fields.map(|field| beside(field.key.name(), show(&field.value)));
    named.chain(level).chain(message).chain(fields).collect()
}

/// Compares what a record has under a name with what a sample says.
fn compare(record: &Record<'_>, name: &str, expected: &Json) -> Option<Difference> {
    let found = match (name, record.get(name)) {
        // A field of that name goes before: `level: 200` may have stayed one.
        (_, Some(value)) if equal(value, expected) => return None,
        (_, Some(value)) => show(value),
        ("time", None) => match record.time {
            Some(time) if expected.as_str().and_then(instant) == Some(time.nanos) => return None,
            time => time.map_or_else(|| "nothing".to_owned(), show_time),
        },
        ("level", None) => match record.level {
            Some(level) if expected.as_str() == Some(level.name()) => return None,
            level => {
                level.map_or_else(|| "nothing".to_owned(), |level| format!("`{}`", level.name()))
            }
        },
        ("message", None) => match record.message {
            Some(text) if equal(&Value::Text(text), expected) => return None,
            text => text.map_or_else(|| "nothing".to_owned(), |text| show(&Value::Text(text))),
        },
        (_, None) => "nothing".to_owned(),
    };
    Some(Difference::new(name, expected.to_string(), found))
}

/// Nanoseconds of an RFC 3339 time.
fn instant(text: &str) -> Option<i64> {
    i64::try_from(text.parse::<jiff::Timestamp>().ok()?.as_nanosecond()).ok()
}

fn show_time(time: Time) -> String {
    jiff::Timestamp::from_nanosecond(time.nanos.into())
        .map_or_else(|_| format!("{} ns", time.nanos), |instant| format!("`{instant}`"))
}

fn equal(value: &Value<'_>, expected: &Json) -> bool {
    match value {
        Value::Null => expected.is_null(),
        Value::Bool(flag) => expected.as_bool() == Some(*flag),
        Value::Int(number) => expected.as_i64() == Some(*number),
        Value::Float(number) => expected.as_f64() == Some(*number),
        Value::Number(text) => match expected {
            Json::Number(number) => {
                number.to_string() == *text || number.as_f64() == text.parse().ok()
            }
            _ => false,
        },
        Value::Text(text) => expected.as_str() == Some(plain(*text, &Arena::new())),
        Value::Json(text) | Value::CleanJson(text) => {
            serde_json::from_str::<Json>(text).is_ok_and(|found| found == *expected)
        }
    }
}

fn plain<'a>(text: Text<'a>, arena: &'a Arena) -> &'a str {
    if text.is_escaped() { decode(text.as_stored(), arena) } else { text.as_stored() }
}

/// A value as a mismatch shows it; long ones are cut.
fn show(value: &Value<'_>) -> String {
    let mut shown = match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Number(text) | Value::Json(text) | Value::CleanJson(text) => (*text).to_owned(),
        Value::Text(text) => Json::from(plain(*text, &Arena::new())).to_string(),
    };
    if shown.chars().count() > 200 {
        shown = shown.chars().take(200).chain("…".chars()).collect();
    }
    shown
}

#[cfg(test)]
mod tests;
