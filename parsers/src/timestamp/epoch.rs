//! Numbers that count from the Unix epoch, in a unit that is given or shows from their size.

use super::{Fraction, SECOND, time};
use crate::record::{ClockUnit, Time};

/// Decimals that a number may have.
const MOST_DECIMALS: usize = 64;

/// Reads the decimal number that `bytes` begin with, with a fraction or an exponent or without, and says
/// how many bytes it has. A word that goes on with letters is none.
///
/// Without a unit its size tells: seconds from 1973 to 2262, or milli-, micro- or nanoseconds of the
/// same years. Smaller numbers are not times: `t: 12` is somebody's temperature.
pub(super) fn prefix(bytes: &[u8], unit: Option<ClockUnit>) -> Option<(Time, usize)> {
    let number = Number::read(bytes)?;
    match bytes.get(number.used) {
        Some(b'e' | b'E') => {
            let used = exponent_end(bytes, number.used);
            let ends = !bytes.get(used).is_some_and(goes_on);
            Some((exponent(bytes.get(..used).filter(|_| ends)?, unit)?, used))
        }
        Some(byte) if goes_on(byte) => None,
        _ => Some((number.time(unit)?, number.used)),
    }
}

fn goes_on(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}

/// Where an exponent ends that begins with the letter in a place.
fn exponent_end(bytes: &[u8], letter: usize) -> usize {
    let sign = usize::from(matches!(bytes.get(letter + 1), Some(b'+' | b'-')));
    let digits = bytes.get(letter + 1 + sign..).unwrap_or_default();
    letter + 1 + sign + digits.iter().take(64).take_while(|byte| byte.is_ascii_digit()).count()
}

/// A decimal number without an exponent.
struct Number {
    negative: bool,
    whole: i64,
    fraction: Fraction,
    /// Bytes of it.
    used: usize,
}

impl Number {
    /// The number at the beginning, if 64 bits hold what stands before the point.
    fn read(bytes: &[u8]) -> Option<Self> {
        let negative = bytes.first() == Some(&b'-');
        let digits = bytes.get(usize::from(negative)..)?;
        let (mut whole, mut len) = (0_u64, 0);
        while let Some(digit @ 0..=9) = digits.get(len).map(|byte| byte.wrapping_sub(b'0')) {
            whole = whole.wrapping_mul(10).wrapping_add(u64::from(digit));
            len += 1;
        }
        // So many digits 64 bits hold.
        if len == 0 || len > 19 {
            return None;
        }
        let whole = i64::try_from(whole).ok()?;
        let fraction = match digits.get(len..) {
            Some([b'.', decimals @ ..]) => Fraction::digits(decimals),
            _ => Fraction::NONE,
        };
        let used = usize::from(negative) + len + fraction.used;
        (fraction.used <= 1 + MOST_DECIMALS).then_some(Self { negative, whole, fraction, used })
    }

    /// The time that it is, in a unit or in the one that its size tells.
    fn time(&self, unit: Option<ClockUnit>) -> Option<Time> {
        let Self { negative, fraction, .. } = *self;
        let step = match unit {
            Some(unit) => unit,
            None if negative => return None,
            None => by_size(self.whole)?,
        };
        let signed = |nanos: i64| if negative { -nanos } else { nanos };
        let whole = signed(self.whole);
        if step == ClockUnit::Second {
            return time(whole, Fraction { nanos: signed(fraction.nanos), ..fraction });
        }
        // A fraction of a smaller unit: JavaScript's performance clocks give milliseconds with one.
        let part = signed(fraction.nanos / (SECOND / step.nanos()));
        let nanos = whole.checked_mul(step.nanos())?.checked_add(part)?;
        let finer = if fraction.used == 0 { step } else { ClockUnit::Nanosecond };
        Some(Time { nanos, unit: finer })
    }
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
