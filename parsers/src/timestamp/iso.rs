//! ISO 8601 as logs write it: RFC 3339, a blank for the `T`, slashes for the hyphens, a comma before
//! the fraction (Java, Python), and no zone at all.

use super::{Clock, Fraction, civil, time};
use crate::record::Time;

impl Clock {
    /// Reads the time that `bytes` begin with, and says how many bytes it has. Without a zone it is
    /// taken to be in the clock's.
    #[inline]
    pub(crate) fn iso(&mut self, bytes: &[u8]) -> Option<(Time, usize)> {
        let civil = self.head(bytes.first_chunk::<19>()?, |head, _| convert(head))?;
        let fraction = Fraction::read(bytes.get(19..)?);
        let used = 19 + fraction.used;
        match civil::offset(bytes.get(used..)?) {
            Some((offset, len)) => Some((time(civil - offset, fraction)?, used + len)),
            None => Some((time(self.zoned(civil)?, fraction)?, used)),
        }
    }
}

/// `2026-11-22T10:00:00` in civil seconds.
fn convert(head: &[u8; 19]) -> Option<i64> {
    let [y1, y2, y3, y4, sep1, m1, m2, sep2, d1, d2, b'T' | b't' | b' ' | b'_', rest @ ..] = *head
    else {
        return None;
    };
    if sep1 != sep2 || !matches!(sep1, b'-' | b'/' | b'.') {
        return None;
    }
    let year = civil::two(y1, y2)? * 100 + civil::two(y3, y4)?;
    civil::seconds(year.into(), civil::two(m1, m2)?, civil::two(d1, d2)?, civil::time_of_day(rest)?)
}
