//! Names of secrets that a parser could cut from their values, and what it decodes.

use super::{shown, standard};
use crate::Arena;
use crate::definition::Definition;
use crate::parse::{Library, Parser, ParserState, ReadAt};
use crate::record::Record;
use crate::redact::{BlockState, CustomRule, Redactor, RuleSelection};

/// What leaves of a line, as JSON.
fn leaves(redactor: &mut Redactor, mut parser: Parser, line: &str) -> String {
    let (arena, mut record) = (Arena::new(), Record::default());
    parser.parse(line, ReadAt { now: 0, container_time: None }, &arena, &mut record);
    shown(redactor.redact(line, &mut record, &arena, &mut BlockState::default())).to_string()
}

fn parser(name: &str) -> Parser {
    Parser::new(&Library::builtin(), name, ParserState::default()).unwrap()
}

/// A parser by a definition of its own.
fn defined(yaml: &str) -> Parser {
    let mut definition = Definition::from_yaml(yaml).unwrap();
    definition.name = "own".to_owned();
    let library = Library::builtin().with(vec![definition]).unwrap();
    Parser::new(&library, "own", ParserState::default()).unwrap()
}

#[test]
fn a_name_is_not_cut_from_its_value() {
    for line in [
        "2026-11-26 02:20:14 INFO password: hunter2secret",
        "2026-11-26T02:20:14.123Z [INFO]  password: hunter2secret",
        "INFO:password:hunter2secret",
        "2026/11/26 02:20:14 INFO password: hunter2secret",
        "2026-11-26T02:20:14.123456Z  INFO password: hunter2secret",
        "<13>Nov 26 02:20:14 web password: hunter2secret",
        "2026-11-26 02:20:14,123 INFO  [main] password: hunter2secret",
    ] {
        let left = leaves(&mut standard(), parser("auto"), line);
        assert!(!left.contains("hunter2"), "{line}: {left}");
    }
}

#[test]
fn a_value_is_no_key() {
    for (line, secret) in [
        ("user=bob password=c2VjcmV0MTIzNDU2== ok=1", "c2VjcmV0"),
        ("api_key: dGVzdHNlY3JldDEyMw==, b=1", "dGVzdHN"),
        ("authorization: Basic dXNlcjpwYXNzd29yZA== x=1", "dXNlcj"),
        ("authorization: Basic dXNlcjpwYXNzd29yZDE= x=1", "dXNlcj"),
        ("a=1 authorization: Basic dXNlcjpwYXNzd29yZDE=", "dXNlcj"),
        ("password= hunter2secret=x", "hunter2"),
        ("password: hunter2secret=x", "hunter2"),
    ] {
        let left = leaves(&mut standard(), parser("key_value"), line);
        assert!(!left.contains(secret), "{line}: {left}");
    }
}

#[test]
fn an_objects_name_may_be_a_member() {
    for line in [
        r#"{"a":[{"key":"password","value":{"stringValue":"hunter2secret"}}]}"#,
        r#"{"a":[{"value":"hunter2secret", "name" : "db_password"}]}"#,
        r#"{"a":{"key":"api_key","value":{"stringValue":"hunter2secret"}}}"#,
        r#"{"a":{"key":"password","value":{"arrayValue":{"values":[{"stringValue":"hunter2secret"}]}}}}"#,
        r#"{"key":"password","value":"hunter2secret"}"#,
        r#"{"msg":"{\"key\":\"password\",\"value\":\"hunter2secret\"}"}"#,
        r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"},"attributes":[{"key":"password","value":{"stringValue":"hunter2secret"}}]},{"body":{"stringValue":"b"}}]}]}]}"#,
        r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"},"attributes":[{"key":"x","value":{"arrayValue":{"values":[{"kvlistValue":{"values":[{"key":"password","value":{"stringValue":"hunter2secret"}}]}}]}}}]}]}]}]}"#,
    ] {
        let left = leaves(&mut standard(), parser("auto"), line);
        assert!(!left.contains("hunter2"), "{line}: {left}");
    }
    let line = r#"{"a":[{"key":"user","value":"bob"},{"name":"colour","value":"many"}]}"#;
    let left = leaves(&mut standard(), parser("json"), line);
    assert!(left.contains("bob") && left.contains("many"), "{left}");
}

#[test]
fn what_was_decoded_stays_so() {
    let custom = CustomRule {
        name: "project".to_owned(),
        pattern: "proj/[a-z]+".to_owned(),
        must_redact: vec!["proj/a".to_owned()],
        must_leave: Vec::new(),
    };
    let selection = RuleSelection { custom: vec![custom], ..RuleSelection::standard() };
    let mut redactor = super::redactor(selection);
    let app = "name: app\nwithin: json\ngrammar: key_value\n";
    let app = Definition::from_yaml(app).unwrap();
    let library = Library::builtin().with(vec![app]).unwrap();
    let chain = |names: [&'static str; 3], few: usize| {
        Parser::chain(&library, names.into_iter().take(few), ParserState::default()).unwrap()
    };
    let line = r#"Nov 26 01:53:22 web app: {"msg":"a=1, note='x proj\/apollo'"}"#;
    let left = leaves(&mut redactor, chain(["syslog", "json", "key_value"], 3), line);
    assert!(!left.contains("apollo"), "{left}");
    let line = r#"{"msg":"message='free x proj\/apollo y', note='x proj\/apollo'"}"#;
    let left = leaves(&mut redactor, chain(["app", "json", ""], 2), line);
    assert!(!left.contains("apollo"), "{left}");
}

#[test]
fn what_is_cut_out_of_a_word_is_looked_at() {
    for kind in ["address", "escaped", "request"] {
        let layout = format!("layout: 'x{{a:{kind}}} {{message}}'\n");
        let left = leaves(&mut standard(), defined(&layout), "xAKIAIOSFODNN7EXAMPLE:80 hi");
        assert!(!left.contains("AKIAIOSFODNN7EXAMPLE"), "{kind}: {left}");
    }
}

#[test]
fn no_message_gets_lost() {
    let line = "2026-11-26T02:20:14.123Z\tINFO\tmain.go:12\thello\t{\"message\":\"LOST\",\"a\":1}";
    let left = leaves(&mut standard(), parser("auto"), line);
    assert!(left.contains(r#""message":"hello""#) && left.contains("LOST"), "{left}");
}
