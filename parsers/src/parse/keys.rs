//! Are the keys of a record, and of every object in it, unique? Answered while reading, without
//! allocating.

use bumpalo::collections::Vec;

use super::Misfit;
use crate::Arena;

/// Keys that one object may have.
pub(super) const PER_OBJECT: usize = 256;
/// Keys that one record may have, over all its objects.
pub(super) const PER_RECORD: usize = 1024;

/// The keys of the objects that are open at the moment, innermost last.
pub(super) struct Keys<'a> {
    /// Compared first, several at a time.
    hashes: Vec<'a, u32>,
    /// The keys, decoded.
    keys: Vec<'a, &'a str>,
    /// Keys seen in the record.
    seen: usize,
    /// One bit for each hash in the innermost object: a key whose bit is free is a new one.
    bits: u64,
}

/// Where the keys of an open object begin, and what to go back to when it closes.
#[derive(Clone, Copy)]
pub(super) struct Scope {
    base: usize,
    bits: u64,
}

impl Scope {
    /// The outermost object.
    pub(super) const OUTER: Self = Self { base: 0, bits: 0 };
}

impl<'a> Keys<'a> {
    pub(super) fn new(arena: &'a Arena) -> Self {
        Self {
            hashes: Vec::with_capacity_in(32, arena),
            keys: Vec::with_capacity_in(32, arena),
            seen: 0,
            bits: 0,
        }
    }

    /// Begins an object inside the one at hand.
    pub(super) fn open(&mut self) -> Scope {
        Scope { base: self.keys.len(), bits: std::mem::take(&mut self.bits) }
    }

    /// Forgets the keys of an object.
    pub(super) fn close(&mut self, scope: Scope) {
        self.hashes.truncate(scope.base);
        self.keys.truncate(scope.base);
        self.bits = scope.bits;
    }

    /// Adds a key to the innermost object, whose scope it is.
    #[inline]
    pub(super) fn add(&mut self, scope: Scope, key: &'a str) -> Result<(), Misfit> {
        let base = scope.base;
        let hash = hash(key.as_bytes());
        let bit = 1 << (hash >> 26);
        let siblings = self.hashes.get(base..).unwrap_or_default();
        if self.bits & bit != 0 && siblings.contains(&hash) {
            let keys = self.keys.get(base..).unwrap_or_default();
            if keys.iter().zip(siblings).any(|(other, at)| *at == hash && *other == key) {
                return Err(Misfit::DuplicateKey);
            }
        }
        self.seen += 1;
        if siblings.len() >= PER_OBJECT || self.seen > PER_RECORD {
            return Err(Misfit::TooManyKeys);
        }
        self.bits |= bit;
        self.hashes.push(hash);
        self.keys.push(key);
        Ok(())
    }
}

/// Mixes a key's length, its first and its last eight bytes. Keys that are made to collide cost
/// string comparisons, of which the caps allow some 130,000 in a record.
#[inline]
fn hash(key: &[u8]) -> u32 {
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
    let (head, tail) = match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        _ => match (key.first_chunk::<4>(), key.last_chunk::<4>()) {
            (Some(head), Some(tail)) => {
                (u32::from_le_bytes(*head).into(), u32::from_le_bytes(*tail).into())
            }
            _ => (key.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte)), 0),
        },
    };
    let mixed = (head ^ (key.len() as u64)).wrapping_mul(SPREAD) ^ tail;
    (mixed.wrapping_mul(SPREAD) >> 32) as u32
}
