//! Payloads taken apart, against payloads that were encoded apart.

use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::config::settings::{Compression, LokiFormat, Schema};
use crate::export::encode::Encoder;
use crate::export::encode::tests::{
    INSTANCE, NOON, Owned, Spec, Spot, Strict, any_spec, destination, elasticsearch, loki,
    no_rules, plain_spec, text,
};
use crate::export::lines::LineWriter;
use pillion_parsers::record::{ClockUnit, Level};

/// Every way that a destination can be encoded for.
fn destinations() -> Vec<(Destination, Schema)> {
    let mut all = Vec::new();
    for compression in [Compression::Fast, Compression::Small, Compression::None] {
        for schema in [Schema::Ecs, Schema::Flat] {
            for ids in [true, false] {
                all.push((destination(elasticsearch(ids), compression), schema));
            }
        }
        for format in [LokiFormat::Json, LokiFormat::Protobuf] {
            let labels = [("a", "{a}"), ("level", "{level}")];
            all.push((destination(loki(format, true, &labels), compression), Schema::Ecs));
        }
    }
    all.push((destination(DestinationKind::Console, Compression::None), Schema::Ecs));
    all
}

fn encode(
    destination: &Destination,
    schema: Schema,
    spot: &Spot,
    specs: &[(u64, Spec)],
) -> Payload {
    let mut encoder =
        Encoder::new(destination, schema, "app", &no_rules(), INSTANCE).expect("fine");
    for (offset, spec) in specs {
        spec.redacted(|record| encoder.encode(record, &spot.at(*offset)));
    }
    encoder.finish().payload.expect("records")
}

fn rewriter(destination: &Destination) -> Rewriter {
    Rewriter::new(destination, INSTANCE)
}

/// All of them at once.
fn letters(
    rewriter: &Rewriter,
    payload: &Payload,
    reason: impl Fn(u32) -> Option<Reason>,
) -> io::Result<Vec<DeadLetter>> {
    rewriter.dead_letters(payload, 0, usize::MAX, reason).map(|(letters, _)| letters)
}

fn assert_same(one: &Payload, two: &Payload, what: &str) {
    assert_eq!(one.records, two.records, "{what}");
    assert_eq!(one.plain_bytes, two.plain_bytes, "{what}");
    assert!(one.ids == two.ids, "{what}: other ids");
    assert!(one.body == two.body, "{what}: other bytes");
}

/// The positions of a payload in the order of encoding: Loki's are grouped by stream.
fn order(rewriter: &Rewriter, payload: &Payload, specs: &[(u64, Spec)], spot: &Spot) -> Vec<usize> {
    let letters = letters(rewriter, payload, |_| Some(Reason::Refused)).expect("our own payload");
    assert_eq!(letters.len(), specs.len());
    let id = |offset: &u64| spot.at(*offset).id.text().to_string();
    letters
        .iter()
        .enumerate()
        .map(|(position, letter)| {
            let found = specs.iter().position(|(offset, _)| id(offset) == letter.id);
            // Lines have no ids, and keep their order.
            found.unwrap_or(position)
        })
        .collect()
}

fn check(specs: Vec<Spec>, keep: &[bool]) {
    let spot = Spot::new(&[("env", "dev")]);
    let specs: Vec<(u64, Spec)> = (0..).step_by(70).zip(specs).collect();
    for (destination, schema) in destinations() {
        let what = format!("{:?} {:?} {schema:?}", destination.kind, destination.compression);
        let rewriter = rewriter(&destination);
        let payload = encode(&destination, schema, &spot, &specs);
        let order = order(&rewriter, &payload, &specs, &spot);
        let keeps = |position: u32| keep.get(order[position as usize]) == Some(&true);

        let selected = rewriter.select(&payload, keeps).expect("our own payload");
        let alone: Vec<(u64, Spec)> = specs
            .iter()
            .zip(keep)
            .filter(|(_, keep)| **keep)
            .map(|(spec, _)| spec.clone())
            .collect();
        assert_eq!(selected.is_some(), !alone.is_empty(), "{what}");
        if let Some(selected) = selected {
            // Loki's streams are in the order of their first records, which selecting may change.
            let kept = order.iter().filter(|index| keep.get(**index) == Some(&true));
            let alone: Vec<(u64, Spec)> = kept.map(|index| specs[*index].clone()).collect();
            assert_same(&selected, &encode(&destination, schema, &spot, &alone), &what);
        }

        let halves = rewriter.split(&payload, Cut::Records).expect("our own payload");
        assert_eq!(halves.is_some(), specs.len() > 1, "{what}");
        if let Some((first, second)) = halves {
            assert_eq!(first.records + second.records, payload.records, "{what}");
            let (one, two) = order.split_at(first.records as usize);
            for (half, indexes) in [(first, one), (second, two)] {
                let alone: Vec<(u64, Spec)> = indexes.iter().map(|i| specs[*i].clone()).collect();
                assert_same(&half, &encode(&destination, schema, &spot, &alone), &what);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn parts_are_what_encoding_them_apart_gives(
        specs in proptest::collection::vec(any_spec(), 1..7),
        keep in proptest::collection::vec(any::<bool>(), 7),
    ) {
        check(specs, &keep);
    }

    #[test]
    fn a_dead_letter_is_the_records_line(spec in plain_spec()) {
        let spot = Spot::new(&[("service.name", "shop")]);
        let mut line = Vec::new();
        spec.redacted(|r| LineWriter::default().write(&mut line, r, Some(&spot.at(70))));
        let line: Json = serde_json::from_slice(&line).expect("JSON");
        for (destination, schema) in destinations() {
            if matches!(destination.kind, DestinationKind::Loki(_)) {
                continue;
            }
            let specs = [(0, Spec::message("other")), (70, spec.clone())];
            let payload = encode(&destination, schema, &spot, &specs);
            let second = |position| (position == 1).then_some(Reason::Refused);
            let letters = letters(&rewriter(&destination), &payload, second);
            let letters = letters.expect("our own payload");
            prop_assert_eq!(letters.len(), 1);
            let mut letter: Json = serde_json::from_str(&letters[0].record).expect("JSON");
            // Which names are the application's is told beside.
            letter.as_object_mut().expect("an object").shift_remove("_own");
            prop_assert_eq!(&letter, &line);
            if matches!(destination.kind, DestinationKind::Elasticsearch(_)) {
                prop_assert_eq!(&letters[0].id, &spot.at(70).id.text().to_string());
            }
        }
    }

    #[test]
    fn rubbish_is_an_error_and_never_a_panic(bytes: Vec<u8>, records in 1..4_u32) {
        for (destination, _) in destinations() {
            let rewriter = rewriter(&destination);
            let body: bytes::Bytes = bytes.clone().into();
            let plain_bytes = bytes.len();
            let payload = Payload { ids: body.clone(), body, plain_bytes, records };
            let _ = rewriter.select(&payload, |_| true);
            let _ = rewriter.split(&payload, Cut::Records);
            let _ = rewriter.split(&payload, Cut::Streams);
            let _ = letters(&rewriter, &payload, |_| Some(Reason::Refused));
        }
    }
}

#[test]
fn a_payload_that_lacks_a_record_is_refused() {
    for (destination, schema) in destinations() {
        let specs = [(0, Spec::message("a")), (70, Spec::message("b"))];
        let mut payload = encode(&destination, schema, &Spot::new(&[]), &specs);
        payload.records = 3;
        let error = rewriter(&destination).select(&payload, |_| true);
        assert_eq!(error.expect_err("3 of 2").kind(), io::ErrorKind::InvalidData);
    }
}

#[test]
fn lokis_halves_part_streams_first() {
    let destination =
        destination(loki(LokiFormat::Protobuf, true, &[("a", "{a}")]), Compression::Fast);
    let mut specs = Vec::new();
    for (offset, stream) in (0..).step_by(70).zip(["x", "y", "y", "y", "y", "z"]) {
        specs.push((offset, Spec::message("m").with("a", text(stream))));
    }
    let payload = encode(&destination, Schema::Ecs, &Spot::new(&[]), &specs);
    let rewriter = rewriter(&destination);
    let split = |payload: &Payload, cut| rewriter.split(payload, cut).expect("our own");
    for cut in [Cut::Records, Cut::Streams] {
        let (first, second) = split(&payload, cut).expect("six records");
        assert_eq!((first.records, second.records), (1, 5));
        let (first, second) = split(&second, cut).expect("five records");
        assert_eq!((first.records, second.records), (4, 1));
        let halves = split(&first, cut).map(|(first, second)| (first.records, second.records));
        assert_eq!(halves, (cut == Cut::Records).then_some((2, 2)), "one stream");
        assert!(split(&second, cut).is_none(), "one record");
    }
}

#[test]
fn dead_letters_come_in_slices() {
    let specs: Vec<_> = (0..7).map(|n| (n * 70, Spec::message(&format!("number {n}")))).collect();
    for (destination, schema) in destinations() {
        let payload = encode(&destination, schema, &Spot::new(&[]), &specs);
        let rewriter = rewriter(&destination);
        let odd = |position| (position % 2 == 1).then_some(Reason::Refused);
        let all = letters(&rewriter, &payload, odd).expect("our own");
        let (mut sliced, mut next) = (Vec::new(), 0);
        for expect in [2, 4, 6, 6] {
            let (slice, end) = rewriter.dead_letters(&payload, next, 1, odd).expect("our own");
            assert_eq!(end, expect);
            sliced.extend(slice);
            next = end;
        }
        assert_eq!((all.len(), sliced), (3, all));
    }
}

#[test]
fn lokis_dead_letters_have_the_records_names_again() {
    let spot = Spot::new(&[("env", "dev")]);
    let mut spec = Spec::message("say \"hi\"\n")
        .at(NOON + 5_000_000_000_000, ClockUnit::Second)
        .with("a", text("x, y=\"z\\"))
        .with("user.id", Owned::Int(7));
    spec.level = Some(Level::Warn);
    spec.marks = [true, false, false];
    for format in [LokiFormat::Protobuf, LokiFormat::Json] {
        let destination = destination(loki(format, true, &[("a", "{a}")]), Compression::Fast);
        let payload = encode(&destination, Schema::Ecs, &spot, &[(70, spec.clone())]);
        let behind = |_| Some(Reason::TooFarBehind);
        let letters = letters(&rewriter(&destination), &payload, behind);
        let letters = letters.expect("our own");
        assert_eq!(letters[0].id, spot.at(70).id.text().to_string());
        assert_eq!(letters[0].reason, Reason::TooFarBehind);
        Strict::check(&letters[0].record);
        assert_eq!(
            letters[0].record,
            "{\"time\":\"2026-08-01T13:23:20Z\",\"level\":\"warn\",\
             \"message\":\"say \\\"hi\\\"\\n\",\"a\":\"x, y=\\\"z\\\\\",\
             \"env\":\"dev\",\"user_id\":\"7\",\"_marks\":[\"unparsed\"],\
             \"_offset\":70,\"_path\":\"/v/a.log\",\"_host\":\"web-1\",\
             \"_stamp\":\"2026-08-01T12:00:00.000000070Z\"}"
        );
    }
}

/// As payloads from a disk buffer are, that were encoded before the configuration was changed.
#[test]
fn payloads_of_other_settings_go_where_the_destination_leads_now_and_are_read_as_they_were_written()
{
    let spot = Spot::new(&[("env", "dev")]);
    let specs: Vec<(u64, Spec)> =
        (0..40).map(|at| (at * 70, Spec::message(&format!("line {at}")))).collect();
    let to = |index: &str, ids, compression| {
        let mut kind = elasticsearch(ids);
        if let DestinationKind::Elasticsearch(server) = &mut kind {
            server.index = index.to_owned();
        }
        destination(kind, compression)
    };
    for compression in [Compression::None, Compression::Fast] {
        for schema in [Schema::Ecs, Schema::Flat] {
            for (ids, ids_now) in [(true, true), (true, false), (false, true), (false, false)] {
                let before = to("logs-\"old", ids, compression);
                let now = to("logs-new", ids_now, compression);
                let what = format!("{compression:?} {schema:?} {ids} {ids_now}");
                let payload = encode(&before, schema, &spot, &specs);
                let (rewriter, same) = (rewriter(&now), rewriter(&before));
                assert!(!same.leads_elsewhere(&payload).expect("our own"), "{what}");
                assert!(rewriter.leads_elsewhere(&payload).expect("our own"), "{what}");
                let found = rewriter.readdress(&payload).expect("our own");
                assert_same(&found, &encode(&now, schema, &spot, &specs), &what);
                assert!(!rewriter.leads_elsewhere(&found).expect("our own"), "{what}");

                let all = |_| Some(Reason::Refused);
                let letters = |by: &Rewriter| letters(by, &payload, all).expect("our own");
                for (letter, (offset, _)) in letters(&rewriter).iter().zip(&specs) {
                    assert_eq!(letter.id, spot.at(*offset).id.text().to_string(), "{what}");
                    assert!(letter.record.contains("\"_path\""), "{what}: {}", letter.record);
                }
            }
        }
    }
    // The namespace is the one of then.
    let server = to("logs-a", true, Compression::None);
    let mut encoder =
        Encoder::new(&server, Schema::Ecs, "shop", &no_rules(), INSTANCE).expect("fine");
    let (mut lines, spec) = (LineWriter::default(), Spec::message("m").with("order", text("17")));
    let mut line = Vec::new();
    spec.redacted(|record| {
        encoder.encode(record, &spot.at(0));
        lines.write(&mut line, record, Some(&spot.at(0)));
    });
    let payload = encoder.finish().payload.expect("a record");
    let found = letters(&rewriter(&server), &payload, |_| Some(Reason::Refused)).expect("our own");
    let json = |line: &str| serde_json::from_str::<Json>(line).expect("JSON");
    assert_eq!(json(&found[0].record), json(std::str::from_utf8(&line).expect("text")));
}
