//! A definition compiled and proved by its samples: every fault in it, and every field of a sample that does
//! not come out as it says, each with its place.

use std::sync::Arc;

use pillion_parsers::definition::{Definition, DefinitionError, Fault, SampleMismatch};
use pillion_parsers::parse::{Library, grammars};

use crate::config::check::{redact, zone};
use crate::config::diagnostic::{Mistake, Place, quote};
use crate::config::nearest::suggestion;
use crate::config::read::{Reader, Value};
use crate::config::tree::Kind;

/// The library with one more definition, or the last fault in it; all of them are shown. Its samples are
/// tried one by one, so that each that fails is shown.
pub(super) fn proved(
    reader: &mut Reader<'_>,
    value: Value<'_>,
    library: &Library,
    definition: Definition,
) -> Result<Arc<Library>, Fault> {
    let alone = Definition { samples: Vec::new(), ..definition.clone() };
    let proved = compiled(reader, value, library, alone.clone())?;
    for (index, sample) in definition.samples.iter().enumerate() {
        let one = Definition { samples: vec![sample.clone()], ..alone.clone() };
        let Err(error) = library.with(vec![one]) else { continue };
        match error.fault {
            Fault::Sample(mismatch) => mismatched(reader, value, index, &mismatch),
            _ => reader.mistake(misfit(value, &error)),
        }
    }
    // With all samples: they are shown by `pillion parsers`, and run by `pillion test`.
    Ok(library.with(vec![definition]).map_or_else(|_| Arc::new(proved), Arc::new))
}

/// The library with a definition that has no samples. What it is refused for is shown and taken out,
/// until the rest is accepted or nothing can be taken out: then every fault was seen.
fn compiled(
    reader: &mut Reader<'_>,
    value: Value<'_>,
    library: &Library,
    mut definition: Definition,
) -> Result<Library, Fault> {
    let mut last = None;
    loop {
        let error = match library.with(vec![definition.clone()]) {
            Ok(library) => return last.map_or(Ok(library), Err),
            Err(error) => error,
        };
        reader.mistake(misfit(value, &error));
        let fault = error.fault;
        let before = definition.clone();
        without(&mut definition, &fault);
        if definition == before {
            return Err(fault);
        }
        last = Some(fault);
    }
}

/// Takes out of a definition what it is refused for, if there is something left without it.
fn without(definition: &mut Definition, fault: &Fault) {
    match fault {
        Fault::NoSuchField { key: "types", field } => {
            definition.types.remove(field);
        }
        Fault::Zone(_) => {
            if let Some(time) = &mut definition.time {
                time.zone = None;
            }
        }
        Fault::Other { key: "within", .. } => definition.within = None,
        Fault::Other { .. } => definition.nested = None,
        Fault::Grammarless { key: "open" } => definition.open.clear(),
        Fault::Grammarless { .. } => definition.fields.clear(),
        _ => match fault.field() {
            "time" => definition.time = None,
            "level" => definition.level = None,
            "joiner" => definition.joiner = None,
            "csv" => definition.csv = None,
            _ => {}
        },
    }
}

/// Shows each field of a sample that does not come out as it says.
fn mismatched(reader: &mut Reader<'_>, value: Value<'_>, index: usize, mismatch: &SampleMismatch) {
    let sample = value.node.entry("samples").and_then(|samples| match &samples.value.kind {
        Kind::List(samples) => samples.get(index),
        _ => Some(&samples.value),
    });
    for difference in &mismatch.differences {
        let place = sample.map_or(value.key, |sample| {
            let record = sample.entry("record").and_then(|it| it.value.entry(&difference.field));
            let own = || sample.entry(&difference.field).or_else(|| sample.entry("line"));
            record.or_else(own).map_or(sample.place, |entry| entry.value.place)
        });
        let message = format!("sample {}, {difference}", index + 1);
        let help = "correct the pattern or the sample: `pillion explain` shows what comes out";
        reader.mistake(Mistake::at(place, message).help(help));
    }
}

/// A mistake that only compiling, or running the samples, could find.
fn misfit(value: Value<'_>, error: &DefinitionError) -> Mistake {
    let (message, help) = match &error.fault {
        Fault::Name => (
            format!("there is already a parser `{}`", value.name),
            Some("choose another name: `pillion parsers` lists those built in".to_owned()),
        ),
        Fault::Pattern(problem) => {
            let mistake = redact::bad_pattern(problem);
            (mistake.message, mistake.help)
        }
        Fault::Grammar(name) => (
            format!("there is no grammar {}", quote(name)),
            suggestion(name, grammars().collect::<Vec<_>>().into_iter()),
        ),
        Fault::Zone(name) => {
            (format!("there is no time zone {}", quote(name)), Some(zone::near(name, None)))
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
        Fault::Method | Fault::Name | Fault::Yaml(_) => part.key_place,
        _ => part.value.place,
    }
}
