//! Which parts of a line redaction took, from the line and what came of it.
#![allow(dead_code, reason = "each of the programs that share this uses a part of it")]

use std::ops::Range;

use super::corpus::Span;

/// A part that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Removed {
    /// Its place in the line.
    pub(crate) range: Range<usize>,
    /// What stands there instead, without brackets.
    pub(crate) token: String,
}

/// How far the search goes before it gives up.
const STEPS: usize = 20_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'o> {
    /// Text that was left.
    Left(&'o str),
    /// A token.
    Token(&'o str),
}

/// The parts of a line that tokens stand for in the output; `None` if the rest of the output is not the
/// rest of the line. Where several readings are possible, the one that takes whole values is meant.
pub(crate) fn removed(
    line: &str,
    output: &str,
    tokens: &[String],
    spans: &[Span],
) -> Option<Vec<Removed>> {
    let pieces = pieces(output, tokens);
    let mut search = Search { line, pieces, spans, found: Vec::new(), steps: 0 };
    search.go(0, 0, false).then_some(search.found)
}

fn pieces<'o>(output: &'o str, tokens: &[String]) -> Vec<Piece<'o>> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for (open, _) in output.match_indices('[') {
        let name =
            output.get(open + 1..).and_then(|rest| rest.split_once(']')).map(|(name, _)| name);
        if let Some(name) = name.filter(|name| tokens.iter().any(|token| token == name)) {
            pieces.push(Piece::Left(output.get(from..open).unwrap_or_default()));
            pieces.push(Piece::Token(name));
            from = open + name.len() + 2;
        }
    }
    pieces.push(Piece::Left(output.get(from..).unwrap_or_default()));
    pieces.retain(|piece| *piece != Piece::Left(""));
    pieces
}

struct Search<'t> {
    line: &'t str,
    pieces: Vec<Piece<'t>>,
    spans: &'t [Span],
    found: Vec<Removed>,
    steps: usize,
}

impl Search<'_> {
    fn rest(&self, at: usize) -> &str {
        self.line.get(at..).unwrap_or_default()
    }

    /// Where a text ends that begins at a place of the line. A string that was written anew has other
    /// escapes than it had: `\u003c` is `<`.
    fn end(&self, at: usize, text: &str) -> Option<usize> {
        let mut end = at;
        for expected in text.chars() {
            let rest = self.rest(end);
            if rest.starts_with(expected) {
                end += expected.len_utf8();
                continue;
            }
            let code = rest.strip_prefix("\\u").and_then(|rest| rest.get(..4));
            let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
            if code != Some(expected as u32) {
                return None;
            }
            end += 6;
        }
        Some(end)
    }

    /// Whether the pieces from one on are the line from a place on. `unquoted`: a number became a string,
    /// so that a quote stands before this piece which the line has not.
    fn go(&mut self, index: usize, at: usize, unquoted: bool) -> bool {
        self.steps += 1;
        if self.steps > STEPS {
            return false;
        }
        match self.pieces.get(index).copied() {
            None => at == self.line.len(),
            Some(Piece::Left(text)) => {
                let text = if unquoted { without_quote(text) } else { text };
                if self.end(at, text).is_some_and(|end| self.go(index + 1, end, false)) {
                    return true;
                }
                let before = text.strip_suffix('"').map(|text| text.trim_end_matches('\\'));
                let number = before.and_then(|before| self.end(at, before));
                number.is_some_and(|end| self.taken(index + 1, end, true))
            }
            Some(Piece::Token(token)) => {
                let same = format!("[{token}]");
                (self.rest(at).starts_with(&same) && self.go(index + 1, at + same.len(), false))
                    || self.taken(index, at, false)
            }
        }
    }

    /// Whether a token stands for something from a place on.
    fn taken(&mut self, index: usize, at: usize, number: bool) -> bool {
        let Some(Piece::Token(token)) = self.pieces.get(index).copied() else { return false };
        let token = token.to_owned();
        for end in self.ends(index + 1, at, number) {
            self.found.push(Removed { range: at..end, token: token.clone() });
            if self.go(index + 1, end, number) {
                return true;
            }
            self.found.pop();
        }
        false
    }

    /// Where it may end: before what was left next; ends of values first.
    fn ends(&self, next: usize, at: usize, number: bool) -> Vec<usize> {
        let rest = self.rest(at);
        let mut ends: Vec<usize> = match self.pieces.get(next) {
            None => vec![self.line.len()],
            Some(Piece::Left(text)) => {
                let text = if number { without_quote(text) } else { text };
                let places = rest.char_indices().map(|(place, _)| place).chain([rest.len()]);
                let fits = |place: &usize| self.end(at + place, text).is_some();
                places.filter(fits).map(|place| at + place).collect()
            }
            Some(Piece::Token(_)) => rest.char_indices().map(|(place, _)| at + place).collect(),
        };
        ends.retain(|end| *end > at);
        let meant =
            self.spans.iter().find(|span| span.outer.start <= at + 8 && at <= span.value.start);
        if let Some(span) = meant {
            ends.sort_by_key(|end| (*end < span.value.end, *end));
        }
        ends
    }
}

/// A text without the quote it begins with, which may be one in a string of JSON.
fn without_quote(text: &str) -> &str {
    text.trim_start_matches('\\').strip_prefix('"').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(line: &str, output: &str) -> Option<Vec<String>> {
        let tokens = ["EMAIL".to_owned(), "CREDIT_CARD".to_owned()];
        let removed = removed(line, output, &tokens, &[])?;
        Some(removed.into_iter().map(|removed| line[removed.range].to_owned()).collect())
    }

    #[test]
    fn what_was_taken_is_told_from_what_was_left() {
        let check = |line: &str, output: &str, expected: &[&str]| {
            assert_eq!(taken(line, output).unwrap(), expected, "{line} → {output}");
        };
        check("user bob@example.com in", "user [EMAIL] in", &["bob@example.com"]);
        check("[EMAIL] bob@example.com", "[EMAIL] [EMAIL]", &["bob@example.com"]);
        check(r#"{"pan":4111,"n":1}"#, r#"{"pan":"[CREDIT_CARD]","n":1}"#, &["4111"]);
        check(r#"{\"n\":17}"#, r#"{\"n\":\"[EMAIL]\"}"#, &["17"]);
        check("a b@c d b@c", "a [EMAIL] d [EMAIL]", &["b@c", "b@c"]);
        check("nothing", "nothing", &[]);
        check(r#"{"a":"\u003cb@c\u003e"}"#, r#"{"a":"<[EMAIL]>"}"#, &["b@c"]);
        assert_eq!(taken("one", "another [EMAIL]"), None);
    }
}
