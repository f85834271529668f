//! Which bytes a text has: what tells `auto` that most formats are not its, before any is asked.

/// A set of ASCII bytes. Control characters are not told apart, but for the tab and the line's end: a bit
/// of theirs says that there is a digit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Bytes below 64, each a bit.
    low: u64,
    /// The other ASCII bytes.
    high: u64,
}

/// Stands for any digit.
const DIGIT: u64 = 1;
/// The digits.
const DIGITS: u64 = 0x3ff << b'0';

impl Seen {
    /// Of a text that is not looked at: it could have them all.
    pub(super) const ALL: Self = Self { low: u64::MAX, high: u64::MAX };

    /// A digit, whichever.
    pub(super) const DIGIT: Self = Self { low: DIGIT, high: 0 };

    /// The end of a line.
    pub(super) const NEWLINE: Self = Self { low: 1 << b'\n', high: 0 };

    /// The bytes that a text has.
    pub(super) fn of(text: &[u8]) -> Self {
        // One store for each byte of the text, and the sets once for all.
        let mut there = [0; 256];
        for byte in text {
            if let Some(there) = there.get_mut(usize::from(*byte)) {
                *there = 1;
            }
        }
        let (low, high) = (Self::set(&there, 0), Self::set(&there, 64));
        // The other control characters are not told apart, and their bits stand for others.
        let low = low & (1 << b'\t' | 1 << b'\n' | u64::MAX << b' ');
        let digit = if low & DIGITS == 0 { 0 } else { DIGIT };
        Self { low: low | digit, high }
    }

    /// Which of the 64 bytes from `first` on are there, each a bit.
    #[inline]
    fn set(there: &[u8; 256], first: usize) -> u64 {
        // Brings the lowest bits of eight bytes together in the highest byte.
        const TOGETHER: u64 = 0x0102_0408_1020_4080;
        let (eights, _) = there.get(first..first + 64).unwrap_or_default().as_chunks::<8>();
        let bits = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(TOGETHER) >> 56;
        eights.iter().rev().fold(0, |set, eight| set << 8 | bits(eight))
    }

    /// Both sets' bytes.
    #[must_use]
    pub(super) fn and(self, other: Self) -> Self {
        Self { low: self.low | other.low, high: self.high | other.high }
    }

    /// What both sets have.
    #[must_use]
    pub(super) fn common(self, other: Self) -> Self {
        Self { low: self.low & other.low, high: self.high & other.high }
    }

    /// Whether all of another set's bytes are here.
    #[inline]
    pub(super) fn has(self, other: Self) -> bool {
        other.low & !self.low == 0 && other.high & !self.high == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_its_bytes() {
        let seen = Seen::of("a [1]\t=é\u{1b}".as_bytes());
        for part in ["a", " [", "1", "\t=", "", "é", "\u{1}\r"] {
            assert!(seen.has(Seen::of(part.as_bytes())), "{part:?}");
        }
        for part in ["b", "a]{", "2", "A", "\u{7f}", "\n"] {
            assert!(!seen.has(Seen::of(part.as_bytes())), "{part:?}");
        }
        assert!(seen.has(Seen::DIGIT) && Seen::ALL.has(seen));
        assert!(!Seen::of(b"a [x]").has(Seen::DIGIT));
        let both = Seen::of(b"ab").common(Seen::of(b"bc"));
        assert_eq!(both, Seen::of(b"b"));
        assert_eq!(both.and(Seen::of(b"a")), Seen::of(b"ab"));
    }
}
