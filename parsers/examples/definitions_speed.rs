//! How fast every built-in definition reads the logs that it is proven by (else its samples), by its
//! name and under `auto`, on one core; what `auto` costs for text that fits nothing, and at its start;
//! and a definition by `pattern` beside bare `regex` captures:
//! `cargo run --release -p pillion-parsers --example definitions_speed [PARSER|start|prose|pattern]…`.
#![allow(clippy::disallowed_types, reason = "measuring is what a clock is for")]
#![allow(clippy::disallowed_methods, reason = "the logs are files")]
#![allow(clippy::print_stdout, reason = "the result goes to whoever runs this")]
#![allow(clippy::cast_precision_loss, reason = "for people to read")]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use pillion_parsers::Arena;
use pillion_parsers::definition::Definition;
use pillion_parsers::frame::{
    Container, FileNumber, FrameSettings, Framer, LineEnding, Lines, Raw,
};
use pillion_parsers::multiline::Joiner;
use pillion_parsers::parse::{Library, Parser, ParserState, ReadAt};
use pillion_parsers::record::Record;

/// Text that fits nothing.
const PROSE: &[(&str, &str)] = &[
    ("a sentence", "a sentence that fits no format, of about the length that such lines have"),
    ("with a colon", "Starting the worker: it will take 3 minutes or so, said the log (again)."),
    ("a time first", "26.11.2026 10:00:00 the worker was started and will take some minutes"),
    ("an ISO time", "2026-11-26 10:00:00 the worker was started and will take some minutes"),
    ("a number first", "17 items were placed in the cart of customer 4711, 3 of them again"),
    ("a bracket first", "[worker] started and will take some minutes, as it always does"),
    ("a key, then text", "level=info a sentence that looks like logfmt at first, but is not"),
];

/// Below this it is listed at the end.
const ASKED: f64 = 400.0;

fn main() {
    let only: Vec<String> = std::env::args().skip(1).collect();
    let asked = |name: &str| only.is_empty() || only.iter().any(|only| only == name);
    if asked("start") {
        start();
    }
    let library = Library::builtin();
    let mut slow = Vec::new();
    println!(
        "{:22} {:>6} {:>6} {:>7} {:>7} {:>9}",
        "", "lines", "bytes", "MB/s", "auto", "allocated"
    );
    for name in library.names() {
        let Some(definition) = library.definition(name).filter(|_| asked(name)) else { continue };
        let records = records(definition);
        let bytes: usize = records.iter().map(String::len).sum();
        if bytes == 0 {
            continue;
        }
        let by_name = measure(&library, name, definition, &records);
        let auto = measure(&library, "auto", definition, &records);
        let allocated = allocated(&library, name, definition, &records);
        println!(
            "{name:22} {:6} {:6} {by_name:7.0} {auto:7.0} {allocated:9.1}",
            records.len(),
            bytes / records.len(),
        );
        if by_name < ASKED {
            slow.push(format!("{name} {by_name:.0}"));
        }
    }
    if asked("prose") {
        prose(&library);
    }
    if asked("pattern") {
        pattern(&library);
    }
    if only.is_empty() {
        println!("\nbelow {ASKED:.0} MB/s ({}): {}", slow.len(), slow.join(", "));
    }
}

/// The records of a definition's logs, else the lines of its samples.
fn records(definition: &Definition) -> Vec<String> {
    let mut records = Vec::new();
    for log in &definition.recorded {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recorded").join(log);
        let Ok(bytes) = std::fs::read(path) else { continue };
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let mut framer = Framer::new(FrameSettings {
            container: Container::default(),
            joiner: definition.implied_joiner().unwrap_or_else(Joiner::none),
            max_record: 256 << 10,
        });
        let mut emit = |raw: Raw<'_>| records.push(String::from_utf8_lossy(raw.text).into_owned());
        let lines = Lines {
            file: FileNumber(1),
            start: 0,
            bytes: bytes.get(..whole).unwrap_or_default(),
            ending: LineEnding::Newline,
            encoding: Default::default(),
        };
        framer.push(lines, 0, &mut emit);
        framer.flush(&mut emit);
    }
    if records.is_empty() {
        // One File has one header.
        let header = definition.samples.iter().find_map(|sample| sample.header.as_deref());
        let fitting = definition.samples.iter().filter(|sample| {
            let headless = header.is_none() || sample.header.as_deref() == header;
            sample.record.is_some() && headless
        });
        records.extend(fitting.map(|sample| sample.line.clone()));
    }
    records
}

fn parser(library: &Library, name: &str, definition: &Definition) -> Option<Parser> {
    let mut parser = Parser::new(library, name, ParserState::default()).ok()?;
    if let Some(header) = definition.samples.iter().find_map(|sample| sample.header.as_deref()) {
        parser.learn(header);
    }
    Some(parser)
}

/// MB/s, best of several rounds.
fn measure(library: &Library, name: &str, definition: &Definition, records: &[String]) -> f64 {
    let Some(mut parser) = parser(library, name, definition) else { return 0.0 };
    let bytes: usize = records.iter().map(String::len).sum();
    let mut arena = Arena::with_capacity(64 << 10);
    let (mut best, mut passes) = (f64::INFINITY, 1_u32);
    let mut reused = Record::default();
    for _ in 0..6 {
        let begun = Instant::now();
        for _ in 0..passes {
            reused = pass(&mut parser, records, &mut arena, reused);
        }
        let took = begun.elapsed();
        best = best.min(took.as_secs_f64() / f64::from(passes));
        if took < Duration::from_millis(10) {
            passes = passes.saturating_mul(4);
        }
    }
    bytes as f64 / best / 1e6
}

/// Parses all records. Takes and gives the room for one.
fn pass(
    parser: &mut Parser,
    records: &[String],
    arena: &mut Arena,
    mut reused: Record<'static>,
) -> Record<'static> {
    let at = ReadAt { now: 1_795_723_200_000_000_000, container_time: None };
    for text in records {
        let mut record = reused.recycle();
        parser.parse(black_box(text), at, arena, &mut record);
        black_box(&record);
        reused = record.recycle();
        arena.reset();
    }
    reused
}

/// Allocations per 1,000 records, once warm.
fn allocated(library: &Library, name: &str, definition: &Definition, records: &[String]) -> f64 {
    let Some(mut parser) = parser(library, name, definition) else { return 0.0 };
    let mut arena = Arena::with_capacity(64 << 10);
    let mut reused = pass(&mut parser, records, &mut arena, Record::default());
    let rounds = 1000 / records.len() + 1;
    let counted = allocation_counter::measure(|| {
        for _ in 0..rounds {
            reused = pass(&mut parser, records, &mut arena, std::mem::take(&mut reused));
        }
    });
    counted.count_total as f64 * 1000.0 / (records.len() * rounds) as f64
}

fn prose(library: &Library) {
    println!("\nauto, on what fits nothing:");
    let none = Definition::default();
    for (what, line) in PROSE {
        let speed = measure(library, "auto", &none, &vec![(*line).to_owned(); 64]);
        println!("{what:22} {:4} ns a line", (line.len() as f64 / speed * 1e3).round());
    }
}

/// What a pattern costs above the regex itself.
fn pattern(library: &Library) {
    const PATTERN: &str = r"^(?P<user>\S+) (?P<action>[a-z]+) (?P<count>\d+) (?P<message>.*)$";
    let yaml = format!("name: own\npattern: '{PATTERN}'\ntypes: {{ count: integer }}");
    let Ok(definition) = Definition::from_yaml(&yaml) else { return };
    let Ok(library) = library.with(vec![definition.clone()]) else { return };
    let line = "frank placed 17 items in the cart, and went on to look for some more of them";
    let records = vec![line.to_owned(); 64];
    let own = measure(&library, "own", &definition, &records);
    let Ok(regex) = regex::Regex::new(PATTERN) else { return };
    let mut locations = regex.capture_locations();
    let mut best = f64::INFINITY;
    for _ in 0..6 {
        let begun = Instant::now();
        for _ in 0..50_000 {
            black_box(regex.captures_read(&mut locations, black_box(line)));
        }
        best = best.min(begun.elapsed().as_secs_f64() / 50_000.0);
    }
    let bare = line.len() as f64 / best / 1e6;
    println!("\na pattern: {own:.0} MB/s, bare captures: {bare:.0} MB/s");
}

/// What the first `auto` of a process costs.
fn start() {
    let (before, begun) = (resident(), Instant::now());
    let held = allocation_counter::measure(|| {
        let _ = Parser::new(&Library::builtin(), "auto", ParserState::default());
    });
    let took = begun.elapsed().as_secs_f64() * 1e3;
    let grown = resident().saturating_sub(before);
    let held = held.bytes_current / 1024;
    println!("the first `auto`: {took:.1} ms, {grown} KiB resident, of which {held} KiB kept\n");
}

/// Resident KiB, without what is of a file.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
