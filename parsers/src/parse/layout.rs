//! Layouts: a line as it looks, with its fields in braces. Most formats are declared by one.
//!
//! `[{time:iso}] {level} {message:last} ({logger})` reads `[2026-11-26 02:20:14,615] INFO Started (kafka.Server)`.
//! [`syntax`] reads the layout itself, [`capture`] what a field may look like.
//!
//! A layout is walked once, from left to right. A text ends where the first of what may follow it
//! begins, and nothing is ever tried again, so that the time is linear in the line: at most the
//! number of fields times its length.

mod address;
mod capture;
mod number;
mod shape;
mod syntax;
#[cfg(test)]
mod tests;
mod until;

use super::convert::{self, Leveller};
use super::cursor::Cursor;
use super::grammar::Context;
use super::seen::Seen;
use super::{Misfit, auto};
use crate::definition::{Definition, Fault};
use crate::record::Record;
use capture::{Capture, Gives, Kind};

/// The layouts of a definition, the first of which that a line fits reads it.
#[derive(Debug)]
pub(super) struct Layout {
    forms: Vec<Form>,
    level: Leveller,
}

/// One layout.
#[derive(Debug)]
struct Form {
    steps: Vec<Step>,
    /// Bytes that a line of this form may begin with; `None` for any.
    begins: Option<Vec<u8>>,
    /// Whether it has several lines.
    lines: bool,
    /// Bytes that a line of this form has.
    needs: Seen,
}

/// One part of a layout.
#[derive(Debug)]
enum Step {
    /// Text that must come now.
    Literal(Box<str>),
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
        let mut forms = Vec::new();
        let mut names = Vec::new();
        for layout in layouts {
            let steps =
                syntax::steps(layout, definition, &mut names).map_err(|error| match error {
                    syntax::Error::Layout { column, what } => {
                        Fault::Layout { layout: layout.clone(), column, what }
                    }
                    syntax::Error::Other(fault) => fault,
                })?;
            let lines = |step: &Step| matches!(step, Step::Literal(text) if text.contains('\n'));
            forms.push(Form {
                begins: begins(&steps),
                lines: steps.iter().any(lines),
                needs: needs(&steps),
                steps,
            });
        }
        check_names(definition, &names)?;
        Ok(Self { forms, level: Leveller::new(definition.level.as_ref()) })
    }

    /// Whether a line could fit, from its first byte and those that it has.
    pub(super) fn may_fit(&self, bytes: &[u8], seen: Seen) -> bool {
        self.forms.iter().any(|form| seen.has(form.needs) && form.may_fit(bytes))
    }

    /// Bytes that a line of any of its forms has, if `auto` is to take it for one: its time can be read.
    pub(super) fn needs(&self) -> Seen {
        self.forms.iter().map(|form| form.needs).reduce(Seen::common).unwrap_or_default()
    }

    /// Fills a record from a text, or says why it does not fit.
    pub(super) fn read<'a>(
        &self,
        text: &'a str,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        let bad_times = *cx.bad_times;
        let mut reason = Misfit::Syntax;
        let lines = memchr::memchr(b'\n', text.as_bytes()).is_some();
        // Another layout may read the time that the first cannot: one that cannot be read is only taken
        // where none does. Of a format that is only guessed at, it is what there is to go by.
        let guessing = cx.guessing;
        let passes: &[bool] = match self.forms.len() {
            _ if guessing => &[true],
            1 => &[false],
            _ => &[true, false],
        };
        let seen = cx.seen;
        let may_fit = |form: &&Form| {
            seen.has(form.needs) && form.may_fit(text.as_bytes()) && (lines || !form.lines)
        };
        let mut walk = Walk { whole: text, level: &self.level, lines, readable: false, cx };
        let fitting = || self.forms.iter().filter(may_fit);
        for (readable, form) in
            passes.iter().flat_map(|readable| fitting().map(move |form| (*readable, form)))
        {
            walk.readable = readable;
            match walk.form(form, text, record) {
                Ok(()) => return Ok(()),
                Err(misfit) => {
                    if misfit != Misfit::Syntax {
                        reason = misfit;
                    }
                    *walk.cx.bad_times = bad_times;
                    auto::clear(record);
                }
            }
        }
        Err(reason)
    }
}

impl Form {
    fn may_fit(&self, bytes: &[u8]) -> bool {
        match (&self.begins, bytes.first()) {
            (None, _) => true,
            (Some(begins), Some(first)) => begins.contains(first),
            (Some(_), None) => false,
        }
    }
}

/// What fields are read with.
struct Walk<'w, 'p, 'a> {
    /// The text.
    whole: &'a str,
    level: &'w Leveller,
    /// Whether the text has several lines: no field but the message goes beyond its line.
    lines: bool,
    /// Whether a time must be readable.
    readable: bool,
    cx: &'w mut Context<'p, 'a>,
}

impl<'a> Walk<'_, '_, 'a> {
    fn form(&mut self, form: &Form, text: &'a str, record: &mut Record<'a>) -> Result<(), Misfit> {
        let mut cursor = Cursor::new(text);
        self.steps(&form.steps, &mut cursor, record)?;
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
                Step::Literal(literal) => cursor.expect(literal)?,
                Step::Blanks => {
                    let len = cursor.bytes().iter().take_while(|byte| is_blank(**byte)).count();
                    if len == 0 {
                        return Err(Misfit::Syntax);
                    }
                    cursor.take(len)?;
                }
                Step::Capture(capture) => {
                    let fields = record.fields.len();
                    self.capture(capture, cursor, record)?;
                    if matches!(capture.gives, Gives::Nothing) {
                        record.fields.truncate(fields);
                    }
                }
                Step::Optional(steps) => self.optional(steps, cursor, record),
            }
        }
        Ok(())
    }

    /// Reads what may be missing, or nothing of it.
    fn optional(&mut self, steps: &[Step], cursor: &mut Cursor<'a>, record: &mut Record<'a>) {
        let mut after = *cursor;
        let (fields, bad_times) = (record.fields.len(), *self.cx.bad_times);
        let head = (record.time, record.level, record.message);
        // Where a time may be missing, what cannot be read is none.
        let readable = std::mem::replace(&mut self.readable, true);
        let read = self.steps(steps, &mut after, record);
        self.readable = readable;
        if read.is_ok() {
            *cursor = after;
        } else {
            record.fields.truncate(fields);
            (record.time, record.level, record.message) = head;
            *self.cx.bad_times = bad_times;
        }
    }
}

/// The bytes that a line may begin with, where that is known.
fn begins(steps: &[Step]) -> Option<Vec<u8>> {
    match steps.first()? {
        Step::Literal(literal) => Some(vec![*literal.as_bytes().first()?]),
        Step::Blanks => Some(vec![b' ', b'\t']),
        Step::Capture(capture) if matches!(capture.kind, Kind::Rest) => begins(steps.get(1..)?),
        Step::Capture(capture) => capture.begins(),
        Step::Optional(first) => {
            let mut bytes = begins(first)?;
            bytes.extend(begins(steps.get(1..)?)?);
            Some(bytes)
        }
    }
}

/// The bytes that a line has besides what may be missing.
fn needs(steps: &[Step]) -> Seen {
    let needs = steps.iter().map(|step| match step {
        Step::Literal(literal) => Seen::of(literal.as_bytes()),
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
