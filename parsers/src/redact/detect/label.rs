//! Two fields of CEF that belong together: `cs1Label=password cs1=hunter2`. The one says what the
//! other is called.

use std::ops::Range;

use super::super::keys::is_member;
use super::View;
use super::name::Assigned;

/// Bytes around a label in which its field is looked for.
pub(in super::super) const NEAR: usize = 512;

/// What the field holds that a label belongs to, and the rule that `rule` has for the label.
pub(in super::super) fn labelled(
    view: View<'_>,
    assigned: &Assigned<'_>,
    rule: impl Fn(&str) -> Option<u16>,
) -> Option<(u16, Range<usize>)> {
    let field = assigned.key.strip_suffix("Label").filter(|field| !field.is_empty())?;
    if view.before(assigned.value, 1) != b'=' {
        return None;
    }
    let end = value_end(view, assigned.value);
    let label = std::str::from_utf8(view.bytes.get(assigned.value..end)?).ok()?;
    let rule = rule(label)?;
    let wanted = format!("{field}=");
    let within = |window: Range<usize>| {
        let bytes = view.bytes.get(window.clone())?;
        memchr::memmem::find_iter(bytes, wanted.as_bytes())
            .map(|at| window.start + at)
            .find(|&at| matches!(view.before(at, 1), 0 | b' ' | b'|'))
    };
    let behind = || within(end..view.bytes.len().min(end + NEAR));
    let before = || within(assigned.value.saturating_sub(NEAR)..assigned.value);
    let from = behind().or_else(before)? + wanted.len();
    let range = from..value_end(view, from);
    let masked = view.bytes.get(range.clone()).is_some_and(|text| view.masks.has(text));
    (!range.is_empty() && !masked).then_some((rule, range))
}

/// Where a value ends that may have blanks: before the next `name=`, or with its line.
fn value_end(view: View<'_>, from: usize) -> usize {
    let mut place = from;
    loop {
        place = view.run(place, NEAR, |byte| !matches!(byte, b'=' | b'\n' | b'\r' | b'"'));
        if view.at(place) != b'=' || place - from > NEAR {
            return place;
        }
        let word = view.run_back(place, place - from, is_member);
        if view.before(place, 1) != b'\\' && word > from && view.before(word, 1) == b' ' {
            return view.run_back(word, word - from, |byte| byte == b' ');
        }
        place += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::keys::Keys;
    use super::super::assignment;
    use super::super::tests::value;
    use super::*;

    #[test]
    fn a_label_names_the_field_beside_it() {
        let check = |text: &str, expect: Option<&str>| {
            let mut keys = Keys::default();
            keys.add("password", 4);
            keys.add("api key", 4);
            keys.allow(b"label");
            let at = text.find("Label=").unwrap() + 5;
            let assigned = assignment(value(text), at, &keys).unwrap();
            let found = labelled(value(text), &assigned, |name| keys.find(name, &[]));
            assert_eq!(found.map(|(_, range)| &text[range]), expect, "{text}");
        };
        check("|5|cs1Label=password cs1=hunter2 x=y", Some("hunter2"));
        check("|5|cs1Label=password cs1=two words", Some("two words"));
        check("|5|cs1=a\\=b c cs1Label=API Key x=y", Some("a\\=b c"));
        check("|5|src=x cs1Label=user cs1=bob", None);
        check("|5|cs1Label=password cs2=bob xcs1=y", None);
        check("|5|cs1Label=password cs1=[PASSWORD] x=y", None);
        check("|5|cs1Label=password", None);
    }
}
