//! Whether a value of a shape begins at a place.

use super::super::check::Check;
use super::super::detect::{View, is_word};
use super::syntax::Members;
use super::{Part, What};

/// Bytes of a value without its separators, at most.
pub(super) const LONGEST: usize = 96;

/// One part of a shape, as it is gone through.
#[derive(Clone, Copy)]
pub(super) struct Step {
    members: Members,
    /// Whether it is a separator that is the same wherever it stands.
    is_joint: bool,
    least: u8,
    most: u8,
}

impl Step {
    /// A part's, whose letters may be of either case.
    pub(super) fn of(part: &Part, any_case: bool) -> Self {
        // No shape is longer than [`LONGEST`].
        let [least, most] = [part.least, part.most].map(|it| u8::try_from(it).unwrap_or(u8::MAX));
        let members = part.what.members(any_case);
        Self { members, is_joint: part.what == What::Joint, least, most }
    }

    /// Whether a byte may stand there.
    pub(super) const fn has(&self, byte: u8) -> bool {
        self.members.has(byte)
    }
}

/// A shape and what goes with it.
pub(in super::super) struct Fit {
    pub(super) parts: Box<[Step]>,
    /// A place that is the same in all its values, and what stands there.
    pub(super) probe: (usize, Members),
    /// Where separators stand in all its values, the last first, and whether each is a joint.
    pub(super) separators: Box<[(u8, Members, bool)]>,
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
        let (last, members) = self.probe;
        if !members.has(view.at(start + last)) {
            return None;
        }
        if self.length.is_some_and(|length| is_word(view.at(start + length))) {
            return None;
        }
        let mut joint = None;
        if !self.is_parted(view, start, &mut joint) {
            return None;
        }
        let mut place = start;
        for part in &self.parts {
            let from = place;
            let most = from + usize::from(part.most);
            while place < most && part.has(view.at(place)) {
                if part.is_joint && *joint.get_or_insert(view.at(place)) != view.at(place) {
                    break;
                }
                place += 1;
            }
            if place - from < usize::from(part.least) {
                return None;
            }
        }
        view.walked(place - start);
        (!goes_on(view, start, place) && self.passes(view.bytes.get(start..place)?))
            .then_some(place)
    }

    /// Whether separators stand where they do in all values: of a number whose groups are others, they do not.
    #[inline]
    fn is_parted(&self, view: View<'_>, start: usize, joint: &mut Option<u8>) -> bool {
        self.separators.iter().all(|&(after, members, is_joint)| {
            let byte = view.at(start + usize::from(after));
            members.has(byte) && (!is_joint || *joint.get_or_insert(byte) == byte)
        })
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

    /// Whether a value may begin with this byte.
    pub(super) fn may_begin(&self, byte: u8) -> bool {
        self.parts.first().is_some_and(|part| part.has(byte))
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
