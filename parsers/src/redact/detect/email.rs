//! E-mail addresses: a local part, `@`, and a domain name that ends in letters.

use std::ops::Range;

use super::View;
use crate::redact::bytes::{DASH, DIGIT, FOREIGN, LOWER, UNDERSCORE, UPPER, is};
use crate::redact::decode::escape;

/// Bytes of the longest of them.
const LONGEST_OTHER: usize = 7;

/// Whether a label is the ending of a file's or a unit's name, not of a domain's: `logo@2x.png`, `getty@1.service`.
fn is_other(label: &[u8]) -> bool {
    let mut lower = [0; LONGEST_OTHER];
    let Some(lower) = lower.get_mut(..label.len()) else { return false };
    for (to, from) in lower.iter_mut().zip(label) {
        *to = from.to_ascii_lowercase();
    }
    matches!(
        &*lower,
        b"png"
            | b"jpg"
            | b"jpeg"
            | b"gif"
            | b"svg"
            | b"webp"
            | b"ico"
            | b"js"
            | b"mjs"
            | b"cjs"
            | b"jsx"
            | b"tsx"
            | b"css"
            | b"scss"
            | b"json"
            | b"map"
            | b"html"
            | b"tar"
            | b"tgz"
            | b"gz"
            | b"zip"
            | b"jar"
            | b"war"
            | b"whl"
            | b"log"
            | b"txt"
            | b"yaml"
            | b"yml"
            | b"xml"
            | b"service"
            | b"socket"
            | b"timer"
            | b"mount"
            | b"target"
            | b"slice"
            | b"scope"
            | b"conf"
    )
}

/// Bytes of a local part. `%`, `=` and quotes are left to what stands around it: in logs that is
/// what they belong to.
const fn is_local(byte: u8) -> bool {
    is(byte, DIGIT | UPPER | LOWER | UNDERSCORE | DASH | FOREIGN) || byte == b'+'
}

/// Bytes of a domain name, dots included.
const fn is_domain(byte: u8) -> bool {
    is(byte, DIGIT | UPPER | LOWER | DASH | FOREIGN)
}

const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic()
}

/// Whether a label is an ending that most addresses have: a country's, or one of the old ones.
fn is_common(label: &[u8]) -> bool {
    let old: &[&[u8]] = &[b"com", b"org", b"net", b"edu", b"gov", b"info", b"biz", b"example"];
    label.len() == 2 || old.iter().any(|name| label.eq_ignore_ascii_case(name))
}

/// An e-mail address; `at` is its `@`.
pub(in super::super) fn email(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let start = if view.before(at, 1) == b'"' { quoted(view, at) } else { plain(view, at) }?;
    let end = domain_end(view, at + 1)?;
    if view.bytes.get(at + 1..end).is_some_and(is_algorithms) {
        return None;
    }
    Some(apostrophe(view, start, end).unwrap_or(start)..end)
}

/// An address as mails quote it, `bob=40example.com`; `at` is its `=`. Names are assigned numbers and hashes, too: it
/// stands where mails have one, in `<…>`, behind a header's name, or in what RFC 2047 encodes.
pub(in super::super) fn quoted_printable(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let domain = at + 3;
    let start = plain(view, at).filter(|_| is_letter(view.at(domain)))?;
    let before = [view.before(start, 2), view.before(start, 1)];
    let in_mail = match before {
        [b':', b' '] | [_, b'<'] => true,
        [b'q' | b'Q', b'?'] => view.before(start, 3) == b'?',
        _ => false,
    };
    let end = domain_end(view, domain).filter(|_| in_mail)?;
    let label = view.bytes.get(view.run_back(end, 24, is_letter)..end)?;
    is_common(label).then_some(start..end)
}

/// Whether an escape around an `@` hides a letter of an address, or its quote: `j\u00f6rg@example.com`,
/// `jan@b%C3%BCcher.de`, `&quot;jan doe&quot;@example.com`. [`email`] finds it once that is undone.
pub(in super::super) fn is_hidden_address(view: View<'_>, at: usize) -> bool {
    /// Bytes of an entity before its `;`.
    const LONGEST: usize = 10;
    let letter = |place: usize| escape(view.bytes, place).filter(|(it, _)| !it.is_ascii());
    let start = view.run_back(at, 64, is_local);
    let before = match view.before(start, 1) {
        b'\\' | b'%' => letter(start - 1).is_some(),
        b';' => {
            let mark = view.run_back(start - 1, LONGEST, |byte| byte != b'&').checked_sub(1);
            let entity = mark.and_then(|mark| escape(view.bytes, mark));
            entity.is_some_and(|(it, end)| {
                end == start && (!it.is_ascii() || (it == '"' && end == at))
            })
        }
        _ => false,
    };
    let end = view.run(at + 1, 253, is_domain);
    // Escaped more than once: the last backslash is the escape's.
    let last = view.run(end, 16, |byte| byte == b'\\').saturating_sub(1);
    before || letter(last.max(end)).is_some()
}

/// Where a local part without quotes begins.
fn plain(view: View<'_>, at: usize) -> Option<usize> {
    let mut start = view.run_back(at, 64, is_local);
    start = (start + escaped(view, start)).min(at);
    while start < at && matches!(view.at(start), b'.' | b'+' | b'-') {
        start += 1;
    }
    let local = view.bytes.get(start..at)?;
    // `git@host:path` is how a repository is addressed, not a person.
    let none = local.is_empty() || local.last() == Some(&b'.') || local == b"git";
    (!none && !is_id(local)).then_some(start)
}

/// How many bytes at `start` belong to an escape before them: of `\nbob@example.com`,
/// `\u003cbob@example.com`.
fn escaped(view: View<'_>, start: usize) -> usize {
    let hex = |digits: usize| {
        let escape = view.bytes.get(start + 1..start + 1 + digits);
        escape.is_some_and(|escape| escape.iter().all(u8::is_ascii_hexdigit))
    };
    match view.at(start) {
        _ if view.before(start, 1) != b'\\' => 0,
        b'u' if hex(4) => 5,
        b'x' if hex(2) => 3,
        b'n' | b'r' | b't' => 1,
        _ => 0,
    }
}

/// Whether a local part is a number that some program made: of a message, as
/// `20261126021825.41CE73E9@mx.example.com`, or a UUID.
fn is_id(local: &[u8]) -> bool {
    let member = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b'-');
    local.len() >= 20
        && local.iter().all(member)
        && local.iter().filter(|byte| byte.is_ascii_digit()).count() >= 10
}

/// Domains that name what SSH is spoken with: `aes256-gcm@openssh.com` is nobody's address.
fn is_algorithms(domain: &[u8]) -> bool {
    let names: [&[u8]; 4] = [b"openssh.com", b"libssh.org", b"ssh.com", b"lysator.liu.se"];
    names.contains(&domain)
}

/// Where a local part in quotes begins (RFC 5321, 4.1.2): `"john doe"@`. The quotes may be escaped, as
/// inside of JSON.
fn quoted(view: View<'_>, at: usize) -> Option<usize> {
    let close = at - 1;
    let slashes = view.run_back(close, 8, |byte| byte == b'\\');
    let escape = close - slashes;
    let open = view.run_back(slashes, 64, |byte| !matches!(byte, b'"' | b'\n' | b'@'));
    let mark = open.checked_sub(1).filter(|&mark| view.at(mark) == b'"' && open < slashes)?;
    let start = view.run_back(mark, escape, |byte| byte == b'\\');
    // After a word the quote is not an opening one.
    let apart = !view.bounded || !view.word_before(start);
    (mark - start == escape && apart).then_some(start)
}

/// Where `o'brien@example.com` begins, found as `brien@example.com`; not `b'bob@example.com'`, which is a
/// string of some language.
fn apostrophe(view: View<'_>, start: usize, end: usize) -> Option<usize> {
    let mark = start.checked_sub(1).filter(|&mark| view.at(mark) == b'\'')?;
    let first = view.run_back(mark, 32, is_local);
    (first < mark && is_letter(view.at(mark - 1)) && view.at(end) != b'\'').then_some(first)
}

/// The end of the longest domain name that begins here: labels of letters, digits and hyphens, the
/// last of at least two letters.
fn domain_end(view: View<'_>, from: usize) -> Option<usize> {
    let limit = view.run(from, 253, is_domain);
    let mut label = from;
    let mut best = None;
    while label < limit {
        let end = view.run(label, limit - label, |byte| byte != b'.');
        let name = view.bytes.get(label..end)?;
        if name.is_empty() || name.first() == Some(&b'-') {
            break;
        }
        let letters = name.iter().all(|byte| is(*byte, UPPER | LOWER | FOREIGN));
        let encoded = name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"xn--"));
        if label > from && ((letters && (2..=24).contains(&name.len())) || encoded) {
            // `bob@example.com.log` is a file named after a person; `app@2x.min.js` is not.
            let before =
                best.and_then(|end| view.bytes.get(view.run_back(end, 24, is_letter)..end));
            if !is_other(name) {
                best = Some(end);
            } else if !before.is_some_and(is_common) {
                best = None;
            }
        } else if label > from
            && let Some(hyphen) = name.iter().position(|byte| *byte == b'-')
            && (2..=24).contains(&hyphen)
            && name.iter().take(hyphen).all(u8::is_ascii_alphabetic)
        {
            // `bob@example.com-2026`: what follows the hyphen is no part of the name.
            best = Some(label + hyphen);
        }
        label = end + 1;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::super::tests::value;
    use super::*;

    fn check(text: &str, expect: Option<&str>) {
        let at = text.find('@').unwrap();
        assert_eq!(email(value(text), at).map(|found| &text[found]), expect, "{text}");
    }

    #[test]
    fn addresses_are_found_without_what_stands_around_them() {
        check("from=bob@example.com, to", Some("bob@example.com"));
        check("<bob.o+tag@mail.example.co.uk>", Some("bob.o+tag@mail.example.co.uk"));
        check("mailto:bob@example.com.", Some("bob@example.com"));
        check("bob@example.com-2026", Some("bob@example.com"));
        check("/logs/bob@example.com.log", Some("bob@example.com"));
        check("bob@example.co.uk.tar.gz", Some("bob@example.co.uk"));
        check("bob@example.com.json", Some("bob@example.com"));
        check("jürgen@müller.de", Some("jürgen@müller.de"));
        check("x@xn--bcher-kva.example", Some("x@xn--bcher-kva.example"));
        check("12345@qq.com", Some("12345@qq.com"));
        check("-bob@example.com..", Some("bob@example.com"));
        check("müller@例え.jp", Some("müller@例え.jp"));
        check("a@b.c.xn--p1ai", Some("a@b.c.xn--p1ai"));
        check(r#"to "john doe"@example.com;"#, Some(r#""john doe"@example.com"#));
        check(r#"{\"to\":\"\\"john doe\\"@example.com\"}"#, Some(r#"\\"john doe\\"@example.com"#));
        check(r"line\nbob@example.com", Some("bob@example.com"));
        check(r"\u003cbob@example.com\u003e", Some("bob@example.com"));
        check(r"\x3cbob@example.com", Some("bob@example.com"));
        check("4915112345678@s.whatsapp.net", Some("4915112345678@s.whatsapp.net"));
        check("o'brien@example.com", Some("o'brien@example.com"));
        check("{'to': b'bob@example.com'}", Some("bob@example.com"));
        check("'bob@example.com'", Some("bob@example.com"));
    }

    #[test]
    fn escapes_that_hide_letters_of_an_address_are_seen() {
        let hidden = |text: &str| is_hidden_address(value(text), text.find('@').unwrap());
        for text in [
            r"j\u00f6rg@example.com",
            r"bob@b\\u00fccher.de",
            "m%C3%BCller@example.com",
            "bob@%E4%BE%8B.cn",
            "bob@b&#252;cher.de",
            "M&uuml;ller@example.com",
            "&quot;bob o&quot;@example.com",
            "&#34;bob o&#34;@example.com",
        ] {
            assert!(hidden(text), "{text}");
        }
        for text in [
            "bob@example.com",
            r"\nbob@example.com\n",
            r"\u003cbob@example.com\u003e",
            "&lt;bob@example.com&gt;",
            "&quot;bob@example.com&quot;",
            "%22bob@example.com%22",
        ] {
            assert!(!hidden(text), "{text}");
        }
    }

    #[test]
    fn addresses_that_a_mail_quotes_are_found() {
        let check = |text: &str, expect: Option<&str>| {
            let at = text.find("=40").unwrap();
            assert_eq!(
                quoted_printable(value(text), at).map(|found| &text[found]),
                expect,
                "{text}"
            );
        };
        check("To: bob=40example.com", Some("bob=40example.com"));
        check("<bob.o=40mail.example.co.uk>", Some("bob.o=40mail.example.co.uk"));
        check("=?utf-8?Q?bob=40example.com?=", Some("bob=40example.com"));
        for text in [
            "timeout=40",
            "timeout=40.5",
            "timeout=40ms",
            "n=40 a.com",
            "ip=40.1.2.3",
            "host=40web.example.com",
            "http.host=40web.example.com",
            "rdns=4096.example.com",
            "file=40x.png",
            "GET /x?w=40x.de",
            "size=40px.min",
            "=40example.com",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn what_only_looks_like_one_is_left() {
        for text in [
            "lodash@4.17.21",
            "git@github.com:o/r.git",
            "Proxy@2bd79c",
            "getty@tty1.service",
            "img@2x.png",
            "img@2x.min.js",
            "@Override",
            "a @ b.com",
            "user@localhost",
            "x@.com",
            "x@-a.com",
            "chacha20-poly1305@openssh.com",
            "curve25519-sha256@libssh.org",
            "<20261126021825.41CE73E9@web-1.example.com>",
            "550e8400-e29b-41d4-a716-446655440000@mx.example.com",
            "user=\"\"@x.com",
            "say \"a\" \"@x.com",
            "nested \"a@b c\"@x",
        ] {
            check(text, None);
        }
    }
}
