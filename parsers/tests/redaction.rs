//! The list of rules in `docs/redaction.md` is made from the rules: this says what should stand there.
//!
//! `PILLION_BLESS=1 cargo test -p pillion-parsers --test redaction` writes it anew.
#![allow(clippy::disallowed_methods, reason = "tests may read files and the environment")]
#![allow(clippy::expect_used, reason = "a test fails by it")]

use std::fmt::Write;
use std::path::Path;

use pillion_parsers::redact::Rules;

const BEGIN: &str = "<!-- rules -->";
const END: &str = "<!-- end of rules -->";

fn list() -> String {
    let mut out = "\n| name | default | token | what it finds |\n|---|:---:|---|---|\n".to_owned();
    for rule in Rules::builtin() {
        let dot = if rule.default { "•" } else { "" };
        let doc = rule.doc.trim().replace('|', "\\|");
        writeln!(out, "| `{}` | {dot} | `[{}]` | {doc} |", rule.name, rule.token).expect("memory");
    }
    out + "\n"
}

#[test]
fn the_list_of_rules_is_made_from_the_rules() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/redaction.md");
    let page = std::fs::read_to_string(&path).expect("readable");
    let (before, rest) = page.split_once(BEGIN).expect("the list's beginning is marked");
    let (stands, behind) = rest.split_once(END).expect("the list's end is marked");
    let list = list();
    if std::env::var("PILLION_BLESS").is_ok() {
        std::fs::write(&path, format!("{before}{BEGIN}\n{list}{END}{behind}")).expect("written");
        return;
    }
    let (made, stands) = (list.trim(), stands.trim());
    let differ = made.lines().zip(stands.lines().chain(std::iter::repeat("")));
    let first = differ.into_iter().find(|(made, stands)| made != stands);
    assert_eq!(first, None, "docs/redaction.md is not what the rules say: bless it");
    assert_eq!(made.lines().count(), stands.lines().count());
}

#[test]
fn every_rule_says_what_it_finds() {
    for rule in Rules::builtin() {
        assert!(rule.doc.trim().len() > 10, "{} does not", rule.name);
    }
}
