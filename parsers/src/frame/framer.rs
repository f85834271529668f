//! The [`Framer`]: one per lineage, fed chunk by chunk, lends raw records.

use std::fmt;

use super::container::Unwrapper;
use super::line::{Line, Place, Scratch};
use super::open::Slot;
use super::{Container, FileNumber, FileSpan, FrameSettings, LineEnding, Lines, Raw, Stream};
use crate::multiline::Joiner;

/// `max_record` is never less than this, so that cutting between characters always leaves some.
const LEAST_RECORD: usize = 16;

/// A stream that says nothing for so many bytes of the others is not waited for any longer: its open
/// record would hold back the File's safe offset.
const PASSED_BY: u64 = 1 << 20;

/// Cuts one lineage's chunks into raw records.
///
/// With a joiner, the last record of a push stays open, copied, until the next push, [`expire`] or
/// [`flush`]: any line may be followed by a stack trace. Each stream of a container has its own
/// open record, of at most `max_record` bytes of text; lines outside of a container's format have a
/// third.
///
/// [`expire`]: Framer::expire
/// [`flush`]: Framer::flush
pub struct Framer {
    settings: FrameSettings,
    unwrapper: Unwrapper,
    plain: Slot,
    stdout: Slot,
    stderr: Slot,
    /// Where the last push ended: a record goes on only where this one begins.
    end: Option<(FileNumber, u64)>,
}

impl Framer {
    /// A framer that has seen nothing.
    #[must_use]
    pub fn new(mut settings: FrameSettings) -> Self {
        settings.max_record = settings.max_record.max(LEAST_RECORD);
        Self {
            unwrapper: Unwrapper::new(settings.container),
            settings,
            plain: Slot::default(),
            stdout: Slot::default(),
            stderr: Slot::default(),
            end: None,
        }
    }

    /// What it was made with.
    #[must_use]
    pub const fn settings(&self) -> &FrameSettings {
        &self.settings
    }

    /// Goes on in the middle of a File of which this is known: where the container is to be found out,
    /// it has been. What is open of another File is to be [flushed](Framer::flush) first.
    pub fn resume(&mut self, container: Container) {
        self.end = None;
        self.unwrapper.resume(container);
    }

    /// Joins by another joiner from the next record on. What is open is to be
    /// [flushed](Framer::flush) first.
    pub fn join_by(&mut self, joiner: Joiner) {
        self.settings.joiner = joiner;
    }

    /// Takes in lines, and emits the records that end with them. `now` is when they were read,
    /// nanoseconds since the epoch: [`Framer::expire`] counts from it.
    ///
    /// Open records go on if these lines begin where the last ones ended, or at the start of a File
    /// with a higher number; else they are ended first.
    pub fn push(&mut self, lines: Lines<'_>, now: i64, emit: &mut dyn FnMut(Raw<'_>)) {
        self.begin(&lines, emit);
        let mut scratch = Scratch::default();
        let len = lines.bytes.len();
        let mut start = 0;
        for end in lines.encoding.line_ends(lines.start, lines.bytes) {
            let raw = Place { start, end };
            self.take(&lines, raw, LineEnding::Newline, now, &mut scratch, emit);
            start = raw.end;
        }
        let mut end = lines.start + len as u64;
        if let LineEnding::Cut { end: cut } = lines.ending {
            end = end.max(cut);
        }
        if lines.start + (start as u64) < end {
            // What has no newline is partial, whatever the caller says.
            let ending = match lines.ending {
                LineEnding::Newline => LineEnding::Partial,
                ending => ending,
            };
            self.take(&lines, Place { start, end: len }, ending, now, &mut scratch, emit);
        }
        self.end = Some((lines.file, end));
        for slot in [&mut self.plain, &mut self.stdout, &mut self.stderr] {
            slot.hold(lines.bytes);
            if slot.spans().last().is_some_and(|last| is_passed(*last, lines.file, end)) {
                slot.end(false, &[], emit);
            }
            // A lineage may bring nothing more for days: between pushes it holds what is open, no
            // spare buffers.
            slot.release();
        }
    }

    /// Ends the records whose last line came at or before `before`.
    pub fn expire(&mut self, before: i64, emit: &mut dyn FnMut(Raw<'_>)) {
        while let Some(slot) = self.first_pending(before) {
            slot.end(false, &[], emit);
        }
        for slot in [&mut self.plain, &mut self.stdout, &mut self.stderr] {
            slot.release();
        }
    }

    /// Ends every open record.
    pub fn flush(&mut self, emit: &mut dyn FnMut(Raw<'_>)) {
        self.expire(i64::MAX, emit);
        for slot in [&mut self.plain, &mut self.stdout, &mut self.stderr] {
            slot.forget();
        }
    }

    /// When the last line came of the record that has waited longest; `None` when none is open.
    #[must_use]
    pub fn pending_since(&self) -> Option<i64> {
        let slots = [&self.plain, &self.stdout, &self.stderr];
        slots.into_iter().filter_map(|slot| slot.pending().map(|(_, last)| last)).min()
    }

    /// Whether an open record has bytes of that File.
    #[must_use]
    pub fn holds(&self, file: FileNumber) -> bool {
        let slots = [&self.plain, &self.stdout, &self.stderr];
        slots.into_iter().flat_map(Slot::spans).any(|span| span.file == file)
    }

    /// Bytes of memory held in buffers.
    #[must_use]
    pub fn resident(&self) -> usize {
        let slots = [&self.plain, &self.stdout, &self.stderr];
        slots.into_iter().map(Slot::resident).sum::<usize>()
    }

    /// Ends what cannot go on in these lines.
    fn begin(&mut self, lines: &Lines<'_>, emit: &mut dyn FnMut(Raw<'_>)) {
        let Some((file, end)) = self.end else { return };
        let follows = if lines.file == file {
            lines.start == end
        } else {
            lines.file > file && lines.start == 0
        };
        if !follows {
            self.flush(emit);
        }
        if lines.file != file {
            self.unwrapper.begin_file();
        }
    }

    fn take(
        &mut self,
        lines: &Lines<'_>,
        raw: Place,
        ending: LineEnding,
        now: i64,
        scratch: &mut Scratch,
        emit: &mut dyn FnMut(Raw<'_>),
    ) {
        let line = Line::read(lines, raw, ending, &mut self.unwrapper, scratch);
        let slot = match line.stream {
            None => &mut self.plain,
            Some(Stream::Stdout) => &mut self.stdout,
            Some(Stream::Stderr) => &mut self.stderr,
        };
        slot.take(&line, lines.bytes, &self.settings.joiner, self.settings.max_record, emit);
        slot.touch(now);
    }

    /// Of the records whose last line came at or before `before`, the one that begins first.
    fn first_pending(&mut self, before: i64) -> Option<&mut Slot> {
        [&mut self.plain, &mut self.stdout, &mut self.stderr]
            .into_iter()
            .filter_map(|slot| slot.pending().map(|pending| (pending, slot)))
            .filter(|((_, last), _)| *last <= before)
            .min_by_key(|((first, _), _)| (first.file, first.span.start))
            .map(|(_, slot)| slot)
    }
}

/// Whether a line lies far before the place `end` of its own File or a later one.
fn is_passed(line: FileSpan, file: FileNumber, end: u64) -> bool {
    let behind = if line.file == file { end.saturating_sub(line.span.end) } else { end };
    behind > PASSED_BY
}

impl fmt::Debug for Framer {
    /// Settings and sizes only: content may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Framer")
            .field("settings", &self.settings)
            .field("resident", &self.resident())
            .field("pending_since", &self.pending_since())
            .finish_non_exhaustive()
    }
}
