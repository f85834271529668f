//! Cuts a condition into tokens, each with its place.

use std::ops::Range;

use super::ConditionError;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name, or a word of the language; quoted when it stood in backquotes.
    Word {
        text: String,
        quoted: bool,
    },
    Text(String),
    Int(i64),
    Float(f64),
    /// An operator, a bracket, a comma.
    Sign(&'static str),
    End,
}

/// Longest first.
const SIGNS: [&str; 16] =
    ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")", "[", "]", ",", ".", "-"];

/// What stands for something else elsewhere.
const ELSEWHERE: [(&str, &str); 10] = [
    ("=~", "write `field.matches('…')`"),
    ("=", "write `==`"),
    ("&", "write `&&`"),
    ("|", "write `||`"),
    ("+", "arithmetic is not for conditions"),
    ("*", "arithmetic is not for conditions"),
    ("/", "patterns are texts: `field.matches('…')`"),
    ("%", "arithmetic is not for conditions"),
    ("~", "write `field.matches('…')`"),
    ("?", "a condition has no `? :`: use `&&` and `||`"),
];

pub(super) fn lex(text: &str) -> Result<Vec<(Token, Range<usize>)>, ConditionError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let blanks = rest.len() - rest.trim_start().len();
        at += blanks;
        let rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { break };
        let (token, length) = token(rest, first).map_err(|mut error| {
            error.at = at + error.at.start..at + error.at.end;
            error
        })?;
        tokens.push((token, at..at + length));
        at += length;
    }
    tokens.push((Token::End, text.len()..text.len()));
    Ok(tokens)
}

/// The token that a text begins with, and its length.
fn token(text: &str, first: char) -> Result<(Token, usize), ConditionError> {
    let raw = matches!(text.get(..2), Some("r'" | "r\"" | "R'" | "R\""));
    if raw || matches!(first, '\'' | '"') {
        return quoted(text, raw);
    }
    if first == '`' {
        let inside = text.get(1..).unwrap_or_default();
        let end = inside.find('`').filter(|end| *end > 0);
        let end = end.ok_or_else(|| wrong(0..text.len(), "this name is never closed, or empty"))?;
        let name = inside.get(..end).unwrap_or_default().to_owned();
        return Ok((Token::Word { text: name, quoted: true }, end + 2));
    }
    if first.is_ascii_digit() {
        return number(text);
    }
    if first.is_alphabetic() || first == '_' || first == '@' {
        let part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '@');
        let end = text.find(|letter| !part(letter)).unwrap_or(text.len());
        let word = text.get(..end).unwrap_or_default().to_owned();
        return Ok((Token::Word { text: word, quoted: false }, end));
    }
    if !text.starts_with("==")
        && let Some((sign, help)) = ELSEWHERE.iter().find(|(sign, _)| {
            text.starts_with(sign) && !text.starts_with("&&") && !text.starts_with("||")
        })
    {
        let error = wrong(0..sign.len(), &format!("`{sign}` means nothing here"));
        return Err(ConditionError { help: Some((*help).to_owned()), ..error });
    }
    match SIGNS.iter().find(|sign| text.starts_with(**sign)) {
        Some(sign) => Ok((Token::Sign(sign), sign.len())),
        None => Err(wrong(0..first.len_utf8(), "this cannot stand in a condition")),
    }
}

/// A number: whole, or with a fraction or an exponent.
fn number(text: &str) -> Result<(Token, usize), ConditionError> {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut end = digits(0);
    let mut float = false;
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        (float, end) = (true, digits(end + 1));
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            (float, end) = (true, exponent);
        }
    }
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'.';
    if bytes.get(end).is_some_and(part) {
        return Err(wrong(0..end + 1, "this is no number"));
    }
    let digits = text.get(..end).unwrap_or_default();
    let token = if float {
        digits.parse().ok().filter(|number: &f64| number.is_finite()).map(Token::Float)
    } else {
        digits.parse().ok().map(Token::Int)
    };
    token.map(|token| (token, end)).ok_or_else(|| wrong(0..end, "this number is too large"))
}

/// A text in single or double quotes, with CEL's escapes unless it is raw.
fn quoted(text: &str, raw: bool) -> Result<(Token, usize), ConditionError> {
    let start = usize::from(raw);
    let mut letters = text.char_indices().skip(start);
    let Some((_, quote)) = letters.next() else { return Err(wrong(0..1, "this is no text")) };
    let mut out = String::new();
    while let Some((at, letter)) = letters.next() {
        match letter {
            _ if letter == quote => return Ok((Token::Text(out), at + 1)),
            '\\' if !raw => {
                let Some((_, escape)) = letters.next() else { break };
                let digits = match escape {
                    'x' | 'X' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => 0,
                };
                let plain = match escape {
                    'n' => Some('\n'),
                    't' => Some('\t'),
                    'r' => Some('\r'),
                    '\\' | '\'' | '"' | '`' | '?' => Some(escape),
                    _ if digits > 0 => {
                        let hex: String = letters.by_ref().take(digits).map(|(_, it)| it).collect();
                        let code = u32::from_str_radix(&hex, 16).ok();
                        code.filter(|_| hex.len() == digits).and_then(char::from_u32)
                    }
                    _ => None,
                };
                let Some(plain) = plain else {
                    let end = letters.next().map_or(text.len(), |(end, _)| end);
                    let error =
                        wrong(at..end.max(at + 2).min(text.len()), "this escape is not known");
                    let help =
                        "write `\\\\` for a backslash; in a pattern, `r'…'` keeps them as they are";
                    return Err(ConditionError { help: Some(help.to_owned()), ..error });
                };
                out.push(plain);
            }
            _ => out.push(letter),
        }
    }
    Err(wrong(0..text.len(), "this text is never closed"))
}

pub(super) fn wrong(at: Range<usize>, message: &str) -> ConditionError {
    ConditionError { at, message: message.to_owned(), help: None, unknown: None }
}
