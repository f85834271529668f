//! Conservation: every byte that was read is part of a record, and every record has met its end or is
//! somewhere. Asked of the running agent, by the sum of its counters and by what it says itself.

use std::collections::BTreeMap;

use super::harness::{Agent, PATIENCE, until};
use super::seen::{get, samples};

/// A page of metrics.
type Samples = BTreeMap<String, f64>;

impl Agent {
    /// Waits until, for every destination, each record read has met its end, is in flight or in the
    /// buffer: `routed = delivered + duplicate + already settled + dead-lettered + dropped + lost +
    /// returned + in flight + open + buffered`, by that sum and by what the agent itself says is
    /// unaccounted for; and no more bytes are records than were read.
    pub(crate) fn assert_conserved(&self) {
        self.wait_until_nothing_is_wrong(unaccounted);
    }

    /// The same, and waits until nothing is under way any more: nothing open, in flight or in a buffer,
    /// no byte that was read and is no record, none in a file that is not settled. Not for files whose
    /// last line has no end yet.
    pub(crate) fn assert_at_rest(&self) {
        self.wait_until_nothing_is_wrong(|page| {
            let mut wrong = unaccounted(page);
            wrong.extend(under_way(page));
            if self.plain && page["pillion_config_generation"] == 1.0 {
                wrong.extend(left_on_the_way(page));
            }
            wrong
        });
    }

    fn wait_until_nothing_is_wrong(&self, wrong: impl Fn(&Samples) -> Vec<String>) {
        let admin = self.logged("admin").expect("the agent says where");
        let mut page = String::new();
        let mut found = Vec::new();
        // A page is not read in one instant: while records move, two counters may disagree.
        let conserved = until(PATIENCE, || {
            page = get(&admin, "/metrics").1;
            found = wrong(&samples(&page));
            found.is_empty()
        });
        assert!(conserved, "not conserved: {found:#?}\n{page}\n{}", self.log().join("\n"));
    }
}

/// Name and destination of a sample.
fn name(sample: &str) -> (&str, &str) {
    let (name, labels) = sample.split_once('{').unwrap_or((sample, ""));
    let destination = labels.strip_prefix("destination=\"").and_then(|it| it.split('"').next());
    (name, destination.unwrap_or_default())
}

/// What is missing from the equations.
fn unaccounted(page: &Samples) -> Vec<String> {
    let mut balances: BTreeMap<&str, f64> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (sample, value) in page {
        let (name, destination) = name(sample);
        let sign = match name {
            "pillion_routed_records_total" => 1.0,
            "pillion_records_total"
            | "pillion_in_flight_records"
            | "pillion_buffered_records"
            | "pillion_open_records" => -1.0,
            "pillion_unaccounted_records" if *value != 0.0 => {
                wrong.push(format!("{sample} {value}"));
                continue;
            }
            _ => continue,
        };
        *balances.entry(destination).or_default() += sign * value;
    }
    assert!(!balances.is_empty(), "no destination is shown: {page:?}");
    let unbalanced = balances.into_iter().filter(|(_, left)| *left != 0.0);
    wrong.extend(unbalanced.map(|(whose, left)| format!("{left} records of {whose}")));
    let unframed = page["pillion_unframed_bytes"];
    if unframed < 0.0 {
        wrong.push(format!("{unframed} bytes are records that were never read"));
    }
    wrong
}

/// What is not settled yet.
fn under_way(page: &Samples) -> impl Iterator<Item = String> {
    const GAUGES: [&str; 5] = [
        "pillion_in_flight_records",
        "pillion_open_records",
        "pillion_buffered_records",
        "pillion_unframed_bytes",
        "pillion_lag_bytes",
    ];
    let gauges = page.iter().filter(|(sample, _)| GAUGES.contains(&name(sample).0));
    gauges.filter(|(_, value)| **value != 0.0).map(|(sample, value)| format!("{sample} {value}"))
}

/// What was not handed on whole from the tail to the workers, and from them to each destination, where
/// every record goes to all of them and no configuration was loaded meanwhile.
fn left_on_the_way(page: &Samples) -> Vec<String> {
    let read = page["pillion_read_bytes_total"];
    let bytes = ["pillion_framed_bytes_total", "pillion_record_bytes_total"];
    let framed = page["pillion_framed_records_total"];
    let routed = page.iter().filter(|it| name(it.0).0 == "pillion_routed_records_total");
    let bytes = bytes.into_iter().map(|name| (name, page[name], read));
    let records = routed.map(|(name, value)| (name.as_str(), *value, framed));
    let unequal = bytes.chain(records).filter(|(_, value, before)| value != before);
    unequal.map(|(name, value, before)| format!("{name} {value} of {before}")).collect()
}

#[test]
fn what_is_nowhere_is_found() {
    let page = |changed: &str| -> Samples {
        let page = "pillion_routed_records_total{destination=\"a\"} 9\n\
             pillion_records_total{destination=\"a\",outcome=\"delivered\"} 7\n\
             pillion_records_total{destination=\"a\",outcome=\"lost\"} 2\n\
             pillion_in_flight_records{destination=\"a\"} 0\n\
             pillion_unaccounted_records{destination=\"a\"} 0\n\
             pillion_unframed_bytes 0\n\
             pillion_lag_bytes 0\n\
             pillion_read_bytes_total 90\n\
             pillion_framed_bytes_total 90\n\
             pillion_record_bytes_total 90\n\
             pillion_framed_records_total 9\n";
        samples(&format!("{page}{changed}\n"))
    };
    let found = |changed: &str| {
        let page = page(changed);
        [unaccounted(&page), under_way(&page).collect(), left_on_the_way(&page)].map(|it| it.len())
    };
    assert_eq!(found(""), [0, 0, 0]);
    assert_eq!(found("pillion_routed_records_total{destination=\"a\"} 10"), [1, 0, 1]);
    assert_eq!(found("pillion_unaccounted_records{destination=\"a\"} -1"), [1, 0, 0]);
    assert_eq!(found("pillion_in_flight_records{destination=\"a\"} 1"), [1, 1, 0]);
    assert_eq!(found("pillion_unframed_bytes -5"), [1, 1, 0]);
    assert_eq!(found("pillion_lag_bytes 5"), [0, 1, 0]);
    assert_eq!(found("pillion_framed_bytes_total 80"), [0, 0, 1]);
    assert_eq!(found("pillion_record_bytes_total 80"), [0, 0, 1]);
    assert_eq!(found("pillion_framed_records_total 10"), [0, 0, 1]);
}
