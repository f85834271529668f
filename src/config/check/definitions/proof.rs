//! A definition compiled and proved by its samples: every fault in it, and every field of a sample that does
//! not come out as it says, each with its place.

use std::sync::Arc;

use pillion_parsers::definition::{Definition, DefinitionError, Fault, SampleMismatch};
use pillion_parsers::parse::{Library, grammars};

use crate::config::check::{redact, zone};
use crate::config::diagnostic::{Mistake, Place, quote};
use crate::config::nearest::suggestion;
use crate::config::read::{Reader, Value};
use crate::config::tree::{Kind, Node};

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
        // The others are looked at, too; one must be left to be a parser at all.
        Fault::Layout { layout, .. } if definition.layout.len() > 1 => {
            definition.layout.retain(|other| other != layout);
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
            let pattern = value.node.entry("pattern").map(|it| &it.value.kind);
            let grok = match pattern {
                Some(Kind::Scalar { text, .. }) => elsewhere(text),
                _ => None,
            };
            (mistake.message, grok.or(mistake.help))
        }
        Fault::Layout { layout, .. } => (said(error), elsewhere(layout)),
        Fault::TimeFormat(format) => (said(error), elsewhere(format)),
        Fault::Grammar(name) => (
            format!("there is no grammar {}", quote(name)),
            suggestion(name, grammars().collect::<Vec<_>>().into_iter()),
        ),
        Fault::Zone(name) => {
            (format!("there is no time zone {}", quote(name)), Some(zone::near(name, None)))
        }
        _ => (said(error), None),
    };
    Mistake::at(place_of(value, &error.fault), message).maybe_help(help)
}

/// What a fault says of itself.
fn said(error: &DefinitionError) -> String {
    let message = error.to_string();
    let own = format!("parser `{}`: ", error.name);
    message.strip_prefix(&own).unwrap_or(&message).to_owned()
}

/// How what others write is written here: grok's `%{WORD:name}`, Java's `yyyy-MM-dd`.
fn elsewhere(text: &str) -> Option<String> {
    const JAVA: [(&str, &str); 9] = [
        ("yyyy", "%Y"),
        ("MMM", "%b"),
        ("MM", "%m"),
        ("dd", "%d"),
        ("HH", "%H"),
        ("mm", "%M"),
        ("ss", "%S"),
        ("SSS", "%3f"),
        ("XXX", "%:z"),
    ];
    if text.contains("%{") {
        let help = "`%{WORD:name}` is grok's: in a `layout` a field is written `{name:word}`, in a `pattern` \
                    `(?<name>\\w+)`";
        return Some(help.to_owned());
    }
    // Of a layout, or of a message about it, the time is what has the letters.
    let from = text.find("yyyy").or_else(|| text.find("HH:mm"))?;
    let is_java = |letter: char| "yMdHmsSXT':/.,- ".contains(letter);
    let format: String = text.get(from..)?.chars().take_while(|letter| is_java(*letter)).collect();
    let format = format.replace('\'', "");
    let written = JAVA.iter().fold(format, |format, (java, ours)| format.replace(java, ours));
    Some(format!("that is Java's: strptime's for it is `{}`", written.trim_end()))
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
        Fault::Layout { layout, .. } => {
            let is_it =
                |node: &&Node| matches!(&node.kind, Kind::Scalar { text, .. } if text == layout);
            match &part.value.kind {
                Kind::List(layouts) => layouts.iter().find(is_it).unwrap_or(&part.value).place,
                _ => part.value.place,
            }
        }
        Fault::Method | Fault::Name | Fault::Yaml(_) => part.key_place,
        _ => part.value.place,
    }
}
