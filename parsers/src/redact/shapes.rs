//! Values known by their shape: `000.000.000-00`, with a checksum, with words that stand before them.
//!
//! A shape is found by the anchor that it is sure to have (a run of digits, groups of them, capitals
//! before digits …), at a place within it that is known beforehand. The cheapest test comes first: how
//! long the run of digits is, then the words before it, then the shape, then the checksum. Of the rules
//! that share a shape, the one whose word stands nearest has it, else the longest match, else the first.

mod apart;
mod around;
mod context;
mod endings;
mod first;
mod fit;
mod near;
mod plan;
mod syntax;

use std::ops::Range;

pub(super) use apart::Apart;
use around::Places;
pub(super) use context::Contexts;
use first::{First, Words};
pub(super) use fit::Fit;
use fit::Step;
pub(super) use near::{Near, Slots};
pub(super) use plan::Place;
pub(super) use syntax::{Part, ShapeError, What};

use super::bytes::Bytes;
use super::check::Check;
use super::detect::{View, is_word};

/// The longest run of digits that lists are kept for.
const LONGEST_RUN: usize = 20;

/// How a rule file writes one shape.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(from = "Written")]
pub(super) struct ShapeFile {
    /// What it looks like, as [`syntax`] has it.
    pub(super) shape: String,
    /// Whether it is one only after one of the rule's words, or in a field of such a name.
    pub(super) needs_context: bool,
}

/// A shape alone, or with what is to be said about it.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Written {
    Alone(String),
    With {
        shape: String,
        #[serde(default)]
        needs_context: bool,
    },
}

impl From<Written> for ShapeFile {
    fn from(written: Written) -> Self {
        match written {
            Written::Alone(shape) => Self { shape, needs_context: false },
            Written::With { shape, needs_context } => Self { shape, needs_context },
        }
    }
}

/// One rule's shapes.
pub(super) struct ShapeRule<'f> {
    /// The shapes.
    pub(super) shapes: &'f [ShapeFile],
    /// The words that stand before such values, apart by blanks.
    pub(super) context: &'f [String],
    /// What a value without its separators must pass.
    pub(super) check: Option<Check>,
    /// Whether letters may be of either case; the checksum is given capitals.
    pub(super) any_case: bool,
    /// The rule's index.
    pub(super) rule: u16,
}

/// A shape where it can be found by an anchor.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Which shape.
    shape: u16,
    /// How far before the anchor's place it begins.
    offset: u8,
}

/// All shapes of the rules that are on.
#[derive(Default)]
pub(super) struct Shapes {
    fits: Vec<Fit>,
    /// By the anchor's [`Place`]; runs of digits are in `runs`.
    places: Places,
    /// By how many digits the run has.
    runs: Vec<Run>,
    /// Found at the value of a name only.
    named: Vec<u16>,
    /// The same by the byte that they begin with.
    named_first: First,
    /// By that byte, shapes found by the beginning of a long word.
    words: Words,
    /// The rules of those.
    named_slots: Slots,
    /// The words.
    contexts: Contexts,
}

/// Shapes that have a run of so many digits.
#[derive(Clone, Debug, Default)]
struct Run {
    entries: Vec<Entry>,
    /// Those of them that need no context.
    free: Vec<Entry>,
    /// What may stand right before the run.
    before: Bytes,
    /// Whether one of them begins with it.
    first: bool,
    /// What may stand right behind it.
    behind: Bytes,
    /// The rules of those that need one.
    slots: Slots,
}

impl Shapes {
    /// Adds a rule's shapes. Returns its place among the rules that have words.
    ///
    /// # Errors
    /// [`ShapeError`] when one is not written as shapes are, or can be found by nothing.
    pub(super) fn add(&mut self, rule: &ShapeRule<'_>) -> Result<Option<u8>, ShapeError> {
        self.runs.resize(LONGEST_RUN + 1, Run::default());
        let slot = if rule.context.is_empty() { None } else { Some(self.contexts.slot()?) };
        for words in rule.context {
            self.contexts.add(words, slot);
        }
        for file in rule.shapes {
            if file.needs_context && slot.is_none() {
                return Err(ShapeError::NoContext(file.shape.clone()));
            }
            for parts in syntax::parse(&file.shape)? {
                self.add_parts(rule, file, slot, parts)?;
            }
        }
        Ok(slot)
    }

    fn add_parts(
        &mut self,
        rule: &ShapeRule<'_>,
        file: &ShapeFile,
        slot: Option<u8>,
        parts: Vec<Part>,
    ) -> Result<(), ShapeError> {
        let plan = plan::plan(&parts, rule.any_case);
        let shape = u16::try_from(self.fits.len()).unwrap_or(u16::MAX);
        match plan {
            Some((Place::Run { least, most }, offset)) => {
                for (length, run) in self.runs.iter_mut().enumerate().take(most + 1).skip(least) {
                    run.entries.push(Entry { shape, offset });
                    if !file.needs_context {
                        run.free.push(Entry { shape, offset });
                    }
                    run.slots.add(slot);
                    let (before, behind) = plan::beside(&parts, usize::from(offset), length);
                    run.before.add(|byte| before.has(byte, rule.any_case));
                    run.behind.add(|byte| behind.has(byte, rule.any_case));
                    run.first |= offset == 0;
                }
            }
            Some((place, offset)) => {
                let entry = Entry { shape, offset };
                self.places.add(place, &parts, (rule.any_case, !file.needs_context), entry);
            }
            None if file.needs_context => {
                self.named.push(shape);
                self.named_slots.add(slot);
            }
            None => return Err(ShapeError::NoAnchor(file.shape.clone())),
        }
        let (probe, what) = plan::telling(&parts);
        let fit = Fit {
            probe: (probe, what.members(rule.any_case)),
            separators: plan::separators(&parts)
                .map(|(at, what)| (at, what.members(rule.any_case), what == What::Joint))
                .collect(),
            length: plan::length(&parts),
            parts: parts.iter().map(|part| Step::of(part, rule.any_case)).collect(),
            rule: rule.rule,
            slot,
            needs_context: file.needs_context,
            check: rule.check,
            any_case: rule.any_case,
        };
        match plan {
            None => self.named_first.add(&fit, shape),
            Some((Place::Word, _)) => self.words.add(&fit, shape),
            Some(_) => {}
        }
        self.fits.push(fit);
        Ok(())
    }

    /// Whether there is no shape at all.
    pub(super) const fn is_empty(&self) -> bool {
        self.fits.is_empty()
    }

    /// The words of all rules.
    pub(super) const fn contexts(&self) -> &Contexts {
        &self.contexts
    }

    /// Whether a shape may have a run of digits of this length.
    #[inline]
    pub(super) fn has_run(&self, length: usize) -> bool {
        self.runs.get(length).is_some_and(|run| !run.entries.is_empty())
    }

    /// Whether a shape may have the run of digits between two places.
    pub(super) fn may_have_run(&self, view: View<'_>, at: usize, end: usize) -> bool {
        self.runs.get(end - at).is_some_and(|run| {
            let before = view.before(at, 1);
            let begins = || run.first && is_word(before) && !view.word_before(at);
            run.behind.has(view.at(end)) && (run.before.has(before) || begins())
        })
    }

    /// Whether a shape may be found by this kind of anchor.
    #[inline]
    pub(super) fn has(&self, place: Place) -> bool {
        self.places.has(place)
    }

    /// Whether a shape may be found by one at `at`.
    #[inline]
    pub(super) fn has_at(&self, view: View<'_>, place: Place, at: usize) -> bool {
        !self.places.at(view, place, at).is_empty()
    }

    /// Whether a shape found by the beginning of a long word may begin with this byte.
    pub(super) fn may_begin_word(&self, byte: u8) -> bool {
        !self.words.of(byte).is_empty()
    }

    /// Whether a word that begins at a place may be as long as one of those.
    #[inline]
    pub(super) fn has_word_length(&self, view: View<'_>, at: usize) -> bool {
        self.words.has_length(view, at)
    }

    /// Whether one of those begins at a place.
    #[inline(never)]
    pub(super) fn is_word(&self, view: View<'_>, at: usize) -> bool {
        let fits = |&shape: &u16| self.fits.get(usize::from(shape))?.end(view, at);
        self.words.of(view.at(at)).iter().any(|shape| fits(shape).is_some())
    }

    /// What a run of `length` digits at `at` belongs to; `named` are the rules that the name of the
    /// field has.
    pub(super) fn run(
        &self,
        view: View<'_>,
        at: usize,
        length: usize,
        named: Slots,
        apart: &mut Apart,
    ) -> Option<(u16, Range<usize>)> {
        let run = self.runs.get(length)?;
        apart.note_run(at, length, run.slots);
        let near = self.contexts.near(view, at);
        let alone = near.is_empty() && !named.meets(run.slots);
        self.best(view, if alone { &run.free } else { &run.entries }, at, (&near, named))
    }

    /// What an anchor of another kind at `at` belongs to.
    pub(super) fn find(
        &self,
        view: View<'_>,
        place: Place,
        at: usize,
        named: Slots,
        apart: &mut Apart,
    ) -> Option<(u16, Range<usize>)> {
        let (entries, free) = self.places.both_at(view, place, at)?;
        let near = self.contexts.near(view, at);
        // Without a word or a name, those that need one are looked at only where a name is elsewhere.
        let alone = near.is_empty() && named.is_empty() && apart.note_place(place, at);
        let entries = if alone { free } else { entries };
        // Mostly none fits.
        let first = entries.iter().position(|&entry| self.fit(view, entry, at).is_some())?;
        let rest = entries.get(first..)?;
        for entry in rest {
            apart.values.add(self.fits.get(usize::from(entry.shape)).and_then(|fit| fit.slot));
        }
        self.best(view, rest, at, (&near, named))
    }

    /// What the value at `at` of a name belongs to, of the shapes that only a name gives away.
    pub(super) fn named(
        &self,
        view: View<'_>,
        at: usize,
        named: Slots,
    ) -> Option<(u16, Range<usize>)> {
        let fitting = self.named.iter().filter_map(|&shape| {
            let fit = self.fits.get(usize::from(shape))?;
            fit.slot.filter(|&slot| named.has(slot))?;
            Some((fit.rule, at..fit.end(view, at)?))
        });
        fitting.min_by_key(|(_, range)| std::cmp::Reverse(range.end))
    }

    /// Whether one may follow the blank at a place, and one of the rules' words stand before it.
    pub(super) fn may_follow(&self, view: View<'_>, blank: usize) -> bool {
        !self.named_first.of(view.at(blank + 1)).is_empty()
            && self.contexts.may_end(view, blank)
            && self.named_fits(view, blank + 1)
    }

    /// Whether a value of those begins at a place.
    pub(super) fn named_fits(&self, view: View<'_>, at: usize) -> bool {
        let fit = |&shape: &u16| self.fits.get(usize::from(shape))?.end(view, at);
        self.named_first.of(view.at(at)).iter().any(|shape| fit(shape).is_some())
    }

    /// Notes what a name in a raw record may be the context of. Returns whether its value, wherever it
    /// stands, is one of those that only a name gives away.
    pub(super) fn note_name(&self, named: Slots, apart: &mut Apart) -> bool {
        apart.names.join(named);
        named.meets(self.named_slots)
    }

    /// Whether a name and a value of one rule are in a raw record.
    pub(super) fn meet(&self, view: View<'_>, apart: &Apart) -> bool {
        let names = apart.names;
        if names.is_empty() {
            return false;
        }
        let fits = |entries: &[Entry], at: usize| {
            entries.iter().any(|&entry| {
                let slot = self.fits.get(usize::from(entry.shape)).and_then(|fit| fit.slot);
                slot.is_some_and(|slot| names.has(slot)) && self.fit(view, entry, at).is_some()
            })
        };
        let run = |(at, length): (usize, usize)| {
            let run = self.runs.get(length).filter(|run| run.slots.meets(names));
            run.is_some_and(|run| fits(&run.entries, at))
        };
        names.meets(apart.values)
            || apart.runs().any(run)
            || apart.places().any(|(place, at)| fits(self.places.at(view, place, at), at))
    }

    /// What a number of JSON belongs to.
    pub(super) fn number(&self, view: View<'_>, named: Slots) -> Option<u16> {
        let length = view.bytes.len();
        let found = self.run(view, 0, length, named, &mut Apart::default());
        found.filter(|(_, range)| range.len() == length).map(|(rule, _)| rule)
    }

    fn fit(&self, view: View<'_>, entry: Entry, at: usize) -> Option<Range<usize>> {
        let start = at.checked_sub(usize::from(entry.offset))?;
        let fit = self.fits.get(usize::from(entry.shape))?;
        Some(start..fit.end(view, start)?)
    }

    /// The best of some shapes at one place.
    fn best(
        &self,
        view: View<'_>,
        entries: &[Entry],
        at: usize,
        (near, named): (&Near, Slots),
    ) -> Option<(u16, Range<usize>)> {
        let ranked = entries.iter().filter_map(|&entry| {
            let fit = self.fits.get(usize::from(entry.shape))?;
            let distance = fit.slot.and_then(|slot| near.distance(slot, named));
            if fit.needs_context && distance.is_none() {
                return None;
            }
            let range = self.fit(view, entry, at)?;
            let rank = (distance.unwrap_or(usize::MAX), std::cmp::Reverse(range.len()));
            Some((rank, fit.rule, range))
        });
        ranked.min_by_key(|(rank, ..)| *rank).map(|(_, rule, range)| (rule, range))
    }
}

#[cfg(test)]
pub(super) mod tests;
