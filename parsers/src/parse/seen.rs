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

    /// Of a text that is not looked at, but is known to be one line.
    pub(super) const ONE_LINE: Self = Self { low: !Self::NEWLINE.low, high: u64::MAX };

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

    /// The bytes one by one, if they are few.
    pub(super) fn few(self) -> Option<Few> {
        let mut few = Few([None; 3]);
        let bits = u128::from(self.high) << 64 | u128::from(self.low);
        let mut bytes = (0..128).filter(|bit| bits >> bit & 1 == 1);
        for to in &mut few.0 {
            *to = bytes.next().map(|byte: u8| if byte == 0 { Byte::Digit } else { Byte::Is(byte) });
        }
        bytes.next().is_none().then_some(few)
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

/// Bytes so few that each is sooner looked for than all that a text has are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Few([Option<Byte>; 3]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Byte {
    Digit,
    Is(u8),
}

impl Few {
    /// Whether a text has all of them.
    pub(super) fn is_in(self, text: &[u8]) -> bool {
        self.0.into_iter().flatten().all(|byte| match byte {
            Byte::Digit => text.iter().any(u8::is_ascii_digit),
            Byte::Is(byte) => memchr::memchr(byte, text).is_some(),
        })
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
        let text = b"a [1]\t=";
        for part in ["a", " [", "b", "]{", "2", "=1", "", "\t"] {
            let part = Seen::of(part.as_bytes());
            assert_eq!(part.few().map(|few| few.is_in(text)), Some(Seen::of(text).has(part)));
        }
        assert!(Seen::DIGIT.few().is_some_and(|few| few.is_in(b"a1") && !few.is_in(b"a")));
        assert_eq!(Seen::of(b"abcd").few(), None);
        assert!(!Seen::of(b"a [x]").has(Seen::DIGIT));
        let both = Seen::of(b"ab").common(Seen::of(b"bc"));
        assert_eq!(both, Seen::of(b"b"));
        assert_eq!(both.and(Seen::of(b"a")), Seen::of(b"ab"));
    }
}
