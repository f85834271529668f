//! Java's stack traces as `Throwable.printStackTrace`, Logback and Log4j write them, and the JVM's
//! thread dumps. .NET prints its frames and names its exceptions in the same manner.

use super::below::Below;
use super::{begins_with_any, is_frame, is_indented, unindented};

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
    /// Inside a dump of all threads.
    Dump,
    /// Inside what a dump says of the heap, its last part.
    Heap,
}

/// First bytes of lines that may lead out of [`State::Log`].
pub(super) const OPENERS: &[u8] = b"\t -*[ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a line of a trace says after its indentation, besides frames.
const FRAME_WORDS: [&[u8]; 9] = [
    b"... ",
    b"nested exception is:",
    b"- locked ",
    b"- waiting ",
    b"- parking ",
    b"- eliminated ",
    b"--- End of ",
    b"[CIRCULAR REFERENCE",
    b"java.lang.Thread.State: ",
];

/// What introduces a further exception of the same trace. Logback's `rootCauseFirst` writes
/// `Wrapped by`.
const FURTHER: [&[u8]; 3] = [b"Caused by: ", b"Suppressed: ", b"Wrapped by: "];

/// What Spring Boot begins the report of a start that failed with, below its logger's line and an empty
/// one.
pub(super) const BANNER: &[u8] = b"***************************";

const DUMP: &[u8] = b"Full thread dump ";

/// How the lines of a thread dump begin, besides indented ones.
const DUMP_PARTS: [&[u8]; 10] = [
    b"\"",
    b"0x",
    b"}",
    b"=====",
    b"Threads class SMR info:",
    b"_java_thread_list=",
    b"JNI global ref",
    b"Found ",
    b"Java stack information ",
    b"Heap",
];

/// Names of exception classes end so.
const EXCEPTION_ENDINGS: [&[u8]; 3] = [b"Exception", b"Error", b"Throwable"];

/// An exception's class name is looked for in that many bytes at most.
const LONGEST_NAME: usize = 512;

/// Whether `line` continues the record before it.
pub(super) fn joins(state: &mut State, line: &[u8], below: &mut Below) -> bool {
    let (joined, next) = match line.first() {
        Some(b'F') if line.starts_with(DUMP) => (false, State::Dump),
        _ if *state == State::Dump && in_dump(line) => {
            (true, if line == b"Heap" { State::Heap } else { State::Dump })
        }
        _ if *state == State::Heap && is_indented(line) => (true, State::Heap),
        // `java.util.logging` ends a trace with an empty line.
        None => (matches!(state, State::Frames | State::Heap), State::Log),
        Some(b'\t' | b' ') => indented(*state, line, below),
        Some(b'-') if line.starts_with(b"--- End of ") => (true, State::Frames),
        Some(b'[') if line.starts_with(b"[CIRCULAR REFERENCE") => (true, State::Header),
        Some(b'C' | b'S' | b'W') if begins_with_any(line, &FURTHER) => {
            // A frame follows, or how many were left out; the launcher prints a cause with neither.
            *below = if *state == State::Log { Below::MAYBE } else { Below::SURELY };
            (true, State::Header)
        }
        Some(b'E') if line.starts_with(b"Exception in thread \"") => {
            *below = Below::SURELY;
            (false, State::Header)
        }
        // A logger prints the exception below its own line. One that follows another trace, or
        // another exception without a trace, is a record of its own.
        Some(byte) if byte.is_ascii_alphabetic() && names_exception(line) => {
            *below = Below::message(line);
            (*state == State::Log, State::Header)
        }
        _ => (false, State::Log),
    };
    *state = next;
    joined
}

fn in_dump(line: &[u8]) -> bool {
    line.is_empty() || is_indented(line) || begins_with_any(line, &DUMP_PARTS)
}

fn indented(state: State, line: &[u8], below: &mut Below) -> (bool, State) {
    let text = unindented(line);
    if begins_with_any(text, &FURTHER) || text.starts_with(b"---> ") {
        *below = Below::SURELY;
        return (true, State::Header);
    }
    if is_frame(text) || line.starts_with(b"\tat ") || begins_with_any(text, &FRAME_WORDS) {
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
/// followed by a colon; or with a bare one and a bracket, as Elasticsearch prints its own.
fn names_exception(line: &[u8]) -> bool {
    let name_len = line
        .iter()
        .take(LONGEST_NAME)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$'))
        .count();
    let (name, rest) = line.split_at_checked(name_len).unwrap_or_default();
    if rest.starts_with(b"[") {
        return name.ends_with(b"Exception");
    }
    if !matches!(rest.first(), None | Some(b':')) {
        return false;
    }
    let Some(dot) = memchr::memrchr(b'.', name) else { return false };
    let class = name.get(dot + 1..).unwrap_or_default();
    class
        .split(|byte| *byte == b'$')
        .any(|part| EXCEPTION_ENDINGS.iter().any(|ending| part.ends_with(ending)))
}
