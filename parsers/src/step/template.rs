//! Text with places for fields: `{client_ip} {target}`.

use std::ops::Range;

use crate::named::{self, Named};
use crate::record::{Record, Value};
use crate::redact::has_secret;

/// Most bytes of a template.
const MAX_LENGTH: usize = 2048;

/// Text with places for fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(String),
}

/// Why a template is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// Where in its text, in bytes.
    pub at: Range<usize>,
    /// What is wrong; lower case, no full stop.
    pub message: &'static str,
}

impl Template {
    /// Takes a template apart.
    ///
    /// # Errors
    /// A brace without its other half, a place without a name, or more than 2,048 bytes.
    pub fn new(text: &str) -> Result<Self, TemplateError> {
        let wrong = |at: Range<usize>, message| Err(TemplateError { at, message });
        if text.len() > MAX_LENGTH {
            return wrong(0..text.len(), "a text with places has at most 2048 bytes");
        }
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(brace) = text.get(at..).and_then(|rest| rest.find(['{', '}'])) {
            let brace = at + brace;
            let rest = text.get(brace..).unwrap_or_default();
            let Some(inside) = rest.strip_prefix('{') else {
                return wrong(brace..brace + 1, "a `}` stands without its `{`");
            };
            let Some(end) = inside.find('}') else {
                return wrong(brace..text.len(), "a `{` is never closed");
            };
            let name = inside.get(..end).unwrap_or_default();
            let place = brace..brace + end + 2;
            if name.is_empty() || name.contains('{') || name.trim() != name {
                let message = "a place is written `{field}`, with the name of one field in it";
                return wrong(place, message);
            }
            if brace > at {
                parts.push(Part::Text(text.get(at..brace).unwrap_or_default().to_owned()));
            }
            parts.push(Part::Field(name.to_owned()));
            at = place.end;
        }
        if at < text.len() {
            parts.push(Part::Text(text.get(at..).unwrap_or_default().to_owned()));
        }
        Ok(Self(parts))
    }

    /// The names of the fields in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Field(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text, if it has no places.
    #[must_use]
    pub fn fixed(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The field that is all there is to it.
    #[must_use]
    pub fn whole(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Field(name)] => Some(name),
            _ => None,
        }
    }

    /// Makes `out` the text that it is of a record: nothing for a field that is not there, nor for an
    /// object with a secret in it, nor for what a parser cut from a secret's name, since in a text no
    /// name would give it away. What is longer than `most` bytes is cut; whether it is whole.
    pub(crate) fn render(&self, record: &Record<'_>, most: usize, out: &mut String) -> bool {
        out.clear();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Field(name) => match named::find(record, name) {
                    Some(Named::Value(Value::Json(object))) if has_secret(object) => {}
                    Some(_) if named::is_cut_from_its_name(record, name) => {}
                    _ => push(record, name, out),
                },
            }
            if out.len() > most {
                let end = (0..=most).rev().find(|end| out.is_char_boundary(*end));
                out.truncate(end.unwrap_or(0));
                return false;
            }
        }
        true
    }
}

/// Appends a field as text.
pub(super) fn push(record: &Record<'_>, name: &str, out: &mut String) {
    match named::find(record, name) {
        Some(Named::Level(level)) => out.push_str(level.name()),
        Some(Named::Value(value)) => named::push(value, out),
        Some(Named::Time(time)) => named::push_time(time, out),
        None => {}
    }
}
