//! What a time says of its zone: an offset from UTC, or an abbreviation.

use super::civil::two;

/// A zone's abbreviation, filled up with zeros; all zeros where a time names none.
pub(super) type Abbreviation = [u8; 4];

/// What a time says of its zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Seconds east of UTC.
    Offset(i64),
    /// A name that zones go by: where a zone is given, it only tells which of two repeated hours is meant;
    /// else it says the offset, unless several zones mean another by it (`CST`, `IST`).
    Abbreviation(Abbreviation),
}

/// The alphabetic abbreviations that zones have today (the others are numbers), and the minutes east of
/// UTC that all zones mean by one; `None` where they differ. Sorted. Words of a message are mostly none of
/// these.
const ABBREVIATIONS: [(Abbreviation, Option<i16>); 45] = [
    (*b"ACDT", Some(630)),
    (*b"ACST", Some(570)),
    (*b"ADT\0", Some(-180)),
    (*b"AEDT", Some(660)),
    (*b"AEST", Some(600)),
    (*b"AKDT", Some(-480)),
    (*b"AKST", Some(-540)),
    (*b"AST\0", Some(-240)),
    (*b"AWST", Some(480)),
    (*b"BST\0", Some(60)),
    (*b"CAT\0", Some(120)),
    // Chicago's and Havana's.
    (*b"CDT\0", None),
    (*b"CEST", Some(120)),
    (*b"CET\0", Some(60)),
    // Theirs, and China's.
    (*b"CST\0", None),
    (*b"EAT\0", Some(180)),
    (*b"EDT\0", Some(-240)),
    (*b"EEST", Some(180)),
    (*b"EET\0", Some(120)),
    (*b"EST\0", Some(-300)),
    (*b"HDT\0", Some(-540)),
    (*b"HKT\0", Some(480)),
    (*b"HST\0", Some(-600)),
    (*b"IDT\0", Some(180)),
    // India's, Israel's, Ireland's.
    (*b"IST\0", None),
    (*b"JST\0", Some(540)),
    (*b"KST\0", Some(540)),
    (*b"MDT\0", Some(-360)),
    (*b"MEST", Some(120)),
    (*b"MET\0", Some(60)),
    (*b"MSK\0", Some(180)),
    (*b"MST\0", Some(-420)),
    (*b"NDT\0", Some(-150)),
    (*b"NST\0", Some(-210)),
    (*b"NZDT", Some(780)),
    (*b"NZST", Some(720)),
    (*b"PDT\0", Some(-420)),
    (*b"PKT\0", Some(300)),
    // Los Angeles's and Manila's.
    (*b"PST\0", None),
    (*b"SAST", Some(120)),
    (*b"SST\0", Some(-660)),
    (*b"WAT\0", Some(60)),
    (*b"WEST", Some(60)),
    (*b"WET\0", Some(0)),
    (*b"WIT\0", Some(540)),
];

/// Seconds east of UTC that all zones mean by an abbreviation.
pub(super) fn of_abbreviation(name: Abbreviation) -> Option<i64> {
    let minutes = ABBREVIATIONS.get(place_of(name)?)?.1?;
    Some(i64::from(minutes) * 60)
}

fn place_of(name: Abbreviation) -> Option<usize> {
    let number = |it: &Abbreviation| u32::from_be_bytes(*it);
    ABBREVIATIONS.binary_search_by_key(&number(&name), |(it, _)| number(it)).ok()
}

/// Reads `Z`, `UTC`, `GMT`, `UTC+1`, `+01:00`, `+0100`, `+01` or an abbreviation with its length in
/// bytes; a blank before it is taken with it. What goes on with letters or digits is none.
#[inline]
pub(super) fn read(bytes: &[u8]) -> Option<(Said, usize)> {
    let (bytes, blank) = match bytes {
        [b' ', rest @ ..] => (rest, 1),
        _ => (bytes, 0),
    };
    let (said, used) = match bytes.first()? {
        b'+' | b'-' => offset(bytes)?,
        b'Z' => (0, 1),
        b'z' if blank == 0 => (0, 1),
        b'A'..=b'Z' => return word(bytes).map(|(said, used)| (said, blank + used)),
        _ => return None,
    };
    let goes_on = bytes.get(used).is_some_and(u8::is_ascii_alphanumeric);
    (!goes_on).then_some((Said::Offset(said), blank + used))
}

/// Bytes of the longest name of a place.
const LONGEST_PLACE: usize = 48;
/// How the names of places begin.
const REGIONS: [&[u8]; 11] = [
    b"Africa/",
    b"America/",
    b"Antarctica/",
    b"Arctic/",
    b"Asia/",
    b"Atlantic/",
    b"Australia/",
    b"Etc/",
    b"Europe/",
    b"Indian/",
    b"Pacific/",
];

/// The length of what RFC 9557 puts behind an offset: `[America/Los_Angeles]`, `[u-ca=gregory]`.
#[inline]
pub(super) fn annotation(bytes: &[u8]) -> usize {
    if bytes.first() == Some(&b'[') { annotations(bytes) } else { 0 }
}

#[cold]
fn annotations(bytes: &[u8]) -> usize {
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"/_+-=!:".contains(byte);
    let mut used = 0;
    while let Some([b'[', inside @ ..]) = bytes.get(used..) {
        let len = inside.iter().take(LONGEST_PLACE).take_while(is_name).count();
        let name = inside.get(..len).unwrap_or_default();
        let name = name.strip_prefix(b"!").unwrap_or(name);
        let known = REGIONS.iter().any(|region| name.starts_with(region))
            || matches!(name, b"UTC" | b"GMT" | b"Z")
            || name.starts_with(b"u-ca=")
            || matches!(name, [b'+' | b'-', b'0'..=b'9', ..]);
        if !known || inside.get(len) != Some(&b']') {
            break;
        }
        used += len + 2;
    }
    used
}

/// The place that a time names instead of an offset, ` Europe/Berlin` or `[Europe/Berlin]`, and how many
/// bytes that has.
#[inline]
pub(super) fn place(bytes: &[u8]) -> Option<(&str, usize)> {
    match bytes {
        [open @ (b' ' | b'['), rest @ ..]
            if matches!(rest.first(), Some(b'A' | b'E' | b'I' | b'P')) =>
        {
            let region = REGIONS.iter().any(|region| rest.starts_with(region));
            if !region {
                return None;
            }
            let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(byte);
            let len = rest.iter().take(LONGEST_PLACE).take_while(is_name).count();
            let name = std::str::from_utf8(rest.get(..len)?).ok()?;
            match open {
                b' ' => Some((name, len + 1)),
                _ => (rest.get(len) == Some(&b']')).then_some((name, len + 2)),
            }
        }
        _ => None,
    }
}

/// The zone of an offset, for a configuration: nothing before it, nothing after.
pub(super) fn whole(text: &str) -> Option<i64> {
    // `GMT+1` is an hour east to a log and an hour west to POSIX: nobody has to guess.
    let goes_on = text.starts_with(' ') || text.len() > 3 && !text.starts_with(['+', '-']);
    match read(text.as_bytes())? {
        (Said::Offset(seconds), used) if used == text.len() && !goes_on => Some(seconds),
        _ => None,
    }
}

/// `+01:00`, `+0100` or `+01` in seconds, with its length.
#[inline]
fn offset(bytes: &[u8]) -> Option<(i64, usize)> {
    let (hour, minute, used) = match bytes {
        [_, h1, h2, b':', m1, m2, ..] if m1.is_ascii_digit() => (two(*h1, *h2)?, two(*m1, *m2)?, 6),
        [_, h1, h2, m1, m2, ..] if m1.is_ascii_digit() => (two(*h1, *h2)?, two(*m1, *m2)?, 5),
        [_, h1, h2, ..] => (two(*h1, *h2)?, 0, 3),
        _ => return None,
    };
    let east = i64::from(hour * 3600 + minute * 60);
    let signed = if bytes.first() == Some(&b'-') { -east } else { east };
    (hour < 24 && minute < 60).then_some((signed, used))
}

/// A zone's name in capitals.
#[inline]
fn word(bytes: &[u8]) -> Option<(Said, usize)> {
    let len = bytes.iter().take(5).take_while(|byte| byte.is_ascii_uppercase()).count();
    let name = bytes.get(..len)?;
    // Level words stop here, before the search.
    if !matches!(name.last(), Some(b'T' | b'K' | b'C')) || !(3..=4).contains(&len) {
        return None;
    }
    let rest = bytes.get(len..).unwrap_or_default();
    if rest.first().is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'_') {
        return None;
    }
    if matches!(name, b"UTC" | b"GMT") {
        return match rest {
            // `UTC+1`: hours of one digit only here.
            [sign @ (b'+' | b'-'), hour @ b'0'..=b'9', after @ ..]
                if !after
                    .first()
                    .is_some_and(|next| next.is_ascii_alphanumeric() || *next == b':') =>
            {
                let (seconds, _) = offset(&[*sign, b'0', *hour])?;
                Some((Said::Offset(seconds), len + 2))
            }
            [b'+' | b'-', b'0'..=b'9', ..] => {
                let (seconds, used) = offset(rest)?;
                Some((Said::Offset(seconds), len + used))
            }
            _ => Some((Said::Offset(0), len)),
        };
    }
    let mut kept = Abbreviation::default();
    kept.get_mut(..len)?.copy_from_slice(name);
    place_of(kept)?;
    Some((Said::Abbreviation(kept), len))
}

#[cfg(test)]
mod tests {
    use crate::timestamp::Clock;

    #[test]
    fn a_zones_name_may_stand_in_brackets_behind_the_offset() {
        for (text, used) in [
            ("2026-11-22T10:00:00.5+01:00[Europe/Berlin] x", 42),
            ("2026-11-22T10:00:00Z[UTC]", 25),
            ("2026-11-22T10:00:00Z[main] x", 20),
            ("2026-11-22T10:00:00Z[a/b c]", 20),
            ("2026-11-22T10:00:00[Europe/Berlin]", 34),
        ] {
            let read = Clock::default().iso(text.as_bytes());
            assert_eq!(read.map(|(_, used)| used), Some(used), "{text}");
        }
    }
}
