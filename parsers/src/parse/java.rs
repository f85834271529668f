//! The console patterns of Spring Boot, logback and log4j.
//!
//! - Spring Boot 3: `2026-11-22T10:00:00.123+01:00  INFO 12 --- [shop] [main] c.e.Shop : text`
//! - Spring Boot 2: `2026-11-22 10:00:00.123  INFO 12 --- [main] c.e.Shop : text`
//! - logback's default: `10:00:00.123 [main] INFO  c.e.Shop -- text`, until 1.3 with one hyphen
//! - log4j's usual: `2026-11-22 10:00:00,123 INFO  [main] c.e.Shop - text`
//!
//! Behind the logger the line in its source may stand (`Shop:47`), and the context that a thread has
//! (`{requestId=req-7}`).
//!
//! In a joined record the stack trace becomes a field of its own.

use super::cursor::Cursor;
use super::grammar::{Context, Grammar};
use super::{Misfit, level, trace};
use crate::record::{Key, Known, Level, Record, Text, Value};
use crate::redact::names_secret;

/// Reads any of these patterns.
pub(super) const GRAMMAR: Grammar =
    Grammar { name: "java", begins: b"", needs: "", probe: Some(probe), read };

fn probe(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [b'0'..=b'9', _, _, _, b'-', _, _, b'-', _, _, b'T' | b' ', ..]
            | [b'0'..=b'2', b'0'..=b'9', b':', _, _, b':', _, _, b'.' | b',', ..]
    )
}

fn read<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    let mut cursor = Cursor::new(text);
    let bytes = cursor.bytes();
    let (time, used) = match bytes.get(2) {
        Some(b':') => cx.clock.time_of_day(bytes),
        _ => cx.clock.iso(bytes),
    }
    .ok_or(Misfit::Syntax)?;
    record.time = Some(time);
    cursor.take(used)?;
    cursor.expect(" ")?;
    cursor.blanks();
    let thread_first = cursor.bytes().first() == Some(&b'[');
    if thread_first {
        put(record, Known::Thread, bracketed(&mut cursor)?);
        // What `%X` gives behind it.
        if cursor.bytes().first() == Some(&b'[') {
            put_context(record, bracketed(&mut cursor)?);
        }
    }
    record.level = Some(named_level(&mut cursor)?);
    if !thread_first && spring(&mut cursor, record)? {
        logger(&mut cursor, record, &[" : "])?;
    } else {
        if !thread_first && cursor.bytes().first() == Some(&b'[') {
            put(record, Known::Thread, bracketed(&mut cursor)?);
        }
        logger(&mut cursor, record, &[" -- ", " - ", " : ", ": "])?;
    }
    trace::put(record, cursor.rest().trim_start_matches(['\r', '\n']));
    Ok(())
}

fn put<'a>(record: &mut Record<'a>, key: Known, text: &'a str) {
    if !text.is_empty() {
        record.push(Key::Known(key), Value::Text(Text::raw(text)));
    }
}

/// The inside of a bracket pair, without the blanks that pad it; passes over those after it.
fn bracketed<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, Misfit> {
    cursor.expect("[")?;
    let end = closing(cursor.bytes()).ok_or(Misfit::Syntax)?;
    let inside = cursor.take(end)?;
    cursor.take(1)?;
    cursor.blanks();
    Ok(inside.trim_matches(' '))
}

/// Where a bracket pair ends. Thread names have brackets of their own: in pairs, or the end is where a
/// blank follows.
fn closing(bytes: &[u8]) -> Option<usize> {
    let mut open = 0_u32;
    for at in memchr::memchr2_iter(b'[', b']', bytes).take(16) {
        match bytes.get(at) {
            Some(b'[') => open += 1,
            _ if open == 0 && bytes.get(at + 1) == Some(&b' ') => return Some(at),
            _ => open = open.saturating_sub(1),
        }
    }
    memchr::memchr_iter(b']', bytes).take(8).find(|at| bytes.get(at + 1) == Some(&b' '))
}

/// A level in capitals; passes over the blanks after it.
fn named_level(cursor: &mut Cursor<'_>) -> Result<Level, Misfit> {
    let word = cursor.word()?;
    cursor.blanks();
    if !word.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(Misfit::Syntax);
    }
    level::from_name(word).ok_or(Misfit::Syntax)
}

/// Spring Boot's `12 --- [shop] [main] [trace-span] `: the last bracket but a correlation is the
/// thread. False, and nothing passed over, where it is not that.
fn spring<'a>(cursor: &mut Cursor<'a>, record: &mut Record<'a>) -> Result<bool, Misfit> {
    let mut after = *cursor;
    let sleuth = match after.bytes().first() {
        Some(b'[') => Some(bracketed(&mut after)?),
        _ => None,
    };
    let pid = match after.digits(10) {
        Ok(pid) if after.eat(" ") => Some(pid),
        _ => None,
    };
    if !after.eat("--- ") {
        return Ok(false);
    }
    if let Some(sleuth) = sleuth {
        put_traced(record, sleuth);
    }
    if let Some(number) = pid.and_then(|pid| pid.parse().ok()) {
        record.push(Key::Known(Known::Pid), Value::Int(number));
    }
    let first = bracketed(&mut after)?;
    if after.bytes().first() == Some(&b'[') {
        let second = bracketed(&mut after)?;
        match (after.bytes().first(), correlation(second)) {
            (_, Some((trace, span))) => {
                put(record, Known::Thread, first);
                put(record, Known::TraceId, trace);
                put(record, Known::SpanId, span);
            }
            (Some(b'['), None) => {
                put(record, Known::Program, first);
                put(record, Known::Thread, second);
                if let Some((trace, span)) = correlation(bracketed(&mut after)?) {
                    put(record, Known::TraceId, trace);
                    put(record, Known::SpanId, span);
                }
            }
            _ => {
                put(record, Known::Program, first);
                put(record, Known::Thread, second);
            }
        }
    } else {
        put(record, Known::Thread, first);
    }
    *cursor = after;
    Ok(true)
}

/// `shop,0af7651916cd43dd,b7ad6b7169203331,true`, as Spring Cloud Sleuth puts it behind the level: program,
/// trace and span.
fn put_traced<'a>(record: &mut Record<'a>, text: &'a str) {
    let mut parts = text.split(',');
    for key in [Known::Program, Known::TraceId, Known::SpanId] {
        put(record, key, parts.next().unwrap_or_default());
    }
}

fn put_context<'a>(record: &mut Record<'a>, context: &'a str) {
    if !context.is_empty() {
        record.push(Key::Text(Text::fixed("thread_context")), Value::Text(Text::raw(context)));
    }
}

/// Micrometer's `traceid-spanid`; blank when a request is not traced.
fn correlation(text: &str) -> Option<(&str, &str)> {
    let (trace, span) = text.split_once('-')?;
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (trace.len() == 32 && span.len() == 16 && is_hex(trace) && is_hex(span))
        .then_some((trace, span))
}

/// A logger's name, padded or not, up to the first of these separators, which ends the head.
fn logger<'a>(
    cursor: &mut Cursor<'a>,
    record: &mut Record<'a>,
    separators: &[&str],
) -> Result<(), Misfit> {
    let bytes = cursor.bytes();
    let len = bytes
        .iter()
        .take(256)
        .take_while(|byte| byte.is_ascii_graphic() && !matches!(byte, b':' | b'"' | b'='))
        .count();
    let name = cursor.take(len)?;
    if name.is_empty() || names_secret(name, cursor.rest()) {
        return Err(Misfit::Syntax);
    }
    put(record, Known::Logger, name);
    behind_logger(cursor, record);
    if cursor.rest().starts_with("  ") {
        let padding = cursor.rest().len() - cursor.rest().trim_start_matches(' ').len();
        cursor.take(padding - 1)?;
    }
    if !separators.iter().any(|separator| cursor.eat(separator)) {
        // An empty text after the separator has lost its blank to whoever trims lines.
        let ended = separators.iter().any(|separator| cursor.rest() == separator.trim_end());
        if !ended {
            return Err(Misfit::Syntax);
        }
        cursor.take(cursor.rest().len())?;
    }
    Ok(())
}

/// `:47` and ` {requestId=req-7}`; nothing is passed over where that is something else.
fn behind_logger<'a>(cursor: &mut Cursor<'a>, record: &mut Record<'a>) {
    let mut after = *cursor;
    if after.eat(":")
        && let Ok(digits) = after.digits(9)
        && after.bytes().first() == Some(&b' ')
        && let Ok(line) = digits.parse()
    {
        record.push(Key::Known(Known::Line), Value::Int(line));
        *cursor = after;
    }
    let mut after = *cursor;
    if after.eat(" {")
        && let Some(len) = memchr::memmem::find(after.bytes(), b"} - ")
        && let Ok(context) = after.take(len)
        && !context.contains('\n')
        && after.eat("}")
    {
        put_context(record, context);
        *cursor = after;
    }
    if let Some((file, line, len)) = source(cursor.rest()) {
        put(record, Known::File, file);
        record.push(Key::Known(Known::Line), Value::Int(line));
        *cursor = Cursor::new(cursor.rest().get(len..).unwrap_or_default());
    }
}

/// ` [Shop.java:17]` or ` (Shop.java:17)`: file, line, and the length.
fn source(text: &str) -> Option<(&str, i64, usize)> {
    let close = match text.as_bytes() {
        [b' ', b'[', ..] => ']',
        [b' ', b'(', ..] => ')',
        _ => return None,
    };
    let inside = text.get(2..)?;
    let inside = inside.get(..inside.find([close, ' ', '\n'])?)?;
    let (file, line) = inside.rsplit_once(':')?;
    let whole = text.get(inside.len() + 2..)?.starts_with(close) && file.contains('.');
    let digits = !line.is_empty() && line.len() <= 9 && line.bytes().all(|b| b.is_ascii_digit());
    if !(whole && digits) {
        return None;
    }
    Some((file, line.parse().ok()?, inside.len() + 3))
}
