//! Logs on their way through the rules, record by record, in bounded memory: the way of `replay`, and in
//! which line each record begins.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use pillion_parsers::frame::{Encoding, LineEnding};
use pillion_parsers::redact::{Clean, Redactor, Rules};

use super::LogsArgs;
use crate::cli::replay::{self, lines};
use crate::cli::shown::in_one_line;
use crate::cli::{Failure, opened};
use crate::config::settings::{Settings, Source};
use crate::pipeline::replay::{Explained, Replay};

/// Lines whose beginnings are remembered: a record that is joined of more begins before the first of
/// them, and is said to begin there.
const REMEMBERED: usize = 1 << 16;

/// Takes each record of the logs through the rules, and lends it to `take` with the index of its log and
/// the line it begins in, from 1. Returns how many lines there were.
pub(super) fn survey(
    args: &LogsArgs,
    settings: &Settings,
    mut take: impl FnMut(usize, u64, &Explained<'_>),
) -> Result<u64, Failure> {
    let progress = replay::progress(&args.logs);
    let mut lines = 0;
    for (index, log) in args.logs.iter().enumerate() {
        let failed = |error: std::io::Error| Failure::Other(format!("{}: {error}", log.display()));
        let source = source(args, settings, log)?;
        let replay = Replay::new(settings, &source, &log.to_string_lossy(), replay::now());
        let mut numbered = Numbered {
            replay,
            starts: Starts::default(),
            take: |line, explained: &Explained<'_>| {
                take(index, line, explained);
            },
        };
        let input = opened::open(log, &progress).map_err(failed)?;
        let mut feed = lines::Feed::new(&mut numbered, source.max_record);
        lines::replay(input, &mut feed, &mut |_| Ok(())).map_err(failed)?;
        lines += numbered.starts.lines();
    }
    progress.finish_and_clear();
    Ok(lines)
}

/// The configuration that the logs are read by.
pub(super) fn settings(
    args: &LogsArgs,
    rules: impl FnOnce(&Settings) -> Result<Arc<Rules>, Failure>,
) -> Result<Settings, Failure> {
    let mut settings = args.config.load_or_default()?;
    settings.redact = rules(&settings)?;
    Ok(settings)
}

/// The logs' names, as they may be shown: they are redacted like all paths.
pub(super) fn names(args: &LogsArgs, settings: &Settings) -> Vec<Clean> {
    let mut redactor = Redactor::new(Arc::clone(&settings.redact));
    args.logs.iter().map(|log| redactor.clean(&in_one_line(&log.to_string_lossy()))).collect()
}

/// The source that a log is read as, by the parser that was named.
fn source(args: &LogsArgs, settings: &Settings, log: &Path) -> Result<Source, Failure> {
    let mut source = replay::source(settings, args.source.as_deref(), log)?.clone();
    if let Some(parser) = &args.parser {
        if settings.library.names().all(|name| name != parser) {
            return Err(Failure::Other(format!(
                "no parser is called {parser:?}; `pillion parsers` lists those built in"
            )));
        }
        source.parsers = vec![parser.clone()];
    }
    Ok(source)
}

/// Where the lines of a log begin.
#[derive(Default)]
struct Starts {
    encoding: Encoding,
    /// Offset of the next byte.
    offset: u64,
    /// Lines before those that are remembered.
    before: u64,
    /// Offsets of the first bytes of the last lines.
    starts: VecDeque<u64>,
}

impl Starts {
    /// Takes lines, of `length` bytes in all.
    fn push(&mut self, bytes: &[u8], length: u64) {
        if bytes.is_empty() {
            return;
        }
        if self.offset == 0 {
            self.encoding = Encoding::of(bytes);
        }
        let (start, end) = (self.offset, self.offset + length);
        self.note(start);
        for at in self.encoding.line_ends(start, bytes) {
            if start + (at as u64) < end {
                self.note(start + at as u64);
            }
        }
        self.offset = end;
    }

    fn note(&mut self, start: u64) {
        if self.starts.len() == REMEMBERED {
            self.starts.pop_front();
            self.before += 1;
        }
        self.starts.push_back(start);
    }

    /// The number of the line that the byte at an offset is in, from 1.
    fn number(&self, offset: u64) -> u64 {
        let at_or_before = self.starts.partition_point(|start| *start <= offset);
        self.before + at_or_before.max(1) as u64
    }

    fn lines(&self) -> u64 {
        self.before + self.starts.len() as u64
    }
}

/// A replay whose records come with the line they begin in.
struct Numbered<F> {
    replay: Replay,
    starts: Starts,
    take: F,
}

impl<F: FnMut(u64, &Explained<'_>)> Numbered<F> {
    fn explain(&mut self, bytes: &[u8], length: u64, ending: LineEnding) {
        self.starts.push(bytes, length);
        let Self { replay, starts, take } = self;
        replay.explain(bytes, ending, |explained| {
            take(starts.number(explained.first.span.start), &explained);
        });
    }
}

impl<F: FnMut(u64, &Explained<'_>)> lines::TakesLines for &mut Numbered<F> {
    fn push(&mut self, lines: &[u8], _: &mut Vec<u8>) {
        self.explain(lines, lines.len() as u64, LineEnding::Newline);
    }

    fn push_partial(&mut self, line: &[u8], _: &mut Vec<u8>) {
        self.explain(line, line.len() as u64, LineEnding::Partial);
    }

    fn push_cut(&mut self, beginning: &[u8], length: u64, _: &mut Vec<u8>) {
        let end = self.starts.offset + length;
        self.explain(beginning, length, LineEnding::Cut { end });
    }

    /// There is one File a log.
    fn next_file(&mut self) {}

    fn flush(&mut self, _: &mut Vec<u8>) {
        let Numbered { replay, starts, take } = &mut **self;
        replay.explain_rest(|explained| {
            take(starts.number(explained.first.span.start), &explained);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_found_in_their_lines() {
        let mut starts = Starts::default();
        starts.push(b"ab\nc\n\nd\n", 8);
        starts.push(b"ef", 1_000);
        starts.push(b"g\n", 2);
        let lines = [0, 2, 3, 5, 6, 8, 1_007, 1_008].map(|offset| starts.number(offset));
        assert_eq!(lines, [1, 1, 2, 3, 4, 5, 5, 6]);
        assert_eq!(starts.lines(), 6);
        let many = b"\n".repeat(REMEMBERED);
        starts.push(&many, many.len() as u64);
        assert_eq!(starts.lines(), 6 + REMEMBERED as u64);
        assert_eq!(starts.number(1_010), 7);
        assert_eq!(starts.number(1_011), 8);
        assert_eq!(starts.starts.len(), REMEMBERED);
    }

    #[test]
    fn lines_of_two_byte_characters_are_counted() {
        let mut starts = Starts::default();
        let text: Vec<u8> = "\u{feff}a\nb\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        starts.push(&text, text.len() as u64);
        assert_eq!((starts.number(4), starts.number(6), starts.lines()), (1, 2, 2));
    }
}
