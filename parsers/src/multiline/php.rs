//! PHP's uncaught exceptions with those before them, messages of several lines, the traces that
//! Monolog prints, and the traces in PHP-FPM's slow log.

use super::below::Below;
use super::{after_digits, contains};

/// How far into a record the lines are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// After an ordinary line.
    #[default]
    Log,
    /// After an exception's own line: `Stack trace:` follows.
    Uncaught,
    /// Inside a message that goes on to `… on line 7`.
    Said,
    /// Inside a stack trace.
    Trace,
    /// After the empty line below it: an exception that was thrown next may follow.
    Blank,
    /// Inside a trace in the slow log.
    Slow,
}

/// First bytes of lines that may lead out of [`State::Log`].
pub(super) const OPENERS: &[u8] = b"PFNS[s";

/// A time in brackets, before what PHP says, ends within that many bytes.
const LONGEST_TIME: usize = 64;

/// Whether `line` continues the record before it.
pub(super) fn joins(state: &mut State, line: &[u8], below: &mut Below) -> bool {
    let (joined, next) = match (*state, line.first()) {
        (State::Trace, None) => (true, State::Blank),
        (State::Slow, None) => (true, State::Log),
        (_, None) => (false, State::Log),
        (State::Said, Some(_)) if !says(line) && ends_with_place(line) => (true, State::Log),
        (State::Trace, Some(b'#')) if line.get(1).is_some_and(u8::is_ascii_digit) => {
            (true, State::Trace)
        }
        (State::Trace, Some(b' ')) if line.starts_with(b"  thrown in ") => (true, State::Log),
        (State::Trace | State::Blank, Some(b'N')) if line.starts_with(b"Next ") => {
            *below = Below::SURELY;
            (true, State::Uncaught)
        }
        (State::Trace | State::Blank, Some(b'[')) if line.starts_with(b"[previous exception] ") => {
            *below = Below::SURELY;
            (true, State::Uncaught)
        }
        // The end of the JSON that Monolog puts a trace in.
        (State::Trace | State::Blank, Some(b'"')) if line.trim_ascii_end().ends_with(b"}") => {
            (true, State::Log)
        }
        (State::Slow, Some(b'[')) if line.starts_with(b"[0x") => (true, State::Slow),
        (_, Some(b'S')) if line == b"Stack trace:" => (true, State::Trace),
        (_, Some(b'[')) if line == b"[stacktrace]" => (true, State::Trace),
        (_, Some(b'P' | b'[')) if is_stack(line) => (true, State::Log),
        (_, Some(b'[')) if holds_exception(line) => {
            *below = Below::SURELY;
            (false, State::Uncaught)
        }
        (_, Some(b's')) if line.starts_with(b"script_filename = ") => (true, State::Slow),
        (_, Some(b'P' | b'F' | b'N' | b'[')) if says(line) => {
            if contains(line, b" error:  Uncaught ") || contains(line, b" error: Uncaught ") {
                *below = Below::SURELY;
                (false, State::Uncaught)
            } else if ends_with_place(line) {
                (false, State::Log)
            } else {
                *below = Below::SURELY;
                (false, State::Said)
            }
        }
        _ => (false, State::Log),
    };
    *state = next;
    joined
}

/// `PHP Stack trace:` and `PHP   1. {main}() /srv/shop.php:0` below what PHP says, each with a time or
/// without.
fn is_stack(line: &[u8]) -> bool {
    let text = if line.starts_with(b"[") { after_time(line) } else { line };
    text == b"PHP Stack trace:"
        || text.strip_prefix(b"PHP ").is_some_and(|rest| {
            let number = super::unindented(rest);
            rest.starts_with(b"  ")
                && after_digits(number).is_some_and(|rest| rest.starts_with(b". "))
        })
}

/// `[2026-11-26 02:58:44] production.ERROR: … {"exception":"[object] (…`, as Laravel logs one; its
/// message may have several lines.
fn holds_exception(line: &[u8]) -> bool {
    let channel = after_time(line);
    let name = channel.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    channel.get(name) == Some(&b'.')
        && channel.get(name + 1).is_some_and(u8::is_ascii_uppercase)
        && contains(channel, b"\"exception\":\"[object] (")
}

/// What follows a time in brackets and a space.
fn after_time(line: &[u8]) -> &[u8] {
    let near = line.get(..line.len().min(LONGEST_TIME)).unwrap_or_default();
    memchr::memchr(b']', near).and_then(|end| line.get(end + 2..)).unwrap_or_default()
}

/// Whether PHP itself says something in a line: `PHP Warning:  …`, after a time or what PHP-FPM
/// puts before it; `Fatal error: …` as it shows it without a log.
fn says(line: &[u8]) -> bool {
    let text = match line.first() {
        Some(b'[') => after_time(line),
        Some(b'N') => line.strip_prefix(b"NOTICE: PHP message: ").unwrap_or_default(),
        _ => line,
    };
    match text.strip_prefix(b"PHP ") {
        Some(text) => {
            // The kind is a word or two in letters.
            let kind = text.iter().take_while(|b| b.is_ascii_alphabetic() || **b == b' ').count();
            (4..=24).contains(&kind)
                && text.get(kind..).is_some_and(|text| text.starts_with(b":  "))
        }
        None => text.starts_with(b"Fatal error: Uncaught "),
    }
}

/// Whether the line ends in `on line 7`.
fn ends_with_place(line: &[u8]) -> bool {
    let tail = line.get(line.len().saturating_sub(24)..).unwrap_or_default();
    memchr::memmem::rfind(tail, b" on line ")
        .and_then(|at| tail.get(at + 9..))
        .and_then(after_digits)
        .is_some_and(<[u8]>::is_empty)
}
