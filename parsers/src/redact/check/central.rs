//! Numbers of central and eastern Europe: Germany, Austria, Switzerland, Poland, the Czech Republic,
//! Slovakia, Romania and Turkey.

use super::digits::{alike, digit, digits, is_day, number, weighted};
use super::iso7064::mod11_10;

/// A German tax identification number (§ 139b AO; Bundeszentralamt für Steuern): of its first ten
/// digits one stands there twice or three times, the others once at most; the last is an ISO 7064 MOD
/// 11,10.
pub(super) fn tax_id(value: &[u8]) -> bool {
    digits::<11>(value).is_some_and(|value| {
        let [front @ .., _] = value;
        let mut counts = [0_u8; 10];
        for digit in front {
            if let Some(count) = counts.get_mut(digit as usize) {
                *count += 1;
            }
        }
        let more = counts.iter().filter(|count| **count > 1).count();
        let most = counts.iter().max().copied().unwrap_or(0);
        value[0] != 0 && more == 1 && most <= 3 && mod11_10(&value)
    })
}

/// The number of a German identity card, passport or residence permit with its check digit (ICAO 9303,
/// weights 7, 3, 1): nine characters of digits and consonants, the first a letter.
pub(super) fn id_card(value: &[u8]) -> bool {
    let Some(value) = value.first_chunk::<10>().filter(|known| known.len() == value.len()) else {
        return false;
    };
    let mut sum = 0;
    for (&byte, weight) in value.iter().zip([7, 3, 1, 7, 3, 1, 7, 3, 1, 0]) {
        let worth = match byte {
            b'0'..=b'9' => u32::from(byte - b'0'),
            b'C' | b'F' | b'G' | b'H' | b'J'..=b'N' | b'P' | b'R' | b'T' | b'V'..=b'Z' => {
                u32::from(byte - b'A') + 10
            }
            _ => return false,
        };
        sum += worth * weight;
    }
    value[0].is_ascii_uppercase() && digit(value[9]) == Some(sum % 10)
}

/// An Austrian social insurance number (ASVG § 31): a serial of three digits, a check digit modulo 11,
/// and the date of birth; months beyond twelve where a date had no number left.
pub(super) fn svnr(value: &[u8]) -> bool {
    digits::<10>(value).is_some_and(|value| {
        let [first, _, _, check, d, e, m, n, ..] = value;
        let (month, day) = (m * 10 + n, d * 10 + e);
        first != 0
            && (is_day(None, month, day) || (matches!(month, 13..=15) && (1..=31).contains(&day)))
            && weighted(&value, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == check
    })
}

/// A Swiss AHV number (AHVG art. 50c): 756 for the country, and an EAN-13 check digit.
pub(super) fn ahv(value: &[u8]) -> bool {
    digits::<13>(value).is_some_and(|value| {
        let sum = weighted(&value, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]);
        value.starts_with(&[7, 5, 6]) && sum.is_multiple_of(10)
    })
}

/// A Polish PESEL (ustawa o ewidencji ludności): date of birth with the century in its month, and a
/// check digit with weights 1, 3, 7, 9.
pub(super) fn pesel(value: &[u8]) -> bool {
    digits::<11>(value).is_some_and(|value| {
        let [y, z, m, n, d, e, ..] = value;
        let month = m * 10 + n;
        let Some(century) = [1900, 2000, 2100, 2200, 1800].get((month / 20) as usize) else {
            return false;
        };
        is_day(Some(century + y * 10 + z), month % 20, d * 10 + e)
            && weighted(&value, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
    })
}

/// A Czech or Slovak rodné číslo of ten digits (zákon 133/2000): date of birth, of women with 50 added
/// to the month, of some with 20 more; a multiple of eleven, or ten and then 0.
pub(super) fn rodne_cislo(value: &[u8]) -> bool {
    digits::<10>(value).is_some_and(|value| {
        let [y, z, m, n, d, e, ..] = value;
        let [front @ .., last] = value;
        let year = y * 10 + z + if y * 10 + z < 54 { 2000 } else { 1900 };
        let month = (m * 10 + n) % 50;
        let month = if month > 20 { month - 20 } else { month };
        let rest = number(&front) % 11;
        is_day(Some(year), month, d * 10 + e) && m * 10 + n < 83 && rest % 10 == last
    })
}

/// A Romanian CNP (Legea 105/1996): sex and century, date of birth, county, and a check digit modulo
/// 11.
pub(super) fn cnp(value: &[u8]) -> bool {
    digits::<13>(value).is_some_and(|value| {
        let [sex, y, z, m, n, d, e, c, b, .., last] = value;
        let year = match sex {
            1 | 2 => Some(1900 + y * 10 + z),
            3 | 4 => Some(1800 + y * 10 + z),
            5 | 6 => Some(2000 + y * 10 + z),
            7..=9 => None,
            _ => return false,
        };
        let county = matches!(c * 10 + b, 1..=48 | 51 | 52 | 70 | 80..=83);
        let sum = weighted(&value, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
        let check = if sum == 10 { 1 } else { sum };
        county && is_day(year, m * 10 + n, d * 10 + e) && check == last
    })
}

/// A Turkish identity number (Nüfus ve Vatandaşlık İşleri): two check digits modulo 10.
pub(super) fn tckn(value: &[u8]) -> bool {
    digits::<11>(value).is_some_and(|value| {
        let odd = weighted(&value, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
        let even = weighted(&value, &[0, 1, 0, 1, 0, 1, 0, 1, 0]);
        let [first, .., tenth, last] = value;
        first != 0
            && !alike(&value)
            && (odd * 7 + 10 * 9 - even) % 10 == tenth
            && (odd + even + tenth) % 10 == last
    })
}
