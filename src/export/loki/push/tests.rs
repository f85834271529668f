//! Bodies read back with a small decoder of their own, snap, flate2 and serde_json.

mod decoder;

use std::collections::BTreeMap;

use pillion_parsers::record::{ClockUnit, Known, Level, Time};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::config::settings::{LokiFormat, Schema};
use crate::export::encode::Encoder;
use crate::export::encode::tests::{
    INSTANCE, NOON, Owned, OwnedKey, Spec, Spot, any_spec, destination, gunzip, loki, no_rules,
    text,
};
use decoder::{Entry, Streams, json_streams, protobuf};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

fn encoder(format: LokiFormat, metadata: bool, labels: &[(&str, &str)]) -> Encoder {
    redacting(format, metadata, labels, &no_rules())
}

fn redacting(
    format: LokiFormat,
    metadata: bool,
    labels: &[(&str, &str)],
    rules: &Arc<Rules>,
) -> Encoder {
    let destination = destination(loki(format, metadata, labels), Compression::Fast);
    Encoder::new(&destination, Schema::Ecs, "app", rules, INSTANCE).expect("fine")
}

/// What the records become, checked to be the same in both forms.
fn streams(metadata: bool, labels: &[(&str, &str)], spot: &Spot, specs: &[Spec]) -> Streams {
    let [one, two] = [LokiFormat::Protobuf, LokiFormat::Json].map(|format| {
        let mut encoder = encoder(format, metadata, labels);
        for (offset, spec) in (0..).zip(specs) {
            spec.redacted(|record| encoder.encode(record, &spot.at(1_000_007 + offset)));
        }
        let payload = encoder.finish().payload.expect("records");
        assert_eq!(payload.records as usize, specs.len());
        match format {
            LokiFormat::Protobuf => protobuf(&payload),
            LokiFormat::Json => json_streams(&gunzip(&payload.body)),
        }
    });
    assert_eq!(one, two);
    one
}

fn only(metadata: bool, labels: &[(&str, &str)], spot: &Spot, spec: &Spec) -> Entry {
    let mut streams = streams(metadata, labels, spot, std::slice::from_ref(spec));
    streams.pop().and_then(|(_, mut entries)| entries.pop()).expect("an entry")
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn what_labels_are_put_together_from_is_redacted() {
    let labels = [
        ("who", "{user}@{domain}"),
        ("owner", "bob@example.com"),
        ("app", "shop-{env}"),
        ("key", "password={pw}"),
    ];
    let spot = Spot::new(&[("env", "dev")]);
    let rules = Rules::builtin_default();
    let mut encoder = redacting(LokiFormat::Json, false, &labels, &rules);
    for (offset, user) in ["bob", "bob", "eve"].into_iter().enumerate() {
        let mut spec = Spec::message("m");
        for (name, value) in [("user", user), ("domain", "example.com"), ("pw", "hunter2")] {
            spec.fields.push((OwnedKey::Raw(name.into()), text(value)));
        }
        spec.redacted(|record| encoder.encode(record, &spot.at(1_000_007 + offset as u64)));
    }
    let payload = encoder.finish().payload.expect("records");
    let streams = json_streams(&gunzip(&payload.body));
    assert_eq!(streams.len(), 1, "{streams:?}");
    let found = &streams[0].0;
    for (name, value) in [
        ("who", "[EMAIL]"),
        ("owner", "[EMAIL]"),
        ("app", "shop-dev"),
        ("key", "password=[PASSWORD]"),
    ] {
        assert_eq!(found[name], value);
    }
}

#[test]
fn records_are_grouped_by_their_labels() {
    let spot = Spot::new(&[("service.name", "shop"), ("env", "dev")]);
    let mut specs = [Spec::message("a"), Spec::message("b \"q\""), Spec::message("c")];
    for (spec, tenant) in specs.iter_mut().zip(["x", "y\"\n", "x"]) {
        spec.level = Some(Level::Info);
        spec.fields.push((OwnedKey::Raw("tenant".into()), text(tenant)));
        spec.fields.push((OwnedKey::Raw("n".into()), Owned::Number("1.50".into())));
        spec.fields.push((OwnedKey::Raw("d.e".into()), Owned::Json("{\"f\":1}".into())));
        spec.fields.push((OwnedKey::Raw("none".into()), Owned::Null));
        spec.fields.push((OwnedKey::Raw("esc".into()), Owned::Escaped("\\u00e9\\n".into())));
    }
    let labels = [("tenant", "{tenant}"), ("app", "shop-{env}"), ("empty", "{nothing}")];
    let entry = |offset: i64, line: &str| {
        let offset_text = (1_000_007 + offset).to_string();
        let pairs = [
            ("level", "info"),
            ("host_name", "web-1"),
            ("log_offset", offset_text.as_str()),
            ("env", "dev"),
            ("n", "1.50"),
            ("d_e", "{\"f\":1}"),
            ("esc", "é\n"),
        ];
        // Read within a millisecond that leaves a million free.
        (NOON + 7 + offset, line.to_owned(), map(&pairs))
    };
    let stream = |tenant: &str| {
        map(&[
            ("app", "shop-dev"),
            ("filename", "/v/a.log"),
            ("service_name", "shop"),
            ("tenant", tenant),
        ])
    };
    assert_eq!(
        streams(true, &labels, &spot, &specs),
        [
            (stream("x"), vec![entry(0, "a"), entry(2, "c")]),
            (stream("y\"\n"), vec![entry(1, "b \"q\"")]),
        ]
    );
}

#[test]
fn streams_differ_when_only_the_border_of_two_values_does() {
    let spot = Spot::new(&[]);
    let specs = [("ab", "c"), ("a", "bc"), ("abc", ""), ("ab", "c")]
        .map(|(a, b)| Spec::message("m").with("a", text(a)).with("b", text(b)));
    let streams = streams(true, &[("a", "{a}"), ("b", "{b}")], &spot, &specs);
    let sizes: Vec<usize> = streams.iter().map(|(_, entries)| entries.len()).collect();
    assert_eq!(sizes, [2, 1, 1]);
    assert!(!streams[2].0.contains_key("b"));
}

#[test]
fn free_nanoseconds_say_where_the_record_stands() {
    let spot = Spot::new(&[]);
    for (unit, said, expect) in [
        (ClockUnit::Nanosecond, NOON + 5, NOON + 5),
        (ClockUnit::Microsecond, NOON + 5_000, NOON + 5_007),
        (ClockUnit::Millisecond, NOON + 5_000_000, NOON + 5_000_007),
        (ClockUnit::Second, NOON, NOON + 1_000_007),
        (ClockUnit::Second, NOON - 2 * SECOND, NOON - 2 * SECOND + 1_000_007),
    ] {
        let (nanos, ..) = only(true, &[], &spot, &Spec::message("m").at(said, unit));
        assert_eq!(nanos, expect, "{unit:?}");
    }
    let before = Time { nanos: -5_500_000_000, unit: ClockUnit::Second };
    let mut place = spot.at(3);
    place.read_at = 0;
    assert_eq!(Stamp::of(Some(before), &place), Ok(Stamp::exactly(-5_999_999_997)));
}

#[test]
fn a_time_ahead_becomes_the_time_of_reading_and_is_marked() {
    let spot = Spot::new(&[]);
    let spec = Spec::message("m").at(NOON + 601 * SECOND, ClockUnit::Second);
    let (nanos, line, pairs) = only(true, &[], &spot, &spec);
    assert_eq!((nanos, line.as_str()), (NOON + 7, "m"));
    assert_eq!(pairs["log_flags"], "clock_ahead");
    assert_eq!(pairs["original_time"], "2026-08-01T12:10:01Z");
    let spec = Spec::message("m").at(NOON + 599 * SECOND, ClockUnit::Second);
    assert_eq!(only(true, &[], &spot, &spec).0, NOON + 599 * SECOND + 1_000_007);
}

#[test]
fn what_is_too_old_becomes_a_dead_letter() {
    let spot = Spot::new(&[("env", "dev")]);
    let mut encoder = encoder(LokiFormat::Protobuf, true, &[]);
    for (nanos, expect) in [
        (NOON - 7 * DAY, Encoded::Added),
        (NOON - 7 * DAY - SECOND, Encoded::Refused(Reason::TooOld)),
        (i64::MIN, Encoded::Refused(Reason::TooOld)),
    ] {
        let spec = Spec::message("old").at(nanos, ClockUnit::Nanosecond);
        assert_eq!(spec.redacted(|record| encoder.encode(record, &spot.at(9))), expect);
    }
    assert!(encoder.resident() > 0);
    let closed = encoder.finish();
    assert_eq!(closed.payload.map(|payload| payload.records), Some(1));
    assert_eq!(closed.refused.len(), 2);
    assert_eq!(closed.refused[0].id, spot.at(9).id.text().to_string());
    assert_eq!(
        closed.refused[0].record,
        "{\"time\":\"2026-07-25T11:59:59Z\",\"message\":\"old\",\"env\":\"dev\",\"_offset\":9,\
         \"_path\":\"/v/a.log\",\"_host\":\"web-1\"}"
    );
    assert!(encoder.is_empty());
}

#[test]
fn a_long_line_is_cut_and_marked() {
    let spot = Spot::new(&[]);
    let mut encoder = encoder(LokiFormat::Protobuf, true, &[]);
    let message = "é".repeat(200_000);
    let encoded = Spec::message(&message).redacted(|record| encoder.encode(record, &spot.at(1)));
    assert_eq!(encoded, Encoded::Cut);
    let streams = protobuf(&encoder.finish().payload.expect("a record"));
    let (_, line, pairs) = &streams[0].1[0];
    assert_eq!(line.len(), 256 * 1024);
    assert!(message.starts_with(line.as_str()));
    assert_eq!(pairs["log_flags"], "truncated");
}

#[test]
fn another_stream_than_fit_closes_the_batch() {
    let spot = Spot::new(&[]);
    let mut encoder = encoder(LokiFormat::Protobuf, true, &[("n", "{n}")]);
    for number in 0..MAX_STREAMS {
        let spec = Spec::message("m").with("n", text(&number.to_string()));
        assert_eq!(spec.redacted(|r| encoder.encode(r, &spot.at(0))), Encoded::Added);
    }
    let known = Spec::message("m").with("n", text("5"));
    assert_eq!(known.redacted(|r| encoder.encode(r, &spot.at(0))), Encoded::Added);
    let other = Spec::message("m").with("n", text("x"));
    assert_eq!(other.redacted(|r| encoder.encode(r, &spot.at(0))), Encoded::Full);
    let payload = encoder.finish().payload.expect("records");
    assert_eq!(payload.records as usize, MAX_STREAMS + 1);
    assert_eq!(protobuf(&payload).len(), MAX_STREAMS);
    assert_eq!(other.redacted(|r| encoder.encode(r, &spot.at(0))), Encoded::Added);
}

#[test]
fn a_record_without_a_message_has_its_fields_for_a_line() {
    let spot = Spot::new(&[("env", "dev")]);
    let spec = Spec::default()
        .known(Known::Method, text("GET"))
        .known(Known::Status, Owned::Number("200".into()));
    let (_, line, pairs) = only(true, &[("method", "{method}")], &spot, &spec);
    assert_eq!(line, "{\"status\":200}");
    assert_eq!(pairs, map(&[("env", "dev"), ("host_name", "web-1"), ("log_offset", "1000007")]));
}

#[test]
fn without_structured_metadata_fields_go_into_the_line() {
    let spot = Spot::new(&[]);
    let mut spec = Spec::message("m").with("a", Owned::Int(1)).with("message", text("2"));
    spec.level = Some(Level::Error);
    spec.marks = [false, true, false];
    let (_, line, pairs) = only(false, &[], &spot, &spec);
    let expect = json!({
        "level": "error", "message": "m", "a": 1, "message_": "2", "_marks": ["partial"],
    });
    assert_eq!(line, expect.to_string());
    assert_eq!(pairs, BTreeMap::new());
    let labels = [("level", "{level}"), ("a", "{a}"), ("b", "{message}")];
    spec.fields.pop();
    assert_eq!(only(false, &labels, &spot, &spec).1, "m");
}

#[test]
fn what_does_not_fit_structured_metadata_goes_into_the_line() {
    let spot = Spot::new(&[]);
    let mut spec = Spec::message("m");
    for number in 0..130 {
        spec = spec.with(&format!("n{number}"), Owned::Int(number));
    }
    let (_, line, pairs) = only(true, &[], &spot, &spec);
    assert_eq!(pairs.len(), 126);
    let line: Json = serde_json::from_str(&line).expect("JSON");
    assert_eq!(
        line,
        json!({ "message": "m", "n124": 124, "n125": 125, "n126": 126,
        "n127": 127, "n128": 128, "n129": 129 })
    );
}

#[test]
fn a_field_beside_the_label_of_its_name_is_not_lost() {
    let spot = Spot::new(&[("env", "dev")]);
    let long = "v".repeat(3000);
    let mut spec = Spec::message("m")
        .with("level", text("odd"))
        .with("env", text("own"))
        .with("long", text(&long))
        .with("_path", text("own path"));
    spec.level = Some(Level::Info);
    let labels = [("level", "{level}"), ("env", "{env}"), ("long", "{long}")];
    let streams = streams(true, &labels, &spot, &[spec]);
    let (labels, entries) = &streams[0];
    assert_eq!(labels["long"].len(), 2048);
    assert_eq!((labels["level"].as_str(), labels["env"].as_str()), ("info", "dev"));
    let pairs = &entries[0].2;
    assert_eq!((pairs["level_"].as_str(), pairs["env_"].as_str()), ("odd", "own"));
    assert_eq!((pairs["long_"].as_str(), pairs["_path"].as_str()), (long.as_str(), "own path"));
}

proptest! {
    #[test]
    fn any_record_is_an_entry_that_loki_takes(
        specs in proptest::collection::vec(any_spec(), 1..4),
        metadata: bool,
    ) {
        let spot = Spot::new(&[("a", "b"), ("service.name", "s")]);
        let labels = [("level", "{level}"), ("a", "x{a}{b}"), ("user", "{user}")];
        let streams = streams(metadata, &labels, &spot, &specs);
        prop_assert_eq!(streams.iter().map(|(_, entries)| entries.len()).sum::<usize>(), specs.len());
        for (labels, entries) in &streams {
            prop_assert!(!labels.is_empty() && labels.values().all(|value| !value.is_empty()));
            for (nanos, _, pairs) in entries {
                prop_assert!((*nanos - NOON).abs() < 1_001 * SECOND);
                let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
                prop_assert!(pairs.keys().all(|name| name.chars().all(plain) && !name.is_empty()));
                prop_assert!(pairs.keys().all(|name| !labels.contains_key(name)));
            }
        }
    }

    #[test]
    fn the_same_records_give_the_same_bytes(specs in proptest::collection::vec(any_spec(), 1..5)) {
        let spot = Spot::new(&[]);
        let mut encoder = encoder(LokiFormat::Protobuf, true, &[("a", "{a}"), ("b", "{b}")]);
        let mut bodies = Vec::new();
        for _ in 0..2 {
            for spec in &specs {
                spec.redacted(|record| encoder.encode(record, &spot.at(0)));
            }
            bodies.push(encoder.finish().payload.expect("records").body);
        }
        prop_assert_eq!(&bodies[0], &bodies[1]);
    }
}
