//! Reads push bodies as a server would, by nothing that wrote them.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::export::encode::tests::Strict;
use crate::export::payload::Payload;

const SECOND: i64 = 1_000_000_000;

pub(super) type Entry = (i64, String, BTreeMap<String, String>);
/// Entries by the labels' text.
pub(super) type Streams = Vec<(BTreeMap<String, String>, Vec<Entry>)>;

/// One protobuf field: its number, and its content or value.
enum Field<'p> {
    Bytes(&'p [u8]),
    Varint(u64),
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

/// The fields of a message, all of whose wire types must be varint or length-delimited.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        found.push((
            tag >> 3,
            match tag & 7 {
                0 => Field::Varint(varint(&mut bytes)),
                2 => {
                    let length = usize::try_from(varint(&mut bytes)).expect("fits");
                    let content = &bytes[..length];
                    bytes = &bytes[length..];
                    Field::Bytes(content)
                }
                other => panic!("wire type {other}"),
            },
        ));
    }
    found
}

fn utf8(field: &Field<'_>) -> String {
    let Field::Bytes(bytes) = field else { panic!("no bytes") };
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Reads labels as Loki would: Go strings by serde_json, whose escapes they share.
fn labels(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text.strip_prefix('{').expect("a brace");
    while let Some((name, value)) = rest.split_once('=') {
        let mut values = serde_json::Deserializer::from_str(value).into_iter::<String>();
        let label = values.next().expect("a value").expect("a string");
        assert!(found.insert(name.to_owned(), label).is_none(), "{name} twice");
        rest = value[values.byte_offset()..].trim_start_matches(", ");
    }
    assert_eq!(rest, "}");
    found
}

pub(super) fn protobuf(payload: &Payload) -> Streams {
    let plain = snap::raw::Decoder::new().decompress_vec(&payload.body).expect("a snappy block");
    assert_eq!(payload.plain_bytes, plain.len());
    let mut streams = Vec::new();
    for (number, stream) in fields(&plain) {
        assert_eq!(number, 1);
        let Field::Bytes(stream) = stream else { panic!("no stream") };
        let mut parts = fields(stream).into_iter();
        let (1, name) = parts.next().expect("labels") else { panic!("labels first") };
        let mut entries = Vec::new();
        for (number, entry) in parts {
            assert_eq!(number, 2);
            let Field::Bytes(entry) = entry else { panic!("no entry") };
            entries.push(protobuf_entry(entry));
        }
        streams.push((labels(&utf8(&name)), entries));
    }
    streams
}

fn protobuf_entry(entry: &[u8]) -> Entry {
    let (mut nanos, mut line, mut pairs) = (0, None, BTreeMap::new());
    for (number, field) in fields(entry) {
        match (number, &field) {
            (1, Field::Bytes(time)) => {
                for (number, field) in fields(time) {
                    let Field::Varint(value) = field else { panic!("no number") };
                    nanos += value.cast_signed() * if number == 1 { SECOND } else { 1 };
                }
            }
            (2, _) => line = Some(utf8(&field)),
            (3, Field::Bytes(pair)) => {
                let pair = fields(pair);
                let [(1, name), (2, value)] = pair.as_slice() else { panic!("no pair") };
                assert!(pairs.insert(utf8(name), utf8(value)).is_none(), "a name twice");
            }
            _ => panic!("field {number}"),
        }
    }
    (nanos, line.expect("a line"), pairs)
}

pub(super) fn json_streams(body: &[u8]) -> Streams {
    Strict::check(std::str::from_utf8(body).expect("UTF-8"));
    let strings = |json: &Json| -> BTreeMap<String, String> {
        let object = json.as_object().expect("an object").iter();
        object.map(|(name, value)| (name.clone(), value.as_str().expect("text").into())).collect()
    };
    let body: Json = serde_json::from_slice(body).expect("JSON");
    let streams = body["streams"].as_array().expect("streams").iter();
    streams
        .map(|stream| {
            let entries = stream["values"].as_array().expect("values").iter().map(|entry| {
                let nanos = entry[0].as_str().expect("text").parse().expect("a number");
                let pairs = entry.get(2).map(strings).unwrap_or_default();
                (nanos, entry[1].as_str().expect("a line").to_owned(), pairs)
            });
            (strings(&stream["stream"]), entries.collect())
        })
        .collect()
}
