//! Tests of the whole: every sample of every rule, and what must hold for any text.

use std::sync::Arc;

mod spelled;

use super::*;
use crate::Arena;
use crate::record::{Key, Record, Text, Value};

mod actions;
mod again;
mod allowed;
mod bounded;
mod commands;
mod configured;
mod explained;
mod linear;
mod parted;
mod personal;
mod places;
mod planted;
mod private_key;
mod properties;
mod samples;
mod shapes;

fn redactor(selection: RuleSelection) -> Redactor {
    Redactor::new(Arc::new(Rules::build(selection).unwrap()))
}

fn only(rule: &str) -> Redactor {
    redactor(RuleSelection { rules: vec![rule.into()], ..RuleSelection::default() })
}

fn standard() -> Redactor {
    redactor(RuleSelection::standard())
}

/// What a record looks like from outside, as JSON.
pub(super) fn shown(redacted: Option<Redacted<'_, '_>>) -> serde_json::Value {
    let Some(redacted) = redacted else { return serde_json::Value::Null };
    let text = |text: Text<'_>| -> serde_json::Value {
        if text.is_escaped() {
            serde_json::from_str(&format!("\"{}\"", text.as_stored())).unwrap()
        } else {
            text.as_stored().into()
        }
    };
    let mut shown = serde_json::Map::new();
    if let Some(message) = redacted.message() {
        shown.insert("message".into(), text(message));
    }
    for field in redacted.fields() {
        let key = match field.key {
            Key::Known(known) => known.name().to_owned(),
            Key::Text(key) => text(key).as_str().unwrap().to_owned(),
        };
        let value = match field.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => value.into(),
            Value::Int(value) => value.into(),
            Value::Float(value) => value.into(),
            Value::Number(value) | Value::Json(value) | Value::CleanJson(value) => {
                serde_json::from_str(value).unwrap()
            }
            Value::Text(value) => text(value),
        };
        assert!(shown.insert(key.clone(), value).is_none(), "{key} twice");
    }
    shown.into()
}

/// The end of the JSON value that begins at `from`, in JSON without white space.
fn value_end(raw: &str, from: usize) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    for (at, byte) in raw.bytes().enumerate().skip(from) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' | b',' | b':' if depth == 0 => return at,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    raw.len()
}

/// An object of JSON (without white space) as a parser gives it: slices of the raw text.
fn parsed(raw: &str) -> Record<'_> {
    let mut record = Record::default();
    let mut at = 1;
    while at < raw.len() && !raw[at..].starts_with('}') {
        let key_end = value_end(raw, at);
        let end = value_end(raw, key_end + 1);
        let key = Key::Text(Text::raw_escaped(&raw[at + 1..key_end - 1]));
        let value = &raw[key_end + 1..end];
        record.push(
            key,
            match value.as_bytes()[0] {
                b'"' => Value::Text(Text::raw_escaped(&value[1..value.len() - 1])),
                b'{' | b'[' => Value::Json(value),
                b't' | b'f' => Value::Bool(value == "true"),
                b'n' => Value::Null,
                _ => Value::Number(value),
            },
        );
        at = end + 1;
    }
    record
}

/// Redacts a line of JSON, as parsed.
pub(super) fn redact_json(redactor: &mut Redactor, raw: &str) -> String {
    let arena = Arena::new();
    let mut record = parsed(raw);
    let mut block = BlockState::default();
    shown(redactor.redact(raw, &mut record, &arena, &mut block)).to_string()
}

#[track_caller]
fn check(selection: RuleSelection, raw: &str, expect: &str) {
    assert_eq!(redact_json(&mut redactor(selection), raw), expect);
}

#[test]
fn values_hide_in_strings_keys_numbers_and_nested_json() {
    let standard = RuleSelection::standard;
    check(standard(), r#"{"a":"x bob@example.com","b":1}"#, r#"{"a":"x [EMAIL]","b":1}"#);
    check(standard(), r#"{"a":"bob\u0040example.com\n"}"#, r#"{"a":"[EMAIL]\n"}"#);
    check(standard(), r#"{"bob@example.com":1,"x":2}"#, r#"{"[EMAIL]":1,"x":2}"#);
    check(standard(), r#"{"a@b.com":1,"c@d.com":2}"#, r##"{"[EMAIL]":1,"[EMAIL]#2":2}"##);
    check(standard(), r#"{"n":4111111111111111,"m":17}"#, r#"{"n":"[CREDIT_CARD]","m":17}"#);
    check(standard(), r#"{"n":4.111111111111111e15}"#, r#"{"n":"[CREDIT_CARD]"}"#);
    check(
        standard(),
        r#"{"o":{"a@b.com":[4111111111111111,"x"],"c@d.com":{"password":"x","n":null}}}"#,
        r##"{"o":{"[EMAIL]":["[CREDIT_CARD]","x"],"[EMAIL]#2":{"password":"[PASSWORD]","n":null}}}"##,
    );
    check(
        standard(),
        r#"{"m":"{\"a\":\"{\\\"password\\\":\\\"x1\\\",\\\"e\\\":\\\"a@b.com\\\"}\",\"n\":4111111111111111}"}"#,
        r#"{"m":"{\"a\":\"{\\\"password\\\":\\\"[PASSWORD]\\\",\\\"e\\\":\\\"[EMAIL]\\\"}\",\"n\":\"[CREDIT_CARD]\"}"}"#,
    );
    check(
        standard(),
        r#"{"dbPassword":5,"pass\u0077ord":"y","authorization":["Bearer x"],"secret":null}"#,
        r#"{"dbPassword":"[PASSWORD]","password":"[PASSWORD]","authorization":"[AUTHORIZATION]","secret":null}"#,
    );
}

#[test]
fn actions_mask_hash_and_drop() {
    let by_rule = |rule: &str, action| RuleSelection {
        actions_by_rule: vec![(rule.into(), action)],
        hash_key: Some(b"key".to_vec()),
        ..RuleSelection::standard()
    };
    let raw = r#"{"a":"bob@example.com","b":{"c":"Bob@Example.com","d":1}}"#;
    check(by_rule("email", Action::Mask), raw, r#"{"a":"[EMAIL]","b":{"c":"[EMAIL]","d":1}}"#);
    check(by_rule("email", Action::DropField), raw, r#"{"b":{"d":1}}"#);
    check(by_rule("email", Action::DropRecord), raw, "null");
    check(by_rule("card", Action::DropRecord), r#"{"a":{"n":[4111111111111111]}}"#, "null");
    check(
        by_rule("card", Action::DropField),
        r#"{"a":{"n":[1,4111111111111111]}}"#,
        r#"{"a":{"n":[1]}}"#,
    );
    // in running text there is no field to drop: the value goes, the text stays
    check(
        by_rule("password", Action::DropField),
        r#"{"m":"password=x1 ok"}"#,
        r#"{"m":"password=[PASSWORD] ok"}"#,
    );
    check(by_rule("password", Action::DropField), r#"{"password":"x1","n":1}"#, r#"{"n":1}"#);

    let hashed = redact_json(&mut redactor(by_rule("email", Action::Hash)), raw);
    let hashed: serde_json::Value = serde_json::from_str(&hashed).unwrap();
    assert_eq!(hashed["a"], hashed["b"]["c"], "spellings of one address are joined");
    assert_eq!(hashed["a"].as_str().unwrap().len(), "[EMAIL:abcdefghij]".len());
}

#[test]
fn fields_are_matched_by_final_name_and_by_path() {
    let fields = |name: &str, action| RuleSelection {
        fields: vec![(name.into(), action)],
        hash_key: Some(b"key".to_vec()),
        ..RuleSelection::default()
    };
    let raw = r#"{"user":{"email":"x","Email2":"z"},"email":"y","user.email":7}"#;
    check(
        fields("user.email", Action::Mask),
        raw,
        r#"{"user":{"email":"[EMAIL]","Email2":"z"},"email":"y","user.email":"[EMAIL]"}"#,
    );
    check(fields("email", Action::DropField), raw, r#"{"user":{"Email2":"z"}}"#);
    check(fields("user", Action::Mask), raw, r#"{"user":"[USER]","email":"y","user.email":7}"#);
    check(fields("email", Action::DropRecord), raw, "null");
    check(fields("zip", Action::Mask), raw, raw);
}

#[test]
fn known_and_built_fields_follow_the_rules_too() {
    use crate::record::Known;
    let raw = "GET bob";
    let arena = Arena::new();
    let run = |selection: RuleSelection| {
        let mut record =
            Record { message: Some(Text::built("mail from bob@example.com")), ..Record::default() };
        record.push(Key::Known(Known::User), Value::Text(Text::raw(&raw[4..])));
        record.push(Key::Text(Text::vetted("password")), Value::Text(Text::raw(&raw[4..])));
        record.push(Key::Text(Text::built("a@b.com")), Value::Int(4_111_111_111_111_111));
        record.push(Key::Text(Text::vetted("f")), Value::Float(4.111_111_111_111_111e15));
        shown(redactor(selection).redact(raw, &mut record, &arena, &mut BlockState::default()))
            .to_string()
    };
    assert_eq!(
        run(RuleSelection::standard()),
        r#"{"message":"mail from [EMAIL]","user":"bob","password":"[PASSWORD]","[EMAIL]":"[CREDIT_CARD]","f":"[CREDIT_CARD]"}"#
    );
    let named =
        RuleSelection { fields: vec![("user".into(), Action::Mask)], ..RuleSelection::default() };
    assert_eq!(
        run(named),
        r#"{"message":"mail from bob@example.com","user":"[USER]","password":"bob","a@b.com":4111111111111111,"f":4111111111111111.0}"#
    );
}

#[test]
fn a_private_key_over_several_records_goes() {
    let mut redactor = standard();
    let mut block = BlockState::default();
    let arena = Arena::new();
    let mut line = |raw: &'static str| {
        let mut record = Record { message: Some(Text::raw(raw)), ..Record::default() };
        let redacted = redactor.redact(raw, &mut record, &arena, &mut block);
        shown(redacted)["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(line("key: -----BEGIN RSA PRIVATE KEY-----"), "key: [PRIVATE_KEY]");
    let material = "MIIEpAIBAAKCAQEA7bq5nHq0wq8Wn1w3b3f4m2Jm1kq0F3XkqY5l8t7C6Pp0aZ1x";
    assert_eq!(line(material), "[PRIVATE_KEY]");
    assert_eq!(line("10:00 INFO request served"), "10:00 INFO request served");
    assert_eq!(line("AB12=="), "[PRIVATE_KEY]");
    assert_eq!(line("-----END RSA PRIVATE KEY-----"), "[PRIVATE_KEY]");
    assert_eq!(line(material), material);
}

#[test]
fn selections_are_checked() {
    let build = |rules: &[&str]| {
        let rules = rules.iter().map(|&rule| rule.into()).collect();
        Rules::build(RuleSelection { rules, ..RuleSelection::default() })
    };
    let names = |rules: &[&str]| build(rules).unwrap().names().join(" ");
    assert_eq!(build(&[]).unwrap_err(), RuleError::NothingOn);
    assert_eq!(names(&["-iban"]), names(&["default", "-iban"]));
    assert_eq!(names(&["email", "ipv4"]), "email ipv4");
    assert_eq!(names(&["default", "ipv4", "-iban"]).matches("iban").count(), 0);
    assert_eq!(build(&["default", "-default"]).unwrap_err(), RuleError::NothingOn);
    assert!(!names(&["default"]).contains("ipv4"));
    match build(&["default", "-emial"]).unwrap_err() {
        RuleError::Unknown { name, known } => {
            assert_eq!(name, "emial");
            assert!(known.contains(&"email".to_owned()));
        }
        other => panic!("{other}"),
    }
    let off = RuleSelection {
        actions_by_rule: vec![("ipv4".into(), Action::DropRecord)],
        ..RuleSelection::standard()
    };
    assert_eq!(Rules::build(off).unwrap_err(), RuleError::NotOn { name: "ipv4".into() });
    let hash = RuleSelection { action: Action::Hash, ..RuleSelection::standard() };
    assert_eq!(Rules::build(hash).unwrap_err(), RuleError::NoHashKey);
}

#[test]
fn custom_rules_work_and_leave_their_own_token() {
    let custom = |pattern: &str| RuleSelection {
        custom: vec![CustomRule {
            name: "badge".into(),
            pattern: pattern.into(),
            ..CustomRule::default()
        }],
        ..RuleSelection::standard()
    };
    let raw = r#"{"a":"badge E123456","E654321":1,"n":{"x":"y E111111"},"e":"\u0045999999"}"#;
    check(
        custom(r"\bE\d{6}\b"),
        raw,
        r##"{"a":"badge [BADGE]","[BADGE]":1,"n":{"x":"y [BADGE]"},"e":"[BADGE]"}"##,
    );
    check(
        custom(r"^\d{6}$"),
        r#"{"a":"123456","b":"x 123456","c":123456}"#,
        r#"{"a":"[BADGE]","b":"x 123456","c":"[BADGE]"}"#,
    );
    check(custom("[A-Z]+"), r#"{"a":"x ABC"}"#, r#"{"a":"x [BADGE]"}"#);
}
