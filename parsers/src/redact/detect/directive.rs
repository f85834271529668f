//! Passwords that only a blank parts from their name, as Redis' configuration has them: `requirepass hunter2`,
//! `CONFIG SET masterauth hunter2`.

use std::ops::Range;

use super::command::ABOUT;
use super::program::{argument, given, is_quote};
use super::value::{is_constant, is_placeholder, is_prose};
use super::{View, is_word};

/// The names. The sweep knows them by some of their letters.
const NAMES: [&[u8]; 2] = [b"requirepass", b"masterauth"];

/// Words that speak of such a directive, beside those that speak of an option.
const SPOKEN: [&[u8]; 6] =
    [b"configured", b"directive", b"disabled", b"enabled", b"password", b"setting"];

/// Whether such a name may end before a place: a few bytes tell.
#[inline]
pub(in super::super) fn may_direct(view: View<'_>, at: usize) -> bool {
    matches!(view.before(at, 4) | 0x20, b'p' | b'a')
        && matches!(view.before(at, 1) | 0x20, b's' | b'h')
        && name_start(view, at).is_some()
}

fn name_start(view: View<'_>, end: usize) -> Option<usize> {
    NAMES.iter().find_map(|name| {
        let start = end.checked_sub(name.len())?;
        view.has(start, name).then_some(start)
    })
}

/// Whether a text is one of the names.
pub(in super::super) fn is_directive(text: &str) -> bool {
    NAMES.iter().any(|name| text.as_bytes().eq_ignore_ascii_case(name))
}

/// What stands behind a name that ends before a place.
pub(in super::super) fn directive(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let start = name_start(view, at)?;
    // `--requirepass` is an option.
    let joined = view.word_before(start) || view.before(start, 1) == b'-';
    if view.bounded && (joined || (is_listed(view, (start, at)) && !is_set(view, start))) {
        return None;
    }
    let place = argument(view, at)?;
    if !view.bounded {
        // What of it the value is, is the parser's to cut out.
        return Some(at..at + 1);
    }
    let range = given(view, place);
    let text = view.bytes.get(range.clone())?;
    let quoted = range.start > place;
    let odd = text.is_empty() || (!quoted && is_odd(text));
    // A list of such names.
    let other = NAMES.iter().any(|name| text.eq_ignore_ascii_case(name));
    let secret = !odd
        && !other
        && !is_placeholder(view, text)
        && (quoted || !is_spoken(view, (start, range.clone())));
    secret.then_some(range)
}

/// Whether a word without quotes begins as no password does: another option, a reference to a ticket, an address.
fn is_odd(text: &[u8]) -> bool {
    let version = matches!(text, [b'v', b'0'..=b'9', ..]) && text.contains(&b'.');
    matches!(text, [b'-' | b'<' | b'[' | b'=' | b':' | b'(' | b'#', ..])
        || version
        || memchr::memmem::find(text, b"://").is_some()
}

/// Whether a name is one of several in a list: a comma stands behind it, or `GET` before it.
fn is_listed(view: View<'_>, (start, at): (usize, usize)) -> bool {
    let quote = view.run(at, 8, |byte| byte == b'\\' || is_quote(byte));
    view.at(quote) == b',' || word_before(view, start).eq_ignore_ascii_case(b"get")
}

/// Whether a name is set.
fn is_set(view: View<'_>, start: usize) -> bool {
    word_before(view, start).eq_ignore_ascii_case(b"set")
}

/// The word before a name, whatever quotes and commas part them.
fn word_before(view: View<'_>, start: usize) -> &[u8] {
    let apart = |byte: u8| matches!(byte, b' ' | b',' | b'\\') || is_quote(byte);
    let end = view.run_back(start, 16, apart);
    let from = view.run_back(end, 8, |byte| byte.is_ascii_alphabetic());
    view.bytes.get(from..end).unwrap_or_default()
}

/// Whether what stands behind a name is a word of the sentence that speaks of it: one of letters, unless it is all that
/// the line has behind a name that begins it or is set.
fn is_spoken(view: View<'_>, (start, range): (usize, Range<usize>)) -> bool {
    let mark = |byte: u8| matches!(byte, b'.' | b',' | b':' | b'!' | b'?' | b']' | b'}' | b'>');
    let end = view.run_back(range.end, range.len(), mark);
    let word = view.bytes.get(range.start..end).unwrap_or_default();
    // A version, as in `since requirepass 6.0`, is none, either.
    if !word.iter().all(u8::is_ascii_alphabetic) {
        return word.len() <= 3;
    }
    let known = ABOUT.iter().chain(&SPOKEN).any(|about| word.eq_ignore_ascii_case(about));
    let last = view.run(range.end, 8, |byte| byte == b' ');
    let last = matches!(view.at(last), 0 | b'\n' | b'\r' | b'"' | b'\'' | b'`' | b'\\');
    let begins = !is_word(view.before(start, 1)) && view.before(start, 1) != b' ';
    let comment = matches!([view.before(start, 2), view.before(start, 1)], [b'#', b' ']);
    let told = is_set(view, start) || (last && (begins || comment));
    known || is_prose(word) || is_constant(word) || !told
}

#[cfg(test)]
mod tests {
    use super::super::tests::value;
    use super::*;

    #[test]
    fn passwords_behind_a_directive_are_found() {
        let check = |text: &str, expect: Option<&str>| {
            let mut places = (0..text.len()).filter(|&at| may_direct(value(text), at));
            let found = places.find_map(|at| directive(value(text), at));
            assert_eq!(found.map(|range| &text[range]), expect, "{text}");
        };
        check("requirepass hunter2", Some("hunter2"));
        check("requirepass   \"hun ter\"", Some("hun ter"));
        check("# requirepass foobared", Some("foobared"));
        check("masterauth monkey\nport 6379", Some("monkey"));
        check(r"port 6379\nmasterauth hunter2\nport 6379", Some(r"hunter2\nport"));
        check("127.0.0.1:6379> CONFIG SET requirepass monkey", Some("monkey"));
        check("[0 127.0.0.1:40] \"CONFIG\" \"SET\" \"requirepass\" \"monkey\"", Some("monkey"));
        check(r#"{\"c\":[\"SET\", \"masterauth\", \"hunter2\"]}"#, Some("hunter2"));
        check(r#"["CONFIG","SET","requirepass","hunter2"]"#, Some("hunter2"));
        check(">>> 'requirepass hunter2' Bad directive", Some("hunter2"));
        check("then requirepass hun#ter, and", Some("hun#ter,"));
        check("CONFIG SET requirepass monkey masterauth dragon", Some("monkey"));
        check("config set requirepass monkey && exit", Some("monkey"));
        check(r#""CONFIG" "SET" "requirepass" "-hunter2""#, Some("-hunter2"));
        check(r#""CONFIG" "SET" "requirepass" "$ecret1""#, Some("$ecret1"));
        check("requirepass $ecret12", Some("$ecret12"));
        for text in [
            "the requirepass directive",
            "[no requirepass configured]",
            "requirepass is deprecated",
            "requirepass was removed",
            "requirepass foo bar",
            "set requirepass.",
            "requirepass [PASSWORD]",
            "requirepass \"[PASSWORD]\"",
            "requirepass \"\"",
            "requirepass ${REDIS_PASSWORD}",
            "requirepass $REDIS_PASSWORD",
            "requirepass <password>",
            "xrequirepass hunter2",
            r#"["requirepass","masterauth"]"#,
            "requirepass: hunter2",
            "the \"requirepass\" hunter2",
            r#""CONFIG" "GET" "requirepass" "maxmemory""#,
            "CONFIG GET requirepass maxmemory-policy",
            r#"["port","requirepass","bind"]"#,
            r#"unknown directives: "requirepass", "rename-command""#,
            "requirepass v6.2.1 changed behaviour",
            "requirepass https://redis.io/docs",
            "requirepass #4211: fix",
            "requirepass",
        ] {
            check(text, None);
        }
    }
}
