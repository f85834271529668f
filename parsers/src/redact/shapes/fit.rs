//! Whether a value of a shape begins at a place.

use super::super::check::Check;
use super::super::detect::View;
use super::{Part, What};

/// Bytes of a value without its separators, at most.
pub(super) const LONGEST: usize = 96;

/// A shape and what goes with it.
pub(in super::super) struct Fit {
    pub(super) parts: Box<[Part]>,
    pub(super) rule: u16,
    /// The rule among those that have words.
    pub(super) slot: Option<u8>,
    pub(super) needs_context: bool,
    pub(super) check: Option<Check>,
    pub(super) any_case: bool,
}

impl Fit {
    /// Where the value that begins at `start` ends, if there is one.
    pub(super) fn end(&self, view: View<'_>, start: usize) -> Option<usize> {
        let mut value = [0; LONGEST];
        let mut filled = 0;
        let mut joint = None;
        let mut place = start;
        for part in &self.parts {
            let from = place;
            let most = from + part.most;
            while place < most && self.takes(part.what, view.at(place), &mut joint) {
                place += 1;
            }
            if place - from < part.least {
                return None;
            }
            if !part.what.is_separator() {
                let bytes = view.bytes.get(from..place)?;
                value.get_mut(filled..filled + bytes.len())?.copy_from_slice(bytes);
                filled += bytes.len();
            }
        }
        view.walked(place - start);
        let value = value.get_mut(..filled)?;
        if self.any_case {
            value.make_ascii_uppercase();
        }
        let apart = !goes_on(view, start, place) && self.check.is_none_or(|check| check(value));
        apart.then_some(place)
    }

    #[inline]
    fn takes(&self, what: What, byte: u8, joint: &mut Option<u8>) -> bool {
        what.has(byte, self.any_case) && (what != What::Joint || *joint.get_or_insert(byte) == byte)
    }

    /// Whether a value may begin with this byte.
    pub(super) fn may_begin(&self, byte: u8) -> bool {
        self.parts.first().is_some_and(|part| part.what.has(byte, self.any_case))
    }
}

/// Whether what stands between two places is part of something longer. Of digits, more digits are, in a
/// raw record too: no value is cut from within a word.
fn goes_on(view: View<'_>, start: usize, end: usize) -> bool {
    let digits = |one: u8, other: u8| one.is_ascii_digit() && other.is_ascii_digit();
    digits(view.before(start, 1), view.at(start))
        || digits(view.before(end, 1), view.at(end))
        || view.joined_before(start)
        || view.joined_after(end)
}
