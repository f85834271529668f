//! What a time leaves out comes from when the line was read: the year of RFC 3164's
//! `Nov 22 10:00:00`, the date of logback's `10:00:00.123`.

use super::{Clock, DAY, Fraction, civil, time};
use crate::record::Time;

/// How far ahead a host's clock, or its unknown zone, may put a line.
const AHEAD: i64 = DAY;
/// The same for a time of day alone. It is little, as such a log says nothing of its days: what looks
/// far ahead is yesterday's, which is read as it stood there, or late.
const SOON: i64 = 60 * 60;

impl Clock {
    /// Reads `10:00:00`, with a fraction or without, or `9:00AM` at the beginning of `bytes`, as the
    /// last moment of that time of day before the line was read. Says how many bytes it has.
    pub(crate) fn time_of_day(&mut self, bytes: &[u8]) -> Option<(Time, usize)> {
        let (mut seconds, used, needs_half) = match civil::short_time_of_day(bytes) {
            Some((seconds, used)) => (seconds, used, false),
            None => civil::minutes(bytes).map(|(seconds, used)| (seconds, used, true))?,
        };
        let fraction = Fraction::read(bytes.get(used..)?);
        let mut used = used + fraction.used;
        match civil::meridiem(bytes.get(used..)?) {
            Some((afternoon, len)) => {
                seconds = civil::half_day(seconds, afternoon)?;
                used += len;
            }
            None if needs_half => return None,
            None => {}
        }
        let civil = self.last_day(seconds);
        Some((time(self.zoned(civil, <[u8; 4]>::default())?, fraction)?, used))
    }

    /// Civil seconds of a time of day on the last day that does not put it into the future.
    pub(super) fn last_day(&self, time_of_day: i64) -> i64 {
        let today = self.now_there - self.now_there.rem_euclid(DAY) + time_of_day;
        match today - self.now_there {
            ahead if ahead > SOON => today - DAY,
            ahead if ahead <= SOON - DAY => today + DAY,
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
        let this_year = civil::year_of(self.now_there);
        (this_year - 8..=this_year + 1)
            .rev()
            .filter_map(|year| civil::seconds(year, month, day, time_of_day))
            .find(|civil| *civil <= self.now_there + AHEAD)
    }
}
