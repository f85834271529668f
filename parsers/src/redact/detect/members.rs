//! An object behind a secret's name in running text, `password={"a":"hunter2"}`: whatever its members
//! are called, what they say goes.

use std::ops::Range;

use super::View;
use super::name::Assigned;
use super::value::{is_constant, is_placeholder, opening, quoted_end, wrapped};

/// The values in an object, told to `each`; where it ends. `None` if no object stands behind the name.
pub(in super::super) fn members(
    view: View<'_>,
    assigned: &Assigned<'_>,
    each: &mut dyn FnMut(Range<usize>),
) -> Option<usize> {
    let open = wrapped(view, assigned.value);
    if assigned.tag || view.at(open) != b'{' || view.at(open + 1) == b'{' {
        return None;
    }
    let mut depth = 0_usize;
    let mut place = open;
    while place < view.bytes.len() {
        match view.at(place) {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(place + 1);
                }
            }
            b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' | b'=' | b'>' | b';' => {}
            _ => {
                place = member(view, place, each);
                continue;
            }
        }
        place += 1;
    }
    Some(place)
}

/// One name or value from `at` on, in quotes or not; the place after it.
fn member(view: View<'_>, at: usize, each: &mut dyn FnMut(Range<usize>)) -> usize {
    let (from, quote) = opening(view, at);
    let bare = |byte: u8| {
        !matches!(
            byte,
            0..=b' ' | b',' | b':' | b'=' | b'{' | b'}' | b'[' | b']' | b'(' | b')' | b';'
        )
    };
    let end = match &quote {
        Some(quote) => quoted_end(view, from, quote),
        None => view.run(from, usize::MAX, bare),
    };
    let after = (end + quote.as_ref().map_or(0, Range::len)).max(at + 1);
    let next = view.run(after, 16, |byte| byte.is_ascii_whitespace());
    let text = view.bytes.get(from..end).unwrap_or_default();
    let name = matches!(view.at(next), b':' | b'=');
    let number =
        quote.is_none() && text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-'));
    let nothing = text.is_empty() || is_placeholder(view, text);
    if !(name || number || nothing || (quote.is_none() && is_constant(text))) {
        each(from..end);
    }
    after
}

#[cfg(test)]
mod tests {
    use super::super::super::keys::Keys;
    use super::super::assignment;
    use super::super::tests::value;
    use super::*;

    #[test]
    fn whatever_members_are_called_their_values_are_found() {
        let check = |text: &str, expect: Option<&[&str]>| {
            let mut keys = Keys::default();
            keys.add("password", 0);
            let at = text.find([':', '=']).unwrap();
            let assigned = assignment(value(text), at, &keys).unwrap();
            let mut found = Vec::new();
            let end = members(value(text), &assigned, &mut |range| found.push(&text[range]));
            assert_eq!(end.is_some().then_some(found.as_slice()), expect, "{text}");
        };
        check(r#"password={"a":"hunter2"} x="y""#, Some(&["hunter2"]));
        check(r#"password={"a":{"b":["w","y z"]},"n":17,"t":true}"#, Some(&["w", "y z"]));
        check("password: {'a': 'hunter2', 'b': None}", Some(&["hunter2"]));
        check("password={a: hunter2, b => x1}", Some(&["hunter2", "x1"]));
        check(r#"{\"password\":{\"a\":\"hun\\\"ter\"},\"b\":1}"#, Some(&[r#"hun\\\"ter"#]));
        check(r#"password={"a":"hunt"#, Some(&["hunt"]));
        check("password={}", Some(&[]));
        check("password={name}", Some(&["name"]));
        check(r#"password={"a":"[PASSWORD]"}"#, Some(&[]));
        check("password={{ name }}", None);
        check("password=x", None);
    }
}
