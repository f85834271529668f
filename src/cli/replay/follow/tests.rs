//! A followed file, step by step, on a clock that the test moves.

use std::fs::{self, OpenOptions};

use super::*;
use crate::config;
use crate::pipeline::replay::Replay;

/// Most bytes of a line here.
const MAX_RECORD: usize = 4096;

struct Bench {
    place: tempfile::TempDir,
    followed: Followed,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a directory");
        let to = ["console".to_owned()];
        let files = ["/l/*.log".to_owned()];
        let settings = config::from_simple(&files, &to, &config::Over::default(), &|_| None);
        let settings = settings.expect("accepted");
        let replay = Replay::new(&settings, &settings.sources[0], "app.log", 0);
        let followed = Followed::new(place.path().join("app.log"), Feed::new(replay, MAX_RECORD));
        Self { place, followed, now: Instant::now() }
    }

    fn append(&self, bytes: &[u8]) {
        let mut options = OpenOptions::new();
        let mut file = options.create(true).append(true).open(&self.followed.log).expect("opened");
        file.write_all(bytes).expect("written");
    }

    /// What is printed until there is nothing more to do for now.
    fn printed(&mut self) -> String {
        let mut out = Vec::new();
        let mut chunk = vec![0; 64];
        while self.followed.step(&mut chunk, self.now, &mut out).expect("readable") {}
        String::from_utf8(out).expect("UTF-8")
    }

    fn later(&mut self) -> String {
        self.now += JOIN_TIMEOUT;
        self.printed()
    }
}

#[test]
fn an_unfinished_line_is_held_whatever_time_passes() {
    let mut bench = Bench::new();
    assert_eq!(bench.printed(), "", "there is no file yet");
    bench.append(b"there already\ncard 4111 1111 ");
    assert_eq!(bench.printed() + &bench.later(), "{\"message\":\"there already\"}\n");
    assert_eq!(bench.later(), "");
    bench.append(b"1111 1111\n");
    assert_eq!(bench.printed() + &bench.later(), "{\"message\":\"card [CREDIT_CARD]\"}\n");
}

#[test]
fn bytes_that_are_no_utf8_end_nothing() {
    let mut bench = Bench::new();
    bench.append(b"before\nx\xffy\nafter\n");
    let printed = bench.printed() + &bench.later();
    assert_eq!(
        printed,
        "{\"message\":\"before\"}\n{\"message\":\"x\u{fffd}y\"}\n{\"message\":\"after\"}\n"
    );
}

#[test]
fn utf_16_is_told_by_each_file_and_decoded() {
    let mut bench = Bench::new();
    let mut printed = String::new();
    for form in [u16::to_le_bytes, u16::to_be_bytes] {
        let text = format!("\u{feff}\u{10a}\r\n{}\nhalf", "😀".repeat(MAX_RECORD));
        for part in text.encode_utf16().flat_map(form).collect::<Vec<_>>().chunks(333) {
            bench.append(part);
            printed += &bench.printed();
        }
        fs::write(&bench.followed.log, "").expect("truncated");
        printed += &bench.printed();
    }
    bench.append(b"narrow\n");
    printed += &(bench.printed() + &bench.later());
    let long = "😀".repeat(MAX_RECORD / 4);
    let file = format!(
        "{{\"message\":\"\u{10a}\"}}\n{{\"message\":\"{long}\",\"_marks\":[\"truncated\"]}}\n\
         {{\"message\":\"half\",\"_marks\":[\"partial\"]}}\n"
    );
    assert_eq!(printed, format!("{file}{file}{{\"message\":\"narrow\"}}\n"));
}

#[test]
fn a_line_without_end_takes_no_more_than_a_record() {
    let mut bench = Bench::new();
    bench.append(&vec![b'a'; 100 * MAX_RECORD]);
    assert_eq!(bench.printed() + &bench.later(), "");
    assert!(bench.followed.feed.held_bytes() <= MAX_RECORD + 64);
    bench.append(b"\nnext\n");
    let printed = bench.printed() + &bench.later();
    assert!(printed.contains("\"truncated\"") && printed.ends_with("{\"message\":\"next\"}\n"));
}

#[test]
fn what_a_joiner_holds_waits_for_its_own_file_only() {
    let mut bench = Bench::new();
    bench.append(b"2026-11-22 10:00:00.000 ERROR [main] c.e.App : failed\n\tat a.b.C(D.java:1)\n");
    assert_eq!(bench.printed(), "", "more of it may come");
    assert_eq!(bench.followed.quiet_at, Some(bench.now + JOIN_TIMEOUT));
    assert_eq!(bench.later().lines().count(), 1);
    assert_eq!(bench.followed.quiet_at, None);
}

#[test]
fn truncated_and_rotated_files_go_on() {
    let mut bench = Bench::new();
    bench.append(b"one, a longer line\nheld");
    assert!((bench.printed() + &bench.later()).contains("one"));
    fs::write(&bench.followed.log, "two\n").expect("written");
    let printed = bench.printed() + &bench.later();
    assert!(printed.contains("held") && printed.ends_with("{\"message\":\"two\"}\n"), "{printed}");
    let rotated = bench.place.path().join("app.log.1");
    fs::rename(&bench.followed.log, &rotated).expect("renamed");
    let mut old = OpenOptions::new().append(true).open(&rotated).expect("opened");
    old.write_all(b"three\n").expect("written");
    bench.append(b"four\n");
    let printed = bench.printed() + &bench.later() + &bench.later();
    assert_eq!(printed, "{\"message\":\"three\"}\n{\"message\":\"four\"}\n");
}

#[test]
fn what_is_no_file_is_refused() {
    let mut bench = Bench::new();
    fs::create_dir(&bench.followed.log).expect("made");
    let error = bench.followed.step(&mut [0; 64], bench.now, &mut Vec::new()).expect_err("refused");
    assert_eq!(error.to_string(), "only regular files can be followed");
}
