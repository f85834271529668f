//! What every encoder's tests need: records as owned specifications, a redactor that leaves them
//! alone, and a JSON reader that refuses what Elasticsearch would.

mod speed;

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read as _;
use std::sync::Arc;

use pillion_parsers::Arena;
use pillion_parsers::frame::FileNumber;
use pillion_parsers::record::{
    ClockUnit, Key, Known, Level, Marks, Record, Text, Time, Value, is_field_name,
};
use pillion_parsers::redact::{BlockState, Clean, Redacted, Redactor, Rules};
use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::*;
use crate::config::settings::{Auth, BatchLimits, Elasticsearch, Loki, LokiFormat, WhenFull};

/// 2026-08-01T12:00:00Z.
pub(crate) const NOON: i64 = 1_785_585_600_000_000_000;

pub(crate) const INSTANCE: Instance = Instance::from_bytes([7; 9]);

/// Rules that leave all as it is.
pub(crate) fn no_rules() -> Arc<Rules> {
    Arc::new(Rules::off())
}

/// A record that owns what a [`Record`] borrows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spec {
    pub(crate) time: Option<(i64, ClockUnit)>,
    pub(crate) level: Option<Level>,
    pub(crate) message: Option<Owned>,
    pub(crate) fields: Vec<(OwnedKey, Owned)>,
    pub(crate) marks: [bool; 3],
    pub(crate) unmappable: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum OwnedKey {
    Known(Known),
    Raw(String),
    /// The inside of a JSON string.
    Escaped(String),
}

#[derive(Clone, Debug)]
pub(crate) enum Owned {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Number(String),
    Raw(String),
    /// The inside of a JSON string.
    Escaped(String),
    Json(String),
}

pub(crate) fn text(text: &str) -> Owned {
    Owned::Raw(text.to_owned())
}

impl Spec {
    pub(crate) fn message(message: &str) -> Self {
        Self { message: Some(text(message)), ..Self::default() }
    }

    pub(crate) fn with(mut self, key: &str, value: Owned) -> Self {
        self.fields.push((OwnedKey::Raw(key.to_owned()), value));
        self
    }

    pub(crate) fn known(mut self, known: Known, value: Owned) -> Self {
        self.fields.push((OwnedKey::Known(known), value));
        self
    }

    pub(crate) fn at(mut self, nanos: i64, unit: ClockUnit) -> Self {
        self.time = Some((nanos, unit));
        self
    }

    /// The record.
    pub(crate) fn record(&self) -> Record<'_> {
        let mut record = Record {
            time: self.time.map(|(nanos, unit)| Time { nanos, unit }),
            level: self.level,
            message: self.message.as_ref().map(|message| match message {
                Owned::Escaped(inside) => Text::raw_escaped(inside),
                Owned::Raw(text) => Text::raw(text),
                other => panic!("no message: {other:?}"),
            }),
            fields: Vec::new(),
            marks: Marks {
                unparsed: self.marks[0],
                partial: self.marks[1],
                truncated: self.marks[2],
            },
            parted: Vec::new(),
            unmappable: self.unmappable,
            decoded: false,
        };
        for (key, value) in &self.fields {
            let key = match key {
                OwnedKey::Known(known) => Key::Known(*known),
                OwnedKey::Raw(name) => Key::Text(Text::raw(name)),
                OwnedKey::Escaped(inside) => Key::Text(Text::raw_escaped(inside)),
            };
            let value = match value {
                Owned::Null => Value::Null,
                Owned::Bool(flag) => Value::Bool(*flag),
                Owned::Int(number) => Value::Int(*number),
                Owned::Float(number) => Value::Float(*number),
                Owned::Number(number) => Value::Number(number),
                Owned::Raw(text) => Value::Text(Text::raw(text)),
                Owned::Escaped(inside) => Value::Text(Text::raw_escaped(inside)),
                Owned::Json(json) => Value::Json(json),
            };
            record.push(key, value);
        }
        record
    }

    /// Lends the record, redacted by no rules.
    pub(crate) fn redacted<R>(&self, then: impl FnOnce(&Redacted<'_, '_>) -> R) -> R {
        let arena = Arena::new();
        let mut record = self.record();
        let mut redactor = Redactor::new(Arc::new(Rules::off()));
        let mut block = BlockState::default();
        let redacted = redactor.redact("", &mut record, &arena, &mut block);
        then(&redacted.expect("no rule drops it"))
    }
}

pub(crate) fn clean(text: &str) -> Clean {
    Redactor::new(Arc::new(Rules::off())).clean(text)
}

/// A place, owned.
#[derive(Debug)]
pub(crate) struct Spot {
    pub(crate) path: Clean,
    pub(crate) host: Clean,
    pub(crate) enrich: Enrich,
}

impl Spot {
    pub(crate) fn new(enrich: &[(&str, &str)]) -> Self {
        let fields = enrich.iter().map(|(name, value)| (clean(name), clean(value))).collect();
        Self { path: clean("/v/a.log"), host: clean("web-1"), enrich: Enrich::new(fields) }
    }

    pub(crate) fn at(&self, offset: u64) -> Place<'_> {
        let file = FileNumber(3);
        #[expect(clippy::cast_possible_truncation, reason = "any hash will do")]
        let hash = offset as u32 ^ 0xabcd;
        Place {
            path: &self.path,
            host: &self.host,
            enrich: &self.enrich,
            id: RecordId { instance: INSTANCE, file, offset, hash, sub: 0 },
            read_at: NOON,
        }
    }
}

pub(crate) fn destination(kind: DestinationKind, compression: Compression) -> Destination {
    Destination {
        name: "test".to_owned(),
        kind,
        batch: BatchLimits { bytes: 1 << 20, records: 1000, linger: std::time::Duration::MAX },
        compression,
        when_full: WhenFull::Block,
        buffer: None,
    }
}

pub(crate) fn elasticsearch(ids: bool) -> DestinationKind {
    DestinationKind::Elasticsearch(Elasticsearch {
        urls: vec!["http://es:9200".to_owned()],
        index: "logs-shop-prod".to_owned(),
        auth: Auth::None,
        ca: None,
        ids,
        pipeline: None,
        lenient: false,
        timeout: std::time::Duration::from_secs(1),
    })
}

pub(crate) fn loki(
    format: LokiFormat,
    structured_metadata: bool,
    labels: &[(&str, &str)],
) -> DestinationKind {
    DestinationKind::Loki(Loki {
        url: "http://loki:3100".to_owned(),
        labels: labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        tenant: None,
        auth: Auth::None,
        ca: None,
        format,
        structured_metadata,
        timeout: std::time::Duration::from_secs(1),
    })
}

pub(crate) fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).expect("one gzip member");
    plain
}

/// JSON that has no key twice in any object.
#[derive(Debug)]
pub(crate) struct Strict;

impl Strict {
    pub(crate) fn check(json: &str) {
        serde_json::from_str::<Self>(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    }
}

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor)
    }
}

struct StrictVisitor;

macro_rules! scalars {
    ($($name:ident $kind:ty,)+) => {
        $(fn $name<E>(self, _: $kind) -> Result<Strict, E> {
            Ok(Strict)
        })+
    };
}

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Strict;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    scalars! { visit_bool bool, visit_i64 i64, visit_u64 u64, visit_f64 f64, visit_str &str, }

    fn visit_unit<E>(self) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Strict, A::Error> {
        while seq.next_element::<Strict>()?.is_some() {}
        Ok(Strict)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Strict, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format!("key {key:?} twice")));
            }
            map.next_value::<Strict>()?;
        }
        Ok(Strict)
    }
}

fn json_inside(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("a string");
    // One more escape than serde_json would make, so that there is always one.
    format!("\\u0041{}", &quoted[1..quoted.len() - 1])
}

pub(crate) fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i32>().prop_map(serde_json::Value::from),
        ".{0,6}".prop_map(serde_json::Value::from),
    ];
    let nested = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            proptest::collection::btree_map("[a-c.]{0,2}", inner, 0..4)
                .prop_map(|map| { serde_json::Value::Object(map.into_iter().collect()) }),
        ]
    });
    proptest::collection::vec(nested, 0..3)
        .prop_map(|list| serde_json::Value::from(list).to_string())
}

fn any_value() -> impl Strategy<Value = Owned> {
    prop_oneof![
        Just(Owned::Null),
        any::<bool>().prop_map(Owned::Bool),
        any::<i64>().prop_map(Owned::Int),
        (-1e30..1e30_f64).prop_map(Owned::Float),
        "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,4})?([eE][+-]?[0-9])?".prop_map(Owned::Number),
        ".{0,12}".prop_map(Owned::Raw),
        ".{0,12}".prop_map(|text| Owned::Escaped(json_inside(&text))),
        Just(text("10.1.2.3")),
        Just(text("HTTP/1.1")),
        any_json().prop_map(Owned::Json),
    ]
}

/// Keys that often are those of somebody else: equal ones must still be told apart.
fn any_key() -> impl Strategy<Value = OwnedKey> {
    prop_oneof![
        proptest::sample::select(Known::ALL).prop_map(OwnedKey::Known),
        "[a-c]{0,2}".prop_map(OwnedKey::Raw),
        ".{0,4}".prop_map(OwnedKey::Raw),
        "(time|level|message|log|app|host|_id|@timestamp|_path|_marks|_host|_offset)_{0,2}"
            .prop_map(OwnedKey::Raw),
        ".{0,4}".prop_map(|name| OwnedKey::Escaped(json_inside(&name))),
    ]
}

pub(crate) fn any_spec() -> impl Strategy<Value = Spec> {
    let unit = proptest::sample::select(&[
        ClockUnit::Nanosecond,
        ClockUnit::Microsecond,
        ClockUnit::Millisecond,
        ClockUnit::Second,
    ]);
    let level = proptest::sample::select(&[Level::Trace, Level::Info, Level::Fatal]);
    let message = prop_oneof![
        ".{0,40}".prop_map(Owned::Raw),
        ".{0,20}".prop_map(|text| Owned::Escaped(json_inside(&text))),
    ];
    (
        proptest::option::of((NOON - 1_000_000_000_000..NOON + 900_000_000_000, unit)),
        proptest::option::of(level),
        proptest::option::of(message),
        proptest::collection::vec((any_key(), any_value()), 0..8),
        any::<[bool; 3]>(),
    )
        .prop_map(|(time, level, message, fields, marks)| Spec {
            time: time.map(|(nanos, unit): (i64, ClockUnit)| {
                (nanos - nanos.rem_euclid(unit.nanos()), unit)
            }),
            level,
            message,
            fields,
            marks,
            unmappable: false,
        })
}

/// Specifications whose names are unlike after every change that is made to names.
pub(crate) fn plain_spec() -> impl Strategy<Value = Spec> {
    any_spec().prop_map(|mut spec| {
        let mut names = BTreeSet::from(["service".to_owned()]);
        spec.fields.retain(|(key, _)| {
            let name = match key {
                OwnedKey::Known(known) => known.name().to_owned(),
                OwnedKey::Raw(name) => name.clone(),
                OwnedKey::Escaped(inside) => names::decoded(inside),
            };
            is_field_name(&name) && names.insert(name.trim_end_matches('_').to_owned())
        });
        spec
    })
}
