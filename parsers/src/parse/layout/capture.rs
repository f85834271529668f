//! Fields of a layout: how far one reaches, and what becomes of it.

use super::until::Until;
use super::{Walk, is_blank, number, shape};
use crate::Arena;
use crate::definition::FieldType;
use crate::parse::cursor::Cursor;
use crate::parse::grammar::Grammar;
use crate::parse::seen::Seen;
use crate::parse::{Misfit, access, convert, escape, json, logfmt, nested, pattern, trace};
use crate::record::{Key, Known, Origin, Record, Text, Value};
use crate::redact::names_secret;
use crate::timestamp::Format;

/// A field.
#[derive(Debug)]
pub(super) struct Capture {
    pub(super) name: Name,
    pub(super) gives: Gives,
    pub(super) kind: Kind,
    pub(super) until: Until,
}

/// What a field is called.
#[derive(Debug)]
pub(super) enum Name {
    Known(Known),
    Text(Box<str>),
}

impl Name {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Known(known) => known.name(),
            Self::Text(name) => name,
        }
    }

    pub(super) fn key<'a>(&self, arena: &'a Arena) -> Key<'a> {
        match self {
            Self::Known(known) => Key::Known(*known),
            Self::Text(name) => Key::Text(Text::vetted(arena.alloc_str(name))),
        }
    }
}

/// What a field becomes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Gives {
    Time,
    Level,
    Message,
    Field(Option<FieldType>),
    /// Nothing: it must be there, and is not kept.
    Nothing,
}

/// What a field looks like.
#[derive(Debug)]
pub(super) enum Kind {
    /// Anything up to what follows.
    Text,
    /// The same, also beyond its line.
    Lines,
    /// Text without blanks, and not empty.
    Word,
    /// The same, up to the last place in the word where what follows begins.
    Stem,
    /// All that is left, which what follows reads further.
    Rest,
    /// Anything up to the last place where what follows begins.
    Last,
    /// Text before pairs: up to the first word with an equals sign in it.
    Head,
    /// Words with `, ` or ` : ` between them.
    List,
    /// Digits, with a sign or without.
    Integer,
    /// A decimal number.
    Float,
    /// A number of a unit of time.
    Duration(FieldType),
    /// Text with backslash escapes.
    Escaped,
    /// The same, in double quotes.
    Quoted,
    /// A UUID: 32 hex digits, with hyphens between.
    Uuid,
    /// One of these words.
    OneOf(Box<[Box<str>]>),
    /// A JSON value.
    Json,
    /// A request line: method, target and protocol.
    Request,
    /// An address and, after a colon, a port.
    Address { port: Name },
    /// A time.
    Time(Format),
    /// Fields of their own, in a grammar.
    Spread(&'static Grammar),
}

impl Kind {
    /// Whether it begins with a brace or a bracket.
    pub(super) fn is_json(&self) -> bool {
        match self {
            Self::Json => true,
            Self::Spread(grammar) => grammar.name == json::GRAMMAR.name,
            _ => false,
        }
    }

    /// Whether it may go on beyond its line, as values of klog's pairs do.
    fn has_lines(&self) -> bool {
        match self {
            Self::Lines => true,
            Self::Spread(grammar) => grammar.name == logfmt::TAIL.name,
            _ => false,
        }
    }

    /// Whether it ends where it ends, whatever follows.
    pub(super) fn ends_by_itself(&self) -> bool {
        matches!(
            self,
            Self::Integer
                | Self::Float
                | Self::Duration(_)
                | Self::Quoted
                | Self::OneOf(_)
                | Self::Json
                | Self::Uuid
                | Self::List
                | Self::Head
        )
    }
}

impl Capture {
    /// The bytes that it may begin with, where that is known.
    pub(super) fn begins(&self) -> Option<Vec<u8>> {
        match &self.kind {
            Kind::Integer | Kind::Float | Kind::Duration(_) => Some(b"0123456789-".to_vec()),
            Kind::Quoted => Some(vec![b'"']),
            Kind::Json => Some(b"{[".to_vec()),
            Kind::OneOf(words) => {
                words.iter().map(|word| word.as_bytes().first().copied()).collect()
            }
            Kind::Time(format) => format.begins().map(<[u8]>::to_vec),
            _ => None,
        }
    }

    /// The bytes that it has.
    pub(super) fn needs(&self) -> Seen {
        match &self.kind {
            Kind::Quoted => Seen::of(b"\""),
            Kind::Uuid => Seen::of(b"-"),
            Kind::Time(format) => Seen::DIGIT.and(Seen::of(format.needs())),
            Kind::OneOf(words) => {
                let words = words.iter().map(|word| Seen::of(word.as_bytes()));
                words.reduce(Seen::common).unwrap_or_default()
            }
            _ => Seen::default(),
        }
    }
}

impl<'a> Walk<'_, '_, 'a> {
    /// Reads one field.
    pub(super) fn capture(
        &mut self,
        capture: &Capture,
        cursor: &mut Cursor<'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        let arena = self.cx.arena;
        match &capture.kind {
            Kind::Text | Kind::Lines => {
                let text = self.text(capture, cursor, false)?;
                return self.give(capture, text, cursor, record);
            }
            Kind::Rest => {
                let text = cursor.rest();
                let mut end = *cursor;
                end.take(text.len())?;
                // One line has no trace: nothing need be looked for in what several layouts begin with.
                if !self.lines && matches!(capture.gives, Gives::Message) {
                    nested::put_message(record, self.shown(text, &end), arena);
                    return Ok(());
                }
                return self.give(capture, text, &end, record);
            }
            Kind::Last => {
                let text = self.text(capture, cursor, true)?;
                return self.give(capture, text, cursor, record);
            }
            Kind::Word | Kind::Stem => {
                let text = self.text(capture, cursor, matches!(capture.kind, Kind::Stem))?;
                if text.is_empty() || text.bytes().any(is_blank) {
                    return Err(Misfit::Syntax);
                }
                return self.give(capture, text, cursor, record);
            }
            Kind::Head => {
                let len = shape::head(cursor.bytes()).ok_or(Misfit::Syntax)?;
                let text = cursor.take(len)?;
                return self.give(capture, text, cursor, record);
            }
            Kind::List => {
                let text = cursor.take(shape::list(cursor.bytes()))?;
                return self.give(capture, text, cursor, record);
            }
            Kind::OneOf(words) => {
                let word = words.iter().find(|word| cursor.rest().starts_with(&***word));
                let text = cursor.take(word.ok_or(Misfit::Syntax)?.len())?;
                return self.give(capture, text, cursor, record);
            }
            Kind::Uuid => {
                let text = cursor.take(shape::UUID)?;
                return if shape::is_uuid(text) {
                    self.give(capture, text, cursor, record)
                } else {
                    Err(Misfit::Syntax)
                };
            }
            Kind::Time(format) => return self.time(capture, format, cursor, record),
            Kind::Integer | Kind::Float => {
                if let Some(value) = number::read(cursor, matches!(capture.kind, Kind::Integer))? {
                    record.push(capture.name.key(arena), value);
                }
            }
            Kind::Duration(unit) => {
                if let Some(value) = number::read(cursor, false)?
                    && let Some(value) = convert::value(value, *unit)?
                {
                    record.push(capture.name.key(arena), value);
                }
            }
            Kind::Quoted | Kind::Escaped => {
                let inside = if matches!(capture.kind, Kind::Escaped) {
                    self.text(capture, cursor, false)?
                } else {
                    cursor.expect("\"")?;
                    access::quoted(cursor)?
                };
                let decoded = memchr::memchr(b'\\', inside.as_bytes())
                    .and_then(|_| escape::undo(inside, arena));
                let text = match (decoded, &capture.kind) {
                    (Some(decoded), _) => Text::built(decoded),
                    (None, Kind::Escaped) => self.shown(inside, cursor),
                    // Its quotes part it from what is around.
                    (None, _) => Text::raw(inside),
                };
                if matches!(capture.gives, Gives::Message) {
                    nested::put_message(record, text, arena);
                } else if decoded.is_some() || !is_absent(inside) {
                    record.push(capture.name.key(arena), Value::Text(text));
                }
            }
            Kind::Json => {
                let (value, len, unmappable) = json::prefix(cursor.rest(), arena)?;
                cursor.take(len)?;
                record.unmappable |= unmappable;
                record.push(capture.name.key(arena), value);
            }
            Kind::Request => {
                let until = &capture.until;
                let len = shape::request(cursor.bytes(), |bytes| until.find(bytes, false))?;
                let text = cursor.take(len)?;
                let before = record.fields.len();
                access::request(text, arena, record);
                if self.shown(text, cursor).origin() != Origin::Raw {
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
                let text = self.text(capture, cursor, false)?;
                if text.bytes().any(is_blank) {
                    return Err(Misfit::Syntax);
                }
                self.address(capture, port, text, cursor, record);
            }
            Kind::Spread(grammar) => {
                let text = self.text(capture, cursor, false)?;
                nested::spread(record, self.cx, |cx, inner| (grammar.read)(text, cx, inner))?;
            }
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
        let mut bytes = cursor.bytes();
        if matches!(capture.kind, Kind::Word | Kind::Stem | Kind::Address { .. }) {
            bytes = capture.until.window(bytes);
        }
        let len = capture.until.find(bytes, last).ok_or(Misfit::Syntax)?;
        let text = cursor.take(len)?;
        let within = !self.lines
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
        let arena = self.cx.arena;
        if let Some((time, used)) = self.cx.clock.read_prefix(format, cursor.bytes()) {
            cursor.take(used)?;
            record.time = Some(time);
            return Ok(());
        }
        let text = self.text(capture, cursor, false)?;
        record.time = self.cx.clock.read(format, text);
        if record.time.is_none() {
            // What has no digit is none in any.
            let is_time = text == "-" || text.bytes().any(|byte| byte.is_ascii_digit());
            if self.readable || !is_time || text.len() > 64 {
                return Err(Misfit::Syntax);
            }
            if !is_absent(text) {
                *self.cx.bad_times += 1;
                let shown = self.shown(text, cursor);
                record.push(capture.name.key(arena), Value::Text(shown));
            }
        }
        Ok(())
    }

    /// Puts a text where it belongs. `-` and nothing are no value.
    #[inline]
    fn give(
        &mut self,
        capture: &Capture,
        text: &'a str,
        cursor: &Cursor<'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        let arena = self.cx.arena;
        match capture.gives {
            Gives::Message => match self.shown(text, cursor) {
                shown if shown.origin() == Origin::Raw && cursor.is_done() => {
                    let before = record.message.take();
                    trace::put(record, text);
                    if let Some(before) = before {
                        nested::put_message(record, before, arena);
                    }
                }
                shown => nested::put_message(record, shown, arena),
            },
            Gives::Level => match self.level.level(text) {
                Some(level) => record.level = Some(level),
                None if self.cx.guessing => return Err(Misfit::Syntax),
                None if is_absent(text) => {}
                None => record.push(capture.name.key(arena), Value::Text(self.shown(text, cursor))),
            },
            _ if is_absent(text) => {}
            // What stands behind it goes by its name.
            Gives::Field(_) if names_secret(text, cursor.rest()) => return Err(Misfit::Syntax),
            Gives::Field(Some(kind)) if kind != FieldType::String => {
                if let Some(value) = convert::text(text, kind)? {
                    record.push(capture.name.key(arena), value);
                }
            }
            Gives::Field(_) | Gives::Time | Gives::Nothing => {
                record.push(capture.name.key(arena), Value::Text(self.shown(text, cursor)));
            }
        }
        Ok(())
    }

    /// A text that ends where the cursor is, as the redactor is to see it: its sweep over the raw record
    /// sees whole words only.
    #[inline]
    pub(super) fn shown(&self, text: &'a str, cursor: &Cursor<'a>) -> Text<'a> {
        let end = self.whole.len() - cursor.rest().len();
        let cut = pattern::splits_word(self.whole, end.saturating_sub(text.len()))
            || pattern::splits_word(self.whole, end);
        if cut { Text::built(text) } else { Text::raw(text) }
    }
}

pub(super) fn is_absent(text: &str) -> bool {
    text.is_empty() || text == "-"
}
