//! What the tailer hands to a worker: whole lines of one File with their place in it, and the news
//! about Files that a worker must hear in order with the lines.

use std::sync::Arc;
use std::time::Duration;

use pillion_parsers::frame::{Encoding, FileNumber, Span};

use crate::budget::Permit;
use crate::checkpoint::resume::Resume;

/// A path of one source, and its rotations: what joiners, parser choice and sharding belong to.
/// Numbered by the tailer, within one run of the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineageId(pub u32);

/// How the last line of a chunk ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// In a newline: the chunk holds whole lines.
    Newline,
    /// Without one, and it will get none: the File is retired, or the agent drains.
    Partial,
    /// It was longer than `max_record`: the chunk holds this one line's first bytes, its span also
    /// what was left out, up to and including the newline if one came.
    Cut,
}

/// A run of whole lines of one File.
pub struct Chunk {
    /// Whose joiner and parser see it.
    pub lineage: LineageId,
    /// The File the bytes are from.
    pub file: FileNumber,
    /// Where in the File. Longer than `bytes` only when `ending` is [`Ending::Cut`].
    pub span: Span,
    /// The bytes, line terminators included.
    pub bytes: Vec<u8>,
    /// How the last line ends.
    pub ending: Ending,
    /// How the File's text is encoded, told from its first two bytes.
    pub encoding: Encoding,
    /// Whether nothing more of the lineage was there to be read.
    pub caught_up: bool,
    /// When the bytes were read, nanoseconds since the Unix epoch: the time of records that carry none.
    pub read_at: i64,
    /// The budget this chunk holds: its own bytes, and room for what they become.
    pub permit: Permit,
}

impl std::fmt::Debug for Chunk {
    /// Sizes and places only: content may be personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Chunk({:?} {:?} {}..{}, {} bytes, {:?})",
            self.lineage,
            self.file,
            self.span.start,
            self.span.end,
            self.bytes.len(),
            self.ending
        )
    }
}

/// What a worker needs to know of a File before its first chunk.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The lineage the File belongs to; a new id the first time the lineage is heard of.
    pub lineage: LineageId,
    /// The File.
    pub file: FileNumber,
    /// Index into `Settings::sources`.
    pub source: usize,
    /// The path the lineage goes by, as found (unredacted).
    pub path: Arc<str>,
    /// Where reading begins: the smallest safe offset over the destinations; for a File that is
    /// opened again within one run, where its reading stopped.
    pub offset: u64,
    /// Per destination (index into `Settings::destinations`), the offset up to which everything is
    /// settled: a record that ends at or before it is not sent there again. `u64::MAX` where the
    /// source does not go.
    pub settled: Vec<u64>,
    /// The lineage's state as of `offset`. Of use when the lineage is new to the worker; a lineage
    /// that is known has a later state of its own.
    pub resume: Resume,
    /// The File from its header on, if it has one and reading begins below it.
    pub head: Option<Head>,
}

/// Whole lines of a File that were read before, where the header is looked for by which the later
/// ones are read.
#[derive(Clone)]
pub struct Head {
    /// Where they begin.
    pub offset: u64,
    /// The lines, terminators included.
    pub bytes: Vec<u8>,
    /// How the File's text is encoded.
    pub encoding: Encoding,
}

impl std::fmt::Debug for Head {
    /// Sizes and places only: content may be personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Head({} bytes from {})", self.bytes.len(), self.offset)
    }
}

/// What the tailer tells a worker, in order.
#[derive(Debug)]
pub enum Read {
    /// A File is about to be read.
    Opened(Opened),
    /// Lines of it.
    Chunk(Chunk),
    /// The lineage was read to its end after a chunk that did not say so: from here on it is its
    /// writer who pauses.
    CaughtUp(LineageId),
    /// There may be more of a lineage that was read to its end, which cannot be read now: from here
    /// on it is our reading that pauses.
    Behind(LineageId),
    /// Nothing can be read for want of budget: what a destination with nothing to do could be sent
    /// already is to be sent.
    Pressed,
    /// A File will bring no more lines (rotated away or deleted, and read to its end): a record its
    /// lineage's joiner holds may go on in the next File; if there is none, it ends here.
    Retired {
        /// The File's lineage.
        lineage: LineageId,
        /// The File.
        file: FileNumber,
        /// Whether the whole lineage is gone, so that the worker may forget it.
        last: bool,
    },
}

impl Read {
    /// The lineage it is about.
    #[must_use]
    pub fn lineage(&self) -> Option<LineageId> {
        match self {
            Self::Opened(Opened { lineage, .. })
            | Self::Chunk(Chunk { lineage, .. })
            | Self::CaughtUp(lineage)
            | Self::Behind(lineage)
            | Self::Retired { lineage, .. } => Some(*lineage),
            Self::Pressed => None,
        }
    }
}

/// How long a joiner waits for a record's next line, once all is read, before it ends the record.
pub const JOIN_TIMEOUT: Duration = Duration::from_secs(1);
