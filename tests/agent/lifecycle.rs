//! Starting, stopping and being stopped: what each ends with, and what it says.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use pillion::receiver::{Fault, Options, Receiver};

use super::harness::{Agent, PATIENCE, Place, command, judge, seq, until};

fn lines(range: std::ops::Range<u64>) -> String {
    range.map(|seq| format!("line seq={seq}\n")).collect()
}

#[test]
fn a_second_agent_on_the_same_state_is_refused_and_told_which_process_holds_it() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let config = place.to_elasticsearch(&receiver.url());
    let first = Agent::start(&config, &[]);
    let second = command().args(["run", "-c"]).arg(&config).output().expect("runs");
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains(&first.pid().to_string()), "{said}");
}

#[test]
fn a_state_directory_that_cannot_be_written_is_refused_with_the_reason() {
    let place = Place::new();
    // Not a permission, since tests may run as root: a file where a directory should be.
    fs::write(place.state(), "a file").expect("writes");
    let config = place.to_elasticsearch("http://127.0.0.1:9");
    let refused = command().args(["run", "-c"]).arg(&config).output().expect("runs");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains(&place.state().display().to_string()), "{said}");
}

#[test]
fn an_admin_address_that_is_taken_is_refused_before_anything_is_read() {
    let place = Place::new();
    place.append("app.log", lines(0..10));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let config = place.to_elasticsearch("http://127.0.0.1:9");
    let refused =
        command().args(["run", "--admin", &address, "-c"]).arg(&config).output().expect("runs");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains(&address), "{said}");
    assert!(!place.state().join("checkpoint").exists(), "it has begun to read");
}

#[test]
fn a_wrong_configuration_ends_with_78_and_says_all_of_it() {
    let place = Place::new();
    let config = place.configure(
        "sorces: {}\nmemory: 12 apples\ndestinations:\n  a: {elasticsearch: {url: 'http://x'}}\n",
    );
    for verb in ["run", "check", "test"] {
        let refused = command().arg(verb).arg("-c").arg(&config).output().expect("runs");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(78), "{verb}: {said}");
        for part in ["pillion.yaml:1:1", "sources", "pillion.yaml:2:9", "apples", "index"] {
            assert!(said.contains(part), "{verb} does not say {part:?}:\n{said}");
        }
    }
}

#[test]
fn no_configuration_file_is_needed() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    place.append("app.log", lines(0..10));
    let mut child = command()
        .arg("run")
        .env("PILLION_FILES", format!("{}/*.log", place.logs().display()))
        .env("PILLION_TO", format!("elasticsearch={}", receiver.url()))
        .env("PILLION_STATE", place.state())
        .env("PILLION_ADMIN", "off")
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("runs");
    let all = receiver.wait_for(PATIENCE, |requests| requests.stored >= 10);
    child.kill().expect("killable");
    child.wait().expect("waits");
    assert!(all);
    assert_eq!(judge(0..10, receiver.documents().iter().filter_map(seq)), Default::default());
}

#[test]
fn a_destination_that_is_down_at_the_start_is_tried_until_it_is_up() {
    let place = Place::new();
    let mut receiver = Receiver::start(Options::default()).expect("receiver");
    receiver.stop();
    place.append("app.log", lines(0..100));
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    agent.wait_for_log("WARN");
    receiver.restart().expect("the same port");
    assert!(receiver.wait_for(PATIENCE, |it| it.stored >= 100), "{}", agent.log().join("\n"));
    assert_eq!(judge(0..100, receiver.documents().iter().filter_map(seq)), Default::default());
}

#[test]
fn sigterm_ships_what_is_written_and_ends_with_0() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    // Nothing waits for these to arrive: the drain has to find them.
    place.append("app.log", lines(0..5_000));
    place.append("app.log", "half a line seq=5000");
    let (status, log) = agent.terminate_at_once();
    assert!(status.success(), "{}", log.join("\n"));
    assert_eq!(judge(0..5_001, receiver.documents().iter().filter_map(seq)), Default::default());
    assert!(log.iter().any(|line| line.contains("bytes_left_behind=0")), "{}", log.join("\n"));
}

#[test]
fn a_dead_backend_does_not_outlast_the_grace_and_nothing_is_lost() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    receiver.faults().set(Fault::Status { status: 503, retry_after: None });
    let config = place.to_elasticsearch(&receiver.url());
    let agent = Agent::start(&config, &["--grace", "2s"]);
    place.append("app.log", lines(0..1_000));
    assert!(receiver.wait_for(PATIENCE, |requests| requests.faulted >= 1));
    let begun = Instant::now();
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    let left = log.iter().find_map(|line| super::harness::number_after(line, "bytes_left_behind="));
    assert_eq!(left, Some(lines(0..1_000).len() as u64), "{}", log.join("\n"));

    receiver.faults().clear();
    let agent = Agent::start(&config, &[]);
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored >= 1_000));
    agent.terminate();
    assert_eq!(judge(0..1_000, receiver.documents().iter().filter_map(seq)), Default::default());
}

/// Writes to a full pipe hang for good, each on a thread of tokio's pool.
#[test]
fn an_output_that_nobody_reads_does_not_outlast_the_grace() {
    let place = Place::new();
    let config = place.configure(
        "state: {state}\nadmin: 127.0.0.1:0\nmemory: 32MiB\n\
         sources: {app: {files: ['{logs}/*.log']}}\n\
         destinations:\n  a: {console: {}}\n  b: {console: {}}\n  c: {console: {}}\n  \
         d: {console: {}}\n  e: {console: {}}\n",
    );
    let agent = Agent::start(&config, &["--grace", "2s"]);
    place.append("app.log", lines(0..20_000));
    let hang = || {
        let metrics = agent.metrics();
        let under_way =
            |name| metrics[&format!("pillion_in_flight_records{{destination=\"{name}\"}}")];
        ["a", "b", "c", "d", "e"].into_iter().all(|name| under_way(name) > 0.0)
    };
    assert!(until(PATIENCE, hang), "{}", agent.log().join("\n"));
    let begun = Instant::now();
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}

#[test]
fn when_the_reader_of_its_output_leaves_it_ships_to_the_others_and_ends() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: off\n\
         sources: {{app: {{files: ['{{logs}}/*.log'], parser: plain}}}}\n\
         destinations:\n  screen: {{console: {{}}, batch: {{linger: 10ms}}}}\n  \
         search: {{elasticsearch: {{url: '{}', index: a}}, batch: {{linger: 50ms}}}}\n",
        receiver.url()
    ));
    // Far more than the budget: the dead end must not hold what the other needs.
    let (count, filling) = (60_000, "x".repeat(400));
    let text: String = (0..count).map(|seq| format!("seq={seq} {filling}\n")).collect();
    place.append("app.log", text);
    let mut agent = Agent::spawn(&config, &[]);
    agent.stop_reading();
    let (status, log) = agent.ended();
    assert_eq!(status.code(), Some(1), "{}", log.join("\n"));
    assert!(log.iter().any(|line| line.contains("screen")), "{}", log.join("\n"));
    assert_eq!(judge(0..count, receiver.documents().iter().filter_map(seq)), Default::default());
}

#[test]
fn state_is_private() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    place.append("app.log", lines(0..1));
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored >= 1));
    agent.terminate();
    for entry in fs::read_dir(place.state()).expect("state") {
        let entry = entry.expect("readable");
        let mode = entry.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", entry.path().display());
    }
}
