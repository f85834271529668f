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
        ..CustomRule::default()
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
    for kind in ["address", "escaped", "escaped_lines", "request"] {
        let layout = format!("layout: 'x{{a:{kind}}} {{message}}'\n");
        let left = leaves(&mut standard(), defined(&layout), "xAKIAIOSFODNN7EXAMPLE:80 hi");
        assert!(!left.contains("AKIAIOSFODNN7EXAMPLE"), "{kind}: {left}");
    }
}

#[test]
fn what_is_cut_from_its_name_by_a_layout_goes_by_it() {
    for (format, line) in [
        ("layout: 'login password={note} {message}'", "login password=hunter2 ok"),
        ("layout: 'login password=\"{note}\" {message}'", "login password=\"hunter2\" ok"),
        ("layout: 'login password={note:quoted} {message}'", r#"login password="hunter2\n" ok"#),
        ("layout: 'login password={note:int} {message}'", "login password=48151623 ok"),
        ("layout: 'login password={note:ms} {message}'", "login password=48151623 ok"),
        ("layout: 'login password={note:s} {message}'", "login password=48151623.5 ok"),
        ("layout: 'login {_}={note:ms} {message}'", "login password=48151623 ok"),
        ("layout: 'login {_}={note} {message}'", "login password=hunter2 ok"),
        ("layout: 'login password={note:json} {message}'", "login password=48151623 ok"),
        ("layout: 'login password={note:json} {message}'", r#"login password="hunter2\n" ok"#),
        ("layout: 'login Bearer {note} {message}'", "login Bearer hunter2abcdef0123456789 ok"),
        ("layout: 'to {note}@{host} {message}'", "to hunter2@example.com ok"),
        ("layout: 'login password={message}'", "login password=hunter2 ok"),
        ("layout: 'login password={note}'\ntypes: {note: integer}", "login password=48151623"),
        ("layout: 'login password={note}'\ntypes: {note: us}", "login password=48151623"),
        ("pattern: '^login password=(?<note>\\S+) (?<message>.*)$'", "login password=hunter2 ok"),
        (
            "pattern: '^login password=(?<note>\\d+) (?<message>.*)$'\ntypes: {note: integer}",
            "login password=48151623 ok",
        ),
        (
            "pattern: '^login password=(?<note>\\d+) (?<message>.*)$'\ntypes: {note: ns}",
            "login password=48151623 ok",
        ),
        ("nested: json\nlayout: 'password={note} {message}'", r#"password=hunter2 {"a":1}"#),
        ("within: json\nlayout: 'password={note} {message}'", r#"{"msg":"password=hunter2 ok"}"#),
    ] {
        let left = leaves(&mut standard(), defined(&format!("{format}\n")), line);
        let secret = left.contains("hunter2") || left.contains("48151623");
        assert!(!secret && left.contains('['), "{format}: {left}");
        assert!(left.contains("ok") || !line.contains("ok"), "{format}: {left}");
    }
    // JSON has no places once it is looked through: it goes whole.
    let custom = CustomRule {
        name: "order".to_owned(),
        pattern: r#"order \{"id":"[a-z0-9]+""#.to_owned(),
        must_redact: vec![r#"order {"id":"a1""#.to_owned()],
        ..CustomRule::default()
    };
    let selection = RuleSelection { custom: vec![custom], ..RuleSelection::standard() };
    let layout = defined("layout: 'order {note:json} {message}'\n");
    let left = leaves(&mut super::redactor(selection), layout, r#"order {"id":"hunter2"} ok"#);
    assert!(left.contains(r#""note":"[ORDER]""#) && left.contains("ok"), "{left}");
    // What is found in it by itself takes no more with it than it would anywhere.
    for (kind, note, stays) in [
        ("json", r#"{"mail":"a@b.example","password":"hunter2","n":7}"#, r#"\"n\":7"#),
        ("quoted", r#""ada@b.example has \"it\" now""#, "now"),
    ] {
        let layout = format!("layout: 'took {{note:{kind}}} {{message}}'\n");
        let left = leaves(&mut standard(), defined(&layout), &format!("took {note} ok"));
        assert!(left.contains(stays) || left.contains(&stays.replace('\\', "")), "{left}");
        assert!(left.contains("[EMAIL]") && !left.contains("hunter2"), "{left}");
    }
    // What it would not be in a text that stands whole, it is not in parts.
    let layout = "layout: '{level} user {name}: {note} of {n:int}'\n";
    let left = leaves(&mut standard(), defined(layout), "INFO user bob: password changed of 3");
    assert!(left.contains("password changed") && left.contains("bob"), "{left}");
}

#[test]
fn a_label_says_what_its_field_is() {
    let head = "CEF:0|Acme|Gate|1.0|100|login|5|";
    for pairs in [
        "cs1Label=password cs1=hunter2secret",
        "cs1=hunter2secret cs1Label=User Password",
        "cn2=hunter2secret cn2Label=api_key",
        "flexString1Label=token flexString1=hunter2secret",
        "deviceCustomDate1Label=secret deviceCustomDate1=hunter2secret",
    ] {
        let left = leaves(&mut standard(), parser("cef"), &format!("{head}{pairs}"));
        assert!(!left.contains("hunter2"), "{pairs}: {left}");
    }
    let line = format!("{head}cs1Label=rule cs1=hunter2 cs2Label=password cs2=x");
    let left = leaves(&mut standard(), parser("cef"), &line);
    assert!(left.contains("hunter2") && left.contains("[PASSWORD]"), "{left}");
}

#[test]
fn a_secret_does_not_get_into_a_text_without_its_name() {
    use crate::step::Template;
    for (value, expect) in
        [(r#"{"pin":1,"password":"a b"}"#, " x"), (r#"{"id":7}"#, r#"{"id":7} x"#)]
    {
        let mut record = Record::default();
        let key = crate::record::Key::Text(crate::record::Text::raw("user"));
        record.push(key, crate::record::Value::Json(value));
        let mut text = String::new();
        Template::new("{user} x").unwrap().render(&record, usize::MAX, &mut text);
        assert_eq!(text, expect);
    }
    for (layout, line, template) in [
        ("login password={note} {message}", "login password=hunter2 ok", "note"),
        ("login password={note:quoted} {message}", r#"login password="hunter2\n" ok"#, "note"),
        ("login password={note:json} {message}", r#"login password={"a":"hunter2"} ok"#, "note.a"),
        ("login password={message}", "login password=hunter2", "message"),
        ("login Bearer {note} {message}", "login Bearer hunter2 ok", "note"),
    ] {
        let (arena, mut record) = (Arena::new(), Record::default());
        let at = ReadAt { now: 0, container_time: None };
        let mut parser = defined(&format!("layout: '{layout}'\n"));
        parser.parse(line, at, &arena, &mut record);
        assert!(!record.marks.unparsed, "{layout}");
        let mut text = String::new();
        let template = Template::new(&format!("user {{{template}}}")).unwrap();
        template.render(&record, usize::MAX, &mut text);
        assert_eq!(text, "user ", "{layout}");
    }
}

#[test]
fn what_a_layout_says_itself_is_no_field_that_gets_lost() {
    for (format, line) in [
        (
            "zap_console",
            "2026-11-26T02:20:14.123Z\tINFO\tmain.go:12\thello\t{\"time\":\"2020-01-01T00:00:00Z\",\"level\":\"error\",\"message\":\"m\",\"a\":1}",
        ),
        ("elixir", "02:20:14.123 time=2020-01-01T00:00:00Z level=error msg=m [info] hello"),
    ] {
        let (arena, mut record) = (Arena::new(), Record::default());
        let at = ReadAt { now: 0, container_time: None };
        let mut parser = parser(format);
        parser.parse(line, at, &arena, &mut record);
        assert!(!record.marks.unparsed, "{line}");
        assert_eq!(record.message.map(|text| text.as_stored()), Some("hello"), "{format}");
        assert_eq!(record.level, Some(crate::record::Level::Info), "{format}");
        let message = if record.get("msg").is_some() { "msg" } else { "message_" };
        for (name, value) in
            [("time_", "2020-01-01T00:00:00Z"), ("level_", "error"), (message, "m")]
        {
            let crate::record::Value::Text(text) = *record.get(name).unwrap() else {
                panic!("{name}")
            };
            assert_eq!(text.as_stored(), value, "{format} {name}");
        }
    }
}

#[test]
fn no_message_gets_lost() {
    let line = "2026-11-26T02:20:14.123Z\tINFO\tmain.go:12\thello\t{\"message\":\"LOST\",\"a\":1}";
    let left = leaves(&mut standard(), parser("auto"), line);
    assert!(left.contains(r#""message":"hello""#) && left.contains("LOST"), "{left}");
}
