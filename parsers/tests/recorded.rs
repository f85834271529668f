//! Every log in `fixtures/recorded/` that a built-in definition says it is proven by, against the
//! records expected from it, which stand beside it: one line of JSON each, in `<log>.ndjson`.
//!
//! `PILLION_BLESS=1 cargo test -p pillion-parsers --test recorded` writes them anew, to be read by a
//! person before they are committed. `PILLION_RECORDED=haproxy` looks at the logs of one program.
#![allow(clippy::disallowed_methods, reason = "tests may read files and the environment")]
#![allow(clippy::expect_used, reason = "a test fails by it")]
#![allow(clippy::panic, reason = "a test fails by it")]

#[path = "recorded/auto.rs"]
mod auto;
#[path = "recorded/little.rs"]
mod little;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pillion_parsers::parse::{Library, ParserState};
use pillion_parsers::record::{Record, Text, Value};
use serde_json::{Map, Value as Json};

/// Of the records of a log that is of a format, so many must fit it, in percent.
const FITTING: usize = 90;
/// Logs of several formats, and what part of each is of the one, in percent: the other records are an
/// application's own output, a server's banner, or lines of traces that nothing joins.
const MIXED: &[(&str, usize)] = &[
    // What CGI programs say on their standard error.
    ("apache/error.log", 70),
    // What an application prints into a container.
    ("conmon/0.log", 40),
    ("conmon/tty.log", 40),
    ("containerd/0.log", 40),
    ("docker/attrs.log", 40),
    ("docker/json.log", 40),
    // Queries, traces and the application's own lines, between those of requests.
    ("django/runserver.log", 15),
    ("lograge/json.log", 7),
    ("rails/development.log", 15),
    ("morgan/combined.log", 50),
    ("morgan/common.log", 50),
    ("morgan/dev.log", 50),
    ("morgan/short.log", 50),
    ("morgan/tiny.log", 50),
    // A blank line before the first.
    ("php-fpm/slow.log", 75),
    ("puma/cluster.log", 45),
    ("puma/single.log", 55),
    ("uwsgi/uwsgi.log", 20),
];
/// Of those that fit, so many `auto` must read in the same way.
const FOUND: usize = 95;
/// Logs of which it reads less, and why.
const FOUND_OF: &[(&str, usize)] = &[
    // Lines of a message that are not indented: they could be another's, and are records.
    ("django/configured.log", 82),
    ("glog/INFO.log", 89),
    ("glog/stderr.log", 89),
    ("go-log/default.log", 92),
    ("go-log/flags.log", 91),
    ("klog/text.log", 92),
    ("spring-boot/failed.log", 73),
    ("tracing/compact.log", 92),
    ("tracing/full.log", 92),
    ("tracing/pretty.log", 92),
    // Loguru's own way to write traces, which no machine knows.
    ("loguru/default.log", 85),
    // Traces that the application wrote go on with the line of a request.
    ("puma/cluster.log", 93),
    ("puma/single.log", 93),
    ("uwsgi/uwsgi.log", 93),
    // A message of several lines: nothing shows that the others go on with it.
    ("winston/simple.log", 86),
];

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recorded")
}

/// When a log counts as read: on the evening of the day it was recorded.
fn read_at() -> i64 {
    let at: jiff::Timestamp = "2026-11-26T20:00:00Z".parse().expect("a time");
    i64::try_from(at.as_nanosecond()).expect("this century")
}

/// The records of a log, in JSON, with the places of their first bytes. `auto` joins as it does for
/// who names nothing.
fn records(log: &[u8], parser: &str) -> Vec<(u64, Json)> {
    let mut reading = auto::Reading::new(parser, ParserState::default());
    let mut records = Vec::new();
    reading.push(log, 0, true, &mut |framed| records.push((framed.start, framed.record)));
    records
}

fn shown(record: &Record<'_>) -> Json {
    let mut json = Map::new();
    if record.marks.unparsed {
        json.insert("unparsed".to_owned(), true.into());
    }
    if let Some(time) = record.time {
        let time = jiff::Timestamp::from_nanosecond(time.nanos.into()).expect("within range");
        json.insert("time".to_owned(), time.to_string().into());
    }
    if let Some(level) = record.level {
        json.insert("level".to_owned(), level.name().into());
    }
    if let Some(message) = record.message {
        json.insert("message".to_owned(), text(message));
    }
    for field in &record.fields {
        let value = match field.value {
            Value::Null => Json::Null,
            Value::Bool(flag) => flag.into(),
            Value::Int(number) => number.into(),
            Value::Float(number) => number.into(),
            Value::Text(inside) => text(inside),
            Value::Number(json) | Value::Json(json) | Value::CleanJson(json) => {
                serde_json::from_str(json).expect("valid JSON")
            }
        };
        let name = field.key.name();
        let taken = json.contains_key(name);
        let name = if taken { format!("field {name}") } else { name.to_owned() };
        assert!(json.insert(name, value).is_none(), "a field stands twice");
    }
    Json::Object(json)
}

fn text(text: Text<'_>) -> Json {
    if text.is_escaped() {
        serde_json::from_str(&format!("\"{}\"", text.as_stored())).expect("valid escapes")
    } else {
        text.as_stored().into()
    }
}

fn lines(records: &[(u64, Json)]) -> String {
    records.iter().map(|(_, record)| format!("{record}\n")).collect()
}

/// Whether a record is of the format: it fits, and is no blank line, which fits everything.
fn fits((_, record): &(u64, Json)) -> bool {
    let has = |text: &str| !text.trim_ascii().is_empty();
    let blank = record.as_object().is_some_and(|it| it.keys().all(|key| key == "message"))
        && !record.get("message").and_then(Json::as_str).is_some_and(has);
    record.get("unparsed").is_none() && !blank
}

/// What is wrong with one log, in words.
fn judge(name: &str, log: &str, auto: bool) -> Vec<String> {
    let path = recorded().join(log);
    let Ok(bytes) = std::fs::read(&path) else { return vec![format!("{log} is not there")] };
    let found = records(&bytes, name);
    let mut wrong = Vec::new();
    let fitting = found.iter().filter(|record| fits(record)).count();
    let mixed = MIXED.iter().find(|(mixed, _)| *mixed == log);
    if fitting * 100 < found.len() * mixed.map_or(FITTING, |(_, part)| *part) {
        wrong.push(format!("{log}: of {} records, {fitting} fit {name}", found.len()));
    }
    let beside = recorded().join(format!("{log}.ndjson"));
    if std::env::var("PILLION_BLESS").is_ok() {
        std::fs::write(&beside, lines(&found)).expect("written");
    }
    let expected = std::fs::read_to_string(&beside).unwrap_or_default();
    for (at, (found, expected)) in
        lines(&found).lines().zip(expected.lines().chain(std::iter::repeat(""))).enumerate()
    {
        if found != expected {
            wrong.push(format!(
                "{log}, record {}:\n  found    {found}\n  expected {expected}",
                at + 1
            ));
            break;
        }
    }
    if expected.lines().count() > found.len() {
        wrong.push(format!("{log} gives {} records: fewer than expected", found.len()));
    }
    if auto {
        let guessed: BTreeMap<u64, Json> = records(&bytes, "auto").into_iter().collect();
        let fitted = found.iter().filter(|record| fits(record));
        let differ: Vec<_> =
            fitted.filter(|(start, found)| guessed.get(start) != Some(found)).collect();
        let part =
            FOUND_OF.iter().find(|(mixed, _)| *mixed == log).map_or(FOUND, |(_, part)| *part);
        let unparsed = guessed.values().filter(|record| record.get("unparsed").is_some()).count();
        if unparsed * 100 > (found.len() - fitting) * 100 + fitting * (100 - part) {
            wrong.push(format!(
                "{log}: of {} records that auto makes of it, {unparsed} are unparsed; of {} that {name} makes, {}",
                guessed.len(),
                found.len(),
                found.len() - fitting,
            ));
        }
        if differ.len() * 100 > fitting * (100 - part) {
            let (start, found) = differ.first().expect("there is one");
            let guessed =
                guessed.get(start).map_or_else(|| "none begins there".to_owned(), Json::to_string);
            wrong.push(format!(
                "{log}: auto reads {} of {fitting} records in another way than {name}:\n  {name:8} {found}\n  auto     {guessed}",
                differ.len(),
            ));
        }
    }
    wrong
}

#[test]
fn recorded_logs_give_the_records_expected_from_them() {
    let library = Library::builtin();
    let only = std::env::var("PILLION_RECORDED").unwrap_or_default();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for name in library.names() {
        let definition = library.definition(name).expect("a built-in definition is one");
        for log in definition.recorded.iter().filter(|log| log.starts_with(&only)) {
            if !seen.insert(log.clone()) {
                wrong.push(format!("{log} proves two definitions"));
            }
            wrong.extend(judge(name, log, !definition.manual));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!seen.is_empty(), "no definition is proven by a log of {only}");
}
