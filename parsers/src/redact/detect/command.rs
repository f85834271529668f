//! Secrets that a command or a statement gives without a sign between name and value:
//! `--password hunter2`, `PASSWORD 'hunter2'`, `IDENTIFIED BY 'hunter2'`.

use std::ops::Range;

use super::super::keys::Keys;
use super::name::Assigned;
use super::value::{is_constant, is_placeholder, opening, quoted_end};
use super::{View, is_word};

/// Words after an option that speak of it.
const ABOUT: &[&[u8]] = &[
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
    if key.is_empty() || !keys.may_be(key.as_bytes()) {
        return None;
    }
    let slashes = view.run(name.end, 8, |byte| byte == b'\\');
    let quoted = matches!(view.at(slashes), b'"' | b'\'' | b'`');
    let end = if quoted { slashes + 1 } else { name.end };
    let value = view.run(end, 16, |byte| byte == b' ' || (quoted && byte == b','));
    let (inside, quote) = opening(view, value);
    let word = view.run(inside, 32, |byte| byte > b' ');
    let text = view.bytes.get(inside..word)?;
    let about = quote.is_none() && ABOUT.iter().any(|word| text.eq_ignore_ascii_case(word));
    let argument =
        value > end && !matches!(view.at(inside), b'-' | b'|' | b'<' | b'[' | b'=' | b':');
    (argument && !about && (!quoted || quote.is_some())).then(|| Assigned::of(key, name, value))
}

/// Programs that take a password behind a letter: their names, the words that must follow for it to mean
/// that, the letter, and whether a blank may stand between.
const PROGRAMS: &[(&[u8], &[u8], u8, bool)] = &[
    (b"mysql", b"", b'p', false),
    (b"mariadb", b"", b'p', false),
    (b"sshpass", b"", b'p', true),
    (b"docker", b" login", b'p', true),
    (b"podman", b" login", b'p', true),
    (b"helm", b" login", b'p', true),
    (b"mongo", b"", b'p', true),
    (b"ldap", b"", b'w', true),
    (b"sqlcmd", b"", b'P', true),
];

/// Bytes of a command before an option that are looked at.
const COMMAND: usize = 160;

/// The password behind a program's `-p`; `at` is the letter: `mysql -u root -phunter2`.
pub(in super::super) fn letter(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let before = view.bytes.get(at.saturating_sub(COMMAND)..at)?;
    let blank = view.at(at + 1) == b' ';
    let takes = |&&(name, word, letter, apart): &&(&[u8], &[u8], u8, bool)| {
        letter == view.at(at)
            && (apart || !blank)
            && memchr::memmem::rfind(before, name).is_some_and(|found| {
                let command = before.get(found..).unwrap_or_default();
                let own = found.checked_sub(1).and_then(|at| before.get(at));
                (!view.bounded || own.is_none_or(|&byte| !is_word(byte)))
                    && memchr::memmem::find(command, word).is_some()
                    && !command.iter().any(|byte| matches!(byte, b'\n' | b';' | b'|' | b'&'))
            })
    };
    PROGRAMS.iter().find(takes)?;
    let (from, quote) = opening(view, at + 1 + usize::from(blank));
    let ends = |byte: u8| byte <= b' ' || matches!(byte, b'"' | b'\'' | b'`' | b';' | b'|' | b')');
    let end = match &quote {
        Some(quote) => quoted_end(view, from, quote),
        None => view.run(from, 128, |byte| !ends(byte)),
    };
    let text = view.bytes.get(from..end)?;
    let secret = !text.is_empty() && !is_placeholder(view, text) && !text.starts_with(b"-");
    (secret && !text.starts_with(b"$")).then_some(from..end)
}

/// Whether such a letter may stand here.
#[inline]
pub(in super::super) fn may_be_letter(view: View<'_>, at: usize) -> bool {
    view.before(at, 1) == b'-'
        && view.before(at, 2) == b' '
        && matches!(view.at(at), b'p' | b'w' | b'P')
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
    let blanks = view.run(at, 8, |byte| byte == b' ');
    // PostgreSQL's strings with escapes: `E'…'`.
    let escaped = usize::from(view.at(blanks) | 0x20 == b'e' && view.at(blanks + 1) == b'\'');
    let (from, quote) = opening(view, blanks + escaped);
    let end = match &quote {
        Some(quote) => quoted_end(view, from, quote),
        // Oracle has none.
        None if identified && by => view.run(from, 64, |byte| byte > b' ' && byte != b';'),
        None => return None,
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
        ] {
            check(text, None);
        }
    }

    #[test]
    fn letters_mean_passwords_to_some_programs() {
        let check = |text: &str, expect: Option<&str>| {
            let mut places = (0..text.len()).filter(|&at| may_be_letter(value(text), at));
            let found = places.find_map(|at| letter(value(text), at));
            assert_eq!(found.map(|range| &text[range]), expect, "{text}");
        };
        check("COMMAND=/usr/bin/mysql -u root -phunter2 shop", Some("hunter2"));
        check("mysqldump -h db -p'hun ter2' shop", Some("hun ter2"));
        check("sshpass -p hunter2 ssh bob@db", Some("hunter2"));
        check("docker login -u bob -p hunter2 registry:5000", Some("hunter2"));
        check("ldapsearch -x -D cn=a -w hunter2", Some("hunter2"));
        check("sqlcmd -S db -U sa -P hunter2", Some("hunter2"));
        for text in [
            "mysql -u root -p shop",
            "docker run -p 80:80 nginx",
            "ssh -p 22 db",
            "mkdir -p /var/lib/mysql",
            "mysql -u root; mkdir -pv x",
            "mysql -p$PASSWORD shop",
            "mymysql -phunter2",
            "mysql -p[PASSWORD]",
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
        ] {
            check(text, None);
        }
    }
}
