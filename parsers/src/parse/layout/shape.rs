//! What texts of a layout look like.

use crate::parse::Misfit;

/// Bytes of a UUID.
pub(super) const UUID: usize = 36;

/// Places at which a request line may end that are looked at: its target may hold what ends it.
const ENDS: usize = 8;

/// Whether [`UUID`] bytes are one.
pub(super) fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

/// Whether a word names a class in its package, or a logger: `kafka.log.Log$`.
pub(super) fn is_class(word: &str) -> bool {
    word.starts_with(|first: char| first.is_alphabetic()) && word.contains('.')
}

/// How long text is that stands before pairs, on one line: up to the blank before the first word with an
/// equals sign in it.
pub(super) fn head(bytes: &[u8]) -> Option<usize> {
    let sign = memchr::memchr2(b'=', b'\n', bytes)?;
    if bytes.get(sign) != Some(&b'=') {
        return None;
    }
    memchr::memrchr(b' ', bytes.get(..sign)?)
}

/// How long words are that stand in a list: `, ` and ` : ` go between them, a blank ends it.
pub(super) fn list(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(word) = memchr::memchr(b' ', bytes.get(at..).unwrap_or_default()) {
        let blank = at + word;
        let rest = bytes.get(blank..).unwrap_or_default();
        at = match bytes.get(..blank).and_then(<[u8]>::last) {
            Some(b',') => blank + 1,
            _ if rest.starts_with(b" : ") => blank + 3,
            _ => return blank,
        };
    }
    bytes.len()
}

/// How long a request line is: up to the first end behind a protocol. What has no protocol ends at the
/// first end. `find` gives the next end.
pub(super) fn request(
    bytes: &[u8],
    find: impl Fn(&[u8]) -> Option<usize>,
) -> Result<usize, Misfit> {
    let first = find(bytes).ok_or(Misfit::Syntax)?;
    let mut len = first;
    for _ in 0..ENDS {
        let line = bytes.get(..len).unwrap_or_default();
        match memchr::memrchr(b' ', line) {
            None => return Ok(len),
            Some(at) if line.get(at + 1..).is_some_and(|last| last.starts_with(b"HTTP/")) => {
                return Ok(len);
            }
            Some(_) => {}
        }
        match find(bytes.get(len + 1..).unwrap_or_default()) {
            Some(next) => len += 1 + next,
            None => break,
        }
    }
    Ok(first)
}
