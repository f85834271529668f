//! A name that is itself a value, and what stands beside it: `name="password" value="hunter2"`,
//! `{Name:PASSWORD,Value:hunter2}`, `<name>password</name><value>hunter2</value>`.

use std::ops::Range;

use super::super::rules::PAIRED;
use super::name::Assigned;
use super::value::value;
use super::{View, is_word};

/// Bytes of a name at most, and between it and its value.
const LONGEST: usize = 96;

/// What is assigned to the name that is assigned here.
pub(in super::super) fn pair<'t>(view: View<'t>, assigned: &Assigned<'t>) -> Option<Assigned<'t>> {
    if !PAIRED.iter().any(|name| assigned.key.eq_ignore_ascii_case(name)) {
        return None;
    }
    if assigned.tag {
        return elements(view, assigned);
    }
    let head = View {
        bytes: view.bytes.get(..view.bytes.len().min(assigned.value_at() + LONGEST))?,
        ..view
    };
    let (name, bare) = value(head, assigned.value_at(), false);
    let key = key(view, &name)?;
    // Quotes, and what parts the two.
    let from = if bare {
        name.end
    } else {
        view.run(name.end, 8, |byte| matches!(byte, b'\\' | b'"' | b'\''))
    };
    if !bare && view.at(from) == b'>' && view.before(from, 1) != b'/' {
        return Some(Assigned::in_tag(key, name, from + 1));
    }
    let window = from..view.run(from, LONGEST, |byte| !matches!(byte, b'{' | b'}' | b'<' | b'>'));
    let bytes = view.bytes.get(window.clone())?;
    let mut words =
        bytes.windows(5).enumerate().filter(|(_, word)| word.eq_ignore_ascii_case(b"value"));
    words.find_map(|(at, _)| {
        let start = window.start + at;
        if is_word(view.before(start, 1)) {
            return None;
        }
        let (quote, sign) = sign(view, start + 5)?;
        Some(Assigned::beside(key, name.clone(), quote, sign))
    })
}

/// The quote after a name, and where the value begins behind its `=` or `:`.
fn sign(view: View<'_>, end: usize) -> Option<(Range<usize>, usize)> {
    let slashes = view.run(end, 8, |byte| byte == b'\\');
    let quoted = matches!(view.at(slashes), b'"' | b'\'');
    let quote = end..if quoted { slashes + 1 } else { end };
    let blanks = view.run(quote.end, 8, |byte| byte == b' ');
    let sign = view.run(blanks, 2, |byte| matches!(byte, b'=' | b':' | b'>'));
    let value = view.run(sign, 8, |byte| byte == b' ');
    (sign > blanks && value < view.bytes.len()).then_some((quote, value))
}

/// `<name>password</name>`, and `<value>` behind it.
fn elements<'t>(view: View<'t>, assigned: &Assigned<'t>) -> Option<Assigned<'t>> {
    let start = assigned.value_at();
    let name = start..view.run(start, LONGEST, |byte| !matches!(byte, b'<' | b'>'));
    let close = view.run(name.end, LONGEST, |byte| byte != b'>') + 1;
    let next = view.run(close, LONGEST, |byte| byte.is_ascii_whitespace());
    let open = view.run(next, LONGEST, |byte| byte != b'>');
    let own = view.bytes.get(next..open)?.to_ascii_lowercase();
    let end = own.ends_with(b"value") && own.starts_with(b"<") && !own.contains(&b'/');
    (view.has(name.end, b"</") && end)
        .then(|| key(view, &name).map(|key| Assigned::in_tag(key, name, open + 1)))?
}

/// The text of a name.
fn key<'t>(view: View<'t>, name: &Range<usize>) -> Option<&'t str> {
    let text =
        view.bytes.get(name.clone()).filter(|text| !text.is_empty() && text.len() < LONGEST)?;
    std::str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::super::super::keys::Keys;
    use super::super::tests::value;
    use super::super::{Judge, assignment, judge};
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let mut keys = Keys::default();
        keys.add("password", 0);
        keys.allow_alone(b"name");
        keys.allow_alone(b"key");
        let at = text.find(['=', ':', '>']).unwrap();
        let assigned = assignment(value(text), at, &keys)?;
        let assigned = pair(value(text), &assigned)?;
        keys.find(assigned.key, &[])?;
        let range = judge(value(text), &assigned, Judge::Any).secret?.0;
        Some(&text[range])
    }

    #[test]
    fn what_stands_beside_a_name_is_found() {
        for text in [
            r#"name="password" value="hunter2"/>"#,
            r#"key="Password" value="hunter2" />"#,
            r#"name="password" type="text" value='hunter2'>"#,
            r#"name=\"password\" value=\"hunter2\">"#,
            r#"{"key":"password","value":"hunter2"}"#,
            r#"{\"key\":\"password\",\"value\":\"hunter2\"}"#,
            "{'name': 'db_password', 'value': 'hunter2'}",
            "{Name:DB_PASSWORD,Value:hunter2,ValueFrom:nil,}",
            "[name=password, value=hunter2]",
            "name: password\n  value: hunter2",
            r#"name="password">hunter2</property>"#,
            "<name>password</name><value>hunter2</value>",
            "<name>password</name>\n  <value>hunter2</value>",
        ] {
            assert_eq!(found(text), Some("hunter2"), "{text}");
        }
        for text in [
            r#"name="user" value="hunter2"/>"#,
            r#"name="password"/>"#,
            r#"name="password" value=""/>"#,
            r#"name="password" value="[PASSWORD]"/>"#,
            r#"{"name":"password"},{"value":"x1"}"#,
            "name=password, values=3",
            "name=password",
            "<name>password</name><type>x</type>",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
