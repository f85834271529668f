//! Whatever a configuration holds, reading it ends in settings or in mistakes: never in a panic.

use proptest::prelude::*;

use super::{from_text_bytes, text};

/// Words and punctuation from which something like a configuration may come about.
const PIECES: [&str; 48] = [
    "sources",
    "destinations",
    "app",
    "files",
    "to",
    ": ",
    ":\n",
    "\n",
    "\n  ",
    "\n    ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "&a ",
    "*a",
    "<<: ",
    "'",
    "\"",
    "|\n",
    "# ",
    "---\n",
    "!x ",
    "${",
    "}",
    "$",
    "${file:/dev/null}",
    "elasticsearch",
    "loki",
    "console",
    "labels",
    "redact",
    "rules",
    "custom",
    "pattern",
    "parsers",
    "samples",
    "record",
    "/var/*.log",
    "12MiB",
    "1s",
    "é",
    "\t",
    "\u{1b}[31m",
    "\r\n",
    "x: {files: /a}",
];

proptest! {
    #[test]
    fn any_bytes_give_settings_or_mistakes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Err(found) = from_text_bytes(bytes) {
            prop_assert!(found.count() > 0);
            prop_assert!(!found.coloured().is_empty() && !found.to_string().is_empty());
        }
    }

    #[test]
    fn any_pieces_give_settings_or_mistakes(
        pieces in prop::collection::vec(prop::sample::select(PIECES.as_slice()), 0..60),
    ) {
        if let Err(found) = text(&pieces.concat()) {
            prop_assert!(found.count() > 0);
            prop_assert!(!found.coloured().is_empty());
        }
    }

    #[test]
    fn a_damaged_good_file_gives_settings_or_mistakes(
        at in any::<prop::sample::Index>(),
        instead in prop::sample::select(PIECES.as_slice()),
        length in 0..20_usize,
    ) {
        let content = include_str!("../../../fixtures/configs/good/full.yaml");
        let letters: Vec<char> = content.chars().collect();
        let at = at.index(letters.len());
        let end = (at + length).min(letters.len());
        let damaged: String = letters[..at].iter().chain(&instead.chars().collect::<Vec<_>>())
            .chain(&letters[end..]).collect();
        if let Err(found) = text(&damaged) {
            prop_assert!(found.count() > 0);
            prop_assert!(!found.to_string().is_empty());
        }
    }
}
