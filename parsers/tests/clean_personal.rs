//! What the rules for personal data find in the logs that real programs wrote: each looked at, and
//! counted, so that a rule that begins to find more is noticed.
#![allow(clippy::disallowed_methods, reason = "tests may read files and the environment")]
#![allow(clippy::expect_used, reason = "a test fails by it")]
#![allow(clippy::panic, reason = "a test fails by it")]
#![allow(clippy::print_stdout, reason = "what was found is to be looked at")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pillion_parsers::redact::{Place, Redactor, RuleSelection, Rules};

/// Rules that are no personal data's.
const OTHERS: &str = "secrets";

fn logs(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            logs(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "log") {
            found.push(path);
        }
    }
    found.sort();
}

/// The rules that look for personal data, on or off by default.
fn personal() -> Vec<String> {
    let grouped = Rules::builtin().iter().filter(|rule| !rule.groups.is_empty());
    let personal = grouped.filter(|rule| !rule.groups.iter().any(|group| group == OTHERS));
    personal.map(|rule| rule.name.clone()).collect()
}

/// Lines with something in them, by rule; and how many lines there are.
fn found(rules: Vec<String>) -> (BTreeMap<String, usize>, usize) {
    let selection = RuleSelection { rules, ..RuleSelection::default() };
    let mut redactor = Redactor::new(Arc::new(Rules::build(selection).expect("the rules")));
    let mut files = Vec::new();
    logs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recorded"), &mut files);
    let (mut counts, mut lines) = (BTreeMap::new(), 0);
    for file in &files {
        let log = std::fs::read(file).expect("a log");
        for line in String::from_utf8_lossy(&log).lines() {
            lines += 1;
            let clean = redactor.clean(line);
            if *clean == *line {
                continue;
            }
            let mut names = Vec::new();
            for found in redactor.explain(line) {
                let value = match &found.place {
                    Place::Bytes(range) => line.get(range.clone()).unwrap_or_default(),
                    Place::Field(field) => field,
                };
                println!("{}\t{value}\t{}\t{line}", found.rule, file.display());
                names.push(found.rule);
            }
            names.sort();
            names.dedup();
            for name in names {
                *counts.entry(name).or_default() += 1;
            }
        }
    }
    (counts, lines)
}

#[test]
fn what_is_found_in_real_logs_was_looked_at() {
    let (counts, lines) = found(personal());
    let most: BTreeMap<String, usize> =
        LOOKED_AT.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    for (name, count) in &counts {
        let most = most.get(name).copied().unwrap_or(0);
        assert!(*count <= most, "{name}: {count} in {lines} lines; `--nocapture` shows each");
    }
}

/// In how many lines each rule finds something, at most; all of them were looked at.
const LOOKED_AT: &[(&str, usize)] = &[
    // All of them addresses of example.com and its hosts.
    ("email", 246),
    // A customer that was made up, twice in JSON.
    ("phone", 2),
    // Off by default. Access logs are full of them; a MAC is in each packet that netfilter logs.
    ("ipv4", 893),
    ("ipv6", 486),
    ("mac", 6),
    // Off by default. `customer name=` is a name, `"customer":{"name":…}` is, too.
    ("person_name", 7),
];
