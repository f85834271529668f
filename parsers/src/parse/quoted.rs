//! Texts that formats show by and that have a quote, as the keys of a flavour of JSON: which of them a
//! text has, all found on one way through it.

/// Bytes of a text that are looked for at once.
const WORD: usize = 8;

/// Every byte 0x01, and every byte 0x7f.
const ONES: u64 = u64::MAX / 255;
const SEVENS: u64 = ONES * 0x7f;

/// Places in the table: a power of two, many times more than there are texts.
const TABLE: usize = 1024;

/// Texts that were found, each a bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown(u128);

impl Shown {
    /// Of a text that is not looked through: it could have them all.
    pub(super) const ALL: Self = Self(u128::MAX);

    /// Both's.
    #[must_use]
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of another's are here.
    #[inline]
    pub(super) const fn has(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether it is none.
    pub(super) const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// The texts that are looked for.
#[derive(Debug, Default)]
pub(super) struct Quoted {
    parts: Vec<Part>,
    /// By a hash of a quote and the three bytes behind it: the first part that has them, counted from one,
    /// and the others by `next`. None, while there are no parts.
    table: Option<Box<[u8; TABLE]>>,
}

#[derive(Debug)]
struct Part {
    text: Box<[u8]>,
    /// Its bit.
    bit: Shown,
    /// Where its quote is.
    quote: usize,
    /// The bytes from there on, as many as are compared at once.
    head: Head,
    /// The next part of the same hash, counted from one.
    next: u8,
}

/// Bytes that are compared at once.
const AT_ONCE: usize = 16;

/// The first bytes of a text: of those of a hash, mostly these alone tell that it is not there.
#[derive(Clone, Copy, Debug)]
struct Head {
    bytes: u128,
    /// Those of them that are the text's.
    mask: u128,
}

impl Head {
    fn of(text: &[u8]) -> Self {
        let (mut bytes, mut mask) = ([0; AT_ONCE], [0; AT_ONCE]);
        for ((byte, of), mask) in bytes.iter_mut().zip(text).zip(&mut mask) {
            (*byte, *mask) = (*of, u8::MAX);
        }
        Self { bytes: u128::from_le_bytes(bytes), mask: u128::from_le_bytes(mask) }
    }

    /// Whether the bytes at a place may begin so; they may where fewer are left.
    #[inline]
    fn may_begin(self, bytes: Option<&[u8; AT_ONCE]>) -> bool {
        bytes.is_none_or(|bytes| (u128::from_le_bytes(*bytes) ^ self.bytes) & self.mask == 0)
    }
}

/// Where in the table a quote and the three bytes behind it have their place.
#[inline]
fn slot(word: u32) -> usize {
    (word.wrapping_mul(0x9E37_79B1) >> 22) as usize % TABLE
}

impl Quoted {
    /// Adds a text to those that are looked for; gives its bit. `None` for one that has no quote with three
    /// bytes behind it, and beyond as many as there are bits.
    pub(super) fn add(&mut self, text: &[u8]) -> Option<Shown> {
        if let Some(known) = self.parts.iter().position(|part| *part.text == *text) {
            return Some(Shown(1 << known));
        }
        let quote = memchr::memchr(b'"', text)?;
        let place = slot(u32::from_le_bytes(*text.get(quote..)?.first_chunk()?));
        let number = self.parts.len();
        let counted = u8::try_from(number + 1).ok().filter(|_| number < u128::BITS as usize)?;
        let first = self.table.get_or_insert_with(|| Box::new([0; TABLE])).get_mut(place)?;
        let next = std::mem::replace(first, counted);
        let head = Head::of(text.get(quote..)?);
        let bit = Shown(1 << number);
        self.parts.push(Part { text: text.into(), bit, quote, head, next });
        Some(bit)
    }

    /// Those of them that a text has.
    pub(super) fn find(&self, text: &[u8]) -> Shown {
        let mut shown = Shown::default();
        let Some(table) = &self.table else { return shown };
        let mut look = |quote: usize| {
            // Almost none of the quotes is one of theirs.
            if let Some(word) = text.get(quote..).and_then(<[u8]>::first_chunk)
                && let Some(first) = table.get(slot(u32::from_le_bytes(*word)))
                && *first != 0
            {
                self.compare(text, quote, *first, &mut shown);
            }
        };
        let (words, rest) = text.as_chunks::<WORD>();
        for (index, word) in words.iter().enumerate() {
            let other = u64::from_le_bytes(*word) ^ (ONES * b'"' as u64);
            // The high bit of each byte that is a quote, and of no other.
            let mut quotes = !(((other & SEVENS) + SEVENS) | other | SEVENS);
            while quotes != 0 {
                look(index * WORD + quotes.trailing_zeros() as usize / 8);
                quotes &= quotes - 1;
            }
        }
        for (index, byte) in rest.iter().enumerate() {
            if *byte == b'"' {
                look(words.len() * WORD + index);
            }
        }
        shown
    }

    /// Notes which of them, from the first of a hash on, have their quote at a place.
    #[inline(never)]
    fn compare(&self, text: &[u8], quote: usize, first: u8, shown: &mut Shown) {
        let mut part = first;
        let bytes = text.get(quote..).and_then(<[u8]>::first_chunk);
        while let Some(number) = usize::from(part).checked_sub(1)
            && let Some(it) = self.parts.get(number)
        {
            if !shown.has(it.bit) && it.head.may_begin(bytes) {
                let from = quote.checked_sub(it.quote).and_then(|from| text.get(from..));
                if from.is_some_and(|from| from.starts_with(&it.text)) {
                    *shown = shown.and(it.bit);
                }
            }
            part = it.next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As looking for each by itself says.
    #[test]
    fn a_text_has_what_it_has() {
        let parts = ["\"level\":", "{\"level\":\"", "\"lev\"", "\"le", "x\"abc", "\"ts\":1"];
        let mut quoted = Quoted::default();
        let bits: Vec<_> = parts.iter().map(|part| quoted.add(part.as_bytes())).collect();
        assert_eq!(bits.iter().position(Option::is_none), Some(3), "too short to be told");
        assert_eq!(quoted.add(b"\"lev\""), bits[2], "known already");
        assert_eq!(quoted.add(b"level"), None, "no quote");
        for text in [
            "{\"level\":\"info\",\"ts\":1}",
            "{\"a\":{\"level\":1},\"lev\":\"x\"}",
            "\"\"\"\"lev\"\"level\":",
            "x\"abc",
            "\"abcx\"ab",
            "\"ts\":",
            "\u{a2}\"ts\":1\u{22a2}",
            "",
        ] {
            // At every place of a word.
            for before in 0..WORD {
                let text = format!("{}{text}", " ".repeat(before));
                let found = quoted.find(text.as_bytes());
                for (part, bit) in parts.iter().zip(&bits) {
                    let Some(bit) = bit else { continue };
                    assert_eq!(found.has(*bit), text.contains(part), "{part} in {text}");
                }
            }
        }
    }

    #[test]
    fn there_is_an_end_to_the_bits() {
        let mut quoted = Quoted::default();
        let added =
            (0..200).filter(|number| quoted.add(format!("\"k{number}\"").as_bytes()).is_some());
        assert_eq!(added.count(), 128);
        assert_eq!(Quoted::default().find(b"\"a\":\"b\""), Shown::default());
    }
}
