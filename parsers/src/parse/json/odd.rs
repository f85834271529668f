//! What is JSON and yet what no server takes, kept as text: values nested too deeply, numbers that are none
//! to a computer, half a character, and members that an object has too many of.

use super::{Reader, string};
use crate::parse::Misfit;
use crate::parse::grammar::Context;
use crate::parse::roles::{Role, Roles};
use crate::record::{Field, Key, Record, Text, Value};

/// The field that has the members which an object has too many of, and the member that has a value which
/// is nested too deeply.
const CUT: &str = "cut";

impl<'a> Reader<'a> {
    /// Passes over the members from here to the end of the outermost object, which has too many to be
    /// fields. Those that stand for time, level or message do; all stay together as one text.
    #[cold]
    pub(super) fn cut(
        &mut self,
        roles: &mut Roles<'a>,
        role: impl Fn(&[u8]) -> Option<(Role, u8)>,
        record: &mut Record<'a>,
        cx: &mut Context<'_, 'a>,
    ) -> Result<(), Misfit> {
        let start = self.at;
        loop {
            let (name, escaped) = self.string()?;
            self.blanks();
            self.expect(b':')?;
            self.blanks();
            let value = self.value(|value| value)?;
            if let Some((role, rank)) = role(name.as_bytes()).filter(|_| !escaped) {
                let key = Key::Text(Text::raw(name));
                // What it displaces, or is, is a field only where it has been one.
                let displaced = roles.take(role, rank, Field { key, value }, cx);
                record.fields.extend(displaced.filter(|field| field.key.name() != name));
            }
            if self.next_or_close(b'}')? {
                break;
            }
        }
        let is_free = |record: &Record<'_>| record.fields.iter().all(|it| it.key.name() != CUT);
        if is_free(record) {
            let rest = self.slice(start, self.at - 1)?;
            record.push(Key::Text(Text::fixed(CUT)), Value::Text(Text::raw(rest)));
        }
        Ok(())
    }

    /// An object or array inside `depth` brackets; if it is odd, the text that it is written in.
    #[inline]
    pub(super) fn json_or_odd(
        &mut self,
        depth: usize,
    ) -> Result<Result<&'a str, Text<'a>>, Misfit> {
        let (start, keys, unmappable) = (self.at, self.keys.here(), self.unmappable);
        let read = match self.json(depth) {
            Err(Misfit::DuplicateKey) => {
                self.keys.back(keys);
                (self.at, self.unmappable) = (start, unmappable);
                self.json_anew(depth)
            }
            read => read,
        };
        match read {
            Err(Misfit::TooDeep | Misfit::TooManyKeys | Misfit::Number | Misfit::LoneSurrogate) => {
                self.keys.back(keys);
                self.unmappable = unmappable;
                self.odd(start).map(Err)
            }
            json => json.map(Ok),
        }
    }

    /// A value from `start` that is JSON and yet what no server takes (nested too deeply, a number that
    /// is none to a computer, half a character), as the text that it is written in.
    #[cold]
    pub(super) fn odd(&mut self, start: usize) -> Result<Text<'a>, Misfit> {
        self.at = end(self.bytes, start)?;
        self.slice(start, self.at).map(Text::raw)
    }

    /// An object that has such a value as a text: where other lines have objects by that name, a server
    /// would refuse a text.
    #[cold]
    pub(super) fn held(&self, written: &str) -> &'a str {
        let text = serde_json::Value::from(written);
        self.arena.alloc_str(&format!("{{\"{CUT}\":{text}}}"))
    }

    /// A string from `start` that has half a UTF-16 pair in it: U+FFFD in its place.
    #[cold]
    pub(super) fn odd_string(&mut self, start: usize) -> Result<Text<'a>, Misfit> {
        let written = self.odd(start)?.as_stored();
        let inside = written.get(1..written.len() - 1).unwrap_or_default();
        Ok(Text::built(string::decode(inside, self.arena)))
    }
}

/// Finds the end of the value that begins at `start`: by its quotes, its brackets, or what ends a number.
/// As linear as what refused it.
#[cold]
fn end(bytes: &[u8], start: usize) -> Result<usize, Misfit> {
    if !matches!(bytes.get(start), Some(b'"' | b'{' | b'[')) {
        let number = bytes.iter().skip(start);
        let of_number = |byte: &&u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
        return Ok(start + number.take_while(of_number).count());
    }
    let (mut at, mut open) = (start, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = quote(bytes, at + 1)?,
            b'{' | b'[' => open += 1,
            b'}' | b']' if open > 0 => open -= 1,
            0..=0x1f if !byte.is_ascii_whitespace() => return Err(Misfit::Syntax),
            _ => {}
        }
        at += 1;
        if open == 0 && matches!(byte, b'"' | b'}' | b']') {
            return Ok(at);
        }
    }
    if open == 0 { Ok(at) } else { Err(Misfit::Syntax) }
}

/// Where the closing quote of a string is, whose inside begins at `at`.
fn quote(bytes: &[u8], mut at: usize) -> Result<usize, Misfit> {
    loop {
        match bytes.get(at).ok_or(Misfit::Syntax)? {
            b'"' => return Ok(at),
            b'\\' => at += 2,
            0..=0x1f => return Err(Misfit::Syntax),
            _ => at += 1,
        }
    }
}
