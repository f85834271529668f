//! The second test of a key: whether some name stands at its end, letter by letter, however its words are
//! joined and wherever they part.

use super::super::bytes::{FOREIGN, LOWER, UPPER, is};
use super::is_member;

/// Bytes that are looked at, from a key's end.
const LONGEST: usize = 64;

/// Bits of each set.
const BITS: u32 = 16;

/// Bytes before a name in which an escape or a colour may end: then its first letter may be its own though a
/// letter stands before it.
const ODD: usize = 7;

/// What may stand before a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Anything: it may be the end of a longer word.
    Anything,
    /// No letter, unless a word begins with its first.
    NoLetter,
    /// Nothing that names are made of.
    Nothing,
}

/// Names, read from their last letter on: a bit for each (hashed) part that some of them begin with so, and one
/// for each whole one.
pub(super) struct Tails {
    /// For each letter that is read, one place of memory is looked at.
    sets: Box<[Sets]>,
    /// Whether there is a name without a letter.
    pub(super) nameless: bool,
}

impl Default for Tails {
    fn default() -> Self {
        let sets = vec![Sets::default(); 1 << (BITS - 6)];
        Self { sets: sets.into_boxed_slice(), nameless: false }
    }
}

/// Of 64 hashes, which are parts of names and which whole ones.
#[derive(Clone, Copy, Default)]
struct Sets {
    /// Parts, whole ones among them.
    parts: u64,
    /// Whole ones, by what may stand before.
    whole: [u64; 3],
}

impl Sets {
    /// Whether that of a bit is a whole one.
    #[inline]
    const fn has_whole(&self, bit: u64) -> bool {
        (self.whole[0] | self.whole[1] | self.whole[2]) & bit != 0
    }
}

/// One letter more.
#[inline]
const fn hashed(hash: u64, letter: u8) -> u64 {
    (hash ^ (letter & 0x1f) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23)
}

/// Bytes of other scripts are letters.
#[inline]
const fn is_letter(byte: u8) -> bool {
    is(byte, UPPER | LOWER | FOREIGN)
}

/// Blanks, dashes and what is not seen, that are not of ASCII.
pub(super) fn parts_words(letter: char) -> bool {
    !letter.is_ascii()
        && (letter.is_whitespace()
            || matches!(letter, '\u{ad}' | '\u{2000}'..='\u{206f}' | '\u{feff}'))
}

/// Where a hash has its bit.
#[inline]
const fn slot(hash: u64) -> (usize, u64) {
    let slot = hash >> (64 - BITS);
    (slot as usize / 64, 1 << (slot % 64))
}

/// Pairs of letters that short names end in.
#[derive(Default)]
pub(super) struct Pairs([u64; 16]);

impl Pairs {
    /// Adds the last two bytes of a name of `known` bytes: of one, anything stands before.
    pub(super) fn add(&mut self, second: u8, last: u8, known: usize) {
        for other in 0..32 {
            self.set(if known < 2 { other } else { second }, last);
        }
    }

    fn set(&mut self, second: u8, last: u8) {
        let (word, bit) = Self::slot(second, last);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    /// Whether some short name ends like this.
    #[inline]
    pub(super) fn has(&self, second: u8, last: u8) -> bool {
        let (word, bit) = Self::slot(second, last);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    const fn slot(second: u8, last: u8) -> (usize, u64) {
        let slot = (second as usize & 0x1f) << 5 | last as usize & 0x1f;
        (slot / 64, 1 << (slot % 64))
    }
}

impl Tails {
    /// Adds a name.
    pub(super) fn add(&mut self, name: &[u8], before: Before) {
        let mut hash = 0;
        for &letter in name.iter().rev().filter(|byte| is_letter(**byte)) {
            hash = hashed(hash, letter);
            let (at, bit) = slot(hash);
            if let Some(sets) = self.sets.get_mut(at) {
                sets.parts |= bit;
            }
        }
        self.nameless |= hash == 0;
        let (at, bit) = slot(hash);
        let whole = self.sets.get_mut(at).and_then(|sets| sets.whole.get_mut(before as usize));
        if let Some(whole) = whole {
            *whole |= bit;
        }
    }

    /// What is known of this hash, and its bit, if it is that of a part of a name.
    #[inline]
    fn known(&self, hash: u64) -> Option<(&Sets, u64)> {
        let (at, bit) = slot(hash);
        let sets = self.sets.get(at).filter(|sets| sets.parts & bit != 0)?;
        Some((sets, bit))
    }

    /// Whether a key may end in a name, given the text up to its end.
    pub(super) fn has(&self, text: &[u8]) -> bool {
        let last = text.len().saturating_sub(LONGEST);
        let mut hash = 0;
        for at in (last..text.len()).rev() {
            let byte = text.get(at).copied().unwrap_or_default();
            if !is_letter(byte) {
                continue;
            }
            hash = hashed(hash, byte);
            let Some((sets, bit)) = self.known(hash) else { return self.nameless };
            if sets.has_whole(bit) && begins(text, at, sets.whole.map(|whole| whole & bit != 0)) {
                return true;
            }
        }
        last > 0 || self.nameless
    }

    /// Whether no key ends in a name that goes on, or ends, like this.
    pub(super) fn has_none(&self, last: &[u8]) -> bool {
        let mut hash = 0;
        for &byte in last.iter().rev().filter(|byte| is_letter(**byte)) {
            hash = hashed(hash, byte);
            let Some((sets, bit)) = self.known(hash) else { return !self.nameless };
            if sets.has_whole(bit) {
                return false;
            }
        }
        false
    }
}

/// Whether what has been read is a name, and may begin there.
#[inline]
fn begins(text: &[u8], at: usize, [any, no_letter, nothing]: [bool; 3]) -> bool {
    if any {
        return true;
    }
    if !no_letter && !nothing {
        return false;
    }
    let before = text.get(at.saturating_sub(ODD)..at).unwrap_or_default();
    let run = before.iter().rposition(|byte| !byte.is_ascii_alphanumeric());
    let is_odd = match run.and_then(|at| before.get(at)) {
        Some(b'\\' | b'%' | b'[' | b';' | 0x80..) => true,
        _ => before.last().is_some_and(u8::is_ascii_digit),
    };
    if is_odd || before.last().is_none_or(|&byte| !is_member(byte)) {
        return true;
    }
    let letter = before.last().is_some_and(u8::is_ascii_alphabetic);
    no_letter && (!letter || text.get(at).is_some_and(u8::is_ascii_uppercase))
}
