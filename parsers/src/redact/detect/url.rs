//! Passwords in URLs: `scheme://user:password@host`.

use std::ops::Range;

use super::View;

/// Bytes of a URL's user and password that are looked at, at most.
const LONGEST: usize = 256;

/// The password before the `@` at `at`, if that ends a URL's credentials. An `@` in the password
/// gives a longer match at the last one.
pub(in super::super) fn url_password(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let start = view.run_back(at, LONGEST, |byte| {
        !matches!(byte, 0..=b' ' | b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'`')
    });
    // Before it must stand `://`, which JSON may write `:\/\/`.
    let slash = |place: usize| match view.before(place, 1) {
        b'/' if view.before(place, 2) == b'\\' => place.checked_sub(2),
        b'/' => place.checked_sub(1),
        _ => None,
    };
    let colon = slash(slash(start)?)?;
    if view.before(colon, 1) != b':' || !view.before(colon, 2).is_ascii_alphanumeric() {
        return None;
    }
    let colon = view.run(start, LONGEST, |byte| byte != b':');
    let password = view.bytes.get(colon + 1..at)?;
    let placeholder = password.iter().all(|byte| matches!(byte, b'*' | b'x'));
    (!placeholder && !view.masks.has(password)).then_some(colon + 1..at)
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
        check(r"https:\/\/u:p\/@h", None);
        check(r"https:\/\/u:pw@h", Some("pw"));
        check("amqp://u:p@ss@h", Some("p@ss"));
        check("http://user@host/", None);
        check("http://host:80/@x", None);
        check("http://u:[PASSWORD]@h", None);
        check("http://u:***@h", None);
        check("a:b@c", None);
    }
}
