//! Keys and tokens that say what they are by how they begin: `AKIA…`, `ghp_…`.

use std::ops::Range;

use super::{View, is_token68, is_word};

/// What a token is made of after its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in super::super) enum Body {
    /// `A-Z 2-7`
    Base32,
    /// Letters and digits.
    Alnum,
    /// Letters, digits and `_`.
    Word,
    /// Letters, digits, `_` and `-`.
    Slug,
    /// RFC 6750's b68token, without padding.
    Token68,
}

impl Body {
    const fn has(self, byte: u8) -> bool {
        match self {
            Self::Base32 => matches!(byte, b'A'..=b'Z' | b'2'..=b'7'),
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Word => is_word(byte),
            Self::Slug => is_word(byte) || byte == b'-',
            Self::Token68 => is_token68(byte),
        }
    }
}

/// How tokens of one kind are written.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Prefix {
    /// The ways such a token begins; case matters.
    #[serde(default)]
    pub(in super::super) starts: Vec<String>,
    /// Or what stands before it, and stays: right before, or with words and slashes between that end
    /// in a slash.
    #[serde(default)]
    pub(in super::super) after: Vec<String>,
    /// What follows.
    pub(in super::super) body: Body,
    /// Least bytes that must follow.
    pub(in super::super) min: usize,
    /// Most bytes that may follow; more is something else. `None`: as many as there are.
    #[serde(default)]
    pub(in super::super) max: Option<usize>,
}

/// All prefixes of the rules that are on, by first byte.
#[derive(Debug, Default)]
pub(in super::super) struct PrefixTable {
    entries: Vec<Entry>,
    first: Vec<Vec<u16>>,
    firsts: Vec<bool>,
    after: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    start: Box<[u8]>,
    body: Body,
    min: usize,
    max: Option<usize>,
    rule: u16,
}

impl PrefixTable {
    /// Adds a rule's prefixes.
    pub(in super::super) fn add(&mut self, prefix: &Prefix, rule: u16) {
        self.first.resize(256, Vec::new());
        let entry = |start: &String| Entry {
            start: start.as_bytes().into(),
            body: prefix.body,
            min: prefix.min,
            max: prefix.max,
            rule,
        };
        self.after.extend(prefix.after.iter().map(entry));
        for entry in prefix.starts.iter().map(entry) {
            if let Some(&first) = entry.start.first() {
                self.mark(first);
            }
            if let Some(first) = entry.start.first()
                && let Some(list) = self.first.get_mut(usize::from(*first))
            {
                list.push(self.entries.len() as u16);
                self.entries.push(entry);
            }
        }
    }

    /// Lets words that begin with this byte through the first test.
    pub(in super::super) fn mark(&mut self, first: u8) {
        self.firsts.resize(256, false);
        if let Some(may) = self.firsts.get_mut(usize::from(first)) {
            *may = true;
        }
    }

    /// Whether a token, a JWT or credentials after their scheme may begin here: a few bytes tell.
    #[inline]
    pub(in super::super) fn may_begin(&self, view: View<'_>, at: usize) -> bool {
        matches!(view.before(at, 1), b'/' | b'.' | b' ' | b'\\' | b'%')
            || self.firsts.get(usize::from(view.at(at))).is_some_and(|may| *may)
            || (matches!(view.before(at, 1), b'[' | b';') && view.word_start(at) != at)
    }

    /// A token that begins at `at`.
    fn find(&self, view: View<'_>, at: usize) -> Option<(u16, Range<usize>)> {
        let list = self.first.get(usize::from(view.at(at)))?;
        list.iter().find_map(|&index| {
            let entry = self.entries.get(usize::from(index))?;
            view.bytes.get(at..)?.strip_prefix(&*entry.start)?;
            let body = at + entry.start.len();
            let most = entry.max.map_or(usize::MAX, |max| max + 1);
            let end = view.run(body, most, |byte| entry.body.has(byte));
            let length = end - body;
            let whole = entry.max.is_none_or(|max| length <= max && !is_word(view.at(end)));
            let fits = length >= entry.min && (whole || !view.bounded);
            fits.then_some((entry.rule, at..end))
        })
    }

    /// A token at `at` that is known by what stands before it.
    fn find_after(&self, view: View<'_>, at: usize) -> Option<(u16, Range<usize>)> {
        let between = match view.before(at, 1) {
            b'.' => at,
            b'/' => view.run_back(at, 64, |byte| is_word(byte) || matches!(byte, b'/' | b'\\')),
            _ => return None,
        };
        let before = view.bytes.get(..between)?;
        self.after.iter().find_map(|entry| {
            before.ends_with(&entry.start).then_some(())?;
            let end = view.run(at, usize::MAX, |byte| entry.body.has(byte));
            (end - at >= entry.min).then_some((entry.rule, at..end))
        })
    }
}

/// Where a token may begin that an escape stands in front of: `\nghp_…`, `\u000aghp_…`, `\x0aghp_…`,
/// `%0Aghp_…`. `at` itself if there is none.
pub(in super::super) fn after_escape(view: View<'_>, at: usize) -> usize {
    at + match (view.before(at, 1), view.at(at)) {
        (b'\\', b'u') => 5,
        (b'\\', b'x') => 3,
        (b'\\', _) => 1,
        (b'%', _) => 2,
        // `ESC[31mghp_…`: so does a coloured one, after the colour.
        _ => view.word_start(at) - at,
    }
}

/// A token that begins at `at`.
pub(in super::super) fn token(
    view: View<'_>,
    at: usize,
    table: &PrefixTable,
) -> Option<(u16, Range<usize>)> {
    table.find(view, at).or_else(|| table.find_after(view, at))
}

#[cfg(test)]
mod tests {
    use super::super::tests::value;
    use super::*;

    fn table() -> PrefixTable {
        let mut table = PrefixTable::default();
        let prefix = |start: &str, body, min, max| Prefix {
            starts: vec![start.into()],
            after: Vec::new(),
            body,
            min,
            max,
        };
        table.add(&prefix("AKIA", Body::Base32, 16, Some(16)), 1);
        table.add(&prefix("ghp_", Body::Alnum, 36, None), 2);
        table
    }

    fn check(text: &str, at: usize, expect: Option<(u16, &str)>) {
        let view = value(text);
        let found = token(view, after_escape(view, at), &table());
        assert_eq!(found.map(|(rule, range)| (rule, &text[range])), expect, "{text}");
    }

    #[test]
    fn tokens_are_found_at_the_start_after_hyphens_and_after_escapes() {
        let key = "AKIAIOSFODNN7EXAMPLE";
        check(key, 0, Some((1, key)));
        check(&format!("id-{key}"), 3, Some((1, key)));
        check(&format!("\\n{key}"), 1, Some((1, key)));
        check(&format!("\\u000a{key}"), 1, Some((1, key)));
        check(&format!("%0A{key}"), 1, Some((1, key)));
        check(&format!("{key}A"), 0, None);
        check(&format!("X{key}"), 0, None);
        assert!(table().may_begin(value(key), 0) && !table().may_begin(value("X"), 0));
        check("AKIAIOSFODNN7EXAMPL1", 0, None);
    }
}
