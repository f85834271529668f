//! What the workers made of the lines.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

use super::{Counted, Page, get};
use crate::pipeline::stats::PipelineStats;

pub(super) fn show(page: &mut Page, counted: &Counted) {
    let sum = |of: fn(&PipelineStats) -> &AtomicU64| -> u64 {
        counted.workers.iter().map(|worker| get(of(worker))).sum()
    };
    for (name, help, value) in [
        ("framed_bytes", "Bytes taken in by the workers", sum(|stats| &stats.bytes_read)),
        ("record_bytes", "Bytes of files that became records", sum(|stats| &stats.bytes_recorded)),
        ("framed_records", "Records framed", sum(|stats| &stats.records)),
        ("partial_records", "Records shipped without their end", sum(|stats| &stats.partial)),
        ("truncated_records", "Records cut at max_record", sum(|stats| &stats.truncated)),
        (
            "invalid_utf8_records",
            "Records with invalid UTF-8 or UTF-16, replaced by U+FFFD",
            sum(|stats| &stats.invalid_utf8),
        ),
        (
            "joins_cut_short",
            "Joined records ended early for lack of memory",
            sum(|stats| &stats.joins_cut_short),
        ),
    ] {
        page.counter(name, help, [(vec![], value)]);
    }
    page.gauge(
        "unframed_bytes",
        "Bytes read that are no records yet",
        [(vec![], counted.unframed_bytes() as f64)],
    );
    let unreadable = counted
        .sources
        .iter()
        .map(|source| (vec![("source", source.name.clone())], source.unreadable_times()));
    page.counter(
        "unreadable_times",
        "Records with a time that could not be read, by source",
        unreadable,
    );
    let mut unparsed = BTreeMap::new();
    for (misfit, count) in counted.workers.iter().flat_map(|worker| worker.unparsed()) {
        *unparsed.entry(misfit.name()).or_default() += count;
    }
    let unparsed = unparsed.into_iter().map(|(why, n)| (vec![("reason", why.to_owned())], n));
    page.counter("unparsed_records", "Records that no parser fitted, by reason", unparsed);
    let chosen = counted.workers.iter().flat_map(|worker| worker.choices());
    let chosen = chosen.map(|(format, n)| (vec![("format", format.to_string())], n as f64));
    page.gauge(
        "auto_files",
        "Log files that are read by a format that auto found, by format",
        chosen,
    );
    page.gauge(
        "worker_busy_seconds",
        "Time that workers spent working",
        [(vec![], sum(|stats| &stats.busy_nanos) as f64 / 1e9)],
    );
    let samples = counted.redactions().map(|(rule, count)| (vec![("rule", rule)], count));
    page.counter("redactions", "Values redacted, by rule", samples);
    let samples = counted.dropped_by_step().map(|(step, count)| (vec![("step", step)], count));
    page.counter("step_dropped_records", "Records dropped, by step", samples);
}
