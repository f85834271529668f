//! Recorded logs through our grammars and through other people's parsers: JSON, CSV, logfmt, syslog and
//! access logs must say the same, field by field. Where the other is wrong or looser, it stands here.
#![allow(clippy::disallowed_methods, reason = "tests may read files")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by it")]

use std::path::{Path, PathBuf};

use pillion_parsers::Arena;
use pillion_parsers::definition::{CsvOptions, Definition};
use pillion_parsers::frame::{
    Container, FileNumber, FrameSettings, Framer, LineEnding, Lines, Raw,
};
use pillion_parsers::multiline::Joiner;
use pillion_parsers::parse::{Library, Parser, ParserState, ReadAt};
use pillion_parsers::record::{Key, Record, Text, Value};
use serde_json::{Map, Value as Json};

/// When lines count as read: 2026-11-26T20:00:00Z.
const AT: ReadAt = ReadAt { now: 1_795_723_200_000_000_000, container_time: None };

fn recorded(log: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recorded").join(log);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{log}: {error}"))
}

/// Every recorded log.
fn logs(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            logs(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "log" || kind == "json") {
            found.push(path);
        }
    }
}

fn parser(name: &str) -> Parser {
    Parser::new(&Library::builtin(), name, ParserState::default()).expect("built in")
}

/// A definition that says nothing but its grammar, without time and level of its own.
fn bare(definition: Definition) -> Parser {
    let definition = Definition { name: "bare".to_owned(), ..definition };
    let library = Library::builtin().with(vec![definition]).expect("usable");
    Parser::new(&library, "bare", ParserState::default()).expect("added")
}

/// What a line gives: its fields, `time` in nanoseconds, and `message`; `None` if it does not fit.
fn read(parser: &mut Parser, line: &str) -> Option<Map<String, Json>> {
    let (arena, mut record) = (Arena::new(), Record::default());
    parser.parse(line, AT, &arena, &mut record);
    if record.marks.unparsed {
        return None;
    }
    let mut found = Map::new();
    for field in &record.fields {
        let key = match field.key {
            Key::Known(known) => known.name().to_owned(),
            Key::Text(key) => text(key),
        };
        let value = match field.value {
            Value::Null => Json::Null,
            Value::Bool(flag) => flag.into(),
            Value::Int(number) => number.into(),
            Value::Float(number) => number.into(),
            Value::Text(value) => text(value).into(),
            Value::Number(json) | Value::Json(json) | Value::CleanJson(json) => {
                serde_json::from_str(json).expect("valid JSON")
            }
        };
        found.insert(key, value);
    }
    if let Some(time) = record.time {
        found.entry("time").or_insert_with(|| time.nanos.into());
    }
    if let Some(message) = record.message {
        found.entry("message").or_insert_with(|| text(message).into());
    }
    Some(found)
}

fn text(text: Text<'_>) -> String {
    if !text.is_escaped() {
        return text.as_stored().to_owned();
    }
    serde_json::from_str(&format!("\"{}\"", text.as_stored())).expect("the inside of a JSON string")
}

/// The keys of an object, also those that it has twice.
struct Keys(Vec<String>);

impl<'de> serde::Deserialize<'de> for Keys {
    fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> serde::de::Visitor<'de> for Visit {
            type Value = Keys;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, _)) = map.next_entry::<String, serde::de::IgnoredAny>()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        reader.deserialize_map(Visit)
    }
}

fn has_key_twice(line: &str) -> bool {
    let Ok(Keys(mut keys)) = serde_json::from_str(line) else { return false };
    let all = keys.len();
    keys.sort_unstable();
    keys.dedup();
    keys.len() < all
}

/// `serde_json` on every recorded line that is an object: no key is lost, and every value is the same.
/// Those that became the time, the level and the message are looked for by value.
#[test]
fn json_is_what_serde_json_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recorded");
    let mut paths = Vec::new();
    logs(&root, &mut paths);
    let (mut parser, mut lines) = (parser("json"), 0);
    for path in paths {
        let log = std::fs::read(&path).expect("readable");
        for line in String::from_utf8_lossy(&log).lines().filter(|line| line.starts_with('{')) {
            let theirs = serde_json::from_str::<Map<String, Json>>(line);
            let ours = read(&mut parser, line);
            let shown = || format!("{}: {line}", path.display());
            match (theirs, ours) {
                // `serde_json` keeps the last value of a key that comes again, as some loggers write
                // it; here each gets a name of its own.
                (Ok(_), Some(_)) if has_key_twice(line) => {}
                (Ok(theirs), Some(ours)) => {
                    lines += 1;
                    let missing: Vec<_> = theirs
                        .iter()
                        .filter(|(key, value)| ours.get(*key) != Some(value))
                        .collect();
                    // Time, level and message, each once.
                    assert!(missing.len() <= 3, "{missing:?} of {}", shown());
                    for (key, value) in missing {
                        let scalar = value.is_string() || value.is_number();
                        assert!(scalar, "{key}: {value} in {}", shown());
                    }
                }
                (Ok(_), None) => panic!("only serde_json reads {}", shown()),
                (Err(_), Some(_)) => panic!("serde_json does not read {}", shown()),
                (Err(_), None) => {}
            }
        }
    }
    assert!(lines > 500, "{lines} lines");
}

/// The crate `csv` on PostgreSQL's log of 26 columns, whose statements go on over lines.
#[test]
fn csv_is_what_the_csv_crate_says() {
    let log = recorded("postgresql/csv.log");
    let columns: Vec<_> = (1..=26).map(|number| format!("c{number}")).collect();
    let mut parser = bare(Definition {
        grammar: Some("csv".to_owned()),
        csv: Some(CsvOptions { columns: Some(columns.clone()), ..CsvOptions::default() }),
        ..Definition::default()
    });
    let mut texts = Vec::new();
    let mut framer = Framer::new(FrameSettings {
        container: Container::None,
        joiner: Joiner::named("csv").expect("there is one"),
        max_record: 1 << 18,
    });
    let (bytes, ending) = (log.as_bytes(), LineEnding::Newline);
    let lines =
        Lines { file: FileNumber(1), start: 0, bytes, ending, encoding: Default::default() };
    let mut emit = |raw: Raw<'_>| texts.push(String::from_utf8_lossy(raw.text).into_owned());
    framer.push(lines, 0, &mut emit);
    framer.flush(&mut emit);
    let mut theirs = csv::ReaderBuilder::new().has_headers(false).from_reader(log.as_bytes());
    let theirs: Vec<_> = theirs.records().map(|record| record.expect("CSV")).collect();
    assert_eq!(texts.len(), theirs.len());
    assert!(texts.iter().any(|text| text.contains('\n')), "no statement of several lines");
    for (text, theirs) in texts.iter().zip(&theirs) {
        let ours = read(&mut parser, text).expect("fits");
        assert_eq!(theirs.len(), columns.len());
        for (name, theirs) in columns.iter().zip(theirs) {
            // A column that is empty is left out; one that is `""` is not, which theirs does not tell.
            let ours = ours.get(name).and_then(Json::as_str).unwrap_or_default();
            assert_eq!(ours, theirs, "{name} of {text}");
        }
    }
}

/// The crate `logfmt`, which knows no escapes but that of a quote: what has another is left out.
#[test]
fn logfmt_is_what_the_logfmt_crate_says() {
    let (mut lines, mut parser) = (0, parser("logfmt"));
    for log in ["logrus/text.log", "slog/text.log", "go-kit/logfmt.log"] {
        for line in recorded(log).lines() {
            let Some(ours) = read(&mut parser, line) else { continue };
            if line.replace("\\\"", "").contains('\\') || line.contains("\\\"\"") {
                continue;
            }
            lines += 1;
            let mut seen = std::collections::BTreeSet::new();
            // What comes again has a name of its own here.
            for pair in logfmt::parse(line).into_iter().filter(|it| seen.insert(it.key.clone())) {
                let value = pair.val.unwrap_or_default();
                let found = ours.get(&pair.key).and_then(Json::as_str);
                let role = found.is_none() && ["time", "ts", "level", "msg"].contains(&&*pair.key);
                if role && pair.key == "msg" {
                    assert_eq!(ours.get("message"), Some(&value.into()), "{log}: {line}");
                } else if !role {
                    assert_eq!(found, Some(&*value), "{}, {log}: {line}", pair.key);
                }
            }
        }
    }
    assert!(lines > 20, "{lines} lines");
}

/// The crate `syslog_loose` on what rsyslog wrote in its three formats.
#[test]
fn syslog_is_what_syslog_loose_says() {
    let mut lines = 0;
    for program in ["sshd/auth", "cron/cron", "postfix/mail", "sudo/auth"] {
        for (kind, variant) in [
            ("", syslog_loose::Variant::RFC3164),
            ("-iso", syslog_loose::Variant::RFC3164),
            ("-rfc5424", syslog_loose::Variant::RFC5424),
        ] {
            let mut parser = parser("syslog");
            for line in recorded(&format!("{program}{kind}.log")).lines() {
                let ours = read(&mut parser, line).unwrap_or_else(|| panic!("unfit: {line}"));
                let theirs = syslog_loose::parse_message_with_year_tz(
                    line,
                    |_| 2026,
                    Some(chrono::Utc),
                    variant,
                );
                let text = |name: &str| ours.get(name).and_then(Json::as_str).map(str::to_owned);
                let time = theirs.timestamp.and_then(|time| time.timestamp_nanos_opt());
                assert_eq!(ours.get("time").and_then(Json::as_i64), time, "{line}");
                assert_eq!(text("host").as_deref(), theirs.hostname, "{line}");
                assert_eq!(text("program").as_deref(), theirs.appname, "{line}");
                let pid = theirs.procid.map(|pid| pid.to_string());
                assert_eq!(ours.get("pid").map(Json::to_string), pid, "{line}");
                assert_eq!(text("msgid").as_deref(), theirs.msgid, "{line}");
                let severity = theirs.severity.map(|severity| severity as i64);
                assert_eq!(ours.get("severity").and_then(Json::as_i64), severity, "{line}");
                // Theirs trims the message, and takes what looks like structured data away from it, which
                // RFC 3164 has not.
                let message = text("message").unwrap_or_default();
                let whole = theirs.structured_data.is_empty() || kind == "-rfc5424";
                let same = message.trim() == theirs.msg.trim();
                assert!(same || !whole && message.ends_with(theirs.msg), "{line}");
                lines += 1;
            }
        }
    }
    assert!(lines > 100, "{lines} lines");
}

/// PyPI's `apachelogs`, as `cross/clf.py` wrote it down.
#[test]
fn access_logs_are_what_apachelogs_says() {
    let (mut lines, mut parser) = (0, parser("access"));
    let mut log = (String::new(), String::new());
    for theirs in include_str!("cross/clf.ndjson").lines() {
        let theirs: Map<String, Json> = serde_json::from_str(theirs).expect("JSON");
        let name = theirs["log"].as_str().unwrap_or_default();
        if log.0 != name {
            log = (name.to_owned(), recorded(name));
        }
        let number = theirs["line"].as_u64().and_then(|line| usize::try_from(line - 1).ok());
        let line = log.1.lines().nth(number.expect("a number")).expect("there");
        let ours = read(&mut parser, line).unwrap_or_else(|| panic!("unfit: {line}"));
        if theirs.contains_key("unfit") {
            // It knows no user with a blank in his name.
            continue;
        }
        lines += 1;
        let seconds = ours["time"].as_i64().expect("a time") / 1_000_000_000;
        assert_eq!(Some(seconds as f64), theirs["time"].as_f64(), "{line}");
        let parts = ["method", "target", "protocol"].map(|part| ours.get(part)?.as_str());
        let request = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        for key in ["client_ip", "user", "status", "bytes", "referrer", "user_agent", "request"] {
            let Some(theirs) = theirs.get(key).filter(|theirs| !theirs.is_object()) else {
                continue;
            };
            let request = (!request.is_empty()).then(|| request.as_str().into());
            let ours = if key == "request" { request } else { ours.get(key).cloned() };
            assert_eq!(&ours.unwrap_or_default(), theirs, "{key}, {line}");
        }
    }
    assert!(lines > 200, "{lines} lines");
}
