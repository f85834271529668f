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

/// The set that each byte alone makes.
static BITS: [Seen; 256] = {
    let mut bits = [Seen { low: 0, high: 0 }; 256];
    let mut byte = 0;
    while byte < 128 {
        let bit = 1 << (byte & 63);
        bits[byte] = match byte as u8 {
            b'0'..=b'9' => Seen { low: bit | DIGIT, high: 0 },
            b'\t' | b'\n' | b' '..=b'?' => Seen { low: bit, high: 0 },
            b'@'..=0x7f => Seen { low: 0, high: bit },
            // The other control characters are not told apart, and their bits stand for others.
            _ => Seen { low: 0, high: 0 },
        };
        byte += 1;
    }
    bits
};

impl Seen {
    /// Of a text that is not looked at: it could have them all.
    pub(super) const ALL: Self = Self { low: u64::MAX, high: u64::MAX };

    /// A digit, whichever.
    pub(super) const DIGIT: Self = Self { low: DIGIT, high: 0 };

    /// The end of a line.
    pub(super) const NEWLINE: Self = Self { low: 1 << b'\n', high: 0 };

    /// The bytes that a text has.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut seen = Self::default();
        for byte in text {
            // A byte has a place in the table.
            let Self { low, high } = BITS.get(usize::from(*byte)).copied().unwrap_or_default();
            seen.low |= low;
            seen.high |= high;
        }
        seen
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
