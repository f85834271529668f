//! How shapes are written: `0` a digit, capitals for other kinds of characters, everything else as it
//! is.
//!
//! | written | stands for |
//! |---|---|
//! | `0` | a digit |
//! | `A` | a capital letter |
//! | `X` | a capital letter or a digit |
//! | `L` | a lower-case letter or a digit |
//! | `W` | a letter of either case or a digit |
//! | `H` | a hex digit of either case |
//! | `_` | a separator: blank, hyphen or dot, the same one wherever it stands in the value |
//! | `~` | the same, or nothing: everywhere or nowhere |
//! | `{4}`, `{2,8}` | the one before, so many times; as many as there are |
//! | `\A` | an `A`; so for any other character |
//!
//! A blank or a `_` is also a `+`, as URLs have it.

use super::super::bytes::{BLANK, DASH, DIGIT, HEX, Kinds, LOWER, UPPER, is};
use super::LONGEST_RUN;

/// What one place of a shape may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum What {
    /// `0`
    Digit,
    /// `A`
    Capital,
    /// `X`
    CapitalOrDigit,
    /// `L`
    LowerOrDigit,
    /// `W`
    Word,
    /// `H`
    Hex,
    /// `_`
    Joint,
    /// This byte.
    Literal(u8),
}

impl What {
    /// The bytes that may stand there. `any_case`: capitals may be lower-case letters.
    pub(super) const fn members(self, any_case: bool) -> Members {
        let letters = if any_case { UPPER | LOWER } else { UPPER };
        match self {
            Self::Digit => Members::of(DIGIT),
            Self::Capital => Members::of(letters),
            Self::CapitalOrDigit => Members::of(letters | DIGIT),
            Self::LowerOrDigit => Members::of(LOWER | DIGIT),
            Self::Word => Members::of(UPPER | LOWER | DIGIT),
            Self::Hex => Members::of(DIGIT | HEX),
            Self::Joint => Members::of(BLANK | DASH),
            Self::Literal(b' ') => Members::of(BLANK),
            Self::Literal(literal) if any_case && literal.is_ascii_alphabetic() => {
                Members { kinds: 0, literal: literal.to_ascii_lowercase(), fold: 0x20 }
            }
            Self::Literal(literal) => Members { kinds: 0, literal, fold: 0 },
        }
    }

    /// Whether a byte may stand there.
    #[inline]
    pub(super) const fn has(self, byte: u8, any_case: bool) -> bool {
        self.members(any_case).has(byte)
    }

    /// Whether it only parts what stands around it.
    pub(super) const fn is_separator(self) -> bool {
        match self {
            Self::Joint => true,
            Self::Literal(byte) => !byte.is_ascii_alphanumeric(),
            _ => false,
        }
    }

    const fn of(character: u8) -> Option<Self> {
        Some(match character {
            b'0' => Self::Digit,
            b'A' => Self::Capital,
            b'X' => Self::CapitalOrDigit,
            b'L' => Self::LowerOrDigit,
            b'W' => Self::Word,
            b'H' => Self::Hex,
            b'_' | b'~' => Self::Joint,
            // Other capitals may get a meaning one day.
            b'B'..=b'Z' | b'{' | b'}' | b'\\' => return None,
            _ => Self::Literal(character),
        })
    }
}

/// The bytes that one place of a shape may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Members {
    kinds: Kinds,
    /// Besides, this byte, after these bits are set.
    literal: u8,
    fold: u8,
}

impl Members {
    /// Those of some kinds.
    const fn of(kinds: Kinds) -> Self {
        // With that bit set no byte is 0.
        Self { kinds, literal: 0, fold: 0x20 }
    }

    /// Whether a byte is among them.
    #[inline(always)]
    pub(super) const fn has(self, byte: u8) -> bool {
        is(byte, self.kinds) | (byte | self.fold == self.literal)
    }
}

/// So many of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Part {
    /// The kind.
    pub(super) what: What,
    /// At least so many.
    pub(super) least: usize,
    /// At most so many.
    pub(super) most: usize,
}

/// Why a shape is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum ShapeError {
    /// It is not written as shapes are.
    Syntax(String),
    /// It needs context, and its rule has no words.
    NoContext(String),
    /// Nothing in it can be searched for: it needs context.
    NoAnchor(String),
    /// Too many rules have words.
    TooMany,
}

impl std::fmt::Display for ShapeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Syntax(shape) => write!(
                f,
                "`{shape}` is not written as shapes are: `0` a digit, `A` a capital, `X` either of \
                 them, `{{n}}` so many times, `\\` before any other capital"
            ),
            Self::NoContext(shape) => write!(f, "`{shape}` needs `context`"),
            Self::NoAnchor(shape) => write!(
                f,
                "`{shape}` is too common to be looked for: it needs `context`, seven digits in a row, or \
                 capitals before digits"
            ),
            Self::TooMany => f.write_str("no more than 128 rules can have `context`"),
        }
    }
}

/// The parts of a shape; of one with `~`, without separators and with them.
pub(super) fn parse(shape: &str) -> Result<Vec<Vec<Part>>, ShapeError> {
    let whole = parts(shape).ok_or_else(|| ShapeError::Syntax(shape.to_owned()))?;
    if !shape.contains('~') {
        return Ok(vec![whole]);
    }
    let without =
        parts(&shape.replace('~', "")).ok_or_else(|| ShapeError::Syntax(shape.to_owned()))?;
    Ok(vec![without, whole])
}

fn parts(shape: &str) -> Option<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut rest = shape.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first == b'{' {
            let end = rest.iter().position(|&byte| byte == b'}')?;
            let counts = std::str::from_utf8(rest.get(..end)?).ok()?;
            rest = rest.get(end + 1..)?;
            let (least, most) = counts.split_once(',').unwrap_or((counts, counts));
            let last = parts.last_mut()?;
            // One of it stands there already.
            let before = last.least - 1;
            let (least, most) = (least.parse::<usize>().ok()?, most.parse::<usize>().ok()?);
            (last.least == last.most && least <= most && most <= 96).then_some(())?;
            if before > 0 {
                (last.least, last.most) = (before, before);
                let what = last.what;
                parts.push(Part { what, least, most });
            } else {
                (last.least, last.most) = (least, most);
            }
            continue;
        }
        let what = if first == b'\\' {
            let (&literal, after) = rest.split_first()?;
            rest = after;
            What::Literal(literal)
        } else {
            What::of(first)?
        };
        match parts.last_mut() {
            Some(last) if last.what == what && last.least == last.most => {
                last.least += 1;
                last.most += 1;
            }
            _ => parts.push(Part { what, least: 1, most: 1 }),
        }
    }
    let most: usize = parts.iter().map(|part| part.most).sum();
    let run = |part: &Part| part.what != What::Digit || part.most <= LONGEST_RUN;
    (!parts.is_empty() && most <= super::fit::LONGEST && parts.iter().all(run)).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_holds_the_bytes_that_its_letter_stands_for() {
        let lower_or_digit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        for byte in 0..=u8::MAX {
            for any_case in [false, true] {
                let upper = byte.is_ascii_uppercase() || any_case && byte.is_ascii_lowercase();
                let check = |what: What, expect: bool| {
                    assert_eq!(what.has(byte, any_case), expect, "{what:?} {byte:#x} {any_case}");
                };
                check(What::Digit, byte.is_ascii_digit());
                check(What::Capital, upper);
                check(What::CapitalOrDigit, upper || byte.is_ascii_digit());
                check(What::LowerOrDigit, lower_or_digit(byte));
                check(What::Word, byte.is_ascii_alphanumeric());
                check(What::Hex, byte.is_ascii_hexdigit());
                check(What::Joint, b" -.+".contains(&byte));
                check(What::Literal(b' '), b" +".contains(&byte));
                for literal in [0, b'@', b'[', b'A', b'z', b'-', b'0', 0xe9] {
                    let same = byte == literal || any_case && byte.eq_ignore_ascii_case(&literal);
                    check(What::Literal(literal), same);
                }
            }
        }
    }
}
