//! Numbers of Latin America: Brazil, Argentina, Chile and Mexico.

use super::digits::{alike, digit, digits, is_day, number, weighted};

/// A Brazilian CPF (Receita Federal): two check digits modulo 11.
pub(super) fn cpf(value: &[u8]) -> bool {
    digits::<11>(value).is_some_and(|value| {
        let [.., first, second] = value;
        let check = |weights: &[u32]| weighted(&value, weights) * 10 % 11 % 10;
        !alike(&value)
            && check(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) == first
            && check(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) == second
    })
}

/// A Brazilian CNPJ: twelve digits or, since July 2026, capitals too (Instrução Normativa RFB
/// 2.229/2024: a character counts as its code less 48), and two check digits modulo 11.
pub(super) fn cnpj(value: &[u8]) -> bool {
    let Some(value) = value.first_chunk::<14>().filter(|known| known.len() == value.len()) else {
        return false;
    };
    let [.., first, second] = *value;
    let plain = value.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let check = |weights: &[u32]| {
        let values = value.map(|byte| u32::from(byte.saturating_sub(b'0')));
        let rest = weighted(&values, weights) % 11;
        if rest < 2 { 0 } else { 11 - rest }
    };
    plain
        && !alike(value)
        && digit(first) == Some(check(&[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]))
        && digit(second) == Some(check(&[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]))
}

/// An Argentine CUIT or CUIL (AFIP): a prefix of persons or firms, and a check digit modulo 11, where
/// 9 stands for ten.
pub(super) fn cuit(value: &[u8]) -> bool {
    digits::<11>(value).is_some_and(|value| {
        let [a, b, .., last] = value;
        let check = match 11 - weighted(&value, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11 {
            11 => 0,
            10 => 9,
            check => check,
        };
        matches!(a * 10 + b, 20 | 23..=27 | 30 | 33 | 34) && !alike(&value) && check == last
    })
}

/// A Chilean RUT or RUN (Servicio de Impuestos Internos): seven or eight digits and a check
/// character modulo 11, where `K` is ten.
pub(super) fn rut(value: &[u8]) -> bool {
    let Some((last, body)) = value.split_last() else { return false };
    if !matches!(body.len(), 7 | 8) || alike(body) {
        return false;
    }
    let mut sum = 0;
    for (byte, weight) in body.iter().rev().zip([2, 3, 4, 5, 6, 7, 2, 3]) {
        let Some(digit) = digit(*byte) else { return false };
        sum += digit * weight;
    }
    match (11 - sum % 11, last) {
        (11, b'0') | (10, b'K') => true,
        (check, last) => check < 10 && digit(*last) == Some(check),
    }
}

/// A Mexican CURP (RENAPO): letters of the name, a date of birth, sex, state, consonants, and a check
/// digit modulo 10.
pub(super) fn curp(value: &[u8]) -> bool {
    const STATES: &[u8] = b"ASBCBSCCCLCMCSCHDFDGGTGRHGJCMCMNMSNTNLOCPLQTQRSPSLSRTCTSTLVZYNZSNE";
    let Some(value) = value.first_chunk::<18>().filter(|known| known.len() == value.len()) else {
        return false;
    };
    let letters = [0, 1, 2, 3, 11, 12, 13, 14, 15]
        .iter()
        .all(|place| value.get(*place).is_some_and(u8::is_ascii_uppercase));
    let Some([y, z, m, n, d, e]) = value.get(4..10).and_then(digits::<6>) else { return false };
    let state = value.get(11..13).unwrap_or_default();
    // `Ñ` stands between `N` and `O` in the alphabet that is counted by.
    let worth = |byte: u8| match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        b'A'..=b'N' => Some(u32::from(byte - b'A') + 10),
        b'O'..=b'Z' => Some(u32::from(byte - b'A') + 11),
        _ => None,
    };
    let mut sum = 0;
    for (byte, weight) in value.iter().zip((2..=18).rev()) {
        let Some(worth) = worth(*byte) else { return false };
        sum += worth * weight;
    }
    let [.., century, last] = *value;
    let year = number(&[y, z]) + if century.is_ascii_digit() { 1900 } else { 2000 };
    letters
        && is_day(Some(year), m * 10 + n, d * 10 + e)
        && matches!(value.get(10), Some(b'H' | b'M' | b'X'))
        && STATES.as_chunks::<2>().0.iter().any(|known| known == state)
        && digit(last) == Some((10 - sum % 10) % 10)
}
