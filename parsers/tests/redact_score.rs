//! Redaction on the labelled corpus: it finds what is there, and takes nothing else. What it misses, and
//! what it takes wrongly, `cargo run -p pillion-parsers --example redact_score -- --faults` prints.

#[path = "labelled/corpus.rs"]
mod corpus;
#[path = "labelled/records.rs"]
mod records;
#[path = "labelled/removed.rs"]
mod removed;
#[path = "labelled/score.rs"]
mod score;

use std::sync::Arc;

use pillion_parsers::redact::{RuleSelection, Rules};
use score::{Judge, Score};

/// The corpus is a quarter of that whose scores the documentation gives, and another.
const SEED: u64 = 2;
const TIMES: usize = 1;

const RECALL: f64 = 0.99;
const PRECISION: f64 = 0.98;
/// Lines with a false alarm in 2,000 that programs logged, with the default rules.
const ALARMS: f64 = 1.0;
/// No kind of value may be lost among the others.
const RECALL_OF_A_KIND: f64 = 0.9;

fn scored(rules: Arc<Rules>) -> Score {
    Judge::new(rules).score(&corpus::corpus(SEED, TIMES))
}

/// What falls short of the thresholds.
fn short(score: &Score) -> Vec<String> {
    let mut short = Vec::new();
    let mut hold = |what: String, is: f64, least: f64| {
        if is < least {
            short.push(format!("{what} is {is:.4}, less than {least}"));
        }
    };
    hold("recall".to_owned(), score.all.recall().unwrap_or(0.0), RECALL);
    hold("precision".to_owned(), score.all.precision().unwrap_or(0.0), PRECISION);
    let kept = 1.0 - score.left as f64 / score.all.values.max(1) as f64;
    hold("the part of values that is in no record".to_owned(), kept, RECALL);
    for (kind, tally) in &score.by_kind {
        hold(format!("recall of {kind}"), tally.recall().unwrap_or(1.0), RECALL_OF_A_KIND);
    }
    short
}

#[test]
fn the_default_rules_find_what_is_there_and_nothing_else() {
    let score = scored(Rules::builtin_default());
    assert!(score.all.values > 1_500, "{} values", score.all.values);
    assert_eq!(short(&score), Vec::<String>::new());
    let alarms = score.alarms_in_2000();
    assert!(alarms <= ALARMS, "{alarms:.2} lines in 2,000 have a false alarm");
}

#[test]
fn all_rules_find_what_is_there_and_nothing_else() {
    let score = scored(score::every_rule());
    assert_eq!(short(&score), Vec::<String>::new());
}

#[test]
fn a_rule_that_finds_nothing_or_too_much_is_noticed() {
    // Any word of seven letters: nothing of it is labelled.
    let custom = pillion_parsers::redact::CustomRule {
        name: "seven".to_owned(),
        pattern: r"\b[a-z]{7}\b".to_owned(),
        must_redact: vec!["another word".to_owned()],
        must_leave: vec!["no such".to_owned()],
        ..Default::default()
    };
    let rules = vec!["default".to_owned()];
    let selection = RuleSelection { rules, custom: vec![custom], ..RuleSelection::default() };
    let score = scored(Arc::new(Rules::build(selection).expect("a good rule")));
    assert!(score.alarms_in_2000() > 100.0 * ALARMS);
    assert!(score.all.precision().expect("something was taken") < PRECISION);
}
