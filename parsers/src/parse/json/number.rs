//! JSON numbers: finding the end of one while validating it.

use crate::parse::Misfit;

/// Bytes a number may have: servers read longer ones wrongly or not at all.
const MAX_LEN: usize = 64;

/// Finds the end of the number that begins at `at`.
#[inline]
pub(super) fn end(bytes: &[u8], start: usize) -> Result<usize, Misfit> {
    let mut at = start;
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = match bytes.get(at) {
        Some(b'0') => at + 1,
        Some(b'1'..=b'9') => digits(bytes, at + 1),
        _ => return Err(Misfit::Syntax),
    };
    if bytes.get(at) == Some(&b'.') {
        at = some_digits(bytes, at + 1)?;
    }
    let mut scaled = false;
    if let Some(b'e' | b'E') = bytes.get(at) {
        scaled = true;
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = some_digits(bytes, at)?;
    }
    if at - start > MAX_LEN || (scaled && !is_finite(bytes.get(start..at))) {
        return Err(Misfit::Number);
    }
    Ok(at)
}

/// Where digits end, looked at eight at a time.
#[inline]
fn digits(bytes: &[u8], mut at: usize) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*word) ^ (LOW * b'0' as u64);
        // Marks what is more than nine; the lowest mark is exact.
        let others = (word.wrapping_add(LOW * 0x76) | word) & HIGH;
        if others != 0 {
            return at + (others.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(b'0'..=b'9') = bytes.get(at) {
        at += 1;
    }
    at
}

fn some_digits(bytes: &[u8], at: usize) -> Result<usize, Misfit> {
    let end = digits(bytes, at);
    if end == at { Err(Misfit::Syntax) } else { Ok(end) }
}

/// Whether a 64-bit float holds the number. Without an exponent, 64 bytes cannot be too much.
fn is_finite(number: Option<&[u8]>) -> bool {
    number
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .and_then(|text| text.parse::<f64>().ok())
        .is_some_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_end_at_the_first_byte_that_is_none() {
        let number = "90123456789012345678";
        for len in 0..=number.len() {
            let number = number.get(..len).unwrap_or_default();
            assert_eq!(digits(number.as_bytes(), 0), len);
            for next in ["/", ":", ".", " ", "\u{80}", "é", "\0", "\u{7f}", "p", "y"] {
                let text = format!("{number}{next}17,0:1é234567890");
                assert_eq!(digits(text.as_bytes(), 0), len, "{text:?}");
            }
        }
    }
}
