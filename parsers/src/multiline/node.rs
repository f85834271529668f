//! Node's errors: as it dies of one, with the place and an excerpt of the source above; as the
//! console and loggers print them, with their properties in braces below the frames; and warnings.

use super::below::{Below, Head};
use super::{after_digits, is_frame, unindented};

/// How far into a record the lines are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// After an ordinary line.
    #[default]
    Log,
    /// After the place of what was thrown, `/srv/shop.js:6`: a line of the source follows.
    Place,
    /// After that line: one of carets follows, or an empty one.
    Source,
    /// Below the excerpt: what was thrown.
    Thrown,
    /// After a frame.
    Frames,
    /// Among an error's properties.
    Properties,
    /// After an empty line below all that.
    Blank,
}

/// First bytes of lines that may lead out of [`State::Log`].
pub(super) const OPENERS: &[u8] = b"\t /(ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Lines that what was thrown may take before its frames: a comparison prints up to about 50.
const MOST_THROWN: u8 = 64;

/// A class name is looked for in that many bytes at most.
const LONGEST_NAME: usize = 128;

/// How names of errors and warnings end.
const ENDINGS: [&[u8]; 4] = [b"Error", b"Exception", b"Warning", b"Rejection"];

/// Whether `line` continues the record before it.
pub(super) fn joins(state: &mut State, line: &[u8], head: Head, below: &mut Below) -> bool {
    let (joined, next) = match (*state, line.first()) {
        (State::Place, _) => (true, State::Source),
        (State::Source, _) if is_underline(line) => {
            *below = Below::surely(MOST_THROWN);
            (true, State::Thrown)
        }
        (State::Frames, None) => (true, State::Blank),
        // What is no error is shown in brackets, with a code below it.
        (State::Thrown, Some(b'[')) if line.ends_with(b"] {") => (true, State::Properties),
        (_, None) => (false, State::Log),
        (State::Properties, Some(b'}')) => closed(line, below),
        (_, Some(b' ' | b'\t')) => indented(*state, line),
        // A logger prints the error below its own line.
        (State::Log, Some(_)) if names_error(line) => {
            *below = Below::message(line);
            (head.is_stamp(), State::Log)
        }
        (State::Log, Some(_)) => opened(line, below),
        (_, Some(b'N')) if line.starts_with(b"Node.js v") => (true, State::Log),
        (_, Some(b'(')) if is_hint(line) => (true, *state),
        (State::Thrown, Some(_)) if names_error(line) => {
            *below = Below::surely(MOST_THROWN);
            (true, State::Thrown)
        }
        (_, Some(_)) => opened(line, below),
    };
    *state = next;
    joined
}

/// A line of its own after an ordinary one, or one that ends a trace.
fn opened(line: &[u8], below: &mut Below) -> (bool, State) {
    if is_hint(line) {
        return (true, State::Log);
    }
    if is_place(line) {
        return (false, State::Place);
    }
    if names_error(line) {
        *below = Below::message(line);
    }
    (false, State::Log)
}

fn indented(state: State, line: &[u8]) -> (bool, State) {
    let text = unindented(line);
    let frame = is_frame(text) || text.starts_with(b"... ") && text.ends_with(b" stack trace ...");
    // An error that a promise was rejected with, as the console shows the promise.
    let rejected = text.starts_with(b"<rejected> ");
    match state {
        // As pino prints an error's cause.
        State::Frames if text.starts_with(b"caused by: ") => (true, state),
        _ if (frame || rejected) && line.ends_with(b" {") => (true, State::Properties),
        State::Properties => (true, state),
        _ if rejected => (true, State::Properties),
        _ if frame => (true, State::Frames),
        _ => (false, State::Log),
    }
}

/// The brace that ends the properties, and what may stand after it: `} reason: Error: …`.
fn closed(line: &[u8], below: &mut Below) -> (bool, State) {
    if line.len() > 1 {
        *below = Below::message(line);
    }
    (true, State::Frames)
}

/// `(Use `node --trace-warnings ...` to show where the warning was created)`
fn is_hint(line: &[u8]) -> bool {
    line.starts_with(b"(Use `node --trace-")
}

/// The line below the source line: carets, or nothing.
fn is_underline(line: &[u8]) -> bool {
    unindented(line).iter().all(|byte| *byte == b'^')
}

/// `/srv/shop.js:6`, `node:internal/process/promises:389`, `file:///srv/shop.mjs:1`
fn is_place(line: &[u8]) -> bool {
    let own = line.starts_with(b"node:");
    if !(own || line.starts_with(b"/") || line.starts_with(b"file:///")) {
        return false;
    }
    let Some(colon) = memchr::memrchr(b':', line) else { return false };
    let (path, number) = line.split_at_checked(colon).unwrap_or_default();
    let script = [&b"js"[..], b"ts", b"jsx", b"tsx"];
    let extension = memchr::memrchr(b'.', path).and_then(|dot| path.get(dot + 1..));
    let is_script = extension.is_some_and(|extension| {
        let plain = extension.strip_prefix(b"m").or_else(|| extension.strip_prefix(b"c"));
        script.contains(&extension) || plain.is_some_and(|plain| script.contains(&plain))
    });
    (own || is_script) && number.get(1..).and_then(after_digits).is_some_and(<[u8]>::is_empty)
}

/// `TypeError: …`, `AssertionError [ERR_ASSERTION]: …`
fn names_error(line: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
    let name_len = line.iter().take(LONGEST_NAME).take_while(|byte| is_name(byte)).count();
    let (name, rest) = line.split_at_checked(name_len).unwrap_or_default();
    if !name.first().is_some_and(u8::is_ascii_alphabetic) {
        return false;
    }
    let ends = ENDINGS.iter().any(|ending| name.ends_with(ending));
    ends && match rest.strip_prefix(b" [") {
        Some(code) => {
            memchr::memchr(b']', code).is_some_and(|end| code.get(end + 1) == Some(&b':'))
        }
        None => rest.starts_with(b": "),
    }
}
