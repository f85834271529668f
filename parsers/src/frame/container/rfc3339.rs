//! The RFC 3339 times that container runtimes write: UTC or a numeric zone, up to nine digits of a
//! second's fraction, nothing optional besides the fraction.

const NANOS: i64 = 1_000_000_000;

/// The time that `text` begins with, in nanoseconds since the epoch, and the bytes it takes. `None`
/// for what is no time, or lies outside the years 1677 to 2262 that an `i64` reaches.
pub(super) fn prefix(text: &[u8]) -> Option<(i64, usize)> {
    let (head, rest) = text.split_first_chunk::<19>()?;
    let [y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', h1, h2, b':', m1, m2, b':', s1, s2] =
        *head
    else {
        return None;
    };
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let days = days_since_epoch(year, two(mo1, mo2)?, two(d1, d2)?)?;
    let time = seconds(two(h1, h2)?, two(m1, m2)?)? + at_most(two(s1, s2)?, 59)?;
    let (fraction, fraction_len) = fraction(rest)?;
    let (zone, zone_len) = zone(rest.get(fraction_len..)?)?;
    let seconds = days * 86_400 + time - zone;
    let nanos = seconds.checked_mul(NANOS)?.checked_add(fraction)?;
    Some((nanos, head.len() + fraction_len + zone_len))
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}

fn at_most(value: i64, most: i64) -> Option<i64> {
    (value <= most).then_some(value)
}

fn seconds(hours: i64, minutes: i64) -> Option<i64> {
    Some(at_most(hours, 23)? * 3600 + at_most(minutes, 59)? * 60)
}

/// Nanoseconds of `.123456789`, if it is there, and its length.
fn fraction(text: &[u8]) -> Option<(i64, usize)> {
    let Some(digits) = text.strip_prefix(b".") else { return Some((0, 0)) };
    let len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&len) {
        return None;
    }
    let nanos = (0..9).fold(0, |nanos, at| {
        let digit = digits.get(at).filter(|_| at < len).map_or(0, |byte| i64::from(byte - b'0'));
        nanos * 10 + digit
    });
    Some((nanos, len + 1))
}

/// Seconds that the zone is ahead of UTC, and its length.
fn zone(text: &[u8]) -> Option<(i64, usize)> {
    match text {
        [b'Z', ..] => Some((0, 1)),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2, ..] => {
            let ahead = seconds(two(*h1, *h2)?, two(*m1, *m2)?)?;
            Some((if *sign == b'+' { ahead } else { -ahead }, 6))
        }
        _ => None,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar: Howard Hinnant's `days_from_civil`.
fn days_since_epoch(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=longest).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use super::prefix;

    #[test]
    fn agrees_with_a_calendar_library() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2026-11-22T10:00:00.123456789Z",
            "2026-11-22T10:00:00.1Z",
            "2024-02-29T23:59:59.999999999+05:30",
            "2000-02-29T00:00:00-11:00",
            "1677-09-22T00:00:00Z",
            "2262-04-11T23:47:16.854775807Z",
            "1900-03-01T12:00:00Z",
        ] {
            let time: jiff::Timestamp = text.parse().expect("a time");
            let expect = i64::try_from(time.as_nanosecond()).expect("in range");
            assert_eq!(
                prefix(format!("{text} x").as_bytes()),
                Some((expect, text.len())),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "2026-11-22",
            "2026-11-22 10:00:00Z",
            "2026-11-22T10:00:00",
            "2026-11-22T10:00:00.Z",
            "2026-11-22T10:00:00.1234567890Z",
            "2026-11-22T10:00:00,123Z",
            "2026-11-22T10:00:00+0100",
            "2026-11-22T10:00:00+24:00",
            "2026-11-22T24:00:00Z",
            "2026-11-22T10:60:00Z",
            "2026-11-22T10:00:60Z",
            "2026-13-01T10:00:00Z",
            "2026-00-01T10:00:00Z",
            "2026-02-29T10:00:00Z",
            "1900-02-29T10:00:00Z",
            "2026-11-00T10:00:00Z",
            "2263-01-01T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "2o26-11-22T10:00:00Z",
        ] {
            assert_eq!(prefix(text.as_bytes()), None, "{text}");
        }
    }
}
