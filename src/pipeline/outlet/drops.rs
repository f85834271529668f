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
}

impl Drops {
    pub(super) fn new(destination: &str) -> Self {
        Self { destination: destination.to_owned(), said_at: None, unsaid: 0, run: None }
    }

    /// A record is dropped that lies at these places.
    pub(super) fn add(&mut self, path: &Clean, spans: &[FileSpan], now: i64) {
        self.unsaid += 1;
        self.warn(now);
        if LevelFilter::current() < LevelFilter::DEBUG {
            return;
        }
        for (at, FileSpan { file, span }) in spans.iter().enumerate() {
            let records = u64::from(at == 0);
            match &mut self.run {
                Some(run) if run.file == *file && run.span.end == span.start => {
                    run.span.end = span.end;
                    run.records += records;
                }
                _ => {
                    self.say_which();
                    self.run = Some(Run { path: path.clone(), file: *file, span: *span, records });
                }
            }
        }
    }

    /// Says which were dropped last, if that was not said.
    pub(super) fn say_which(&mut self) {
        let Some(Run { path, file, span, records }) = self.run.take() else { return };
        let destination = &self.destination;
        debug!(destination, %path, file = file.0, from = span.start, to = span.end, records, "dropped");
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
