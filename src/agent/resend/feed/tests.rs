//! A letter makes the payload that its record made.

use proptest::prelude::*;

use super::*;
use crate::config::settings::{Compression, Destination, LokiFormat, Schema};
use crate::export::encode::tests::{
    INSTANCE, NOON, OwnedKey, Spec, Spot, clean, destination, elasticsearch, loki, no_rules,
    plain_spec,
};
use crate::export::id::RecordId;
use crate::export::payload::Payload;
use crate::export::rewrite::Rewriter;
use pillion_parsers::record::ClockUnit;
use pillion_parsers::redact::{Redacted, Rules};

const CONSTANT: [(&str, &str); 3] =
    [("service.name", "shop"), ("env", "de\"v"), ("host.name", "elsewhere")];

fn destinations() -> Vec<(Destination, Schema)> {
    let mut all = vec![
        (destination(elasticsearch(true), Compression::None), Schema::Ecs),
        (destination(elasticsearch(false), Compression::None), Schema::Ecs),
        (destination(elasticsearch(true), Compression::None), Schema::Flat),
    ];
    for labels in [
        &[("a", "{a}"), ("level", "{level}")][..],
        &[("app", "shop"), ("job", "{env}-{a.b}"), ("node", "{_host}")],
        &[],
    ] {
        for format in [LokiFormat::Json, LokiFormat::Protobuf] {
            for metadata in [true, false] {
                // What a label was put together from is in the line then, and nowhere else.
                let joined = labels.iter().any(|(name, _)| *name == "job");
                if joined && !metadata {
                    continue;
                }
                let kind = loki(format, metadata, labels);
                all.push((destination(kind, Compression::None), Schema::Ecs));
            }
        }
    }
    all
}

fn origin(is_loki: bool) -> Origin {
    let mut files = GlobSetBuilder::new();
    files.add(GlobBuilder::new("/v/*.log").build().expect("a glob"));
    let own = CONSTANT.map(|(name, _)| name.to_owned());
    let names = names(own.iter(), is_loki);
    Origin {
        sources: vec![(files.build().expect("a set"), names)],
        path: (String::new(), clean("")),
        host: (String::new(), clean("")),
        constant: Vec::new(),
        fields: Vec::new(),
        enrich: Enrich::new(Vec::new()),
    }
}

struct Bench {
    destination: Destination,
    schema: Schema,
}

impl Bench {
    fn payload(&self, record: &Redacted<'_, '_>, place: &Place<'_>) -> Option<Payload> {
        let encoder = Encoder::new(&self.destination, self.schema, "app", &no_rules(), INSTANCE);
        let mut encoder = encoder.expect("fine");
        encoder.encode(record, place);
        encoder.finish().payload
    }

    fn letter(&self, payload: &Payload) -> String {
        let rewriter = Rewriter::new(&self.destination, INSTANCE);
        let all = |_| Some(Reason::Refused);
        let letters = rewriter.dead_letters(payload, 0, usize::MAX, all).expect("our own");
        letters.0.into_iter().next().expect("one").record
    }

    /// The payload of a letter.
    fn again(&self, letter: &str, id: RecordId) -> Payload {
        let Kept { mut record, path, host, stamp } = read::read(letter).expect("our own");
        let is_loki = matches!(self.destination.kind, DestinationKind::Loki(_));
        let (mut origin, arena) = (origin(is_loki), Arena::new());
        let mut redactor = Redactor::new(Arc::new(Rules::off()));
        origin.follow(&path, &host, &mut record, &mut redactor);
        let read_at = stamp.or(record.time.map(|time| time.nanos)).expect("a time");
        let mut block = BlockState::default();
        let redacted = redactor.redact(letter, &mut record, &arena, &mut block).expect("kept");
        let Origin { path, host, enrich, .. } = &origin;
        let place = Place { path: &path.1, host: &host.1, enrich, id, read_at };
        self.payload(&redacted, &place).expect("not refused")
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_letter_makes_the_payload_that_its_record_made(spec in plain_spec(), offset in 0..5_000_000_u64) {
        // A Loki letter does not tell an application's `level` from the record's own, and says it first;
        // Loki keeps no order among structured metadata.
        let has_level = |(key, _): &(OwnedKey, _)| matches!(key, OwnedKey::Raw(raw) if raw == "level");
        prop_assume!(!spec.fields.iter().any(has_level));
        for constant in [&CONSTANT[..], &CONSTANT[..1], &[]] {
            let spot = Spot::new(constant);
            let place = spot.at(offset);
            for (destination, schema) in destinations() {
                let bench = Bench { destination, schema };
                // As the parsers have it: what is nested may be anything.
                let spec = Spec { unmappable: true, ..spec.clone() };
                let first = spec.redacted(|record| bench.payload(record, &place)).expect("one");
                let letter = bench.letter(&first);
                let again = bench.again(&letter, place.id);
                let text = |payload: &Payload| String::from_utf8_lossy(&payload.body).into_owned();
                prop_assert_eq!(text(&again), text(&first), "{:?} {}", bench.destination.kind, letter);
                prop_assert_eq!(&again.ids, &first.ids);
            }
        }
    }
}

/// Refused before it was sent: the server may have been told to take it by now.
#[test]
fn what_was_too_old_is_sent_with_the_time_that_it_would_have_had() {
    let (spot, week) = (Spot::new(&[]), 8 * 86_400 * 1_000_000_000);
    let mut old = Spec::message("m").at(NOON - week, ClockUnit::Second);
    let kind = loki(LokiFormat::Json, true, &[]);
    let bench = Bench { destination: destination(kind, Compression::None), schema: Schema::Ecs };
    let place = spot.at(4711);
    let encoder = Encoder::new(&bench.destination, bench.schema, "app", &no_rules(), INSTANCE);
    let mut encoder = encoder.expect("fine");
    old.redacted(|record| encoder.encode(record, &place));
    let letter = encoder.finish().refused.pop().expect("too old");
    let again = bench.again(&letter.record, place.id);
    // What a Loki that takes old lines would have got.
    old.time = Some((NOON - week + 4711, ClockUnit::Nanosecond));
    let place = Place { read_at: NOON - week, ..place };
    let expect = old.redacted(|record| bench.payload(record, &place)).expect("one");
    assert_eq!(again.body, expect.body);
}
