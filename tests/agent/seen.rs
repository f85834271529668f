//! What the agent shows: probes, metrics, and the equation that every record ends somewhere.

use std::collections::BTreeMap;

use pillion::receiver::{Fault, Options, Receiver};

use super::harness::{Agent, PATIENCE, Place, command, until};

/// The samples of a page, by name with labels.
pub(crate) fn samples(page: &str) -> BTreeMap<String, f64> {
    page.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        })
        .collect()
}

/// Status and text of a path at the agent's own address.
pub(crate) fn get(address: &str, path: &str) -> (u16, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("runtime").block_on(async {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let answer = reqwest::get(format!("http://{address}{path}")).await.expect("answers");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    })
}

/// A sample that must be there.
pub(crate) fn value(samples: &BTreeMap<String, f64>, name: &str) -> f64 {
    *samples.get(name).unwrap_or_else(|| panic!("no {name} among {:?}", samples.keys()))
}

#[test]
fn metrics_add_up_and_probes_answer() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    let admin = agent.logged("admin").expect("the agent says where");
    assert_eq!(get(&admin, "/livez").0, 200);
    assert_eq!(get(&admin, "/readyz").0, 200);
    let healthy = command().args(["healthy", "--admin", &admin]).status().expect("runs");
    assert!(healthy.success());

    receiver.faults().set_times(2, Fault::Status { status: 429, retry_after: None });
    let lines: String =
        (0..500).map(|seq| format!("seq={seq} by jane{seq}@example.com\n")).collect();
    place.append("app.log", &lines);
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored >= 500), "{:?}", agent.log());
    let mut page = String::new();
    let settled = until(PATIENCE, || {
        page = get(&admin, "/metrics").1;
        value(
            &samples(&page),
            "pillion_records_total{destination=\"search\",outcome=\"delivered\"}",
        ) >= 500.0
    });
    assert!(settled, "{page}");
    agent.assert_conserved();
    assert!(page.ends_with("# EOF\n"));
    let samples = samples(&page);
    assert_eq!(value(&samples, "pillion_read_bytes_total"), lines.len() as f64);
    assert_eq!(value(&samples, "pillion_read_lines_total"), 500.0);
    assert_eq!(value(&samples, "pillion_redactions_total{rule=\"email\"}"), 500.0);
    let retried: f64 = samples
        .iter()
        .filter(|(name, _)| name.starts_with("pillion_retries_total"))
        .map(|(_, value)| value)
        .sum();
    assert!(retried >= 2.0, "{page}");
    let routed = value(&samples, "pillion_routed_records_total{destination=\"search\"}");
    let settled: f64 = samples
        .iter()
        .filter(|(name, _)| name.starts_with("pillion_records_total"))
        .map(|(_, value)| value)
        .sum();
    let waiting = value(&samples, "pillion_open_records{destination=\"search\"}")
        + value(&samples, "pillion_in_flight_records{destination=\"search\"}");
    assert_eq!(routed, settled + waiting, "{page}");

    let (status, _) = agent.terminate();
    assert!(status.success());
    let gone = command().args(["healthy", "--admin", &admin]).output().expect("runs");
    assert_eq!(gone.status.code(), Some(1));
}
