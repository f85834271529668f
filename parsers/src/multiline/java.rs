//! Java's stack traces as `Throwable.printStackTrace`, Logback and Log4j write them. .NET's and
//! Node's differ in details that are known here too.

use super::{begins_with_any, unindented};

/// How far into a record the lines are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// After an ordinary line.
    #[default]
    Log,
    /// After a line that names an exception: its message may go on over indented lines.
    Header,
    /// After a stack frame.
    Frames,
}

/// What a line of a trace says after its indentation.
const FRAME_WORDS: [&[u8]; 13] = [
    b"at ",
    b"... ",
    b"Caused by: ",
    b"Suppressed: ",
    b"Wrapped by: ",
    b"nested exception is:",
    b"- locked ",
    b"- waiting ",
    b"- parking ",
    b"- eliminated ",
    b"--- End of ",
    b"---> ",
    b"[CIRCULAR REFERENCE",
];

/// What introduces a further exception of the same trace without indentation. Logback's
/// `rootCauseFirst` writes `Wrapped by`.
const FURTHER: [&[u8]; 4] = [b"Caused by: ", b"Suppressed: ", b"Wrapped by: ", b"--- End of "];

/// Names of exception classes end so.
const EXCEPTION_ENDINGS: [&[u8]; 3] = [b"Exception", b"Error", b"Throwable"];

/// An exception's class name is looked for in that many bytes at most.
const LONGEST_NAME: usize = 512;

/// Whether `line` continues the record before it.
pub(super) fn joins(state: &mut State, line: &[u8]) -> bool {
    let (joined, next) = match line.first() {
        Some(b'\t' | b' ') => indented(*state, line),
        Some(b'C' | b'S' | b'W' | b'-') if begins_with_any(line, &FURTHER) => (true, State::Header),
        Some(b'E') if line.starts_with(b"Exception in thread \"") => (false, State::Header),
        // A logger prints the exception below its own line. One that follows another trace, or
        // another exception without a trace, is a record of its own.
        Some(byte) if byte.is_ascii_alphabetic() && names_exception(line) => {
            (*state == State::Log, State::Header)
        }
        _ => (false, State::Log),
    };
    *state = next;
    joined
}

fn indented(state: State, line: &[u8]) -> (bool, State) {
    if begins_with_any(unindented(line), &FRAME_WORDS) {
        return (true, State::Frames);
    }
    match state {
        // Levels are often right-aligned (` INFO`): one space is no indentation.
        State::Header if line.starts_with(b"\t") || line.starts_with(b"  ") => (true, state),
        State::Frames if line.starts_with(b"\t") => (true, state),
        _ => (false, State::Log),
    }
}

/// Whether the line begins with a qualified class name that looks like an exception's, alone or
/// followed by a colon.
fn names_exception(line: &[u8]) -> bool {
    let name_len = line
        .iter()
        .take(LONGEST_NAME)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$'))
        .count();
    let (name, rest) = line.split_at_checked(name_len).unwrap_or_default();
    if !matches!(rest.first(), None | Some(b':')) {
        return false;
    }
    let Some(dot) = memchr::memrchr(b'.', name) else { return false };
    let class = name.get(dot + 1..).unwrap_or_default();
    class
        .split(|byte| *byte == b'$')
        .any(|part| EXCEPTION_ENDINGS.iter().any(|ending| part.ends_with(ending)))
}
