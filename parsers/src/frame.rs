//! Cuts chunks of whole lines into raw records: splits lines, unwraps containers' own line formats,
//! joins stack traces, and says which bytes of which Files each record is made of.
//!
//! A record whose lines lie side by side in the chunk is lent as one slice of it. Only what is still
//! open when a chunk ends, and what had to be unwrapped before it could be joined, is copied into
//! the [`Framer`]'s bounded buffers.

mod container;
mod encoding;
mod framer;
mod line;
mod open;
#[cfg(test)]
mod tests;

pub use encoding::Encoding;
pub use framer::Framer;

use std::fmt;

use crate::multiline::Joiner;
use crate::record::Time;

/// A File's number: minted once per File and per truncation by the agent, never reused within an
/// instance, and part of every record's id. Here it is only carried along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileNumber(pub u32);

/// A half-open run of bytes within one File: from the offset `start` up to, not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset one past the last byte.
    pub end: u64,
}

impl Span {
    /// Bytes in the span.
    #[must_use]
    pub const fn len(self) -> u64 {
        self.end - self.start
    }

    /// Whether the span holds no byte.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.end == self.start
    }
}

/// A span and the File it lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileSpan {
    /// The File.
    pub file: FileNumber,
    /// The bytes of it.
    pub span: Span,
}

/// The line format a container runtime wraps around each line a program writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Container {
    /// None: lines are as the program wrote them.
    #[default]
    None,
    /// `<RFC 3339 time> <stdout|stderr> <P|F>[:tag…] <text>`: Kubernetes' CRI log format, written by
    /// containerd and CRI-O.
    Cri,
    /// `{"log":"…\n","stream":"stdout","time":"…"}`: Docker's `json-file` driver.
    Docker,
    /// Whichever of these the first lines of a File show, looked at again when lines stop fitting.
    Auto,
}

impl Container {
    /// Every kind.
    const ALL: [Self; 4] = [Self::None, Self::Cri, Self::Docker, Self::Auto];

    /// The kind's name; that of the parser that unwraps it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Cri => "cri",
            Self::Docker => "docker",
            Self::Auto => "auto",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a Framer does with a lineage's lines.
#[derive(Clone, Debug)]
pub struct FrameSettings {
    /// What to unwrap.
    pub container: Container,
    /// What to join.
    pub joiner: Joiner,
    /// The most bytes of text one record keeps; raised to 16 if smaller.
    pub max_record: usize,
}

/// How the last line of a [`Lines`] ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnding {
    /// In a newline.
    Newline,
    /// Without one, and it will get none.
    Partial,
    /// It was longer than `max_record`: only its first bytes are here.
    Cut {
        /// Offset one past the line's last byte, newline included if one came.
        end: u64,
    },
}

/// A run of whole lines of one File: what a chunk holds.
#[derive(Clone, Copy)]
pub struct Lines<'c> {
    /// The File.
    pub file: FileNumber,
    /// Offset of the first byte in it.
    pub start: u64,
    /// The bytes, line terminators included.
    pub bytes: &'c [u8],
    /// How the last line ends.
    pub ending: LineEnding,
    /// How the File's text is encoded.
    pub encoding: Encoding,
}

impl fmt::Debug for Lines<'_> {
    /// Sizes and places only: content may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, start, bytes, ending, encoding } = self;
        write!(f, "Lines({file:?} from {start}, {} bytes, {ending:?}, {encoding:?})", bytes.len())
    }
}

/// Which of a container's two streams a record was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// `stdout` or `stderr`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// A record before parsing, lent for the length of one call.
#[derive(Clone, Copy, PartialEq)]
pub struct Raw<'a> {
    /// What the program wrote: UTF-16 decoded, containers unwrapped, without the last line's `\n` or
    /// `\r\n`, without blank lines at the end of a join, without a byte order mark at the start of a
    /// File. Inner terminators are kept. Not necessarily UTF-8.
    pub text: &'a [u8],
    /// The bytes of Files it is made of, terminators included; at least one, in the order read.
    /// Every byte pushed lies in exactly one span of exactly one record.
    pub spans: &'a [FileSpan],
    /// The low 32 bits of XXH3-64 over the bytes of all spans in order; of a record that is `truncated`,
    /// of the complement of that over `text`, so that the same bytes cut elsewhere are another record.
    pub hash: u32,
    /// The container's stream.
    pub stream: Option<Stream>,
    /// When the container's runtime read the first line.
    pub container_time: Option<Time>,
    /// What was unwrapped as of its last line: to be given to [`Framer::resume`] should the File be
    /// gone on with after it.
    pub container: Container,
    /// A line in it lacks its end: the File ended without a newline, or no closing part followed a
    /// container's partial in time.
    pub partial: bool,
    /// Cut at `max_record`. Of a line too long for it the rest is gone; a join too long for it goes
    /// on in the next record.
    pub truncated: bool,
}

impl fmt::Debug for Raw<'_> {
    /// Sizes and places only: content may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw")
            .field("bytes", &self.text.len())
            .field("spans", &self.spans)
            .field("hash", &self.hash)
            .field("stream", &self.stream)
            .field("partial", &self.partial)
            .field("truncated", &self.truncated)
            .finish_non_exhaustive()
    }
}
