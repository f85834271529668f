//! Programs that take a password behind a letter: `mysql -phunter2`, `curl -u bob:hunter2`; also in lists of
//! arguments (`"-u", "bob:hunter2"`) and as the audit log has them (`a1="-u" a2="bob:hunter2"`).

mod called;
mod placed;

use std::ops::Range;

pub(in super::super) use called::Called;
use called::{CURL, Program, Takes, command};
use placed::placed;

use super::command::{ABOUT, is_count};
use super::value::{is_placeholder, opening, quoted_end};
use super::{View, is_word};

/// Letters of options that are written as one, as in `curl -sku bob:hunter2`.
const FLAGS: usize = 8;

/// Whether a letter that is some program's may stand here.
#[inline]
pub(in super::super) fn may_be_letter(view: View<'_>, at: usize) -> bool {
    view.before(at, 1) == b'-'
        && matches!(view.before(at, 2), b' ' | b'"' | b'\'')
        && (matches!(view.at(at), b'p' | b'w' | b'P' | b'u' | b'U' | b'a' | b'c' | b'A' | b'X')
            || matches!(view.before(flags_end(view, at), 1), b'u' | b'U')
            || is_batch(view, at..flags_end(view, at)))
}

/// Whether letters of an option have that which makes `htpasswd` take a password.
fn is_batch(view: View<'_>, letters: Range<usize>) -> bool {
    view.bytes.get(letters).is_some_and(|letters| letters.contains(&b'b'))
}

fn flags_end(view: View<'_>, at: usize) -> usize {
    view.run(at, FLAGS, |byte| byte.is_ascii_alphabetic())
}

/// The password behind a program's letter, which is at `at`: `mysql -u root -phunter2`.
pub(in super::super) fn letter(
    view: View<'_>,
    at: usize,
    called: &mut Called,
) -> Option<Range<usize>> {
    if let Some(range) = word_option(view, at) {
        return Some(range);
    }
    if !called.before(view, at) {
        return None;
    }
    let first = view.at(at);
    let flags = flags_end(view, at);
    let last = view.before(flags, 1);
    let program = command(view, at.checked_sub(1)?, |program| {
        let joined = matches!(program.takes, Takes::Behind(_)) && program.letters.contains(&last);
        let batch = program.takes == Takes::Placed && is_batch(view, at..flags);
        program.letters.contains(&first) || joined || batch
    })?;
    if program.takes == Takes::Placed && view.bounded {
        return placed(view, at..flags);
    }
    let end = if program.letters.contains(&first) { at + 1 } else { flags };
    let place = match argument(view, end) {
        // In a raw record, the program may be another than the nearest that could be one.
        Some(_) if program.takes == Takes::Glued && view.bounded => return None,
        Some(place) => place,
        None if closes(view, end) => return None,
        None => end,
    };
    if !view.bounded {
        // What of it the value is, is the parser's to cut out.
        return Some(at..at + 1);
    }
    match program.takes {
        Takes::Behind(sign) => behind(view, place, sign),
        _ => whole(view, place).filter(|range| !is_port(program, view, range)),
    }
}

/// The password behind curl's `--user bob:hunter2` and `--proxy-user=bob:hunter2`; `at` is the first of the hyphens.
pub(in super::super) fn user(
    view: View<'_>,
    at: usize,
    called: &mut Called,
) -> Option<Range<usize>> {
    let name = at + 2..view.run(at + 2, 16, |byte| is_word(byte) || byte == b'-');
    if !matches!(view.bytes.get(name.clone())?, b"user" | b"proxy-user") {
        return None;
    }
    if !called.before(view, at) {
        return None;
    }
    command(view, name.start, |program| program.name == CURL.name)?;
    let place = if view.at(name.end) == b'=' { name.end + 1 } else { argument(view, name.end)? };
    if view.bounded { behind(view, place, b':') } else { Some(name) }
}

/// Where an option's argument begins, or the quote around it, if the option ends here and something parts
/// them. In a list there are quotes around both; in the audit log, a number before each.
pub(super) fn argument(view: View<'_>, end: usize) -> Option<usize> {
    let slashes = slashes(view, end);
    let quoted = is_quote(view.at(slashes));
    let from = if quoted { slashes + 1 } else { end };
    let blanks = view.run(from, 16, |byte| byte == b' ' || (quoted && byte == b','));
    let number = view.run(blanks + 1, 4, |byte| byte.is_ascii_digit());
    let numbered =
        quoted && view.at(blanks) == b'a' && number > blanks + 1 && view.at(number) == b'=';
    let place = if numbered { number + 1 } else { blanks };
    let given = !quoted || numbered || opening(view, place).1.is_some();
    (blanks > from && given).then_some(place)
}

/// Whether a quote at a place, or the text's end, closes what stands around an option.
fn closes(view: View<'_>, at: usize) -> bool {
    let quote = slashes(view, at);
    let behind = view.at(quote + 1);
    view.at(quote) <= b' '
        || (is_quote(view.at(quote))
            && (behind <= b' ' || matches!(behind, b',' | b')' | b']' | b'}' | b':' | b';')))
}

fn slashes(view: View<'_>, at: usize) -> usize {
    view.run(at, 8, |byte| byte == b'\\')
}

pub(super) const fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// The argument that begins at a place, without its quotes.
pub(super) fn given(view: View<'_>, at: usize) -> Range<usize> {
    let (from, quote) = opening(view, at);
    match &quote {
        Some(quote) => from..quoted_end(view, from, quote),
        None => from..word_end(view, from),
    }
}

/// Where an argument without quotes ends: the quote may be one around the command, and escaped. A backslash may be the
/// password's own, whatever letter follows: it is a line break's only where nothing of a word goes on behind that.
pub(in super::super) fn word_end(view: View<'_>, from: usize) -> usize {
    let mut place = from;
    loop {
        place = view.run(place, usize::MAX, |byte| {
            byte > b' ' && !is_quote(byte) && !matches!(byte, b';' | b'|' | b')' | b'\\')
        });
        if view.at(place) != b'\\' || view.colour_after(place).is_some() {
            return place;
        }
        let letter = view.run(place, usize::MAX, |byte| byte == b'\\');
        let behind = view.at(letter + 1);
        let masked = || view.bytes.get(from..place).is_some_and(|text| view.masks.has(text));
        let ends = match view.at(letter) {
            // Two are a backslash that the quote's string has.
            next if is_quote(next) => !(letter - place).is_multiple_of(2),
            b'n' | b'r' | b't' => {
                behind <= b' '
                    || is_quote(behind)
                    || matches!(behind, b'\\' | b'{' | b'[')
                    || masked()
            }
            _ => false,
        };
        if ends {
            return place;
        }
        place = letter;
    }
}

/// A password that is all of the argument.
fn whole(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let range = given(view, at);
    is_secret(view, &range).then_some(range)
}

/// A password behind the user's name and a sign.
fn behind(view: View<'_>, at: usize, sign: u8) -> Option<Range<usize>> {
    let user = given(view, at);
    let text = view.bytes.get(user.clone())?;
    let colon = user.start + memchr::memchr(sign, text)?;
    let mut password = colon + 1..user.end;
    if password.is_empty() && is_quote(view.at(password.end)) && view.before(user.start, 1) <= b' '
    {
        // `bob:"$PASSWORD"`
        password = given(view, password.end);
    }
    let number = |range: Range<usize>| {
        let digits = view.bytes.get(range).unwrap_or_default();
        digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit)
    };
    // A user and a group, of another program on the line.
    let ids = number(user.start..colon) && number(password.clone()) && user.start < colon;
    // `-u TOKEN:`
    let token = password.is_empty() && text.len() >= 16 && text.iter().any(u8::is_ascii_digit);
    let range = if token { user.start..colon } else { password };
    (!ids && is_secret(view, &range)).then_some(range)
}

fn is_secret(view: View<'_>, range: &Range<usize>) -> bool {
    let text = view.bytes.get(range.clone()).unwrap_or_default();
    !text.is_empty() && !is_placeholder(view, text) && !matches!(text, [b'-' | b'$', ..])
}

/// Whether an argument says which port is which: of `docker run --name mongo -p 27017:27017`.
fn is_port(program: &Program, view: View<'_>, range: &Range<usize>) -> bool {
    let text = view.bytes.get(range.clone()).unwrap_or_default();
    let text = text.strip_suffix(b"/tcp").or_else(|| text.strip_suffix(b"/udp")).unwrap_or(text);
    let number = text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b':' | b'.' | b'-'));
    let mongo = program.name == b"mongo";
    let published = text.contains(&b':') && (mongo || program.word == b"login");
    number && (published || (mongo && text.len() <= 5))
}

/// Options of one hyphen that are words: `-password hunter2`, and openssl's `-passin pass:hunter2`.
const WORDS: &[&[u8]] =
    &[b"password", b"passwd", b"passphrase", b"passin", b"passout", b"pass", b"pwd", b"pw"];

/// The argument of such an option; `at` is its first letter.
fn word_option(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let end = view.run(at, 16, |byte| byte.is_ascii_alphabetic());
    let name = view.bytes.get(at..end)?;
    let word = WORDS.iter().find(|word| word.eq_ignore_ascii_case(name))?;
    let mut range = given(view, argument(view, end)?);
    if !view.bounded {
        // What of it the value is, is the parser's to cut out.
        return Some(at..at + 1);
    }
    if word.starts_with(b"pass") && view.has(range.start, b"pass:") {
        range.start += 5;
    } else if matches!(**word, [b'p', b'a', b's', b's'] | [b'p', b'a', b's', b's', b'i' | b'o', ..])
    {
        // What else openssl takes it from: `env:NAME`, `file:PATH`.
        let source = [b"env:".as_slice(), b"file:", b"fd:", b"stdin"];
        if source.iter().any(|source| view.has(range.start, source)) {
            return None;
        }
    }
    let text = view.bytes.get(range.clone())?;
    let quoted = is_quote(view.before(range.start, 1));
    let about = !quoted && ABOUT.iter().any(|word| text.eq_ignore_ascii_case(word));
    let nothing = text.is_empty()
        || (**word == *b"pass" && is_count(text))
        || is_placeholder(view, text)
        || matches!(text, [b'-' | b'$' | b'<' | b'[' | b'=', ..]);
    (!about && !nothing).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::super::tests::value;
    use super::*;

    #[test]
    fn letters_mean_passwords_to_some_programs() {
        let check = |text: &str, expect: Option<&str>| {
            let mut places = (0..text.len()).filter(|&at| may_be_letter(value(text), at));
            let found = places.find_map(|at| letter(value(text), at, &mut Called::default()));
            assert_eq!(found.map(|range| &text[range]), expect, "{text}");
        };
        check("COMMAND=/usr/bin/mysql -u root -phunter2 shop", Some("hunter2"));
        check("mysqldump -h db -p'hun ter2' shop", Some("hun ter2"));
        check("sshpass -p hunter2 ssh bob@db", Some("hunter2"));
        check("docker login -u bob -p hunter2 registry:5000", Some("hunter2"));
        check("ldapsearch -x -D cn=a -w hunter2", Some("hunter2"));
        check("sqlcmd -S db -U sa -P hunter2", Some("hunter2"));
        check("redis-cli -h db -a 'hunter2' ping", Some("hunter2"));
        check("mysql -h 'a b' -u root -p\"hunter2\"", Some("hunter2"));
        check("zip -P hunter2 a.zip b", Some("hunter2"));
        check("\x1b[31mmysql -phunter2", Some("hunter2"));
        check("curl -u bob:hunter2 https://db/", Some("hunter2"));
        check("curl -s -u 'bob:hun ter2' https://db/", Some("hun ter2"));
        check("curl -u \"bob:hunter2\" https://db/", Some("hunter2"));
        check("curl -u bob:\"hun ter2\" https://db/", Some("hun ter2"));
        check("curl -ubob:hunter2 https://db/", Some("hunter2"));
        check("curl -sku bob:hunter2 https://db/", Some("hunter2"));
        check("curl -U bob:hunter2 -x db:80 https://x/", Some("hunter2"));
        check("curl -H 'A: b;c' 'https://x/?a=1&b=2' -u bob:hunter2", Some("hunter2"));
        check("curl -u :hunter2 https://db/", Some("hunter2"));
        check("curl -u abcdef0123456789: https://db/", Some("abcdef0123456789"));
        check("curl -u $BOB:hunter2 https://db/", Some("hunter2"));
        check("lftp -u bob,hunter2 sftp://db", Some("hunter2"));
        check("smbclient -U bob%hunter2 //db/x", Some("hunter2"));
        check("['curl', '-u', 'bob:hunter2', 'x']", Some("hunter2"));
        check(r#"{\"c\":[\"curl\",\"-u\",\"bob:hunter2\"]}"#, Some("hunter2"));
        check(r#"{\"c\":[\"mysql\",\"-phunter2\"]}"#, Some("hunter2"));
        check(r#"argc=4 a0="curl" a1="-u" a2="bob:hunter2" a3="x""#, Some("hunter2"));
        check(r#"a0="sshpass" a1="-p" a2=68756E746572 a3="ssh""#, Some("68756E746572"));
        check(r#"a0="docker" a1="login" a2="-p" a3="hunter2""#, Some("hunter2"));
        check("java -jar app.jar -password hunter2 -x", Some("hunter2"));
        check("keytool -passwd 'hun ter2' -x", Some("hun ter2"));
        check("openssl rsa -passin pass:hunter2 -in k", Some("hunter2"));
        check(r#"["openssl","rsa","-passin","pass:hunter2"]"#, Some("hunter2"));
        check(r#"{\"c\":[\"openssl\",\"rsa\",\"-passin\",\"pass:hunter2\"]}"#, Some("hunter2"));
        check("['app', '-password', 'hunter2']", Some("hunter2"));
        check(r#"a1="-passin" a2="pass:hunter2" a3="x""#, Some("hunter2"));
        check(r"curl -u bob:hun\ter2 https://db/", Some(r"hun\ter2"));
        check(r"mysql -phun\\nter2 shop", Some(r"hun\\nter2"));
        check("mysql -p'hun\\ter2' shop", Some(r"hun\ter2"));
        check(r"redis-cli -a hun\\ter2 ping", Some(r"hun\\ter2"));
        check(r#""redis-cli -a hun\\", x"#, Some(r"hun\\"));
        check(r"redis-cli -a hunter2\n", Some("hunter2"));
        check(r"redis-cli -a hunter2\r\nx", Some("hunter2"));
        check(r#"curl -u bob:hunter2\n{"a":1}"#, Some("hunter2"));
        check(r#""redis-cli -a hunter2\n""#, Some("hunter2"));
        check(r#"\"redis-cli -a hunter2\""#, Some("hunter2"));
        check(r"redis-cli -a hunter2\x1b[0m", Some("hunter2"));
        for text in [
            "mysql -u root -p shop",
            "docker run -p 80:80 nginx",
            "ssh -p 22 db",
            "mkdir -p /var/lib/mysql",
            "mysql -u root; mkdir -pv x",
            "mysql -p$PASSWORD shop",
            "mymysql -phunter2",
            "mysql -p[PASSWORD]",
            "the -password option",
            "app -password -x",
            "app -password $PASSWORD",
            "app -password [PASSWORD]",
            "openssl rsa -passin env:SECRET",
            r#"["openssl","rsa","-passin","env:SECRET"]"#,
            r#"["openssl","rsa","-passin"],"x""#,
            r#"["openssl","rsa","-passin","[PASSWORD]"]"#,
            r#"["ffmpeg","-pass","1","-i","x"]"#,
            "app -password-file x",
            "ffmpeg -pass 1 -i x",
            "docker run --name mongo -p 27017:27017 x",
            "docker run --name login-1 -p 80:80 x",
            r"mysql -p[PASSWORD]\nfoo x",
            r#"curl -u bob:[PASSWORD]\n{"a":1}"#,
            "docker run -d --name mysql -p 3306:3306 x",
            "ssh mongo1 -p 22",
            "curl -u bob https://db:80/",
            "curl -u $BOB:$PASS https://db/",
            "curl -u bob:[PASSWORD] https://db/",
            "curl -s https://db/ && docker run -u 1000:1000 x",
            "sudo -u bob:x mysql",
            "chown -R bob:bob /srv",
            "mycurl -u bob:hunter2",
            "GET http://x/ -a b:c",
            "curl -sf https://x/y && echo \"$(date -u +%H:%M:%SZ) ok\"",
            "curl -fsSL https://x | docker run -u root:root img",
            "curl -s https://x; docker exec -u www-data:www-data app ls",
            "wget https://host/foo.zip -P /tmp/dir",
            "server.js --curl -u x:y",
            "'curl -u' bob:hunter2",
            "kubectl logs -u",
            "ran 'mysql -p' and 'x'",
            "['mysql', '-p', 'x']",
            "run \\\"mysql -p\\\", then",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn the_long_option_of_curl_is_found() {
        let check = |text: &str, expect: Option<&str>| {
            let found = user(value(text), text.find("--").unwrap(), &mut Called::default());
            assert_eq!(found.map(|range| &text[range]), expect, "{text}");
        };
        check("curl -s --user bob:hunter2 https://db/", Some("hunter2"));
        check("curl --user 'bob:hunter2' https://db/", Some("hunter2"));
        check("curl --user=bob:hunter2 https://db/", Some("hunter2"));
        check("curl --proxy-user bob:hunter2 https://db/", Some("hunter2"));
        check(r#"a0="curl" a1="--user" a2="bob:hunter2""#, Some("hunter2"));
        for text in [
            "docker run --user 1000:1000 x",
            "curl --user bob https://db:80/",
            "curl --user-agent bob:hunter2",
            "wget --user=bob:x",
            "curl --user [--user bob:x]",
        ] {
            check(text, None);
        }
    }
}
