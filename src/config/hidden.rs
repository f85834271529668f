//! What of a configuration no error message may show: whatever could be a credential. Of a file that
//! is keys, what a mistake points at, and punctuation; every other value is starred out, whatever its
//! key is called. What a mistake points at is starred where it looks like a credential.

use std::ops::Range;

use super::diagnostic::{Place, Text};
use super::nearest::nearest;
use super::tree::{Kind, Node};

/// Parts of keys whose values are credentials, as far as anybody can tell: `api_key`, `passwd`, and
/// what is mistyped like them.
const WORDS: [&str; 12] = [
    "pass",
    "pasw",
    "pwd",
    "pw",
    "secret",
    "token",
    "key",
    "bearer",
    "auth",
    "credential",
    "cookie",
    "dsn",
];

/// The keys that hold credentials, for what is mistyped beyond [`WORDS`].
const KEYS: [&str; 5] = ["password", "api_key", "bearer", "hash_key", "token"];

fn is_secret(key: &str) -> bool {
    is_named_so(key) || nearest(key, KEYS.into_iter()).is_some()
}

fn is_named_so(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}

/// Places to hide in texts whose file, if there is one, could be read as a tree. `marks` are what the
/// mistakes point at.
pub(super) fn in_tree(root: &Node, texts: &[Text], marks: &[Place]) -> Vec<Place> {
    let mut places = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let content = text.content.as_str();
        if text.is_file {
            let mut veil = Veil::over(content);
            let here: Vec<_> = marks.iter().filter(|mark| mark.text == index).copied().collect();
            here.iter().for_each(|mark| veil.set(&mark.range(), false));
            let mut secrets = Vec::new();
            walk(root, false, &here, &mut veil, &mut secrets);
            // Last: an alias may have shown what is a credential elsewhere.
            secrets.iter().for_each(|range| veil.set(range, true));
            places.extend(veil.places(index));
        } else {
            let place = |it: Range<usize>| Place { text: index, start: it.start, end: it.end };
            places.extend(sensitive(content).into_iter().map(place));
        }
    }
    places
}

/// Which bytes of a text are hidden.
struct Veil<'t> {
    content: &'t str,
    hidden: Vec<bool>,
}

impl<'t> Veil<'t> {
    /// Hides every word.
    fn over(content: &'t str) -> Self {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
        Self { content, hidden: content.bytes().map(word).collect() }
    }

    fn set(&mut self, range: &Range<usize>, hidden: bool) {
        if let Some(bytes) = self.hidden.get_mut(range.clone()) {
            bytes.fill(hidden);
        }
    }

    fn typed(&self, range: &Range<usize>) -> &'t str {
        self.content.get(range.clone()).unwrap_or_default()
    }

    /// The runs of hidden bytes.
    fn places(&self, text: usize) -> impl Iterator<Item = Place> {
        let mut start = 0;
        self.hidden.chunk_by(|one, next| one == next).filter_map(move |run| {
            let place = Place { text, start, end: start + run.len() };
            start = place.end;
            run.first().is_some_and(|hidden| *hidden).then_some(place)
        })
    }
}

/// Shows keys; hides scalars but for what of them is marked. What must be hidden whatever points at it
/// goes to `secrets`. Recursion is bounded by the tree's depth.
fn walk(
    node: &Node,
    secret: bool,
    marks: &[Place],
    veil: &mut Veil<'_>,
    secrets: &mut Vec<Range<usize>>,
) {
    let range = node.place.range();
    match &node.kind {
        Kind::Scalar { text, .. } => {
            veil.set(&range, true);
            let within = |mark: &&Place| range.start <= mark.start && mark.end <= range.end;
            for mark in marks.iter().filter(within) {
                veil.set(&mark.range(), false);
            }
            let only_a_place = text.starts_with("${") && text.find('}') == Some(text.len() - 1);
            if secret && !only_a_place {
                secrets.push(range.clone());
            }
            let parts = sensitive(veil.typed(&range)).into_iter();
            secrets.extend(parts.map(|it| range.start + it.start..range.start + it.end));
        }
        Kind::List(nodes) => {
            for node in nodes {
                walk(node, secret, marks, veil, secrets);
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                // Below such a key, what is a key may be a credential with a colon in it.
                if secret {
                    secrets.push(entry.key_place.range());
                } else {
                    veil.set(&entry.key_place.range(), false);
                }
                let is_map = matches!(entry.value.kind, Kind::Map(_));
                let own = if is_map { is_named_so(&entry.key) } else { is_secret(&entry.key) };
                walk(&entry.value, secret || own, marks, veil, secrets);
            }
        }
    }
}

/// What looks like a credential in a single value: what stands before an `@`, a URL's query, and the
/// defaults of variables. A password may hold any character, so rather too much is taken than too
/// little.
fn sensitive(typed: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let authority = typed.find("://").map(|at| at + "://".len());
    if let Some(at) = typed.rfind('@') {
        let before = typed.get(..at).unwrap_or_default();
        match authority {
            Some(start) if start <= at => found.push(start..at),
            // Without a scheme, `user:password@host` and not a path with an `@` in it.
            None if before.contains(':') && !before.trim_start().starts_with('/') => {
                found.push(0..at);
            }
            _ => {}
        }
    }
    let rest = authority.and_then(|start| Some((start, typed.get(start..)?)));
    if let Some((start, rest)) = rest
        && let Some(query) = rest.find(['?', '#'])
    {
        found.push(start + query + 1..typed.len());
    }
    if let Some(variable) = typed.find("${")
        && let Some(default) = typed.get(variable..).and_then(|rest| rest.find(":-"))
    {
        let start = variable + default + ":-".len();
        let end = typed.rfind('}').filter(|end| *end >= start).unwrap_or(typed.len());
        found.push(start..end);
    }
    found
}

/// What was typed, as a message may repeat it.
pub(super) fn scrubbed(typed: &str) -> String {
    super::diagnostic::starred(typed, sensitive(typed))
}

/// Where there is no tree: every word that is no key, and all that belongs to the key of a credential,
/// on the lines below it too.
pub(super) fn in_lines(content: &str) -> Vec<Place> {
    let mut veil = Veil::over(content);
    let mut start = 0;
    // The column of the key whose value goes on.
    let mut inside: Option<usize> = None;
    for line in content.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        let blank = line.trim().is_empty();
        let goes_on = |column: usize| {
            blank || indent > column || (indent == column && line[indent..].starts_with('-'))
        };
        inside = inside.filter(|column| goes_on(*column));
        if inside.is_some() {
            veil.set(&(start..start + line.trim_end().len()), true);
        } else {
            for key in keys(line) {
                if is_secret(&line[key.clone()]) {
                    veil.set(&(start + key.end + 1..start + line.trim_end().len()), true);
                    inside = Some(key.start);
                    veil.set(&(start + key.start..start + key.end), false);
                    break;
                }
                veil.set(&(start + key.start..start + key.end), false);
            }
        }
        start += line.len();
    }
    veil.places(0).collect()
}

/// The words of a line that stand where keys do and have a colon behind them.
fn keys(line: &str) -> impl Iterator<Item = Range<usize>> {
    let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
    line.match_indices(':').filter_map(move |(colon, _)| {
        let ends = line[colon + 1..].chars().next();
        if ends.is_some_and(|next| !next.is_whitespace() && !"\"'[{".contains(next)) {
            return None;
        }
        let name = line[..colon].trim_end_matches(['"', '\'', ' ']);
        let start = name
            .rfind(|letter| !is_name(letter))
            .map_or(0, |at| at + name[at..].chars().next().map_or(1, char::len_utf8));
        let before = line[..start].trim_end_matches(['"', '\'', ' ', '\t']);
        let begins = before.is_empty() || before.ends_with(['-', '{', ',', '[']);
        (begins && start < name.len()).then_some(start..name.len())
    })
}
