//! What stands in place of a value: `[EMAIL]`, or `[EMAIL:…]` with a keyed hash of it or with the part
//! of it that may stay; as the host of a URL, which takes no brackets, `redacted-email`.

use std::ops::Range;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::decode::decode;
use super::partial::is_kept;

/// Base32 characters of a hash that are kept: 50 bits.
const HASH_CHARACTERS: usize = 10;

/// RFC 4648's base32 alphabet in lower case: no token of another kind is spelt in it.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Bytes around a place in which a token that has it is looked for.
const WINDOW: usize = 80;

/// What a host begins with that stands for a redacted one.
const HOST: &str = "redacted-";

/// A token: its name, and what tells equal values from others.
pub(super) fn masked(token: &str, detail: Option<&str>) -> String {
    match detail {
        Some(detail) => ["[", token, ":", detail, "]"].concat(),
        None => ["[", token, "]"].concat(),
    }
}

/// The same where a host stands in a URL.
pub(super) fn masked_host(token: &str, hash: Option<&str>) -> String {
    let name = token.to_ascii_lowercase().replace('_', "-");
    match hash {
        Some(hash) => format!("{HOST}{name}-{hash}"),
        None => format!("{HOST}{name}"),
    }
}

/// The first 50 bits of a value's keyed HMAC-SHA-256.
pub(super) fn hashed(key: &[u8], value: &str) -> Option<String> {
    // HMAC takes keys of any length; were that not so, the plain token would remain.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(value.as_bytes());
    let mut out = String::with_capacity(HASH_CHARACTERS);
    base32(&mac.finalize().into_bytes(), &mut out);
    Some(out)
}

/// Appends the first characters of a hash.
fn base32(hash: &[u8], out: &mut String) {
    let bits = hash.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    for index in 0..HASH_CHARACTERS {
        let five = (bits >> (59 - 5 * index)) & 31;
        out.extend(ALPHABET.get(five as usize).map(|byte| char::from(*byte)));
    }
}

/// A value without up to two levels of escapes; of an address, also without how mails quote its `@`.
pub(super) fn plain(token: &str, found: &str) -> String {
    let mut plain = found.to_owned();
    for _ in 0..2 {
        let mut decoded = String::new();
        if !decode(&plain, &mut decoded, &mut Vec::new()) {
            break;
        }
        plain = decoded;
    }
    match plain.split_once("=40") {
        Some((local, domain)) if token == "EMAIL" && !plain.contains('@') => {
            [local, "@", domain].concat()
        }
        _ => plain,
    }
}

/// A [plain] value as it is compared: without what may differ between two spellings of the same thing.
pub(super) fn normalised(token: &str, plain: &str) -> String {
    // National numbers have their country's two letters: `US_SSN`.
    let number = token.as_bytes().get(2) == Some(&b'_')
        || matches!(token, "CREDIT_CARD" | "PHONE" | "IBAN" | "MAC" | "PASSPORT" | "IMEI" | "VIN");
    match token {
        "EMAIL" => plain.to_lowercase(),
        _ if number => plain
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_uppercase())
            .collect(),
        _ => plain.to_owned(),
    }
}

/// The names of the tokens that redaction leaves: `EMAIL` of `[EMAIL]` and `[EMAIL:abcdefghij]`.
#[derive(Debug, Default)]
pub(super) struct Masks(Vec<Box<str>>);

impl Masks {
    /// No names.
    pub(super) const NONE: Self = Self(Vec::new());

    /// Adds a name.
    pub(super) fn add(&mut self, name: &str) {
        if !self.0.iter().any(|known| **known == *name) {
            self.0.push(name.into());
        }
    }

    /// Whether a text is one of those tokens. Other words in brackets may be anything.
    pub(super) fn has(&self, text: &[u8]) -> bool {
        let Some((b'[', rest)) = text.split_first() else { return false };
        let Some((b']', inner)) = rest.split_last() else { return false };
        let end = memchr::memchr(b':', inner).unwrap_or(inner.len());
        let (name, detail) = inner.split_at(end);
        let detail = detail.get(1..);
        detail.is_none_or(|detail| is_hash(detail) || is_kept(detail))
            && self.0.iter().any(|known| known.as_bytes() == name)
    }

    /// What of a name stands behind the last of those tokens in it: nothing was read from them that a
    /// name could say.
    pub(super) fn behind<'n>(&self, name: &'n str) -> &'n str {
        let last = name.bytes().rposition(|byte| byte.is_ascii_alphabetic());
        if last.is_some_and(|last| self.cover(name, &(last..last + 1))) {
            return "";
        }
        let ends = |(close, _): (usize, &str)| {
            let near = name.as_bytes().get(close.saturating_sub(WINDOW)..=close)?;
            let open = memchr::memrchr(b'[', near)?;
            near.get(open..).is_some_and(|token| self.has(token)).then_some(close + 1)
        };
        let end = name.rmatch_indices(']').find_map(ends);
        end.and_then(|end| name.get(end..)).unwrap_or(name)
    }

    /// Whether a text is what stands for one of them as a host.
    fn has_host(&self, text: &[u8]) -> bool {
        let Some(rest) = text.strip_prefix(HOST.as_bytes()) else { return false };
        let named = |rest: &[u8]| {
            let same = |(known, byte): (u8, &u8)| match known {
                b'_' => *byte == b'-',
                known => known.to_ascii_lowercase() == *byte,
            };
            let mut names = self.0.iter().filter(|known| known.len() == rest.len());
            names.any(|known| known.bytes().zip(rest).all(same))
        };
        let hash = rest.len().checked_sub(HASH_CHARACTERS + 1).map(|at| rest.split_at(at));
        let hash = hash.filter(|(_, hash)| hash.first() == Some(&b'-') && is_hash(&hash[1..]));
        named(rest) || hash.is_some_and(|(rest, _)| named(rest))
    }

    /// Whether a range lies within something that redaction left.
    pub(super) fn cover(&self, text: &str, range: &Range<usize>) -> bool {
        let bytes = text.as_bytes();
        let from = range.start.saturating_sub(WINDOW);
        let before = bytes.get(from..=range.start).unwrap_or_default();
        let window =
            |start: usize| bytes.get(start..bytes.len().min(start + WINDOW)).unwrap_or_default();
        let in_token = memchr::memrchr(b'[', before).is_some_and(|open| {
            let rest = window(from + open);
            memchr::memchr(b']', rest).is_some_and(|close| {
                from + open + close + 1 >= range.end
                    && rest.get(..=close).is_some_and(|token| self.has(token))
            })
        });
        let in_host = || {
            let host = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
            let start =
                before.iter().rposition(|byte| !host(byte)).map_or(from, |at| from + at + 1);
            let rest = window(start);
            let end = rest.iter().position(|byte| !host(byte)).unwrap_or(rest.len());
            start + end >= range.end && rest.get(..end).is_some_and(|word| self.has_host(word))
        };
        in_token || in_host()
    }
}

/// Whether a text is what [`hashed`] gives.
fn is_hash(text: &[u8]) -> bool {
    text.len() == HASH_CHARACTERS && text.iter().all(|byte| ALPHABET.contains(byte))
}

/// Whether what stands at a range is the host of a URL, or a part of it: no brackets may stand there.
/// Behind it comes neither `@` nor more than a port.
pub(super) fn is_host(text: &str, range: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    let ends = |byte: &u8| {
        byte.is_ascii_whitespace()
            || matches!(
                byte,
                b'/' | b'?' | b'#' | b'"' | b'\'' | b'\\' | b'<' | b'>' | b'`' | b',' | b';'
            )
    };
    let from = range.start.saturating_sub(WINDOW);
    let before = bytes.get(from..range.start).unwrap_or_default();
    let Some(slash) = before.iter().rposition(ends) else { return false };
    let head = before.get(..=slash).unwrap_or_default();
    if !(head.ends_with(b"://") || head.ends_with(b":\\/\\/")) {
        return false;
    }
    // What follows a colon is a password, or a port.
    let own = before.get(slash + 1..).and_then(|own| own.rsplit(|byte| *byte == b'@').next());
    if own.is_some_and(|own| own.contains(&b':')) {
        return false;
    }
    let after = bytes.get(range.end..bytes.len().min(range.end + WINDOW)).unwrap_or_default();
    let rest = after.iter().position(ends).unwrap_or(after.len());
    after.get(..rest).is_some_and(|rest| !rest.contains(&b'@'))
}

/// Where a text has the quotes that must stand around what replaces a range: if that is a whole number
/// of JSON, a member's or in a list of numbers, the quotes of its key. Empty else.
pub(super) fn quote_of_member(text: &str, range: &Range<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    let ends = matches!(bytes.get(range.end), Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r'));
    if !ends || !bytes.get(range.clone()).is_some_and(|value| value.iter().all(number)) {
        return 0..0;
    }
    let from = range.start.saturating_sub(WINDOW);
    let before = bytes.get(from..range.start).unwrap_or_default();
    let others = |byte: &u8| number(byte) || matches!(byte, b',' | b' ');
    let list = before.iter().rposition(|byte| !others(byte));
    let list = list.and_then(|at| before.get(..=at)).and_then(|list| list.strip_suffix(b"["));
    let before = list.unwrap_or(before).trim_ascii_end();
    let Some((b':', before)) = before.split_last() else { return 0..0 };
    let before = before.trim_ascii_end();
    let Some((b'"', rest)) = before.split_last() else { return 0..0 };
    let escapes = rest.iter().rev().take_while(|byte| **byte == b'\\').count();
    from + rest.len() - escapes..from + before.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_the_first_fifty_bits_of_hmac_sha_256() {
        // RFC 4231, test case 2: 5bdcc146bf60754e6a042426089575c7…
        let hash = hashed(b"Jefe", "what do ya want for nothing?");
        assert_eq!(hash.as_deref(), Some("lpomcrv7mb"));
        assert_eq!(masked("X", hash.as_deref()), "[X:lpomcrv7mb]");
        assert_eq!(masked("X", None), "[X]");
        assert_eq!(masked_host("US_SSN", None), "redacted-us-ssn");
    }

    #[test]
    fn spellings_of_the_same_value_hash_alike() {
        let check = |token: &str, one: &str, other: &str| {
            let [one, other] = [one, other].map(|text| normalised(token, &plain(token, text)));
            assert_eq!(one, other);
        };
        check("EMAIL", "Bob@Example.com", "bob%40example.com");
        check("EMAIL", r"bob\u0040example.com", "bob@example.com");
        check("EMAIL", "bob=40Example.com", "bob@example.com");
        assert_eq!(plain("PASSWORD", "bob=40x"), "bob=40x");
        assert_eq!(plain("EMAIL", "a=40b@x.de"), "a=40b@x.de");
        check("CREDIT_CARD", "4111 1111 1111 1111", "4111111111111111");
        check("CREDIT_CARD", "4111%201111%201111%201111", "4111111111111111");
        check("IBAN", "GB82 WEST 1234 5698 7654 32", "GB82WEST12345698765432");
        check("UK_NINO", "AB 12 34 56 C", "ab123456c");
        check("US_SSN", "078-05-1120", "078 05 1120");
        check("PHONE", "+1 (415) 555-2671", "+14155552671");
    }

    #[test]
    fn hosts_of_urls_are_told_from_what_stands_around_them() {
        let check = |text: &str, value: &str, expect: bool| {
            let at = text.find(value).expect(value);
            assert_eq!(is_host(text, &(at..at + value.len())), expect, "{text}");
        };
        check("http://192.0.2.7:80/x", "192.0.2.7", true);
        check(r"http:\/\/192.0.2.7\/x", "192.0.2.7", true);
        check("https://u:pw@192.0.2.7", "192.0.2.7", true);
        check("https://u:pw@192.0.2.7", "pw", false);
        check("https://token:abc@h/x", "abc@h", false);
        check("http://[2001:db8::1]:80/", "2001:db8::1", true);
        check("https://h/192.0.2.7", "192.0.2.7", false);
        check("https://h/?u=bob@x.com", "bob@x.com", false);
        check("see https://h, 192.0.2.7", "192.0.2.7", false);
        check("from 192.0.2.7", "192.0.2.7", false);
    }

    #[test]
    fn what_redaction_left_covers_what_is_in_it() {
        let mut masks = Masks::default();
        masks.add("US_SSN");
        masks.add("EMAIL");
        let check = |text: &str, value: &str, expect: bool| {
            let at = text.find(value).expect(value);
            assert_eq!(masks.cover(text, &(at..at + value.len())), expect, "{text}");
        };
        check("to [EMAIL:example.com] now", "example.com", true);
        check("to [EMAIL:example.com] now", "example.com] now", false);
        check("http://redacted-us-ssn/x", "ssn", true);
        check("http://redacted-us-ssn-abcdefghij/x", "abcdefghij", true);
        check("http://redacted-us-ssn-abcdefghi1/x", "abcdefghi1", false);
        check("http://redacted-other/x", "other", false);
        check("[HUNTER2]", "HUNTER2", false);
        for (name, behind) in
            [("a [EMAIL] b", " b"), ("[US_SSN]", ""), ("user[x]", "user[x]"), ("x", "x")]
        {
            assert_eq!(masks.behind(name), behind);
        }
    }
}
