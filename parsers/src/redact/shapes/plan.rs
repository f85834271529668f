//! By which anchor a shape is found, and how far within it the anchor stands.

use super::super::detect::is_word;
use super::LONGEST_RUN;
use super::syntax::{Part, What};

/// Least digits of a run that is an anchor.
const RUN: usize = 7;

/// Least bytes of a word that is an anchor.
const WORD: usize = 16;

/// What a shape is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Place {
    /// A run of seven digits or more: its first.
    Run {
        /// How long the run is at least.
        least: usize,
        /// And at most.
        most: usize,
    },
    /// A capital before three digits: the capital.
    Capital,
    /// Two capitals before two digits: the first of them.
    Capitals,
    /// A separator between three digits and three.
    Triple,
    /// A separator between two digits and four.
    Group,
    /// The separator before two digits, twice more: ` 00 00 00`.
    Pairs,
    /// The beginning of a long word.
    Word,
}

impl Place {
    /// How many kinds there are, [`Place::Run`] aside.
    pub(super) const COUNT: usize = 6;

    /// An index for each kind but the first.
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Capital => 0,
            Self::Capitals => 1,
            Self::Triple => 2,
            Self::Group => 3,
            Self::Pairs => 4,
            Self::Word => 5,
            Self::Run { .. } => usize::MAX,
        }
    }
}

/// The anchor that a shape is sure to have, and how far before it the shape begins.
pub(super) fn plan(parts: &[Part], any_case: bool) -> Option<(Place, u8)> {
    let fixed = fixed(parts);
    let whole = parts.iter().map(|part| part.most).sum::<usize>() == fixed.len();
    run(&fixed, whole)
        .or_else(|| {
            at(&fixed, Place::Capital, |shape| {
                capital(shape.first(), any_case) && shape.len() >= 4 && all(shape.get(1..4), digit)
            })
        })
        .or_else(|| {
            at(&fixed, Place::Capitals, |shape| {
                !any_case
                    && all(shape.get(..2), |what| capital(Some(what), false))
                    && all(shape.get(2..4), digit)
            })
        })
        .or_else(|| gap(&fixed, Place::Triple, 3, 3))
        .or_else(|| gap(&fixed, Place::Group, 2, 4))
        .or_else(|| {
            at(&fixed, Place::Pairs, |shape| {
                [0, 3, 6].into_iter().all(|at| {
                    // Three different ones are a date and what comes after it.
                    shape.get(at).is_some_and(is_gap)
                        && shape.get(at) == shape.first()
                        && all(shape.get(at + 1..at + 3), digit)
                })
            })
        })
        .or_else(|| word(&fixed))
}

/// The places of a shape that are the same in all its values.
pub(super) fn fixed(parts: &[Part]) -> Vec<What> {
    let mut fixed = Vec::new();
    for part in parts {
        fixed.extend(std::iter::repeat_n(part.what, part.least));
        if part.least < part.most {
            break;
        }
    }
    fixed
}

/// Those of them that hold separators, the last first.
pub(super) fn separators(parts: &[Part]) -> impl Iterator<Item = (u8, What)> {
    let places = (0..u8::MAX).zip(fixed(parts)).filter(|(_, what)| what.is_separator());
    places.collect::<Vec<_>>().into_iter().rev()
}

/// The place of those that tells most, and what stands there: a digit, else the last.
pub(super) fn telling(parts: &[Part]) -> (usize, What) {
    let fixed = fixed(parts);
    let digit = fixed.iter().rposition(|what| *what == What::Digit);
    digit.map_or_else(|| last_fixed(parts), |at| (at, What::Digit))
}

/// The last of those places, and what stands there.
pub(super) fn last_fixed(parts: &[Part]) -> (usize, What) {
    let fixed = fixed(parts);
    let last = fixed.len().saturating_sub(1);
    (last, fixed.get(last).copied().unwrap_or(What::Digit))
}

/// How long the values of a shape are, if all are as long.
pub(super) fn length(parts: &[Part]) -> Option<usize> {
    parts.iter().try_fold(0, |all, part| (part.least == part.most).then_some(all + part.most))
}

/// Whether a shape has the anchor that `is` knows at its beginning, anywhere.
fn at(fixed: &[What], place: Place, is: impl Fn(&[What]) -> bool) -> Option<(Place, u8)> {
    let offset = (0..fixed.len()).find(|&at| fixed.get(at..).is_some_and(&is))?;
    Some((place, u8::try_from(offset).ok()?))
}

fn all(shape: Option<&[What]>, is: impl Fn(&What) -> bool) -> bool {
    shape.is_some_and(|shape| shape.iter().all(is))
}

pub(super) const fn digit(what: &What) -> bool {
    matches!(what, What::Digit | What::Literal(b'0'..=b'9'))
}

/// Whether a capital stands there; with `any_case` it may be another letter.
const fn capital(what: Option<&What>, any_case: bool) -> bool {
    !any_case && matches!(what, Some(What::Capital | What::Literal(b'A'..=b'Z')))
}

const fn is_gap(what: &What) -> bool {
    matches!(what, What::Joint | What::Literal(b' ' | b'-' | b'.'))
}

/// Whether a digit may stand there.
pub(super) const fn may_be_digit(what: &What) -> bool {
    digit(what)
        || matches!(what, What::CapitalOrDigit | What::LowerOrDigit | What::Word | What::Hex)
}

/// A run of digits. How long it may get is not known where the shape is not `whole`.
fn run(fixed: &[What], whole: bool) -> Option<(Place, u8)> {
    let begins = |&at: &usize| {
        let before = at.checked_sub(1).and_then(|before| fixed.get(before));
        !before.is_some_and(may_be_digit) && all(fixed.get(at..at + RUN), digit)
    };
    let start = (0..fixed.len()).find(begins)?;
    let rest = fixed.get(start..)?;
    let least = rest.iter().take_while(|what| digit(what)).count();
    let most = rest.iter().take_while(|what| may_be_digit(what)).count();
    let most = if most < rest.len() || whole { most } else { LONGEST_RUN };
    Some((Place::Run { least, most }, u8::try_from(start).ok()?))
}

/// What may stand beside a part of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// More of the value.
    More(What),
    /// What is no part of it, and no word.
    Other,
    /// Either.
    Any,
}

impl Beside {
    /// Whether it may be this byte.
    pub(super) const fn has(self, byte: u8, any_case: bool) -> bool {
        match self {
            Self::More(what) => what.has(byte, any_case),
            Self::Other => !is_word(byte),
            Self::Any => true,
        }
    }
}

/// What may stand right before and right behind the run of `length` digits that begins at `offset`.
pub(super) fn beside(parts: &[Part], offset: usize, length: usize) -> (Beside, Beside) {
    let fixed = fixed(parts);
    let before = match offset.checked_sub(1).map(|before| fixed.get(before)) {
        None => Beside::Other,
        Some(what) => what.map_or(Beside::Any, |what| Beside::More(*what)),
    };
    let whole = parts.iter().map(|part| part.most).sum::<usize>() == fixed.len();
    let behind = match fixed.get(offset + length) {
        Some(what) => Beside::More(*what),
        None if whole => Beside::Other,
        None => Beside::Any,
    };
    (before, behind)
}

/// A separator between so many digits and so many.
fn gap(fixed: &[What], place: Place, before: usize, after: usize) -> Option<(Place, u8)> {
    let (found, offset) = at(fixed, place, |shape| {
        all(shape.get(..before), digit)
            && shape.get(before).is_some_and(is_gap)
            && all(shape.get(before + 1..before + 1 + after), digit)
    })?;
    Some((found, offset + u8::try_from(before).ok()?))
}

fn word(fixed: &[What]) -> Option<(Place, u8)> {
    let token = |what: &What| match what {
        What::Literal(byte) => byte.is_ascii_alphanumeric() || *byte == b'-',
        what => !what.is_separator(),
    };
    all(fixed.get(..WORD), token).then_some((Place::Word, 0))
}
