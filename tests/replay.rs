//! Fixture logs through the pipeline, compared with the records expected from them.
//!
//! `fixtures/replay/CASE/` holds `input.log`, `expected.ndjson`, and `pillion.yaml` where the case
//! needs more than the defaults. `PILLION_BLESS=1 cargo test --test replay` rewrites what is expected;
//! read the difference before committing it.

#![expect(clippy::expect_used, reason = "a test that cannot go on is a failed test")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Command;

/// When the fixtures' lines count as read: years that a line does not name hang on it.
const READ_AT: &str = "2026-11-22T12:00:00Z";

fn replay(case: &Path, more: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pillion"));
    command.env_remove("PILLION_CONFIG").env("NO_COLOR", "1");
    command.args(["replay", "--read-at", READ_AT]).arg(case.join("input.log"));
    let config = case.join("pillion.yaml");
    if config.exists() {
        command.arg("--config").arg(config);
    }
    command.args(more).output().expect("the binary starts")
}

#[test]
fn fixtures_come_out_as_expected() {
    let bless = std::env::var_os("PILLION_BLESS").is_some();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/replay");
    let mut cases = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(root).expect("fixtures") {
        let case = entry.expect("readable").path();
        let expected = case.join("expected.ndjson");
        let mut arguments = vec!["--expect", expected.to_str().expect("UTF-8")];
        if bless {
            arguments.push("--bless");
        }
        let output = replay(&case, &arguments);
        if !output.status.success() {
            wrong.push(format!(
                "{}:\n{}{}",
                case.display(),
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        cases += 1;
    }
    assert!(cases >= 12, "only {cases} fixtures found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_difference_is_found_and_shown() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("input.log"), "one\ntwo\n").expect("writes");
    let expected = dir.path().join("expected.ndjson");
    let path = expected.to_str().expect("UTF-8").to_owned();
    assert!(replay(dir.path(), &["--expect", &path, "--bless"]).status.success());
    assert!(replay(dir.path(), &["--expect", &path]).status.success());
    let changed = fs::read_to_string(&expected).expect("blessed").replace("two", "three");
    fs::write(&expected, changed).expect("writes");
    let output = replay(dir.path(), &["--expect", &path]);
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("expected.ndjson:2") && shown.contains("three"), "{shown}");
}

#[test]
fn following_goes_on_from_what_is_there() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (one, two) = (dir.path().join("one.log"), dir.path().join("two.log"));
    fs::write(&one, "there already\n").expect("written");
    fs::write(&two, "number two\n").expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_pillion"));
    command.env_remove("PILLION_CONFIG").args(["replay", "--follow"]).arg(&one).arg(&two);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut next = || lines.next().expect("a line").expect("UTF-8");
    assert_eq!(next(), "{\"message\":\"there already\"}");
    assert_eq!(next(), "{\"message\":\"number two\"}");
    let append = |bytes: &[u8]| {
        let mut file = fs::OpenOptions::new().append(true).open(&one).expect("opened");
        file.write_all(bytes).expect("written");
    };
    append(b"card 4111 1111 ");
    std::thread::sleep(std::time::Duration::from_millis(300));
    append(b"1111 1111\nand \xff more\n");
    assert_eq!(next(), "{\"message\":\"card [CREDIT_CARD]\"}");
    assert_eq!(next(), "{\"message\":\"and \u{fffd} more\"}");
    child.kill().expect("killed");
    child.wait().expect("ended");
}

#[test]
fn a_reader_that_has_left_needs_no_word() {
    let log = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/replay/json/input.log");
    let log = log.to_str().expect("UTF-8");
    for arguments in [&["rules"][..], &["explain", "a line"], &["replay", log]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_pillion"));
        let output = command.env_remove("PILLION_CONFIG").args(arguments).stdout(writer).output();
        let output = output.expect("the binary starts");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
}
