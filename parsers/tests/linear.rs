//! No line makes a parser slow: the time is linear in the line.
//!
//! Lines are made of each definition's own samples, with what its grammar looks for repeated in the
//! middle. A line of twice the length may take twice the time, and a little more for chance: what is
//! measured is the ratio, since machines differ.
#![allow(clippy::expect_used, reason = "a test fails by it")]

use std::time::Duration;

use pillion_parsers::Arena;
use pillion_parsers::parse::{Library, Parser, ParserState, ReadAt};
use pillion_parsers::record::Record;
use rustix::time::{ClockId, clock_gettime};

/// What is repeated.
const PARTS: [&str; 22] = [
    " ", "\"", "\\\"", "\\", "[", "]", "{\"a\":", "[[", "(", ": ", "=", " a=", ",\"", "|", "9",
    "-", "\t", "'", "] [", "\n", "a:b ", "é",
];
/// Bytes of the first lines.
const SHORT: usize = 32 << 10;
/// Of those that take no time, none is asked how the time grows: 32 KiB in it are 8 MB a second, which
/// no parser needs that looks at each byte a few times, not even unoptimised.
const NO_TIME: Duration = Duration::from_millis(4);
/// Bytes of the long lines: a MiB, but not where every byte costs ten times as much.
const LONG: usize = if cfg!(debug_assertions) { 1 << 17 } else { 1 << 20 };
/// What of a line of twice the length is still linear.
const RATIO: f64 = 3.0;

/// The beginning of a sample, what is repeated after it, and the sample's rest.
#[derive(Clone, Copy)]
struct Hostile<'s> {
    head: &'s str,
    part: &'s str,
    tail: &'s str,
}

impl Hostile<'_> {
    fn line(self, len: usize) -> String {
        let times = len / self.part.len();
        [self.head, &self.part.repeat(times), self.tail].concat()
    }
}

/// How long this thread has worked: what else the machine does is not counted.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// How long a parser takes over a line; the least of several times.
fn time(name: &str, header: Option<&str>, line: &str, times: usize) -> Duration {
    let library = Library::builtin();
    let once = |_| {
        let mut parser = Parser::new(&library, name, ParserState::default()).expect("built in");
        if let Some(header) = header {
            parser.learn(header);
        }
        let (arena, mut record) = (Arena::new(), Record::default());
        let started = worked();
        parser.parse(line, ReadAt::default(), &arena, &mut record);
        worked().saturating_sub(started)
    };
    (0..times).map(once).min().unwrap_or_default()
}

/// Where a sample may be taken apart: at its beginning, its end, and places where something else begins.
fn places(line: &str) -> Vec<usize> {
    let marks: Vec<_> = line
        .char_indices()
        .filter(|(_, mark)| mark.is_ascii_punctuation() || *mark == ' ')
        .map(|(at, mark)| at + mark.len_utf8())
        .collect();
    let step = marks.len().div_ceil(2).max(1);
    let mut places: Vec<_> = marks.into_iter().skip(step / 2).step_by(step).collect();
    places.extend([0, line.len()]);
    places
}

/// Whether the time grows with more than the line does. Asked again where it seems to: the machine may
/// have had something else to do.
fn grows(
    name: &str,
    header: Option<&str>,
    hostile: Hostile<'_>,
    len: usize,
    times: usize,
) -> Option<f64> {
    let mut least = f64::MAX;
    for _ in 0..5 {
        let short = time(name, header, &hostile.line(len), times);
        let long = time(name, header, &hostile.line(len * 2), times);
        least = least.min(long.as_secs_f64() / short.as_secs_f64().max(1e-9));
        if least <= RATIO {
            return None;
        }
    }
    Some(least)
}

#[test]
fn time_is_linear_in_the_line() {
    let library = Library::builtin();
    let mut wrong = Vec::new();
    for name in library.names() {
        let definition = library.definition(name).expect("a built-in definition is one");
        let mut slowest: Option<(Duration, Hostile<'_>, Option<&str>)> = None;
        for sample in definition
            .samples
            .iter()
            .filter(|sample| sample.record.is_some() && !sample.line.is_empty())
            .take(2)
        {
            let header = sample.header.as_deref();
            for at in places(&sample.line) {
                let (head, tail) = sample.line.split_at(at);
                for part in PARTS.into_iter().chain([&*sample.line]) {
                    let hostile = Hostile { head, part, tail };
                    let took = time(name, header, &hostile.line(SHORT), 1);
                    if took > NO_TIME
                        && let Some(ratio) = grows(name, header, hostile, SHORT, 3)
                    {
                        wrong.push(format!("{name}: {ratio:.1}, {head:?} and many {part:?}"));
                    }
                    if slowest.is_none_or(|(slowest, ..)| slowest < took) {
                        slowest = Some((took, hostile, header));
                    }
                }
            }
        }
        // The slowest of them as long as a line may be.
        if let Some((_, hostile, header)) = slowest
            && let Some(ratio) = grows(name, header, hostile, LONG / 2, 1)
        {
            let Hostile { head, part, .. } = hostile;
            wrong.push(format!("{name}: {ratio:.1} at {LONG} bytes, {head:?} and many {part:?}"));
        }
    }
    assert!(wrong.is_empty(), "not linear:\n{}", wrong.join("\n"));
}
