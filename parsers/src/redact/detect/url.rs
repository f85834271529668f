//! Passwords in URLs: `scheme://user:password@host`.

use std::ops::Range;

use super::View;

/// Bytes of a URL that are looked at before its `@`, at most.
const LONGEST: usize = 256;

/// The password before the `@` at `at`, if that ends a URL's credentials. People write passwords into
/// URLs as they are: an `@`, `/`, `?` or `#` in one gives a longer match at the last `@`.
pub(in super::super) fn url_password(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let from = view.run_back(at, LONGEST, |byte| {
        !matches!(byte, 0..=b' ' | b'"' | b'\'' | b'<' | b'>' | b'`')
    });
    let start = authority(view, from, at)?;
    let colon = view.run(start, at - start, |byte| {
        !matches!(byte, b':' | b'@' | b'/' | b'?' | b'#' | b'[' | b'\\')
    });
    if view.at(colon) != b':' {
        return None;
    }
    let password = view.bytes.get(colon + 1..at)?;
    let placeholder = password.iter().all(|byte| matches!(byte, b'*' | b'x'))
        || password.starts_with(b"${")
        || password.starts_with(b"{");
    let found = !placeholder && !is_port(password) && !view.masks.has(password);
    found.then_some(colon + 1..at)
}

/// Where the last URL that begins between two places has its user or host: after `://`, which JSON
/// may write `:\/\/`.
fn authority(view: View<'_>, from: usize, to: usize) -> Option<usize> {
    let bytes = view.bytes.get(from..to)?;
    let begins = |colon: &usize| {
        let rest = bytes.get(colon + 1..).unwrap_or_default();
        let after = ["//", "\\/\\/"].into_iter().find(|it| rest.starts_with(it.as_bytes()))?;
        view.before(from + colon, 1)
            .is_ascii_alphanumeric()
            .then_some(from + colon + 1 + after.len())
    };
    memchr::memrchr_iter(b':', bytes).find_map(|colon| begins(&colon))
}

/// Whether what follows `host:` is a port, and a path or query after it that has the `@`.
fn is_port(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    matches!(text.get(digits), Some(b'/' | b'?' | b'#' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::value;
    use super::*;

    #[test]
    fn the_password_alone_is_found() {
        let check = |text: &str, expect: Option<&str>| {
            let at = text.rfind('@').unwrap();
            assert_eq!(url_password(value(text), at).map(|found| &text[found]), expect, "{text}");
        };
        check("postgres://app:s3cret@db:5432/x", Some("s3cret"));
        check("redis://:s3cret@cache", Some("s3cret"));
        check(r"https:\/\/u:pw@h", Some("pw"));
        check("amqp://u:p@ss@h", Some("p@ss"));
        check("postgres://app:pa/ss0rd@db:5432/shop", Some("pa/ss0rd"));
        check("mongodb://app:pa?ss0rd@db/shop", Some("pa?ss0rd"));
        check("postgres://app:pa#ss0rd@db", Some("pa#ss0rd"));
        check("/?to=https://x/?u=amqp://u:pw@h", Some("pw"));
        for other in [
            "http://user@host/",
            "http://host:80/@x",
            r"http:\/\/host:80\/@x",
            "http://host:80?to=bob@example.com",
            "http://[2001:db8::1]:80/@x",
            "ssh://git@github.com:o/r@v1",
            "https://registry.example.com/@babel/core:1@x",
            "http://u:[PASSWORD]@h",
            "http://u:***@h",
            "http://u:${PASSWORD}@h",
            "a:b@c",
        ] {
            check(other, None);
        }
    }
}
