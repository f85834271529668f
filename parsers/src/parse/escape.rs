//! Backslash escapes as programs write them into quoted text: C's, Go's (`%q`), nginx's, Apache's.

use crate::Arena;

/// Undoes the escapes of a text; `None` where one is unknown or they do not give UTF-8: such text
/// stays as it is written.
pub(super) fn undo<'a>(inside: &str, arena: &'a Arena) -> Option<&'a str> {
    let mut out = bumpalo::collections::Vec::with_capacity_in(inside.len(), arena);
    let mut rest = inside.as_bytes();
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, escape) = rest.split_at(at);
        out.extend_from_slice(before);
        let kind = *escape.get(1)?;
        let len = match kind {
            b'x' => {
                out.push(u8::try_from(hex(escape.get(2..4)?)?).ok()?);
                4
            }
            b'u' | b'U' => {
                let len = if kind == b'u' { 6 } else { 10 };
                let decoded = char::from_u32(hex(escape.get(2..len)?)?)?;
                out.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
                len
            }
            _ => {
                out.push(single(kind)?);
                2
            }
        };
        rest = escape.get(len..)?;
    }
    out.extend_from_slice(rest);
    std::str::from_utf8(out.into_bump_slice()).ok()
}

fn single(kind: u8) -> Option<u8> {
    Some(match kind {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'a' => 7,
        b'b' => 8,
        b'v' => 11,
        b'f' => 12,
        b'"' | b'\\' | b'\'' | b'/' => kind,
        _ => return None,
    })
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, digit| {
        char::from(*digit).to_digit(16).map(|digit| (number << 4) | digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_only_where_they_give_text() {
        let arena = Arena::new();
        for (inside, expect) in [
            (r"a\x22b", Some("a\"b")),
            (r"\xC3\xA9t\xc3\xa9", Some("été")),
            (r#"\"\\\n\a"#, Some("\"\\\n\u{7}")),
            (r"\u00e9\U0001f600", Some("é😀")),
            (r"\xff", None),
            (r"\xg0", None),
            (r"\x4", None),
            (r"\ud800", None),
            (r"\u12é", None),
            (r"\", None),
            (r"\q", None),
        ] {
            assert_eq!(undo(inside, &arena), expect, "{inside}");
        }
    }
}
