//! What was written and what arrived, record by record.

use std::time::{Duration, Instant};

use super::formats::number_in;
use super::planted::Planted;

/// Where records arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    Elasticsearch = 0,
    Loki = 1,
}

impl Destination {
    pub(super) const COUNT: usize = 2;
}

/// The state of every record.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// By number.
    records: Vec<Written>,
    /// Records that arrived at each destination, once or more.
    delivered: [u64; Destination::COUNT],
    repeated: u64,
    strays: u64,
    latency: Latencies,
    pub(super) planted: Planted,
    /// When the rate was last asked for, and how many had been delivered by then.
    last: Option<(Instant, u64)>,
    /// The first record that may not have arrived everywhere: those before have.
    oldest: usize,
}

#[derive(Debug)]
struct Written {
    at: Instant,
    arrived: [bool; Destination::COUNT],
}

impl Tally {
    /// The next record's number; counts it as written now.
    pub(super) fn written(&mut self) -> usize {
        self.records.push(Written { at: Instant::now(), arrived: [false; Destination::COUNT] });
        self.records.len() - 1
    }

    /// Counts an arrival.
    pub(super) fn arrived(&mut self, destination: Destination, text: &str) {
        let Some(record) = number_in(text).and_then(|number| self.records.get_mut(number)) else {
            self.strays += 1;
            return;
        };
        let Some(arrived) = record.arrived.get_mut(destination as usize) else { return };
        if std::mem::replace(arrived, true) {
            self.repeated += 1;
            return;
        }
        self.latency.add(record.at.elapsed());
        if let Some(delivered) = self.delivered.get_mut(destination as usize) {
            *delivered += 1;
        }
    }

    /// Records written.
    pub(super) fn count(&self) -> u64 {
        self.records.len() as u64
    }

    /// Records that arrived at each destination, in order of [`Destination`].
    pub(super) fn delivered(&self) -> [u64; Destination::COUNT] {
        self.delivered
    }

    /// Records that have not arrived at every destination.
    pub(super) fn missing(&self) -> u64 {
        self.records.iter().filter(|record| record.arrived.contains(&false)).count() as u64
    }

    /// Records that arrived again at a destination.
    pub(super) fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Arrivals that are no record: pieces of one that was not joined.
    pub(super) fn strays(&self) -> u64 {
        self.strays
    }

    /// How long a record took from its writing to its acceptance, at this quantile (0 to 1).
    pub(super) fn latency(&self, quantile: f64) -> Duration {
        self.latency.quantile(quantile)
    }

    /// Records a second since this was last asked, at the destination that is ahead.
    pub(super) fn rate(&mut self) -> f64 {
        let now = Instant::now();
        let delivered = self.delivered.into_iter().max().unwrap_or(0);
        let (since, before) = self.last.replace((now, delivered)).unwrap_or((now, delivered));
        let passed = now.saturating_duration_since(since).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a count of records on a screen")]
        let arrived = delivered.saturating_sub(before) as f64;
        if passed > 0.0 { arrived / passed } else { 0.0 }
    }

    /// Records written that have not arrived at the destination furthest behind.
    pub(super) fn behind(&self) -> u64 {
        self.count() - self.delivered.into_iter().min().unwrap_or(0).min(self.count())
    }

    /// How long ago the oldest record was written that has not arrived everywhere.
    pub(super) fn lag(&mut self) -> Duration {
        while self.records.get(self.oldest).is_some_and(|record| !record.arrived.contains(&false)) {
            self.oldest += 1;
        }
        self.records.get(self.oldest).map_or(Duration::ZERO, |record| record.at.elapsed())
    }
}

/// Durations by magnitude, to a sixteenth of each power of two.
#[derive(Debug, Default)]
struct Latencies(Vec<u64>);

impl Latencies {
    fn add(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).max(16);
        let magnitude = micros.ilog2();
        let sixteenth = (micros >> (magnitude - 4)) & 15;
        let bucket = usize::try_from(u64::from(magnitude) * 16 + sixteenth).unwrap_or(0);
        if self.0.len() <= bucket {
            self.0.resize(bucket + 1, 0);
        }
        if let Some(count) = self.0.get_mut(bucket) {
            *count += 1;
        }
    }

    fn quantile(&self, quantile: f64) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "a rank among the records of a demo")]
        let rank = self.0.iter().sum::<u64>() as f64 * quantile;
        let mut before = 0.0;
        for (bucket, count) in self.0.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "as above")]
            let next = before + *count as f64;
            if next >= rank && *count > 0 {
                let (magnitude, sixteenth) = (bucket / 16, bucket as u64 % 16);
                return Duration::from_micros((16 + sixteenth) << magnitude.saturating_sub(4));
            }
            before = next;
        }
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_repeated_or_no_record_is_counted() {
        let mut tally = Tally::default();
        let numbers: Vec<_> = (0..3).map(|_| tally.written()).collect();
        assert_eq!(numbers, [0, 1, 2]);
        tally.arrived(Destination::Elasticsearch, "{\"message\":\"x line-0\"}");
        tally.arrived(Destination::Elasticsearch, "{\"message\":\"x line-0\"}");
        tally.arrived(Destination::Loki, "line-0, y");
        tally.arrived(Destination::Loki, "line-2");
        tally.arrived(Destination::Loki, "\tat Charge.run(Charge.java:88)");
        tally.arrived(Destination::Loki, "line-3: never written");
        assert_eq!(tally.delivered(), [1, 2]);
        assert_eq!((tally.missing(), tally.repeated(), tally.strays()), (2, 1, 2));
        assert_eq!(tally.behind(), 2);
        let _ = tally.lag();
        assert_eq!(tally.oldest, 1);
    }

    #[test]
    fn quantiles_are_right_to_a_sixteenth() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.quantile(0.5), Duration::ZERO);
        (1..=1000).for_each(|millis| latencies.add(Duration::from_millis(millis)));
        for (quantile, expect) in [(0.5, 500.0), (0.99, 990.0), (0.001, 1.0)] {
            let got = latencies.quantile(quantile).as_secs_f64() * 1000.0;
            assert!((expect * 0.93..=expect * 1.01).contains(&got), "{quantile}: {got} ms");
        }
    }
}
