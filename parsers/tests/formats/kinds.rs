//! Fields that two formats call the same, and that Elasticsearch takes from one of them only: it gives a
//! field the type of the first value that comes, and refuses a document that has another.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use pillion_parsers::definition::Definition;
use pillion_parsers::parse::Library;
use pillion_parsers::record::Known;
use serde_json::Value as Json;

/// Fields that stay so, and why.
const LEFT: &[(&str, &str)] = &[
    ("err", "an error: its text, or an object (pino)"),
    ("error", "an error: its text, or an object (ECS's `error.…`, pino, winston)"),
    ("causes", "the errors below one: texts (zerolog), objects (zap)"),
    (
        "exception",
        "an error: its text (structlog's pairs), or objects (structlog's JSON, loguru, OpenTelemetry)",
    ),
    ("stack", "a stack: a text (winston), a list of frames (zerolog)"),
    (
        "context.exception",
        "an error in Monolog's context: its text, or an object, as it is formatted",
    ),
    ("event", "structlog's text where another key is the message; ECS's `event.…`"),
    ("service", "a service's name; ECS's `service.…`"),
    ("process", "a process's number (Python); ECS's `process.…`"),
    ("url", "an address; ECS's `url.…`"),
    ("field level", "a level beside the record's own: a number (GELF, Monolog), a word"),
    ("object", "what a line of Kubernetes is about: `namespace/name` (klog), an object (its JSON)"),
    ("pod", "the same"),
    ("pods", "the same, of several"),
    ("took", "how long it took: with its unit (Elasticsearch's slow logs), or a number"),
];

/// Keys of the applications that were recorded, which each logger writes in its own way.
const OF_APPLICATIONS: &[&str] = &[
    // `same names` of lines that give a field twice.
    "ecs",
    "log",
    "ts",
    "a",
    "amount",
    "at",
    "cart",
    "code",
    "context.nested",
    "customer",
    "item",
    "list",
    "markers",
    "order",
    "peer",
    "raw",
    "spans",
    "tls",
    "when",
];

/// Fields that have a place of their own in ECS, which takes of them what fits: without it they have two
/// types.
const WITHOUT_ECS: &[&str] =
    &["error_code", "event_id", "file", "node", "request_id", "status", "thread", "user"];

/// What Elasticsearch tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Number,
    Boolean,
    Text,
    Object,
}

/// The formats that give a field each kind of value.
type Kinds<'d> = BTreeMap<Kind, BTreeSet<&'d str>>;

/// The kind of a value; none of what fits several: a number or a truth in quotes.
fn kind(value: &Json) -> Option<Kind> {
    match value {
        Json::Null | Json::Array(_) => None,
        Json::Bool(_) => Some(Kind::Boolean),
        Json::Number(_) => Some(Kind::Number),
        Json::String(text) => {
            let several = text.parse::<f64>().is_ok() || ["true", "false", ""].contains(&&**text);
            (!several).then_some(Kind::Text)
        }
        Json::Object(_) => Some(Kind::Object),
    }
}

/// Adds a value and what is in it. A dot in a name stands for an object.
fn add<'d>(fields: &mut BTreeMap<String, Kinds<'d>>, name: &str, value: &Json, format: &'d str) {
    let mut put = |name: &str, kind: Kind| {
        let kinds = fields.entry(name.to_owned()).or_default();
        kinds.entry(kind).or_default().insert(format);
    };
    for (dot, _) in name.match_indices('.').filter(|(dot, _)| *dot > 0 && dot + 1 < name.len()) {
        put(&name[..dot], Kind::Object);
    }
    if let Some(kind) = kind(value) {
        put(name, kind);
    }
    match value {
        // A field that begins with a text takes what follows as text.
        Json::Array(values) if values.first().is_some_and(|it| kind(it) == Some(Kind::Text)) => {
            let texts = values.iter().filter(|it| it.is_string() || it.is_object());
            texts.for_each(|value| add(fields, name, value, format));
        }
        Json::Array(values) => values.iter().for_each(|value| add(fields, name, value, format)),
        Json::Object(members) => members
            .iter()
            .for_each(|(key, value)| add(fields, &format!("{name}.{key}"), value, format)),
        _ => {}
    }
}

/// The fields of all formats, by their layouts, samples and recorded logs.
fn all(library: &Library) -> BTreeMap<String, Kinds<'_>> {
    let mut fields = BTreeMap::new();
    for format in library.names() {
        let Some(definition) = library.definition(format) else { continue };
        for (name, value) in declared(definition).into_iter().chain(shown(definition)) {
            if !["time", "level", "message"].contains(&&*name) {
                add(&mut fields, &name, &value, format);
            }
        }
    }
    fields
}

/// What the layouts say of their fields' types, as values of these.
fn declared(definition: &Definition) -> Vec<(String, Json)> {
    let mut fields = BTreeMap::new();
    definition.layout.iter().for_each(|layout| super::of_layout(layout, &mut fields));
    let value = |kind: &str| match kind {
        "integer" | "number" => Some(Json::from(1)),
        "text" => Some(Json::from("text")),
        _ => None,
    };
    fields.iter().filter_map(|(name, kind)| Some((name.to_string(), value(kind)?))).collect()
}

/// What samples and recorded logs have.
fn shown(definition: &Definition) -> Vec<(String, Json)> {
    let records = definition.samples.iter().filter_map(|sample| sample.record.clone()).flatten();
    let logs = definition.recorded.iter().flat_map(|log| {
        let path = super::root().join("fixtures/recorded").join(format!("{log}.ndjson"));
        let records = std::fs::read_to_string(path).unwrap_or_default();
        let record = |line| serde_json::from_str::<BTreeMap<String, Json>>(line).expect("JSON");
        records.lines().flat_map(record).collect::<Vec<_>>()
    });
    records.chain(logs).collect()
}

/// Fields of which Elasticsearch would refuse some values.
fn at_odds(library: &Library) -> Vec<(String, Kinds<'_>)> {
    all(library).into_iter().filter(|(_, kinds)| kinds.len() > 1).collect()
}

/// What the page of formats says of it.
pub(super) fn section() -> String {
    let text = "## Fields of two types

Elasticsearch gives a field the type of the first value that comes, and refuses a record that has another:
it becomes a dead letter. Formats of pillion's own making call no two things the same, and fields that
have a place of their own there ([At Elasticsearch](configuration.md#at-elasticsearch)) go to it only if
they fit. These are what programs call alike themselves. Where two of them go to one index, give one
another name by a step (`rename`), or its source an index of its own. With `schema: flat`, all fields stand
under their own names: there {} have two types as well.

| field | what it is |
|---|---|
";
    let names = WITHOUT_ECS.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
    let mut text = text.replace("{}", &names.join(", "));
    for (field, why) in LEFT {
        let field = field.strip_prefix("field ").unwrap_or(field);
        writeln!(text, "| `{field}` | {why} |").expect("memory");
    }
    text.push('\n');
    text
}

#[test]
fn no_two_formats_give_a_field_two_types() {
    let library = Library::builtin();
    let (mut wrong, mut seen) = (String::new(), BTreeSet::new());
    let known = || LEFT.iter().map(|(field, _)| *field).chain(OF_APPLICATIONS.iter().copied());
    let (of_ecs, others): (Vec<_>, Vec<_>) =
        at_odds(&library).into_iter().partition(|(field, _)| Known::from_name(field).is_some());
    assert_eq!(of_ecs.iter().map(|(field, _)| &**field).collect::<Vec<_>>(), WITHOUT_ECS);
    for (field, kinds) in others {
        let is_it = |left: &&str| {
            *left == field || field.strip_prefix(left).is_some_and(|rest| rest.starts_with('.'))
        };
        match known().find(is_it) {
            Some(left) => _ = seen.insert(left),
            None => writeln!(wrong, "{field}: {kinds:?}").expect("memory"),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let stale: Vec<_> = known().filter(|field| !seen.contains(field)).collect();
    assert!(stale.is_empty(), "these have one type: {stale:?}");
}
