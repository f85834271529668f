//! Quantities with units: bytes as `12MiB`, durations as `1s` and `1h30m`.

use std::time::Duration;

const BYTES: [(&str, u64); 12] = [
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
];

const DURATIONS: [(&str, u64); 6] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
];

/// Bytes: a number, which may have decimals, and a unit; without a unit, a whole number of bytes.
/// `K`, `M` and `G` alone are taken for the binary units, as Docker and the JVM do.
///
/// # Errors
///
/// What is wrong, for a person.
pub fn bytes(text: &str) -> Result<u64, String> {
    let trimmed = text.trim();
    let (number, unit) = number_and_rest(trimmed).ok_or("this is not a size")?;
    let unit = unit.trim_start();
    if unit.is_empty() {
        return trimmed.parse().map_err(|_| "a size without a unit is a whole number".to_owned());
    }
    let factor = BYTES.iter().find(|(name, _)| unit.eq_ignore_ascii_case(name));
    let (_, factor) = factor.ok_or("the unit of this size is not known")?;
    scaled(number, *factor).ok_or_else(|| "this size is too large".to_owned())
}

/// A duration: whole or decimal numbers with units from weeks to milliseconds, largest first.
///
/// # Errors
///
/// What is wrong, for a person.
pub fn duration(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    let mut total = 0_u64;
    let mut last = u64::MAX;
    while !rest.is_empty() {
        let (number, after) = number_and_rest(rest).ok_or("this is not a duration")?;
        let end = after.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if unit.is_empty() {
            return Err("a duration needs a unit".to_owned());
        }
        let factor = DURATIONS.iter().find(|(name, _)| unit == *name);
        let (_, factor) = factor.ok_or("the unit of this duration is not known")?;
        if *factor >= last {
            return Err("the units of a duration go from large to small, each once".to_owned());
        }
        last = *factor;
        total = scaled(number, *factor)
            .and_then(|part| total.checked_add(part))
            .ok_or("this duration is too long")?;
        rest = after;
    }
    if last == u64::MAX {
        return Err("this is not a duration".to_owned());
    }
    Ok(Duration::from_millis(total))
}

/// The digits at the start (`12`, `1.5`), and what follows.
fn number_and_rest(text: &str) -> Option<(&str, &str)> {
    let end =
        text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let whole = number.split('.').next().is_some_and(|whole| !whole.is_empty());
    (whole && number.matches('.').count() <= 1 && !number.ends_with('.')).then_some((number, rest))
}

/// `number × factor`, decimals beyond a whole unit cut off.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let mut sum = u128::from(whole.parse::<u64>().ok()?).checked_mul(u128::from(factor))?;
    if !decimals.is_empty() {
        let decimals = decimals.get(..decimals.len().min(9))?;
        let scale = 10_u128.pow(u32::try_from(decimals.len()).ok()?);
        sum = sum
            .checked_add(u128::from(decimals.parse::<u64>().ok()?) * u128::from(factor) / scale)?;
    }
    u64::try_from(sum).ok()
}

/// Bytes for a person: `12MiB`, `832KiB`, `100B`; rounded up, so that the number shown suffices.
#[must_use]
pub fn shown(bytes: usize) -> String {
    const TIB: usize = 1 << 40;
    const MIB: usize = 1 << 20;
    const KIB: usize = 1 << 10;
    if bytes >= TIB && bytes.is_multiple_of(TIB) {
        return format!("{}TiB", bytes / TIB);
    }
    if bytes < KIB {
        return format!("{bytes}B");
    }
    let (unit, name) = if bytes < MIB { (KIB, "KiB") } else { (MIB, "MiB") };
    let whole = bytes / unit;
    // Tenths, rounded up; `bytes % unit` is below 2^20, so nothing here can overflow.
    let tenths = (bytes % unit * 10).div_ceil(unit);
    match tenths {
        0 => format!("{whole}{name}"),
        10 => format!("{}{name}", whole + 1),
        _ => format!("{whole}.{tenths}{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let check = |text: &str, expect: Option<u64>| {
            assert_eq!(bytes(text).ok(), expect, "{text}: {:?}", bytes(text));
        };
        check("512", Some(512));
        check("0", Some(0));
        check("12MiB", Some(12 << 20));
        check("256 KiB", Some(256 << 10));
        check("1.5MiB", Some(3 << 19));
        check("5MB", Some(5_000_000));
        check("5m", Some(5 << 20));
        check("100b", Some(100));
        check("1.5", None);
        check("", None);
        check("MiB", None);
        check("-1MiB", None);
        check("1..5MiB", None);
        check("12MiBs", None);
        check("12 parsecs", None);
        check("99999999999GiB", None);
        check("99999999999999999999999999", None);
    }

    #[test]
    fn durations() {
        let check = |text: &str, expect: Option<u64>| {
            let expect = expect.map(Duration::from_millis);
            assert_eq!(duration(text).ok(), expect, "{text}: {:?}", duration(text));
        };
        check("1s", Some(1_000));
        check("250ms", Some(250));
        check("1.5s", Some(1_500));
        check("7d", Some(604_800_000));
        check("1h30m", Some(5_400_000));
        check("0", Some(0));
        check("0s", Some(0));
        check("30m1h", None);
        check("1s1s", None);
        check("1", None);
        check("", None);
        check("s", None);
        check("1 s", None);
        check("1S", None);
        check("10us", None);
        check("-1s", None);
        check("99999999999999999w", None);
    }

    #[test]
    fn sizes_are_shown_rounded_up() {
        assert_eq!(shown(100), "100B");
        assert_eq!(shown(256 << 10), "256KiB");
        assert_eq!(shown((12 << 20) + 1), "12.1MiB");
        assert_eq!(shown((2 << 20) - 1), "2MiB");
        assert_eq!(shown(usize::MAX), "17592186044416MiB");
        assert_eq!(shown(3 << 40), "3TiB");
    }
}
