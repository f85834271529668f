//! From what was typed to what it means: the only place that refuses a configuration. Every part is
//! read even when another is wrong, so that one run shows all mistakes.

mod across;
mod auth;
mod definitions;
mod destination;
mod elasticsearch;
mod enrich;
mod loki;
mod redact;
mod source;
mod step;
mod url;
mod zone;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::diagnostic::{Mistake, NOWHERE};
use super::names;
use super::nearest::{near, suggestion};
use super::read::{Fields, Reader, Value};
use super::settings::{DEFAULT_ADMIN, Schema, Settings};
use super::state;
use super::tree::{Entry, Kind, Node};
use crate::tail::settings::PIN;

const MIB: usize = 1024 * 1024;

/// Resident bytes in flight, unless said otherwise.
const MEMORY: usize = 12 * MIB;

/// Time to drain after SIGTERM, unless said otherwise.
const GRACE: Duration = Duration::from_secs(25);

/// How long files must be quiet after SIGTERM, unless the command line or the environment says.
const QUIET: Duration = Duration::from_secs(1);

/// Reads the whole tree, and what is given `over` it. What was refused has a stand-in, so that the
/// checks across parts can go on: only if the reader is sound may the settings be used. `None` when
/// there is not even a mapping.
pub(super) fn check(root: &Node, over: &Node, reader: &mut Reader<'_>) -> Option<Settings> {
    let whole = |node| Value { name: "", key: NOWHERE, node };
    let mut over = reader.map(whole(over))?;
    let mut fields = reader.map(whole(root))?;

    let memory = fields.take("memory");
    let bytes = memory.map_or(Some(MEMORY), |value| reader.size(value, MIB..=1024 * 1024 * MIB));
    let pin = fields.take("pin");
    let pin = pin.map_or(Some(PIN), |value| reader.size(value, 0..=usize::MAX).map(|it| it as u64));
    let state = state_directory(reader, &mut fields, &mut over);
    let threads = fields.take("threads");
    let threads = threads.map_or(Some(1), |value| reader.whole(value, 1..=256));
    let threads = reader.or(threads.and_then(NonZeroUsize::new), NonZeroUsize::MIN);
    let admin = last(fields.take("admin"), over.take("admin"), |value| admin(reader, value));
    let grace = over.take("grace").map_or(Some(GRACE), |value| upto_a_day(reader, value));
    let quiet = over.take("quiet").map_or(Some(QUIET), |value| upto_a_day(reader, value));
    let schema = fields.take("schema").map_or(Some(Schema::Ecs), |value| {
        reader.one_of(value, &[("ecs", Schema::Ecs), ("flat", Schema::Flat)])
    });
    let namespace = fields
        .take("namespace")
        .map_or(Some("app".to_owned()), |value| checked(reader, value, "a name", names::namespace));
    let (parsers, redaction) = (fields.take("parsers"), fields.take("redact"));
    let redact = redact::redaction(reader, redaction);
    let redact = reader.or(redact, redact::Redaction::standard());
    let rules = redact.rules;
    let library = definitions::library(reader, parsers, &rules);

    let pod =
        fields.take("enrich").map_or(Some(None), |value| enrich::enrich(reader, value).map(Some));
    let pod = reader.or(pod, None);

    let steps = fields
        .take("steps")
        .map_or(Some(Vec::new()), |value| step::steps(reader, value, None, &rules));
    let steps = reader.or(steps, Vec::new());

    let destinations = named_parts(reader, &mut fields, "destinations", "server to ship to");
    let names: Vec<_> = destinations.iter().map(|value| value.name).collect();
    let destinations =
        each(reader, &destinations, |reader, value| destination::destination(reader, value));
    let sources = named_parts(reader, &mut fields, "sources", "set of files to tail");
    let asked = source::Asked { library: &library, destinations: &names, rules: &rules };
    let sources = each(reader, &sources, |reader, value| source::source(reader, value, &asked));
    let (keys, sources): (Vec<_>, Vec<_>) =
        sources.into_iter().map(|(value, source)| (value.key, source)).unzip();
    let (steps, mut sources) = step::numbered(reader, steps, sources);
    for (source, pod) in sources.iter_mut().zip(std::iter::repeat(pod.as_ref())) {
        for (name, value) in pod.into_iter().flat_map(|pod| &pod.fields) {
            source.fields.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }

    fields.finish(reader);
    over.finish(reader);

    let settings = Settings {
        memory: reader.or(bytes, usize::MAX),
        pin: reader.or(pin, PIN),
        state: reader.or(state, PathBuf::new()),
        threads,
        admin: reader.or(admin.unwrap_or(Some(Some(DEFAULT_ADMIN))), None),
        grace: reader.or(grace, GRACE),
        quiet: reader.or(quiet, QUIET),
        schema: reader.or(schema, Schema::Ecs),
        namespace: reader.or(namespace, String::new()),
        pod,
        sources,
        library,
        steps,
        redact: rules,
        selection: redact.selection,
        hash_key: redact.hash_key,
        rule_samples: redaction.map_or(0, |value| rule_samples(value.node)),
        destinations: destinations.into_iter().map(|(_, destination)| destination).collect(),
    };
    across::enough_memory(reader, memory, &settings);
    across::no_loops(reader, &keys, &settings);
    Some(settings)
}

/// How many samples the rules of one's own have.
fn rule_samples(redact: &Node) -> usize {
    let samples = |rule: &Entry| {
        let lists = ["must_redact", "must_leave"].map(|key| rule.value.entry(key));
        lists.into_iter().flatten().map(|list| list.value.count()).sum::<usize>()
    };
    let rules = redact.entry("custom").map(|custom| &custom.value.kind);
    match rules {
        Some(Kind::Map(rules)) => rules.iter().map(samples).sum(),
        _ => 0,
    }
}

/// Where metrics and probes are served, whatever the rest says.
pub(super) fn admin_alone(
    root: Option<&Node>,
    over: &Node,
    reader: &mut Reader<'_>,
) -> Option<Option<SocketAddr>> {
    let admin_in = |reader: &mut Reader<'_>, node| {
        reader.map(Value { name: "", key: NOWHERE, node }).and_then(|mut it| it.take("admin"))
    };
    let given = admin_in(reader, over).or_else(|| admin_in(reader, root?));
    given.map_or(Some(Some(DEFAULT_ADMIN)), |value| admin(reader, value))
}

/// What is given last counts; but both are looked at. `None` when neither is there.
fn last<'n, T>(
    first: Option<Value<'n>>,
    over: Option<Value<'n>>,
    mut read: impl FnMut(Value<'n>) -> Option<T>,
) -> Option<Option<T>> {
    let first = first.map(&mut read);
    over.map(read).or(first)
}

/// The named parts under a key that has to be there.
fn named_parts<'n>(
    reader: &mut Reader<'_>,
    fields: &mut Fields<'n>,
    key: &'static str,
    what: &str,
) -> Vec<Value<'n>> {
    let parts = fields.need(key, &format!("name at least one {what}"));
    parts.map(|value| reader.named(value, key)).unwrap_or_default()
}

/// Every part that could be read, with where it was named.
fn each<'n, T>(
    reader: &mut Reader<'_>,
    parts: &[Value<'n>],
    read: impl Fn(&mut Reader<'_>, Value<'n>) -> Option<T>,
) -> Vec<(Value<'n>, T)> {
    let mut sound = Vec::new();
    for value in parts {
        let part = read(reader, *value);
        if let Some(part) = reader.or(part.map(Some), None) {
            sound.push((*value, part));
        }
    }
    sound
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
    let help = match what {
        "parser" => near(&name, known, "`pillion parsers` lists them"),
        _ => suggestion(&name, known),
    };
    reader.mistake(Mistake::at(value.place(), message).maybe_help(help));
    None
}

fn state_directory<'n>(
    reader: &mut Reader<'_>,
    fields: &mut Fields<'n>,
    over: &mut Fields<'n>,
) -> Option<PathBuf> {
    let path = last(fields.take("state"), over.take("state"), |value| reader.path(value));
    let path = path.unwrap_or_else(|| Some(state::default(&|name| reader.environment(name))));
    // Without slashes that say nothing: globs are compared with it.
    path.map(|path| path.components().collect())
}

fn upto_a_day(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Duration> {
    reader.duration(value, Duration::ZERO..=Duration::from_secs(24 * 60 * 60))
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
