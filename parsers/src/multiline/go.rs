//! What Go's runtime prints when a program panics or dies of a fatal error (`runtime/panic.go`,
//! `runtime/traceback.go`), goroutine stacks below a log line, as `net/http` prints them, and what the
//! race detector reports.

use super::below::Head;
use super::{begins_with_any, contains, unindented};

/// How far into a record the lines are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// After an ordinary line.
    #[default]
    Log,
    /// After `runtime: …`, which explains the fatal error to come.
    Note,
    /// After `panic: …`, `fatal error: …` or a signal's name.
    Panic,
    /// Inside a goroutine's stack.
    Stack,
    /// After a blank line in or below a stack.
    Blank,
    /// After a bar: the report of a data race may follow.
    Bar,
    /// Inside that report, which another bar ends.
    Race,
}

/// First bytes of lines that may lead out of [`State::Log`].
pub(super) const OPENERS: &[u8] = b"\t=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The race detector's bar.
const BAR: &[u8] = b"==================";
/// How lines of its report begin, besides indented ones.
const RACE_PARTS: [&[u8]; 6] =
    [b"Read at ", b"Write at ", b"Atomic ", b"Previous ", b"Goroutine ", b"[failed to restore"];

/// What may follow `panic: …`, before the first stack.
const PANIC_DETAILS: [&[u8]; 3] = [b"\t", b"[signal ", b"PC=0x"];

/// Whether `line` continues the record before it.
pub(super) fn joins(state: &mut State, line: &[u8], head: Head) -> bool {
    let in_dump = matches!(state, State::Panic | State::Stack | State::Blank);
    let (joined, next) = match line.first() {
        None => match *state {
            State::Panic => (true, State::Panic),
            State::Stack => (true, State::Blank),
            State::Race => (true, State::Race),
            _ => (false, State::Log),
        },
        Some(b'=') if line == BAR => match *state {
            State::Race => (true, State::Log),
            _ => (false, State::Bar),
        },
        Some(b'W') if *state == State::Bar && line == b"WARNING: DATA RACE" => (true, State::Race),
        Some(_) if *state == State::Race => {
            let part = super::is_indented(line) || begins_with_any(line, &RACE_PARTS);
            (part, if part { State::Race } else { State::Log })
        }
        Some(b'g' | b'r') if begins_stack(line) => (true, State::Stack),
        Some(b'p') if line.starts_with(b"panic: ") => (false, State::Panic),
        Some(b'f') if line.starts_with(b"fatal error: ") => (*state == State::Note, State::Panic),
        Some(b'r') if line.starts_with(b"runtime: ") => (*state == State::Note, State::Note),
        // glog dies of a signal after a dump of its own.
        Some(b'S') if names_signal(line) => (*state == State::Blank, State::Panic),
        // Printed by `go run`, below all else.
        Some(b'e') if in_dump && line.starts_with(b"exit status ") => (true, State::Log),
        Some(_) => match *state {
            State::Log | State::Note if names_source(line) => (true, State::Stack),
            State::Log if names_caller(line) && head.is_stamp() => (true, State::Stack),
            State::Panic if begins_with_any(line, &PANIC_DETAILS) => (true, State::Panic),
            State::Stack if continues_stack(line) => (true, State::Stack),
            State::Blank if shows_register(line) => (true, State::Stack),
            _ => (false, State::Log),
        },
    };
    *state = next;
    joined
}

/// `goroutine 18 [chan receive, 5 minutes]:`, in newer versions with more words in between.
fn begins_stack(line: &[u8]) -> bool {
    match line.strip_prefix(b"goroutine ") {
        Some(rest) => rest.first().is_some_and(u8::is_ascii_digit) && rest.ends_with(b"]:"),
        None => line == b"runtime stack:",
    }
}

/// `SIGQUIT: quit`, the first line of a dump that a signal asked for.
fn names_signal(line: &[u8]) -> bool {
    let name_len = line.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    line.starts_with(b"SIG") && line.get(name_len..).is_some_and(|rest| rest.starts_with(b": "))
}

/// A place in a source file, `\t/app/main.go:12 +0x1d`: what libraries print below a log line.
fn names_source(line: &[u8]) -> bool {
    line.starts_with(b"\t") && memchr::memmem::find(line, b".go:").is_some()
}

/// A function alone in its line, `main.order`, with which zap begins the stack below a log line: of
/// the program itself, of a package with a path, or a method, `controller.(*Controller).reconcileHandler`.
fn names_caller(line: &[u8]) -> bool {
    let packed = memchr::memrchr(b'/', line).is_some_and(|slash| {
        line.get(slash..).is_some_and(|name| memchr::memchr(b'.', name).is_some())
    });
    line.first().is_some_and(u8::is_ascii_alphabetic)
        && names_function(line)
        && !line.ends_with(b")")
        && (line.starts_with(b"main.") || packed || contains(line, b".(*"))
}

fn continues_stack(line: &[u8]) -> bool {
    match line.first() {
        Some(b'\t') => true,
        Some(b'c') if line.starts_with(b"created by ") => true,
        Some(b'.') => line.ends_with(b"frames elided..."),
        _ => names_function(line) || shows_register(line),
    }
}

/// `main.(*Server).Serve(0xc00001c0a8, {0x5, 0x6})`, with or without arguments; `panic(…)`.
fn names_function(line: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"./-_~%[]*@+,".contains(byte);
    let mut name_len = 0;
    loop {
        let rest = line.get(name_len..).unwrap_or_default();
        name_len += rest.iter().take_while(|byte| is_name(byte)).count();
        // The receiver of a method, with its types: `.(*Controller[...])`.
        let receiver = line.get(name_len..).filter(|rest| rest.starts_with(b"(*"));
        let Some(end) = receiver.and_then(|rest| memchr::memchr(b')', rest)) else { break };
        name_len += end + 1;
    }
    let (name, rest) = line.split_at_checked(name_len).unwrap_or_default();
    let dotted = memchr::memchr(b'.', name).is_some_and(|at| at > 0);
    match rest.first() {
        None => dotted && !name.ends_with(b"."),
        Some(b'(') => (dotted || name == b"panic") && line.ends_with(b")"),
        Some(_) => false,
    }
}

/// `rax    0x0`, as `GOTRACEBACK=crash` adds them.
fn shows_register(line: &[u8]) -> bool {
    let name_len = line.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let value = line.get(name_len..).unwrap_or_default();
    (1..=8).contains(&name_len)
        && value.starts_with(b" ")
        && unindented(value)
            .strip_prefix(b"0x")
            .is_some_and(|hex| !hex.is_empty() && hex.iter().all(u8::is_ascii_hexdigit))
}
