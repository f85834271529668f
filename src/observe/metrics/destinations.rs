//! What became of the records at each destination. At rest,
//! `routed = delivered + duplicate + already settled + dead-lettered + dropped + lost + returned + in
//! flight + open + buffered`. What an earlier run left in the buffer counts as routed when it is taken over.

use super::{Counted, Labels, Page, get};
use crate::export::stats::DestinationStats;

pub(super) fn show(page: &mut Page, counted: &Counted) {
    outcomes(page, counted);
    requests(page, counted);
    states(page, counted);
    buffers(page, counted);
}

/// One sample per destination.
fn each<'c, V: 'c>(
    counted: &'c Counted,
    value: impl Fn(&DestinationStats) -> V + 'c,
) -> impl Iterator<Item = (Labels, V)> + 'c {
    counted
        .destinations
        .iter()
        .map(move |(name, stats)| (vec![("destination", name.clone())], value(stats)))
}

fn labelled(name: &str, label: &'static str, value: &str) -> Labels {
    vec![("destination", name.to_owned()), (label, value.to_owned())]
}

fn outcomes(page: &mut Page, counted: &Counted) {
    page.counter(
        "routed_records",
        "Records meant for the destination",
        each(counted, |stats| get(&stats.routed)),
    );
    let mut outcomes = Vec::new();
    let mut dead = Vec::new();
    let mut lost = Vec::new();
    let mut dropped = Vec::new();
    for (name, stats) in &counted.destinations {
        for (outcome, value) in [
            ("delivered", get(&stats.delivered)),
            ("duplicate", get(&stats.duplicate)),
            ("already_settled", get(&stats.already_settled)),
            ("dead_lettered", stats.dead_lettered().map(|(_, count)| count).sum()),
            ("dropped", stats.dropped().map(|(_, count)| count).sum()),
            ("lost", stats.lost().map(|(_, count)| count).sum()),
            ("returned", get(&stats.returned)),
        ] {
            outcomes.push((labelled(name, "outcome", outcome), value));
        }
        dead.extend(
            stats.dead_lettered().map(|(why, n)| (labelled(name, "reason", why.name()), n)),
        );
        dropped.extend(stats.dropped().map(|(why, n)| (labelled(name, "reason", why.name()), n)));
        lost.extend(stats.lost().map(|(why, n)| (labelled(name, "reason", why.name()), n)));
    }
    page.counter("records", "Records settled, by outcome", outcomes);
    page.counter("dead_letters", "Records refused for good and kept, by reason", dead);
    page.counter("dropped_records", "Records left out on the user's wish, by reason", dropped);
    page.counter("lost_records", "Records neither delivered nor kept, by reason", lost);
    page.counter(
        "cut_at_destination",
        "Records cut to the destination's own limit on a line",
        each(counted, |stats| get(&stats.cut)),
    );
}

fn requests(page: &mut Page, counted: &Counted) {
    page.counter("requests", "Requests sent", each(counted, |stats| get(&stats.requests)));
    page.counter(
        "splits",
        "Payloads sent again in two parts",
        each(counted, |stats| get(&stats.splits)),
    );
    page.counter(
        "sent_wire_bytes",
        "Bytes of bodies sent, compressed, retries included",
        each(counted, |stats| get(&stats.bytes_wire)),
    );
    page.counter(
        "sent_plain_bytes",
        "The same before compression",
        each(counted, |stats| get(&stats.bytes_plain)),
    );
    let mut retries = Vec::new();
    let mut refusals = Vec::new();
    for (name, stats) in &counted.destinations {
        retries
            .extend(stats.retries().map(|(class, n)| (labelled(name, "class", class.name()), n)));
        refusals
            .extend(stats.pauses().map(|(class, n)| (labelled(name, "class", class.name()), n)));
    }
    page.counter("retries", "What was to be sent again, by class", retries);
    page.counter("refusals", "Answers that a person must act on, by class", refusals);
    page.counter(
        "dead_letter_write_failures",
        "Dead letters that could not be written at once",
        each(counted, |stats| get(&stats.dead_letter_failures)),
    );
}

fn states(page: &mut Page, counted: &Counted) {
    let seconds = |age: Option<std::time::Duration>| age.map_or(0.0, |age| age.as_secs_f64());
    page.gauge(
        "open_records",
        "Records in open batches",
        each(counted, |stats| get(&stats.open) as f64),
    );
    page.gauge(
        "in_flight_records",
        "Records in closed batches that are not settled",
        each(counted, |stats| get(&stats.in_flight) as f64),
    );
    page.gauge(
        "unaccounted_records",
        "Records meant for the destination that are nowhere: 0, but for an instant while they move",
        each(counted, |stats| stats.unaccounted() as f64),
    );
    page.gauge(
        "oldest_in_flight_seconds",
        "Age of the oldest batch that is not settled",
        each(counted, move |stats| seconds(stats.oldest_age())),
    );
    page.gauge(
        "retry_in_seconds",
        "Time until the next attempt while the destination fails",
        each(counted, move |stats| seconds(stats.retry_in())),
    );
    page.gauge(
        "active_requests",
        "Requests in flight",
        each(counted, |stats| get(&stats.active) as f64),
    );
    page.gauge(
        "dead_letter_bytes",
        "Bytes in the dead-letter file",
        each(counted, |stats| get(&stats.dead_letter_bytes) as f64),
    );
}

fn buffers(page: &mut Page, counted: &Counted) {
    page.gauge(
        "buffered_records",
        "Records in the disk buffer that are not being sent",
        each(counted, |stats| get(&stats.buffer.records) as f64),
    );
    page.gauge(
        "buffer_bytes",
        "Bytes in the disk buffer",
        each(counted, |stats| get(&stats.buffer.bytes) as f64),
    );
    page.gauge(
        "buffer_limit_bytes",
        "Bytes that the disk buffer may have",
        each(counted, |stats| get(&stats.buffer.limit) as f64),
    );
    page.counter(
        "buffer_write_failures",
        "Writes to the disk buffer that failed",
        each(counted, |stats| get(&stats.buffer.write_failures)),
    );
}
