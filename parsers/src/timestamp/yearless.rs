//! Times that leave something out: RFC 3164's `Nov 22 10:00:00` has no year, logback's default
//! `10:00:00.123` no date. What is missing comes from when the line was read.

use super::{Clock, DAY, Fraction, civil, time};
use crate::record::Time;

/// How far ahead a host's clock, or its unknown zone, may put a line.
const AHEAD: i64 = DAY;

impl Clock {
    /// Reads `Nov 22 10:00:00`, with a fraction or without, at the beginning of `bytes`, and says how
    /// many bytes it has.
    pub(crate) fn yearless(&mut self, bytes: &[u8]) -> Option<(Time, usize)> {
        let civil = self.head(bytes.first_chunk::<15>()?, |head, clock| {
            let [n1, n2, n3, b' ', d1, d2, b' ', rest @ ..] = *head else { return None };
            let tens = if d1 == b' ' { b'0' } else { d1 };
            let (month, day) = (civil::month([n1, n2, n3])?, civil::two(tens, d2)?);
            clock.with_year(month, day, civil::time_of_day(rest)?)
        })?;
        let fraction = Fraction::read(bytes.get(15..)?);
        Some((time(self.zoned(civil)?, fraction)?, 15 + fraction.used))
    }

    /// Reads `10:00:00`, with a fraction or without, at the beginning of `bytes`, as the moment of
    /// that time of day nearest to when the line was read.
    pub(crate) fn time_of_day(&mut self, bytes: &[u8]) -> Option<(Time, usize)> {
        let seconds = civil::time_of_day(*bytes.first_chunk::<8>()?)?;
        let fraction = Fraction::read(bytes.get(8..)?);
        let civil = self.nearest_day(seconds);
        Some((time(self.zoned(civil)?, fraction)?, 8 + fraction.used))
    }

    /// Civil seconds of a time of day on the day that brings it nearest to now.
    pub(super) fn nearest_day(&self, time_of_day: i64) -> i64 {
        let today = self.now - self.now.rem_euclid(DAY) + time_of_day;
        match today - self.now {
            ahead if ahead > DAY / 2 => today - DAY,
            behind if behind < -DAY / 2 => today + DAY,
            _ => today,
        }
    }

    /// Civil seconds of a day without a year.
    ///
    /// The last year that is not in the future: a log read over New Year's Eve, or months after it,
    /// goes on in order. Lines before this one have no say, or one with an odd time would take all
    /// that follow to its year. The 29th of February looks as far back as the leap year before a
    /// century without one.
    pub(super) fn with_year(&self, month: u32, day: u32, time_of_day: i64) -> Option<i64> {
        let this_year = civil::year_of(self.now);
        (this_year - 8..=this_year + 1)
            .rev()
            .filter_map(|year| civil::seconds(year, month, day, time_of_day))
            .find(|civil| *civil <= self.now + AHEAD)
    }
}
