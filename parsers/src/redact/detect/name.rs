//! The name that something is assigned to, in all its spellings: `password=`, `"API Key":`,
//! `user[password]=`, `<ns:password type="x">`.

use std::ops::Range;

use super::super::keys::{Keys, is_member};
use super::View;
use super::value::{entity_before, wrapped};

/// Bytes of a name without quotes that are looked at, and of one with them.
const LONGEST: (usize, usize) = (64, 128);

/// Bytes of an XML tag that are looked at.
const LONGEST_TAG: usize = 256;

/// A name and where its value begins.
#[derive(Clone, Debug)]
pub(in super::super) struct Assigned<'t> {
    /// The name as written: all that stands between quotes, or one word.
    pub(in super::super) key: &'t str,
    /// Its last word.
    word: Range<usize>,
    /// The byte after `=` or `:`, and blanks.
    pub(super) value: usize,
    /// The quote that ends the name, with the backslashes before it.
    quote: Range<usize>,
    /// Whether blanks stand between `:` and the value, as in prose.
    pub(super) prose: bool,
    /// Whether it is an XML element's name, which ends at `>`.
    pub(super) tag: bool,
}

impl<'t> Assigned<'t> {
    /// A name that a blank parts from its value.
    pub(in super::super) const fn of(key: &'t str, word: Range<usize>, value: usize) -> Self {
        let quote = word.end..word.end;
        Self { key, word, value, quote, prose: false, tag: false }
    }

    /// The same with its value elsewhere.
    pub(super) fn with_value(&self, value: usize) -> Self {
        Self { value, ..self.clone() }
    }

    /// A name in `word` whose value stands beside it under another, which `quote` ends.
    pub(super) const fn beside(
        key: &'t str,
        word: Range<usize>,
        quote: Range<usize>,
        value: usize,
    ) -> Self {
        Self { key, word, value, quote, prose: false, tag: false }
    }

    /// A name in `word` whose value is the content of a tag.
    pub(super) const fn in_tag(key: &'t str, word: Range<usize>, value: usize) -> Self {
        let quote = word.end..word.end;
        Self { key, word, value, quote, prose: false, tag: true }
    }

    /// Where its value begins, or the quotes around that.
    pub(in super::super) const fn value_at(&self) -> usize {
        self.value
    }

    /// Where its value begins, within quotes, and within `Some(…)`.
    pub(in super::super) fn inside(&self, view: View<'_>) -> usize {
        view.run(wrapped(view, self.value), 8, |byte| matches!(byte, b'\\' | b'"' | b'\'' | b'`'))
    }

    /// The quotes that a bare JSON number needs when text takes its place.
    pub(in super::super) fn quote(&self) -> Range<usize> {
        self.quote.clone()
    }

    /// The last word without what an escape before it ends in: `\ntoken=`, `%20token=`,
    /// `\u00e9token=`.
    pub(in super::super) fn after_escape(&self, view: View<'t>) -> Option<&'t str> {
        let start = self.word.start;
        let (letter, digits) = match (view.before(start, 1), view.at(start)) {
            (b'%', _) => (0, 2),
            (b'\\', b'x') => (1, 2),
            (b'\\', b'u') => (1, 4),
            (b'\\', b'n' | b'r' | b't') => (1, 0),
            _ => return None,
        };
        let end = start + letter + digits;
        let hex = view.bytes.get(start + letter..end)?.iter().all(u8::is_ascii_hexdigit);
        if hex { text(view, end..self.word.end) } else { None }
    }

    /// Whether what is assigned is `null`, and neither quotes nor anything right behind it say otherwise.
    pub(in super::super) fn is_null(&self, view: View<'_>) -> bool {
        let end = self.value + b"null".len();
        let delimits =
            matches!(view.at(end), 0 | b'\t' | b'\n' | b'\r' | b' ' | b',' | b';' | b'}' | b']');
        delimits && view.bytes.get(self.value..end) == Some(b"null")
    }

    /// The name with one word more, and with two: `Social Security Number:`.
    pub(in super::super) fn with_words(&self, view: View<'t>) -> impl Iterator<Item = &'t str> {
        let back = move |from: usize| {
            let blank = from.checked_sub(1).filter(|&blank| view.at(blank) == b' ')?;
            Some(view.run_back(blank, LONGEST.0, is_member))
        };
        let bare = self.quote.is_empty() && !self.tag;
        let first = if bare { back(self.word.start) } else { None };
        let end = self.word.end;
        let starts = std::iter::successors(first, move |from| back(*from)).take(2);
        starts.filter_map(move |start| text(view, start..end))
    }

    /// Whether the name is a parameter of a URL.
    pub(super) fn in_query(&self, view: View<'_>) -> bool {
        let before = view.bytes.get(..self.word.start).unwrap_or_default();
        matches!(before.last(), Some(b'?' | b'&' | b';')) || before.ends_with(b"\\u0026")
    }

    /// Whether the name is what stands in a token that redaction left: `[TOKEN:abcdefghij]`.
    pub(super) fn in_mask(&self, view: View<'_>) -> bool {
        let start = self.word.start;
        view.before(start, 1) == b'[' && {
            let end = view.run(start, 96, |byte| byte != b']');
            view.masks.has(view.bytes.get(start - 1..=end).unwrap_or_default())
        }
    }

    /// The quote right before a name that has none after it, with its backslashes: of
    /// `-H "Authorization: …"`.
    pub(super) fn around(&self, view: View<'_>) -> Option<Range<usize>> {
        let mark = self.word.start.checked_sub(1).filter(|_| self.quote.is_empty())?;
        matches!(view.at(mark), b'"' | b'\'' | b'`')
            .then(|| view.run_back(mark, 8, |byte| byte == b'\\')..mark + 1)
    }

    /// Whether those quotes are around the header alone, rather than around a field's text:
    /// `msg="authorization: …"`.
    pub(super) fn in_quotes(&self, view: View<'_>) -> bool {
        let quote = self.around(view);
        quote.is_some_and(|quote| !matches!(view.before(quote.start, 1), b'=' | b':'))
    }

    /// Whether the name stands first in its line or in quotes, `>` or `<` before it aside.
    pub(super) fn begins_line(&self, view: View<'_>) -> bool {
        let start = view.run_back(self.word.start, 4, |byte| matches!(byte, b' ' | b'>' | b'<'));
        matches!(view.before(start, 1), 0 | b'\n' | b'\r' | b'"' | b'\'')
    }
}

/// Whether a name that some rule has may stand before an `=` or `:`. Almost all names are plain words,
/// perhaps in quotes, and no rule's: a few bytes tell.
#[inline]
pub(in super::super) fn may_assign(view: View<'_>, at: usize, keys: &Keys) -> bool {
    let mut end = at;
    match view.before(end, 1) {
        b'"' => {
            // A quote at the end of a tag, whose name is elsewhere.
            if view.at(at) == b'>' {
                return true;
            }
            end -= 1;
            if view.before(end, 1) == b'\\' {
                end = view.run_back(end, 8, |byte| byte == b'\\');
            }
        }
        b' ' => end = view.run_back(end, 8, |byte| byte == b' '),
        b':' => end -= 1,
        _ => {}
    }
    let last = view.before(end, 1);
    if last.is_ascii_alphabetic() {
        let text = view.bytes.get(..end).unwrap_or_default();
        // A colour may stand after the name.
        return keys.may_stand(text)
            || tab_before(view, end) < end
            || (!view.before(end, 2).is_ascii_alphabetic() && view.colour_before(end).is_some());
    }
    // The name of a tag is elsewhere.
    view.at(at) == b'>' || may_end_before(view, (end, at), last, keys)
}

/// As [`may_assign`], where digits, an index or a bracket end the name, or another byte that is no letter; or
/// the hour of a time: `2026-11-22T10:00`.
#[inline(never)]
fn may_end_before(view: View<'_>, (end, at): (usize, usize), last: u8, keys: &Keys) -> bool {
    match last {
        b'0'..=b'9' if is_hour(view, end) => return keys.may_end(*b"-00T") || keys.has_nameless(),
        b'0'..=b'9' | b']' | b')' => {}
        // The `"` of `"peer":"::1"`: mostly a secret's name is not before it.
        b'"' if view.at(end) == b':' && end + 1 == at => {
            let letters =
                view.run_back(end, 16, |byte| !byte.is_ascii_alphabetic() && byte.is_ascii());
            let text = view.bytes.get(..letters).unwrap_or_default();
            let foreign = text.last().is_some_and(|last| !last.is_ascii());
            return end - letters == 16 || foreign || keys.may_stand(text);
        }
        // The end of a path, mostly.
        b'/' | b'?' | b',' | b'{' | b'}' | b'@' | b'!' | b'|' if view.before(at, 1) != b'"' => {
            return false;
        }
        _ => return true,
    }
    let letters = view.run_back(end, 16, |byte| is_odd(byte) || matches!(byte, b'_' | b'-' | b'.'));
    let text = view.bytes.get(..letters).unwrap_or_default();
    match text.last() {
        Some(byte) if byte.is_ascii_alphabetic() => {
            keys.may_stand(text) || view.colour_before(letters).is_some()
        }
        // Nothing that names are made of stands before the bracket.
        Some(byte) if is_member(*byte) => true,
        _ => end - letters == 16 || keys.has_nameless(),
    }
}

/// Whether the hour of an ISO time ends here, `-22T10`: of a name that it would be, all but the `T` is no letter.
fn is_hour(view: View<'_>, end: usize) -> bool {
    let last = end.checked_sub(6).and_then(|from| view.bytes.get(from..end));
    matches!(last, Some([b'-', b'0'..=b'9', b'0'..=b'9', b'T', b'0'..=b'9', b'0'..=b'9']))
}

/// The name before an `=` or `:` at `at`, if it may be one that some rule has.
pub(in super::super) fn assignment<'t>(
    view: View<'t>,
    at: usize,
    keys: &Keys,
) -> Option<Assigned<'t>> {
    if view.at(at) == b'>' {
        return element(view, at, keys);
    }
    let mut end = view.before_blanks(at - usize::from(view.before(at, 1) == b':'));
    let tab = tab_before(view, end);
    if tab < end {
        end = view.before_blanks(tab);
    }
    // JSON may have lines between a name and its `:`.
    let line = view.run_back(end, usize::MAX, |byte| byte.is_ascii_whitespace());
    if view.before(line, 1) == b'"' {
        end = line;
    }
    let quote_end = end;
    let mark = view.before(end, 1);
    if matches!(mark, b'"' | b'\'' | b'`') {
        end = view.run_back(end - 1, 8, |byte| byte == b'\\');
    } else if mark == b';'
        && let Some(start) = entity_before(view, end)
    {
        end = start;
    }
    let quote = end..quote_end;
    let open = view.run_back(end, LONGEST.1, |byte| byte != mark);
    let enclosed = !quote.is_empty() && view.before(open, 1) == mark;
    // `config['password'] =`, `password[0]:`
    let word_end = if is_member(view.before(end, 1)) {
        end
    } else {
        view.run_back(end, 16, |byte| is_odd(byte) || (enclosed && byte == b' '))
    };
    let word = word_start(view, word_end)..word_end;
    let key = if enclosed { text(view, open..end)? } else { text(view, word.clone())? };
    let escaped = matches!(view.before(word.start, 1), b'\\' | b'%');
    if key.is_empty() || !(escaped || keys.may_be(key.as_bytes())) {
        return None;
    }
    let after = view.run(at, 2, |byte| matches!(byte, b'=' | b':' | b'>'));
    let mut value = view.after_blanks(after);
    let prose = view.at(at) == b':' && value > after && quote.is_empty();
    if !quote.is_empty() {
        value = view.run(value, usize::MAX, |byte| byte.is_ascii_whitespace());
    }
    Some(Assigned { key, word, value, quote, prose, tag: false })
}

/// Where a tab begins that is written as an escape and ends before a place; that place if there is none.
#[inline]
fn tab_before(view: View<'_>, end: usize) -> usize {
    if view.before(end, 1) != b't' || view.before(end, 2) != b'\\' {
        return end;
    }
    view.run_back(end - 1, 8, |byte| byte == b'\\')
}

/// What may stand after a name and enclose no more than an index, or the name.
const fn is_odd(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'[' | b']' | b'(' | b')' | b'"' | b'\'' | b'$' | b'*')
}

/// Where the word that ends here begins.
fn word_start(view: View<'_>, end: usize) -> usize {
    view.word_start(view.run_back(end, LONGEST.0, is_member)).min(end)
}

/// The name of the XML element whose tag ends at `at`: `<password>`, `<ns:password type="x">`.
fn element<'t>(view: View<'t>, at: usize, keys: &Keys) -> Option<Assigned<'t>> {
    let open = view.run_back(at, LONGEST_TAG, |byte| !matches!(byte, b'<' | b'>'));
    let end = view.run(open, LONGEST.1, |byte| is_member(byte) || byte == b':');
    let whole = end == at || (view.at(end).is_ascii_whitespace() && view.before(at, 1) != b'/');
    // After a word it is a type's parameter: `List<Password>`.
    if view.before(open, 1) != b'<' || view.word_before(open - 1) || !whole {
        return None;
    }
    let word = view.run_back(end, end - open, |byte| byte != b':')..end;
    let key = text(view, word.clone())?;
    (!key.is_empty() && keys.may_be(key.as_bytes())).then(|| Assigned {
        key,
        word,
        value: view.after_blanks(at + 1),
        quote: end..end,
        prose: false,
        tag: true,
    })
}

/// A part of the text, from its first whole character on.
fn text(view: View<'_>, range: Range<usize>) -> Option<&str> {
    let continues = |byte: u8| byte & 0xC0 == 0x80;
    let start = view.run(range.start, 3, continues).min(range.end);
    std::str::from_utf8(view.bytes.get(start..range.end)?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::tests::value;
    use super::*;

    #[test]
    fn the_hour_of_a_time_is_no_name_unless_one_is_given() {
        let line = "at 2026-11-22T10:00";
        let sign = line.find(':').unwrap();
        let mut keys = Keys::default();
        keys.add("password", 0);
        assert!(!may_assign(value(line), sign, &keys));
        for near in ["password-22T10:", "at 2026-11-2T10:", "password10:"] {
            let sign = near.find(':').unwrap();
            let expect = near == "password10:";
            assert_eq!(may_assign(value(near), sign, &keys), expect, "{near}");
        }
        keys.add_field("t", 1);
        assert!(may_assign(value(line), sign, &keys));
        let mut keys = Keys::default();
        keys.add_field("4711", 1);
        assert!(may_assign(value(line), sign, &keys));
    }
}
