//! Times as RFC 3339 text in UTC, the last second's remembered: neighbours mostly share theirs.

const NANOS: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Writes times.
#[derive(Debug)]
pub(crate) struct Clock {
    second: i64,
    /// `2026-08-01T12:00:00` of `second`.
    text: [u8; 19],
}

impl Default for Clock {
    fn default() -> Self {
        Self { second: 0, text: *b"1970-01-01T00:00:00" }
    }
}

impl Clock {
    /// Appends a time given in nanoseconds since the Unix epoch, with as many digits after the second
    /// (none, 3, 6 or 9) as it takes to lose nothing.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>, nanos: i64) {
        let (second, fraction) = (nanos.div_euclid(NANOS), nanos.rem_euclid(NANOS));
        if second != self.second {
            self.second = second;
            self.text = date_time(second);
        }
        out.extend_from_slice(&self.text);
        if fraction != 0 {
            let mut digits = *b".000000000";
            let mut left = fraction;
            for place in digits.iter_mut().skip(1).rev() {
                *place = digit(left % 10);
                left /= 10;
            }
            let (millis, micros) = (fraction % 1_000_000 == 0, fraction % 1_000 == 0);
            let length = if millis {
                4
            } else if micros {
                7
            } else {
                10
            };
            out.extend_from_slice(digits.get(..length).unwrap_or_default());
        }
        out.push(b'Z');
    }
}

/// The civil date and time of a second (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `civil_from_days`). An `i64` of nanoseconds stays within four-digit years.
fn date_time(second: i64) -> [u8; 19] {
    let (days, time) = (second.div_euclid(SECONDS_PER_DAY), second.rem_euclid(SECONDS_PER_DAY));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let [hour, minute, second] = [time / 3_600, time / 60 % 60, time % 60];
    let two = |value: i64| [digit(value / 10 % 10), digit(value % 10)];
    let [[y0, y1], [y2, y3]] = [two(year / 100), two(year)];
    let [[mo0, mo1], [d0, d1]] = [two(month), two(day)];
    let [[h0, h1], [m0, m1], [s0, s1]] = [two(hour), two(minute), two(second)];
    [y0, y1, y2, y3, b'-', mo0, mo1, b'-', d0, d1, b'T', h0, h1, b':', m0, m1, b':', s0, s1]
}

/// The ASCII digit of a value below ten.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below ten")]
const fn digit(value: i64) -> u8 {
    b'0' + value as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(nanos: i64) -> String {
        let mut out = Vec::new();
        Clock::default().write(&mut out, nanos);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn digits_after_the_second_only_when_there_are_any() {
        for (nanos, expect) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
            (1_000_000, "1970-01-01T00:00:00.001Z"),
            (1_001_000, "1970-01-01T00:00:00.001001Z"),
            (1_709_210_096_000_000_007, "2024-02-29T12:34:56.000000007Z"),
            (i64::MAX, "2262-04-11T23:47:16.854775807Z"),
            (i64::MIN, "1677-09-21T00:12:43.145224192Z"),
        ] {
            assert_eq!(written(nanos), expect);
        }
    }

    proptest! {
        #[test]
        fn jiff_agrees(nanos: i64, later in 0..3 * NANOS) {
            let mut clock = Clock::default();
            for nanos in [nanos, nanos.saturating_add(later)] {
                let mut out = Vec::new();
                clock.write(&mut out, nanos);
                let text = String::from_utf8(out).expect("ASCII");
                let read: jiff::Timestamp = text.parse().expect("RFC 3339");
                prop_assert_eq!(read.as_nanosecond(), i128::from(nanos));
            }
        }
    }
}
