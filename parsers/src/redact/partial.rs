//! What `partial` leaves of a value: enough to tell where it belongs, too little to tell whose it is.
//!
//! Network addresses stay addresses, that of their network, so that a field mapped as one still takes
//! them. Of all else, what is kept stands in the token: `[CREDIT_CARD:1111]`, `[EMAIL:example.com]`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::detect::is_card;

/// Bytes of a domain that are kept at most: a token is known again within a bounded window.
const LONGEST_DOMAIN: usize = 60;

/// Digits of a domain that is kept, at most: with more it may itself be a number of somebody's.
const DIGITS: usize = 6;

/// What is left of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// Stands in the token, after its name.
    Inside(String),
    /// Stands in place of the value, without a token.
    Instead(String),
}

/// The kinds of value that have a part which may stay.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Email,
    Card,
    Iban,
    Phone,
    Address,
    Mac,
}

/// What is left of a value, escapes undone; `None` if it has no part that may stay. `field`: whether
/// the rule stands for a field that the configuration names, whose values may be of any kind.
pub(super) fn partial(token: &str, field: bool, plain: &str) -> Option<Kept> {
    let plain = plain.trim();
    let kind = match token {
        "EMAIL" => Kind::Email,
        "CREDIT_CARD" => Kind::Card,
        "IBAN" => Kind::Iban,
        "PHONE" => Kind::Phone,
        "IPV4" | "IPV6" => Kind::Address,
        "MAC" => Kind::Mac,
        _ => guess(plain).filter(|_| field)?,
    };
    match kind {
        Kind::Email => domain(plain).map(Kept::Inside),
        Kind::Card => last_four(plain, is_card).map(Kept::Inside),
        Kind::Phone => last_four(plain, |digits| digits.len() >= 9).map(Kept::Inside),
        Kind::Iban => last_of_iban(plain).map(Kept::Inside),
        Kind::Address => network(plain).map(Kept::Instead),
        Kind::Mac => vendor(plain).map(Kept::Instead),
    }
}

/// The kind of a value whose field's name does not say it.
fn guess(plain: &str) -> Option<Kind> {
    if plain.parse::<IpAddr>().is_ok() {
        Some(Kind::Address)
    } else if vendor(plain).is_some() {
        Some(Kind::Mac)
    } else if plain.contains('@') {
        Some(Kind::Email)
    } else if plain.starts_with('+') {
        Some(Kind::Phone)
    } else {
        Some(Kind::Card)
    }
}

/// The domain of an address, in lower case.
fn domain(address: &str) -> Option<String> {
    let domain = address.rsplit_once('@')?.1.to_lowercase();
    is_domain(domain.as_bytes()).then_some(domain)
}

/// The last four of digits that are written with no more than blanks and punctuation between them.
fn last_four(plain: &str, is_one: impl Fn(&[u8]) -> bool) -> Option<String> {
    let between = |byte: u8| matches!(byte, b' ' | b'-' | b'.' | b'/' | b'(' | b')' | b'+');
    if !plain.bytes().all(|byte| byte.is_ascii_digit() || between(byte)) {
        return None;
    }
    let digits: Vec<u8> = plain.bytes().filter(u8::is_ascii_digit).collect();
    let last = digits.len().checked_sub(4)?;
    let last = digits.get(last..).filter(|_| is_one(&digits))?;
    std::str::from_utf8(last).ok().map(str::to_owned)
}

/// The last four of an account's number: countries write no fewer than eleven before them.
fn last_of_iban(plain: &str) -> Option<String> {
    let number: Vec<u8> =
        plain.bytes().filter(|byte| !matches!(byte, b' ' | b'-' | b'+')).collect();
    let begins = matches!(number.as_slice(),
        [a, b, c, d, ..] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic()
            && c.is_ascii_digit() && d.is_ascii_digit());
    let whole =
        begins && (15..=34).contains(&number.len()) && number.iter().all(u8::is_ascii_alphanumeric);
    let last = number.get(number.len().checked_sub(4)?..).filter(|_| whole)?;
    std::str::from_utf8(last).ok().map(str::to_ascii_uppercase)
}

/// The /24 of an IPv4 address, the /48 of an IPv6 address; the /24 of one that holds an IPv4 address.
fn network(address: &str) -> Option<String> {
    let of_v4 = |address: Ipv4Addr| {
        let [a, b, c, _] = address.octets();
        Ipv4Addr::new(a, b, c, 0)
    };
    Some(match address.parse().ok()? {
        IpAddr::V4(address) => of_v4(address).to_string(),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(inner) => of_v4(inner).to_ipv6_mapped().to_string(),
            None => {
                let [a, b, c, ..] = address.segments();
                Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).to_string()
            }
        },
    })
}

/// A MAC address with zeros for what its vendor gave out; written as it was.
fn vendor(address: &str) -> Option<String> {
    let mut digits = 0;
    let mut out = String::with_capacity(address.len());
    for character in address.chars() {
        match character {
            ':' | '-' | '.' => out.push(character),
            _ if character.is_ascii_hexdigit() => {
                out.push(if digits < 6 { character } else { '0' });
                digits += 1;
            }
            _ => return None,
        }
    }
    (digits == 12 && out.len() > digits).then_some(out)
}

/// Whether what stands in a token after its name is what [`partial`] leaves there.
pub(super) fn is_kept(text: &[u8]) -> bool {
    let four = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    (text.len() == 4 && text.iter().all(four)) || is_domain(text)
}

/// Whether a text is a domain that may be kept.
fn is_domain(text: &[u8]) -> bool {
    let member = |byte: &u8| {
        byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || matches!(byte, b'.' | b'-')
            || *byte >= 0x80
    };
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    text.len() <= LONGEST_DOMAIN
        && digits <= DIGITS
        && text.iter().all(member)
        && text.contains(&b'.')
        && text.split(|byte| *byte == b'.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn inside(token: &str, plain: &str, expect: Option<&str>) {
        let kept = partial(token, false, plain);
        assert_eq!(kept, expect.map(|text| Kept::Inside(text.to_owned())), "{token} {plain}");
        assert!(expect.is_none_or(|text| is_kept(text.as_bytes())), "{plain}");
    }

    #[track_caller]
    fn instead(token: &str, plain: &str, expect: &str) {
        let expect = Some(Kept::Instead(expect.to_owned()));
        assert_eq!(partial(token, false, plain), expect, "{token} {plain}");
    }

    #[test]
    fn last_four_and_domains_are_kept() {
        inside("CREDIT_CARD", "4111 1111 1111 1111", Some("1111"));
        inside("CREDIT_CARD", "378282246310005", Some("0005"));
        inside("IBAN", "gb82 West 1234 5698 7654 32", Some("5432"));
        inside("PHONE", "+1 (415) 555-2671", Some("2671"));
        inside("EMAIL", "Bob.O@Mail.Example.COM", Some("mail.example.com"));
        inside("EMAIL", "jürgen@Müller.de", Some("müller.de"));
    }

    #[test]
    fn what_is_short_or_of_another_kind_goes_whole() {
        inside("CREDIT_CARD", "4111", None);
        inside("CREDIT_CARD", "4111111111111112", None);
        inside("PHONE", "555-2671", None);
        inside("PHONE", "call bob 4155552671", None);
        inside("IBAN", "this is long and no account", None);
        inside("IBAN", "DE89", None);
        inside("EMAIL", "bob", None);
        inside("EMAIL", "bob@localhost", None);
        inside("EMAIL", "bob@123-45-6789.example", None);
        inside("EMAIL", &format!("bob@{}.com", "x".repeat(60)), None);
        inside("PASSWORD", "4111111111111111", None);
        inside("US_SSN", "123-45-6789", None);
    }

    #[test]
    fn addresses_become_those_of_their_networks() {
        instead("IPV4", "192.0.2.7", "192.0.2.0");
        instead("IPV6", "2001:DB8:1:2::7", "2001:db8:1::");
        instead("IPV6", "::ffff:192.0.2.7", "::ffff:192.0.2.0");
        instead("MAC", "00:1b:44:11:3A:b7", "00:1b:44:00:00:00");
        instead("MAC", "00-1B-44-11-3A-B7", "00-1B-44-00-00-00");
        instead("MAC", "001b.4411.3ab7", "001b.4400.0000");
    }

    #[test]
    fn a_field_is_taken_for_what_its_value_is() {
        let of = |plain: &str| partial("LOGIN", true, plain);
        assert_eq!(of("bob@example.com"), Some(Kept::Inside("example.com".into())));
        assert_eq!(of("192.0.2.7"), Some(Kept::Instead("192.0.2.0".into())));
        assert_eq!(of("4111-1111-1111-1111"), Some(Kept::Inside("1111".into())));
        assert_eq!(of("+14155552671"), Some(Kept::Inside("2671".into())));
        assert_eq!(of("00:1b:44:11:3a:b7"), Some(Kept::Instead("00:1b:44:00:00:00".into())));
        assert_eq!(of("deadbeefcafe"), None);
        assert_eq!(of("hunter2"), None);
        assert_eq!(partial("LOGIN", false, "bob@example.com"), None);
    }
}
