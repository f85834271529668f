//! Keeps the keys of one JSON object apart. Elasticsearch may refuse a whole request for one
//! document with a key twice, so this does not rely on anybody before it.

use std::borrow::Cow;
use std::collections::HashSet;

use pillion_parsers::record::{Key, is_field_name};

use crate::export::escape;

/// Bits of the filter in [`certainly_distinct`]: ten keys all find an empty one 19 times in 20.
const WORDS: usize = 16;

/// Whether names are certainly distinct. Says no now and then without need, and always when one is
/// `None`: a name that has to be looked at more closely. Nothing is copied or allocated.
pub(crate) fn certainly_distinct<'n>(names: impl Iterator<Item = Option<&'n str>>) -> bool {
    let mut seen = [0_u64; WORDS];
    for name in names {
        let Some(name) = name else { return false };
        let hash = short_hash(name.as_bytes());
        let (word, bit) = ((hash >> 6) as usize % WORDS, 1 << (hash & 63));
        if let Some(word) = seen.get_mut(word) {
            if *word & bit != 0 {
                return false;
            }
            *word |= bit;
        }
    }
    true
}

/// A key's text when it is stored as it is, without escapes, and names a field.
pub(crate) fn plain_name<'a>(key: &Key<'a>) -> Option<&'a str> {
    match key {
        Key::Text(text) if text.is_escaped() || !is_field_name(text.as_stored()) => None,
        _ => Some(key.name()),
    }
}

/// A name that Elasticsearch takes. What names no field loses its dots, so that it stands in no other
/// field's way, and is called `_` if nothing else is left of it.
pub(crate) fn sound(name: &str) -> Cow<'_, str> {
    if is_field_name(name) {
        return Cow::Borrowed(name);
    }
    let name = name.replace('.', "_");
    if is_field_name(&name) { Cow::Owned(name) } else { Cow::Borrowed("_") }
}

/// A hash of a name's length and both of its ends, of ten bits.
pub(crate) fn short_hash(name: &[u8]) -> u64 {
    let ends = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29)
        }
        _ => name.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte)),
    };
    (ends ^ (name.len() as u64) << 57).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54
}

/// A key's text, its escapes decoded.
pub(crate) fn key_text<'a>(key: &Key<'a>) -> Cow<'a, str> {
    match key {
        Key::Text(text) if text.is_escaped() => Cow::Owned(decoded(text.as_stored())),
        _ => Cow::Borrowed(key.name()),
    }
}

/// The text that the inside of a JSON string stands for.
pub(crate) fn decoded(inside: &str) -> String {
    let mut text = String::with_capacity(inside.len());
    escape::unescape(&mut text, inside);
    text
}

/// The names that an object has so far: for the rare record whose keys are not certainly distinct.
#[derive(Debug, Default)]
pub(crate) struct Names(HashSet<String>);

impl Names {
    /// Names that are taken from the start.
    pub(crate) fn taken<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        Self(names.map(str::to_owned).collect())
    }

    /// The name, with as many `_` after it as make it new; taken from now on.
    pub(crate) fn unique(&mut self, name: &str) -> String {
        let mut name = name.to_owned();
        while self.0.contains(&name) {
            name.push('_');
        }
        self.0.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pillion_parsers::record::{Known, Text};
    use proptest::prelude::*;

    fn distinct(names: &[&str]) -> bool {
        certainly_distinct(names.iter().copied().map(Some))
    }

    #[test]
    fn ordinary_keys_take_the_short_way() {
        assert!(distinct(&[
            "ts",
            "level",
            "logger",
            "msg",
            "trace_id",
            "span_id",
            "user",
            "duration_ms"
        ]));
        let known: Vec<&str> = Known::ALL.iter().take(12).map(|known| known.name()).collect();
        assert!(distinct(&known));
    }

    #[test]
    fn equal_text_is_never_certainly_distinct() {
        let name = "a name of more than eight bytes";
        assert!(!distinct(&[name, "b", name]));
        assert_eq!(plain_name(&Key::Text(Text::raw_escaped("\\u0061"))), None);
        assert_eq!(key_text(&Key::Text(Text::raw_escaped("\\u0061"))), "a");
        assert!(!certainly_distinct([None].into_iter()));
    }

    #[test]
    fn what_names_no_field_gets_a_name() {
        for (name, expect) in [
            ("a.b", "a.b"),
            ("", "_"),
            (" ", "_"),
            ("x.", "x_"),
            (".y", "_y"),
            ("p..q", "p__q"),
            ("..", "__"),
        ] {
            assert_eq!(sound(name), expect, "{name:?}");
            let plain = plain_name(&Key::Text(Text::raw(name)));
            assert_eq!(plain.is_some(), name == expect, "{name:?}");
        }
    }

    #[test]
    fn a_taken_name_gets_underscores() {
        let mut names = Names::taken(["a", "a_"].into_iter());
        assert_eq!([names.unique("a"), names.unique("a"), names.unique("b")], ["a__", "a___", "b"]);
    }

    proptest! {
        #[test]
        fn never_wrong_about_a_repeat(names in proptest::collection::vec("[ab]{0,3}", 0..12)) {
            let texts: Vec<&str> = names.iter().map(String::as_str).collect();
            let really: HashSet<&str> = texts.iter().copied().collect();
            if distinct(&texts) {
                prop_assert_eq!(really.len(), texts.len());
            }
        }
    }
}
