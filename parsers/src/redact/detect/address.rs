//! Network addresses, off by default: they are most of what an access log is read for.

use std::net::Ipv6Addr;
use std::ops::Range;

use super::{View, is_word};

/// Which kinds are looked for, and by which rule.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Addresses {
    /// IPv4.
    pub(in super::super) ipv4: Option<u16>,
    /// IPv6.
    pub(in super::super) ipv6: Option<u16>,
    /// MAC.
    pub(in super::super) mac: Option<u16>,
}

impl Addresses {
    /// Whether none is looked for.
    pub(in super::super) const fn is_off(&self) -> bool {
        self.ipv4.is_none() && self.ipv6.is_none() && self.mac.is_none()
    }
}

/// The address that has its third dot, its fourth colon or a later one, the second of two colons in a
/// row, or the fourth hyphen at `at`.
pub(in super::super) fn address(
    view: View<'_>,
    which: &Addresses,
    at: usize,
) -> Option<(u16, Range<usize>)> {
    let mac = || which.mac.zip(mac(view, at.checked_sub(9)?));
    match view.at(at) {
        b'.' => which.ipv4.zip(ipv4(view, first_dot(view, at)?)),
        b':' => mac().or_else(|| which.ipv6.zip(ipv6(view, at))),
        b'-' => mac(),
        _ => None,
    }
}

/// The first dot of four numbers, by the third.
fn first_dot(view: View<'_>, third: usize) -> Option<usize> {
    (0..2).try_fold(third, |dot, _| {
        let before = view.run_back(dot, 3, |byte| byte.is_ascii_digit()).checked_sub(1)?;
        (view.at(before) == b'.').then_some(before)
    })
}

/// An IPv4 address; `at` is its first dot. Loopback and 0.0.0.0 are left: they are nobody's.
fn ipv4(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let start = view.run_back(at, 3, |byte| byte.is_ascii_digit());
    let mut place = start;
    let mut first = 0;
    for octet in 0..4 {
        if octet > 0 {
            (view.at(place) == b'.').then_some(())?;
            place += 1;
        }
        let end = view.run(place, 3, |byte| byte.is_ascii_digit());
        let value = view.number(place, end).filter(|value| end > place && *value <= 255)?;
        if end - place > 1 && view.at(place) == b'0' {
            return None;
        }
        if octet == 0 {
            first = value;
        }
        place = end;
    }
    let before = view.before(start, 1);
    let after = view.at(place);
    let word_after = is_word(after)
        || (after == b'.' && is_word(view.at(place + 1)))
        || (after == b'-' && view.at(place + 1).is_ascii_alphanumeric());
    // `Chrome/120.0.0.0`, `v1.2.3.4`, `-1.2.3.4.jar`: versions.
    let version = is_word(before)
        || matches!(before, b'~' | b'.' | b'-' | b'+')
        || (before == b'/' && view.before(start, 2).is_ascii_alphabetic());
    let apart = !view.bounded || !(version || word_after);
    (apart && !matches!(first, 0 | 127) && !after.is_ascii_digit()).then_some(start..place)
}

/// An IPv6 address; `at` is any of its colons. At least three groups, or two around `::`.
fn ipv6(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let member = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
    let start = view.run_back(at, 45, member);
    let mut end = view.run(at, 45, member);
    if view.at(end) == b'.' {
        end = view.run(end, 16, |byte| byte.is_ascii_digit() || byte == b'.');
    }
    if view.bounded && (is_word(view.before(start, 1)) || is_word(view.at(end))) {
        return None;
    }
    while end > start && view.at(end - 1) == b':' && view.before(end, 2) != b':' {
        end -= 1;
    }
    // `host:2001:db8::7`
    let label = view.at(start) == b':' && view.at(start + 1) != b':';
    let start = start + usize::from(label);
    let mut text = std::str::from_utf8(view.bytes.get(start..end)?).ok()?;
    let address: Ipv6Addr = match text.parse() {
        Ok(address) => address,
        // Five digits are no group, but a port.
        Err(_) => {
            let (before, port) = text.rsplit_once(':')?;
            (port.len() == 5 && port.parse::<u16>().is_ok()).then_some(())?;
            (text, end) = (before, start + before.len());
            text.parse().ok()?
        }
    };
    let groups = text.split([':', '.']).filter(|group| !group.is_empty()).count();
    // Eight pairs of digits are a dump of bytes, or a port's world-wide name.
    let dump = text.split(':').all(|group| group.len() == 2);
    let mapped = address.to_ipv4_mapped().is_some_and(|mapped| mapped.is_loopback());
    let left = dump || mapped || dated(view, start, text) || address.is_loopback();
    (groups >= 2 && !left).then_some(start..end)
}

/// Whether a text is the year and the time of day of a time as Erlang writes it: `27-Nov-2026::04:58:45`.
fn dated(view: View<'_>, start: usize, text: &str) -> bool {
    let shaped = |(at, byte): (usize, u8)| match at {
        4 | 5 | 8 | 11 => byte == b':',
        _ => byte.is_ascii_digit(),
    };
    let month = (2..5).all(|by| view.before(start, by).is_ascii_alphabetic());
    let after_month = month
        && view.before(start, 1) == b'-'
        && view.before(start, 5) == b'-'
        && view.before(start, 6).is_ascii_digit();
    after_month && text.len() == 14 && text.bytes().enumerate().all(shaped)
}

/// A MAC address; `at` is its first separator.
fn mac(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let separator = view.at(at);
    let start = at.checked_sub(2)?;
    let end = start + 17;
    let pairs = view.bytes.get(start..end)?;
    let shaped = pairs.iter().enumerate().all(|(index, byte)| match index % 3 {
        2 => *byte == separator,
        _ => byte.is_ascii_hexdigit(),
    });
    let apart = |byte: u8| !is_word(byte) && byte != separator;
    let free = !view.bounded || (apart(view.before(start, 1)) && apart(view.at(end)));
    let nobody = pairs.iter().all(|byte| matches!(byte, b'0' | b':' | b'-'));
    (shaped && free && !nobody).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::super::tests::value;
    use super::*;

    const ALL: Addresses = Addresses { ipv4: Some(4), ipv6: Some(6), mac: Some(1) };

    fn check(text: &str, expect: &[(u16, &str)]) {
        let (mut found, mut end) = (Vec::new(), 0);
        for at in 0..text.len() {
            if let Some((rule, range)) = address(value(text), &ALL, at)
                && range.end > end
            {
                end = range.end;
                found.push((rule, &text[range]));
            }
        }
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn addresses_are_found() {
        check("from 192.0.2.7:443 to 198.51.100.9.", &[(4, "192.0.2.7"), (4, "198.51.100.9")]);
        check("[2001:db8::1]:80", &[(6, "2001:db8::1")]);
        check("peer 2001:db8::7:50010 closed", &[(6, "2001:db8::7")]);
        check("host-2001::04:58:45 up", &[(6, "2001::04:58:45")]);
        check("peer-2001::04:58:7, 2026::04:58:45", &[(6, "2001::04:58:7"), (6, "2026::04:58:45")]);
        check(
            "fe80::1ff:fe23:4567:890a, ::ffff:192.0.2.1",
            &[(6, "fe80::1ff:fe23:4567:890a"), (6, "::ffff:192.0.2.1")],
        );
        check(
            "eth0 00:1b:44:11:3a:b7 up, 00-1B-44-11-3A-B7",
            &[(1, "00:1b:44:11:3a:b7"), (1, "00-1B-44-11-3A-B7")],
        );
    }

    #[test]
    fn versions_times_and_paths_are_left() {
        for text in [
            "Chrome/120.0.0.0",
            "v1.2.3.4",
            "lib-1.2.3.4.jar",
            "1.2.3.4.5",
            "300.1.1.1",
            "01.2.3.4",
            "10:00:00",
            "27-Nov-2026::04:58:45",
            "std::vec::Vec",
            "127.0.0.1",
            "0.0.0.0",
            "::ffff:127.0.0.1",
            "::1",
            "00:00:00:00:00:00",
            "00:1b:44:11:3a:b7:00:01",
            "a::b::c",
        ] {
            check(text, &[]);
        }
    }
}
