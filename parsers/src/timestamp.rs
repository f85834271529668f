//! Reads the times that log lines carry and normalises them to nanoseconds since the Unix epoch,
//! with the unit that their clock counts in.
//!
//! Formats known in advance are read by hand (`iso`, `clf`, `month_first`, `compact`, `yearless`,
//! `epoch`), user formats by jiff (`strptime`). Each reader takes the time that bytes begin with and
//! says how many they are. A [`Clock`] belongs to one lineage and remembers its last second's
//! conversion, since neighbouring lines mostly share it.

mod civil;
mod clf;
mod compact;
mod epoch;
mod format;
mod iso;
mod month_first;
mod offset;
mod strptime;
mod yearless;
mod zone;

use crate::record::{ClockUnit, Time};

pub(crate) use format::Format;
use format::Reader;
pub use zone::Zone;

use offset::{Abbreviation, Said};

/// Nanoseconds in a second.
pub(crate) const SECOND: i64 = 1_000_000_000;
/// Seconds in a day.
pub(crate) const DAY: i64 = 86_400;

/// One lineage's view of time: its zone, when it is now, and what was converted last. Nothing a line
/// said moves what a later one says.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    zone: Zone,
    /// When the bytes at hand were read, seconds since the epoch.
    now: i64,
    /// The same in the clock's zone, in civil seconds.
    now_there: i64,
    /// The head (everything down to the second) that was converted last.
    memo: Memo,
    /// The last conversion of civil seconds by a zone that has rules: civil seconds, what the time
    /// called the zone, and epoch seconds.
    zoned: Option<(i64, Abbreviation, i64)>,
    /// The zone that a line last named in full, if there is one of that name.
    named: Option<(String, Option<Zone>)>,
    /// The head that a user's format was last applied to.
    custom: strptime::Memo,
    /// A time named its zone by an abbreviation that several have, and no zone is given.
    vague: bool,
}

/// Bytes of the longest head that is remembered.
const LONGEST_HEAD: usize = 32;

/// The last second's conversion.
#[derive(Debug, Default)]
struct Memo {
    /// What read it: `auto` asks several, and what one reads is no time to another.
    reader: Option<Reader>,
    head: [u8; LONGEST_HEAD],
    len: usize,
    /// Seconds since 1970-01-01 of the civil time, its zone not yet applied.
    civil: i64,
    /// The day it was converted on: a head without a year means something else a year later.
    day: i64,
}

impl Clock {
    /// A clock for lines whose times name no zone.
    pub(crate) fn new(zone: Zone) -> Self {
        let now_there = zone.civil(0);
        Self { zone, now_there, ..Self::default() }
    }

    /// Says when the line at hand was read.
    #[inline]
    pub(crate) fn set_now(&mut self, nanos: i64) {
        let now = nanos.div_euclid(SECOND);
        if now != self.now {
            self.now = now;
            self.now_there = self.zone.civil(now);
        }
    }

    /// Whether a time named its zone by an abbreviation that several have, where no zone was given, since
    /// this was last asked: it was taken for UTC.
    #[inline]
    pub(crate) fn take_vague(&mut self) -> bool {
        std::mem::take(&mut self.vague)
    }

    /// Reads a whole text in whichever of the usual formats it is, in one pair of brackets or in none.
    pub(crate) fn any(&mut self, text: &str) -> Option<Time> {
        match text.strip_prefix('[') {
            None => self.bare(text),
            Some(inside) => self.bare(inside.strip_suffix(']')?),
        }
    }

    fn bare(&mut self, text: &str) -> Option<Time> {
        let (time, used) = self.bare_prefix(text.as_bytes())?;
        (used == text.len()).then_some(time)
    }

    /// Reads the time that `bytes` begin with in whichever of the usual formats it is, in one pair of
    /// brackets or in none, and says how many bytes it has.
    fn any_prefix(&mut self, bytes: &[u8]) -> Option<(Time, usize)> {
        match bytes {
            [b'[', inside @ ..] => {
                let (time, used) = self.bare_prefix(inside)?;
                (inside.get(used) == Some(&b']')).then_some((time, used + 2))
            }
            _ => self.bare_prefix(bytes),
        }
    }

    fn bare_prefix(&mut self, bytes: &[u8]) -> Option<(Time, usize)> {
        match bytes {
            [b'A'..=b'Z' | b'a'..=b'z', ..] => self.english(bytes),
            [b'0'..=b'9', _, _, _, b'-' | b'/' | b'.', ..] => self.iso(bytes),
            [_, b'0'..=b'9', b'/' | b'-' | b' ', ..] | [b'0'..=b'9', b'/' | b'-' | b' ', ..] => {
                self.clf(bytes)
            }
            [b'0'..=b'9', b':', ..] | [b'0'..=b'9', _, b':', ..] => self.time_of_day(bytes),
            [b'0'..=b'9', _, _, _, _, _, b' ', ..] => self.compact(bytes),
            [b'0'..=b'9', ..] => epoch::prefix(bytes, None).or_else(|| self.iso(bytes)),
            _ => None,
        }
    }

    /// Civil seconds of a head, from the memo if it is the head of the line before.
    #[inline]
    fn head<const N: usize>(
        &mut self,
        reader: Reader,
        head: &[u8; N],
        convert: impl FnOnce(&[u8; N], &Self) -> Option<i64>,
    ) -> Option<i64> {
        let day = self.now.div_euclid(DAY);
        if self.memo.len == N
            && self.memo.reader == Some(reader)
            && self.memo.head.first_chunk::<N>() == Some(head)
            && self.memo.day == day
        {
            return Some(self.memo.civil);
        }
        let civil = convert(head, self)?;
        if let Some(kept) = self.memo.head.first_chunk_mut::<N>() {
            *kept = *head;
            (self.memo.len, self.memo.civil, self.memo.day) = (N, civil, day);
            self.memo.reader = Some(reader);
        }
        Some(civil)
    }

    /// The same for heads of any length, with theirs. What follows on a head is not a digit.
    fn variable(
        &mut self,
        reader: Reader,
        bytes: &[u8],
        convert: impl FnOnce(&[u8], &Self) -> Option<(i64, usize)>,
    ) -> Option<(i64, usize)> {
        let day = self.now.div_euclid(DAY);
        let ends = |used: usize| {
            !matches!(bytes.get(used..), Some([b'0'..=b'9', ..] | [b':', b'0'..=b'9', ..]))
        };
        let len = self.memo.len;
        if len > 0
            && self.memo.reader == Some(reader)
            && self.memo.day == day
            && self.memo.head.get(..len).is_some_and(|head| bytes.starts_with(head))
            && ends(len)
        {
            return Some((self.memo.civil, len));
        }
        let (civil, used) = convert(bytes, self).filter(|(_, used)| ends(*used))?;
        if let (Some(kept), Some(head)) = (self.memo.head.get_mut(..used), bytes.get(..used)) {
            kept.copy_from_slice(head);
            (self.memo.len, self.memo.civil, self.memo.day) = (used, civil, day);
            self.memo.reader = Some(reader);
        }
        Some((civil, used))
    }

    /// The time of civil seconds and a fraction, which end after `used` bytes, in the zone that is
    /// said after them.
    #[inline]
    fn finish(
        &mut self,
        civil: i64,
        fraction: Fraction,
        bytes: &[u8],
        used: usize,
    ) -> Option<(Time, usize)> {
        let rest = bytes.get(used..)?;
        Some(match offset::read(rest) {
            Some((Said::Offset(seconds), len)) => {
                let annotated = offset::annotation(rest.get(len..).unwrap_or_default());
                (time(civil - seconds, fraction)?, used + len + annotated)
            }
            Some((Said::Abbreviation(name), len)) => {
                (time(self.zoned(civil, name)?, fraction)?, used + len)
            }
            None => match offset::place(rest) {
                Some((name, len)) if self.zone_of_name(name).is_some() => {
                    let epoch = self.zone_of_name(name)?.resolve(civil, Abbreviation::default())?;
                    (time(epoch, fraction)?, used + len)
                }
                _ => (time(self.zoned(civil, Abbreviation::default())?, fraction)?, used),
            },
        })
    }

    /// Epoch seconds of civil seconds in the clock's own zone.
    #[inline]
    fn zoned(&mut self, civil: i64, named: Abbreviation) -> Option<i64> {
        if let Some(mut offset) = self.zone.fixed() {
            if named != Abbreviation::default() && self.zone == Zone::default() {
                let said = offset::of_abbreviation(named);
                self.vague |= said.is_none();
                offset = said.unwrap_or(offset);
            }
            return Some(civil - offset);
        }
        if let Some((known, called, epoch)) = self.zoned
            && known == civil
            && called == named
        {
            return Some(epoch);
        }
        let epoch = self.zone.resolve(civil, named)?;
        self.zoned = Some((civil, named, epoch));
        Some(epoch)
    }
}

/// A time of epoch seconds and a fraction; `None` beyond what an `i64` of nanoseconds holds.
#[inline]
fn time(seconds: i64, fraction: Fraction) -> Option<Time> {
    let nanos = seconds.checked_mul(SECOND)?.checked_add(fraction.nanos)?;
    Some(Time { nanos, unit: fraction.unit })
}

/// A second's fraction as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fraction {
    nanos: i64,
    unit: ClockUnit,
    /// Bytes of it, its separator included.
    used: usize,
}

impl Fraction {
    const NONE: Self = Self { nanos: 0, unit: ClockUnit::Second, used: 0 };

    /// Reads `.123` or `,123`, if that is what `bytes` begin with. Digits beyond the ninth are passed
    /// over.
    #[inline]
    fn read(bytes: &[u8]) -> Self {
        match bytes {
            [b'.' | b',', digits @ ..] => Self::digits(digits),
            _ => Self::NONE,
        }
    }

    /// Reads the digits after a separator, which is counted in `used` if there are digits.
    #[inline]
    fn digits(digits: &[u8]) -> Self {
        let mut nanos = 0;
        let mut count = 0;
        for byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            if count < 9 {
                nanos = nanos * 10 + i64::from(digit);
            }
            count += 1;
        }
        if count == 0 {
            return Self::NONE;
        }
        const SCALE: [i64; 10] =
            [SECOND, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
        nanos *= SCALE.get(count).copied().unwrap_or(1);
        let unit = match count {
            1..=3 => ClockUnit::Millisecond,
            4..=6 => ClockUnit::Microsecond,
            _ => ClockUnit::Nanosecond,
        };
        Self { nanos, unit, used: count + 1 }
    }
}

#[cfg(test)]
mod tests;
