//! Numbers of things that lead to a person: telephones and cars.

use super::digits::{alike, digit, digits};
use super::luhn;

/// An IMEI (3GPP TS 23.003): fifteen digits, Luhn, and a reporting body (GSMA TS.06) in front.
pub(super) fn imei(value: &[u8]) -> bool {
    digits::<15>(value).is_some_and(|digits| {
        let [a, b, ..] = digits;
        let body = matches!(a * 10 + b, 1 | 10 | 30..=35 | 44 | 45 | 49..=54 | 86 | 91 | 97..=99);
        body && luhn(value) && !alike(&digits)
    })
}

/// A vehicle identification number (ISO 3779): seventeen characters without I, O and Q, the last four of
/// them digits. Europe asks for no check digit.
pub(super) fn vin(value: &[u8]) -> bool {
    let known = |byte: &u8| {
        byte.is_ascii_digit() || (byte.is_ascii_uppercase() && !matches!(byte, b'I' | b'O' | b'Q'))
    };
    value.len() == 17
        && value.iter().all(known)
        && value.iter().any(u8::is_ascii_uppercase)
        && value.iter().rev().take(4).all(u8::is_ascii_digit)
}

/// One with the check digit that North America and China ask for (49 CFR 565).
pub(super) fn checked_vin(value: &[u8]) -> bool {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let Some(value) = value.first_chunk::<17>().filter(|known| known.len() == value.len()) else {
        return false;
    };
    let mut sum = 0;
    for (byte, weight) in value.iter().zip(WEIGHTS) {
        let worth = match byte {
            b'0'..=b'9' => u32::from(byte - b'0'),
            b'A'..=b'H' => u32::from(byte - b'A') + 1,
            b'J'..=b'N' => u32::from(byte - b'J') + 1,
            b'P' => 7,
            b'R' => 9,
            b'S'..=b'Z' => u32::from(byte - b'S') + 2,
            _ => return false,
        };
        sum += worth * weight;
    }
    let check = match value[8] {
        b'X' => Some(10),
        byte => digit(byte),
    };
    check == Some(sum % 11) && !alike(value)
}
