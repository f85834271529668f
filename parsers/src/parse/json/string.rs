//! JSON strings: finding the end of one while validating it, and decoding one.

use crate::Arena;
use crate::parse::Misfit;

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Marks, by their high bits, the bytes of a word that a string must stop at: `"`, `\` and control
/// characters. The lowest mark is exact; those above it may be off.
#[inline]
fn stops(word: u64) -> u64 {
    // With its second bit turned, a quote is 0x20, and control characters are below that still.
    let quote_or_control = (word ^ (LOW * 0x02)).wrapping_sub(LOW * 0x21);
    let backslash = (word ^ (LOW * b'\\' as u64)).wrapping_sub(LOW);
    (quote_or_control | backslash) & !word & HIGH
}

/// Finds the closing quote of the string whose inside begins at `at`, and says whether the inside has
/// escapes. All that JSON says of strings is checked, and escapes must decode to text: no lone half
/// of a UTF-16 pair.
#[inline]
pub(crate) fn end(bytes: &[u8], at: usize) -> Result<(usize, bool), Misfit> {
    let stop = stop(bytes, at);
    if bytes.get(stop) == Some(&b'"') {
        return Ok((stop, false));
    }
    escaped_end(bytes, stop)
}

/// Where the string goes on with something else than plain text.
#[inline]
fn stop(bytes: &[u8], mut at: usize) -> usize {
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let stops = stops(u64::from_le_bytes(*word));
        if stops != 0 {
            return at + (stops.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'"' | b'\\' | 0..=0x1f) {
            break;
        }
        at += 1;
    }
    at
}

/// As [`end`], from the first stop that is no quote on.
#[cold]
fn escaped_end(bytes: &[u8], mut at: usize) -> Result<(usize, bool), Misfit> {
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok((at, true)),
            Some(b'\\') => at = stop(bytes, escape(bytes, at + 1)?),
            _ => return Err(Misfit::Syntax),
        }
    }
}

/// Checks the escape after the backslash before `at`, and gives where the string goes on.
fn escape(bytes: &[u8], at: usize) -> Result<usize, Misfit> {
    match bytes.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
        Some(b'u') => match unit(bytes, at + 1)? {
            0xD800..=0xDBFF => match bytes.get(at + 5..at + 7) {
                Some(br"\u") if matches!(unit(bytes, at + 7)?, 0xDC00..=0xDFFF) => Ok(at + 11),
                _ => Err(Misfit::LoneSurrogate),
            },
            0xDC00..=0xDFFF => Err(Misfit::LoneSurrogate),
            _ => Ok(at + 5),
        },
        _ => Err(Misfit::Syntax),
    }
}

/// The UTF-16 unit of four hex digits.
fn unit(bytes: &[u8], at: usize) -> Result<u32, Misfit> {
    let digits = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).ok_or(Misfit::Syntax)?;
    digits.iter().try_fold(0, |unit, digit| {
        char::from(*digit).to_digit(16).map(|value| unit * 16 + value).ok_or(Misfit::Syntax)
    })
}

/// Decodes the inside of a validated string; half a UTF-16 pair becomes U+FFFD.
pub(crate) fn decode<'a>(inside: &str, arena: &'a Arena) -> &'a str {
    let mut out = bumpalo::collections::String::with_capacity_in(inside.len(), arena);
    let mut rest = inside;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let (decoded, len) = decode_one(escape);
        out.push(decoded);
        rest = escape.get(len..).unwrap_or_default();
    }
    out.push_str(rest);
    out.into_bump_str()
}

/// The character of the escape that `escape` begins with, and the escape's length.
fn decode_one(escape: &str) -> (char, usize) {
    let bytes = escape.as_bytes();
    let plain = match bytes.get(1) {
        Some(b'u') => {
            let high = unit(bytes, 2).unwrap_or(0xFFFD);
            if !matches!(high, 0xD800..=0xDBFF) {
                return (char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), 6);
            }
            let low = match bytes.get(6..8) {
                Some(br"\u") => unit(bytes, 8).ok().filter(|low| (0xDC00..=0xDFFF).contains(low)),
                _ => None,
            };
            // Half of a pair, where a string is read that servers would refuse.
            let Some(low) = low else { return (char::REPLACEMENT_CHARACTER, 6) };
            let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
            return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
        }
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(other) => char::from(*other),
        None => '\\',
    };
    (plain, 2)
}
