//! Loki: identical bytes are sent again, so that what it stored before is stored once; labels,
//! metadata and lines as they were meant.

use pillion::receiver::{Entry, Fault, Options, Receiver};

use super::harness::{Agent, PATIENCE, Place, judge, number_after};

const LINES: u64 = 1_500;

fn config(place: &Place, url: &str, more: &str) -> std::path::PathBuf {
    place.configure(&format!(
        "state: {{state}}\nadmin: off\nthreads: 2\n\
         sources: {{app: {{files: ['{{logs}}/*.log'], fields: {{env: test}}}}}}\n\
         destinations:\n  grafana:\n    \
         loki: {{url: '{url}', labels: {{app: shop, level: '{{level}}'}}{more}}}\n    \
         batch: {{linger: 50ms}}\n"
    ))
}

fn seqs(entries: &[Entry]) -> impl Iterator<Item = u64> {
    entries.iter().filter_map(|entry| number_after(&entry.line, "seq="))
}

fn survives(fault: Fault, more: &str) {
    let place = Place::new();
    let receiver = Receiver::start(Options { seed: 3, ..Options::default() }).expect("receiver");
    receiver.faults().set(fault);
    let agent = Agent::start(&config(&place, &receiver.url(), more), &[]);
    // Two files for two workers; lines without a time of their own, many of them read at once.
    for file in 0..2 {
        let lines: String = (0..LINES)
            .filter(|seq| seq % 2 == file)
            .map(|seq| format!("line seq={seq}\n"))
            .collect();
        place.append(&format!("{file}.log"), lines);
    }
    let met = receiver.wait_for(PATIENCE, |requests| requests.faulted >= 2);
    assert!(met, "{}", agent.log().join("\n"));
    receiver.faults().clear();
    let all = receiver.wait_for(PATIENCE, |requests| requests.stored >= LINES);
    let (status, log) = agent.terminate();
    assert!(all && status.success(), "{:?}\n{}", receiver.requests(), log.join("\n"));
    let entries = receiver.entries();
    assert_eq!(judge(0..LINES, seqs(&entries)), Default::default());
    assert_eq!(receiver.requests().refused, 0);
}

#[test]
fn a_reset_after_the_lines_were_stored() {
    survives(Fault::Reset { stored: true }, "");
}

#[test]
fn too_many_requests() {
    survives(Fault::Status { status: 429, retry_after: None }, "");
}

#[test]
fn json_bodies_survive_a_server_that_is_unavailable() {
    survives(Fault::Status { status: 503, retry_after: None }, ", format: json");
}

#[test]
fn labels_metadata_and_lines() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let agent = Agent::start(&config(&place, &receiver.url(), ""), &[]);
    place.append(
        "a.log",
        "{\"level\":\"warn\",\"msg\":\"slow seq=1\",\"order\":{\"id\":17},\"ms\":12}\n",
    );
    assert!(receiver.wait_for(PATIENCE, |it| it.stored >= 1), "{}", agent.log().join("\n"));
    let (status, _) = agent.terminate();
    assert!(status.success());
    let entry = &receiver.entries()[0];
    assert_eq!(entry.line, "slow seq=1");
    assert_eq!(entry.labels["app"], "shop");
    assert_eq!(entry.labels["level"], "warn");
    assert_eq!(entry.labels["filename"], place.log("a.log").display().to_string());
    let metadata = |name: &str| {
        let found = entry.metadata.iter().find(|(key, _)| key == name);
        found.unwrap_or_else(|| panic!("no {name} in {:?}", entry.metadata)).1.clone()
    };
    assert_eq!(metadata("ms"), "12");
    assert_eq!(metadata("env"), "test");
    assert_eq!(metadata("order"), "{\"id\":17}");
}
