//! Finds the stack trace in a joined record.

use super::json::decode;
use super::{Misfit, auto};
use crate::Arena;
use crate::record::{Key, Known, Record, Text, Value};

/// What the lines below a record's first begin with when they are a trace of another kind than
/// [`start`] finds.
const TRACES: [&str; 7] = [
    "Traceback (most recent call last):",
    "  + Exception Group Traceback (most recent call last):",
    "Stack (most recent call last):",
    "goroutine ",
    "runtime stack:",
    "\tat ",
    "    at ",
];

/// Reads a text; where it has several lines and does not fit as a whole, its first line, from an
/// empty record. Gives what lies below that.
#[inline]
pub(super) fn whole_or_head<'a>(
    text: &'a str,
    record: &mut Record<'a>,
    mut read: impl FnMut(&'a str, &mut Record<'a>) -> Result<(), Misfit>,
) -> Result<&'a str, Misfit> {
    let Err(misfit) = read(text, record) else { return Ok("") };
    let (head, below) = text.split_once('\n').ok_or(misfit)?;
    auto::clear(record);
    match read(head.strip_suffix('\r').unwrap_or(head), record) {
        Ok(()) => Ok(below),
        Err(_) => Err(misfit),
    }
}

/// Adds the lines below a first line that was read by itself: the trace as a field, unless the record
/// has one, and what is no trace to the message.
pub(super) fn put_below<'a>(record: &mut Record<'a>, below: &'a str, arena: &'a Arena) {
    let has = |known: Known| record.get(known.name()).is_some();
    let begins = TRACES.iter().any(|trace| below.starts_with(trace));
    let trace = match start(below) {
        _ if has(Known::StackTrace) || has(Known::ErrorType) => None,
        _ if begins => Some(0),
        start => start,
    };
    let (text, trace) = below.split_at(trace.unwrap_or(below.len()));
    if !text.is_empty() {
        let text = text.trim_end_matches(['\r', '\n']);
        record.message = Some(match record.message {
            None => Text::raw(text),
            Some(head) => {
                let stored = head.as_stored();
                let head = if head.is_escaped() { decode(stored, arena) } else { stored };
                Text::built(bumpalo::format!(in arena, "{}\n{}", head, text).into_bump_str())
            }
        });
    }
    if !trace.is_empty() {
        put_trace(record, trace);
    }
}

fn put_trace<'a>(record: &mut Record<'a>, trace: &'a str) {
    if let Some(class) = class(trace) {
        record.push(Key::Known(Known::ErrorType), Value::Text(Text::raw(class)));
    }
    record.push(Key::Known(Known::StackTrace), Value::Text(Text::raw(trace)));
}

/// Puts a joined text in a record: what comes before the trace as the message, the trace and the
/// class of its error as fields.
pub(super) fn put<'a>(record: &mut Record<'a>, text: &'a str) {
    let Some(start) = start(text) else {
        record.message = Some(Text::raw(text));
        return;
    };
    let (message, trace) = text.split_at(start);
    record.message = Some(Text::raw(if start == 0 {
        trace.lines().next().unwrap_or_default()
    } else {
        message.trim_end_matches(['\r', '\n'])
    }));
    put_trace(record, trace);
}

/// Where the first line begins that names an error and has a stack frame below it.
fn start(text: &str) -> Option<usize> {
    let frame = ["\n\tat ", "\n    at ", "\n\t... "]
        .iter()
        .filter_map(|mark| memchr::memmem::find(text.as_bytes(), mark.as_bytes()))
        .min()?;
    // The line above the first frame may belong to a message of several lines: the error's own line
    // is the last one above that begins with a class name.
    let above = text.get(..frame)?;
    let mut end = above.len();
    loop {
        let start = memchr::memrchr(b'\n', above.as_bytes().get(..end)?).map_or(0, |at| at + 1);
        if class(above.get(start..end)?).is_some() {
            return Some(start);
        }
        end = start.checked_sub(1)?;
    }
}

/// The class that a trace's first line names: dotted, and up to a colon or the line's end.
fn class(trace: &str) -> Option<&str> {
    let line = trace.lines().next()?;
    let line = line
        .strip_prefix("Exception in thread ")
        .map_or(line, |rest| rest.split_once("\" ").map_or(rest, |(_, rest)| rest));
    let name = line.split_once(':').map_or(line, |(name, _)| name);
    let is_class = name.contains('.')
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$'))
        && name
            .rsplit('.')
            .next()
            .is_some_and(|last| last.starts_with(|c: char| c.is_ascii_uppercase()));
    is_class.then_some(name)
}
