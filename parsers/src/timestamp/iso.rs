//! ISO 8601 as logs write it: RFC 3339, a blank for the `T`, slashes for the hyphens, a comma before
//! the fraction (Java, Python), no seconds, no separators, and no zone at all.

use super::format::Reader;
use super::{Clock, Fraction, civil};
use crate::record::Time;

impl Clock {
    /// Reads the time that `bytes` begin with, and says how many bytes it has. Without a zone it is
    /// taken to be in the clock's.
    #[inline]
    pub(crate) fn iso(&mut self, bytes: &[u8]) -> Option<(Time, usize)> {
        if let Some(head) = bytes.first_chunk::<19>()
            && let Some(civil) = self.head(Reader::Iso, head, |head, _| convert(head))
        {
            let fraction = Fraction::read(bytes.get(19..)?);
            return self.finish(civil, fraction, bytes, 19 + fraction.used);
        }
        self.iso_variant(bytes)
    }

    #[cold]
    fn iso_variant(&mut self, bytes: &[u8]) -> Option<(Time, usize)> {
        let (civil, used) = self.variable(Reader::Iso, bytes, |bytes, _| variant(bytes))?;
        let fraction = Fraction::read(bytes.get(used..)?);
        self.finish(civil, fraction, bytes, used + fraction.used)
    }
}

/// `2026-11-22T10:00:00` in civil seconds.
fn convert(head: &[u8; 19]) -> Option<i64> {
    let [y1, y2, y3, y4, sep1, m1, m2, sep2, d1, d2, gap, rest @ ..] = *head;
    if sep1 != sep2 || !matches!(sep1, b'-' | b'/' | b'.') || !is_gap(gap) {
        return None;
    }
    date([y1, y2, y3, y4], [m1, m2], [d1, d2], civil::time_of_day(rest)?)
}

/// The rarer forms in civil seconds, with their length: `2026-11-22 9:00:00`, `2026-11-22T10:00`,
/// `20261122T100000`, `20261122 10:00:00`, `20261122100000`.
fn variant(bytes: &[u8]) -> Option<(i64, usize)> {
    match *bytes {
        [y1, y2, y3, y4, sep1, m1, m2, sep2, d1, d2, gap, ref rest @ ..]
            if sep1 == sep2 && matches!(sep1, b'-' | b'/' | b'.') && is_gap(gap) =>
        {
            let (time, len) = civil::short_time_of_day(rest).or_else(|| civil::minutes(rest))?;
            Some((date([y1, y2, y3, y4], [m1, m2], [d1, d2], time)?, 11 + len))
        }
        [y1, y2, y3, y4, m1, m2, d1, d2, ref rest @ ..] => {
            let gap = usize::from(rest.first().is_some_and(|it| is_gap(*it) || *it == b'-'));
            let (time, len) = match *rest.get(gap..)? {
                [h1, h2, b':', m1, m2, b':', s1, s2, ..] if gap == 1 => {
                    (civil::time_of_day([h1, h2, b':', m1, m2, b':', s1, s2])?, 8)
                }
                [h1, h2, m1, m2, s1, s2, ref next @ ..]
                    if !next.first().is_some_and(u8::is_ascii_digit) =>
                {
                    (civil::time_of_day([h1, h2, b':', m1, m2, b':', s1, s2])?, 6)
                }
                _ => return None,
            };
            Some((date([y1, y2, y3, y4], [m1, m2], [d1, d2], time)?, 8 + gap + len))
        }
        _ => None,
    }
}

fn is_gap(byte: u8) -> bool {
    matches!(byte, b'T' | b't' | b' ' | b'_')
}

#[inline]
fn date(year: [u8; 4], month: [u8; 2], day: [u8; 2], time_of_day: i64) -> Option<i64> {
    let [m1, m2] = month;
    let [d1, d2] = day;
    civil::seconds(civil::year(year)?, civil::two(m1, m2)?, civil::two(d1, d2)?, time_of_day)
}
