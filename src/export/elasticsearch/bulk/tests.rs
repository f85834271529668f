//! Bodies read back with flate2 and serde_json.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::config::settings::Compression;
use crate::export::encode::tests::{
    INSTANCE, NOON, Owned, Spec, Spot, Strict, any_spec, destination, elasticsearch, gunzip,
    no_rules, plain_spec, text,
};
use crate::export::encode::{Closed, Encoder};
use crate::export::lines::line_of_flat;
use pillion_parsers::record::{ClockUnit, Known, Level};

fn encoder(schema: Schema, ids: bool, compression: Compression) -> Encoder {
    let destination = destination(elasticsearch(ids), compression);
    Encoder::new(&destination, schema, "app", &no_rules(), INSTANCE).expect("fine")
}

fn close(encoder: &mut Encoder) -> Payload {
    let Closed { payload, refused } = encoder.finish();
    assert!(refused.is_empty());
    assert!(encoder.is_empty());
    payload.expect("records")
}

/// The plain body of these records.
fn body(schema: Schema, spot: &Spot, specs: &[Spec]) -> String {
    let mut encoder = encoder(schema, true, Compression::Fast);
    for (offset, spec) in (0..).zip(specs) {
        let encoded = spec.redacted(|record| encoder.encode(record, &spot.at(offset * 100)));
        assert_eq!(encoded, Encoded::Added);
    }
    let payload = close(&mut encoder);
    let plain = gunzip(&payload.body);
    assert_eq!(payload.plain_bytes, plain.len());
    assert_eq!(payload.records as usize, specs.len());
    String::from_utf8(plain).expect("UTF-8")
}

/// The only document of a record.
fn document(schema: Schema, spot: &Spot, spec: &Spec) -> String {
    let body = body(schema, spot, std::slice::from_ref(spec));
    let mut lines = body.lines();
    let document = lines.nth(1).expect("a document");
    assert_eq!(lines.next(), None, "one record is two lines");
    document.to_owned()
}

fn check(spot: &Spot, spec: &Spec, mut expect: Json) {
    let document: Json = serde_json::from_str(&document(Schema::Ecs, spot, spec)).expect("JSON");
    if expect.get("ecs").is_none() {
        expect["ecs"] = json!({ "version": "8.17.0" });
    }
    assert_eq!(document, expect);
}

#[test]
fn an_access_log_is_ecs_and_nothing_else() {
    let spec = Spec::default()
        .at(NOON + 123_000_000, ClockUnit::Millisecond)
        .known(Known::ClientIp, text("192.0.2.7"))
        .known(Known::User, text("ann"))
        .known(Known::Method, text("GET"))
        .known(Known::Target, text("/a?b=\"c\""))
        .known(Known::Protocol, text("HTTP/1.1"))
        .known(Known::Status, Owned::Number("200".into()))
        .known(Known::Bytes, Owned::Int(512))
        .known(Known::UserAgent, Owned::Escaped("curl\\/8".into()));
    check(
        &Spot::new(&[("service.name", "shop")]),
        &spec,
        json!({
            "@timestamp": "2026-08-01T12:00:00.123Z",
            "host": { "name": "web-1" },
            "service.name": "shop",
            "log": { "file": { "path": "/v/a.log" }, "offset": 0 },
            "source": { "ip": "192.0.2.7" },
            "user": { "name": "ann" },
            "http": {
                "version": "1.1",
                "request": { "method": "GET" },
                "response": { "status_code": 200, "body": { "bytes": 512 } },
            },
            "url": { "original": "/a?b=\"c\"" },
            "user_agent": { "original": "curl/8" },
        }),
    );
}

#[test]
fn what_is_not_ecs_stands_below_the_namespace() {
    let mut spec = Spec::message("started")
        .with("log", text("x"))
        .with("app", Owned::Json("{\"a.b\":[1.50]}".into()))
        .with("@timestamp", text("yesterday"))
        .with("big", Owned::Number("123456789012345678901".into()))
        .with("huge", Owned::Float(1e300))
        .with("n", Owned::Number("1.50".into()))
        .known(Known::Status, text("-"))
        .known(Known::Thread, text("main"))
        .known(Known::Logger, text("a.B"))
        .known(Known::Facility, Owned::Int(4));
    spec.level = Some(Level::Warn);
    spec.marks = [true, false, true];
    check(
        &Spot::new(&[]),
        &spec,
        json!({
            "@timestamp": "2026-08-01T12:00:00Z",
            "message": "started",
            "host": { "name": "web-1" },
            "log": {
                "file": { "path": "/v/a.log" },
                "offset": 0,
                "level": "warn",
                "logger": "a.B",
                "syslog": { "facility": { "code": 4 } },
                "flags": ["unparsed", "truncated"],
            },
            "process": { "thread": { "name": "main" } },
            "app": {
                "log": "x",
                "app": { "a.b": [1.5] },
                "@timestamp": "yesterday",
                "big": "123456789012345678901",
                "huge": "1e300",
                "n": 1.5,
                "status": "-",
            },
        }),
    );
}

#[test]
fn what_has_no_mapping_is_mended_in_documents_and_nowhere_else() {
    let nested = r#"{"":[1,1e39],"a.":12345678901234567890}"#;
    let mut spec = Spec::default().with("o", Owned::Json(nested.into()));
    spec.unmappable = true;
    let mended = json!({ "_": [1, "1e39"], "a_": "12345678901234567890" });
    for (schema, place) in [(Schema::Ecs, "/app/o"), (Schema::Flat, "/o")] {
        let document = document(schema, &Spot::new(&[]), &spec);
        let document: Json = serde_json::from_str(&document).expect("JSON");
        assert_eq!(document.pointer(place), Some(&mended));
    }
    let mut line = Vec::new();
    spec.redacted(|record| LineWriter::default().write(&mut line, record, None));
    assert_eq!(String::from_utf8(line).expect("UTF-8"), format!("{{\"o\":{nested}}}"));
}

#[test]
fn constant_fields_never_clash_with_the_document() {
    let spot = Spot::new(&[
        ("app", "shop"),
        ("app.tier", "front"),
        ("env", "dev"),
        ("env.zone", "a"),
        ("host", "h"),
        ("host.name", "mine"),
        ("http.request", "x"),
        ("log.level.x", "y"),
        ("message", "m"),
        ("user.name", "operator"),
        ("_id", "i"),
    ]);
    let mut spec = Spec::message("hello").with("tier", text("own")).with("host", text("own"));
    spec = spec.known(Known::User, text("ann"));
    check(
        &spot,
        &spec,
        json!({
            "@timestamp": "2026-08-01T12:00:00Z",
            "message": "hello",
            "env": "dev",
            "host.name": "mine",
            "user.name": "operator",
            "log": { "file": { "path": "/v/a.log" }, "offset": 0 },
            "app": {
                "app": "shop",
                "tier": "front",
                "env.zone": "a",
                "host": "h",
                "http.request": "x",
                "log.level.x": "y",
                "message": "m",
                "_id": "i",
                "tier_": "own",
                "host_": "own",
                "user": "ann",
            },
        }),
    );
}

#[test]
fn the_flat_schema_has_the_records_own_names() {
    let spec = Spec::message("hello")
        .with("_id", text("1"))
        .with("time", text("2"))
        .with("path", text("/p"))
        .known(Known::Status, text("-"));
    let document = document(Schema::Flat, &Spot::new(&[("path", "x")]), &spec);
    assert_eq!(
        document,
        "{\"@timestamp\":\"2026-08-01T12:00:00Z\",\"message\":\"hello\",\"_id_\":\"1\",\
         \"time_\":\"2\",\"path_\":\"/p\",\"status\":\"-\",\"path\":\"x\",\"_offset\":0,\
         \"_path\":\"/v/a.log\",\"_host\":\"web-1\"}"
    );
    assert_eq!(
        line_of_flat(&document),
        "{\"time\":\"2026-08-01T12:00:00Z\",\"message\":\"hello\",\"_id\":\"1\",\
         \"time_\":\"2\",\"path_\":\"/p\",\"status\":\"-\",\"path\":\"x\",\"_offset\":0,\
         \"_path\":\"/v/a.log\",\"_host\":\"web-1\"}"
    );
}

#[test]
fn an_action_in_a_message_stays_in_the_message() {
    let spot = Spot::new(&[]);
    for message in
        ["x\n{\"delete\":{}}\n", "{\"delete\":{\"_id\":\"1\"}}", "\"}\n", "\u{0}\u{1b}[0m"]
    {
        let document = document(Schema::Ecs, &spot, &Spec::message(message));
        let document: Json = serde_json::from_str(&document).expect("JSON");
        assert_eq!(document["message"], message);
    }
}

#[test]
fn action_lines_name_index_and_id() {
    let spot = Spot::new(&[]);
    let body = body(Schema::Ecs, &spot, &[Spec::message("a"), Spec::message("b")]);
    for (number, action) in body.lines().step_by(2).enumerate() {
        let id = spot.at(number as u64 * 100).id.text();
        let expect = json!({ "create": { "_index": "logs-shop-prod", "_id": id.to_string() } });
        assert_eq!(serde_json::from_str::<Json>(action).expect("JSON"), expect);
    }
    assert!(body.ends_with("}\n"));
}

#[test]
fn without_ids_they_travel_beside_the_body() {
    let spot = Spot::new(&[]);
    let mut encoder = encoder(Schema::Ecs, false, Compression::None);
    for offset in [5, 900] {
        Spec::message("m").redacted(|record| encoder.encode(record, &spot.at(offset)));
    }
    let payload = close(&mut encoder);
    assert!(payload.body.starts_with(b"{\"create\":{\"_index\":\"logs-shop-prod\"}}\n{"));
    let mut ids = payload.ids.as_ref();
    for offset in [5, 900] {
        let id = crate::export::id::RecordId::unpack(&mut ids, INSTANCE);
        assert_eq!(id, Some(spot.at(offset).id));
    }
    assert!(ids.is_empty());
}

#[test]
fn a_source_change_changes_the_head() {
    let (one, mut two) = (Spot::new(&[("a", "1")]), Spot::new(&[("a", "2")]));
    two.path = crate::export::encode::tests::clean("/v/\"b\".log");
    let mut encoder = encoder(Schema::Ecs, true, Compression::None);
    for spot in [&one, &two, &one] {
        Spec::message("m").redacted(|record| encoder.encode(record, &spot.at(0)));
    }
    let payload = close(&mut encoder);
    let body = std::str::from_utf8(&payload.body).expect("UTF-8");
    let seen: Vec<(Json, Json)> = body
        .lines()
        .skip(1)
        .step_by(2)
        .map(|line| serde_json::from_str::<Json>(line).expect("JSON"))
        .map(|document| (document["a"].clone(), document["log"]["file"]["path"].clone()))
        .collect();
    let (a, b) = (json!("/v/a.log"), json!("/v/\"b\".log"));
    assert_eq!(seen, [(json!("1"), a.clone()), (json!("2"), b), (json!("1"), a)]);
}

#[test]
fn files_of_one_source_keep_their_own_paths() {
    let spot = Spot::new(&[("a", "1")]);
    let other = crate::export::encode::tests::clean("/v/b.log");
    let mut encoder = encoder(Schema::Ecs, true, Compression::None);
    for (path, host) in [(&spot.path, &spot.host), (&other, &spot.host), (&other, &other)] {
        let place = Place { path, host, ..spot.at(0) };
        Spec::message("m").redacted(|record| encoder.encode(record, &place));
    }
    let payload = close(&mut encoder);
    let body = std::str::from_utf8(&payload.body).expect("UTF-8");
    let seen: Vec<[String; 2]> = body
        .lines()
        .skip(1)
        .step_by(2)
        .map(|line| serde_json::from_str::<Json>(line).expect("JSON"))
        .map(|json| [&json["log"]["file"]["path"], &json["host"]["name"]].map(Json::to_string))
        .collect();
    let [a, b, web] = ["\"/v/a.log\"", "\"/v/b.log\"", "\"web-1\""];
    assert_eq!(seen, [[a, web], [b, web], [b, b]]);
}

#[test]
fn a_large_record_passes_through_a_small_buffer() {
    let spot = Spot::new(&[]);
    let mut encoder = encoder(Schema::Ecs, true, Compression::Fast);
    let message = "\u{1}\u{fe0f}".repeat(300_000);
    Spec::message(&message).redacted(|record| encoder.encode(record, &spot.at(0)));
    assert!(encoder.resident() < 700_000, "{}", encoder.resident());
    let body = gunzip(&close(&mut encoder).body);
    let document = body.split(|byte| *byte == b'\n').nth(1).expect("a document");
    let document: Json = serde_json::from_slice(document).expect("JSON");
    assert!(document["message"] == message.as_str());
}

#[test]
fn a_bad_namespace_is_refused() {
    let destination = destination(elasticsearch(true), Compression::Fast);
    let error = Encoder::new(&destination, Schema::Ecs, "log", &no_rules(), INSTANCE)
        .expect_err("ECS has it");
    assert_eq!(error, EncoderError::Namespace("log".into()));
    assert!(Encoder::new(&destination, Schema::Flat, "log", &no_rules(), INSTANCE).is_ok());
}

/// The dotted paths of a document's leaves outside the namespace, which Elasticsearch maps together.
fn paths(document: &Json, prefix: &str, into: &mut Vec<String>) {
    for (key, value) in document.as_object().expect("an object") {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Json::Object(_) if path != "app" => paths(value, &path, into),
            _ => into.push(path),
        }
    }
}

proptest! {
    #[test]
    fn any_record_is_two_lines_without_a_key_twice(
        mut specs in proptest::collection::vec(any_spec(), 1..4),
        flat: bool,
        unmappable: bool,
        names in proptest::collection::btree_set("(app|host|log|user|message|[a-c])(\\.(name|level|[a-c]))?", 0..5),
    ) {
        let schema = if flat { Schema::Flat } else { Schema::Ecs };
        let enrich: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v")).collect();
        specs.iter_mut().for_each(|spec| spec.unmappable = unmappable);
        let body = body(schema, &Spot::new(&enrich), &specs);
        prop_assert_eq!(body.lines().count(), 2 * specs.len());
        for document in body.lines().skip(1).step_by(2) {
            Strict::check(document);
            let json: Json = serde_json::from_str(document).expect("JSON");
            prop_assert!(json["@timestamp"].is_string());
            if !flat {
                let mut found = Vec::new();
                paths(&json, "", &mut found);
                for one in &found {
                    for two in &found {
                        let inside = two.strip_prefix(one.as_str());
                        prop_assert!(!inside.is_some_and(|rest| rest.starts_with('.')), "{one} {two}");
                    }
                }
                let distinct: std::collections::BTreeSet<&String> = found.iter().collect();
                prop_assert_eq!(distinct.len(), found.len());
            }
        }
    }

    #[test]
    fn documents_go_back_to_the_records_own_names(spec in plain_spec(), flat: bool) {
        let spot = Spot::new(&[("service.name", "shop")]);
        let mut line = Vec::new();
        spec.redacted(|record| LineWriter::default().write(&mut line, record, Some(&spot.at(0))));
        let line = String::from_utf8(line).expect("UTF-8");
        Strict::check(&line);
        let schema = if flat { Schema::Flat } else { Schema::Ecs };
        let document = document(schema, &spot, &spec);
        let back = if flat { line_of_flat(&document) } else { ecs::record_line(&document) };
        let [line, mut back] =
            [line, back].map(|json| serde_json::from_str::<Json>(&json).expect("JSON"));
        // Which names are the application's is told beside.
        back.as_object_mut().expect("an object").shift_remove("_own");
        prop_assert_eq!(line, back);
    }

    #[test]
    fn the_same_records_give_the_same_bytes(specs in proptest::collection::vec(any_spec(), 1..5)) {
        let spot = Spot::new(&[("env", "dev")]);
        let mut encoder = encoder(Schema::Ecs, true, Compression::Small);
        let mut bodies = Vec::new();
        for _ in 0..2 {
            for (offset, spec) in (0..).zip(&specs) {
                spec.redacted(|record| encoder.encode(record, &spot.at(offset)));
            }
            bodies.push(close(&mut encoder).body);
        }
        prop_assert_eq!(&bodies[0], &bodies[1]);
    }
}
