//! Destinations that fail in every way a server fails: everything arrives once they heal.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use pillion::receiver::{Fault, Options, Receiver};

use super::harness::{Agent, PATIENCE, Place, judge, seq};

const LINES: u64 = 2_000;

/// Ships while `fault` is on, heals after `meets` requests met it, and wants everything once.
fn survives(fault: Fault, meets: u64) {
    let place = Place::new();
    let receiver = Receiver::start(Options { seed: 7, ..Options::default() }).expect("receiver");
    receiver.faults().set(fault);
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    let lines: String = (0..LINES).map(|seq| format!("line seq={seq} end\n")).collect();
    place.append("app.log", lines);
    let met = receiver.wait_for(PATIENCE, |requests| requests.faulted >= meets);
    assert!(
        met,
        "the fault was met {} times: {}",
        receiver.requests().faulted,
        agent.log().join("\n")
    );
    receiver.faults().clear();
    let all = receiver.wait_for(PATIENCE, |requests| requests.stored >= LINES);
    let (status, log) = agent.terminate();
    assert!(all && status.success(), "{status} {:?}\n{}", receiver.requests(), log.join("\n"));
    assert_eq!(judge(0..LINES, receiver.documents().iter().filter_map(seq)), Default::default());
}

#[test]
fn too_many_requests() {
    survives(Fault::Status { status: 429, retry_after: Some(Duration::from_secs(1)) }, 2);
}

#[test]
fn unavailable() {
    survives(Fault::Status { status: 503, retry_after: None }, 2);
}

#[test]
fn a_reset_after_the_records_were_stored() {
    survives(Fault::Reset { stored: true }, 2);
}

#[test]
fn a_reset_before() {
    survives(Fault::Reset { stored: false }, 2);
}

#[test]
fn an_answer_that_breaks_off() {
    survives(Fault::TruncatedReply, 2);
}

#[test]
fn an_answer_without_end() {
    survives(Fault::OversizeReply(64 << 20), 2);
}

#[test]
fn records_refused_for_now() {
    survives(Fault::Records { status: 429, fraction: 0.3 }, 2);
}

#[test]
fn bodies_too_large_are_split() {
    survives(Fault::TooLarge(30_000), 1);
}

#[test]
fn a_refused_login_is_held_not_dropped() {
    survives(Fault::Status { status: 401, retry_after: None }, 1);
}

/// Two destinations of which one is dead: what `when_full` says is what happens.
#[test]
fn a_dead_destination_that_drops_does_not_stop_the_other() {
    let place = Place::new();
    let (live, dead) = (Receiver::start(Options::default()), Receiver::start(Options::default()));
    let (live, dead) = (live.expect("receiver"), dead.expect("receiver"));
    dead.faults().set(Fault::Status { status: 503, retry_after: None });
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: off\nmemory: 8MiB\n\
         sources: {{app: {{files: ['{{logs}}/*.log'], parser: plain}}}}\n\
         destinations:\n  \
           live: {{elasticsearch: {{url: '{}', index: a}}, batch: {{bytes: 512KiB, linger: 50ms}}}}\n  \
           dead: {{elasticsearch: {{url: '{}', index: b}}, batch: {{bytes: 512KiB, linger: 50ms}},\n         \
             compression: none, when_full: drop_newest}}\n",
        live.url(),
        dead.url()
    ));
    let agent = Agent::start(&config, &[]);
    let lines = 60_000;
    let filling = "x".repeat(400);
    let text: String = (0..lines).map(|seq| format!("seq={seq} {filling}\n")).collect();
    place.append("app.log", text);
    let all = live.wait_for(PATIENCE, |requests| requests.stored >= lines);
    assert!(all, "{:?}\n{}", live.requests(), agent.log().join("\n"));
    assert_eq!(judge(0..lines, live.documents().iter().filter_map(seq)), Default::default());
    agent.kill();
}

/// What a server refuses for good is in the dead letters, redacted, and holds nothing up.
#[test]
fn a_refused_record_becomes_a_dead_letter() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    // The first line makes `app.shape` a number; the object after it conflicts with that.
    place.append("app.log", "{\"shape\": 1, \"msg\": \"seq=0\"}\n");
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored >= 1), "{:?}", agent.log());
    place.append(
        "app.log",
        "{\"shape\": {\"a\": 1}, \"msg\": \"seq=1 jane@example.com\"}\n{\"shape\": 2, \"msg\": \"seq=2\"}\n",
    );
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored >= 2), "{:?}", agent.log());
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
    let arrived: BTreeSet<_> = receiver.documents().iter().filter_map(seq).collect();
    assert_eq!(arrived, BTreeSet::from([0, 2]));
    let letters = fs::read_to_string(place.state().join("dead-letters/search.ndjson"))
        .expect("a dead-letter file");
    let letter: serde_json::Value = serde_json::from_str(letters.trim()).expect("one JSON line");
    assert_eq!(letter["destination"], "search");
    assert_eq!(letter["record"]["message"], "seq=1 [EMAIL]");
    assert!(letter["id"].as_str().is_some_and(|id| id.len() == 32), "{letter}");
    assert!(letter["reason"].is_string(), "{letter}");
}
