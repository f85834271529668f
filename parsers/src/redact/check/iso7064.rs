//! The check characters of ISO/IEC 7064: systems 97-10, 11-2 and 11,10.

/// MOD 97-10 with the first four characters moved to the end, as IBANs have it (ISO 13616).
pub(in super::super) fn mod97(value: &[u8]) -> bool {
    let Some((front, rest)) = value.split_at_checked(4) else { return false };
    let mut remainder = 0_u32;
    for byte in rest.iter().chain(front) {
        remainder = match byte {
            b'0'..=b'9' => remainder * 10 + u32::from(byte - b'0'),
            b'A'..=b'Z' => remainder * 100 + u32::from(byte - b'A') + 10,
            _ => return false,
        } % 97;
    }
    remainder == 1
}

/// MOD 11-2: digits, and a last one that may be `X`.
pub(super) fn mod11_2(value: &[u8]) -> bool {
    let Some((last, rest)) = value.split_last() else { return false };
    let mut sum = 0_u32;
    for byte in rest {
        if !byte.is_ascii_digit() {
            return false;
        }
        sum = (sum + u32::from(byte - b'0')) * 2 % 11;
    }
    match last {
        b'X' => (sum + 10) % 11 == 1,
        b'0'..=b'9' => (sum + u32::from(last - b'0')) % 11 == 1,
        _ => false,
    }
}

/// MOD 11,10, the hybrid system: digits.
pub(super) fn mod11_10(digits: &[u32]) -> bool {
    let Some((last, rest)) = digits.split_last() else { return false };
    let product = rest.iter().fold(10, |product, digit| {
        let sum = (product + digit) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (product + last) % 10 == 1
}
