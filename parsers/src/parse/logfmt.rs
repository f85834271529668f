//! logfmt: `time=2026-11-22T10:00:00Z level=info msg="placed order" order=17`.
//!
//! Values are text, as logfmt knows no other; a definition's `types` can say more. A bare word is a
//! key that is true; behind a message without quotes it is the message that goes on, since whoever forgot
//! them wrote prose. A key that comes again gets a number, as in `user_2`.

use super::Misfit;
use super::cursor::end_of_word;
use super::escape::undo;
use super::grammar::{Context, Grammar};
use super::json::{self, string_end};
use super::keys::Keys;
use super::roles::{self, Role, Roles};
use crate::Arena;
use crate::record::{Field, Key, Record, Text, Value, closing_quote};

/// Reads a line of pairs, one at least; when guessing two, and bare words only behind them, where there is a
/// level and a message.
pub(super) const GRAMMAR: Grammar =
    Grammar { name: "logfmt", begins: b"", needs: "=", probe: Some(probe), read };

/// Reads what pairs end a line of another format: one at least, and no bare words, which are text that
/// goes on. A value may be JSON, or, as klog writes them, of several lines.
pub(super) const TAIL: Grammar =
    Grammar { name: "logfmt", begins: b"", needs: "", probe: None, read: tail };

/// Whether the first word is a pair.
fn probe(bytes: &[u8]) -> bool {
    let head = bytes.get(..64).unwrap_or(bytes);
    let len = key_len(head);
    len > 0 && head.get(len) == Some(&b'=')
}

/// Bytes up to a blank, an equals sign or a quote.
#[inline]
fn key_len(bytes: &[u8]) -> usize {
    end_of_word(bytes, b'=', b'"')
}

fn read<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    let least = if cx.guessing { 2 } else { 1 };
    pairs(text, cx, record, least, true, |_, _| Ok(None))
}

fn tail<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    pairs(text, cx, record, 1, false, |text, cx| match text.as_bytes() {
        [b'<', b'\n', ..] => lines(text, cx.arena),
        [b'[' | b'{', ..] => Ok(json_value(text, cx.arena)),
        _ => Ok(None),
    })
}

/// A value, and what comes after it.
type Taken<'a> = (Value<'a>, bool, &'a str);

/// A JSON value at the beginning, if that is what it is: Go prints lists in brackets, too.
fn json_value<'a>(text: &'a str, arena: &'a Arena) -> Option<Taken<'a>> {
    let (value, len, unmappable) = json::prefix(text, arena).ok()?;
    let rest = text.get(len..)?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then_some((value, unmappable, rest))
}

/// klog's value of several lines: `<`, each line behind a tab, and ` >`.
fn lines<'a>(text: &'a str, arena: &'a Arena) -> Result<Option<Taken<'a>>, Misfit> {
    let mut value = bumpalo::collections::String::new_in(arena);
    let mut rest = text.get(2..).ok_or(Misfit::Syntax)?;
    while let Some(line) = rest.strip_prefix('\t') {
        let end = memchr::memchr(b'\n', line.as_bytes()).ok_or(Misfit::Syntax)?;
        if !value.is_empty() {
            value.push('\n');
        }
        value.push_str(line.get(..end).ok_or(Misfit::Syntax)?);
        rest = line.get(end + 1..).ok_or(Misfit::Syntax)?;
    }
    let rest = rest.strip_prefix(" >").ok_or(Misfit::Syntax)?;
    Ok(Some((Value::Text(Text::built(value.into_bump_str())), false, rest)))
}

/// Reads pairs, so many at least, and bare words among them or not. `other` reads values that logfmt
/// itself does not have.
fn pairs<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
    least: usize,
    bare: bool,
    other: impl Fn(&'a str, &Context<'_, 'a>) -> Result<Option<Taken<'a>>, Misfit>,
) -> Result<(), Misfit> {
    let mut keys = Keys::new(cx.arena);
    let mut roles = Roles::default();
    let (mut pairs, mut words, mut listed) = (0, 0, false);
    let mut rest = text.trim_end_matches([' ', '\t']);
    loop {
        rest = unindented(rest);
        if rest.is_empty() {
            break;
        }
        let (key, after) = rest.split_at_checked(key_len(rest.as_bytes())).ok_or(Misfit::Syntax)?;
        if key.is_empty() {
            return Err(Misfit::Syntax);
        }
        let key = keys.add_again(key, cx.arena)?;
        let Some(after) = after.strip_prefix('=') else {
            let unsure = cx.guessing && pairs < least;
            if !bare || unsure || after.starts_with('"') {
                return Err(Misfit::Syntax);
            }
            words += 1;
            record.push(Key::Text(key), Value::Bool(true));
            rest = after;
            continue;
        };
        pairs += 1;
        listed |= key.as_stored() == "a1";
        let role = roles::role(key.as_stored().as_bytes());
        let open =
            if bare && matches!(role, Some((Role::Message, _))) { prose(after) } else { None };
        // Each is put from where it was made: what all come together in costs a copy.
        if let Some((text, after)) = open {
            words += 1;
            put(role, key, Value::Text(Text::raw(text)), &mut roles, cx, record);
            rest = after;
        } else if let Some((value, unmappable, after)) = other(after, cx)? {
            record.unmappable |= unmappable;
            put(role, key, value, &mut roles, cx, record);
            rest = after;
        } else {
            let (text, after) = value(after, cx)?;
            put(role, key, Value::Text(text), &mut roles, cx, record);
            rest = after;
        }
    }
    if pairs < least {
        return Err(Misfit::Syntax);
    }
    roles.finish(record);
    let told = record.level.is_some() && record.message.is_some();
    if cx.guessing && words > 0 && !told {
        return Err(Misfit::Syntax);
    }
    // A word may belong to the one before it: `--password hunter2`, `a1="-u" a2="bob:hunter2"`.
    if words > 0 || listed {
        record.parted.push(text);
    }
    Ok(())
}

/// The words without quotes that `text` begins with, several of them, up to the next pair; and what comes
/// after them.
fn prose(text: &str) -> Option<(&str, &str)> {
    if text.starts_with('"') {
        return None;
    }
    let bytes = text.as_bytes();
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    // Where the first word ends, and the last one.
    let (mut at, mut end, mut first) = (0, 0, None);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let key = key_len(rest);
        if first.is_some() && key > 0 && rest.get(key) == Some(&b'=') {
            break;
        }
        let word = rest.iter().position(|byte| blank(byte) || *byte == b'\n').unwrap_or(rest.len());
        end = at + word;
        first.get_or_insert(end);
        let next = bytes.get(end..).unwrap_or_default();
        match next.iter().position(|byte| !blank(byte)) {
            Some(blanks) if blanks > 0 => at = end + blanks,
            _ => break,
        }
    }
    let (words, rest) = text.split_at_checked(end)?;
    first.filter(|first| *first < end).map(|_| (words.trim_start_matches([' ', '\t']), rest))
}

/// Puts a field where it belongs.
#[inline(always)]
fn put<'a>(
    role: Option<(Role, u8)>,
    key: Text<'a>,
    value: Value<'a>,
    roles: &mut Roles<'a>,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) {
    match role {
        None => record.push(Key::Text(key), value),
        Some((role, rank)) => {
            roles.put(role, rank, Field { key: Key::Text(key), value }, cx, record);
        }
    }
}

/// A text without the blanks and tabs at its beginning.
#[inline]
fn unindented(text: &str) -> &str {
    let len = text.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    text.get(len..).unwrap_or_default()
}

/// The value that `text` begins with, and what comes after it.
#[inline(always)]
fn value<'a>(text: &'a str, cx: &Context<'_, 'a>) -> Result<(Text<'a>, &'a str), Misfit> {
    let Some(inside) = text.strip_prefix('"') else {
        let mut end = 0;
        loop {
            let rest = text.as_bytes().get(end..).unwrap_or_default();
            end += end_of_word(rest, b'"', b'"');
            match text.as_bytes().get(end) {
                None | Some(b' ' | b'\t') => break,
                Some(b'"' | b'\n') => return Err(Misfit::Syntax),
                // Another control character is text.
                Some(_) => end += 1,
            }
        }
        let (bare, rest) = text.split_at_checked(end).ok_or(Misfit::Syntax)?;
        return Ok((Text::raw(bare), rest));
    };
    let end = closing_quote(inside.as_bytes()).ok_or(Misfit::Syntax)?;
    let (quoted, rest) = inside.split_at_checked(end).ok_or(Misfit::Syntax)?;
    let rest = rest.get(1..).ok_or(Misfit::Syntax)?;
    if !matches!(rest.as_bytes().first(), None | Some(b' ' | b'\t')) {
        return Err(Misfit::Syntax);
    }
    let plain = memchr::memchr(b'\\', quoted.as_bytes()).is_none();
    let text =
        if plain { Text::raw(quoted) } else { unquoted(quoted, inside.as_bytes(), cx.arena) };
    Ok((text, rest))
}

/// The text of a quoted value with backslashes: as it stands where its escapes are JSON's too, else decoded,
/// else as it stands. Inlined: what a call gives in memory is slow to read at once.
#[inline(always)]
fn unquoted<'a>(quoted: &'a str, with_quote: &[u8], arena: &'a Arena) -> Text<'a> {
    match string_end(with_quote, 0) {
        Ok((end, _)) if end == quoted.len() => Text::raw_escaped(quoted),
        _ => match undo(quoted, arena) {
            Some(decoded) => Text::built(decoded),
            None => Text::raw(quoted),
        },
    }
}
