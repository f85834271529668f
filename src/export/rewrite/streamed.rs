//! Payloads of streams: Loki's. Decompressed whole, since snappy's block format allows nothing else;
//! entries are then moved as the bytes they are.

use std::io::{self, Read as _};

use flate2::read::GzDecoder;

use super::{Add, malformed};
use crate::config::settings::LokiFormat;
use crate::export::encode::walk::{Elements, Members};
use crate::export::id::take_varint;
use crate::export::loki::push::body::{StreamParts, assemble};
use crate::export::loki::push::labels::LabelFields;
use crate::export::loki::push::letter;
use crate::export::payload::Payload;

/// How streams are laid out.
#[derive(Clone, Debug)]
pub(super) struct Streamed {
    pub(super) format: LokiFormat,
    /// gzip's level for JSON; `None` for plain JSON. Protobuf is always snappy.
    pub(super) level: Option<flate2::Compression>,
    /// What its streams' labels say.
    pub(super) labels: LabelFields,
}

/// A stream of a payload.
struct Stream<'p> {
    labels: &'p [u8],
    /// Each as it stands in the body.
    entries: Vec<&'p [u8]>,
}

impl Streamed {
    /// The body of the records that are kept, and its length before compression.
    pub(super) fn select(
        &self,
        payload: &Payload,
        keeps: impl Fn(u32) -> bool,
    ) -> io::Result<(Vec<u8>, usize)> {
        let plain = self.plain(payload)?;
        let mut position = 0;
        let mut kept: Vec<(&[u8], Vec<u8>)> = Vec::new();
        for stream in self.streams(&plain, payload.records)? {
            let mut entries = Vec::new();
            for entry in stream.entries {
                if keeps(position) {
                    if self.format == LokiFormat::Json && !entries.is_empty() {
                        entries.push(b',');
                    }
                    entries.extend_from_slice(entry);
                }
                position += 1;
            }
            if !entries.is_empty() {
                kept.push((stream.labels, entries));
            }
        }
        let parts = kept.iter().map(|(labels, entries)| StreamParts { labels, entries });
        Ok(assemble(self.format, self.level, parts))
    }

    /// The border of two streams that is nearest to the middle of the payload; `None` for one stream.
    pub(super) fn border(&self, payload: &Payload) -> io::Result<Option<u32>> {
        let plain = self.plain(payload)?;
        let mut end = 0;
        let mut borders = Vec::new();
        for stream in self.streams(&plain, payload.records)? {
            end += u32::try_from(stream.entries.len()).map_err(io::Error::other)?;
            borders.push(end);
        }
        borders.pop();
        let middle = payload.records / 2;
        Ok(borders.into_iter().min_by_key(|border| border.abs_diff(middle)))
    }

    /// Tells of each record.
    pub(super) fn records(&self, payload: &Payload, add: &mut Add<'_>) -> io::Result<()> {
        let plain = self.plain(payload)?;
        let mut position = 0;
        for stream in self.streams(&plain, payload.records)? {
            for entry in stream.entries {
                let mut line = || letter::line(self.format, &self.labels, stream.labels, entry);
                add(position, None, &mut line);
                position += 1;
            }
        }
        Ok(())
    }

    fn plain(&self, payload: &Payload) -> io::Result<Vec<u8>> {
        match (self.format, self.level) {
            (LokiFormat::Protobuf, _) => {
                let length = snap::raw::decompress_len(&payload.body).map_err(io::Error::other)?;
                if length != payload.plain_bytes {
                    return Err(malformed("a push body is not as long as it should be"));
                }
                snap::raw::Decoder::new().decompress_vec(&payload.body).map_err(io::Error::other)
            }
            (LokiFormat::Json, None) => Ok(payload.body.to_vec()),
            (LokiFormat::Json, Some(_)) => {
                let mut plain = Vec::with_capacity(payload.plain_bytes);
                let limit = payload.plain_bytes as u64 + 1;
                GzDecoder::new(payload.body.as_ref()).take(limit).read_to_end(&mut plain)?;
                Ok(plain)
            }
        }
    }

    /// The streams of a plain body, whose entries must be as many as the payload has records.
    fn streams<'p>(&self, plain: &'p [u8], records: u32) -> io::Result<Vec<Stream<'p>>> {
        let streams = match self.format {
            LokiFormat::Protobuf => protobuf_streams(plain),
            LokiFormat::Json => json_streams(plain),
        };
        let streams = streams.ok_or_else(|| malformed("a push body cannot be read"))?;
        let entries: usize = streams.iter().map(|stream| stream.entries.len()).sum();
        if entries == records as usize {
            Ok(streams)
        } else {
            Err(malformed("a push body has not the entries that its records should have"))
        }
    }
}

fn protobuf_streams(mut plain: &[u8]) -> Option<Vec<Stream<'_>>> {
    let mut streams = Vec::new();
    while !plain.is_empty() {
        let (_, mut stream) = take_field(&mut plain)?;
        let (_, labels) = take_field(&mut stream)?;
        let mut entries = Vec::new();
        while !stream.is_empty() {
            let whole = stream;
            take_field(&mut stream)?;
            entries.push(whole.get(..whole.len() - stream.len())?);
        }
        streams.push(Stream { labels, entries });
    }
    Some(streams)
}

/// Takes a length-delimited field off the front: its tag and its content.
pub(crate) fn take_field<'p>(from: &mut &'p [u8]) -> Option<(u8, &'p [u8])> {
    let (tag, rest) = from.split_first()?;
    *from = rest;
    let length = usize::try_from(take_varint(from)?).ok()?;
    let (content, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some((*tag, content))
}

fn json_streams(plain: &[u8]) -> Option<Vec<Stream<'_>>> {
    let plain = str::from_utf8(plain).ok()?;
    let (_, streams) = Members::of(plain).find(|(key, _)| *key == "streams")?;
    let stream = |json| {
        let mut members = Members::of(json);
        let (_, labels) = members.next()?;
        let (_, values) = members.next()?;
        let entries = Elements::of(values).map(str::as_bytes).collect();
        Some(Stream { labels: labels.as_bytes(), entries })
    };
    Elements::of(streams).map(stream).collect()
}
