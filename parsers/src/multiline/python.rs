//! Python's tracebacks as the `traceback` module prints them: chained ones, exception groups
//! (PEP 654), syntax errors, and `logging`'s `stack_info`; what `asyncio` says of a task above one; and the
//! interpreter's own fatal errors.

use super::below::Below;
use super::{begins_with_any, unindented};

/// How far into a record the lines are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// After an ordinary line.
    #[default]
    Log,
    /// Inside a traceback: frames, then one line that names the exception.
    Frames,
    /// Inside a plain stack: indented to its end.
    Indented,
    /// Inside an exception group: marked with bars to its end.
    Group,
    /// Inside the stack that `logging` prints below an error of its own.
    CallStack,
    /// After what that error was about.
    About,
    /// After the line that names the exception.
    Named,
    /// After the blank line that follows it.
    Blank,
    /// After "During handling of …": a blank line and the next traceback are to come.
    Chained,
    /// After `Fatal Python error: …`: the stacks of all threads.
    Fatal,
}

/// First bytes of lines that may lead out of [`State::Log`].
pub(super) const OPENERS: &[u8] = b"\t TSFcfhpst";

const TRACEBACK: &[u8] = b"Traceback (most recent call last):";
const GROUP: &[u8] = b"+ Exception Group Traceback (most recent call last):";
const STACK: &[u8] = b"Stack (most recent call last):";
const SYNTAX: &[u8] = b"  File \"";
const CHAINS: [&[u8]; 2] = [
    b"During handling of the above exception, another exception occurred:",
    b"The above exception was the direct cause of the following exception:",
];

/// What `asyncio` and `aiohttp` show below their own line: `future: <Task finished …>`.
pub(super) const SHOWN: [&[u8]; 7] =
    [b"future", b"task", b"handle", b"protocol", b"transport", b"client_session", b"connector"];
/// Where a task was made, in its debug mode.
const MADE: &[u8] = b"source_traceback: Object created at (most recent call last):";
/// How lines of a fatal error begin, besides indented ones.
const FATAL_PARTS: [&[u8]; 6] = [
    b"Current thread ",
    b"Thread 0x",
    b"Python runtime state: ",
    b"Extension modules: ",
    b"Current thread's C stack trace",
    b"<no Python frame>",
];

/// Whether a traceback begins with `line`.
#[inline]
pub(super) fn begins(line: &[u8]) -> bool {
    line.first() == Some(&b'T') && line.starts_with(TRACEBACK)
}

/// Whether `line` continues the record before it.
pub(super) fn joins(state: &mut State, line: &[u8], below: &mut Below) -> bool {
    let (joined, next) = match line.first() {
        None => match *state {
            State::Named | State::Indented | State::Group => (true, State::Blank),
            // Loguru's frames have empty lines around them.
            State::Chained | State::Frames | State::Fatal => (true, *state),
            _ => (false, State::Log),
        },
        Some(b' ' | b'\t') => indented(*state, line, below),
        Some(b'>') if *state == State::Frames && line.starts_with(b"> File \"") => (true, *state),
        // `logging` prints the traceback below its own line.
        Some(b'T') if begins(line) => {
            (matches!(state, State::Log | State::Chained | State::Indented), State::Frames)
        }
        Some(b'F') if line.starts_with(b"Fatal Python error: ") => (false, State::Fatal),
        Some(_) if *state == State::Fatal && begins_with_any(line, &FATAL_PARTS) => {
            (true, State::Fatal)
        }
        Some(b's') if line == MADE => (true, State::Indented),
        Some(b'c' | b'f' | b'h' | b'p' | b't') if shows_task(line) => (true, State::Log),
        Some(b'S') if line.starts_with(STACK) => {
            (matches!(state, State::Log | State::Named), State::Indented)
        }
        Some(b'C') if *state == State::Named && line == b"Call stack:" => (true, State::CallStack),
        Some(b'M') if *state == State::CallStack && line.starts_with(b"Message: ") => {
            *below = Below::MAYBE;
            (true, State::About)
        }
        Some(b'A') if *state == State::About && line.starts_with(b"Arguments: ") => {
            (true, State::Log)
        }
        Some(b'D' | b'T') if begins_with_any(line, &CHAINS) => {
            let chained =
                matches!(state, State::Named | State::Indented | State::Group | State::Blank);
            (chained, if chained { State::Chained } else { State::Log })
        }
        Some(_) if *state == State::Frames && names_exception(line) => {
            *below = Below::message(line);
            (true, State::Named)
        }
        Some(_) => (false, State::Log),
    };
    *state = next;
    joined
}

fn indented(state: State, line: &[u8], below: &mut Below) -> (bool, State) {
    if unindented(line).starts_with(GROUP) && !matches!(state, State::Group | State::Indented) {
        *below = Below::SURELY;
        return (matches!(state, State::Log | State::Chained), State::Group);
    }
    match state {
        State::Group => {
            let text = unindented(line);
            // A message of several lines has no bars but before its first.
            let marked = text.starts_with(b"| ") || text.starts_with(b"+");
            if ends_group(line) {
                return (true, State::Named);
            }
            if marked {
                *below = Below::SURELY;
            }
            (true, state)
        }
        State::Frames | State::Indented | State::CallStack | State::Named | State::Fatal => {
            (true, state)
        }
        State::Log | State::Chained | State::Blank | State::About => {
            if line.starts_with(SYNTAX) && state == State::Log {
                (true, State::Frames)
            } else {
                (false, State::Log)
            }
        }
    }
}

/// `future: <Task finished name='Task-1' …>`
fn shows_task(line: &[u8]) -> bool {
    SHOWN.iter().any(|name| line.strip_prefix(*name).is_some_and(|rest| rest.starts_with(b": <")))
}

/// `    +------------------------------------`, without a number: the end of the outermost group.
fn ends_group(line: &[u8]) -> bool {
    line.strip_prefix(b"    +").is_some_and(|rest| rest.iter().all(|byte| *byte == b'-'))
}

/// Whether the line begins with a dotted name, alone or followed by a colon: the last line of a
/// traceback, `module.Class: text`.
fn names_exception(line: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | 0x80..);
    let name_len = line.iter().take_while(|byte| is_name(byte)).count();
    let begins = line.first().is_some_and(|byte| is_name(byte) && !byte.is_ascii_digit());
    begins && matches!(line.get(name_len), None | Some(b':'))
}
