//! Patterns that end in `(?<message>.*)$`, as most do, or in a group that goes on to the quote or bracket at
//! the end, `(?<agent>[^"]*)"$`: their automaton is not walked through that group, which is most of a line,
//! since all of what is left is in it.

use regex::{Match, Regex};

/// A pattern without the group that takes the rest.
#[derive(Debug)]
pub(super) struct Tail {
    /// What stands before that group.
    pub(super) head: Regex,
    /// The number of that group.
    pub(super) group: usize,
    /// Whether it has one character at least.
    some: bool,
    /// What ends the text behind it, and is not in it.
    close: Option<u8>,
}

/// What a group is that takes the rest, how the pattern goes on behind it, and what that ends in.
const RESTS: [(&str, &str, Option<u8>); 5] = [
    (">.", "$", None),
    (">.", "", None),
    (">[^\"]", "\"$", Some(b'"')),
    (">[^']", "'$", Some(b'\'')),
    (r">[^\]]", r"\]$", Some(b']')),
];

impl Tail {
    /// Of a pattern that ends so, and whose other parts are plainly before it. `build` compiles a pattern.
    pub(super) fn of(pattern: &str, build: impl Fn(&str) -> Option<Regex>) -> Option<Self> {
        let (group, some, close) = RESTS.into_iter().find_map(|(rest, behind, close)| {
            let group = pattern.strip_suffix(behind)?.strip_suffix(')')?;
            let some = group.ends_with('+');
            let group = group.strip_suffix(['*', '+'])?.strip_suffix(rest)?;
            Some((group, some, close))
        })?;
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let before = group.trim_end_matches(is_part);
        let head = before.strip_suffix("(?P<").or_else(|| before.strip_suffix("(?<"))?;
        if !is_sequence(head) {
            return None;
        }
        let head = build(head)?;
        Some(Self { group: head.captures_len(), head, some, close })
    }

    /// What of a text the pattern matches, and where its last group ends, once what stands before that has
    /// matched; `None` where only the whole pattern can tell.
    pub(super) fn rest(&self, head: Match<'_>, text: &str) -> Option<(usize, usize, usize)> {
        let rest = text.as_bytes().get(head.end()..)?;
        let len = match self.close {
            // Up to the first that closes: the text must end there.
            Some(close) => {
                memchr::memchr(close, rest).filter(|closing| closing + 1 == rest.len())?
            }
            None => rest.len(),
        };
        let takes = !(self.some && len == 0)
            && (self.close.is_some() || memchr::memchr(b'\n', rest).is_none());
        takes.then_some((head.start(), text.len(), head.end() + len))
    }
}

/// Whether a pattern is parts one after another: no alternatives outside of its groups, and nothing that
/// changes what a dot or an end is.
fn is_sequence(pattern: &str) -> bool {
    // A bracket that stands for itself.
    if pattern.contains("[]") || pattern.contains("[^]") {
        return false;
    }
    let mut bytes = pattern.as_bytes();
    let (mut groups, mut classes) = (0_usize, 0_usize);
    while let [byte, rest @ ..] = bytes {
        bytes = rest;
        match byte {
            b'\\' => match rest {
                [_, rest @ ..] => bytes = rest,
                [] => return false,
            },
            b'[' => classes += 1,
            b']' => classes = classes.saturating_sub(1),
            _ if classes > 0 => {}
            b'(' => {
                groups += 1;
                if let [b'?', kind @ ..] = rest
                    && !matches!(kind, [b':' | b'<', ..] | [b'P', b'<', ..])
                {
                    return false;
                }
            }
            b')' => groups = groups.saturating_sub(1),
            b'|' if groups == 0 => return false,
            _ => {}
        }
    }
    groups == 0 && classes == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(pattern: &str) -> Option<Tail> {
        Tail::of(pattern, |pattern| Regex::new(pattern).ok())
    }

    #[test]
    fn only_a_rest_of_a_line_is_left_out() {
        for pattern in [
            r"^(?<a>\S+) (?<message>.*)$",
            r"(?P<a>x|y)[|(]\|(?P<rest_2>.+)",
            "(?<message>.*)$",
            r"^\((?:a|b)\) (?<message>.*)",
            r#"^(?<a>\S+) "(?<agent>[^"]*)"$"#,
            r"^(?<a>\S+) '(?<agent>[^']+)'$",
            r"^\[(?<at>[^\]]*)\]$",
        ] {
            assert!(tail(pattern).is_some(), "{pattern}");
        }
        for pattern in [
            r"^a|b(?<message>.*)$",
            r"(?s)^a(?<message>.*)$",
            r"(?i:a)(?<message>.*)$",
            r"(?x) a (?<message>.*)$",
            r"a(?<message>.*?)$",
            r"a(?<message>.*)b$",
            r"a(?<message>[^x]*)$",
            r"a(b(?<message>.*))$",
            r"[]|]a(?<message>.*)$",
            r"a(?<message>.*)\$",
            r#"a "(?<agent>[^"]*)""#,
            r#"a "(?<agent>[^']*)"$"#,
            r#"a "(?<agent>[^"]*)\"$"#,
            r#"a|b "(?<agent>[^"]*)"$"#,
            r"\[(?<at>[^\]]*?)\]$",
        ] {
            assert!(tail(pattern).is_none(), "{pattern}");
        }
    }

    /// It matches what the whole pattern does, and its groups are the same.
    #[test]
    fn what_is_left_out_is_what_would_have_matched() {
        let patterns = [
            r"^(?<a>\S+) (?<message>.*)$",
            r"^(?<a>\S+) (?<message>.+)$",
            r"(?<a>\w+?)(?<b>\d*)[:=] ?(?<message>.*)",
            r"(?<a>a|ab)(?<b>b*)(?<message>.+)",
            r"(?<a>.*?)(?<message>.*)$",
            r"(?<a>.*)(?<message>.+)$",
            r"\b(?<a>é?)\s(?<message>.*)$",
            r"(?<message>.*)$",
            r#"^(?<a>\S*) "(?<agent>[^"]*)"$"#,
            r#"(?<a>[ab]*?)"?(?<agent>[^"]*)"$"#,
            r"(?<a>a*) ?'(?<agent>[^']+)'$",
            r"\[(?<at>[^\]]*)\]$",
        ];
        let texts = [
            "a \"b\"",
            "a \"\"",
            "a \"b\"c\"",
            "\"",
            "a\"\n\"",
            "a \"b",
            "a \"b\" ",
            "ab\"b\"",
            "''",
            "a 'x'",
            "'a' 'b'",
            "[a]",
            "[]",
            "[a] [b]",
            "x[\né]",
            "[a]]",
            "",
            "a",
            "ab",
            "abb",
            "a b",
            "a  b c",
            "x1=2: y",
            "é é",
            "a\nb c",
            "a b\nc",
            "a\n",
            "\n",
            "a b\n",
            "ab ab ab",
        ];
        for pattern in patterns {
            let (whole, tail) = (Regex::new(pattern).unwrap(), tail(pattern).unwrap());
            assert_eq!(tail.group, whole.captures_len() - 1);
            for text in texts {
                let expected = whole.captures(text);
                let Some(found) = tail.head.captures(text) else {
                    assert!(expected.is_none(), "{pattern} {text:?}");
                    continue;
                };
                let head = found.get(0).unwrap();
                let Some(span) = tail.rest(head, text) else { continue };
                let expected = expected.unwrap_or_else(|| panic!("{pattern} {text:?}"));
                assert_eq!(expected.get(0).unwrap().range(), span.0..span.1, "{pattern} {text:?}");
                for group in 1..tail.group {
                    assert_eq!(found.get(group), expected.get(group), "{pattern} {text:?}");
                }
                let last = expected.get(tail.group).unwrap().range();
                assert_eq!(last, head.end()..span.2, "{pattern} {text:?}");
            }
        }
    }
}
