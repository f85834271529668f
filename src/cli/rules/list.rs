//! `pillion rules` and `pillion rules NAME`: what is built in, and what each rule makes of its samples.

use std::io::Write;

use clap::Args;
use pillion_parsers::redact::{RuleFile, Rules};

use crate::cli::Failure;
use crate::cli::colour::Colours;
use crate::config;

/// Arguments of `rules` by itself.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// The name of a rule: show it with its samples. Any other word: list the rules that have it in their
    /// name, token, groups or description.
    #[arg(value_name = "WORD")]
    word: Option<String>,
    /// List only rules that are on by default.
    #[arg(long, conflicts_with = "off")]
    on: bool,
    /// List only rules that are off by default.
    #[arg(long)]
    off: bool,
}

pub(super) fn run(args: &ListArgs, colours: Colours) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let known = Rules::builtin();
    if let Some(word) = &args.word
        && let Some(rule) = known.iter().find(|rule| rule.name == *word)
    {
        show(&mut out, rule, colours)?;
        return Ok(());
    }
    let listed = known.iter().filter(|rule| {
        let wanted = (!args.on || rule.default) && (!args.off || !rule.default);
        wanted && args.word.as_ref().is_none_or(|word| has(rule, word))
    });
    let listed: Vec<_> = listed.collect();
    if let (Some(word), []) = (&args.word, listed.as_slice()) {
        let names = known.iter().map(|rule| rule.name.as_str());
        let near = config::nearest(word, names)
            .map_or_else(String::new, |near| format!("; did you mean {near}?"));
        return Err(Failure::Other(format!(
            "no rule is called {word:?}, or has that in what is said of it; `pillion rules` lists them{near}"
        )));
    }
    list(&mut out, &listed, colours)?;
    Ok(())
}

/// Whether a word stands in what is said of a rule.
fn has(rule: &RuleFile, word: &str) -> bool {
    let word = word.to_lowercase();
    let mut said = [&rule.name, &rule.token, &rule.doc].into_iter().chain(&rule.groups);
    said.any(|text| text.to_lowercase().contains(&word))
}

/// The rules by the first group that each is in, in the order in which the groups come up.
fn list(out: &mut impl Write, rules: &[&RuleFile], colours: Colours) -> std::io::Result<()> {
    let widest = |of: fn(&RuleFile) -> usize| rules.iter().map(|rule| of(rule)).max().unwrap_or(0);
    let (name, token) = (widest(|rule| rule.name.len()), widest(|rule| rule.token.len()));
    let mut groups: Vec<&str> = Vec::new();
    for rule in rules {
        if !groups.contains(&group(rule)) {
            groups.push(group(rule));
        }
    }
    let (strong, faint) = (colours.strong, colours.faint);
    for wanted in groups {
        writeln!(out, "{strong}{wanted}{strong:#}")?;
        for rule in rules.iter().filter(|rule| group(rule) == wanted) {
            let state = if rule.default { "on " } else { "off" };
            let doc = first_sentence(&rule.doc);
            writeln!(out, "  {:<name$}  {state}  {:<token$}  {doc}", rule.name, rule.token)?;
        }
    }
    let on = rules.iter().filter(|rule| rule.default).count();
    writeln!(
        out,
        "{faint}{} rules, {on} on by default; `pillion rules NAME` shows one with its samples{faint:#}",
        rules.len()
    )
}

/// The group that a rule is listed in.
fn group(rule: &RuleFile) -> &str {
    rule.groups.first().map_or("other", String::as_str)
}

fn first_sentence(doc: &str) -> &str {
    let doc = doc.trim();
    doc.find(". ").and_then(|end| doc.get(..=end)).unwrap_or(doc)
}

fn show(out: &mut impl Write, rule: &RuleFile, colours: Colours) -> std::io::Result<()> {
    let state = if rule.default { "on by default" } else { "off by default" };
    let strong = colours.strong;
    writeln!(
        out,
        "{strong}{}{strong:#}: {} ({state}; masks as {})",
        rule.name,
        rule.doc.trim(),
        rule.token
    )?;
    if !rule.groups.is_empty() {
        writeln!(out, "{strong}groups{strong:#}: {}", rule.groups.join(", "))?;
    }
    for (title, samples) in [("redacts", &rule.must_redact), ("leaves", &rule.must_leave)] {
        writeln!(out, "{strong}{title}{strong:#}:")?;
        for sample in samples {
            writeln!(out, "  {sample}")?;
        }
    }
    Ok(())
}
