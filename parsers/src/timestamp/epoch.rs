//! Numbers that count from the Unix epoch, in a unit that is given or shows from their size.

use super::{Fraction, SECOND, time};
use crate::record::{ClockUnit, Time};

/// Reads the number that `bytes` begin with, and says how many bytes it has. A word that goes on
/// with letters is none.
pub(super) fn prefix(bytes: &[u8], unit: Option<ClockUnit>) -> Option<(Time, usize)> {
    let count = |from: usize| {
        bytes.iter().skip(from).take(64).take_while(|byte| byte.is_ascii_digit()).count()
    };
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let mut used = sign + count(sign);
    if bytes.get(used) == Some(&b'.') && count(used + 1) > 0 {
        used += 1 + count(used + 1);
    }
    if matches!(bytes.get(used), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(used + 1), Some(b'+' | b'-')));
        used += 1 + sign + count(used + 1 + sign);
    }
    if bytes.get(used).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
        return None;
    }
    Some((read(bytes.get(..used)?, unit)?, used))
}

/// Reads a decimal number, with a fraction or an exponent or without.
///
/// Without a unit its size tells: seconds from 1973 to 2262, or milli-, micro- or nanoseconds of the
/// same years. Smaller numbers are not times: `t: 12` is somebody's temperature.
pub(crate) fn read(bytes: &[u8], unit: Option<ClockUnit>) -> Option<Time> {
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, bytes),
    };
    let whole_len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if whole_len == 0 || whole_len > 19 {
        return None;
    }
    let mut whole: i64 = 0;
    for byte in digits.get(..whole_len)? {
        whole = whole.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
    }
    let rest = digits.get(whole_len..)?;
    let fraction = match rest {
        [] => Fraction::NONE,
        [b'.', decimals @ ..] => Fraction::digits(decimals),
        _ => Fraction::NONE,
    };
    if fraction.used != rest.len() {
        return exponent(bytes, unit);
    }
    let step = match unit {
        Some(unit) => unit,
        None if negative => return None,
        None => by_size(whole)?,
    };
    if negative {
        whole = -whole;
    }
    if step == ClockUnit::Second {
        let signed = if negative { -fraction.nanos } else { fraction.nanos };
        return time(whole, Fraction { nanos: signed, ..fraction });
    }
    // A fraction of a smaller unit: JavaScript's performance clocks give milliseconds with one.
    let part = fraction.nanos / (SECOND / step.nanos());
    let nanos =
        whole.checked_mul(step.nanos())?.checked_add(if negative { -part } else { part })?;
    let finer = if fraction.used == 0 { step } else { ClockUnit::Nanosecond };
    Some(Time { nanos, unit: finer })
}

/// The unit that puts a number between 1973 and 2262.
fn by_size(whole: i64) -> Option<ClockUnit> {
    Some(match whole {
        100_000_000..=9_223_372_035 => ClockUnit::Second,
        100_000_000_000..=9_223_372_036_853 => ClockUnit::Millisecond,
        100_000_000_000_000..=9_223_372_036_854_774 => ClockUnit::Microsecond,
        100_000_000_000_000_000..=i64::MAX => ClockUnit::Nanosecond,
        _ => return None,
    })
}

/// `1.7638e9`: what some encoders make of a float. A double counts epoch seconds to about 240 ns.
fn exponent(bytes: &[u8], unit: Option<ClockUnit>) -> Option<Time> {
    if bytes.len() > 64 || !bytes.iter().any(|byte| matches!(byte, b'e' | b'E')) {
        return None;
    }
    let number: f64 = std::str::from_utf8(bytes).ok()?.parse().ok()?;
    let whole = number.abs();
    if !(0.0..9.2e18).contains(&whole) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 9.2e18, hence within an i64")]
    let unit = match unit {
        Some(unit) => unit,
        None if number < 0.0 => return None,
        None => by_size(whole as i64)?,
    };
    #[expect(clippy::cast_precision_loss, reason = "1, 1e3, 1e6 and 1e9 are exact")]
    let nanos = number * unit.nanos() as f64;
    if !(-9.2e18..9.2e18).contains(&nanos) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "within ±9.2e18, hence within an i64")]
    let micros = (nanos / 1e3).round() as i64;
    Some(Time { nanos: micros.checked_mul(1_000)?, unit: unit.min(ClockUnit::Microsecond) })
}
