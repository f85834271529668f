//! Where the text of a field ends: before the first of what may follow it.

use super::follow::Mark;
use super::is_blank;
use super::literal::Literal;
use crate::parse::cursor;

/// Where a text ends.
#[derive(Debug, Default, PartialEq)]
pub(super) enum Until {
    /// At the text's end.
    #[default]
    End,
    /// Before an ASCII byte.
    Byte(u8),
    /// Before a blank or a tab.
    Blank,
    /// So many bytes before the first blank or tab: of a word that is followed by a text with one.
    BeforeBlank(usize),
    /// Before a text.
    Text(Box<Literal>),
    /// Before the first of these, or at the end too.
    First { marks: Box<[Literal]>, blank: bool, or_end: bool },
    /// In layouts that have the field in common, from the one in this place on.
    ByLayout(Vec<(usize, Self)>),
}

impl Until {
    pub(super) fn new(marks: &[Mark], or_end: bool, word: bool) -> Self {
        let one = if let [one] = marks { Some(one) } else { None };
        match one {
            Some(Mark::Blanks) if !or_end && word => return Self::BeforeBlank(0),
            Some(Mark::Blanks) if !or_end => return Self::Blank,
            Some(Mark::Literal(literal)) if !or_end => {
                let blank = literal.bytes().position(is_blank).filter(|_| word);
                if let Some(blank) = blank {
                    return Self::BeforeBlank(blank);
                }
                return match literal.as_bytes() {
                    [byte @ 0..=0x7f] => Self::Byte(*byte),
                    _ => Self::Text(Box::new(Literal::new(literal))),
                };
            }
            _ => {}
        }
        let literals = marks.iter().filter_map(|mark| match mark {
            Mark::Literal(literal) => Some(Literal::new(literal)),
            Mark::Blanks => None,
        });
        let blank = marks.iter().any(|mark| matches!(mark, Mark::Blanks));
        Self::First { marks: literals.collect(), blank, or_end }
    }

    /// Where the same field ends in layouts from this place on.
    pub(super) fn also(&mut self, place: usize, other: Self) {
        match self {
            Self::ByLayout(list) if list.last().is_some_and(|(_, last)| *last == other) => {}
            Self::ByLayout(list) => list.push((place, other)),
            one if *one != other => {
                let before = std::mem::take(one);
                *one = Self::ByLayout(vec![(0, before), (place, other)]);
            }
            _ => {}
        }
    }

    /// Where the field ends in the layout in this place; `None` where that must be known and is not.
    #[inline]
    pub(super) fn of(&self, layout: Option<usize>) -> Option<&Self> {
        match self {
            Self::ByLayout(list) => {
                let layout = layout?;
                list.iter().rev().find(|(from, _)| *from <= layout).map(|(_, until)| until)
            }
            until => Some(until),
        }
    }

    /// How long a word is that ends here: it has no blank. `last`: at the last such place in it.
    #[inline(always)]
    pub(super) fn find_in_word(&self, bytes: &[u8], last: bool) -> Option<usize> {
        self.find_without_blank(bytes, last).filter(|len| *len > 0)
    }

    /// The same of a text that may be empty.
    #[inline(always)]
    pub(super) fn find_without_blank(&self, bytes: &[u8], last: bool) -> Option<usize> {
        match self {
            Self::Byte(byte) if !last => {
                let at = cursor::find_any([*byte, b' ', b'\t'], bytes)?;
                (bytes.get(at) == Some(byte)).then_some(at)
            }
            Self::BeforeBlank(len) => cursor::find_any([b' ', b'\t'], bytes)?.checked_sub(*len),
            _ => self.find_before_blank(bytes, last),
        }
    }

    /// The same of what ends otherwise.
    fn find_before_blank(&self, bytes: &[u8], last: bool) -> Option<usize> {
        // It goes no further than to the first blank, where what follows may begin.
        let blank = cursor::find_any([b' ', b'\t'], bytes);
        let window = blank.and_then(|at| bytes.get(..at + self.longest())).unwrap_or(bytes);
        let len = self.find(window, last)?;
        blank.is_none_or(|blank| len <= blank).then_some(len)
    }

    /// Bytes of the longest text that may follow.
    fn longest(&self) -> usize {
        match self {
            Self::Text(mark) => Some(mark.len()),
            Self::First { marks, .. } => marks.iter().map(|mark| mark.len()).max(),
            _ => None,
        }
        .map_or(1, |longest| longest.max(1))
    }

    /// How long a text is that ends here, at the first place or at the last.
    #[inline(always)]
    pub(super) fn find(&self, bytes: &[u8], last: bool) -> Option<usize> {
        match self {
            Self::End => Some(bytes.len()),
            Self::Byte(byte) if !last => cursor::find(*byte, bytes),
            Self::Text(mark) => mark.find(bytes, last),
            _ => self.find_mark(bytes, last),
        }
    }

    /// The same of what is more than one byte, or not the first of them.
    fn find_mark(&self, bytes: &[u8], last: bool) -> Option<usize> {
        match self {
            Self::End => Some(bytes.len()),
            Self::Byte(byte) if last => memchr::memrchr(*byte, bytes),
            Self::Byte(byte) => cursor::find(*byte, bytes),
            Self::Blank => find_blank(bytes, last),
            Self::BeforeBlank(len) => find_blank(bytes, false)?.checked_sub(*len),
            Self::Text(mark) => mark.find(bytes, last),
            Self::First { marks, blank, or_end } => {
                let blank = if *blank { find_blank(bytes, last) } else { None };
                let place = if last {
                    marks.iter().filter_map(|mark| mark.find(bytes, true)).chain(blank).max()
                } else {
                    // Each is only looked for before the first of the others.
                    marks.iter().fold(blank, |first, mark| {
                        let window =
                            first.and_then(|at| bytes.get(..(at + mark.len()).saturating_sub(1)));
                        mark.find(window.unwrap_or(bytes), false).or(first)
                    })
                };
                place.or(or_end.then_some(bytes.len()))
            }
            // Whoever asks has chosen one of them.
            Self::ByLayout(_) => None,
        }
    }
}

/// Where the first blank or tab is, or the last.
#[inline]
fn find_blank(bytes: &[u8], last: bool) -> Option<usize> {
    if last {
        bytes.iter().rposition(|byte| is_blank(*byte))
    } else {
        cursor::find_any([b' ', b'\t'], bytes)
    }
}
