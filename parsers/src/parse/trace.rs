//! Finds the stack trace in a joined record.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::cursor::find_any;
use super::json::decode;
use super::{Misfit, auto};
use crate::Arena;
use crate::record::{Key, Known, Record, Text, Value};

/// Reads a text; where it has several lines and does not fit as a whole, its first line, from an
/// empty record. Gives what lies below that.
#[inline]
pub(super) fn whole_or_head<'a>(
    text: &'a str,
    record: &mut Record<'a>,
    mut read: impl FnMut(&'a str, &mut Record<'a>) -> Result<(), Misfit>,
) -> Result<&'a str, Misfit> {
    let Err(misfit) = read(text, record) else { return Ok("") };
    let end = memchr::memchr(b'\n', text.as_bytes()).ok_or(misfit)?;
    let (head, below) = (text.get(..end).ok_or(misfit)?, text.get(end + 1..).ok_or(misfit)?);
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
    let found = find(below)
        .or_else(|| bare_error(below))
        .filter(|_| !has(Known::StackTrace) && !has(Known::ErrorType));
    let (text, trace) = below.split_at(found.map_or(below.len(), |found| found.start));
    if !text.is_empty() {
        let text = text.trim_end_matches(['\r', '\n']);
        record.message = Some(match record.message {
            None => Text::raw(text.trim_start_matches(['\r', '\n'])),
            Some(head) if head.as_stored().is_empty() => {
                Text::raw(text.trim_start_matches(['\r', '\n']))
            }
            Some(head) => {
                let stored = head.as_stored();
                let head = if head.is_escaped() { decode(stored, arena) } else { stored };
                Text::built(bumpalo::format!(in arena, "{}\n{}", head, text).into_bump_str())
            }
        });
    }
    if let Some(found) = found {
        put_trace(record, trace, found.class);
    }
}

fn put_trace<'a>(record: &mut Record<'a>, trace: &'a str, class: Option<&'a str>) {
    if let Some(class) = class {
        record.push(Key::Known(Known::ErrorType), Value::Text(Text::raw(class)));
    }
    record.push(Key::Known(Known::StackTrace), Value::Text(Text::raw(trace)));
}

/// Whether a text of several lines, which is no object, is a trace, or ends in one.
pub(super) fn is_trace(text: &str) -> bool {
    !text.starts_with('{')
        && memchr::memchr(b'\n', text.as_bytes()).is_some()
        && find(text).is_some()
}

/// Puts a joined text in a record: what comes before the trace as the message, the trace and the
/// class of its error as fields.
pub(super) fn put<'a>(record: &mut Record<'a>, text: &'a str) {
    // Nearly all are one line, and nothing of a trace: what may be above one needs a line of its own, too.
    if !may_have(text) {
        record.message = Some(Text::raw(text));
        return;
    }
    let bare = || bare_error(text).filter(|found| found.start > 0);
    let Some(Found { start, class, raised }) = find(text).or_else(bare) else {
        record.message = Some(Text::raw(text));
        return;
    };
    let (message, trace) = text.split_at(start);
    record.message = Some(Text::raw(if untagged(message).trim_ascii().is_empty() {
        let end = if raised { trace.find("):\n").map(|at| at + 2) } else { None };
        let first = trace.lines().next().unwrap_or_default();
        untagged(end.and_then(|end| trace.get(..end)).unwrap_or(first))
    } else {
        message.trim_end_matches(['\r', '\n'])
    }));
    put_trace(record, trace, class);
}

/// The same of a text of one line.
#[inline]
pub(super) fn put_line<'a>(record: &mut Record<'a>, line: &'a str) {
    if is_line_of(line) {
        put(record, line);
    } else {
        record.message = Some(Text::raw(line));
    }
}

/// Whether a text has a trace.
pub(super) fn has(text: &str) -> bool {
    find(text).is_some()
}

/// Whether a text begins with a trace that says of what error, or with the stack of a thread.
pub(super) fn begins(text: &str) -> bool {
    find(text).is_some_and(|found| {
        found.start == 0 && (found.class.is_some() || text.starts_with("goroutine "))
    })
}

/// A trace in a text.
#[derive(Clone, Copy)]
struct Found<'a> {
    /// Where it begins: at the line that names its error if that has only frames below it, else at
    /// its own first line.
    start: usize,
    /// The class of the error.
    class: Option<&'a str>,
    /// Whether it is told as Rails does, with nothing but its message before the frames.
    raised: bool,
}

impl<'a> Found<'a> {
    fn at(start: usize, class: Option<&'a str>) -> Self {
        Self { start, class, raised: false }
    }
}

/// How traces begin that have a first line of their own, besides Go's; the error is named elsewhere.
const FIRST_LINES: [&str; 8] = [
    "Traceback (most recent call last):",
    "  + Exception Group Traceback (most recent call last):",
    "Stack (most recent call last):",
    "Stack trace:",
    "PHP Stack trace:",
    "[stacktrace]",
    "stack backtrace:",
    "Stack backtrace:",
];

/// The trace in a text. It is the last error named above the first frame: the lines between may
/// belong to its message.
fn find(text: &str) -> Option<Found<'_>> {
    if !may_have(text) {
        return None;
    }
    let mut named: Option<Found<'_>> = None;
    let (mut start, mut above_line) = (0, 0);
    for line in text.split_inclusive('\n') {
        let whole = untagged(line.trim_end_matches(['\r', '\n']));
        let above = named.and_then(|named| named.class);
        if FIRST_LINES.iter().any(|first| whole.starts_with(first)) {
            let trace = text.get(start..).unwrap_or_default();
            let class = match whole.as_bytes().first() {
                Some(b'T') => python_class(trace),
                Some(b' ') => group_class(trace),
                _ => above,
            };
            return Some(Found::at(start, class));
        }
        if is_goroutine(whole) {
            return Some(Found::at(start, above));
        }
        if is_frame(whole) {
            // What a logger wrote in its own line stays the message.
            return Some(named.unwrap_or(Found::at(start, None)));
        }
        if is_bare_frame(whole) {
            let raised = named.filter(|named| named.raised);
            return Some(raised.unwrap_or(Found::at(start, above)));
        }
        if is_go_place(whole) {
            return Some(Found::at(above_line, above));
        }
        above_line = start;
        let last = start + line.len() == text.len();
        // What the last line names has no frame below it.
        if !last && let Some(class) = raised_class(whole) {
            named = Some(Found { start, class: Some(class), raised: is_error(class) });
        } else if !last && let Some(class) = class(unindented(whole)) {
            named = Some(Found::at(start, Some(class)));
        }
        start += line.len();
    }
    // Rails prints none where no line of the application's own is among them.
    named.filter(|named| {
        named.raised && text.get(named.start..).is_some_and(|below| below.contains("):\n"))
    })
}

/// An error without frames, as Kafka's have none: a line that begins with its class, which has a package.
fn bare_error(text: &str) -> Option<Found<'_>> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let name = leading_class(line.trim_end_matches(['\r', '\n']));
        let is_error = |name: &&str| {
            name.contains('.') && ["Exception", "Error"].iter().any(|end| name.ends_with(end))
        };
        if let Some(name) = name.filter(is_error) {
            return Some(Found::at(start, Some(name)));
        }
        start += line.len();
    }
    None
}

/// What the console logger of .NET indents, or Tomcat's formatter by a tab, without that.
fn unindented(line: &str) -> &str {
    line.strip_prefix("      ")
        .or_else(|| line.strip_prefix('\t'))
        .filter(|line| !line.starts_with([' ', '\t']))
        .unwrap_or(line)
}

/// A line without the tags that Rails begins it with: `[a514fecf-…] [web-1] `.
fn untagged(line: &str) -> &str {
    const LONGEST_TAG: usize = 64;
    let mut rest = line;
    while rest.starts_with('[')
        && let Some(end) = memchr::memmem::find(head(rest, LONGEST_TAG), b"] ")
        && let Some(next) = rest.get(end + 2..)
    {
        rest = next;
    }
    rest
}

fn head(text: &str, len: usize) -> &[u8] {
    text.as_bytes().get(..len).unwrap_or(text.as_bytes())
}

/// Whether a text of one line may be of a trace, as its ends tell; any of several may have one.
#[inline]
fn may_have(text: &str) -> bool {
    is_line_of(text) || memchr::memchr(b'\n', text.as_bytes()).is_some()
}

/// Whether a line may be of a trace, as its ends tell.
#[inline]
fn is_line_of(text: &str) -> bool {
    let begins = matches!(
        text.as_bytes(),
        [b' ' | b'\t', ..]
            | [b'T', b'r', b'a', b'c', ..]
            | [b'S' | b's', b't', b'a', b'c', ..]
            | [b'[', b's', ..]
            | [b'g', b'o', b'r', b'o', ..]
            | [b'r', b'u', b'n', b't', ..]
    );
    let mut line = text.as_bytes();
    while let [before @ .., b'\r'] = line {
        line = before;
    }
    begins || line.last() == Some(&b'\'')
}

fn is_goroutine(line: &str) -> bool {
    line.starts_with("goroutine ") && line.ends_with("]:") || line == "runtime stack:"
}

/// `\tat …` of Java, .NET and Node, `\tfrom …` of Ruby.
fn is_frame(line: &str) -> bool {
    let frame = line.trim_start_matches([' ', '\t']);
    frame.len() < line.len()
        && ["at ", "from ", "... "].iter().any(|word| frame.starts_with(word))
        && (!frame.starts_with("from ") || frame.contains(":in "))
}

/// `\t/srv/shop/main.go:12`, below the function, as zap prints them.
fn is_go_place(line: &str) -> bool {
    line.starts_with('\t') && line.contains(".go:")
}

/// `shop.rb:8:in 'charge'`, as Ruby's `Logger` prints them.
fn is_bare_frame(line: &str) -> bool {
    line.ends_with('\'') && (line.contains(":in `") || line.contains(":in '"))
}

/// What Rust and PHP say in the middle of a line.
static PANICKED: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("panicked at "));
static UNCAUGHT: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(PHP_UNCAUGHT));
const PHP_UNCAUGHT: &str = "PHP Fatal error:  Uncaught ";

/// The class that a line names.
pub(super) fn class(line: &str) -> Option<&str> {
    const BEFORE: [&str; 3] = ["Unhandled exception. ", "Unhandled Exception: ", "Uncaught "];
    let bytes = line.as_bytes();
    if PANICKED.find(bytes).is_some() || line.starts_with("panic: ") {
        return line.get(line.find("panic")?..)?.get(.."panic".len());
    }
    if let Some(at) = UNCAUGHT.find(bytes) {
        let (_, text) = line.split_at(at + PHP_UNCAUGHT.len());
        let (name, _) = text.split_once(':')?;
        return is_name(name, &['\\', '_']).then_some(name);
    }
    let text = line
        .strip_prefix("Exception in thread ")
        .map_or(line, |rest| rest.split_once("\" ").map_or(rest, |(_, rest)| rest));
    let text = BEFORE.iter().find_map(|before| text.strip_prefix(before)).unwrap_or(text);
    leading_class(text).or_else(|| ruby_class(line))
}

/// `java.io.IOException: …`, `TypeError: …`, `AssertionError [ERR_ASSERTION]: …`
fn leading_class(text: &str) -> Option<&str> {
    let end = find_any([b':', b' ', b'['], text.as_bytes()).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    // A word of a sentence.
    if rest.starts_with(' ') && !rest.starts_with(" [") {
        return None;
    }
    let (package, last) =
        name.rsplit_once('.').map_or(("", name), |(package, last)| (package, last));
    let fits = is_name(name, &['.', '_', '$'])
        && last.starts_with(|c: char| c.is_ascii_uppercase())
        && !name.starts_with('.');
    let qualified = !package.is_empty() && (rest.is_empty() || rest.starts_with(':'));
    let node = ["Error", "Exception", "Warning", "Rejection"].iter().any(|end| last.ends_with(end))
        && (rest.starts_with(": ") || rest.starts_with(" [") && rest.contains("]: "));
    (fits && (qualified || node)).then_some(name)
}

/// `shop.rb:4:in '/': divided by 0 (ZeroDivisionError)`
fn ruby_class(line: &str) -> Option<&str> {
    let (_, name) = line.strip_suffix(')')?.rsplit_once(" (")?;
    let is_error = name.contains("::") || name.ends_with("Error") || line.contains(":in ");
    (is_error && is_name(name, &[':', '_'])).then_some(name)
}

/// Whether a name of Ruby's is surely that of an error, or of something in a module.
fn is_error(name: &str) -> bool {
    name.contains("::") || name.ends_with("Error")
}

/// `ActiveRecord::RecordNotFound (no such order):`, or the first line of such a message.
fn raised_class(line: &str) -> Option<&str> {
    let bytes = line.as_bytes();
    let behind = |at: &usize| at.checked_sub(1).and_then(|at| bytes.get(at)) == Some(&b' ');
    let open = memchr::memchr_iter(b'(', bytes).find(behind)?;
    let (name, rest) = (line.get(..open - 1)?, line.get(open + 1..)?);
    ((is_error(name) || line.ends_with("):"))
        && is_name(name, &[':', '_'])
        && (rest.ends_with("):") || !rest.contains(')')))
    .then_some(name)
}

/// The class that ends a Python traceback: in the line below the last frames.
fn python_class(trace: &str) -> Option<&str> {
    let last = trace.rfind("\n  File \"").map_or(0, |at| at + 1);
    let below = trace.get(last..)?.lines().skip(1);
    let line = below.into_iter().find(|line| !line.is_empty() && !line.starts_with(' '))?;
    let name = line.split_once(':').map_or(line, |(name, _)| name);
    is_name(name, &['.', '_']).then_some(name)
}

/// The class of a Python exception group: in the first line of it that is no frame, `  | Group: two`.
fn group_class(trace: &str) -> Option<&str> {
    let line = trace.lines().find_map(|line| {
        line.strip_prefix("  | ").filter(|text| text.starts_with(|c: char| c.is_ascii_alphabetic()))
    })?;
    let name = line.split_once(':').map_or(line, |(name, _)| name);
    is_name(name, &['.', '_']).then_some(name)
}

/// Whether a name has letters, digits and these others, and begins with a letter.
fn is_name(name: &str, others: &[char]) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(&c))
}
