//! Ruby's errors as the interpreter prints them, with causes, excerpts and suggestions; the bare
//! backtraces of `Logger`; and what Rails writes below a line of level FATAL.

use super::below::{Below, Head};
use super::{after_digits, contains, unindented};

/// How far into a record the lines are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// After an ordinary line.
    #[default]
    Log,
    /// After the line that says which thread dies.
    Thread,
    /// After an error's own line.
    Header,
    /// After the empty line below it: an excerpt of the source follows.
    Blank,
    /// After a line of the source: one of carets follows.
    Excerpt,
    /// After a frame.
    Frames,
    /// After an error as Rails prints it, `RuntimeError (no such item):`, and blanks or lines of a
    /// template below it.
    Raised,
    /// After a logger's line of level FATAL: Rails writes the error below it, each line with its tags.
    Fatal(Tags),
}

/// The first bytes of what `config.log_tags` puts before a message, `[a514fecf-…] ` or `[web-1] [7] `.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tags {
    first: [u8; 8],
    len: u8,
}

/// First bytes of lines that may lead out of [`State::Log`].
pub(super) const OPENERS: &[u8] = b"\t/.<(#-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The path of a source file ends within that many bytes.
const LONGEST_PATH: usize = 512;

/// What Rails writes in a line of its own above an error.
const BLANKS: &[u8] = b"  ";

/// Whether `line` continues the record before it, which begins with `head`.
pub(super) fn joins(state: &mut State, line: &[u8], head: Head, below: &mut Below) -> bool {
    let (joined, next) = match (*state, line.first()) {
        (State::Header, None) => (true, State::Blank),
        (_, None) => (false, State::Log),
        (State::Excerpt, Some(_)) if is_underline(line) => (true, State::Header),
        (_, Some(b'\t')) if is_from(line) => (true, State::Frames),
        (_, Some(b'#')) if line.starts_with(b"#<Thread:") && line.ends_with(b"):") => {
            (false, State::Thread)
        }
        (State::Header, Some(b'D')) if line.starts_with(b"Did you mean?") => (true, State::Header),
        (State::Raised, Some(b' ')) if unindented(line).is_empty() || is_template(line) => {
            (true, State::Raised)
        }
        (State::Fatal(tags), Some(b'[')) if tags.begin(line) => {
            *below = Below::MAYBE;
            (true, *state)
        }
        (_, Some(b'F')) if line.starts_with(b"F, [") => {
            *below = Below::MAYBE;
            (false, State::Fatal(Tags::of(line)))
        }
        (_, Some(_)) => match below_place(line) {
            Some(rest) => placed(*state, line, rest, below),
            None if *state == State::Blank => (true, State::Excerpt),
            None if raised(line) => {
                if !line.ends_with(b"):") {
                    *below = Below::surely(2);
                }
                (head == Head::of(BLANKS), State::Raised)
            }
            None => (false, State::Log),
        },
    };
    *state = next;
    joined
}

/// A line that begins with a place in a source file; `rest` is what stands after that.
fn placed(state: State, line: &[u8], rest: &[u8], below: &mut Below) -> (bool, State) {
    if rest.starts_with(b" syntax error") {
        return (state == State::Header, State::Blank);
    }
    let Some(name) = rest.strip_prefix(b"in `").or_else(|| rest.strip_prefix(b"in '")) else {
        return (false, State::Log);
    };
    match memchr::memmem::find(name, b"': ") {
        // A frame without `from`, as `Logger` prints them.
        None => (name.ends_with(b"'"), State::Frames),
        // An error; its cause, where it follows another.
        Some(end) => {
            let outermost = name.get(..end).is_some_and(|name| name.starts_with(b"<"));
            if line.ends_with(b")") {
                *below = if outermost { Below::MAYBE } else { Below::SURELY };
            }
            let cause = matches!(state, State::Thread | State::Header | State::Frames);
            (cause, State::Header)
        }
    }
}

/// What follows `path:line:` at the start of a line.
fn below_place(line: &[u8]) -> Option<&[u8]> {
    let first = line.first()?;
    if !(first.is_ascii_alphabetic() || b"/.<(-".contains(first)) {
        return None;
    }
    // Paths of the interpreter's own have a colon in them: `<internal:kernel>:187:in …`.
    let path = if line.starts_with(b"<internal:") { memchr::memchr(b'>', line)? } else { 0 };
    let near = line.get(path..line.len().min(LONGEST_PATH))?;
    let colon = path + memchr::memchr2(b':', b' ', near)?;
    if line.get(colon) == Some(&b' ') {
        return None;
    }
    after_digits(line.get(colon + 1..)?)?.strip_prefix(b":")
}

/// `ActiveRecord::RecordNotFound (Couldn't find Order):`, or the first line of such a message.
fn raised(line: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_');
    let name_len = line.iter().take(LONGEST_PATH).take_while(|byte| is_name(byte)).count();
    let (name, rest) = line.split_at_checked(name_len).unwrap_or_default();
    let is_error = name.ends_with(b"Error") || contains(name, b"::");
    is_error
        && name.first().is_some_and(u8::is_ascii_uppercase)
        && rest.starts_with(b" (")
        && (rest.ends_with(b"):") || !contains(rest, b")"))
}

/// `    12: <p>`, a line of the template that an error was raised in.
fn is_template(line: &[u8]) -> bool {
    line.starts_with(b"    ")
        && after_digits(unindented(line)).is_some_and(|rest| rest.starts_with(b":"))
}

/// `\tfrom shop.rb:8:in 'charge'`, or how many such lines were left out.
fn is_from(line: &[u8]) -> bool {
    line.starts_with(b"\tfrom ") && contains(line, b":in ")
        || line.starts_with(b"\t ... ") && line.ends_with(b" levels...")
}

/// Carets and tildes under a piece of the source.
fn is_underline(line: &[u8]) -> bool {
    let marks = unindented(line);
    !marks.is_empty() && marks.iter().all(|byte| matches!(byte, b'^' | b'~'))
}

impl Tags {
    /// Those of a logger's line.
    fn of(line: &[u8]) -> Self {
        let text = memchr::memmem::find(line, b" -- ").and_then(|at| line.get(at + 4..));
        let text = text
            .and_then(|text| memchr::memmem::find(text, b": ").and_then(|at| text.get(at + 2..)));
        let text = text.unwrap_or_default();
        let mut len = 0;
        while let Some(rest) = text.get(len..).filter(|rest| rest.starts_with(b"["))
            && let Some(end) = memchr::memmem::find(rest, b"] ")
        {
            len += end + 2;
        }
        let mut first = [0; 8];
        first.iter_mut().zip(text.iter().take(len)).for_each(|(to, byte)| *to = *byte);
        Self { first, len: u8::try_from(len).map_or(8, |len| len.min(8)) }
    }

    /// Whether a line begins with them.
    fn begin(self, line: &[u8]) -> bool {
        self.len > 0 && self.first.get(..self.len.into()).is_some_and(|tags| line.starts_with(tags))
    }
}
