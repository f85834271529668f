//! Layouts: a line as it looks, with its fields in braces. Most formats are declared by one.
//!
//! `[{time:iso}] {level} {message:last} ({logger})` reads `[2026-11-26 02:20:14,615] INFO Started (kafka.Server)`.
//! [`syntax`] reads the layout itself, [`capture`] says what a field may look like, [`read`] reads one.
//!
//! A layout is walked once, from left to right. A text ends where the first of what may follow it
//! begins, and nothing is ever tried again, so that the time is linear in the line: at most the
//! number of fields times its length. What several layouts begin with is walked once for them all
//! ([`branch`]).

mod address;
mod branch;
mod capture;
mod follow;
mod literal;
mod number;
mod read;
mod shape;
mod shown;
mod stop;
mod syntax;
#[cfg(test)]
mod tests;
mod until;
mod words;

use super::convert::{self, Leveller};
use super::cursor::Cursor;
use super::grammar::Context;
use super::seen::Seen;
use super::{Misfit, auto};
use crate::definition::{Definition, Fault};
use crate::record::{Level, Record, Text, Time};
use branch::Branch;
use capture::{Capture, Gives, Kind};
use literal::Literal;
pub(super) use stop::stop;

/// The layouts of a definition, the first of which that a line fits reads it.
#[derive(Debug)]
pub(super) struct Layout {
    ways: Vec<Branch>,
    level: Leveller,
    /// How many there are.
    layouts: usize,
}

/// One part of a layout. What tells them apart has a byte of its own, which is looked at for each.
#[derive(Debug)]
#[repr(u8)]
enum Step {
    /// Text that must come now.
    Literal(Literal),
    /// Blanks and tabs, one at least.
    Blanks,
    /// A field.
    Capture(Box<Capture>),
    /// What may be missing as a whole.
    Optional(Vec<Step>),
}

impl Layout {
    /// Compiles a definition's layouts.
    pub(super) fn new(layouts: &[String], definition: &Definition) -> Result<Self, Fault> {
        let level = Leveller::new(definition.level.as_ref());
        let mut ways = Vec::new();
        let mut names = Vec::new();
        for (place, layout) in layouts.iter().enumerate() {
            let steps =
                syntax::steps(layout, definition, &level, &mut names).map_err(
                    |error| match error {
                        syntax::Error::Layout { column, what } => {
                            Fault::Layout { layout: layout.clone(), column, what }
                        }
                        syntax::Error::Other(fault) => fault,
                    },
                )?;
            Branch::add(&mut ways, Branch::new(place, steps));
        }
        check_names(definition, &names)?;
        Branch::settle(&mut ways);
        Ok(Self { ways, level, layouts: layouts.len() })
    }

    /// Whether a text could fit, from how it begins and ends, if `auto` is to take it for one: its time can
    /// be read.
    pub(super) fn may_fit(&self, bytes: &[u8]) -> bool {
        let (first, last) = (bytes.first().copied(), bytes.last().copied());
        self.ways.iter().any(|way| way.may_end(last) && way.may_begin(first, bytes))
    }

    /// Whether a line could be the first of such a text.
    pub(super) fn may_begin(&self, line: &[u8]) -> bool {
        self.ways.iter().any(|way| way.may_begin(line.first().copied(), line))
    }

    /// Bytes that a line has which begins so, by each of the forms that it may be of, if `auto` is to take
    /// it for one: its time can be read.
    pub(super) fn needs(&self, first: u8) -> Vec<Seen> {
        let mut needs = Vec::new();
        self.ways.iter().for_each(|way| way.needs_of_each(first, &mut needs));
        needs
    }

    /// Fills a record from a text, or says why it does not fit and leaves the record in disorder.
    pub(super) fn read<'a>(
        &self,
        text: &'a str,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        let mut walk = Walk {
            whole: text,
            level: &self.level,
            line: cx
                .seen
                .has(Seen::NEWLINE)
                .then(|| memchr::memchr(b'\n', text.as_bytes()))
                .flatten(),
            // Another layout may read the time that the first cannot: one that cannot be read is only
            // taken where none does. Of a format that is only guessed at, it is what there is to go by.
            readable: cx.guessing || self.layouts > 1,
            layout: None,
            unread: false,
            torn: false,
            cx,
        };
        let bad_times = *walk.cx.bad_times;
        let read = walk
            .ways(&self.ways, Cursor::new(text), record)
            .or_else(|misfit| self.read_by_each(&mut walk, misfit, record));
        match read {
            Ok(()) => record.parted.push(text),
            Err(_) => *walk.cx.bad_times = bad_times,
        }
        read
    }

    /// Reads a text that has no time where some layouts have one: by each for itself, then also with a
    /// time that cannot be read.
    fn read_by_each<'a>(
        &self,
        walk: &mut Walk<'_, '_, 'a>,
        mut reason: Misfit,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        let (guessing, bad_times) = (walk.cx.guessing, *walk.cx.bad_times);
        for readable in [true, false] {
            let another = if readable { walk.torn } else { walk.unread && !guessing };
            // One that is alone was read so already.
            if !another || self.layouts == 1 {
                continue;
            }
            walk.readable = readable;
            for layout in 0..self.layouts {
                auto::clear(record);
                *walk.cx.bad_times = bad_times;
                walk.layout = Some(layout);
                match walk.ways(&self.ways, Cursor::new(walk.whole), record) {
                    Ok(()) => return Ok(()),
                    Err(Misfit::Syntax) => {}
                    Err(misfit) => reason = misfit,
                }
            }
        }
        Err(reason)
    }
}

/// What fields are read with.
struct Walk<'w, 'p, 'a> {
    /// The text.
    whole: &'a str,
    level: &'w Leveller,
    /// Where the first of several lines ends: no field but the message goes beyond its line.
    line: Option<usize>,
    /// Whether a time must be readable.
    readable: bool,
    /// The place of the one layout to read by; `None` for all.
    layout: Option<usize>,
    /// Whether there was no time to be read where one must be readable.
    unread: bool,
    /// The same where it takes one layout to say how far its text goes.
    torn: bool,
    cx: &'w mut Context<'p, 'a>,
}

/// What a record has, and is brought back to.
struct Mark<'a> {
    time: Option<Time>,
    level: Option<Level>,
    message: Option<Text<'a>>,
    fields: usize,
    unmappable: bool,
    decoded: bool,
    bad_times: u64,
}

impl<'a> Mark<'a> {
    #[inline]
    fn of(record: &Record<'a>, bad_times: u64) -> Self {
        Self {
            time: record.time,
            level: record.level,
            message: record.message,
            fields: record.fields.len(),
            unmappable: record.unmappable,
            decoded: record.decoded,
            bad_times,
        }
    }

    #[inline]
    fn restore(&self, record: &mut Record<'a>, bad_times: &mut u64) {
        record.fields.truncate(self.fields);
        (record.time, record.level, record.message) = (self.time, self.level, self.message);
        (record.unmappable, record.decoded) = (self.unmappable, self.decoded);
        *bad_times = self.bad_times;
    }
}

impl<'a> Walk<'_, '_, 'a> {
    /// Reads what is left by the first of some ways that it fits. Where it fits none, the record may be
    /// in disorder.
    fn ways(
        &mut self,
        ways: &[Branch],
        cursor: Cursor<'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        if let [way] = ways {
            return if self.may_be(way, &cursor) {
                self.go(way, cursor, record)
            } else {
                Err(Misfit::Syntax)
            };
        }
        let mut reason = Misfit::Syntax;
        let mark = Mark::of(record, *self.cx.bad_times);
        for way in ways {
            if !self.may_be(way, &cursor) {
                continue;
            }
            match self.go(way, cursor, record) {
                Ok(()) => return Ok(()),
                Err(Misfit::Syntax) => {}
                Err(misfit) => reason = misfit,
            }
            mark.restore(record, self.cx.bad_times);
        }
        Err(reason)
    }

    /// Whether what is left may be of one of a branch's layouts.
    #[inline]
    fn may_be(&self, way: &Branch, cursor: &Cursor<'a>) -> bool {
        let first = |bytes: &[u8]| bytes.first().copied();
        let (first, next) = (first(self.whole.as_bytes()), first(cursor.bytes()));
        way.may_fit(first, next, self.cx.seen, self.line.is_some())
            && self.layout.is_none_or(|layout| way.layouts.contains(&layout))
    }

    /// Reads what is left by one way.
    fn go(
        &mut self,
        way: &Branch,
        mut cursor: Cursor<'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        self.steps(&way.steps, &mut cursor, record)?;
        if !way.ways.is_empty() {
            return self.ways(&way.ways, cursor, record);
        }
        if cursor.is_done() { Ok(()) } else { Err(Misfit::Syntax) }
    }

    fn steps(
        &mut self,
        steps: &[Step],
        cursor: &mut Cursor<'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        for step in steps {
            match step {
                Step::Literal(literal) => expect(literal, cursor)?,
                Step::Blanks => blanks(cursor)?,
                Step::Capture(capture) => {
                    let fields = record.fields.len();
                    self.capture(capture, cursor, record)?;
                    if matches!(capture.gives, Gives::Nothing) {
                        record.fields.truncate(fields);
                    }
                    if let Some(literal) = &capture.then {
                        expect(literal, cursor)?;
                    }
                }
                Step::Optional(steps) => self.optional(steps, cursor, record),
            }
        }
        Ok(())
    }

    /// Reads what may be missing, or nothing of it.
    fn optional(&mut self, steps: &[Step], cursor: &mut Cursor<'a>, record: &mut Record<'a>) {
        // Mostly what it begins with says whether it is there, and nothing need be undone.
        let alone = steps.len() == 1;
        match steps.first() {
            Some(Step::Literal(literal)) if alone || !literal.begins(cursor.bytes()) => {
                let _ = expect(literal, cursor);
                return;
            }
            Some(Step::Blanks) if alone => {
                let _ = blanks(cursor);
                return;
            }
            _ => {}
        }
        let mut after = *cursor;
        let mark = Mark::of(record, *self.cx.bad_times);
        // Where a time may be missing, what cannot be read is none.
        let before = (std::mem::replace(&mut self.readable, true), self.unread);
        let read = self.steps(steps, &mut after, record);
        (self.readable, self.unread) = before;
        if read.is_ok() {
            *cursor = after;
        } else {
            mark.restore(record, self.cx.bad_times);
        }
    }
}

/// Passes over a text that must come now.
#[inline]
fn expect(literal: &Literal, cursor: &mut Cursor<'_>) -> Result<(), Misfit> {
    if literal.begins(cursor.bytes()) {
        cursor.take(literal.len()).map(|_| ())
    } else {
        Err(Misfit::Syntax)
    }
}

/// Passes over blanks, of which there must be one.
#[inline]
fn blanks(cursor: &mut Cursor<'_>) -> Result<(), Misfit> {
    match cursor.bytes().iter().take_while(|byte| is_blank(**byte)).count() {
        0 => Err(Misfit::Syntax),
        len => cursor.take(len).map(|_| ()),
    }
}

/// The bytes that some steps may begin with, where that is known; `of` says it of a field.
fn begins(steps: &[Step], of: fn(&Capture) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let rest = || begins(steps.get(1..)?, of);
    match steps.first()? {
        Step::Literal(literal) => Some(vec![*literal.as_str().as_bytes().first()?]),
        Step::Blanks => Some(vec![b' ', b'\t']),
        Step::Capture(capture) if matches!(capture.kind, Kind::Rest) => rest(),
        Step::Capture(capture) => of(capture),
        Step::Optional(first) => {
            let mut bytes = begins(first, of)?;
            bytes.extend(rest()?);
            Some(bytes)
        }
    }
}

/// The bytes that a line has besides what may be missing.
fn needs(steps: &[Step]) -> Seen {
    let needs = steps.iter().map(|step| match step {
        Step::Literal(literal) => Seen::of(literal.as_str().as_bytes()),
        Step::Capture(capture) => capture.needs(),
        // A tab will do, too.
        Step::Blanks | Step::Optional(_) => Seen::default(),
    });
    needs.fold(Seen::default(), Seen::and)
}

/// Whether the fields that `types`, `time` and `level` speak of are in a layout.
fn check_names(definition: &Definition, names: &[String]) -> Result<(), Fault> {
    let time = definition.time.as_ref().and_then(|time| time.field.as_deref());
    let level = definition.level.as_ref().and_then(|level| level.field.as_deref());
    let typed = definition.types.keys().map(|field| ("types", field.as_str()));
    let wanted =
        typed.chain(time.map(|field| ("time", field))).chain(level.map(|field| ("level", field)));
    for (key, field) in wanted {
        if !names.iter().any(|name| name == field) {
            return Err(Fault::NoSuchField { key, field: field.to_owned() });
        }
    }
    convert::format(definition.time.as_ref()).map(|_| ())
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}
