//! How much of a labelled corpus redaction finds, and what it takes that is nothing to be found.
//!
//! `cargo run --release -p pillion-parsers --example redact_score [-- OPTION…]`, where
//!
//! - `--by-rule` prints a row for each rule, `--by-kind` one for each kind of value,
//! - `--faults` prints what was missed and what was taken wrongly; `--faults=RULE` of one rule,
//! - `--markdown` prints the part of `docs/redaction.md` that has the scores, `--write=PAGE` puts it there,
//! - `--rules=NAME,NAME` scores those rules rather than the default ones and all,
//! - `--times=N` draws N values of each kind for each context, 4 if it is not said; `--seed=N` others.
#![allow(clippy::print_stdout, reason = "a report")]
#![allow(clippy::disallowed_methods, reason = "a program, not the library")]

#[path = "../tests/labelled/corpus.rs"]
mod corpus;
#[path = "../tests/labelled/records.rs"]
mod records;
#[path = "../tests/labelled/removed.rs"]
mod removed;
#[path = "../tests/labelled/score.rs"]
mod score;
#[path = "../tests/labelled/tables.rs"]
mod tables;

use std::sync::Arc;

use pillion_parsers::redact::{RuleSelection, Rules};
use score::{Fault, Judge};

/// The value of an option `--name=value`.
fn option(name: &str) -> Option<String> {
    let prefix = format!("--{name}=");
    std::env::args().find_map(|argument| argument.strip_prefix(&prefix).map(str::to_owned))
}

fn flag(name: &str) -> bool {
    std::env::args().any(|argument| argument == format!("--{name}"))
}

fn number(name: &str, otherwise: u64) -> u64 {
    option(name).and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

fn print_faults(faults: &[Fault], only: Option<&str>) {
    for fault in faults.iter().filter(|fault| only.is_none_or(|only| fault.rule == only)) {
        println!("{} {} ({})\n  part   {}", fault.rule, fault.what, fault.from, fault.part);
        println!("  line   {}\n  output {}", fault.line, fault.output);
    }
}

/// Puts the scores into a page, between their marks.
fn write(page: &str, part: &str) -> std::io::Result<()> {
    let (begin, end) = ("<!-- scores -->", "<!-- end of scores -->");
    let text = std::fs::read_to_string(page)?;
    let parts =
        text.split_once(begin).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
    let (before, behind) =
        parts.ok_or_else(|| std::io::Error::other("the page has no marks for the scores"))?;
    std::fs::write(page, format!("{before}{begin}\n\n{part}\n{end}{behind}"))
}

fn main() -> std::io::Result<()> {
    let times = usize::try_from(number("times", 4)).unwrap_or(4);
    let corpus = corpus::corpus(number("seed", 1), times);
    let sets = match option("rules") {
        Some(names) => {
            let rules = names.split(',').map(str::to_owned).collect();
            let built = Rules::build(RuleSelection { rules, ..RuleSelection::default() });
            vec![("chosen", built.map_or_else(|_| Arc::default(), Arc::new))]
        }
        None => vec![("default", Rules::builtin_default()), ("all", score::every_rule())],
    };
    let mut scores = Vec::new();
    for (name, rules) in sets {
        let mut judge = Judge::new(rules);
        scores.push((name, judge.score(&corpus)));
    }
    if let Some(page) = option("write") {
        return write(&page, &tables::page(&scores));
    }
    if flag("markdown") {
        print!("{}", tables::page(&scores));
        return Ok(());
    }
    print!("{}", tables::overall(&scores));
    for (name, score) in &scores {
        if flag("by-rule") {
            println!("\n{}", tables::by_rule(name, score));
        }
        if flag("by-kind") {
            println!("\n{}", tables::by_kind(name, score));
        }
    }
    let only = option("faults");
    if let Some((_, score)) = scores.last().filter(|_| flag("faults") || only.is_some()) {
        print_faults(&score.faults, only.as_deref());
    }
    Ok(())
}
