//! What a definition's `types`, `time` and `level` say, applied to values: for patterns as they are
//! captured, for grammars after they have filled the record.

use super::hashed::Table;
use super::keys::hash;
use super::{Misfit, duration, level, names};
use crate::definition::{Fault, FieldType, LevelField, TimeField};
use crate::record::{Key, Level, Text, Value};
use crate::timestamp::{Format, Zone};

/// The checked format of a time.
pub(super) fn format(time: Option<&TimeField>) -> Result<Format, Fault> {
    match time.and_then(|time| time.format.as_deref()) {
        None => Ok(Format::Any),
        Some(format) => Format::new(format).map_err(Fault::TimeFormat),
    }
}

/// The checked zone of times that name none, where the definition says it.
pub(super) fn zone(time: Option<&TimeField>) -> Result<Option<Zone>, Fault> {
    match time.and_then(|time| time.zone.as_deref()) {
        None => Ok(None),
        Some(zone) => Zone::from_name(zone).map(Some).ok_or_else(|| Fault::Zone(zone.to_owned())),
    }
}

/// What a definition's own level words mean.
#[derive(Debug)]
pub(super) struct Leveller {
    map: Table<Level>,
    /// The field that keeps those words.
    keep: Option<Key<'static>>,
}

impl Leveller {
    pub(super) fn new(field: Option<&LevelField>) -> Self {
        let words = field.into_iter().flat_map(|field| &field.map);
        let map = words.map(|(word, level)| (word.clone(), Level::from(*level))).collect();
        let keep = field.and_then(|field| field.keep.as_deref());
        Self { map, keep: keep.map(names::key) }
    }

    /// The field that keeps a word, if the definition says so of it.
    #[inline]
    pub(super) fn kept(&self, word: &str) -> Option<Key<'static>> {
        self.keep.filter(|_| self.mapped(word.trim()).is_some())
    }

    /// What the definition's own map says of a word.
    #[inline]
    fn mapped(&self, word: &str) -> Option<Level> {
        if self.map.is_empty() { None } else { self.map.get(hash(word.as_bytes()), word).copied() }
    }

    /// The level of a word: by the definition's own map, else by the usual names and numbers.
    pub(super) fn level(&self, word: &str) -> Option<Level> {
        let word = word.trim();
        self.mapped(word).or_else(|| level::from_name(word)).or_else(|| level::from_number(word))
    }
}

/// Text as a value of a type; `None` where it says that there is none (`-`, or nothing).
pub(super) fn text<'a>(text: &'a str, kind: FieldType) -> Result<Option<Value<'a>>, Misfit> {
    match kind {
        FieldType::String => return Ok(Some(Value::Text(Text::raw(text)))),
        FieldType::Integer => {
            if let Some(number) = digits(text) {
                return Ok(Some(Value::Int(number)));
            }
        }
        _ => {}
    }
    let text = text.trim();
    if text.is_empty() || text == "-" {
        return Ok(None);
    }
    let value = match kind {
        FieldType::Integer => text.parse().ok().map(Value::Int),
        FieldType::Float => {
            text.parse().ok().filter(|float: &f64| float.is_finite()).map(Value::Float)
        }
        FieldType::Boolean => boolean(text).map(Value::Bool),
        FieldType::String => None,
        _ if text.starts_with('-') => return Ok(None),
        kind => kind.unit().and_then(|unit| duration::nanos(text, unit)).map(Value::Int),
    };
    value.map(Some).ok_or(Misfit::FieldType)
}

/// What is nothing but digits, and so few of them that 64 bits hold it, as a number.
#[inline]
pub(super) fn digits(text: &str) -> Option<i64> {
    let mut number = 0;
    for byte in text.bytes() {
        match byte.wrapping_sub(b'0') {
            digit @ 0..=9 => number = number * 10 + i64::from(digit),
            _ => return None,
        }
        // Looked at here, the loop is short for every text.
        if number >= 100_000_000_000_000_000 {
            return None;
        }
    }
    (!text.is_empty()).then_some(number)
}

/// A number as one, where a format says that it is: whole, of at most 18 digits, or with a fraction.
/// Anything else stays text, and so does what has zeros before it.
#[inline]
pub(super) fn number(text: &str) -> Value<'_> {
    let bytes = text.as_bytes();
    let plain = bytes.len() <= 18 && (bytes.len() == 1 || bytes.first() != Some(&b'0'));
    let mut whole: i64 = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte.wrapping_sub(b'0') {
            digit @ 0..=9 if plain => whole = whole * 10 + i64::from(digit),
            0..=9 => {}
            _ if *byte == b'.' && at > 0 => return fraction(text, at),
            _ => return Value::Text(Text::raw(text)),
        }
    }
    if plain && !bytes.is_empty() { Value::Int(whole) } else { Value::Text(Text::raw(text)) }
}

/// The same of one with a point at this place, and digits before it.
fn fraction(text: &str, point: usize) -> Value<'_> {
    let part = text.as_bytes().get(point + 1..).unwrap_or_default();
    let leads = point > 1 && text.starts_with('0');
    let fits = !leads && !part.is_empty() && text.len() <= 64;
    let float = (fits && part.iter().all(u8::is_ascii_digit)).then(|| text.parse().ok()).flatten();
    float.map_or(Value::Text(Text::raw(text)), Value::Float)
}

fn boolean(text: &str) -> Option<bool> {
    let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match text {
        _ if is(["true", "yes", "on", "1"]) => Some(true),
        _ if is(["false", "no", "off", "0"]) => Some(false),
        _ => None,
    }
}

/// Makes a value that a grammar gave one of a type. False where the field is to be left out.
pub(super) fn retype(value: &mut Value<'_>, kind: FieldType) -> Result<bool, Misfit> {
    let number = match *value {
        Value::Number(number) if kind == FieldType::Integer => digits(number),
        Value::Text(text) if kind == FieldType::Integer => digits(text.as_stored()),
        _ => None,
    };
    // What is whole is made so in its place: the others are built elsewhere, and copied.
    if let Some(number) = number {
        *value = Value::Int(number);
        return Ok(true);
    }
    let typed = self::value(*value, kind)?;
    if let Some(typed) = typed {
        *value = typed;
    }
    Ok(typed.is_some())
}

/// A value that a grammar gave, as one of a type; `None` leaves the field out.
pub(super) fn value<'a>(value: Value<'a>, kind: FieldType) -> Result<Option<Value<'a>>, Misfit> {
    match (value, kind) {
        (Value::Null, _) => Ok(None),
        (Value::Text(inside), _) if !inside.is_escaped() => match kind {
            FieldType::String => Ok(Some(value)),
            _ => text(inside.as_stored(), kind),
        },
        (Value::Text(_), FieldType::String) => Ok(Some(value)),
        (Value::Number(number), _) => text(number, kind),
        (Value::Int(_), FieldType::Integer)
        | (Value::Bool(_), FieldType::Boolean)
        | (Value::Float(_), FieldType::Float) => Ok(Some(value)),
        (Value::Float(number), kind) if kind.unit().is_some() => {
            let nanos = kind.unit().and_then(|unit| duration::of_float(number, unit));
            Ok(nanos.map(Value::Int))
        }
        (Value::Int(number), kind) if kind.unit().is_some() => {
            let nanos = kind.unit().and_then(|unit| number.checked_mul(unit));
            Ok(nanos.filter(|nanos| *nanos >= 0).map(Value::Int))
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "what declaring an integer a float asks for"
        )]
        (Value::Int(number), FieldType::Float) => Ok(Some(Value::Float(number as f64))),
        (Value::Bool(flag), FieldType::String) => {
            Ok(Some(Value::Text(Text::vetted(if flag { "true" } else { "false" }))))
        }
        _ => Err(Misfit::FieldType),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_number_as_it_stands_becomes_one() {
        for (text, expect) in [
            ("0", Value::Int(0)),
            ("17", Value::Int(17)),
            ("999999999999999999", Value::Int(999_999_999_999_999_999)),
            ("0.125", Value::Float(0.125)),
            ("13832.647170", Value::Float(13_832.647_17)),
        ] {
            assert_eq!(number(text), expect, "{text}");
        }
        for text in [
            "",
            "-",
            "-1",
            "017",
            "00",
            "1e3",
            "1.",
            ".5",
            "1.2.3",
            "1_0",
            "9999999999999999999",
            "00.5",
        ] {
            assert_eq!(number(text), Value::Text(Text::raw(text)), "{text}");
        }
    }
}
