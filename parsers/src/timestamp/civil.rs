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

/// Seconds since midnight of `hh:mm:ss`: a 60th second and the day's end, `24:00:00`, included. An
/// hour of one digit may have a blank before it.
#[inline]
pub(super) fn time_of_day(text: [u8; 8]) -> Option<i64> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = text else { return None };
    of_day(two(if h1 == b' ' { b'0' } else { h1 }, h2)?, two(m1, m2)?, two(s1, s2)?)
}

/// Seconds since midnight, if there is such a time of day.
#[inline]
pub(super) fn of_day(hour: u32, minute: u32, second: u32) -> Option<i64> {
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    let fits = hour < 24 && minute < 60 && second <= 60 || seconds == super::DAY && hour == 24;
    fits.then_some(seconds)
}

/// Seconds since midnight of a time of day whose hour may have one digit, with its length.
pub(super) fn short_time_of_day(bytes: &[u8]) -> Option<(i64, usize)> {
    match *bytes {
        [h, b':', m1, m2, b':', s1, s2, ..] => {
            Some((time_of_day([b'0', h, b':', m1, m2, b':', s1, s2])?, 7))
        }
        _ => Some((time_of_day(*bytes.first_chunk()?)?, 8)),
    }
}

/// Seconds since midnight of `3:04` or `03:04`, with its length.
pub(super) fn minutes(bytes: &[u8]) -> Option<(i64, usize)> {
    let (hour, m1, m2, used) = match *bytes {
        [h, b':', m1, m2, ..] => (two(b'0', h)?, m1, m2, 4),
        [h1, h2, b':', m1, m2, ..] => (two(h1, h2)?, m1, m2, 5),
        _ => return None,
    };
    let goes_on = matches!(bytes.get(used), Some(b'0'..=b'9' | b':'));
    if goes_on { None } else { Some((of_day(hour, two(m1, m2)?, 0)?, used)) }
}

/// A year of four digits.
#[inline]
pub(super) fn year(digits: [u8; 4]) -> Option<i64> {
    let [y1, y2, y3, y4] = digits;
    Some(i64::from(two(y1, y2)? * 100 + two(y3, y4)?))
}

/// Civil seconds on a 12-hour clock, from what its hour would be on the other.
pub(super) fn half_day(civil: i64, afternoon: bool) -> Option<i64> {
    let hour = civil.rem_euclid(super::DAY) / 3600;
    let half = if afternoon { 12 } else { 0 };
    (1..=12).contains(&hour).then(|| civil + (hour % 12 + half - hour) * 3600)
}

/// `AM` or `PM`, in any case, after a blank or none: whether it is the afternoon, and its length.
pub(super) fn meridiem(bytes: &[u8]) -> Option<(bool, usize)> {
    let blank = match bytes {
        [b' ', ..] => 1,
        // The narrow no-break space of recent Unicode locales (Java 20, Node 20).
        [0xe2, 0x80, 0xaf, ..] => 3,
        _ => 0,
    };
    match bytes.get(blank..)? {
        [_, _, next, ..] if next.is_ascii_alphanumeric() => None,
        [b'A' | b'a', b'M' | b'm', ..] => Some((false, blank + 2)),
        [b'P' | b'p', b'M' | b'm', ..] => Some((true, blank + 2)),
        _ => None,
    }
}

/// Two digits.
#[inline]
pub(super) fn two(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}

/// An English month by its name or the beginning of it, in any case: its number, and the name's length.
pub(super) fn month_word(bytes: &[u8]) -> Option<(u32, usize)> {
    const REST: [&str; 12] =
        ["uary", "ruary", "ch", "il", "", "e", "y", "ust", "tember", "ober", "ember", "ember"];
    let number = month(*bytes.first_chunk()?)?;
    let rest = bytes.get(3..)?;
    let len = rest.iter().take(9).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let full = REST.get(number as usize - 1)?.as_bytes();
    let fits = full.get(..len)?.eq_ignore_ascii_case(rest.get(..len)?);
    fits.then_some((number, 3 + len))
}

/// The length of an English weekday, short or full, with the comma and the blank after it; 0 if
/// `bytes` do not begin with one.
pub(super) fn weekday(bytes: &[u8]) -> usize {
    const REST: [(&[u8; 3], &[u8]); 7] = [
        (b"mon", b"day"),
        (b"tue", b"sday"),
        (b"wed", b"nesday"),
        (b"thu", b"rsday"),
        (b"fri", b"day"),
        (b"sat", b"urday"),
        (b"sun", b"day"),
    ];
    let Some((head, rest)) = bytes.split_first_chunk::<3>() else { return 0 };
    let head = head.map(|byte| byte.to_ascii_lowercase());
    let Some((_, full)) = REST.iter().find(|(short, _)| **short == head) else { return 0 };
    let full =
        rest.get(..full.len()).filter(|it| it.eq_ignore_ascii_case(full)).map_or(0, <[u8]>::len);
    match rest.get(full..) {
        Some([b',', b' ', ..]) => 3 + full + 2,
        Some([b' ', ..]) => 3 + full + 1,
        _ => 0,
    }
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
