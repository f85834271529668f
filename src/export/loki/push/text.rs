//! Values as plain text, which is all that labels and structured metadata hold.

use std::fmt::Write as _;

use pillion_parsers::record::{Text, Value};
use pillion_parsers::redact::Redacted;

use crate::export::encode::Place;
use crate::export::encode::names::key_text;
use crate::export::escape;

/// The File's path, as a template calls it.
pub(super) const PATH: &str = "_path";
/// The agent's host, as a template calls it.
pub(super) const HOST: &str = "_host";

/// Appends a text, its escapes decoded.
pub(super) fn push_text(out: &mut String, text: Text<'_>) {
    if text.is_escaped() {
        escape::unescape(out, text.as_stored());
    } else {
        out.push_str(text.as_stored());
    }
}

/// Appends a value as text: nothing for `null`, objects and arrays as JSON.
pub(super) fn push_value(out: &mut String, value: &Value<'_>) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => {
            let written = write!(out, "{number}");
            debug_assert!(written.is_ok(), "a String takes every write");
        }
        Value::Float(number) => {
            let written = write!(out, "{number:?}");
            debug_assert!(written.is_ok(), "a String takes every write");
        }
        Value::Number(text) | Value::Json(text) | Value::CleanJson(text) => out.push_str(text),
        Value::Text(text) => push_text(out, *text),
    }
}

/// A value as text, built in `scratch` only where it does not stand somewhere as it is.
pub(super) fn value_text<'v>(scratch: &'v mut String, value: &Value<'v>) -> &'v str {
    match value {
        Value::Number(text) | Value::Json(text) | Value::CleanJson(text) => text,
        Value::Text(text) if !text.is_escaped() => text.as_stored(),
        _ => {
            scratch.clear();
            push_value(scratch, value);
            scratch
        }
    }
}

/// Appends what a template's place stands for: the level, where the record came from, a constant
/// field, or a field of the record. Nothing when there is no such thing.
pub(super) fn push_field(
    out: &mut String,
    name: &str,
    record: &Redacted<'_, '_>,
    place: &Place<'_>,
) {
    match (name, record.level()) {
        ("level", Some(level)) => out.push_str(level.name()),
        (PATH, _) => out.push_str(place.path),
        (HOST, _) => out.push_str(place.host),
        _ => match place.enrich.get(name) {
            Some(value) => out.push_str(value),
            None => {
                let field = record.fields().iter().find(|field| key_text(&field.key) == name);
                if let Some(field) = field {
                    push_value(out, &field.value);
                }
            }
        },
    }
}

/// The longest prefix of at most `limit` bytes that ends at a character.
pub(super) fn cut(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// [`cut`] for the bytes of a text.
pub(super) fn cut_bytes(text: &[u8], limit: usize) -> &[u8] {
    // A byte of the form 10xxxxxx goes on a character.
    let begins = |end: &usize| text.get(*end).is_none_or(|byte| byte & 0xc0 != 0x80);
    let end = (0..=limit.min(text.len())).rev().find(begins);
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_between_characters() {
        for (text, limit, expect) in
            [("abc", 5, "abc"), ("abc", 3, "abc"), ("abc", 2, "ab"), ("aé", 2, "a"), ("é", 1, "")]
        {
            assert_eq!(cut(text, limit), expect);
            assert_eq!(cut_bytes(text.as_bytes(), limit), expect.as_bytes());
        }
    }
}
