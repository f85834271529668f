//! Credentials of `Authorization` headers, and those after a bare `Bearer` or `Basic`.

use std::ops::Range;

use super::assign::{Judge, judge};
use super::name::Assigned;
use super::value::{closes, is_constant, is_prose, opening, wrapped};
use super::{Looked, View, is_token68, is_word, token68_end};

/// Schemes after which one token stands (RFC 9110, section 11.4), and what is used like them.
const TOKEN_SCHEMES: &[&[u8]] =
    &[b"bearer", b"basic", b"token", b"apikey", b"negotiate", b"ntlm", b"key", b"dpop", b"jwt"];

/// Schemes whose names are not letters only, or long.
const OTHER_SCHEMES: &[&[u8]] = &[b"aws4-hmac-sha256", b"scram-sha-1", b"scram-sha-256"];

/// Schemes after which parameters stand, or an account and a signature.
const PARAMETER_SCHEMES: &[&[u8]] = &[
    b"aws",
    b"digest",
    b"googlelogin",
    b"hawk",
    b"hmac",
    b"mac",
    b"oauth",
    b"sharedkey",
    b"sharedkeylite",
    b"signature",
];

/// Bytes of a sentence after `authorization:` that are searched for credentials.
const SENTENCE: usize = 256;

/// Words that go on a sentence after `authorization:`, those aside that do after `password:`.
const PROSE: &[&[u8]] = &[
    b"by",
    b"check",
    b"checking",
    b"checks",
    b"code",
    b"completed",
    b"disabled",
    b"enabled",
    b"endpoint",
    b"flow",
    b"from",
    b"grant",
    b"granted",
    b"header",
    b"headers",
    b"in",
    b"module",
    b"of",
    b"on",
    b"only",
    b"passed",
    b"policy",
    b"processing",
    b"request",
    b"server",
    b"service",
    b"skipped",
    b"succeeded",
    b"success",
    b"successful",
    b"successfully",
    b"this",
    b"timed",
    b"to",
    b"type",
    b"using",
    b"via",
    b"with",
    b"without",
];

/// The value of an `Authorization` header: the credentials without the scheme.
pub(in super::super) fn authorization(view: View<'_>, assigned: &Assigned<'_>) -> Looked {
    let (mut from, mut quote) = opening(view, wrapped(view, assigned.value));
    if view.at(from) == b'[' && matches!(view.at(from + 1), b'"' | b'\'' | b'B' | b'b') {
        (from, quote) = opening(view, from + 1);
    }
    let scheme_end = view.run(from, 24, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let blanks = view.after_blanks(scheme_end);
    let scheme = view.bytes.get(from..scheme_end).unwrap_or_default().to_ascii_lowercase();
    let one_of = |schemes: &[&[u8]]| schemes.contains(&scheme.as_slice());
    if blanks == scheme_end || scheme.is_empty() {
        return judge(view, assigned, Judge::Header);
    }
    if one_of(TOKEN_SCHEMES) {
        let end = token68_end(view, blanks);
        // `Token token="…"` has parameters; a quote after padding closes one.
        let (inside, quote) = opening(view, end);
        if view.before(end, 1) != b'=' || quote.is_none() || !is_word(view.at(inside)) {
            let secret = (end > blanks).then_some((blanks..end, false));
            return Looked { secret, end };
        }
    } else if !one_of(OTHER_SCHEMES) {
        // `authorization=abc123 status=200` is two values.
        let pairs = view.before(assigned.value, 1) == b'=' && quote.is_none() && {
            let name = view.run(blanks, 64, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
            view.at(name) == b'='
        };
        let name = scheme.len() < 16
            && scheme.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'-');
        if pairs || !name || is_prose(&scheme) || is_constant(&scheme) || one_of(PROSE) {
            return judge(view, assigned, Judge::Header);
        }
    }
    let plain = quote.is_some() || !assigned.quote().is_empty() || assigned.in_quotes(view);
    let first = view.run(blanks, SENTENCE, |byte| byte > b' ');
    let first = view.bytes.get(blanks..first).unwrap_or_default();
    let known = one_of(TOKEN_SCHEMES)
        || one_of(OTHER_SCHEMES)
        || (one_of(PARAMETER_SCHEMES) && first.iter().any(|byte| matches!(byte, b'=' | b':')));
    if !known && !plain && !is_short(view, assigned, blanks) {
        return sentence(view, blanks);
    }
    let quote = quote.or_else(|| assigned.around(view));
    let end = header_end(view, blanks, quote);
    let text = view.bytes.get(blanks..end).unwrap_or_default();
    let secret = !text.is_empty() && !view.masks.has(text.trim_ascii_end());
    Looked { secret: secret.then_some((blanks..end, false)), end }
}

/// Whether a header stands on a line of its own, with one or two words after the scheme.
fn is_short(view: View<'_>, assigned: &Assigned<'_>, from: usize) -> bool {
    let line = |byte: u8| !matches!(byte, b'\n' | b'\r' | b'\\' | b'"');
    let text = view.bytes.get(from..view.run(from, SENTENCE, line)).unwrap_or_default();
    assigned.key.starts_with(|first: char| first.is_ascii_uppercase())
        && assigned.begins_line(view)
        && text.len() < SENTENCE
        && text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count() <= 2
}

/// A sentence after `authorization:` and a word, which may be a scheme or not: from the first to the
/// last word of it that a machine made. Pairs are judged by their own names.
fn sentence(view: View<'_>, from: usize) -> Looked {
    let end = view.run(from, SENTENCE, |byte| !matches!(byte, b'\n' | b'\r' | b'"'));
    let mut secret: Option<Range<usize>> = None;
    let mut place = from;
    while place < end {
        let start = view.run(place, end - place, |byte| !is_token68(byte));
        place = view.run(start, end - start, |byte| is_token68(byte) || byte == b'=');
        let word = view.bytes.get(start..place).unwrap_or_default();
        let count = |wanted: fn(&u8) -> bool| word.iter().filter(|byte| wanted(byte)).count();
        let (letters, digits) = (count(u8::is_ascii_alphabetic), count(u8::is_ascii_digit));
        let path = matches!(word.first(), Some(b'/' | b'.' | b'~'));
        let pair = word.contains(&b'=') && !word.len().is_multiple_of(4);
        // A time has one letter.
        if word.len() >= 6 && letters >= 2 && digits >= 1 && !path && !pair {
            secret = Some(secret.map_or(start, |found| found.start)..place);
        }
    }
    Looked { secret: secret.map(|range| (range, false)), end }
}

/// Where a header ends: with the line, whose end may be escaped, or with the quotes around the value or
/// around the header.
pub(super) fn header_end(view: View<'_>, from: usize, quote: Option<Range<usize>>) -> usize {
    let mark = quote.as_ref().map(|quote| view.at(quote.end - 1));
    let mut place = from;
    loop {
        place = view.run(place, usize::MAX, |byte| {
            !matches!(byte, b'\n' | b'\r' | b'\\') && Some(byte) != mark
        });
        match view.at(place) {
            b'\\' if !matches!(view.at(place + 1), b'n' | b'r') => {}
            byte if Some(byte) == mark => {
                if let Some(end) = quote.as_ref().and_then(|quote| closes(view, from, place, quote))
                {
                    return end;
                }
            }
            _ => return place,
        }
        place += 1;
    }
}

/// Credentials after a bare `Bearer` or `Basic`; `at` is the blank after it, or the `+` that stands
/// for one in a query.
pub(in super::super) fn bearer(view: View<'_>, at: usize) -> Looked {
    let nothing = Looked { secret: None, end: at };
    let blank = matches!(view.at(at), b' ' | b'+');
    let Some(basic) = scheme_before(view, at).filter(|_| blank) else { return nothing };
    let from = at + 1;
    let end = token68_end(view, from);
    let token = view.bytes.get(from..end).unwrap_or_default();
    let random = token.iter().any(u8::is_ascii_digit);
    let credentials = if basic {
        // base64 of `user:password`: letters of both cases, and no other punctuation
        token.len() >= 16
            && (random || token.ends_with(b"="))
            && token.iter().any(u8::is_ascii_uppercase)
            && !token.iter().any(|byte| matches!(byte, b'-' | b'.' | b'_' | b'~'))
    } else {
        (random && token.len() >= 12) || token.len() >= 32
    };
    Looked { secret: credentials.then_some((from..end, false)), end }
}

/// Whether `Basic` (or else `Bearer`) ends before a place; `None` if neither does.
pub(in super::super) fn scheme_before(view: View<'_>, at: usize) -> Option<bool> {
    let (length, basic) = match view.before(at, 1) | 0x20 {
        b'r' => (6, false),
        b'c' => (5, true),
        _ => return None,
    };
    let start = at.checked_sub(length)?;
    let scheme: &[u8] = if basic { b"basic" } else { b"bearer" };
    (view.has(start, scheme) && !view.word_before(start)).then_some(basic)
}

#[cfg(test)]
mod tests {
    use super::super::tests::value;
    use super::*;

    #[test]
    fn bare_schemes_need_what_looks_like_credentials() {
        let check = |text: &str, expect: Option<&str>| {
            let at = text.find([' ', '+']).unwrap();
            let found = bearer(value(text), at).secret;
            assert_eq!(found.map(|(range, _)| &text[range]), expect, "{text}");
        };
        check("Bearer abcdef0123456789=", Some("abcdef0123456789="));
        check("bearer aGVsbG8gd29ybGQ\\/x9==", Some("aGVsbG8gd29ybGQ\\/x9=="));
        check("\\tBearer mF_9.B5f-4.1JqM", Some("mF_9.B5f-4.1JqM"));
        check("Bearer+2YotnFZFEjr1", Some("2YotnFZFEjr1"));
        check("Basic dXNlcjpwYXNzd29yZA==", Some("dXNlcjpwYXNzd29yZA=="));
        check("Basic internationalization", None);
        check("Bearer authentication_needed", None);
        check("bearers abcdef0123456789", None);
        check("forbearer abcdef0123456789", None);
        check("Bearer token2 expired", None);
    }
}
