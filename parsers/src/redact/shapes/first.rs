//! Shapes by the byte that they begin with, where that is all that is known of their place.

use super::super::detect::{View, is_word};
use super::Fit;

/// Shapes by the byte that they begin with.
#[derive(Default)]
pub(super) struct First(Vec<Vec<u16>>);

impl First {
    /// Adds a shape.
    pub(super) fn add(&mut self, fit: &Fit, shape: u16) {
        self.0.resize(1 << 8, Vec::new());
        for (byte, shapes) in (0..=u8::MAX).zip(&mut self.0) {
            if fit.may_begin(byte) {
                shapes.push(shape);
            }
        }
    }

    /// Those that may begin with it.
    #[inline]
    pub(super) fn of(&self, byte: u8) -> &[u16] {
        self.0.get(usize::from(byte)).map_or(&[], Vec::as_slice)
    }
}

/// Shapes found by the beginning of a long word.
#[derive(Default)]
pub(super) struct Words {
    first: First,
    /// By the byte that they begin with, a bit for each length that they have; the highest if some are of no
    /// fixed length.
    lengths: Vec<u128>,
}

/// The bit for shapes of no fixed length.
const OTHER: u128 = 1 << 127;

impl Words {
    /// Adds a shape.
    pub(super) fn add(&mut self, fit: &Fit, shape: u16) {
        self.first.add(fit, shape);
        self.lengths.resize(1 << 8, 0);
        // Another end than a word's may stand before anything.
        let is_last = |byte: &u8| fit.parts.last().is_some_and(|part| part.has(*byte));
        let length = fit.length.filter(|_| (0..=u8::MAX).filter(is_last).all(is_word));
        let length = length.and_then(|length| 1_u128.checked_shl(u32::try_from(length).ok()?));
        for (byte, lengths) in (0..=u8::MAX).zip(&mut self.lengths) {
            if fit.may_begin(byte) {
                *lengths |= length.unwrap_or(OTHER);
            }
        }
    }

    /// Those that may begin with a byte.
    #[inline]
    pub(super) fn of(&self, byte: u8) -> &[u16] {
        self.first.of(byte)
    }

    /// Whether a word that begins at a place may be as long as one of theirs.
    #[inline]
    pub(super) fn has_length(&self, view: View<'_>, at: usize) -> bool {
        let first = usize::from(view.at(at));
        let mut lengths = self.lengths.get(first).copied().unwrap_or_default();
        if lengths & OTHER != 0 {
            return true;
        }
        let ends = |end: usize| is_word(view.before(end, 1)) & !is_word(view.at(end));
        while lengths != 0 {
            if ends(at + lengths.trailing_zeros() as usize) {
                return true;
            }
            lengths &= lengths - 1;
        }
        false
    }
}
