//! From what was typed to what it means: the only place that refuses a configuration. Every part is
//! read even when another is wrong, so that one run shows all mistakes.

mod auth;
mod definitions;
mod destination;
mod elasticsearch;
mod loki;
mod redact;
mod source;
mod url;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::diagnostic::{Mistake, Place, quote};
use super::memory::{JOINERS, Need};
use super::names;
use super::nearest::suggestion;
use super::read::{Fields, Reader, Value};
use super::settings::{Destination, DestinationKind, Schema, Settings, Source};
use super::state;
use super::tree::Node;
use super::units::shown;

const MIB: usize = 1024 * 1024;

/// Resident bytes in flight, unless said otherwise.
const MEMORY: usize = 12 * MIB;

/// Where metrics and probes are, unless said otherwise.
const ADMIN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 2028);

/// Reads the whole tree. `None` only when the reader has been told why.
pub(super) fn check(root: &Node, reader: &mut Reader<'_>) -> Option<Settings> {
    let nowhere = Place { text: 0, start: 0, end: 0 };
    let whole = Value { name: "", key: nowhere, node: root };
    let mut fields = reader.map(whole)?;

    let memory = fields.take("memory");
    let bytes = memory.map_or(Some(MEMORY), |value| reader.size(value, MIB..=1024 * 1024 * MIB));
    let state = state_directory(reader, &mut fields);
    let threads = fields.take("threads");
    let threads = threads.map_or(Some(1), |value| reader.whole(value, 1..=256));
    let admin = fields.take("admin").map_or(Some(Some(ADMIN)), |value| admin(reader, value));
    let schema = fields.take("schema").map_or(Some(Schema::Ecs), |value| {
        reader.one_of(value, &[("ecs", Schema::Ecs), ("flat", Schema::Flat)])
    });
    let namespace = fields
        .take("namespace")
        .map_or(Some("app".to_owned()), |value| checked(reader, value, "a name", names::namespace));
    let library = definitions::library(reader, fields.take("parsers"));
    let redact = redact::rules(reader, fields.take("redact"));

    fields.not_yet(reader, "steps", "remove it for now: change fields where they are logged");

    let help = "name at least one server to ship to";
    let destinations = fields.need("destinations", help);
    let destinations =
        destinations.map(|value| reader.named(value, "destinations")).unwrap_or_default();
    let destination_names: Vec<_> = destinations.iter().map(|value| value.name).collect();
    let checked_destinations: Option<Vec<_>> =
        all(destinations.iter().map(|value| destination::destination(reader, *value)));

    let help = "name at least one set of files to tail";
    let sources = fields.need("sources", help);
    let sources = sources.map(|value| reader.named(value, "sources")).unwrap_or_default();
    let asked = source::Asked { library: &library, destinations: &destination_names };
    let checked_sources: Option<Vec<_>> =
        all(sources.iter().map(|value| source::source(reader, *value, &asked)));

    fields.finish(reader);

    let settings = Settings {
        memory: bytes?,
        state: state?,
        threads: NonZeroUsize::new(threads?)?,
        admin: admin?,
        schema: schema?,
        namespace: namespace?,
        sources: checked_sources?,
        library,
        redact: redact?,
        destinations: checked_destinations?,
    };
    enough_memory(reader, memory, &settings);
    no_loops(reader, &sources, &settings);
    Some(settings)
}

/// Everything, or nothing if one is missing; but every one is looked at.
fn all<T>(parts: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let parts: Vec<_> = parts.collect();
    parts.into_iter().collect()
}

/// A filled text that a rule about names accepts.
fn checked(
    reader: &mut Reader<'_>,
    value: Value<'_>,
    wanted: &str,
    accepts: fn(&str) -> Result<(), &'static str>,
) -> Option<String> {
    let text = reader.filled(value, wanted)?;
    match accepts(&text) {
        Ok(()) => Some(text),
        Err(problem) => {
            reader.mistake(Mistake::at(value.place(), problem));
            None
        }
    }
}

/// Whether the key that names a source, a destination or the like is a good name.
fn good_name(reader: &mut Reader<'_>, value: Value<'_>) -> bool {
    match names::own(value.name) {
        Ok(()) => true,
        Err(problem) => {
            let help = "variables are put into values, never into keys";
            let help = value.name.contains("${").then(|| help.to_owned());
            reader.mistake(Mistake::at(value.key, problem).maybe_help(help));
            false
        }
    }
}

/// A name that has to be one of those known.
fn known_name<'k>(
    reader: &mut Reader<'_>,
    value: Value<'_>,
    what: &str,
    known: impl Iterator<Item = &'k str> + Clone,
) -> Option<String> {
    let name = reader.filled(value, "a name")?;
    if known.clone().any(|known| known == name) {
        return Some(name);
    }
    let message = format!("there is no {what} {}", value.quoted());
    reader.mistake(Mistake::at(value.place(), message).maybe_help(suggestion(&name, known)));
    None
}

fn state_directory(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Option<PathBuf> {
    match fields.take("state") {
        Some(value) => reader.path(value),
        None => match state::default(&|name| reader.environment(name)) {
            Ok(path) => Some(path),
            Err(problem) => {
                reader.mistake(Mistake::anywhere(problem));
                None
            }
        },
    }
}

fn admin(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Option<SocketAddr>> {
    let text = reader.filled(value, "an address and a port, or `off`")?;
    if text == "off" {
        return Some(None);
    }
    if let Ok(address) = text.parse() {
        return Some(Some(address));
    }
    let message = format!("{} is no address with a port", value.quoted());
    let help = "write `127.0.0.1:2028`, `0.0.0.0:2028` for a kubelet and a Prometheus, or `off`";
    reader.mistake(Mistake::at(value.place(), message).help(help));
    None
}

fn enough_memory(reader: &mut Reader<'_>, memory: Option<Value<'_>>, settings: &Settings) {
    let place = |message: String| match memory {
        Some(value) => Mistake::at(value.place(), message),
        None => Mistake::anywhere(message),
    };
    let given = shown(settings.memory);
    let need = Need::of(settings);
    if need.total() > settings.memory {
        let message = format!("`memory` of {given} is too small: {need}");
        let help = format!(
            "give at least {}, or make `batch: bytes` or `max_record` smaller",
            shown(need.total())
        );
        reader.mistake(place(message).help(help));
    }
    let largest = settings.sources.iter().max_by_key(|source| source.max_record);
    if let Some(Source { name, max_record, .. }) = largest
        && settings.memory / JOINERS < *max_record
    {
        let message = format!(
            "`memory` of {given} is too small for `max_record` of {} in `{name}`: records being \
             joined may take a quarter of it",
            shown(*max_record)
        );
        let least = shown(max_record.saturating_mul(JOINERS));
        reader.mistake(place(message).help(format!("give at least {least}")));
    }
}

/// What pillion writes must not be what it reads.
fn no_loops(reader: &mut Reader<'_>, sources: &[Value<'_>], settings: &Settings) {
    for (value, source) in sources.iter().zip(&settings.sources) {
        for Destination { name, kind, .. } in &settings.destinations {
            let DestinationKind::File { path } = kind else { continue };
            if source::reads(source, path) {
                let message = format!(
                    "{} reads {}, which `{name}` writes: it would ship its own output for ever",
                    quote(&source.name),
                    quote(&path.display().to_string())
                );
                reader.mistake(
                    Mistake::at(value.key, message).help("name it under the source's `exclude`"),
                );
            }
        }
        if source
            .files
            .iter()
            .any(|glob| glob.starts_with(&format!("{}/", settings.state.display())))
        {
            let message = format!("{} reads pillion's own state directory", quote(&source.name));
            reader.mistake(Mistake::at(value.key, message).help("choose another `state`"));
        }
    }
}
