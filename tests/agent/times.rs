//! What the real binary makes of times: the zone that a source says, and those that cannot be read.

use std::path::PathBuf;

use pillion::receiver::{Options, Receiver};
use rustix::process::Signal;

use super::harness::{Agent, PATIENCE, Place, field, until};

fn configure(place: &Place, url: &str, zone: &str) -> PathBuf {
    place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\nthreads: 2\nmemory: 32MiB\n\
         sources:\n  app: {{files: ['{{logs}}/app*.log'], zone: {zone}}}\n  \
         pods: {{files: ['{{logs}}/pod.log'], parser: cri, zone: Europe/Berlin}}\n  \
         bad: {{files: ['{{logs}}/bad*.log'], parser: json}}\n\
         destinations:\n  search:\n    elasticsearch: {{url: '{url}', index: logs-test-default}}\n    \
         batch: {{linger: 50ms}}\n"
    ))
}

#[test]
fn times_without_a_zone_are_in_that_of_their_source() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    place.append("app.log", "{\"time\":\"2026-07-01 12:00:00.123456\",\"msg\":\"summer\"}\n");
    place.append("app.log", "{\"time\":\"2026-12-01 12:00:00.5\",\"msg\":\"winter\"}\n");
    place.append("app.log", "{\"time\":\"2026-12-01T12:00:00Z\",\"msg\":\"said\"}\n");
    let inside = r#"{"time":"2026-12-01 12:00:00","msg":"pod"}"#;
    place.append("pod.log", format!("2026-12-01T11:00:00.7Z stdout F {inside}\n"));
    let agent = Agent::start(&configure(&place, &receiver.url(), "America/New_York"), &[]);
    assert!(receiver.wait_for(PATIENCE, |it| it.stored >= 4), "{}", agent.log().join("\n"));
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
    let documents = receiver.documents();
    for (message, time) in [
        ("summer", "2026-07-01T16:00:00.123456Z"),
        ("winter", "2026-12-01T17:00:00.5Z"),
        ("said", "2026-12-01T12:00:00Z"),
        ("pod", "2026-12-01T11:00:00Z"),
    ] {
        let of = documents.iter().find(|it| field(it, "message") == message).expect(message);
        let shown = field(of, "@timestamp").as_str().expect("a text");
        let read: jiff::Timestamp = shown.parse().expect("a time");
        assert_eq!(read, time.parse::<jiff::Timestamp>().expect("a time"), "{message}: {shown}");
    }
}

#[test]
fn a_source_whose_times_cannot_be_read_is_told_of_once() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let lines = "{\"time\":\"jane.doe@example.com\",\"msg\":\"m\"}\n".repeat(50);
    for name in ["bad-1.log", "bad-2.log", "bad-3.log"] {
        place.append(name, &lines);
    }
    let agent = Agent::start(&configure(&place, &receiver.url(), "UTC"), &[]);
    let unreadable = |agent: &Agent, source: &str| {
        let name = format!("pillion_unreadable_times_total{{source=\"{source}\"}}");
        agent.metrics().get(&name).copied()
    };
    let told = |agent: &Agent| {
        let log = agent.log();
        log.iter().filter(|line| line.contains("cannot read the time")).cloned().collect::<Vec<_>>()
    };
    assert!(receiver.wait_for(PATIENCE, |it| it.stored >= 150), "{}", agent.log().join("\n"));
    assert!(until(PATIENCE, || unreadable(&agent, "bad") == Some(150.0)), "{:?}", agent.metrics());
    assert_eq!(unreadable(&agent, "app"), Some(0.0));
    assert!(until(PATIENCE, || !told(&agent).is_empty()), "{}", agent.log().join("\n"));
    assert_eq!(told(&agent).len(), 1, "{:?}", told(&agent));
    for part in ["bad", "/logs/bad-", "pillion explain"] {
        assert!(told(&agent)[0].contains(part), "{:?}", told(&agent));
    }
    assert!(!agent.log().join("\n").contains("jane"), "{}", agent.log().join("\n"));

    // What a new configuration makes of them is said again, and counted on.
    configure(&place, &receiver.url(), "Europe/Berlin");
    agent.signal(Signal::HUP);
    agent.wait_for_log("configuration loaded");
    place.append("bad-1.log", &lines);
    assert!(until(PATIENCE, || unreadable(&agent, "bad") == Some(200.0)), "{:?}", agent.metrics());
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
    let told = log.iter().filter(|line| line.contains("cannot read the time")).count();
    assert_eq!(told, 2, "{}", log.join("\n"));
}

/// Each source says it once, whichever of its files has such times; one whose zone is said has none.
#[test]
fn a_source_whose_zone_is_vague_is_told_of_once() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\n\
         sources:\n  one: {{files: ['{{logs}}/one*.log'], parser: json}}\n  \
         two: {{files: ['{{logs}}/two.log'], parser: json}}\n  \
         said: {{files: ['{{logs}}/said.log'], parser: json, zone: America/Chicago}}\n\
         destinations:\n  search:\n    elasticsearch: {{url: '{}', index: logs-test-default}}\n    \
         batch: {{linger: 50ms}}\n",
        receiver.url()
    ));
    let line = "{\"time\":\"2026-12-01 12:00:00 CST\",\"msg\":\"m\"}\n";
    for name in ["one-1.log", "one-2.log", "one-3.log", "two.log", "said.log"] {
        place.append(name, line.repeat(20));
    }
    let agent = Agent::start(&config, &[]);
    assert!(receiver.wait_for(PATIENCE, |it| it.stored >= 100), "{}", agent.log().join("\n"));
    let metrics = agent.metrics();
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
    let told: Vec<_> = log
        .iter()
        .filter(|line| line.contains("an abbreviation that several zones have"))
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    for part in ["one", "two", "/logs/one-", "`zone`"] {
        assert!(told.iter().any(|line| line.contains(part)), "{part}: {told:?}");
    }
    // Vague is not unreadable.
    for source in ["one", "two", "said"] {
        let name = format!("pillion_unreadable_times_total{{source=\"{source}\"}}");
        assert_eq!(metrics.get(&name), Some(&0.0), "{source}");
    }
    let mut hours = std::collections::BTreeMap::new();
    for stored in receiver.documents() {
        *hours.entry(field(&stored, "@timestamp").to_string()).or_insert(0) += 1;
    }
    let hours: Vec<_> =
        hours.into_iter().map(|(time, count)| (time[12..14].to_owned(), count)).collect();
    assert_eq!(hours, [("12".to_owned(), 80), ("18".to_owned(), 20)]);
}
