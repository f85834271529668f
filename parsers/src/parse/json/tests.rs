//! What is JSON for us, against `serde_json` and by table.

use proptest::prelude::*;

use super::*;
use crate::parse::columns::Columns;
use crate::parse::csv::Dialect;
use crate::timestamp::Clock;

fn parse(text: &str) -> Result<Vec<(String, String)>, Misfit> {
    parse_with(text).map(|(fields, _)| fields)
}

/// The fields, and whether the record is unmappable.
fn parse_with(text: &str) -> Result<(Vec<(String, String)>, bool), Misfit> {
    let arena = Arena::new();
    let (mut clock, mut bad_times) = (Clock::default(), 0);
    let mut cx = Context {
        arena: &arena,
        clock: &mut clock,
        bad_times: &mut bad_times,
        guessing: false,
        seen: crate::parse::seen::Seen::ALL,
        outside: crate::parse::roles::Outside::default(),
        locations: &mut crate::parse::pattern::Locations::default(),
        refine: None,
        auto: None,
        columns: &mut Columns::default(),
        dialect: &Dialect::COMMAS,
    };
    let mut record = Record::default();
    read(text, &mut cx, &mut record)?;
    let shown = |value: &Value<'_>| match value {
        Value::Text(text) => format!("{:?} {}", text.origin(), text.as_stored()),
        Value::Json(text) => format!("Json {text}"),
        Value::Number(text) => format!("Number {text}"),
        other => format!("{other:?}"),
    };
    let shown = |field: &Field<'_>| (field.key.name().to_owned(), shown(&field.value));
    Ok((record.fields.iter().map(shown).collect(), record.unmappable))
}

fn check_field(text: &str, key: &str, value: &str) {
    assert_eq!(parse(text), Ok(vec![(key.to_owned(), value.to_owned())]), "{text}");
}

fn nest(levels: usize) -> String {
    let mut text = "{\"a\":".repeat(levels);
    text.push('1');
    text.push_str(&"}".repeat(levels));
    text
}

fn many_keys(count: usize, inner: bool) -> String {
    let keys: Vec<String> = (0..count).map(|n| format!("\"k{n}\":0")).collect();
    if inner {
        format!("{{\"o\":{{{}}}}}", keys.join(","))
    } else {
        format!("{{{}}}", keys.join(","))
    }
}

#[test]
fn values_keep_their_text() {
    check_field(r#"{"a":"plain"}"#, "a", "Raw plain");
    check_field(r#"{"a":"tab\t"}"#, "a", r"RawEscaped tab\t");
    check_field(r#" { "a" : -0.5E+3 } "#, "a", "Number -0.5E+3");
    check_field(r#"{"a":true}"#, "a", "Bool(true)");
    check_field(r#"{"a":null}"#, "a", "Null");
    check_field(r#"{"a":{"b":[1,{"c":"d\n"}]}}"#, "a", r#"Json {"b":[1,{"c":"d\n"}]}"#);
    check_field(r#"{"":""}"#, "", "Raw ");
    check_field(r#"{"\u0061b":1}"#, "ab", "Number 1");
    check_field("{\"a\":[1,\r\n 2]}", "a", "Json [1,   2]");
    check_field(
        "{\"long enough for words\":\"and a value of the same kind é\"}",
        "long enough for words",
        "Raw and a value of the same kind é",
    );
}

#[test]
fn what_servers_would_refuse_is_refused_with_its_reason() {
    for (text, expect) in [
        (format!("{{\"a\":{}", "[".repeat(10_000)), Misfit::Syntax),
        (format!("{{\"a\":{}}}}}", nest(10_000)), Misfit::Syntax),
        (r#"{"\ude00":1}"#.to_owned(), Misfit::LoneSurrogate),
    ] {
        let shown: String = text.chars().take(60).collect();
        assert_eq!(parse(&text), Err(expect), "{shown}");
    }
}

/// Servers refuse an object with a key twice: each is called otherwise than those before it.
#[test]
fn a_key_that_comes_again_gets_a_number() {
    let many = |count: usize| {
        let members: Vec<String> = (0..count).map(|at| format!("\"a\":{at}")).collect();
        format!("{{{}}}", members.join(","))
    };
    let cut = |value: &str| format!("Json {}", serde_json::json!({ "cut": value }));
    for (text, expect) in [
        (r#"{"a":1,"a":2}"#, vec![("a", "Number 1"), ("a_2", "Number 2")]),
        (r#"{"a":1,"\u0061":2}"#, vec![("a", "Number 1"), ("a_2", "Number 2")]),
        (r#"{"a/b":1,"a\/b":2}"#, vec![("a/b", "Number 1"), ("a/b_2", "Number 2")]),
        (
            r#"{"a":1,"o":[{"b":1},{}],"a":2}"#,
            vec![("a", "Number 1"), ("o", r#"Json [{"b":1},{}]"#), ("a_2", "Number 2")],
        ),
        (
            "{\"o\":[{\"k\":{\"a\":1, \"b\":2,\n\"\\u0061\":[ 3 , {}]}}], \"p\": {\"a\":1,\"a_2\":2,\"a\":3}}",
            vec![
                ("o", r#"Json [{"k":{"a":1,"b":2,"a_2":[3,{}]}}]"#),
                ("p", r#"Json {"a":1,"a_2":2,"a_3":3}"#),
            ],
        ),
        (r#"{"o":{"é\"":1,"é\"":2}}"#, vec![("o", r#"Json {"é\"":1,"é\"_2":2}"#)]),
        (r#"{"o":{"a":1,"a":1e999}}"#, vec![("o", &*cut(r#"{"a":1,"a":1e999}"#))]),
        (&format!(r#"{{"o":{}}}"#, many(300)), vec![("o", &*cut(&many(300)))]),
    ] {
        let expect = expect.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        assert_eq!(parse(text), Ok(expect.collect()), "{text}");
    }
    let fields = parse(&many(300)).expect("read");
    assert_eq!(fields.len(), 257);
    assert_eq!(fields[255].0, "a_256");
    assert_eq!(fields[256].0, "cut");
    assert_eq!(parse(r#"{"o":{"a":1,"a":2}"#), Err(Misfit::Syntax));
}

/// What servers would refuse of a value is kept, as the text it is written in.
#[test]
fn a_value_that_no_server_takes_is_its_text() {
    // An object stays one, or a server that knows it as such would refuse the text.
    let kept = |value: &str| match value.as_bytes() {
        [b'{' | b'[', ..] => format!("Json {}", serde_json::json!({ "cut": value })),
        _ => format!("Raw {value}"),
    };
    let in_all = format!("[{}]", vec![many_keys(200, false); 6].join(","));
    for value in [
        nest(19),
        nest(10_000),
        many_keys(257, false),
        many_keys(100_000, false),
        in_all,
        "9".repeat(400),
        "9".repeat(65),
        "1e400".to_owned(),
        "[-1e400]".to_owned(),
        r#"{"b":["\ud800"]}"#.to_owned(),
        r#"{"b\udc00":1}"#.to_owned(),
    ] {
        let text = format!("{{\"a\":{value},\"b\":{{\"a\":1}}, \"c\":2}}");
        let expect =
            [("a", kept(&value)), ("b", r#"Json {"a":1}"#.into()), ("c", "Number 2".into())];
        let expect = expect.map(|(key, value)| (key.to_owned(), value));
        assert_eq!(
            parse(&text),
            Ok(expect.to_vec()),
            "{}",
            text.chars().take(60).collect::<String>()
        );
    }
    check_field(r#"{"a":"\ud800"}"#, "a", "Built \u{fffd}");
    check_field(r#"{"a":"\ud800\n\"x"}"#, "a", "Built \u{fffd}\n\"x");
    check_field(r#"{"a":"\ud800\ud800\ud83d\ude00"}"#, "a", "Built \u{fffd}\u{fffd}\u{1f600}");
    check_field(r#"{"a":"\udc00x"}"#, "a", "Built \u{fffd}x");
}

/// The known ones are read wherever they stand.
#[test]
fn members_that_are_too_many_stay_together() {
    let first: Vec<String> = (0..256).map(|n| format!("\"k{n}\":0")).collect();
    let rest = r#""password" : "x\"y", "level":"warn","o":{"a":[1,2]},"msg":"late","time":"2026-11-22T10:00:00Z" "#;
    let text = format!("{{{},{rest}}}", first.join(","));
    let arena = Arena::new();
    let library = crate::parse::Library::builtin();
    let mut parser = crate::parse::Parser::new(&library, "json", Default::default()).unwrap();
    let at = crate::parse::ReadAt { now: 1_795_348_800_000_000_000, container_time: None };
    let mut record = Record::default();
    parser.parse(&text, at, &arena, &mut record);
    assert!(!record.marks.unparsed);
    assert_eq!(record.level.map(crate::record::Level::name), Some("warn"));
    assert_eq!(record.message.map(|message| message.as_stored()), Some("late"));
    assert!(record.time.is_some());
    assert_eq!(record.fields.len(), 257);
    let Some(Value::Text(cut)) = record.get("cut") else { panic!("there") };
    assert_eq!(cut.as_stored(), rest);
    for end in ["", ",", ",}", ",\"x\"}", ",\"x\":}", ",\"x\":1}"] {
        let text = format!("{{{}{end}", first.join(","));
        assert_eq!(parse(&text).is_err(), end != ",\"x\":1}", "{end}");
    }
}

#[test]
fn limits_are_reached_before_they_are_passed() {
    for text in [
        nest(19),
        many_keys(256, false),
        many_keys(256, true),
        format!("{{\"a\":{}}}", "9".repeat(64)),
        r#"{"a":1e308}"#.to_owned(),
        r#"{"a":[1e38,9223372036854775807,0.1234567890123456789]}"#.to_owned(),
        r#"{"":1,"x.":2,"a":{"b.c":3}}"#.to_owned(),
        r#"{"a":"\ud83d\ude00"}"#.to_owned(),
        // The same key in objects beside and inside each other.
        r#"{"a":{"a":{"a":1}},"b":{"a":1}}"#.to_owned(),
    ] {
        let shown: String = text.chars().take(60).collect();
        assert!(parse(&text).is_ok(), "{shown}");
    }
}

#[test]
fn what_has_no_mapping_is_taken_and_noted() {
    for (text, expect) in [
        (r#"{"dd":{"trace_id":12345678901234567890}}"#, true),
        (r#"{"n":{"max":1.7976931348623157e308}}"#, true),
        (r#"{"files":{"./src/main.rs":3}}"#, true),
        (r#"{"n":{"a.b":1,".hidden":5}}"#, true),
        (r#"{"labels":[{"example.com.":"b"}],"z":{}}"#, true),
        (r#"{"n":{"":1}}"#, true),
        (r#"{"n":{"\u0020":1}}"#, true),
        (r#"{"n":{"f:annotations":{".":{}}}}"#, true),
        (r#"{"n":{"a.b":[1,9223372036854775807,1e38],"c":"1e39"}}"#, false),
        // What is no nested value's is mended by its writer, who sees it.
        (r#"{"":1,"x.":12345678901234567890}"#, false),
    ] {
        assert_eq!(parse_with(text).map(|(_, unmappable)| unmappable), Ok(expect), "{text}");
    }
}

#[test]
fn what_is_not_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "{}}",
        "{} {}",
        "[]",
        "1",
        "null",
        "\"a\"",
        "{a:1}",
        "{'a':1}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{,"a":1}"#,
        r#"{"a":1 "b":2}"#,
        r#"{"a":[1,]}"#,
        r#"{"a":[1 2]}"#,
        r#"{"a":[1}"#,
        r#"{"a":{]}"#,
        r#"{"a":tru}"#,
        r#"{"a":nul}"#,
        r#"{"a":True}"#,
        r#"{"a":NaN}"#,
        r#"{"a":01}"#,
        r#"{"a":-}"#,
        r#"{"a":.5}"#,
        r#"{"a":1.}"#,
        r#"{"a":1e}"#,
        r#"{"a":+1}"#,
        r#"{"a":0x1}"#,
        r#"{"a":"b}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":"\"}"#,
        r#"{"a":"\u12"}"#,
        r#"{"a":"\u12g4"}"#,
        "{\"a\":\"tab\there\"}",
        "{\"a\":\"1234567\n\"}",
        "{\"a\":\"\u{0}\"}",
        "{\"a\":1}\u{a0}",
        "\u{feff}{}",
        "{\"a\":1} // no",
    ] {
        assert_eq!(parse(text), Err(Misfit::Syntax), "{text:?}");
    }
}

#[test]
fn strings_stop_at_the_same_bytes_wherever_they_stand() {
    for byte in 0..=0x7f_u8 {
        for before in 0..=16 {
            let text = format!("{}{}\" and on", "x".repeat(before), char::from(byte));
            let found = string::end(text.as_bytes(), 0);
            let expect = match byte {
                b'"' => Ok((before, false)),
                // An escaped quote: the next one is missing.
                b'\\' | 0..=0x1f => Err(Misfit::Syntax),
                _ => Ok((before + 1, false)),
            };
            assert_eq!(found, expect, "{text:?}");
        }
    }
}

#[test]
fn decoding_gives_what_serde_json_gives() {
    let arena = Arena::new();
    for inside in [r"a\tb\u00e9\ud83d\ude00\/\\\b\f\n\r end", r"\u0000", "", r"x\uFFFFy"] {
        let expect: String = serde_json::from_str(&format!("\"{inside}\"")).unwrap();
        assert_eq!(decode(inside, &arena), expect);
    }
}

/// Pieces that JSON is made of, and that it is nearly made of.
fn jsonish() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"b\":", "\"c\":1", "{\"d\":", "true", "null",
            "1.5", "-0", "1e5", "00", "\\", "\\n", "\\u00e9", "\\ud83d\\ude00", " ", "\n", "\u{1}", "é",
            "\"x\\\"y\"", "{}", "[]", "\"12345678\"",
        ]).prop_map(str::to_owned),
        1 => "[ -~]{0,12}",
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| format!("{{\"k\":{}}}", pieces.concat()))
}

/// JSON that is right, spelled by `serde_json` with other blanks.
fn right() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "\\PC*".prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    let tree = leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map("\\PC{0,9}", inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    });
    (tree, any::<bool>()).prop_map(|(tree, pretty)| {
        let object = serde_json::json!({ "k": tree });
        if pretty { format!("{object:#}") } else { object.to_string() }
    })
}

/// Whether `serde_json` takes the text as an object. It lets keys repeat; we do not.
fn peer(text: &str) -> bool {
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok()
}

proptest! {
    #[test]
    fn acceptance_agrees_with_serde_json(text in jsonish()) {
        match parse(&text) {
            Ok(fields) => {
                let odd = fields.iter().any(|(_, shown)| {
                    let number = shown.strip_prefix("Raw ").and_then(|text| text.parse::<f64>().ok());
                    shown.starts_with("Built")
                        || shown.starts_with("Json {\"cut\":")
                        || number.is_some_and(f64::is_infinite)
                });
                prop_assert!(odd || peer(&text), "{text}");
            }
            Err(Misfit::Syntax | Misfit::LoneSurrogate) => prop_assert!(!peer(&text), "{text}"),
            Err(Misfit::TooDeep | Misfit::Number) => {}
            Err(other) => prop_assert!(false, "{other:?} {text}"),
        }
    }

    #[test]
    fn what_serde_json_writes_is_taken_and_means_the_same(text in right()) {
        let fields = parse(&text).unwrap();
        let expect: serde_json::Value = serde_json::from_str(&text).unwrap();
        let (_, shown) = fields.first().unwrap();
        if let Some(nested) = shown.strip_prefix("Json ") {
            prop_assert!(!nested.contains('\n'));
            prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(nested).unwrap(), &expect["k"]);
        }
    }
}
