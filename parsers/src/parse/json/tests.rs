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
    let in_all = format!("{{\"a\":[{}]}}", vec![many_keys(200, false); 6].join(","));
    for (text, expect) in [
        (r#"{"a":1,"a":2}"#.to_owned(), Misfit::DuplicateKey),
        (r#"{"a":1,"\u0061":2}"#.to_owned(), Misfit::DuplicateKey),
        (r#"{"o":[{"k":{"a":1,"b":2,"a":3}}]}"#.to_owned(), Misfit::DuplicateKey),
        (r#"{"a/b":1,"a\/b":2}"#.to_owned(), Misfit::DuplicateKey),
        (r#"{"a":1,"o":[{"b":1},{}],"a":2}"#.to_owned(), Misfit::DuplicateKey),
        (nest(20), Misfit::TooDeep),
        (nest(10_000), Misfit::TooDeep),
        (format!("{{\"a\":{}", "[".repeat(10_000)), Misfit::TooDeep),
        (many_keys(257, false), Misfit::TooManyKeys),
        (many_keys(257, true), Misfit::TooManyKeys),
        (many_keys(100_000, true), Misfit::TooManyKeys),
        (in_all, Misfit::TooManyKeys),
        (format!("{{\"a\":{}}}", "9".repeat(400)), Misfit::Number),
        (format!("{{\"a\":{}}}", "9".repeat(65)), Misfit::Number),
        (r#"{"a":1e400}"#.to_owned(), Misfit::Number),
        (r#"{"a":[-1e400]}"#.to_owned(), Misfit::Number),
        (r#"{"a":"\ud800"}"#.to_owned(), Misfit::LoneSurrogate),
        (r#"{"a":"\ud800\n"}"#.to_owned(), Misfit::LoneSurrogate),
        (r#"{"a":"\ud800\ud800"}"#.to_owned(), Misfit::LoneSurrogate),
        (r#"{"a":"\udc00x"}"#.to_owned(), Misfit::LoneSurrogate),
        (r#"{"\ude00":1}"#.to_owned(), Misfit::LoneSurrogate),
    ] {
        let shown: String = text.chars().take(60).collect();
        assert_eq!(parse(&text), Err(expect), "{shown}");
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
            Ok(_) => prop_assert!(peer(&text), "{text}"),
            Err(Misfit::Syntax | Misfit::LoneSurrogate) => prop_assert!(!peer(&text), "{text}"),
            Err(Misfit::DuplicateKey | Misfit::TooDeep | Misfit::Number) => {}
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
