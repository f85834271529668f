//! What the demo found at the end.

use std::fmt;
use std::time::Duration;

use super::Glance;
use super::tally::Tally;
use super::usage::Usage;

/// What was written, and what became of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Records written.
    pub written: u64,
    /// How often a file was renamed and begun anew.
    pub rotations: u32,
    /// Records at Elasticsearch, and at Loki.
    pub delivered: [u64; 2],
    /// Records that are not at both.
    pub lost: u64,
    /// Records that were stored again.
    pub repeated: u64,
    /// Arrivals that were no record as written: pieces of one, say.
    pub strays: u64,
    /// Made-up values planted.
    pub planted: u64,
    /// Those found anywhere in what was sent.
    pub leaked: u64,
    /// Redactions by rule, as the agent counts them.
    pub redacted: Vec<(String, u64)>,
    /// Requests sent again.
    pub retries: u64,
    /// From a record's writing to its acceptance: the median, and the 99th percentile.
    pub latency: [Duration; 2],
    /// Whether the agent settled everything in time.
    pub drained: bool,
    /// CPU time of this process: agent, receiver and writers.
    pub cpu: Option<Duration>,
    /// The most memory this process had resident, in bytes: agent, receiver and writers.
    pub peak_resident: Option<u64>,
}

impl Summary {
    pub(super) fn new(
        tally: &Tally,
        glance: &Glance,
        rotations: u32,
        drained: bool,
        usage: Usage,
    ) -> Self {
        Self {
            written: tally.count(),
            rotations,
            delivered: tally.delivered(),
            lost: tally.missing(),
            repeated: tally.repeated(),
            strays: tally.strays(),
            planted: tally.planted.count() as u64,
            leaked: tally.planted.leaked() as u64,
            redacted: glance.redacted.clone(),
            retries: glance.retries,
            latency: [tally.latency(0.5), tally.latency(0.99)],
            drained,
            cpu: usage.cpu,
            peak_resident: usage.peak_resident,
        }
    }

    /// Whether every promise was kept: nothing lost, repeated, broken up or leaked.
    #[must_use]
    pub fn clean(&self) -> bool {
        self.drained && self.lost == 0 && self.repeated == 0 && self.strays == 0 && self.leaked == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [elasticsearch, loki] = self.delivered;
        let [median, slow] = self.latency.map(|latency| latency.as_millis());
        writeln!(f, "written    {} records, {} rotations", self.written, self.rotations)?;
        writeln!(f, "delivered  {elasticsearch} to Elasticsearch, {loki} to Loki")?;
        writeln!(f, "lost       {}", self.lost)?;
        writeln!(f, "repeated   {}", self.repeated)?;
        writeln!(f, "leaked     {} of {} planted values", self.leaked, self.planted)?;
        if self.strays > 0 {
            writeln!(f, "strays     {} arrivals that are not a record as written", self.strays)?;
        }
        if !self.drained {
            writeln!(f, "not drained: the agent gave up before everything was settled")?;
        }
        let redacted: Vec<_> =
            self.redacted.iter().map(|(rule, count)| format!("{rule} {count}")).collect();
        writeln!(f, "redacted   {}", redacted.join(", "))?;
        writeln!(f, "retries    {}", self.retries)?;
        writeln!(f, "latency    {median} ms at the median, {slow} ms at the 99th percentile")?;
        if let (Some(cpu), Some(peak)) = (self.cpu, self.peak_resident) {
            let (seconds, peak) = (cpu.as_secs_f64(), peak >> 20);
            writeln!(
                f,
                "cost       {seconds:.2} s CPU, {peak} MiB at most: agent, receiver and writers together"
            )?;
        }
        Ok(())
    }
}
