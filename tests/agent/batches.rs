//! Lines that hold several records, as the collector's file exporter writes them: each arrives once, and
//! has a place of its own.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use pillion::receiver::{Options, Receiver};

use crate::harness::{Agent, PATIENCE, Place, field, judge, seq, until};

/// Records of a line.
const RECORDS: u64 = 40;

/// Lines with so many records.
fn lines(from: u64, lines: u64) -> String {
    let mut text = String::new();
    for line in from..from + lines {
        text.push_str(
            r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeLogs":[{"scope":{"name":"shop.orders"},"logRecords":["#,
        );
        for number in line * RECORDS..(line + 1) * RECORDS {
            let comma = if number % RECORDS == 0 { "" } else { "," };
            let written = write!(
                text,
                r#"{comma}{{"timeUnixNano":"1795658789173735424","severityNumber":9,"body":{{"stringValue":"seq={number} é placed"}},"attributes":[{{"key":"password","value":{{"stringValue":"hunter2secret"}}}}]}}"#
            );
            written.expect("a String takes it");
        }
        text.push_str("]}]}]}\n");
    }
    text
}

#[test]
fn each_record_of_a_line_arrives_once_also_if_the_agent_is_killed() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\nsources: {{app: {{files: ['{{logs}}/*.log']}}}}\n\
         destinations:\n  search:\n    \
         elasticsearch: {{url: '{}', index: a}}\n    batch: {{linger: 50ms, bytes: 30KiB}}\n",
        receiver.url()
    ));
    let count = 200 * RECORDS;
    place.append("app.log", lines(0, 200));
    let agent = Agent::start(&config, &[]);
    assert!(receiver.wait_for(PATIENCE, |requests| requests.stored > RECORDS + RECORDS / 2));
    agent.kill();
    let agent = Agent::start(&config, &[]);
    let all = receiver.wait_for(PATIENCE, |requests| requests.stored >= count);
    assert!(all, "{:?}\n{}", receiver.requests(), agent.log().join("\n"));
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
    let stored = receiver.documents();
    assert_eq!(judge(0..count, stored.iter().filter_map(seq)), Default::default());
    let file = fs::read(place.log("app.log")).expect("the log");
    let mut offsets = BTreeSet::new();
    for stored in &stored {
        let offset = field(stored, "log.offset").as_u64().expect("an offset");
        assert!(offsets.insert(offset), "{offset} twice");
        let begins = file.get(usize::try_from(offset).expect("small")..).unwrap_or_default();
        let number = seq(stored).expect("a number");
        let expect = format!("\"seq={number} ");
        let own = &begins[..begins.len().min(120)];
        assert!(own.starts_with(b"{\"timeUnixNano\""), "{offset}");
        assert!(String::from_utf8_lossy(own).contains(&expect), "{offset}: {number}");
        let text = stored.document.to_string();
        assert!(text.contains("shop.orders") && text.contains("\"shop\""), "{text}");
        assert!(text.contains("[PASSWORD]") && !text.contains("hunter2"), "{text}");
    }
}

#[test]
fn what_was_recorded_one_by_one_comes_out_the_same_in_one_line() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recorded/opentelemetry/otlp.log");
    let recorded = fs::read_to_string(path).expect("recorded");
    let inside = |line: &str| {
        let inside = line.strip_prefix("{\"resourceLogs\":[").and_then(|it| it.strip_suffix("]}"));
        inside.expect("a request").to_owned()
    };
    let one: Vec<_> = recorded.lines().map(inside).collect();
    let batch = format!("{{\"resourceLogs\":[{}]}}\n", one.join(","));
    let of = |log: &str| {
        let (place, receiver) =
            (Place::new(), Receiver::start(Options::default()).expect("receiver"));
        let agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
        place.append("otlp.log", log);
        let all = until(PATIENCE, || receiver.requests().stored == one.len() as u64);
        assert!(all, "{:?}\n{}", receiver.requests(), agent.log().join("\n"));
        let (status, log) = agent.terminate();
        assert!(status.success(), "{}", log.join("\n"));
        let mut stored = receiver.documents();
        stored.sort_by_key(|stored| field(stored, "log.offset").as_u64());
        let documents = stored.into_iter().map(|mut stored| {
            stored.document.as_object_mut().and_then(|it| it.remove("log"));
            stored.document
        });
        documents.collect::<Vec<_>>()
    };
    assert_eq!(of(&batch), of(&recorded));
}
