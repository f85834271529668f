//! Telephone numbers as they are dialled within a country: how many digits, and how they begin.
//!
//! The rules are those of the national numbering plans as libphonenumber has them, down to the kinds of
//! numbers that persons have; service and emergency numbers are nobody's.

use super::super::detect::{is_number, north_american};
use super::digits::alike;

/// A number of the North American plan: ten digits, with or without the 1 in front.
pub(super) fn american(value: &[u8]) -> bool {
    let rest = value.strip_prefix(b"1").filter(|rest| rest.len() == 10).unwrap_or(value);
    north_american(rest) && !alike(rest)
}

/// A number of any country that is known here, or one with `00` and the country's code in front.
pub(super) fn national(value: &[u8]) -> bool {
    const COUNTRIES: [fn(&[u8]) -> bool; 15] = [
        american, indian, chinese, brazilian, indonesian, pakistani, nigerian, russian, japanese,
        mexican, german, french, british, italian, spanish,
    ];
    value.iter().all(u8::is_ascii_digit)
        && value.get(1..).is_some_and(|rest| !alike(rest))
        && (COUNTRIES.iter().any(|country| country(value)) || abroad(value))
}

/// `0049 30 901820`, and the same without the zeros.
fn abroad(value: &[u8]) -> bool {
    match value.strip_prefix(b"00") {
        Some(rest) => is_number(rest, 2),
        None => value.len() >= 11 && is_number(value, 1),
    }
}

/// TRAI: mobile numbers of ten digits from 6 on, and a 0 before the area's code of others.
fn indian(value: &[u8]) -> bool {
    match value {
        [b'6'..=b'9', rest @ ..] => rest.len() == 9,
        [b'0', b'1'..=b'9', rest @ ..] => rest.len() == 9,
        _ => false,
    }
}

/// MIIT: mobile numbers of eleven digits from 13 to 19; 0 and an area's code.
fn chinese(value: &[u8]) -> bool {
    match value {
        [b'1', b'3'..=b'9', rest @ ..] => rest.len() == 9,
        [b'0', b'1', b'0', rest @ ..] | [b'0', b'2', _, rest @ ..] => rest.len() == 8,
        [b'0', b'3'..=b'9', rest @ ..] => matches!(rest.len(), 9 | 10),
        _ => false,
    }
}

/// Anatel: two digits for the area, neither a 0, and nine digits from 9 on or eight from 2 to 5; a 0 may
/// stand in front.
fn brazilian(value: &[u8]) -> bool {
    match value.strip_prefix(b"0").unwrap_or(value) {
        [b'1'..=b'9', b'1'..=b'9', b'9', rest @ ..] => rest.len() == 8,
        [b'1'..=b'9', b'1'..=b'9', b'2'..=b'5', rest @ ..] => rest.len() == 7,
        _ => false,
    }
}

/// Kominfo: 08 and eight to eleven digits for mobile numbers, 0 and an area's code for others.
fn indonesian(value: &[u8]) -> bool {
    match value {
        [b'0', b'8', b'1'..=b'9', rest @ ..] => (7..=10).contains(&rest.len()),
        [b'0', b'2'..=b'7' | b'9', rest @ ..] => (7..=9).contains(&rest.len()),
        _ => false,
    }
}

/// PTA: 03 and nine digits for mobile numbers, 0 and an area's code for others.
fn pakistani(value: &[u8]) -> bool {
    match value {
        [b'0', b'3', rest @ ..] => rest.len() == 9,
        [b'0', b'2' | b'4'..=b'9', rest @ ..] => (8..=9).contains(&rest.len()),
        _ => false,
    }
}

/// NCC: 070 to 091 and eight digits for mobile numbers.
fn nigerian(value: &[u8]) -> bool {
    matches!(value, [b'0', b'7'..=b'9', b'0' | b'1', rest @ ..] if rest.len() == 8)
}

/// Roskomnadzor: 8 (or 7) and ten digits.
fn russian(value: &[u8]) -> bool {
    matches!(value, [b'7' | b'8', b'3' | b'4' | b'6' | b'8' | b'9', rest @ ..] if rest.len() == 9)
}

/// MIC: 0 and nine digits, of mobile and IP numbers ten.
fn japanese(value: &[u8]) -> bool {
    match value {
        [b'0', b'5' | b'7'..=b'9', b'0', rest @ ..] => rest.len() == 8,
        [b'0', b'1'..=b'9', rest @ ..] => rest.len() == 8,
        _ => false,
    }
}

/// IFT: ten digits from 2 on.
fn mexican(value: &[u8]) -> bool {
    matches!(value, [b'2'..=b'9', rest @ ..] if rest.len() == 9)
}

/// BNetzA: 01 and nine or ten digits for mobile numbers, 0 and an area's code for others, of any length up
/// to thirteen.
fn german(value: &[u8]) -> bool {
    match value {
        [b'0', b'1', b'5'..=b'7', rest @ ..] => matches!(rest.len(), 8 | 9),
        [b'0', b'2'..=b'9', rest @ ..] => (5..=10).contains(&rest.len()),
        _ => false,
    }
}

/// ARCEP: 0 and nine digits.
fn french(value: &[u8]) -> bool {
    matches!(value, [b'0', b'1'..=b'9', rest @ ..] if rest.len() == 8)
}

/// Ofcom: 0 and ten digits, nine in some areas.
fn british(value: &[u8]) -> bool {
    match value {
        [b'0', b'7', b'1'..=b'9', rest @ ..] => rest.len() == 8,
        [b'0', b'1' | b'2' | b'3' | b'8', rest @ ..] => matches!(rest.len(), 8 | 9),
        _ => false,
    }
}

/// AGCOM: 3 and eight or nine digits for mobile numbers; others keep the 0 of their area.
fn italian(value: &[u8]) -> bool {
    match value {
        [b'3', rest @ ..] => matches!(rest.len(), 8 | 9),
        [b'0', b'1'..=b'9', rest @ ..] => (5..=9).contains(&rest.len()),
        _ => false,
    }
}

/// CNMC: nine digits from 6 on.
fn spanish(value: &[u8]) -> bool {
    matches!(value, [b'6'..=b'9', rest @ ..] if rest.len() == 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_each_country() {
        // The examples of libphonenumber, fixed and mobile.
        for number in [
            "2015550123",
            "12015550123",
            "07410410123",
            "8123456789",
            "01012345678",
            "13123456789",
            "1123456789",
            "11961234567",
            "0218350123",
            "0812345678",
            "02123456789",
            "03012345678",
            "08021234567",
            "83011234567",
            "89123456789",
            "0312345678",
            "09012345678",
            "2001234567",
            "030123456",
            "015123456789",
            "0123456789",
            "0612345678",
            "01212345678",
            "07400123456",
            "0212345678",
            "3123456789",
            "810123456",
            "612345678",
            "004930901820",
            "4915123456789",
        ] {
            assert!(national(number.as_bytes()), "{number}");
        }
        for number in [
            "",
            "1",
            "112",
            "1763805600",
            "1763805600123",
            "0000000000",
            "9999999999",
            "0012345678",
            "20261122",
            "123456789",
            "415555267x",
            "18005550",
            "00999123456789",
        ] {
            assert!(!national(number.as_bytes()), "{number}");
        }
    }

    #[test]
    fn epoch_seconds_and_days_are_no_numbers() {
        for second in (1_760_000_000_u64..1_820_000_000).step_by(7_919) {
            assert!(!national(second.to_string().as_bytes()), "{second}");
        }
        for day in 20_000_101..20_401_231_u64 {
            assert!(!national(day.to_string().as_bytes()), "{day}");
        }
    }
}
