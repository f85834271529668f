//! Pairs, columns and the like: what real programs wrote, and what nobody would.

use super::*;

/// Logs as they were recorded, and the grammar of every line of them.
const RECORDED: [(&str, &str); 9] = [
    ("ltsv", include_str!("../../../../fixtures/recorded/ltsv/apache.log")),
    ("ltsv", include_str!("../../../../fixtures/recorded/ltsv/nginx.log")),
    ("cef", include_str!("../../../../fixtures/recorded/cowrie/cef.log")),
    ("auditd", include_str!("../../../../fixtures/recorded/auditd/audit.log")),
    ("auditd", include_str!("../../../../fixtures/recorded/auditd/audit-enriched.log")),
    ("netfilter", include_str!("../../../../fixtures/recorded/netfilter/dmesg.log")),
    ("netfilter", include_str!("../../../../fixtures/recorded/netfilter/kern.log")),
    ("netfilter", include_str!("../../../../fixtures/recorded/netfilter/kern-iso.log")),
    ("otlp", include_str!("../../../../fixtures/recorded/opentelemetry/otlp.log")),
];

/// What hostile lines begin with to be taken seriously, and the header that they are read by.
const SERIOUS: [(&str, &str, &str); 8] = [
    ("csv", "", "a,b,c"),
    ("w3c", "", "#Fields: date time a b"),
    ("ltsv", "a:b\t", ""),
    ("key_value", "a=b ", ""),
    ("cef", "CEF:0|a|b|c|d|e|5|x=1 ", ""),
    ("auditd", "type=A msg=audit(1795658207.967:7): x=1 ", ""),
    ("netfilter", "IN=eth0 OUT= SRC=10.0.0.1 ", ""),
    ("otlp", r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":["#, ""),
];

fn with_header(name: &str, header: &str) -> Parser {
    let mut parser = parser(name);
    if !header.is_empty() {
        parser.learn(header);
    }
    parser
}

#[test]
fn every_recorded_line_fits() {
    for (name, log) in RECORDED {
        let (mut named, mut auto) = (parser(name), parser("auto"));
        for line in log.lines().filter(|line| name != "netfilter" || line.contains("IN=")) {
            assert!(!is_unparsed(&mut named, line), "{name}: {line}");
            assert!(!is_unparsed(&mut auto, line), "auto, {name}: {line}");
        }
        assert_eq!(named.counters().bad_times, 0, "{name}");
        assert_eq!(auto.chosen().map(|chosen| &**chosen), Some(name));
    }
}

/// What stands in an attribute's key is no key of the JSON, and what was joined is not in the line.
#[test]
fn what_is_no_slice_of_the_line_is_said_to_be_built() {
    let (arena, mut record) = (Arena::new(), Record::default());
    let line = RECORDED[8].1.lines().next().unwrap();
    parser("otlp").parse(line, AT, &arena, &mut record);
    for field in &record.fields {
        if let Key::Text(key) = field.key {
            assert_eq!(key, Text::built(key.as_stored()));
        }
    }
    let mut record = Record::default();
    let line = r"CEF:0|a\|b|P|1|2|x|5|msg=a\=b cs1=c\nd cs2=e";
    parser("cef").parse(line, AT, &arena, &mut record);
    let text = |name: &str| record.get(name).copied();
    assert_eq!(record.message, Some(Text::built("a=b")));
    assert_eq!(text("deviceVendor"), Some(Value::Text(Text::built("a|b"))));
    assert_eq!(text("cs1"), Some(Value::Text(Text::built("c\nd"))));
    assert_eq!(text("cs2"), Some(Value::Text(Text::raw("e"))));
}

#[test]
#[expect(clippy::disallowed_types, reason = "a test may look at the clock")]
fn a_mebibyte_of_anything_takes_no_time() {
    const PARTS: [&str; 24] = [
        "a=",
        "a: ",
        " a=b",
        "=",
        "\\=",
        "\\",
        "|",
        "\"",
        "\"\"",
        "\" ",
        "'",
        ",",
        ",\"",
        ";",
        "\t",
        "a:b\t",
        "[",
        "] [",
        "{ a={ ",
        "\u{1d}",
        "+",
        "%20",
        "{\"key\":\"a\",\"value\":{\"kvlistValue\":{\"values\":[",
        " ",
    ];
    for (name, serious, header) in SERIOUS {
        let mut parser = with_header(name, header);
        for part in PARTS {
            let line = serious.to_owned() + &part.repeat((1 << 20) / part.len());
            let started = std::time::Instant::now();
            is_unparsed(&mut parser, &line);
            let took = started.elapsed();
            assert!(took.as_millis() < 1_000, "{name} {part:?}: {took:?}");
        }
    }
}

fn any_line() -> impl Strategy<Value = String> {
    let parts = vec![
        "a",
        "b=",
        "c:",
        "=",
        " ",
        "\t",
        ",",
        ";",
        "\"",
        "'",
        "\\",
        "|",
        "[",
        "]",
        "{",
        "}",
        "é",
        "-",
        "1",
        "\n",
        "%20",
        "+",
        "msg='",
        "IN=",
        "OUT=",
        "LEN=1",
        "SYN",
        "OPT (",
        ")",
        "\u{1d}",
        "time=",
        "\"key\":\"a\"",
        "\"value\":{",
        "\"stringValue\":\"",
        ":",
        "2026-11-22 10:00:00",
        "level=info",
    ];
    prop::collection::vec(prop::sample::select(parts), 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn keys_are_unique_and_what_does_not_fit_is_whole(rest in any_line(), serious in any::<bool>()) {
        for (name, begins, header) in SERIOUS {
            let line = if serious { format!("{begins}{rest}") } else { rest.clone() };
            let mut parser = with_header(name, header);
            // Which looks at the message of what does not fit.
            let unparsed = is_unparsed(&mut parser, &line);
            let (arena, mut record) = (Arena::new(), Record::default());
            parser.parse(&line, AT, &arena, &mut record);
            prop_assert_eq!(record.marks.unparsed, unparsed);
            let mut names: Vec<_> = record.fields.iter().map(|field| field.key.name()).collect();
            names.sort_unstable();
            let all = names.len();
            names.dedup();
            prop_assert_eq!(names.len(), all, "{}: {:?}", name, line);
            for field in &record.fields {
                if let Value::Json(json) | Value::CleanJson(json) = field.value {
                    prop_assert!(serde_json::from_str::<serde_json::Value>(json).is_ok(), "{}", json);
                }
                if let Value::Text(text) = field.value
                    && text == Text::raw(text.as_stored())
                {
                    prop_assert!(line.contains(text.as_stored()), "{}: {:?}", name, line);
                }
            }
        }
    }
}
