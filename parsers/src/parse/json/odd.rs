//! Where a value ends that is not looked into: one that is refused as JSON, and kept as text.

use crate::parse::Misfit;

/// Finds the end of the value that begins at `start`: by its quotes, its brackets, or what ends a number.
/// As linear as what refused it.
#[cold]
pub(super) fn end(bytes: &[u8], start: usize) -> Result<usize, Misfit> {
    let (mut at, mut open) = (start, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = quote(bytes, at + 1)?,
            b'{' | b'[' => open += 1,
            b'}' | b']' if open > 0 => open -= 1,
            // Of a number at the top.
            b'}' | b']' | b',' | b' ' | b'\t' | b'\n' | b'\r' if open == 0 => return Ok(at),
            0..=0x1f if !byte.is_ascii_whitespace() => return Err(Misfit::Syntax),
            _ => {}
        }
        at += 1;
        if open == 0 && matches!(byte, b'"' | b'}' | b']') {
            return Ok(at);
        }
    }
    if open == 0 { Ok(at) } else { Err(Misfit::Syntax) }
}

/// Where the closing quote of a string is, whose inside begins at `at`.
fn quote(bytes: &[u8], mut at: usize) -> Result<usize, Misfit> {
    loop {
        match bytes.get(at).ok_or(Misfit::Syntax)? {
            b'"' => return Ok(at),
            b'\\' => at += 2,
            0..=0x1f => return Err(Misfit::Syntax),
            _ => at += 1,
        }
    }
}
