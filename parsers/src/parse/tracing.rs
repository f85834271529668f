//! The text of Rust's tracing-subscriber: its full, compact and pretty formats.
//!
//! - full: `2026-11-22T10:00:00.123456Z  INFO main ThreadId(01) request{id=7}:order: shop: src/main.rs:9: text`,
//!   where thread, spans, and the place in the source are there if asked for
//! - compact: the same with the spans' fields behind the text
//! - pretty: indented by two blanks, with the place and the spans in lines of their own below
//!
//! A span's fields stand in braces, and may have anything in quotes.

use super::cursor::{Cursor, find, find_any};
use super::grammar::{Context, Grammar};
use super::{Misfit, trace};
use crate::record::{Key, Known, Level, Record, Text, Value};
use crate::redact::names_secret;

/// Reads any of these formats.
pub(super) const GRAMMAR: Grammar =
    Grammar { name: "tracing", begins: b"", needs: "-:", probe: Some(probe), read };

const LEVELS: [(&str, Level); 5] = [
    ("TRACE", Level::Trace),
    ("DEBUG", Level::Debug),
    ("INFO", Level::Info),
    ("WARN", Level::Warn),
    ("ERROR", Level::Error),
];
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
    let level = LEVELS.iter().find(|(name, _)| *name == word).ok_or(Misfit::Syntax)?;
    record.level = Some(level.1);
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

/// What the spans' fields and names are called.
const SPAN_PATH: Key<'static> = Key::Text(Text::fixed("span_path"));

fn put<'a>(record: &mut Record<'a>, key: Key<'a>, text: &'a str) {
    record.push(key, Value::Text(Text::raw(text)));
}

fn put_place<'a>(record: &mut Record<'a>, file: &'a str, line: i64) {
    put(record, Key::Known(Known::File), file);
    record.push(Key::Known(Known::Line), Value::Int(line));
}

/// `main ThreadId(01) `, or one of the two. A name alone is told by the logger behind it, which is a path,
/// or is one that every program has.
fn thread<'a>(cursor: &mut Cursor<'a>, record: &mut Record<'a>) -> Result<(), Misfit> {
    const ID: &str = "ThreadId(";
    const LONGEST_NAME: usize = 64;
    let rest = cursor.rest();
    let near = rest.as_bytes().get(..LONGEST_NAME).unwrap_or(rest.as_bytes());
    let id = find_id(near, ID.as_bytes());
    // Thread names may have blanks, but no colon with one behind it: that ends spans or a logger.
    let name_len = match id {
        Some(at) if at == 0 || near.get(at - 1) == Some(&b' ') => at.saturating_sub(1),
        _ => {
            let len = find(b' ', rest.as_bytes()).ok_or(Misfit::Syntax)?;
            let (name, behind) = rest.split_at(len);
            if name.ends_with(':') || name.as_bytes().contains(&b'{') {
                return Ok(());
            }
            let behind = behind.get(1..).unwrap_or_default();
            let logger = behind.get(..find(b' ', behind.as_bytes()).unwrap_or(behind.len()));
            let logger = logger.filter(|logger| logger.ends_with(':'));
            let usual = name == "main" || name.starts_with("tokio-");
            let is_path =
                |logger: &str| is_path(logger) || usual && is_name(logger.trim_end_matches(':'));
            if !logger.is_some_and(is_path) {
                return Ok(());
            }
            len
        }
    };
    let name = rest.get(..name_len).ok_or(Misfit::Syntax)?;
    if name.as_bytes().windows(2).any(|pair| pair == b": ") || name.contains('\n') {
        return Ok(());
    }
    let name = cursor.take(name_len)?;
    if !name.is_empty() {
        put(record, Key::Known(Known::Thread), name);
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
        (false, _) => put(record, Key::Known(Known::Logger), first),
        (true, Some(second)) => {
            put(record, SPAN_PATH, first);
            put(record, Key::Known(Known::Logger), second);
            cursor.take(first.len() + 2)?;
            cursor.take(second.len() + 2)?;
            return Ok(());
        }
        (true, None) => return Err(Misfit::Syntax),
    }
    cursor.take((first.len() + 2).min(cursor.rest().len()))?;
    Ok(())
}

/// Where the first of some bytes is which begin with one that is rare in a name.
fn find_id(bytes: &[u8], id: &[u8]) -> Option<usize> {
    let first = *id.first()?;
    let begins = |at: &usize| bytes.get(*at..).is_some_and(|rest| rest.starts_with(id));
    memchr::memchr_iter(first, bytes).find(begins)
}

/// Whether a logger's name has parts.
fn is_path(logger: &str) -> bool {
    memchr::memchr_iter(b':', logger.as_bytes())
        .any(|at| logger.as_bytes().get(at + 1) == Some(&b':'))
}

/// Whether a segment is a logger's name: a path, without the colons that part spans.
fn is_name(segment: &str) -> bool {
    let mut bytes = segment.as_bytes();
    while let Some(at) = find_any([b'{', b' ', b':'], bytes) {
        match bytes.get(at..) {
            Some([b':', b':', rest @ ..]) => bytes = rest,
            _ => return false,
        }
    }
    !segment.is_empty()
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
    // Most segments are no file.
    let digits = word.bytes().rev().take(10).take_while(u8::is_ascii_digit).count();
    let (file, line) = word.split_at_checked(word.len() - digits)?;
    let file = file.strip_suffix(':').filter(|file| file.ends_with(".rs"))?;
    if !(1..10).contains(&digits) {
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
            put(record, Key::Known(Known::Thread), thread);
        }
    }
    if let Some(spans) = spans {
        put(record, SPAN_PATH, text.get(spans + IN.len()..).unwrap_or_default());
    }
    text.get(..at.or(spans).unwrap_or(text.len())).ok_or(Misfit::Syntax)
}
