//! Shapes by the anchor that finds them and by how many digits stand right before and behind it: that
//! leaves few of those that share an anchor, mostly none.

use std::ops::Range;

use super::super::detect::View;
use super::plan::{Place, digit, fixed, last_fixed, may_be_digit};
use super::syntax::Members;
use super::{Entry, Part};

/// So many digits, or more.
const MOST: usize = 8;

/// Numbers of digits on one side.
const SIDE: usize = MOST + 1;

/// Shapes by anchor and digits.
#[derive(Default)]
pub(super) struct Places([Vec<List>; Place::COUNT]);

/// Shapes that may stand around one kind of anchor.
#[derive(Clone, Debug, Default)]
struct List {
    entries: Vec<Entry>,
    /// Those of them that need no context.
    free: Vec<Entry>,
    /// What is sure to stand so far behind the anchor, or before it: one of these, or no shape is there.
    probes: Vec<Probe>,
}

/// What a shape has at a place, counted from the anchor.
type Probe = (isize, Members);

impl List {
    fn add(&mut self, entry: Entry, free: bool, probe: Probe) {
        self.entries.push(entry);
        if free {
            self.free.push(entry);
        }
        if !self.probes.contains(&probe) {
            self.probes.push(probe);
        }
    }

    #[inline]
    fn may_be(&self, view: View<'_>, at: usize) -> bool {
        self.probes.iter().any(|&(from, members)| {
            at.checked_add_signed(from).is_some_and(|place| members.has(view.at(place)))
        })
    }
}

impl Places {
    /// Adds a shape.
    pub(super) fn add(
        &mut self,
        place: Place,
        parts: &[Part],
        (any_case, free): (bool, bool),
        entry: Entry,
    ) {
        let Some(lists) = self.0.get_mut(place.index()) else { return };
        lists.resize(if place == Place::Word { 1 } else { SIDE * SIDE }, List::default());
        let (last, what) = last_fixed(parts);
        let from = isize::try_from(last).unwrap_or_default() - isize::from(entry.offset);
        let (before, behind) = if place == Place::Word {
            (0..1, 0..1)
        } else {
            sides(place, parts, usize::from(entry.offset))
        };
        for before in before {
            for behind in behind.clone() {
                if let Some(list) = lists.get_mut(before * SIDE + behind) {
                    list.add(entry, free, (from, what.members(any_case)));
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
        self.list(view, place, at).map_or(&[], |list| &list.entries)
    }

    /// The same, and those of them that need no context.
    #[inline]
    pub(super) fn both_at(
        &self,
        view: View<'_>,
        place: Place,
        at: usize,
    ) -> Option<(&[Entry], &[Entry])> {
        self.list(view, place, at).map(|list| (&*list.entries, &*list.free))
    }

    #[inline]
    fn list(&self, view: View<'_>, place: Place, at: usize) -> Option<&List> {
        let index = match place {
            Place::Word => 0,
            _ => view.digits_before(at) * SIDE + view.digits_from(at + width(place)),
        };
        self.0.get(place.index())?.get(index).filter(|list| list.may_be(view, at))
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
