//! Sets of bytes: one bit of 256 tells.

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
