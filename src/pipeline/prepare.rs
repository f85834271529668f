//! One record at a time from raw to redacted, by way of the steps: what the worker and `replay` have in
//! common.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use pillion_parsers::Arena;
use pillion_parsers::frame::Raw;
use pillion_parsers::parse::ReadAt;
use pillion_parsers::record::{Key, Known, Marks, Record, Text, Value};
use pillion_parsers::redact::{Redacted, Redactor};
use pillion_parsers::step::{Identity, Moment, Step, Stepper};

use super::lineage::Context;
use super::split::{Part, Split, length};
use super::stats::PipelineStats;

/// What drops a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DroppedBy {
    /// A step, by its index in `Settings::steps`.
    Step(usize),
    /// A redaction rule.
    Rule,
}

/// Parses, takes through the steps and redacts, with allocations that are reused from record to record.
pub(super) struct Preparer {
    pub(super) redactor: Redactor,
    /// All steps of the configuration; a [`Context`] has the indexes of its own.
    steps: Arc<[Step]>,
    stepper: Stepper,
    arena: Arena,
    /// The record's allocations between two records.
    spare: Record<'static>,
    stats: Arc<PipelineStats>,
    /// Throttles go by the records' own times where they have one: those of a replay, which reads in a
    /// moment what was written over hours.
    pub(super) throttles_by_own_time: bool,
    /// The records of a line that holds several.
    split: Split,
}

impl Preparer {
    pub(super) fn new(redactor: Redactor, steps: Arc<[Step]>, stats: Arc<PipelineStats>) -> Self {
        Self {
            redactor,
            steps,
            stepper: Stepper::default(),
            arena: Arena::new(),
            spare: Record::default(),
            stats,
            throttles_by_own_time: false,
            split: Split::default(),
        }
    }

    /// Lends `then` what may leave the process, or says what drops the record: for each record that the
    /// text holds.
    pub(super) fn prepare(
        &mut self,
        context: &mut Context,
        raw: &Raw<'_>,
        mut then: impl FnMut(&Context, Part<'_>, Result<&Redacted<'_, '_>, DroppedBy>),
    ) {
        // What is UTF-8 is found to be so many times faster than it is put right.
        let text = match std::str::from_utf8(raw.text) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => {
                self.stats.invalid_utf8.fetch_add(1, Ordering::Relaxed);
                String::from_utf8_lossy(raw.text)
            }
        };
        if let Some(first) = raw.spans.first() {
            context.parser.place(*first);
        }
        if !self.split.find(&context.parser, &text) {
            return self.one(context, raw, Part { text: &text, at: 0, is_last: true }, then);
        }
        let mut split = std::mem::take(&mut self.split);
        for number in 0..split.len() {
            let part = split.part(number, &text, length(raw.spans));
            let is_last = part.is_last;
            self.one(context, raw, part, &mut then);
            if is_last {
                break;
            }
        }
        split.trim();
        self.split = split;
    }

    /// One record.
    fn one(
        &mut self,
        context: &mut Context,
        raw: &Raw<'_>,
        part: Part<'_>,
        then: impl FnOnce(&Context, Part<'_>, Result<&Redacted<'_, '_>, DroppedBy>),
    ) {
        let text = part.text;
        // It is empty: nothing need be done for it to borrow from this text.
        let mut record: Record<'_> = std::mem::take(&mut self.spare);
        let at = ReadAt { now: context.read_at, container_time: raw.container_time };
        let before = *context.parser.counters();
        context.parser.parse(text, at, &self.arena, &mut record);
        let after = context.parser.counters();
        if before.parsed == after.parsed {
            self.stats.count_parsed(&before, after);
        }
        if before.bad_times != after.bad_times {
            context.source.count_unreadable_time(&context.path);
        }
        if before.vague_zones != after.vague_zones {
            context.source.say_vague_zone(&context.path);
        }
        if let Some(stream) = raw.stream
            && record.get(Known::Stream.name()).is_none()
        {
            record.push(Key::Known(Known::Stream), Value::Text(Text::fixed(stream.name())));
        }
        record.marks.partial |= raw.partial;
        record.marks.truncated |= raw.truncated;
        let (redactor, stepper) = (&mut self.redactor, &mut self.stepper);
        let (steps, arena) = (&self.steps, &self.arena);
        let dropped = if context.steps.is_empty() {
            None
        } else {
            let read_at = context.read_at;
            let own = record.time.filter(|_| self.throttles_by_own_time);
            let throttled_at = own.map_or(read_at, |time| time.nanos);
            let (identity, max_record) = (identity(raw, part), context.max_record);
            let moment = Moment { identity, read_at, throttled_at, max_record };
            stepper.run(steps, &context.steps, moment, arena, &mut record)
        };
        count(&self.stats, record.marks);
        let block = &mut context.block;
        let redacted = match (dropped, &mut context.explained) {
            (Some(step), explained) => {
                explained.iter_mut().for_each(Vec::clear);
                self.stats.drop_by_step(step);
                redactor.pass_by(text, block);
                Err(DroppedBy::Step(step))
            }
            (None, None) => redactor.redact(text, &mut record, arena, block).ok_or(DroppedBy::Rule),
            (None, Some(explained)) => {
                let (redacted, found) = redactor.redact_explained(text, &mut record, arena, block);
                *explained = found;
                redacted.ok_or(DroppedBy::Rule)
            }
        };
        context.catch_up(raw.container);
        then(context, part, redacted.as_ref().map_err(|dropped| *dropped));
        self.spare = record.recycle();
        self.arena.reset();
    }

    /// Shows the redactor's counts to whoever scrapes: once a chunk, not once a record.
    pub(super) fn publish(&self) {
        self.stats.publish_redactions(self.redactor.matches());
    }
}

fn count(stats: &PipelineStats, marks: Marks) {
    stats.records.fetch_add(1, Ordering::Relaxed);
    for (mark, counter) in [(marks.partial, &stats.partial), (marks.truncated, &stats.truncated)] {
        if mark {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What tells a record from all others: where it begins, and what it is.
fn identity(raw: &Raw<'_>, part: Part<'_>) -> Identity {
    let first = raw.spans.first();
    Identity {
        file: first.map_or(0, |first| first.file.0.into()),
        offset: first.map_or(0, |first| first.span.start) + part.at,
        hash: raw.hash,
    }
}
