//! Delimited columns as RFC 4180 has them: the first line of a File names them, unless the definition
//! does.
//!
//! `id,name,total` and below it `17,"Mug, ""large""",19.90`
//!
//! A header, a comment and a blank line are records whose message they are. A field that is empty is
//! left out unless it is quoted. A quote within a field that does not begin with one is text.

use std::sync::Arc;

use super::Misfit;
use super::columns::{self, Gives, Names};
use super::cursor::find;
use super::grammar::{Context, Grammar};
use super::roles::Roles;
use crate::Arena;
use crate::definition::{CsvOptions, Fault};
use crate::record::{Field, Key, Known, Record, Text, Value};

/// Reads a line of columns. Any line with a comma could be one, so `auto` does not try it.
pub(super) const GRAMMAR: Grammar =
    Grammar { name: "csv", begins: b"", needs: "", probe: None, read };

/// How columns are written.
#[derive(Clone, Debug)]
pub(super) struct Dialect {
    delimiter: u8,
    quote: Option<u8>,
    comment: Option<u8>,
    /// What the definition calls the columns.
    columns: Option<Arc<Names>>,
}

impl Dialect {
    /// RFC 4180's own.
    pub(super) const COMMAS: Self =
        Self { delimiter: b',', quote: Some(b'"'), comment: None, columns: None };

    /// What a definition says, checked.
    pub(super) fn new(options: Option<&CsvOptions>) -> Result<Self, Fault> {
        let Some(options) = options else { return Ok(Self::COMMAS) };
        let delimiter = match options.delimiter.as_deref() {
            None => b',',
            Some("tab") => b'\t',
            Some(text) => mark("delimiter", text)?,
        };
        let quote = match options.quote.as_deref() {
            None => Some(b'"'),
            Some("none") => None,
            Some(text) => Some(mark("quote", text)?),
        };
        let comment = options.comment.as_deref().map(|text| mark("comment", text)).transpose()?;
        let same = |one: Option<u8>, other: Option<u8>| one.is_some() && one == other;
        let parts = Some(delimiter);
        if same(parts, quote) || same(parts, comment) || same(quote, comment) {
            return Err(Fault::Csv("`delimiter`, `quote` and `comment` must differ".to_owned()));
        }
        let columns = options.columns.as_deref().map(given).transpose()?;
        Ok(Self { delimiter, quote, comment, columns })
    }

    /// Whether a File's own header names the columns.
    pub(super) fn wants_header(&self) -> bool {
        self.columns.is_none()
    }

    /// What a line begins with that is no columns.
    pub(super) fn comment(&self) -> Option<u8> {
        self.comment
    }
}

/// An option of one character. A letter or digit would part words that redaction must see whole.
fn mark(option: &str, text: &str) -> Result<u8, Fault> {
    match text.as_bytes() {
        [byte @ (b'\t' | b' ' | b'!'..=b'~')] if !byte.is_ascii_alphanumeric() && *byte != b'_' => {
            Ok(*byte)
        }
        _ => Err(Fault::Csv(format!("`{option}` is one character that is no letter and no digit"))),
    }
}

fn given(columns: &[String]) -> Result<Arc<Names>, Fault> {
    let fault = |text: &str| Fault::Csv(text.to_owned());
    if columns.is_empty() {
        return Err(fault("`columns` is empty: leave it out where the first line names them"));
    }
    let gives = |name: &str| match columns::by_role(name) {
        Gives::Field => Known::from_name(name).map_or(Gives::Field, Gives::Known),
        role => role,
    };
    let names = Names::new(columns.iter().map(String::as_str), gives)
        .map_err(|_| fault("there are more than 256 columns"))?;
    if !names.iter().eq(columns.iter().map(String::as_str)) {
        return Err(fault("a name in `columns` is empty, repeated, or has blanks around it"));
    }
    Ok(Arc::new(names))
}

fn read<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    let dialect = cx.dialect;
    let first = text.as_bytes().first().copied();
    if first.is_none() || first == dialect.comment {
        if dialect.wants_header() {
            cx.columns.pass();
        }
        record.message = Some(Text::raw(text));
        return Ok(());
    }
    let keys = match (&dialect.columns, cx.columns.names()) {
        (Some(names), _) => {
            let first = cx.columns.is_awaited();
            cx.columns.begin();
            if first && repeats(text, names, dialect) {
                record.message = Some(Text::raw(text));
                return Ok(());
            }
            names.keys(cx.arena)
        }
        (None, Some(names)) => names.keys(cx.arena),
        (None, None) => {
            if !cx.columns.is_awaited() {
                return Err(Misfit::Columns);
            }
            match header(text, dialect, cx.arena) {
                Ok(names) => cx.columns.set(names),
                Err(misfit) => {
                    // A line of values must not become the header of all that follow.
                    cx.columns.begin();
                    return Err(misfit);
                }
            }
            record.message = Some(Text::raw(text));
            return Ok(());
        }
    };
    let mut fields = Fields { rest: Some(text), dialect };
    let mut roles = Roles::default();
    for (name, gives) in keys {
        let found = fields.next().ok_or(Misfit::Columns)??;
        if found.inside.is_empty() && !found.quoted {
            continue;
        }
        let value = Value::Text(found.text(dialect, cx.arena));
        match gives {
            Gives::Role(role, rank) => {
                let field = Field { key: columns::key(name), value };
                roles.put(role, rank, field, cx, record);
            }
            Gives::Known(known) => record.push(Key::Known(known), value),
            _ => record.push(columns::key(name), value),
        }
    }
    if fields.rest.is_some() {
        return Err(Misfit::Columns);
    }
    roles.finish(record);
    Ok(())
}

/// The names in a header.
fn header(text: &str, dialect: &Dialect, arena: &Arena) -> Result<Names, Misfit> {
    let mut found = Vec::new();
    for field in (Fields { rest: Some(text), dialect }) {
        if found.len() > columns::MOST {
            return Err(Misfit::TooManyKeys);
        }
        found.push(field?.text(dialect, arena).as_stored());
    }
    Names::new(found.into_iter(), columns::by_role)
}

/// Whether a text is a header that says what the definition does.
fn repeats(text: &str, names: &Names, dialect: &Dialect) -> bool {
    let mut fields = Fields { rest: Some(text), dialect };
    let same = |name: &str| {
        fields.next().is_some_and(|field| field.is_ok_and(|field| field.inside.trim() == name))
    };
    names.iter().all(same) && fields.rest.is_none()
}

/// One field as it is written.
#[derive(Clone, Copy)]
struct Written<'a> {
    /// Without its quotes.
    inside: &'a str,
    quoted: bool,
    /// Whether there are doubled quotes in it.
    doubled: bool,
}

impl<'a> Written<'a> {
    #[inline]
    fn text(self, dialect: &Dialect, arena: &'a Arena) -> Text<'a> {
        match dialect.quote {
            Some(quote) if self.doubled => Text::built(self.undoubled(quote, arena)),
            _ => Text::raw(self.inside),
        }
    }

    #[cold]
    fn undoubled(self, quote: u8, arena: &'a Arena) -> &'a str {
        let mut out = bumpalo::collections::String::with_capacity_in(self.inside.len(), arena);
        let mut rest = self.inside;
        while let Some(at) = memchr::memchr(quote, rest.as_bytes()) {
            out.push_str(rest.get(..=at).unwrap_or_default());
            rest = rest.get(at + 2..).unwrap_or_default();
        }
        out.push_str(rest);
        out.into_bump_str()
    }
}

/// Walks over the fields of a text.
struct Fields<'a, 'd> {
    /// `None` at the end: after a last delimiter there is an empty field.
    rest: Option<&'a str>,
    dialect: &'d Dialect,
}

impl<'a> Iterator for Fields<'a, '_> {
    type Item = Result<Written<'a>, Misfit>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest?;
        let bytes = rest.as_bytes();
        let first = bytes.first().copied();
        if first.is_some() && first == self.dialect.quote {
            let quoted = closing(bytes, first.unwrap_or(b'"')).ok_or(Misfit::Syntax);
            return Some(quoted.and_then(|(end, doubled)| self.quoted(rest, end, doubled)));
        }
        let inside = match find(self.dialect.delimiter, bytes) {
            None => {
                self.rest = None;
                rest
            }
            Some(at) => {
                self.rest = rest.get(at + 1..);
                rest.get(..at).unwrap_or_default()
            }
        };
        Some(Ok(Written { inside, quoted: false, doubled: false }))
    }
}

impl<'a> Fields<'a, '_> {
    /// A field that begins with a quote, and ends with that in a place.
    #[inline(always)]
    fn quoted(&mut self, rest: &'a str, end: usize, doubled: bool) -> Result<Written<'a>, Misfit> {
        self.rest = match rest.as_bytes().get(end + 1) {
            None => None,
            Some(next) if *next == self.dialect.delimiter => rest.get(end + 2..),
            Some(_) => return Err(Misfit::Syntax),
        };
        let inside = rest.get(1..end).ok_or(Misfit::Syntax)?;
        Ok(Written { inside, quoted: true, doubled })
    }
}

/// Where the quote is that closes the one which a field begins with, and whether there are doubled ones
/// before it.
#[inline(never)]
fn closing(bytes: &[u8], quote: u8) -> Option<(usize, bool)> {
    let (mut at, mut doubled) = (1, false);
    loop {
        at += find(quote, bytes.get(at..)?)?;
        if bytes.get(at + 1) != Some(&quote) {
            return Some((at, doubled));
        }
        doubled = true;
        at += 2;
    }
}

#[cfg(test)]
mod tests;
