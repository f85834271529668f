//! What a record is called, and when that is the same: after a restart, and not after other framing.

use super::*;

/// Ships until `stored` records are stored of which no answer came, then kills the agent.
fn killed_before_the_answer(receiver: &Receiver, config: &std::path::Path, stored: u64) {
    receiver.faults().set(Fault::Hang { stored: true });
    let agent = Agent::start(config, &[]);
    wait_for_stored(receiver, &agent, stored);
    agent.kill();
    receiver.faults().clear();
}

fn ids(receiver: &Receiver) -> BTreeSet<String> {
    receiver.documents().iter().map(|stored| stored.id.clone()).collect()
}

#[test]
fn ids_are_the_same_after_a_crash_and_a_restart() {
    let (place, receiver) = (Place::new(), start(|_| {}));
    let config = line_by_line(place.to_elasticsearch(&receiver.url()));
    place.append("app.log", lines(0, 500));
    killed_before_the_answer(&receiver, &config, 500);
    let before = ids(&receiver);
    let agent = Agent::start(&config, &[]);
    place.append("app.log", lines(500, 600));
    exact(&receiver, agent, 600);
    assert!(ids(&receiver).is_superset(&before));
    assert!(receiver.requests().duplicates >= 500, "{:?}", receiver.requests());
}

/// Half of a stack trace was flushed by age and stored; the agent dies before it knows, and finds the
/// whole at the next start.
#[test]
fn a_trace_flushed_by_age_and_the_whole_one_are_two_documents() {
    let (place, receiver) = (Place::new(), start(|_| {}));
    let config = place.to_elasticsearch(&receiver.url());
    let text = fs::read_to_string(&config).expect("there");
    fs::write(&config, text.replace("app: {", "app: {multiline: java, ")).expect("written");
    place.append("app.log", "java.lang.Exception: seq=0\n\tat a.B.c(B.java:1)\n");
    killed_before_the_answer(&receiver, &config, 1);
    place.append("app.log", "\tat a.B.d(B.java:2)\nINFO seq=1\n");
    let agent = Agent::start(&config, &[]);
    wait_for_stored(&receiver, &agent, 3);
    assert!(agent.terminate().0.success());
    let with = |text: &str| {
        let documents = receiver.documents();
        documents.iter().filter(|stored| stored.document.to_string().contains(text)).count()
    };
    assert_eq!(
        (with("B.java:1"), with("B.java:2")),
        (2, 1),
        "the whole one is not taken for the half"
    );
    assert_eq!(ids(&receiver).len(), 3);
}

/// The same bytes, read with another configuration.
fn framed_otherwise(text: &str, before: &str, after: &str, stored: [u64; 2]) {
    let (place, receiver) = (Place::new(), start(|_| {}));
    let config = place.to_elasticsearch(&receiver.url());
    let plain = fs::read_to_string(&config).expect("there");
    let set = |with: &str| {
        fs::write(&config, plain.replace("app: {", &format!("app: {{{with}, "))).expect("written");
    };
    place.append("app.log", text);
    set(before);
    killed_before_the_answer(&receiver, &config, stored[0]);
    set(after);
    let agent = Agent::start(&config, &[]);
    wait_for_stored(&receiver, &agent, stored[0] + stored[1]);
    assert!(agent.terminate().0.success());
    assert_eq!(ids(&receiver).len() as u64, stored[0] + stored[1]);
    assert_eq!(receiver.requests().duplicates, 0, "nothing was taken for what it is not");
}

#[test]
fn records_of_another_joiner_have_other_ids() {
    let text = "first\n  second\nthird\n  fourth\n";
    // The last record waits for more, and is not sent before the agent dies.
    framed_otherwise(
        text,
        "multiline: {start: '^\\S'}",
        "multiline: {start: '^(first|x)'}",
        [1, 1],
    );
}

#[test]
fn records_of_another_max_record_have_other_ids() {
    let text = format!("{}\n", "word ".repeat(2_000));
    framed_otherwise(
        &text,
        "max_record: 4KiB, multiline: off",
        "max_record: 64KiB, multiline: off",
        [1, 1],
    );
}

/// As the documentation says: what may have been stored is sent again, under a new name.
#[test]
fn without_ids_what_is_sent_again_is_stored_again_and_nothing_is_missing() {
    let (place, receiver) = (Place::new(), start(|options| options.raw_bodies = true));
    receiver.faults().set_times(1, Fault::Reset { stored: true });
    let config = line_by_line(place.to_elasticsearch(&receiver.url()));
    let text = fs::read_to_string(&config).expect("there");
    fs::write(&config, text.replace("index: logs", "ids: false, index: logs")).expect("written");
    let agent = Agent::start(&config, &[]);
    place.append("app.log", lines(0, 200));
    wait_for_stored(&receiver, &agent, 400);
    agent.assert_at_rest();
    assert!(agent.terminate().0.success());
    let judged = Arrived::at(&receiver).judge(&BTreeMap::from([(0, 200)]));
    assert!(judged.is_at_least_once() && judged.repeated.len() == 200, "{judged:?}");
    let bodies = receiver.raw_bodies();
    let named = |body: &[u8]| String::from_utf8_lossy(body).contains("\"_id\"");
    assert!(bodies.len() >= 2 && bodies.iter().all(|body| !named(body)), "no id is sent");
}

/// Times of whole seconds and of milliseconds: what they leave free says where the line stands, before
/// and after a crash.
#[test]
fn loki_gets_identical_bytes_after_a_crash() {
    let (place, receiver) = (Place::new(), start(|_| {}));
    let config = line_by_line(to_loki(&place, &receiver.url()));
    let now = jiff::Timestamp::now();
    let mut text = String::new();
    let mut offsets = Vec::new();
    for seq in 0..400_u64 {
        offsets.push(text.len() as i64);
        // Equal lines within a second or a millisecond are told apart by nothing else.
        let time = if seq < 200 { format!("{now:.0}") } else { format!("{now:.3}") };
        text.push_str(&format!("{{\"time\":\"{time}\",\"msg\":\"equal\"}}\n"));
    }
    place.append("app.log", text);
    killed_before_the_answer(&receiver, &config, 400);
    let before = receiver.entries();
    let agent = Agent::start(&config, &[]);
    let again = receiver.wait_for(PATIENCE, |requests| requests.duplicates >= 400);
    assert!(again, "{:?}", receiver.requests());
    agent.assert_at_rest();
    assert!(agent.terminate().0.success());
    assert_eq!(receiver.entries(), before, "nothing is stored twice");
    for (seq, (entry, offset)) in before.iter().zip(offsets).enumerate() {
        let unit = if seq < 200 { 1_000_000_000 } else { 1_000_000 };
        assert_eq!(entry.time.rem_euclid(unit), offset % unit, "line {seq}");
    }
}

/// A line without a time is timed by when it was read, which is another time after a crash.
#[test]
fn loki_may_show_lines_without_a_time_twice_after_a_crash_and_misses_none() {
    let (place, receiver) = (Place::new(), start(|_| {}));
    let config = line_by_line(to_loki(&place, &receiver.url()));
    place.append("app.log", lines(0, 100));
    killed_before_the_answer(&receiver, &config, 100);
    let agent = Agent::start(&config, &[]);
    let settled =
        || metric(&agent, "pillion_records_total{destination=\"grafana\",outcome=\"delivered\"}");
    assert!(until(PATIENCE, || settled() >= 100.0));
    assert!(agent.terminate().0.success());
    let entries = super::entries(&receiver);
    let judged = entries.judge(&BTreeMap::from([(0, 100)]));
    assert!(judged.is_at_least_once(), "{judged:?}");
    assert!(entries.lines() <= 200, "at most once more");
}
