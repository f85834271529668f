//! Civil dates and times of day as seconds, checked, in the proleptic Gregorian calendar.

/// Seconds since 1970-01-01T00:00:00 of a civil time, or `None` if there is no such day or time of
/// day. A 60th second is taken, as the first of the next minute.
#[inline]
pub(super) fn seconds(year: i64, month: u32, day: u32, time_of_day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
        return None;
    }
    Some(days(year, month, day) * super::DAY + time_of_day)
}

/// Days from 1970-01-01 (Howard Hinnant's `days_from_civil`).
fn days(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = i64::from((month + 9) % 12);
    let day_of_year = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The civil year that a count of seconds since 1970 falls in.
pub(super) fn year_of(seconds: i64) -> i64 {
    let days = seconds.div_euclid(super::DAY) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Its year begins in March: day 306 is 1 January.
    era * 400 + year_of_era + i64::from(day_of_year >= 306)
}

fn days_in(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Seconds since midnight of `hh:mm:ss`, a 60th second included.
#[inline]
pub(super) fn time_of_day(text: [u8; 8]) -> Option<i64> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = text else { return None };
    let (hour, minute, second) = (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?);
    (hour < 24 && minute < 60 && second <= 60)
        .then(|| i64::from(hour * 3600 + minute * 60 + second))
}

/// Two digits.
#[inline]
pub(super) fn two(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}

/// An English month's number by its first three letters, in any case.
pub(super) fn month(name: [u8; 3]) -> Option<u32> {
    let [a, b, c] = name.map(|byte| byte.to_ascii_lowercase());
    Some(match &[a, b, c] {
        b"jan" => 1,
        b"feb" => 2,
        b"mar" => 3,
        b"apr" => 4,
        b"may" => 5,
        b"jun" => 6,
        b"jul" => 7,
        b"aug" => 8,
        b"sep" => 9,
        b"oct" => 10,
        b"nov" => 11,
        b"dec" => 12,
        _ => return None,
    })
}

/// An offset from UTC as `Z`, `UTC`, `GMT`, `+01:00`, `+0100` or `+01`, with its length in bytes;
/// a blank before it is taken with it.
#[inline]
pub(super) fn offset(bytes: &[u8]) -> Option<(i64, usize)> {
    let (bytes, blank) = match bytes {
        [b' ', rest @ ..] => (rest, 1),
        _ => (bytes, 0),
    };
    let sign = match bytes {
        [b'Z' | b'z', ..] => return Some((0, blank + 1)),
        [b'U', b'T', b'C', ..] | [b'G', b'M', b'T', ..] => return Some((0, blank + 3)),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let (hour, minute, used) = match bytes {
        [_, h1, h2, b':', m1, m2, ..] => (two(*h1, *h2)?, two(*m1, *m2)?, 6),
        [_, h1, h2, m1, m2, ..] if m1.is_ascii_digit() => (two(*h1, *h2)?, two(*m1, *m2)?, 5),
        // A bare `+01` after a blank is more likely a word of the message than an offset.
        [_, h1, h2, ..] if blank == 0 => (two(*h1, *h2)?, 0, 3),
        _ => return None,
    };
    (hour < 24 && minute < 60).then(|| (sign * i64::from(hour * 3600 + minute * 60), blank + used))
}
