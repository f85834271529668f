//! `password=…` in all its spellings: a name, `=` or `:`, and a value, quoted or not, at any level
//! of escaping; `Authorization` headers and secrets in URL queries with it.

use std::ops::Range;

use super::super::keys::{Keys, without_digits};
use super::value::{is_constant, is_placeholder, is_prose, opening, value, wrapped};
use super::{View, is_word, token68_end};

/// What a rule takes for a secret where a value is assigned in running text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in super::super) enum Judge {
    /// Anything but placeholders: people choose passwords like words.
    #[default]
    Any,
    /// What a machine made: long, or with digits in it.
    Random,
    /// The value of an `Authorization` header.
    Header,
}

/// A name and where its value begins.
#[derive(Clone, Debug)]
pub(in super::super) struct Assigned<'t> {
    /// The name as written.
    pub(in super::super) key: &'t str,
    /// Where the name begins.
    start: usize,
    /// The byte after `=` or `:`, and blanks.
    value: usize,
    /// The quote that ends the name, with the backslashes before it.
    quote: Range<usize>,
    /// Whether blanks stand between `:` and the value, as in prose.
    prose: bool,
    /// Whether it is an XML element's name, which ends at `>`.
    tag: bool,
}

impl Assigned<'_> {
    /// The quotes that a bare JSON number needs when text takes its place.
    pub(in super::super) fn quote(&self) -> Range<usize> {
        self.quote.clone()
    }

    /// The name without its first letter, if a backslash before it may make an escape of that.
    pub(in super::super) fn after_escape(&self, view: View<'_>) -> Option<&str> {
        let letter = matches!(view.at(self.start), b'n' | b'r' | b't');
        (letter && view.before(self.start, 1) == b'\\').then(|| self.key.get(1..)).flatten()
    }

    /// Whether the name is a parameter of a URL.
    fn in_query(&self, view: View<'_>) -> bool {
        matches!(view.before(self.start, 1), b'?' | b'&' | b';')
            || view.bytes.get(..self.start).is_some_and(|before| before.ends_with(b"&amp;"))
            || view.bytes.get(..self.start).is_some_and(|before| before.ends_with(b"\\u0026"))
    }
}

/// Whether a name that some rule has may stand before an `=` or `:`. Almost all names are plain words,
/// perhaps in quotes, and no rule's: a few bytes tell.
#[inline]
pub(in super::super) fn may_assign(view: View<'_>, at: usize, keys: &Keys) -> bool {
    let end = at - usize::from(view.before(at, 1) == b'"');
    match end.checked_sub(4).and_then(|from| view.bytes.get(from..end)) {
        Some(&[first, second, third, last]) if last.is_ascii_alphabetic() => {
            // A colour may stand after the name.
            keys.may_end([first, second, third, last]) || view.colour_before(end).is_some()
        }
        _ => true,
    }
}

/// The name before an `=` or `:` at `at`, if it may be one that some rule has.
pub(in super::super) fn assignment<'t>(
    view: View<'t>,
    at: usize,
    keys: &Keys,
) -> Option<Assigned<'t>> {
    let mut end = at;
    if view.before(end, 1) == b':' {
        end -= 1;
    }
    end = view.before_blanks(end);
    let quote_end = end;
    if matches!(view.before(end, 1), b'"' | b'\'' | b'`') {
        end = view.run_back(end - 1, 8, |byte| byte == b'\\');
    }
    let quote = end..quote_end;
    if view.before(end, 1) == b']' && quote.is_empty() {
        end -= 1;
        if matches!(view.before(end, 1), b'"' | b'\'') {
            end -= 1;
        }
    }
    let letters = view.run_back(end, 3, |byte| byte.is_ascii_digit());
    if !keys.may_end([4, 3, 2, 1].map(|by| view.before(letters, by))) {
        return None;
    }
    let member = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') || byte >= 0x80
    };
    let start = view.word_start(view.run_back(end, 64, member)).min(end);
    if view.at(at) == b'>' && !is_tag(view, start, end == at) {
        return None;
    }
    let key = std::str::from_utf8(view.bytes.get(start..end)?).ok()?;
    let after = view.run(at, 2, |byte| matches!(byte, b'=' | b':' | b'>'));
    let value = view.after_blanks(after);
    let prose = view.at(at) == b':' && value > after && quote.is_empty();
    Some(Assigned { key, start, value, quote, prose, tag: view.at(at) == b'>' })
}

/// Whether a name is an XML element's: `<password>` or `<ns:password>`.
fn is_tag(view: View<'_>, start: usize, closed: bool) -> bool {
    let colon = start.checked_sub(1).filter(|&place| view.at(place) == b':');
    let start = colon.map_or(start, |colon| view.run_back(colon, 64, is_word));
    // After a word it is a type's parameter: `List<Password>`.
    closed && view.before(start, 1) == b'<' && !is_word(view.before(start, 2))
}

/// The value to take out, if the rule's judge takes it for a secret; whether it is a bare word.
pub(in super::super) fn judge(
    view: View<'_>,
    assigned: &Assigned<'_>,
    judge: Judge,
) -> Option<(Range<usize>, bool)> {
    let hashed = view.before(assigned.start, 1) == b'[' && {
        // `[TOKEN:abcdefghij]` is what redaction leaves.
        let end = view.run(assigned.start, 96, |byte| byte != b']');
        view.masks.has(view.bytes.get(assigned.start - 1..=end).unwrap_or_default())
    };
    if hashed {
        return None;
    }
    let (range, bare) = if assigned.tag {
        // An element's content, up to the next tag.
        let end = view.run(assigned.value, usize::MAX, |byte| !matches!(byte, b'<' | b'\n'));
        (assigned.value..end, true)
    } else {
        value(view, wrapped(view, assigned.value))
    };
    let text = view.bytes.get(range.clone())?;
    let bracketed = text.starts_with(b"<") && view.at(range.end) == b'>';
    if text.is_empty() || is_placeholder(view, text) || bracketed {
        return None;
    }
    let lower = without_digits(assigned.key.as_bytes()).to_ascii_lowercase();
    // The shell's working directory.
    if lower.ends_with(b"pwd") && matches!(text.first(), Some(b'/' | b'~')) {
        return None;
    }
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    let secret = match judge {
        Judge::Any => {
            let word = text.iter().all(u8::is_ascii_alphabetic);
            let left = (bare && is_constant(text)) || (assigned.prose && word && is_prose(text));
            !left
        }
        Judge::Random | Judge::Header => {
            let long = if bare { 16 } else { 12 };
            let number = digits == text.len();
            !number && ((text.len() >= 6 && digits > 0) || text.len() >= long)
                || (number && text.len() >= 8)
        }
    };
    secret.then_some((range, bare))
}

/// The value of an `Authorization` header: the credentials without the scheme.
pub(in super::super) fn authorization(
    view: View<'_>,
    assigned: &Assigned<'_>,
) -> Option<Range<usize>> {
    let (mut from, _) = opening(view, wrapped(view, assigned.value));
    if view.at(from) == b'[' && matches!(view.at(from + 1), b'"' | b'\'' | b'B' | b'b') {
        (from, _) = opening(view, from + 1);
    }
    let scheme_end = view.run(from, 24, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let scheme = view.bytes.get(from..scheme_end)?.to_ascii_lowercase();
    let blanks = view.after_blanks(scheme_end);
    let rest_of = |from: usize| {
        view.run(from, usize::MAX, |byte| !matches!(byte, b'\n' | b'\r' | b'\\' | b'|'))
    };
    match scheme.as_slice() {
        b"bearer" | b"basic" | b"token" | b"apikey" | b"negotiate" | b"ntlm" | b"key" | b"dpop"
        | b"jwt"
            if blanks > scheme_end =>
        {
            let end = token68_end(view, blanks);
            (end > blanks).then_some(blanks..end)
        }
        b"digest" | b"signature" | b"oauth" | b"hawk" | b"aws4-hmac-sha256"
            if blanks > scheme_end =>
        {
            let end = rest_of(blanks);
            let masked = view.bytes.get(blanks..).is_some_and(|rest| {
                rest.iter()
                    .position(|byte| *byte == b']')
                    .is_some_and(|end| view.masks.has(&rest[..=end]))
            });
            (end > blanks && !masked).then_some(blanks..end)
        }
        _ => judge(view, assigned, Judge::Header).map(|(range, _)| range),
    }
}

/// A parameter of a URL's query that holds a secret though its name is an everyday one.
pub(in super::super) fn query(view: View<'_>, assigned: &Assigned<'_>) -> Option<Range<usize>> {
    if !assigned.in_query(view) {
        return None;
    }
    let end = view.run(assigned.value, usize::MAX, |byte| {
        !matches!(
            byte,
            0..=b' ' | b'&' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'\\' | b';' | b',' | b')'
        )
    });
    let text = view.bytes.get(assigned.value..end)?;
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    let random = (text.len() >= 8 && digits > 0) || text.len() >= 20;
    (random && !is_placeholder(view, text)).then_some(assigned.value..end)
}

#[cfg(test)]
mod tests {
    use super::super::tests::value;
    use super::{Judge, Keys, assignment, authorization, judge, query};

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
                Judge::Header => authorization(value(text), &assigned)?,
                how => judge(value(text), &assigned, how)?.0,
            };
            text.get(range)
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
            assert_eq!(query(value(text), &assigned).map(|found| &text[found]), expect, "{text}");
        };
        check("/x?key=abcdef12&y=1", Some("abcdef12"));
        check("/x?key=user:1", None);
        check("/x?key=customer-list", None);
        check("key=abcdef12", None);
    }
}
