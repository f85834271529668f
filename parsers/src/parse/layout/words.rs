//! A field that is one of some words: levels, mostly.

use crate::parse::convert::Leveller;
use crate::parse::names;
use crate::record::Level;

/// Words, in the order they are tried.
#[derive(Debug, PartialEq)]
pub(super) struct Words(Box<[Word]>);

/// One of them.
#[derive(Debug, PartialEq)]
pub(super) struct Word {
    pub(super) text: &'static str,
    /// The level that it means.
    pub(super) level: Option<Level>,
    /// Its first bytes.
    head: u64,
}

/// Bytes that are compared at once.
const AT_ONCE: usize = 8;

impl Words {
    /// From words with bars between.
    pub(super) fn new(words: &str, leveller: &Leveller) -> Self {
        let word = |word: &str| Word {
            text: names::keep(word),
            level: leveller.level(word),
            head: head(word.as_bytes()),
        };
        Self(words.split('|').map(word).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|word| word.text)
    }

    /// The first of them that `bytes` begin with.
    #[inline]
    pub(super) fn find(&self, bytes: &[u8]) -> Option<&Word> {
        let found = head(bytes);
        self.0.iter().find(|word| {
            let len = word.text.len();
            let differ = (word.head ^ found) & mask(len) != 0;
            // A text that is shorter than a word has zeros in its place, and is none.
            !differ
                && len <= bytes.len()
                && (len <= AT_ONCE || bytes.starts_with(word.text.as_bytes()))
        })
    }
}

/// The first bytes, and zeros.
#[inline]
fn head(bytes: &[u8]) -> u64 {
    match bytes.first_chunk() {
        Some(head) => u64::from_le_bytes(*head),
        None => bytes.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte)),
    }
}

/// The bits of so many bytes.
#[inline]
const fn mask(len: usize) -> u64 {
    if len >= AT_ONCE { u64::MAX } else { !(u64::MAX << (8 * len)) }
}
