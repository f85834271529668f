//! Shapes by the anchor that finds them and by how many digits stand right before and behind it: that
//! leaves few of those that share an anchor, mostly none.

use std::ops::Range;

use super::super::detect::View;
use super::plan::{Place, digit, fixed, may_be_digit};
use super::{Entry, Part};

/// So many digits, or more.
const MOST: usize = 8;

/// Numbers of digits on one side.
const SIDE: usize = MOST + 1;

/// Shapes by anchor and digits.
#[derive(Default)]
pub(super) struct Places([Vec<Vec<Entry>>; Place::COUNT]);

impl Places {
    /// Adds a shape.
    pub(super) fn add(&mut self, place: Place, parts: &[Part], entry: Entry) {
        let Some(lists) = self.0.get_mut(place.index()) else { return };
        lists.resize(if place == Place::Word { 1 } else { SIDE * SIDE }, Vec::new());
        let (before, behind) = if place == Place::Word {
            (0..1, 0..1)
        } else {
            sides(place, parts, usize::from(entry.offset))
        };
        for before in before {
            for behind in behind.clone() {
                if let Some(list) = lists.get_mut(before * SIDE + behind) {
                    list.push(entry);
                }
            }
        }
    }

    /// Whether any shape has this kind of anchor.
    #[inline]
    pub(super) fn has(&self, place: Place) -> bool {
        self.0.get(place.index()).is_some_and(|lists| !lists.is_empty())
    }

    /// Those that may stand around an anchor at `at`.
    #[inline]
    pub(super) fn at(&self, view: View<'_>, place: Place, at: usize) -> &[Entry] {
        let digit = |byte: u8| byte.is_ascii_digit();
        let index = if place == Place::Word {
            0
        } else {
            let from = at + width(place);
            let before = at - view.run_back(at, MOST, digit);
            before * SIDE + view.run(from, MOST, digit) - from
        };
        let lists = self.0.get(place.index());
        lists.and_then(|lists| lists.get(index)).map_or(&[], Vec::as_slice)
    }
}

/// Bytes of the anchor itself.
const fn width(place: Place) -> usize {
    if matches!(place, Place::Capitals) { 2 } else { 1 }
}

/// How many digits may stand right before and right behind the anchor of a shape.
fn sides(place: Place, parts: &[Part], offset: usize) -> (Range<usize>, Range<usize>) {
    let shape = fixed(parts);
    let whole = parts.iter().map(|part| part.most).sum::<usize>() == shape.len();
    let (before, behind) = shape.split_at(offset.min(shape.len()));
    let behind = behind.get(width(place)..).unwrap_or_default();
    let count = |digits: usize, next: Option<bool>, ends: bool| {
        let least = digits.min(MOST);
        // What is no part of the shape, and no digit of it, ends the run.
        let more = next.unwrap_or(!ends);
        least..if more { MOST + 1 } else { least + 1 }
    };
    let digits = before.iter().rev().take_while(|what| digit(what)).count();
    let next = before.iter().rev().nth(digits).map(may_be_digit);
    let before = count(digits, next, true);
    let digits = behind.iter().take_while(|what| digit(what)).count();
    let next = behind.get(digits).map(may_be_digit);
    (before, count(digits, next, whole))
}
