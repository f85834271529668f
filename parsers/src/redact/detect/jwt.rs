//! JSON Web Tokens: three base64url parts, the first of which decodes to JSON that names an `alg`.

use std::ops::Range;

use super::{View, is_word};

/// Bytes of a header that are decoded, at most.
pub(in super::super) const LONGEST_HEADER: usize = 1024;

/// A token that begins at `at` (with `eyJ`). Its signature may be missing, as where a line was cut.
pub(in super::super) fn jwt(view: View<'_>, at: usize) -> Option<Range<usize>> {
    if !view.has(at, b"eyJ") || view.at(at + 2) != b'J' {
        return None;
    }
    let part = |from: usize| view.run(from, usize::MAX, |byte| is_word(byte) || byte == b'-');
    let header_end = view.run(at, LONGEST_HEADER, |byte| is_word(byte) || byte == b'-');
    if view.at(header_end) != b'.' {
        return None;
    }
    if !names_algorithm(view.bytes.get(at..header_end)?) {
        return None;
    }
    // JWS has three parts, JWE five.
    let mut end = header_end;
    for _ in 0..4 {
        if view.at(end) != b'.' {
            break;
        }
        end = part(end + 1);
    }
    Some(at..end)
}

/// Whether base64url text decodes to something with `"alg"` in it.
fn names_algorithm(header: &[u8]) -> bool {
    let mut seen = [0_u8; 5];
    let mut bits = 0_u32;
    let mut held = 0;
    for byte in header {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            _ => 63,
        };
        bits = (bits << 6) | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            seen.rotate_left(1);
            seen[4] = (bits >> held) as u8;
            if &seen == b"\"alg\"" {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::tests::value;
    use super::*;

    #[test]
    fn all_parts_are_found() {
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w";
        assert_eq!(jwt(value(token), 0), Some(0..token.len()));
        assert_eq!(jwt(value("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."), 0), Some(0..36));
        assert_eq!(jwt(value("eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJ"), 0), Some(0..40));
    }

    #[test]
    fn other_base64_is_left() {
        for text in
            ["eyJmb28iOiJiYXIifQ.eyJhIjoxfQ.x", "eyJhbGciOiJIUzI1NiJ9", "EYJhbGciOiJub25lIn0.a."]
        {
            assert_eq!(jwt(value(text), 0), None, "{text}");
        }
    }
}
