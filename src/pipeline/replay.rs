//! The pipeline without destinations: bytes in, redacted Records out as NDJSON. What `replay`, `test`
//! and the fixtures run on, so that what they show is what the worker does.

mod explained;

use std::sync::Arc;

use pillion_parsers::frame::{Encoding, FileNumber, LineEnding, Lines};
use pillion_parsers::redact::Redactor;

use super::chunk::{LineageId, Opened};
use super::lineage::{Lineage, joiner};
use super::prepare::Preparer;
use super::stats::{PipelineStats, SourceStats};
use crate::checkpoint::resume::Resume;
use crate::config::settings::{Settings, Source};
use crate::export::lines::LineWriter;

pub use explained::Explained;

/// One log on its way through one source's pipeline.
pub struct Replay {
    lineage: Lineage,
    preparer: Preparer,
    writer: LineWriter,
    stats: Arc<PipelineStats>,
    /// The File that is read.
    file: FileNumber,
    /// Offset of the next byte in it.
    offset: u64,
    /// How its text is encoded.
    encoding: Encoding,
}

impl Replay {
    /// A replay of a log called `path`, as `source` would read it. `read_at`, in nanoseconds since
    /// the Unix epoch, is when its lines count as read.
    #[must_use]
    pub fn new(settings: &Settings, source: &Source, path: &str, read_at: i64) -> Self {
        let mut redactor = Redactor::new(Arc::clone(&settings.redact));
        let opened = Opened {
            lineage: LineageId(0),
            file: FileNumber(0),
            source: 0,
            path: Arc::from(path),
            offset: 0,
            settled: Vec::new(),
            resume: Resume::default(),
            head: None,
        };
        let joiner = joiner(source, &settings.library);
        let sources = Arc::new(SourceStats::new(&source.name));
        let mut lineage =
            Lineage::new(&opened, source, &settings.library, joiner, &sources, &mut redactor);
        lineage.context.read_at = read_at;
        let stats =
            Arc::new(PipelineStats::new(settings.redact.names().len(), settings.steps.len()));
        let steps = Arc::clone(&settings.steps);
        let mut preparer = Preparer::new(redactor, steps, Arc::clone(&stats));
        preparer.throttles_by_own_time = true;
        Self {
            lineage,
            preparer,
            writer: LineWriter::default(),
            stats,
            file: FileNumber(0),
            offset: 0,
            encoding: Encoding::default(),
        }
    }

    /// Takes whole lines, terminators included; appends a JSON line to `out` for each record that
    /// ends in them.
    pub fn push(&mut self, lines: &[u8], out: &mut Vec<u8>) {
        self.take(lines, LineEnding::Newline, out);
    }

    /// Takes a last line that has no terminator.
    pub fn push_partial(&mut self, line: &[u8], out: &mut Vec<u8>) {
        self.take(line, LineEnding::Partial, out);
    }

    /// Takes the beginning of a line that was longer than `max_record`, of `length` bytes in all.
    pub fn push_cut(&mut self, beginning: &[u8], length: u64, out: &mut Vec<u8>) {
        self.take(beginning, LineEnding::Cut { end: self.offset + length }, out);
    }

    /// What comes next is the beginning of another File of the same log.
    pub fn next_file(&mut self) {
        self.file.0 = self.file.0.saturating_add(1);
        self.offset = 0;
    }

    /// Ends a record that a joiner holds open.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        let Lineage { framer, context } = &mut self.lineage;
        let (preparer, writer) = (&mut self.preparer, &mut self.writer);
        framer.flush(&mut |raw| {
            preparer.prepare(context, &raw, |_, _, redacted| {
                if let Ok(redacted) = redacted {
                    writer.write(out, redacted, None);
                    out.push(b'\n');
                }
            });
        });
        self.preparer.publish();
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> &PipelineStats {
        &self.stats
    }

    fn take(&mut self, bytes: &[u8], ending: LineEnding, out: &mut Vec<u8>) {
        let lines = self.lines(bytes, ending);
        let Lineage { framer, context } = &mut self.lineage;
        let (preparer, writer) = (&mut self.preparer, &mut self.writer);
        framer.push(lines, context.read_at, &mut |raw| {
            preparer.prepare(context, &raw, |_, _, redacted| {
                if let Ok(redacted) = redacted {
                    writer.write(out, redacted, None);
                    out.push(b'\n');
                }
            });
        });
        self.advance(bytes, ending);
        self.preparer.publish();
    }

    const fn advance(&mut self, bytes: &[u8], ending: LineEnding) {
        self.offset = match ending {
            LineEnding::Cut { end } => end,
            LineEnding::Newline | LineEnding::Partial => self.offset + bytes.len() as u64,
        };
    }

    /// The next bytes; the first of a File tell its encoding.
    fn lines<'c>(&mut self, bytes: &'c [u8], ending: LineEnding) -> Lines<'c> {
        if self.offset == 0 {
            self.encoding = Encoding::of(bytes);
        }
        let Self { file, offset: start, encoding, .. } = *self;
        Lines { file, start, bytes, ending, encoding }
    }
}
