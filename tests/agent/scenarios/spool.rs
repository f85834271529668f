//! The disk buffer, and disks that fail under it.

mod failing;
mod full;
mod reload;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pillion::receiver::{Fault, Options, Receiver, Stored};

use crate::harness::{Agent, PATIENCE, Place, Verdict, judge, number_after, seq, until};
use crate::seen::{get, samples};

const DOWN: Fault = Fault::Status { status: 503, retry_after: None };

/// An Elasticsearch with a buffer of so much; bodies are plain, so that a test can look into them.
fn config(place: &Place, url: &str, buffer: &str) -> PathBuf {
    place.configure(&yaml(url, buffer))
}

fn yaml(url: &str, buffer: &str) -> String {
    format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\nmemory: 4MiB\n\
         sources: {{app: {{files: ['{{logs}}/*.log'], parser: plain}}}}\n\
         destinations:\n  search:\n    elasticsearch: {{url: '{url}', index: logs-test-default}}\n    \
         batch: {{linger: 50ms, bytes: 32KiB}}\n    compression: none\n    {buffer}\n"
    )
}

fn receiver() -> Receiver {
    Receiver::start(Options::default()).expect("receiver")
}

/// Lines of one file, each with the file's number, its own, and a sum of both.
fn lines(file: u64, numbers: std::ops::Range<u64>) -> String {
    let filling = "filling ".repeat(12);
    numbers
        .map(|number| {
            let seq = file * 1_000_000 + number;
            format!("file={file} seq={seq} sum={} {filling}end\n", seq.wrapping_mul(31) + 7)
        })
        .collect()
}

/// What is missing, repeated or unknown; and that nothing was altered, and order is that of offsets.
fn verdict(written: impl Iterator<Item = u64>, stored: &[Stored]) -> Verdict {
    let mut by_file: BTreeMap<&str, Vec<(u64, u64)>> = BTreeMap::new();
    for it in stored {
        let number = seq(it).expect("a number");
        let message = it.document["message"].as_str().expect("text");
        let file = number / 1_000_000;
        let expect = lines(file, number % 1_000_000..number % 1_000_000 + 1);
        assert_eq!(message, expect.trim_end(), "altered");
        let path = it.document["log"]["file"]["path"].as_str().expect("a path");
        let offset = it.document["log"]["offset"].as_u64().expect("an offset");
        by_file.entry(path).or_default().push((offset, number));
    }
    for (path, mut lines) in by_file {
        lines.sort_unstable();
        assert!(lines.is_sorted_by_key(|(_, number)| number), "{path} is reordered");
    }
    judge(written, stored.iter().filter_map(seq))
}

/// A sample of the agent's page.
fn sample(agent: &Agent, name: &str) -> f64 {
    let admin = agent.logged("admin").expect("the agent says where");
    let samples = samples(&get(&admin, "/metrics").1);
    *samples.get(name).unwrap_or_else(|| panic!("no {name} among {:?}", samples.keys()))
}

fn of_search(agent: &Agent, name: &str) -> f64 {
    sample(agent, &format!("pillion_{name}{{destination=\"search\"}}"))
}

fn lost(agent: &Agent) -> f64 {
    sample(agent, "pillion_lost_records_total{destination=\"search\",reason=\"buffer\"}")
}

/// Waits until the checkpoint says that all files are settled to their ends: none is needed any more.
fn wait_until_settled(place: &Place, agent: &Agent) {
    wait_until_settled_in(&place.state(), place, agent);
}

/// The same where the state directory is seen elsewhere.
fn wait_until_settled_in(state: &Path, place: &Place, agent: &Agent) {
    let settled = until(PATIENCE, || {
        let checkpoint = fs::read_to_string(state.join("checkpoint")).unwrap_or_default();
        let mut lengths: BTreeMap<u64, usize> = BTreeMap::new();
        for entry in fs::read_dir(place.logs()).expect("logs") {
            let length = entry.expect("read").metadata().expect("there").len();
            *lengths.entry(length).or_default() += 1;
        }
        let safe_at = |length: u64| {
            let safe = checkpoint.split("\"safe\":").skip(1);
            let number = |text: &str| {
                let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
                text[..end].parse::<u64>().ok()
            };
            safe.filter(|text| number(text) == Some(length)).count()
        };
        lengths.into_iter().all(|(length, files)| safe_at(length) >= files)
    });
    assert!(settled, "{}", agent.log().join("\n"));
}

/// Three files of so many lines each, taken into the buffer.
fn fill(place: &Place, agent: &Agent, count: u64) {
    for file in 0..3 {
        place.append(&format!("{file}.log"), lines(file, 0..count));
    }
    wait_until_settled(place, agent);
}

fn wait_for(receiver: &Receiver, agent: &Agent, stored: u64) {
    let all = receiver.wait_for(PATIENCE, |requests| requests.stored >= stored);
    assert!(all, "{:?}\n{}", receiver.requests(), agent.log().join("\n"));
}

#[test]
fn a_drain_waits_for_no_destination_that_asks_for_more_than_the_grace_once_all_is_in_the_buffer() {
    let (place, receiver) = (Place::new(), receiver());
    let patience = Some(Duration::from_secs(120));
    receiver.faults().set(Fault::Status { status: 503, retry_after: patience });
    let config = config(&place, &receiver.url(), "buffer: {disk: 48MiB}");
    let agent = Agent::start(&config, &["--grace", "60s"]);
    place.append("app.log", lines(0, 0..2_000));
    wait_until_settled(&place, &agent);
    let began = Instant::now();
    let (status, log) = agent.terminate();
    let took = began.elapsed();
    assert!(status.success() && took < Duration::from_secs(20), "{took:?}\n{}", log.join("\n"));
    receiver.faults().clear();
    let agent = Agent::start(&config, &[]);
    wait_for(&receiver, &agent, 2_000);
    assert!(agent.terminate().0.success());
    assert_eq!(verdict(0..2_000, &receiver.documents()), Verdict::default());
}

/// Segments of the buffer, oldest first.
fn segments(place: &Place) -> Vec<PathBuf> {
    let directory = place.state().join("buffer/search/bulk");
    let entries = fs::read_dir(directory).into_iter().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("read").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "segment"));
    paths.sort();
    paths
}

/// The logs' volume is wiped.
fn wipe(place: &Place) {
    for entry in fs::read_dir(place.logs()).expect("logs") {
        fs::remove_file(entry.expect("read").path()).expect("removed");
    }
}

fn written(files: std::ops::Range<u64>, lines: u64) -> impl Iterator<Item = u64> {
    files.flat_map(move |file| (0..lines).map(move |number| file * 1_000_000 + number))
}

#[test]
fn a_volume_wiped_while_the_backend_is_down_arrives_when_it_is_back() {
    let (place, receiver) = (Place::new(), receiver());
    receiver.faults().set(DOWN);
    let agent = Agent::start(&config(&place, &receiver.url(), "buffer: {disk: 64MiB}"), &[]);
    fill(&place, &agent, 5_000);
    agent.assert_conserved();
    assert_eq!(of_search(&agent, "buffer_limit_bytes"), f64::from(64 << 20));
    assert!(of_search(&agent, "buffered_records") > 10_000.0, "{}", agent.log().join("\n"));
    wipe(&place);
    receiver.faults().clear();
    wait_for(&receiver, &agent, 15_000);
    // What comes now goes the short way again.
    let empty = until(PATIENCE, || segments(&place).is_empty());
    assert!(empty, "{:?}\n{}", segments(&place), agent.log().join("\n"));
    place.append("3.log", lines(3, 0..5_000));
    wait_for(&receiver, &agent, 20_000);
    agent.assert_at_rest();
    assert_eq!((of_search(&agent, "buffer_bytes"), lost(&agent)), (0.0, 0.0));
    assert_eq!(verdict(written(0..4, 5_000), &receiver.documents()), Verdict::default());
    assert_eq!(receiver.requests().duplicates, 0);
    assert!(agent.terminate().0.success());
}

/// With the buffer: all that was read is on disk, and its logs are gone with the volume.
#[test]
fn s28_sink_down_kill_restart_and_the_logs_are_wiped() {
    let (place, receiver) = (Place::new(), receiver());
    receiver.faults().set(DOWN);
    let config = config(&place, &receiver.url(), "buffer: {disk: 64MiB}");
    let agent = Agent::start(&config, &[]);
    fill(&place, &agent, 10_000);
    agent.kill();
    wipe(&place);
    let agent = Agent::start(&config, &[]);
    receiver.faults().clear();
    wait_for(&receiver, &agent, 30_000);
    agent.assert_at_rest();
    assert_eq!(lost(&agent), 0.0);
    assert_eq!(of_search(&agent, "routed_records_total"), 30_000.0, "taken over");
    assert_eq!(verdict(written(0..3, 10_000), &receiver.documents()), Verdict::default());
    // Nothing was under way that was stored.
    assert_eq!(receiver.requests().duplicates, 0);
    assert!(agent.terminate().0.success());
}

/// The same while half of it is sent: what was under way is sent again, and known for it.
#[test]
fn s28_killed_while_the_buffer_is_sent() {
    let (place, receiver) = (Place::new(), receiver());
    receiver.faults().set(DOWN);
    let config = config(&place, &receiver.url(), "buffer: {disk: 64MiB}");
    let agent = Agent::start(&config, &[]);
    fill(&place, &agent, 10_000);
    receiver.faults().clear();
    receiver.faults().set(Fault::Slow(std::time::Duration::from_millis(20)));
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored > 2_000));
    agent.kill();
    wipe(&place);
    let before = receiver.requests().stored;
    assert!(before < 30_000, "too fast for this test");
    receiver.faults().clear();
    let agent = Agent::start(&config, &[]);
    wait_for(&receiver, &agent, 30_000);
    agent.assert_at_rest();
    assert_eq!(verdict(written(0..3, 10_000), &receiver.documents()), Verdict::default());
    let requests = receiver.requests();
    // At most eight requests of 32 KiB were out, each of fewer than 150 lines.
    assert!(requests.duplicates < 8 * 150, "{requests:?}");
    assert!(agent.terminate().0.success());
}

#[test]
fn disk_buffer_persistence() {
    let (place, receiver) = (Place::new(), receiver());
    receiver.faults().set(DOWN);
    let on = config(&place, &receiver.url(), "buffer: {disk: 64MiB}");
    for round in 0..3_u64 {
        let agent = Agent::start(&on, &["--grace", "2s"]);
        assert_eq!(of_search(&agent, "routed_records_total"), round as f64 * 3_000.0, "taken over");
        place.append(&format!("{round}.log"), lines(round, 0..3_000));
        if round < 2 {
            wait_until_settled(&place, &agent);
        }
        agent.assert_conserved();
        let (status, log) = agent.terminate();
        assert!(status.success(), "{}", log.join("\n"));
        assert!(log.iter().any(|line| line.contains("bytes_left_behind=0")), "{}", log.join("\n"));
        wipe(&place);
    }
    // Turned off, it gives what it has.
    let off = config(&place, &receiver.url(), "buffer: off");
    receiver.faults().clear();
    let agent = Agent::start(&off, &[]);
    wait_for(&receiver, &agent, 9_000);
    agent.assert_at_rest();
    assert_eq!(verdict(written(0..3, 3_000), &receiver.documents()), Verdict::default());
    assert!(until(PATIENCE, || segments(&place).is_empty()), "{:?}", segments(&place));
    assert!(agent.terminate().0.success());
}

/// It hangs, which nothing shows to be trouble before the grace is over: what is in memory then goes
/// to the buffer.
#[test]
fn s49_what_is_not_sent_when_the_grace_is_over_is_in_the_buffer() {
    let (place, receiver) = (Place::new(), receiver());
    receiver.faults().set(Fault::Hang { stored: false });
    let config = config(&place, &receiver.url(), "buffer: {disk: 64MiB}");
    let agent = Agent::start(&config, &["--grace", "2s"]);
    place.append("0.log", lines(0, 0..3_000));
    assert!(receiver.wait_for(PATIENCE, |requests| requests.faulted > 0));
    assert!(segments(&place).is_empty());
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
    assert!(log.iter().any(|line| line.contains("bytes_left_behind=0")), "{}", log.join("\n"));
    wipe(&place);
    receiver.faults().clear();
    let agent = Agent::start(&config, &[]);
    wait_for(&receiver, &agent, 3_000);
    agent.assert_at_rest();
    assert_eq!(verdict(written(0..1, 3_000), &receiver.documents()), Verdict::default());
    assert!(agent.terminate().0.success());
}

#[test]
fn a_full_buffer_stops_reading_and_nothing_is_lost() {
    let (place, receiver) = (Place::new(), receiver());
    receiver.faults().set(DOWN);
    let agent = Agent::start(&config(&place, &receiver.url(), "buffer: {disk: 1MiB}"), &[]);
    let count = 60_000;
    place.append("0.log", lines(0, 0..count));
    agent.wait_for_log("the buffer is full");
    let stands = || sample(&agent, "pillion_budget_pauses_total") > 0.0;
    assert!(until(PATIENCE, stands), "{}", agent.log().join("\n"));
    assert!(sample(&agent, "pillion_read_lines_total") < count as f64);
    assert!(of_search(&agent, "buffer_bytes") <= f64::from(1 << 20));
    agent.assert_conserved();
    receiver.faults().clear();
    wait_for(&receiver, &agent, count);
    agent.assert_at_rest();
    assert_eq!(verdict(written(0..1, count), &receiver.documents()), Verdict::default());
    assert!(agent.terminate().0.success());
}

#[test]
fn what_is_dropped_for_want_of_room_is_dropped_when_the_buffer_is_full_and_not_before() {
    let (place, receiver) = (Place::new(), receiver());
    receiver.faults().set(DOWN);
    let more = "buffer: {disk: 16MiB}\n    when_full: drop_newest";
    let agent = Agent::start(&config(&place, &receiver.url(), more), &[]);
    // More than its share of the memory, and less than the buffer has room for.
    place.append("0.log", lines(0, 0..20_000));
    wait_until_settled(&place, &agent);
    let name = "pillion_dropped_records_total{destination=\"search\",reason=\"full\"}";
    assert_eq!(sample(&agent, name), 0.0);
    place.append("1.log", lines(1, 0..40_000));
    let read = until(PATIENCE, || sample(&agent, "pillion_framed_records_total") >= 60_000.0);
    assert!(read && sample(&agent, name) > 0.0, "{}", agent.log().join("\n"));
    agent.assert_conserved();
    let dropped = sample(&agent, name) as u64;
    receiver.faults().clear();
    wait_for(&receiver, &agent, 60_000 - dropped);
    agent.assert_at_rest();
    let all = written(0..1, 20_000).chain(written(1..2, 40_000));
    let found = verdict(all, &receiver.documents());
    assert_eq!(
        (found.missing.len() as u64, found.repeated, found.unknown),
        (dropped, vec![], vec![])
    );
    assert!(found.missing.iter().all(|number| *number >= 1_000_000), "the newest");
    assert!(agent.terminate().0.success());
}

#[test]
fn at_loki_a_wiped_volume_arrives_in_order() {
    let (place, receiver) = (Place::new(), receiver());
    receiver.faults().set(DOWN);
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\n\
         sources: {{app: {{files: ['{{logs}}/*.log']}}}}\n\
         destinations:\n  search:\n    loki: {{url: '{}', labels: {{app: shop}}}}\n    \
         batch: {{linger: 50ms, bytes: 64KiB}}\n    buffer: {{disk: 16MiB}}\n",
        receiver.url()
    ));
    // Three days of log: what came out of its order by an hour would be refused.
    let began = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(72);
    let line = |seq: u64| {
        let time = began + jiff::SignedDuration::from_secs(seq as i64 * 40);
        format!("{{\"time\":\"{time}\",\"msg\":\"seq={seq} {}\"}}\n", "filling ".repeat(20))
    };
    let agent = Agent::start(&config, &[]);
    place.append("0.log", (0..6_000).map(line).collect::<String>());
    wait_until_settled(&place, &agent);
    agent.kill();
    wipe(&place);
    let agent = Agent::start(&config, &[]);
    receiver.faults().clear();
    wait_for(&receiver, &agent, 6_000);
    agent.assert_at_rest();
    assert_eq!(receiver.requests().refused, 0);
    let entries = receiver.entries();
    let arrived = entries.iter().filter_map(|entry| number_after(&entry.line, "seq="));
    assert_eq!(judge(0..6_000, arrived), Verdict::default());
    assert!(agent.terminate().0.success());
}

/// The globs cover the state directory, by way of a link. What the buffer takes is no log.
#[test]
fn what_is_in_the_buffer_is_not_tailed_whatever_the_globs_cover() {
    let (place, receiver) = (Place::new(), receiver());
    receiver.faults().set(DOWN);
    fs::create_dir(place.state()).expect("made");
    std::os::unix::fs::symlink(place.state(), place.log("link")).expect("linked");
    let everything = "files: ['{logs}/**/*'], links_to: ['{state}']";
    let yaml = yaml(&receiver.url(), "buffer: {disk: 64MiB}");
    let yaml = yaml.replace("files: ['{logs}/*.log']", everything);
    let agent = Agent::start(&place.configure(&yaml), &[]);
    place.append("0.log", lines(0, 0..5_000));
    let buffered = || of_search(&agent, "buffered_records") > 1_000.0;
    assert!(until(PATIENCE, buffered), "{}", agent.log().join("\n"));
    // Looks that would have found them.
    let looks = sample(&agent, "pillion_rescans_total");
    assert!(until(PATIENCE, || sample(&agent, "pillion_rescans_total") >= looks + 2.0));
    assert_eq!(sample(&agent, "pillion_known_files"), 1.0);
    place.append("0.log", lines(0, 5_000..6_000));
    receiver.faults().clear();
    wait_for(&receiver, &agent, 6_000);
    agent.assert_at_rest();
    assert_eq!(of_search(&agent, "routed_records_total"), 6_000.0);
    assert_eq!(verdict(written(0..1, 6_000), &receiver.documents()), Verdict::default());
    assert!(agent.terminate().0.success());
}

/// A Job's pod that is complete starts no more, and its volume goes.
#[test]
fn s50_what_is_in_the_buffer_is_not_shipped_yet() {
    let (place, receiver) = (Place::new(), receiver());
    receiver.faults().set(DOWN);
    let config = config(&place, &receiver.url(), "buffer: {disk: 20MiB}");
    let mut agent = Agent::start(&config, &["--exit-when", "idle=100ms", "--grace", "5s"]);
    place.append("app.log", lines(0, 0..1_000));
    wait_until_settled(&place, &agent);
    let ends = || agent.log().iter().any(|line| line.contains("draining"));
    assert!(!until(std::time::Duration::from_secs(3), ends), "{}", agent.log().join("\n"));
    agent.assert_conserved();
    // Told to end, it says what it leaves once the grace is over.
    agent.signal(rustix::process::Signal::TERM);
    let (status, log) = agent.ended();
    let last = log.iter().rfind(|line| line.contains("drained")).expect("said");
    assert!(status.success() && last.contains("WARN"), "{last}");
    assert!(last.contains("records_buffered=1000"), "{last}");
    receiver.faults().clear();
    let (status, log) = Agent::spawn(&config, &["--exit-when", "idle=100ms"]).ended();
    assert!(status.success(), "{}", log.join("\n"));
    assert_eq!(verdict(0..1_000, &receiver.documents()), Verdict::default());
}
