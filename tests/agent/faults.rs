//! Destinations that fail in every way a server fails: everything arrives once they heal.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use pillion::receiver::{Fault, Options, Receiver, Stored};

use super::harness::{Agent, PATIENCE, Place, judge, seq, until};
use super::seen::{get, samples, value};

const LINES: u64 = 2_000;

fn write_lines(place: &Place) {
    let lines: String = (0..LINES).map(|seq| format!("line seq={seq} end\n")).collect();
    place.append("app.log", lines);
}

/// Ships while `fault` is on, heals after `meets` requests met it, and wants everything once.
fn survives(fault: Fault, meets: u64) {
    let place = Place::new();
    let receiver = Receiver::start(Options { seed: 7, ..Options::default() }).expect("receiver");
    receiver.faults().set(fault);
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    write_lines(&place);
    let met = receiver.wait_for(PATIENCE, |requests| requests.faulted >= meets);
    assert!(
        met,
        "the fault was met {} times: {}",
        receiver.requests().faulted,
        agent.log().join("\n")
    );
    receiver.faults().clear();
    all_arrive(&receiver, agent);
}

/// Everything arrives once, and the agent ends well.
fn all_arrive(receiver: &Receiver, agent: Agent) {
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

/// The server goes on refusing: only parts can pass.
#[test]
fn bodies_too_large_are_split() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    receiver.faults().set(Fault::TooLarge(30_000));
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    write_lines(&place);
    all_arrive(&receiver, agent);
    assert!(receiver.requests().by_status.get(&413).is_some_and(|count| *count > 0));
}

#[test]
fn a_request_refused_as_a_whole_is_sent_in_parts() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    receiver.faults().set_times(1, Fault::Status { status: 400, retry_after: None });
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    write_lines(&place);
    all_arrive(&receiver, agent);
    let requests = receiver.requests();
    assert_eq!((requests.by_status.get(&400), requests.duplicates), (Some(&1), 0));
}

#[test]
fn no_answer_at_all_is_given_up_in_time() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    receiver.faults().set_times(1, Fault::Hang { stored: true });
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: off\nsources: {{app: {{files: ['{{logs}}/*.log']}}}}\n\
         destinations: {{search: {{elasticsearch: {{url: '{}', index: a, timeout: 1s}}}}}}\n",
        receiver.url()
    ));
    let agent = Agent::start(&config, &[]);
    write_lines(&place);
    all_arrive(&receiver, agent);
    assert!(receiver.requests().duplicates > 0, "the hanging request was carried out");
}

/// Elasticsearch answers with a 200 and refuses each record: a mistake in the configuration, of
/// which no record may die.
#[test]
fn a_missing_pipeline_pauses_and_condemns_nothing() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\nsources: {{app: {{files: ['{{logs}}/*.log']}}}}\n\
         destinations:\n  search:\n    \
         elasticsearch: {{url: '{}', index: a, pipeline: missing}}\n    batch: {{linger: 50ms}}\n",
        receiver.url()
    ));
    let agent = Agent::start(&config, &[]);
    // Alone in its batch: an application that logs little is no different.
    place.append("quiet.log", "line seq=0 end\n");
    agent.wait_for_log("destination paused");
    write_lines(&place);
    assert!(receiver.wait_for(PATIENCE, |requests| requests.bulk >= 3), "it is asked again");
    let (_, page) = get(&agent.logged("admin").expect("the agent says where"), "/metrics");
    let samples = samples(&page);
    for outcome in ["delivered", "dead_lettered", "lost"] {
        let name = format!("pillion_records_total{{destination=\"search\",outcome=\"{outcome}\"}}");
        assert_eq!(value(&samples, &name), 0.0, "{outcome}");
    }
    assert!(agent.log().iter().any(|line| line.contains("illegal_argument_exception")));
    agent.kill();
}

/// As after a restart: that nothing was taken yet is no reason to hold what can never be taken.
#[test]
fn records_refused_for_what_they_hold_are_dead_letters_from_the_start() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    receiver.faults().set(Fault::Records { status: 400, fraction: 1.0 });
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    write_lines(&place);
    let letters = place.state().join("dead-letters/search.ndjson");
    let count = || fs::read_to_string(&letters).unwrap_or_default().lines().count() as u64;
    assert!(until(PATIENCE, || count() >= LINES), "{} {}", count(), agent.log().join("\n"));
    receiver.faults().clear();
    place.append("app.log", "line seq=9999 end\n");
    assert!(receiver.wait_for(PATIENCE, |it| it.stored == 1), "{}", agent.log().join("\n"));
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
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
        "state: {{state}}\nadmin: 127.0.0.1:0\nmemory: 8MiB\n\
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
    let admin = agent.logged("admin").expect("the agent says where");
    let samples = samples(&get(&admin, "/metrics").1);
    let of = |destination: &str, name: &str, label: &str| {
        value(&samples, &format!("pillion_{name}{{destination=\"{destination}\"{label}}}"))
    };
    for destination in ["live", "dead"] {
        let records = of(destination, "routed_records_total", "");
        assert_eq!(records, lines as f64, "{destination}");
        let full = of(destination, "dropped_records_total", ",reason=\"full\"");
        assert_eq!(full > 0.0, destination == "dead", "{full} dropped for {destination}");
        let settled = ["delivered", "duplicate", "dead_lettered", "dropped", "lost"]
            .map(|outcome| of(destination, "records_total", &format!(",outcome=\"{outcome}\"")));
        let waiting =
            of(destination, "open_records", "") + of(destination, "in_flight_records", "");
        assert_eq!(records, settled.iter().sum::<f64>() + waiting, "{destination}");
    }
    assert!(agent.log().iter().any(|line| line.contains("newest records dropped")));
    agent.kill();
}

/// JSON that Elasticsearch's dynamic mapping has no place for becomes something that it has.
#[test]
fn what_a_document_cannot_hold_is_refused_nowhere() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    let deep = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    let odd = [
        r#""": 1"#.to_owned(),
        r#"" ": 1, "x.": 2, ".y": 3, "p..q": 4, "x": 5"#.to_owned(),
        r#""o": {"": 1}"#.to_owned(),
        r#""o": {"x.": 1}"#.to_owned(),
        r#""n": 1e39"#.to_owned(),
        r#""o": {"n": 1e39}"#.to_owned(),
        r#""big": [123456789012345678901234567890]"#.to_owned(),
        r#""dd": {"trace_id": 12345678901234567890}"#.to_owned(),
        r#""max": {"n": 1.7976931348623157e308}"#.to_owned(),
        r#""files": {"./src/main.rs": 3, "_": {"": "a@example.com"}, "": 1}"#.to_owned(),
        r#""hidden": {"a.b": 1, ".hidden": 5}"#.to_owned(),
        r#""labels": {"example.com.": "b"}"#.to_owned(),
        r#""managed": {"f:annotations": {".": {}}}"#.to_owned(),
        format!(r#""d": {}"#, deep(18)),
        format!(r#""d": {}"#, deep(19)),
    ];
    let line = |(seq, odd): (usize, &String)| format!("{{\"msg\": \"seq={seq} .\", {odd}}}\n");
    place.append("app.log", odd.iter().enumerate().map(line).collect::<String>());
    let count = odd.len() as u64;
    let all = receiver.wait_for(PATIENCE, |it| it.stored + it.refused >= count);
    let (status, log) = agent.terminate();
    assert!(all && status.success(), "{}", log.join("\n"));
    assert_eq!(receiver.requests().refused, 0, "{}", log.join("\n"));
    let arrived = receiver.documents();
    let seqs: BTreeSet<_> = arrived.iter().filter_map(seq).collect();
    assert_eq!(seqs, (0..count).collect());
    let flagged = |it: &&Stored| it.document.pointer("/log/flags").is_some();
    assert_eq!(arrived.iter().filter(flagged).filter_map(seq).count(), 0);
    // Only what is too deep is a text.
    let cut = |it: &&Stored| it.document.pointer("/app/d/cut").is_some();
    assert_eq!(arrived.iter().filter(cut).filter_map(seq).collect::<Vec<_>>(), [count - 1]);
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
