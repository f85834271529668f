//! The columns of a File whose first lines, or some of them, name what stands in the lines below: what
//! a header said, for which File it holds, and where it lies, so that it can be found again.
//!
//! A header holds for its own File only: what it says of one File is the same after a restart, and
//! whichever File was read before.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Misfit;
use super::roles::{self, Role};
use crate::Arena;
use crate::frame::{FileNumber, FileSpan};
use crate::record::{Key, Known, Text};

/// Columns that a header may have.
pub(super) const MOST: usize = 256;

/// Bytes that a column's name may have, and all of them: every record has them.
const LONGEST: (usize, usize) = (256, 8 * 1024);

/// Where the header lies that a File's lines are read by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderAt {
    /// The File.
    pub file: FileNumber,
    /// The offset of the line in it: that of the header, or, while there is none yet, of a line above
    /// it.
    pub offset: u64,
}

/// What becomes of a column's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    /// A field under the column's own name.
    Field,
    /// The same, of a number.
    Number,
    /// A known field.
    Known(Known),
    /// A known field that is a whole number.
    KnownNumber(Known),
    /// How long it took.
    Duration,
    /// The time, level or message, and how much it is preferred to others.
    Role(Role, u8),
    /// The day of the record's time.
    Date,
    /// The time of that day.
    TimeOfDay,
    /// The path of the request's target.
    Stem,
    /// The query of the request's target.
    Query,
    /// What the client calls itself, encoded.
    UserAgent,
}

/// The names of columns, each unlike all others, and what becomes of their values.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// One after the other.
    text: String,
    /// Where each ends.
    columns: Vec<(usize, Gives)>,
}

impl Names {
    /// Names of columns as a header writes them. One that is empty becomes `column_3`, one that there
    /// is already `name_2`.
    pub(super) fn new<'t>(
        names: impl Iterator<Item = &'t str>,
        mut gives: impl FnMut(&str) -> Gives,
    ) -> Result<Self, Misfit> {
        let mut unique: Vec<String> = Vec::new();
        let mut bytes = 0;
        for name in names {
            if unique.len() >= MOST {
                return Err(Misfit::TooManyKeys);
            }
            let name = name.trim();
            bytes += name.len();
            if name.len() > LONGEST.0 || bytes > LONGEST.1 {
                return Err(Misfit::TooManyKeys);
            }
            let name = match name {
                "" => format!("column_{}", unique.len() + 1),
                name => name.to_owned(),
            };
            let mut other = name.clone();
            let mut number = 2;
            while unique.contains(&other) {
                other = format!("{name}_{number}");
                number += 1;
            }
            unique.push(other);
        }
        let mut text = String::new();
        let mut columns: Vec<(usize, Gives)> = Vec::with_capacity(unique.len());
        for name in unique {
            text.push_str(&name);
            let mut becomes = gives(&name);
            // Keys are unique in a record: of two columns that mean the same, the second keeps its name.
            let repeats = !matches!(becomes, Gives::Field | Gives::Number | Gives::Role(..));
            if repeats && columns.iter().any(|(_, other)| same(*other, becomes)) {
                becomes = Gives::Field;
            }
            columns.push((text.len(), becomes));
        }
        Ok(Self { text, columns })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    /// The names.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        walk(&self.text, &self.columns).map(|(name, _)| name)
    }

    /// The columns' keys for a record, and what becomes of their values.
    pub(super) fn keys<'a>(
        &self,
        arena: &'a Arena,
    ) -> impl Iterator<Item = (&'a str, Gives)> + use<'a> {
        // One copy for all: they are slices of it.
        walk(arena.alloc_str(&self.text), arena.alloc_slice_copy(&self.columns))
    }
}

fn walk<'t>(
    text: &'t str,
    columns: &'t [(usize, Gives)],
) -> impl Iterator<Item = (&'t str, Gives)> + use<'t> {
    let mut start = 0;
    columns.iter().map(move |(end, gives)| {
        let name = text.get(start..*end).unwrap_or_default();
        start = *end;
        (name, *gives)
    })
}

/// Whether two columns would give the same field.
fn same(one: Gives, other: Gives) -> bool {
    let known = |gives| match gives {
        Gives::Known(known) | Gives::KnownNumber(known) => Some(known),
        Gives::UserAgent => Some(Known::UserAgent),
        Gives::Stem => Some(Known::Target),
        _ => None,
    };
    one == other || known(one).is_some() && known(one) == known(other)
}

/// What an application's own column becomes: its time, level or message by the usual names, else a
/// field.
pub(super) fn by_role(name: &str) -> Gives {
    roles::role(name.as_bytes()).map_or(Gives::Field, |(role, rank)| Gives::Role(role, rank))
}

/// A key that a header names: no slice of the raw record.
pub(super) fn key(name: &str) -> Key<'_> {
    Key::Text(Text::built(name))
}

/// Files of a lineage whose headers are known at a time, besides that at hand: rotations to which a
/// writer has turned its back may all have a reader.
const OTHERS: usize = 15;

/// The header of one File.
#[derive(Debug, Default)]
struct Header {
    file: Option<FileNumber>,
    names: Option<Arc<Names>>,
    /// Where it lies, or a line above it.
    offset: Option<u64>,
    stage: Stage,
}

/// What the lines of a File say that has no header so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Reading began below the File's beginning: none of them is the header, unless it is learned.
    #[default]
    Below,
    /// No line has been seen yet that could be the header of a File which begins with it.
    Awaited,
    /// A line was seen that should have been it: a later one is not.
    Past,
}

/// The headers of the File at hand and of others, whose last lines may come between.
#[derive(Debug, Default)]
pub(super) struct Columns {
    here: Header,
    /// The one that was read last comes first.
    others: VecDeque<Header>,
    /// Offset of the text at hand.
    offset: u64,
}

impl Columns {
    /// Says where the next text comes from.
    #[inline]
    pub(super) fn place(&mut self, at: FileSpan) {
        self.offset = at.span.start;
        if self.here.file != Some(at.file) {
            self.turn_to(at);
        }
    }

    #[cold]
    fn turn_to(&mut self, at: FileSpan) {
        let known = self.others.iter().position(|other| other.file == Some(at.file));
        let next = known.and_then(|known| self.others.remove(known)).unwrap_or_else(|| {
            let stage = if at.span.start == 0 { Stage::Awaited } else { Stage::Below };
            Header { file: Some(at.file), stage, ..Header::default() }
        });
        let left = std::mem::replace(&mut self.here, next);
        if left.names.is_some() || left.offset.is_some() || left.stage == Stage::Past {
            self.others.truncate(OTHERS - 1);
            self.others.push_front(left);
        }
    }

    /// The next text may be the header, wherever it lies, unless one was seen that should have been.
    pub(super) fn await_header(&mut self) {
        if self.here.stage == Stage::Below {
            self.here.stage = Stage::Awaited;
        }
    }

    /// Whether the text at hand may be the header.
    pub(super) fn is_awaited(&self) -> bool {
        self.here.stage == Stage::Awaited
    }

    /// The text at hand is not the header, nor can a later one be.
    pub(super) fn begin(&mut self) {
        self.here.stage = Stage::Past;
    }

    /// The text at hand is none, and lies above the header if that is awaited.
    pub(super) fn pass(&mut self) {
        if self.is_awaited() {
            self.here.offset = Some(self.offset);
        }
    }

    /// The text at hand is the header.
    pub(super) fn set(&mut self, names: Names) {
        // Rotations mostly have the same one.
        let alike = self.others.iter().filter_map(|other| other.names.as_ref());
        let alike = alike.chain(&self.here.names).find(|other| ***other == names);
        self.here.names = Some(alike.cloned().unwrap_or_else(|| Arc::new(names)));
        self.here.offset = Some(self.offset);
        self.here.stage = Stage::Past;
    }

    /// The columns of the File at hand.
    #[inline]
    pub(super) fn names(&self) -> Option<&Arc<Names>> {
        self.here.names.as_ref()
    }

    /// Where their header lies.
    #[inline]
    pub(super) fn header(&self) -> Option<HeaderAt> {
        Some(HeaderAt { file: self.here.file?, offset: self.here.offset? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Span;

    fn names(header: &str) -> Vec<String> {
        let names = Names::new(header.split(','), |_| Gives::Field).unwrap();
        names.iter().map(str::to_owned).collect()
    }

    #[test]
    fn names_are_made_unique() {
        assert_eq!(names("a,b"), ["a", "b"]);
        assert_eq!(names("a,a, ,a_2,a"), ["a", "a_2", "column_3", "a_2_2", "a_3"]);
        assert_eq!(names(&["x"; MOST].join(",")).len(), MOST);
        let many = ["x"; MOST + 1];
        let refused = Names::new(many.into_iter(), |_| Gives::Field);
        assert_eq!(refused.unwrap_err(), Misfit::TooManyKeys);
        let long = "x".repeat(LONGEST.0);
        assert_eq!(names(&long), std::slice::from_ref(&long));
        for header in [format!("{long}x"), vec![long; 33].join(",")] {
            let refused = Names::new(header.split(','), |_| Gives::Field);
            assert_eq!(refused.unwrap_err(), Misfit::TooManyKeys);
        }
    }

    #[test]
    fn of_two_columns_that_mean_the_same_the_second_keeps_its_name() {
        let known = |_: &str| Gives::Known(Known::Host);
        let names = Names::new(["a", "b"].into_iter(), known).unwrap();
        let gives: Vec<_> = names.keys(&Arena::new()).map(|(_, gives)| gives).collect();
        assert_eq!(gives, [Gives::Known(Known::Host), Gives::Field]);
    }

    #[test]
    fn a_header_holds_for_its_own_file() {
        let at =
            |file, start| FileSpan { file: FileNumber(file), span: Span { start, end: start + 1 } };
        let mut columns = Columns::default();
        columns.place(at(1, 0));
        assert!(columns.is_awaited());
        columns.set(Names::new(["a"].into_iter(), |_| Gives::Field).unwrap());
        columns.place(at(1, 7));
        assert_eq!(columns.header(), Some(HeaderAt { file: FileNumber(1), offset: 0 }));
        columns.place(at(2, 0));
        assert!(columns.names().is_none() && columns.is_awaited());
        columns.place(at(1, 9));
        assert!(columns.names().is_some() && !columns.is_awaited());
        columns.place(at(3, 20));
        assert!(columns.names().is_none() && !columns.is_awaited());
    }

    #[test]
    fn the_headers_of_some_files_are_known_at_a_time() {
        let at =
            |file, start| FileSpan { file: FileNumber(file), span: Span { start, end: start + 1 } };
        let mut columns = Columns::default();
        let files = 17;
        for file in 0..files {
            columns.place(at(file, 0));
            columns.set(Names::new(["a"].into_iter(), |_| Gives::Field).unwrap());
        }
        let mut is_known = |file| {
            columns.place(at(file, 9));
            columns.names().is_some()
        };
        assert!(!is_known(0), "bounded");
        assert!((2..files).all(&mut is_known) && (2..files).rev().all(is_known));
        assert_eq!(columns.others.len(), 14);
        let first = columns.names().unwrap();
        let same = |other: &Header| Arc::ptr_eq(other.names.as_ref().unwrap(), first);
        assert!(columns.others.iter().all(same), "one for all");
    }
}
