//! Patterns that are runs and texts one after another, `^(?<user>\S+) \[(?<at>[^\]]+)\]`, as most are: where
//! each run ends before a text that it cannot have in it, there is one way to match, and it is walked byte by
//! byte without an automaton.

use regex_syntax::hir::{Capture, Class, Hir, HirKind, Look, Repetition};

use crate::parse::cursor;

/// A pattern of runs and texts, from the beginning of a text.
#[derive(Debug)]
pub(super) struct Sequence {
    parts: Box<[Part]>,
    /// Whether it goes to the text's end.
    whole: bool,
    /// Places that it finds: where each group begins and ends.
    places: usize,
}

#[derive(Debug)]
enum Part {
    /// Where a group begins or ends, the number of that place.
    Place(usize),
    /// Text as it is.
    Text(Box<[u8]>),
    /// One of some texts, none of which begins as another is.
    OneOf(Box<[Box<[u8]>]>),
    /// As many of some characters as there are.
    Run(Box<Run>),
}

#[derive(Debug)]
struct Run {
    is: [Is; 256],
    /// The one byte that is not of it, if all others are.
    until: Option<u8>,
    /// Whether there must be one.
    some: bool,
}

/// Whether a byte is of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Is {
    Out,
    In,
    /// It is of a character that may be: the pattern tells.
    Open,
}

/// What came of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Walked {
    /// It matches, up to here.
    Match(usize),
    /// It does not.
    Other,
    /// Only the pattern itself can tell.
    Open,
}

impl Sequence {
    /// Of a pattern that is nothing else.
    pub(super) fn of(pattern: &str) -> Option<Self> {
        let hir = regex_syntax::parse(pattern).ok()?;
        let HirKind::Concat(all) = hir.kind() else { return None };
        let [begin, inner @ ..] = all.as_slice() else { return None };
        let is = |hir: &Hir, look: Look| matches!(hir.kind(), HirKind::Look(it) if *it == look);
        if !is(begin, Look::Start) {
            return None;
        }
        let (inner, whole) = match inner {
            [inner @ .., end] if is(end, Look::End) => (inner, true),
            _ => (inner, false),
        };
        let mut parts = Vec::new();
        inner.iter().try_for_each(|hir| add(hir, &mut parts))?;
        let is_place = |part: &&Part| matches!(part, Part::Place(_));
        let places = parts.iter().filter(is_place).count();
        let solid: Vec<&Part> = parts.iter().filter(|part| !is_place(part)).collect();
        let ends = solid.windows(2).all(|pair| match pair {
            [Part::Run(run), Part::Text(text)] => {
                text.first().is_some_and(|byte| run.ends_at(*byte))
            }
            [Part::Run(_), _] => false,
            _ => true,
        });
        // The places of a pattern are numbered from 2 on: the first two are of all of it.
        ends.then(|| Self { parts: parts.into(), whole, places: places + 2 })
    }

    /// Walks over a text, and puts where each group begins and ends: twice its number, and one more.
    #[inline]
    pub(super) fn walk(&self, text: &str, places: &mut Vec<usize>) -> Walked {
        places.resize(self.places, 0);
        let bytes = text.as_bytes();
        let mut at = 0;
        for part in &self.parts {
            let rest = bytes.get(at..).unwrap_or_default();
            match part {
                Part::Place(place) => {
                    if let Some(place) = places.get_mut(*place) {
                        *place = at;
                    }
                }
                Part::Text(text) if rest.starts_with(text) => at += text.len(),
                Part::Text(_) => return Walked::Other,
                Part::OneOf(texts) => match texts.iter().find(|text| rest.starts_with(text)) {
                    Some(text) => at += text.len(),
                    None => return Walked::Other,
                },
                Part::Run(run) => {
                    let len = run.len(rest);
                    if rest.get(len).is_some_and(|byte| run.is(*byte) == Is::Open) {
                        return Walked::Open;
                    }
                    if run.some && len == 0 {
                        return Walked::Other;
                    }
                    at += len;
                }
            }
        }
        if self.whole && at < bytes.len() { Walked::Other } else { Walked::Match(at) }
    }
}

/// Adds the parts of a pattern; `None` for what is neither run nor text.
fn add(hir: &Hir, parts: &mut Vec<Part>) -> Option<()> {
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => parts.push(Part::Text(literal.0.clone())),
        HirKind::Concat(all) => all.iter().try_for_each(|hir| add(hir, parts))?,
        HirKind::Capture(Capture { index, sub, .. }) => {
            let place = 2 * usize::try_from(*index).ok()?;
            parts.push(Part::Place(place));
            add(sub, parts)?;
            parts.push(Part::Place(place + 1));
        }
        HirKind::Alternation(all) => {
            let text = |hir: &Hir| match hir.kind() {
                HirKind::Literal(literal) => Some(literal.0.clone()),
                _ => None,
            };
            let texts: Box<[Box<[u8]>]> = all.iter().map(text).collect::<Option<_>>()?;
            let begins = |one: &[u8]| texts.iter().filter(|text| text.starts_with(one)).count() > 1;
            if texts.iter().any(|text| begins(text)) {
                return None;
            }
            parts.push(Part::OneOf(texts));
        }
        HirKind::Repetition(Repetition { min: min @ 0..=1, max: None, greedy: true, sub }) => {
            let HirKind::Class(Class::Unicode(class)) = sub.kind() else { return None };
            let ranges =
                class.iter().map(|range| u32::from(range.start())..=u32::from(range.end()));
            let ranges: Vec<_> = ranges.collect();
            let has = |c: u32| ranges.iter().any(|range| range.contains(&c));
            // Characters beyond ASCII, of which a byte does not say which it is.
            let beyond = match ranges.last() {
                Some(last) if *last.start() <= 0x80 && *last.end() == u32::from(char::MAX) => {
                    Is::In
                }
                Some(last) if *last.end() < 0x80 => Is::Out,
                _ => Is::Open,
            };
            let mut is = [beyond; 256];
            for (byte, is) in (0..0x80).zip(&mut is) {
                *is = if has(byte) { Is::In } else { Is::Out };
            }
            let mut out = (0..=u8::MAX).zip(is).filter(|(_, is)| *is != Is::In);
            let until = out.next().filter(|_| out.next().is_none()).map(|(byte, _)| byte);
            parts.push(Part::Run(Box::new(Run { is, until, some: *min == 1 })));
        }
        _ => return None,
    }
    Some(())
}

impl Run {
    #[inline]
    fn is(&self, byte: u8) -> Is {
        self.is.get(usize::from(byte)).copied().unwrap_or(Is::Open)
    }

    /// How many of some bytes are of it.
    #[inline]
    fn len(&self, bytes: &[u8]) -> usize {
        let end = match self.until {
            Some(until) => cursor::find(until, bytes),
            None => bytes.iter().position(|byte| self.is(*byte) != Is::In),
        };
        end.unwrap_or(bytes.len())
    }

    /// Whether it goes on to the first such byte, and never beyond.
    fn ends_at(&self, byte: u8) -> bool {
        byte.is_ascii() && self.is(byte) == Is::Out
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    #[test]
    fn only_runs_and_texts_are_walked() {
        for pattern in [
            r"^(?<a>\S+) (?<b>[a-z]*): (?<message>.*)$",
            r#"^\[(?<at>[^\]]+)\] "(?<target>[^"]*)" (?<n>\d+)"#,
            r"^(?<time>\S+ \S+) (?<rest>.+)",
            r"^a(?<rest>.*)$",
            r"^(?<all>(?<x>\w+)=(?<y>\w*));$",
            r"^(?<a>x|yy) (?<b>.*)$",
        ] {
            assert!(Sequence::of(pattern).is_some(), "{pattern}");
        }
        for pattern in [
            r"(?<a>\S+) b",
            r"^(?<a>\S+)b$",
            r"^(?<a>\w+)(?<b>\d*) $",
            r"^(?<a>\S+?) (?<b>.*)$",
            r"^(?<a>x|xy) (?<b>.*)$",
            r"^(?<a>x|\d+) (?<b>.*)$",
            r"^(?<a>\S+)(?<b>xy|=) $",
            r"^(?<a>\S+)( (?<b>.*))?$",
            r"(?m)^(?<a>\S+) (?<b>.*)$",
            r"^(?<a>\d{3}) $",
            r"^(?<a>[a-z]+)é$",
        ] {
            assert!(Sequence::of(pattern).is_none(), "{pattern}");
        }
    }

    /// It matches what the pattern does, and its groups are the same.
    #[test]
    fn what_is_walked_is_what_the_pattern_matches() {
        let patterns = [
            r"^(?<a>\S+) (?<b>[a-z]*): (?<c>.*)$",
            r"^(?<a>\S*) (?<b>\w+)",
            r#"^\[(?<a>[^\]]+)\] "(?<b>[^"]*)" (?<c>\d+)$"#,
            r"^(?<a>\d+ \d+) (?s:(?<b>.+))$",
            r"^(?<all>(?<x>\w+)=(?<y>\w*));",
            r"^é (?<a>[^ é]*)$",
            r"^(?i)(?<a>[a-f]+) ",
            r"^(?<a>b1|17|é=);(?<c>.*)$",
        ];
        let pieces = [
            "a", "b1", " ", ": ", "[", "] \"", "\" ", "17", "=", ";", "é", "\u{a0}", "\n", "٣", "",
        ];
        let mut random = 1_u64;
        let mut next = |most: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) as usize % most
        };
        let (mut places, mut matched) = (Vec::new(), 0);
        for _ in 0..100_000 {
            let text: String = (0..next(10)).map(|_| pieces[next(pieces.len())]).collect();
            let pattern = patterns[next(patterns.len())];
            static BUILT: std::sync::OnceLock<Vec<(Regex, Sequence)>> = std::sync::OnceLock::new();
            let built = BUILT.get_or_init(|| {
                let both = |it: &&str| (Regex::new(it).unwrap(), Sequence::of(it).unwrap());
                patterns.iter().map(both).collect()
            });
            let at = patterns.iter().position(|it| *it == pattern).unwrap();
            let (regex, sequence) = &built[at];
            let found = regex.captures(&text);
            match sequence.walk(&text, &mut places) {
                Walked::Open => assert!(!text.is_ascii()),
                Walked::Other => assert!(found.is_none(), "{pattern} {text:?}"),
                Walked::Match(end) => {
                    matched += 1;
                    let found = found.unwrap_or_else(|| panic!("{pattern} {text:?}"));
                    assert_eq!(found.get(0).unwrap().range(), 0..end, "{pattern} {text:?}");
                    for group in 1..found.len() {
                        let own = places[2 * group]..places[2 * group + 1];
                        assert_eq!(found.get(group).unwrap().range(), own, "{pattern} {text:?}");
                    }
                }
            }
        }
        assert!(matched > 500, "{matched}");
    }
}
