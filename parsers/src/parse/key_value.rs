//! Pairs in a looser writing than logfmt: `user=frank, ip: 203.0.113.7; note='not today'`.
//!
//! - A pair is a key, then `=` with or without blanks around it, or `:` and a blank.
//! - Pairs are parted by blanks, commas or semicolons.
//! - A value in `"` or `'` goes on to that quote, before which a backslash makes it text. Any other
//!   goes on to a comma, a semicolon or the next pair, so that it may have blanks.
//!
//! Values are text; a definition's `types` can say more. Keys begin with a letter or `_`,
//! or the text is not this for us; one that comes again gets a number, as in `user_2`. Prose may look like it, so `auto` does not try it.

use super::Misfit;
use super::cursor::{Bytes, find_any};
use super::escape::undo;
use super::grammar::{Context, Grammar};
use super::keys::Keys;
use super::roles::Roles;
use crate::Arena;
use crate::record::{Record, Text};
use crate::redact::is_guarded;

/// Reads a line of pairs, one at least; when guessing two.
pub(super) const GRAMMAR: Grammar =
    Grammar { name: "key_value", begins: b"", needs: "", probe: None, read };

/// Whether a byte parts pairs.
const fn parts(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b',' | b';')
}

/// Whether pairs are parted here, or the text ends.
#[inline]
fn is_parted(text: &str) -> bool {
    text.as_bytes().first().is_none_or(|byte| parts(*byte))
}

/// A text without what parts pairs at its beginning.
#[inline]
fn unparted(text: &str) -> &str {
    let len = text.bytes().take_while(|byte| parts(*byte)).count();
    text.get(len..).unwrap_or_default()
}

/// A text without the blanks at its beginning.
#[inline]
fn unindented(text: &str) -> &str {
    let len = text.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    text.get(len..).unwrap_or_default()
}

/// What keys are made of.
static KEY: Bytes = Bytes::letters_and(b"_-./@");

fn read<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    let mut keys = Keys::new(cx.arena);
    let mut roles = Roles::default();
    let (mut pairs, mut listed) = (0, false);
    let mut rest = unparted(text);
    // The key that showed where the value before it ends.
    let mut next = None;
    while !rest.is_empty() {
        let (key, after) = next.take().or_else(|| key(rest)).ok_or(Misfit::Syntax)?;
        // `key= next=…`: the value is none, but that of a secret's name is what comes.
        let spaced = matches!(after.as_bytes(), [b' ' | b'\t', ..])
            && rest.as_bytes().get(key.len()) != Some(&b':');
        let none = spaced && !is_guarded(key);
        let after = unindented(after);
        let none = none && next_key(after).is_some();
        let key = keys.add_again(key, cx.arena)?;
        pairs += 1;
        listed |= key.as_stored() == "a1";
        let (value, after, found) =
            if none { (Text::raw(""), after, None) } else { value(after, cx.arena)? };
        (rest, next) = (unparted(after), found);
        roles.put_text(key, value, cx, record);
    }
    if pairs < if cx.guessing { 2 } else { 1 } {
        return Err(Misfit::Syntax);
    }
    roles.finish(record);
    // Arguments of a command, of which one says what the next is.
    if listed {
        record.parted.push(text);
    }
    Ok(())
}

/// A key, and what comes after its sign.
type Pair<'a> = (&'a str, &'a str);

/// The key that `text` begins with, and what comes after its sign.
#[inline]
fn key(text: &str) -> Option<Pair<'_>> {
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'@'))
    {
        return None;
    }
    let len = bytes.iter().take_while(|byte| KEY.has(**byte)).count();
    let (key, after) = text.split_at_checked(len)?;
    let after = match after.as_bytes() {
        [b':'] => "",
        // Two signs are padding, as base64 ends in, or a comparison.
        [b'=', b'=', ..] | [b' ', b'=', b'=', ..] => return None,
        [b':', b' ' | b'\t' | b'"' | b'\'', ..] | [b'=', ..] => after.get(1..)?,
        [b' ', b'=', ..] => after.get(2..)?,
        _ => return None,
    };
    Some((key, after))
}

/// Whether a pair begins here, behind a value: what is long, or of base64's length, and ends in `=` may
/// be a part of that.
#[inline]
fn next_key(text: &str) -> Option<Pair<'_>> {
    key(text).filter(|(key, after)| {
        let padding = key.len() >= 16 || (key.len() + 1) % 4 == 0;
        text.as_bytes().get(key.len()) != Some(&b'=') || !(padding && (is_parted(after)))
    })
}

/// The value that `text` begins with, what comes after it, and the key there if it was looked at. Inlined: what a call gives in memory is slow
/// to read at once.
#[inline(always)]
fn value<'a>(
    text: &'a str,
    arena: &'a Arena,
) -> Result<(Text<'a>, &'a str, Option<Pair<'a>>), Misfit> {
    if let Some(quote @ (b'"' | b'\'')) = text.as_bytes().first().copied() {
        let inside = text.get(1..).unwrap_or_default();
        let (end, escaped) = closing(inside.as_bytes(), quote).ok_or(Misfit::Syntax)?;
        let (quoted, rest) = inside.split_at_checked(end).ok_or(Misfit::Syntax)?;
        let rest = rest.get(1..).unwrap_or_default();
        if !is_parted(rest) {
            return Err(Misfit::Syntax);
        }
        let decoded = if escaped { undo(quoted, arena) } else { None };
        let text = match decoded {
            Some(decoded) => Text::built(decoded),
            None => Text::raw(quoted),
        };
        return Ok((text, rest, None));
    }
    let (end, next) = end_of_bare(text);
    let (bare, rest) = text.split_at_checked(end).ok_or(Misfit::Syntax)?;
    Ok((Text::raw(bare.trim_end_matches([' ', '\t'])), rest, next))
}

/// Where the quote is that closes, and whether there are backslashes before it.
fn closing(bytes: &[u8], quote: u8) -> Option<(usize, bool)> {
    let (mut at, mut escaped) = (0, false);
    loop {
        at += memchr::memchr2(quote, b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&quote) {
            return Some((at, escaped));
        }
        escaped = true;
        at += 2;
    }
}

/// Where a value without quotes ends: at a comma or semicolon that parts, or before the next pair, which is
/// given too.
fn end_of_bare(text: &str) -> (usize, Option<Pair<'_>>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| find_any([b' ', b',', b';'], rest)) {
        at += found;
        let next = bytes.get(at + 1).copied();
        match bytes.get(at) {
            Some(b' ') => {
                if let next @ Some(_) = text.get(at + 1..).and_then(next_key) {
                    return (at, next);
                }
            }
            // Within a word a comma is text, unless a pair comes after it.
            Some(_) if !matches!(next, None | Some(b' ' | b'\t')) => {
                if let next @ Some(_) = text.get(at + 1..).and_then(next_key) {
                    return (at, next);
                }
            }
            _ => return (at, None),
        }
        at += 1;
    }
    (text.len(), None)
}
