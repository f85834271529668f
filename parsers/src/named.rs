//! What a name means in a record, for conditions and steps: `message`, `level` and `time`, a field of
//! that key, or a member of nested JSON by its dotted path.

pub(crate) mod nested;

use std::fmt::Write as _;

use crate::Arena;
use crate::parse::{decode, level};
use crate::record::{Field, Key, Known, Level, Record, Text, Time, Value, unescape};
use crate::redact::gives_away;
use crate::timestamp::Clock;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Named<'a> {
    /// The record's time.
    Time(Time),
    /// The record's level.
    Level(Level),
    /// Its message, a field's value, or a value within one.
    Value(Value<'a>),
}

/// Where a name leads among the fields.
enum Place {
    /// To a field.
    Field(usize),
    /// Into the JSON of a field.
    Inside(usize, nested::Member),
}

/// What a name stands for. A field whose key is the whole name goes before what lies inside of another.
pub(crate) fn find<'a>(record: &Record<'a>, name: &str) -> Option<Named<'a>> {
    if let Some(own) = own(record, name) {
        return Some(own);
    }
    match place(record, name)? {
        Place::Field(at) => record.fields.get(at).map(|field| Named::Value(field.value)),
        Place::Inside(at, member) => {
            let Value::Json(text) = record.fields.get(at)?.value else { return None };
            text.get(member.value).map(|text| Named::Value(nested::value(text)))
        }
    }
}

/// A copy of what a name stands for, fit to be put elsewhere. What comes out of nested JSON is decoded,
/// and counts as built.
pub(crate) fn copy<'a>(record: &Record<'a>, name: &str, arena: &'a Arena) -> Option<Named<'a>> {
    if let Some(own) = own(record, name) {
        return Some(own);
    }
    let value = match place(record, name)? {
        Place::Field(at) => record.fields.get(at)?.value,
        Place::Inside(at, member) => {
            let Value::Json(text) = record.fields.get(at)?.value else { return None };
            match nested::value(text.get(member.value)?) {
                Value::Text(text) if text.is_escaped() => {
                    Value::Text(Text::built(decode(text.as_stored(), arena)))
                }
                Value::Text(text) => Value::Text(Text::built(text.as_stored())),
                other => other,
            }
        }
    };
    Some(Named::Value(value))
}

/// Whether what a name stands for was cut from the name of a secret, or from `Bearer`: without that,
/// nothing would give it away.
pub(crate) fn is_cut_from_its_name(record: &Record<'_>, name: &str) -> bool {
    if record.parted.is_empty() {
        return false;
    }
    let value = match own(record, name) {
        Some(Named::Value(value)) => Some(value),
        Some(_) => None,
        None => place(record, name).and_then(|place| {
            let (Place::Field(at) | Place::Inside(at, _)) = place;
            record.fields.get(at).map(|field| field.value)
        }),
    };
    let stored = match value {
        Some(Value::Text(text)) => text.as_stored(),
        Some(Value::Json(text) | Value::CleanJson(text) | Value::Number(text)) => text,
        _ => return false,
    };
    record.parted.iter().any(|text| before(text, stored).is_some_and(gives_away))
}

/// What a text has before a part of it, by where that lies in memory.
fn before<'t>(text: &'t str, part: &str) -> Option<&'t str> {
    let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    text.get(..start).filter(|_| start + part.len() <= text.len())
}

/// What is no field.
fn own<'a>(record: &Record<'a>, name: &str) -> Option<Named<'a>> {
    match name {
        "message" => record.message.map(|message| Named::Value(Value::Text(message))),
        "level" => record.level.map(Named::Level),
        "time" => record.time.map(Named::Time),
        _ => None,
    }
}

fn place(record: &Record<'_>, name: &str) -> Option<Place> {
    let dotted = name.contains('.');
    let mut inside = None;
    for (at, field) in record.fields.iter().enumerate() {
        let key = field.key.name();
        let escaped = matches!(field.key, Key::Text(text) if text.is_escaped());
        if !escaped && key == name {
            return Some(Place::Field(at));
        }
        if !(dotted || escaped) {
            continue;
        }
        match (nested::behind(name, key, escaped), field.value) {
            (Some(""), _) => return Some(Place::Field(at)),
            (Some(rest), Value::Json(text)) if inside.is_none() => {
                inside = nested::find(text, rest).map(|member| Place::Inside(at, member));
            }
            _ => {}
        }
    }
    inside
}

/// Takes what a name stands for out of the record. Nested JSON is written anew without it.
pub(crate) fn remove<'a>(record: &mut Record<'a>, name: &str, arena: &'a Arena) {
    match name {
        "message" if record.message.is_some() => return record.message = None,
        "level" if record.level.is_some() => return record.level = None,
        "time" if record.time.is_some() => return record.time = None,
        _ => {}
    }
    match place(record, name) {
        Some(Place::Field(at)) => {
            record.fields.remove(at);
        }
        Some(Place::Inside(at, member)) => {
            let Some(field) = record.fields.get_mut(at) else { return };
            let Value::Json(text) = field.value else { return };
            let parts = (text.get(..member.cut.start), text.get(member.cut.end..));
            let (Some(before), Some(after)) = parts else { return };
            let mut rest = bumpalo::collections::String::with_capacity_in(text.len(), arena);
            rest.push_str(before);
            rest.push_str(after);
            field.value = Value::Json(rest.into_bump_str());
        }
        None => {}
    }
}

/// Gives what a name stands for another name, instead of what has that. Leaves everything alone where
/// it does not fit: a `level` or a `time` that cannot be read.
pub(crate) fn rename<'a>(
    record: &mut Record<'a>,
    old: &str,
    new: &'a str,
    clock: &mut Clock,
    arena: &'a Arena,
) {
    let Some(what) = copy(record, old, arena).and_then(|what| fit(new, what, clock, arena)) else {
        return;
    };
    let field = own(record, old).is_none();
    // In its place, if that is a field's.
    if field
        && !is_own(new)
        && let Some(Place::Field(at)) = place(record, old)
    {
        if let Some(field) = record.fields.get_mut(at) {
            field.key = key(new);
        }
        let mut index = 0;
        record.fields.retain(|field| {
            let stays = index == at || !is_named(&field.key, new);
            index += 1;
            stays
        });
        return;
    }
    remove(record, old, arena);
    put(record, new, what);
}

/// Adds something under a name, instead of what is there, where it fits.
pub(crate) fn add<'a>(
    record: &mut Record<'a>,
    name: &'a str,
    what: Named<'a>,
    clock: &mut Clock,
    arena: &'a Arena,
) {
    if let Some(what) = fit(name, what, clock, arena) {
        put(record, name, what);
    }
}

/// Whether a name is that of a part of a record that is no field.
pub(crate) fn is_own(name: &str) -> bool {
    matches!(name, "message" | "level" | "time")
}

fn key(name: &str) -> Key<'_> {
    Known::from_name(name).map_or(Key::Text(Text::built(name)), Key::Known)
}

fn is_named(key: &Key<'_>, name: &str) -> bool {
    match key {
        Key::Text(text) if text.is_escaped() => {
            nested::behind(name, text.as_stored(), true) == Some("")
        }
        key => key.name() == name,
    }
}

/// As what has that name is kept.
fn fit<'a>(name: &str, what: Named<'a>, clock: &mut Clock, arena: &'a Arena) -> Option<Named<'a>> {
    match (name, what) {
        ("level", Named::Level(_)) | ("time", Named::Time(_)) => Some(what),
        ("level", Named::Value(value)) => {
            let level = |text: &str| level::from_name(text).or_else(|| level::from_number(text));
            read(value, level).map(Named::Level)
        }
        ("time", Named::Value(value)) => read(value, |text| clock.any(text)).map(Named::Time),
        ("level" | "time", _) => None,
        (name, _) => {
            let value = match (what, name) {
                (Named::Value(Value::Null), "message") => return None,
                (Named::Value(value), _) => value,
                (Named::Level(level), _) => Value::Text(Text::fixed(level.name())),
                (Named::Time(time), _) => {
                    let mut text = String::new();
                    push_time(time, &mut text);
                    Value::Text(Text::built(arena.alloc_str(&text)))
                }
            };
            Some(Named::Value(if name == "message" { text(value, arena) } else { value }))
        }
    }
}

/// Puts what [`fit`]s.
fn put<'a>(record: &mut Record<'a>, name: &'a str, what: Named<'a>) {
    if is_own(name) {
        // One that could not be read.
        record.fields.retain(|field| !is_named(&field.key, name));
    }
    match (name, what) {
        (_, Named::Level(level)) => record.level = Some(level),
        (_, Named::Time(time)) => record.time = Some(time),
        ("message", Named::Value(Value::Text(text))) => record.message = Some(text),
        (_, Named::Value(value)) => {
            let field = Field { key: key(name), value };
            match record.fields.iter_mut().find(|field| is_named(&field.key, name)) {
                Some(same) => *same = field,
                None => record.fields.push(field),
            }
        }
    }
}

/// What a text or a number is read as.
fn read<T>(value: Value<'_>, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    match value {
        Value::Text(text) if text.is_escaped() => {
            let mut plain = String::new();
            unescape(text.as_stored(), &mut plain);
            read(plain.trim())
        }
        Value::Text(text) => read(text.as_stored().trim()),
        Value::Number(number) => read(number),
        Value::Int(number) => read(&number.to_string()),
        _ => None,
    }
}

/// Any value as text.
fn text<'a>(value: Value<'a>, arena: &'a Arena) -> Value<'a> {
    if let Value::Text(_) = value {
        return value;
    }
    let mut text = String::new();
    push(value, &mut text);
    Value::Text(Text::built(arena.alloc_str(&text)))
}

/// Appends a value as text: nothing for `null`, objects and arrays as JSON.
pub(crate) fn push(value: Value<'_>, out: &mut String) {
    let written = match value {
        Value::Null => Ok(()),
        Value::Bool(flag) => write!(out, "{flag}"),
        Value::Int(number) => write!(out, "{number}"),
        Value::Float(number) => write!(out, "{number:?}"),
        Value::Text(text) if text.is_escaped() => {
            unescape(text.as_stored(), out);
            Ok(())
        }
        Value::Text(text) => out.write_str(text.as_stored()),
        Value::Number(text) | Value::Json(text) | Value::CleanJson(text) => out.write_str(text),
    };
    debug_assert!(written.is_ok(), "a String takes every write");
}

/// Appends a time as RFC 3339 has it, in UTC.
pub(crate) fn push_time(time: Time, out: &mut String) {
    // An `i64` of nanoseconds lies within what can be written.
    if let Ok(time) = jiff::Timestamp::from_nanosecond(i128::from(time.nanos)) {
        let written = write!(out, "{time}");
        debug_assert!(written.is_ok(), "a String takes every write");
    }
}
