//! JSON objects, one a record: validated and taken apart in one pass, copied through as text.
//!
//! Top-level scalars become fields, nested objects and arrays stay the text they are, and the keys
//! that loggers use for time, level and message ([`roles`]) become those. Stricter than RFC
//! 8259 where servers are: nesting, keys and numbers are capped, escapes decode to text, and keys are unique
//! in every object: one that comes again is called otherwise ([`again`]). What is refused here is not JSON for us; nothing else is checked later.
//! What Elasticsearch alone would refuse, a nested key or number without a mapping, is noted.

mod again;
mod number;
mod odd;
mod opened;
mod string;

use super::grammar::{Context, Grammar};
use super::hashed::Table;
use super::keys::{Keys, Scope};
use super::refine::Refine;
use super::roles::{self, Role, Roles};
use super::{Misfit, auto};
use crate::Arena;
use crate::record::{Field, Key, Record, Text, Value, is_field_name, is_mappable};

use again::one_line;
use opened::Opened;
pub(crate) use string::decode;
pub(super) use string::end as string_end;

/// Reads one object, blanks around it allowed.
pub(super) const GRAMMAR: Grammar =
    Grammar { name: "json", begins: b"{ \t\n\r\x0c", needs: "{", probe: Some(probe), read };

/// Levels of nesting, the outermost object being the first. Elasticsearch's default limit is one more,
/// for the object that a record's own fields are put into.
const MAX_DEPTH: usize = 19;

fn probe(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().first() == Some(&b'{')
}

fn read<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    let bad_times = *cx.bad_times;
    if let opens @ Some(_) = cx.refine.and_then(Refine::opens) {
        match object::<true>(text, cx, record, roles::role, opens) {
            Ok(true) => return Ok(()),
            Err(Misfit::Syntax) => return Err(Misfit::Syntax),
            // What is odd in one of them is dealt with where it is a value.
            Ok(false) | Err(_) => {}
        }
        // The definition opens them afterwards.
        *cx.bad_times = bad_times;
        auto::clear(record);
    }
    object::<false>(text, cx, record, roles::role, None).map(|_| ())
}

/// Fills a record from an object, all of whose members become fields.
pub(super) fn members<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    object::<false>(text, cx, record, |_| None, None).map(|_| ())
}

/// Fills a record from an object. `role` says what a key stands for, `opens` what is opened if `OPENS`
/// says that something is. Whether that was possible.
#[inline]
fn object<'a, const OPENS: bool>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
    role: impl Fn(&[u8]) -> Option<(Role, u8)>,
    opens: Option<&Table<bool>>,
) -> Result<bool, Misfit> {
    let mut reader = Reader::new(text, cx.arena);
    let mut roles = Roles::default();
    let mut opened = Opened::new(opens, cx.refine.map(Refine::renamed), cx.arena);
    let claims_time = OPENS && cx.refine.is_some_and(Refine::claims_time);
    reader.blanks();
    reader.expect(b'{')?;
    reader.blanks();
    if reader.peek() == Some(b'}') {
        reader.at += 1;
    } else {
        loop {
            let first = reader.at;
            let (name, escaped, again) = match reader.outer_key() {
                Err(Misfit::TooManyKeys) => {
                    reader.at = first;
                    reader.cut(&mut roles, &role, record, cx)?;
                    break;
                }
                read => read?,
            };
            // A key that had to be decoded is the application's own, and mostly one that comes again.
            let role = if escaped { None } else { role(name.as_bytes()) };
            let role = role.filter(|(role, _)| again.is_none() || roles.lacks(*role));
            let built = escaped || again.is_some();
            let name = again.unwrap_or(name);
            let key = Key::Text(if built { Text::built(name) } else { Text::raw(name) });
            match role {
                Some((role, rank)) if !(claims_time && role == Role::Time) => {
                    if OPENS {
                        opened.pass(&reader, name);
                    }
                    let value = reader.value(|value| value)?;
                    roles.put(role, rank, Field { key, value }, cx, record);
                }
                _ => {
                    if !(OPENS && opened.take(&mut reader, name)?) {
                        reader.value(|value| record.push(key, value))?;
                    }
                }
            }
            if reader.next_or_close(b'}')? {
                break;
            }
        }
    }
    reader.blanks();
    if reader.at != text.len() {
        return Err(Misfit::Syntax);
    }
    roles.finish(record);
    let all = !OPENS || opened.finish(&mut reader, record);
    record.unmappable = reader.unmappable;
    Ok(all)
}

/// The value that a text begins with, its length, and whether it has something without a mapping.
pub(super) fn prefix<'a>(
    text: &'a str,
    arena: &'a Arena,
) -> Result<(Value<'a>, usize, bool), Misfit> {
    let mut reader = Reader::new(text, arena);
    let value = reader.value(|value| value)?;
    Ok((value, reader.at, reader.unmappable))
}

/// Whether a text is a number as JSON writes it.
pub(super) fn is_number(text: &str) -> bool {
    number::end(text.as_bytes(), 0).is_ok_and(|end| end == text.len())
}

/// Walks over a text, validating.
pub(super) struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    keys: Keys<'a>,
    arena: &'a Arena,
    /// Whether a line break stood between tokens: text that is copied into a line must not have any.
    broken: bool,
    /// Whether a nested key or number has no mapping.
    unmappable: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, arena: &'a Arena) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            keys: Keys::new(arena),
            arena,
            broken: false,
            unmappable: false,
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Misfit> {
        if self.peek() != Some(byte) {
            return Err(Misfit::Syntax);
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    pub(super) fn blanks(&mut self) {
        // One comparison where there are none.
        while let Some(byte @ ..=b' ') = self.peek() {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                break;
            }
            self.broken |= byte == b'\n' || byte == b'\r';
            self.at += 1;
        }
    }

    /// After a value: true at the closing bracket, false at a comma; passes over it.
    #[inline(always)]
    pub(super) fn next_or_close(&mut self, close: u8) -> Result<bool, Misfit> {
        self.blanks();
        let byte = self.peek();
        self.at += 1;
        if byte == Some(b',') {
            self.blanks();
            Ok(false)
        } else if byte == Some(close) {
            Ok(true)
        } else {
            Err(Misfit::Syntax)
        }
    }

    /// A slice between two ASCII bytes.
    #[inline]
    fn slice(&self, start: usize, end: usize) -> Result<&'a str, Misfit> {
        self.text.get(start..end).ok_or(Misfit::Syntax)
    }

    /// A string: its inside, and whether that has escapes. Half of what an object is: a call for each
    /// costs as much as a short one.
    #[inline(always)]
    fn string(&mut self) -> Result<(&'a str, bool), Misfit> {
        self.expect(b'"')?;
        let (end, escaped) = string::end(self.bytes, self.at)?;
        let inside = self.slice(self.at, end)?;
        self.at = end + 1;
        Ok((inside, escaped))
    }

    /// A key of the object of that scope, up to its value: decoded, and whether it had to be.
    #[inline(always)]
    pub(super) fn key(&mut self, scope: Scope) -> Result<(&'a str, bool), Misfit> {
        let (key, escaped) = self.name()?;
        self.keys.add(scope, key)?;
        self.colon()?;
        Ok((key, escaped))
    }

    /// A key, decoded, and whether it had to be.
    #[inline(always)]
    fn name(&mut self) -> Result<(&'a str, bool), Misfit> {
        let (key, escaped) = self.string()?;
        Ok((if escaped { string::decode(key, self.arena) } else { key }, escaped))
    }

    #[inline(always)]
    fn colon(&mut self) -> Result<(), Misfit> {
        self.blanks();
        self.expect(b':')?;
        self.blanks();
        Ok(())
    }

    /// A value of the outermost object, given to `give` where it is made: a value that is built in one
    /// place and copied to another costs a stalled load for each field.
    #[inline]
    pub(super) fn value<R>(&mut self, give: impl FnOnce(Value<'a>) -> R) -> Result<R, Misfit> {
        self.value_in(1, give)
    }

    /// The same of an object inside `depth` brackets.
    #[inline]
    fn value_in<R>(
        &mut self,
        depth: usize,
        give: impl FnOnce(Value<'a>) -> R,
    ) -> Result<R, Misfit> {
        match self.peek() {
            Some(b'"') => {
                let start = self.at;
                match self.string() {
                    Ok((inside, false)) => Ok(give(Value::Text(Text::raw(inside)))),
                    Ok((inside, true)) => Ok(give(Value::Text(Text::raw_escaped(inside)))),
                    Err(Misfit::LoneSurrogate) => Ok(give(Value::Text(self.odd_string(start)?))),
                    Err(misfit) => Err(misfit),
                }
            }
            Some(b'-' | b'0'..=b'9') => {
                let start = self.at;
                match number::end(self.bytes, start) {
                    Err(Misfit::Number) => Ok(give(Value::Text(self.odd(start)?))),
                    end => {
                        self.at = end?;
                        Ok(give(Value::Number(self.slice(start, self.at)?)))
                    }
                }
            }
            Some(b't') => self.word(b"true").map(|()| give(Value::Bool(true))),
            Some(b'f') => self.word(b"false").map(|()| give(Value::Bool(false))),
            Some(b'n') => self.word(b"null").map(|()| give(Value::Null)),
            _ => match self.json_or_odd(depth)? {
                Ok(json) => Ok(give(Value::Json(json))),
                Err(odd) => Ok(give(Value::Json(self.held(odd.as_stored())))),
            },
        }
    }

    /// An object or array inside `depth` brackets, as text without line breaks.
    fn json(&mut self, depth: usize) -> Result<&'a str, Misfit> {
        let start = self.at;
        let broken = std::mem::replace(&mut self.broken, false);
        self.nested(depth)?;
        let text = self.slice(start, self.at)?;
        let text = if self.broken { one_line(text, self.arena) } else { text };
        self.broken |= broken;
        Ok(text)
    }

    /// Begins an object or an array with that bracket. `None` if it is empty, and passed.
    pub(super) fn open(&mut self, bracket: u8) -> Result<Option<Scope>, Misfit> {
        self.expect(bracket)?;
        self.blanks();
        // In ASCII, the closing ones are two further.
        if self.peek() == Some(bracket + 2) {
            self.at += 1;
            return Ok(None);
        }
        Ok(Some(self.keys.open()))
    }

    /// Ends what [`Reader::open`] began, its closing bracket passed.
    pub(super) fn close(&mut self, scope: Scope) {
        self.keys.close(scope);
    }

    /// Whether all has been read.
    pub(super) fn is_done(&self) -> bool {
        self.at == self.text.len()
    }

    /// Where it is.
    pub(super) fn place(&self) -> usize {
        self.at
    }

    /// What was read from a place on, as text without line breaks.
    pub(super) fn since(&self, start: usize) -> Result<&'a str, Misfit> {
        let text = self.slice(start, self.at)?;
        Ok(if text.contains(['\n', '\r']) { one_line(text, self.arena) } else { text })
    }

    /// Whether a nested key or number has no mapping.
    pub(super) fn unmappable(&self) -> bool {
        self.unmappable
    }

    #[inline]
    fn word(&mut self, word: &[u8]) -> Result<(), Misfit> {
        if !self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(Misfit::Syntax);
        }
        self.at += word.len();
        Ok(())
    }

    /// Passes over a value inside `depth` brackets.
    fn skip(&mut self, depth: usize) -> Result<(), Misfit> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'-' | b'0'..=b'9') => {
                let start = self.at;
                self.at = number::end(self.bytes, start)?;
                self.unmappable |= !is_mappable(self.slice(start, self.at)?);
                Ok(())
            }
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => self.nested(depth),
        }
    }

    /// Passes over an object or an array inside `depth` brackets. Recursion ends at [`MAX_DEPTH`].
    fn nested(&mut self, depth: usize) -> Result<(), Misfit> {
        let close = match self.peek() {
            Some(b'{') => b'}',
            Some(b'[') => b']',
            _ => return Err(Misfit::Syntax),
        };
        if depth >= MAX_DEPTH {
            return Err(Misfit::TooDeep);
        }
        self.at += 1;
        self.blanks();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        let scope = self.keys.open();
        loop {
            if close == b'}' {
                let (key, _) = self.key(scope)?;
                self.unmappable |= !is_field_name(key);
            }
            self.skip(depth + 1)?;
            if self.next_or_close(close)? {
                self.keys.close(scope);
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests;
