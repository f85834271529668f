//! Reads a log as the agent does, joiner and all; and what `auto` must keep to when it reads them: the same
//! records wherever chunks end, and after a restart at any of them.

use std::collections::BTreeSet;

use pillion_parsers::Arena;
use pillion_parsers::definition::Definition;
use pillion_parsers::frame::{
    Container, FileNumber, FrameSettings, Framer, LineEnding, Lines, Raw,
};
use pillion_parsers::multiline::Joiner;
use pillion_parsers::parse::{Library, Parser, ParserState, ReadAt};
use pillion_parsers::record::Record;
use serde_json::Value as Json;

/// One record of a log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Framed {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) hash: u32,
    pub(crate) record: Json,
    /// What is kept with its end.
    pub(crate) state: ParserState,
    pub(crate) container: Container,
}

/// A lineage that is read.
pub(crate) struct Reading {
    framer: Framer,
    parser: Parser,
}

impl Reading {
    pub(crate) fn new(name: &str, state: ParserState) -> Self {
        let library = Library::builtin();
        let parser = Parser::new(&library, name, state).expect("there");
        let declared = || library.definition(name).and_then(Definition::implied_joiner);
        let joiner = parser.joiner().or_else(declared).unwrap_or_else(Joiner::none);
        let framer = Framer::new(FrameSettings {
            container: Container::from_name(name).unwrap_or_default(),
            joiner,
            max_record: 256 << 10,
        });
        Self { framer, parser }
    }

    /// Takes the lines that begin at an offset, in one chunk.
    pub(crate) fn push(
        &mut self,
        log: &[u8],
        start: u64,
        last: bool,
        then: &mut dyn FnMut(Framed),
    ) {
        let Self { framer, parser } = self;
        let mut emit = |raw: Raw<'_>| {
            let arena = Arena::new();
            let mut record = Record::default();
            let text = String::from_utf8_lossy(raw.text);
            let at = ReadAt { now: super::read_at(), container_time: raw.container_time };
            let (first, end) = (raw.spans[0], raw.spans[raw.spans.len() - 1].span.end);
            parser.place(first);
            parser.parse(&text, at, &arena, &mut record);
            let (start, hash, container) = (first.span.start, raw.hash, raw.container);
            let (record, state) = (super::shown(&record), parser.state());
            then(Framed { start, end, hash, record, state, container });
        };
        let whole = log.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let (lines, rest) = log.split_at(whole);
        for (at, bytes, ending) in
            [(0, lines, LineEnding::Newline), (whole, rest, LineEnding::Partial)]
        {
            if !bytes.is_empty() {
                let (file, start) = (FileNumber(1), start + at as u64);
                let lines = Lines { file, start, bytes, ending, encoding: Default::default() };
                framer.push(lines, 0, &mut emit);
            }
        }
        if last {
            framer.flush(&mut emit);
        }
    }
}

/// Every log that a definition is proven by.
fn logs() -> Vec<(String, Vec<u8>)> {
    let library = Library::builtin();
    let definitions = library.names().filter_map(|name| library.definition(name));
    let logs = definitions.flat_map(|definition| definition.recorded.clone());
    logs.map(|log| (log.clone(), std::fs::read(super::recorded().join(&log)).expect("there")))
        .collect()
}

fn whole(log: &[u8], name: &str) -> Vec<Framed> {
    let mut all = Vec::new();
    Reading::new(name, ParserState::default()).push(log, 0, true, &mut |framed| all.push(framed));
    all
}

#[test]
fn auto_reads_the_same_wherever_chunks_end() {
    for (name, log) in logs() {
        let expected = whole(&log, "auto");
        // Chunks of one line, and of some that end elsewhere each time.
        for lines in [1, 3] {
            let mut reading = Reading::new("auto", ParserState::default());
            let mut found = Vec::new();
            let mut start = 0;
            let ends = memchr_lines(&log).collect::<Vec<_>>();
            for (at, end) in ends.iter().enumerate() {
                if at % lines == 0 || at + 1 == ends.len() {
                    let last = at + 1 == ends.len();
                    reading.push(&log[start..*end], start as u64, last, &mut |it| found.push(it));
                    start = *end;
                }
            }
            assert_eq!(found, expected, "{name}, chunks of {lines}");
        }
    }
}

/// The checkpoint lies behind any record; what comes next is framed and read as it would have been.
#[test]
fn auto_goes_on_after_a_restart_as_if_nothing_had_happened() {
    for (name, log) in logs() {
        let expected = whole(&log, "auto");
        for (at, before) in expected.iter().enumerate() {
            let next: Vec<_> = expected.iter().skip(at + 1).take(3).cloned().collect();
            let Some(last) = next.iter().map(|it| it.end).max() else { break };
            // Where two streams mix, a record may begin before another's end.
            let later =
                |from: usize, end: u64| expected.iter().skip(from).all(|it| it.start >= end);
            let open = expected.iter().take(at).any(|it| it.end > before.end);
            if open || !later(at + 1, before.end) || !later(at + 1 + next.len(), last) {
                continue;
            }
            let mut reading = Reading::new("auto", before.state.clone());
            reading.framer.resume(before.container);
            let rest = &log[before.end as usize..last as usize];
            let mut found = Vec::new();
            reading.push(rest, before.end, true, &mut |it| found.push(it));
            let place = |all: &[Framed]| {
                let places: BTreeSet<_> =
                    all.iter().map(|it| (it.start, it.end, it.hash)).collect();
                places
            };
            assert_eq!(place(&found), place(&next), "{name} after {}", before.end);
            // The end of what is read ends records of two streams in another order.
            if !has_header(&log) && next.is_sorted_by_key(|it| it.start) {
                for (found, next) in found.iter().zip(&next) {
                    let read = |it: &Framed| (it.record.clone(), it.state.clone());
                    assert_eq!(read(found), read(next), "{name} after {}", before.end);
                }
            }
        }
    }
}

/// Such are read by what stands far above, of which the agent tells a parser anew.
fn has_header(log: &[u8]) -> bool {
    log.starts_with(b"#")
}

fn memchr_lines(log: &[u8]) -> impl Iterator<Item = usize> {
    let ends = log.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    ends.chain((log.last() != Some(&b'\n')).then_some(log.len()))
}
