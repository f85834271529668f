//! Whether what is assigned to a secret's name is a secret: `password=…`, quoted or not, at any level
//! of escaping; and parameters of URL queries.

use std::ops::Range;

use memchr::memmem;

use super::super::keys::trimmed;
use super::name::Assigned;
use super::pem::is_varied;
use super::value::{is_constant, is_placeholder, is_prose, value, words_end, wrapped};
use super::{Looked, View, is_token68, is_word};

/// What a rule takes for a secret where a value is assigned in running text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in super::super) enum Judge {
    /// Anything but placeholders: people choose passwords like words.
    #[default]
    Any,
    /// The same, and the words that go on with it where no quotes say how far it goes: names and addresses have
    /// several.
    Words,
    /// What a machine made: long, or with digits in it.
    Random,
    /// As [`Judge::Random`], after a name of several words: that may be a sentence, and a path or an
    /// identifier follow.
    #[serde(skip)]
    Prose,
    /// The value of an `Authorization` header.
    Header,
    /// The values in a `Cookie` or `Set-Cookie` header.
    Cookie,
    /// Long, and as varied as chance makes it; no digest, no UUID.
    Entropy,
}

/// The value to take out, if the rule's judge takes it for a secret.
pub(in super::super) fn judge(view: View<'_>, assigned: &Assigned<'_>, judge: Judge) -> Looked {
    let (mut range, bare) = if assigned.tag {
        (content(view, assigned.value), true)
    } else {
        value(view, wrapped(view, assigned.value), assigned.in_query(view))
    };
    if judge == Judge::Words && bare && !assigned.tag && !assigned.in_query(view) {
        range.end = words_end(view, range.clone());
    }
    let end = range.end;
    let secret = is_secret(view, assigned, judge, &range, bare);
    Looked { secret: secret.then_some((range, bare)), end }
}

/// An element's content, up to the next tag.
fn content(view: View<'_>, at: usize) -> Range<usize> {
    const DATA: &[u8] = b"<![CDATA[";
    if view.has(at, DATA) {
        let from = at + DATA.len();
        let rest = view.bytes.get(from..).unwrap_or_default();
        return from..memmem::find(rest, b"]]>").map_or(view.bytes.len(), |end| from + end);
    }
    at..view.run(at, usize::MAX, |byte| !matches!(byte, b'<' | b'\n'))
}

fn is_secret(
    view: View<'_>,
    assigned: &Assigned<'_>,
    judge: Judge,
    range: &Range<usize>,
    bare: bool,
) -> bool {
    let text = view.bytes.get(range.clone()).unwrap_or_default();
    let bracketed = text.starts_with(b"<") && view.at(range.end) == b'>';
    // `"PASS <password>"` is no element.
    let nothing = assigned.tag && !text.iter().any(|&byte| is_word(byte) || byte >= 0x80);
    if text.is_empty()
        || is_placeholder(view, text)
        || bracketed
        || assigned.in_mask(view)
        || nothing
    {
        return false;
    }
    // A statement's marker: `password = :password`, `password = @password`.
    let marker = match text {
        [b':' | b'@', name @ ..] => name,
        _ => b"",
    };
    if bare && marker.eq_ignore_ascii_case(assigned.key.as_bytes()) {
        return false;
    }
    // The shell's working directory.
    let shell = trimmed(assigned.key.as_bytes()).to_ascii_lowercase().ends_with(b"pwd");
    if shell && matches!(text.first(), Some(b'/' | b'~')) {
        return false;
    }
    match judge {
        Judge::Any | Judge::Words => {
            let word = text.iter().all(u8::is_ascii_alphabetic);
            !((bare && is_constant(text)) || (assigned.prose && word && is_prose(text)))
        }
        Judge::Random | Judge::Header | Judge::Cookie => {
            is_random(text, if bare { 16 } else { 12 })
        }
        Judge::Entropy => is_entropic(text),
        Judge::Prose => {
            let path = matches!(text, [b'/' | b'~', ..] | [b'.', b'/', ..]);
            let letters = text.iter().any(|byte| !byte.is_ascii_digit());
            let digits = text.iter().any(u8::is_ascii_digit);
            !path && digits && is_random(text, 12) && (text.len() >= 12 || !letters)
        }
    }
}

/// Whether a text looks as if a machine had made it: `long` bytes, or fewer with digits.
fn is_random(text: &[u8], long: usize) -> bool {
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits == text.len() {
        return digits >= 8;
    }
    text.len() >= long || (text.len() >= 6 && digits > 0)
}

/// Least bytes of a text that chance made, and bits of each.
const LEAST_ENTROPIC: (usize, f32) = (20, 3.5);

/// Whether a text is as varied as only chance makes it, and none of what machines give out as names: a
/// UUID, a digest, an identifier in base32, a path, words joined.
pub(in super::super) fn is_entropic(text: &[u8]) -> bool {
    let has = |wanted: fn(&u8) -> bool| text.iter().any(wanted);
    let mixed =
        has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    let plain = text.iter().all(|byte| is_token68(*byte) || *byte == b'=');
    let parts = text.iter().filter(|byte| matches!(byte, b'/' | b'.')).count();
    if text.len() < LEAST_ENTROPIC.0
        || !mixed
        || !plain
        || parts > text.len() / 10
        || !is_varied(text)
    {
        return false;
    }
    let mut counts = [0_u16; 256];
    let counted = text.get(..text.len().min(1024)).unwrap_or(text);
    for byte in counted {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let all = counted.len() as f32;
    let bits = |count: &u16| {
        let share = f32::from(*count) / all;
        -share * share.log2()
    };
    counts.iter().filter(|count| **count > 0).map(bits).sum::<f32>() >= LEAST_ENTROPIC.1
}

/// Whether such a text may begin behind a name in a raw record, in which it may be escaped: what stands before
/// it is no part of one.
pub(in super::super) fn may_be_entropic(view: View<'_>, assigned: &Assigned<'_>) -> bool {
    const BEFORE: usize = 64;
    let part =
        |byte: u8| is_token68(byte) || matches!(byte, b'=' | b'\\' | b'%' | b'&' | b'#' | b';');
    let outside = |byte: u8| !part(byte) || byte == b'\\';
    let value = wrapped(view, assigned.value);
    let from = view.run(value, BEFORE, outside);
    assigned.tag
        || from - value == BEFORE
        || view.run(from, LEAST_ENTROPIC.0, part) - from == LEAST_ENTROPIC.0
}

/// A parameter of a URL's query that holds a secret though its name is an everyday one.
pub(in super::super) fn query(view: View<'_>, assigned: &Assigned<'_>) -> Looked {
    if !assigned.in_query(view) {
        return Looked { secret: None, end: assigned.value };
    }
    let end = view.run(assigned.value, usize::MAX, |byte| {
        !matches!(
            byte,
            0..=b' ' | b'&' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'\\' | b';' | b',' | b')'
        )
    });
    let range = assigned.value..end;
    let text = view.bytes.get(range.clone()).unwrap_or_default();
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    let random = (text.len() >= 8 && digits > 0) || text.len() >= 20;
    let secret = random && !is_placeholder(view, text);
    Looked { secret: secret.then_some((range, false)), end }
}

#[cfg(test)]
mod tests {
    use super::super::super::keys::Keys;
    use super::super::tests::value;
    use super::super::{assignment, authorization};
    use super::{Judge, judge, query};

    fn found(text: &str, how: Judge) -> Option<&str> {
        let mut keys = Keys::default();
        keys.add("password", 0);
        keys.add("pwd", 0);
        keys.add("token", 0);
        keys.add("authorization", 0);
        text.bytes().enumerate().filter(|(_, byte)| b"=:".contains(byte)).find_map(|(at, _)| {
            let assigned = assignment(value(text), at, &keys)?;
            keys.find(assigned.key, &[])?;
            let range = match how {
                Judge::Header => authorization(value(text), &assigned),
                how => judge(value(text), &assigned, how),
            };
            text.get(range.secret?.0)
        })
    }

    #[test]
    fn values_are_found_in_every_spelling() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(found(text, Judge::Any), expect, "{text}");
        };
        check("password=hunter2 next", Some("hunter2"));
        check("password = hunter2", Some("hunter2"));
        check("db_password: hunter2", Some("hunter2"));
        check("password:hunter2,user=x", Some("hunter2"));
        check("password=a,b;c host=x", Some("a,b;c"));
        check("Password=hun;Server=db", Some("hun"));
        check("password => 'hunter 2', x", Some("hunter 2"));
        check("password := hunter2", Some("hunter2"));
        check(r#"{"password":"hunter\"2","a":1}"#, Some(r#"hunter\"2"#));
        check(r#"{\"password\":\"hunter2\",\"a\":1}"#, Some("hunter2"));
        check(r#"{\"password\":\"hun\\\"ter\",\"a\":1}"#, Some(r#"hun\\\"ter"#));
        check(r#"{"password":12345}"#, Some("12345"));
        check("password=\"no end", Some("no end"));
        check("(password=hunter2)", Some("hunter2"));
        check("password=hun)ter2", Some("hun)ter2"));
        check("config['password'] = 'x1'", Some("x1"));
        check("/?password=hunter2&x=1", Some("hunter2"));
        check("password=[hunter2]", Some("hunter2"));
        check("password2=hunter2", Some("hunter2"));
        check("password=hunter2\\nnext", Some("hunter2"));
        check("password=$ecret1", Some("$ecret1"));
        check("password=$UMMER2026", Some("$UMMER2026"));
        check("password=${DB_PASS:-hunter2}", Some("${DB_PASS:-hunter2"));
        check("password=@passwords", Some("@passwords"));
    }

    #[test]
    fn placeholders_constants_and_prose_are_left() {
        for text in [
            "password=${DB_PASSWORD}",
            "password=null",
            "password: true",
            "password=***",
            "password=[PASSWORD]",
            "password=[PASSWORD:abcdefghij]",
            "password: incorrect",
            "password changed",
            "PWD=/root",
            "password=",
            "password=\"\"",
            "password=%s",
            "password=<hidden>",
            "[PASSWORD:abcdefghij]",
            "password_changed=1",
            "password=$DB_PASSWORD",
            "password=\"$DB_PASSWORD\"",
            "password=%DB_PASSWORD%",
            "password=$1",
            "password=#{password}",
            "password={{ password }}",
            "password=%(password)s",
            "password=<%= password %>",
            "password=${{ secrets.DB }}",
            "password = :password",
            "password=@password",
        ] {
            assert_eq!(found(text, Judge::Any), None, "{text}");
        }
    }

    #[test]
    fn random_values_have_digits_or_length() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(found(text, Judge::Random), expect, "{text}");
        };
        check("token=abc123", Some("abc123"));
        check("token=abcdefghijklmnop", Some("abcdefghijklmnop"));
        check("token: 12345678", Some("12345678"));
        check("token=4711", None);
        check("token=expired", None);
        check("token: identifier", None);
    }

    #[test]
    fn headers_lose_their_credentials_and_keep_their_scheme() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(found(text, Judge::Header), expect, "{text}");
        };
        check("Authorization: Bearer abc", Some("abc"));
        check("authorization: Basic dTpw\r\nHost: x", Some("dTpw"));
        check(r#""Authorization":"Token a.b-c==","x":1"#, Some("a.b-c=="));
        check(
            "Authorization: Digest username=\"u\", response=\"r\"",
            Some("username=\"u\", response=\"r\""),
        );
        check("Proxy-Authorization: abcdef123", Some("abcdef123"));
        check("'authorization': ['Bearer abc']", Some("abc"));
        check("Authorization: Bearer [AUTHORIZATION]", None);
        check("Authorization: required", None);
        check("authorization=none", None);
    }

    #[test]
    fn query_parameters_need_a_query() {
        let mut keys = Keys::default();
        keys.allow(b"key");
        let check = |text: &str, expect: Option<&str>| {
            let at = text.find("=").unwrap();
            let assigned = assignment(value(text), at, &keys).unwrap();
            let found = query(value(text), &assigned).secret;
            assert_eq!(found.map(|(range, _)| &text[range]), expect, "{text}");
        };
        check("/x?key=abcdef12&y=1", Some("abcdef12"));
        check("/x?key=user:1", None);
        check("/x?key=customer-list", None);
        check("key=abcdef12", None);
    }
}
