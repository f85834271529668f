//! How fast redaction is: GB/s on one core for real lines in which nothing is to be found, and for the
//! same lines with one match in each, by the default rules and by all of them, beside a search for one
//! byte over the same lines. `cargo run --release -p pillion-parsers --example redact_speed [-- WHICH]`
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement, not the library"
)]

use std::path::Path;
use std::sync::Arc;

use pillion_parsers::Arena;
use pillion_parsers::parse::{Library, Parser, ParserState, ReadAt};
use pillion_parsers::record::Record;
use pillion_parsers::redact::{BlockState, Redactor, RuleSelection, Rules};

/// Bytes of each input, at least: recorded lines are repeated until there are so many.
const ENOUGH: usize = 1 << 20;

/// How often each input is gone through; the fastest counts.
const PASSES: usize = 25;

/// Inputs, how they are parsed, and the recorded logs they are made of.
const INPUTS: [(&str, &str, &[&str]); 5] = [
    ("nginx", "nginx", &["nginx/access.log"]),
    (
        "JSON",
        "json",
        &["pino", "zap", "zerolog", "logstash-logback-encoder", "ecs-logging", "bunyan"],
    ),
    ("Java", "plain", &["logback", "log4j2", "spring-boot", "kafka", "cassandra"]),
    ("system", "plain", &["sshd", "cron", "postfix", "auditd", "netfilter"]),
    ("Go, Python", "plain", &["logrus", "klog", "slog", "uvicorn", "django", "celery"]),
];

fn main() {
    let started = now();
    let default = Rules::builtin_default();
    let first = now();
    let all = Arc::new(rules("all"));
    let (first, second) = ((first - started) * 1e3, (now() - first) * 1e3);
    println!("rules read and the default ones compiled in {first:.2} ms, all in {second:.2} ms");
    let sets = [("default", default), ("all", all)];
    let only = std::env::args().nth(1).unwrap_or_default();
    println!(
        "{:12} {:>8} {:>14} {:>14} {:>14} {:>14}",
        "GB/s", "memchr", "default", "all", "default, hit", "all, hit"
    );
    for (name, parser, logs) in INPUTS {
        if !name.contains(&only) {
            continue;
        }
        let lines = clean_lines(logs, &sets[1].1);
        let hit: Vec<String> = lines.iter().map(|line| with_match(line)).collect();
        let memchr = best(&lines, search);
        let speeds = [&lines, &hit].map(|lines| {
            sets.each_ref().map(|(_, set)| best(lines, |lines| pass(set, parser, lines)))
        });
        let [[default, all], [default_hit, all_hit]] = speeds;
        println!(
            "{name:12} {memchr:8.2} {default:14.2} {all:14.2} {default_hit:14.2} {all_hit:14.2}"
        );
    }
}

/// The rules that a list of one name turns on.
fn rules(name: &str) -> Rules {
    let selection = RuleSelection { rules: vec![name.to_owned()], ..RuleSelection::default() };
    Rules::build(selection).unwrap_or_default()
}

/// Recorded lines in which no rule finds anything. An address is the one thing that almost every line
/// of an access log has: it becomes a host's name.
fn clean_lines(logs: &[&str], all: &Arc<Rules>) -> Vec<String> {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recorded");
    let mut files = Vec::new();
    for log in logs {
        let path = recorded.join(log);
        match std::fs::read_dir(&path) {
            Ok(entries) => files.extend(entries.flatten().map(|entry| entry.path())),
            Err(_) => files.push(path),
        }
    }
    files.sort();
    let mut redactor = Redactor::new(Arc::clone(all));
    let mut lines = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "log")) {
        let text = std::fs::read(file).unwrap_or_default();
        for line in String::from_utf8_lossy(&text).lines() {
            let line = match line.split_once(" - ") {
                Some((address, rest)) if logs[0].starts_with("nginx") && !address.contains(' ') => {
                    format!("client.example - {rest}")
                }
                _ => line.to_owned(),
            };
            if !line.is_empty() && *redactor.clean(&line) == *line {
                lines.push(line);
            }
        }
    }
    let bytes: usize = lines.iter().map(String::len).sum();
    std::iter::repeat_n(lines, ENOUGH / bytes.max(1) + 1).flatten().collect()
}

/// Behind which of these a value is put into a line, so that it is still read as what it is: a message's name, and
/// what stands before a user agent.
const BEFORE_TEXT: [&str; 3] = ["\"msg\":\"", "\"message\":\"", "\" \""];

/// The same line with one value in a text of it: a line without structure in its middle.
fn with_match(line: &str) -> String {
    let behind = |before: &&str| line.rfind(before).map(|at| at + before.len());
    if let Some(at) = BEFORE_TEXT.iter().find_map(behind) {
        return format!("{}bob@example.com {}", &line[..at], &line[at..]);
    }
    let blank = |at: &usize| line.as_bytes()[*at] == b' ';
    let at = (line.len() / 2..line.len()).find(blank).unwrap_or(line.len());
    format!("{} bob@example.com{}", &line[..at], &line[at..])
}

/// GB/s of the fastest of some passes over the lines, each of which tells its seconds.
fn best(lines: &[String], mut pass: impl FnMut(&[String]) -> f64) -> f64 {
    let bytes: usize = lines.iter().map(String::len).sum();
    let seconds = (0..PASSES).map(|_| pass(lines)).fold(f64::MAX, f64::min);
    bytes as f64 / seconds / 1e9
}

/// Seconds that this thread has run: what others do on the machine does not count.
fn now() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn search(lines: &[String]) -> f64 {
    let started = now();
    for line in lines {
        std::hint::black_box(memchr::memchr(b'\0', line.as_bytes()));
    }
    now() - started
}

/// Redacts all lines; what parsing them takes does not count.
fn pass(rules: &Arc<Rules>, parser: &str, lines: &[String]) -> f64 {
    let library = Library::builtin();
    let Ok(mut parser) = Parser::new(&library, parser, ParserState::default()) else { return 0.0 };
    let mut redactor = Redactor::new(Arc::clone(rules));
    let mut block = BlockState::default();
    let arena = Arena::new();
    let mut records = Vec::with_capacity(lines.len());
    for line in lines {
        let mut record = Record::default();
        parser.parse(line, ReadAt { now: 0, container_time: None }, &arena, &mut record);
        records.push((line, record));
    }
    let started = now();
    for (line, record) in &mut records {
        std::hint::black_box(redactor.redact(line, record, &arena, &mut block).is_some());
    }
    now() - started
}
