//! Where the text of a field ends: before the first of what may follow it.

use super::is_blank;
use super::syntax::Mark;

/// Where a text ends.
#[derive(Debug)]
pub(super) enum Until {
    /// At the text's end.
    End,
    /// Before an ASCII byte.
    Byte(u8),
    /// Before a blank or a tab.
    Blank,
    /// Before the first of these, or at the end too.
    First { marks: Box<[Box<str>]>, blank: bool, or_end: bool },
}

impl Until {
    pub(super) fn new(marks: &[Mark], or_end: bool) -> Self {
        let one = if let [one] = marks { Some(one) } else { None };
        match one {
            Some(Mark::Blanks) if !or_end => return Self::Blank,
            Some(Mark::Literal(literal)) if !or_end => {
                if let [byte @ 0..=0x7f] = literal.as_bytes() {
                    return Self::Byte(*byte);
                }
            }
            _ => {}
        }
        let literals = marks.iter().filter_map(|mark| match mark {
            Mark::Literal(literal) => Some(literal.clone()),
            Mark::Blanks => None,
        });
        let blank = marks.iter().any(|mark| matches!(mark, Mark::Blanks));
        Self::First { marks: literals.collect(), blank, or_end }
    }

    /// The part of `bytes` that has the end of a word, which goes no further than to the first blank.
    #[inline]
    pub(super) fn window<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let Some(blank) = memchr::memchr2(b' ', b'\t', bytes) else { return bytes };
        let longest = match self {
            Self::First { marks, .. } => marks.iter().map(|mark| mark.len()).max().unwrap_or(0),
            _ => 0,
        };
        bytes.get(..blank + longest.max(1)).unwrap_or(bytes)
    }

    /// How long a text is that ends here, at the first place or at the last.
    #[inline]
    pub(super) fn find(&self, bytes: &[u8], last: bool) -> Option<usize> {
        match self {
            Self::End => Some(bytes.len()),
            Self::Byte(byte) if last => memchr::memrchr(*byte, bytes),
            Self::Byte(byte) => memchr::memchr(*byte, bytes),
            Self::Blank if last => bytes.iter().rposition(|byte| is_blank(*byte)),
            Self::Blank => memchr::memchr2(b' ', b'\t', bytes),
            Self::First { marks, blank, or_end } => {
                let blank = blank.then_some(()).and_then(|()| Self::Blank.find(bytes, last));
                let places = marks.iter().filter_map(|mark| place(bytes, mark.as_bytes(), last));
                let places = places.chain(blank);
                let place = if last { places.max() } else { places.min() };
                place.or(or_end.then_some(bytes.len()))
            }
        }
    }
}

/// Where a short literal is. Its first byte is looked for: literals of layouts begin with something
/// that is rare in what comes before them.
#[inline]
fn place(bytes: &[u8], literal: &[u8], last: bool) -> Option<usize> {
    if last {
        return memchr::memmem::rfind(bytes, literal);
    }
    let first = *literal.first()?;
    let mut from = 0;
    loop {
        let at = from + memchr::memchr(first, bytes.get(from..)?)?;
        if bytes.get(at..)?.starts_with(literal) {
            return Some(at);
        }
        from = at + 1;
    }
}
