//! Reads the fields of a line: how far one reaches, and what becomes of it.

use super::capture::{Capture, Gives, Kind, Spread};
use super::{Walk, number, shape};
use crate::definition::FieldType;
use crate::parse::cursor::Cursor;
use crate::parse::grammar::Context;
use crate::parse::{Misfit, access, convert, escape, json, nested, trace};
use crate::record::{Origin, Record, Text, Value};
use crate::redact::names_secret;
use crate::timestamp::Format;

impl<'a> Walk<'_, '_, 'a> {
    /// Reads one field.
    pub(super) fn capture(
        &mut self,
        capture: &Capture,
        cursor: &mut Cursor<'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        let arena = self.cx.arena;
        let text = match &capture.kind {
            Kind::Text | Kind::Lines => self.text(capture, cursor, false)?,
            Kind::Last => self.text(capture, cursor, true)?,
            Kind::Word | Kind::Stem | Kind::Class => {
                let last = matches!(capture.kind, Kind::Stem);
                let len = capture.until.find_in_word(cursor.bytes(), last);
                let word = self.take(capture, len, cursor)?;
                if matches!(capture.kind, Kind::Class) && !shape::is_class(word) {
                    return Err(Misfit::Syntax);
                }
                word
            }
            Kind::Head => {
                let len = shape::head(cursor.bytes()).ok_or(Misfit::Syntax)?;
                cursor.take(len)?
            }
            Kind::List => cursor.take(shape::list(cursor.bytes()))?,
            Kind::OneOf(words) => {
                let word = words.find(cursor.bytes()).ok_or(Misfit::Syntax)?;
                let text = cursor.take(word.text.len())?;
                if word.level.is_some() && matches!(capture.gives, Gives::Level) {
                    record.level = word.level;
                    return Ok(());
                }
                text
            }
            Kind::Uuid => {
                let text = cursor.take(shape::UUID)?;
                if !shape::is_uuid(text) {
                    return Err(Misfit::Syntax);
                }
                text
            }
            Kind::Integer | Kind::Float | Kind::Duration(_) => {
                return self.number(capture, cursor, record);
            }
            Kind::Time(format) => return self.time(capture, format, cursor, record),
            Kind::Rest => {
                let text = cursor.rest();
                let mut end = *cursor;
                end.take(text.len())?;
                // One line has no trace: nothing need be looked for in what several layouts begin with.
                if self.line.is_none() && matches!(capture.gives, Gives::Message) {
                    nested::put_message(record, self.shown(capture, text, &end), arena);
                    return Ok(());
                }
                return self.give(capture, text, &end, record);
            }
            _ => return self.composed(capture, cursor, record),
        };
        self.give(capture, text, cursor, record)
    }

    /// Reads a number. Where a secret is due, it stays the text it is.
    fn number(
        &self,
        capture: &Capture,
        cursor: &mut Cursor<'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        let guarded = self.is_guarded(capture, "", cursor);
        // Put where it stays at once: what is built elsewhere is copied.
        if matches!(capture.kind, Kind::Integer)
            && !guarded
            && let Some((number, len)) = number::whole(cursor.bytes())
        {
            cursor.take(len)?;
            record.push(capture.name.key(), Value::Int(number));
            return Ok(());
        }
        let before = cursor.rest();
        let Some(value) = number::read(cursor, matches!(capture.kind, Kind::Integer))? else {
            return Ok(());
        };
        let value = match (before.get(..before.len() - cursor.rest().len()), &capture.kind) {
            (Some(text), _) if guarded => Some(Value::Text(Text::raw(text))),
            (_, Kind::Duration(unit)) => convert::value(value, *unit)?,
            _ => Some(value),
        };
        if let Some(value) = value {
            record.push(capture.name.key(), value);
        }
        Ok(())
    }

    /// Reads one field that is not as it stands.
    fn composed(
        &mut self,
        capture: &Capture,
        cursor: &mut Cursor<'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        let arena = self.cx.arena;
        match &capture.kind {
            Kind::Quoted | Kind::Escaped | Kind::EscapedLines => {
                let guarded = self.is_guarded(capture, "", cursor);
                let quoted = matches!(capture.kind, Kind::Quoted);
                let (inside, escaped) = if quoted {
                    cursor.expect("\"")?;
                    access::quoted_or_escaped(cursor)?
                } else {
                    let text = self.text(capture, cursor, false)?;
                    (text, memchr::memchr(b'\\', text.as_bytes()).is_some())
                };
                let decoded = if escaped && !guarded { escape::undo(inside, arena) } else { None };
                let text = match decoded {
                    Some(decoded) => Text::built(decoded),
                    // Its quotes part it from what is around.
                    None if quoted => Text::raw(inside),
                    None => self.shown(capture, inside, cursor),
                };
                if matches!(capture.gives, Gives::Message) {
                    nested::put_message(record, text, arena);
                } else if decoded.is_some() || !is_absent(inside) {
                    record.push(capture.name.key(), Value::Text(text));
                }
            }
            Kind::Json => {
                let (value, len, unmappable) = json::prefix(cursor.rest(), arena)?;
                cursor.take(len)?;
                record.unmappable |= unmappable;
                record.push(capture.name.key(), value);
            }
            Kind::Request => {
                let until = &capture.until;
                let len = shape::request(cursor.bytes(), |bytes| until.find(bytes, false))?;
                let text = cursor.take(len)?;
                let before = record.fields.len();
                access::request(text, arena, record);
                if self.shown(capture, text, cursor).origin() != Origin::Raw {
                    for field in record.fields.iter_mut().skip(before) {
                        if let Value::Text(part) = field.value
                            && part.origin() == Origin::Raw
                        {
                            field.value = Value::Text(Text::built(part.as_stored()));
                        }
                    }
                }
            }
            Kind::Address { port } => {
                let len = capture.until.find_without_blank(cursor.bytes(), false);
                let text = self.take(capture, len, cursor)?;
                self.address(capture, port, text, cursor, record);
            }
            Kind::Client => {
                let text = cursor.take(shape::list(cursor.bytes()))?;
                return self.client(capture, text, cursor, record);
            }
            Kind::Spread(Spread { grammar, behind }) => {
                let text = self.text(capture, cursor, false)?;
                let read = |cx: &mut Context<'_, 'a>, inner: &mut Record<'a>| {
                    (grammar.read)(text, cx, inner)
                };
                nested::spread(record, self.cx, Some(*behind), read)?;
            }
            // The others are texts, which are read where this is called.
            _ => return Err(Misfit::Syntax),
        }
        Ok(())
    }

    /// A text up to what follows.
    #[inline]
    fn text(
        &self,
        capture: &Capture,
        cursor: &mut Cursor<'a>,
        last: bool,
    ) -> Result<&'a str, Misfit> {
        let len = capture.until.find(cursor.bytes(), last);
        self.take(capture, len, cursor)
    }

    /// A text of this length, if there is one.
    #[inline]
    fn take(
        &self,
        capture: &Capture,
        len: Option<usize>,
        cursor: &mut Cursor<'a>,
    ) -> Result<&'a str, Misfit> {
        let text = cursor.take(len.ok_or(Misfit::Syntax)?)?;
        let end = self.whole.len() - cursor.rest().len();
        let within = self.line.is_none_or(|line| end <= line)
            || matches!(capture.gives, Gives::Message)
            || capture.kind.has_lines()
            || memchr::memchr(b'\n', text.as_bytes()).is_none();
        if within { Ok(text) } else { Err(Misfit::Syntax) }
    }

    fn time(
        &mut self,
        capture: &Capture,
        format: &Format,
        cursor: &mut Cursor<'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        if let Some((time, used)) = self.cx.clock.read_prefix(format, cursor.bytes()) {
            cursor.take(used)?;
            record.time = Some(time);
            return Ok(());
        }
        let Some(until) = capture.until.of(self.layout) else {
            self.torn = true;
            return Err(Misfit::Syntax);
        };
        let len = until.find(cursor.bytes(), false);
        let text = self.take(capture, len, cursor)?;
        // What has no digit is none in any.
        let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
        record.time = if has_digit { self.cx.clock.read(format, text) } else { None };
        if record.time.is_none() {
            let is_time = has_digit || text == "-";
            self.unread |= self.readable;
            if self.readable || !is_time || text.len() > 64 {
                return Err(Misfit::Syntax);
            }
            if !is_absent(text) {
                *self.cx.bad_times += 1;
                let shown = self.shown(capture, text, cursor);
                record.push(capture.name.key(), Value::Text(shown));
            }
        }
        Ok(())
    }

    /// Puts a text where it belongs. `-` and nothing are no value.
    #[inline(always)]
    pub(super) fn give(
        &mut self,
        capture: &Capture,
        text: &'a str,
        cursor: &Cursor<'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        let is_field = matches!(capture.gives, Gives::Field(_) | Gives::Nothing);
        if is_field && is_absent(text) {
            return Ok(());
        }
        // What stands behind it goes by its name.
        if is_field && names_secret(text, cursor.rest()) {
            return Err(Misfit::Syntax);
        }
        if matches!(capture.gives, Gives::Field(None)) {
            let shown = self.shown(capture, text, cursor);
            record.push(capture.name.key(), Value::Text(shown));
            return Ok(());
        }
        self.give_meaning(capture, text, cursor, record)
    }

    /// The same of what is more than a field's text.
    fn give_meaning(
        &mut self,
        capture: &Capture,
        text: &'a str,
        cursor: &Cursor<'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        let arena = self.cx.arena;
        match capture.gives {
            Gives::Message => match self.shown(capture, text, cursor) {
                shown if shown.origin() == Origin::Raw && cursor.is_done() => {
                    let before = record.message.take();
                    if self.line.is_some() {
                        trace::put(record, text);
                    } else {
                        trace::put_line(record, text);
                    }
                    if let Some(before) = before {
                        nested::put_message(record, before, arena);
                    }
                }
                shown => nested::put_message(record, shown, arena),
            },
            Gives::Level => match self.level.level(text) {
                Some(level) => {
                    record.level = Some(level);
                    if let Some(key) = self.level.kept(text) {
                        record.push(key, Value::Text(self.shown(capture, text, cursor)));
                    }
                }
                None if self.cx.guessing => return Err(Misfit::Syntax),
                None if is_absent(text) => {}
                None => {
                    let shown = self.shown(capture, text, cursor);
                    record.push(capture.name.key(), Value::Text(shown));
                }
            },
            Gives::Time if is_absent(text) => {}
            Gives::Nothing => {}
            Gives::Field(Some(kind))
                if kind != FieldType::String && !self.is_guarded(capture, text, cursor) =>
            {
                if let Some(value) = convert::text(text, kind)? {
                    record.push(capture.name.key(), value);
                }
            }
            Gives::Field(_) | Gives::Time => {
                let shown = self.shown(capture, text, cursor);
                record.push(capture.name.key(), Value::Text(shown));
            }
        }
        Ok(())
    }
}

pub(super) fn is_absent(text: &str) -> bool {
    text.is_empty() || text == "-"
}
