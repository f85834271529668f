//! The nearest known word to one that was mistyped.

/// How other shippers call what pillion calls the second.
const ELSEWHERE: [(&str, &str); 25] = [
    ("inputs", "sources"),
    ("scrape_configs", "sources"),
    ("outputs", "destinations"),
    ("sinks", "destinations"),
    ("clients", "destinations"),
    ("transforms", "steps"),
    ("filters", "steps"),
    ("processors", "steps"),
    ("pipeline_stages", "steps"),
    ("redaction", "redact"),
    ("data_dir", "state"),
    ("path", "files"),
    ("paths", "files"),
    ("include", "files"),
    ("ignore_older_secs", "ignore_older"),
    ("read_from", "start_at"),
    ("read_from_head", "start_at"),
    ("tags", "fields"),
    ("hosts", "url"),
    ("host", "url"),
    ("endpoint", "url"),
    ("endpoints", "url"),
    ("username", "user"),
    ("tenant_id", "tenant"),
    ("elastic", "elasticsearch"),
];

/// The known word that `typed` is most likely meant to be: the one other programs use it for, or
/// the one with the fewest slips between them, if they are few for its length.
pub(crate) fn nearest<'k>(typed: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let typed: String = typed.chars().take(64).flat_map(char::to_lowercase).collect();
    let typed = typed.replace('-', "_");
    let elsewhere = ELSEWHERE.iter().find(|(word, _)| *word == typed).map(|(_, ours)| *ours);
    let mut best: Option<(usize, &str)> = None;
    for word in known {
        if Some(word) == elsewhere {
            return Some(word);
        }
        let plain = word.to_lowercase().replace('-', "_");
        let slips = if typed.len() >= 4 && (plain.starts_with(&typed) || typed.starts_with(&plain))
        {
            // One begins the other: `start` for `start_at`.
            1
        } else {
            strsim::damerau_levenshtein(&typed, &plain)
        };
        let allowed = match typed.len().max(word.len()) {
            0..=2 => 0,
            3..=4 => 1,
            5..=8 => 2,
            _ => 3,
        };
        if slips <= allowed && best.is_none_or(|(fewest, _)| slips < fewest) {
            best = Some((slips, word));
        }
    }
    best.map(|(_, word)| word)
}

/// A sentence to go with an unknown word: the nearest, else all there are.
pub(super) fn suggestion<'k>(
    typed: &str,
    known: impl Iterator<Item = &'k str> + Clone,
) -> Option<String> {
    if let Some(word) = nearest(typed, known.clone()) {
        return Some(format!("did you mean `{word}`?"));
    }
    listed(known)
}

/// The same of words that are too many to list: what has a part in common with it, and where all are.
pub(super) fn near<'k>(
    typed: &str,
    known: impl Iterator<Item = &'k str> + Clone,
    all: &str,
) -> Option<String> {
    /// Words that are shown.
    const SHOWN: usize = 4;
    if let Some(word) = nearest(typed, known.clone()) {
        return Some(format!("did you mean `{word}`?"));
    }
    let typed = typed.to_lowercase();
    let parts = typed.split(['_', '-', '.', ' ']).filter(|part| part.len() >= 3);
    let alike = known.filter(|word| parts.clone().any(|part| word.contains(part))).take(SHOWN);
    let alike: Vec<_> = alike.map(|word| format!("`{word}`")).collect();
    Some(if alike.is_empty() {
        all.to_owned()
    } else {
        format!("near it: {}; {all}", alike.join(", "))
    })
}

/// All known words, for choosing from.
pub(super) fn listed<'k>(known: impl Iterator<Item = &'k str>) -> Option<String> {
    let all: Vec<_> = known.map(|word| format!("`{word}`")).collect();
    match all.as_slice() {
        [] => None,
        [one] => Some(format!("only {one} is known here")),
        [most @ .., last] => Some(format!("known here: {} and {last}", most.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_forgiven_and_guesses_are_not_made() {
        let known = ["files", "exclude", "to", "parser", "max_record", "sources"];
        let check = |typed: &str, expect: Option<&str>| {
            assert_eq!(nearest(typed, known.iter().copied()), expect, "{typed}");
        };
        check("file", Some("files"));
        check("flies", Some("files"));
        check("Max-Record", Some("max_record"));
        check("path", Some("files"));
        check("inputs", Some("sources"));
        check("parse", Some("parser"));
        check("max_", Some("max_record"));
        check("xy", None);
        check("colour", None);
        check("", None);
    }

    #[test]
    fn of_very_many_words_the_near_ones_are_shown() {
        let known = ["nginx", "nginx_json", "log4j_json", "java", "squid"];
        let check = |typed: &str, expect: &str| {
            assert_eq!(near(typed, known.into_iter(), "see there").as_deref(), Some(expect));
        };
        check("ngnix", "did you mean `nginx`?");
        check("json-lines", "near it: `nginx_json`, `log4j_json`; see there");
        check("q", "see there");
    }

    #[test]
    fn without_a_near_word_all_are_listed() {
        let all = ["block", "drop_newest"];
        assert_eq!(
            suggestion("wait", all.into_iter()).as_deref(),
            Some("known here: `block` and `drop_newest`")
        );
        assert_eq!(suggestion("x", std::iter::empty()), None);
    }
}
