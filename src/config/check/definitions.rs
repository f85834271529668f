//! The user's parsers: read part by part, so that each part's mistake is shown, then compiled and
//! proved by their samples.

mod order;
mod proof;

use std::collections::BTreeMap;
use std::sync::Arc;

use pillion_parsers::definition::{
    CsvOptions, Definition, Fault, JoinerField, LevelField, RecordStart, Sample, TimeField,
};
use pillion_parsers::multiline::{Joiner, Part};
use pillion_parsers::parse::Library;
use pillion_parsers::redact::Rules;
use serde::Deserialize;

use super::step::unguarded;
use super::{good_name, known_name};
use crate::config::diagnostic::{Mistake, quote};
use crate::config::read::{Fields, Reader, Value};
use crate::config::tree::Kind;

/// The built-in parsers, and those of the configuration that are sound. None gives a field that the
/// rules go by another name: of those built in that is left out, of the others it is refused.
pub(super) fn library(
    reader: &mut Reader<'_>,
    parsers: Option<Value<'_>>,
    rules: &Rules,
) -> Arc<Library> {
    let mut library = Arc::new(Library::builtin().guarded(rules));
    let parsers = parsers.map(|value| reader.named(value, "parsers")).unwrap_or_default();
    // What is refused, and what reads through it: nothing can be said of their samples.
    let mut refused: Vec<&str> = Vec::new();
    let (parsers, circular) = order::ordered(reader, parsers);
    for name in circular {
        library = placeholder(&library, name);
        refused.push(name);
    }
    for value in parsers {
        if refused.contains(&value.name) {
            continue;
        }
        let named = good_name(reader, value);
        let Some(Read { mut definition, sound }) = definition(reader, value, &library, rules)
        else {
            library = placeholder(&library, value.name);
            refused.push(value.name);
            continue;
        };
        if !named {
            continue;
        }
        let is_refused =
            |name: &Option<String>| name.as_deref().is_some_and(|name| refused.contains(&name));
        if !sound || is_refused(&definition.within) || is_refused(&definition.nested) {
            definition.samples.clear();
            refused.push(value.name);
        }
        match proof::proved(reader, value, &library, definition) {
            Ok(more) if sound => library = more,
            Ok(_) => library = placeholder(&library, value.name),
            Err(Fault::Name) => {}
            Err(_) => {
                library = placeholder(&library, value.name);
                refused.push(value.name);
            }
        }
    }
    library
}

/// Nothing that is redacted because of its name is to lose it.
fn keep_guard(
    reader: &mut Reader<'_>,
    value: Value<'_>,
    open: Option<&[String]>,
    renamed: Option<&BTreeMap<String, String>>,
    rules: &Rules,
) -> Option<()> {
    let (place, mut sound) = (|key| value.node.entry(key).map(|it| &it.value), Some(()));
    for (from, to) in
        renamed.into_iter().flatten().filter(|(from, to)| rules.lose_renamed(from, to))
    {
        let at = place("fields").and_then(|fields| fields.entry(from));
        reader.mistake(unguarded(at.map_or(value.key, |entry| entry.value.place), from, to));
        sound = None;
    }
    for name in open.unwrap_or_default() {
        let object = name.strip_suffix('.');
        if rules.lose_opened(object.unwrap_or(name), object.is_some()) {
            let message = format!(
                "what is in {} is redacted because of its name, and as a field of the record it would \
                 not be",
                quote(object.unwrap_or(name))
            );
            let at = place("open").map_or(value.key, |open| open.place);
            reader.mistake(Mistake::at(at, message).help("leave it closed: it is redacted in it"));
            sound = None;
        }
    }
    sound
}

/// The library with a stand-in for a parser that is refused already, so that the sources that name
/// it are not refused too.
fn placeholder(library: &Arc<Library>, name: &str) -> Arc<Library> {
    let plain = Definition {
        name: name.to_owned(),
        pattern: Some("(?<message>.*)".to_owned()),
        ..Definition::default()
    };
    library.with(vec![plain]).map_or_else(|_| Arc::clone(library), Arc::new)
}

/// A definition as it was read.
struct Read {
    definition: Definition,
    /// Whether nothing of it was refused; else that is left out.
    sound: bool,
}

/// Reads a definition; `None` where what it reads lines by was refused.
fn definition(
    reader: &mut Reader<'_>,
    value: Value<'_>,
    library: &Library,
    rules: &Rules,
) -> Option<Read> {
    let mut fields = reader.map(value)?;
    let doc = part::<String>(reader, fields.take("doc"));
    let grammar = part::<String>(reader, fields.take("grammar"));
    let layout = fields.take("layout").map_or(Some(Vec::new()), |value| layouts(reader, value));
    let pattern = part::<String>(reader, fields.take("pattern"));
    let within = other(reader, fields.take("within"), library);
    let nested = other(reader, fields.take("nested"), library);
    let programs = texts(reader, fields.take("programs"));
    let open = texts(reader, fields.take("open"));
    let renamed = match fields.take("fields") {
        None => Some(BTreeMap::new()),
        Some(value) => reader.map(value).and_then(|_| entries(reader, value)),
    };
    let guarded = keep_guard(reader, value, open.as_deref(), renamed.as_ref(), rules);
    let csv = part::<CsvOptions>(reader, fields.take("csv"));
    let types = match fields.take("types") {
        None => Some(BTreeMap::new()),
        Some(value) => reader.map(value).and_then(|_| entries(reader, value)),
    };
    let time = fields.take("time");
    let time = part::<TimeField>(reader, time).and_then(|read| zoned(reader, time, read));
    let level = part::<LevelField>(reader, fields.take("level"));
    let joiner = joiner(reader, &mut fields);
    let samples = fields.take("samples").map(|value| reader.list(value)).unwrap_or_default();
    let samples = super::all(samples.into_iter().map(|value| sample(reader, value)));
    fields.finish(reader);
    let mut sound = guarded.is_some();
    let definition = Definition {
        name: value.name.to_owned(),
        doc: or_nothing(doc, &mut sound).unwrap_or_default(),
        grammar: grammar?,
        layout: layout?,
        pattern: pattern?,
        within: or_nothing(within, &mut sound),
        nested: or_nothing(nested, &mut sound),
        programs: or_nothing(programs, &mut sound),
        open: or_nothing(open, &mut sound),
        fields: or_nothing(renamed, &mut sound),
        csv: or_nothing(csv, &mut sound),
        types: or_nothing(types, &mut sound),
        time: or_nothing(time, &mut sound),
        level: or_nothing(level, &mut sound),
        joiner: or_nothing(joiner, &mut sound),
        samples: or_nothing(samples, &mut sound),
        // A user's own parsers are named by sources, not guessed.
        manual: true,
        ..Definition::default()
    };
    Some(Read { definition, sound })
}

/// A part, or nothing in place of one that was refused.
fn or_nothing<T: Default>(part: Option<T>, sound: &mut bool) -> T {
    *sound &= part.is_some();
    part.unwrap_or_default()
}

/// One layout, or a list of them, as they stand.
fn layouts(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Vec<String>> {
    match &value.node.kind {
        Kind::List(_) => texts(reader, Some(value)),
        _ => part::<String>(reader, Some(value)).flatten().map(|layout| vec![layout]),
    }
}

fn texts(reader: &mut Reader<'_>, value: Option<Value<'_>>) -> Option<Vec<String>> {
    let values = value.map(|value| reader.list(value)).unwrap_or_default();
    super::all(values.into_iter().map(|value| {
        let text: Option<Option<String>> = part(reader, Some(value));
        text.flatten()
    }))
}

/// A sample, every key of which is known.
fn sample(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Sample> {
    let mut fields = reader.map(value)?;
    for key in ["line", "header", "record", "read_at"] {
        fields.take(key);
    }
    if fields.unknown().next().is_some() {
        fields.finish(reader);
        return None;
    }
    part::<Sample>(reader, Some(value)).flatten()
}

/// Another parser.
fn other(
    reader: &mut Reader<'_>,
    value: Option<Value<'_>>,
    library: &Library,
) -> Option<Option<String>> {
    let Some(value) = value else { return Some(None) };
    let names: Vec<_> = library.names().collect();
    known_name(reader, value, "parser", names.into_iter()).map(Some)
}

/// One part as its own type reads it; `Some(None)` when it is not given.
fn part<'n, T: Deserialize<'n>>(
    reader: &mut Reader<'_>,
    value: Option<Value<'n>>,
) -> Option<Option<T>> {
    let Some(value) = value else { return Some(None) };
    match T::deserialize(value.node) {
        Ok(part) => Some(Some(part)),
        Err(error) => {
            reader.mistake(error.mistake(value.place()));
            None
        }
    }
}

/// A zone is a value like any other: variables are put into it. A format is taken as it stands.
fn zoned(
    reader: &mut Reader<'_>,
    value: Option<Value<'_>>,
    time: Option<TimeField>,
) -> Option<Option<TimeField>> {
    let typed = value.and_then(|value| value.node.entry("zone"));
    match (typed.filter(|zone| !zone.value.is_null()), time) {
        (Some(zone), Some(time)) => {
            let zone = reader.filled(Value::of(zone), "a zone")?;
            Some(Some(TimeField { zone: Some(zone), ..time }))
        }
        (_, time) => Some(time),
    }
}

fn entries<T: for<'de> Deserialize<'de>>(
    reader: &mut Reader<'_>,
    value: Value<'_>,
) -> Option<BTreeMap<String, T>> {
    let Kind::Map(entries) = &value.node.kind else { return None };
    let read = entries.iter().map(|entry| {
        let read: Option<Option<T>> = part(reader, Some(Value::of(entry)));
        Some((entry.key.clone(), read??))
    });
    let read: Vec<_> = read.collect();
    read.into_iter().collect()
}

/// A joiner by its name, or by how a record begins.
fn joiner(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Option<Option<JoinerField>> {
    let Some(value) = fields.take("joiner") else { return Some(None) };
    if matches!(value.node.kind, Kind::Map(_)) {
        let mut fields = reader.map(value)?;
        let start = fields.need(Part::Start.name(), r"write `joiner: {start: '^\d{4}-'}`");
        let ahead = fields.take("ahead");
        let pattern = |reader: &mut Reader<'_>, value: Value<'_>| {
            super::source::pattern(reader, Part::Start, value).map(|(_, pattern)| pattern)
        };
        let start = start.and_then(|value| pattern(reader, value));
        let ahead = ahead.map(|value| pattern(reader, value));
        fields.finish(reader);
        let (start, ahead) = match ahead {
            Some(ahead) => (start?, Some(ahead?)),
            None => (start?, None),
        };
        return Some(Some(JoinerField::Pattern(RecordStart { start, ahead, loose: 0 })));
    }
    let names: Vec<_> = Joiner::names().collect();
    known_name(reader, value, "joiner", names.into_iter())
        .map(|name| Some(JoinerField::Named(name)))
}
