//! Payloads of lines: Elasticsearch's, with an action line before each document, and those of
//! `console` and `file`. Streamed through in pieces, so that nothing but the result is ever whole.

use std::io::{self, Read};

use flate2::read::GzDecoder;

use super::{Add, malformed};
use crate::export::ecs;
use crate::export::elasticsearch::bulk;
use crate::export::encode::sink::{Body, Sink as _};
use crate::export::encode::walk::{Members, unquoted};
use crate::export::id::{Instance, RecordId};
use crate::export::lines;
use crate::export::payload::Payload;

/// Bytes decompressed at once.
const PIECE: usize = 16 * 1024;

/// How lines are laid out.
#[derive(Clone, Debug)]
pub(super) struct Lined {
    /// gzip's level; `None` for a plain body.
    pub(super) level: Option<flate2::Compression>,
    /// What action lines are to be; `None` where a record is a line, and no other.
    pub(super) action: Option<Action>,
}

/// What action lines of a destination are as it is configured now.
#[derive(Clone, Debug)]
pub(super) struct Action {
    /// See [`bulk::action`].
    line: Vec<u8>,
    /// Whether they carry ids.
    ids: bool,
}

impl Action {
    /// For an index or data stream.
    pub(super) fn new(index: &str, ids: bool) -> Self {
        Self { line: bulk::action(index, ids), ids }
    }
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
                add(piece.position, id_of(&action), &mut || self.line_of(&document));
                action.clear();
                document.clear();
            }
        })
    }

    /// A document as a line.
    fn line_of(&self, document: &[u8]) -> String {
        let document = String::from_utf8_lossy(document.trim_ascii_end());
        match &self.action {
            None => document.into_owned(),
            Some(_) if lines::is_flat(&document) => lines::line_of_flat(&document),
            Some(_) => ecs::record_line(&document),
        }
    }

    /// Whether its action lines are not as they would be now.
    pub(super) fn leads_elsewhere(&self, payload: &Payload) -> io::Result<bool> {
        let Some(to) = &self.action else { return Ok(false) };
        let mut first = Vec::new();
        self.plain(payload).take(to.line.len() as u64).read_to_end(&mut first)?;
        Ok(first != to.line)
    }

    /// The payload with action lines as they would be now.
    pub(super) fn readdress(&self, payload: &Payload, instance: Instance) -> io::Result<Payload> {
        let Some(to) = &self.action else { return Ok(payload.clone()) };
        let (mut body, mut beside) = (Body::new(self.level), Vec::new());
        let (mut line, mut packed, mut nameless) = (Vec::new(), payload.ids.as_ref(), false);
        self.pieces(payload, |piece| {
            if !piece.action {
                body.buffer().extend_from_slice(piece.bytes);
                return body.settle();
            }
            line.extend_from_slice(piece.bytes);
            if piece.ends {
                let unpacked = RecordId::unpack(&mut packed, instance);
                let id = id_of(&line).and_then(|id| RecordId::parse(&id)).or(unpacked);
                nameless |= id.is_none();
                body.buffer().extend_from_slice(&to.line);
                match id {
                    Some(id) if to.ids => {
                        body.buffer().extend_from_slice(id.text().as_bytes());
                        body.buffer().extend_from_slice(bulk::AFTER_ID);
                    }
                    Some(id) => id.pack(&mut beside),
                    None => {}
                }
                line.clear();
            }
        })?;
        if nameless {
            return Err(malformed("a payload has records without an id"));
        }
        let (body, plain_bytes) = body.finish();
        let (body, ids) = (body.into(), beside.into());
        Ok(Payload { body, plain_bytes, records: payload.records, ids })
    }

    /// A payload's body as it was before compression.
    fn plain<'p>(&self, payload: &'p Payload) -> Box<dyn Read + 'p> {
        let body = payload.body.as_ref();
        if self.level.is_some() { Box::new(GzDecoder::new(body)) } else { Box::new(body) }
    }

    /// Walks a payload's lines in pieces, in order.
    fn pieces(&self, payload: &Payload, mut each: impl FnMut(Piece<'_>)) -> io::Result<()> {
        let actions = self.action.is_some();
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
            let mut decoder = self.plain(payload);
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

/// The `_id` of an action line, if it has one.
fn id_of(action: &[u8]) -> Option<String> {
    let action = String::from_utf8_lossy(action.trim_ascii_end());
    let id = Members::of(&action)
        .flat_map(|(_, inner)| Members::of(inner))
        .find(|(key, _)| *key == "_id")
        .and_then(|(_, value)| unquoted(value));
    id.map(str::to_owned)
}
