//! Undoes one level of escapes, and remembers where each byte came from, so that what is found in
//! the decoded text can be taken out of the original.

/// Decodes `\uXXXX`, `\xXX`, JSON's short escapes, `%XX`, and of HTML `&#64;`, `&#x40;`, `&quot;`, `&lt;` and accented
/// letters by their names; and makes ASCII of what looks like it. Byte *i* of `out` comes from `from[i]` of `text`;
/// `from` has one more entry, for the end. Returns whether anything changed.
pub(super) fn decode(text: &str, out: &mut String, from: &mut Vec<u32>) -> bool {
    out.clear();
    from.clear();
    let bytes = text.as_bytes();
    let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let mut changed = false;
    let mut copied = 0;
    let mut at = 0;
    let ascii = text.is_ascii();
    let special = |from: usize| {
        let rest = bytes.get(from..)?;
        let found = match ascii {
            true => memchr::memchr3(b'\\', b'%', b'&', rest)?,
            false => rest.iter().position(|byte| is_special(*byte))?,
        };
        Some(from + found)
    };
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

/// Whether an escape, or what looks like ASCII, may begin with a byte.
const fn is_special(byte: u8) -> bool {
    matches!(byte, b'\\' | b'%' | b'&' | 0xC2 | 0xE2 | 0xE3 | 0xEF)
}

/// What a character that looks like one of ASCII may be taken for: blanks that break no line and thin ones, dashes,
/// letters and digits of full width; and where it ends.
pub(super) fn alike(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let end = at + if *bytes.get(at)? == 0xC2 { 2 } else { 3 };
    let character = std::str::from_utf8(bytes.get(at..end)?).ok()?.chars().next()?;
    let plain = match character {
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xFEE0)?,
        _ => return None,
    };
    Some((plain, end))
}

/// The character an escape at `at` stands for, and where the escape ends.
pub(super) fn escape(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    match bytes.get(at)? {
        b'%' => in_bytes(bytes, at, b"%"),
        b'&' => entity(bytes, at).or_else(|| named(bytes, at)),
        0xC2 | 0xE2 | 0xE3 | 0xEF => alike(bytes, at),
        b'\\' => match bytes.get(at + 1)? {
            b'u' => in_units(bytes, at),
            b'x' => in_bytes(bytes, at, b"\\x"),
            b'n' => Some(('\n', at + 2)),
            b'r' => Some(('\r', at + 2)),
            b't' => Some(('\t', at + 2)),
            byte @ (b'"' | b'/' | b'\\' | b'\'') => Some((char::from(*byte), at + 2)),
            _ => None,
        },
        _ => None,
    }
}

/// A character whose bytes are escaped one by one: `%C3%B6`, `\xc3\xb6`. Where they are not UTF-8, the first of them
/// is a character of Latin-1.
fn in_bytes(bytes: &[u8], at: usize, mark: &[u8]) -> Option<(char, usize)> {
    let wide = mark.len() + 2;
    let byte = |index: usize| {
        let from = at + index * wide;
        let digits = bytes.get(from..from + wide)?.strip_prefix(mark)?;
        hex(digits)
    };
    let first = byte(0)?;
    let length = match first {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    };
    let mut whole = [first; 4];
    let whole = whole.get_mut(..length)?;
    let known = whole
        .iter_mut()
        .enumerate()
        .all(|(index, place)| byte(index).map(|byte| *place = byte).is_some());
    let character =
        std::str::from_utf8(whole).ok().filter(|_| known).and_then(|it| it.chars().next());
    Some(match character {
        Some(character) => (character, at + length * wide),
        None => (char::from(first), at + wide),
    })
}

/// The character of `\u00f6`, or of two of those that belong together.
fn in_units(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        let (high, low) = digits.split_at(2);
        Some(u16::from(hex(high)?) << 8 | u16::from(hex(low)?))
    };
    let first = unit(at)?;
    if let (0xD800..=0xDBFF, Some(second)) = (first, unit(at + 6))
        && let Some(Ok(character)) = char::decode_utf16([first, second]).next()
    {
        return Some((character, at + 12));
    }
    let character = char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((character, at + 6))
}

/// The character that HTML's `&#64;` or `&#x40;` at a place stands for, and where that ends.
pub(super) fn entity(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    /// Digits that are looked at: zeros may stand before those that count.
    const DIGITS: usize = 8;
    let rest = bytes.get(at..)?.strip_prefix(b"&#")?;
    let (radix, rest) = match rest.split_first() {
        Some((b'x' | b'X', rest)) => (16, rest),
        _ => (10, rest),
    };
    let digits = rest.iter().take(DIGITS).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (digits, after) = rest.split_at(digits);
    let code = u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?;
    let end = bytes.len() - after.strip_prefix(b";")?.len();
    Some((char::from_u32(code)?, end))
}

/// The same of `&quot;`, `&lt;` and their like, and of letters with accents: of these it is enough to know that they
/// are letters.
fn named(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    const ACCENTS: &[&[u8]] =
        &[b"uml", b"acute", b"grave", b"circ", b"tilde", b"cedil", b"ring", b"slash", b"lig"];
    let rest = bytes.get(at + 1..)?;
    let length = rest.iter().take(7).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (name, after) = rest.split_at(length);
    let end = bytes.len() - after.strip_prefix(b";")?.len();
    let accented = || ACCENTS.iter().any(|accent| name.len() > 1 && name.get(1..) == Some(*accent));
    match name {
        b"quot" => Some(('"', end)),
        b"apos" => Some(('\'', end)),
        b"lt" => Some(('<', end)),
        b"gt" => Some(('>', end)),
        b"amp" => Some(('&', end)),
        b"szlig" => Some(('ß', end)),
        _ if accented() => Some(('é', end)),
        _ => None,
    }
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
        assert!(!decode(
            "100% \\d &#; &#x; &#64 &#x110000; &am; &lt #64; %zz",
            &mut out,
            &mut from
        ));
        assert!(decode("b&#111;b&#x40;c&#0046;d", &mut out, &mut from));
        assert_eq!(out, "bob@c.d");
        assert_eq!(from, [0, 1, 7, 8, 14, 15, 22, 23]);
    }

    #[test]
    fn letters_that_are_not_of_ascii_are_decoded_however_they_are_spelt() {
        let (mut out, mut from) = (String::new(), Vec::new());
        for spelt in [
            "j%C3%B6rg",
            r"j\u00f6rg",
            r"j\xc3\xb6rg",
            r"j\xf6rg",
            "j%F6rg",
            "j&#246;rg",
            "j&#xF6;rg",
        ] {
            assert!(decode(spelt, &mut out, &mut from));
            assert_eq!(out, "jörg");
            let letter = spelt.len() - 3;
            let [second, next] = [1, letter + 1].map(|it| u32::try_from(it).unwrap());
            assert_eq!(from, [0, second, second, next, next + 1, next + 2]);
        }
        for spelt in ["%E4%BE%8B", r"\u4f8b", r"\xe4\xbe\x8b", "&#20363;"] {
            assert!(decode(spelt, &mut out, &mut from));
            assert_eq!(out, "例");
        }
        for spelt in ["%F0%9F%98%80", r"\ud83d\ude00", "&#128512;"] {
            assert!(decode(spelt, &mut out, &mut from));
            assert_eq!(out, "😀");
        }
        for (odd, plain) in
            [("%C3%B", "Ã%B"), ("%C3%41", "ÃA"), (r"\xe4\xbe", "ä¾"), (r"\ud83dx", "\u{fffd}x")]
        {
            assert!(decode(odd, &mut out, &mut from));
            assert_eq!(out, plain);
        }
        assert!(decode("&quot;a&quot; &Uuml; &lt;b&gt; &amp;lt;", &mut out, &mut from));
        assert_eq!(out, "\"a\" é <b> &lt;");
    }

    #[test]
    fn what_looks_like_ascii_is_taken_for_it() {
        let (mut out, mut from) = (String::new(), Vec::new());
        assert!(decode("4\u{a0}1\u{2009}2\u{2011}3\u{2212}５\u{3000}６é例", &mut out, &mut from));
        assert_eq!(out, "4 1 2-3-5 6é例");
        assert_eq!(from, [0, 1, 3, 4, 7, 8, 11, 12, 15, 18, 21, 24, 25, 26, 27, 28, 29]);
        assert!(!decode("é 例 ° … \u{200b} \u{fffd}", &mut out, &mut from));
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
