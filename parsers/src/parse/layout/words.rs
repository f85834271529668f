//! A field that is one of some words: levels, mostly.

use super::literal::Head;
use crate::parse::convert::Leveller;
use crate::parse::names;
use crate::record::Level;

/// Words, sorted by their first bytes; those with the same, in the order they are tried.
#[derive(Debug, PartialEq)]
pub(super) struct Words(Box<[Word]>);

/// One of them.
#[derive(Debug, PartialEq)]
pub(super) struct Word {
    pub(super) text: &'static str,
    /// The level that it means, if that is all it gives.
    pub(super) level: Option<Level>,
    head: Head,
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
        words.sort_by_key(Word::first);
        Self(words)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|word| word.text)
    }

    /// The first of them that `bytes` begin with.
    #[inline]
    pub(super) fn find(&self, bytes: &[u8]) -> Option<&Word> {
        let (head, first) = (Head::of(bytes), bytes.first().copied());
        let from = self.0.partition_point(|word| word.first() < first);
        let words = self.0.get(from..)?.iter().take_while(|word| word.first() == first);
        let found =
            words.into_iter().find(|word| word.head.begins(word.text.as_bytes(), bytes, head));
        // One that is empty is what everything begins with.
        found.or_else(|| self.0.first().filter(|word| word.text.is_empty()))
    }
}

impl Word {
    #[inline]
    fn first(&self) -> Option<u8> {
        self.text.as_bytes().first().copied()
    }
}
