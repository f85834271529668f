//! A place in a text that moves forward: what the line-oriented grammars are written with.

use super::Misfit;

/// A text and how far it has been read.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a str,
}

/// A set of bytes: one load tells whether a byte is in it.
pub(super) struct Bytes([bool; 256]);

impl Bytes {
    /// ASCII letters and digits, and these.
    pub(super) const fn letters_and(others: &[u8]) -> Self {
        let mut set = [false; 256];
        let mut byte = 0;
        while byte < set.len() {
            set[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        let mut at = 0;
        while at < others.len() {
            set[others[at] as usize] = true;
            at += 1;
        }
        Self(set)
    }

    #[inline]
    pub(super) fn has(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).copied().unwrap_or_default()
    }
}

/// Bytes that are looked at at once: for fewer, a call takes longer than they do.
const WORD: usize = 8;

/// Where the first such byte is. As `memchr`, for what is mostly found within a few bytes.
#[inline]
pub(super) fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    match near([byte], bytes) {
        Near::At(at) => Some(at),
        Near::Beyond(from) => {
            let rest = bytes.get(from..)?;
            let found = match rest.len() {
                ..WORD => rest.iter().position(|other| *other == byte),
                _ => memchr::memchr(byte, rest),
            };
            found.map(|found| from + found)
        }
    }
}

/// Where the first of some bytes is, likewise.
#[inline]
pub(super) fn find_any<const N: usize>(any: [u8; N], bytes: &[u8]) -> Option<usize> {
    match near(any, bytes) {
        Near::At(at) => Some(at),
        Near::Beyond(from) => {
            let rest = bytes.get(from..)?;
            let found = match any.as_slice() {
                any if rest.len() < WORD => rest.iter().position(|byte| any.contains(byte)),
                [one, two] => memchr::memchr2(*one, *two, rest),
                [one, two, three] => memchr::memchr3(*one, *two, *three, rest),
                any => rest.iter().position(|byte| any.contains(byte)),
            };
            found.map(|found| from + found)
        }
    }
}

/// Where a byte is that is looked for: in a place, or not before one.
enum Near {
    At(usize),
    Beyond(usize),
}

/// Looks at the first bytes, eight at a time.
#[inline]
fn near<const N: usize>(any: [u8; N], bytes: &[u8]) -> Near {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut at = 0;
    while at < 24
        && let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>())
    {
        let word = u64::from_le_bytes(*word);
        // The lowest mark is exact.
        let found = any.iter().fold(0, |found, byte| {
            let differ = word ^ (LOW * u64::from(*byte));
            found | differ.wrapping_sub(LOW) & !differ & HIGH
        });
        if found != 0 {
            return Near::At(at + (found.trailing_zeros() / 8) as usize);
        }
        at += WORD;
    }
    Near::Beyond(at)
}

/// Where the first byte is that is a blank or a control character, `one` or `other`; the length if none
/// is. For what is mostly found within a few words.
#[inline]
pub(super) fn end_of_word(bytes: &[u8], one: u8, other: u8) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (mut at, low) = (0, b' ' + 1);
    let zeros = |word: u64| word.wrapping_sub(LOW) & !word;
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*word);
        let blanks = word.wrapping_sub(LOW * u64::from(low)) & !word;
        let marks = zeros(word ^ (LOW * u64::from(one))) | zeros(word ^ (LOW * u64::from(other)));
        // The lowest mark is exact.
        let found = (blanks | marks) & HIGH;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let is_end = |byte: &u8| *byte < low || *byte == one || *byte == other;
    at + rest.iter().position(is_end).unwrap_or(rest.len())
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// What has not been read.
    pub(super) const fn rest(&self) -> &'a str {
        self.rest
    }

    /// The unread bytes.
    pub(super) const fn bytes(&self) -> &'a [u8] {
        self.rest.as_bytes()
    }

    /// Whether all has been read.
    pub(super) const fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// Passes over `len` bytes and gives them; they must end at a character's end.
    #[inline]
    pub(super) fn take(&mut self, len: usize) -> Result<&'a str, Misfit> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Misfit::Syntax)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Passes over a literal that must come now.
    #[inline]
    pub(super) fn expect(&mut self, literal: &str) -> Result<(), Misfit> {
        // Most literals of layouts are one or two bytes: comparing those by a call takes longer.
        let comes = match (literal.as_bytes(), self.bytes()) {
            ([one], [first, ..]) => one == first,
            ([one, two], [first, second, ..]) => one == first && two == second,
            (literal, bytes) => bytes.starts_with(literal),
        };
        if !comes {
            return Err(Misfit::Syntax);
        }
        self.rest = self.rest.get(literal.len()..).ok_or(Misfit::Syntax)?;
        Ok(())
    }

    /// Passes over a literal if it comes now.
    #[inline]
    pub(super) fn eat(&mut self, literal: &str) -> bool {
        self.expect(literal).is_ok()
    }

    /// Passes over blanks.
    #[inline]
    pub(super) fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    /// Gives what comes before an ASCII byte, and passes over both.
    #[inline]
    pub(super) fn until(&mut self, byte: u8) -> Result<&'a str, Misfit> {
        debug_assert!(byte.is_ascii());
        let at = memchr::memchr(byte, self.bytes()).ok_or(Misfit::Syntax)?;
        let taken = self.take(at)?;
        self.take(1)?;
        Ok(taken)
    }

    /// A word: at least one byte up to a blank or the end; passes over one blank after it.
    #[inline]
    pub(super) fn word(&mut self) -> Result<&'a str, Misfit> {
        let at = memchr::memchr(b' ', self.bytes()).unwrap_or(self.rest.len());
        if at == 0 {
            return Err(Misfit::Syntax);
        }
        let taken = self.take(at)?;
        self.eat(" ");
        Ok(taken)
    }

    /// ASCII digits, at least one and at most `max`.
    #[inline]
    pub(super) fn digits(&mut self, max: usize) -> Result<&'a str, Misfit> {
        let len = self.bytes().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if len == 0 || len > max { Err(Misfit::Syntax) } else { self.take(len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_ends_at_the_first_byte_that_ends_it() {
        for len in 0..20 {
            for (end, at) in [(b' ', len), (b'\n', len), (b'=', len), (b'"', len), (0, len)] {
                let mut bytes = "é~!\u{7f}abcdefghijklmnop".as_bytes()[..len].to_vec();
                bytes.push(end);
                bytes.extend(b"= \"");
                assert_eq!(end_of_word(&bytes, b'=', b'"'), at, "{bytes:?}");
                assert_eq!(end_of_word(&bytes[..len], b'=', b'"'), len);
            }
        }
    }
}
