//! Names and values of shapes that stand apart in a raw record: a parser may bring them together.

use super::{Place, Slots};

/// What a scan over a raw record remembers of shapes: a name and a value that stand apart may come
/// together in a record.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Apart {
    /// Rules whose name was assigned something.
    pub(super) names: Slots,
    /// Rules one of whose shapes is there.
    pub(super) values: Slots,
    /// Runs of digits that may be a value, by place and length. They are looked at once a name is there.
    runs: [(u32, u32); APART],
    count: usize,
    /// Other places where a value may be, that are looked at only then.
    places: [(Place, u32); APART],
    placed: usize,
}

/// Runs of digits that are remembered; of more, each counts as a value of all rules that have its length.
const APART: usize = 8;

impl Apart {
    pub(super) fn note_run(&mut self, at: usize, length: usize, slots: Slots) {
        match self.runs.get_mut(self.count) {
            Some(run) => {
                *run = (shortened(at), shortened(length));
                self.count += 1;
            }
            None => self.values.join(slots),
        }
    }

    /// Notes a place that is to be looked at once a name is there: whether there is room for it.
    pub(super) fn note_place(&mut self, place: Place, at: usize) -> bool {
        let Some(noted) = self.places.get_mut(self.placed) else { return false };
        *noted = (place, shortened(at));
        self.placed += 1;
        true
    }

    /// The runs of digits that are noted: where they begin, and how long they are.
    pub(super) fn runs(&self) -> impl Iterator<Item = (usize, usize)> {
        let runs = self.runs.iter().take(self.count);
        runs.map(|&(at, length)| (at as usize, length as usize))
    }

    /// The other places.
    pub(super) fn places(&self) -> impl Iterator<Item = (Place, usize)> {
        self.places.iter().take(self.placed).map(|&(place, at)| (place, at as usize))
    }
}

impl Default for Apart {
    fn default() -> Self {
        let places = [(Place::Word, 0); APART];
        Self {
            names: Slots::default(),
            values: Slots::default(),
            runs: [(0, 0); APART],
            count: 0,
            places,
            placed: 0,
        }
    }
}

/// A place of a raw record, which is far from being so long that this loses any.
fn shortened(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
