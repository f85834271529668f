//! Durations as programs write them, in whole nanoseconds: a number of a unit that the format knows, or
//! with units of its own, as Go prints them (`1.5ms`, `1m0.25s`).

/// What Go calls its units, and their nanoseconds.
const UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The nanoseconds of a duration that is not below zero. `unit`: those of one, where the text names
/// none.
pub(super) fn nanos(text: &str, unit: i64) -> Option<i64> {
    if !text.ends_with(|last: char| last.is_ascii_alphabetic()) {
        return number(text, unit);
    }
    let (mut nanos, mut rest) = (0_i64, text);
    while !rest.is_empty() {
        let is_number = |mark: char| mark.is_ascii_digit() || mark == '.';
        let (count, after) = rest.split_at_checked(rest.find(|mark| !is_number(mark))?)?;
        let end = after.find(is_number).unwrap_or(after.len());
        let (name, after) = after.split_at_checked(end)?;
        let (_, unit) = UNITS.iter().find(|(known, _)| *known == name)?;
        nanos = nanos.checked_add(number(count, *unit)?)?;
        rest = after;
    }
    Some(nanos)
}

/// So many of a unit.
fn number(text: &str, unit: i64) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !are_digits(whole) || !are_digits(part) {
        // With an exponent.
        return of_float(text.parse().ok()?, unit);
    }
    let mut nanos = whole.parse::<i64>().ok()?.checked_mul(unit)?;
    let mut place = unit;
    for digit in part.bytes().take(9) {
        place /= 10;
        nanos = nanos.checked_add(place * i64::from(digit - b'0'))?;
    }
    Some(nanos)
}

/// The same of a number that is one; `None` below zero.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "units are small, and the number is looked at before"
)]
pub(super) fn of_float(number: f64, unit: i64) -> Option<i64> {
    let nanos = number * unit as f64;
    (0.0..9e18).contains(&nanos).then(|| nanos.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_nanoseconds_whatever_their_unit() {
        for (text, unit, expect) in [
            ("0", 1_000_000, Some(0)),
            ("0.003", 1_000_000_000, Some(3_000_000)),
            ("0.0040982689999", 1_000_000_000, Some(4_098_268)),
            ("151.140", 1_000_000, Some(151_140_000)),
            ("2.34e-05", 1_000_000_000, Some(23_400)),
            ("1964899", 1, Some(1_964_899)),
            ("1.5ms", 1, Some(1_500_000)),
            ("12\u{b5}s", 1, Some(12_000)),
            ("1h1m0.25s", 1, Some(3_660_250_000_000)),
            ("9223372036854775807", 1_000, None),
            ("-1", 1, None),
            ("", 1, None),
            (".", 1, None),
            ("1.2.3", 1, None),
            ("soon", 1, None),
            ("1 s", 1, None),
            ("1d", 1, None),
            ("inf", 1, None),
        ] {
            assert_eq!(nanos(text, unit), expect, "{text}");
        }
    }
}
