//! The Common Log Format's time: `22/Nov/2026:10:00:00 +0100`.

use super::{Clock, Fraction, civil, time};
use crate::record::Time;

impl Clock {
    /// Reads the time that `bytes` begin with, and says how many bytes it has.
    #[inline]
    pub(crate) fn clf(&mut self, bytes: &[u8]) -> Option<(Time, usize)> {
        let civil = self.head(bytes.first_chunk::<20>()?, |head, _| convert(head))?;
        let fraction = Fraction::read(bytes.get(20..)?);
        let used = 20 + fraction.used;
        match civil::offset(bytes.get(used..)?) {
            Some((offset, len)) => Some((time(civil - offset, fraction)?, used + len)),
            None => Some((time(self.zoned(civil)?, fraction)?, used)),
        }
    }
}

/// `22/Nov/2026:10:00:00` in civil seconds.
fn convert(head: &[u8; 20]) -> Option<i64> {
    let [d1, d2, b'/', n1, n2, n3, b'/', y1, y2, y3, y4, b':' | b' ', rest @ ..] = *head else {
        return None;
    };
    let year = civil::two(y1, y2)? * 100 + civil::two(y3, y4)?;
    civil::seconds(
        year.into(),
        civil::month([n1, n2, n3])?,
        civil::two(d1, d2)?,
        civil::time_of_day(rest)?,
    )
}
