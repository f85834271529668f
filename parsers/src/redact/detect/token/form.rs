//! How a token is spelt: literals and runs of one kind of byte, `ghp_{alnum:36-}`.

use memchr::memmem;

use super::super::{View, is_token68, is_word};

/// What a run of a token is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// `0-9`
    Digit,
    /// Hexadecimal digits, of either case.
    Hex,
    /// `A-Z 2-7`
    Base32,
    /// Capitals and digits.
    Upper,
    /// Letters and digits.
    Alnum,
    /// Letters, digits and `_`.
    Word,
    /// Letters, digits, `_` and `-`: base64url.
    Slug,
    /// What of it decimal digits become.
    Decimal64,
    /// Letters, digits, `+` and `/`.
    Base64,
    /// Letters, digits, `-`, `.`, `_` and `~`: what a URL has no need to escape.
    Unreserved,
    /// RFC 6750's b68token, padding too.
    Token68,
    /// A path and what stands in one of identifiers: letters, digits, `_`, `-`, `/` and `@`.
    Path,
}

impl Body {
    /// By the name that a rule file gives it.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "digit" => Self::Digit,
            "hex" => Self::Hex,
            "base32" => Self::Base32,
            "upper" => Self::Upper,
            "alnum" => Self::Alnum,
            "word" => Self::Word,
            "slug" => Self::Slug,
            "decimal64" => Self::Decimal64,
            "base64" => Self::Base64,
            "unreserved" => Self::Unreserved,
            "token68" => Self::Token68,
            "path" => Self::Path,
            _ => return None,
        })
    }

    pub(super) fn has(self, byte: u8) -> bool {
        match self {
            Self::Digit => byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Base32 => matches!(byte, b'A'..=b'Z' | b'2'..=b'7'),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Word => is_word(byte),
            Self::Slug => is_word(byte) || byte == b'-',
            Self::Decimal64 => memchr::memchr(byte, b"AEIMQUYcgkMNODTjzwxy012345").is_some(),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'),
            Self::Unreserved => is_word(byte) || matches!(byte, b'-' | b'.' | b'~'),
            Self::Token68 => is_token68(byte) || byte == b'=',
            Self::Path => is_word(byte) || matches!(byte, b'-' | b'/' | b'@'),
        }
    }

    /// Whether all of it makes a long word.
    const fn is_slug(self) -> bool {
        !matches!(self, Self::Base64 | Self::Unreserved | Self::Token68 | Self::Path)
    }
}

/// One part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// These bytes, case and all.
    Literal(Box<[u8]>),
    /// So many bytes of a kind; `max` is `usize::MAX` where there is no most.
    Run { of: Body, min: usize, max: usize },
}

/// How a token is spelt.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub(in super::super::super) struct Form(pub(super) Vec<Part>);

impl TryFrom<String> for Form {
    type Error = String;

    /// Reads `SG.{slug:22}.{slug:43}`: `{kind:count}`, `{kind:least-most}`, `{kind:least-}`.
    fn try_from(text: String) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let open = rest.find('{').unwrap_or(rest.len());
            let (literal, run) = rest.split_at(open);
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.as_bytes().into()));
            }
            rest = run;
            if let Some(inside) = run.strip_prefix('{') {
                let (run, after) =
                    inside.split_once('}').ok_or_else(|| format!("`{text}`: a `}}` is missing"))?;
                parts.push(read_run(run).ok_or_else(|| {
                    format!("`{text}`: `{{{run}}}` is no run; write `{{alnum:8-}}`")
                })?);
                rest = after;
            }
        }
        let endless = |part: &Part| matches!(part, Part::Run { max: usize::MAX, .. });
        match parts.split_last() {
            None => Err("a form must not be empty".to_owned()),
            Some((_, before)) if before.iter().any(endless) => {
                Err(format!("`{text}`: a run without a most must be the last"))
            }
            Some(_) => Ok(Self(parts)),
        }
    }
}

/// `alnum:36-`
fn read_run(text: &str) -> Option<Part> {
    let (kind, count) = text.split_once(':')?;
    let (min, max) = match count.split_once('-') {
        None => (count.parse().ok()?, count.parse().ok()?),
        Some((min, "")) => (min.parse().ok()?, usize::MAX),
        Some((min, max)) => (min.parse().ok()?, max.parse().ok()?),
    };
    let of = Body::named(kind)?;
    (1 <= min && min <= max).then_some(Part::Run { of, min, max })
}

/// Where a long word surely begins in what is spelt like this: so many parts before it, the last of
/// them cut there. `None` if it may have none.
pub(super) fn split(parts: &[Part]) -> Option<(Vec<Part>, Vec<Part>)> {
    let mut lead = Vec::new();
    let mut rest = parts.to_vec();
    while slugs(&rest) < LONG_WORD {
        match rest.first()?.clone() {
            run @ Part::Run { .. } => {
                lead.push(run);
                rest.remove(0);
            }
            Part::Literal(text) => {
                let odd = text.iter().position(|&byte| !Body::Slug.has(byte));
                let (before, after) = text.split_at(odd.map_or(text.len(), |at| at + 1));
                lead.push(Part::Literal(before.into()));
                rest.remove(0);
                if !after.is_empty() {
                    rest.insert(0, Part::Literal(after.into()));
                }
            }
        }
    }
    Some((lead, rest))
}

/// Bytes of what the sweep calls a long word.
const LONG_WORD: usize = 16;

/// Bytes that are surely of one word at the start of what is spelt like this.
fn slugs(parts: &[Part]) -> usize {
    let mut sum = 0;
    for part in parts {
        match part {
            Part::Literal(text) => {
                let odd = text.iter().position(|&byte| !Body::Slug.has(byte));
                sum += odd.unwrap_or(text.len());
                if odd.is_some() {
                    break;
                }
            }
            Part::Run { of, min, .. } if of.is_slug() => sum += min,
            Part::Run { .. } => break,
        }
    }
    sum
}

/// Whether a text ends in an address, in which JSON may have written `\/`.
pub(super) fn ends_in(text: &[u8], address: &[u8]) -> bool {
    let mut left = text;
    for wanted in address.iter().rev() {
        let Some((last, before)) = left.split_last() else { return false };
        if last != wanted {
            return false;
        }
        let slashes = before.iter().rev().take_while(|&&byte| byte == b'\\').count();
        let slashes = if *last == b'/' { slashes } else { 0 };
        left = before.get(..before.len() - slashes).unwrap_or_default();
    }
    true
}

/// The end of what is spelt like this from `at` on, if it is. What goes on as a word is something else.
pub(super) fn end(parts: &[Part], view: View<'_>, at: usize) -> Option<usize> {
    let mut place = at;
    for (index, part) in parts.iter().enumerate() {
        place = match (part, parts.get(index + 1)) {
            (Part::Literal(text), _) => {
                view.bytes.get(place..)?.starts_with(text).then_some(place + text.len())?
            }
            (Part::Run { of, min, max }, None) => {
                let end = view.run(place, max.saturating_add(1), |byte| of.has(byte));
                // The dot of a sentence is no part of it.
                let dots = if of.has(b'.') { 2 } else { 0 };
                let end =
                    view.run_back(end, dots.min((end - place).saturating_sub(*min)), |byte| {
                        byte == b'.'
                    });
                let length = end - place;
                let whole = *max == usize::MAX || (length <= *max && !is_word(view.at(end)));
                (length >= *min && (whole || !view.bounded)).then_some(end)?
            }
            (Part::Run { of, min, max }, Some(Part::Literal(text))) => {
                let end = view.run(place, *max, |byte| of.has(byte)) + text.len();
                let from = place + min;
                from + memmem::find(view.bytes.get(from..end.min(view.bytes.len()))?, text)?
            }
            (Part::Run { of, min, .. }, Some(Part::Run { .. })) => {
                let end = view.run(place, *min, |byte| of.has(byte));
                (end - place == *min).then_some(end)?
            }
        };
    }
    Some(place)
}

/// The start of what is spelt like this and ends before `to`.
pub(super) fn start(parts: &[Part], view: View<'_>, to: usize) -> Option<usize> {
    parts.iter().rev().try_fold(to, |to, part| match part {
        Part::Literal(text) => view.bytes.get(..to)?.ends_with(text).then(|| to - text.len()),
        Part::Run { of, min, max } => {
            let start = view.run_back(to, max.saturating_add(1), |byte| of.has(byte));
            let fits = *min <= to - start && (to - start <= *max || !view.bounded);
            fits.then_some(start)
        }
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::super::tests::value;
    use super::*;

    impl Form {
        /// A token that is spelt like this, of bytes that `choose` chooses by their number.
        pub(in super::super::super::super) fn example(
            &self,
            choose: &mut impl FnMut(usize) -> usize,
        ) -> String {
            let mut token = String::new();
            for part in &self.0 {
                match part {
                    Part::Literal(text) => token.push_str(std::str::from_utf8(text).unwrap()),
                    Part::Run { of, min, max } => {
                        // Parts of a path are long.
                        let usual = |byte: &u8| {
                            of.has(*byte) && (*of != Body::Path || Body::Slug.has(*byte))
                        };
                        let members: Vec<u8> = (0..128).filter(usual).collect();
                        let more = choose((*max).min(min + 8) - min + 1);
                        for _ in 0..min + more {
                            token.push(char::from(members[choose(members.len())]));
                        }
                    }
                }
            }
            token
        }
    }

    pub(in super::super) fn form(text: &str) -> Form {
        Form::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn forms_are_read_or_refused() {
        let parts = [
            Part::Literal(b"SG."[..].into()),
            Part::Run { of: Body::Slug, min: 22, max: 22 },
            Part::Literal(b"."[..].into()),
            Part::Run { of: Body::Slug, min: 43, max: usize::MAX },
        ];
        assert_eq!(form("SG.{slug:22}.{slug:43-}").0, parts);
        for bad in ["", "{", "a{b:1}", "{hex}", "{hex:0}", "{hex:2-1}", "{hex:1-}x"] {
            assert!(Form::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_spelt_so_is_told_from_what_is_not() {
        let check = |spelt: &str, text: &str, expect: Option<usize>| {
            assert_eq!(end(&form(spelt).0, value(text), 0), expect, "{spelt}: {text}");
        };
        check("a{hex:4}", "abcde", Some(5));
        check("a{hex:4}", "abcdef", None);
        check("a{hex:4}", "abcdeg", None);
        check("a{hex:2-}", "abcdefg", Some(6));
        check("{hex:2-4}-us{digit:1-2}", "abcd-us12.", Some(9));
        check("{hex:2-4}-us{digit:1-2}", "abcd-us123", None);
        check("{hex:2-4}-us{digit:1-2}", "abcde-us12", None);
        // A literal that could be a part of the run before it.
        check("sk-{slug:2-9}T3{slug:2-}", "sk-a-bT3cd", Some(10));
        check("sk-{slug:2-9}T3{slug:2-}", "sk-a-bcd", None);
        check("n_{digit:2}{alnum:2}", "n_12ab", Some(6));
        check("n_{digit:2}{alnum:2}", "n_1xab", None);
    }

    #[test]
    fn forms_are_looked_for_where_a_long_word_begins() {
        let at = |text: &str| {
            let (lead, rest) = split(&form(text).0)?;
            Some((lead.len(), rest.len()))
        };
        assert_eq!(at("ghp_{alnum:36-}"), Some((0, 2)));
        assert_eq!(at("SG.{slug:22}.{slug:43}"), Some((1, 3)));
        assert_eq!(at("v1.0-{hex:24}"), Some((1, 2)));
        assert_eq!(at("{digit:8-10}:{slug:35}"), Some((2, 1)));
        assert_eq!(at("x{unreserved:40}"), None);
        let text = "SG.abc";
        assert_eq!(start(&form("SG.").0, value(text), 3), Some(0));
        assert_eq!(start(&form("{digit:2-3}:").0, value("1234:"), 5), None);
        assert_eq!(start(&form("{digit:2-3}:").0, value("x123:"), 5), Some(1));
    }
}
