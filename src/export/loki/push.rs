//! The push body: records grouped by stream, plain until the batch closes, since a snappy block
//! begins with its length.
//!
//! Loki drops what it refuses and stores the rest, so a record is held against the server's default
//! limits here: an old one becomes a dead letter, one from the future gets the time at which it was
//! read (it would lock its stream for an hour before it), a long line is cut. All of these are said.

pub(crate) mod body;
mod entry;
pub(crate) mod labels;
pub(crate) mod letter;
pub(crate) mod metadata;
mod snappy;
#[cfg(test)]
mod tests;
mod text;

use std::sync::Arc;

use bytes::Bytes;
use pillion_parsers::redact::{Redacted, Rules};

use crate::config::settings::{Compression, Loki, LokiFormat};
use crate::export::dead_letter::{DeadLetter, Reason};
use crate::export::encode::{Closed, Encoded, EncoderError, Place, level};
use crate::export::lines::LineWriter;
use crate::export::payload::Payload;

use body::StreamParts;
use entry::{Entries, Stamp};
use labels::{Labels, Values};

/// Streams of one batch: bounds what a label with too many values can make of it.
const MAX_STREAMS: usize = 128;

/// The open batch of a Loki destination.
pub(crate) struct Push {
    format: LokiFormat,
    level: Option<flate2::Compression>,
    labels: Labels,
    entries: Entries,
    streams: Vec<Stream>,
    /// The stream of the record before: mostly also that of the next.
    last: usize,
    /// The current record's label values.
    values: Values,
    records: u32,
    plain_bytes: usize,
    resident: usize,
    refused: Vec<DeadLetter>,
    writer: LineWriter,
}

/// A stream of the open batch.
struct Stream {
    hash: u64,
    values: Values,
    /// In the body's form.
    labels: Vec<u8>,
    /// In the body's form.
    entries: Vec<u8>,
    /// Packed ids of its records.
    ids: Vec<u8>,
}

impl Stream {
    fn resident(&self) -> usize {
        let buffers = self.labels.capacity() + self.entries.capacity() + self.ids.capacity();
        size_of::<Self>() + self.values.resident() + buffers
    }
}

impl Push {
    /// An empty batch.
    pub(crate) fn new(
        server: &Loki,
        compression: Compression,
        rules: &Arc<Rules>,
    ) -> Result<Self, EncoderError> {
        let labels = Labels::new(&server.labels)?.redacted(rules);
        Ok(Self {
            format: server.format,
            level: level(compression),
            entries: Entries::new(server.format, server.structured_metadata, &labels),
            labels,
            streams: Vec::new(),
            last: 0,
            values: Values::default(),
            records: 0,
            plain_bytes: 0,
            resident: 0,
            refused: Vec::new(),
            writer: LineWriter::default(),
        })
    }

    pub(crate) fn encode(&mut self, record: &Redacted<'_, '_>, place: &Place<'_>) -> Encoded {
        let stamp = match Stamp::of(record.time(), place) {
            Ok(stamp) => stamp,
            Err(nanos) => return self.refuse(record, place, nanos, Reason::TooOld),
        };
        self.labels.values(record, place, &mut self.values);
        let Some(index) = self.stream() else { return Encoded::Full };
        let Some(stream) = self.streams.get_mut(index) else { return Encoded::Full };
        self.last = index;
        let (resident, bytes) = (stream.resident(), stream.entries.len());
        let cut = self.entries.push(&mut stream.entries, record, place, stamp, &self.labels);
        place.id.pack(&mut stream.ids);
        self.resident += stream.resident() - resident;
        self.plain_bytes += stream.entries.len() - bytes;
        self.records += 1;
        if cut { Encoded::Cut } else { Encoded::Added }
    }

    /// The index of the stream with the current values; `None` when there is no room for it.
    fn stream(&mut self) -> Option<usize> {
        if self.streams.get(self.last).is_some_and(|stream| stream.values == self.values) {
            return Some(self.last);
        }
        let hash = self.values.hash();
        let mut streams = self.streams.iter();
        let found = streams.position(|other| other.hash == hash && other.values == self.values);
        if found.is_some() {
            return found;
        }
        if self.streams.len() >= MAX_STREAMS {
            return None;
        }
        let mut labels = Vec::new();
        body::push_labels(&mut labels, self.format, self.labels.names().zip(self.values.iter()));
        let values = self.values.clone();
        let stream = Stream { hash, values, labels, entries: Vec::new(), ids: Vec::new() };
        self.plain_bytes += stream.labels.len();
        self.resident += stream.resident();
        self.streams.push(stream);
        Some(self.streams.len() - 1)
    }

    /// Keeps a record with the time that its entry would have had.
    fn refuse(
        &mut self,
        record: &Redacted<'_, '_>,
        place: &Place<'_>,
        nanos: i64,
        reason: Reason,
    ) -> Encoded {
        let mut line = Vec::new();
        self.writer.write_at(&mut line, record, place, nanos);
        let record = String::from_utf8(line)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let letter = DeadLetter { id: place.id.text().to_string(), reason, record };
        self.resident += letter.resident();
        self.refused.push(letter);
        Encoded::Refused(reason)
    }

    pub(crate) const fn records(&self) -> u32 {
        self.records
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.records == 0 && self.refused.is_empty()
    }

    /// Without the few bytes that frame a stream.
    pub(crate) const fn plain_bytes(&self) -> usize {
        self.plain_bytes
    }

    pub(crate) fn resident(&self) -> usize {
        self.resident + self.entries.resident() + self.values.resident()
    }

    pub(crate) fn finish(&mut self) -> Closed {
        let streams = std::mem::take(&mut self.streams);
        let records = std::mem::take(&mut self.records);
        self.last = 0;
        self.plain_bytes = 0;
        self.resident = 0;
        let payload = (records > 0).then(|| {
            let mut ids = Vec::with_capacity(streams.iter().map(|stream| stream.ids.len()).sum());
            for stream in &streams {
                ids.extend_from_slice(&stream.ids);
            }
            let parts = streams
                .iter()
                .map(|stream| StreamParts { labels: &stream.labels, entries: &stream.entries });
            let (body, plain_bytes) = body::assemble(self.format, self.level, parts);
            Payload { body: body.into(), plain_bytes, records, ids: Bytes::from(ids) }
        });
        Closed { payload, refused: std::mem::take(&mut self.refused) }
    }
}

impl std::fmt::Debug for Push {
    /// Sizes only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (records, streams) = (self.records, self.streams.len());
        write!(f, "Push({records} records, {streams} streams, {} bytes)", self.plain_bytes)
    }
}
