//! How fast every built-in definition reads the logs that it is proven by (a grammar those of all formats
//! written in it; else its samples), by its name and under `auto`, on one core; what `auto` costs for text that fits nothing, and at its start;
//! and definitions by `pattern` beside bare `regex` captures. Prints Markdown, for the page that shows it:
//! `cargo run --release -p pillion-parsers --example definitions_speed [PARSER|start|prose|pattern]…`.
//!
//! It counts the thread's processor time, and takes the best of many short rounds: what else runs on the
//! machine mostly costs neither.
#![allow(clippy::disallowed_types, reason = "measuring is what a clock is for")]
#![allow(clippy::disallowed_methods, reason = "the logs are files")]
#![allow(clippy::print_stdout, reason = "the result goes to whoever runs this")]
#![allow(clippy::cast_precision_loss, reason = "for people to read")]

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use pillion_parsers::Arena;
use pillion_parsers::definition::Definition;
use pillion_parsers::frame::{
    Container, FileNumber, FrameSettings, Framer, LineEnding, Lines, Raw,
};
use pillion_parsers::multiline::Joiner;
use pillion_parsers::parse::{Library, Parser, ParserState, ReadAt};
use pillion_parsers::record::Record;
use rustix::time::{ClockId, clock_gettime};

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

/// Definitions by `pattern`: what it has, the definition, and a line.
const PATTERNS: &[(&str, &str, &str)] = &[
    (
        "1 capture, the rest of the line",
        r"pattern: '^INFO (?P<message>.+)$'",
        "INFO frank placed 17 items in the cart, and went on to look for some more of them",
    ),
    (
        "4 captures, the last the rest of the line",
        r"pattern: '^(?P<user>\S+) (?P<action>[a-z]+) (?P<count>\d+) (?P<message>.*)$'",
        "frank placed 17 items in the cart, and went on to look for some more of them",
    ),
    ("9 captures, each a run", COMMON, COMMON_LINE),
    ("9 captures, one of them of alternatives", COMMON_METHODS, COMMON_LINE),
    ("10 captures, the last in quotes", ACCESS, ACCESS_LINE),
    ("the same, 2 of them integers", ACCESS_TYPED, ACCESS_LINE),
    (
        "3 captures, a time, a level and the rest of the line",
        r"pattern: '^(?P<time>\S+ \S+) (?P<level>[A-Z]+) (?P<message>.*)$'
time: { field: time, format: '%Y-%m-%d %H:%M:%S%.3f' }",
        "2026-11-26 10:00:00.123 WARN frank placed 17 items in the cart, and went on to look for more",
    ),
];

const COMMON: &str = r#"pattern: '^(?P<client>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<at>[^\]]+)\] "(?P<method>[A-Z]+) (?P<target>\S+) (?P<protocol>[^"]+)" (?P<status>\d+) (?P<size>\d+)$'"#;
const COMMON_METHODS: &str = r#"pattern: '^(?P<client>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<at>[^\]]+)\] "(?P<method>GET|POST|PUT) (?P<target>\S+) (?P<protocol>[^"]+)" (?P<status>\d+) (?P<size>\d+)$'"#;
const COMMON_LINE: &str =
    r#"203.0.113.7 - frank [26/Nov/2026:10:00:00 +0000] "GET /orders/17?page=2 HTTP/1.1" 200 2326"#;
const ACCESS: &str = r#"pattern: '^(?P<client>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<at>[^\]]+)\] "(?P<method>[A-Z]+) (?P<target>\S+) (?P<protocol>[^"]+)" (?P<status>\d+) (?P<size>\d+) "(?P<agent>[^"]*)"$'"#;
const ACCESS_TYPED: &str = r#"types: { status: integer, size: integer }
pattern: '^(?P<client>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<at>[^\]]+)\] "(?P<method>[A-Z]+) (?P<target>\S+) (?P<protocol>[^"]+)" (?P<status>\d+) (?P<size>\d+) "(?P<agent>[^"]*)"$'"#;
const ACCESS_LINE: &str = r#"203.0.113.7 - frank [26/Nov/2026:10:00:00 +0000] "GET /orders/17?page=2 HTTP/1.1" 200 2326 "Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0 Safari/537.36""#;

/// Below this it is listed at the end.
const ASKED: f64 = 400.0;

/// Records of a round, at least.
const FEWEST: usize = 64;

/// Seconds of processor time that a round takes, about, and how many there are.
const ROUND: f64 = 0.002;
const ROUNDS: usize = 15;

fn main() {
    let only: Vec<String> = std::env::args().skip(1).collect();
    let asked = |name: &str| only.is_empty() || only.iter().any(|only| only == name);
    if asked("start") {
        start();
    }
    let library = Library::builtin();
    let mut slow = Vec::new();
    println!(
        "| definition | bytes a record | ns a record | MB/s | MB/s under `auto` | allocations per 1,000 |\n\
         |---|---:|---:|---:|---:|---:|"
    );
    for name in library.names() {
        let Some(definition) = library.definition(name).filter(|_| asked(name)) else { continue };
        let records = records(&library, definition);
        let bytes: usize = records.iter().map(String::len).sum();
        if bytes == 0 {
            continue;
        }
        let took = measure(&library, name, definition, &records);
        let (by_name, nanos) = (bytes as f64 / took * 1e3, took / records.len() as f64);
        let auto = bytes as f64 / measure(&library, "auto", definition, &records) * 1e3;
        let allocated = allocated(&library, name, definition, &records);
        println!(
            "| {name} | {} | {nanos:.0} | {by_name:.0} | {auto:.0} | {allocated:.1} |",
            bytes / records.len(),
        );
        if by_name < ASKED {
            slow.push(format!("{name} {by_name:.0} ({nanos:.0} ns)"));
        }
    }
    if asked("prose") {
        prose(&library);
    }
    if asked("pattern") {
        patterns();
    }
    if only.is_empty() {
        println!("\nBelow {ASKED:.0} MB/s are {}: {}.", slow.len(), slow.join(", "));
    }
}

/// The recorded logs of a definition. One that is a grammar by itself has those of all that are written in it,
/// if nothing but the text tells how to read it.
fn logs<'l>(library: &'l Library, definition: &'l Definition) -> Vec<&'l String> {
    let is_grammar = definition.grammar.as_ref() == Some(&definition.name)
        && definition.samples.iter().all(|sample| sample.header.is_none());
    let same = |other: &&Definition| is_grammar && other.grammar == definition.grammar;
    let others = library.names().filter_map(|name| library.definition(name)).filter(same);
    let own = definition.recorded.iter();
    own.chain(others.flat_map(|other| &other.recorded)).collect()
}

/// The records of a definition's logs, else the lines of its samples.
fn records(library: &Library, definition: &Definition) -> Vec<String> {
    let mut records = Vec::new();
    for log in logs(library, definition) {
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
    // A round over very few would count what a round costs.
    let rounds = if records.is_empty() { 0 } else { FEWEST.div_ceil(records.len()) };
    let all = rounds * records.len();
    records.iter().cycle().take(all).cloned().collect()
}

fn parser(library: &Library, name: &str, definition: &Definition) -> Option<Parser> {
    let mut parser = Parser::new(library, name, ParserState::default()).ok()?;
    if let Some(header) = definition.samples.iter().find_map(|sample| sample.header.as_deref()) {
        parser.learn(header);
    }
    Some(parser)
}

/// Nanoseconds that all records take.
fn measure(library: &Library, name: &str, definition: &Definition, records: &[String]) -> f64 {
    let Some(mut parser) = parser(library, name, definition) else { return f64::INFINITY };
    let mut arena = Arena::with_capacity(64 << 10);
    let mut reused = Record::default();
    let mut parse = || reused = pass(&mut parser, records, &mut arena, std::mem::take(&mut reused));
    let passes = passes(&mut parse);
    (0..ROUNDS).map(|_| round(passes, &mut parse)).fold(f64::INFINITY, f64::min)
}

/// How often something is to be done for a round to take long enough to be measured.
fn passes(work: &mut impl FnMut()) -> u32 {
    // What is done the first time is no measure.
    work();
    let once = round(1, work).max(20.0);
    (ROUND * 1e9 / once).ceil() as u32
}

/// Nanoseconds of processor time that something takes, of a round.
fn round(passes: u32, work: &mut impl FnMut()) -> f64 {
    let begun = processor_time();
    for _ in 0..passes {
        work();
    }
    (processor_time() - begun) / f64::from(passes)
}

/// Nanoseconds that this thread had a processor.
fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
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
        let mut record: Record<'_> = reused;
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
    println!("\n| what fits nothing, under `auto` | ns a line |\n|---|---:|");
    let none = Definition::default();
    for (what, line) in PROSE {
        let took = measure(library, "auto", &none, &vec![(*line).to_owned(); 64]) / 64.0;
        println!("| {what} | {took:.0} |");
    }
}

/// What patterns cost above the regex itself. Rounds of both by turns, so that both have the machine as
/// it is.
fn patterns() {
    println!(
        "\n| a pattern of | bare captures, ns | with its record, ns | ratio |\n|---|---:|---:|---:|"
    );
    for (what, yaml, line) in PATTERNS {
        let Ok(definition) = Definition::from_yaml(&format!("name: own\n{yaml}")) else { continue };
        let Some(Ok(regex)) = definition.pattern.as_deref().map(regex::Regex::new) else {
            continue;
        };
        let Ok(library) = Library::builtin().with(vec![definition.clone()]) else { continue };
        let Some(mut parser) = parser(&library, "own", &definition) else { continue };
        let records = [(*line).to_owned()];
        let mut arena = Arena::with_capacity(64 << 10);
        let mut reused = Record::default();
        let mut own =
            || reused = pass(&mut parser, &records, &mut arena, std::mem::take(&mut reused));
        let mut locations = regex.capture_locations();
        let mut bare = || {
            black_box(regex.captures_read(&mut locations, black_box(line)));
        };
        let (own_passes, bare_passes) = (passes(&mut own), passes(&mut bare));
        let (mut with, mut without) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..2 * ROUNDS {
            with = with.min(round(own_passes, &mut own));
            without = without.min(round(bare_passes, &mut bare));
        }
        println!("| {what} | {without:.0} | {with:.0} | {:.2} |", with / without);
    }
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
