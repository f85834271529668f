//! A key as names are compared with it: in lower case, whatever joins its words.

use super::tails::parts_words;
use super::trimmed;

/// Bytes of a key that are looked at, from its end.
const LONGEST: usize = 64;

/// The end of a key in lower case, without what joins its words.
pub(super) struct Joined {
    bytes: [u8; LONGEST],
    length: usize,
    /// A bit for each byte that begins a word.
    pub(super) begins: u64,
}

impl Joined {
    /// Of at most [`LONGEST`] bytes of a key, its last.
    pub(super) fn of(key: &[u8]) -> Self {
        let key = &key[key.len().saturating_sub(LONGEST)..];
        let mut joined = Self { bytes: [0; LONGEST], length: 0, begins: 0 };
        let mut before = ' ';
        let letters = trimmed(key).utf8_chunks().flat_map(|chunk| chunk.valid().chars());
        for letter in letters {
            joined.add(letter, before);
            before = letter;
        }
        joined
    }

    fn add(&mut self, letter: char, before: char) {
        let other = !letter.is_ascii() && !parts_words(letter);
        if !(letter.is_ascii_alphanumeric() || other) {
            return;
        }
        // One script ends where another begins.
        let apart = if other {
            before.is_ascii() || parts_words(before)
        } else {
            !before.is_ascii_alphanumeric()
        };
        if apart || (letter.is_ascii_uppercase() && !before.is_ascii_uppercase()) {
            self.begins |= 1_u64.checked_shl(self.length as u32).unwrap_or(0);
        }
        let mut bytes = [0; 4];
        let bytes = letter.to_ascii_lowercase().encode_utf8(&mut bytes).as_bytes();
        if let Some(to) = self.bytes.get_mut(self.length..self.length + bytes.len()) {
            to.copy_from_slice(bytes);
            self.length += bytes.len();
        }
    }

    /// The letters and digits.
    pub(super) fn text(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}
