//! Values of a statement that names its columns before: `INSERT INTO users (name, password) VALUES ('bob',
//! 'hunter2')`, and the same of `REPLACE`, `UPSERT` and `MERGE`.

use std::ops::Range;

use memchr::memmem;

use super::super::keys::is_member;
use super::View;
use super::assign::{Judge, judge};
use super::name::Assigned;
use super::value::{opening, quoted_end, wrapped};

/// Bytes of a table's name, of its columns, and between these and the values, that are looked at.
const TABLE: usize = 160;
const COLUMNS: usize = 4096;
const CLAUSE: usize = 96;

/// Whether `INTO` ends at the blank at a place.
#[inline]
pub(in super::super) fn may_insert(view: View<'_>, at: usize) -> bool {
    view.at(at) == b' '
        && view.before(at, 5) == b' '
        && at.checked_sub(4).is_some_and(|start| view.has(start, b"into"))
}

/// The columns that stand in parentheses behind `INTO` and a table's name; `at` is the blank after `INTO`.
pub(in super::super) fn columns(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let ends = |byte: u8| matches!(byte, b'(' | b')' | b';');
    let open = view.run(at, TABLE, |byte| !ends(byte));
    if view.at(open) != b'(' {
        return None;
    }
    let close = view.run(open + 1, COLUMNS, |byte| !ends(byte));
    (view.at(close) == b')').then_some(open + 1..close)
}

/// Their names, without quotes, and where each is.
pub(in super::super) fn names<'t>(
    view: View<'t>,
    columns: Range<usize>,
) -> impl Iterator<Item = (&'t str, Range<usize>)> {
    let list = view.bytes.get(columns.clone()).unwrap_or_default();
    let mut from = columns.start;
    list.split(|byte| *byte == b',').map(move |column| {
        let all = from..from + column.len();
        from = all.end + 1;
        let name = name(view, all);
        let text = view.bytes.get(name.clone()).and_then(|name| std::str::from_utf8(name).ok());
        (text.unwrap_or_default(), name)
    })
}

/// The last word of a column; what an escape ends in, as `\n`, is none.
fn name(view: View<'_>, column: Range<usize>) -> Range<usize> {
    let mut end = column.end;
    loop {
        end = view.run_back(end, end - column.start, |byte| !is_member(byte));
        let mut start = view.run_back(end, end - column.start, is_member);
        let escape = start < end && view.before(start, 1) == b'\\';
        start += usize::from(escape && matches!(view.at(start), b'n' | b'r' | b't'));
        if start < end || end <= column.start {
            return start..end;
        }
        end = start - 1;
    }
}

/// One of the values.
pub(in super::super) struct Given {
    /// The place of its column.
    pub(in super::super) column: usize,
    /// Where it begins, or the quote around it.
    pub(in super::super) at: usize,
    /// The value, without quotes.
    pub(in super::super) range: Range<usize>,
    /// Whether it has quotes.
    pub(in super::super) quoted: bool,
}

impl Given {
    /// Whether it is a secret, as what is assigned to such a name. Without quotes only a number is: markers and calls
    /// are not.
    pub(in super::super) fn is_secret(
        &self,
        view: View<'_>,
        name: &Assigned<'_>,
        how: Judge,
    ) -> bool {
        let text = view.bytes.get(self.range.clone()).unwrap_or_default();
        if self.quoted {
            return judge(view, &name.with_value(self.at), how).secret.is_some();
        }
        matches!(how, Judge::Any | Judge::Words)
            && !text.is_empty()
            && text.iter().all(u8::is_ascii_digit)
    }
}

/// The values behind columns that end at `close`, told to `each`, row by row; where they end.
pub(in super::super) fn values(
    view: View<'_>,
    close: usize,
    each: &mut dyn FnMut(&Given),
) -> Option<usize> {
    let window = close + 1..view.bytes.len().min(close + 1 + CLAUSE);
    let clause = view.bytes.get(window)?.to_ascii_lowercase();
    let open = memmem::find(&clause, b"values").filter(|found| {
        let between = clause.get(..*found).unwrap_or_default();
        // H2's `MERGE INTO … (…) KEY (id) VALUES`.
        let key = between.trim_ascii_start().strip_prefix(b"key").map(<[u8]>::trim_ascii);
        let key = key.is_some_and(|key| key.first() == Some(&b'(') && key.last() == Some(&b')'));
        // Another list, or the statement's end.
        key || !between.iter().any(|byte| matches!(byte, b'(' | b';'))
    })?;
    let mut place = close + 1 + open + b"values".len();
    loop {
        place = after_blanks(view, place);
        if view.at(place) != b'(' {
            return Some(place);
        }
        place = row(view, place + 1, each);
        let next = after_blanks(view, place);
        if view.at(next) != b',' {
            return Some(place);
        }
        place = next + 1;
    }
}

/// The values of one row; the place behind it.
fn row(view: View<'_>, from: usize, each: &mut dyn FnMut(&Given)) -> usize {
    let (mut place, mut column) = (from, 0);
    loop {
        let at = after_blanks(view, place);
        let end = item_end(view, at);
        let (range, quoted) = inside(view, at, end);
        each(&Given { column, at: quote(view, at), range, quoted });
        if view.at(end) != b',' {
            return (end + 1).min(view.bytes.len());
        }
        (place, column) = (end + 1, column + 1);
    }
}

/// Blanks and line breaks, also as escapes.
fn after_blanks(view: View<'_>, from: usize) -> usize {
    let mut place = from;
    loop {
        place = view.run(place, usize::MAX, |byte| byte.is_ascii_whitespace());
        if view.at(place) != b'\\' || !matches!(view.at(place + 1), b'n' | b'r' | b't') {
            return place;
        }
        place += 2;
    }
}

/// Where a value ends: at the comma or the parenthesis behind it.
fn item_end(view: View<'_>, from: usize) -> usize {
    let (mut place, mut depth) = (from, 0_usize);
    loop {
        place = view.run(place, usize::MAX, |byte| {
            !matches!(byte, b'(' | b')' | b',' | b'"' | b'\'' | b'`' | b'\\')
        });
        match view.at(place) {
            b'(' => depth += 1,
            b')' | b',' if depth == 0 => return place,
            b')' => depth -= 1,
            b',' => {}
            _ if place >= view.bytes.len() => return place,
            _ => {
                if let (inside, Some(quote)) = opening(view, place) {
                    place = quoted_end(view, inside, &quote) + quote.len();
                    continue;
                }
            }
        }
        place += 1;
    }
}

/// Where the quote of a value is.
fn quote(view: View<'_>, at: usize) -> usize {
    let national = matches!(view.at(at) | 0x20, b'e' | b'n' | b'x') && view.at(at + 1) == b'\'';
    if national { at + 1 } else { wrapped(view, at) }
}

/// A value without its quotes, and whether it has any: also of `N'…'` and `crypt('…', …)`.
fn inside(view: View<'_>, at: usize, end: usize) -> (Range<usize>, bool) {
    let start = quote(view, at);
    let (from, Some(quote)) = opening(view, start) else { return (at..end, false) };
    let mut close = quoted_end(view, from, &quote);
    // Two quotes within the value stand for one.
    while view.bytes.get(close..close + quote.len()) == view.bytes.get(quote.clone())
        && view.bytes.get(close + quote.len()..close + 2 * quote.len())
            == view.bytes.get(quote.clone())
        && close < end
    {
        close = quoted_end(view, close + 2 * quote.len(), &quote);
    }
    (from..close.min(end.max(from)), true)
}

#[cfg(test)]
mod tests {
    use super::super::tests::value;
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let view = value(text);
        let Some(at) = (0..text.len()).find(|&at| may_insert(view, at)) else { return vec![] };
        let Some(columns) = columns(view, at) else { return vec![] };
        let close = columns.end;
        let wanted: Vec<usize> = names(view, columns)
            .enumerate()
            .filter(|(_, (name, _))| *name == "password")
            .map(|(column, _)| column)
            .collect();
        let mut found = Vec::new();
        values(view, close, &mut |given| {
            if wanted.contains(&given.column) {
                found.push(&text[given.range.clone()]);
            }
        });
        found
    }

    #[test]
    fn values_are_found_by_their_columns() {
        for (text, expect) in [
            ("INSERT INTO u (name, password) VALUES ('bob', 'hunter2')", &["hunter2"][..]),
            ("insert into u(password,name) values('hunter2','bob')", &["hunter2"]),
            (
                "INSERT INTO `a`.`u` (`n`, `password`) VALUES (1, 'x1'), (2,\"x2\") ON CONFLICT",
                &["x1", "x2"],
            ),
            (r#"INSERT INTO \"u\" (\"a\", \"password\") VALUES ('it''s', 'x''2')"#, &["x''2"]),
            (r"INSERT INTO u (a,\n  password\n) VALUES\n (\'b\',\n \'hunter2\')", &["hunter2"]),
            ("INSERT IGNORE INTO u (a, password) VALUES (NOW(), N'hunter2')", &["hunter2"]),
            (
                "INSERT INTO u (a, password, b) VALUES (f(1,','), crypt('hunter2', g('bf')), 'x')",
                &["hunter2"],
            ),
            ("INSERT INTO u (password) OUTPUT INSERTED.id VALUES ('hunter2'::text)", &["hunter2"]),
            ("REPLACE INTO u (a, password) VALUES ('b', 'hunter2')", &["hunter2"]),
            ("UPSERT INTO u (a, password) VALUES ('b', 'hunter2')", &["hunter2"]),
            ("merge into u (a, password) key(a) values ('b', 'hunter2')", &["hunter2"]),
            ("MERGE INTO u (a, password) SELECT (x) VALUES ('b', 'hunter2')", &[]),
            ("INSERT INTO u (password) VALUES ($1)", &["$1"]),
            ("INSERT INTO u (a, password) VALUES ('b', 'hunt", &["hunt"]),
            ("INSERT INTO u (a, password) VALUES ('b'", &[]),
            ("INSERT INTO u VALUES ('bob', 'hunter2')", &[]),
            ("INSERT INTO u (a, password) SELECT b, c FROM (d)", &[]),
            ("look into it (password) values (x)", &["x"]),
            ("went into u (password", &[]),
        ] {
            assert_eq!(found(text), expect, "{text}");
        }
    }
}
