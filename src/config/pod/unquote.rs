//! Undoes what Go's `strconv.Quote` does: the form that the kubelet writes labels and annotations in.

/// The text within the quotes; `None` where it is not so quoted.
pub(super) fn unquote(quoted: &str) -> Option<String> {
    let inside = quoted.trim_end().strip_prefix('"')?.strip_suffix('"')?;
    let mut out = Vec::with_capacity(inside.len());
    let mut letters = inside.chars();
    while let Some(letter) = letters.next() {
        if letter == '"' {
            return None;
        }
        let plain = match letter {
            '\\' => match letters.next()? {
                'a' => '\u{7}',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\u{b}',
                same @ ('\\' | '"' | '\'') => same,
                'x' => {
                    // A byte of what is not UTF-8.
                    out.push(u8::try_from(hex(&mut letters, 2)?).ok()?);
                    continue;
                }
                'u' => char::from_u32(hex(&mut letters, 4)?)?,
                'U' => char::from_u32(hex(&mut letters, 8)?)?,
                _ => return None,
            },
            other => other,
        };
        out.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

/// The number of so many hex digits.
fn hex(letters: &mut std::str::Chars<'_>, digits: usize) -> Option<u32> {
    (0..digits).try_fold(0_u32, |number, _| Some(number << 4 | letters.next()?.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::unquote;

    #[test]
    fn go_quotes_are_undone() {
        for (quoted, expect) in [
            (r#""shop""#, Some("shop")),
            (r#""""#, Some("")),
            (r#""a\"b\\c\n\t\v\a""#, Some("a\"b\\c\n\t\u{b}\u{7}")),
            (r#""é\u00e9\U0001f600\x41""#, Some("éé😀A")),
            (r#""\xff""#, Some("\u{fffd}")),
            (r#""\ufffd""#, Some("\u{fffd}")),
            (r#"shop"#, None),
            (r#""shop"#, None),
            (r#""a"b""#, None),
            (r#""\q""#, None),
            (r#""\x4""#, None),
            (r#""\"#, None),
            (r#"""#, None),
        ] {
            assert_eq!(unquote(quoted).as_deref(), expect, "{quoted}");
        }
    }
}
