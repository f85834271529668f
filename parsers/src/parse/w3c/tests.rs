//! Directives, columns that change, and values that are encoded.

use crate::Arena;
use crate::parse::{Library, Parser, ParserState, ReadAt};
use crate::record::{Record, Text, Value};

fn parse<R>(parser: &mut Parser, line: &str, then: impl FnOnce(&Record<'_>) -> R) -> R {
    let (arena, mut record) = (Arena::new(), Record::default());
    let at = ReadAt { now: 1_795_348_800_000_000_000, container_time: None };
    parser.parse(line, at, &arena, &mut record);
    then(&record)
}

fn parser(name: &str) -> Parser {
    Parser::new(&Library::builtin(), name, ParserState::default()).unwrap()
}

fn is_unparsed(parser: &mut Parser, line: &str) -> bool {
    parse(parser, line, |record| record.marks.unparsed)
}

#[test]
fn columns_are_those_of_the_last_directive() {
    let mut parser = parser("w3c");
    assert!(is_unparsed(&mut parser, "2026-11-22 10:00:00 10.0.0.1"));
    assert!(!is_unparsed(&mut parser, "#Fields: date time c-ip"));
    assert!(!is_unparsed(&mut parser, "2026-11-22 10:00:00 10.0.0.1"));
    assert!(is_unparsed(&mut parser, "2026-11-22 10:00:00 10.0.0.1 200"));
    assert!(!is_unparsed(&mut parser, "#Date: 2026-11-22 10:00:00"));
    assert!(!is_unparsed(&mut parser, "#Fields: date time c-ip sc-status"));
    parse(&mut parser, "2026-11-22 10:00:00 10.0.0.1 200", |record| {
        assert_eq!(record.get("status"), Some(&Value::Int(200)));
        assert_eq!(record.get("client_ip"), Some(&Value::Text(Text::raw("10.0.0.1"))));
    });
    assert!(is_unparsed(&mut parser, "2026-11-22 10:00:00 10.0.0.1 ok"));
    assert!(!is_unparsed(&mut parser, "2026-11-22 10:00:00 10.0.0.1 -"));
    assert!(is_unparsed(&mut parser, "#Fields:  "));
}

#[test]
fn the_last_directive_that_is_learned_counts() {
    let mut parser = parser("w3c");
    for line in ["#Version: 1.0", "#Fields: a", "1", "#Fields: b c", "1 #Fields:x"] {
        parser.learn(line);
    }
    assert!(parser.end_learning(false));
    parse(&mut parser, "1 2", |record| {
        assert!(record.get("b").is_some() && record.get("c").is_some());
    });
}

#[test]
fn values_are_decoded_where_they_were_encoded() {
    let mut parser = parser("w3c");
    parse(&mut parser, "#Fields: cs(User-Agent) x-note cs-uri-query", |_| ());
    for (line, agent, note) in [
        ("a+b c+d -", Text::built("a b"), "c+d"),
        ("ab c -", Text::raw("ab"), "c"),
        ("\"a+b c\" \"d e\" -", Text::raw("a+b c"), "d e"),
        ("\"a b\"c d", Text::raw(""), ""),
        ("a%20b+c\td e\t-", Text::built("a b+c"), "d e"),
        ("a%2520b\tc\t-", Text::built("a b"), "c"),
        ("a%2\tc\t-", Text::built("a%2"), "c"),
        ("a%ff\tc\t-", Text::raw("a%ff"), "c"),
    ] {
        parse(&mut parser, line, |record| {
            if note.is_empty() {
                assert!(matches!(record.get("x-note"), Some(Value::Text(_))), "{line}");
                return;
            }
            assert_eq!(record.get("user_agent"), Some(&Value::Text(agent)), "{line}");
            assert_eq!(record.get("x-note"), Some(&Value::Text(Text::raw(note))), "{line}");
        });
    }
    parse(&mut parser, "a b q=1", |record| {
        let query = Some(&Value::Text(Text::raw("q=1")));
        assert_eq!(record.get("cs-uri-query"), query, "without a stem it is no target");
    });
}

#[test]
fn a_time_that_cannot_be_read_stays() {
    let mut parser = parser("w3c");
    parse(&mut parser, "#Fields: date time s-ip", |_| ());
    for line in
        ["2026-13-22 10:00:00 a", "2026-11-22 10:00:00.x a", &format!("{} b c", "d".repeat(90))]
    {
        parse(&mut parser, line, |record| {
            assert!(record.time.is_none() && !record.marks.unparsed, "{line}");
            assert_eq!(record.fields.len(), 3);
        });
    }
    assert_eq!(parser.counters().bad_times, 3);
}

#[test]
fn auto_finds_it_by_its_directives() {
    let mut parser = parser("auto");
    for line in ["#Software: x", "#Version: 1.0", "#Date: 2026-11-22 10:00:00"] {
        assert!(!is_unparsed(&mut parser, line));
    }
    assert!(!is_unparsed(&mut parser, "#Fields: date time s-ip cs-method"));
    parse(&mut parser, "2026-11-22 10:00:00 10.0.0.1 GET", |record| {
        assert!(record.time.is_some() && record.get("method").is_some());
    });
    assert_eq!(parser.chosen().map(|name| &**name), Some("w3c"));
    assert!(parser.header().is_none(), "nobody said which File it is");
}
