//! What the log says of records that are dropped since their destination is in trouble and full: how many,
//! now and then, and at the level `debug` which they were.

use pillion_parsers::frame::{FileNumber, FileSpan, Span};
use pillion_parsers::redact::Clean;
use tracing::level_filters::LevelFilter;
use tracing::{debug, warn};

/// Nanoseconds between two lines about how many there were.
pub(super) const BETWEEN_WARNINGS: i64 = 10_000_000_000;

/// The dropped records of one destination, within one worker.
#[derive(Debug)]
pub(super) struct Drops {
    /// The destination's name.
    destination: String,
    /// When it was last said how many there were, by the worker's clock.
    said_at: Option<i64>,
    /// How many there were since.
    pub(super) unsaid: u64,
    /// The last ones, as long as they follow each other.
    run: Option<Run>,
}

/// Dropped records that lie one after the other.
#[derive(Debug)]
struct Run {
    path: Clean,
    file: FileNumber,
    span: Span,
    /// One that lies in two Files is of the first.
    records: u64,
    /// Whether they are of lines that hold several: then the span is from where the first begins to where
    /// the last does, and what else these lines hold may have been sent.
    parts: bool,
}

impl Drops {
    pub(super) fn new(destination: &str) -> Self {
        Self { destination: destination.to_owned(), said_at: None, unsaid: 0, run: None }
    }

    /// A record is dropped that lies at these places.
    pub(super) fn add(&mut self, path: &Clean, spans: &[FileSpan], now: i64) {
        self.unsaid += 1;
        self.warn(now);
        if is_told() {
            self.note(path, spans);
        }
    }

    /// A record is dropped that is one of a line's, and begins there.
    pub(super) fn add_part(&mut self, path: &Clean, file: FileNumber, offset: u64, now: i64) {
        self.unsaid += 1;
        self.warn(now);
        if is_told() {
            self.note_part(path, file, offset);
        }
    }

    fn note(&mut self, path: &Clean, spans: &[FileSpan]) {
        for (at, FileSpan { file, span }) in spans.iter().enumerate() {
            let records = u64::from(at == 0);
            match &mut self.run {
                Some(run) if !run.parts && run.file == *file && run.span.end == span.start => {
                    run.span.end = span.end;
                    run.records += records;
                }
                _ => {
                    self.say_which();
                    let (path, file, span) = (path.clone(), *file, *span);
                    self.run = Some(Run { path, file, span, records, parts: false });
                }
            }
        }
    }

    fn note_part(&mut self, path: &Clean, file: FileNumber, offset: u64) {
        match &mut self.run {
            Some(run) if run.parts && run.file == file && run.span.end <= offset => {
                run.span.end = offset;
                run.records += 1;
            }
            _ => {
                self.say_which();
                let (path, span) = (path.clone(), Span { start: offset, end: offset });
                self.run = Some(Run { path, file, span, records: 1, parts: true });
            }
        }
    }

    /// Says which were dropped last, if that was not said.
    pub(super) fn say_which(&mut self) {
        let Some(Run { path, file, span, records, parts }) = self.run.take() else { return };
        let destination = &self.destination;
        let (file, from, to) = (file.0, span.start, span.end);
        if parts {
            debug!(destination, %path, file, from, to, records, "dropped: parts of a line");
        } else {
            debug!(destination, %path, file, from, to, records, "dropped");
        }
    }

    /// Says that records are dropped, and how many since it was said last, if it is time to.
    pub(super) fn warn(&mut self, now: i64) {
        let is_time = self.said_at.is_none_or(|at| now.saturating_sub(at) >= BETWEEN_WARNINGS);
        if self.unsaid > 0 && is_time {
            let (destination, records) = (&self.destination, std::mem::take(&mut self.unsaid));
            self.said_at = Some(now);
            warn!(destination, records, "destination in trouble and full: newest records dropped");
        }
    }

    /// Says what is left to be said.
    pub(super) fn end(&mut self, now: i64) {
        self.said_at = None;
        self.warn(now);
        self.say_which();
    }
}

/// Whether it is told which were dropped.
fn is_told() -> bool {
    LevelFilter::current() >= LevelFilter::DEBUG
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::encode::tests::Spot;

    #[test]
    fn parts_of_a_line_are_told_from_whole_ones() {
        let mut drops = Drops::new("d");
        let spot = Spot::new(&[]);
        let path = spot.at(0).path;
        let span = |start, end| FileSpan { file: FileNumber(1), span: Span { start, end } };
        let told = |drops: &Drops| {
            drops.run.as_ref().map(|run| (run.span.start, run.span.end, run.records, run.parts))
        };
        drops.note(path, &[span(0, 10)]);
        drops.note(path, &[span(10, 20)]);
        assert_eq!(told(&drops), Some((0, 20, 2, false)));
        for offset in [20, 25, 31] {
            drops.note_part(path, FileNumber(1), offset);
        }
        assert_eq!(told(&drops), Some((20, 31, 3, true)));
        drops.note(path, &[span(31, 50)]);
        assert_eq!(told(&drops), Some((31, 50, 1, false)));
    }
}
