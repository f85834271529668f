//! Numbers of the United States and Canada.

use super::digits::{alike, digit, digits, number, weighted};
use super::luhn;

/// A social security number (SSA, randomised since 2011): areas 000, 666 and 900 on, group 00 and
/// serial 0000 are given to nobody.
pub(super) fn ssn(value: &[u8]) -> bool {
    digits::<9>(value).is_some_and(|number_of| {
        let [a, b, c, d, e, rest @ ..] = number_of;
        let issued = !matches!(number(&[a, b, c]), 0 | 666 | 900..);
        issued && (d, e) != (0, 0) && number(&rest) != 0 && !alike(&number_of)
    })
}

/// An individual taxpayer identification number (IRS, publication 1915): `9`, and groups 50-65,
/// 70-88, 90-92 and 94-99.
pub(super) fn itin(value: &[u8]) -> bool {
    digits::<9>(value).is_some_and(|value| {
        let [first, _, _, d, e, ..] = value;
        first == 9 && matches!(d * 10 + e, 50..=65 | 70..=88 | 90..=92 | 94..=99) && !alike(&value)
    })
}

/// An employer identification number: a prefix that the IRS gives out.
pub(super) fn ein(value: &[u8]) -> bool {
    digits::<9>(value).is_some_and(|value| {
        let [a, b, ..] = value;
        let never = matches!(
            a * 10 + b,
            0 | 7 | 8 | 9 | 17 | 18 | 19 | 28 | 29 | 49 | 69 | 70 | 78 | 79 | 89 | 96 | 97
        );
        !never && !alike(&value)
    })
}

/// A bank's routing number (American Bankers Association): weights 3, 7, 1, and the ranges of the
/// Federal Reserve's districts.
pub(super) fn aba(value: &[u8]) -> bool {
    digits::<9>(value).is_some_and(|value| {
        let [a, b, ..] = value;
        matches!(a * 10 + b, 1..=12 | 21..=32 | 61..=72 | 80)
            && weighted(&value, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
    })
}

/// A national provider identifier (CMS): Luhn with the prefix 80840.
pub(super) fn npi(value: &[u8]) -> bool {
    let mut whole = *b"80840----------";
    let Some(rest) = whole.last_chunk_mut::<10>() else { return false };
    let Some(known) = value.first_chunk::<10>().filter(|known| known.len() == value.len()) else {
        return false;
    };
    *rest = *known;
    matches!(value.first(), Some(b'1' | b'2')) && luhn(&whole)
}

/// A Medicare beneficiary identifier (CMS, since 2018): eleven characters of fixed kinds; S, L, O,
/// I, B and Z are not used.
pub(super) fn mbi(value: &[u8]) -> bool {
    let letter = |byte: u8| {
        byte.is_ascii_uppercase() && !matches!(byte, b'S' | b'L' | b'O' | b'I' | b'B' | b'Z')
    };
    value.len() == 11
        && value.iter().enumerate().all(|(place, &byte)| match place {
            0 => matches!(byte, b'1'..=b'9'),
            1 | 4 | 7 | 8 => letter(byte),
            2 | 5 => letter(byte) || byte.is_ascii_digit(),
            _ => digit(byte).is_some(),
        })
}

/// A Canadian social insurance number: Luhn; none begins with 0 or 8.
pub(super) fn sin(value: &[u8]) -> bool {
    value.len() == 9 && !matches!(value.first(), Some(b'0' | b'8')) && luhn(value) && !alike(value)
}
