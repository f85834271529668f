//! What of a corpus's values is left in the records that are made of its lines, as the agent makes them:
//! read by `auto`, then redacted.
#![allow(dead_code, reason = "each of the programs that share this uses a part of it")]

use std::fmt::Write;
use std::sync::Arc;

use pillion_parsers::Arena;
use pillion_parsers::parse::{Library, Parser, ParserState, ReadAt};
use pillion_parsers::record::{Record, Value};
use pillion_parsers::redact::{BlockState, Redacted, Redactor, Rules};

use super::corpus::{Line, Span, spellings};

/// Values shorter than this may stand in a record by chance.
const TOLD_APART: usize = 6;

/// Makes records of lines.
pub(crate) struct Records {
    library: Arc<Library>,
    redactor: Redactor,
}

impl Records {
    /// Redacted by those rules.
    pub(crate) fn new(rules: Arc<Rules>) -> Self {
        Self { library: Library::builtin(), redactor: Redactor::new(rules) }
    }

    /// The record of a line, as text.
    pub(crate) fn shown(&mut self, line: &str) -> String {
        let arena = Arena::new();
        let mut record = Record::default();
        let Ok(mut parser) = Parser::new(&self.library, "auto", ParserState::default()) else {
            return String::new();
        };
        parser.learn(line);
        parser.end_learning(true);
        parser.parse(line, ReadAt { now: 0, container_time: None }, &arena, &mut record);
        let redacted = self.redactor.redact(line, &mut record, &arena, &mut BlockState::default());
        redacted.as_ref().map(shown).unwrap_or_default()
    }

    /// Those values of a line that are left in its record.
    pub(crate) fn left<'l>(&mut self, line: &'l Line) -> Vec<&'l Span> {
        let record = self.shown(&line.text);
        let is_left = |span: &&Span| {
            span.plain.len() >= TOLD_APART
                && spellings(&span.plain).iter().any(|spelt| record.contains(spelt.as_str()))
        };
        line.spans.iter().filter(is_left).collect()
    }
}

fn shown(record: &Redacted<'_, '_>) -> String {
    let mut out = record.message().map(|text| text.as_stored().to_owned()).unwrap_or_default();
    for field in record.fields() {
        _ = write!(out, "\n{} ", field.key.name());
        match field.value {
            Value::Text(text) => out.push_str(text.as_stored()),
            Value::Number(text) | Value::Json(text) | Value::CleanJson(text) => out.push_str(text),
            Value::Int(number) => _ = write!(out, "{number}"),
            Value::Float(number) => _ = write!(out, "{number}"),
            Value::Bool(_) | Value::Null => {}
        }
    }
    out
}
