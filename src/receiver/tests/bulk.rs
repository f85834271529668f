//! The bulk API: whole requests, and records.

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::*;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).expect("to memory");
    encoder.finish().expect("to memory")
}

/// A bulk body sent with this request line and these headers: its status, and a part of the answer.
fn check(receiver: &Receiver, line: &str, headers: &[&str], body: &[u8], expect: (u16, &str)) {
    let answer = ask(receiver, line, headers, body);
    assert_eq!(answer.status, expect.0, "{line} {headers:?}: {}", answer.text());
    assert!(answer.text().contains(expect.1), "{line} {headers:?}: {}", answer.text());
}

#[test]
fn whole_requests_are_refused_as_elasticsearch_does() {
    let receiver = start(|_| {});
    let good = create("a", "x");
    let headers = [NDJSON];
    let table: &[(&str, u16, &str)] = &[
        ("", 400, "request body is required"),
        ("\n", 400, "no requests added"),
        (good.trim_end(), 400, "must be terminated by a newline"),
        ("{\"create\":{\"_index\":\"x\"}}\n", 400, "expected a document line"),
        ("[]\n{}\n", 400, "Malformed action/metadata line [1], expected START_OBJECT"),
        ("{}\n{}\n", 400, "expected FIELD_NAME"),
        ("{\"put\":{}}\n{}\n", 400, "but found [put]"),
        ("{\"create\":1}\n{}\n", 400, "expected START_OBJECT"),
        ("{\"create\":{},\"index\":{}}\n{}\n", 400, "expected END_OBJECT"),
        ("{\"create\":{\"_type\":\"x\"}}\n{}\n", 400, "unknown parameter [_type]"),
        ("{\"create\":{\"_index\":[]}}\n{}\n", 400, "expected a simple value"),
        ("{\"create\":\n{}\n", 400, "x_content_parse_exception"),
        ("{\"create\":{}}\n{}\n", 400, "index is missing"),
    ];
    for (body, status, part) in table {
        check(&receiver, "POST /_bulk", &headers, body.as_bytes(), (*status, part));
    }
    let long = create(&"i".repeat(513), "x");
    check(&receiver, "POST /_bulk", &headers, long.as_bytes(), (400, "no longer than 512 bytes"));
    check(&receiver, "GET /_bulk", &headers, good.as_bytes(), (405, "allowed: [POST, PUT]"));
    check(
        &receiver,
        "POST /_bulk?foo=1&bar=2",
        &headers,
        good.as_bytes(),
        (400, "unrecognized parameters: [bar], [foo]"),
    );
    check(
        &receiver,
        "POST /_bulk?require_alias=x",
        &headers,
        good.as_bytes(),
        (400, "only [true] or [false]"),
    );
    check(&receiver, "POST /nowhere", &headers, good.as_bytes(), (400, "no handler found"));
    assert_eq!(receiver.requests().stored, 0);
    check(
        &receiver,
        "PUT /_bulk?timeout=1m&filter_path=errors",
        &headers,
        good.as_bytes(),
        (200, "{\"errors\":false}"),
    );
    assert_eq!(receiver.documents()[0].document["message"], json!("x"));
}

#[test]
fn content_types_and_encodings() {
    let receiver = start(|_| {});
    let body = create("a", "x").into_bytes();
    let line = "POST /_bulk";
    let versioned = "Content-Type: application/vnd.elasticsearch+x-ndjson; compatible-with=";
    let (eight, seven) = (format!("{versioned}8"), format!("{versioned}7"));
    check(&receiver, line, &[], &body, (406, "Content-Type header is missing"));
    check(
        &receiver,
        line,
        &["Content-Type: text/plain"],
        &body,
        (406, "[text/plain] is not supported"),
    );
    check(&receiver, line, &[NDJSON, NDJSON], &body, (406, "only one Content-Type"));
    check(&receiver, line, &[&seven], &body, (406, "not supported"));
    check(
        &receiver,
        line,
        &["Content-Type: application/x-ndjson; charset=latin1"],
        &body,
        (406, "not supported"),
    );
    check(&receiver, line, &[&eight], &body, (200, "201"));
    check(&receiver, line, &["Content-Type: application/json;charset=UTF-8"], &body, (200, "409"));
    check(&receiver, line, &[NDJSON, "Content-Encoding: gzip"], &gzip(&body), (200, "409"));
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(&body).expect("to memory");
    let zlib = zlib.finish().expect("to memory");
    check(&receiver, line, &[NDJSON, "Content-Encoding: deflate"], &zlib, (200, "409"));
    check(
        &receiver,
        line,
        &[NDJSON, "Content-Encoding: gzip"],
        &body,
        (400, "decompression_exception"),
    );
    // Not decoded: the bytes reach the JSON parser.
    check(
        &receiver,
        line,
        &[NDJSON, "Content-Encoding: zstd"],
        b"\x28\xb5\x2f\xfd\n",
        (400, "x_content_parse_exception"),
    );
}

#[test]
fn bodies_beyond_the_limit_are_refused_before_and_after_decompression() {
    let receiver = start(|options| {
        options.max_body = 10_000;
        options.raw_bodies = true;
    });
    let large = create("a", &"x".repeat(10_000)).into_bytes();
    let answer = ask(&receiver, "POST /_bulk", &[NDJSON], &large);
    assert_eq!((answer.status, answer.body.len()), (413, 0));
    assert!(answer.head.to_lowercase().contains("connection: close"));
    let packed = gzip(&large);
    assert!(packed.len() < 1000);
    check(&receiver, "POST /_bulk", &[NDJSON, "Content-Encoding: gzip"], &packed, (413, ""));
    let small = create("a", "x");
    check(
        &receiver,
        "POST /_bulk",
        &[NDJSON, "Content-Encoding: gzip"],
        &gzip(small.as_bytes()),
        (200, "201"),
    );
    assert_eq!(receiver.raw_bodies(), [Bytes::from(small)]);
    let requests = receiver.requests();
    assert_eq!(requests.by_status.into_iter().collect::<Vec<_>>(), [(200, 1), (413, 2)]);
}

const PARSING: &str = "document_parsing_exception";
const ILLEGAL: &str = "illegal_argument_exception";

/// Sends all at once: action, document, and the item's status and error type.
fn check_items(receiver: &Receiver, table: &[(&str, &str, u64, &str)]) {
    let lines = table.iter().map(|(action, document, ..)| format!("{action}\n{document}\n"));
    let answer = bulk(receiver, &lines.collect::<String>());
    let items = answer.items();
    assert_eq!(items.len(), table.len());
    for ((action, document, status, kind), item) in table.iter().zip(items) {
        assert_eq!(item, (*status, (*kind).to_owned()), "{action} {document:.80}");
    }
    assert_eq!(answer.json()["errors"], json!(true));
    assert!(answer.head.contains("x-elastic-product: Elasticsearch"));
}

#[test]
fn a_data_stream_wants_a_time_and_its_own_name() {
    let receiver = start(|_| {});
    let create = r#"{"create":{"_index":"logs-app-default"}}"#;
    let index = r#"{"index":{"_index":"logs-app-default"}}"#;
    let time = r#""@timestamp":"2026-11-22T10:00:00.123456789Z""#;
    check_items(
        &receiver,
        &[
            (create, &format!("{{{time}}}"), 201, ""),
            (create, &format!("{{{time}}}\r"), 201, ""),
            (create, "{}", 400, PARSING),
            (create, r#"{"@timestamp":["2026-11-22","2026-11-23"]}"#, 400, PARSING),
            (create, r#"{"@timestamp":["2026-11-22"]}"#, 201, ""),
            (create, r#"{"@timestamp":"2026-11-22 10:00:00"}"#, 400, PARSING),
            (create, &format!("{{{time},\"data_stream\":{{\"dataset\":\"app\"}}}}"), 201, ""),
            (create, &format!("{{{time},\"data_stream.dataset\":\"other\"}}"), 400, PARSING),
            (index, &format!("{{{time}}}"), 400, ILLEGAL),
        ],
    );
    let requests = receiver.requests();
    assert_eq!((requests.stored, requests.refused), (4, 5));
}

#[test]
fn records_are_accepted_and_refused_one_by_one() {
    let receiver = start(|_| {});
    let create = r#"{"create":{"_index":"plain"}}"#;
    let one = r#"{"index":{"_index":"plain","_id":"1"}}"#;
    let again = r#"{"index":{"_index":"plain","_id":"1","op_type":"create"}}"#;
    let only_stream = r#"{"create":{"_index":"plain","require_data_stream":true}}"#;
    let deep = format!("{}1{}", "{\"a\":".repeat(21), "}".repeat(21));
    let term = format!("{{\"k\":\"{}\"}}", "x".repeat(32_767));
    let many: serde_json::Map<_, _> = (0..1001).map(|n| (format!("f{n}"), json!(n))).collect();
    check_items(
        &receiver,
        &[
            (create, "{}", 201, ""),
            (create, r#"{"a":1,"a":2}"#, 400, PARSING),
            (create, "{\"a\":1", 400, PARSING),
            (create, "[]", 400, PARSING),
            (create, &deep, 400, PARSING),
            (create, &term, 400, PARSING),
            (create, &json!(many).to_string(), 400, PARSING),
            (one, r#"{"n":1}"#, 201, ""),
            (one, r#"{"n":2}"#, 200, ""),
            (again, r#"{"n":3}"#, 409, "version_conflict_engine_exception"),
            (r#"{"create":{"_index":"plain","_id":""}}"#, "{}", 400, ILLEGAL),
            (r#"{"create":{"_index":"Plain"}}"#, "{}", 400, "invalid_index_name_exception"),
            (r#"{"create":{"_index":"plain","pipeline":"p"}}"#, "{}", 400, ILLEGAL),
            (only_stream, "{}", 404, "index_not_found_exception"),
            (r#"{"update":{"_index":"plain","_id":"1"}}"#, "{}", 400, ILLEGAL),
        ],
    );
    let kept: Vec<_> = receiver.documents().into_iter().map(|stored| stored.document).collect();
    assert_eq!(kept, [json!({}), json!({"n": 2})]);
    let requests = receiver.requests();
    assert_eq!((requests.stored, requests.duplicates, requests.refused), (3, 1, 11));
}

#[test]
fn an_id_is_unique_until_the_data_stream_rolls_over() {
    let receiver = start(|_| {});
    let item = |answer: Answer| answer.json()["items"][0]["create"].clone();
    let first = item(bulk(&receiver, &create("a", "one")));
    assert_eq!(first["_index"], json!(".ds-logs-app-default-2026.01.01-000001"));
    assert_eq!(
        (&first["_id"], &first["result"], &first["status"]),
        (&json!("a"), &json!("created"), &json!(201))
    );
    let second = item(bulk(&receiver, &create("a", "two")));
    assert_eq!((&second["status"], &second["_id"]), (&json!(409), &json!("a")));
    receiver.rollover("logs-app-default");
    assert_eq!(item(bulk(&receiver, &create("a", "three")))["status"], json!(201));
    let messages: Vec<_> =
        receiver.documents().iter().map(|s| s.document["message"].clone()).collect();
    assert_eq!(messages, [json!("one"), json!("three")]);
}

#[test]
fn a_malformed_line_may_come_after_what_was_carried_out() {
    let body = create("a", "x") + "{\"nonsense\":{}}\n{}\n";
    for (incremental, stored) in [(false, 0), (true, 1)] {
        let receiver = start(|options| options.elasticsearch.incremental = incremental);
        assert_eq!(bulk(&receiver, &body).status, 400);
        assert_eq!(receiver.requests().stored, stored);
    }
}

#[test]
fn the_index_may_come_from_the_path_and_must_exist_if_none_is_made() {
    let receiver = start(|options| {
        options.elasticsearch.auto_create = false;
        options.elasticsearch.existing = vec!["here".to_owned()];
    });
    let body = b"{\"create\":{}}\n{\"a\":1}\n{\"create\":{\"_index\":\"gone\"}}\n{}\n";
    let answer = ask(&receiver, "POST /here/_bulk", &[NDJSON], body);
    let kinds: Vec<_> = answer.items().into_iter().map(|item| item.0).collect();
    assert_eq!(kinds, [201, 404]);
    assert_eq!(receiver.documents()[0].index, "here");
}

#[test]
fn credentials_are_asked_for_when_configured() {
    let receiver = start(|options| options.authorization = vec!["ApiKey a2V5".to_owned()]);
    let body = create("a", "x").into_bytes();
    let with = |header: &str| ask(&receiver, "POST /_bulk", &[NDJSON, header], &body);
    let answer = bulk(&receiver, &create("a", "x"));
    assert_eq!(answer.status, 401);
    assert!(answer.head.contains("www-authenticate"));
    assert!(answer.text().contains("missing authentication credentials"));
    assert_eq!(with("Authorization: ApiKey bm8=").status, 401);
    assert_eq!(with("Authorization: ApiKey a2V5").status, 200);
    let info = ask(&receiver, "GET /", &["Authorization: ApiKey a2V5"], b"");
    assert_eq!(info.json()["version"]["number"], json!("9.1.0"));
}
