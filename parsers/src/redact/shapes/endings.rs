//! The first test for words before a value: whether any word there ends like one of the rules'. Almost
//! none does, and three letters tell.

use super::context::{is_letter, parts};

/// Bytes that are looked at, from the value back.
pub(super) const WINDOW: usize = 56;

/// A bit for each ending of three letters that some word of the rules has.
#[derive(Default)]
pub(super) struct Endings(Vec<u64>);

/// The five bits of a letter that case does not change.
const fn five(byte: u8) -> usize {
    (byte & 0x1f) as usize
}

const fn index(third: usize, second: u8, last: u8) -> usize {
    third << 10 | five(second) << 5 | five(last)
}

impl Endings {
    /// Adds a word of the rules. What stands before a short one is no letter of it.
    pub(super) fn add(&mut self, word: impl DoubleEndedIterator<Item = u8>) {
        self.0.resize(1 << 9, 0);
        let mut back = word.rev();
        let last = back.next().unwrap_or(0);
        match (back.next(), back.next()) {
            (Some(second), Some(third)) => self.set(index(five(third), second, last)),
            (Some(second), None) => self.set(index(0, second, last)),
            (None, _) => {
                for other in 0..1 << 10 {
                    self.set(other << 5 | five(last));
                }
            }
        }
    }

    fn set(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }

    fn has(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// Whether some word that ends in the last `reach` bytes of a text, [`WINDOW`] at most, may be one of the
    /// rules'.
    pub(super) fn meet(&self, text: &[u8], reach: usize) -> bool {
        // Eight bytes more than the window on either side, so that each has neighbours.
        let mut bytes = [0; WINDOW + 16];
        let known = text.len().min(WINDOW + 8);
        if let (Some(to), Some(from)) =
            (bytes.get_mut(WINDOW + 8 - known..WINDOW + 8), text.get(text.len() - known..))
        {
            to.copy_from_slice(from);
        }
        let mut ends = [0_u8; WINDOW];
        for (at, end) in ends.iter_mut().enumerate() {
            let (byte, next, second) = (bytes[at + 8], bytes[at + 9], bytes[at + 10]);
            let ends = is_letter(byte) & (!is_letter(next) | parts(byte, next, second));
            *end = u8::from(ends);
        }
        let (words, _) = ends.as_chunks::<8>();
        words.iter().enumerate().any(|(word, ends)| {
            let mut left = u64::from_le_bytes(*ends);
            while left != 0 {
                let at = word * 8 + left.trailing_zeros() as usize / 8;
                left &= left - 1;
                let back = |by: usize| bytes.get(at + 8 - by).copied().unwrap_or(0);
                if at + reach >= WINDOW && self.ends(back) {
                    return true;
                }
            }
            false
        })
    }

    /// Whether a word ends like one of the rules': `back` gives its last letter for 0, and the bytes before that.
    #[inline]
    pub(super) fn ends(&self, back: impl Fn(usize) -> u8) -> bool {
        let (last, second, third) = (back(0), back(1), back(2));
        let whole = !is_letter(third) || parts(third, second, last);
        // The first letter may be an escape's or a colour's.
        let odd = || matches!(back(3), b'\\' | b'[' | b';' | b'0'..=b'9');
        self.has(index(if whole { 0 } else { five(third) }, second, last))
            || (!whole && odd() && self.has(index(0, second, last)))
    }
}
