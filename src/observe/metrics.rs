//! The metrics page: the stages' counters in OpenMetrics' text form, put together at every scrape.
//!
//! Label sets are bounded: sources, destinations, rules and reasons come from the configuration and
//! the program; paths only as the few Files furthest behind ([`LAG_LISTED`](crate::tail::stats::LAG_LISTED)).

mod destinations;
#[cfg(test)]
mod documented;
mod pipeline;
mod tail;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::loaded::Loaded;
use crate::budget::Budget;
use crate::export::stats::DestinationStats;
use crate::pipeline::stats::{PipelineStats, SourceStats};
use crate::tail::stats::TailStats;

/// Label names and values of one sample.
type Labels = Vec<(&'static str, String)>;

/// Everything that is shown, shared with the stages that count it.
#[derive(Debug)]
pub struct Counted {
    /// Names and counters of the sources, in the order of the settings.
    pub sources: Vec<Arc<SourceStats>>,
    /// Names and counters of the destinations, in the order of the settings.
    pub destinations: Vec<(String, Arc<DestinationStats>)>,
    /// Names of the redaction rules, in the order of their counters.
    pub rules: Vec<String>,
    /// Names of the steps, in the order of their counters, and whether they may drop records.
    pub steps: Vec<(String, bool)>,
    /// The tail's counters.
    pub tail: Arc<TailStats>,
    /// The workers' counters, one each.
    pub workers: Vec<Arc<PipelineStats>>,
    /// The budget.
    pub budget: Arc<Budget>,
    /// Redacts a path for display.
    pub redact: Arc<pillion_parsers::redact::Rules>,
}

impl Counted {
    /// Values redacted so far, by rule, over all workers.
    pub fn redactions(&self) -> impl Iterator<Item = (String, u64)> {
        let mut by_rule = vec![0; self.rules.len()];
        for worker in &self.workers {
            for (total, count) in by_rule.iter_mut().zip(worker.redactions()) {
                *total += count;
            }
        }
        self.rules.iter().cloned().zip(by_rule)
    }

    /// Bytes read that are no records yet: they wait for a worker, or for a record's next line. What is
    /// not shipped at rest, and no record either, is nowhere.
    #[must_use]
    pub fn unframed_bytes(&self) -> i64 {
        // In this order: what moves meanwhile shows as bytes on their way, never as too many.
        let recorded = self.recorded_bytes() + get(&self.tail.bytes_returned);
        get(&self.tail.bytes_read).cast_signed().wrapping_sub(recorded.cast_signed())
    }

    /// Bytes of files that became records, over all workers.
    pub fn recorded_bytes(&self) -> u64 {
        self.workers.iter().map(|worker| get(&worker.bytes_recorded)).sum()
    }

    /// Records dropped so far, by those steps that may drop any, over all workers.
    pub fn dropped_by_step(&self) -> impl Iterator<Item = (String, u64)> {
        let mut by_step = vec![0; self.steps.len()];
        for worker in &self.workers {
            for (total, count) in by_step.iter_mut().zip(worker.dropped_by_step()) {
                *total += count;
            }
        }
        let steps = self.steps.iter().zip(by_step);
        steps.filter(|((_, drops), _)| *drops).map(|((name, _), count)| (name.clone(), count))
    }
}

/// The page for one scrape.
#[must_use]
pub fn page(counted: &Counted, loaded: &Loaded) -> String {
    let mut page = Page { registry: Registry::with_prefix("pillion") };
    page.gauge(
        "build_info",
        "Always 1, with the version as label",
        [(vec![("version", env!("CARGO_PKG_VERSION").to_owned())], 1.0)],
    );
    config(&mut page, loaded);
    tail::show(&mut page, counted);
    pipeline::show(&mut page, counted);
    destinations::show(&mut page, counted);
    budget(&mut page, &counted.budget);
    let mut out = String::new();
    // Writing to a string fails only if a label could not be encoded, and all of ours are strings.
    if text::encode(&mut out, &page.registry).is_err() {
        out.push_str("# EOF\n");
    }
    out
}

fn config(page: &mut Page, loaded: &Loaded) {
    for (name, help, value) in [
        (
            "config_generation",
            "Which configuration is in force: 1 from the start, one more with each that was loaded",
            loaded.generation() as f64,
        ),
        (
            "config_last_reload_successful",
            "0 after a configuration was refused, until one is loaded",
            f64::from(u8::from(loaded.error().is_none())),
        ),
        (
            "config_last_reload_success_timestamp_seconds",
            "When the configuration in force was loaded, in seconds since 1970",
            loaded.at().as_millisecond() as f64 / 1e3,
        ),
    ] {
        page.gauge(name, help, [(vec![], value)]);
    }
}

fn budget(page: &mut Page, budget: &Budget) {
    for (name, help, bytes) in [
        ("budget_used_bytes", "Resident bytes in flight", budget.used()),
        ("budget_peak_bytes", "The most resident bytes ever in flight at once", budget.peak()),
        ("budget_limit_bytes", "The configured memory", budget.limit()),
    ] {
        page.gauge(name, help, [(vec![], bytes as f64)]);
    }
}

/// A registry that is filled, encoded and dropped.
struct Page {
    registry: Registry,
}

impl Page {
    /// Adds a counter; the encoder puts `_total` behind its name.
    fn counter(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels, u64)>,
    ) {
        let family = Family::<Labels, Counter>::default();
        for (labels, value) in samples {
            if labels.is_empty() {
                let counter = Counter::<u64>::default();
                counter.inc_by(value);
                return self.registry.register(name, help, counter);
            }
            family.get_or_create(&labels).inc_by(value);
        }
        self.registry.register(name, help, family);
    }

    /// Adds a gauge; samples of equal labels are summed, as those of two paths that are redacted alike.
    fn gauge(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (Labels, f64)>) {
        let family = Family::<Labels, Gauge<f64, AtomicU64>>::default();
        for (labels, value) in samples {
            if labels.is_empty() {
                let gauge = Gauge::<f64, AtomicU64>::default();
                gauge.set(value);
                return self.registry.register(name, help, gauge);
            }
            family.get_or_create(&labels).inc_by(value);
        }
        self.registry.register(name, help, family);
    }
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_equal_labels_are_summed() {
        let mut page = Page { registry: Registry::default() };
        let sample = |path: &str, value| (vec![("path", path.to_owned())], value);
        page.gauge(
            "lag",
            "Lag",
            [sample("[EMAIL]", 1.0), sample("b", 2.0), sample("[EMAIL]", 4.0)],
        );
        let mut out = String::new();
        text::encode(&mut out, &page.registry).expect("encodes");
        assert!(out.contains("lag{path=\"[EMAIL]\"} 5.0\n"), "{out}");
        assert!(out.contains("lag{path=\"b\"} 2.0\n"), "{out}");
    }
}
