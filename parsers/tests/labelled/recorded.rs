//! The lines that real programs logged, from `fixtures/recorded/`, and what stands in them that has to go:
//! `recorded.tsv`, written by hand.
#![allow(clippy::disallowed_methods, reason = "a test's support reads files")]

use std::path::{Path, PathBuf};

use super::text::Span;
use super::{Line, Part, kind};

/// By log, or by the beginning of its name: kind, value as it stands in the line, reason.
const LABELS: &str = include_str!("recorded.tsv");

/// What is no log.
const OTHERS: &[&str] = &["ndjson", "sh", "bash", "md", "gitattributes", ""];

struct Label {
    log: &'static str,
    kind: &'static str,
    /// What stands around the value, where that tells its place.
    around: (&'static str, &'static str),
    value: &'static str,
}

/// The kind of what may go or stay.
const EITHER: &str = "either";

fn labels() -> Vec<Label> {
    let rows = LABELS.lines().filter(|row| !row.starts_with('#') && !row.is_empty());
    let label = |row: &'static str| {
        let mut cells = row.split('\t');
        let mut cell = || cells.next().unwrap_or_default();
        let (log, name, text) = (cell(), cell(), cell());
        let of = kind(name).map_or(if name == EITHER { EITHER } else { "" }, |kind| kind.name);
        let parts: Vec<&str> = text.split(['«', '»']).collect();
        let (around, value) = match parts[..] {
            [before, value, behind] => ((before, behind), value),
            _ => (("", ""), text),
        };
        assert!(!of.is_empty() && !value.is_empty() && !cell().is_empty(), "recorded.tsv: {row}");
        Label { log: log.trim_end_matches('*'), kind: of, around, value }
    };
    rows.map(label).collect()
}

fn logs(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            logs(&path, found);
        } else if !OTHERS.iter().any(|other| path.extension().unwrap_or_default() == *other) {
            found.push(path);
        }
    }
}

/// Every line of every log that is text.
pub(crate) fn lines() -> Vec<Line> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recorded");
    let labels = labels();
    let mut paths = Vec::new();
    logs(&root, &mut paths);
    paths.sort();
    let mut lines = Vec::new();
    for path in paths {
        let name = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
        let bytes = std::fs::read(&path).unwrap_or_default();
        let of_log: Vec<&Label> =
            labels.iter().filter(|label| name.starts_with(label.log)).collect();
        for line in bytes.split(|byte| *byte == b'\n') {
            let text = String::from_utf8_lossy(line).trim_end_matches('\r').to_owned();
            if !text.trim().is_empty() {
                let spans = spans(&text, &of_log);
                lines.push(Line { text, spans, part: Part::Recorded, from: name.clone() });
            }
        }
    }
    lines
}

fn spans(text: &str, labels: &[&Label]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for label in labels {
        let (before, behind) = label.around;
        let whole = [before, label.value, behind].concat();
        for (at, _) in text.match_indices(&whole) {
            let at = at + before.len();
            let value = at..at + label.value.len();
            // The longer of two that overlap is the one that was meant.
            spans.retain(|known| {
                !(value.start <= known.value.start && known.value.end <= value.end)
            });
            if !spans.iter().any(|known| known.value.start <= at && at < known.value.end) {
                spans.push(Span {
                    outer: value.clone(),
                    value,
                    kind: label.kind,
                    plain: label.value.to_owned(),
                });
            }
        }
    }
    spans.sort_by_key(|span| span.value.start);
    spans
}
