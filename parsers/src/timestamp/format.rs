//! How a definition says its times are written: by one of the names known here, or as a strptime
//! format, which jiff applies.

use jiff::fmt::strtime::BrokenDownTime;

use super::{Clock, DAY, Fraction, civil, epoch, time};
use crate::record::{ClockUnit, Time};

/// A checked time format.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Format {
    /// Whichever of the usual formats it is.
    Any,
    /// ISO 8601 in its variants, zone or not.
    Iso,
    /// The Common Log Format's.
    Clf,
    /// A number from the epoch, in a unit or one that its size tells.
    Epoch(Option<ClockUnit>),
    /// strptime, without a fraction at its end, and the character before that fraction.
    Strptime {
        /// What jiff is given.
        head: String,
        /// `.` or `,` if the format ends in a fraction after one: read by hand, so that neighbouring
        /// lines share the conversion of all before it.
        fraction: Option<char>,
    },
}

/// What a user's format gave for the line before.
#[derive(Debug, Default)]
pub(super) struct Memo {
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

impl Format {
    /// Checks a format as a definition writes it. A strptime format must be able to read what it
    /// writes.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        Ok(match text {
            "iso" | "iso8601" | "rfc3339" => Self::Iso,
            "clf" | "%d/%b/%Y:%H:%M:%S %z" => Self::Clf,
            "epoch" => Self::Epoch(None),
            "epoch_s" | "%s" => Self::Epoch(Some(ClockUnit::Second)),
            "epoch_ms" => Self::Epoch(Some(ClockUnit::Millisecond)),
            "epoch_us" => Self::Epoch(Some(ClockUnit::Microsecond)),
            "epoch_ns" => Self::Epoch(Some(ClockUnit::Nanosecond)),
            _ if !text.contains('%') => {
                return Err(format!(
                    "`{text}` is neither `iso`, `clf`, `epoch`, `epoch_s`, `epoch_ms`, `epoch_us`, \
                     `epoch_ns` nor a strptime format with `%`"
                ));
            }
            _ if is_iso(text) => Self::Iso,
            _ => {
                prove(text)?;
                let (head, fraction) = split_fraction(text);
                Self::Strptime { head: head.to_owned(), fraction }
            }
        })
    }
}

/// Whether no time goes on with this byte, so that the same head before it is the same time.
const fn ends(next: u8) -> bool {
    !next.is_ascii_alphanumeric() && !matches!(next, b':' | b'/' | b'_' | b'+' | b'-')
}

/// Whether a strptime format is one that the hand-written ISO reader covers.
fn is_iso(text: &str) -> bool {
    let Some(rest) = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%F %T", "%FT%T"]
        .iter()
        .find_map(|head| text.strip_prefix(head))
    else {
        return false;
    };
    let rest = match rest.strip_suffix("%z").or_else(|| rest.strip_suffix("%:z")) {
        Some(rest) => rest.strip_suffix(' ').unwrap_or(rest),
        None => rest,
    };
    rest.is_empty() || matches!(split_fraction(rest), ("", Some(_)))
}

/// Splits `.%f`, `,%3f`, `%.f` or `%.6f` from the end of a format.
fn split_fraction(text: &str) -> (&str, Option<char>) {
    let Some(rest) = text.strip_suffix('f') else { return (text, None) };
    let rest = rest.strip_suffix(|digit: char| digit.is_ascii_digit()).unwrap_or(rest);
    if let Some(head) = rest.strip_suffix("%.") {
        return (head, Some('.'));
    }
    match rest.strip_suffix('%') {
        Some(head) => match (head.strip_suffix('.'), head.strip_suffix(',')) {
            (Some(head), _) => (head, Some('.')),
            (_, Some(head)) => (head, Some(',')),
            _ => (text, None),
        },
        None => (text, None),
    }
}

/// Writes a time in a format and reads it back: what cannot be read, or would leave the time of day
/// open, is found when the definition is loaded and not line by line.
fn prove(text: &str) -> Result<(), String> {
    let instant = jiff::Timestamp::from_second(1_795_341_600).map_err(|e| e.to_string())?;
    let zoned = instant.to_zoned(jiff::tz::TimeZone::UTC);
    let written = jiff::fmt::strtime::format(text, &zoned).map_err(|e| e.to_string())?;
    let parts = BrokenDownTime::parse(text, &written).map_err(|e| e.to_string())?;
    if parts.timestamp().is_none() && parts.hour().is_none() {
        return Err(format!("`{text}` has no time of day"));
    }
    let clock = Clock { now: instant.as_second(), ..Clock::default() };
    match clock.resolve(parts) {
        Some(_) => Ok(()),
        None => Err(format!("`{text}` does not say which day it is")),
    }
}

impl Clock {
    /// Reads a whole text in a format.
    pub(crate) fn read(&mut self, format: &Format, text: &str) -> Option<Time> {
        if *format == Format::Any {
            return self.any(text);
        }
        let (time, used) = self.read_prefix(format, text.as_bytes())?;
        (used == text.len()).then_some(time)
    }

    /// Reads the time that `bytes` begin with, and says how many bytes it has: what the format
    /// itself shows, so that whoever reads a line goes on behind it.
    pub(crate) fn read_prefix(&mut self, format: &Format, bytes: &[u8]) -> Option<(Time, usize)> {
        match format {
            Format::Any => self.any_prefix(bytes),
            Format::Iso => self.iso(bytes),
            Format::Clf => self.clf(bytes),
            Format::Epoch(unit) => epoch::prefix(bytes, *unit),
            Format::Strptime { head, fraction } => {
                let (whole, used) = self.custom(head, bytes)?;
                match bytes.get(used..)? {
                    [mark, digits @ ..] if fraction.is_some_and(|it| it == char::from(*mark)) => {
                        let fraction = Fraction::digits(digits);
                        if fraction.used == 0 {
                            return Some((whole, used));
                        }
                        let nanos = whole.nanos.checked_add(fraction.nanos)?;
                        Some((Time { nanos, unit: fraction.unit }, used + fraction.used))
                    }
                    _ => Some((whole, used)),
                }
            }
        }
    }

    /// Applies a strptime format to what `bytes` begin with, or gives what it gave for the same text
    /// a line ago.
    fn custom(&mut self, format: &str, bytes: &[u8]) -> Option<(Time, usize)> {
        let day = self.now.div_euclid(DAY);
        let used = self.custom.head.len();
        if let Some(unit) = self.custom.unit
            && self.custom.day == day
            && bytes.starts_with(&self.custom.head)
            && bytes.get(used).copied() == self.custom.next
            && self.custom.next.is_none_or(ends)
        {
            return Some((Time { nanos: self.custom.nanos, unit }, used));
        }
        let bytes = bytes.get(..LONGEST).unwrap_or(bytes);
        let (parts, used) = BrokenDownTime::parse_prefix(format, bytes).ok()?;
        let time = self.resolve(parts)?;
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
            (Err(_), None, None) if parts.year().is_none() => self.nearest_day(time_of_day),
            _ => return None,
        };
        let epoch = match parts.offset() {
            Some(offset) => civil - i64::from(offset.seconds()),
            None => self.zone.resolve(civil)?,
        };
        time(epoch, fraction)
    }
}
