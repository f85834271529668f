//! Rust's panics with their messages and backtraces, whatever a logger puts before them, and the
//! reports of `anyhow` and `eyre` that end a program.

use super::below::{Below, Head};
use super::{after_digits, contains, is_frame, unindented};

/// How far into a record the lines are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// After an ordinary line.
    #[default]
    Log,
    /// After `thread 'main' panicked at src/main.rs:3:5:` and what was said.
    Panic,
    /// Inside a backtrace.
    Trace,
    /// After `Error: …`.
    Error,
    /// Below `Caused by:`.
    Caused,
    /// After an empty line in a report.
    Blank,
    /// Below a line of tracing's pretty format, after the place in the source: the spans follow.
    Place,
}

/// First bytes of lines that may lead out of [`State::Log`]; besides these, any line that ends in a
/// colon may.
pub(super) const OPENERS: &[u8] = b" tnsSEC";

const NOTES: [&[u8]; 2] =
    [b"note: run with `RUST_BACKTRACE", b"note: Some details are omitted, run with"];

/// Whether `line` continues the record before it, which begins with `head`.
pub(super) fn joins(state: &mut State, line: &[u8], head: Head, below: &mut Below) -> bool {
    let (joined, next) = match (*state, line.first()) {
        (State::Error | State::Caused, None) => (true, State::Blank),
        (_, None) => (false, State::Log),
        (_, Some(b' ')) if names_place(line) => (true, State::Place),
        (_, Some(b' ')) => indented(*state, line),
        (_, Some(b'n')) if super::begins_with_any(line, &NOTES) => (true, State::Log),
        (_, Some(b's')) if line == b"stack backtrace:" => (true, State::Trace),
        (_, Some(b'S')) if line == b"Stack backtrace:" => (true, State::Trace),
        (_, Some(b'C')) if line == b"Caused by:" => (true, State::Caused),
        (State::Blank, Some(b'L')) if line == b"Location:" => (true, State::Caused),
        (State::Panic | State::Trace, Some(b't')) if line.starts_with(b"thread caused ") => {
            (true, State::Log)
        }
        (State::Panic, Some(b'f')) if line.starts_with(b"fatal runtime error: ") => {
            (true, State::Log)
        }
        (_, Some(b'E')) if line.starts_with(b"Error: ") => (false, State::Error),
        (_, Some(_)) if panics(line) => {
            *below = if line.ends_with(b":") { Below::said(head) } else { Below::default() };
            (false, State::Panic)
        }
        (_, Some(b't')) if overflows(line) => (false, State::Panic),
        _ => (false, State::Log),
    };
    *state = next;
    joined
}

fn indented(state: State, line: &[u8]) -> (bool, State) {
    let text = unindented(line);
    let joined = match state {
        State::Trace => {
            is_frame(text) || after_digits(text).is_some_and(|rest| rest.starts_with(b": "))
        }
        // `  left: 0` and ` right: 1` of an assertion; other indented text.
        State::Panic => line.starts_with(b"  ") || text.starts_with(b"right: "),
        State::Caused => true,
        State::Place => line.starts_with(b"    in "),
        _ => false,
    };
    (joined, if joined { state } else { State::Log })
}

/// `thread 'main' (283) panicked at src/main.rs:10:19:`, also in a logger's line; until Rust 1.72
/// the message stood between, and the line ended without a colon.
fn panics(line: &[u8]) -> bool {
    let thread = line.starts_with(b"thread '");
    (thread || line.ends_with(b":")) && contains(line, b"panicked at ")
}

/// `    at src/main.rs:45` of tracing's pretty format.
fn names_place(line: &[u8]) -> bool {
    line.starts_with(b"    at ") && contains(line, b".rs:")
}

fn overflows(line: &[u8]) -> bool {
    line.starts_with(b"thread '") && line.ends_with(b" has overflowed its stack")
}
