//! Finds credentials in what was typed, so that no error message shows them.

use super::diagnostic::{Place, Text};
use super::nearest::nearest;
use super::tree::{Kind, Node};

/// Parts of keys whose values are credentials, as far as anybody can tell: `api_key`, `passwd`, and
/// what is mistyped like them.
const WORDS: [&str; 8] = ["pass", "pwd", "secret", "token", "key", "bearer", "auth", "credential"];

/// The keys that hold credentials, for what is mistyped beyond [`WORDS`].
const KEYS: [&str; 5] = ["password", "api_key", "bearer", "hash_key", "token"];

fn is_secret(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word)) || nearest(key, KEYS.into_iter()).is_some()
}

/// Places of credentials in a tree: values under keys of such names, unless they are only a place for
/// a variable or a file, and what stands before the `@` of a URL.
pub(super) fn in_tree(root: &Node, texts: &[Text]) -> Vec<Place> {
    let mut places = Vec::new();
    walk(root, false, texts, &mut places);
    places
}

/// Recursion is bounded by the tree's depth.
fn walk(node: &Node, secret: bool, texts: &[Text], places: &mut Vec<Place>) {
    match &node.kind {
        Kind::Scalar { text, .. } => {
            let only_a_place = text.starts_with("${") && text.find('}') == Some(text.len() - 1);
            if secret && !only_a_place {
                places.push(node.place);
            } else if let Some(content) = texts.get(node.place.text).map(|text| &text.content)
                && let Some(typed) = content.get(node.place.range())
                && let Some(range) = user_info(typed)
            {
                places.push(node.place.within(&range));
            }
        }
        Kind::List(nodes) => {
            for node in nodes {
                walk(node, secret, texts, places);
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                walk(&entry.value, secret || is_secret(&entry.key), texts, places);
            }
        }
    }
}

/// The part of a URL between `://` and `@`.
fn user_info(text: &str) -> Option<std::ops::Range<usize>> {
    let start = text.find("://")? + "://".len();
    let authority = text.get(start..)?;
    let end = authority.find(['/', '?', '#']).unwrap_or(authority.len());
    let at = authority.get(..end)?.rfind('@')?;
    Some(start..start + at)
}

/// Where there is no tree: in every line that names such a key, all that follows the colon.
pub(super) fn in_lines(content: &str) -> Vec<Place> {
    let mut places = Vec::new();
    let mut start = 0;
    for line in content.split_inclusive('\n') {
        let key_before = |colon: &usize| {
            let before = line.get(..*colon).unwrap_or_default();
            let name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
            let key = before.trim_end_matches(['"', '\'', ' ']);
            let start = key.rfind(|letter| !name(letter)).map_or(0, |at| at + 1);
            is_secret(key.get(start..).unwrap_or(key))
        };
        let colon = line.match_indices(':').map(|(at, _)| at).find(key_before);
        if let Some(colon) = colon {
            places.push(Place { text: 0, start: start + colon + 1, end: start + line.len() });
        } else if let Some(range) = user_info(line) {
            places.push(Place { text: 0, start: start + range.start, end: start + range.end });
        }
        start += line.len();
    }
    places
}
