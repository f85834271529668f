//! The day first, then the month's name: the Common Log Format's `22/Nov/2026:10:00:00 +0100`, PHP's
//! `22-Nov-2026 10:00:00 UTC`, Redis's `22 Nov 2026 10:00:00.123` and, after a weekday, RFC 2822.

use super::format::Reader;
use super::{Clock, Fraction, Zone, civil, offset, time};
use crate::record::Time;

/// Bytes that a zone's name in a line may have.
const LONGEST_ZONE: usize = 40;

impl Clock {
    /// Reads the time that `bytes` begin with, and says how many bytes it has.
    #[inline]
    pub(crate) fn clf(&mut self, bytes: &[u8]) -> Option<(Time, usize)> {
        if let Some(head) = bytes.first_chunk::<20>()
            && let Some(civil) = self.head(Reader::Clf, head, |head, _| convert(head))
        {
            let fraction = Fraction::read(bytes.get(20..)?);
            let used = 20 + fraction.used;
            if head.get(2) == Some(&b'-')
                && let Some(read) = self.in_named_zone(civil, fraction, bytes, used)
            {
                return Some(read);
            }
            return self.finish(civil, fraction, bytes, used);
        }
        self.clf_variant(bytes)
    }

    /// A day of one digit, or a month's whole name.
    #[cold]
    fn clf_variant(&mut self, bytes: &[u8]) -> Option<(Time, usize)> {
        let (civil, used) = self.variable(Reader::Clf, bytes, |bytes, _| variant(bytes))?;
        let fraction = Fraction::read(bytes.get(used..)?);
        self.finish(civil, fraction, bytes, used + fraction.used)
    }

    /// Reads PHP's `22-Nov-2026 10:00:00 CET`, whose zone is one of the IANA names or an offset, and says
    /// how many bytes it has.
    pub(crate) fn in_zone(&mut self, bytes: &[u8]) -> Option<(Time, usize)> {
        let head = bytes.first_chunk::<20>().filter(|head| head.get(2) == Some(&b'-'))?;
        let civil = self.head(Reader::Clf, head, |head, _| convert(head))?;
        let [b' ', rest @ ..] = bytes.get(20..)? else { return None };
        let of_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"/_+-:".contains(byte);
        let len = rest.iter().take(LONGEST_ZONE).take_while(of_name).count();
        let name = std::str::from_utf8(rest.get(..len)?).ok()?;
        let epoch = match offset::whole(name) {
            Some(offset) => civil - offset,
            None => self.zone_of_name(name)?.resolve(civil, <[u8; 4]>::default())?,
        };
        Some((time(epoch, Fraction::NONE)?, 21 + len))
    }

    /// The zone of an IANA name: the last one that was asked for is kept.
    pub(super) fn zone_of_name(&mut self, name: &str) -> Option<&Zone> {
        if self.named.as_ref().is_none_or(|(known, _)| known != name) {
            self.named = Some((name.to_owned(), Zone::from_name(name)));
        }
        self.named.as_ref()?.1.as_ref()
    }

    /// PHP names the zone in full: `22-Nov-2026 10:00:00 Europe/Berlin`.
    fn in_named_zone(
        &mut self,
        civil: i64,
        fraction: Fraction,
        bytes: &[u8],
        used: usize,
    ) -> Option<(Time, usize)> {
        let [b' ', rest @ ..] = bytes.get(used..)? else { return None };
        let of_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(byte);
        let len = rest.iter().take(LONGEST_ZONE).take_while(of_name).count();
        let name = std::str::from_utf8(rest.get(..len)?).ok().filter(|name| name.contains('/'))?;
        let epoch = self.zone_of_name(name)?.resolve(civil, <[u8; 4]>::default())?;
        Some((time(epoch, fraction)?, used + 1 + len))
    }
}

/// `22/Nov/2026:10:00:00` in civil seconds.
fn convert(head: &[u8; 20]) -> Option<i64> {
    let [d1, d2, sep1, n1, n2, n3, sep2, y1, y2, y3, y4, b':' | b' ', rest @ ..] = *head else {
        return None;
    };
    if sep1 != sep2 || !matches!(sep1, b'/' | b'-' | b' ') {
        return None;
    }
    let tens = if d1 == b' ' { b'0' } else { d1 };
    civil::seconds(
        civil::year([y1, y2, y3, y4])?,
        civil::month([n1, n2, n3])?,
        civil::two(tens, d2)?,
        civil::time_of_day(rest)?,
    )
}

fn variant(bytes: &[u8]) -> Option<(i64, usize)> {
    let (day, at) = match *bytes {
        [d1, d2 @ b'0'..=b'9', ..] => (civil::two(d1, d2)?, 2),
        [d, ..] => (civil::two(b'0', d)?, 1),
        _ => return None,
    };
    let separator = *bytes.get(at)?;
    let (month, len) = civil::month_word(bytes.get(at + 1..)?)?;
    let at = at + 1 + len;
    let [sep, y1, y2, y3, y4, b':' | b' ', rest @ ..] = bytes.get(at..)? else { return None };
    if *sep != separator || !matches!(sep, b'/' | b'-' | b' ') {
        return None;
    }
    let (time_of_day, len) = civil::short_time_of_day(rest)?;
    let year = civil::year([*y1, *y2, *y3, *y4])?;
    Some((civil::seconds(year, month, day, time_of_day)?, at + 6 + len))
}

#[cfg(test)]
mod tests {
    use crate::timestamp::format::Reader;
    use crate::timestamp::{Clock, Format, SECOND};

    /// `CET` is a zone of its own there, whatever the clock's is.
    #[test]
    fn a_zone_behind_is_the_one_of_that_name() {
        let format = Format::new("%d-%b-%Y %T %Q").unwrap();
        assert_eq!(format, Format::Known(Reader::Zoned));
        let mut clock = Clock::default();
        for (text, expect) in [
            ("22-Nov-2026 10:00:00 UTC", Some(0)),
            ("22-Nov-2026 10:00:00 CET", Some(-3600)),
            ("22-Nov-2026 10:00:00 Japan", Some(-9 * 3600)),
            ("22-Nov-2026 10:00:00 America/New_York", Some(5 * 3600)),
            ("22-Nov-2026 10:00:00 +01:00", Some(-3600)),
            ("22-Nov-2026 10:00:00", None),
            ("22-Nov-2026 10:00:00 ", None),
            ("22-Nov-2026 10:00:00 Nowhere", None),
            ("22/Nov/2026 10:00:00 UTC", None),
            ("22-Nov-2026 10:61:00 UTC", None),
        ] {
            let time = clock.read(&format, text).map(|time| time.nanos / SECOND - 1_795_341_600);
            assert_eq!(time, expect, "{text}");
        }
    }
}
