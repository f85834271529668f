//! Every recorded log, under `auto`, each into an index of its own at the strict receiver: whatever
//! applications write, no document breaks the mapping, and what is no field of ECS is in the namespace.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use pillion::receiver::{Options, Receiver};
use serde_json::Value;

use super::harness::{Agent, PATIENCE, Place, field, until};

/// What a document may have at its root: pillion's own objects, ECS's, and the namespace.
const ROOT: [&str; 24] = [
    "@timestamp",
    "app",
    "destination",
    "ecs",
    "email",
    "error",
    "event",
    "host",
    "http",
    "log",
    "message",
    "network",
    "process",
    "server",
    "service",
    "source",
    "span",
    "stream",
    "tls",
    "trace",
    "url",
    "user",
    "user_agent",
    "client",
];
/// Deeper than this, what an application nests is text.
const DEPTH: usize = 20;
/// Records that are refused, by log, for a key to which the program was made to give two types.
const REFUSED: &[(&str, u64, &str)] = &[
    ("ecs-logging/pino.log", 1, "`log`: an object, a text"),
    ("ecs-logging/python.log", 1, "`order`: a number, an object"),
    ("pino/default.log", 1, "`err`: an object, a text"),
    ("pino/iso.log", 1, "`err`: an object, a text"),
    ("tracing/flat.log", 4, "`time`: a text; `time.busy`"),
    ("zerolog/console.log", 1, "`peer`: an address, an object"),
    ("zerolog/json.log", 1, "`peer`: an address, an object"),
    ("zerolog/unix.log", 1, "`peer`: an address, an object"),
];

/// The recorded logs, as `program/file`.
fn logs(root: &Path) -> Vec<String> {
    let below = |path: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(path).expect("readable");
        entries.map(|entry| entry.expect("readable").path()).collect()
    };
    let programs = below(root).into_iter().filter(|path| path.is_dir());
    let files = programs.flat_map(|program| below(&program));
    let is_log =
        |path: &PathBuf| path.extension().is_some_and(|kind| kind == "log" || kind == "json");
    let name = |path: PathBuf| path.strip_prefix(root).expect("below").display().to_string();
    let mut logs: Vec<_> = files.filter(is_log).map(name).collect();
    logs.sort();
    logs
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[test]
fn no_recorded_line_breaks_the_mapping() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recorded");
    let logs = logs(&root);
    assert!(logs.len() > 150, "{logs:?}");
    let (mut sources, mut destinations, url) = (String::new(), String::new(), receiver.url());
    let mut bytes = 0;
    for (number, log) in logs.iter().enumerate() {
        let to = place.log(log);
        fs::create_dir_all(to.parent().expect("a program")).expect("made");
        bytes += fs::copy(root.join(log), to).expect("copied");
        writeln!(sources, "  s{number}: {{files: ['{{logs}}/{log}'], to: [d{number}]}}")
            .expect("fits");
        writeln!(
            destinations,
            "  d{number}:\n    elasticsearch: {{url: '{url}', index: logs-{number}-default}}\n    \
             batch: {{bytes: 256KiB, linger: 50ms}}"
        )
        .expect("fits");
    }
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\nmemory: 1GiB\n\
         sources:\n{sources}destinations:\n{destinations}"
    ));
    let agent = Agent::start(&config, &[]);
    let read = || agent.metrics()["pillion_record_bytes_total"] == bytes as f64;
    assert!(until(PATIENCE, read), "{bytes} bytes: {:?}", agent.metrics());
    agent.assert_at_rest();
    let metrics = agent.metrics();
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));

    let mut refused = BTreeMap::new();
    for (number, log) in logs.iter().enumerate() {
        let records = |outcome: &str| {
            let labels = format!("destination=\"d{number}\",outcome=\"{outcome}\"");
            metrics[&format!("pillion_records_total{{{labels}}}")] as u64
        };
        if records("dead_lettered") > 0 {
            refused.insert(log.as_str(), records("dead_lettered"));
        }
        assert!(records("delivered") > 0, "{log}");
    }
    let documents = receiver.documents();
    assert!(documents.len() > 10_000, "{}", documents.len());
    for stored in &documents {
        let fields = stored.document.as_object().expect("an object");
        let strange: Vec<_> = fields.keys().filter(|it| !ROOT.contains(&it.as_str())).collect();
        let path = field(stored, "log.file.path");
        assert!(strange.is_empty(), "{strange:?} in {path}: {}", stored.document);
        assert!(depth(&stored.document) <= DEPTH, "{path}: {}", stored.document);
    }
    let expected: BTreeMap<_, _> = REFUSED.iter().map(|(log, count, _)| (*log, *count)).collect();
    assert_eq!(refused, expected, "{}", log.join("\n"));
}
