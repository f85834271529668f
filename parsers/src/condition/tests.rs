//! Conditions: what they mean of records, and how mistaken ones are refused.

use super::*;
use crate::Arena;
use crate::parse::{Library, Parser, ParserState, ReadAt};
use crate::record::{Key, Text, Value};

/// Whether a condition holds of a JSON line.
fn holds(condition: &str, line: &str) -> bool {
    let condition =
        Condition::new(condition).unwrap_or_else(|error| panic!("{condition}: {error:?}"));
    let library = Library::builtin();
    let mut parser = Parser::new(&library, "json", ParserState::default()).expect("there is one");
    let (arena, mut record) = (Arena::new(), Record::default());
    parser.parse(line, ReadAt::default(), &arena, &mut record);
    assert!(!record.marks.unparsed, "{line}");
    condition.holds(&record, &mut Scratch::default())
}

const LINE: &str = r#"{"level":"WARNING","msg":"took \"so\" long","status":503,"took":0.25,"user":{"name":"ann","tags":["a\n","b",3],"a.b":{"c":true}},"ok":true,"no":null,"big":18446744073709551615,"x-id":"7","e":"","host.name":"h1","text":"503","caf\u00e9":"é"}"#;

#[test]
fn conditions_mean_what_they_say() {
    for (condition, expect) in [
        // Levels go by severity.
        (r#"level == "warn""#, true),
        (r#"level == "warning""#, true),
        (r#"level >= "info""#, true),
        (r#"level >= "error""#, false),
        (r#""debug" < level"#, true),
        (r#"level in ["debug", "warn"]"#, true),
        (r#"level != "warn""#, false),
        (r#"level.startsWith("w")"#, true),
        // Texts, escapes undone.
        (r#"message.contains("\"so\"")"#, true),
        (r#"message.contains('"so" l')"#, true),
        (r#"message == 'took "so" long'"#, true),
        (r#"message.endsWith("long") && message.startsWith("took")"#, true),
        (r#"message.matches(r'"\w+" l')"#, true),
        (r#"message.matches('^so')"#, false),
        (r#"user.name == "ann""#, true),
        (r#"user["name"] == 'ann'"#, true),
        (r#"user.name < "b" && user.name > "a""#, true),
        (r#"`x-id` == "7""#, true),
        (r#"host.name == "h1""#, true),
        (r#"café == "\u00e9""#, true),
        // Numbers.
        ("status == 503", true),
        ("status >= 500.5", true),
        ("status < -1", false),
        ("took > 0.2 && took <= 2.5e-1", true),
        ("big > 9223372036854775807", true),
        ("status in [500, 503]", true),
        // Nested, and lists.
        ("user.a.b.c", true),
        ("user.a.b.c == true", true),
        (r#""b" in user.tags"#, true),
        (r#""a\n" in user.tags"#, true),
        ("3 in user.tags", true),
        ("4 in user.tags", false),
        (r#""name" in user"#, true),
        // Sizes and conversions.
        ("size(user.tags) == 3 && user.tags.size() == 3", true),
        ("size(message) == 14", true),
        ("size(user) == 3", true),
        ("int(text) > 500 && int(took) == 0 && double(status) == 503.0", true),
        // Absent, and of another type.
        ("nothing == 1 || nothing < 1 || nothing > 1", false),
        ("nothing != 1", true),
        ("nothing", false),
        ("!nothing", true),
        (r#"status == "503""#, false),
        (r#"status != "503""#, true),
        (r#"status < "504" || status > "0""#, false),
        (r#"status.contains("5")"#, false),
        ("text == 503", false),
        ("nothing.contains('x')", false),
        ("int(message) == 0 || int(message) < 1 || int(message) > 0", false),
        ("no == null && ok != null && nothing != null", true),
        ("no < null || ok < true || false < ok", false),
        ("'x' in nothing || 'x' in status", false),
        // Whether it is there.
        ("has(user.name) && has(level) && has(message) && has(no)", true),
        ("has(nothing) || has(time) || has(user.nothing) || has(status.x)", false),
        // Structure.
        ("ok && !(status == 1) || false", true),
        ("false && false || true", true),
        ("true || false && false", true),
    ] {
        assert_eq!(holds(condition, LINE), expect, "{condition}");
    }
}

#[test]
fn an_unread_level_is_a_text_and_no_level() {
    let line = r#"{"level":"purple","msg":"x"}"#;
    assert!(!holds(r#"level >= "trace""#, line) && holds("level.contains('purp')", line));
    assert!(holds(r#"level != "warn""#, line) && holds("has(level)", line));
}

#[test]
fn what_containers_and_formats_name_is_found() {
    let mut record = Record::default();
    record.push(Key::Known(crate::record::Known::Status), Value::Int(404));
    record.push(Key::Text(Text::raw_escaped(r"a\u0062")), Value::Float(1.5));
    let holds = |text: &str| {
        let condition = Condition::new(text).expect("sound");
        condition.holds(&record, &mut Scratch::default())
    };
    assert!(holds("status == 404 && ab == 1.5 && ab > 1") && !holds("has(message)"));
}

#[test]
fn mistakes_are_shown_where_they_are() {
    for (condition, at, message) in [
        ("", 0..0, "there is no condition here"),
        ("level = 'x'", 6..7, "`=` means nothing here"),
        ("a == 1 and b == 2", 7..10, "this cannot stand here"),
        ("a ==", 4..4, "the condition ends too early"),
        ("a == 'x", 5..7, "this text is never closed"),
        (r"a == 'x\d'", 7..9, "this escape is not known"),
        ("level == 'wran'", 9..15, "there is no level `wran`"),
        ("level in ['warn', 'x']", 9..22, "there is no level `x`"),
        ("level >= 4", 9..10, "a level is compared with a level's name"),
        ("m.startswith('x')", 2..12, "there is no function `startswith` of a value"),
        ("exists(m)", 0..6, "there is no function `exists`"),
        ("contains(m)", 0..8, "there is no function `contains`"),
        ("m.matches('(')", 10..13, "the pattern cannot be used: unclosed group"),
        ("m.matches(n)", 10..11, "a pattern is a text in quotes, not a field"),
        ("m.contains(1)", 11..12, "`contains` asks for a text"),
        ("m.contains()", 11..12, "`contains` asks for something in its parentheses"),
        ("has('x')", 4..7, "`has` asks for a field"),
        ("time > 5", 0..4, "times cannot be compared"),
        ("x-id == 1", 1..2, "this cannot stand here"),
        ("1 < 2 < 3", 6..7, "comparisons cannot be chained"),
        ("(a == 1", 7..7, "`)` is missing here"),
        ("!a == 1", 0..2, "this is true or false, and no value"),
        ("'a'", 0..3, "this is neither true nor false: compare it with something"),
        ("a == [1]", 5..8, "a list stands only behind `in`"),
        ("a in 1", 5..6, "behind `in` stands a list, or a field that holds one"),
        ("a in [b]", 6..7, "a list holds texts and numbers only"),
        ("5x == 1", 0..2, "this is no number"),
        ("99999999999999999999 == a", 0..20, "this number is too large"),
        ("a == 1 é", 7..9, "this cannot stand here"),
        ("a == 1; b", 6..7, "this cannot stand in a condition"),
        ("a ? b", 2..3, "`?` means nothing here"),
        ("`a", 0..2, "this name is never closed, or empty"),
        ("'x'.y == 1", 0..5, "only a field has parts"),
    ] {
        let found = Condition::new(condition).map(|_| ());
        let expect = ConditionError { at, message: message.to_owned(), help: None, unknown: None };
        let found = found.expect_err(condition);
        assert_eq!((found.at, found.message), (expect.at, expect.message), "{condition}");
    }
}

#[test]
fn length_and_depth_are_bounded() {
    let deep = format!("{}a{}", "(".repeat(40), ")".repeat(40));
    let long = format!("a == '{}'", "x".repeat(MAX_LENGTH));
    let negated = format!("{}a", "!".repeat(4000));
    for (text, message) in
        [(deep, "levels deep"), (long, "at most 4096 bytes"), (negated, "levels")]
    {
        let error = Condition::new(&text).expect_err("too much");
        assert!(error.message.contains(message), "{error}");
    }
    let wide = vec!["a"; 900].join("||");
    assert!(Condition::new(&wide).is_ok());
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_condition_or_a_mistake_within_it(text in ".{0,60}") {
        if let Err(error) = Condition::new(&text) {
            proptest::prop_assert!(error.at.start <= error.at.end && error.at.end <= text.len());
        }
    }

    #[test]
    fn tokens_in_any_order_neither_panic_nor_hang(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "a", "level", "'x'", "1", "==", "&&", "!", "(", ")", "[", "]", ",", ".", "in", "has", "size",
            "matches", "contains", "null", "-", "<", "||", "true",
        ]), 0..20),
    ) {
        if let Ok(condition) = Condition::new(&words.join(" ")) {
            let _ = condition.holds(&Record::default(), &mut Scratch::default());
        }
    }
}
