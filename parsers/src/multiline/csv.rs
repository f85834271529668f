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

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(lines: &[&str]) -> Vec<bool> {
        let mut state = State::default();
        lines.iter().map(|line| joins(&mut state, b'"', line.as_bytes())).collect()
    }

    #[test]
    fn a_record_goes_on_while_a_quote_is_open() {
        for (lines, expect) in [
            (&["a,b", "1,2"][..], &[false, false][..]),
            (&["1,\"two", "lines\"", "3,4"], &[false, true, false]),
            (&["\"a", "", "b\"\"", "c\",2", "x"], &[false, true, true, true, false]),
            (&["1,\"a\"\"\"", "2,b"], &[false, false]),
            (&["1,\"\"", "2,\"\"\"\"", "3"], &[false, false, false]),
            // An inch is no quote, nor is one in the middle of a word.
            (&["1,5\" disk", "2,say \"x", "3"], &[false, false, false]),
            (&["1\t\"a", "b\""], &[false, true]),
        ] {
            assert_eq!(joined(lines), expect, "{lines:?}");
        }
    }

    #[test]
    fn a_quote_that_nobody_closes_takes_no_more_than_a_thousand_lines() {
        let mut lines = vec!["1,\"open"];
        lines.extend(["2,x"; 1_500]);
        let joined = joined(&lines);
        assert_eq!(joined.iter().filter(|joined| **joined).count(), usize::from(MOST_LINES) - 1);
        assert!(joined[1] && !joined[1_400]);
    }
}
