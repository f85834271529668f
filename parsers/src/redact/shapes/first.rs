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
    /// How long those words are.
    lengths: Vec<usize>,
    /// Whether some are of no fixed length.
    other: bool,
}

impl Words {
    /// Adds a shape.
    pub(super) fn add(&mut self, fit: &Fit, shape: u16) {
        self.first.add(fit, shape);
        // Another end than a word's may stand before anything.
        let is_last =
            |byte: &u8| fit.parts.last().is_some_and(|part| part.what.has(*byte, fit.any_case));
        let length = fit.length.filter(|_| (0..=u8::MAX).filter(is_last).all(is_word));
        match length {
            Some(length) if self.lengths.contains(&length) => {}
            Some(length) => self.lengths.push(length),
            None => self.other = true,
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
        let ends = |end: usize| is_word(view.before(end, 1)) & !is_word(view.at(end));
        self.lengths.iter().fold(self.other, |long, length| long | ends(at + length))
    }
}
