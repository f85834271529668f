//! The two forms of a push body, put together from its streams' entries.
//!
//! Protobuf, by hand for its four messages (`pkg/push/push.proto` in grafana/loki): `PushRequest` has
//! streams (1); a stream labels (1) and entries (2); an entry a timestamp (1), a line (2) and pairs
//! (3); a timestamp seconds (1) and nanoseconds (2).

use super::metadata::varint_length;
use super::snappy::SnappyBlock;
use crate::config::settings::LokiFormat;
use crate::export::encode::sink::{Body, Sink as _};
use crate::export::escape;
use crate::export::id::push_varint;

/// Tags of length-delimited fields 1 and 2, and of varints 1 and 2.
const FIELD_1: u8 = 0x0a;
const FIELD_2: u8 = 0x12;
const VARINT_1: u8 = 0x08;
const VARINT_2: u8 = 0x10;

const NANOS: i64 = 1_000_000_000;

/// What begins, parts and ends a JSON body.
const JSON_HEAD: &[u8] = b"{\"streams\":[";
const JSON_LABELS: &[u8] = b"{\"stream\":";
const JSON_VALUES: &[u8] = b",\"values\":[";
const JSON_STREAM_END: &[u8] = b"]}";
const JSON_TAIL: &[u8] = b"]}";

/// A stream as it stands in a body.
pub(crate) struct StreamParts<'s> {
    /// `{app="shop"}` for protobuf, `{"app":"shop"}` for JSON.
    pub(crate) labels: &'s [u8],
    /// Entries as [`push_entry`] wrote them, one after another.
    pub(crate) entries: &'s [u8],
}

/// Appends labels, empty values left out, in the format's form. JSON's escapes are a subset of those
/// of a Go string, which is what Loki reads a label's value as.
pub(super) fn push_labels<'l>(
    out: &mut Vec<u8>,
    format: LokiFormat,
    labels: impl Iterator<Item = (&'l str, &'l str)>,
) {
    out.push(b'{');
    let mut first = true;
    for (name, value) in labels.filter(|(_, value)| !value.is_empty()) {
        match format {
            LokiFormat::Protobuf => {
                if !first {
                    out.extend_from_slice(b", ");
                }
                out.extend_from_slice(name.as_bytes());
                out.push(b'=');
            }
            LokiFormat::Json => {
                if !first {
                    out.push(b',');
                }
                escape::quote(out, name);
                out.push(b':');
            }
        }
        escape::quote(out, value);
        first = false;
    }
    out.push(b'}');
}

/// Appends an entry to those of its stream. `line` is UTF-8; `pairs` are structured metadata in the format's form.
pub(super) fn push_entry(
    entries: &mut Vec<u8>,
    format: LokiFormat,
    nanos: i64,
    line: &[u8],
    pairs: &[u8],
) {
    match format {
        LokiFormat::Protobuf => {
            let (seconds, fraction) = (nanos.div_euclid(NANOS), nanos.rem_euclid(NANOS));
            // A negative int64 is ten bytes of varint, as protobuf has it.
            let (seconds, fraction) = (seconds.cast_unsigned(), fraction.cast_unsigned());
            let time = 2 + varint_length(seconds) + varint_length(fraction);
            let line_length = line.len() as u64;
            let length = 2 + time + 1 + varint_length(line_length) + line.len() + pairs.len();
            entries.push(FIELD_2);
            push_varint(entries, length as u64);
            entries.push(FIELD_1);
            push_varint(entries, time as u64);
            entries.push(VARINT_1);
            push_varint(entries, seconds);
            entries.push(VARINT_2);
            push_varint(entries, fraction);
            entries.push(FIELD_2);
            push_varint(entries, line_length);
            entries.extend_from_slice(line);
            entries.extend_from_slice(pairs);
        }
        LokiFormat::Json => {
            if !entries.is_empty() {
                entries.push(b',');
            }
            entries.extend_from_slice(b"[\"");
            escape::push_i64(entries, nanos);
            entries.extend_from_slice(b"\",\"");
            escape::escape_bytes(entries, line);
            entries.push(b'"');
            if !pairs.is_empty() {
                entries.extend_from_slice(b",{");
                entries.extend_from_slice(pairs);
                entries.push(b'}');
            }
            entries.push(b']');
        }
    }
}

/// Puts a body together and compresses it; also says its length before compression. The iterator is
/// walked twice.
pub(crate) fn assemble<'s>(
    format: LokiFormat,
    level: Option<flate2::Compression>,
    streams: impl Iterator<Item = StreamParts<'s>> + Clone,
) -> (Vec<u8>, usize) {
    match format {
        LokiFormat::Protobuf => {
            let length = streams.clone().map(|stream| framed(stream_length(&stream))).sum();
            let mut block = SnappyBlock::new(length);
            let mut head = Vec::new();
            for stream in streams {
                head.clear();
                head.push(FIELD_1);
                push_varint(&mut head, stream_length(&stream) as u64);
                head.push(FIELD_1);
                push_varint(&mut head, stream.labels.len() as u64);
                head.extend_from_slice(stream.labels);
                block.write(&head);
                block.write(stream.entries);
            }
            (block.finish(), length)
        }
        LokiFormat::Json => {
            let mut body = Body::new(level);
            for (index, stream) in streams.enumerate() {
                body.buffer().extend_from_slice(if index == 0 { JSON_HEAD } else { b"," });
                body.buffer().extend_from_slice(JSON_LABELS);
                body.buffer().extend_from_slice(stream.labels);
                body.buffer().extend_from_slice(JSON_VALUES);
                for piece in stream.entries.chunks(16 * 1024) {
                    body.buffer().extend_from_slice(piece);
                    body.settle();
                }
                body.buffer().extend_from_slice(JSON_STREAM_END);
            }
            body.buffer().extend_from_slice(JSON_TAIL);
            body.finish()
        }
    }
}

/// Bytes of a `Stream` message.
fn stream_length(stream: &StreamParts<'_>) -> usize {
    framed(stream.labels.len()) + stream.entries.len()
}

/// Bytes of a length-delimited field of so many bytes.
fn framed(length: usize) -> usize {
    1 + varint_length(length as u64) + length
}
