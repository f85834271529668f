//! A raw record that the gate takes for clean is not looked at any more: whatever a closer look would have
//! found leaks. Held against each other are records that passed the gate and records that are looked at in any
//! case, over the labelled corpus and all samples of the rules.
#![allow(clippy::expect_used, reason = "a test fails by it")]

#[path = "labelled/corpus.rs"]
mod corpus;

use std::fmt::Write;
use std::sync::Arc;

use pillion_parsers::Arena;
use pillion_parsers::parse::{Library, Parser, ParserState, ReadAt};
use pillion_parsers::record::{Record, Text, Value};
use pillion_parsers::redact::{BlockState, Redacted, Redactor, RuleSelection, Rules};

fn shown(record: &Redacted<'_, '_>) -> String {
    let mut out = record.message().map(|text| text.as_stored().to_owned()).unwrap_or_default();
    for field in record.fields() {
        _ = write!(out, "\n{}={}", field.key.name(), written(field.value));
    }
    out
}

fn written(value: Value<'_>) -> String {
    match value {
        Value::Text(text) => text.as_stored().to_owned(),
        Value::Number(text) | Value::Json(text) | Value::CleanJson(text) => text.to_owned(),
        other => format!("{other:?}"),
    }
}

/// What leaves of a line that was read by `auto`, or is a message as it is; `looked_at`: whatever the gate says.
fn leaves(
    redactor: &mut Redactor,
    library: &Arc<Library>,
    line: &str,
    how: (bool, bool),
) -> String {
    let (read, looked_at) = how;
    let (arena, mut record) = (Arena::new(), Record::default());
    if read {
        let mut parser =
            Parser::new(library, "auto", ParserState::default()).expect("it is built in");
        parser.learn(line);
        parser.end_learning(true);
        parser.parse(line, ReadAt { now: 0, container_time: None }, &arena, &mut record);
    } else {
        record.message = Some(Text::raw(line));
    }
    record.decoded |= looked_at;
    let redacted = redactor.redact(line, &mut record, &arena, &mut BlockState::default());
    redacted.as_ref().map(shown).unwrap_or_default()
}

/// Lines of which less goes behind the gate than without it.
fn leaks<'l>(rules: Rules, lines: impl Iterator<Item = &'l str>) -> Vec<String> {
    let (mut redactor, library) = (Redactor::new(Arc::new(rules)), Library::builtin());
    let mut leaks = Vec::new();
    for line in lines {
        for read in [true, false] {
            let gated = leaves(&mut redactor, &library, line, (read, false));
            let looked_at = leaves(&mut redactor, &library, line, (read, true));
            if gated != looked_at {
                leaks.push(format!("{line}\n  gate   {gated}\n  closer {looked_at}"));
            }
        }
    }
    leaks
}

fn rules(names: Vec<String>) -> Rules {
    let selection = RuleSelection { rules: names, ..RuleSelection::default() };
    Rules::build(selection).expect("rules that are built in")
}

fn all() -> Vec<String> {
    Rules::builtin().iter().map(|rule| rule.name.clone()).collect()
}

fn hold(leaks: &[String]) {
    assert!(leaks.is_empty(), "{} leaks\n{}", leaks.len(), leaks.join("\n"));
}

#[test]
fn nothing_of_the_corpus_is_clean_that_is_not() {
    let corpus = corpus::corpus(3, 1);
    for names in [vec!["default".to_owned()], all()] {
        hold(&leaks(rules(names), corpus.iter().map(|line| &*line.text)));
    }
}

/// With a value in one field, others may not be looked at. As JSON, as PHP writes it, and as values that tabs and colons
/// part.
#[test]
fn nothing_is_clean_beside_what_is_not() {
    let corpus = corpus::corpus(4, 1);
    let short: Vec<_> = corpus.iter().filter(|line| line.text.len() < 200).collect();
    let names = ["host", "note", "msg", "user", "ref"];
    let (mut json, mut ltsv) = (Vec::new(), Vec::new());
    for lines in short.chunks(names.len()) {
        let members = names.iter().zip(lines).map(|(name, line)| (*name, line.text.as_str()));
        let member = |(name, text): (&str, &str)| (name.to_owned(), text.into());
        json.push(serde_json::Value::Object(members.clone().map(member).collect()).to_string());
        let text: Vec<String> = members
            .map(|(name, text)| format!("{name}:{}", text.replace(['\t', '\n'], " ")))
            .collect();
        ltsv.push(text.join("\t"));
    }
    let php: Vec<String> = json.iter().map(|record| record.replace('/', r"\/")).collect();
    // Of names there are some in most records, after which all is looked at: by themselves, forms are more often.
    let forms = [
        "email",
        "card",
        "iban",
        "phone",
        "phone_national",
        "br_cnpj",
        "cz_rc",
        "authorization",
        "jwt",
        "github_token",
        "ipv4",
        "mac",
        "url_password",
    ];
    for names in [vec!["default".to_owned()], all(), forms.map(str::to_owned).to_vec()] {
        for records in [&json, &php, &ltsv] {
            hold(&leaks(rules(names.clone()), records.iter().map(String::as_str)));
        }
    }
}

#[test]
fn no_sample_is_clean_that_is_not() {
    let samples =
        || Rules::builtin().iter().flat_map(|rule| rule.must_redact.iter().chain(&rule.must_leave));
    for names in [vec!["default".to_owned()], all()] {
        hold(&leaks(rules(names), samples().map(String::as_str)));
    }
    for rule in Rules::builtin() {
        let samples = rule.must_redact.iter().chain(&rule.must_leave).map(String::as_str);
        hold(&leaks(rules(vec![rule.name.clone()]), samples));
    }
}
