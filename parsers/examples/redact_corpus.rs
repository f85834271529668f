//! Writes the labelled corpus, a line of JSON for each of its lines, and what pillion takes from it, for
//! `benches/redaction_peers/compare.py`: places are in bytes. The first line says what the tokens mean.
//!
//! `cargo run --release -p pillion-parsers --example redact_corpus [-- TIMES [SEED]] > corpus.ndjson`
#![allow(clippy::print_stdout, reason = "a report")]
#![allow(clippy::disallowed_methods, reason = "a program, not the library")]
#![allow(clippy::disallowed_types, reason = "a program, not the library")]

#[path = "../tests/labelled/corpus.rs"]
mod corpus;
#[path = "../tests/labelled/records.rs"]
mod records;
#[path = "../tests/labelled/removed.rs"]
mod removed;
#[path = "../tests/labelled/score.rs"]
mod score;

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use pillion_parsers::redact::{Redactor, Rules};
use serde_json::{Map, Value, json};

/// What the first line says: the token of each kind, those that each set of rules may leave, its speed.
fn meta(lines: &[corpus::Line], sets: &[(&str, Arc<Rules>)]) -> Value {
    let token =
        |name: &str| Rules::builtin().iter().find(|rule| rule.name == name).map(|rule| &rule.token);
    let judge = score::Judge::new(score::every_rule());
    let kinds = corpus::kinds().filter_map(|kind| Some((kind.name, token(judge.rule_of(kind)?)?)));
    let tokens: Map<String, Value> =
        kinds.map(|(kind, token)| (kind.to_owned(), token.as_str().into())).collect();
    let (mut on, mut speed) = (Map::new(), Map::new());
    for (name, rules) in sets {
        let tokens: Vec<_> = rules.names().iter().filter_map(|name| token(name)).collect();
        on.insert((*name).to_owned(), json!(tokens));
        speed.insert((*name).to_owned(), lines_per_second(lines, rules).into());
    }
    json!({ "tokens": tokens, "on": on, "lines_per_second": speed })
}

/// How many lines are redacted in a second, as text, on one core: the best of five passes.
fn lines_per_second(lines: &[corpus::Line], rules: &Arc<Rules>) -> u64 {
    let mut redactor = Redactor::new(Arc::clone(rules));
    let mut pass = || {
        let started = Instant::now();
        for line in lines {
            std::hint::black_box(redactor.clean(&line.text));
        }
        started.elapsed().as_micros()
    };
    let best = (0..5).map(|_| pass()).min().unwrap_or(1);
    lines.len() as u64 * 1_000_000 / u64::try_from(best.max(1)).unwrap_or(u64::MAX)
}

fn main() -> std::io::Result<()> {
    let argument = |at| std::env::args().nth(at).and_then(|text| text.parse::<u64>().ok());
    let times = usize::try_from(argument(1).unwrap_or(4)).unwrap_or(4);
    let lines = corpus::corpus(argument(2).unwrap_or(1), times);
    let sets = [("default", Rules::builtin_default()), ("all", score::every_rule())];
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    writeln!(out, "{}", meta(&lines, &sets))?;
    let mut judges = sets.map(|(name, rules)| (name, score::Judge::new(rules)));
    for line in &lines {
        let span = |span: &corpus::Span| {
            let (value, outer) = (&span.value, &span.outer);
            let (value, outer) = ([value.start, value.end], [outer.start, outer.end]);
            json!({ "kind": span.kind, "value": value, "outer": outer })
        };
        let spans: Vec<Value> = line.spans.iter().map(span).collect();
        let mut taken = Map::new();
        for (name, judge) in &mut judges {
            let part =
                |part: removed::Removed| json!([part.range.start, part.range.end, part.token]);
            let parts: Vec<Value> = judge.taken(line).0.into_iter().map(part).collect();
            taken.insert((*name).to_owned(), parts.into());
        }
        let (part, from, text) = (line.part.name(), &line.from, &line.text);
        let row =
            json!({ "part": part, "from": from, "text": text, "spans": spans, "pillion": taken });
        writeln!(out, "{row}")?;
    }
    out.flush()
}
