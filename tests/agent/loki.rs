//! Loki: identical bytes are sent again, so that what it stored before is stored once; labels,
//! metadata and lines as they were meant.

use std::collections::BTreeMap;

use pillion::receiver::{Fault, Options, Receiver};

use super::harness::{Agent, PATIENCE, Place};
use super::oracle::{self, Arrived, Judgement};

const LINES: u64 = 1_500;

fn config(place: &Place, url: &str, more: &str) -> std::path::PathBuf {
    place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\nthreads: 2\n\
         sources: {{app: {{files: ['{{logs}}/*.log'], fields: {{env: test}}}}}}\n\
         destinations:\n  grafana:\n    \
         loki: {{url: '{url}', labels: {{app: shop, level: '{{level}}'}}{more}}}\n    \
         batch: {{linger: 50ms}}\n"
    ))
}

/// So many lines of a file.
fn lines(file: u32, count: u64) -> String {
    lines_of(file, 0..count)
}

fn lines_of(file: u32, numbers: std::ops::Range<u64>) -> String {
    numbers.map(|seq| oracle::line(file, seq, "end") + "\n").collect()
}

/// What is wrong with what a Loki holds, where so many lines of each file are to be there.
fn judged<const N: usize>(receiver: &Receiver, written: [(u32, u64); N]) -> Judgement {
    let mut arrived = Arrived::default();
    receiver.entries().iter().for_each(|entry| arrived.entry(entry));
    arrived.judge(&BTreeMap::from(written))
}

/// Three days of log, one file, and a failure of the first request: nothing that is newer may pass what
/// waits, or the server refuses what waited as too far behind.
#[test]
fn a_backlog_keeps_its_order_when_a_request_fails() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    receiver.faults().set_times(1, Fault::Status { status: 503, retry_after: None });
    let began = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(72);
    let line = |seq: u64| {
        let time = began + jiff::SignedDuration::from_secs(seq.cast_signed() * 64);
        format!("{{\"time\":\"{time}\",\"msg\":\"{}\"}}\n", oracle::line(0, seq, "end"))
    };
    place.append("app.log", (0..4000).map(line).collect::<String>());
    let path = config(&place, &receiver.url(), "");
    let small =
        std::fs::read_to_string(&path).expect("there").replace("{linger", "{bytes: 16KiB, linger");
    std::fs::write(&path, small).expect("written");
    let agent = Agent::start(&path, &[]);
    let all = receiver.wait_for(PATIENCE, |it| it.stored + it.refused >= 4000);
    let (status, log) = agent.terminate();
    let requests = receiver.requests();
    assert!(all && status.success(), "{requests:?}\n{}", log.join("\n"));
    assert!(requests.push > 10, "{requests:?}");
    assert_eq!((requests.refused, requests.by_status.get(&503)), (0, Some(&1)), "{requests:?}");
    assert_eq!(judged(&receiver, [(0, 4000)]), Default::default());
}

fn survives(fault: Fault, more: &str) {
    let place = Place::new();
    let receiver = Receiver::start(Options { seed: 3, ..Options::default() }).expect("receiver");
    receiver.faults().set(fault);
    let agent = Agent::start(&config(&place, &receiver.url(), more), &[]);
    // Two files for two workers; lines without a time of their own, many of them read at once.
    for file in 0..2 {
        place.append(&format!("{file}.log"), lines(file, LINES / 2));
    }
    let met = receiver.wait_for(PATIENCE, |requests| requests.faulted >= 2);
    assert!(met, "{}", agent.log().join("\n"));
    receiver.faults().clear();
    let all = receiver.wait_for(PATIENCE, |requests| requests.stored >= LINES);
    let (status, log) = agent.terminate();
    assert!(all && status.success(), "{:?}\n{}", receiver.requests(), log.join("\n"));
    assert_eq!(judged(&receiver, [(0, LINES / 2), (1, LINES / 2)]), Default::default());
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

/// Loki says once for a stream that its labels are too long, and drops every line of it.
#[test]
fn a_stream_that_is_refused_whole_is_in_the_dead_letters_whole() {
    let place = Place::new();
    let (good, bad) = (place.log("a.log"), place.log("a-name-that-is-longer.log"));
    let mut options = Options::default();
    options.loki.label_value = good.display().to_string().len();
    let receiver = Receiver::start(options).expect("receiver");
    let agent = Agent::start(&config(&place, &receiver.url(), ""), &[]);
    std::fs::write(&good, lines(0, 200)).expect("written");
    assert!(receiver.wait_for(PATIENCE, |it| it.stored >= 200), "{}", agent.log().join("\n"));
    std::fs::write(&bad, lines(1, 200)).expect("written");
    place.append("a.log", lines_of(0, 200..400));
    let all = receiver.wait_for(PATIENCE, |it| it.stored >= 400 && it.refused >= 200);
    let (status, log) = agent.terminate();
    assert!(all && status.success(), "{}", log.join("\n"));
    assert_eq!(judged(&receiver, [(0, 400)]), Default::default());
    let letters = std::fs::read_to_string(place.state().join("dead-letters/grafana.ndjson"));
    let letters = letters.expect("a dead-letter file");
    let mut dead = Arrived::default();
    for letter in letters.lines() {
        let letter: serde_json::Value = serde_json::from_str(letter).expect("JSON");
        dead.text(letter["record"]["message"].as_str().expect("text"));
    }
    assert_eq!(dead.judge(&BTreeMap::from([(1, 200)])), Default::default());
    assert!(letters.contains("label_value_too_long"), "{letters:.300}");
}

/// Loki has no room for one stream more, and says so for ever: the stream that it has goes on.
#[test]
fn a_stream_over_a_limit_does_not_stop_the_others() {
    let place = Place::new();
    let mut options = Options::default();
    options.loki.streams = 1;
    let receiver = Receiver::start(options).expect("receiver");
    let agent = Agent::start(&config(&place, &receiver.url(), ""), &["--grace", "1s"]);
    place.append("good.log", lines(0, 100));
    assert!(receiver.wait_for(PATIENCE, |it| it.stored >= 100), "{}", agent.log().join("\n"));
    place.append("bad.log", lines(1, 100));
    assert!(receiver.wait_for(PATIENCE, |it| it.deferred >= 100), "{}", agent.log().join("\n"));
    for round in 1..4 {
        place.append("good.log", lines_of(0, round * 100..(round + 1) * 100));
        let goes_on = receiver.wait_for(PATIENCE, |it| it.stored >= (round + 1) * 100);
        assert!(goes_on, "{:?}\n{}", receiver.requests(), agent.log().join("\n"));
    }
    agent.kill();
    assert_eq!(judged(&receiver, [(0, 400)]), Default::default());
    let letters = place.state().join("dead-letters/grafana.ndjson");
    assert!(!letters.exists(), "the other stream waits");
}

#[test]
fn blocked_ingestion_is_waited_for() {
    survives(Fault::Status { status: 260, retry_after: None }, "");
}

/// A limit of the tenant's that hits every line: a mistake of nobody who writes lines.
#[test]
fn structured_metadata_that_is_not_allowed_condemns_no_line() {
    let place = Place::new();
    let mut options = Options::default();
    options.loki.structured_metadata = false;
    let receiver = Receiver::start(options).expect("receiver");
    let agent = Agent::start(&config(&place, &receiver.url(), ""), &[]);
    place.append("app.log", lines(0, LINES));
    agent.wait_for_log("destination paused");
    assert!(agent.log().iter().any(|line| line.contains("structured_metadata: false")));
    agent.kill();
    let letters = place.state().join("dead-letters/grafana.ndjson");
    assert!(!letters.exists(), "{:?}", std::fs::read_to_string(letters));
    let agent = Agent::start(&config(&place, &receiver.url(), ", structured_metadata: false"), &[]);
    let all = receiver.wait_for(PATIENCE, |requests| requests.stored >= LINES);
    let (status, log) = agent.terminate();
    assert!(all && status.success(), "{:?}\n{}", receiver.requests(), log.join("\n"));
    // What has no place beside the line becomes the line.
    let mut arrived = Arrived::default();
    for entry in receiver.entries() {
        let line: serde_json::Value = serde_json::from_str(&entry.line).expect("JSON");
        arrived.text(line["message"].as_str().expect("text"));
    }
    assert_eq!(arrived.judge(&BTreeMap::from([(0, LINES)])), Default::default());
}

#[test]
fn bodies_too_large_are_split() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    receiver.faults().set(Fault::TooLarge(5_000));
    let agent = Agent::start(&config(&place, &receiver.url(), ""), &[]);
    place.append("app.log", lines(0, LINES));
    let all = receiver.wait_for(PATIENCE, |requests| requests.stored >= LINES);
    let (status, log) = agent.terminate();
    assert!(all && status.success(), "{:?}\n{}", receiver.requests(), log.join("\n"));
    assert_eq!(judged(&receiver, [(0, LINES)]), Default::default());
    assert!(receiver.requests().by_status.get(&413).is_some_and(|count| *count > 0));
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
