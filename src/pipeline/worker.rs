//! The worker: Chunks in, Batches out. Owns its lineages, its redactor and the open batches.
//!
//! Pure but for the queues it closes batches into. `now` is an argument, in nanoseconds of a clock
//! that never jumps (a wall clock set back would stop every timer); the wall clock comes with the
//! chunks, as the time they were read. [`thread`](super::thread) drives it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pillion_parsers::frame::{FileNumber, LineEnding, Lines, Raw};
use pillion_parsers::multiline::Joiner;
use pillion_parsers::redact::{Clean, Redactor};

use super::chunk::{Chunk, Ending, JOIN_TIMEOUT, LineageId, Opened, Read};
use super::lineage::{Context, Lineage, joiner};
use super::outlet::Outlet;
use super::prepare::Preparer;
use super::stats::{PipelineStats, SourceStats};
use crate::budget::{Budget, Permit};
use crate::config::memory;
use crate::config::settings::Settings;
use crate::export::encode::Place;
use crate::export::id::{Instance, RecordId};

/// How long after a tick that could not close an overdue batch the next is due: at first, and at
/// most, when the destination has been behind for long.
const OVERDUE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(250));

/// What a worker is made of.
pub struct WorkerParts {
    /// The configuration.
    pub settings: Arc<Settings>,
    /// Goes into every record's id.
    pub instance: Instance,
    /// The name of the host, or of the pod: `host.name` of every record.
    pub host: String,
    /// One per destination, in the order of [`Settings::destinations`].
    pub outlets: Vec<Outlet>,
    /// Where joiners are accounted.
    pub budget: Arc<Budget>,
    /// Its counters.
    pub stats: Arc<PipelineStats>,
    /// Those of the sources, in the order of [`Settings::sources`]; shared with the other workers.
    pub sources: Vec<Arc<SourceStats>>,
}

/// A worker's state.
pub struct Worker {
    /// The joiner of each source.
    source_joiners: Vec<Joiner>,
    lineages: HashMap<LineageId, Lineage>,
    /// Lineages whose framer holds a record open.
    joining: BTreeMap<LineageId, Joining>,
    /// Nothing could be read for want of budget, as of what was taken in last.
    pressed: bool,
    /// What the open records of all framers occupy.
    joined: usize,
    /// Their share of the budget; while a chunk is worked on, also what was that chunk's.
    joiners: Permit,
    /// The part of the budget that this worker's joiners may hold; beyond it the longest-waiting
    /// record is ended.
    joiners_limit: usize,
    settings: Arc<Settings>,
    stats: Arc<PipelineStats>,
    /// The counters of each source.
    sources: Vec<Arc<SourceStats>>,
    bench: Bench,
}

/// How long a lineage's open record has waited, and for whom.
#[derive(Clone, Copy, Debug, Default)]
struct Joining {
    /// When its last line came.
    since: i64,
    /// Whether the lineage was read to its end. Only then does time end the record: a pause of our
    /// own reading must not cut what the writer wrote in one go.
    caught_up: bool,
}

/// What one record at a time is worked on with.
struct Bench {
    preparer: Preparer,
    outlets: Vec<Outlet>,
    instance: Instance,
    host: Clean,
    /// Bytes of Files in the records framed since it was last published.
    recorded: u64,
}

impl Worker {
    /// A worker that knows no lineage yet.
    #[must_use]
    pub fn new(parts: WorkerParts) -> Self {
        let WorkerParts { settings, instance, host, outlets, budget, stats, sources } = parts;
        let mut redactor = Redactor::new(Arc::clone(&settings.redact));
        let host = redactor.clean(&host);
        Self {
            source_joiners: settings
                .sources
                .iter()
                .map(|source| joiner(source, &settings.library))
                .collect(),
            lineages: HashMap::new(),
            joining: BTreeMap::new(),
            pressed: false,
            joined: 0,
            joiners: budget.overdraw(0),
            joiners_limit: budget.limit() / memory::JOINERS / settings.threads.get(),
            bench: Bench {
                preparer: Preparer::new(redactor, Arc::clone(&settings.steps), Arc::clone(&stats)),
                outlets,
                instance,
                host,
                recorded: 0,
            },
            settings,
            stats,
            sources,
        }
    }

    /// Takes in what the tailer read.
    pub fn take(&mut self, read: Read, now: i64) {
        match read {
            Read::Opened(opened) => self.open(&opened),
            Read::Chunk(chunk) => self.chunk(chunk, now),
            Read::CaughtUp(lineage) => self.caught_up(lineage, true),
            Read::Behind(lineage) => self.caught_up(lineage, false),
            Read::Pressed => {
                self.pressed = true;
                self.bench.outlets.iter_mut().for_each(Outlet::close_if_idle);
            }
            Read::Retired { lineage, file, last } => self.retire(lineage, file, last, now),
        }
    }

    /// Ends records whose next line did not come in time, and closes batches that are old enough.
    /// `waiting` is all that was read and not yet taken in: the next line may be in it.
    pub fn tick(&mut self, waiting: &VecDeque<Read>, now: i64) {
        // Reading stands still. While a destination has something, it will give budget back; once
        // none has, open records may be all that holds it, and waiting for their next lines would be
        // waiting for ever.
        let stuck = std::mem::take(&mut self.pressed)
            && waiting.is_empty()
            && self.bench.outlets.iter().all(Outlet::is_idle);
        self.expire(now, |id, joining| {
            stuck || joining.caught_up && !waiting.iter().any(|read| read.lineage() == Some(id))
        });
        self.close_due(now);
    }

    /// Closes batches that are old enough.
    pub fn close_due(&mut self, now: i64) {
        for outlet in &mut self.bench.outlets {
            outlet.close_if_due(now);
        }
    }

    /// When [`tick`](Self::tick) has something to do next; `None` while nothing waits.
    #[must_use]
    pub fn next_tick(&self, now: i64) -> Option<i64> {
        let timed = self.joining.values().filter(|joining| joining.caught_up);
        let joined = timed.map(|joining| joining.since + nanos(JOIN_TIMEOUT)).min();
        let batch = self.bench.outlets.iter().filter_map(Outlet::due).min();
        // What is overdue waits for a destination to catch up: look again soon, not at once.
        let again = |at: i64| ((now - at) / 8).clamp(nanos(OVERDUE.0), nanos(OVERDUE.1));
        [joined, batch].into_iter().flatten().min().map(|at| at.max(now + again(at)))
    }

    /// Closes every open batch: no more will come. Records that are still held open, since their
    /// lineages were not retired, are left alone: they are read again, and go on.
    pub fn end(&mut self, now: i64) {
        for outlet in &mut self.bench.outlets {
            outlet.drain(now);
        }
    }

    /// Ends records that have waited long enough, in lineages that `may` say so.
    fn expire(&mut self, now: i64, may: impl Fn(LineageId, &Joining) -> bool) {
        let before = now.saturating_sub(nanos(JOIN_TIMEOUT));
        let late =
            |(id, joining): &(&LineageId, &Joining)| joining.since <= before && may(**id, joining);
        let late: Vec<_> = self.joining.iter().filter(late).map(|(id, _)| *id).collect();
        for id in late {
            self.with(id, |lineage, bench| {
                let Lineage { framer, context } = lineage;
                framer.expire(before, &mut |raw| bench.record(context, &raw, now));
            });
        }
    }

    fn caught_up(&mut self, id: LineageId, caught_up: bool) {
        if let Some(joining) = self.joining.get_mut(&id) {
            joining.caught_up = caught_up;
        }
    }

    fn open(&mut self, opened: &Opened) {
        let source = self.settings.sources.get(opened.source);
        let Some((source, stats)) = source.zip(self.sources.get(opened.source)) else { return };
        let redactor = &mut self.bench.preparer.redactor;
        let (library, joiners) = (&self.settings.library, &self.source_joiners);
        self.lineages
            .entry(opened.lineage)
            .or_insert_with(|| {
                let joiner = joiners.get(opened.source).cloned().unwrap_or_else(Joiner::none);
                Lineage::new(opened, source, library, joiner, stats, redactor)
            })
            .open(opened, source, library);
    }

    fn chunk(&mut self, mut chunk: Chunk, now: i64) {
        let reserved = chunk.permit.bytes().saturating_sub(chunk.bytes.len());
        let share = reserved / self.bench.outlets.len().max(1);
        for outlet in &mut self.bench.outlets {
            outlet.reserve(chunk.permit.split(share));
        }
        let lines = Lines {
            file: chunk.file,
            start: chunk.span.start,
            bytes: &chunk.bytes,
            ending: match chunk.ending {
                Ending::Newline => LineEnding::Newline,
                Ending::Partial => LineEnding::Partial,
                Ending::Cut => LineEnding::Cut { end: chunk.span.end },
            },
            encoding: chunk.encoding,
        };
        self.stats.bytes_read.fetch_add(chunk.span.len(), Ordering::Relaxed);
        // What is joined of it stays, in place of it.
        self.joiners.absorb(chunk.permit);
        self.with(chunk.lineage, |lineage, bench| {
            let Lineage { framer, context } = lineage;
            if context.leaps_to(chunk.file) {
                framer.flush(&mut |raw| bench.record(context, &raw, now));
            }
            context.turn_to(chunk.file, framer);
            context.read_at = chunk.read_at;
            framer.push(lines, now, &mut |raw| bench.record(context, &raw, now));
        });
        self.caught_up(chunk.lineage, chunk.caught_up);
        for outlet in &mut self.bench.outlets {
            outlet.true_up();
        }
        while self.joined > self.joiners_limit
            && let Some((oldest, _)) = self.joining.iter().min_by_key(|(_, joining)| joining.since)
        {
            let oldest = *oldest;
            self.stats.joins_cut_short.fetch_add(1, Ordering::Relaxed);
            self.flush(oldest, now);
        }
    }

    fn retire(&mut self, id: LineageId, file: FileNumber, last: bool, now: i64) {
        if last {
            self.flush(id, now);
            self.lineages.remove(&id);
        } else if let Some(lineage) = self.lineages.get_mut(&id) {
            lineage.retire(file);
        }
    }

    fn flush(&mut self, id: LineageId, now: i64) {
        self.with(id, |lineage, bench| {
            let Lineage { framer, context } = lineage;
            framer.flush(&mut |raw| bench.record(context, &raw, now));
        });
        self.joining.remove(&id);
    }

    /// Works on one lineage, and keeps the account of what its framer holds open.
    fn with(&mut self, id: LineageId, work: impl FnOnce(&mut Lineage, &mut Bench)) {
        let Some(lineage) = self.lineages.get_mut(&id) else { return };
        let before = lineage.framer.resident();
        work(lineage, &mut self.bench);
        let Context { parser, choice, path, source, .. } = &mut lineage.context;
        choice.follow(parser, path, &source.name, &self.stats);
        self.bench.preparer.publish();
        let recorded = std::mem::take(&mut self.bench.recorded);
        self.stats.bytes_recorded.fetch_add(recorded, Ordering::Relaxed);
        let after = lineage.framer.resident();
        self.joined = (self.joined + after).saturating_sub(before);
        self.joiners.resize(self.joined);
        match lineage.framer.pending_since() {
            Some(since) => self.joining.entry(id).or_default().since = since,
            None => {
                self.joining.remove(&id);
            }
        }
    }
}

impl Bench {
    /// Takes a raw record the whole way: parse, steps, redact, encode for each destination.
    fn record(&mut self, context: &mut Context, raw: &Raw<'_>, now: i64) {
        let Some(first) = raw.spans.first() else { return };
        self.recorded += raw.spans.iter().map(|span| span.span.len()).sum::<u64>();
        let Self { preparer, outlets, instance, host, .. } = self;
        preparer.prepare(context, raw, |context, part, redacted| {
            let id = RecordId {
                instance: *instance,
                file: first.file,
                offset: first.span.start + part.at,
                hash: raw.hash,
                sub: 0,
            };
            let spans = if part.is_last { raw.spans } else { &[] };
            let place = Place {
                path: &context.path,
                host,
                enrich: &context.enrich,
                id,
                read_at: context.read_at,
            };
            for &destination in &context.to {
                let Some(outlet) = outlets.get_mut(destination) else { continue };
                if context.is_settled(destination, raw.spans) {
                    outlet.pass_over();
                    continue;
                }
                match redacted {
                    Ok(redacted) => outlet.add(redacted, &place, spans, &context.resume, now),
                    Err(_) => outlet.drop_record(spans, &context.resume, now),
                }
            }
        });
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
