//! The month's name first: RFC 3164's `Nov 22 10:00:00`, with a year before the time of day or after
//! it, and a weekday before it all (`ctime`, Apache's error log).

use super::format::Reader;
use super::offset::{self, Abbreviation, Said};
use super::{Clock, Fraction, civil, time};
use crate::record::Time;

impl Clock {
    /// Reads `Sun Nov 22 10:00:00.123456 2026`, `Sun, 22 Nov 2026 10:00:00 +0100` and the like, with
    /// a weekday or without, at the beginning of `bytes`, and says how many bytes it has.
    pub(crate) fn english(&mut self, bytes: &[u8]) -> Option<(Time, usize)> {
        if !may_be_name(bytes) {
            return None;
        }
        let skipped = civil::weekday(bytes);
        let rest = bytes.get(skipped..)?;
        let (time, used) = match rest.first()? {
            b'0'..=b'9' | b' ' => self.clf(rest)?,
            _ => self.yearless(rest)?,
        };
        Some((time, skipped + used + zone_in_words(rest.get(used..)?)))
    }

    /// Reads `Nov 22 10:00:00`, with a fraction and a year or without, at the beginning of `bytes`,
    /// and says how many bytes it has.
    pub(crate) fn yearless(&mut self, bytes: &[u8]) -> Option<(Time, usize)> {
        let head = match bytes.first_chunk::<15>() {
            Some(head @ [_, _, _, b' ', _, _, b' ', _, _, b':', _, _, b':', _, _]) => head,
            _ => return self.month_first_variant(bytes),
        };
        let fraction = Fraction::read(bytes.get(15..)?);
        let mut used = 15 + fraction.used;
        let mut said = offset::read(bytes.get(used..)?);
        used += said.map_or(0, |(_, len)| len);
        let year = year_after(bytes.get(used..)?);
        let civil = match year {
            Some(year) => self.in_year(head, year)?,
            None => self.head(Reader::Yearless, head, |head, clock| {
                let (month, day, time_of_day) = convert(head)?;
                clock.with_year(month, day, time_of_day)
            })?,
        };
        if year.is_some() {
            used += 5;
            if said.is_none() {
                said = offset::read(bytes.get(used..)?);
                used += said.map_or(0, |(_, len)| len);
            }
        }
        let epoch = match said.map(|(said, _)| said) {
            Some(Said::Offset(seconds)) => civil - seconds,
            Some(Said::Abbreviation(name)) => self.zoned(civil, name)?,
            None => self.zoned(civil, Abbreviation::default())?,
        };
        Some((time(epoch, fraction)?, used))
    }

    /// Civil seconds of a head whose year stands elsewhere.
    fn in_year(&mut self, head: &[u8; 15], year: [u8; 4]) -> Option<i64> {
        let mut whole = [b' '; 20];
        whole.first_chunk_mut().map(|kept| *kept = *head)?;
        whole.last_chunk_mut().map(|kept| *kept = year)?;
        self.head(Reader::English, &whole, |_, _| {
            let (month, day, time_of_day) = convert(head)?;
            civil::seconds(civil::year(year)?, month, day, time_of_day)
        })
    }

    /// A day of one digit, a month's whole name, a year before the time, or a 12-hour clock.
    #[cold]
    fn month_first_variant(&mut self, bytes: &[u8]) -> Option<(Time, usize)> {
        let (mut civil, used) = self.variable(Reader::English, bytes, variant)?;
        let fraction = Fraction::read(bytes.get(used..)?);
        let mut used = used + fraction.used;
        if let Some((afternoon, len)) = civil::meridiem(bytes.get(used..)?) {
            civil = civil::half_day(civil, afternoon)?;
            used += len;
        }
        self.finish(civil, fraction, bytes, used)
    }
}

/// Whether bytes may begin with the name of a month or a weekday, as its second and third letter tell,
/// or with no name: most words of a log do not.
#[inline]
fn may_be_name(bytes: &[u8]) -> bool {
    const fn set(letters: &[u8]) -> u32 {
        let (mut set, mut at) = (0, 0);
        while at < letters.len() {
            set |= 1 << (letters[at] & 31);
            at += 1;
        }
        set
    }
    const SECOND: u32 = set(b"aepucohr");
    const THIRD: u32 = set(b"nbryglptvcedui");
    match bytes {
        [first, second, third, ..] if first.is_ascii_alphabetic() => {
            (SECOND >> (second & 31)) & (THIRD >> (third & 31)) & 1 == 1
        }
        _ => true,
    }
}

/// Month, day and time of day of `Nov 22 10:00:00`.
fn convert(head: &[u8; 15]) -> Option<(u32, u32, i64)> {
    let [n1, n2, n3, b' ', d1, d2, b' ', rest @ ..] = *head else { return None };
    let tens = if d1 == b' ' { b'0' } else { d1 };
    Some((civil::month([n1, n2, n3])?, civil::two(tens, d2)?, civil::time_of_day(rest)?))
}

/// ` 2026`, and nothing that goes on.
#[inline]
fn year_after(bytes: &[u8]) -> Option<[u8; 4]> {
    match *bytes {
        [b' ', y1 @ b'1'..=b'2', y2, y3, y4, ref rest @ ..]
            if [y2, y3, y4].iter().all(u8::is_ascii_digit)
                && !rest
                    .first()
                    .is_some_and(|it| it.is_ascii_alphanumeric() || b".-:_".contains(it)) =>
        {
            Some([y1, y2, y3, y4])
        }
        _ => None,
    }
}

/// `Nov 2 10:00:00`, `Nov 22 2026 10:00:00`, `Nov 22, 2026 9:00:00`, `November 22, 2026 - 10:00:00`.
fn variant(bytes: &[u8], clock: &Clock) -> Option<(i64, usize)> {
    let (month, mut at) = civil::month_word(bytes)?;
    let blanks = |at: usize| bytes.iter().skip(at).take(2).take_while(|it| **it == b' ').count();
    at += blanks(at);
    let (day, len) = match *bytes.get(at..)? {
        [d1, d2 @ b'0'..=b'9', ..] => (civil::two(d1, d2)?, 2),
        [d, ..] => (civil::two(b'0', d)?, 1),
        _ => return None,
    };
    at += len;
    at += usize::from(bytes.get(at) == Some(&b','));
    if blanks(at) == 0 {
        return None;
    }
    at += blanks(at);
    let year = match *bytes.get(at..)? {
        [y1, y2, y3, y4, b' ' | b',', ..] => Some(civil::year([y1, y2, y3, y4])?),
        _ => None,
    };
    if year.is_some() {
        at += 4;
        at += usize::from(bytes.get(at) == Some(&b','));
        at += blanks(at);
        if let Some([b'-' | b'@', b' ', ..]) = bytes.get(at..) {
            at += 2;
        }
    }
    let (time_of_day, len) = civil::short_time_of_day(bytes.get(at..)?)?;
    let civil = match year {
        Some(year) => civil::seconds(year, month, day, time_of_day)?,
        None => clock.with_year(month, day, time_of_day)?,
    };
    Some((civil, at + len))
}

/// The length of JavaScript's ` (Coordinated Universal Time)`.
fn zone_in_words(bytes: &[u8]) -> usize {
    let [b' ', b'(', rest @ ..] = bytes else { return 0 };
    let len =
        rest.iter().take(60).take_while(|it| it.is_ascii_alphabetic() || **it == b' ').count();
    let ends =
        rest.get(len) == Some(&b')') && rest.get(..len).is_some_and(|it| it.ends_with(b" Time"));
    if ends { len + 3 } else { 0 }
}
