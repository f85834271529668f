//! Undoes one level of escapes, and remembers where each byte came from, so that what is found in
//! the decoded text can be taken out of the original.

/// Decodes `\uXXXX`, `\xXX`, JSON's short escapes, `%XX` and HTML's `&#64;` and `&#x40;`. Byte *i* of `out` comes from
/// `from[i]` of `text`; `from` has one more entry, for the end. Returns whether anything changed.
pub(super) fn decode(text: &str, out: &mut String, from: &mut Vec<u32>) -> bool {
    out.clear();
    from.clear();
    let bytes = text.as_bytes();
    let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let mut changed = false;
    let mut copied = 0;
    let mut at = 0;
    let special =
        |from: usize| Some(from + memchr::memchr3(b'\\', b'%', b'&', bytes.get(from..)?)?);
    while let Some(start) = special(at) {
        let Some((character, next)) = escape(bytes, start) else {
            at = start + 1;
            continue;
        };
        changed = true;
        out.push_str(text.get(copied..start).unwrap_or_default());
        from.extend(place(copied)..place(start));
        out.push(character);
        from.resize(out.len(), place(start));
        (copied, at) = (next, next);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    from.extend(place(copied)..=place(bytes.len()));
    changed
}

/// The character an escape at `at` stands for, and where the escape ends.
fn escape(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let digits = |from: usize, count: usize| bytes.get(from..from + count);
    match bytes.get(at)? {
        // Only ASCII: other bytes would be parts of characters, and no detector looks for them.
        b'%' => {
            let byte = hex(digits(at + 1, 2)?).filter(u8::is_ascii)?;
            Some((char::from(byte), at + 3))
        }
        b'&' => entity(bytes, at).map(|(byte, end)| (char::from(byte), end)),
        b'\\' => match bytes.get(at + 1)? {
            b'u' => {
                let high = hex(digits(at + 2, 2)?)?;
                let low = hex(digits(at + 4, 2)?)?;
                let code = u32::from(high) << 8 | u32::from(low);
                Some((char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), at + 6))
            }
            b'x' => {
                let byte = hex(digits(at + 2, 2)?).filter(u8::is_ascii)?;
                Some((char::from(byte), at + 4))
            }
            b'n' => Some(('\n', at + 2)),
            b'r' => Some(('\r', at + 2)),
            b't' => Some(('\t', at + 2)),
            byte @ (b'"' | b'/' | b'\\' | b'\'') => Some((char::from(*byte), at + 2)),
            _ => None,
        },
        _ => None,
    }
}

/// The ASCII character that HTML's `&#64;` or `&#x40;` at a place stands for, and where that ends.
pub(super) fn entity(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    /// Digits that are looked at: zeros may stand before the two or three that count.
    const DIGITS: usize = 8;
    let rest = bytes.get(at..)?.strip_prefix(b"&#")?;
    let (radix, rest) = match rest.split_first() {
        Some((b'x' | b'X', rest)) => (16, rest),
        _ => (10, rest),
    };
    let digits = rest.iter().take(DIGITS).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (digits, after) = rest.split_at(digits);
    let code = u8::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?;
    let end = bytes.len() - after.strip_prefix(b";")?.len();
    code.is_ascii().then_some((code, end))
}

/// The value of one or two hex digits.
pub(super) fn hex(digits: &[u8]) -> Option<u8> {
    digits.iter().try_fold(0_u8, |value, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(value << 4 | digit as u8)
    })
}

/// Appends text as the inside of a JSON string.
pub(super) fn escape_json(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                out.push_str("\\u00");
                for digit in [control as u32 >> 4, control as u32 & 0xf] {
                    out.extend(char::from_digit(digit, 16));
                }
            }
            character => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::unescape;

    #[test]
    fn decoded_bytes_know_where_they_came_from() {
        let (mut out, mut from) = (String::new(), Vec::new());
        assert!(decode("a%40b\\u0040\\x2e\\/é%zz", &mut out, &mut from));
        assert_eq!(out, "a@b@./é%zz");
        assert_eq!(from, [0, 1, 4, 5, 11, 15, 17, 18, 19, 20, 21, 22]);
        assert!(!decode("100% \\d &#; &#x; &#64 &#233; &amp; #64;", &mut out, &mut from));
        assert!(decode("b&#111;b&#x40;c&#0046;d", &mut out, &mut from));
        assert_eq!(out, "bob@c.d");
        assert_eq!(from, [0, 1, 7, 8, 14, 15, 22, 23]);
    }

    #[test]
    fn json_strings_decode_as_serde_decodes_them() {
        for inside in [r"a\u0040b", r"\ud83d\ude00", r#"\"\\\/\b\f\n\r\t"#, "é", r"\u00e9\u0000"] {
            let mut out = String::new();
            unescape(inside, &mut out);
            let expect: String = serde_json::from_str(&format!("\"{inside}\"")).unwrap();
            assert_eq!(out, expect);
            let mut again = String::new();
            escape_json(&out, &mut again);
            assert_eq!(serde_json::from_str::<String>(&format!("\"{again}\"")).unwrap(), expect);
        }
        for odd in [r"\ud83d", r"\ud83dx", r"\udc00", "\\"] {
            let mut out = String::new();
            unescape(odd, &mut out);
        }
    }
}
