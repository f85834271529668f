//! `pillion explain` in its own words: what it makes of a line, and which formats fit a log.

#![expect(clippy::expect_used, reason = "a test that cannot go on is a failed test")]

use std::path::Path;
use std::process::Command;

fn explain(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pillion"));
    command.current_dir(directory).arg("explain").args(arguments).env_clear();
    let output = command.output().expect("the binary starts");
    let (out, err) = (String::from_utf8(output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!((output.status.code(), &*err), (Some(0), ""), "{arguments:?}");
    let out = out.expect("text");
    for planted in ["bob@example.com", "hunter2"] {
        assert!(!out.contains(planted), "{out}");
    }
    out
}

fn recorded(arguments: &[&str]) -> String {
    explain(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recorded"), arguments)
}

#[test]
fn formats_come_in_order_of_fit_with_counts() {
    let shown = recorded(&["--file", "nginx/access.log"]);
    let expected = "\
source files reads it as access; 0 unparsed
access                   72 of 72 records,  73 % sure
nginx                    72 of 72 records,  73 % sure
apache                   72 of 72 records,  73 % sure
gunicorn_access          72 of 72 records,  73 % sure
flask                    66 of 72 records,  50 % sure
plain                    72 of 72 records,  10 % sure
csv                      72 of 72 records,   2 % sure
";
    assert_eq!(shown, expected);
    // A path is told from a line by the file that is there.
    assert_eq!(recorded(&["nginx/access.log"]), expected);
    assert!(recorded(&["nginx/access.log.7"]).starts_with("record of source files (as plain)"));
}

#[test]
fn containers_and_formats_that_change_are_told() {
    let shown = recorded(&["--file", "containerd/0.log"]);
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines[0], "source files reads it as json, in cri's lines; 13 unparsed");
    assert!(lines[1].contains(": it is no JSON object: "), "{}", lines[1]);
    assert_eq!(lines[2], "json                     11 of 26 records,  12 % sure");
    assert_eq!(lines[3], "plain                    26 of 26 records,  10 % sure");
    assert_eq!(lines.len(), 13, "{shown}");
    assert!(lines[12].starts_with("and ") && lines[12].ends_with(" more that fit no better"));

    let place = tempfile::tempdir().expect("a temporary directory");
    let line = |level: &str| format!("time=2026-11-22T10:00:00Z level={level} msg=done n=1\n");
    let object = "{\"level\":\"info\",\"msg\":\"bob@example.com\",\"password\":\"hunter2\"}\n";
    let log = [line("info").repeat(40), object.repeat(80)].concat();
    std::fs::write(place.path().join("app.log"), log).expect("written");
    let shown = explain(place.path(), &["--file", "app.log"]);
    let first = shown.lines().next().expect("a line");
    assert!(first.starts_with("source files reads it as json since record "), "{first}");
    assert!(first.contains(", and by logfmt until then; "), "{first}");
}

#[test]
fn what_was_redacted_is_told_with_its_rule_action_place_and_reason() {
    let line = "2026-11-22T10:00:00.5Z stdout F \
                {\"msg\":\"to bob@example.com by password=hunter2\",\"password\":\"hunter2\"}";
    let shown = recorded(&[line]);
    let expected = "\
container cri, unwrapped
record of source files (as json)
  time                 time     2026-11-22T10:00:00.5Z
  message              string   to [EMAIL] by password=[PASSWORD]
  password             string   [PASSWORD]
  stream               string   stdout
redacted
  email                mask        field message
                       it looks like it: E-mail addresses";
    assert!(shown.starts_with(expected), "{shown}");
    for part in [
        "  password             mask        field message\n                       a name that stands before it",
        "  password             mask        field password\n                       the field's name says",
    ] {
        assert!(shown.contains(part), "no {part:?} in\n{shown}");
    }
    let coloured = recorded(&[line, "--color", "always"]);
    assert!(
        coloured.contains("  message              string   to \x1b[33m[EMAIL]\x1b[0m by "),
        "{coloured}"
    );
    assert!(coloured.contains("\x1b[33memail               \x1b[0m mask"), "{coloured}");
    assert!(!shown.contains('\x1b'));
}

#[test]
fn why_a_line_does_not_fit_is_said() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let config = "parsers:
  shop: { layout: '{time:iso} [{level:INFO|WARN}] {message}' }
  typed: { grammar: logfmt, types: { note: integer, password: integer } }
sources:
  a: { files: [/none/a.log], parser: shop }
  b: { files: [/none/b.log], parser: typed }
destinations: { out: { console: {} } }
";
    std::fs::write(place.path().join("pillion.yaml"), config).expect("written");
    for (source, line, expect) in [
        ("a", "2026-11-26 10:00:00 (INFO) x", "fits up to column 20, where ` [` should follow"),
        ("b", "a=1 note=bob@example.com", "the field `note` is a whole number, not `[EMAIL]`"),
        ("b", "a=1 password=hunter2", "the field `password` is not a whole number"),
    ] {
        let shown = explain(place.path(), &["-c", "pillion.yaml", "--source", source, line]);
        assert!(shown.contains(expect), "{shown}");
    }
}
