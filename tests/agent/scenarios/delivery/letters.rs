//! Dead letters that are sent again.

use std::process::Output;

use super::*;
use crate::harness::command;

fn replay(config: &std::path::Path, to: &str, more: &[&str]) -> Output {
    let mut command = command();
    command.args(["replay", "--dead-letters", "--to", to, "--config"]).arg(config).args(more);
    command.output().expect("the binary runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A text that redaction changes, and what is to come of it.
fn text(seq: u64) -> String {
    format!("line seq={seq} é\\n jane@example.com")
}

fn redacted(seq: u64) -> String {
    format!("line seq={seq} é\n [EMAIL]")
}

/// A line that conflicts with what is stored first.
fn conflicting(seq: u64) -> String {
    format!("{{\"shape\":{{\"a\":1}},\"ms\":{seq}.50,\"msg\":\"{}\"}}\n", text(seq))
}

/// So many lines are stored, each once and as it is to be.
fn assert_stored(receiver: &Receiver, lines: u64) {
    let mut stored: Vec<String> = receiver
        .documents()
        .iter()
        .map(|stored| field(stored, "message").as_str().expect("text").to_owned())
        .collect();
    let mut expected: Vec<String> = (0..lines).map(redacted).collect();
    stored.sort();
    expected.sort();
    assert_eq!(stored, expected);
}

/// One record is stored and makes `shape` a number; ten conflict with that.
fn with_ten_letters(place: &Place, receiver: &Receiver) -> (Agent, PathBuf) {
    let config = place.to_elasticsearch(&receiver.url());
    let agent = Agent::start(&config, &[]);
    place.append("app.log", format!("{{\"shape\":1,\"msg\":\"{}\"}}\n", text(0)));
    wait_for_stored(receiver, &agent, 1);
    place.append("app.log", (1..11).map(conflicting).collect::<String>());
    assert!(until(PATIENCE, || letters(place, "search").len() == 10), "{:?}", agent.log());
    (agent, config)
}

/// The same configuration with another index or address, in a file that no agent looks at.
fn mended(config: &std::path::Path, from: &str, to: &str) -> PathBuf {
    let (text, path) =
        (fs::read_to_string(config).expect("there"), config.with_extension("mended"));
    fs::write(&path, text.replace(from, to)).expect("written");
    path
}

#[test]
fn dead_letters_are_sent_again_while_the_agent_runs() {
    let (place, receiver) = (Place::new(), start(|_| {}));
    let (agent, config) = with_ten_letters(&place, &receiver);
    let ids: BTreeSet<String> = letters(&place, "search")
        .iter()
        .map(|it| it["id"].as_str().expect("text").into())
        .collect();

    let output = replay(&config, "search", &["--dry-run"]);
    assert!(
        output.status.success() && said(&output).starts_with("10 to send (refused 10)"),
        "{output:?}"
    );
    assert_eq!(letters(&place, "search").len(), 10);

    // Nothing is mended yet: they are refused again, and stay.
    let output = replay(&config, "search", &[]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains("0 sent, 0 stored already, 10 refused again, 0 left"),
        "{}",
        said(&output)
    );
    let again: BTreeSet<String> = letters(&place, "search")
        .iter()
        .map(|it| it["id"].as_str().expect("text").into())
        .collect();
    assert_eq!(again, ids);

    // The index is another one, in which nothing conflicts; the agent goes on writing to the old one.
    let config = mended(&config, "logs-test-default", "logs-mended-default");
    receiver.faults().set_times(1, Fault::Reset { stored: true });
    let output = replay(&config, "search", &[]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        said(&output).contains("0 sent, 10 stored already, 0 refused again"),
        "{}",
        said(&output)
    );
    assert_eq!(letters(&place, "search").len(), 0);
    let output = replay(&config, "search", &[]);
    assert!(output.status.success() && said(&output).starts_with("0 sent"), "{}", said(&output));

    // A new dead letter finds its place.
    place.append("app.log", conflicting(11));
    assert!(until(PATIENCE, || letters(&place, "search").len() == 1), "{:?}", agent.log());
    agent.assert_at_rest();
    assert!(agent.terminate().0.success());
    assert_stored(&receiver, 11);
    let documents = receiver.documents();
    let stored = documents.iter().find(|it| field(it, "message") == redacted(7).as_str());
    let stored = stored.expect("stored");
    assert!(ids.contains(&stored.id), "the same id");
    assert_eq!(field(stored, "app.shape.a"), 1);
    assert_eq!(field(stored, "app.ms"), 7.5);
    assert_eq!(field(stored, "log.file.path"), place.log("app.log").display().to_string().as_str());
    assert!(field(stored, "log.offset").as_u64().is_some_and(|offset| offset > 0));
}

#[test]
fn a_server_that_is_down_leaves_dead_letters_as_they_were() {
    let (place, mut receiver) = (Place::new(), start(|_| {}));
    let (agent, config) = with_ten_letters(&place, &receiver);
    assert!(agent.terminate().0.success());
    let path = place.state().join("dead-letters/search.ndjson");
    let before = fs::read(&path).expect("dead letters");
    receiver.stop();
    let output = replay(&config, "search", &["--timeout", "1s"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("0 sent, 0 stored already, 0 refused again, 10 left"),
        "{}",
        said(&output)
    );
    assert_eq!(fs::read(&path).expect("dead letters"), before);
}

/// The letters are away, the agent writes others, the replay dies: the next one takes both, each once.
#[test]
fn a_replay_that_is_killed_loses_nothing() {
    let (place, receiver) = (Place::new(), start(|_| {}));
    let (agent, config) = with_ten_letters(&place, &receiver);
    let config = mended(&config, "logs-test-default", "logs-mended-default");
    receiver.faults().set(Fault::Hang { stored: true });
    let mut command = command();
    command.args(["replay", "--dead-letters", "--to", "search", "--config"]).arg(&config);
    let mut replaying = command.spawn().expect("starts");
    wait_for_stored(&receiver, &agent, 11);
    replaying.kill().expect("killed");
    replaying.wait().expect("ended");
    receiver.faults().clear();
    assert_eq!(letters(&place, "search").len(), 0, "they are in a file of their own");
    place.append("app.log", conflicting(11));
    assert!(until(PATIENCE, || letters(&place, "search").len() == 1), "{:?}", agent.log());
    let output = replay(&config, "search", &[]);
    assert!(
        said(&output).contains("1 sent, 10 stored already, 0 refused again, 0 left"),
        "{}",
        said(&output)
    );
    assert!(output.status.success());
    assert!(agent.terminate().0.success());
    assert_stored(&receiver, 12);
    let left = fs::read_dir(place.state().join("dead-letters")).expect("listed");
    let left: Vec<_> = left.map(|entry| entry.expect("read").file_name()).collect();
    assert_eq!(left, ["lock"], "nothing is left behind");
}

/// A replay died after it had put its letters back and before it had removed those that it had taken.
/// Those that are not to be sent are put back once, too.
#[test]
fn letters_that_are_there_twice_are_sent_and_put_back_once() {
    let (place, receiver) = (Place::new(), start(|_| {}));
    let (agent, config) = with_ten_letters(&place, &receiver);
    assert!(agent.terminate().0.success());
    let directory = place.state().join("dead-letters");
    let twice = || {
        let taken = directory.join("search.replaying-1.ndjson");
        fs::copy(directory.join("search.ndjson"), taken).expect("copied");
    };
    twice();
    let output = replay(&config, "search", &["--dry-run"]);
    assert!(said(&output).starts_with("10 to send (refused 10)\n"), "{}", said(&output));
    let output = replay(&config, "search", &["--reason", "too_old"]);
    assert!(said(&output).starts_with("0 sent, 0 stored already"), "{}", said(&output));
    assert_eq!(letters(&place, "search").len(), 10);
    twice();
    let config = mended(&config, "logs-test-default", "logs-mended-default");
    let output = replay(&config, "search", &[]);
    let all = "10 sent, 0 stored already, 0 refused again, 0 left";
    assert!(output.status.success() && said(&output).contains(all), "{}", said(&output));
    assert_eq!(letters(&place, "search").len(), 0);
}

#[test]
fn how_logs_are_read_is_not_for_dead_letters() {
    for option in [["--source", "app"], ["--read-at", "2026-01-01T00:00:00Z"]] {
        let output = replay(std::path::Path::new("/none"), "search", &option);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("cannot be used with"), "{}", said(&output));
    }
}

/// What Loki refused goes back with the same line and the same time.
#[test]
fn lokis_dead_letters_have_the_same_lines_and_times_again() {
    let (place, receiver) = (
        Place::new(),
        start(|options| {
            options.loki.too_old = Duration::from_secs(24 * 60 * 60);
        }),
    );
    let text = with_some_of_the_past(jiff::SignedDuration::from_hours(48), |seq| seq % 100 == 0);
    place.append("app.log", &text);
    let config = to_loki(&place, &receiver.url());
    let agent = Agent::start(&config, &[]);
    assert!(
        until(PATIENCE, || letters(&place, "grafana").len() == 10),
        "{:?}",
        receiver.requests()
    );
    assert!(agent.terminate().0.success());
    // A Loki that takes what is old, at another address.
    let other = start(|_| {});
    let config = mended(&config, &receiver.url(), &other.url());
    let output = replay(&config, "grafana", &["--reason", "too_old"]);
    assert!(output.status.success() && said(&output).contains("10 sent"), "{}", said(&output));
    let mut offset = 0;
    let mut expect = BTreeSet::new();
    for (seq, object) in (0..).zip(text.lines()) {
        if seq % 100 == 0 {
            let time = object.split('"').nth(3).and_then(|it| it.parse::<jiff::Timestamp>().ok());
            let nanos = i64::try_from(time.expect("a time").as_nanosecond()).expect("this century");
            expect.insert((line(seq), nanos));
        }
        offset += object.len() + 1;
    }
    assert_eq!(offset, text.len());
    let arrived: BTreeSet<_> = other.entries().into_iter().map(|it| (it.line, it.time)).collect();
    assert_eq!(arrived, expect);
    assert!(other.entries().iter().all(|entry| entry.labels["app"] == "shop"));
}
