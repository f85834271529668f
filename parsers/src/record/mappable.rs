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
    if bytes.first().is_some_and(|first| *first > b' ') && !bytes.contains(&b'.') {
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

#[cfg(test)]
mod tests {
    use super::*;

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
