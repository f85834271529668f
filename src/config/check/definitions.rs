//! The user's parsers: read part by part, so that each part's mistake is shown, then compiled and
//! proved by their samples.

use std::collections::BTreeMap;
use std::sync::Arc;

use pillion_parsers::definition::{
    CsvOptions, Definition, DefinitionError, Fault, JoinerField, LevelField, RecordStart, Sample,
    TimeField,
};
use pillion_parsers::multiline::{Joiner, Part};
use pillion_parsers::parse::Library;
use pillion_parsers::redact::Rules;
use serde::Deserialize;

use super::step::unguarded;
use super::{good_name, known_name};
use crate::config::diagnostic::{Mistake, Place, quote};
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
    for value in parsers {
        let named = good_name(reader, value);
        let Some(definition) = definition(reader, value, &library, rules) else {
            library = placeholder(&library, value.name);
            continue;
        };
        if !named {
            continue;
        }
        match proved(reader, value, &library, definition) {
            Ok(more) => library = more,
            Err(error) => {
                reader.mistake(misfit(value, &error));
                if error.fault != Fault::Name {
                    library = placeholder(&library, value.name);
                }
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

/// The library with one more definition. Its samples are tried one by one, so that each that fails
/// is shown.
fn proved(
    reader: &mut Reader<'_>,
    value: Value<'_>,
    library: &Library,
    definition: Definition,
) -> Result<Arc<Library>, DefinitionError> {
    let alone = Definition { samples: Vec::new(), ..definition.clone() };
    let proved = library.with(vec![alone.clone()])?;
    for (index, sample) in definition.samples.iter().enumerate() {
        let one = Definition { samples: vec![sample.clone()], ..alone.clone() };
        if let Err(mut error) = library.with(vec![one]) {
            if let Fault::Sample(mismatch) = &mut error.fault {
                mismatch.sample = index;
            }
            reader.mistake(misfit(value, &error));
        }
    }
    // With all samples: they are shown by `pillion parsers`, and run by `pillion test`.
    Ok(library.with(vec![definition]).map_or_else(|_| Arc::new(proved), Arc::new))
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

fn definition(
    reader: &mut Reader<'_>,
    value: Value<'_>,
    library: &Library,
    rules: &Rules,
) -> Option<Definition> {
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
    let samples = super::all(samples.into_iter().map(|value| {
        let sample: Option<Option<Sample>> = part(reader, Some(value));
        sample.flatten()
    }));
    fields.finish(reader);
    guarded?;
    Some(Definition {
        name: value.name.to_owned(),
        doc: doc?.unwrap_or_default(),
        grammar: grammar?,
        layout: layout?,
        pattern: pattern?,
        within: within?,
        nested: nested?,
        programs: programs?,
        open: open?,
        fields: renamed?,
        csv: csv?,
        types: types?,
        time: time?,
        level: level?,
        joiner: joiner?,
        samples: samples?,
        // A user's own parsers are named by sources, not guessed.
        manual: true,
        ..Definition::default()
    })
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

/// Another parser, which must stand before this one.
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

/// A mistake that only compiling, or running the samples, could find.
fn misfit(value: Value<'_>, error: &DefinitionError) -> Mistake {
    let (message, help) = match &error.fault {
        Fault::Name => (
            format!("there is already a parser `{}`", value.name),
            Some("choose another name: `pillion parsers` lists those built in".to_owned()),
        ),
        Fault::Pattern(problem) => {
            let mistake = super::redact::bad_pattern(problem);
            (mistake.message, mistake.help)
        }
        Fault::Sample(mismatch) => {
            let help = "correct the pattern or the sample: `pillion explain` shows what comes out";
            (mismatch.to_string(), Some(help.to_owned()))
        }
        _ => {
            let message = error.to_string();
            let own = format!("parser `{}`: ", error.name);
            (message.strip_prefix(&own).unwrap_or(&message).to_owned(), None)
        }
    };
    Mistake::at(place_of(value, &error.fault), message).maybe_help(help)
}

/// Where in the definition the fault lies.
fn place_of(value: Value<'_>, fault: &Fault) -> Place {
    let Some(part) = value.node.entry(fault.field()) else { return value.key };
    match fault {
        Fault::NoSuchField { key, field } => {
            let inner = if *key == "types" { field.as_str() } else { "field" };
            part.value.entry(inner).map_or(part.key_place, |inner| {
                if *key == "types" { inner.key_place } else { inner.value.place }
            })
        }
        Fault::Zone(_) => part.value.entry("zone").map_or(part.key_place, |it| it.value.place),
        Fault::TimeFormat(_) => {
            part.value.entry("format").map_or(part.key_place, |it| it.value.place)
        }
        Fault::Sample(mismatch) => match &part.value.kind {
            Kind::List(samples) => samples.get(mismatch.sample).map_or(part.key_place, |sample| {
                let record = sample.entry("record").and_then(|it| it.value.entry(&mismatch.field));
                let line = || sample.entry("line").map_or(sample.place, |it| it.value.place);
                record.map_or_else(line, |it| it.value.place)
            }),
            _ => part.value.place,
        },
        Fault::Method | Fault::Name | Fault::Yaml(_) => part.key_place,
        _ => part.value.place,
    }
}
