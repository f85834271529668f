//! Keeps a part of the records, always the same ones: by a hash of what a record is, never by chance,
//! so that a record that is read again after a restart meets the same fate.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::template::push;
use crate::record::Record;

/// What tells a record from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Number of the File that it begins in.
    pub file: u64,
    /// Where it begins there.
    pub offset: u64,
    /// Hash of its bytes.
    pub hash: u32,
}

/// Which part of the records is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Hashes up to this one.
    upto: u64,
    /// Records with equal values of this field are all kept, or none is.
    key: Option<String>,
}

impl Sample {
    /// Keeps a share of the records: above 0, and at most 1.
    #[must_use]
    pub fn rate(rate: f64, key: Option<String>) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of what is too large or too small gives the largest or the smallest"
        )]
        let upto = (rate * 18_446_744_073_709_551_616.0) as u64;
        Self { upto: upto.saturating_sub(u64::from(upto < u64::MAX)), key }
    }

    /// Keeps one record in so many.
    #[must_use]
    pub const fn one_in(many: u64, key: Option<String>) -> Self {
        let many = if many == 0 { 1 } else { many };
        Self { upto: u64::MAX / many, key }
    }

    /// The field that records go together by.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Whether a record is kept. Records without the field go by themselves.
    pub(super) fn keeps(
        &self,
        step: &str,
        identity: Identity,
        record: &Record<'_>,
        text: &mut String,
    ) -> bool {
        text.clear();
        if let Some(key) = &self.key {
            push(record, key, text);
        }
        let hash = if text.is_empty() {
            let Identity { file, offset, hash } = identity;
            let mut bytes = [0; 20];
            bytes[..8].copy_from_slice(&file.to_le_bytes());
            bytes[8..16].copy_from_slice(&offset.to_le_bytes());
            bytes[16..].copy_from_slice(&hash.to_le_bytes());
            // Steps that follow each other choose apart.
            xxh3_64_with_seed(&bytes, xxh3_64(step.as_bytes()))
        } else {
            // The same everywhere: a trace is kept by all agents, or by none.
            xxh3_64(text.as_bytes())
        };
        hash <= self.upto
    }
}
