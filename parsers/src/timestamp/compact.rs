//! Dates without separators: MySQL's and Tornado's `261122 10:00:00`, glog's `1122 10:00:00.123456`,
//! with a year since its 0.6.

use super::format::Reader;
use super::{Clock, Fraction, civil};
use crate::record::Time;

impl Clock {
    /// Reads `261122 10:00:00` at the beginning of `bytes`, with a fraction or without, and says how
    /// many bytes it has. Two digits of a year are of 1970 to 2069.
    pub(crate) fn compact(&mut self, bytes: &[u8]) -> Option<(Time, usize)> {
        let civil = self.head(Reader::Compact, bytes.first_chunk::<15>()?, |head, _| {
            let [y1, y2, m1, m2, d1, d2, b' ', rest @ ..] = *head else { return None };
            let year = i64::from(civil::two(y1, y2)?);
            let century = if year < 70 { 2000 } else { 1900 };
            let (month, day) = (civil::two(m1, m2)?, civil::two(d1, d2)?);
            civil::seconds(century + year, month, day, civil::time_of_day(rest)?)
        })?;
        let fraction = Fraction::read(bytes.get(15..)?);
        self.finish(civil, fraction, bytes, 15 + fraction.used)
    }

    /// Reads `1122 10:00:00.123456`, month and day, or the same behind a year, at the beginning of
    /// `bytes`, and says how many bytes it has.
    pub(crate) fn glog(&mut self, bytes: &[u8]) -> Option<(Time, usize)> {
        let (civil, used) = if bytes.get(8) == Some(&b' ') {
            let civil = self.head(Reader::Glog, bytes.first_chunk::<17>()?, |head, _| {
                let [y1, y2, y3, y4, m1, m2, d1, d2, b' ', rest @ ..] = *head else { return None };
                let (month, day) = (civil::two(m1, m2)?, civil::two(d1, d2)?);
                let year = civil::year([y1, y2, y3, y4])?;
                civil::seconds(year, month, day, civil::time_of_day(rest)?)
            })?;
            (civil, 17)
        } else {
            let civil = self.head(Reader::Glog, bytes.first_chunk::<13>()?, |head, clock| {
                let [m1, m2, d1, d2, b' ', rest @ ..] = *head else { return None };
                let (month, day) = (civil::two(m1, m2)?, civil::two(d1, d2)?);
                clock.with_year(month, day, civil::time_of_day(rest)?)
            })?;
            (civil, 13)
        };
        let fraction = Fraction::read(bytes.get(used..)?);
        // No zone follows: after blanks comes the thread's number.
        let time = super::time(self.zoned(civil, <[u8; 4]>::default())?, fraction)?;
        Some((time, used + fraction.used))
    }
}
