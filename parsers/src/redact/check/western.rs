//! Numbers of western and southern Europe: Britain, Ireland, France, Spain, Portugal, Italy, the
//! Netherlands and Belgium.

use super::digits::{alike, digits, is_day, number, weighted};

/// A National Insurance number (HMRC, NIM39110): prefixes that are not used, and a suffix from A to D.
pub(super) fn nino(value: &[u8]) -> bool {
    const NEVER: [&[u8; 2]; 7] = [b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"];
    let [first, second, rest @ .., last] = value else { return false };
    first.is_ascii_uppercase()
        && second.is_ascii_uppercase()
        && !matches!(first, b'D' | b'F' | b'I' | b'Q' | b'U' | b'V')
        && !matches!(second, b'D' | b'F' | b'I' | b'O' | b'Q' | b'U' | b'V')
        && !NEVER.contains(&&[*first, *second])
        && digits::<6>(rest).is_some()
        && matches!(last, b'A'..=b'D')
}

/// An NHS number (NHS Data Model): modulo 11; none begins with 5 or 8.
pub(super) fn nhs(value: &[u8]) -> bool {
    digits::<10>(value).is_some_and(|value| {
        let [first, ..] = value;
        !matches!(first, 5 | 8)
            && !alike(&value)
            && weighted(&value, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
    })
}

/// An Irish PPS number (Department of Social Protection): seven digits and a letter modulo 23; a
/// second letter, which counts nine times, if there is one.
pub(super) fn pps(value: &[u8]) -> bool {
    let Some((body, letters)) = value.split_at_checked(7) else { return false };
    let Some(body) = digits::<7>(body).filter(|body| !alike(body)) else { return false };
    let (check, second) = match letters {
        [check] => (check, 0),
        [check, b'W'] => (check, 0),
        [check, second @ b'A'..=b'I'] => (check, u32::from(second - b'A') + 1),
        _ => return false,
    };
    let sum = (weighted(&body, &[8, 7, 6, 5, 4, 3, 2]) + second * 9) % 23;
    b"WABCDEFGHIJKLMNOPQRSTUV".get(sum as usize) == Some(check)
}

/// A French NIR (INSEE): sex, year and month of birth, département (2A and 2B for Corsica), commune,
/// order, and a key modulo 97.
pub(super) fn nir(value: &[u8]) -> bool {
    let Some(value) = value.first_chunk::<15>().filter(|known| known.len() == value.len()) else {
        return false;
    };
    let mut plain = *value;
    // INSEE: 2A counts as 19, 2B as 18.
    let corsica = match (value[5], value[6]) {
        (b'2', b'A') => Some(*b"19"),
        (b'2', b'B') => Some(*b"18"),
        _ => None,
    };
    [plain[5], plain[6]] = corsica.unwrap_or([value[5], value[6]]);
    digits::<15>(&plain).is_some_and(|digits| {
        let [sex, _, _, m, n, d, e, ..] = digits;
        // Months beyond twelve are of births whose papers say none.
        let month = matches!(m * 10 + n, 1..=12 | 20 | 30..=42 | 50..=99);
        let body = digits.iter().take(13).fold(0_u64, |sum, digit| sum * 10 + u64::from(*digit));
        let [.., key, last] = digits;
        matches!(sex, 1..=4 | 7 | 8)
            && month
            && (d, e) != (0, 0)
            && u64::from(key * 10 + last) == 97 - body % 97
    })
}

/// A Spanish DNI or NIE (Real Decreto 1065/2007): a letter by the remainder modulo 23. X, Y and Z of a
/// NIE count as 0, 1 and 2; K, L and M of other persons' NIF do not count.
pub(super) fn dni(value: &[u8]) -> bool {
    let [first, rest @ .., letter] = value else { return false };
    let lead = match first {
        b'0'..=b'9' => u32::from(first - b'0'),
        b'X' | b'K' | b'L' | b'M' => 0,
        b'Y' => 1,
        b'Z' => 2,
        _ => return false,
    };
    digits::<7>(rest).is_some_and(|rest| {
        let nobody = alike(&rest) && rest.first() == Some(&lead);
        let body = lead * 10_000_000 + number(&rest);
        !nobody && b"TRWAGMYFPDXBNJZSQVHLCKE".get((body % 23) as usize) == Some(letter)
    })
}

/// A Portuguese NIF (Autoridade Tributária): modulo 11; none begins with 0.
pub(super) fn nif(value: &[u8]) -> bool {
    digits::<9>(value).is_some_and(|value| {
        let [first, .., last] = value;
        let rest = weighted(&value, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        let check = if rest < 2 { 0 } else { 11 - rest };
        first != 0 && !alike(&value) && check == last
    })
}

/// An Italian codice fiscale (DM 23 December 1976): six letters of the name, year, month and day of
/// birth, place, and a check letter. Where two persons would share one, digits are written as letters
/// (omocodia).
pub(super) fn codice_fiscale(value: &[u8]) -> bool {
    /// What digits, and letters from `A` on, are worth at places one, three, five …
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let Some(value) = value.first_chunk::<16>().filter(|known| known.len() == value.len()) else {
        return false;
    };
    let mut sum = 0;
    let mut plain = [0; 16];
    for (place, (&byte, to)) in value.iter().zip(&mut plain).enumerate() {
        let counted = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A',
            _ => return false,
        };
        // A digit where the shape has one, also one that omocodia has made a letter.
        let number = match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'L'..=b'N' => Some(byte - b'L'),
            b'P'..=b'V' => Some(byte - b'P' + 3),
            _ => None,
        };
        *to = match place {
            6 | 7 | 9 | 10 | 12 | 13 | 14 => match number {
                Some(number) => u32::from(number),
                None => return false,
            },
            _ if byte.is_ascii_uppercase() => u32::from(counted),
            _ => return false,
        };
        if place < 15 {
            sum += match place % 2 {
                0 => ODD.get(usize::from(counted)).copied().unwrap_or(0),
                _ => u32::from(counted),
            };
        }
    }
    let month = b"ABCDEHLMPRST".iter().position(|letter| *letter == value[8]);
    let day = plain[9] * 10 + plain[10];
    // Of women, 40 is added to the day.
    let day = if day > 40 { day - 40 } else { day };
    let born = month.is_some_and(|month| is_day(None, month as u32 + 1, day));
    born && sum % 26 == plain[15]
}

/// A Dutch BSN (Wet algemene bepalingen burgerservicenummer): the test of eleven.
pub(super) fn bsn(value: &[u8]) -> bool {
    digits::<9>(value).is_some_and(|value| {
        let [rest @ .., last] = value;
        let sum = weighted(&rest, &[9, 8, 7, 6, 5, 4, 3, 2]);
        !alike(&value) && sum % 11 == last
    })
}

/// A Belgian national register number (Koninklijk besluit of 3 April 1984): date of birth, serial, and
/// 97 less the remainder; of those born since 2000 with a 2 in front.
pub(super) fn nrn(value: &[u8]) -> bool {
    digits::<11>(value).is_some_and(|value| {
        let [_, _, m, n, d, e, ..] = value;
        let body = number(value.first_chunk::<9>().unwrap_or(&[0; 9]));
        let [.., k, l] = value;
        let check = |body: u64| u64::from(k * 10 + l) == 97 - body % 97;
        // 20 and 40 more in the month mark a bis number; no month, that the day is not known.
        let (month, day) = ((m * 10 + n) % 20, d * 10 + e);
        let dated = m * 10 + n < 53 && day <= 31 && (month == 0 || is_day(None, month, day));
        dated && (check(u64::from(body)) || check(2_000_000_000 + u64::from(body)))
    })
}
