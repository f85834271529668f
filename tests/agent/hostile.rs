//! A hostile volume: rubbish, endless lines, links and pipes. Carried on, counted, in bounded memory.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::Command;

use pillion::receiver::{Fault, Options, Receiver, Stored};
use serde_json::json;

use super::harness::{Agent, PATIENCE, Place, seq};

#[test]
fn endless_lines_and_bare_newlines_stay_in_bounds() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    let mut file = fs::File::create(place.log("endless.log")).expect("log file");
    let mebibyte = vec![b'a'; 1 << 20];
    for _ in 0..100 {
        file.write_all(&mebibyte).expect("writes");
    }
    file.write_all(b"\nafter seq=1\n").expect("writes");
    let newlines: u64 = 200_000;
    place.append("newlines.log", "\n".repeat(newlines as usize));
    place.append("newlines.log", "after seq=2\n");
    let all = receiver.wait_for(PATIENCE, |requests| requests.stored >= newlines + 3);
    assert!(all, "{:?}\n{}", receiver.requests(), agent.log().join("\n"));
    let peak = agent.peak_resident();
    // The debug binary is larger than the released one; the bound is for what the log makes it hold.
    assert!(peak < 64 << 20, "peak resident {peak}");
    let (status, _) = agent.terminate();
    assert!(status.success());
    let stored = receiver.documents();
    let mut after: Vec<_> = stored.iter().filter_map(seq).collect();
    after.sort_unstable();
    assert_eq!(after, [1, 2]);
    let cut =
        stored.iter().find(|it| it.document["message"].as_str().is_some_and(|m| m.len() > 1000));
    let cut = cut.expect("the endless line, cut");
    assert!(cut.document["message"].as_str().expect("text").len() <= 256 << 10);
    assert!(cut.document.to_string().contains("truncated"), "marked");
}

/// A byte that becomes hundreds, and a destination that takes none of it: the worker has to wait in
/// the middle of a chunk.
#[test]
fn a_chunk_that_grows_a_hundredfold_stays_in_bounds() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    receiver.faults().set(Fault::Status { status: 429, retry_after: None });
    let newlines = 250_000;
    place.append("newlines.log", "\n".repeat(newlines));
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: off\nmemory: 8MiB\n\
         sources: {{app: {{files: ['{{logs}}/*.log'], parser: plain}}}}\n\
         destinations: {{search: {{elasticsearch: {{url: '{}', index: a}}, compression: none,\n  \
           batch: {{bytes: 1MiB, linger: 50ms}}}}}}\n",
        receiver.url()
    ));
    let agent = Agent::start(&config, &[]);
    assert!(receiver.wait_for(PATIENCE, |requests| requests.faulted >= 3), "{:?}", agent.log());
    let refused = agent.peak_resident();
    receiver.faults().clear();
    let all = receiver.wait_for(2 * PATIENCE, |requests| requests.stored >= newlines as u64);
    let peak = agent.peak_resident();
    let (status, log) = agent.terminate();
    assert!(all && status.success(), "{:?}\n{}", receiver.requests(), log.join("\n"));
    assert_eq!(receiver.documents().len(), newlines);
    assert!(refused.max(peak) < 40 << 20, "resident {refused} when refused, {peak} at most");
}

#[test]
fn rubbish_becomes_records() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let digits = "9".repeat(400);
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let lines: Vec<Vec<u8>> = vec![
        b"{\"a\":1,\"a\":2}".to_vec(),
        // As the first bytes of a file, these two would say that it is UTF-16.
        b"\xff\xfe\x00\x01 binary \x80".to_vec(),
        b"{\"a\":\"\\ud800\"}".to_vec(),
        format!("{{\"n\":{digits}}}").into_bytes(),
        format!("{{\"d\":{deep}}}").into_bytes(),
        b"x\n{\"delete\":{\"_index\":\"logs-test-default\"}}".to_vec(),
        b"\x1b[31mred\x1b[0m".to_vec(),
    ];
    let count = 1 + lines
        .iter()
        .map(|line| 1 + line.iter().filter(|b| **b == b'\n').count())
        .sum::<usize>();
    let mut text = lines.join(&b'\n');
    text.extend_from_slice(b"\nlast seq=7\n");
    place.append("rubbish.log", text);
    place.append("empty.log", "");
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    let all = receiver.wait_for(PATIENCE, |requests| requests.stored >= count as u64);
    let (status, log) = agent.terminate();
    assert!(all && status.success(), "{:?}\n{}", receiver.requests(), log.join("\n"));
    let stored = receiver.documents();
    assert_eq!(stored.len(), count);
    assert_eq!(receiver.requests().refused, 0);
    let find = |place: &str, part: &str| {
        let text =
            |it: &Stored| it.document.pointer(place).and_then(|it| it.as_str()).map(str::to_owned);
        let found = stored.iter().filter_map(text).any(|text| text.contains(part));
        assert!(found, "no {place} with {part:?}");
    };
    // The forged action line is JSON, hence a record with fields, below the namespace.
    assert!(stored.iter().any(|it| it.document["app"]["delete"].is_object()));
    for part in ["\u{fffd}\u{fffd}", "\u{1b}[31m"] {
        find("/message", part);
    }
    // Of a key that comes twice both are kept, each under a name of its own.
    let both = |it: &Stored| it.document["app"]["a"] == 1 && it.document["app"]["a_2"] == 2;
    assert!(stored.iter().any(both), "{stored:?}");
    // What a server would refuse of an object is a text in it.
    for (place, part) in [("/app/a", "\u{fffd}"), ("/app/n", "999999"), ("/app/d/cut", "[[[[[")] {
        find(place, part);
    }
    assert!(stored.iter().all(|it| it.index == "logs-test-default"), "a forged action line");
}

#[test]
fn only_regular_files_below_the_root_are_opened() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let outside = tempfile::tempdir().expect("a temporary directory");
    fs::write(outside.path().join("secret.log"), "outside seq=666\n").expect("writes");
    symlink(outside.path().join("secret.log"), place.log("link.log")).expect("symlink");
    symlink(place.log("loop.log"), place.log("loop.log")).expect("symlink");
    symlink("/dev/zero", place.log("zero.log")).expect("symlink");
    fs::create_dir(place.log("directory.log")).expect("directory");
    let made = Command::new("mkfifo").arg(place.log("pipe.log")).status().expect("mkfifo");
    assert!(made.success());
    place.append("inside.log", "inside seq=1\n");
    symlink("inside.log", place.log("alias.log")).expect("symlink");
    let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    place.append("inside.log", "inside seq=2\n");
    let all = receiver.wait_for(PATIENCE, |requests| requests.stored >= 2);
    let (status, log) = agent.terminate();
    assert!(all && status.success(), "{}", log.join("\n"));
    let mut arrived: Vec<_> = receiver.documents().iter().filter_map(seq).collect();
    arrived.sort_unstable();
    arrived.dedup();
    assert_eq!(arrived, [1, 2]);
    for refused in ["link.log", "pipe.log", "zero.log"] {
        let warned =
            log.iter().filter(|line| line.contains("WARN") && line.contains(refused)).count();
        assert_eq!(warned, 1, "one warning for {refused}:\n{}", log.join("\n"));
    }
}

#[test]
fn links_to_names_further_roots() {
    let place = Place::new();
    let receiver = Receiver::start(Options::default()).expect("receiver");
    let pods = tempfile::tempdir().expect("a temporary directory");
    fs::write(pods.path().join("0.log"), "linked seq=1\n").expect("writes");
    symlink(pods.path().join("0.log"), place.log("link.log")).expect("symlink");
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: off\n\
         sources: {{app: {{files: ['{{logs}}/*.log'], links_to: ['{}']}}}}\n\
         destinations: {{search: {{elasticsearch: {{url: '{}', index: a}}, batch: {{linger: 50ms}}}}}}\n",
        pods.path().display(),
        receiver.url()
    ));
    let agent = Agent::start(&config, &[]);
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored >= 1), "{:?}", agent.log());
    assert_eq!(receiver.documents()[0].document["message"], json!("linked seq=1"));
    let (status, log) = agent.terminate();
    assert!(status.success() && !log.iter().any(|line| line.contains("ERROR")), "{log:?}");
}
