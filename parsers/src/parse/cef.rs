//! ArcSight's Common Event Format, bare or behind a syslog header or a time.
//!
//! `CEF:0|Vendor|Product|1.0|100|login failed|5|src=203.0.113.7 msg=not today suser=frank`
//!
//! Keys of the extension stay what they are (`cs1Label` is not put in the place of `cs1`), but for
//! those that every format has. `msg` is the message, else the name is.

use super::cursor::Cursor;
use super::grammar::{Context, Grammar};
use super::keys::{Keys, Scope};
use super::pairs::{Pairs, unescaped};
use super::{Misfit, convert, level, syslog};
use crate::Arena;
use crate::record::{Key, Known, Level, Record, Text, Value};

/// Reads a line with a header of seven parts.
pub(super) const GRAMMAR: Grammar =
    Grammar { name: "cef", begins: b"", needs: "CEF:|", probe: Some(probe), read };

/// Bytes that may stand before the format's own header.
const MAX_HEAD: usize = 512;

/// What the parts of the header are called, by the format's dictionary.
const PARTS: [&str; 4] = ["deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId"];

/// Where the header begins: `CEF:` and a version stand before the first bar.
fn probe(bytes: &[u8]) -> bool {
    start(bytes).is_some()
}

fn start(bytes: &[u8]) -> Option<usize> {
    let head = bytes.get(..MAX_HEAD).unwrap_or(bytes);
    let bar = memchr::memchr(b'|', head)?;
    let before = head.get(..bar.checked_sub(1)?)?;
    // rsyslog takes the name for a tag, and puts a blank behind it.
    let start = before.strip_suffix(b" ").unwrap_or(before).strip_suffix(b"CEF:")?.len();
    let parted = start.checked_sub(1).and_then(|at| head.get(at)).is_none_or(|byte| *byte <= b' ');
    (head.get(bar - 1)?.is_ascii_digit() && parted).then_some(start)
}

fn read<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    let start = start(text.as_bytes()).ok_or(Misfit::Syntax)?;
    let (head, text) = text.split_at_checked(start).ok_or(Misfit::Syntax)?;
    read_head(head.trim_end_matches(' '), cx, record)?;
    let mut keys = Keys::new(cx.arena);
    for field in &record.fields {
        keys.add(Scope::OUTER, field.key.name())?;
    }
    let mut cursor = Cursor::new(text);
    cursor.until(b'|')?;
    for part in PARTS {
        let value = header_part(&mut cursor, cx.arena)?;
        keys.add(Scope::OUTER, part)?;
        if !value.as_stored().is_empty() {
            record.push(Key::Text(Text::fixed(part)), Value::Text(value));
        }
    }
    let name = header_part(&mut cursor, cx.arena)?;
    severity(&mut cursor, cx.arena, record)?;
    keys.add(Scope::OUTER, "deviceSeverity")?;
    let extension = Pairs::new(cursor.rest().trim_matches(' '), true);
    if !extension.before.is_empty() {
        return Err(Misfit::Syntax);
    }
    let head = record.time.take();
    for pair in extension {
        put(pair.key, pair.value, pair.escaped, &mut keys, cx, record)?;
    }
    if record.time.is_none() {
        take_end(cx, record);
    }
    // The time of a header is that of whoever passed the line on.
    record.time = record.time.or(head);
    if record.message.is_none() {
        record.message = Some(name);
    } else {
        keys.add(Scope::OUTER, "name")?;
        record.push(Key::Text(Text::fixed("name")), Value::Text(name));
    }
    Ok(())
}

/// Takes the time when it ended, of a line that does not say when it was received.
fn take_end(cx: &mut Context<'_, '_>, record: &mut Record<'_>) {
    let at = record.fields.iter().position(|field| field.key.name() == "end");
    if let Some(at) = at
        && let Some(Value::Text(text)) = record.fields.get(at).map(|field| field.value)
    {
        record.time = cx.clock.any(text.as_stored());
        if record.time.is_some() {
            record.fields.remove(at);
        } else {
            *cx.bad_times += 1;
        }
    }
}

/// What stands before: nothing, a time, or a syslog header.
fn read_head<'a>(
    head: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    if head.is_empty() {
        return Ok(());
    }
    record.time = cx.clock.any(head);
    if record.time.is_some() {
        return Ok(());
    }
    // The format is certain by now: a header without a tag is one.
    let guessing = std::mem::replace(&mut cx.guessing, false);
    let read = (syslog::EITHER.read)(head, cx, record);
    cx.guessing = guessing;
    read?;
    match record.message.take() {
        Some(rest) if !rest.as_stored().is_empty() => Err(Misfit::Syntax),
        _ => Ok(()),
    }
}

/// The header's next part, up to a bar that no backslash precedes.
fn header_part<'a>(cursor: &mut Cursor<'a>, arena: &'a Arena) -> Result<Text<'a>, Misfit> {
    let bytes = cursor.bytes();
    let (mut at, mut escaped) = (0, false);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        at += memchr::memchr2(b'|', b'\\', rest).ok_or(Misfit::Syntax)?;
        if bytes.get(at) == Some(&b'|') {
            break;
        }
        escaped = true;
        at += 2;
    }
    let part = cursor.take(at)?;
    cursor.take(1)?;
    Ok(if escaped { Text::built(unescaped(part, arena)) } else { Text::raw(part) })
}

/// The severity, which the last part of the header is: as a level, and as it is written.
fn severity<'a>(
    cursor: &mut Cursor<'a>,
    arena: &'a Arena,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    // Without an extension, some leave the last bar out.
    let text = match header_part(cursor, arena) {
        Ok(text) => text,
        Err(_) => Text::raw(cursor.take(cursor.rest().len())?),
    };
    let word = text.as_stored().trim();
    let named = level::from_name(word).filter(|_| !word.is_empty());
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    let level = match word {
        "0" | "1" | "2" | "3" => Some(Level::Info),
        "4" | "5" | "6" => Some(Level::Warn),
        "7" | "8" => Some(Level::Error),
        "9" | "10" => Some(Level::Fatal),
        "" => None,
        // The format's own words begin with a capital, but not in what all products write.
        _ if is("Unknown") => None,
        _ if is("Low") => Some(Level::Info),
        _ if is("Medium") => Some(Level::Warn),
        _ if is("High") => Some(Level::Error),
        _ if is("Very-High") => Some(Level::Fatal),
        _ => Some(named.ok_or(Misfit::Syntax)?),
    };
    record.level = level.or(record.level);
    if !word.is_empty() {
        // A number or a word: one type for both.
        record.push(Key::Text(Text::fixed("deviceSeverity")), Value::Text(text));
    }
    Ok(())
}

/// A pair of the extension.
fn put<'a>(
    key: &'a str,
    value: &'a str,
    escaped: bool,
    keys: &mut Keys<'a>,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    let text = if escaped { Text::built(unescaped(value, cx.arena)) } else { Text::raw(value) };
    let known = match key {
        "msg" => {
            keys.add(Scope::OUTER, key)?;
            record.message = Some(text);
            return Ok(());
        }
        // When it was received.
        "rt" => match cx.clock.any(value) {
            Some(time) => {
                record.time = Some(time);
                return keys.add(Scope::OUTER, key);
            }
            None => {
                *cx.bad_times += 1;
                None
            }
        },
        "src" => Some(Known::ClientIp),
        "spt" => Some(Known::ClientPort),
        "dst" => Some(Known::ServerIp),
        "dpt" => Some(Known::ServerPort),
        "requestMethod" => Some(Known::Method),
        "request" => Some(Known::Target),
        "requestClientApplication" => Some(Known::UserAgent),
        _ => None,
    };
    keys.add(Scope::OUTER, if let Some(known) = known { known.name() } else { key })?;
    let value = match key {
        "spt"
        | "dpt"
        | "cnt"
        | "in"
        | "out"
        | "fsize"
        | "spid"
        | "dpid"
        | "sourceTranslatedPort"
        | "destinationTranslatedPort" => convert::number(value),
        _ => Value::Text(text),
    };
    // What `cs1` is called, `cs1Label` says: redaction is to look at it, whatever the sweep found.
    let labelled = key.ends_with(|last: char| last.is_ascii_digit());
    let key = if labelled { Text::built(key) } else { Text::raw(key) };
    record.push(known.map_or(Key::Text(key), Key::Known), value);
    Ok(())
}
