//! Every verb of the real binary as a person at a terminal meets it: exit codes, and what is said.

#![expect(clippy::expect_used, reason = "a test that cannot go on is a failed test")]

use std::fs;
use std::io::{BufRead, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs pillion in a directory, with nothing of this process's environment that it would heed.
fn pillion(directory: &Path, arguments: &[&str], input: &[u8]) -> Output {
    pillion_with(directory, arguments, &[], input)
}

/// The same with these variables set.
fn pillion_with(
    directory: &Path,
    arguments: &[&str],
    variables: &[(&str, &str)],
    input: &[u8],
) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pillion"));
    command.current_dir(directory).args(arguments).env_clear().env("NO_COLOR", "1");
    command.envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // Verbs that read no input have gone before it is written.
    let _ = stdin.write_all(input);
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

const CONFIG: &str = "\
state: /nowhere/state
admin: off
sources: { app: { files: [/nowhere/app/*.log], fields: { owner: bob@example.com } } }
destinations: { screen: { console: {} } }
";

const OWN: &str = "\
state: /nowhere/state
admin: off
parsers: { orders: { pattern: '^order=(?<order_id>[0-9]+) (?<message>.*)$', types: { order_id: integer } } }
sources:
  app: { files: [/nowhere/app/*.log] }
  orders: { files: [/nowhere/orders/*.log], parser: orders }
destinations: { screen: { console: {} } }
";

const SAMPLES: &str = "\
parsers:
  orders:
    pattern: '^order=(?<id>[0-9]+)$'
    samples:
      - { line: 'order=17', record: { id: '17' } }
      - { line: 'order=x' }
redact:
  custom:
    badge:
      { pattern: 'E[0-9]{6}', must_redact: ['badge E123456', 'E999999'], must_leave: ['E1'] }
sources: { app: { files: [/nowhere/app/*.log] } }
destinations: { screen: { console: {} } }
";

const MISTAKEN: &str = "\
sources: { app: { files: [/nowhere/app/*.log], parsr: json } }
destinations: { screen: { console: {} } }
redact: { rules: [default, emial] }
";

const LOG: &str = "{\"msg\":\"a\",\"password\":\"hunter2\"}\nmail to bob@example.com\n";

fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a temporary directory");
    let write = |name: &str, text: &str| {
        fs::write(place.path().join(name), text).expect("written");
    };
    write("good.yaml", CONFIG);
    write("own.yaml", OWN);
    write("bad.yaml", MISTAKEN);
    write("app.log", LOG);
    write("expected.ndjson", "{\"message\":\"something else\"}\n");
    write("samples.yaml", SAMPLES);
    let failing = SAMPLES.replace("'order=x'", "'order=1'").replace("id: '17'", "id: '18'");
    write("failing.yaml", &failing.replace("['E1']", "['E123456']"));
    let records = "{\"message\":\"a\",\"password\":\"[PASSWORD]\"}\n";
    let unparsed = "{\"message\":\"mail to [EMAIL]\",\"_marks\":[\"unparsed\"]}\n";
    write("good.ndjson", &[records, unparsed].concat());
    fs::create_dir_all(place.path().join("pairs/one")).expect("made");
    write("pairs/one/input.log", LOG);
    write("pairs/one/expected.ndjson", &[records, unparsed].concat());
    write("escapes.log", "\x1b]0;owned\x07 bob@example.com\n");
    place
}

/// Arguments, the exit code, and what standard output and standard error say, in parts.
type Case = (&'static [&'static str], i32, &'static [&'static str], &'static [&'static str]);

const CASES: &[Case] = &[
    (&[], 2, &[], &["Usage: pillion", "Commands:"]),
    (&["--version"], 0, &["pillion "], &[]),
    (&["nonsense"], 2, &[], &["unrecognized subcommand 'nonsense'"]),
    (&["--log", "loud", "parsers"], 2, &[], &["expected one of"]),
    (&["check", "-c", "good.yaml"], 0, &["good.yaml: ok: 1 source(s), 1 destination(s)"], &[]),
    (
        &["check", "-c", "bad.yaml"],
        78,
        &[],
        &[
            "bad.yaml:1:48",
            "did you mean `parser`",
            "bad.yaml:3:28",
            "did you mean `email`",
            "2 mistakes",
        ],
    ),
    (&["check", "-c", "none.yaml"], 78, &[], &["none.yaml", "no such file", "--files"]),
    (&["run", "-c", "bad.yaml"], 78, &[], &["2 mistakes"]),
    (&["run", "-c", "good.yaml", "--files", "/x/*.log", "--to", "console"], 2, &[], &["--config"]),
    (&["replay", "--follow", "-"], 1, &[], &["standard input cannot be followed"]),
    (&["run", "--files", "/x/*.log"], 78, &[], &["no destination is named", "--to"]),
    (
        &["run", "--files", "/x/*.log", "--to", "kafka=x"],
        78,
        &[],
        &["`kafka`", "elasticsearch=URL"],
    ),
    (
        &["run", "-c", "good.yaml", "--admin", "2028", "--grace", "soon", "--state", "here"],
        78,
        &[],
        &[
            "--admin:1:1",
            "127.0.0.1:2028",
            "`off`",
            "--grace:1:1",
            "--state:1:1",
            "not absolute",
            "3 mistakes in good.yaml and what is given over it",
        ],
    ),
    (&["run", "-c", "good.yaml", "--state", "/proc/none"], 1, &[], &["/proc/none"]),
    (
        &["replay", "app.log"],
        0,
        &["{\"message\":\"a\",\"password\":\"[PASSWORD]\"}\n{\"message\":\"mail to [EMAIL]\""],
        &[],
    ),
    (&["replay", "-"], 0, &["{\"message\":\"from [EMAIL]\"}\n"], &[]),
    (&["replay", "none.log"], 1, &[], &["none.log: No such file"]),
    (&["replay", "-c", "good.yaml", "--source", "db", "app.log"], 1, &[], &["has: app"]),
    (&["replay"], 2, &[], &["<LOG>"]),
    (&["replay", "--bless", "app.log"], 2, &[], &["--expect"]),
    (
        &["replay", "--expect", "expected.ndjson", "app.log"],
        1,
        &[
            "expected.ndjson:1",
            "expected {\"message\":\"something else\"}",
            "found    {\"message\":\"a\"",
        ],
        &["2 record(s) differ", "--bless"],
    ),
    (&["replay", "--expect", "none.ndjson", "app.log"], 1, &[], &["none.ndjson"]),
    (&["replay", "--expect", "new.ndjson", "--bless", "app.log"], 0, &[], &[]),
    (&["replay", "--expect", "new.ndjson", "app.log"], 0, &[], &[]),
    (&["test", "-c", "good.yaml"], 0, &["(0 of the configuration's)", "come out as they say"], &[]),
    (
        &["test", "-c", "samples.yaml", "app.log=good.ndjson", "pairs"],
        0,
        &["(2 of the configuration's), ", "(3 of the configuration's) and 2 fixtures come out"],
        &[],
    ),
    (
        &["test", "app.log=expected.ndjson", "pairs", "app.log=good.ndjson"],
        1,
        &["expected.ndjson:1", "found    {\"message\":\"a\""],
        &["1 of ", "and 3 fixtures do not come out as they say"],
    ),
    (&["test", "none"], 1, &[], &["none: no such directory", "LOG=EXPECTED"]),
    (&["test", "none.log=good.ndjson"], 1, &[], &["none.log: No such file"]),
    (
        &["test", "-c", "failing.yaml"],
        78,
        &[],
        &["failing.yaml:5:", "failing.yaml:6:", "failing.yaml:10:", "3 mistakes"],
    ),
    (&["test", "-c", "bad.yaml"], 78, &[], &["2 mistakes"]),
    (
        &["explain", "user=bob@example.com password=hunter2"],
        0,
        &["logfmt", "[EMAIL]", "[PASSWORD]", "email", "password"],
        &[],
    ),
    (
        &["explain", "2026-11-22 10:00:00 CST INFO hello"],
        0,
        &["2026-11-22T10:00:00Z", "an abbreviation that several zones have"],
        &[],
    ),
    (&["explain", "2026-11-22 10:00:00 CET INFO hello"], 0, &["2026-11-22T09:00:00Z"], &[]),
    (&["explain", "\x1b]0;owned\x07"], 0, &["\\u{1b}]0;owned\\u{7}"], &[]),
    (
        &[
            "explain",
            "2026-11-22T10:00:00.5Z stdout F {\"msg\":\"to bob@example.com\",\"order\":7}",
        ],
        0,
        &[
            "container cri",
            "(as json)",
            "2026-11-22T10:00:00.5Z",
            "to [EMAIL]",
            "order                number   7",
            "stream               string   stdout",
            "field message",
        ],
        &[],
    ),
    (
        &["explain", "-c", "own.yaml", "--source", "orders", "order=17 by bob@example.com"],
        0,
        &["source orders (as orders)", "order_id             integer  17", "by [EMAIL]"],
        &[],
    ),
    (
        &["explain", "-c", "own.yaml", "--source", "orders", "level=info x=1"],
        0,
        &["(it does not fit orders)", "logfmt"],
        &[],
    ),
    (&["explain", "-c", "own.yaml", "--source", "db", "x"], 1, &[], &["has: app, orders"]),
    (&["explain", "--file", "app.log"], 0, &["reads it as json; 1 unparsed", "of 2 records"], &[]),
    (&["explain", "--file", "none.log"], 1, &[], &["none.log"]),
    (&["explain"], 2, &[], &["<LINE>"]),
    (&["parsers"], 0, &["json ", "nginx ", "cri "], &[]),
    (&["parsers", "json"], 0, &["json: "], &[]),
    (&["parsers", "xml"], 1, &[], &["\"xml\"", "`pillion parsers` lists them"]),
    (&["rules"], 0, &["email ", "card ", "ipv4 "], &[]),
    (&["rules", "jwt"], 0, &["masks as JWT"], &[]),
    (&["rules", "paymnt"], 1, &[], &["\"paymnt\"", "`pillion rules` lists them"]),
    (&["rules", "emial"], 1, &[], &["did you mean email?"]),
    (&["rules", "payment"], 0, &["card ", " on by default; "], &[]),
    (&["rules", "--off"], 0, &["ipv4 ", " off "], &[]),
    (&["--color", "loud", "rules"], 2, &[], &["auto, always, never"]),
    (
        &["schema"],
        0,
        &[
            "json-schema.org/draft/2020-12",
            "\"nginx_error\"",
            "\"email\"",
            "\"java\"",
            "\"max_record\"",
        ],
        &[],
    ),
    (&["healthy", "--admin", "127.0.0.1:1"], 1, &[], &["127.0.0.1:1"]),
    (&["demo", "--fault", "fire"], 2, &[], &["429", "slow"]),
    (&["demo", "--seconds", "0"], 2, &[], &["--seconds"]),
];

#[test]
fn every_verb_says_what_it_did_or_what_is_wrong() {
    let place = place();
    let mut wrong = Vec::new();
    for (arguments, code, stdout, stderr) in CASES {
        let output = pillion(place.path(), arguments, b"from bob@example.com\n");
        let out = String::from_utf8_lossy(&output.stdout);
        let err = String::from_utf8_lossy(&output.stderr);
        let unsaid = |parts: &[&str], text: &str| parts.iter().any(|part| !text.contains(part));
        let all = [&*out, &*err].concat();
        let never = ["hunter2", "bob@example.com", "\x1b", "panicked"];
        if output.status.code() != Some(*code)
            || unsaid(stdout, &out)
            || unsaid(stderr, &err)
            || never.iter().any(|part| all.contains(part))
        {
            wrong.push(format!(
                "{arguments:?}: {}, not {code} with {stdout:?} and {stderr:?}\n{out}{err}",
                output.status
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn variables_count_like_options_and_are_named() {
    let place = place();
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = pillion_with(place.path(), arguments, variables, b"");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    };
    let mistakes = [
        ("PILLION_STATE", "here"),
        ("PILLION_ADMIN", "2028"),
        ("PILLION_GRACE", "25"),
        ("PILLION_CONFIG", "good.yaml"),
    ];
    let (code, said) = run(&["run"], &mistakes);
    assert_eq!(code, Some(78), "{said}");
    for part in ["PILLION_STATE:1:1", "PILLION_ADMIN:1:1", "PILLION_GRACE:1:1"] {
        assert!(said.contains(part), "{said}");
    }
    // Set to nothing is not set.
    let empty = [("PILLION_CONFIG", ""), ("PILLION_ADMIN", ""), ("PILLION_GRACE", "")];
    let (code, said) = run(&["check"], &empty);
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("/etc/pillion/pillion.yaml"), "{said}");
    let arguments = ["run", "--files", "/x/*.log", "--to", "console"];
    let (code, said) = run(&arguments, &[("PILLION_CONFIG", "good.yaml")]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("PILLION_CONFIG names good.yaml"), "{said}");
}

#[test]
fn the_probe_asks_where_the_agent_was_told_to_listen() {
    let place = place();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut head = std::io::BufReader::new(&stream).lines();
            while head.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n");
        }
    });
    let healthy = |config: &str, variables: &[(&str, &str)]| {
        fs::write(place.path().join("live.yaml"), config).expect("written");
        let output = pillion_with(place.path(), &["healthy", "-c", "live.yaml"], variables, b"");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let mistaken = format!("admin: {address}\nsources: {{ app: {{ parsr: json }} }}\n");
    assert_eq!(healthy(&mistaken, &[]), (Some(0), String::new()));
    let elsewhere = format!("admin: 127.0.0.1:1\n{CONFIG}");
    assert_eq!(healthy(&elsewhere, &[("PILLION_ADMIN", &address)]), (Some(0), String::new()));
    assert_eq!(healthy("not: [yaml", &[("PILLION_ADMIN", &address)]), (Some(0), String::new()));
    let (code, said) = healthy("admin: 2028\n", &[]);
    assert_eq!(code, Some(78), "{said}");
    let (code, said) = healthy("admin: off\n", &[]);
    assert_eq!(code, Some(1), "{said}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let place = place();
    for arguments in [&["parsers"][..], &["rules"], &["replay", "-"], &["explain", "a=b"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pillion"));
        command.current_dir(place.path()).args(arguments).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        drop(child.stdout.take());
        let mut stdin = child.stdin.take().expect("a pipe");
        // More than a pipe holds; whoever does not read it has ended already.
        let _ = stdin.write_all(&b"a=b c=d\n".repeat(100_000));
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*said), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn the_demo_loses_repeats_and_leaks_nothing() {
    let place = place();
    let output = pillion(place.path(), &["demo", "--seconds", "3"], b"");
    let shown = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{shown}\n{said}");
    let counted = |name: &str| {
        let line = shown.lines().rev().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next().map(str::to_owned));
        number.unwrap_or_else(|| panic!("no {name} in {shown}"))
    };
    assert_ne!(counted("written"), "0");
    assert_eq!(counted("lost"), "0", "{shown}\n{said}");
    assert_eq!(counted("repeated"), "0", "{shown}\n{said}");
    assert_eq!(counted("leaked"), "0", "{shown}\n{said}");
}
