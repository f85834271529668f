//! What .NET prints beyond what Java does: unhandled exceptions, inner ones, and the console logger's
//! records of a header and indented lines. After the documentation of .NET
//! (`Exception.ToString`, `Microsoft.Extensions.Logging.Console`).

use super::below::Below;
use super::{is_frame, unindented};

/// How far into a record the lines are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// After an ordinary line.
    #[default]
    Log,
    /// After the console logger's header, `info: Shop.Worker[0]`.
    Console,
    /// Inside an exception.
    Trace,
}

/// First bytes of lines that may lead out of [`State::Log`].
pub(super) const OPENERS: &[u8] = b" Utdiwfc";

const LEVELS: [&[u8]; 6] = [b"trce: ", b"dbug: ", b"info: ", b"warn: ", b"fail: ", b"crit: "];

/// How far the console logger indents.
const INDENTED: &[u8] = b"      ";

/// Whether `line` continues the record before it.
pub(super) fn joins(state: &mut State, line: &[u8], below: &mut Below) -> bool {
    let (joined, next) = match line.first() {
        // An aggregate's inner exceptions are followed by one; so may a message in the console be.
        None => match *state {
            State::Trace => (true, State::Log),
            _ => (false, State::Log),
        },
        Some(b' ') if *state == State::Console && line.starts_with(INDENTED) => {
            (true, State::Console)
        }
        Some(b' ') if unindented(line).starts_with(b"---> ") => {
            *below = Below::SURELY;
            (true, State::Trace)
        }
        Some(b' ') if *state == State::Trace && is_frame(unindented(line)) => (true, State::Trace),
        Some(b'U')
            if line.starts_with(b"Unhandled exception. ")
                || line.starts_with(b"Unhandled Exception: ") =>
        {
            *below = Below::SURELY;
            (false, State::Trace)
        }
        Some(_) if is_header(line) => (false, State::Console),
        _ => (false, State::Log),
    };
    *state = next;
    joined
}

/// `info: Microsoft.Hosting.Lifetime[14]`
fn is_header(line: &[u8]) -> bool {
    super::begins_with_any(line, &LEVELS)
        && line.strip_suffix(b"]").is_some_and(|rest| {
            let digits = rest.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            digits > 0
                && rest
                    .get(..rest.len() - digits)
                    .is_some_and(|name| name.ends_with(b"[") || name.ends_with(b"[-"))
        })
}
