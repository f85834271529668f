//! The push API: whole requests, and entries.

use super::*;

const PUSH: &str = "POST /loki/api/v1/push";
const JSON: &str = "Content-Type: application/json";
const PROTOBUF: &str = "Content-Type: application/x-protobuf";

/// One field of a protobuf message: its number, and bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        field.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    field.extend_from_slice(content);
    field
}

fn varint(number: u8, mut value: u64) -> Vec<u8> {
    let mut field = vec![number << 3];
    while value >= 0x80 {
        field.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    field.push(value as u8);
    field
}

fn protobuf(labels: &str, time: i64, line: &str) -> Vec<u8> {
    let seconds = varint(1, (time / 1_000_000_000) as u64);
    let nanos = varint(2, (time % 1_000_000_000) as u64);
    let metadata = [field(1, b"trace"), field(2, b"abc")].concat();
    let entry =
        [field(1, &[seconds, nanos].concat()), field(2, line.as_bytes()), field(3, &metadata)];
    let stream = [field(1, labels.as_bytes()), field(2, &entry.concat())].concat();
    field(1, &stream)
}

fn snappy(plain: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(plain).expect("small")
}

#[test]
fn both_forms_store_the_same_entry() {
    let receiver = start(|_| {});
    let body = snappy(&protobuf("{app=\"x\"}", NOW + 5, "hello"));
    for encoding in [
        &["Content-Type: application/x-protobuf"][..],
        &["Content-Type: application/x-protobuf", "Content-Encoding: snappy"],
    ] {
        assert_eq!(ask(&receiver, "POST /loki/api/v1/push", encoding, &body).status, 204);
    }
    let same = json!({"streams": [{"stream": {"app": "x"}, "values": [
        [(NOW + 5).to_string(), "hello", {"trace": "abc"}],
        [(NOW + 5).to_string(), "hello"],
    ]}]});
    assert_eq!(push(&receiver, &same).status, 204);
    let entries = receiver.entries();
    assert_eq!(entries.len(), 2, "equal entries are stored once, others are not equal");
    assert_eq!(entries[0].labels.get("app").map(String::as_str), Some("x"));
    assert_eq!((entries[0].time, entries[0].line.as_str()), (NOW + 5, "hello"));
    assert_eq!(entries[0].metadata, [("trace".to_owned(), "abc".to_owned())]);
    assert_eq!(receiver.requests().duplicates, 2);
}

/// Request line, headers, body; status, and a part of the answer.
type Row<'a> = (&'a str, &'a [&'a str], Vec<u8>, u16, &'a str);

#[test]
fn whole_requests_are_refused_as_loki_does() {
    let receiver = start(|options| {
        options.loki.burst = 2000;
        options.loki.message = 1000;
        options.max_body = 5000;
    });
    let good = stream(&[(NOW, "x")]).to_string();
    let good = good.as_str();
    let of = |labels: &str, entry: &str| {
        format!("{{\"streams\":[{{\"stream\":{labels},\"values\":[{entry}]}}]}}").into_bytes()
    };
    let large = |bytes: usize| stream(&[(NOW, &"x".repeat(bytes))]).to_string();
    let bad_labels = json!({"streams": [
        {"stream": {"app": "x"}, "values": [[NOW.to_string(), "not stored either"]]},
        {"stream": {"a-b": "x"}, "values": [[NOW.to_string(), "x"]]},
    ]});
    let table: Vec<Row<'_>> = vec![
        ("GET /loki/api/v1/push", &[JSON], good.into(), 405, ""),
        (PUSH, &[], good.into(), 400, "no media type"),
        (PUSH, &["Content-Type: json"], good.into(), 400, "mime"),
        (PUSH, &["Content-Type: text/plain"], good.into(), 400, "snappy"),
        (PUSH, &[PROTOBUF], protobuf("{}", NOW, "x"), 400, "snappy"),
        (PUSH, &[PROTOBUF], snappy(b"\x08\x01"), 400, "wrong wireType"),
        (PUSH, &[JSON, "Content-Encoding: zstd"], good.into(), 400, "\"zstd\" not supported"),
        (PUSH, &[JSON, "Content-Encoding: snappy"], snappy(good.as_bytes()), 400, "expected"),
        (PUSH, &[JSON], b"{\"streams\":[]}".to_vec(), 422, "at least one valid stream"),
        (PUSH, &[JSON], b"{\"streams\":".to_vec(), 400, "EOF"),
        (PUSH, &[JSON], of(r#"{"a":1}"#, "[]"), 400, "not a string"),
        (PUSH, &[JSON], of(r#"{"a":"x"}"#, r#"[1,"x"]"#), 400, "Number"),
        (PUSH, &[JSON], of(r#"{"a":"x"}"#, r#"["1","x",{"n":1}]"#), 400, "not a string"),
        (PUSH, &[JSON], bad_labels.to_string().into(), 400, "couldn't parse labels"),
        (PUSH, &[JSON], large(6000).into(), 413, ""),
        (PUSH, &[JSON], large(3000).into(), 429, "Ingestion rate limit exceeded"),
        (PUSH, &[JSON], large(1500).into(), 500, "ResourceExhausted"),
    ];
    for (line, headers, body, status, part) in table {
        let answer = ask(&receiver, line, headers, &body);
        assert_eq!(answer.status, status, "{headers:?} {part}: {}", answer.text());
        assert!(answer.text().contains(part), "{part}: {}", answer.text());
    }
    assert!(receiver.entries().is_empty());
}

const SECOND: i64 = 1_000_000_000;

fn at(nanos: i64) -> String {
    (NOW + nanos).to_string()
}

/// Streams sent at once: status and part of the answer, and the lines stored.
fn check(limits: fn(&mut LokiLimits), streams: &Value, expect: (u16, &str), lines: &[&str]) {
    let receiver = start(|options| limits(&mut options.loki));
    let answer = push(&receiver, &json!({"streams": streams}));
    assert_eq!(answer.status, expect.0, "{streams:.200}: {}", answer.text());
    assert!(answer.text().contains(expect.1), "{streams:.200}: {}", answer.text());
    let stored: Vec<_> = receiver.entries().into_iter().map(|entry| entry.line).collect();
    assert_eq!(stored, lines, "{streams:.200}");
}

#[test]
fn an_entry_that_breaks_a_limit_is_refused_and_the_rest_of_its_stream_stored() {
    let bad = |limits, entry: Value, text: &str| {
        let streams = json!([{"stream": {"app": "x"}, "values": [entry, [at(0), "good"]]}]);
        check(limits, &streams, (400, text), &["good"]);
    };
    let metadata = || json!([at(0), "metadata", {"a": "b", "c": "d"}]);
    bad(|_| {}, json!([at(-7 * 24 * 3600 * SECOND - 1), "old"]), "timestamp too old");
    bad(|_| {}, json!([at(600 * SECOND + 1), "new"]), "timestamp too new");
    bad(|l| l.line = 9, json!([at(0), "0123456789"]), "Max entry size '9' bytes");
    bad(|l| l.metadata_bytes = 3, metadata(), "structured metadata too large");
    bad(|l| l.metadata_pairs = 1, metadata(), "too many structured metadata labels");
    bad(|l| l.structured_metadata = false, metadata(), "feature is disallowed");
}

#[test]
fn a_stream_whose_labels_break_a_limit_is_refused_and_the_others_stored() {
    let both = |labels: Value| {
        json!([
            {"stream": labels, "values": [[at(0), "bad"]]},
            {"stream": {"app": "x"}, "values": [[at(0), "good"]]},
        ])
    };
    let bad = |limits, labels: Value, text: &str| {
        check(limits, &both(labels), (400, text), &["good"]);
    };
    bad(|_| {}, json!({}), "at least one label pair is required");
    bad(|_| {}, json!({"a": ""}), "at least one label pair is required");
    bad(|l| l.label_names = 1, json!({"a": "b", "c": "d"}), "has 2 label names; limit 1");
    bad(|l| l.label_name = 3, json!({"long": "b"}), "label name too long");
    bad(|l| l.label_value = 3, json!({"a": "long"}), "label value too long");
    let streams = both(json!({"a": "b"}));
    check(|l| l.streams = 1, &streams, (429, "Maximum active stream limit"), &["bad"]);
}

#[test]
fn order_is_kept_to_within_an_hour() {
    let send = |values: Value, expect, lines: &[&str]| {
        check(|_| {}, &json!([{"stream": {"app": "x"}, "values": values}]), expect, lines);
    };
    let behind = json!([
        [at(0), "newest"],
        [at(-3600 * SECOND), "window"],
        [at(-3600 * SECOND - 1), "behind"],
    ]);
    send(behind, (400, "entry too far behind"), &["newest", "window"]);
    send(json!([]), (204, ""), &[]);
    let mut many: Vec<_> = (0..12).map(|n| json!([at(-4000 * SECOND - n), "behind"])).collect();
    many.insert(0, json!([at(0), "newest"]));
    send(json!(many), (400, "user 'fake', total ignored: 12 out of 13 for stream"), &["newest"]);
}

/// What the distributor finds has the form of a list; equal errors are told once, with their number.
#[test]
fn errors_of_the_distributor_are_grouped() {
    let old = -8 * 24 * 3600 * SECOND;
    let mut values: Vec<_> = (0..12).map(|n| json!([at(old + n), "old"])).collect();
    values.push(json!([at(old + SECOND), "old"]));
    values.push(json!([at(0), "good"]));
    let streams = json!([
        {"stream": {"app": "x"}, "values": values},
        {"stream": {}, "values": [[at(0), "bad"], [at(1), "bad"]]},
    ]);
    let receiver = start(|_| {});
    let answer = push(&receiver, &json!({"streams": streams}));
    let old = |second| {
        format!(
            "entry for stream '{{app=\"x\"}}' has timestamp too old: 2026-11-14T10:00:0{second}Z, \
             oldest acceptable timestamp is: 2026-11-15T10:00:00Z"
        )
    };
    let labels = "error at least one label pair is required per stream";
    let expect = format!("12 errors like: {}; {}; {labels}\n", old(0), old(1));
    assert_eq!((answer.status, answer.text()), (400, expect));
    let requests = receiver.requests();
    assert_eq!((requests.stored, requests.refused), (1, 15));
}

#[test]
fn a_label_sent_twice_is_refused() {
    let receiver = start(|_| {});
    let body = snappy(&protobuf("{a=\"1\", a=\"2\"}", NOW, "x"));
    let headers = ["Content-Type: application/x-protobuf"];
    let answer = ask(&receiver, "POST /loki/api/v1/push", &headers, &body);
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("duplicate label name"));
}

#[test]
fn tenants_are_told_apart_and_asked_for() {
    let receiver = start(|options| options.loki.tenancy = true);
    let body = stream(&[(NOW, "x")]).to_string();
    let with = |tenant: &str| {
        let headers = ["Content-Type: application/json", tenant];
        ask(&receiver, "POST /loki/api/v1/push", &headers, body.as_bytes())
    };
    let none = with("X-Nothing: 1");
    assert_eq!((none.status, none.text().as_str()), (401, "no org id\n"));
    assert_eq!(with("X-Scope-OrgID: a/b").status, 400);
    assert_eq!(with("X-Scope-OrgID: a").status, 204);
    assert_eq!(with("X-Scope-OrgID: b").status, 204);
    let tenants: Vec<_> = receiver.entries().into_iter().map(|entry| entry.tenant).collect();
    assert_eq!(tenants, ["a", "b"]);
}

#[test]
fn a_rate_is_all_or_nothing() {
    let receiver = start(|options| {
        options.loki.burst = 10;
        options.loki.rate = Some(1);
    });
    assert_eq!(push(&receiver, &stream(&[(NOW, "12345678")])).status, 204);
    assert_eq!(push(&receiver, &stream(&[(NOW, "1"), (NOW, "22")])).status, 429);
    assert_eq!(push(&receiver, &stream(&[(NOW, "22")])).status, 204);
    assert_eq!(receiver.entries().len(), 2);
}
