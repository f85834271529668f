//! Scores as Markdown tables.
#![allow(dead_code, reason = "each of the programs that share this uses a part of it")]

use std::fmt::Write;

use super::corpus::Part;
use super::score::{Score, Tally};

fn part(of: Option<f64>) -> String {
    of.map_or_else(|| "–".to_owned(), |of| format!("{of:.3}"))
}

fn row(out: &mut String, name: &str, tally: &Tally) {
    let Tally { values, found, by_own, alarms, .. } = tally;
    let (recall, precision) = (part(tally.recall()), part(tally.precision()));
    let other = found - by_own;
    _ = writeln!(out, "| {name} | {values} | {recall} | {precision} | {alarms} | {other} |");
}

const COLUMNS: &str = "values | recall | precision | false alarms | found by another rule |\n\
                       |---|---:|---:|---:|---:|---:|\n";

/// One row for each set of rules.
pub(crate) fn overall(scores: &[(&str, Score)]) -> String {
    let mut out =
        "| rules | values | recall | left in records | precision | recorded lines | with a false alarm | in 2,000 \
                   |\n|---|---:|---:|---:|---:|---:|---:|---:|\n"
            .to_owned();
    for (name, score) in scores {
        let (lines, alarmed) = score.lines.get(&Part::Recorded).copied().unwrap_or_default();
        let (recall, precision) = (part(score.all.recall()), part(score.all.precision()));
        let (values, left) = (score.all.values, score.left);
        let often = score.alarms_in_2000();
        _ = writeln!(
            out,
            "| {name} | {values} | {recall} | {left} | {precision} | {lines} | {alarmed} | {often:.2} |"
        );
    }
    out
}

/// What stands in the documentation: all scores, and those of each rule where all are on.
pub(crate) fn page(scores: &[(&str, Score)]) -> String {
    let rules = scores.last().map(|(name, score)| by_rule(name, score));
    format!("{}\n{}", overall(scores), rules.unwrap_or_default())
}

/// One row for each rule.
pub(crate) fn by_rule(name: &str, score: &Score) -> String {
    let mut out = format!("| rule ({name}) | {COLUMNS}");
    for (rule, tally) in &score.by_rule {
        row(&mut out, &format!("`{rule}`"), tally);
    }
    out
}

/// One row for each kind of value.
pub(crate) fn by_kind(name: &str, score: &Score) -> String {
    let mut out = format!("| kind ({name}) | {COLUMNS}");
    for (kind, tally) in &score.by_kind {
        row(&mut out, kind, tally);
    }
    out
}
