//! From Redacted records to Payloads: one [`Encoder`] per worker and destination holds the open batch
//! in the form that its destination takes, and closes it when told to.
//!
//! The same records added in the same order give the same bytes, whenever and however often: a
//! resent payload must look to the server like the one that it may already have.

pub(crate) mod clock;
pub(crate) mod mappable;
pub(crate) mod names;
pub(crate) mod sink;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod walk;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pillion_parsers::redact::{Clean, Redacted, Rules};

use super::dead_letter::{DeadLetter, Reason};
use super::elasticsearch::bulk::Bulk;
use super::id::{Instance, RecordId};
use super::lines::Lines;
use super::loki::push::Push;
use super::payload::Payload;
use crate::config::settings::{Compression, Destination, DestinationKind, Schema};

/// Where a record came from, and what its source adds to it. Borrowed: nothing of it is copied but
/// into the batch.
#[derive(Clone, Copy, Debug)]
pub struct Place<'m> {
    /// The File's path.
    pub path: &'m Clean,
    /// The host that the agent runs on.
    pub host: &'m Clean,
    /// The source's constant fields.
    pub enrich: &'m Enrich,
    /// The record's identity; its offset is what `log.offset` says.
    pub id: RecordId,
    /// When its bytes were read, nanoseconds since the Unix epoch: its time when it carries none.
    pub read_at: i64,
}

/// A source's constant fields, cleaned once. Encoders keep what they make of one by its number, so
/// make it once per source and not per record.
#[derive(Debug)]
pub struct Enrich {
    number: u64,
    fields: Vec<(Clean, Clean)>,
}

impl Enrich {
    /// The fields, names unique, in the order they are to be written.
    #[must_use]
    pub fn new(fields: Vec<(Clean, Clean)>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { number: NEXT.fetch_add(1, Ordering::Relaxed), fields }
    }

    /// Name and value of each.
    #[must_use]
    pub fn fields(&self) -> &[(Clean, Clean)] {
        &self.fields
    }

    /// The value of the field with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Clean> {
        self.fields.iter().find(|(key, _)| &**key == name).map(|(_, value)| value)
    }

    /// Unlike that of every other `Enrich` of this process.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoded {
    /// It is in the open batch.
    Added,
    /// It is in the open batch, its line cut to the destination's limit and marked `truncated`.
    Cut,
    /// The destination would refuse it: it is a dead letter, handed over with [`Encoder::finish`].
    Refused(Reason),
    /// It is **not** in the open batch, which has no room for another stream: close the batch and
    /// encode the record again. An empty encoder never says this.
    Full,
}

/// What a closed batch leaves.
#[derive(Debug, Default)]
pub struct Closed {
    /// The records added; `None` when there were none.
    pub payload: Option<Payload>,
    /// The records refused.
    pub refused: Vec<DeadLetter>,
}

/// Why a destination cannot be encoded for. For the configuration's check: none of these comes up
/// later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EncoderError {
    /// The namespace would stand where ECS has a field, or is no plain name.
    Namespace(String),
    /// A Loki label's name is not `[a-zA-Z_][a-zA-Z0-9_]*`, begins with `__`, or is over 1,024 bytes.
    LabelName(String),
    /// A Loki label's template has a `{` without its `}`, or an empty place.
    LabelTemplate {
        /// The label.
        label: String,
        /// Its template.
        template: String,
    },
    /// More labels than Loki takes per stream by default, those that pillion adds included.
    TooManyLabels {
        /// How many there would be.
        labels: usize,
        /// How many there may be.
        limit: usize,
    },
}

impl std::fmt::Display for EncoderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Namespace(name) => write!(
                f,
                "`{name}` cannot be the namespace: it must be letters, digits, `_` and `-`, begin \
                 with a letter, and not be a name that ECS gives to something else"
            ),
            Self::LabelName(name) => write!(
                f,
                "`{name}` is no label name: Loki takes letters, digits and `_`, not beginning with \
                 a digit or `__`, up to 1024 bytes"
            ),
            Self::LabelTemplate { label, template } => write!(
                f,
                "the template of label `{label}`, `{template}`, has a `{{` without a field name \
                 and `}}` after it"
            ),
            Self::TooManyLabels { labels, limit } => write!(
                f,
                "a stream would have {labels} labels (`service_name` and `filename` are added when \
                 absent); Loki takes {limit}: leave the others to structured metadata"
            ),
        }
    }
}

impl std::error::Error for EncoderError {}

/// The open batch of one worker for one destination.
#[derive(Debug)]
pub struct Encoder {
    kind: Kind,
    /// Ids that travel beside a body are packed without their instance: all must be of this one.
    instance: Instance,
}

#[derive(Debug)]
enum Kind {
    Bulk(Bulk),
    Push(Push),
    Lines(Lines),
}

impl Encoder {
    /// An empty encoder.
    ///
    /// `schema` and `namespace` count for Elasticsearch only; by `rules`, the text that the destination's
    /// own settings add to records is redacted too: Loki's labels. `instance` is the agent's.
    ///
    /// # Errors
    /// When the settings name something the destination would refuse.
    pub fn new(
        destination: &Destination,
        schema: Schema,
        namespace: &str,
        rules: &Arc<Rules>,
        instance: Instance,
    ) -> Result<Self, EncoderError> {
        let kind = match &destination.kind {
            DestinationKind::Elasticsearch(server) => Kind::Bulk(Bulk::new(
                &server.index,
                server.ids,
                destination.compression,
                schema,
                namespace,
            )?),
            DestinationKind::Loki(server) => {
                Kind::Push(Push::new(server, destination.compression, rules)?)
            }
            DestinationKind::Console | DestinationKind::File { .. } => {
                Kind::Lines(Lines::default())
            }
        };
        Ok(Self { kind, instance })
    }

    /// Adds a record to the open batch. Its id must be of the encoder's instance.
    pub fn encode(&mut self, record: &Redacted<'_, '_>, place: &Place<'_>) -> Encoded {
        debug_assert_eq!(place.id.instance, self.instance, "one agent is one instance");
        match &mut self.kind {
            Kind::Bulk(bulk) => bulk.encode(record, place),
            Kind::Push(push) => push.encode(record, place),
            Kind::Lines(lines) => lines.encode(record, place),
        }
    }

    /// Records in the open batch, refused ones not counted.
    #[must_use]
    pub fn records(&self) -> u32 {
        match &self.kind {
            Kind::Bulk(bulk) => bulk.records(),
            Kind::Push(push) => push.records(),
            Kind::Lines(lines) => lines.records(),
        }
    }

    /// Bytes of the open batch before compression.
    #[must_use]
    pub fn plain_bytes(&self) -> usize {
        match &self.kind {
            Kind::Bulk(bulk) => bulk.plain_bytes(),
            Kind::Push(push) => push.plain_bytes(),
            Kind::Lines(lines) => lines.plain_bytes(),
        }
    }

    /// Bytes of memory taken, compressor and refused records included. Asked for per chunk: costs
    /// nothing.
    #[must_use]
    pub fn resident(&self) -> usize {
        match &self.kind {
            Kind::Bulk(bulk) => bulk.resident(),
            Kind::Push(push) => push.resident(),
            Kind::Lines(lines) => lines.resident(),
        }
    }

    /// Whether there is nothing to close: neither added nor refused records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.kind {
            Kind::Bulk(bulk) => bulk.records() == 0,
            Kind::Push(push) => push.is_empty(),
            Kind::Lines(lines) => lines.records() == 0,
        }
    }

    /// Closes the open batch; the encoder is empty afterwards.
    pub fn finish(&mut self) -> Closed {
        match &mut self.kind {
            Kind::Bulk(bulk) => Closed { payload: bulk.finish(), refused: Vec::new() },
            Kind::Push(push) => push.finish(),
            Kind::Lines(lines) => Closed { payload: lines.finish(), refused: Vec::new() },
        }
    }
}

/// flate2's level for a setting; `None` is no compression.
pub(crate) fn level(compression: Compression) -> Option<flate2::Compression> {
    match compression {
        Compression::Fast => Some(flate2::Compression::new(1)),
        Compression::Small => Some(flate2::Compression::new(6)),
        Compression::None => None,
    }
}
