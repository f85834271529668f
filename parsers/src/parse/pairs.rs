//! Pairs whose values may have blanks: `key=a value key2=another`. A value goes on to the next word
//! that is a key and an equals sign: what CEF and the audit log are written in.

use super::cursor::{Bytes, find};
use crate::Arena;

/// Walks over the pairs of a text. What comes before the first key is left in [`Pairs::before`].
pub(super) struct Pairs<'a> {
    /// From the next key on.
    rest: &'a str,
    /// Bytes of that key; 0 if there is none.
    key: usize,
    /// Text before the first key.
    pub(super) before: &'a str,
    /// Whether a backslash before an equals sign makes it text.
    escapes: bool,
}

/// A pair as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair<'a> {
    pub(super) key: &'a str,
    pub(super) value: &'a str,
    /// Whether there are backslashes in the value.
    pub(super) escaped: bool,
}

impl<'a> Pairs<'a> {
    pub(super) fn new(text: &'a str, escapes: bool) -> Self {
        let mut pairs = Self { rest: "", key: 0, before: text, escapes };
        let next = pairs.next_key(text, true);
        let (before, rest) = text.split_at_checked(next.start).unwrap_or((text, ""));
        (pairs.before, pairs.rest, pairs.key) = (before, rest, next.len);
        pairs
    }

    /// The next key in `text`. `first`: it may stand at the very beginning, not only after a blank.
    #[inline]
    fn next_key(&self, text: &str, first: bool) -> NextKey {
        let bytes = text.as_bytes();
        let (mut at, mut floor, mut escaped) = (0, 0, false);
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let found = match self.escapes {
                true => memchr::memchr2(b'=', b'\\', rest),
                false => find(b'=', rest),
            };
            let Some(found) = found else {
                return NextKey { start: text.len(), len: 0, escaped };
            };
            at += found;
            if bytes.get(at) == Some(&b'\\') {
                escaped = true;
                at += 2;
            } else {
                // No byte is looked back at twice: not beyond the sign before.
                let word = bytes.get(floor..at).unwrap_or_default();
                let len = word.iter().rev().take_while(|byte| KEY.has(**byte)).count();
                let start = at - len;
                let before = start.checked_sub(1).and_then(|before| bytes.get(before));
                if len > 0 && before.map_or(first, |before| *before == b' ') {
                    return NextKey { start, len, escaped };
                }
                at += 1;
            }
            floor = at;
        }
    }

    /// The length of a value in quotes or braces, where they mean that it has blanks: not in a format
    /// with escapes.
    fn wrapped(&self, text: &str) -> Option<usize> {
        if self.escapes {
            return None;
        }
        let (end, len) = match text.as_bytes() {
            [b'"', inside @ ..] => (memchr::memchr(b'"', inside)? + 2, text.len()),
            [b'{', b' ', ..] => (memchr::memchr(b'}', text.as_bytes())? + 1, text.len()),
            _ => return None,
        };
        (end == len || text.as_bytes().get(end) == Some(&b' ')).then_some(end)
    }
}

/// Where a key is, or the end of the text.
struct NextKey {
    start: usize,
    /// 0 if there is none.
    len: usize,
    /// Whether a backslash was passed before it.
    escaped: bool,
}

/// What keys are made of.
static KEY: Bytes = Bytes::letters_and(b"_-.[]");

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Pair<'a>> {
        let (key, rest) = self.rest.split_at_checked(self.key).filter(|_| self.key > 0)?;
        let rest = rest.get(1..)?;
        let wrapped = self.wrapped(rest).unwrap_or(0);
        let next = self.next_key(rest.get(wrapped..)?, false);
        let (value, rest) = rest.split_at_checked(wrapped + next.start)?;
        (self.rest, self.key) = (rest, next.len);
        let mut value = value.strip_suffix(' ').unwrap_or(value);
        if value.ends_with(' ') {
            value = value.trim_end_matches(' ');
        }
        Some(Pair { key, value, escaped: next.escaped })
    }
}

/// A value without its backslashes, but for those before a character that needs none.
pub(super) fn unescaped<'a>(value: &str, arena: &'a Arena) -> &'a str {
    let mut out = bumpalo::collections::String::with_capacity_in(value.len(), arena);
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (before, escape) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        let plain = match escape.as_bytes().get(1) {
            Some(b'n') => Some('\n'),
            Some(b'r') => Some('\r'),
            Some(byte @ (b'=' | b'\\' | b'|')) => Some(char::from(*byte)),
            _ => None,
        };
        out.push(plain.unwrap_or('\\'));
        rest = escape.get(if plain.is_some() { 2 } else { 1 }..).unwrap_or_default();
    }
    out.push_str(rest);
    out.into_bump_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str, escapes: bool) -> (String, Vec<(String, String)>) {
        let pairs = Pairs::new(text, escapes);
        let before = pairs.before.to_owned();
        (before, pairs.map(|pair| (pair.key.to_owned(), pair.value.to_owned())).collect())
    }

    #[test]
    fn a_value_goes_on_to_the_next_key() {
        for (text, before, expect) in [
            ("a=1 b=2", "", vec![("a", "1"), ("b", "2")]),
            ("a=one two b=", "", vec![("a", "one two"), ("b", "")]),
            ("a=b=c d=e", "", vec![("a", "b=c"), ("d", "e")]),
            ("a==b", "", vec![("a", "=b")]),
            ("avc: denied for pid=1", "avc: denied for ", vec![("pid", "1")]),
            ("no pairs", "no pairs", vec![]),
            ("a=x (y)=z b=1", "", vec![("a", "x (y)=z"), ("b", "1")]),
            ("=1 a=2", "=1 ", vec![("a", "2")]),
            (
                "a={ x=1 y=2 } b=\"c d=e\" f=",
                "",
                vec![("a", "{ x=1 y=2 }"), ("b", "\"c d=e\""), ("f", "")],
            ),
        ] {
            let expect: Vec<_> =
                expect.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
            assert_eq!(pairs(text, false), (before.to_owned(), expect), "{text}");
        }
        let (_, found) = pairs(r"a=1\=2 b\=3 c=4", true);
        assert_eq!(found[0], ("a".to_owned(), r"1\=2 b\=3".to_owned()));
        assert_eq!(found[1], ("c".to_owned(), "4".to_owned()));
        assert_eq!(unescaped(r"1\=2\\\n\q\", &Arena::new()), "1=2\\\n\\q\\");
    }
}
