//! Destinations that refuse, stall, lie or are away: what they get, and what they get twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pillion::receiver::{Fault, Options, Receiver, Requests};

use crate::harness::{Agent, PATIENCE, Place, field, until};
use crate::oracle::{self, Arrived};
use crate::seen::{get, samples, value};

mod identity;
mod idle;
mod letters;
mod two_sinks;
mod unanswered;

fn start(change: impl FnOnce(&mut Options)) -> Receiver {
    let mut options = Options { seed: 11, ..Options::default() };
    change(&mut options);
    Receiver::start(options).expect("receiver")
}

fn status(status: u16) -> Fault {
    Fault::Status { status, retry_after: None }
}

/// The text of a line of the only file.
fn line(seq: u64) -> String {
    oracle::line(0, seq, "end")
}

/// Its lines from one number up to, not including, another.
fn lines(from: u64, to: u64) -> String {
    (from..to).map(|seq| line(seq) + "\n").collect()
}

/// Of so many lines all arrived but these: each once, as it was written, in its order.
fn assert_arrived(arrived: &Arrived, written: u64, but: impl IntoIterator<Item = u64>) {
    let mut found = arrived.judge(&BTreeMap::from([(0, written)]));
    let missing: Vec<_> = but.into_iter().map(|seq| (0, seq)).collect();
    assert_eq!(std::mem::take(&mut found.missing), missing, "{found:?}");
    assert!(found.is_exact(), "{found:?}");
}

/// What a Loki holds.
fn entries(receiver: &Receiver) -> Arrived {
    let mut arrived = Arrived::default();
    receiver.entries().iter().for_each(|entry| arrived.entry(entry));
    arrived
}

/// What lies in a destination's dead letters: these lines, each once, as it was written.
fn assert_dead(letters: &[serde_json::Value], written: u64, dead: impl IntoIterator<Item = u64>) {
    let mut arrived = Arrived::default();
    for letter in letters {
        arrived.text(letter["record"]["message"].as_str().expect("text"));
    }
    let dead: BTreeSet<u64> = dead.into_iter().collect();
    assert_arrived(&arrived, written, (0..written).filter(|seq| !dead.contains(seq)));
}

/// Every file to one Loki.
fn to_loki(place: &Place, url: &str) -> PathBuf {
    place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\n\
         sources: {{app: {{files: ['{{logs}}/*.log']}}}}\n\
         destinations:\n  grafana:\n    loki: {{url: '{url}', labels: {{app: shop}}}}\n    \
         batch: {{linger: 50ms}}\n"
    ))
}

fn wait_for_stored(receiver: &Receiver, agent: &Agent, stored: u64) {
    let all = receiver.wait_for(PATIENCE, |requests| requests.stored >= stored);
    assert!(all, "{:?}\n{}", receiver.requests(), agent.log().join("\n"));
}

/// Each of so many lines is there once, nothing is in flight, and the agent ends well.
fn exact(receiver: &Receiver, agent: Agent, written: u64) {
    wait_for_stored(receiver, &agent, written);
    agent.assert_at_rest();
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
    assert_arrived(&Arrived::at(receiver), written, []);
}

/// The dead letters of a destination.
fn letters(place: &Place, destination: &str) -> Vec<serde_json::Value> {
    let path = place.state().join("dead-letters").join(format!("{destination}.ndjson"));
    let text = fs::read_to_string(path).unwrap_or_default();
    // The last may be in the middle of being written.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// Has every line be a record, so that none waits for what the next one may add.
fn line_by_line(config: PathBuf) -> PathBuf {
    let text = fs::read_to_string(&config).expect("there");
    fs::write(&config, text.replace("app: {", "app: {multiline: off, ")).expect("written");
    config
}

/// Has a request be given up after a second.
fn impatient(config: &Path) {
    let text = fs::read_to_string(config).expect("there");
    fs::write(config, text.replace("index: logs", "timeout: 1s, index: logs")).expect("written");
}

/// A counter or gauge of a running agent.
fn metric(agent: &Agent, name: &str) -> f64 {
    let admin = agent.logged("admin").expect("the agent says where");
    value(&samples(&get(&admin, "/metrics").1), name)
}

/// The first answer is lost after a part was stored; the second tells of records that were stored then
/// (409), are stored now (201), are to come again (429), and can never be stored (400).
#[test]
fn s34_of_a_mixed_answer_only_the_records_that_may_come_again_do() {
    const LINES: u64 = 600;
    let (place, receiver) = (Place::new(), start(|options| options.raw_bodies = true));
    let config = line_by_line(place.to_elasticsearch(&receiver.url()));
    impatient(&config);
    let agent = Agent::start(&config, &[]);
    place.append("first.log", format!("{{\"shape\":1,\"msg\":\"{}\"}}\n", line(0)));
    wait_for_stored(&receiver, &agent, 1);
    receiver.faults().set_times(2, Fault::Records { status: 429, fraction: 0.3 });
    receiver.faults().set_times(1, Fault::Hang { stored: true });
    let is_bad = |seq: &u64| seq % 50 == 7;
    let object = |seq: u64| match is_bad(&seq) {
        true => format!("{{\"shape\":{{\"a\":1}},\"msg\":\"{}\"}}\n", line(seq)),
        false => format!("{{\"shape\":{seq},\"msg\":\"{}\"}}\n", line(seq)),
    };
    // All at once, so that it is one batch.
    let whole = place.dir.path().join("whole");
    fs::write(&whole, (1..LINES).map(object).collect::<String>()).expect("written");
    fs::rename(&whole, place.log("second.log")).expect("renamed");
    let answered = |count| move |it: &Requests| it.by_status.values().sum::<u64>() >= count;
    assert!(receiver.wait_for(PATIENCE, answered(2)), "{:?}", agent.log());
    // Before the agent's patience ends, and it is sent again.
    let put_off_at_first = receiver.requests().deferred;
    let bad: BTreeSet<u64> = (1..LINES).filter(is_bad).collect();
    wait_for_stored(&receiver, &agent, LINES - bad.len() as u64);
    agent.assert_at_rest();
    assert!(agent.terminate().0.success());
    assert_arrived(&Arrived::at(&receiver), LINES, bad.iter().copied());
    let letters = letters(&place, "search");
    assert_dead(&letters, LINES, bad);
    assert!(
        letters.iter().all(|it| it["reason"] == "refused" && it["status"] == 400),
        "{letters:?}"
    );

    let bodies: Vec<BTreeSet<String>> = receiver.raw_bodies().iter().map(|it| ids(it)).collect();
    let [_, first, second, third] = bodies.as_slice() else { panic!("{} requests", bodies.len()) };
    assert_eq!((first, first.len() as u64), (second, LINES - 1), "the answer was lost: all again");
    assert!(!third.is_empty() && third.is_subset(second) && receiver.requests().duplicates > 0);
    let put_off = receiver.requests().deferred - put_off_at_first;
    assert_eq!(third.len() as u64, put_off, "only what was put off");
}

/// The ids of a bulk request's records.
fn ids(body: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(body);
    let id = |line: &str| Some(line.split_once("\"_id\":\"")?.1.split_once('"')?.0.to_owned());
    text.lines().step_by(2).filter_map(id).collect()
}

#[test]
fn s34_an_answer_of_duplicates_alone_is_the_end() {
    let (place, receiver) = (Place::new(), start(|_| {}));
    receiver.faults().set_times(1, Fault::Reset { stored: true });
    let config = line_by_line(place.to_elasticsearch(&receiver.url()));
    let agent = Agent::start(&config, &[]);
    place.append("app.log", lines(0, 300));
    wait_for_stored(&receiver, &agent, 300);
    let done = "pillion_records_total{destination=\"search\",outcome=\"duplicate\"}";
    assert!(until(PATIENCE, || metric(&agent, done) == 300.0), "{:?}", receiver.requests());
    assert_eq!(receiver.requests().bulk, 2);
    exact(&receiver, agent, 300);
}

/// rsyslog's `es-bulk-retry`: parts of what is sent again are put off again, for many rounds.
#[test]
fn es_bulk_retry() {
    let (place, receiver) = (Place::new(), start(|_| {}));
    receiver.faults().set_times(6, Fault::Records { status: 429, fraction: 0.5 });
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    place.append("app.log", lines(0, 1_000));
    exact(&receiver, agent, 1_000);
    assert!(receiver.requests().deferred > 900 && receiver.requests().duplicates == 0);
}

/// Ten minutes of it are played on paused time, beside the delivery itself.
#[test]
fn s35_overload_is_waited_out_as_the_server_says_and_left_soon() {
    let (place, receiver) = (Place::new(), start(|_| {}));
    let after = Duration::from_secs(2);
    receiver.faults().set(Fault::Status { status: 429, retry_after: Some(after) });
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    place.append("app.log", lines(0, 3_000));
    let met = |count| receiver.wait_for(PATIENCE, |requests| requests.faulted >= count);
    assert!(met(1), "{:?}", agent.log());
    let first = Instant::now();
    assert!(met(3), "{:?}", agent.log());
    // Twice, and a bit less for how long it took to be seen.
    assert!(first.elapsed() > after.mul_f64(1.9), "{:?}", first.elapsed());
    receiver.faults().clear();
    let healed = Instant::now();
    wait_for_stored(&receiver, &agent, 3_000);
    assert!(healed.elapsed() < Duration::from_secs(30), "{:?}", healed.elapsed());
    exact(&receiver, agent, 3_000);
}

/// The server goes on refusing what is large: one record can never pass, all others do.
#[test]
fn s36_what_is_too_large_is_split_until_it_fits_and_one_record_alone_is_a_dead_letter() {
    let (place, receiver) = (Place::new(), start(|_| {}));
    receiver.faults().set(Fault::TooLarge(20_000));
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    let large = oracle::line(1, 0, &"x".repeat(40_000));
    place.append("app.log", format!("{}{large}\n{}", lines(0, 400), lines(400, 800)));
    exact(&receiver, agent, 800);
    assert!(receiver.requests().by_status.get(&413).is_some_and(|count| *count > 1));
    let letters = letters(&place, "search");
    let [letter] = letters.as_slice() else { panic!("one dead letter: {}", letters.len()) };
    assert_eq!((&letter["reason"], &letter["status"]), (&"too_large".into(), &413.into()));
    assert_eq!(letter["record"]["message"], large);
}

/// Five minutes of it are played on paused time, beside the delivery itself.
#[test]
fn s37_a_wrong_configuration_holds_everything_and_drops_nothing() {
    let check = |code: u16| {
        let (place, receiver) = (Place::new(), start(|_| {}));
        receiver.faults().set(status(code));
        let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
        place.append("app.log", lines(0, 500));
        agent.wait_for_log("destination paused");
        let met = receiver.wait_for(PATIENCE, |requests| requests.faulted >= 2);
        assert!(met, "{code}: {:?}", agent.log());
        let lost = "pillion_records_total{destination=\"search\",outcome=\"lost\"}";
        assert_eq!((metric(&agent, lost), letters(&place, "search").len()), (0.0, 0));
        receiver.faults().clear();
        exact(&receiver, agent, 500);
        assert_eq!(letters(&place, "search").len(), 0);
    };
    std::thread::scope(|scope| {
        for code in [401, 403, 404] {
            scope.spawn(move || check(code));
        }
    });
}

/// Lines that a Loki takes, in which some stand that it does not, `back` in the past.
fn with_some_of_the_past(back: jiff::SignedDuration, is_bad: impl Fn(u64) -> bool) -> String {
    let now = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(10);
    let object = |seq: u64| {
        let step = jiff::SignedDuration::from_millis(i64::try_from(seq).expect("small"));
        let time = now + step - if is_bad(seq) { back } else { jiff::SignedDuration::ZERO };
        format!("{{\"time\":\"{time}\",\"msg\":\"{}\"}}\n", line(seq))
    };
    (0..1_000).map(object).collect()
}

/// Loki stores the others of the batch and does not say which it refused.
fn some_are_refused(options: impl FnOnce(&mut Options), text: &str, bad: &[u64], reason: &str) {
    let (place, receiver) = (Place::new(), start(options));
    let whole = place.dir.path().join("whole");
    fs::write(&whole, text).expect("written");
    fs::rename(&whole, place.log("app.log")).expect("renamed");
    let agent = Agent::start(&to_loki(&place, &receiver.url()), &[]);
    let found = until(PATIENCE, || letters(&place, "grafana").len() >= bad.len());
    assert!(found, "{:?}\n{}", receiver.requests(), agent.log().join("\n"));
    wait_for_stored(&receiver, &agent, 1_000 - bad.len() as u64);
    // And what comes after it goes on.
    place.append("app.log", lines(1_000, 1_001));
    wait_for_stored(&receiver, &agent, 1_001 - bad.len() as u64);
    agent.assert_at_rest();
    assert!(agent.terminate().0.success());
    assert_arrived(&entries(&receiver), 1_001, bad.iter().copied());
    let letters = letters(&place, "grafana");
    assert_dead(&letters, 1_001, bad.iter().copied());
    assert!(letters.iter().all(|letter| letter["reason"] == reason), "{letters:?}");
    // Two requests for each halving on the way to each of them, and no more.
    let most = 2 + 2 * 10 * bad.len() as u64;
    assert!(receiver.requests().push <= most, "{:?}", receiver.requests());
}

/// (Older than a week, they are not sent at all: this Loki is stricter.)
#[test]
fn s38_lines_too_old_for_a_loki_are_found_and_the_rest_are_stored_once() {
    let bad = [3, 400, 401, 999];
    let text = with_some_of_the_past(jiff::SignedDuration::from_hours(48), |it| bad.contains(&it));
    let strict = |options: &mut Options| options.loki.too_old = Duration::from_secs(24 * 60 * 60);
    some_are_refused(strict, &text, &bad, "too_old");
}

#[test]
fn s38_lines_too_far_behind_are_found_and_the_rest_are_stored_once() {
    let bad: Vec<u64> = (500..520).chain([700]).collect();
    let text = with_some_of_the_past(jiff::SignedDuration::from_hours(3), |it| bad.contains(&it));
    some_are_refused(|_| {}, &text, &bad, "too_far_behind");
}

/// fluent-bit's `forge_bulk_action_lines`: whatever a record says, it is one document.
#[test]
fn s40_forge_bulk_action_lines() {
    let (place, receiver) = (Place::new(), start(|_| {}));
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    let forged = "{\"delete\":{\"_index\":\"logs-test-default\",\"_id\":\"1\"}}";
    let escaped = forged.replace('"', "\\\"");
    place.append("json.log", format!("{{\"msg\":\"a\\n{escaped}\\n{escaped}\"}}\n"));
    place.append("plain.log", format!("plain {forged}\n"));
    place.append(
        "java.log",
        format!("java.lang.Exception: x\n\tat a.B.c(B.java:1)\n\tat {forged}\n"),
    );
    wait_for_stored(&receiver, &agent, 3);
    assert!(agent.terminate().0.success());
    let texts: BTreeSet<String> = receiver
        .documents()
        .iter()
        .map(|stored| {
            let path = field(stored, "log.file.path").as_str().expect("text");
            // What could be parsed may be elsewhere: the document is looked at as a whole.
            format!("{} {}", path.rsplit('/').next().expect("a name"), stored.document)
        })
        .collect();
    assert_eq!(texts.len(), 3, "{texts:?}");
    let of = |name: &str| texts.iter().find(|text| text.starts_with(name)).expect("arrived");
    assert!(of("json.log").contains(&format!("a\\n{escaped}\\n{escaped}")), "{texts:?}");
    assert!(of("plain.log").contains(&format!("plain {escaped}")), "{texts:?}");
    assert!(of("java.log").contains(&escaped), "{texts:?}");
    assert_eq!((receiver.requests().refused, receiver.requests().duplicates), (0, 0));
}

/// Alloy's `TestTailerCancelWhileSendBlocked`: told to stop while a request hangs.
#[test]
fn tailer_cancel_while_send_blocked() {
    let (place, receiver) = (Place::new(), start(|_| {}));
    receiver.faults().set(Fault::Hang { stored: false });
    let config = place.to_elasticsearch(&receiver.url());
    let agent = Agent::start(&config, &["--grace", "1s"]);
    place.append("app.log", lines(0, 1_000));
    assert!(receiver.wait_for(PATIENCE, |requests| requests.faulted >= 1), "{:?}", agent.log());
    let told = Instant::now();
    let (status, log) = agent.terminate();
    assert!(status.success() && told.elapsed() < Duration::from_secs(10), "{}", log.join("\n"));
    receiver.faults().clear();
    exact(&receiver, Agent::start(&config, &[]), 1_000);
}

/// vector-test-harness's `docker_partial_events_merging`: a long line, which Docker's `json-file` driver
/// cuts every 16 KiB, is one document.
#[test]
fn docker_partial_events_merging() {
    let (place, receiver) = (Place::new(), start(|_| {}));
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    let part = |text: &str, seq: u64, ends: &str| {
        format!(
            "{{\"log\":\"{text}{ends}\",\"stream\":\"stdout\",\"time\":\"2026-08-01T12:00:0{seq}Z\"}}\n"
        )
    };
    for seq in 0..3 {
        let long = oracle::line(0, seq, &"x".repeat(32 << 10));
        let (begin, rest) = long.split_at(16 << 10);
        let (middle, end) = rest.split_at(16 << 10);
        for (text, ends) in [(begin, ""), (middle, ""), (end, "\\n")] {
            place.append("app.log", part(text, seq, ends));
        }
    }
    exact(&receiver, agent, 3);
}
