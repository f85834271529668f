//! How much memory a configuration needs at the least: the sum that `check` refuses a smaller
//! `memory` with, and the shares the agent takes from its budget.
//!
//! Every number is resident bytes. What is taken before a read is an estimate on the safe side; the
//! agent trues it up once the bytes have become batches.

use super::settings::{Compression, Destination, DestinationKind, LokiFormat, Settings};
use super::units::shown;

/// Bytes a chunk is read in, unless one line is longer.
pub const CHUNK: usize = 128 * 1024;

/// Bytes in a destination's form per byte read, before compression: field names, ids and escapes.
/// Measured for nginx access lines in a bulk body: 2.7.
const EXPANSION: usize = 3;

/// What compression divides a batch by, at the least, when it is a log. One that compresses worse
/// (base64, encrypted values) closes its batch earlier, when the budget runs out.
const COMPRESSED: usize = 2;

/// What zlib-rs takes for one gzip stream at any level (measured: window, hash chains, hash heads,
/// pending output), with flate2's own output buffer of 32 KiB.
pub(crate) const COMPRESSOR: usize = 404 * 1024;

/// What zlib-rs takes to read a gzip stream (measured: window and state), with flate2's own input buffer
/// and the pieces that it is read in.
pub(crate) const DECOMPRESSOR: usize = 112 * 1024;

/// What an encoder's buffers may be larger than what is in them: bodies grow by so much.
pub(crate) const GROWTH: usize = 128 * 1024;

/// What the answer to a record takes at the most, if it is the usual one: 26 bytes of a `_bulk` reply,
/// and what they mean (32). Taken when the record is.
pub const ANSWER: usize = 64;

/// Copies of its bytes that the largest record may need at once: read, joined, and decoded.
const RECORD_COPIES: usize = 3;

/// The budget's part that joiners may hold at most: beyond it the oldest record is ended.
pub const JOINERS: usize = 4;

/// Whether the open batch lies compressed in memory.
fn compresses(destination: &Destination) -> bool {
    match &destination.kind {
        DestinationKind::Elasticsearch(_) => destination.compression != Compression::None,
        DestinationKind::Loki(_) | DestinationKind::Console | DestinationKind::File { .. } => false,
    }
}

/// What a chunk of so many bytes may take, with what it becomes at every destination: taken from the
/// budget before the read.
#[must_use]
pub fn chunk_share(bytes: usize, destinations: &[Destination]) -> usize {
    let grown = |destination: &Destination| {
        let plain = bytes.saturating_mul(EXPANSION);
        if compresses(destination) { plain / COMPRESSED } else { plain }
    };
    destinations.iter().map(grown).fold(bytes, usize::saturating_add)
}

/// What the largest record may take while it is joined and decoded.
#[must_use]
pub fn record_share(max_record: usize) -> usize {
    max_record.saturating_mul(RECORD_COPIES)
}

/// What a full batch of a destination takes: the open one, and for Loki, whose batches are compressed
/// only when they close, also the closed one.
#[must_use]
pub fn batch_share(destination: &Destination) -> usize {
    let bytes = destination.batch.bytes;
    let body = if compresses(destination) { bytes / COMPRESSED } else { bytes };
    body.saturating_add(beside_share(destination))
}

/// The part of [`batch_share`] that is not the open batch itself: its compressor; for Loki the closed
/// batch while it is put together.
fn beside_share(destination: &Destination) -> usize {
    match &destination.kind {
        _ if compresses(destination) => COMPRESSOR,
        DestinationKind::Loki(loki) => {
            let scratch = if loki.format == LokiFormat::Json { COMPRESSOR } else { 0 };
            (destination.batch.bytes / COMPRESSED).saturating_add(scratch)
        }
        _ => 0,
    }
}

/// Resident bytes of an open batch at which it compresses worse than was reckoned with.
#[must_use]
pub fn batch_limit(destination: &Destination) -> usize {
    batch_share(destination).saturating_add(2 * GROWTH)
}

/// What taking a full payload apart takes beside it: what comes out, and what works on it.
fn rewriting_share(destination: &Destination) -> usize {
    let bytes = destination.batch.bytes;
    match &destination.kind {
        _ if compresses(destination) => {
            (bytes / COMPRESSED).saturating_add(COMPRESSOR + DECOMPRESSOR)
        }
        DestinationKind::Loki(_) => {
            bytes.saturating_mul(2).saturating_add(beside_share(destination))
        }
        DestinationKind::Elasticsearch(_) => bytes,
        DestinationKind::Console | DestinationKind::File { .. } => 0,
    }
}

/// The part of `memory` that is set aside, so that truing up stays within it: for each thread what a
/// destination's next batch begins with, and for one payload at a time to be taken apart. Less where
/// `memory` is so small that reads need it.
#[must_use]
pub fn set_aside(settings: &Settings) -> usize {
    let begin = |destination| beside_share(destination).saturating_add(GROWTH);
    let begins = settings.destinations.iter().map(begin).fold(0, usize::saturating_add);
    let rewriting = settings.destinations.iter().map(rewriting_share).max().unwrap_or_default();
    let aside = begins.saturating_mul(settings.threads.get()).saturating_add(rewriting);
    aside.min(settings.memory.saturating_sub(Need::of(settings).total()))
}

/// Resident bytes that a destination with `when_full: drop_newest` may hold before it drops. Half of what
/// reads may fill, for all destinations together; less where `memory` is so small that reading would stop
/// before that: each thread needs room for a chunk and a record, and may have half a share in its open
/// batch that another thread does not see.
#[must_use]
pub fn drop_share(settings: &Settings) -> usize {
    let (threads, destinations) = (settings.threads.get(), settings.destinations.len().max(1));
    let room = settings.memory.saturating_sub(set_aside(settings));
    let need = Need::of(settings);
    let read = need.chunk.saturating_add(need.record).saturating_mul(threads);
    let left = room.saturating_sub(read).saturating_mul(2) / (threads + 1);
    (room / 2).min(left) / destinations
}

/// What a payload takes that comes back from a destination's disk buffer; 0 without one.
#[must_use]
pub fn taken_share(destination: &Destination) -> usize {
    let plain = destination.compression == Compression::None;
    let bytes = match &destination.kind {
        DestinationKind::Loki(loki) if loki.format == LokiFormat::Protobuf => {
            destination.batch.bytes / COMPRESSED
        }
        _ if plain => destination.batch.bytes,
        _ => destination.batch.bytes / COMPRESSED,
    };
    destination.buffer.map_or(0, |_| bytes)
}

/// The least memory a configuration can work with: per thread a chunk, the largest record, and a
/// batch for each destination; and a payload from each disk buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// [`chunk_share`] of [`CHUNK`].
    pub chunk: usize,
    /// [`record_share`] of the largest `max_record`.
    pub record: usize,
    /// [`batch_share`] by destination name.
    pub batches: Vec<(String, usize)>,
    /// [`taken_share`] by destination name, where it is not 0.
    pub taken: Vec<(String, usize)>,
    /// Worker threads, each with a chunk, a record and open batches of its own.
    pub threads: usize,
}

impl Need {
    /// What these settings need.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let max_record = settings.sources.iter().map(|source| source.max_record).max();
        Self {
            chunk: chunk_share(CHUNK, &settings.destinations),
            record: record_share(max_record.unwrap_or_default()),
            batches: settings
                .destinations
                .iter()
                .map(|destination| (destination.name.clone(), batch_share(destination)))
                .collect(),
            taken: settings
                .destinations
                .iter()
                .map(|destination| (destination.name.clone(), taken_share(destination)))
                .filter(|(_, bytes)| *bytes > 0)
                .collect(),
            threads: settings.threads.get(),
        }
    }

    /// The sum.
    #[must_use]
    pub fn total(&self) -> usize {
        let sum = |of: &[(String, usize)]| {
            of.iter().map(|(_, bytes)| *bytes).fold(0, usize::saturating_add)
        };
        self.chunk
            .saturating_add(self.record)
            .saturating_add(sum(&self.batches))
            .saturating_mul(self.threads)
            .saturating_add(sum(&self.taken))
    }
}

impl std::fmt::Display for Need {
    /// The sum, written out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let threads = self.threads > 1;
        if threads {
            write!(f, "{} threads × (", self.threads)?;
        }
        write!(f, "a chunk {} + a record {}", shown(self.chunk), shown(self.record))?;
        for (name, bytes) in &self.batches {
            write!(f, " + a batch for `{name}` {}", shown(*bytes))?;
        }
        if threads {
            f.write_str(")")?;
        }
        for (name, bytes) in &self.taken {
            write!(f, " + a payload from the buffer of `{name}` {}", shown(*bytes))?;
        }
        write!(f, " = {}", shown(self.total()))
    }
}
