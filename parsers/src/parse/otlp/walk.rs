//! Walks over a request in the order of its text, and puts what it finds into a record.

use super::super::json::Reader;
use super::super::keys::{Keys, Scope};
use super::super::{Misfit, convert};
use crate::Arena;
use crate::record::{Key, Known, Record, Text, Value};

/// Levels of nesting that are followed.
const MAX_DEPTH: usize = 16;

/// What is done with each member of an object.
type Each<'w, 'a> = &'w mut dyn FnMut(&mut Walk<'a>, &'a str) -> Result<(), Misfit>;

pub(super) struct Walk<'a> {
    reader: Reader<'a>,
    /// Keys of the record.
    names: Keys<'a>,
    arena: &'a Arena,
    depth: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(text: &'a str, arena: &'a Arena) -> Self {
        Self { reader: Reader::new(text, arena), names: Keys::new(arena), arena, depth: 0 }
    }

    /// Says that all has been read. Whether a value that is kept as JSON has no mapping.
    pub(super) fn end(&mut self) -> Result<bool, Misfit> {
        self.reader.blanks();
        if self.reader.is_done() { Ok(self.reader.unmappable()) } else { Err(Misfit::Syntax) }
    }

    /// An object, member by member.
    pub(super) fn object(&mut self, each: Each<'_, 'a>) -> Result<(), Misfit> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Misfit::TooDeep);
        }
        let scope = self.reader.open(b'{')?;
        if let Some(scope) = scope {
            loop {
                let (key, _) = self.reader.key(scope)?;
                each(self, key)?;
                if self.reader.next_or_close(b'}')? {
                    break;
                }
            }
            self.reader.close(scope);
        }
        self.depth -= 1;
        Ok(())
    }

    /// An array, element by element.
    fn array(
        &mut self,
        each: &mut dyn FnMut(&mut Self) -> Result<(), Misfit>,
    ) -> Result<(), Misfit> {
        let Some(scope) = self.reader.open(b'[')? else { return Ok(()) };
        loop {
            each(self)?;
            if self.reader.next_or_close(b']')? {
                self.reader.close(scope);
                return Ok(());
            }
        }
    }

    /// The only element of an array.
    pub(super) fn only(
        &mut self,
        each: &mut dyn FnMut(&mut Self) -> Result<(), Misfit>,
    ) -> Result<(), Misfit> {
        let mut count = 0;
        self.array(&mut |walk| {
            count += 1;
            if count > 1 { Err(Misfit::Syntax) } else { each(walk) }
        })?;
        if count == 1 { Ok(()) } else { Err(Misfit::Syntax) }
    }

    /// A number, which may be written as a string.
    pub(super) fn number(&mut self) -> Result<&'a str, Misfit> {
        match self.reader.value(|value| value)? {
            Value::Number(number) => Ok(number),
            Value::Text(text) if !text.is_escaped() => Ok(text.as_stored()),
            _ => Err(Misfit::Syntax),
        }
    }

    /// A string.
    pub(super) fn string(&mut self) -> Result<Text<'a>, Misfit> {
        match self.reader.value(|value| value)? {
            Value::Text(text) => Ok(text),
            _ => Err(Misfit::Syntax),
        }
    }

    /// A string as a known field, unless it is empty.
    pub(super) fn known(&mut self, known: Known, record: &mut Record<'a>) -> Result<(), Misfit> {
        let text = self.string()?;
        if text.as_stored().is_empty() {
            return Ok(());
        }
        self.names.add(Scope::OUTER, known.name())?;
        record.push(Key::Known(known), Value::Text(text));
        Ok(())
    }

    /// A member of whatever kind as it stands.
    pub(super) fn keep(
        &mut self,
        prefix: &str,
        name: &'a str,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        let value = self.reader.value(|value| value)?;
        let name = self.below(prefix, name);
        self.put(name, value, record)
    }

    /// Adds a field. One whose name is taken is put below `attributes`.
    pub(super) fn put(
        &mut self,
        name: &'a str,
        value: Value<'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        let mut name = name;
        match self.names.add(Scope::OUTER, name) {
            Err(Misfit::DuplicateKey) => {
                name = self.below("attributes", name);
                self.names.add(Scope::OUTER, name)?;
            }
            other => other?,
        }
        // In the request it is no key: redaction is to look at it as one.
        record.push(Key::Text(Text::built(name)), value);
        Ok(())
    }

    fn below(&self, prefix: &str, name: &'a str) -> &'a str {
        if prefix.is_empty() {
            return name;
        }
        bumpalo::format!(in self.arena, "{}.{}", prefix, name).into_bump_str()
    }

    /// A list of attributes, each below `prefix`.
    pub(super) fn attributes(
        &mut self,
        prefix: &str,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        self.array(&mut |walk| {
            let mut name = None;
            walk.object(&mut |walk, key| match (key, name) {
                ("key", _) => {
                    let text = walk.string()?;
                    let key = walk.plain(text);
                    name = Some(walk.below(prefix, key));
                    Ok(())
                }
                ("value", Some(name)) => walk.any(name, record),
                _ => Err(Misfit::Syntax),
            })
        })
    }

    fn plain(&self, text: Text<'a>) -> &'a str {
        match text.is_escaped() {
            true => super::super::json::decode(text.as_stored(), self.arena),
            false => text.as_stored(),
        }
    }

    /// A value with its type, as a field, or, if it has members, as several below it.
    fn any(&mut self, name: &'a str, record: &mut Record<'a>) -> Result<(), Misfit> {
        let mut any = false;
        self.object(&mut |walk, kind| {
            any = true;
            walk.typed(kind, name, record)
        })?;
        if any { Ok(()) } else { self.put(name, Value::Null, record) }
    }

    /// The value of that type.
    pub(super) fn typed(
        &mut self,
        kind: &str,
        name: &'a str,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        let value = match kind {
            "intValue" => match self.reader.value(|value| value)? {
                // As a string, since 64 bits are too many for JavaScript.
                Value::Text(text) if !text.is_escaped() => whole(text.as_stored()),
                other => other,
            },
            "arrayValue" => self.list()?,
            "kvlistValue" => {
                return self.object(&mut |walk, key| match key {
                    "values" => walk.attributes(name, record),
                    _ => Err(Misfit::Syntax),
                });
            }
            "stringValue" | "boolValue" | "doubleValue" | "bytesValue" => {
                self.reader.value(|value| value)?
            }
            _ => return Err(Misfit::Syntax),
        };
        self.put(name, value, record)
    }

    /// A list of values, as a JSON array if they are scalars; else as it stands.
    fn list(&mut self) -> Result<Value<'a>, Misfit> {
        let mut out = bumpalo::collections::String::from_str_in("[", self.arena);
        let (start, mut plain) = (self.reader.place(), true);
        self.object(&mut |walk, key| match key {
            "values" => walk.array(&mut |walk| {
                if out.len() > 1 {
                    out.push(',');
                }
                let mut any = false;
                walk.object(&mut |walk, kind| {
                    any = true;
                    let value = walk.reader.value(|value| value)?;
                    plain &= scalar(kind, &value, &mut out);
                    Ok(())
                })?;
                if !any {
                    out.push_str("null");
                }
                Ok(())
            }),
            _ => Err(Misfit::Syntax),
        })?;
        if plain {
            out.push(']');
            return Ok(Value::Json(out.into_bump_str()));
        }
        self.reader.since(start).map(Value::Json)
    }
}

/// Appends a scalar as JSON; false if it is none.
fn scalar(kind: &str, value: &Value<'_>, out: &mut bumpalo::collections::String<'_>) -> bool {
    match (kind, value) {
        ("intValue", Value::Text(text)) => out.push_str(text.as_stored()),
        (_, Value::Text(text)) => {
            out.push('"');
            out.push_str(text.as_stored());
            out.push('"');
        }
        (_, Value::Number(number)) => out.push_str(number),
        (_, Value::Bool(flag)) => out.push_str(if *flag { "true" } else { "false" }),
        (_, Value::Null) => out.push_str("null"),
        _ => return false,
    }
    !matches!((kind, value), ("intValue", Value::Text(text)) if !is_whole(text.as_stored()))
}

/// Whether a text is a whole number as JSON writes it, of 64 bits.
fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let leads = digits.len() > 1 && digits.starts_with('0');
    !leads && !text.starts_with('+') && text.parse::<i64>().is_ok()
}

/// A whole number that is written as a string; what is none stays one.
pub(super) fn whole(text: &str) -> Value<'_> {
    if is_whole(text) { Value::Number(text) } else { convert::number(text) }
}
