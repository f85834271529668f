//! A field that is one of some words: levels, mostly.

use super::literal::Head;
use crate::parse::convert::Leveller;
use crate::parse::names;
use crate::record::Level;

/// Words, sorted by a part of their first bytes; those with the same, in the order they are tried.
#[derive(Debug, PartialEq)]
pub(super) struct Words {
    words: Box<[Word]>,
    /// Where those begin whose first bytes have the same part, by that.
    from: [u16; PARTS],
}

/// One of them.
#[derive(Debug, PartialEq)]
pub(super) struct Word {
    pub(super) text: &'static str,
    /// The level that it means, if that is all it gives.
    pub(super) level: Option<Level>,
    head: Head,
}

/// Parts of first bytes that are told apart: their lowest five bits, so that letters are.
const PARTS: usize = 32;

/// The part that a first byte has.
#[inline]
fn part(first: u8) -> usize {
    usize::from(first) % PARTS
}

impl Words {
    /// From words with bars between.
    pub(super) fn new(words: &str, leveller: &Leveller) -> Self {
        let word = |word: &str| Word {
            text: names::keep(word),
            level: leveller.level(word).filter(|_| leveller.kept(word).is_none()),
            head: Head::of(word.as_bytes()),
        };
        let mut words: Box<[Word]> = words.split('|').map(word).collect();
        words.sort_by_key(Word::part);
        let mut from = [u16::MAX; PARTS];
        for (at, word) in (0..u16::MAX).zip(&words).rev() {
            if let Some(from) = word.part().and_then(|part| from.get_mut(part)) {
                *from = at;
            }
        }
        Self { words, from }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.words.iter().map(|word| word.text)
    }

    /// The first of them that `bytes` begin with.
    #[inline]
    pub(super) fn find(&self, bytes: &[u8]) -> Option<&Word> {
        let part = bytes.first().map(|first| part(*first));
        let from = part.and_then(|part| self.from.get(part)).map_or(usize::MAX, |at| (*at).into());
        let head = Head::of(bytes);
        for word in self.words.get(from..).unwrap_or_default() {
            if word.head.begins(word.text.as_bytes(), bytes, head) {
                return Some(word);
            }
            if word.part() != part {
                break;
            }
        }
        // One that is empty is what everything begins with.
        self.words.first().filter(|word| word.text.is_empty())
    }
}

impl Word {
    #[inline]
    fn part(&self) -> Option<usize> {
        self.text.as_bytes().first().map(|first| part(*first))
    }
}
