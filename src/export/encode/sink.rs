//! What encoders write to: a buffer that may be drained between pieces, so that one large record
//! does not need room for itself and all its escapes.

use std::io::Write as _;

use flate2::write::GzEncoder;
use pillion_parsers::record::{Text, Value};

use crate::config::memory::{COMPRESSOR, GROWTH};
use crate::export::escape;

/// Staged bytes at which they go to the compressor; also the size of a long text's pieces, so that
/// staging stays below six times this (every byte escaped) and a bit.
const STAGE: usize = 16 * 1024;

/// Somewhere to append bytes.
pub(crate) trait Sink {
    /// The buffer to append to. It holds what was appended last, and not always all of it.
    fn buffer(&mut self) -> &mut Vec<u8>;

    /// Told between pieces of at most [`STAGE`] bytes: may drain the buffer.
    fn settle(&mut self) {}

    /// Appends a text as a JSON string. Escapes that the raw record already has are kept.
    fn text(&mut self, text: Text<'_>) {
        let stored = text.as_stored();
        if !text.is_escaped() && stored.len() <= STAGE {
            escape::quote(self.buffer(), stored);
            self.settle();
            return;
        }
        self.buffer().push(b'"');
        if text.is_escaped() {
            self.verbatim(stored);
        } else {
            for piece in stored.as_bytes().chunks(STAGE) {
                escape::escape_bytes(self.buffer(), piece);
                self.settle();
            }
        }
        self.buffer().push(b'"');
    }

    /// Appends a text as it stands.
    fn verbatim(&mut self, text: &str) {
        for piece in text.as_bytes().chunks(STAGE) {
            self.buffer().extend_from_slice(piece);
            self.settle();
        }
    }

    /// Appends a value as JSON, numbers as the raw record writes them.
    fn value(&mut self, value: &Value<'_>) {
        match value {
            Value::Null => self.buffer().extend_from_slice(b"null"),
            Value::Bool(true) => self.buffer().extend_from_slice(b"true"),
            Value::Bool(false) => self.buffer().extend_from_slice(b"false"),
            Value::Int(number) => escape::push_i64(self.buffer(), *number),
            Value::Float(number) => escape::push_f64(self.buffer(), *number),
            Value::Number(number) => self.buffer().extend_from_slice(number.as_bytes()),
            Value::Text(text) => self.text(*text),
            Value::Json(json) | Value::CleanJson(json) => self.verbatim(json),
        }
    }
}

impl Sink for Vec<u8> {
    fn buffer(&mut self) -> &mut Vec<u8> {
        self
    }
}

/// A body being written: one gzip member, or plain.
pub(crate) struct Body {
    level: Option<flate2::Compression>,
    /// What is not compressed yet; all of a plain body.
    staged: Vec<u8>,
    /// The compressor while a body is open.
    gzip: Option<GzEncoder<Vec<u8>>>,
    /// Bytes that have left `staged` for the compressor.
    drained: usize,
}

impl Body {
    /// An empty body, gzipped when there is a level.
    pub(crate) const fn new(level: Option<flate2::Compression>) -> Self {
        Self { level, staged: Vec::new(), gzip: None, drained: 0 }
    }

    /// Bytes written so far, before compression.
    pub(crate) fn plain_bytes(&self) -> usize {
        self.drained + self.staged.len()
    }

    /// Bytes of memory taken.
    pub(crate) fn resident(&self) -> usize {
        let compressor = |gzip: &GzEncoder<Vec<u8>>| COMPRESSOR + gzip.get_ref().capacity();
        self.staged.capacity() + self.gzip.as_ref().map_or(0, compressor)
    }

    /// Gives the body up as it goes over the wire, and its length before compression. Empty
    /// afterwards; keeps no more memory than staging takes.
    pub(crate) fn finish(&mut self) -> (Vec<u8>, usize) {
        let plain_bytes = self.plain_bytes();
        let mut body = if self.level.is_some() {
            self.drain();
            self.gzip.take().map_or_else(Vec::new, close)
        } else {
            std::mem::take(&mut self.staged)
        };
        self.drained = 0;
        body.shrink_to_fit();
        (body, plain_bytes)
    }

    fn drain(&mut self) {
        let Some(level) = self.level else { return };
        let gzip = self.gzip.get_or_insert_with(|| GzEncoder::new(Vec::new(), level));
        grow(gzip.get_mut(), self.staged.len() + STAGE);
        write_all(gzip, &self.staged);
        self.drained += self.staged.len();
        self.staged.clear();
    }
}

impl Sink for Body {
    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.staged
    }

    #[inline]
    fn settle(&mut self) {
        if self.staged.len() >= STAGE {
            match self.level {
                Some(_) => self.drain(),
                None => grow(&mut self.staged, STAGE),
            }
        }
    }
}

impl std::fmt::Debug for Body {
    /// Sizes only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body({} plain bytes)", self.plain_bytes())
    }
}

/// Makes room for so many bytes more. Doubles only what is small: up to half of a large body's memory
/// would lie idle, and it all counts.
fn grow(body: &mut Vec<u8>, more: usize) {
    if body.capacity() - body.len() < more {
        body.reserve_exact(more.max(body.len().min(GROWTH)));
    }
}

#[expect(clippy::expect_used, reason = "a Vec takes every write, and deflate every byte")]
fn write_all(gzip: &mut GzEncoder<Vec<u8>>, bytes: &[u8]) {
    gzip.write_all(bytes).expect("compressing into memory");
}

#[expect(clippy::expect_used, reason = "a Vec takes every write, and deflate every byte")]
fn close(gzip: GzEncoder<Vec<u8>>) -> Vec<u8> {
    gzip.finish().expect("compressing into memory")
}
