//! Whether a value of a shape begins at a place.

use super::super::check::Check;
use super::super::detect::{View, is_word};
use super::{Part, What};

/// Bytes of a value without its separators, at most.
pub(super) const LONGEST: usize = 96;

/// A shape and what goes with it.
pub(in super::super) struct Fit {
    pub(super) parts: Box<[Part]>,
    /// A place that is the same in all its values, and what stands there.
    pub(super) probe: (usize, What),
    /// How long its values are, if all are as long.
    pub(super) length: Option<usize>,
    pub(super) rule: u16,
    /// The rule among those that have words.
    pub(super) slot: Option<u8>,
    pub(super) needs_context: bool,
    pub(super) check: Option<Check>,
    pub(super) any_case: bool,
}

impl Fit {
    /// Where the value that begins at `start` ends, if there is one. What stands where the shape is sure
    /// to be not yet over tells first: mostly something else.
    pub(super) fn end(&self, view: View<'_>, start: usize) -> Option<usize> {
        let (last, what) = self.probe;
        if !what.has(view.at(start + last), self.any_case) {
            return None;
        }
        if self.length.is_some_and(|length| is_word(view.at(start + length))) {
            return None;
        }
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
        }
        view.walked(place - start);
        (!goes_on(view, start, place) && self.passes(view.bytes.get(start..place)?))
            .then_some(place)
    }

    /// Whether a value, without its separators, passes the checksum.
    fn passes(&self, text: &[u8]) -> bool {
        let Some(check) = self.check else { return true };
        let mut value = [0; LONGEST];
        let mut filled = 0;
        for (to, from) in value.iter_mut().zip(text.iter().filter(|it| it.is_ascii_alphanumeric()))
        {
            (*to, filled) = (*from, filled + 1);
        }
        let Some(value) = value.get_mut(..filled) else { return false };
        if self.any_case {
            value.make_ascii_uppercase();
        }
        check(value)
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

/// Whether what stands between two places is part of something longer: of a word in a raw record too,
/// since no value is cut from within one without being looked at by itself.
fn goes_on(view: View<'_>, start: usize, end: usize) -> bool {
    view.word_before(start)
        || is_word(view.at(end))
        || view.joined_before(start)
        || view.joined_after(end)
}
