//! Finds the stack trace in a joined record.

use crate::record::{Key, Known, Record, Text, Value};

/// Puts a joined text in a record: what comes before the trace as the message, the trace and the
/// class of its error as fields.
pub(super) fn put<'a>(record: &mut Record<'a>, text: &'a str) {
    let Some(start) = start(text) else {
        record.message = Some(Text::raw(text));
        return;
    };
    let (message, trace) = text.split_at(start);
    let class = class(trace);
    record.message = Some(Text::raw(if start == 0 {
        trace.lines().next().unwrap_or_default()
    } else {
        message.trim_end_matches(['\r', '\n'])
    }));
    if let Some(class) = class {
        record.push(Key::Known(Known::ErrorType), Value::Text(Text::raw(class)));
    }
    record.push(Key::Known(Known::StackTrace), Value::Text(Text::raw(trace)));
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
