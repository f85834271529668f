//! The rare path: what is done to a payload after a server took only part of it, or none. Payloads
//! are taken apart by position and put together again with each record's bytes unchanged.

mod lined;
mod streamed;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::io;

use super::dead_letter::{DeadLetter, Reason};
use super::encode::level;
use super::id::{Instance, RecordId};
use super::loki::push::labels::LabelFields;
use super::payload::Payload;
use crate::config::memory::{COMPRESSOR, DECOMPRESSOR};
use crate::config::settings::{Destination, DestinationKind};

use lined::{Action, Lined};
use streamed::Streamed;
pub(crate) use streamed::take_field;

/// Takes the payloads of one destination apart. How their records are laid out, they say themselves:
/// those from a disk buffer may have been encoded with other settings. It is
/// work per byte, as encoding was, on whoever's thread calls; beside the payloads that it gives, it
/// takes a compressor's and a decompressor's memory (half a MiB) for Elasticsearch, and the plain payload for Loki.
#[derive(Clone, Debug)]
pub struct Rewriter {
    form: Form,
    instance: Instance,
}

/// How a destination's payloads are laid out.
#[derive(Clone, Debug)]
enum Form {
    Lined(Lined),
    Streamed(Streamed),
}

/// Where a payload may be cut in two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Between any two records; between two streams, where there are.
    Records,
    /// Only between two streams.
    Streams,
}

impl Rewriter {
    /// A rewriter for the payloads of [`Encoder::new`](super::encode::Encoder::new) for the same
    /// kind of destination and compression, whatever its other arguments were.
    #[must_use]
    pub fn new(destination: &Destination, instance: Instance) -> Self {
        let form = match &destination.kind {
            DestinationKind::Elasticsearch(server) => Form::Lined(Lined {
                level: level(destination.compression),
                action: Some(Action::new(&server.index, server.ids)),
            }),
            DestinationKind::Loki(server) => Form::Streamed(Streamed {
                format: server.format,
                level: level(destination.compression),
                labels: LabelFields::new(&server.labels),
            }),
            DestinationKind::Console | DestinationKind::File { .. } => {
                Form::Lined(Lined { level: None, action: None })
            }
        };
        Self { form, instance }
    }

    /// The payload with only the records at positions for which `keep` holds, in their order; `None`
    /// when there are none. `keep` is asked once per position, in order.
    ///
    /// # Errors
    /// When the payload is not what this destination's encoder makes.
    pub fn select(
        &self,
        payload: &Payload,
        mut keep: impl FnMut(u32) -> bool,
    ) -> io::Result<Option<Payload>> {
        let kept: Vec<bool> = (0..payload.records).map(&mut keep).collect();
        let keeps = |position: u32| kept.get(position as usize).copied().unwrap_or(false);
        let records = (0..payload.records).filter(|position| keeps(*position)).count();
        if records == 0 {
            return Ok(None);
        }
        let (body, plain_bytes) = match &self.form {
            Form::Lined(form) => form.select(payload, keeps)?,
            Form::Streamed(form) => form.select(payload, keeps)?,
        };
        Ok(Some(Payload {
            body: body.into(),
            plain_bytes,
            records: u32::try_from(records).map_err(io::Error::other)?,
            ids: self.select_ids(payload, keeps).into(),
        }))
    }

    /// Two payloads that together hold the records of one, the first those before the second's: at
    /// the border of two streams where there is one, else in the middle. `None` for one record, or for
    /// one stream if only streams may be parted.
    ///
    /// # Errors
    /// When the payload is not what this destination's encoder makes.
    pub fn split(&self, payload: &Payload, cut: Cut) -> io::Result<Option<(Payload, Payload)>> {
        let border = match &self.form {
            Form::Lined(_) => None,
            Form::Streamed(form) => form.border(payload)?,
        };
        let middle = match (border, cut) {
            (Some(border), _) => border,
            (None, Cut::Records) => payload.records / 2,
            (None, Cut::Streams) => return Ok(None),
        };
        let first = self.select(payload, |position| position < middle)?;
        let second = self.select(payload, |position| position >= middle)?;
        Ok(first.zip(second))
    }

    /// Whether a payload was encoded for another index than the destination has now, or with its ids
    /// in another place. The first line tells.
    ///
    /// # Errors
    /// When the payload is not what this kind of destination's encoder makes.
    pub fn leads_elsewhere(&self, payload: &Payload) -> io::Result<bool> {
        match &self.form {
            Form::Lined(form) => form.leads_elsewhere(payload),
            Form::Streamed(_) => Ok(false),
        }
    }

    /// The payload for the index that the destination has now, with its ids where they are now.
    ///
    /// # Errors
    /// When the payload is not what this kind of destination's encoder makes.
    pub fn readdress(&self, payload: &Payload) -> io::Result<Payload> {
        match &self.form {
            Form::Lined(form) => form.readdress(payload, self.instance),
            Form::Streamed(_) => Ok(payload.clone()),
        }
    }

    /// Bytes that a payload takes while its records are read, beside itself: streams are decompressed
    /// whole.
    #[must_use]
    pub fn reading(&self, payload: &Payload) -> usize {
        match &self.form {
            Form::Lined(_) => 0,
            Form::Streamed(_) => payload.plain_bytes,
        }
    }

    /// Bytes that taking a payload apart takes beside it, with what comes out.
    #[must_use]
    pub fn rewriting(&self, payload: &Payload) -> usize {
        let beside = match &self.form {
            Form::Lined(Lined { level: Some(_), .. }) => COMPRESSOR + DECOMPRESSOR,
            Form::Lined(Lined { level: None, .. }) => 0,
            Form::Streamed(_) => payload.plain_bytes.saturating_mul(2).saturating_add(COMPRESSOR),
        };
        payload.resident().saturating_add(beside)
    }

    /// Dead letters for the records at positions from `from` on for which `reason` gives one, in
    /// their order, up to the first with which they have `most` bytes; and the position after the
    /// last.
    ///
    /// A letter holds the Record's own names again. What the destination's form had changed stays
    /// so: numbers that Elasticsearch has no type for are strings; for Loki, all values are strings,
    /// names are normalised, and the time is that of the entry. What a label's template adds of its own
    /// is left out: it is added again.
    ///
    /// # Errors
    /// When the payload is not what this destination's encoder makes.
    pub fn dead_letters(
        &self,
        payload: &Payload,
        from: u32,
        most: usize,
        reason: impl Fn(u32) -> Option<Reason>,
    ) -> io::Result<(Vec<DeadLetter>, u32)> {
        let mut ids = payload.ids.as_ref();
        let (mut letters, end, bytes) = (Vec::new(), Cell::new(from), Cell::new(0));
        let reason = |position| {
            if position >= from && bytes.get() < most { reason(position) } else { None }
        };
        let mut add = |position: u32, id: Option<String>, record: &mut dyn FnMut() -> String| {
            let packed = RecordId::unpack(&mut ids, self.instance);
            if let Some(reason) = reason(position) {
                let packed = || packed.map(|id| id.text().to_string());
                let id = id.or_else(packed).unwrap_or_default();
                let letter = DeadLetter { id, reason, record: record() };
                bytes.set(bytes.get() + letter.resident());
                end.set(position + 1);
                letters.push(letter);
            }
        };
        let wanted = |position: u32| reason(position).is_some();
        match &self.form {
            Form::Lined(form) => form.records(payload, wanted, &mut add)?,
            Form::Streamed(form) => form.records(payload, &mut add)?,
        }
        Ok((letters, end.get()))
    }

    /// The packed ids of the records that are kept.
    fn select_ids(&self, payload: &Payload, keeps: impl Fn(u32) -> bool) -> Vec<u8> {
        let mut rest = payload.ids.as_ref();
        let mut ids = Vec::new();
        for position in 0..payload.records {
            let Some(id) = RecordId::unpack(&mut rest, self.instance) else { break };
            if keeps(position) {
                id.pack(&mut ids);
            }
        }
        ids
    }
}

/// Told of each record: its position, its id if the body has it, and how to get its line.
type Add<'a> = dyn FnMut(u32, Option<String>, &mut dyn FnMut() -> String) + 'a;

/// The error for a payload that is not what it should be.
fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
