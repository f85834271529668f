//! What the workers count. Read at scrape time by `observe`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pillion_parsers::parse::{Counters, Misfit};

/// What is counted for one source, over all workers and generations.
#[derive(Debug)]
pub struct SourceStats {
    /// The source's name in the configuration.
    pub name: String,
    /// Records with a time that could not be read.
    unreadable_times: AtomicU64,
    /// Whether that was said in this generation: of a whole file in an unknown format, one line is
    /// enough.
    said: AtomicBool,
    /// The same of a zone that several go by the name of.
    said_of_zone: AtomicBool,
}

impl SourceStats {
    /// Counters at zero.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let name = name.to_owned();
        let (said, said_of_zone) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { name, unreadable_times: AtomicU64::new(0), said, said_of_zone }
    }

    /// Counts a record whose time could not be read, in a file whose path may be shown; the first is
    /// said.
    pub fn count_unreadable_time(&self, path: &str) {
        self.unreadable_times.fetch_add(1, Ordering::Relaxed);
        if !self.said.swap(true, Ordering::Relaxed) {
            // Never the text itself: it is not redacted.
            tracing::warn!(
                source = self.name,
                path,
                "cannot read the time of a record: the time of reading stands for it, here and in \
                 all that follow; run `pillion explain` on the file, and give the format under \
                 `parsers`, as `time: {{format: …}}`"
            );
        }
    }

    /// Says once that a file, whose path may be shown, has times with an abbreviation that several zones go by.
    pub fn say_vague_zone(&self, path: &str) {
        if !self.said_of_zone.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                source = self.name,
                path,
                "a time names its zone by an abbreviation that several zones have, as `CST`: it is taken for \
                 UTC, here and in all that follow; give the source its `zone`, as `America/Chicago`"
            );
        }
    }

    /// Records whose time could not be read.
    pub fn unreadable_times(&self) -> u64 {
        self.unreadable_times.load(Ordering::Relaxed)
    }

    /// Begins a generation: what is wrong with the new configuration is said anew.
    pub fn say_again(&self) {
        self.said.store(false, Ordering::Relaxed);
        self.said_of_zone.store(false, Ordering::Relaxed);
    }
}

/// Counters of one worker; `observe` sums them over workers.
#[derive(Debug)]
pub struct PipelineStats {
    /// Bytes of Files taken in, the parts cut at `max_record` included.
    pub bytes_read: AtomicU64,
    /// Of those, the ones that became records.
    pub bytes_recorded: AtomicU64,
    /// Raw records framed.
    pub records: AtomicU64,
    /// Records that no parser fitted, by reason: indexed like [`Misfit::ALL`].
    unparsed: [AtomicU64; Misfit::ALL.len()],
    /// Records shipped without their end.
    pub partial: AtomicU64,
    /// Records cut at `max_record`.
    pub truncated: AtomicU64,
    /// Records with invalid UTF-8, replaced by U+FFFD.
    pub invalid_utf8: AtomicU64,
    /// Joined records ended early because joiners held their whole share of the budget.
    pub joins_cut_short: AtomicU64,
    /// Times round the worker's loop: stands still only when the thread does.
    pub turns: AtomicU64,
    /// Nanoseconds spent working, for the share of a core.
    pub busy_nanos: AtomicU64,
    /// Matches by redaction rule, in the order of `Rules::names`.
    redactions: Vec<AtomicU64>,
    /// Of those, the ones that workers of earlier generations counted.
    redacted_before: Vec<AtomicU64>,
    /// Records dropped, by step, in the order of `Settings::steps`.
    dropped_by_step: Vec<AtomicU64>,
    /// Lineages by the format that `auto` chose for them: as many as there are formats, at most. Locked
    /// when a choice changes.
    choices: Mutex<BTreeMap<Arc<str>, u64>>,
}

impl PipelineStats {
    /// Counters at zero, with one for each of `rules` redaction rules and each of `steps` steps.
    #[must_use]
    pub fn new(rules: usize, steps: usize) -> Self {
        let zeros = |count| std::iter::repeat_with(|| AtomicU64::new(0)).take(count).collect();
        Self {
            bytes_read: AtomicU64::new(0),
            bytes_recorded: AtomicU64::new(0),
            records: AtomicU64::new(0),
            unparsed: [const { AtomicU64::new(0) }; Misfit::ALL.len()],
            partial: AtomicU64::new(0),
            truncated: AtomicU64::new(0),
            invalid_utf8: AtomicU64::new(0),
            joins_cut_short: AtomicU64::new(0),
            turns: AtomicU64::new(0),
            busy_nanos: AtomicU64::new(0),
            redactions: zeros(rules),
            redacted_before: zeros(rules),
            dropped_by_step: zeros(steps),
            choices: Mutex::default(),
        }
    }

    /// Counts what a parser counted between two looks at its counters, one record apart.
    pub fn count_parsed(&self, before: &Counters, after: &Counters) {
        for (reason, counter) in self.unparsed.iter().enumerate() {
            if before.unparsed.get(reason) != after.unparsed.get(reason) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Records that no parser fitted, by reason.
    pub fn unparsed(&self) -> impl Iterator<Item = (Misfit, u64)> {
        Misfit::ALL.into_iter().zip(self.unparsed.iter().map(|count| count.load(Ordering::Relaxed)))
    }

    /// Takes over the redactor's running counts.
    pub fn publish_redactions(&self, matches: &[u64]) {
        let shown = self.redactions.iter().zip(&self.redacted_before);
        for ((shown, before), count) in shown.zip(matches) {
            shown.store(before.load(Ordering::Relaxed) + count, Ordering::Relaxed);
        }
    }

    /// Counts a record that a step dropped.
    pub fn drop_by_step(&self, step: usize) {
        if let Some(count) = self.dropped_by_step.get(step) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records dropped, by step, in the order of `Settings::steps`.
    pub fn dropped_by_step(&self) -> impl Iterator<Item = u64> {
        self.dropped_by_step.iter().map(|count| count.load(Ordering::Relaxed))
    }

    /// Counts a lineage under a format that `auto` chose for it, or no longer.
    pub fn count_choice(&self, format: &Arc<str>, chosen: bool) {
        let mut choices = self.choices.lock().unwrap_or_else(PoisonError::into_inner);
        let count = choices.entry(format.clone()).or_default();
        *count = if chosen { *count + 1 } else { count.saturating_sub(1) };
        choices.retain(|_, count| *count > 0);
    }

    /// Lineages by the format that `auto` chose for them.
    pub fn choices(&self) -> Vec<(Arc<str>, u64)> {
        let choices = self.choices.lock().unwrap_or_else(PoisonError::into_inner);
        choices.iter().map(|(format, count)| (format.clone(), *count)).collect()
    }

    /// Goes on from where a worker of an earlier generation ended. `redactions` are its matches, in
    /// the order of this one's rules; `dropped` are the records that its steps dropped, likewise.
    pub fn go_on_from(
        &self,
        earlier: &Self,
        redactions: impl Iterator<Item = u64>,
        dropped: impl Iterator<Item = u64>,
    ) {
        for (mine, its) in [
            (&self.bytes_read, &earlier.bytes_read),
            (&self.bytes_recorded, &earlier.bytes_recorded),
            (&self.records, &earlier.records),
            (&self.partial, &earlier.partial),
            (&self.truncated, &earlier.truncated),
            (&self.invalid_utf8, &earlier.invalid_utf8),
            (&self.joins_cut_short, &earlier.joins_cut_short),
            (&self.busy_nanos, &earlier.busy_nanos),
        ]
        .into_iter()
        .chain(self.unparsed.iter().zip(&earlier.unparsed))
        {
            mine.fetch_add(its.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        let mine = self.redactions.iter().zip(&self.redacted_before);
        for ((shown, before), count) in mine.zip(redactions) {
            before.fetch_add(count, Ordering::Relaxed);
            shown.fetch_add(count, Ordering::Relaxed);
        }
        for (mine, its) in self.dropped_by_step.iter().zip(dropped) {
            mine.fetch_add(its, Ordering::Relaxed);
        }
    }

    /// Matches by rule, in the order of `Rules::names`.
    pub fn redactions(&self) -> impl Iterator<Item = u64> {
        self.redactions.iter().map(|count| count.load(Ordering::Relaxed))
    }
}
