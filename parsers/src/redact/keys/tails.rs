//! The second test of a key: whether its last eight bytes are those of some name, however its words are
//! joined.

use super::folded;

/// Bytes that are looked at.
pub(super) const BYTES: usize = 8;

/// How many lists there are.
const LISTS: usize = 1 << 10;

/// A name's last bytes, folded, and which of them count.
type Tail = (u64, u64);

/// Tails by their last three bytes.
pub(super) struct Tails(Vec<Vec<Tail>>);

impl Default for Tails {
    fn default() -> Self {
        Self(vec![Vec::new(); LISTS])
    }
}

/// Bytes without case, and what is no letter as 0.
pub(super) fn fold(bytes: [u8; BYTES]) -> u64 {
    let [a, b, c, d, e, f, g, h] = bytes;
    u64::from(folded([a, b, c, d])) | u64::from(folded([e, f, g, h])) << 32
}

/// Which list has the tails of those last bytes.
const fn list(tail: u64) -> usize {
    (tail >> 40).wrapping_mul(0x9E37_79B1) as u32 as usize >> 22
}

impl Tails {
    /// Adds a name, its words apart by blanks; `whole` if nothing but another word may stand before it.
    pub(super) fn add(&mut self, name: &[u8], whole: bool) {
        let words: Vec<&[u8]> = name.split(|byte| *byte == b' ').rev().collect();
        self.add_words(&words, whole, [0; BYTES], 0);
    }

    /// `known` bytes of the tail are there; what stands before them may be any number of bytes that join words.
    fn add_words(&mut self, words: &[&[u8]], whole: bool, tail: [u8; BYTES], known: usize) {
        let Some((word, rest)) = words.split_first().filter(|_| known < BYTES) else {
            // A byte that is no letter stands before.
            let known = if whole { BYTES.min(known + 1) } else { known };
            let mask = u64::MAX.checked_shl(8 * (BYTES - known) as u32).unwrap_or(0);
            return self.insert((fold(tail), mask));
        };
        let (mut tail, mut known) = (tail, known);
        for byte in word.iter().rev() {
            if let Some(to) = (BYTES - 1).checked_sub(known).and_then(|at| tail.get_mut(at)) {
                *to = *byte;
                known += 1;
            }
        }
        let joints = if rest.is_empty() { 0 } else { BYTES - known };
        for joint in 0..=joints {
            self.add_words(rest, whole, tail, known + joint);
        }
    }

    fn insert(&mut self, tail: Tail) {
        let counts = tail.1 >> 40;
        let lists = match self.0.get_mut(list(tail.0)..=list(tail.0)) {
            Some(lists) if counts == 0xff_ffff => lists,
            // What is shorter may be in any of them.
            _ => &mut self.0,
        };
        for tails in lists.iter_mut().filter(|tails| !tails.contains(&tail)) {
            tails.push(tail);
        }
    }

    /// Whether a key may end in these bytes.
    pub(super) fn has(&self, tail: u64) -> bool {
        let tails = self.0.get(list(tail));
        tails.is_some_and(|tails| tails.iter().any(|(known, mask)| tail & mask == *known))
    }
}
