//! How a definition says its times are written: by one of the names known here, or as a strptime
//! format.

use super::{Clock, Fraction, civil, epoch, strptime};
use crate::record::{ClockUnit, Time};

/// A checked time format.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Format {
    /// Whichever of the usual formats it is.
    Any,
    /// One that is read by hand.
    Known(Reader),
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

/// What is read by hand. A fraction, and a zone where the format can have one, are read with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// ISO 8601 in its variants, zone or not: [`Clock::iso`].
    Iso,
    /// The same, and only with an offset from UTC, or a `Z`.
    IsoOffset,
    /// The same as [`Iso`](Self::Iso) with slashes in the date, and only so: Go's log, nginx's errors.
    Slashes,
    /// The day, the month's name: [`Clock::clf`].
    Clf,
    /// The same with hyphens, and with a zone's name behind it, and only so: [`Clock::in_zone`].
    Zoned,
    /// The month's name, the day, with a year or without: [`Clock::yearless`].
    Yearless,
    /// Either, with a weekday or without: [`Clock::english`].
    English,
    /// Six digits and a time of day: [`Clock::compact`].
    Compact,
    /// Four digits, or eight, and a time of day: [`Clock::glog`].
    Glog,
    /// A time of day alone: [`Clock::time_of_day`].
    TimeOfDay,
}

/// The names that a definition may use, for the message that lists them.
const NAMES: &str = "`iso`, `iso_offset`, `clf`, `rfc2822`, `rfc3164`, `ctime`, `compact`, `glog`, `time_of_day`, \
                     `epoch`, `epoch_s`, `epoch_ms`, `epoch_us` or `epoch_ns`";

impl Format {
    /// The bytes that a time in this format may begin with, where that is known.
    pub(crate) fn begins(&self) -> Option<&'static [u8]> {
        match self {
            Self::Any => None,
            // Months, weekdays, and days of the month.
            Self::Known(Reader::Yearless | Reader::English) => {
                Some(b"ADFJMNOSTWadfjmnostw 0123456789")
            }
            Self::Known(_) | Self::Epoch(_) => Some(b"0123456789"),
            Self::Strptime { head, .. } => match head.get(..2)? {
                "%Y" | "%m" | "%d" | "%H" | "%y" => Some(b"0123456789"),
                "%b" | "%h" => Some(b"ADFJMNOSadfjmnos"),
                _ => None,
            },
        }
    }

    /// Whether a time in this format could stand at the beginning of `bytes`, from its first few: a few
    /// nanoseconds.
    pub(crate) fn may_begin(&self, bytes: &[u8]) -> bool {
        let digits =
            |len: usize| bytes.get(..len).is_some_and(|bytes| bytes.iter().all(u8::is_ascii_digit));
        let month = |at: usize| {
            let name = bytes.get(at..).and_then(|rest| rest.first_chunk());
            name.is_some_and(|name| civil::month(*name).is_some())
        };
        let day_first = || match bytes {
            [_, b'/' | b'-' | b' ', ..] if month(2) => true,
            [_, _, b'/' | b'-' | b' ', ..] => month(3),
            _ => false,
        };
        match self {
            Self::Known(Reader::Iso | Reader::IsoOffset | Reader::Glog) => digits(4),
            Self::Known(Reader::Slashes) => bytes.get(4) == Some(&b'/'),
            Self::Known(Reader::Clf | Reader::Zoned) => day_first(),
            Self::Known(Reader::Yearless) => month(0),
            Self::Known(Reader::English) => month(0) || day_first() || civil::weekday(bytes) > 0,
            Self::Known(Reader::Compact) => digits(6),
            Self::Known(Reader::TimeOfDay) => {
                matches!(bytes, [_, b':', ..] | [_, _, b':', ..])
            }
            Self::Any => match bytes.strip_prefix(b"[").unwrap_or(bytes) {
                inside @ [b'A'..=b'Z' | b'a'..=b'z', ..] => {
                    let name = inside.first_chunk();
                    name.is_some_and(|name| civil::month(*name).is_some())
                        || civil::weekday(inside) > 0
                }
                [b'0'..=b'9', ..] | [_, b'0'..=b'9', b'/' | b'-' | b' ', ..] => true,
                _ => false,
            },
            Self::Strptime { head, .. } => strptime::may_begin(head, bytes),
            Self::Epoch(_) => true,
        }
    }

    /// Bytes that every time in this format has, besides a digit.
    pub(crate) fn needs(&self) -> &'static [u8] {
        match self {
            Self::Known(Reader::Slashes) => b"/:",
            Self::Known(Reader::Iso | Reader::IsoOffset) => b"",
            Self::Known(_) => b":",
            Self::Strptime { head, .. } if head.contains("%H:%M") => b":",
            _ => b"",
        }
    }

    /// Checks a format as a definition writes it. A strptime format must be able to read what it
    /// writes.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        Ok(match text {
            "iso" | "iso8601" | "rfc3339" => Self::Known(Reader::Iso),
            "iso_offset" => Self::Known(Reader::IsoOffset),
            "clf" => Self::Known(Reader::Clf),
            "rfc3164" => Self::Known(Reader::Yearless),
            "rfc2822" | "rfc1123" | "ctime" | "apache_error" => Self::Known(Reader::English),
            "compact" => Self::Known(Reader::Compact),
            "glog" | "klog" => Self::Known(Reader::Glog),
            "time_of_day" => Self::Known(Reader::TimeOfDay),
            "epoch" => Self::Epoch(None),
            "epoch_s" | "%s" => Self::Epoch(Some(ClockUnit::Second)),
            "epoch_ms" => Self::Epoch(Some(ClockUnit::Millisecond)),
            "epoch_us" => Self::Epoch(Some(ClockUnit::Microsecond)),
            "epoch_ns" => Self::Epoch(Some(ClockUnit::Nanosecond)),
            _ if !text.contains('%') => {
                return Err(format!("`{text}` is neither {NAMES} nor a strptime format with `%`"));
            }
            _ => match known(text) {
                Some(reader) => Self::Known(reader),
                None => {
                    strptime::prove(text)?;
                    let (head, fraction) = split_fraction(text);
                    Self::Strptime { head: head.to_owned(), fraction }
                }
            },
        })
    }
}

/// The hand-written reader that covers a strptime format.
fn known(text: &str) -> Option<Reader> {
    let text = [("%T", "%H:%M:%S"), ("%F", "%Y-%m-%d"), ("%e", "%d"), ("%h", "%b")]
        .iter()
        .fold(text.to_owned(), |text, (short, long)| text.replace(short, long));
    if text == "%d-%b-%Y %H:%M:%S %Q" {
        return Some(Reader::Zoned);
    }
    let mut rest = text.as_str();
    let zone = ["%z", "%:z"].iter().find_map(|zone| rest.strip_suffix(zone));
    if let Some(before) = zone {
        rest = before.strip_suffix(' ').unwrap_or(before);
    }
    // The year may stand behind the fraction.
    let (before, year) = match rest.strip_suffix(" %Y") {
        Some(before) => (before, " %Y"),
        None => (rest, ""),
    };
    let whole = format!("{}{year}", split_fraction(before).0);
    Some(match whole.as_str() {
        "%Y-%m-%d %H:%M:%S" | "%Y-%m-%dT%H:%M:%S" | "%Y%m%dT%H%M%S" => Reader::Iso,
        "%Y/%m/%d %H:%M:%S" => Reader::Slashes,
        "%d/%b/%Y:%H:%M:%S" | "%d/%b/%Y %H:%M:%S" | "%d-%b-%Y %H:%M:%S" | "%d %b %Y %H:%M:%S" => {
            Reader::Clf
        }
        "%a, %d %b %Y %H:%M:%S" | "%a %b %d %H:%M:%S %Y" => Reader::English,
        "%b %d %H:%M:%S" | "%b %d %Y %H:%M:%S" if zone.is_none() => Reader::Yearless,
        "%y%m%d %H:%M:%S" => Reader::Compact,
        "%m%d %H:%M:%S" if zone.is_none() => Reader::Glog,
        "%H:%M:%S" if zone.is_none() => Reader::TimeOfDay,
        _ => return None,
    })
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

/// Whether so many bytes, which are a time, have an offset behind the date.
fn has_offset(bytes: &[u8], used: usize) -> bool {
    let behind = bytes.get(10..used).unwrap_or_default();
    behind.iter().any(|byte| matches!(byte, b'+' | b'-' | b'Z' | b'z'))
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
        let read = self.prefix(format, bytes);
        debug_assert!(read.is_none() || format.may_begin(bytes), "what is read may begin so");
        read
    }

    fn prefix(&mut self, format: &Format, bytes: &[u8]) -> Option<(Time, usize)> {
        match format {
            Format::Any => self.any_prefix(bytes),
            Format::Known(reader) => self.known(*reader, bytes),
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

    fn known(&mut self, reader: Reader, bytes: &[u8]) -> Option<(Time, usize)> {
        match reader {
            Reader::Iso => self.iso(bytes),
            Reader::IsoOffset => self.iso(bytes).filter(|(_, used)| has_offset(bytes, *used)),
            Reader::Slashes => (bytes.get(4) == Some(&b'/')).then(|| self.iso(bytes))?,
            Reader::Clf => self.clf(bytes),
            Reader::Zoned => self.in_zone(bytes),
            Reader::Yearless => self.yearless(bytes),
            Reader::English => self.english(bytes),
            Reader::Compact => self.compact(bytes),
            Reader::Glog => self.glog(bytes),
            Reader::TimeOfDay => self.time_of_day(bytes),
        }
    }
}
