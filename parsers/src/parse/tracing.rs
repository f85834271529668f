//! The text of Rust's tracing-subscriber: its full, compact and pretty formats.
//!
//! - full: `2026-11-22T10:00:00.123456Z  INFO main ThreadId(01) request{id=7}:order: shop: src/main.rs:9: text`,
//!   where thread, spans, and the place in the source are there if asked for
//! - compact: the same with the spans' fields behind the text
//! - pretty: indented by two blanks, with the place and the spans in lines of their own below
//!
//! A span's fields stand in braces, and may have anything in quotes.

use super::cursor::Cursor;
use super::grammar::{Context, Grammar};
use super::{Misfit, level, trace};
use crate::record::{Key, Known, Record, Text, Value};
use crate::redact::names_secret;

/// Reads any of these formats.
pub(super) const GRAMMAR: Grammar =
    Grammar { name: "tracing", needs: "-:", probe: Some(probe), read };

const LEVELS: [&str; 5] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"];
/// Bytes of the longest spans that are looked through.
const LONGEST_SPANS: usize = 8 << 10;

fn probe(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"  ").unwrap_or(bytes);
    matches!(bytes, [b'0'..=b'9', _, _, _, b'-', _, _, b'-', _, _, b'T' | b' ', ..])
}

fn read<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    let pretty = text.strip_prefix("  ");
    let mut cursor = Cursor::new(pretty.unwrap_or(text));
    let (time, used) = cx.clock.iso(cursor.bytes()).ok_or(Misfit::Syntax)?;
    record.time = Some(time);
    cursor.take(used)?;
    cursor.expect(" ")?;
    cursor.blanks();
    let word = cursor.word()?;
    if !LEVELS.contains(&word) {
        return Err(Misfit::Syntax);
    }
    record.level = level::from_name(word);
    // Threads' names are right-aligned.
    cursor.blanks();
    thread(&mut cursor, record)?;
    spans_and_logger(&mut cursor, record)?;
    let message = match pretty {
        Some(_) => below(cursor.rest(), record)?,
        None => {
            if let Some((file, line, rest)) = place(cursor.rest()) {
                put_place(record, file, line);
                rest
            } else {
                cursor.rest()
            }
        }
    };
    trace::put(record, message);
    Ok(())
}

fn put<'a>(record: &mut Record<'a>, key: &'static str, text: &'a str) {
    let key = Known::from_name(key).map_or(Key::Text(Text::fixed(key)), Key::Known);
    record.push(key, Value::Text(Text::raw(text)));
}

fn put_place<'a>(record: &mut Record<'a>, file: &'a str, line: i64) {
    put(record, "file", file);
    record.push(Key::Known(Known::Line), Value::Int(line));
}

/// `main ThreadId(01) `, or one of the two. A name alone is told by the logger behind it, which is a path,
/// or is one that every program has.
fn thread<'a>(cursor: &mut Cursor<'a>, record: &mut Record<'a>) -> Result<(), Misfit> {
    const ID: &str = "ThreadId(";
    const LONGEST_NAME: usize = 64;
    let rest = cursor.rest();
    let near = rest.as_bytes().get(..LONGEST_NAME).unwrap_or(rest.as_bytes());
    let id = memchr::memmem::find(near, ID.as_bytes());
    // Thread names may have blanks, but no colon with one behind it: that ends spans or a logger.
    let name_len = match id {
        Some(at) if at == 0 || near.get(at - 1) == Some(&b' ') => at.saturating_sub(1),
        _ => {
            let len = rest.find(' ').ok_or(Misfit::Syntax)?;
            let (name, behind) = rest.split_at(len);
            let logger = behind.split(' ').nth(1).unwrap_or_default();
            let usual = name == "main" || name.starts_with("tokio-");
            let path = logger.contains("::") || usual && is_name(logger.trim_end_matches(':'));
            if name.ends_with(':') || name.contains('{') || !(logger.ends_with(':') && path) {
                return Ok(());
            }
            len
        }
    };
    let name = rest.get(..name_len).ok_or(Misfit::Syntax)?;
    if name.contains(": ") || name.contains('\n') {
        return Ok(());
    }
    let name = cursor.take(name_len)?;
    if !name.is_empty() {
        put(record, "thread", name);
        cursor.expect(" ")?;
    }
    if cursor.eat(ID) {
        let number = cursor.digits(9)?.parse().map_err(|_| Misfit::Syntax)?;
        record.push(Key::Text(Text::fixed("thread_id")), Value::Int(number));
        cursor.expect(") ")?;
    }
    Ok(())
}

/// `request{method="GET"}:order: shop: `, or the logger alone.
fn spans_and_logger<'a>(cursor: &mut Cursor<'a>, record: &mut Record<'a>) -> Result<(), Misfit> {
    let first = segment(cursor.rest()).ok_or(Misfit::Syntax)?;
    let parted = cursor.rest().get(first.len()..).unwrap_or_default();
    let after = parted.get(2..).unwrap_or_default();
    let second = segment(after).filter(|second| is_name(second));
    let behind = second.and_then(|second| after.get(second.len() + 2..)).unwrap_or_default();
    // A span without fields looks like a logger.
    let spans =
        !is_name(first) || second.is_some() && place(after).is_none() && place(behind).is_some();
    let secret = |name: &str| names_secret(name, after.get(name.len()..).unwrap_or_default());
    if names_secret(first, parted) || spans && second.is_some_and(secret) {
        return Err(Misfit::Syntax);
    }
    match (spans, second) {
        (false, _) => put(record, "logger", first),
        (true, Some(second)) => {
            put(record, "span_path", first);
            put(record, "logger", second);
            cursor.take(first.len() + 2)?;
            cursor.take(second.len() + 2)?;
            return Ok(());
        }
        (true, None) => return Err(Misfit::Syntax),
    }
    cursor.take((first.len() + 2).min(cursor.rest().len()))?;
    Ok(())
}

/// Whether a segment is a logger's name: a path, without the colons that part spans.
fn is_name(segment: &str) -> bool {
    !segment.is_empty()
        && !segment.contains(['{', ' '])
        && segment.split("::").all(|part| !part.contains(':'))
}

/// What a text begins with up to a colon that a blank follows, or the end of the text; braces and what is
/// quoted in them are passed over.
fn segment(text: &str) -> Option<&str> {
    let bytes = text.as_bytes().get(..LONGEST_SPANS).unwrap_or(text.as_bytes());
    let (mut at, mut open, mut quoted) = (0, 0_usize, false);
    loop {
        match bytes.get(at)? {
            b'\\' if quoted => at += 1,
            b'"' if open > 0 => quoted = !quoted,
            b'\n' => return None,
            _ if quoted => {}
            b'{' => open += 1,
            b'}' => open = open.saturating_sub(1),
            b':' if open == 0 && matches!(bytes.get(at + 1), Some(b' ') | None) => {
                return text.get(..at).filter(|segment| !segment.is_empty());
            }
            b' ' if open == 0 => return None,
            _ => {}
        }
        at += 1;
    }
}

/// `src/main.rs:45: `: file, line, and what follows.
fn place(text: &str) -> Option<(&str, i64, &str)> {
    let word = segment(text)?;
    let (file, line) = word.rsplit_once(':')?;
    let is_file = file.ends_with(".rs") && !line.is_empty() && line.len() <= 9;
    if !is_file || !line.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((file, line.parse().ok()?, text.get(word.len() + 2..).unwrap_or_default()))
}

/// What the pretty format has in the lines below the message, which is given.
fn below<'a>(text: &'a str, record: &mut Record<'a>) -> Result<&'a str, Misfit> {
    const AT: &str = "\n    at ";
    const IN: &str = "\n    in ";
    const ON: &str = " on ";
    let at = text.rfind(AT);
    let spans =
        text.get(at.unwrap_or(0)..).and_then(|below| below.find(IN)).map(|it| it + at.unwrap_or(0));
    if let Some(at) = at {
        let line = text.get(at + AT.len()..spans.unwrap_or(text.len())).ok_or(Misfit::Syntax)?;
        let (place, thread) = match line.split_once(ON) {
            Some((place, thread)) => (place, Some(thread)),
            None => (line, None),
        };
        let (file, number) = place.rsplit_once(':').ok_or(Misfit::Syntax)?;
        put_place(record, file, number.parse().map_err(|_| Misfit::Syntax)?);
        if let Some(thread) = thread {
            put(record, "thread", thread);
        }
    }
    if let Some(spans) = spans {
        put(record, "span_path", text.get(spans + IN.len()..).unwrap_or_default());
    }
    text.get(..at.or(spans).unwrap_or(text.len())).ok_or(Misfit::Syntax)
}
