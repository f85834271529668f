//! Settings without a file: the values of `--files` and `--to` (or of the environment) are made into
//! the tree that a file would have given, so that the same checks and messages apply.

use super::Environment;
use super::diagnostic::{Diagnostics, Mistake, NOWHERE, Place, Text, quote};
use super::nearest::nearest;
use super::tree::{Entry, Kind, Node};

/// Where records go in Elasticsearch when nobody says: a data stream that its built-in template for
/// `logs-*-*` fits.
pub const DEFAULT_INDEX: &str = "logs-pillion-default";

/// Whether no configuration file is wanted: one of the options is given, or the variable that names
/// the files is set. What then is missing is a mistake.
#[must_use]
pub fn is_simple(files: &[String], to: &[String], environment: &Environment<'_>) -> bool {
    let is_set = |name: &str| environment(name).is_some_and(|value| !value.trim().is_empty());
    !files.is_empty() || !to.is_empty() || is_set("PILLION_FILES")
}

/// The values of one option, else of the variable; each is a text of its own, so that mistakes are
/// shown in it.
fn given(
    option: &str,
    values: &[String],
    variable: &str,
    environment: &Environment<'_>,
    found: &mut Diagnostics,
) -> Vec<(String, Place)> {
    let from_environment = if values.is_empty() { environment(variable) } else { None };
    let from_environment = from_environment.unwrap_or_default();
    let name = if values.is_empty() { variable } else { option };
    // A path in an option may hold spaces: the shell has told the values apart already.
    let values = values.iter().flat_map(|value| separated(value, |letter| letter == ','));
    let values = values
        .chain(separated(&from_environment, |letter| letter == ',' || letter.is_whitespace()));
    let add = |value: &str| {
        let place = found.text(Text::option(name, value.to_owned()));
        (value.to_owned(), place)
    };
    values.map(add).collect()
}

/// Splits at separators, but not within a glob's `{a,b}` or a `${…}`.
fn separated(text: &str, is_separator: fn(char) -> bool) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    text.split(move |letter: char| {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && is_separator(letter)
    })
    .filter(|part| !part.is_empty())
}

/// The tree, and what is already wrong. Where something is missing, a stand-in takes its place, so
/// that the rest is checked too.
pub(super) fn tree(
    files: &[String],
    to: &[String],
    environment: &Environment<'_>,
) -> (Node, Diagnostics) {
    let mut found = Diagnostics::new(Vec::new());
    let files = given("--files", files, "PILLION_FILES", environment, &mut found);
    let to = given("--to", to, "PILLION_TO", environment, &mut found);
    let mut globs: Vec<_> =
        files.into_iter().map(|(glob, place)| Node::text(glob, place)).collect();
    if globs.is_empty() {
        let mistake = Mistake::anywhere("no files are named");
        found.add(mistake.help("give `--files '/var/log/app/*.log'`, or set `PILLION_FILES`"));
        globs.push(Node::text("/var/log/stand-in.log", NOWHERE));
    }
    let mut destinations: Vec<Entry> = Vec::new();
    for (value, place) in to {
        let (kind, node) = destination(&value, place, &mut found);
        let key = unused(kind, &destinations);
        destinations.push(Entry { key, key_place: place, value: node });
    }
    if destinations.is_empty() {
        let mistake = Mistake::anywhere("no destination is named");
        found.add(mistake.help("give `--to elasticsearch=http://es:9200`, or set `PILLION_TO`"));
        destinations.push(entry("console", map(vec![entry("console", map(vec![]))])));
    }
    let source = map(vec![entry("files", Node { kind: Kind::List(globs), place: NOWHERE })]);
    let root = vec![
        entry("destinations", map(destinations)),
        entry("sources", map(vec![entry("files", source)])),
    ];
    (map(root), found)
}

fn map(entries: Vec<Entry>) -> Node {
    Node { kind: Kind::Map(entries), place: NOWHERE }
}

fn entry(key: &str, value: Node) -> Entry {
    // What is wrong with a value's absence is shown in the value that should have held it.
    Entry { key: key.to_owned(), key_place: value.place, value }
}

/// One value of `--to`: its kind, and the destination it stands for.
fn destination(value: &str, place: Place, found: &mut Diagnostics) -> (&'static str, Node) {
    let (kind, address) = match value.split_once('=') {
        // The `=` belongs to a URL whose kind is missing.
        Some((kind, _)) if kind.contains("://") => (value, None),
        Some((kind, address)) => (kind, Some(address)),
        None => (value, None),
    };
    let kind_place = place.within(&(0..kind.len()));
    let at = place.within(&(kind.len() + "=".len()..value.len()));
    let of = |kind: &'static str, fields: Vec<Entry>| {
        let inner = Entry { key: kind.to_owned(), key_place: kind_place, value: map(fields) };
        (kind, map(vec![inner]))
    };
    match (kind, address) {
        ("elasticsearch", Some(url)) => of(
            "elasticsearch",
            vec![
                entry("url", Node::text(url, at)),
                entry("index", Node::text(DEFAULT_INDEX, kind_place)),
            ],
        ),
        ("loki", Some(url)) => of("loki", vec![entry("url", Node::text(url, at))]),
        ("file", Some(path)) => of("file", vec![entry("path", Node::text(path, at))]),
        ("console", None) => of("console", vec![]),
        _ => {
            found.add(refusal(kind, address, kind_place, place));
            of("console", vec![])
        }
    }
}

fn refusal(kind: &str, address: Option<&str>, kind_place: Place, place: Place) -> Mistake {
    match kind {
        "elasticsearch" => Mistake::at(place, "the URL is missing")
            .help("write `elasticsearch=http://elasticsearch:9200`"),
        "loki" => Mistake::at(place, "the URL is missing").help("write `loki=http://loki:3100`"),
        "file" => {
            Mistake::at(place, "the path is missing").help("write `file=/var/tmp/out.ndjson`")
        }
        "console" => Mistake::at(place, "`console` takes no address").help("write `console`"),
        _ if address.is_none() && kind.contains("://") => {
            Mistake::at(place, "the kind of destination is missing")
                .help("write `elasticsearch=URL` or `loki=URL`")
        }
        _ => {
            let known = ["elasticsearch", "loki", "console", "file"];
            let help = match nearest(kind, known.into_iter()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "write `elasticsearch=URL`, `loki=URL`, `file=/path` or `console`".into(),
            };
            let message = format!("there is no kind of destination {}", quote(kind));
            Mistake::at(kind_place, message).help(help)
        }
    }
}

/// `loki`, and if that is taken `loki-2`, and so on.
fn unused(kind: &str, taken: &[Entry]) -> String {
    let is_taken = |name: &str| taken.iter().any(|entry| entry.key == name);
    let mut name = kind.to_owned();
    let mut number = 2;
    while is_taken(&name) {
        name = format!("{kind}-{number}");
        number += 1;
    }
    name
}
