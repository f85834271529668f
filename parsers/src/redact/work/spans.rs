//! What was found, put in order: whole characters, and nothing twice.

use std::ops::Range;

use super::super::scan::Hit;

/// Widens a range to whole characters.
pub(super) fn snap(text: &str, range: &mut Range<usize>) {
    range.end = range.end.min(text.len());
    while range.start > 0 && !text.is_char_boundary(range.start) {
        range.start -= 1;
    }
    while range.end < text.len() && !text.is_char_boundary(range.end) {
        range.end += 1;
    }
}

/// Sorts hits and joins those that overlap: the first and longest names the whole.
pub(super) fn merge(hits: &mut Vec<Hit>) {
    hits.sort_unstable_by_key(|hit| (hit.range.start, std::cmp::Reverse(hit.range.end), hit.rule));
    hits.dedup_by(|next, kept| {
        let overlap = next.range.start < kept.range.end;
        if overlap && next.range.end > kept.range.end {
            kept.range.end = next.range.end;
            kept.quote = 0..0;
        }
        overlap
    });
}
