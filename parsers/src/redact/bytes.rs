//! Sets of bytes: one bit of 256 tells; and the kinds that bytes are of, all of which one place of memory tells.

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bytes([u64; 4]);

impl Bytes {
    /// Those of which `is` says so.
    pub(super) fn that(is: impl Fn(u8) -> bool) -> Self {
        let mut bytes = Self::default();
        bytes.add(is);
        bytes
    }

    /// Adds those of which `is` says so.
    pub(super) fn add(&mut self, is: impl Fn(u8) -> bool) {
        for byte in (0..=u8::MAX).filter(|byte| is(*byte)) {
            self.insert(byte);
        }
    }

    /// Adds one.
    pub(super) const fn insert(&mut self, byte: u8) {
        self.0[(byte >> 6) as usize] |= 1 << (byte & 63);
    }

    /// Whether a byte is one of them.
    #[inline]
    pub(super) const fn has(&self, byte: u8) -> bool {
        self.0[(byte >> 6) as usize] >> (byte & 63) & 1 == 1
    }
}

/// Kinds of bytes, a bit for each.
pub(super) type Kinds = u8;

/// Decimal digits.
pub(super) const DIGIT: Kinds = 1;
/// Capitals of ASCII.
pub(super) const UPPER: Kinds = 1 << 1;
/// Small letters of ASCII.
pub(super) const LOWER: Kinds = 1 << 2;
/// The letters among the digits of base 16, of either case.
pub(super) const HEX: Kinds = 1 << 3;
/// `_`
pub(super) const UNDERSCORE: Kinds = 1 << 4;
/// A blank, and the `+` that stands for one in URLs.
pub(super) const BLANK: Kinds = 1 << 5;
/// `-` and `.`
pub(super) const DASH: Kinds = 1 << 6;
/// What is not of ASCII.
pub(super) const FOREIGN: Kinds = 1 << 7;

static KINDS: [Kinds; 256] = {
    let mut kinds = [0; 256];
    let mut at = 0;
    while at < kinds.len() {
        let byte = at as u8;
        let letter = if byte.is_ascii_hexdigit() { HEX } else { 0 };
        kinds[at] = match byte {
            b'0'..=b'9' => DIGIT,
            b'A'..=b'Z' => UPPER | letter,
            b'a'..=b'z' => LOWER | letter,
            b'_' => UNDERSCORE,
            b' ' | b'+' => BLANK,
            b'-' | b'.' => DASH,
            0x80.. => FOREIGN,
            _ => 0,
        };
        at += 1;
    }
    kinds
};

/// Whether a byte is of one of these kinds.
#[inline(always)]
pub(super) const fn is(byte: u8, kinds: Kinds) -> bool {
    KINDS[byte as usize] & kinds != 0
}
