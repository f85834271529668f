//! The first test for words before a value: which words there end like one of the rules'. Almost none does, and
//! three letters tell.

use fearless_simd::{Level, Simd, SimdBase as _, SimdFrom as _, SimdMask as _, dispatch, u8x64};

use super::context::{is_letter, parts};

/// Bytes that are looked at, from the value back.
pub(super) const WINDOW: usize = 56;

/// Bytes at a window's end of whose neighbours not all are seen.
pub(super) const SEEN: usize = 2;

/// Bytes that are gone over at once: the window, and what stands before it.
const BLOCK: usize = 64;

/// The endings of three letters that words of the rules have.
pub(super) struct Endings {
    /// A bit for each.
    known: Vec<u64>,
    /// Whether a word has but one letter.
    single: bool,
    /// What the processor can do.
    level: Level,
}

impl Default for Endings {
    fn default() -> Self {
        Self { known: Vec::new(), single: false, level: Level::new() }
    }
}

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
        self.known.resize(1 << 9, 0);
        let mut back = word.rev();
        let last = back.next().unwrap_or(0);
        match (back.next(), back.next()) {
            (Some(second), Some(third)) => self.set(index(five(third), second, last)),
            (Some(second), None) => self.set(index(0, second, last)),
            (None, _) => {
                self.single = true;
                for other in 0..1 << 10 {
                    self.set(other << 5 | five(last));
                }
            }
        }
    }

    fn set(&mut self, index: usize) {
        if let Some(word) = self.known.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }

    fn has(&self, index: usize) -> bool {
        self.known.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// The words that end in the last `reach` bytes of a text, of which [`WINDOW`] at most are looked at, and may be
    /// one of the rules': a bit for the last letter of each, the highest for the text's last byte. What a window
    /// before the text's end cuts off may be among them.
    #[inline]
    pub(super) fn met(&self, text: &[u8], reach: usize) -> u64 {
        let level = self.level;
        dispatch!(level, simd => self.met_by(simd, text, reach))
    }

    /// The same, eight bytes more than the window before it so that each letter has neighbours.
    #[inline(always)]
    fn met_by<S: Simd>(&self, simd: S, text: &[u8], reach: usize) -> u64 {
        let mut padded = [0; BLOCK];
        let block = text.last_chunk().unwrap_or_else(|| {
            if let Some(to) = padded.get_mut(BLOCK - text.len()..) {
                to.copy_from_slice(text);
            }
            &padded
        });
        let bytes = u8x64::simd_from(simd, *block);
        let upper = (bytes - b'A').simd_le(25).to_bitmask();
        let lower = (bytes - b'a').simd_le(25).to_bitmask();
        let letter = upper | lower | bytes.simd_ge(0x80).to_bitmask();
        // As `parts` has it, of the letter before the one of a bit.
        let parts = upper >> 1 & (lower | (upper & lower >> 2));
        let ends = letter & (!(letter >> 1) | parts);
        // A letter between digits is no word: hexadecimal ones have many.
        let words = if self.single { ends } else { ends & letter << 1 };
        let mut left = words & (u64::MAX << (BLOCK - reach.min(WINDOW)));
        let mut met = 0;
        while left != 0 {
            let bit = left & left.wrapping_neg();
            let at = bit.trailing_zeros() as usize;
            left ^= bit;
            let whole = (!letter | ends) >> (at - 2) & 1 == 1;
            let last = at.checked_sub(3).and_then(|from| block.get(from..)?.first_chunk());
            let like = last.is_some_and(|last| self.ends_like(*last, whole));
            met |= bit & u64::from(like).wrapping_neg();
        }
        met
    }

    /// Whether a word ends like one of the rules': `back` gives its last letter for 0, and the bytes before that.
    #[inline]
    pub(super) fn ends(&self, back: impl Fn(usize) -> u8) -> bool {
        let last = [back(3), back(2), back(1), back(0)];
        self.ends_like(last, !is_letter(last[1]) || parts(last[1], last[2], last[3]))
    }

    /// The same for one that ends in these bytes, of which is known whether its last two letters are the whole of it.
    #[inline(always)]
    fn ends_like(&self, [fourth, third, second, last]: [u8; 4], whole: bool) -> bool {
        // The first letter may be an escape's or a colour's.
        let odd = matches!(fourth, b'\\' | b'[' | b';' | b'0'..=b'9');
        self.has(index(if whole { 0 } else { five(third) }, second, last))
            | (!whole & odd & self.has(index(0, second, last)))
    }
}
