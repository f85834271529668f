//! Writes the labelled corpus, a line of JSON for each of its lines, and what pillion takes from it, for
//! `benches/redaction_peers/compare.py`: places are in bytes.
//!
//! `cargo run --release -p pillion-parsers --example redact_corpus [-- TIMES [SEED]] > corpus.ndjson`
#![allow(clippy::print_stdout, reason = "a report")]
#![allow(clippy::disallowed_methods, reason = "a program, not the library")]

#[path = "../tests/labelled/corpus.rs"]
mod corpus;
#[path = "../tests/labelled/removed.rs"]
mod removed;
#[path = "../tests/labelled/score.rs"]
mod score;

use std::io::Write;

use pillion_parsers::redact::Rules;
use serde_json::json;

fn main() -> std::io::Result<()> {
    let argument = |at| std::env::args().nth(at).and_then(|text| text.parse::<u64>().ok());
    let times = usize::try_from(argument(1).unwrap_or(4)).unwrap_or(4);
    let mut sets = [
        ("default", score::Judge::new(Rules::builtin_default())),
        ("all", score::Judge::new(score::every_rule())),
    ];
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in corpus::corpus(argument(2).unwrap_or(1), times) {
        let spans = line.spans.iter().map(|span| {
            let (value, outer) = (&span.value, &span.outer);
            json!({
                "kind": span.kind, "value": [value.start, value.end], "outer": [outer.start, outer.end],
            })
        });
        let spans: Vec<_> = spans.collect();
        let taken = |judge: &mut score::Judge| {
            let (parts, _) = judge.taken(&line);
            let part =
                |part: removed::Removed| json!([part.range.start, part.range.end, part.token]);
            parts.into_iter().map(part).collect::<Vec<_>>()
        };
        let taken: Vec<_> = sets
            .iter_mut()
            .map(|(name, judge)| ((*name).to_owned(), taken(judge).into()))
            .collect();
        let taken: serde_json::Map<String, serde_json::Value> = taken.into_iter().collect();
        let row = json!({
            "part": line.part.name(), "from": line.from, "text": line.text, "spans": spans, "pillion": taken,
        });
        writeln!(out, "{row}")?;
    }
    out.flush()
}
