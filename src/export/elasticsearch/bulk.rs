//! The `_bulk` body: an action line and a document line per record, written straight into the open
//! batch's gzip member.
//!
//! The action is `create`: data streams take nothing else, and a record that an earlier try has
//! stored answers 409 instead of being stored twice.

use bytes::Bytes;
use pillion_parsers::redact::Redacted;

use crate::config::settings::{Compression, Schema};
use crate::export::ecs::{self, Documents};
use crate::export::encode::sink::{Body, Sink as _};
use crate::export::encode::{Encoded, EncoderError, Place, level};
use crate::export::escape;
use crate::export::lines::{LineWriter, Style};
use crate::export::payload::Payload;

/// What follows the id in an action line.
pub(crate) const AFTER_ID: &[u8] = b"\"}}\n";

/// An action line up to the id, or all of it without ids.
pub(crate) fn action(index: &str, ids: bool) -> Vec<u8> {
    let mut action = b"{\"create\":{\"_index\":".to_vec();
    escape::quote(&mut action, index);
    action.extend_from_slice(if ids { b",\"_id\":\"" } else { b"}}\n" });
    action
}

/// The open batch of an Elasticsearch destination.
pub(crate) struct Bulk {
    body: Body,
    /// The action line up to the id, or all of it without ids.
    action: Vec<u8>,
    ids: Ids,
    documents: Schemed,
    records: u32,
}

/// Where records' ids go.
enum Ids {
    /// Into the action lines.
    InBody,
    /// Beside the body, packed.
    Beside(Vec<u8>),
}

/// How documents are written.
#[derive(Debug)]
enum Schemed {
    Ecs(Box<Documents>),
    Flat(LineWriter),
}

impl Bulk {
    /// An empty batch for an index or data stream.
    pub(crate) fn new(
        index: &str,
        ids: bool,
        compression: Compression,
        schema: Schema,
        namespace: &str,
    ) -> Result<Self, EncoderError> {
        let documents = match schema {
            Schema::Ecs if !ecs::is_namespace(namespace) => {
                return Err(EncoderError::Namespace(namespace.to_owned()));
            }
            Schema::Ecs => Schemed::Ecs(Box::new(Documents::new(namespace))),
            Schema::Flat => Schemed::Flat(LineWriter::with(Style::Flat)),
        };
        let action = action(index, ids);
        let ids = if ids { Ids::InBody } else { Ids::Beside(Vec::new()) };
        Ok(Self { body: Body::new(level(compression)), action, ids, documents, records: 0 })
    }

    pub(crate) fn encode(&mut self, record: &Redacted<'_, '_>, place: &Place<'_>) -> Encoded {
        let out = self.body.buffer();
        out.extend_from_slice(&self.action);
        match &mut self.ids {
            Ids::InBody => {
                out.extend_from_slice(place.id.text().as_bytes());
                out.extend_from_slice(AFTER_ID);
            }
            Ids::Beside(ids) => place.id.pack(ids),
        }
        match &mut self.documents {
            Schemed::Ecs(documents) => documents.write(&mut self.body, record, place),
            Schemed::Flat(writer) => writer.write_to(&mut self.body, record, Some(place)),
        }
        self.body.buffer().push(b'\n');
        self.body.settle();
        self.records += 1;
        Encoded::Added
    }

    pub(crate) const fn records(&self) -> u32 {
        self.records
    }

    pub(crate) fn plain_bytes(&self) -> usize {
        self.body.plain_bytes()
    }

    pub(crate) fn resident(&self) -> usize {
        let ids = match &self.ids {
            Ids::InBody => 0,
            Ids::Beside(ids) => ids.capacity(),
        };
        let documents = match &self.documents {
            Schemed::Ecs(documents) => documents.resident(),
            Schemed::Flat(_) => 0,
        };
        self.body.resident() + ids + documents
    }

    pub(crate) fn finish(&mut self) -> Option<Payload> {
        let records = std::mem::take(&mut self.records);
        let (body, plain_bytes) = self.body.finish();
        let ids = match &mut self.ids {
            Ids::InBody => Bytes::new(),
            Ids::Beside(ids) => {
                ids.shrink_to_fit();
                std::mem::take(ids).into()
            }
        };
        (records > 0).then(|| Payload { body: body.into(), plain_bytes, records, ids })
    }
}

impl std::fmt::Debug for Bulk {
    /// Sizes only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bulk({} records, {:?})", self.records, self.body)
    }
}

#[cfg(test)]
mod tests;
