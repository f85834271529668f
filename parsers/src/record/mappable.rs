//! What JSON may hold and Elasticsearch's dynamic mapping has no place for. It refuses a whole document
//! for one of these.

/// Whether a JSON number is whole and fits 64 bits with a sign.
#[must_use]
pub fn is_long(number: &str) -> bool {
    // Up to 18 digits always fit.
    let short = number.len() <= 18 && number.bytes().all(|byte| byte.is_ascii_digit());
    short || number.parse::<i64>().is_ok()
}

/// Whether there is a type for a JSON number: `long`, or `float`, which has no infinity.
#[must_use]
pub fn is_mappable(number: &str) -> bool {
    let scaled = number.bytes().any(|byte| matches!(byte, b'e' | b'E'));
    // Up to 18 bytes without an exponent always fit.
    number.len() <= 18 && !scaled
        || is_long(number)
        || (scaled || number.contains('.'))
            && number.parse::<f32>().is_ok_and(|float| float.is_finite())
}

/// Whether a key names a field: neither it nor a part of it between dots is blank.
#[must_use]
pub fn is_field_name(key: &str) -> bool {
    let bytes = key.as_bytes();
    // Nearly all.
    if bytes.first().is_some_and(|first| *first > b' ') && !has_dot(bytes) {
        return true;
    }
    let mut blank = true;
    for byte in bytes {
        if *byte == b'.' && std::mem::replace(&mut blank, true) {
            return false;
        }
        blank &= matches!(byte, b'.' | b' ' | b'\t'..=b'\r');
    }
    !blank
}

/// Whether a dot is among some bytes: they are mostly few, and looked at all at once.
#[inline]
fn has_dot(bytes: &[u8]) -> bool {
    const LOW: u64 = u64::MAX / 255;
    const HIGH: u64 = LOW << 7;
    let any = |word: u64| {
        let other = word ^ (LOW * b'.' as u64);
        other.wrapping_sub(LOW) & !other & HIGH != 0
    };
    match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(head), Some(tail)) if bytes.len() <= 16 => {
            any(u64::from_le_bytes(*head)) || any(u64::from_le_bytes(*tail))
        }
        (None, None) => match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            (Some(head), Some(tail)) => {
                let (head, tail) = (u32::from_le_bytes(*head), u32::from_le_bytes(*tail));
                any(u64::from(head) << 32 | u64::from(tail))
            }
            _ => bytes.contains(&b'.'),
        },
        _ => bytes.contains(&b'.'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_is_seen_wherever_it_is() {
        for len in 0..24 {
            let text = "/a-\u{ae}\u{2e2e}_".repeat(4);
            let bytes = text.as_bytes()[..len].to_vec();
            assert_eq!(has_dot(&bytes), bytes.contains(&b'.'));
            for at in 0..len {
                let mut bytes = bytes.clone();
                bytes[at] = b'.';
                assert!(has_dot(&bytes), "{bytes:?}");
            }
        }
    }

    #[test]
    fn numbers_that_have_no_type() {
        for (number, expect) in [
            ("0", true),
            ("9223372036854775807", true),
            ("9223372036854775808", false),
            ("-9223372036854775808", true),
            ("123456789012345678901234567890", false),
            ("1.5", true),
            ("-1.5e3", true),
            ("99999999999999999.9", true),
            ("1e38", true),
            ("1e39", false),
            ("-1E400", false),
            ("1e-400", true),
        ] {
            assert_eq!(is_mappable(number), expect, "{number}");
        }
    }

    #[test]
    fn keys_that_name_no_field() {
        for key in ["a", "a.b", "a b", " a ", "a. b", "é", "-", "a.b.c"] {
            assert!(is_field_name(key), "{key:?}");
        }
        for key in ["", " ", "\t", ".", "..", "a.", ".a", "a..b", "a. .b", " .a", "a. "] {
            assert!(!is_field_name(key), "{key:?}");
        }
    }
}
