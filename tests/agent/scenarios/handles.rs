//! Files that are renamed or deleted with bytes unread, and too few handles.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use pillion::receiver::{Fault, Options, Receiver};

use crate::harness::{Agent, PATIENCE, Place, field, judge, number_after, until};
use crate::seen::value;

/// One line of a file, by the name of its bytes (which may get other names) and its number.
pub(super) fn line(file: &str, seq: u64) -> String {
    format!("file={file} seq={seq} the quick brown fox jumps over the lazy dog, and again\n")
}

/// The first `count` lines of a file.
pub(super) fn lines(file: &str, count: u64) -> String {
    (0..count).map(|seq| line(file, seq)).collect()
}

/// Of each file the numbers of its lines that arrived, in the order of their offsets. A line that was
/// altered is a failure.
pub(super) fn arrived(receiver: &Receiver) -> BTreeMap<String, Vec<u64>> {
    let mut found: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
    for stored in receiver.documents() {
        let message = field(&stored, "message").as_str().expect("text");
        let file = message.strip_prefix("file=").and_then(|it| it.split(' ').next());
        let (file, seq) = file.zip(number_after(message, " seq=")).expect("one of our lines");
        assert_eq!(message, line(file, seq).trim_end(), "altered");
        let offset = field(&stored, "log.offset").as_u64().expect("a number");
        found.entry(file.to_owned()).or_default().push((offset, seq));
    }
    let in_order = |mut lines: Vec<(u64, u64)>| {
        lines.sort_unstable();
        lines.into_iter().map(|(_, seq)| seq).collect()
    };
    found.into_iter().map(|(file, lines)| (file, in_order(lines))).collect()
}

/// Waits for so many lines of each file, and wants exactly those: none missing, repeated, reordered or
/// altered, and none of another file.
pub(super) fn assert_exact<'f>(
    receiver: &Receiver,
    agent: &Agent,
    written: impl IntoIterator<Item = (&'f str, u64)>,
) {
    let written: BTreeMap<&str, u64> = written.into_iter().collect();
    let all = written.values().sum();
    let came = receiver.wait_for(PATIENCE, |requests| requests.stored >= all);
    let arrived = arrived(receiver);
    for (file, count) in &written {
        let seqs = arrived.get(*file).cloned().unwrap_or_default();
        let verdict = judge(0..*count, seqs.iter().copied());
        assert_eq!(verdict, Default::default(), "{file}\n{}", agent.log().join("\n"));
        assert!(seqs.is_sorted(), "{file} is reordered");
    }
    assert!(came && arrived.len() == written.len(), "{:?}", arrived.keys());
    agent.assert_at_rest();
}

/// A metric as it is now.
pub(super) fn metric(agent: &Agent, name: &str) -> f64 {
    value(&agent.metrics(), name)
}

/// The log files that the agent has open, as the kernel names them.
pub(super) fn open_logs(agent: &Agent, place: &Place) -> Vec<PathBuf> {
    let dir = fs::read_dir(format!("/proc/{}/fd", agent.pid())).expect("it runs");
    let open = dir.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    // The directory itself is open while it is listed.
    open.filter(|path| path.starts_with(place.logs()) && *path != place.logs()).collect()
}

/// Little memory, so that an outage stops the reading soon.
pub(super) fn small(place: &Place, receiver: &Receiver, top: &str) -> PathBuf {
    place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\nmemory: 2MiB\n{top}\n\
         sources: {{app: {{files: ['{{logs}}/*.log'], parser: plain, max_record: 16KiB}}}}\n\
         destinations:\n  search:\n    elasticsearch: {{url: '{}', index: logs-test-default}}\n    \
         batch: {{bytes: 128KiB, linger: 50ms}}\n",
        receiver.url()
    ))
}

/// An agent whose destination is down and that has read what it may.
fn in_an_outage(place: &Place, top: &str, write: impl Fn()) -> (Receiver, Agent) {
    let receiver = Receiver::start(Options::default()).expect("receiver");
    receiver.faults().set(Fault::Status { status: 503, retry_after: None });
    let agent = Agent::start(&small(place, &receiver, top), &[]);
    write();
    let full = until(PATIENCE, || metric(&agent, "pillion_budget_pauses_total") > 0.0);
    assert!(full, "reading goes on:\n{}", agent.log().join("\n"));
    (receiver, agent)
}

#[test]
fn s13_a_file_is_deleted_with_most_of_it_unread_during_an_outage() {
    let place = Place::new();
    let count = 60_000;
    let write = || place.append("app.log", lines("old", count));
    let (receiver, agent) = in_an_outage(&place, "", write);
    fs::remove_file(place.log("app.log")).expect("removed");
    place.append("app.log", lines("new", 100));
    let pinned = until(PATIENCE, || metric(&agent, "pillion_pinned_bytes") > 4e6);
    assert!(pinned, "{}", metric(&agent, "pillion_pinned_bytes"));
    receiver.faults().clear();
    assert_exact(&receiver, &agent, [("old", count), ("new", 100)]);
    let freed =
        || metric(&agent, "pillion_pinned_bytes") == 0.0 && open_logs(&agent, &place).len() == 1;
    assert!(until(PATIENCE, freed), "{:?}", open_logs(&agent, &place));
    assert_eq!(metric(&agent, "pillion_lost_bytes_total{reason=\"pin\"}"), 0.0);
}

#[test]
fn s13_beyond_the_cap_the_oldest_deleted_file_is_let_go_and_its_rest_is_counted() {
    let place = Place::new();
    let count = 30_000;
    let write = || {
        for name in ["first", "second"] {
            place.append(&format!("{name}.log"), lines(name, count));
        }
    };
    let (receiver, agent) = in_an_outage(&place, "pin: 3MiB", write);
    let written = fs::metadata(place.log("first.log")).expect("there").len();
    fs::remove_file(place.log("first.log")).expect("removed");
    assert!(until(PATIENCE, || metric(&agent, "pillion_pinned_bytes") > 2e6));
    fs::remove_file(place.log("second.log")).expect("removed");
    agent.wait_for_log("was let go before it was read to its end");
    let lost = metric(&agent, "pillion_lost_bytes_total{reason=\"pin\"}") as u64;
    let held = metric(&agent, "pillion_pinned_bytes");
    assert!(held > 2e6 && held < 3.0 * 1024.0 * 1024.0, "{held}");
    assert_eq!(open_logs(&agent, &place).len(), 1);
    receiver.faults().clear();
    // Of the first what was read before arrives: its beginning, and the rest of it is what was lost.
    let read = (0..count).map(|seq| line("first", seq).len() as u64).scan(0, |sum, len| {
        *sum += len;
        Some(*sum)
    });
    let read = read.take_while(|end| *end <= written - lost).count() as u64;
    assert_eq!(lines("first", read).len() as u64 + lost, written, "to the byte");
    assert!(0 < read && read < count, "{read}");
    assert_exact(&receiver, &agent, [("first", read), ("second", count)]);
}

#[test]
fn s14_a_file_is_deleted_that_ends_in_half_a_line() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    let text = lines("a", 11);
    place.append("app.log", text.trim_end());
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored >= 10));
    assert_eq!(open_logs(&agent, &place).len(), 1);
    fs::remove_file(place.log("app.log")).expect("removed");
    let deleted = Instant::now();
    let freed = until(PATIENCE, || open_logs(&agent, &place).is_empty());
    let took = deleted.elapsed();
    assert!(freed && took <= Duration::from_secs(20), "freed: {freed}, after {took:?}");
    assert_exact(&receiver, &agent, [("a", 11)]);
    let all = receiver.documents();
    let last = all.iter().find(|it| number_after(&it.document.to_string(), "seq=") == Some(10));
    assert_eq!(field(last.expect("it came"), "log.flags"), &serde_json::json!(["partial"]));
}

/// What arrived: of each path, the lines by their offsets.
fn by_offset(receiver: &Receiver) -> BTreeMap<(String, u64, String), usize> {
    let mut found = BTreeMap::new();
    for stored in receiver.documents() {
        let text = |name| field(&stored, name).as_str().expect("text").to_owned();
        let path = text("log.file.path").rsplit('/').next().unwrap_or_default().to_owned();
        let offset = field(&stored, "log.offset").as_u64().expect("a number");
        *found.entry((path, offset, text("message"))).or_default() += 1;
    }
    found
}

/// What was written, as [`by_offset`] tells it: by name, each generation of a file.
fn written_by_offset(files: &[(String, String)]) -> BTreeMap<(String, u64, String), usize> {
    let mut written = BTreeMap::new();
    for (name, text) in files {
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            let key = (format!("{name}.log"), offset, line.trim_end().to_owned());
            *written.entry(key).or_default() += 1;
            offset += line.len() as u64;
        }
    }
    written
}

/// Files that begin alike, or are alike: over two restarts, in the first of which they grow, and in the
/// second are there anew with the same text, as those of a job or of a container that fails at once are.
/// Where the file system gives an inode away at once, they have those of the ones before.
#[test]
fn s16_tiny_files_and_files_with_equal_beginnings() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    let config = place.to_elasticsearch(&receiver.url());
    let mut files: Vec<(String, String)> = Vec::new();
    for (at, size) in [2, 3, 10, 17, 33, 50, 64, 99, 100].into_iter().enumerate() {
        files.push((format!("tiny{at}"), "t".repeat(size - 1) + "\n"));
    }
    // Identical for 4 KiB and more, and different after; and all of it the same.
    let banner: String = (0..60).map(|seq| line("banner", seq)).collect();
    assert!(banner.len() > 4096);
    for (name, last) in [("one", "one"), ("two", "two"), ("same1", "same"), ("same2", "same")] {
        files.push((name.to_owned(), format!("{banner}last of {last}\n")));
    }
    let restart = |files: &[(String, String)]| {
        let agent = Agent::start(&config, &[]);
        let all = files.iter().map(|(_, text)| text.matches('\n').count() as u64).sum();
        let came = receiver.wait_for(PATIENCE, |requests| requests.stored >= all);
        let (status, log) = agent.terminate();
        assert!(came && status.success(), "{}", log.join("\n"));
        let (arrived, written) = (by_offset(&receiver), written_by_offset(files));
        let missing = written.iter().filter(|(key, count)| arrived.get(key) != Some(count));
        assert_eq!(missing.collect::<Vec<_>>(), []);
        assert_eq!(arrived, written);
    };
    files.iter().for_each(|(name, text)| place.append(&format!("{name}.log"), text));
    // One byte that no line ends: a line as soon as the agent ends.
    place.append("byte.log", "b");
    files.push(("byte".to_owned(), "b".to_owned()));
    restart(&files);
    files.pop();
    for (name, text) in &mut files {
        let more =
            format!("more of {}\n", if name.starts_with("same") { "same" } else { name.as_str() });
        place.append(&format!("{name}.log"), &more);
        text.push_str(&more);
    }
    files.push(("byte".to_owned(), "b".to_owned()));
    restart(&files);
    // Anew, with the same text: half of them under another's name.
    let again: Vec<(String, String)> =
        files.iter().filter(|(name, _)| name != "byte").cloned().collect();
    for (name, _) in &again {
        fs::remove_file(place.log(&format!("{name}.log"))).expect("removed");
    }
    for (at, (name, text)) in again.into_iter().enumerate() {
        let name = if at % 2 == 0 { name } else { format!("new-{name}") };
        place.append(&format!("{name}.log"), &text);
        files.push((name, text));
    }
    restart(&files);
}

/// The agent becomes a process with so few descriptors.
pub(super) fn limited(limit: u32, config: &std::path::Path) -> Agent {
    let launcher = ["sh", "-c", &format!("ulimit -n {limit}; exec \"$0\" \"$@\"")];
    let agent = Agent::spawn_under(&launcher, config, &[]);
    agent.wait_for_log("watching");
    agent
}

#[test]
fn s43_two_hundred_files_that_are_all_written_under_a_limit_of_a_hundred() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    let agent = limited(100, &place.to_elasticsearch(&receiver.url()));
    let names: Vec<String> = (0..200).map(|n| format!("f{n}")).collect();
    let mut writers: Vec<fs::File> = names
        .iter()
        .map(|name| fs::File::create(place.log(&format!("{name}.log"))).expect("made"))
        .collect();
    for seq in 0..50 {
        for (name, writer) in names.iter().zip(&mut writers) {
            writer.write_all(line(name, seq).as_bytes()).expect("written");
        }
        sleep(Duration::from_millis(50));
    }
    assert_exact(&receiver, &agent, names.iter().map(|name| (name.as_str(), 50)));
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
    assert!(!log.iter().any(|line| line.contains("too many open files")), "{}", log.join("\n"));
}

/// Starts with too few descriptors for all, then with next to none (the process's own need them), then
/// with enough: nothing that was shipped is shipped again, and nothing is given up.
#[test]
fn s43_more_files_than_descriptors_and_no_state_is_lost() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    let config = place.to_elasticsearch(&receiver.url());
    let names: Vec<String> = (0..513).map(|n| format!("f{n}")).collect();
    for (round, limit) in [512, 28, 4096].into_iter().enumerate() {
        for name in &names {
            let text: String = (0..3).map(|seq| line(name, 3 * round as u64 + seq)).collect();
            place.append(&format!("{name}.log"), text);
        }
        let agent = limited(limit, &config);
        let count = 3 * (round as u64 + 1);
        assert_exact(&receiver, &agent, names.iter().map(|name| (name.as_str(), count)));
        let (status, log) = agent.terminate();
        assert!(status.success(), "{limit}: {}", log.join("\n"));
    }
    assert_eq!(receiver.requests().duplicates, 0);
}

/// User and system time that a process took, in seconds.
fn cpu(agent: &Agent) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", agent.pid())).expect("it runs");
    let after = stat.rsplit_once(')').expect("a name in brackets").1;
    let ticks = |at: usize| -> f64 {
        after.split_whitespace().nth(at).and_then(|it| it.parse().ok()).expect("a number")
    };
    // Linux shows hundredths of a second to programs.
    (ticks(11) + ticks(12)) / 100.0
}

/// So many files, one in a hundred of which is written. Shares of a core: while that goes on, and when
/// nothing does.
fn mostly_idle(count: u64, rounds: u64) -> (f64, f64) {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    let names: Vec<String> = (0..count).map(|n| format!("f{n}")).collect();
    for name in &names {
        place.append(&format!("{name}.log"), line(name, 0));
    }
    let agent = limited(512, &place.to_elasticsearch(&receiver.url()));
    let all = receiver.wait_for(3 * PATIENCE, |requests| requests.stored >= count);
    assert!(all, "{}", agent.log().join("\n"));
    let share = |during: &mut dyn FnMut()| {
        let (before, began) = (cpu(&agent), Instant::now());
        during();
        (cpu(&agent) - before) / began.elapsed().as_secs_f64()
    };
    let active: Vec<&String> = names.iter().step_by(100).collect();
    let busy = share(&mut || {
        for seq in 1..=rounds {
            for name in &active {
                place.append(&format!("{name}.log"), line(name, seq));
            }
            sleep(Duration::from_millis(500));
        }
    });
    let lines_of = |at: usize| if at.is_multiple_of(100) { rounds + 1 } else { 1 };
    let written = names.iter().enumerate().map(|(at, name)| (name.as_str(), lines_of(at)));
    assert_exact(&receiver, &agent, written);
    let idle = share(&mut || sleep(Duration::from_millis(500) * rounds as u32));
    let open = open_logs(&agent, &place).len();
    assert!(open <= 512 - 52, "{open} are open");
    (busy, idle)
}

/// A tenth of the scenario's files: exact, and with bounded descriptors. What it costs is measured by
/// the one below.
#[test]
fn s44_two_thousand_files_one_in_a_hundred_of_them_active() {
    let (busy, idle) = mostly_idle(2_000, 6);
    println!("of a core: {busy:.4} busy, {idle:.4} idle");
    // Six times of what it takes.
    assert!(idle < 0.03 && busy < 0.1, "of a core: {busy} busy, {idle} idle");
}

#[test]
#[ignore = "half a minute, and a measurement: run it with --release on a machine at rest"]
fn s44_twenty_thousand_files_one_in_a_hundred_of_them_active() {
    let (busy, idle) = mostly_idle(20_000, 40);
    println!("of a core: {busy:.4} busy, {idle:.4} idle");
    assert!(busy < 0.04 && idle < 0.003, "of a core: {busy} busy, {idle} idle");
}
