//! Numbers of Australia and South Africa.

use super::digits::{alike, digits, is_day, weighted};
use super::luhn;

/// An Australian tax file number (ATO): nine digits, or eight of older ones, modulo 11.
pub(super) fn tfn(value: &[u8]) -> bool {
    let nine = || digits::<9>(value).map(|value| weighted(&value, &[1, 4, 3, 7, 5, 8, 6, 9, 10]));
    let eight = || digits::<8>(value).map(|value| weighted(&value, &[10, 7, 8, 4, 6, 3, 5, 1]));
    !alike(value) && nine().or_else(eight).is_some_and(|sum| sum.is_multiple_of(11))
}

/// An Australian business number (ABR): one less in the first digit, modulo 89.
pub(super) fn abn(value: &[u8]) -> bool {
    digits::<11>(value).is_some_and(|value| {
        let sum = weighted(&value, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
        value[0] != 0 && !alike(&value) && sum % 89 == 10
    })
}

/// An Australian Medicare number (Services Australia): ten digits, an eleventh for one of the persons on
/// the card; the ninth is a check digit.
pub(super) fn medicare(value: &[u8]) -> bool {
    let (card, person) = value.split_at(value.len().min(10));
    let whole = matches!(person, [] | [b'1'..=b'9']);
    digits::<10>(card).is_some_and(|card| {
        let sum = weighted(&card, &[1, 3, 7, 9, 1, 3, 7, 9]);
        whole && matches!(card[0], 2..=6) && sum % 10 == card[8] && card[9] != 0
    })
}

/// A South African identity number (Department of Home Affairs): date of birth, citizenship, Luhn.
pub(super) fn south_african_id(value: &[u8]) -> bool {
    digits::<13>(value).is_some_and(|digits| {
        let [_, _, m, n, d, e, _, _, _, _, citizen, ..] = digits;
        is_day(None, m * 10 + n, d * 10 + e) && citizen <= 2 && luhn(value)
    })
}
