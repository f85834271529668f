//! Are the keys of a record, and of every object in it, unique? Answered while reading, without
//! allocating.

use bumpalo::collections::Vec;

use super::Misfit;
use crate::Arena;
use crate::record::Text;

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

/// Keys at a place in a record.
#[derive(Clone, Copy)]
pub(super) struct Here {
    scope: Scope,
    seen: usize,
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

    /// What [`Keys::back`] goes back to.
    pub(super) fn here(&self) -> Here {
        Here { scope: Scope { base: self.keys.len(), bits: self.bits }, seen: self.seen }
    }

    /// Forgets the keys that came since, those of objects that were left open too.
    pub(super) fn back(&mut self, here: Here) {
        self.close(here.scope);
        self.seen = here.seen;
    }

    /// The hash of the key that was added last.
    #[inline]
    pub(super) fn newest(&self) -> u32 {
        self.hashes.last().copied().unwrap_or_default()
    }

    /// Whether a name of that hash may be among those of the innermost object.
    #[inline]
    pub(super) fn meets(&self, hash: u32) -> bool {
        self.bits & bit(hash) != 0 && position(&self.hashes, hash).is_some()
    }

    /// Adds a name to those that [`Keys::meets`] knows.
    #[inline]
    pub(super) fn note(&mut self, hash: u32) {
        self.bits |= bit(hash);
        self.hashes.push(hash);
    }

    /// Adds a key to the innermost object, whose scope it is.
    #[inline(always)]
    pub(super) fn add(&mut self, scope: Scope, key: &'a str) -> Result<(), Misfit> {
        let base = scope.base;
        let hash = hash(key.as_bytes());
        let bit = bit(hash);
        let siblings = self.hashes.get(base..).unwrap_or_default();
        if self.bits & bit != 0 && self.is_there(base, hash, key) {
            return Err(Misfit::DuplicateKey);
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

    /// The same of a key of the outermost object that may come again: the next is called `key_2`. Gives
    /// what it is called.
    #[inline(always)]
    pub(super) fn add_again(&mut self, key: &'a str, arena: &'a Arena) -> Result<Text<'a>, Misfit> {
        match self.add(Scope::OUTER, key) {
            Ok(()) => Ok(Text::raw(key)),
            Err(Misfit::DuplicateKey) => self.again(Scope::OUTER, key, arena).map(Text::built),
            Err(misfit) => Err(misfit),
        }
    }

    /// Adds a key that the innermost object has already, by the name that it gets: the second `user` is
    /// called `user_2`.
    #[cold]
    pub(super) fn again(
        &mut self,
        scope: Scope,
        key: &'a str,
        arena: &'a Arena,
    ) -> Result<&'a str, Misfit> {
        let is_again = |other: &&&str| {
            let number = other.strip_prefix(key).map(|rest| rest.strip_prefix('_').unwrap_or(rest));
            number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        };
        // Those before it mostly have the numbers up to theirs.
        let siblings = self.keys.get(scope.base..).unwrap_or_default();
        let mut number = 1 + siblings.iter().filter(is_again).count();
        loop {
            let name = numbered(key, number, arena);
            match self.add(scope, name) {
                Err(Misfit::DuplicateKey) => number += 1,
                added => return added.map(|()| name),
            }
        }
    }

    /// Whether a key is among those from a place on.
    #[inline(never)]
    fn is_there(&self, base: usize, hash: u32, key: &str) -> bool {
        let siblings = self.hashes.get(base..).unwrap_or_default();
        let keys = self.keys.get(base..).unwrap_or_default();
        position(siblings, hash).is_some()
            && keys.iter().zip(siblings).any(|(other, at)| *at == hash && is_same(other, key))
    }
}

/// A name with a number behind it.
fn numbered<'a>(key: &str, number: usize, arena: &'a Arena) -> &'a str {
    let mut name = bumpalo::collections::String::with_capacity_in(key.len() + 4, arena);
    name.push_str(key);
    name.push('_');
    let mut place = 1;
    while number / place > 9 {
        place *= 10;
    }
    while place > 0 {
        name.push(char::from(b'0' + (number / place % 10) as u8));
        place /= 10;
    }
    name.into_bump_str()
}

/// Whether two names are the same: nearly all are so short that a call would take longer.
#[inline]
pub(super) fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    match (one.first_chunk::<8>(), one.last_chunk::<8>()) {
        (Some(head), Some(tail)) if one.len() <= 16 => {
            Some(head) == other.first_chunk() && Some(tail) == other.last_chunk()
        }
        (None, None) => match (one.first_chunk::<4>(), one.last_chunk::<4>()) {
            (Some(head), Some(tail)) => {
                Some(head) == other.first_chunk() && Some(tail) == other.last_chunk()
            }
            _ => one.iter().eq(other),
        },
        _ => one == other,
    }
}

/// One bit for a hash: where none of a set has it, the hash is not of the set.
#[inline]
pub(super) const fn bit(hash: u32) -> u64 {
    1 << (hash >> 26)
}

/// Where the first such hash is, looked for several at a time.
#[inline]
pub(super) fn position(hashes: &[u32], hash: u32) -> Option<usize> {
    const AT_ONCE: usize = 8;
    let (eights, rest) = hashes.as_chunks::<AT_ONCE>();
    let is_it = |other: &u32| *other == hash;
    for (number, eight) in eights.iter().enumerate() {
        if eight.iter().fold(false, |found, other| found | is_it(other)) {
            return eight.iter().position(is_it).map(|at| number * AT_ONCE + at);
        }
    }
    rest.iter().position(is_it).map(|at| eights.len() * AT_ONCE + at)
}

/// Mixes a key's length, its first and its last eight bytes. Keys that are made to collide cost
/// string comparisons, of which the caps allow some 130,000 in a record.
#[inline]
pub(super) fn hash(key: &[u8]) -> u32 {
    let (head, tail) = match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        _ => match (key.first_chunk::<4>(), key.last_chunk::<4>()) {
            (Some(head), Some(tail)) => {
                (u32::from_le_bytes(*head).into(), u32::from_le_bytes(*tail).into())
            }
            _ => (key.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte)), 0),
        },
    };
    mix(head, tail, key.len())
}

/// The hash of two names with a dot between, without putting them together: what has just been put
/// together cannot be read at once.
#[inline]
pub(super) fn hash_dotted(object: &str, member: &str) -> u32 {
    let (object, member) = (object.as_bytes(), member.as_bytes());
    let len = object.len() + 1 + member.len();
    if len < 8 {
        let mut name = [0; 8];
        let bytes = object.iter().chain(b".").chain(member);
        name.iter_mut().zip(bytes).for_each(|(to, byte)| *to = *byte);
        return hash(name.get(..len).unwrap_or_default());
    }
    let dot = u64::from(b'.');
    let head = match object.first_chunk::<8>() {
        Some(head) => u64::from_le_bytes(*head),
        None => {
            let bits = 8 * object.len();
            let first = member.first_chunk::<8>().map_or_else(|| word(member), le);
            word(object) | dot << bits | first.checked_shl(bits as u32 + 8).unwrap_or(0)
        }
    };
    let tail = match member.last_chunk::<8>() {
        Some(tail) => u64::from_le_bytes(*tail),
        None => {
            let before = object.last_chunk::<8>().map_or_else(|| high(object), le);
            let before = dot << 56 | before >> 8;
            high(member) | before >> (8 * member.len())
        }
    };
    mix(head, tail, len)
}

#[inline]
fn mix(head: u64, tail: u64, len: usize) -> u32 {
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mixed = (head ^ (len as u64)).wrapping_mul(SPREAD) ^ tail;
    (mixed.wrapping_mul(SPREAD) >> 32) as u32
}

fn le(bytes: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*bytes)
}

/// Fewer than eight bytes, the first in the lowest place.
#[inline]
fn word(bytes: &[u8]) -> u64 {
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(head), Some(tail)) => {
            let (head, tail) = (u32::from_le_bytes(*head), u32::from_le_bytes(*tail));
            u64::from(head) | u64::from(tail) << (8 * (bytes.len() & 7) - 32)
        }
        _ => bytes.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte)),
    }
}

/// The same, the last in the highest place.
#[inline]
fn high(bytes: &[u8]) -> u64 {
    word(bytes).checked_shl(64 - 8 * bytes.len() as u32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_gets_a_number() {
        let arena = Arena::new();
        let mut keys = Keys::new(&arena);
        let names = ["a", "b", "a", "a_2", "a", "ab", "ab", "a_x", "a", "a_5", "a_5", ""];
        let called =
            names.map(|name| keys.add_again(name, &arena).map(|key| key.as_stored().to_owned()));
        let expect =
            ["a", "b", "a_2", "a_2_2", "a_3", "ab", "ab_2", "a_x", "a_4", "a_5", "a_5_2", ""];
        assert_eq!(called, expect.map(|name| Ok(name.to_owned())));
        let more = (0..400).filter(|_| keys.add_again("b", &arena).is_ok()).count();
        assert_eq!(more, PER_OBJECT - names.len());
    }

    #[test]
    fn hashes_are_found_where_they_are() {
        let hashes: [u32; 20] = std::array::from_fn(|number| number as u32 % 18);
        for len in 0..=hashes.len() {
            let some = hashes.get(..len).unwrap_or_default();
            for hash in 0..20 {
                let found = some.iter().position(|other| *other == hash);
                assert_eq!(position(some, hash), found, "{hash} among {len}");
            }
        }
    }

    #[test]
    fn names_are_the_same_in_every_byte() {
        let letters = "abcdefghijklmnopqrstuvwxyz";
        for len in 0..=letters.len() {
            let one = &letters[..len];
            assert!(is_same(one, one));
            assert!(!is_same(one, "abcdefghijklmnopqrstuvwxyz0"));
            for at in 0..len {
                let other = format!("{}_{}", &one[..at], &one[at + 1..]);
                assert!(!is_same(one, &other), "{other}");
            }
        }
    }

    #[test]
    fn two_names_with_a_dot_have_the_hash_of_the_whole() {
        let letters = "abcdefghijklmnopqrstuvwxyz";
        for object in 0..=20 {
            for member in 0..=20 {
                let (object, member) = (&letters[..object], &letters[25 - member..25]);
                let whole = format!("{object}.{member}");
                assert_eq!(hash_dotted(object, member), hash(whole.as_bytes()), "{whole}");
            }
        }
    }
}
