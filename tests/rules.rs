//! `pillion rules test` and `pillion rules audit` on logs in which values are planted: what they count, what
//! they show, and that no planted value is in anything they say.

#![expect(clippy::expect_used, reason = "a test that cannot go on is a failed test")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What must never be shown.
const PLANTED: [&str; 5] =
    ["bob@example.com", "hunter2", "4111111111111111", "carol@example.org", "4012 8888 8888 1881"];

/// What a rule of the configuration finds.
const BADGE: &str = "E123456";

/// One record a line, but for the trace: lines 5 to 7.
const LOG: &str = "\
2026-11-22T10:00:00Z INFO mail to bob@example.com sent
{\"msg\":\"paid\",\"note\":\"late\",\"card\":4111111111111111,\"u\":{\"bob@example.com\":{\"password\":\"hunter2\"}}}
nothing here
badge E123456 from 198.51.100.7, again E123456, and \x1b[31mE123456
2026-11-22T10:00:01Z ERROR order failed
java.lang.IllegalStateException: no such user carol@example.org
\tat shop.Users.find(Users.java:17)
paid by 4012 8888 8888 1881, password=hunter2
";

const CONFIG: &str = "\
sources: { app: { files: [/nowhere/*.log] } }
destinations: { screen: { console: {} } }
redact:
  rules: [default, -iban]
  custom:
    badge: { pattern: 'E[0-9]{6}', must_redact: [E000000], must_leave: [E1] }
  action: { default: drop_field, email: drop_record, card: hash }
  hash_key: 0123456789abcdef0123456789abcdef
  fields: { note: drop_field }
";

fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a temporary directory");
    let write = |name: &str, bytes: &[u8]| {
        fs::write(place.path().join(name), bytes).expect("written");
    };
    write("app.log", LOG.as_bytes());
    write("bob@example.com.log", LOG.as_bytes());
    write("own.yaml", CONFIG.as_bytes());
    let rest = CONFIG.split("redact:").next().expect("a part");
    write("off.yaml", format!("redact: off\n{rest}").as_bytes());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(LOG.as_bytes()).expect("compressed");
    write("app.log.1", &gzip.finish().expect("compressed"));
    place
}

/// What it prints on standard output; nothing that it says has a planted value.
fn said(place: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = run(place, arguments);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{arguments:?}: {out}");
    out
}

fn run(place: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pillion"));
    command.current_dir(place).arg("rules").args(arguments).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A verb that reads no input has gone before it is written.
    let _ = stdin.write_all(LOG.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    for planted in PLANTED {
        assert!(!out.contains(planted) && !err.contains(planted), "{arguments:?}: {out}{err}");
    }
    let own = arguments.contains(&"own.yaml");
    assert!(!own || !out.contains(BADGE), "{arguments:?}: {out}");
    assert!(arguments.contains(&"always") || !out.contains('\x1b'), "{arguments:?}: {out}");
    (output.status.code(), out, err)
}

fn json(place: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&said(place, arguments)).expect("one JSON object")
}

fn rule<'v>(whole: &'v Value, name: &str) -> &'v Value {
    let rules = whole["rules"].as_array().expect("a list");
    rules.iter().find(|rule| rule["rule"] == name).unwrap_or(&Value::Null)
}

#[test]
fn matches_are_shown_in_their_surroundings() {
    let place = place();
    let shown = said(place.path(), &["test", "app.log"]);
    for part in [
        "email: 3 found in 3 records (50.00 %)",
        "app.log:1  message      mail to [EMAIL] sent",
        "app.log:2  u            {\"[EMAIL]\":{\"password\":\"[PASSWORD]\"}}",
        "app.log:5  stack_trace  …ang.IllegalStateException: no such user [EMAIL]\\n",
        "app.log:2  card     [CREDIT_CARD]",
        "app.log:8  message  paid by [CREDIT_CARD], password=[PASSWORD]",
        "6 records in 8 lines, 4 (66.67 %) with a finding",
        "found nothing: iban, ",
    ] {
        assert!(shown.contains(part), "no {part:?} in\n{shown}");
    }
    let coloured = said(place.path(), &["test", "app.log", "--color", "always"]);
    assert!(coloured.contains("mail to \x1b[33m[EMAIL]\x1b[0m sent"), "{coloured}");
}

#[test]
fn the_configurations_rules_are_tried_whatever_they_would_do() {
    let place = place();
    let own = ["test", "app.log", "-c", "own.yaml", "--json", "--limit", "2"];
    let whole = json(place.path(), &own);
    assert_eq!((&whole["records"], &whole["lines"]), (&6.into(), &8.into()));
    assert_eq!(whole["records_dropped"], 0);
    assert_eq!(*rule(&whole, "iban"), Value::Null, "it is taken out");
    assert_eq!(rule(&whole, "field:note")["matches"], 1);
    assert_eq!(rule(&whole, "email")["matches"], 3);
    let badge = rule(&whole, "badge");
    assert_eq!((&badge["token"], &badge["matches"]), (&"BADGE".into(), &3.into()));
    let shown = badge["shown"].as_array().expect("a list");
    assert_eq!(shown.len(), 2, "--limit");
    assert_eq!((&shown[0]["line"], &shown[0]["log"]), (&4.into(), &"app.log".into()));
    assert_eq!(shown[0]["context"], "badge [BADGE] from 198.51.100.7, again [BADGE], and \\u{1b}…");
}

#[test]
fn logs_come_from_anywhere_and_are_read_by_any_parser() {
    let place = place();
    for log in ["-", "app.log.1", "bob@example.com.log"] {
        let whole = json(place.path(), &["test", log, "--json"]);
        assert_eq!((&whole["lines"], &rule(&whole, "email")["matches"]), (&8.into(), &3.into()));
        assert_eq!(rule(&whole, "email")["shown"][2]["line"], 5);
        said(place.path(), &["audit", log]);
    }
    let both = json(place.path(), &["audit", "app.log", "-", "--json"]);
    assert_eq!((&both["lines"], &rule(&both, "email")["matches"]), (&16.into(), &6.into()));
    // As plain text, each line is a record, and nothing is in a field of its own.
    let plain = json(place.path(), &["test", "app.log", "--parser", "plain", "--json"]);
    assert_eq!(plain["records"], 8);
    let card = &rule(&plain, "card")["shown"][0]["context"];
    assert!(card.as_str().is_some_and(|it| it.contains("\"card\":\"[CREDIT_CARD]\"")), "{card}");
    let (code, _, err) = run(place.path(), &["test", "app.log", "--parser", "xml"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("no parser is called \"xml\""), "{err}");
}

#[test]
fn rules_that_are_off_can_be_tried_and_are_counted() {
    let place = place();
    let shown = said(place.path(), &["test", "app.log", "--rule", "ipv4"]);
    assert!(shown.contains("ipv4: 1 found in 1 records"), "{shown}");
    assert!(shown.contains(" from [IPV4], again "), "{shown}");
    assert!(!shown.contains("email:"), "{shown}");
    let (code, _, err) = run(place.path(), &["test", "app.log", "--rule", "ipv5"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("no redaction rule `ipv5`"), "{err}");

    let off = ["test", "app.log", "-c", "off.yaml"];
    let (code, _, err) = run(place.path(), &off);
    assert_eq!(code, Some(1));
    assert!(err.contains("redaction is off"), "{err}");

    let shown = said(place.path(), &["audit", "app.log", "-c", "own.yaml"]);
    let row = shown.lines().find(|line| line.starts_with("ipv4 ")).expect("a row");
    let parts: Vec<_> = row.split_whitespace().collect();
    assert_eq!(parts, ["ipv4", "off", "1", "16.67", "%", "1", "app.log:4", "message"]);
    for part in [
        "off, and would find something: ipv4\n",
        "pillion rules test --rule ipv4 app.log\n",
        "redact: { rules: [default, -iban, ipv4] }\n",
    ] {
        assert!(shown.contains(part), "no {part:?} in\n{shown}");
    }
    let whole = json(place.path(), &["audit", "app.log", "-c", "off.yaml", "--json"]);
    let email = rule(&whole, "email");
    assert_eq!((&email["on"], &email["records"]), (&false.into(), &3.into()));
    assert_eq!(email["fields"]["stack_trace"], 1);
    assert_eq!(email["first"]["line"], 1);
    assert!(whole["switch_on"].as_array().expect("a list").contains(&"ipv4".into()));
}
