//! What the rules for secrets find in the logs that real programs wrote: looked at one by one, and
//! counted, so that a rule that begins to find more is noticed. The programs were made to log some
//! invented secrets, which must be found.
#![allow(clippy::disallowed_methods, reason = "tests may read files and the environment")]
#![allow(clippy::expect_used, reason = "a test fails by it")]
#![allow(clippy::panic, reason = "a test fails by it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pillion_parsers::redact::{Redactor, RuleSelection, Rules};

/// How many lines each rule finds something in, all of which were looked at.
const FOUND: &[(&str, usize)] = &[
    // Four of a honeypot, one in an SQL statement of MariaDB, one that vsftpd logs of who is anonymous.
    ("password", 6),
    // Off by default: sessions of cowrie, PostgreSQL, ZooKeeper and Envoy.
    ("session_id", 161),
];

fn logs(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            logs(&path, found);
        } else if path.extension().is_none_or(|ending| ending != "ndjson" && ending != "sh") {
            found.push(path);
        }
    }
    found.sort();
}

#[test]
fn what_is_found_in_real_logs_was_looked_at() {
    let selection = RuleSelection { rules: vec!["secrets".into()], ..RuleSelection::default() };
    let rules = Rules::build(selection);
    let mut redactor = Redactor::new(Arc::new(rules.expect("the rules")));
    let mut files = Vec::new();
    logs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recorded"), &mut files);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let (mut lines, mut shown) = (0, Vec::new());
    for file in &files {
        let log = std::fs::read(file).expect("a log");
        for line in String::from_utf8_lossy(&log).lines() {
            lines += 1;
            let before = redactor.matches().to_vec();
            let clean = redactor.clean(line);
            for (index, name) in redactor.rules().names().iter().enumerate() {
                if redactor.matches().get(index) != before.get(index) {
                    *counts.entry(name.clone()).or_default() += 1;
                    shown.push(format!("{name}: {}: {line}\n    {}", file.display(), &*clean));
                }
            }
        }
    }
    let expect = FOUND.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    assert!(lines > 20_000, "the logs were not found");
    assert_eq!(counts, expect, "in {lines} lines:\n{}", shown.join("\n"));
}
