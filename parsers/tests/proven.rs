//! What proves each built-in definition: logs that the program itself wrote, or its documentation. And
//! that no recorded log is forgotten.
#![allow(clippy::disallowed_methods, reason = "tests may read files")]
#![allow(clippy::expect_used, reason = "a test fails by it")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pillion_parsers::definition::Definition;
use pillion_parsers::parse::Library;

/// Definitions that are no format of a program: what they hold is read by others.
const OF_OTHERS: &[&str] = &["auto", "plain", "plain_time", "syslog"];
/// So many programs' logs must be recorded.
const PROGRAMS: usize = 60;

const OWN: &str = "a pattern or keys that one user chose";
const TRACES: &str = "traces that the joiners are proven by";
const OTHER: &str = "mostly text of no format";
const SPREAD: &str = "JSON spread over several lines, as for people";

/// Logs that prove no definition, and why not.
const UNUSED: &[(&str, &str)] = &[
    ("env_logger/custom.log", OWN),
    ("envoy/envoy-json.log", OWN),
    ("go-panic/fatal.log", TRACES),
    ("go-panic/goroutines.log", TRACES),
    ("go-panic/panics.log", TRACES),
    ("go-panic/trace.log", TRACES),
    ("journald/journal-export.log", "journald's export: each field on a line of its own"),
    ("jul/xml.log", "XML spread over several lines"),
    ("jvm/thread-dump.log", TRACES),
    ("jvm/uncaught.log", TRACES),
    ("kafka/config.log", "one record, cut before its end"),
    ("log4js/pattern.log", OWN),
    ("logback/iso.log", OWN),
    ("lograge/logfmt.log", "requests' parameters as Ruby writes them, which are no pairs"),
    ("loguru/production.log", OWN),
    ("node/console.log", OTHER),
    ("node/uncaught.log", TRACES),
    ("opentelemetry/console.log", SPREAD),
    ("opentelemetry/traces.log", "spans, not logs"),
    ("php-fpm/plain.log", OTHER),
    ("php/server.log", "a server for development"),
    ("php/stderr.log", TRACES),
    ("python-logging/uncaught.log", TRACES),
    ("ruby-logger/tagged.log", OWN),
    ("ruby/uncaught.log", TRACES),
    ("rust-panic/backtrace.log", TRACES),
    ("rust-panic/full.log", TRACES),
    ("rust-panic/plain.log", TRACES),
    ("sshd/stderr.log", OTHER),
    ("sudo/sudo.json", SPREAD),
    ("uvicorn/configured.log", OWN),
    ("uwsgi/apache.log", OTHER),
    ("uwsgi/json.log", OTHER),
    ("zerolog/unix.log", OWN),
];

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recorded")
}

fn definitions() -> Vec<(String, Definition)> {
    let library = Library::builtin();
    let definition = |name: &str| library.definition(name).expect("a built-in definition is one");
    library.names().map(|name| (name.to_owned(), definition(name).clone())).collect()
}

/// All logs that were recorded: `<program>/<file>`.
fn logs() -> BTreeSet<String> {
    let list = |path: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path).expect("a directory");
        entries.map(|entry| entry.expect("an entry").path()).collect()
    };
    let programs = list(&recorded()).into_iter().filter(|path| path.is_dir());
    let files = programs.flat_map(|program| list(&program));
    let names = files.filter_map(|file| {
        let name = file.strip_prefix(recorded()).expect("below it").to_string_lossy().into_owned();
        let is_log = !["VERSION", "record.sh", ".ndjson"].iter().any(|end| name.ends_with(end));
        is_log.then_some(name)
    });
    names.collect()
}

#[test]
fn each_definition_names_what_proves_it() {
    for (name, definition) in definitions() {
        for log in &definition.recorded {
            assert!(recorded().join(log).is_file(), "{name}: {log} is not there");
        }
        let documented = definition.documented.as_deref();
        let url = documented.is_none_or(|url| url.starts_with("https://"));
        assert!(url, "{name}: `documented` is no address");
        let proven = !definition.recorded.is_empty() || documented.is_some();
        assert!(
            proven || OF_OTHERS.contains(&name.as_str()),
            "{name} says neither which logs prove it nor where it is documented"
        );
        let fitting = definition.samples.iter().filter(|sample| sample.record.is_some()).count();
        assert!(name == "auto" || fitting > 0, "{name} has no sample that fits");
    }
}

#[test]
fn each_recorded_log_proves_a_definition_or_says_why_not() {
    let logs = logs();
    let proving: BTreeSet<String> =
        definitions().into_iter().flat_map(|(_, definition)| definition.recorded).collect();
    let unused: BTreeSet<String> = UNUSED.iter().map(|(log, _)| (*log).to_owned()).collect();
    let forgotten: Vec<_> =
        logs.iter().filter(|log| !proving.contains(*log) && !unused.contains(*log)).collect();
    assert!(forgotten.is_empty(), "these prove nothing: {forgotten:?}");
    let gone: Vec<_> = unused.difference(&logs).collect();
    assert!(gone.is_empty(), "these are not there: {gone:?}");
    let both: Vec<_> = unused.intersection(&proving).collect();
    assert!(both.is_empty(), "these do prove a definition: {both:?}");
    let expected = proving.iter().filter(|log| recorded().join(format!("{log}.ndjson")).is_file());
    assert_eq!(expected.count(), proving.len(), "each has its records beside it");
    let programs: BTreeSet<_> = proving.iter().filter_map(|log| log.split('/').next()).collect();
    assert!(programs.len() >= PROGRAMS, "only {} programs", programs.len());
}
