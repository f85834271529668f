//! Numbers of the Nordic countries, which begin with a date of birth.

use super::digits::{digits, is_day, number, weighted};
use super::luhn;

/// A Swedish personnummer or samordningsnummer (Folkbokföringslagen § 18): ten digits, or twelve with
/// the century; Luhn over the last ten. Of coordination numbers, 60 is added to the day.
pub(super) fn personnummer(value: &[u8]) -> bool {
    let (century, short) = value.split_at(value.len().saturating_sub(10));
    let Some([y, z, m, n, d, e, ..]) = digits::<10>(short) else { return false };
    let century = match (century, digits::<2>(century)) {
        ([], _) => None,
        (_, Some([a, b])) if matches!(a * 10 + b, 18..=20) => Some(a * 10 + b),
        _ => return false,
    };
    let day = d * 10 + e;
    let day = if day > 60 { day - 60 } else { day };
    let year = century.map(|century| century * 100 + y * 10 + z);
    is_day(year, m * 10 + n, day) && luhn(short)
}

/// A Danish CPR number (CPR-kontoret): a date of birth and four digits. Since 2007 its last digit
/// proves nothing.
pub(super) fn cpr(value: &[u8]) -> bool {
    digits::<10>(value).is_some_and(|value| {
        let [d, e, m, n, _, _, serial @ ..] = value;
        is_day(None, m * 10 + n, d * 10 + e) && number(&serial) != 0
    })
}

/// A Finnish HETU (Digi- ja väestötietovirasto): a date of birth, three digits from 002 on, and a
/// character by the remainder modulo 31. What stands for the century is no part of the sum, and no
/// separator: it comes with the value where it is a letter.
pub(super) fn hetu(value: &[u8]) -> bool {
    let (date, rest) = value.split_at_checked(6).unwrap_or_default();
    let rest = match rest {
        [b'A'..=b'F' | b'U'..=b'Y', rest @ ..] if rest.len() == 4 => rest,
        rest => rest,
    };
    let [serial @ .., last] = rest else { return false };
    let (Some(date), Some(serial)) = (digits::<6>(date), digits::<3>(serial)) else { return false };
    let [d, e, m, n, ..] = date;
    let whole = u64::from(number(&date)) * 1000 + u64::from(number(&serial));
    is_day(None, m * 10 + n, d * 10 + e)
        && number(&serial) >= 2
        && b"0123456789ABCDEFHJKLMNPRSTUVWXY".get((whole % 31) as usize) == Some(last)
}

/// A Norwegian fødselsnummer or D-number (Skatteetaten): a date of birth, of D-numbers with 40 added to
/// the day, and two check digits modulo 11.
pub(super) fn fodselsnummer(value: &[u8]) -> bool {
    digits::<11>(value).is_some_and(|value| {
        let [d, e, m, n, ..] = value;
        let day = d * 10 + e;
        let day = if day > 40 { day - 40 } else { day };
        is_day(None, m * 10 + n, day)
            && weighted(&value, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
            && weighted(&value, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
    })
}
