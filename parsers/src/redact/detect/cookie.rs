//! Cookies of `Cookie` and `Set-Cookie` headers: the values, not the names and the attributes.

use std::ops::Range;

use super::authorization::header_end;
use super::name::Assigned;
use super::value::opening;
use super::{Masks, View};

/// What stands between the cookies of a header and is none (RFC 6265, section 5.2, and later drafts).
const ATTRIBUTES: &[&[u8]] =
    &[b"expires", b"max-age", b"domain", b"path", b"samesite", b"priority", b"version"];

/// The values of the cookies in a header, told to `each`; where the header ends. `None` if what
/// stands behind the name is no `name=value`.
pub(in super::super) fn cookies(
    view: View<'_>,
    assigned: &Assigned<'_>,
    each: &mut dyn FnMut(Range<usize>),
) -> Option<usize> {
    let (mut from, mut quote) = opening(view, assigned.value);
    if view.at(from) == b'[' {
        (from, quote) = opening(view, from + 1);
    }
    let bare = quote.is_none() && assigned.around(view).is_none();
    let end = match quote.or_else(|| assigned.around(view)) {
        None => view.bytes.len(),
        quote => header_end(view, from, quote),
    };
    values(view, from..end, bare, each)
}

/// The same of a text that is nothing but the header's value.
pub(in super::super) fn cookie_values(text: &str, masks: &Masks) -> Vec<Range<usize>> {
    let view = View { bytes: text.as_bytes(), bounded: true, masks };
    let mut found = Vec::new();
    let pairs = values(view, 0..text.len(), false, &mut |range| found.push(range));
    if pairs.is_none() && !masks.has(text.as_bytes()) {
        found.push(0..text.len());
    }
    found
}

/// Cookies apart by `;`. In running text (`bare`) a blank within one ends the header.
fn values(
    view: View<'_>,
    header: Range<usize>,
    bare: bool,
    each: &mut dyn FnMut(Range<usize>),
) -> Option<usize> {
    let left = |place: usize, most: usize| header.end.saturating_sub(place).min(most);
    let mut place = header.start;
    let mut first = true;
    while place < header.end {
        let start = view.run(place, left(place, 16), |byte| matches!(byte, b' ' | b'\t'));
        let equals = view.run(start, left(start, LONGEST), is_name);
        let pair = view.at(equals) == b'=' && start < equals && equals < header.end;
        if first && !pair {
            return None;
        }
        let name = view.bytes.get(start..equals).unwrap_or_default();
        let attribute = !first && ATTRIBUTES.iter().any(|known| name.eq_ignore_ascii_case(known));
        let mut after = equals;
        if pair && !attribute {
            let value = value(view, equals + 1, header.end, bare);
            let text = view.bytes.get(value.clone()).unwrap_or_default();
            if !text.is_empty() && !view.masks.has(text) {
                each(value.clone());
            }
            after = view.run(value.end, left(value.end, 8), is_quote);
        } else if pair {
            after = view.run(equals, left(equals, LONGEST), |byte| !ends_cookie(byte));
        }
        let blanks = |byte: u8| matches!(byte, b' ' | b'\t') && !bare;
        after = view.run(after, left(after, 16), blanks);
        if view.at(after) != b';' || after >= header.end {
            // A sentence goes on behind `;`.
            return Some(if bare && !pair { start } else { after });
        }
        first = false;
        place = after + 1;
    }
    Some(header.end)
}

/// Bytes of a cookie's name, or of an attribute, that are looked at.
const LONGEST: usize = 256;

const fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`' | b'\\')
}

const fn ends_cookie(byte: u8) -> bool {
    matches!(byte, b';' | b'\n' | b'\r')
}

/// A cookie's value from `from` on, at most to `to`, without its quotes.
fn value(view: View<'_>, from: usize, to: usize, bare: bool) -> Range<usize> {
    let (inside, quote) = opening(view, from);
    if quote.is_some() && inside < to {
        return inside..view.run(inside, to - inside, |byte| !is_quote(byte));
    }
    let end = view.run(from, to - from, |byte| !(ends_cookie(byte) || (bare && byte <= b' ')));
    let mask = from..view.run(from, end - from, |byte| byte != b']') + 1;
    if view.bytes.get(mask.clone()).is_some_and(|text| view.masks.has(text)) {
        return mask;
    }
    // What closes a list or a sentence is no part of it.
    let closes = |byte: u8| match byte {
        b' ' | b'\t' => true,
        b',' | b'.' | b')' | b']' | b'}' | b'"' | b'\'' | b'\\' => bare,
        _ => false,
    };
    from..view.run_back(end, end - from, closes)
}

/// What a cookie's name is made of (RFC 9110's token).
const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::super::super::keys::Keys;
    use super::super::assignment;
    use super::super::tests::value;
    use super::*;

    /// The header with its values replaced by `#`.
    fn emptied(text: &str) -> String {
        let mut keys = Keys::default();
        keys.add("cookie", 0);
        let at = text.find([':', '=']).unwrap();
        let assigned = assignment(value(text), at, &keys).unwrap();
        let (mut out, mut from) = (String::new(), 0);
        let end = cookies(value(text), &assigned, &mut |range| {
            out.push_str(&text[from..range.start]);
            out.push('#');
            from = range.end;
        });
        assert!(end.is_none_or(|end| end >= from && end <= text.len()), "{text}");
        out + &text[from..]
    }

    #[test]
    fn values_go_and_names_and_attributes_stay() {
        let check = |text: &str, expect: &str| assert_eq!(emptied(text), expect, "{text}");
        check("Cookie: a=b; c=d", "Cookie: a=#; c=#");
        check("Cookie: a=b; c=d\r\nHost: x", "Cookie: a=#; c=#\r\nHost: x");
        check(
            "Set-Cookie: sid=abc; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly",
            "Set-Cookie: sid=#; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly",
        );
        check("cookie=\"a=b; c=d\" status=200", "cookie=\"a=#; c=#\" status=200");
        check("curl -H 'Cookie: a=b; c=d' http://x", "curl -H 'Cookie: a=#; c=#' http://x");
        check("Cookie: a=b, next", "Cookie: a=#, next");
        check("(cookie: a=b)", "(cookie: a=#)");
        check("cookie: a=b; then it ended", "cookie: a=#; then it ended");
        check("cookie: a=b status=200; x=y", "cookie: a=# status=200; x=y");
        check("cookie=a=\"x y\"; b=c", "cookie=a=\"#\"; b=#");
        check(r#"{\"cookie\":\"a=b; c=d==\",\"n\":1}"#, r#"{\"cookie\":\"a=#; c=#\",\"n\":1}"#);
        check("cookie: path=/x; Path=/", "cookie: path=#; Path=/");
        check("cookie: a=[E2]; b=c", "cookie: a=[E2]; b=#");
        for text in
            ["cookie: none", "cookie: a; b=c", "cookie: ", "cookie: =x", "cookie: the=rest is"]
        {
            let expect = text.replace("the=rest", "the=#");
            check(text, &expect);
        }
    }

    #[test]
    fn a_value_alone_is_emptied_or_goes_whole() {
        let of = |text: &str| cookie_values(text, value("").masks);
        assert_eq!(of("a=b; c=d"), [2..3, 7..8]);
        assert_eq!(of("abc").first(), Some(&(0..3)));
        assert!(of("[E2]").is_empty());
    }
}
