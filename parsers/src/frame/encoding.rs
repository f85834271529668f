//! How a File's text is encoded: UTF-8, or the UTF-16 that Windows programs write. Where lines end in
//! it, where it may be cut, and what it says in UTF-8.
//!
//! UTF-16 is told by the byte order mark at the File's beginning; nothing is guessed. Its code units lie
//! at even offsets of the File, so every function here that is given bytes is also given the offset of
//! the first: `0A 00` is a newline only where a unit begins.

use memchr::memchr_iter;

/// What no UTF-8 holds. It stands for half a character, so that whoever makes text of the bytes puts
/// one U+FFFD there, and counts the record.
const INVALID: u8 = 0xFF;

/// How a File's text is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, or whatever else has its newlines in single bytes.
    #[default]
    Utf8,
    /// UTF-16, the lower byte of each unit first.
    Utf16Le,
    /// UTF-16, the higher byte of each unit first.
    Utf16Be,
}

impl Encoding {
    /// The encoding of a File that begins with these bytes; two are enough.
    #[must_use]
    pub fn of(beginning: &[u8]) -> Self {
        match beginning {
            [0xFF, 0xFE, ..] => Self::Utf16Le,
            [0xFE, 0xFF, ..] => Self::Utf16Be,
            _ => Self::Utf8,
        }
    }

    /// Bytes of a code unit.
    #[must_use]
    pub const fn unit(self) -> usize {
        match self {
            Self::Utf8 => 1,
            Self::Utf16Le | Self::Utf16Be => 2,
        }
    }

    /// The bytes of a newline: one unit.
    #[must_use]
    pub const fn newline(self) -> &'static [u8] {
        match self {
            Self::Utf8 => b"\n",
            Self::Utf16Le => b"\n\0",
            Self::Utf16Be => b"\0\n",
        }
    }

    /// The last offset at or before `offset` at which a unit begins or ends.
    #[must_use]
    pub const fn floor(self, offset: u64) -> u64 {
        offset - offset % self.unit() as u64
    }

    /// Where the lines end in `bytes`, which begin at the offset `start`: one past each newline.
    pub fn line_ends(self, start: u64, bytes: &[u8]) -> impl DoubleEndedIterator<Item = usize> {
        let odd = start % 2 == 1;
        memchr_iter(b'\n', bytes).filter_map(move |at| match self {
            Self::Utf8 => Some(at + 1),
            Self::Utf16Le => {
                let begins = (at % 2 == 1) == odd;
                (begins && bytes.get(at + 1) == Some(&0)).then_some(at + 2)
            }
            Self::Utf16Be => {
                let begins = (at % 2 == 1) != odd;
                let higher = at.checked_sub(1).and_then(|before| bytes.get(before));
                (begins && higher == Some(&0)).then_some(at + 1)
            }
        })
    }

    /// Where the first line ends in `bytes`, which begin at the offset `start`.
    #[must_use]
    pub fn first_line_end(self, start: u64, bytes: &[u8]) -> Option<usize> {
        self.line_ends(start, bytes).next()
    }

    /// Where the last whole line ends in `bytes`, which begin at the offset `start`.
    #[must_use]
    pub fn last_line_end(self, start: u64, bytes: &[u8]) -> Option<usize> {
        self.line_ends(start, bytes).next_back()
    }

    /// How many lines end in `bytes`, which begin at the offset `start`.
    #[must_use]
    pub fn count_lines(self, start: u64, bytes: &[u8]) -> usize {
        match self {
            Self::Utf8 => memchr_iter(b'\n', bytes).count(),
            Self::Utf16Le | Self::Utf16Be => self.line_ends(start, bytes).count(),
        }
    }

    /// Of `bytes`, which begin at the offset `start`, how many are whole characters: the last place at
    /// which none is cut in two. What is no text is left as it is.
    #[must_use]
    pub fn whole_characters(self, start: u64, bytes: &[u8]) -> usize {
        if self == Self::Utf8 {
            return whole_utf8(bytes);
        }
        let len = bytes.len() - usize::from((start + bytes.len() as u64) % 2 == 1).min(bytes.len());
        match bytes.get(..len).and_then(|units| units.last_chunk()) {
            Some(last) if matches!(self.read(*last), 0xD800..=0xDBFF) => len - 2,
            _ => len,
        }
    }

    /// Makes UTF-8 of `bytes`, which begin at the offset `start`, in place of what `into` held. An
    /// unpaired surrogate or half a unit becomes one byte that is no UTF-8.
    pub fn decode(self, start: u64, bytes: &[u8], into: &mut Vec<u8>) {
        into.clear();
        if self == Self::Utf8 {
            return into.extend_from_slice(bytes);
        }
        // The other half of the first unit was let go with the line before.
        let (half, bytes) = bytes.split_at(usize::from(start % 2 == 1).min(bytes.len()));
        into.extend(half.iter().map(|_| INVALID));
        let (units, half) = bytes.as_chunks();
        into.reserve(units.len());
        for character in char::decode_utf16(units.iter().map(|unit| self.read(*unit))) {
            match character {
                Ok(character) => {
                    into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Err(_) => into.push(INVALID),
            }
        }
        into.extend(half.iter().map(|_| INVALID));
    }

    const fn read(self, unit: [u8; 2]) -> u16 {
        match self {
            Self::Utf16Be => u16::from_be_bytes(unit),
            Self::Utf8 | Self::Utf16Le => u16::from_le_bytes(unit),
        }
    }
}

fn whole_utf8(bytes: &[u8]) -> usize {
    let last = bytes.len().saturating_sub(3);
    for (at, byte) in bytes.iter().enumerate().skip(last).rev() {
        let width = match byte {
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF7 => 4,
            0x80..=0xBF => continue,
            _ => 1,
        };
        return if at + width > bytes.len() { at } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WIDE: [Encoding; 2] = [Encoding::Utf16Le, Encoding::Utf16Be];

    fn bytes_of(encoding: Encoding, units: &[u16]) -> Vec<u8> {
        let bytes = |unit: &u16| match encoding {
            Encoding::Utf16Be => unit.to_be_bytes(),
            _ => unit.to_le_bytes(),
        };
        units.iter().flat_map(bytes).collect()
    }

    fn decoded(encoding: Encoding, start: u64, bytes: &[u8]) -> String {
        let mut into = b"old".to_vec();
        encoding.decode(start, bytes, &mut into);
        String::from_utf8_lossy(&into).into_owned()
    }

    #[test]
    fn only_a_mark_makes_it_utf_16() {
        for (beginning, expect) in [
            (&b"\xFF\xFEa\0"[..], Encoding::Utf16Le),
            (b"\xFE\xFF\0a", Encoding::Utf16Be),
            (b"\xEF\xBB\xBFa", Encoding::Utf8),
            (b"a\0b\0", Encoding::Utf8),
            (b"\xFF", Encoding::Utf8),
            (b"", Encoding::Utf8),
        ] {
            assert_eq!(Encoding::of(beginning), expect, "{beginning:x?}");
        }
    }

    #[test]
    fn a_newline_is_a_whole_unit() {
        // U+000A between characters that have its bytes.
        let units = [0x0A0A, 0x0A00, 0x010A, 0x000A, 0x0A00, 0x0A0A, 0x000A];
        for encoding in WIDE {
            let bytes = bytes_of(encoding, &units);
            let ends = |start: u64, bytes| encoding.line_ends(start, bytes).collect::<Vec<_>>();
            assert_eq!(ends(0, &bytes), [8, 14], "{encoding:?}");
            assert_eq!(ends(7, &bytes[1..]), [7, 13], "{encoding:?}");
            assert_eq!(encoding.line_ends(0, &bytes).next_back(), Some(14));
            assert_eq!(encoding.count_lines(0, &bytes), 2);
            // Half of it is none.
            assert_eq!(ends(0, &bytes[..7]), [0; 0]);
            assert_eq!(ends(7, &bytes[7..8]), [0; 0]);
            assert_eq!(&bytes[6..8], encoding.newline());
        }
    }

    #[test]
    fn half_characters_are_no_text() {
        for encoding in WIDE {
            let bytes = bytes_of(encoding, &[0x61, 0xD83D, 0xDE00, 0xDE00, 0x62, 0xD83D]);
            assert_eq!(decoded(encoding, 0, &bytes), "a😀\u{fffd}b\u{fffd}");
            assert_eq!(decoded(encoding, 0, &bytes[..3]), "a\u{fffd}");
            assert_eq!(decoded(encoding, 9, &bytes[7..10]), "\u{fffd}b");
            assert_eq!(decoded(encoding, 3, b""), "");
        }
    }

    #[test]
    fn characters_are_not_cut_in_two() {
        let cuts = |encoding: Encoding, start: u64, bytes: &[u8]| -> Vec<usize> {
            let cut = |len| encoding.whole_characters(start, &bytes[..len]);
            (0..=bytes.len()).map(cut).collect()
        };
        let text = "aä€😀";
        let narrow = cuts(Encoding::Utf8, 0, text.as_bytes());
        assert_eq!(narrow, [0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10]);
        assert_eq!(Encoding::Utf8.whole_characters(0, &[0x80; 4]), 4);
        assert_eq!(Encoding::Utf8.whole_characters(0, &[b'a', 0x80, 0x80]), 3);
        for encoding in WIDE {
            let bytes = bytes_of(encoding, &text.encode_utf16().collect::<Vec<_>>());
            assert_eq!(cuts(encoding, 2, &bytes), [0, 0, 2, 2, 4, 4, 6, 6, 6, 6, 10]);
            assert_eq!(cuts(encoding, 1, &bytes[1..]), [0, 1, 1, 3, 3, 5, 5, 5, 5, 9]);
        }
    }

    proptest! {
        #[test]
        fn it_says_what_the_standard_library_says(units: Vec<u16>, half: bool, big: bool) {
            let encoding = WIDE[usize::from(big)];
            let mut bytes = bytes_of(encoding, &units);
            let mut expect = String::from_utf16_lossy(&units);
            if half {
                // Half of a unit that pairs with nothing.
                bytes.push(0);
                expect.push('\u{fffd}');
            }
            prop_assert_eq!(decoded(encoding, 0, &bytes), expect);
        }

        /// Units that have a newline's bytes, at any place, and a run of them cut anywhere.
        #[test]
        fn lines_end_where_units_are_newlines(
            units in prop::collection::vec(
                prop::sample::select(&[0x0A, 0x0A00, 0x0A0A, 0x010A, 0x0D, 0x61, 0][..]), 0..40,
            ),
            from in 0_usize..80,
            big: bool,
        ) {
            let encoding = WIDE[usize::from(big)];
            let bytes = bytes_of(encoding, &units);
            let from = from.min(bytes.len());
            let ends = units.iter().enumerate().filter(|(_, unit)| **unit == 0x0A);
            let ends: Vec<usize> =
                ends.filter(|(at, _)| at * 2 >= from).map(|(at, _)| at * 2 + 2 - from).collect();
            let found = |bytes| encoding.line_ends(from as u64, bytes).collect::<Vec<_>>();
            prop_assert_eq!(found(&bytes[from..]), ends);
        }
    }
}
