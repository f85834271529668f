//! strptime formats, which jiff applies: whatever the readers here do not know.

use std::ops::RangeInclusive;

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

/// What the beginning of a text is to a format, as far as its usual parts tell.
enum Shape<'t> {
    /// No time in it.
    Other,
    /// What jiff knows better.
    Odd,
    /// All of it, and what comes after.
    Told(Parts, &'t [u8]),
}

/// What a time says, of what formats usually have.
#[derive(Default)]
struct Parts {
    year: Option<u32>,
    month: Option<u32>,
    day: Option<u32>,
    hour: Option<u32>,
    /// On a clock of twelve hours.
    half_hour: Option<u32>,
    afternoon: Option<bool>,
    minute: Option<u32>,
    second: Option<u32>,
}

/// Whether a time in a format could stand at the beginning of bytes.
pub(super) fn may_begin(format: &str, bytes: &[u8]) -> bool {
    !matches!(shape(format, bytes), Shape::Other)
}

/// Holds bytes against a format: jiff, which builds an error for what is none, is only asked about what has
/// the shape, and is odd.
fn shape<'t>(format: &str, bytes: &'t [u8]) -> Shape<'t> {
    let (mut format, mut bytes) = (format.as_bytes(), bytes);
    let mut parts = Parts::default();
    loop {
        (format, bytes) = match (format, bytes) {
            ([b'%', part, rest @ ..], _) => match parts.read(*part, bytes) {
                Some(Some(after)) => (rest, after),
                Some(None) => return Shape::Other,
                None => return Shape::Odd,
            },
            ([b' ', rest @ ..], _) => (rest, bytes.trim_ascii_start()),
            ([literal, rest @ ..], [first, after @ ..]) if literal == first => (rest, after),
            ([], _) => return Shape::Told(parts, bytes),
            _ => return Shape::Other,
        };
    }
}

impl Parts {
    /// Takes a part of a format, and gives what comes after it, if that is there; `None` for what jiff knows
    /// better.
    fn read<'t>(&mut self, part: u8, bytes: &'t [u8]) -> Option<Option<&'t [u8]>> {
        let (place, most, of) = match part {
            b'Y' if matches!(bytes.first(), Some(b'+' | b'-')) => return None,
            b'Y' => (&mut self.year, 4, 0..=9999),
            b'y' => (&mut self.year, 2, 0..=99),
            b'm' => (&mut self.month, 2, 1..=12),
            b'd' => (&mut self.day, 2, 1..=31),
            b'H' | b'k' => (&mut self.hour, 2, 0..=23),
            b'I' | b'l' => (&mut self.half_hour, 2, 1..=12),
            b'M' => (&mut self.minute, 2, 0..=59),
            b'S' => (&mut self.second, 2, 0..=60),
            b'b' => {
                let name = bytes.split_first_chunk();
                let month = name.and_then(|(name, after)| Some((civil::month(*name)?, after)));
                self.month = month.map(|(month, _)| month);
                return Some(month.map(|(_, after)| after));
            }
            b'p' => {
                let [half @ (b'a' | b'A' | b'p' | b'P'), b'm' | b'M', after @ ..] = bytes else {
                    return Some(None);
                };
                self.afternoon = Some(matches!(half, b'p' | b'P'));
                return Some(Some(after));
            }
            _ => return None,
        };
        let Some((number, after)) = number(bytes, most, of) else { return Some(None) };
        *place = Some(match part {
            b'y' if number < 69 => 2000 + number,
            b'y' => 1900 + number,
            _ => number,
        });
        Some(Some(after))
    }

    /// Seconds since midnight, of an hour and a minute at least; `None` for what jiff knows better.
    fn time_of_day(&self) -> Option<i64> {
        let hour = match (self.hour, self.half_hour, self.afternoon) {
            (Some(hour), None, None) => hour,
            (None, Some(hour), Some(afternoon)) => hour % 12 + if afternoon { 12 } else { 0 },
            _ => return None,
        };
        let second = self.second.unwrap_or(0);
        if second < 60 { civil::of_day(hour, self.minute?, second) } else { None }
    }
}

/// A number of so many digits at most, with blanks before it or not, and what comes after, if it is one of
/// those.
fn number(bytes: &[u8], most: usize, of: RangeInclusive<u32>) -> Option<(u32, &[u8])> {
    let bytes = bytes.trim_ascii_start();
    let len = bytes.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, after) = bytes.split_at_checked(len).filter(|_| len > 0)?;
    let number = digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    of.contains(&number).then_some((number, after))
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
        let told = match shape(format, bytes) {
            Shape::Other => return None,
            Shape::Odd => None,
            Shape::Told(parts, after) => {
                self.told(&parts).map(|time| (time, bytes.len() - after.len()))
            }
        };
        let (time, used) = match told {
            Some(told) => told,
            None => {
                let (parts, used) = BrokenDownTime::parse_prefix(format, bytes).ok()?;
                (self.resolve(parts)?, used)
            }
        };
        if self.custom.format != format {
            format.clone_into(&mut self.custom.format);
        }
        self.custom.head.clear();
        self.custom.head.extend_from_slice(bytes.get(..used)?);
        self.custom.next = bytes.get(used).copied();
        (self.custom.day, self.custom.nanos, self.custom.unit) = (day, time.nanos, Some(time.unit));
        Some((time, used))
    }

    /// The time that usual parts are; `None` for what jiff knows better.
    fn told(&self, parts: &Parts) -> Option<Time> {
        let (month, day, time_of_day) = (parts.month?, parts.day?, parts.time_of_day()?);
        let civil = civil::seconds(parts.year?.into(), month, day, time_of_day)?;
        time(self.zone.resolve(civil, Abbreviation::default())?, Fraction::NONE)
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
    use jiff::fmt::strtime::BrokenDownTime;

    use super::{Clock, Shape, shape};

    fn could_be(format: &str, bytes: &[u8]) -> bool {
        !matches!(shape(format, bytes), Shape::Other)
    }

    #[test]
    fn what_has_not_the_shape_is_not_asked_about() {
        let format = "%d-%b-%Y %H:%M:%S.";
        for text in ["26-Nov-2026 10:00:00.", "6-nov-2026  9:00:00.123", " 6-Nov-2026 10:00:00."] {
            assert!(could_be(format, text.as_bytes()), "{text}");
        }
        for text in ["", "26", "26/Nov/2026 10:00:00.", "26-11-2026", "26-Nov-2026 10.00", "a"] {
            assert!(!could_be(format, text.as_bytes()), "{text}");
        }
        // No such month, day or hour; no sign but before a year of four digits.
        for (format, text) in
            [("%y%m%d %H", "261326 10"), ("%y%m%d", "2026-11"), ("%d.%m", "32.1"), ("%H:", "24:00")]
        {
            assert!(!could_be(format, text.as_bytes()), "{text}");
            assert!(BrokenDownTime::parse_prefix(format, text).is_err(), "{text}");
        }
        assert!(could_be("%Y-%m", b"-2026-11") && could_be("%y%m%d", b"26 1\t 1"));
        let (twelve, times) = ("%k:%M %p", ["9:05 PM", " 9:05  pm", "12:05 am x"]);
        assert!(times.iter().all(|text| could_be(twelve, text.as_bytes())));
        assert!(!could_be(twelve, b"10:00:00") && !could_be(twelve, b"10:00 1"));
        assert!(could_be("%s %m", b"x") && could_be("%e.%m", b"x"));
    }

    /// What is told without jiff is what jiff tells.
    #[test]
    fn what_is_told_is_what_jiff_tells() {
        let formats = [
            "%m/%d/%Y, %I:%M:%S %p",
            "%y/%m/%d %H:%M:%S",
            "%d.%m.%Y %k:%M",
            "%b %d %Y %l:%M %p",
            "%Y-%m-%d %I:%M",
        ];
        let pieces = ["0", "9", "26", "31", "60", "70", "2026", " ", "Feb", "pm", "x", ""];
        let mut random = 1_u64;
        let mut next = |most: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) as usize % most
        };
        let (clock, mut told) = (Clock::default(), 0);
        for _ in 0..200_000 {
            let format = formats[next(formats.len())];
            let mut text = String::new();
            let mut marks = format.bytes();
            while let Some(byte) = marks.next() {
                match byte {
                    b'%' => text.push_str(match (marks.next(), next(10)) {
                        (_, 0) => pieces[next(pieces.len())],
                        (Some(b'b'), _) => ["Feb", "sep"][next(2)],
                        (Some(b'p'), _) => ["pm", "AM"][next(2)],
                        (Some(b'Y'), _) => ["2026", "1999"][next(2)],
                        _ => ["1", "02", " 7", "12", "29"][next(5)],
                    }),
                    byte if next(40) > 0 => text.push(byte.into()),
                    _ => {}
                }
            }
            let jiffs = BrokenDownTime::parse_prefix(format, text.as_bytes()).ok();
            let jiffs = jiffs.and_then(|(parts, used)| Some((clock.resolve(parts)?, used)));
            match shape(format, text.as_bytes()) {
                Shape::Other => assert_eq!(jiffs, None, "{format} {text:?}"),
                Shape::Odd => {}
                Shape::Told(parts, after) => {
                    if let Some(time) = clock.told(&parts) {
                        told += 1;
                        let used = text.len() - after.len();
                        assert_eq!(jiffs, Some((time, used)), "{format} {text:?}");
                    }
                }
            }
        }
        assert!(told > 50_000, "{told}");
    }
}
