//! One source: which files, from where, and how lines become records.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use globset::{GlobBuilder, GlobMatcher};
use pillion_parsers::Zone;
use pillion_parsers::multiline::{Joiner, LinePattern, Part};
use pillion_parsers::parse::Library;
use pillion_parsers::redact::Rules;

use super::step::{self, Placed};
use super::zone::zone;
use super::{good_name, known_name};
use crate::config::diagnostic::Mistake;
use crate::config::nearest::suggestion;
use crate::config::read::{Reader, Value};
use crate::config::settings::{Multiline, Source, StartAt};
use crate::config::tree::Kind;

const KIB: usize = 1024;

/// Bytes of a record, unless said otherwise.
const MAX_RECORD: usize = 256 * KIB;

/// What a source may refer to.
pub(super) struct Asked<'a> {
    pub(super) library: &'a Library,
    pub(super) destinations: &'a [&'a str],
    pub(super) rules: &'a Rules,
}

/// Reads a source, and its own steps. What was refused has a stand-in; `None` when it is not even a
/// mapping.
pub(super) fn source(
    reader: &mut Reader<'_>,
    value: Value<'_>,
    asked: &Asked<'_>,
) -> Option<(Source, Vec<Placed>)> {
    let named = good_name(reader, value);
    let mut fields = reader.map(value)?;
    let exclude = fields.take("exclude").map_or(Some(Vec::new()), |value| exclude(reader, value));
    let links_to = fields.take("links_to").map_or(Some(Vec::new()), |value| {
        let directories = reader.list(value);
        super::all(directories.into_iter().map(|directory| reader.path(directory)))
    });
    let include_own_log =
        fields.take("include_own_log").map_or(Some(false), |value| reader.boolean(value));
    let start_at = fields.take("start_at").map_or(Some(StartAt::Beginning), |value| {
        reader.one_of(value, &[("beginning", StartAt::Beginning), ("end", StartAt::End)])
    });
    let ignore_older = fields.take("ignore_older").map_or(Some(None), |value| age(reader, value));
    let max_record = fields
        .take("max_record")
        .map_or(Some(MAX_RECORD), |value| reader.size(value, KIB..=64 * KIB * KIB));
    let multiline =
        fields.take("multiline").map_or(Some(Multiline::Default), |value| multiline(reader, value));
    let parsers = fields
        .take("parser")
        .map_or(Some(vec!["auto".to_owned()]), |value| parsers(reader, value, asked.library));
    let zone = fields.take("zone").map_or_else(|| Some(Zone::default()), |it| zone(reader, it));
    let constants =
        fields.take("fields").map_or(Some(BTreeMap::new()), |value| constants(reader, value));
    let to = match fields.take("to") {
        Some(value) => to(reader, value, asked.destinations),
        None => Some((0..asked.destinations.len()).collect()),
    };
    let steps = fields.take("steps").map_or(Some(Vec::new()), |steps| {
        step::steps(reader, steps, Some(value.name), asked.rules)
    });
    let help = "write `files: [/var/log/app/*.log]`";
    let files = fields.need("files", help).and_then(|value| files(reader, value));
    fields.finish(reader);
    let name = reader.or(named.then_some(value.name), value.name).to_owned();
    let steps = reader.or(steps, Vec::new());
    let source = Source {
        name,
        files: reader.or(files, Vec::new()),
        // Rather too much: what it was to exclude is not known.
        exclude: reader.or(exclude, vec!["*".to_owned()]),
        links_to: reader.or(links_to, Vec::new()),
        include_own_log: reader.or(include_own_log, false),
        start_at: reader.or(start_at, StartAt::Beginning),
        ignore_older: reader.or(ignore_older, None),
        max_record: reader.or(max_record, KIB),
        multiline: reader.or(multiline, Multiline::Off),
        parsers: reader.or(parsers, vec!["auto".to_owned()]),
        zone: reader.or(zone, Zone::default()),
        // Numbered when all of them are known.
        steps: Vec::new(),
        fields: reader.or(constants, BTreeMap::new()),
        to: reader.or(to, Vec::new()),
    };
    Some((source, steps))
}

/// A parser, or several, each of which reads the message that the one before gives.
fn parsers(reader: &mut Reader<'_>, value: Value<'_>, library: &Library) -> Option<Vec<String>> {
    /// More are a mistake.
    const MOST: usize = 4;
    let names = match value.node.kind {
        Kind::List(_) => reader.list(value),
        _ => vec![value],
    };
    if names.is_empty() || names.len() > MOST {
        let mistake = Mistake::at(value.place(), format!("`parser` names {} parsers", names.len()));
        reader.mistake(mistake.help("name one, or up to four, as `parser: [json, logfmt]`"));
        return None;
    }
    let known: Vec<_> = library.names().collect();
    let parsers = super::all(names.into_iter().map(|name| {
        known_name(reader, name, "parser", known.iter().copied()).map(|parser| (parser, name))
    }))?;
    // Containers are unwrapped before anything is read, and read what is inside by `auto`; that can be
    // asked but once.
    let mut asked = false;
    for (index, (name, value)) in parsers.iter().enumerate() {
        let wraps = matches!(name.as_str(), "cri" | "docker");
        let auto = wraps || name == "auto";
        if (wraps && index > 0) || (auto && asked) {
            let message = format!("`{name}` cannot come after the parsers before it");
            let help = "`cri` and `docker` come first, and find out what is inside by themselves";
            reader.mistake(Mistake::at(value.place(), message).help(help));
            return None;
        }
        asked |= auto;
    }
    Some(parsers.into_iter().map(|(name, _)| name).collect())
}

fn files(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Vec<String>> {
    let patterns = reader.list(value);
    if patterns.is_empty() && matches!(value.node.kind, Kind::List(_)) {
        let mistake = Mistake::at(value.place(), "`files` is empty");
        reader.mistake(mistake.help("write `files: [/var/log/app/*.log]`"));
        return None;
    }
    super::all(patterns.into_iter().map(|value| {
        let pattern = reader.filled(value, "a glob of an absolute path")?;
        let fits = reader.is_absolute(value, &pattern) && is_glob(reader, value, &pattern);
        if fits && (pattern.starts_with("/**") || pattern == "/*") {
            let mistake = Mistake::at(value.place(), "this walks the whole file system");
            reader.mistake(mistake.help("begin it with the directory that the logs are in"));
            return None;
        }
        if fits && pattern.ends_with('/') {
            let mistake = Mistake::at(value.place(), "this names a directory, not files");
            reader.mistake(mistake.help("write `/**/*.log` or the like after it"));
            return None;
        }
        fits.then_some(pattern)
    }))
}

fn exclude(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Vec<String>> {
    let patterns = reader.list(value);
    super::all(patterns.into_iter().map(|value| {
        let pattern = reader.filled(value, "a glob of a path or a file name")?;
        if pattern.contains('/') && !pattern.starts_with('/') {
            let mistake = Mistake::at(value.place(), "this is neither a path nor a file name");
            reader.mistake(mistake.help("begin it with `/`, or name the file alone as `*.gz`"));
            return None;
        }
        is_glob(reader, value, &pattern).then_some(pattern)
    }))
}

fn is_glob(reader: &mut Reader<'_>, value: Value<'_>, pattern: &str) -> bool {
    match GlobBuilder::new(pattern).literal_separator(true).build() {
        Ok(_) => true,
        Err(error) => {
            let message = format!("this glob cannot be used: {}", error.kind());
            let help = "`*` is any part of a name, `**` any directories, `{a,b}` one of several, \
                        `[ab]` one letter";
            reader.mistake(Mistake::at(value.place(), message).help(help));
            false
        }
    }
}

/// Whether a source would read this file.
pub(super) fn reads(source: &Source, path: &Path) -> bool {
    let matches = |patterns: &[String]| patterns.iter().any(|pattern| covers(pattern, path));
    matches(&source.files) && !matches(&source.exclude)
}

fn covers(pattern: &str, path: &Path) -> bool {
    let matcher: Option<GlobMatcher> = GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .ok()
        .map(|glob| glob.compile_matcher());
    let name = if pattern.starts_with('/') { Some(path) } else { path.file_name().map(Path::new) };
    matcher.zip(name).is_some_and(|(matcher, name)| matcher.is_match(name))
}

fn age(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Option<Duration>> {
    if matches!(&value.node.kind, Kind::Scalar { text, .. } if text == "off") {
        return Some(None);
    }
    let day = Duration::from_secs(24 * 60 * 60);
    reader.duration(value, Duration::from_secs(1)..=3650 * day).map(Some)
}

fn multiline(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Multiline> {
    if matches!(value.node.kind, Kind::Map(_)) {
        return patterns(reader, value);
    }
    let name = reader.filled(value, "a joiner's name, `off`, or `{start: pattern}`")?;
    if name == "off" {
        return Some(Multiline::Off);
    }
    if Joiner::named(&name).is_some() {
        return Some(Multiline::Named(name));
    }
    let known: Vec<_> = Joiner::names().chain(["off"]).collect();
    let message = format!("there is no joiner {}", value.quoted());
    let help = match suggestion(&name, known.into_iter()) {
        _ if name.starts_with('^') => {
            r"for a pattern, write `multiline: {start: '^\d{4}-'}`".into()
        }
        Some(help) => help,
        None => String::new(),
    };
    reader.mistake(Mistake::at(value.place(), message).help(help));
    None
}

/// The forms `{start: …}`, `{continue: …}` and `{end: …}`, which go together.
fn patterns(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Multiline> {
    const HELP: &str =
        r"write `multiline: {start: '^\d{4}-'}`, `{continue: '^\s'}` or `{end: ';$'}`";
    let mut fields = reader.map(value)?;
    let goes_on = fields.take(Part::Continue.name());
    let end = fields.take(Part::End.name());
    let start = if goes_on.is_none() && end.is_none() {
        Some(fields.need(Part::Start.name(), HELP))
    } else {
        fields.take(Part::Start.name()).map(Some)
    };
    let given =
        [(Part::Start, start), (Part::Continue, goes_on.map(Some)), (Part::End, end.map(Some))];
    let read: Vec<_> = given
        .into_iter()
        .filter_map(|(part, value)| Some((part, value?)))
        .map(|(part, value)| pattern(reader, part, value?))
        .collect();
    fields.finish(reader);
    super::all(read.into_iter()).map(Multiline::Patterns)
}

/// The pattern of a line, if it is one.
pub(super) fn pattern(
    reader: &mut Reader<'_>,
    part: Part,
    value: Value<'_>,
) -> Option<(Part, String)> {
    let pattern = reader.verbatim(value, "a pattern")?;
    let Err(problem) = LinePattern::new(part, pattern) else {
        return Some((part, pattern.to_owned()));
    };
    let mistake = super::redact::bad_pattern(&problem);
    reader.mistake(Mistake { place: Some(value.place()), ..mistake });
    None
}

fn constants(reader: &mut Reader<'_>, value: Value<'_>) -> Option<BTreeMap<String, String>> {
    let Kind::Map(entries) = &value.node.kind else {
        reader.map(value);
        return None;
    };
    let mut constants = Some(BTreeMap::new());
    for entry in entries {
        let field = Value::of(entry);
        let key = entry.key.trim();
        if key.is_empty() || key.contains("${") || key.split('.').any(str::is_empty) {
            let mistake = Mistake::at(entry.key_place, "this cannot name a field");
            reader
                .mistake(mistake.help("write `service.name: shop`; variables go into values only"));
            constants = None;
        }
        match (reader.text(field, "a single value"), &mut constants) {
            (Some(text), Some(constants)) => {
                constants.insert(entry.key.clone(), text);
            }
            _ => constants = None,
        }
    }
    constants
}

fn to(reader: &mut Reader<'_>, value: Value<'_>, destinations: &[&str]) -> Option<Vec<usize>> {
    let names = reader.list(value);
    if names.is_empty() && matches!(value.node.kind, Kind::List(_)) {
        let mistake = Mistake::at(value.place(), "`to` is empty: the source would ship nowhere");
        reader.mistake(mistake.help("name a destination, or leave `to` out for all of them"));
        return None;
    }
    let mut indexes = Some(Vec::new());
    for value in names {
        let name = known_name(reader, value, "destination", destinations.iter().copied());
        let index = name.and_then(|name| destinations.iter().position(|known| *known == name));
        match (index, &mut indexes) {
            (Some(index), Some(seen)) if seen.contains(&index) => {
                let message = format!("{} is named twice", value.quoted());
                reader.mistake(Mistake::at(value.place(), message));
                indexes = None;
            }
            (Some(index), Some(indexes)) => indexes.push(index),
            _ => indexes = None,
        }
    }
    indexes
}
