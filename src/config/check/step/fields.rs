//! Steps that change fields: `rename`, `remove` and `add`.

use pillion_parsers::record::is_field_name;
use pillion_parsers::redact::Rules;
use pillion_parsers::step::{Addition, Template, is_level};

use crate::config::diagnostic::{Mistake, Place, quote};
use crate::config::read::{Reader, Value};
use crate::config::tree::{Entry, Kind};

/// Most fields of one step.
const MOST: usize = 64;

/// Names of levels, for a message.
const LEVELS: &str = "write `trace`, `debug`, `info`, `warn`, `error` or `fatal`";

pub(super) fn rename(
    reader: &mut Reader<'_>,
    value: Value<'_>,
    rules: &Rules,
) -> Option<Vec<(String, String)>> {
    let entries = entries(reader, value, "rename: { msg: message }")?;
    super::super::all(entries.iter().map(|entry| {
        let old = name(reader, &entry.key, entry.key_place);
        let typed = Value::of(entry);
        let new = reader.filled(typed, "the field's new name")?;
        let new = name(reader, &new, typed.place());
        let (old, new) = (old?, new?);
        if old == new {
            reader.mistake(Mistake::at(typed.place(), "this is its name already"));
            return None;
        }
        keeps_guard(reader, typed.place(), &old, &new, rules).then_some((old, new))
    }))
}

pub(super) fn remove(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Vec<String>> {
    let names = reader.list(value);
    let few = is_few(reader, value, names.len(), "remove: [headers.cookie]");
    let names = super::super::all(names.into_iter().map(|value| {
        let typed = reader.filled(value, "a field's name")?;
        name(reader, &typed, value.place())
    }));
    names.filter(|_| few)
}

pub(super) fn add(
    reader: &mut Reader<'_>,
    value: Value<'_>,
    rules: &Rules,
) -> Option<Vec<(String, Addition)>> {
    let entries = entries(reader, value, "add: { env: prod }")?;
    super::super::all(entries.iter().map(|entry| {
        let key = name(reader, &entry.key, entry.key_place);
        let addition = addition(reader, Value::of(entry), &entry.key, rules);
        Some((key?, addition?))
    }))
}

fn addition(
    reader: &mut Reader<'_>,
    value: Value<'_>,
    key: &str,
    rules: &Rules,
) -> Option<Addition> {
    if let Kind::Scalar { text, plain: true } = &value.node.kind
        && let Some(typed) = unquoted(text)
    {
        return fits(reader, value, key, text).then_some(typed);
    }
    let typed = reader.text(value, "a single value")?;
    let template = match Template::new(&typed) {
        Ok(template) => template,
        Err(error) => {
            let place = reader.part(value, &typed, &error.at);
            reader.mistake(Mistake::at(place, error.message));
            return None;
        }
    };
    let wrong = |mistake: &str| Mistake::at(value.place(), mistake);
    match template.fixed() {
        Some("") => {
            reader.mistake(wrong("there is nothing to be added"));
            return None;
        }
        Some(text) if !fits(reader, value, key, text) => return None,
        _ => {}
    }
    for place in template.names() {
        if matches!(place, "_path" | "_host") {
            let mistake = wrong("path and host are not parts of a record yet");
            reader.mistake(mistake.help("every record gets them at its destination"));
            return None;
        }
        let copied = template.whole().is_some();
        if !copied && rules.lose_in_text(place, key) {
            reader.mistake(unguarded(value.place(), place, key));
            return None;
        }
        if !keeps_guard(reader, value.place(), place, key, rules) {
            return None;
        }
    }
    Some(Addition::Text(template))
}

/// Whether what is always the same can be the record's level or time, where it is to be.
fn fits(reader: &mut Reader<'_>, value: Value<'_>, key: &str, text: &str) -> bool {
    let (message, help) = match key {
        "level" if !is_level(text) => ("this is no level", LEVELS),
        // Whether one with a digit is, the record's source may say: its zone, or when it was read.
        "time" if !text.bytes().any(|byte| byte.is_ascii_digit()) => {
            ("this is no time", "write `{field}` to take it from a field")
        }
        _ => return true,
    };
    reader.mistake(Mistake::at(value.place(), message).help(help));
    false
}

/// A value that was written without quotes and is no text.
fn unquoted(text: &str) -> Option<Addition> {
    match text {
        "true" => return Some(Addition::Bool(true)),
        "false" => return Some(Addition::Bool(false)),
        _ => {}
    }
    // `inf`, `nan` and `1_000` are words; a leading zero or plus belongs to an id or a phone number.
    let digits = text.strip_prefix('-').unwrap_or(text);
    let number = digits.starts_with(|first: char| first.is_ascii_digit())
        && !(digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0."));
    let whole = || text.parse().ok().map(Addition::Int);
    let fraction =
        || text.parse().ok().filter(|number: &f64| number.is_finite()).map(Addition::Float);
    if number { whole().or_else(fraction) } else { None }
}

/// The fields of a step, at least one.
fn entries<'n>(reader: &mut Reader<'_>, value: Value<'n>, example: &str) -> Option<&'n [Entry]> {
    let Kind::Map(entries) = &value.node.kind else {
        reader.map(value);
        return None;
    };
    is_few(reader, value, entries.len(), example).then_some(entries)
}

fn is_few(reader: &mut Reader<'_>, value: Value<'_>, count: usize, example: &str) -> bool {
    let empty = count == 0 && !matches!(value.node.kind, Kind::Scalar { .. });
    if empty {
        let message = format!("{} is empty", quote(value.name));
        reader.mistake(Mistake::at(value.place(), message).help(format!("write `{example}`")));
    } else if count > MOST {
        let message = format!("{count} fields: a step may have {MOST}");
        reader.mistake(Mistake::at(value.key, message).help("make two steps of it"));
    }
    !empty && count <= MOST
}

/// A name that a field may have.
fn name(reader: &mut Reader<'_>, typed: &str, place: Place) -> Option<String> {
    if is_field_name(typed) && typed.len() <= 256 && !typed.contains("${") {
        return Some(typed.to_owned());
    }
    let mistake = Mistake::at(place, "this cannot name a field");
    reader.mistake(mistake.help(
        "write `name`, or `outer.inner` for what is inside of another; variables go into values only",
    ));
    None
}

/// Whether what is redacted because of its name still is under another.
fn keeps_guard(reader: &mut Reader<'_>, place: Place, from: &str, to: &str, rules: &Rules) -> bool {
    let loses = rules.lose(from, to);
    if loses {
        reader.mistake(unguarded(place, from, to));
    }
    !loses
}

/// What is redacted because of its name would not be under another.
pub(in super::super) fn unguarded(place: Place, from: &str, to: &str) -> Mistake {
    let message = format!(
        "{} is redacted because of its name, and as {} it would not be",
        quote(from),
        quote(to)
    );
    let help = "name the new one under `redact: fields` as well, or `remove` it";
    Mistake::at(place, message).help(help)
}
