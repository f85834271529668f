//! The fuzz targets' bodies over every recorded log and sample, as they are and mutated. The same
//! bodies are libFuzzer's in `fuzz/`.
//!
//! `PILLION_FUZZ_SECONDS=60 cargo test --release -p pillion-parsers --test fuzz` goes on for so long
//! with each target; `PILLION_FUZZ_SEED=7` takes another way. What fails is shown as short as it could
//! be made.
#![allow(clippy::disallowed_methods, reason = "tests may read files and the environment")]
#![allow(clippy::disallowed_types, reason = "a test may look at the clock")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by it")]
#![allow(clippy::print_stderr, reason = "how far it came, where it was asked to go on")]
#![allow(unreachable_pub, reason = "the crate in `fuzz/` has the modules, too")]

#[path = "fuzz/bodies.rs"]
mod bodies;
#[path = "fuzz/mutate.rs"]
mod mutate;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bodies::Target;
use mutate::{Chance, mutate, shrink};
use pillion_parsers::definition::Definition;
use pillion_parsers::parse::Library;

/// Mutated inputs of each target, where no time is given.
const ROUNDS: usize = 4_000;
/// Of a line, so many bytes are mutated.
const LONGEST: usize = 2_000;

fn logs(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            logs(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "log" || kind == "json") {
            found.push(path);
        }
    }
}

/// A line, and the number of the definition it is for, if it is known.
type Line = (Option<usize>, Vec<u8>);

/// Of every log so many lines, spread over it, and every sample.
fn lines(of_each: usize) -> Vec<Line> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recorded");
    let library = Library::builtin();
    let names: Vec<_> = library.names().collect();
    let definitions: Vec<&Definition> =
        names.iter().filter_map(|name| library.definition(name)).collect();
    let mut paths = Vec::new();
    logs(&root, &mut paths);
    paths.sort();
    let mut lines = Vec::new();
    for path in paths {
        let name = path.strip_prefix(&root).expect("below").to_string_lossy().into_owned();
        let of = definitions.iter().position(|definition| definition.recorded.contains(&name));
        let log = std::fs::read(&path).expect("readable");
        let all: Vec<_> = log.split(|byte| *byte == b'\n').collect();
        let step = all.len().div_ceil(of_each).max(1);
        lines.extend(all.iter().step_by(step).map(|line| (of, line.to_vec())));
    }
    for (number, definition) in definitions.iter().enumerate() {
        for sample in &definition.samples {
            let header = sample.header.iter().map(|header| format!("{header}\n"));
            let line = header.collect::<String>() + &sample.line;
            lines.push((Some(number), line.into_bytes()));
        }
    }
    lines
}

/// What layouts to begin with.
fn layouts() -> Vec<Vec<u8>> {
    let library = Library::builtin();
    let definitions = library.names().filter_map(|name| library.definition(name));
    let pairs = definitions.flat_map(|definition| {
        let line = definition.samples.first().map_or("", |sample| &sample.line).to_owned();
        definition.layout.iter().map(move |layout| format!("{layout}\n{line}").into_bytes())
    });
    pairs.collect()
}

/// An input for a target made of a line.
fn input(target: &str, (of, line): &Line, chance: &mut Chance) -> Vec<u8> {
    let any = chance.next().to_le_bytes();
    let mut input = match target {
        "parse" => match of {
            Some(number) if !any[0].is_multiple_of(8) => vec![u8::try_from(*number).expect("few")],
            _ => vec![any[1]],
        },
        "auto" | "layout" => Vec::new(),
        "frame" => any[..3].to_vec(),
        _ => any[..2].to_vec(),
    };
    // Of the first bytes of a line, a time is made.
    let end = if target == "timestamp" { line.len().min(40) } else { line.len().min(LONGEST) };
    input.extend(&line[..end]);
    input
}

fn fails(body: fn(&[u8]), input: &[u8]) -> bool {
    catch_unwind(AssertUnwindSafe(|| body(input))).is_err()
}

/// Gives an input to a target; when that fails, what there is to know.
fn attempt((name, body): Target, input: Vec<u8>) {
    if fails(body, &input) {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let least = shrink(input, |less| fails(body, less));
        std::panic::set_hook(hook);
        let shown = least.escape_ascii().to_string();
        panic!("the target {name} fails at b\"{shown}\": {:?}", fails(body, &least));
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Whatever stands in the lines, changed and put together.
fn run(target: Target) {
    let (name, _) = target;
    let seconds = number("PILLION_FUZZ_SECONDS").map(Duration::from_secs);
    let mut chance = Chance(number("PILLION_FUZZ_SEED").unwrap_or(1));
    let lines: Vec<Line> = if name == "layout" {
        layouts().into_iter().map(|layout| (None, layout)).collect()
    } else {
        lines(if seconds.is_some() { 200 } else { 4 })
    };
    for line in &lines {
        attempt(target, input(name, line, &mut chance));
    }
    let started = Instant::now();
    let mut round = 0;
    while seconds.map_or(round < ROUNDS, |seconds| started.elapsed() < seconds) {
        let (line, other) = (chance.one(&lines), chance.one(&lines));
        let mut bytes = input(name, line, &mut chance);
        let head = if matches!(name, "auto" | "layout") { 0 } else { 1.min(bytes.len()) };
        let mut made = bytes.split_off(head);
        if matches!(name, "auto" | "frame" | "timestamp" | "redact") {
            // Lines of two files.
            let more = input("auto", other, &mut chance);
            let from = if name == "timestamp" { &made } else { &more };
            let more = mutate(from, &line.1, &mut chance);
            made.push(b'\n');
            made.extend(more);
        }
        bytes.extend(mutate(&made, &other.1, &mut chance));
        attempt(target, bytes);
        round += 1;
    }
    if seconds.is_some() {
        eprintln!("{name}: {round} inputs");
    }
}

#[test]
fn any_line_is_a_record_of_any_definition() {
    run(bodies::TARGETS[0]);
}

#[test]
fn auto_loses_nothing() {
    run(bodies::TARGETS[1]);
}

#[test]
fn any_text_is_a_layout_or_none() {
    run(bodies::TARGETS[2]);
}

#[test]
fn every_byte_is_in_one_record() {
    run(bodies::TARGETS[3]);
}

#[test]
fn a_time_is_what_it_is_whatever_came_before() {
    run(bodies::TARGETS[4]);
}

#[test]
fn what_is_redacted_is_still_text_and_json() {
    run(bodies::TARGETS[5]);
}
