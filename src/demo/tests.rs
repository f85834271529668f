//! The demo with a stand-in for the agent: it reads the files once at the end, and sends what it is
//! told to.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use serde_json::json;

use super::formats::number_in;
use super::*;

/// What the stand-in does with a record.
type Deliver = fn(usize, &str) -> Vec<String>;

/// Ships each record to both destinations at the drain, as `deliver` makes it.
struct StandIn {
    logs: PathBuf,
    address: String,
    deliver: Deliver,
}

impl StandIn {
    fn start(configuration: &str, deliver: Deliver) -> Box<dyn Running> {
        let line = configuration.lines().next().expect("a first line");
        let state: String =
            serde_json::from_str(line.trim_start_matches("state: ")).expect("a quoted path");
        let logs = PathBuf::from(state).with_file_name("logs");
        let address = configuration.split("http://").nth(1).and_then(|rest| rest.split('"').next());
        Box::new(Self { logs, address: address.expect("a URL").to_owned(), deliver })
    }

    /// All records, by number: the lines from one `line-NUMBER` to the next.
    fn records(&self) -> BTreeMap<usize, String> {
        let mut records = BTreeMap::new();
        for entry in std::fs::read_dir(&self.logs).expect("the logs") {
            let text = std::fs::read_to_string(entry.expect("a file").path()).expect("UTF-8");
            for line in text.lines() {
                if let Some(number) = number_in(line) {
                    assert!(records.insert(number, line.to_owned()).is_none(), "{number} twice");
                }
            }
        }
        records
    }

    fn post(&self, path: &str, kind: &str, body: &str) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let length = body.len();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .expect("taken");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    }
}

impl Running for StandIn {
    fn glance(&self) -> Glance {
        Glance { redacted: vec![("email".to_owned(), 1)], retries: 2 }
    }

    fn drain(&self, grace: Duration) -> bool {
        assert_eq!(grace, GRACE);
        let now = crate::receiver::Clock::System.now();
        let (mut bulk, mut values) = (String::new(), Vec::new());
        for (number, text) in self.records() {
            for (copy, text) in (self.deliver)(number, &text).into_iter().enumerate() {
                let action = json!({"create": {"_index": "logs-demo-default"}});
                let document = json!({"@timestamp": "2026-11-22T10:00:00Z", "message": text,
                    "log": {"file": {"path": self.logs.join("shop.log")}}});
                bulk.push_str(&format!("{action}\n{document}\n"));
                let time = now + i64::try_from(copy).expect("few");
                values.push(json!([time.to_string(), text]));
            }
        }
        self.post("/_bulk", "application/x-ndjson", &bulk);
        let push = json!({"streams": [{"stream": {"app": "demo"}, "values": values}]});
        self.post("/loki/api/v1/push", "application/json", &push.to_string());
        true
    }
}

/// Runs a short demo in which records are delivered so; the summary, and what was printed.
fn play(deliver: Deliver) -> (Summary, String) {
    let options = Options { time: Duration::from_millis(120), rate: 1000, fault: None, seed: 3 };
    let (mut out, mut plain) = (Vec::new(), Vec::new());
    let mut screen = Screen::new(&mut out, &mut plain, Style::default());
    let start = |text: &str| Ok(StandIn::start(text, deliver));
    let summary = run(&options, &mut screen, &AtomicBool::new(false), start).expect("a demo");
    (summary, String::from_utf8(out).expect("UTF-8"))
}

#[test]
fn a_perfect_agent_gets_a_clean_summary() {
    let (summary, printed) = play(|number, _| vec![format!("line-{number} [EMAIL]")]);
    assert!(summary.clean(), "{summary}");
    assert!(summary.written > 20 && summary.planted > 5, "{summary}");
    assert_eq!(summary.delivered, [summary.written; 2]);
    assert_eq!((summary.retries, summary.redacted.len()), (2, 1));
    assert!(printed.contains("elasticsearch shop     line-0 [EMAIL]"), "{printed}");
    assert!(printed.contains("lost       0\nrepeated   0\nleaked     0 of "), "{printed}");
}

#[test]
fn what_an_agent_gets_wrong_is_found() {
    let (lossy, _) = play(|number, _| match number {
        5 => Vec::new(),
        _ => vec![format!("line-{number}")],
    });
    assert_eq!((lossy.lost, lossy.repeated, lossy.clean()), (1, 0, false));
    let (repeating, _) =
        play(|number, _| vec![format!("line-{number}"); 1 + usize::from(number == 5)]);
    assert_eq!((repeating.lost, repeating.repeated, repeating.clean()), (0, 2, false));
    let (leaky, _) = play(|_, text| vec![text.to_owned()]);
    assert!(leaky.leaked > 0 && leaky.lost == 0 && !leaky.clean(), "{leaky}");
    let (broken, _) = play(|number, _| vec![format!("line-{number}"), format!("\tat x {number}")]);
    assert!(broken.strays > 0 && !broken.clean());
}

#[test]
fn an_agent_that_does_not_start_says_why() {
    let (mut out, mut plain) = (Vec::new(), Vec::new());
    let mut screen = Screen::new(&mut out, &mut plain, Style::default());
    let start = |_: &str| Err("the state directory is locked".to_owned());
    let error = run(&Options::default(), &mut screen, &AtomicBool::new(false), start);
    let error = error.expect_err("it did not start").to_string();
    assert_eq!(error, "the agent did not start: the state directory is locked");
}

#[test]
fn the_configuration_is_what_a_user_would_write() {
    let text = configuration(Path::new("/tmp/demo \"x\""), "http://127.0.0.1:9");
    assert!(
        text.starts_with("state: \"/tmp/demo \\\"x\\\"/state\"\nadmin: off\n\nsources:\n  web:\n")
    );
    assert!(text.contains(
        "  billing:\n    files: [\"/tmp/demo \\\"x\\\"/logs/billing.log\"]\n    multiline: java\n"
    ));
    assert!(text.contains("    loki: { url: \"http://127.0.0.1:9\", labels: { app: demo } }\n"));
}

#[test]
fn faults_have_the_names_of_the_command_line() {
    for name in DemoFault::NAMES {
        assert_eq!(DemoFault::named(name).map(DemoFault::name), Some(name));
    }
    assert_eq!(DemoFault::named("418"), None);
}
