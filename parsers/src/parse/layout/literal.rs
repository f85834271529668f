//! Short texts that a line has as they are: what stands between fields, levels.

use crate::parse::cursor;

/// A short text.
#[derive(Debug, PartialEq)]
pub(super) struct Literal {
    text: Box<str>,
    /// Its first bytes.
    head: Head,
    /// Where in it its rarest byte is, by which it is looked for.
    rarest: usize,
}

impl Literal {
    pub(super) fn new(text: &str) -> Self {
        let commonness = |(_, byte): &(usize, u8)| match byte {
            b' ' => 4,
            b'a'..=b'z' | b'0'..=b'9' => 3,
            b'A'..=b'Z' | b'-' | b'.' | b':' | b'/' => 2,
            b',' | b'=' | b'_' | b'"' => 1,
            _ => 0,
        };
        let rarest = text.bytes().enumerate().min_by_key(commonness).map_or(0, |(at, _)| at);
        Self { text: text.into(), head: Head::of(text.as_bytes()), rarest }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Leaves so many bytes, and gives the rest.
    pub(super) fn split_off(&mut self, len: usize) -> Option<Self> {
        let (head, rest) = self.text.split_at_checked(len)?;
        let rest = (!rest.is_empty()).then(|| Self::new(rest));
        *self = Self::new(head);
        rest
    }

    /// Whether `bytes` begin with it.
    #[inline]
    pub(super) fn begins(&self, bytes: &[u8]) -> bool {
        // Most are one byte, which is mostly what comes.
        self.text.as_bytes().first() == bytes.first()
            && (self.text.len() == 1
                || self.head.begins(self.text.as_bytes(), bytes, Head::of(bytes)))
    }

    /// Where it is, the first place or the last.
    #[inline]
    pub(super) fn find(&self, bytes: &[u8], last: bool) -> Option<usize> {
        let rare = *self.text.as_bytes().get(self.rarest)?;
        // Where that byte is, it may be.
        let mut left = bytes.get(self.rarest..)?;
        let mut from = 0;
        loop {
            let at = if last { memchr::memrchr(rare, left)? } else { cursor::find(rare, left)? };
            if self.begins(bytes.get(from + at..)?) {
                return Some(from + at);
            }
            if last {
                left = left.get(..at)?;
            } else {
                left = left.get(at + 1..)?;
                from += at + 1;
            }
        }
    }
}

/// Bytes that are compared at once.
const AT_ONCE: usize = 8;

/// The first bytes of a text, and zeros.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Head(u64);

impl Head {
    #[inline]
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(match bytes.first_chunk() {
            Some(head) => u64::from_le_bytes(*head),
            None => bytes.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte)),
        })
    }

    /// Whether `bytes`, whose head is given, begin with a text, whose head this is.
    #[inline]
    pub(super) fn begins(self, text: &[u8], bytes: &[u8], head: Self) -> bool {
        let len = text.len();
        let mask = if len >= AT_ONCE { u64::MAX } else { !(u64::MAX << (8 * len)) };
        (self.0 ^ head.0) & mask == 0
            && len <= bytes.len()
            && (len <= AT_ONCE || bytes.starts_with(text))
    }
}
