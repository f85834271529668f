//! Where a raw record may hold something to find: what of it needs a closer look.

use super::scan::Hit;

/// Places that are told apart: with more, all of a record is looked at.
pub(super) const MOST: usize = 8;

/// Bytes around a place that belong to it: a quote, or what else parts it from what it is told by.
const AROUND: usize = 1;

/// Where there may be something to find in a raw record, and in what a parser cuts out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suspects {
    /// Nowhere.
    Nothing,
    /// At some places alone: what is known by its form is known where it stands.
    Places,
    /// Anywhere.
    Anything,
}

/// Places in a raw record, by where they lie in memory.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The raw record.
    raw: (usize, usize),
    places: Vec<(usize, usize)>,
}

impl Suspects {
    /// What these hits in a raw record tell of it: where they are, if all are known by their form and they are few.
    pub(super) fn of(hits: &[Hit]) -> Self {
        let by_form = |hit: &Hit| !hit.named && !hit.range.is_empty();
        match hits {
            [] => Self::Nothing,
            hits if hits.len() <= MOST && hits.iter().all(by_form) => Self::Places,
            _ => Self::Anything,
        }
    }
}

impl Places {
    /// Those of the hits in a raw record.
    pub(super) fn fill(&mut self, raw: &str, hits: &[Hit]) {
        let start = raw.as_ptr().addr();
        self.raw = (start, start + raw.len());
        self.places.clear();
        let around = |hit: &Hit| {
            let before = hit.range.start.saturating_sub(AROUND);
            (start + before, start + hit.range.end + AROUND)
        };
        self.places.extend(hits.iter().map(around));
    }

    /// Whether a text has one of the places in it, or is no slice of the raw record.
    pub(super) fn touch(&self, text: &str) -> bool {
        let start = text.as_ptr().addr();
        let end = start + text.len();
        start < self.raw.0
            || end > self.raw.1
            || self.places.iter().any(|place| place.0 < end && start < place.1)
    }
}
