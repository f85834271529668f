//! Delimited columns (RFC 4180): a record goes on as long as a quote is open.

/// Lines that a record may go on for: a quote that is open for longer was never meant to be one.
const MOST_LINES: u16 = 1_000;

/// Whether a quote is open, and for how many lines.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    open: bool,
    lines: u16,
}

impl State {
    /// Whether the record is whole as of the last line.
    pub(super) const fn is_closed(self) -> bool {
        !self.open
    }
}

/// Whether `line` continues the record before it.
pub(super) fn joins(state: &mut State, quote: u8, line: &[u8]) -> bool {
    if state.open && state.lines >= MOST_LINES {
        *state = State::default();
    }
    let joined = state.open;
    state.open = leaves_open(joined, quote, line);
    state.lines = if state.open { state.lines + 1 } else { 0 };
    joined
}

/// Whether a quote is open at a line's end. One opens at the beginning of a column only; whichever
/// delimiter may stand before it.
fn leaves_open(mut open: bool, quote: u8, line: &[u8]) -> bool {
    let mut at = 0;
    while let Some(found) = line.get(at..).and_then(|rest| memchr::memchr(quote, rest)) {
        at += found;
        let begins = || match at.checked_sub(1).and_then(|before| line.get(before)) {
            None => true,
            Some(before) => before.is_ascii_punctuation() && *before != quote || *before == b'\t',
        };
        if open && line.get(at + 1) == Some(&quote) {
            at += 1;
        } else if open || begins() {
            open = !open;
        }
        at += 1;
    }
    open
}
