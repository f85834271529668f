//! One record at a time from raw to redacted: what the worker and `replay` have in common.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use pillion_parsers::Arena;
use pillion_parsers::frame::Raw;
use pillion_parsers::parse::ReadAt;
use pillion_parsers::record::{Key, Known, Marks, Record, Text, Value};
use pillion_parsers::redact::{Match, Redacted, Redactor};

use super::lineage::Context;
use super::stats::PipelineStats;

/// Parses and redacts, with allocations that are reused from record to record.
pub(super) struct Preparer {
    pub(super) redactor: Redactor,
    arena: Arena,
    /// The record's allocations between two records.
    spare: Record<'static>,
    stats: Arc<PipelineStats>,
    /// What was redacted where; only while somebody wants to know.
    pub(super) explained: Option<Vec<Match>>,
}

impl Preparer {
    pub(super) fn new(redactor: Redactor, stats: Arc<PipelineStats>) -> Self {
        Self { redactor, arena: Arena::new(), spare: Record::default(), stats, explained: None }
    }

    /// Lends `then` what may leave the process; `None` when a rule drops the record.
    pub(super) fn prepare(
        &mut self,
        context: &mut Context,
        raw: &Raw<'_>,
        then: impl FnOnce(&Context, Option<&Redacted<'_, '_>>),
    ) {
        let mut record = std::mem::take(&mut self.spare).recycle();
        let text = match std::str::from_utf8(raw.text) {
            Ok(text) => text,
            Err(_) => {
                self.stats.invalid_utf8.fetch_add(1, Ordering::Relaxed);
                self.arena.alloc_str(&String::from_utf8_lossy(raw.text))
            }
        };
        let at = ReadAt { now: context.read_at, container_time: raw.container_time };
        if let Some(first) = raw.spans.first() {
            context.parser.place(*first);
        }
        let before = *context.parser.counters();
        context.parser.parse(text, at, &self.arena, &mut record);
        let after = context.parser.counters();
        if before.parsed == after.parsed {
            self.stats.count_parsed(&before, after);
        }
        if before.bad_times != after.bad_times {
            context.source.count_unreadable_time(&context.path);
        }
        if let Some(stream) = raw.stream
            && record.get(Known::Stream.name()).is_none()
        {
            record.push(Key::Known(Known::Stream), Value::Text(Text::fixed(stream.name())));
        }
        record.marks.partial |= raw.partial;
        record.marks.truncated |= raw.truncated;
        self.count(record.marks);
        let (arena, block) = (&self.arena, &mut context.block);
        let redacted = match &mut self.explained {
            None => self.redactor.redact(text, &mut record, arena, block),
            Some(explained) => {
                let (redacted, found) =
                    self.redactor.redact_explained(text, &mut record, arena, block);
                explained.extend(found);
                redacted
            }
        };
        context.catch_up(raw.container);
        then(context, redacted.as_ref());
        self.spare = record.recycle();
        self.arena.reset();
    }

    fn count(&self, marks: Marks) {
        let stats = &self.stats;
        stats.records.fetch_add(1, Ordering::Relaxed);
        for (mark, counter) in
            [(marks.partial, &stats.partial), (marks.truncated, &stats.truncated)]
        {
            if mark {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Shows the redactor's counts to whoever scrapes: once a chunk, not once a record.
    pub(super) fn publish(&self) {
        self.stats.publish_redactions(self.redactor.matches());
    }
}
