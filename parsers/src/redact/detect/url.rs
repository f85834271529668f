//! Passwords in URLs: `scheme://user:password@host`.

use std::ops::Range;

use super::View;

/// Bytes of a URL that are looked at before its `@`, at most.
const LONGEST: usize = 256;

/// Schemes of URLs that have a port and later an `@`, not a password that begins with digits.
const WITH_PORTS: &[&[u8]] =
    &[b"http", b"https", b"ws", b"wss", b"docker", b"docker-pullable", b"oci"];

/// The password before the `@` at `at`, if that ends a URL's credentials. People write passwords into
/// URLs as they are: an `@`, `/`, `?` or `#` in one gives a longer match at the last `@`; but an `@` in the path or query
/// behind the host is none of theirs.
pub(in super::super) fn url_password(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let from = view.run_back(at, LONGEST, |byte| {
        !matches!(byte, 0..=b' ' | b'"' | b'\'' | b'<' | b'>' | b'`')
    });
    let Some((scheme, start)) = authority(view, from, at) else { return database(view, from, at) };
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
    let known = || {
        let name = view.run_back(scheme, 24, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let name = view.bytes.get(name..scheme).unwrap_or_default();
        WITH_PORTS.iter().any(|scheme| name.eq_ignore_ascii_case(scheme))
    };
    let port = is_port(password) && start < colon && (known() || ends_in_parameter(password));
    let found = !placeholder && !port && !is_closed(password) && !view.masks.has(password);
    found.then_some(colon + 1..at)
}

/// The password in what Oracle's and Go's drivers take for an address: `thin:user/password@host`,
/// `user:password@tcp(host)`.
fn database(view: View<'_>, from: usize, at: usize) -> Option<Range<usize>> {
    let text = view.bytes.get(from..at)?;
    memchr::memchr(b':', text)?;
    let oracle = [&b":thin:"[..], b":oci:", b":oci8:"].into_iter().find_map(|driver| {
        let user = memchr::memmem::rfind(text, driver)? + driver.len();
        Some(user + memchr::memchr(b'/', text.get(user..)?)? + 1)
    });
    let go = || {
        let dials =
            [&b"tcp("[..], b"unix(", b"tcp6("].into_iter().any(|dial| view.has(at + 1, dial));
        let user = text
            .iter()
            .rposition(|byte| matches!(byte, b'=' | b',' | b'(' | b'['))
            .map_or(0, |it| it + 1);
        let colon = user + memchr::memchr(b':', text.get(user..)?)?;
        dials.then_some(colon + 1)
    };
    let start = oracle.or_else(go)?;
    let password = text.get(start..)?;
    let placeholder = password.iter().all(|byte| matches!(byte, b'*' | b'x'));
    (!placeholder && !view.masks.has(password)).then_some(from + start..at)
}

/// Of the last URL that begins between two places, where its scheme ends and where its user or host
/// begins: after `://`, which JSON may write `:\/\/`, and JSON in JSON with more backslashes.
fn authority(view: View<'_>, from: usize, to: usize) -> Option<(usize, usize)> {
    let bytes = view.bytes.get(from..to)?;
    let slash = |place: usize| {
        let place = view.run(place, 4, |byte| byte == b'\\');
        (view.at(place) == b'/' && place < to).then_some(place + 1)
    };
    let begins = |colon: usize| {
        let scheme = from + colon;
        let start = slash(slash(scheme + 1)?)?;
        view.before(scheme, 1).is_ascii_alphanumeric().then_some((scheme, start))
    };
    memchr::memrchr_iter(b':', bytes).find_map(begins)
}

/// What ends the host of a URL.
const fn ends_host(byte: u8) -> bool {
    matches!(byte, b'/' | b'?' | b'#' | b'\\')
}

/// Whether what follows `host:` may be a port, and a path or query after it that has the `@`.
fn is_port(text: &[u8]) -> bool {
    text.iter().find(|byte| !byte.is_ascii_digit()).is_some_and(|&byte| ends_host(byte))
}

/// Whether the text ends in a query's parameter: `5432/shop?user=bob`, before `@example.com`.
fn ends_in_parameter(text: &[u8]) -> bool {
    memchr::memchr(b'?', text)
        .and_then(|at| text.get(at..))
        .is_some_and(|query| query.contains(&b'='))
}

/// Whether credentials end within the text, and their host too.
fn is_closed(text: &[u8]) -> bool {
    let end = text.iter().position(|&byte| byte == b'@' || ends_host(byte));
    let host = end.and_then(|end| text.get(end..)).filter(|rest| rest.starts_with(b"@"));
    host.is_some_and(|host| host.iter().any(|&byte| ends_host(byte)))
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
        check("postgres://app:7#kLmPq@db:5432/x", Some("7#kLmPq"));
        check("redis://:9?abc@cache:6379", Some("9?abc"));
        check("postgres://app:12/hunter@db", Some("12/hunter"));
        check("amqp://u:9/x@h", Some("9/x"));
        check("jdbc:oracle:thin:scott/t1ger@//db:1521/shop", Some("t1ger"));
        check("dsn=app:s3cret@tcp(db:3306)/shop", Some("s3cret"));
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
            "https://bob:pw@host/@scope/pkg",
            "https://u:[PASSWORD]@host/x?u=bob@x",
            "postgres://db:5432/shop?user=bob@x",
            "docker-pullable://registry:5000/image@sha256:0123",
        ] {
            check(other, None);
        }
    }
}
