//! strptime formats, which jiff applies: whatever the readers here do not know.

use jiff::fmt::strtime::BrokenDownTime;

use super::offset::Abbreviation;
use super::{Clock, DAY, Fraction, civil, time};
use crate::record::{ClockUnit, Time};

/// What a user's format gave for the line before.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// The format: `auto` tries those of many definitions with one clock.
    format: String,
    head: Vec<u8>,
    /// The byte that ended it.
    next: Option<u8>,
    /// The day it was converted on, as in the clock's own memo.
    day: i64,
    /// Epoch nanoseconds, and the unit.
    nanos: i64,
    unit: Option<ClockUnit>,
}

/// Bytes that a user's format is shown: longer texts are no times, and must not grow the memo.
const LONGEST: usize = 128;

/// Whether no time goes on with this byte, so that the same head before it is the same time.
const fn ends(next: u8) -> bool {
    !next.is_ascii_alphanumeric() && !matches!(next, b':' | b'/' | b'_' | b'+' | b'-')
}

/// Writes a time in a format and reads it back: what cannot be read, or would leave the time of day
/// open, is found when the definition is loaded and not line by line.
pub(super) fn prove(text: &str) -> Result<(), String> {
    let instant = jiff::Timestamp::from_second(1_795_341_600).map_err(|e| e.to_string())?;
    let zoned = instant.to_zoned(jiff::tz::TimeZone::UTC);
    let written = jiff::fmt::strtime::format(text, &zoned).map_err(|e| e.to_string())?;
    let parts = BrokenDownTime::parse(text, &written).map_err(|e| e.to_string())?;
    if parts.timestamp().is_none() && parts.hour().is_none() {
        return Err(format!("`{text}` has no time of day"));
    }
    let mut clock = Clock::default();
    clock.set_now(1_795_341_600 * super::SECOND);
    match clock.resolve(parts) {
        Some(_) => Ok(()),
        None => Err(format!("`{text}` does not say which day it is")),
    }
}

/// Whether bytes begin as a time in a format does, as far as its usual parts tell: jiff, which builds
/// an error for what is none, is only asked about what has the shape.
fn could_be(format: &str, bytes: &[u8]) -> bool {
    let (mut format, mut bytes) = (format.as_bytes(), bytes);
    loop {
        let (len, most) = match (format, bytes) {
            ([b'%', part, ..], _) => {
                let most = match part {
                    b'Y' => 4,
                    b'd' | b'm' | b'y' | b'H' | b'I' | b'k' | b'l' | b'M' | b'S' | b'p' => 2,
                    b'b' => 3,
                    // What jiff knows better.
                    _ => return true,
                };
                (2, most)
            }
            ([b' ', rest @ ..], _) => {
                (format, bytes) = (rest, bytes.trim_ascii_start());
                continue;
            }
            ([literal, rest @ ..], [first, after @ ..]) if literal == first => {
                (format, bytes) = (rest, after);
                continue;
            }
            ([], _) => return true,
            _ => return false,
        };
        let name = matches!(format, [_, b'b' | b'p', ..]);
        let fits =
            |byte: &&u8| if name { byte.is_ascii_alphabetic() } else { byte.is_ascii_digit() };
        let found = bytes.iter().take(most).take_while(fits).count();
        if found == 0 || name && found < most {
            // A blank or a sign may stand before a number.
            return !name && matches!(bytes.first(), Some(b' ' | b'+' | b'-'));
        }
        (format, bytes) =
            (format.get(len..).unwrap_or_default(), bytes.get(found..).unwrap_or_default());
    }
}

impl Clock {
    /// Applies a strptime format to what `bytes` begin with, or gives what it gave for the same text
    /// a line ago.
    pub(super) fn custom(&mut self, format: &str, bytes: &[u8]) -> Option<(Time, usize)> {
        let day = self.now.div_euclid(DAY);
        let used = self.custom.head.len();
        if let Some(unit) = self.custom.unit
            && self.custom.day == day
            && self.custom.format == format
            && bytes.starts_with(&self.custom.head)
            && bytes.get(used).copied() == self.custom.next
            && self.custom.next.is_none_or(ends)
        {
            return Some((Time { nanos: self.custom.nanos, unit }, used));
        }
        let bytes = bytes.get(..LONGEST).unwrap_or(bytes);
        if !could_be(format, bytes) {
            return None;
        }
        let (parts, used) = BrokenDownTime::parse_prefix(format, bytes).ok()?;
        let time = self.resolve(parts)?;
        if self.custom.format != format {
            format.clone_into(&mut self.custom.format);
        }
        self.custom.head.clear();
        self.custom.head.extend_from_slice(bytes.get(..used)?);
        self.custom.next = bytes.get(used).copied();
        (self.custom.day, self.custom.nanos, self.custom.unit) = (day, time.nanos, Some(time.unit));
        Some((time, used))
    }

    /// Fills in what a format leaves out: the zone, the year, the date.
    fn resolve(&self, parts: BrokenDownTime) -> Option<Time> {
        let nanos = i64::from(parts.subsec_nanosecond().unwrap_or(0));
        let unit = if parts.subsec_nanosecond().is_some() {
            ClockUnit::Nanosecond
        } else {
            ClockUnit::Second
        };
        let fraction = Fraction { nanos, unit, used: 0 };
        if parts.timestamp().is_some() {
            return time(parts.to_timestamp().ok()?.as_second(), fraction);
        }
        if parts.iana_time_zone().is_some() {
            return time(parts.to_zoned().ok()?.timestamp().as_second(), fraction);
        }
        let clock_time = parts.to_time().ok()?;
        let time_of_day = i64::from(clock_time.hour()) * 3600
            + i64::from(clock_time.minute()) * 60
            + i64::from(clock_time.second());
        let civil = match (parts.to_date(), parts.month(), parts.day()) {
            (Ok(date), ..) => civil::seconds(
                date.year().into(),
                u32::try_from(date.month()).ok()?,
                u32::try_from(date.day()).ok()?,
                time_of_day,
            )?,
            (Err(_), Some(month), Some(day)) => {
                let (month, day) = (u32::try_from(month).ok()?, u32::try_from(day).ok()?);
                self.with_year(month, day, time_of_day)?
            }
            (Err(_), None, None) if parts.year().is_none() => self.last_day(time_of_day),
            _ => return None,
        };
        let epoch = match parts.offset() {
            Some(offset) => civil - i64::from(offset.seconds()),
            None => self.zone.resolve(civil, Abbreviation::default())?,
        };
        time(epoch, fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::could_be;

    #[test]
    fn what_has_not_the_shape_is_not_asked_about() {
        let format = "%d-%b-%Y %H:%M:%S.";
        for text in ["26-Nov-2026 10:00:00.", "6-nov-2026  9:00:00.123", " 6-Nov-2026 10:00:00."] {
            assert!(could_be(format, text.as_bytes()), "{text}");
        }
        for text in ["", "26", "26/Nov/2026 10:00:00.", "26-11-2026", "26-Nov-2026 10.00", "a"] {
            assert!(!could_be(format, text.as_bytes()), "{text}");
        }
        let (twelve, times) = ("%k:%M %p", ["9:05 PM", " 9:05  pm", "12:05 am x"]);
        assert!(times.iter().all(|text| could_be(twelve, text.as_bytes())));
        assert!(!could_be(twelve, b"10:00:00") && !could_be(twelve, b"10:00 1"));
        assert!(could_be("%s %m", b"x") && could_be("%e.%m", b"x"));
    }
}
