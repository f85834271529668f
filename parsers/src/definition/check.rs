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

/// The first difference between a sample and what came of its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleMismatch {
    /// Which sample, counted from 0.
    pub sample: usize,
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
        let Self { sample, field, expected, found } = self;
        write!(f, "sample {}, `{field}`: expected {expected}, found {found}", sample + 1)
    }
}

/// A difference within one sample: field, expected, found.
type Difference = (String, String, String);

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
            run(&compiled, library, &joining, sample).map_err(|(field, expected, found)| {
                Fault::Sample(SampleMismatch { sample: index, field, expected, found })
            })?;
        }
        Ok(compiled)
    }
}

/// Whether the lines of a sample are one record to the format's own joiner: else no File has it.
fn one_record(joiner: Option<&Joiner>, text: &str) -> Result<(), Difference> {
    let Some(joiner) = joiner else { return Ok(()) };
    let mut state = JoinState::default();
    for (at, line) in text.split('\n').enumerate() {
        if !joiner.joins(&mut state, line.as_bytes()) && at > 0 {
            let found = format!("that the joiner begins another with line {}", at + 1);
            return Err(("line".to_owned(), "that it is one record".to_owned(), found));
        }
    }
    Ok(())
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
        Err(records) => Err((
            "line".to_owned(),
            "that it is one record".to_owned(),
            format!("that it is {}", records.len()),
        )),
    }
}

fn run(
    compiled: &Arc<Compiled>,
    library: &Library,
    (container, joiner): &(Option<Container>, Option<Joiner>),
    sample: &Sample,
) -> Result<(), Difference> {
    let now = match &sample.read_at {
        None => READ_AT,
        Some(text) => instant(text).ok_or_else(|| {
            ("read_at".to_owned(), "an RFC 3339 time".to_owned(), format!("`{text}`"))
        })?,
    };
    let (text, container_time) = match container {
        None => {
            if sample.record.is_some() {
                one_record(joiner.as_ref(), &sample.line)?;
            }
            (sample.line.clone(), None)
        }
        Some(container) => unwrapped(*container, joiner.as_ref(), &sample.line)?,
    };
    let arena = Arena::new();
    let mut record = Record::default();
    let mut parser = Parser::with(compiled.clone(), library, ParserState::default());
    if let Some(header) = &sample.header {
        parser.learn(header);
    }
    let at = ReadAt { now, container_time };
    parser.parse(&text, at, &arena, &mut record);
    let line = |expected: &str, found: String| Err(("line".to_owned(), expected.to_owned(), found));
    let Some(expected) = &sample.record else {
        return if record.marks.unparsed {
            Ok(())
        } else {
            line("that it does not fit (the sample has no `record`)", "that it fits".to_owned())
        };
    };
    if record.marks.unparsed {
        let counts = parser.counters().unparsed;
        let reason = Misfit::ALL.iter().zip(counts).find(|(_, count)| *count > 0);
        let reason = reason.map_or("syntax", |(misfit, _)| misfit.name());
        return line("that it fits", format!("that it does not ({reason})"));
    }
    for (name, expected) in expected {
        compare(&record, name, expected)?;
    }
    let unnamed = |name: &str| !expected.contains_key(name);
    if let Some(level) = record.level.filter(|_| unnamed("level")) {
        return Err(("level".to_owned(), "nothing".to_owned(), format!("`{}`", level.name())));
    }
    if let Some(message) = record.message.filter(|_| unnamed("message")) {
        return Err(("message".to_owned(), "nothing".to_owned(), show(&Value::Text(message))));
    }
    match record.fields.iter().find(|field| unnamed(field.key.name())) {
        None => Ok(()),
        Some(field) => Err((field.key.name().to_owned(), "nothing".to_owned(), show(&field.value))),
    }
}

/// Compares what a record has under a name with what a sample says.
fn compare(record: &Record<'_>, name: &str, expected: &Json) -> Result<(), Difference> {
    let found = match (name, record.get(name)) {
        // A field of that name goes before: `level: 200` may have stayed one.
        (_, Some(value)) if equal(value, expected) => return Ok(()),
        (_, Some(value)) => show(value),
        ("time", None) => match record.time {
            Some(time) if expected.as_str().and_then(instant) == Some(time.nanos) => return Ok(()),
            time => time.map_or_else(|| "nothing".to_owned(), show_time),
        },
        ("level", None) => match record.level {
            Some(level) if expected.as_str() == Some(level.name()) => return Ok(()),
            level => {
                level.map_or_else(|| "nothing".to_owned(), |level| format!("`{}`", level.name()))
            }
        },
        ("message", None) => match record.message {
            Some(text) if equal(&Value::Text(text), expected) => return Ok(()),
            text => text.map_or_else(|| "nothing".to_owned(), |text| show(&Value::Text(text))),
        },
        (_, None) => "nothing".to_owned(),
    };
    Err((name.to_owned(), expected.to_string(), found))
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
