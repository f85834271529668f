//! JSON's strings and numbers, written and read back: the inner loop of every encoder. Clean runs
//! are found eight bytes at a time and copied whole.

/// Every byte 0x01.
const ONES: u64 = u64::MAX / 255;
/// Every byte 0x80.
const HIGH: u64 = ONES << 7;

/// Appends `text` as the inside of a JSON string (RFC 8259 section 7): quotes, backslashes and
/// control characters escaped, all else as it stands.
pub(crate) fn escape(out: &mut Vec<u8>, text: &str) {
    escape_bytes(out, text.as_bytes());
}

/// [`escape`] for a piece of UTF-8 that may begin or end within a character.
pub(crate) fn escape_bytes(out: &mut Vec<u8>, mut rest: &[u8]) {
    out.reserve(rest.len());
    loop {
        let (clean, dirty) = rest.split_at(clean_prefix(rest));
        out.extend_from_slice(clean);
        let Some((byte, after)) = dirty.split_first() else { return };
        push_escape(out, *byte);
        rest = after;
    }
}

/// Appends `text` as a JSON string with its quotes.
pub(crate) fn quote(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    escape(out, text);
    out.push(b'"');
}

/// Length of the longest prefix that needs no escape.
fn clean_prefix(bytes: &[u8]) -> usize {
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let dirty = dirty_bytes(u64::from_le_bytes(*word));
        if dirty != 0 {
            return index * 8 + dirty.trailing_zeros() as usize / 8;
        }
    }
    let checked = words.len() * 8;
    match bytes.last_chunk::<8>() {
        // Reaches back into what was found clean: a hit can only be in the tail.
        Some(last) if !tail.is_empty() => {
            let dirty = dirty_bytes(u64::from_le_bytes(*last));
            if dirty == 0 {
                bytes.len()
            } else {
                bytes.len() - 8 + dirty.trailing_zeros() as usize / 8
            }
        }
        _ => checked + tail.iter().position(|byte| is_dirty(*byte)).unwrap_or(tail.len()),
    }
}

/// Whether a byte cannot stand in a JSON string as it is.
const fn is_dirty(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The high bit of each dirty byte. The lowest bit set is always right; those above it may be wrong,
/// since the subtractions borrow upwards.
const fn dirty_bytes(word: u64) -> u64 {
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = word ^ (ONES * b'"' as u64);
    let quote = quote.wrapping_sub(ONES) & !quote;
    let backslash = word ^ (ONES * b'\\' as u64);
    let backslash = backslash.wrapping_sub(ONES) & !backslash;
    (control | quote | backslash) & HIGH
}

/// Appends the escape of one dirty byte.
fn push_escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let hex = |digit: u8| if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Appends the text that the inside of a JSON string stands for. What is no escape (a validated
/// string has none such) is copied, and a surrogate without its other half becomes U+FFFD.
pub(crate) fn unescape(out: &mut String, mut inside: &str) {
    while let Some((before, after)) = inside.split_once('\\') {
        out.push_str(before);
        let mut rest = after.chars();
        let plain = match rest.next() {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('u') => {
                let (character, rest) = unescape_unicode(rest.as_str());
                out.push(character);
                inside = rest;
                continue;
            }
            Some(other) => other,
            None => '\\',
        };
        out.push(plain);
        inside = rest.as_str();
    }
    out.push_str(inside);
}

/// Reads what follows `\u`, and a second escape when the first is half of a pair.
fn unescape_unicode(text: &str) -> (char, &str) {
    let Some((unit, rest)) = hex_unit(text) else { return (char::REPLACEMENT_CHARACTER, text) };
    if (0xd800..0xdc00).contains(&unit)
        && let Some((low, after)) = rest.strip_prefix("\\u").and_then(hex_unit)
        && (0xdc00..0xe000).contains(&low)
    {
        let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), after);
    }
    (char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), rest)
}

/// Reads four hexadecimal digits.
fn hex_unit(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some((u32::from_str_radix(digits, 16).ok()?, rest))
}

/// Appends a whole number in decimal.
pub(crate) fn push_u64(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0_u8; 20];
    let mut start = digits.len();
    for place in digits.iter_mut().rev() {
        let digit = (value % 10) as u8;
        *place = b'0' + digit;
        value /= 10;
        start -= 1;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
}

/// Appends a whole number in decimal.
pub(crate) fn push_i64(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    push_u64(out, value.unsigned_abs());
}

/// Appends the shortest number that reads back as `value`; `null` for what JSON cannot write.
pub(crate) fn push_f64(out: &mut Vec<u8>, value: f64) {
    use std::io::Write as _;
    // `{:?}` goes over to exponents for the very large and small, where `{}` writes out 300 zeros.
    let written = if value.is_finite() { write!(out, "{value:?}") } else { write!(out, "null") };
    debug_assert!(written.is_ok(), "a Vec takes every write");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        escape(&mut out, text);
        String::from_utf8(out).expect("UTF-8 in, UTF-8 out")
    }

    fn unescaped(text: &str) -> String {
        let mut out = String::new();
        unescape(&mut out, text);
        out
    }

    #[test]
    fn what_json_cannot_hold_is_escaped() {
        for (input, expect) in [
            ("", ""),
            ("plain", "plain"),
            ("\"", "\\\""),
            ("a\\b", "a\\\\b"),
            ("line\nline\r\n\ttab", "line\\nline\\r\\n\\ttab"),
            ("\u{0}\u{1f}\u{8}\u{c}\u{1b}[31m", "\\u0000\\u001f\\b\\f\\u001b[31m"),
            ("\u{7f}é\u{2028}🦀", "\u{7f}é\u{2028}🦀"),
            ("twelve bytes\"", "twelve bytes\\\""),
            ("eight by\"tes and more", "eight by\\\"tes and more"),
        ] {
            assert_eq!(escaped(input), expect, "{input:?}");
        }
    }

    #[test]
    fn a_dirty_byte_is_found_wherever_it_stands() {
        for length in 0..40 {
            for place in 0..length {
                for dirty in 0..=255_u8 {
                    let mut bytes = vec![b'x'; length];
                    if let Some(byte) = bytes.get_mut(place) {
                        *byte = dirty;
                    }
                    let expect = if is_dirty(dirty) { place } else { length };
                    assert_eq!(clean_prefix(&bytes), expect, "{dirty:#x} at {place} of {length}");
                }
            }
        }
    }

    #[test]
    fn escapes_are_read_back() {
        for (input, expect) in [
            ("\\u0041\\n\\/", "A\n/"),
            ("\\ud83e\\udd80!", "🦀!"),
            ("\\ud83e", "\u{fffd}"),
            ("\\ud83e\\u0041", "\u{fffd}A"),
            ("\\udd80x", "\u{fffd}x"),
            ("\\u12", "\u{fffd}12"),
            ("\\u+123", "\u{fffd}+123"),
            ("end\\", "end\\"),
            ("\\é", "é"),
        ] {
            assert_eq!(unescaped(input), expect, "{input}");
        }
    }

    #[test]
    fn numbers_at_their_edges() {
        for value in [0, 9, 10, -1, i64::MIN, i64::MAX] {
            let mut out = Vec::new();
            push_i64(&mut out, value);
            assert_eq!(String::from_utf8(out).expect("ASCII"), value.to_string());
        }
        for (value, expect) in
            [(0.1, "0.1"), (1.0, "1.0"), (-0.0, "-0.0"), (1e300, "1e300"), (f64::NAN, "null")]
        {
            let mut out = Vec::new();
            push_f64(&mut out, value);
            assert_eq!(String::from_utf8(out).expect("ASCII"), expect);
        }
        let mut out = Vec::new();
        push_u64(&mut out, u64::MAX);
        assert_eq!(out, u64::MAX.to_string().as_bytes());
    }

    proptest! {
        #[test]
        fn serde_json_agrees(text: String) {
            let inside = escaped(&text);
            let json = format!("\"{inside}\"");
            prop_assert_eq!(serde_json::from_str::<String>(&json).expect("valid"), text.clone());
            prop_assert_eq!(unescaped(&inside), text);
        }

        #[test]
        fn no_text_makes_unescape_panic(text in "[\\\\u0-9a-fD89é\"n]{0,24}") {
            unescaped(&text);
        }
    }
}
