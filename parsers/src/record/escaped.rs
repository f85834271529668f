//! Finds the end of a quoted string, and decodes what [`Text::raw_escaped`](super::Text::raw_escaped)
//! stores: the inside of one of JSON's.

/// Where the quote is that ends a string whose inside `bytes` begin with: a backslash takes the byte
/// behind it.
#[inline]
pub(crate) fn closing_quote(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

/// Appends what the inside of a JSON string says. A surrogate without its partner becomes U+FFFD.
pub(crate) fn unescape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(slash) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (plain, escaped) = rest.split_at(slash);
        out.push_str(plain);
        let bytes = escaped.as_bytes();
        let unit = |at: usize| -> Option<u32> {
            let digits = bytes.get(at..at + 6).filter(|found| found.starts_with(b"\\u"))?;
            Some(u32::from(hex(digits.get(2..4)?)?) << 8 | u32::from(hex(digits.get(4..6)?)?))
        };
        let (character, length) = match (bytes.get(1), unit(0)) {
            (_, Some(high @ 0xD800..=0xDBFF)) => match unit(6) {
                Some(low @ 0xDC00..=0xDFFF) => {
                    let code = 0x1_0000 + ((high & 0x3FF) << 10) + (low & 0x3FF);
                    (char::from_u32(code), 12)
                }
                _ => (None, 6),
            },
            (_, Some(code)) => (char::from_u32(code), 6),
            (Some(b'n'), _) => (Some('\n'), 2),
            (Some(b'r'), _) => (Some('\r'), 2),
            (Some(b't'), _) => (Some('\t'), 2),
            (Some(b'b'), _) => (Some('\u{8}'), 2),
            (Some(b'f'), _) => (Some('\u{c}'), 2),
            (Some(byte), _) if byte.is_ascii() => (Some(char::from(*byte)), 2),
            _ => (Some('\\'), 1),
        };
        out.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = escaped.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// The value of two hex digits.
fn hex(digits: &[u8]) -> Option<u8> {
    digits.iter().try_fold(0_u8, |value, digit| {
        let digit = u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
        Some(value << 4 | digit)
    })
}
