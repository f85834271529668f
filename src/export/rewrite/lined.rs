//! Payloads of lines: Elasticsearch's, with an action line before each document, and those of
//! `console` and `file`. Streamed through in pieces, so that nothing but the result is ever whole.

use std::io::{self, Read};

use flate2::read::GzDecoder;

use super::{Add, malformed};
use crate::export::ecs;
use crate::export::encode::sink::{Body, Sink as _};
use crate::export::encode::walk::{Members, unquoted};
use crate::export::lines;
use crate::export::payload::Payload;

/// Bytes decompressed at once.
const PIECE: usize = 16 * 1024;

/// How lines are laid out.
#[derive(Clone, Debug)]
pub(super) struct Lined {
    /// gzip's level; `None` for a plain body.
    pub(super) level: Option<flate2::Compression>,
    pub(super) naming: Naming,
    /// Whether action lines carry ids.
    pub(super) ids_in_body: bool,
}

/// What a record's last line is.
#[derive(Clone, Debug)]
pub(super) enum Naming {
    /// An ECS document after an action line.
    Ecs { namespace: String },
    /// A flat document after an action line.
    Flat,
    /// A line, and no other.
    Lines,
}

/// A run of bytes within one line of a payload.
struct Piece<'p> {
    position: u32,
    /// Whether the line is an action line.
    action: bool,
    bytes: &'p [u8],
    /// Whether the line ends with it, in a newline.
    ends: bool,
}

impl Lined {
    /// The body of the records that are kept, and its length before compression.
    pub(super) fn select(
        &self,
        payload: &Payload,
        keeps: impl Fn(u32) -> bool,
    ) -> io::Result<(Vec<u8>, usize)> {
        let mut body = Body::new(self.level);
        self.pieces(payload, |piece| {
            if keeps(piece.position) {
                body.buffer().extend_from_slice(piece.bytes);
                body.settle();
            }
        })?;
        Ok(body.finish())
    }

    /// Tells of each record. The lines of those that are not wanted are not kept.
    pub(super) fn records(
        &self,
        payload: &Payload,
        wanted: impl Fn(u32) -> bool,
        add: &mut Add<'_>,
    ) -> io::Result<()> {
        let mut action = Vec::new();
        let mut document = Vec::new();
        self.pieces(payload, |piece| {
            if wanted(piece.position) {
                let line = if piece.action { &mut action } else { &mut document };
                line.extend_from_slice(piece.bytes);
            }
            if piece.ends && !piece.action {
                let id = self.ids_in_body.then(|| id_of(&action));
                add(piece.position, id, &mut || self.line_of(&document));
                action.clear();
                document.clear();
            }
        })
    }

    /// A document as a line.
    fn line_of(&self, document: &[u8]) -> String {
        let document = String::from_utf8_lossy(document.trim_ascii_end());
        match &self.naming {
            Naming::Ecs { namespace } => ecs::record_line(&document, namespace),
            Naming::Flat => lines::line_of_flat(&document),
            Naming::Lines => document.into_owned(),
        }
    }

    /// Walks a payload's lines in pieces, in order.
    fn pieces(&self, payload: &Payload, mut each: impl FnMut(Piece<'_>)) -> io::Result<()> {
        let actions = !matches!(self.naming, Naming::Lines);
        let (mut position, mut action) = (0, actions);
        let mut chunk = |mut bytes: &[u8]| {
            while !bytes.is_empty() {
                let newline = memchr::memchr(b'\n', bytes);
                let (line, rest) = bytes.split_at(newline.map_or(bytes.len(), |at| at + 1));
                each(Piece { position, action, bytes: line, ends: newline.is_some() });
                if newline.is_some() {
                    position += u32::from(!action);
                    action = actions && !action;
                }
                bytes = rest;
            }
        };
        if self.level.is_some() {
            let mut decoder = GzDecoder::new(payload.body.as_ref());
            let mut buffer = vec![0; PIECE];
            loop {
                let read = decoder.read(&mut buffer)?;
                if read == 0 {
                    break;
                }
                chunk(buffer.get(..read).unwrap_or_default());
            }
        } else {
            chunk(&payload.body);
        }
        if position == payload.records && action == actions {
            Ok(())
        } else {
            Err(malformed("a payload has not the lines that its records should have"))
        }
    }
}

/// The `_id` of an action line; empty when it has none.
fn id_of(action: &[u8]) -> String {
    let action = String::from_utf8_lossy(action.trim_ascii_end());
    let id = Members::of(&action)
        .flat_map(|(_, inner)| Members::of(inner))
        .find(|(key, _)| *key == "_id")
        .and_then(|(_, value)| unquoted(value));
    id.unwrap_or_default().to_owned()
}
