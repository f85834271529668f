//! Dead letters as their file has them, read back.

use serde::de::IgnoredAny;

use super::Reason;
use crate::export::encode::walk::{Members, unquoted};
use crate::export::id::RecordId;

/// A dead letter, as a line of its file has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptLetter<'l> {
    /// The record's id.
    pub id: RecordId,
    /// Why it is here; `None` for a reason that only another version of pillion has.
    pub reason: Option<Reason>,
    /// The redacted Record, as [`lines`](crate::export::lines) writes it.
    pub record: &'l str,
}

impl<'l> KeptLetter<'l> {
    /// Reads a line. `None` for what is no dead letter, or damaged.
    #[must_use]
    pub fn read(line: &'l [u8]) -> Option<Self> {
        let line = str::from_utf8(line).ok()?;
        serde_json::from_str::<IgnoredAny>(line).ok()?;
        let (mut id, mut reason, mut record) = (None, None, None);
        for (key, value) in Members::of(line) {
            match key {
                "id" => id = RecordId::parse(unquoted(value)?),
                "reason" => reason = Reason::from_name(unquoted(value)?),
                "record" => record = Some(value),
                _ => {}
            }
        }
        Some(Self { id: id?, reason, record: record? })
    }
}
