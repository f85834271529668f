//! What holds of every parser: the samples, bad input, and nothing lost.

mod guarded;
mod joined;
mod recorded;
mod renamed;
mod wrapped;

use proptest::prelude::*;

use super::*;
use crate::definition::Definition;
use crate::frame::{FileNumber, Span};
use crate::record::{ClockUnit, Key, Known, Level, Value};
use library::BUILTIN;

/// 2026-11-22T12:00:00Z.
const NOW: i64 = 1_795_348_800_000_000_000;
const AT: ReadAt = ReadAt { now: NOW, container_time: None };

fn parser(name: &str) -> Parser {
    Parser::new(&Library::builtin(), name, ParserState::default()).unwrap()
}

fn is_unparsed(parser: &mut Parser, text: &str) -> bool {
    let arena = Arena::new();
    let mut record = Record::default();
    parser.parse(text, AT, &arena, &mut record);
    if record.marks.unparsed {
        assert_eq!(record.message, Some(Text::raw(text)));
        assert!(record.fields.is_empty() && record.time.is_none() && record.level.is_none());
    }
    record.marks.unparsed
}

#[test]
fn built_in_definitions_come_out_as_they_say() {
    for (name, yaml) in BUILTIN {
        let definition =
            Definition::from_yaml(yaml).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(definition.name, *name);
        assert!(!definition.doc.is_empty() && !definition.samples.is_empty(), "{name}");
        if let Err(error) = definition.check() {
            panic!("{error}");
        }
        assert!(Library::builtin().compiled(name).is_ok(), "{name}");
    }
}

/// What is compiled says the same as what is shown and proved.
#[test]
fn samples_come_last() {
    for (name, yaml) in BUILTIN {
        let brief = Definition::from_yaml(library::without_samples(yaml)).unwrap();
        let whole = Definition { samples: Vec::new(), ..Definition::from_yaml(yaml).unwrap() };
        assert_eq!(brief, whole, "{name}");
    }
}

#[test]
fn what_auto_may_choose_is_in_the_library() {
    for grammar in grammar::GRAMMARS.iter().filter(|grammar| grammar.probe.is_some()) {
        assert!(Library::builtin().definition(grammar.name).is_some(), "{}", grammar.name);
    }
}

#[test]
fn unknown_parsers_are_refused() {
    let unknown = Parser::new(&Library::builtin(), "jason", ParserState::default());
    assert_eq!(unknown.unwrap_err(), UnknownParser("jason".to_owned()));
}

#[test]
fn bad_input_is_carried_on_and_counted() {
    let rubbish: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    let lines = [
        String::from_utf8_lossy(&rubbish).into_owned(),
        "\u{fffd}".repeat(300),
        "{\"a\":".repeat(10_000),
        "{\"\\udfff\":1}".to_owned(),
        "\0".repeat(100),
        "[".repeat(100_000),
        "\"".repeat(100_000),
        "\\".repeat(100_000),
        "a= ".repeat(50_000),
        "<".repeat(1_000),
        "1.2.3.4 - - [22/Nov/2026:10:00:00 +0000] \"".to_owned() + &"\\".repeat(99_999),
        "2026/11/22 10:00:00 [error] 1#".to_owned() + &"1".repeat(20_000),
        "2026-11-22 10:00:00,123 ERROR [".to_owned() + &"]".repeat(50_000),
        "<34>1 - - - - - [".to_owned() + &"a ".repeat(50_000),
    ];
    for name in ["json", "logfmt", "access", "nginx_error", "syslog", "java"] {
        let mut parser = parser(name);
        for line in &lines {
            let shown: String = line.chars().take(50).collect();
            assert!(is_unparsed(&mut parser, line), "{name} {shown:?}");
        }
        let counters = parser.counters();
        assert_eq!((counters.parsed, counters.unparsed_total()), (0, lines.len() as u64), "{name}");
    }
}

#[test]
fn a_forged_context_leaves_the_message_whole() {
    let head = "2026/11/22 10:00:00 [error] 1#1: ";
    for forged in [", client: ".repeat(20_000), ", client: a, host: \"b\", server: c".to_owned()] {
        let (arena, text) = (Arena::new(), format!("{head}{forged}"));
        let mut record = Record::default();
        parser("nginx_error").parse(&text, AT, &arena, &mut record);
        assert_eq!(record.message, Some(Text::raw(&forged)));
    }
}

#[test]
fn reasons_are_counted_apart() {
    let mut parser = parser("json");
    for line in ["x", "{\"\\ud800\":1}", "{\"time\":\"noon\"}", "{}"] {
        is_unparsed(&mut parser, line);
    }
    let count = |misfit: Misfit| parser.counters().unparsed[misfit as usize];
    for (place, misfit) in Misfit::ALL.into_iter().enumerate() {
        assert_eq!(misfit as usize, place);
    }
    assert_eq!(count(Misfit::Syntax), 1);
    assert_eq!(count(Misfit::LoneSurrogate), 1);
    assert_eq!(parser.counters().bad_times, 1);
    assert_eq!(parser.counters().parsed, 2);
}

#[test]
fn a_container_gives_the_time_that_a_text_lacks() {
    let container = Time { nanos: NOW - 5, unit: ClockUnit::Nanosecond };
    let at = ReadAt { now: NOW, container_time: Some(container) };
    let arena = Arena::new();
    for (text, expect) in [
        ("{\"a\":1}", NOW - 5),
        ("{\"a\":1", NOW - 5),
        ("{\"time\":\"2026-11-22T12:00:01Z\"}", NOW + 1_000_000_000),
    ] {
        let mut record = Record::default();
        let mut parser = parser("json");
        parser.parse(text, at, &arena, &mut record);
        assert_eq!(record.time.map(|time| time.nanos), Some(expect), "{text}");
    }
}

#[test]
fn user_definitions_join_the_library() {
    let yaml = r#"
pattern: '^(?<time>\S+ \S+) (?<level>[A-Z]+) order=(?<order_id>\d+) took=(?<took>\S+) (?<client_ip>\S+) (?<message>.*)$'
types: { order_id: integer, took: float }
time: { field: time, format: '%Y-%m-%d %H:%M:%S%.3f', zone: Europe/Berlin }
level: { map: { SCHLIMM: error } }
samples:
  - line: '2026-11-22 10:00:00.123 SCHLIMM order=17 took=0.5 10.0.0.1 placed'
    record: { time: '2026-11-22T09:00:00.123Z', level: error, order_id: 17, took: 0.5, client_ip: 10.0.0.1, message: placed }
  - line: '2026-11-22 10:00:00.123 INFO order=17 took=- 10.0.0.1 placed'
    record: { level: info, order_id: 17, client_ip: 10.0.0.1, message: placed }
  - line: '2026-11-22 10:00:00.123 INFO order=17 took=long 10.0.0.1 placed'
  - line: 'noon today INFO order=17 took=1 10.0.0.1 placed'
    record: { time: noon today, level: info, order_id: 17, took: 1.0, client_ip: 10.0.0.1, message: placed }
"#;
    let mut definition = Definition::from_yaml(yaml).unwrap();
    definition.name = "orders".to_owned();
    let library = Library::builtin().with(vec![definition.clone()]).unwrap();
    assert_eq!(library.names().last(), Some("orders"));
    let taken = library.with(vec![definition]).unwrap_err();
    assert_eq!(
        taken.to_string(),
        "parser `orders`: the name is empty or already taken: choose another"
    );

    let arena = Arena::new();
    let mut record = Record::default();
    let mut parser = Parser::new(&library, "orders", ParserState::default()).unwrap();
    parser.parse("2026-11-22 10:00:00.123 INFO order=1 took=1 - x", AT, &arena, &mut record);
    let keys: Vec<_> = record.fields.iter().map(|field| (field.key, field.key.name())).collect();
    let known = crate::record::Known::ClientIp;
    assert_eq!(keys[0], (crate::record::Key::Text(Text::built("order_id")), "order_id"));
    assert_eq!(keys[2], (crate::record::Key::Known(known), "client_ip"));
}

/// Also where the usual reading would have succeeded.
#[test]
fn what_a_definition_says_of_time_and_level_goes_before_the_usual() {
    let yaml = r#"
name: odd
grammar: json
time: { field: ts, format: '%Y-%d-%m %H:%M:%S' }
level: { map: { "30": error } }
samples:
  - line: '{"ts":"2026-05-11 10:00:00","timestamp":"2026-05-11T10:00:00Z","level":30,"msg":"a"}'
    record: { time: '2026-11-05T10:00:00Z', timestamp: '2026-05-11T10:00:00Z', level: error, message: a }
  - line: '{"ts":"2026-22-11 10:00:00","level":"30"}'
    record: { time: '2026-11-22T10:00:00Z', level: error }
  - line: '{"level":"warn"}'
    record: { level: warn }
"#;
    let odd = Definition::from_yaml(yaml).unwrap();
    let mut parser = Parser::with(
        odd.compile_and_check(&Library::builtin()).unwrap(),
        &Library::builtin(),
        ParserState::default(),
    );
    assert!(!is_unparsed(&mut parser, r#"{"ts":"2026-22-11 10:00:00"}"#));
    assert_eq!(parser.counters().bad_times, 0);
    assert!(!is_unparsed(&mut parser, r#"{"ts":"2026-11-22 10:00:00"}"#));
    assert_eq!(parser.counters().bad_times, 1);
    let yaml = r#"
name: named
grammar: logfmt
level: { field: severity, map: { "3": warn } }
"#;
    let named = Definition::from_yaml(yaml).unwrap();
    let arena = Arena::new();
    let mut record = Record::default();
    let compiled = Compiled::new(&named, &Library::builtin()).unwrap();
    let mut parser = Parser::with(Arc::new(compiled), &Library::builtin(), ParserState::default());
    parser.parse("level=info severity=3", AT, &arena, &mut record);
    assert_eq!(record.level, Some(Level::Warn));
    assert!(record.get("severity").is_none());
    assert_eq!(record.get("level"), Some(&Value::Text(Text::raw("info"))));
}

#[test]
fn a_definition_refines_what_a_grammar_gives() {
    let yaml = r#"
name: shop
grammar: json
time: { field: created, format: '%d.%m.%Y %H:%M:%S', zone: '+01:00' }
level: { field: sev, map: { '900': fatal } }
types: { order: integer, price: float, zip: string, gone: integer }
samples:
  - line: '{"created":"22.11.2026 10:00:00","sev":900,"order":"17","price":5,"zip":10115,"gone":"-"}'
    record: { time: '2026-11-22T09:00:00Z', level: fatal, order: 17, price: 5.0, zip: '10115' }
  - line: '{"order":"many"}'
"#;
    Definition::from_yaml(yaml).unwrap().check().unwrap();
}

/// How the parsers take to the last of some lines of a file.
fn explain(lines: &[&str]) -> Vec<Fit> {
    let mut explainer = Explainer::new(&Library::builtin());
    let mut fits = Vec::new();
    for (at, line) in (0..).zip(lines) {
        let span = Span { start: at * 100, end: at * 100 + 100 };
        fits = explainer.fits(line, FileSpan { file: FileNumber(1), span }, AT);
    }
    fits
}

#[test]
fn explaining_knows_the_header_and_what_any_object_fits() {
    let fits = explain(&["#Fields: date time c-ip cs-method", "2026-11-22 10:00:00 10.0.0.1 GET"]);
    assert_eq!(fits.first().map(|fit| &*fit.name), Some("w3c"));
    let zap = r#"{"level":"info","ts":1795658418.5,"caller":"shop/main.go:9","msg":"hi"}"#;
    let names: Vec<_> = explain(&[zap]).into_iter().map(|fit| fit.name).collect();
    let place = |name: &str| names.iter().position(|other| other == name);
    for other in ["traefik_json", "nginx_json", "dotnet_json", "zerolog", "slog"] {
        assert!(place("zap") < place(other), "{other} goes before zap: {names:?}");
    }
}

/// What a list names is read once, be it by `auto`.
#[test]
fn a_list_goes_on_behind_what_auto_read() {
    let json = r#"{"level":"info","msg":"order=17 total=19.99 paid=true"}"#;
    for names in
        [["cri", "json", "logfmt"], ["docker", "json", "logfmt"], ["auto", "json", "logfmt"]]
    {
        let library = Library::builtin();
        let mut parser = Parser::chain(&library, names, ParserState::default()).unwrap();
        let (arena, mut record) = (Arena::new(), Record::default());
        parser.parse(json, AT, &arena, &mut record);
        assert!(record.get("order").is_some(), "{names:?}: {record:?}");
    }
}

#[test]
fn explaining_ranks_what_fits() {
    let line = "1.2.3.4 - - [22/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"";
    let fits = explain(&[line]);
    let best = fits.first().unwrap();
    assert_eq!((best.name.as_str(), best.misfit), ("access", None));
    let json = fits.iter().find(|fit| fit.name == "json").unwrap();
    assert_eq!((json.score, json.misfit), (0, Some(Misfit::Syntax)));
    assert!(fits.iter().find(|fit| fit.name == "plain").unwrap().score < best.score);
    assert!(!fits.iter().any(|fit| fit.name == "auto"));
    // What `auto` would not take for syslog is not said to be it.
    let fits = explain(&["2026-11-22T10:00:00Z stdout F text"]);
    // Any first line could be a header.
    let any = ["plain", "plain_time", "csv"];
    assert!(fits.iter().all(|fit| any.contains(&&*fit.name) || fit.score == 0), "{fits:?}");
}

/// Pieces that the formats are made of.
fn linelike() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(vec![
            "1.2.3.4 - - [22/Nov/2026:10:00:00 +0100] ", "\"GET / HTTP/1.1\" ", "200 ", "-", " ", "\"", "\\",
            "2026-11-22T10:00:00.123Z ", "2026/11/22 10:00:00 [error] ", "1#2: *3 ", ", client: x", "<34>",
            "1 ", "Nov 22 10:00:00 ", "host ", "app[1]: ", "[a b=\"c\"] ", "10:00:00.1 ", "[main] ", "INFO ",
            "12 --- ", "c.e.A : ", " - ", "\n", "\tat x.Y", "a.B: c", "k=", "v ", "=\"q\" ", "{", "}", "\"a\":1",
            ",", "é", "\u{feff}", "\\x41", "\\u00e9",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

fn is_within(part: &str, whole: &str) -> bool {
    let (start, end) = (whole.as_ptr() as usize, whole.as_ptr() as usize + whole.len());
    let at = part.as_ptr() as usize;
    part.is_empty() || (at >= start && at + part.len() <= end)
}

proptest! {
    #[test]
    fn parsing_is_total_loses_nothing_and_borrows(lines in prop::collection::vec(linelike(), 1..4)) {
        for (name, _) in BUILTIN {
            let mut parser = parser(name);
            for line in &lines {
                let arena = Arena::new();
                let mut record = Record::default();
                parser.parse(line, AT, &arena, &mut record);
                if record.marks.unparsed {
                    prop_assert_eq!(record.message, Some(Text::raw(line)));
                    prop_assert!(record.fields.is_empty());
                }
                // Raw text is a slice of the line: the scan of the raw record covers it.
                let texts = record.fields.iter().filter_map(|field| match field.value {
                    Value::Text(text) => Some(text),
                    _ => None,
                });
                for text in texts.chain(record.message) {
                    let covered = matches!(text.origin(), crate::record::Origin::Raw | crate::record::Origin::RawEscaped);
                    prop_assert!(!covered || record.decoded || is_within(text.as_stored(), line), "{} {:?}", name, line);
                }
                let mut names: Vec<_> = record.fields.iter().map(|field| field.key.name()).collect();
                names.sort_unstable();
                let count = names.len();
                names.dedup();
                prop_assert_eq!(names.len(), count, "{} {:?}", name, line);
            }
            let counters = parser.counters();
            prop_assert_eq!(counters.parsed + counters.unparsed_total(), lines.len() as u64);
        }
    }
}
