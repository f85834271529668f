//! Numbers of Asia: India, China, Taiwan, Singapore, Japan, Korea, Thailand and Israel.

use super::digits::{alike, digits, is_day, number, weighted};
use super::iso7064::mod11_2;
use super::luhn;
use super::sums::verhoeff;

/// An Indian Aadhaar number (UIDAI): twelve digits, Verhoeff; none begins with 0 or 1.
pub(super) fn aadhaar(value: &[u8]) -> bool {
    value.len() == 12
        && matches!(value.first(), Some(b'2'..=b'9'))
        && verhoeff(value)
        && !alike(value)
}

/// An Indian PAN (Income Tax Department): five letters, of which the fourth says what kind of taxpayer
/// it is, a number from 0001 on, and a letter whose sum is not public.
pub(super) fn pan(value: &[u8]) -> bool {
    let [a, b, c, kind, name, rest @ .., last] = value else { return false };
    [a, b, c, name, last].iter().all(|byte| byte.is_ascii_uppercase())
        && matches!(kind, b'A' | b'B' | b'C' | b'F' | b'G' | b'H' | b'J' | b'L' | b'P' | b'T')
        && digits::<4>(rest).is_some_and(|rest| number(&rest) != 0)
}

/// A Chinese resident identity number (GB 11643-1999): a province, a date of birth, and an ISO 7064 MOD
/// 11-2.
pub(super) fn resident_id(value: &[u8]) -> bool {
    let Some((front, _)) = value.split_at_checked(17).filter(|(_, last)| last.len() == 1) else {
        return false;
    };
    digits::<17>(front).is_some_and(|digits| {
        let [a, b, _, _, _, _, birth @ .., _, _, _] = digits;
        let [y, z, u, v, m, n, d, e] = birth;
        let year = number(&[y, z, u, v]);
        let province = matches!(
            a * 10 + b,
            11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83
        );
        province
            && (1850..2100).contains(&year)
            && is_day(Some(year), m * 10 + n, d * 10 + e)
            && mod11_2(value)
    })
}

/// A Taiwanese identity or resident number (內政部戶政司): a letter for the place, sex, and a check digit
/// modulo 10.
pub(super) fn taiwanese_id(value: &[u8]) -> bool {
    let Some((letter, rest)) = value.split_first() else { return false };
    let Some(place) = b"ABCDEFGHJKLMNPQRSTUVXYWZIO".iter().position(|known| known == letter) else {
        return false;
    };
    let place = place as u32 + 10;
    digits::<9>(rest).is_some_and(|rest| {
        let sum = place / 10 + place % 10 * 9 + weighted(&rest, &[8, 7, 6, 5, 4, 3, 2, 1, 1]);
        matches!(rest.first(), Some(1 | 2 | 8 | 9)) && sum.is_multiple_of(10)
    })
}

/// A Singaporean NRIC or FIN (Immigration & Checkpoints Authority): a letter for the century and kind, M
/// since 2022, and a check letter modulo 11.
pub(super) fn nric(value: &[u8]) -> bool {
    let [kind, rest @ .., last] = value else { return false };
    let (letters, more) = match kind {
        b'S' => (b"JZIHGFEDCBA", 0),
        b'T' => (b"JZIHGFEDCBA", 4),
        b'F' => (b"XWUTRQPNMLK", 0),
        b'G' => (b"XWUTRQPNMLK", 4),
        b'M' => (b"XWUTRQPNJLK", 3),
        _ => return false,
    };
    digits::<7>(rest).is_some_and(|rest| {
        let sum = weighted(&rest, &[2, 7, 6, 5, 4, 3, 2]) + more;
        !alike(&rest) && letters.get((sum % 11) as usize) == Some(last)
    })
}

/// A Japanese individual number, "My Number" (総務省令 85 of 2014): twelve digits, modulo 11.
pub(super) fn my_number(value: &[u8]) -> bool {
    digits::<12>(value).is_some_and(|value| {
        let [.., last] = value;
        let rest = weighted(&value, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
        let check = if rest < 2 { 0 } else { 11 - rest };
        !alike(&value) && check == last
    })
}

/// A Korean resident registration number (주민등록법): date of birth, century and sex. The last digit is
/// drawn by lot since October 2020, and proves nothing of those born later.
pub(super) fn rrn(value: &[u8]) -> bool {
    digits::<13>(value).is_some_and(|value| {
        let [y, z, m, n, d, e, kind, .., last] = value;
        let year = y * 10
            + z
            + match kind {
                1 | 2 | 5 | 6 => 1900,
                3 | 4 | 7 | 8 => 2000,
                _ => 1800,
            };
        let sum = weighted(&value, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
        let check = (11 - sum % 11) % 10;
        is_day(Some(year), m * 10 + n, d * 10 + e) && (year >= 2020 || check == last)
    })
}

/// A Thai identity number (กรมการปกครอง): thirteen digits, modulo 11.
pub(super) fn thai_id(value: &[u8]) -> bool {
    digits::<13>(value).is_some_and(|value| {
        let [first, .., last] = value;
        let sum = weighted(&value, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
        (1..=8).contains(&first) && !alike(&value) && (11 - sum % 11) % 10 == last
    })
}

/// An Israeli identity number (רשות האוכלוסין): nine digits, Luhn.
pub(super) fn israeli_id(value: &[u8]) -> bool {
    value.len() == 9 && luhn(value) && !alike(value)
}
