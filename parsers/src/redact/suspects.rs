//! Where a raw record may hold something to find: what of it needs a closer look.
//!
//! A text is passed over only where JSON's quotes part it from all else, or its signs do: what a detector takes for one
//! value in the raw record may be several of a line whose values commas or blanks part.

use std::ops::Range;

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

/// Places in a raw record.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Where the raw record lies in memory.
    start: usize,
    places: Vec<Range<usize>>,
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
        self.start = raw.as_ptr().addr();
        self.places.clear();
        let around = |hit: &Hit| {
            hit.range.start.saturating_sub(AROUND)..hit.range.end.saturating_add(AROUND)
        };
        self.places.extend(hits.iter().map(around));
    }

    /// Whether something may be in a slice of the raw record.
    #[inline]
    pub(super) fn are_in(&self, suspects: Suspects, (raw, slice): (&str, &str)) -> bool {
        match suspects {
            Suspects::Nothing => false,
            Suspects::Places => self.touch(raw, slice),
            Suspects::Anything => true,
        }
    }

    /// Whether a text has one of the places in it, or is no slice of the raw record that is parted from the others.
    fn touch(&self, raw: &str, text: &str) -> bool {
        let start = text.as_ptr().addr().wrapping_sub(self.start);
        let around = start.checked_sub(1).zip(start.checked_add(text.len()));
        let Some((before, end)) = around else { return true };
        let byte = |at: usize| raw.as_bytes().get(at).copied();
        let parted = match byte(before) {
            Some(b'"') => byte(end) == Some(b'"'),
            // A number or an object, behind its name.
            Some(b':') => {
                before.checked_sub(1).and_then(byte) == Some(b'"')
                    && matches!(byte(end), Some(b',' | b'}'))
            }
            _ => false,
        };
        !parted || self.places.iter().any(|place| place.start < end && start < place.end)
    }
}
