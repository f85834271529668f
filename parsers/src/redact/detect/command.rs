//! Secrets that a command or a statement gives without a sign between name and value:
//! `--password hunter2`, `PASSWORD 'hunter2'`, `IDENTIFIED BY 'hunter2'`, `password is Zx9kQ2mP`.

use std::ops::Range;

use super::super::keys::Keys;
use super::name::Assigned;
use super::program::{argument, is_quote};
use super::value::{is_constant, is_placeholder, opening, quoted_end, wrapped};
use super::{View, is_word};

/// Words after an option that speak of it.
pub(super) const ABOUT: &[&[u8]] = &[
    b"and",
    b"argument",
    b"cannot",
    b"flag",
    b"for",
    b"from",
    b"has",
    b"if",
    b"instead",
    b"is",
    b"must",
    b"not",
    b"on",
    b"option",
    b"or",
    b"parameter",
    b"requires",
    b"should",
    b"the",
    b"to",
    b"was",
    b"when",
    b"will",
    b"with",
];

/// An option that is named like a secret, and its argument: `at` is the first of its hyphens. Lists
/// have quotes around both: `["--password", "hunter2"]`.
pub(in super::super) fn option<'t>(view: View<'t>, at: usize, keys: &Keys) -> Option<Assigned<'t>> {
    if view.at(at + 2) == b'-' || (view.bounded && view.word_before(at)) {
        return None;
    }
    let name = at + 2..view.run(at + 2, 64, |byte| is_word(byte) || byte == b'-');
    let key = std::str::from_utf8(view.bytes.get(name.clone())?).ok()?;
    let option = key;
    let key = option_key(option);
    if key.is_empty() || !keys.may_be(key.as_bytes()) {
        return None;
    }
    let value = argument(view, name.end)?;
    let (inside, quote) = opening(view, value);
    let word = view.run(inside, 32, |byte| byte > b' ' && !is_quote(byte));
    let word = view.run_back(word, word - inside, |byte| byte == b'\\');
    let text = view.bytes.get(inside..word)?;
    let about = quote.is_none() && ABOUT.iter().any(|word| text.eq_ignore_ascii_case(word));
    let odd = matches!(view.at(inside), b'-' | b'|' | b'<' | b'[' | b'=' | b':');
    (!odd && !about && !counts(option, text)).then(|| Assigned::of(key, name, value))
}

/// The name that an option has among those of rules: `--pass` and `--db-pass` have a password's.
pub(in super::super) fn option_key(name: &str) -> &str {
    if before_pass(name).is_some() { "password" } else { name }
}

/// Whether an option's argument says which pass over something it is, or how: `--pass 2`, `--first-pass fast`.
pub(in super::super) fn counts(name: &str, argument: &[u8]) -> bool {
    before_pass(name)
        .is_some_and(|before| is_count(argument) || (is_ordinal(before) && is_plain(argument)))
}

fn before_pass(name: &str) -> Option<&str> {
    if name == "pass" { Some("") } else { name.strip_suffix("-pass") }
}

/// Whether it is the number of a pass over something.
pub(super) fn is_count(text: &[u8]) -> bool {
    text.len() <= 2 && text.iter().all(u8::is_ascii_digit)
}

/// Whether the word before `-pass` counts passes over something: `--first-pass`, `--enable-two-pass`.
fn is_ordinal(before: &str) -> bool {
    const WORDS: [&str; 13] = [
        "first", "second", "third", "one", "two", "three", "single", "multi", "final", "last",
        "next", "dry", "per",
    ];
    let last = before.rsplit(['-', '_']).next().unwrap_or_default();
    WORDS.iter().any(|word| last.eq_ignore_ascii_case(word))
        || (!before.is_empty() && before.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether it is a small number, or a word as programs name a way or a place by.
fn is_plain(text: &[u8]) -> bool {
    (text.len() <= 4 && text.iter().all(u8::is_ascii_digit))
        || (text.len() <= 8 && text.iter().all(u8::is_ascii_alphabetic))
}

/// The password of an SQL statement; `at` is the blank after `PASSWORD` or `BY`.
pub(in super::super) fn statement(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let by = ends_in_word(view, at, b"by");
    if !by && !ends_in_word(view, at, b"password") {
        return None;
    }
    // `IDENTIFIED WITH caching_sha2_password BY`, `IDENTIFIED BY PASSWORD`.
    let before = view.bytes.get(at.saturating_sub(80)..at)?.to_ascii_lowercase();
    let identified = memchr::memmem::rfind(&before, b"identified ").is_some_and(|found| {
        let between = before.get(found + 11..).unwrap_or_default();
        between.iter().filter(|&&byte| byte == b' ').count() <= 2
    });
    if by && !identified {
        return None;
    }
    let mut blanks = view.run(at, 8, |byte| byte == b' ');
    if !by && view.has(blanks, b"for ") {
        blanks = set_for(view, blanks).unwrap_or(blanks);
    }
    // PostgreSQL's strings with escapes: `E'…'`.
    let escaped = usize::from(view.at(blanks) | 0x20 == b'e' && view.at(blanks + 1) == b'\'');
    let (from, quote) = opening(view, blanks + escaped);
    let end = match &quote {
        Some(quote) => quoted_end(view, from, quote),
        // Oracle has none.
        None if identified && by => view.run(from, 64, |byte| byte > b' ' && byte != b';'),
        None => {
            return told(view, blanks);
        }
    };
    if !view.bounded {
        // What of it the value is, is the parser's to cut out.
        return Some(at..at + 1);
    }
    let text = view.bytes.get(from..end)?;
    let keyword = quote.is_none() && (is_constant(text) || text.eq_ignore_ascii_case(b"password"));
    let random = quote.is_none() && text.eq_ignore_ascii_case(b"random");
    let secret = !text.is_empty() && !keyword && !random && !view.masks.has(text);
    let marker = matches!(text, [b'$' | b':' | b'?', ..]) || text.iter().all(|&byte| byte == b'*');
    (secret && !marker && text != b"<secret>").then_some(from..end)
}

/// Where MySQL's `SET PASSWORD FOR 'bob'@'%' = 'hunter2'` has the quote, or its `PASSWORD('hunter2')`.
fn set_for(view: View<'_>, at: usize) -> Option<usize> {
    let sign = view.run(at, 160, |byte| !matches!(byte, b'=' | b'\n'));
    let blanks = view.run(sign + 1, 8, |byte| byte == b' ');
    let start = wrapped(view, blanks);
    (view.at(sign) == b'=' && opening(view, start).1.is_some()).then_some(start)
}

/// The password that a sentence tells which goes on here: `is generated for root@localhost: …`, `has been reset
/// to …`, or with the password itself.
fn told(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let end = view.run(at, 64, |byte| byte != b'\n');
    let text = view.bytes.get(at..end)?;
    let mysql: &[u8] = b"is generated for ";
    if text.starts_with(mysql) {
        let from = at + memchr::memmem::find(text, b": ")? + 2;
        return generated(view, from, true);
    }
    let begins = |start: &[u8]| text.starts_with(start).then_some(start.len());
    let ends = |words: &[u8]| memchr::memmem::find(text, words).map(|found| found + words.len());
    let verb = || [b"is ".as_slice(), b"to ", b"is: "].into_iter().find_map(begins);
    let whose = || begins(b"for ").and_then(|_| ends(b": ").or_else(|| ends(b" is ")));
    let set =
        || [b" reset to ".as_slice(), b" set to ", b" changed to "].into_iter().find_map(ends);
    let from = verb().or_else(whose).or_else(set).unwrap_or(0);
    generated(view, at + from, false)
}

/// A password that nobody chose, as it stands in a sentence: what mixes capitals, small letters and digits, or
/// signs, as no word does.
/// `sure`: whether nothing but a password can stand there.
fn generated(view: View<'_>, from: usize, sure: bool) -> Option<Range<usize>> {
    let end =
        view.run(from, 65, |byte| byte > b' ' && !matches!(byte, b'"' | b'\'' | b'`' | b'\\'));
    let stop = |byte| matches!(byte, b'.' | b',' | b';' | b':' | b')' | b']');
    let end = if sure { end } else { view.run_back(end, end - from, stop) };
    let text = view.bytes.get(from..end).filter(|text| (8..=64).contains(&text.len()))?;
    let has = |wanted: fn(&u8) -> bool| usize::from(text.iter().any(wanted));
    let kinds = has(u8::is_ascii_uppercase)
        + has(u8::is_ascii_lowercase)
        + has(|byte| matches!(byte, b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'*' | b'+' | b'?'));
    // Calls, paths, assignments and URLs.
    let odd =
        text.iter().any(|byte| matches!(byte, b'(' | b'/' | b'=' | b':' | b'<' | b'{' | b'['));
    let secret = (sure || (has(u8::is_ascii_digit) == 1 && kinds >= 2 && !odd))
        && !is_placeholder(view, text);
    secret.then_some(from..end)
}

/// Whether this word, whatever its case, ends at a place.
fn ends_in_word(view: View<'_>, at: usize, word: &[u8]) -> bool {
    at.checked_sub(word.len()).is_some_and(|start| {
        view.has(start, word) && !(view.bounded && is_word(view.before(start, 1)))
    })
}

/// Whether one of the words of [`statement`] may end here: a few bytes tell.
#[inline]
pub(in super::super) fn may_state(view: View<'_>, at: usize) -> bool {
    view.at(at) == b' '
        && match view.before(at, 1) | 0x20 {
            b'y' => view.before(at, 2) | 0x20 == b'b' && view.before(at, 3) == b' ',
            b'd' => view.before(at, 3) | 0x20 == b'o' && view.before(at, 4) | 0x20 == b'w',
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::super::tests::value;
    use super::super::{Judge, judge};
    use super::*;

    #[test]
    fn arguments_of_options_are_found() {
        let check = |text: &str, expect: Option<&str>| {
            let mut keys = Keys::default();
            keys.add("password", 0);
            let found = option(value(text), text.find("--").unwrap(), &keys);
            let range = found.and_then(|found| judge(value(text), &found, Judge::Any).secret);
            assert_eq!(range.map(|(range, _)| &text[range]), expect, "{text}");
        };
        check("app --password hunter2 --x", Some("hunter2"));
        check("app --db-password 'hun ter2' x", Some("hun ter2"));
        check("['app', '--password', 'hunter2']", Some("hunter2"));
        check(r#"{\"c\":[\"--password\",\"hunter2\"]}"#, Some("hunter2"));
        check(r#"a1="--password" a2="hunter2" a3="x""#, Some("hunter2"));
        check("rclone --webdav-pass hunter2", Some("hunter2"));
        check("app --db-pass y", Some("y"));
        check("app --user-pass monkey", Some("monkey"));
        check("app --first-pass hunter2", Some("hunter2"));
        for text in [
            "app --password",
            "app --password --x",
            "app --password=x",
            "app --password-file x",
            "the --password option",
            "--password is required",
            "----password x",
            "app --password [PASSWORD]",
            "app --password ***",
            "[--password <string>]",
            "x265 --pass 2 x",
            "opt --multi-pass 3",
            "opt --first-pass x",
            "opt --second-pass fast -o y",
            "['opt', '--2-pass', 'yes']",
            "opt --dry-pass 120 x",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn passwords_of_statements_are_found() {
        let check = |text: &str, expect: Option<&str>| {
            let blanks = text.match_indices(' ').map(|(at, _)| at);
            let mut blanks = blanks.filter(|&at| may_state(value(text), at));
            let found = blanks.find_map(|at| statement(value(text), at));
            assert_eq!(found.map(|range| &text[range]), expect, "{text}");
        };
        check("ALTER ROLE app WITH PASSWORD 'hunter2';", Some("hunter2"));
        check("create user app with password E'hun\\'ter' login", Some("hun\\'ter"));
        check("CREATE USER app IDENTIFIED BY 'hunter2'", Some("hunter2"));
        check(
            "create user a identified with caching_sha2_password by \"hunter2\"",
            Some("hunter2"),
        );
        check(
            "SET x IDENTIFIED BY PASSWORD '*4ACFE3202A5FF5CF467898FC58AAB1D615029441'",
            Some("*4ACFE3202A5FF5CF467898FC58AAB1D615029441"),
        );
        check("alter user app identified by hunter2;", Some("hunter2"));
        check("SET PASSWORD FOR 'bob'@'%' = 'hunter2'", Some("hunter2"));
        check("SET PASSWORD FOR bob = PASSWORD('hunter2')", Some("hunter2"));
        check("your new password is Zx9kQ2mPw7.", Some("Zx9kQ2mPw7"));
        check("password for the elastic user is: Zx9kQ2mPw7", Some("Zx9kQ2mPw7"));
        check("password for bob has been reset to Zx9kQ2mPw7", Some("Zx9kQ2mPw7"));
        check(
            "A temporary password is generated for root@localhost: :kgZ>(J:4+Yk",
            Some(":kgZ>(J:4+Yk"),
        );
        check("login with user admin and password zx9#kq2!, then", Some("zx9#kq2!"));
        for text in [
            "IDENTIFIED BY <secret>",
            "IDENTIFIED BY '<secret>'",
            "ALTER ROLE app PASSWORD NULL",
            "ALTER ROLE app PASSWORD $1",
            "the password was changed by 'bob'",
            "ordered by 'x'",
            "ALTER ROLE app PASSWORD '***'",
            "identified by random password",
            "PASSWORD '[PASSWORD]'",
            "a keyword 'x'",
            "password for bob = 17",
            "the password is too short: 8 bytes",
            "password is 12345678",
            "password hash2check-off",
            "password was checked by OAuth2Filter1",
            "password PasswordEncoder2(bcrypt)",
            "password is [PASSWORD]",
            "Accepted password for bob from 192.0.2.1 port 22 ssh2: ED25519",
            "Failed password for invalid user Bob2Ann from 192.0.2.1 port 5000",
            "password for db: OAuth2Provider(x)",
            "a temporary password is generated for root@localhost: [PASSWORD]",
        ] {
            check(text, None);
        }
    }
}
