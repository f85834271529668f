//! Rules of a configuration's own: what is refused, and what the others find.

use super::super::tests::redact_json;
use super::super::{RuleSelection, Rules};
use super::*;

fn rule(pattern: &str, redact: &[&str], leave: &[&str]) -> CustomRule {
    let owned = |samples: &[&str]| samples.iter().map(|&sample| sample.into()).collect();
    CustomRule {
        name: "mine".into(),
        pattern: pattern.into(),
        must_redact: owned(redact),
        must_leave: owned(leave),
        ..CustomRule::default()
    }
}

fn build(rule: CustomRule) -> Result<Rules, RuleError> {
    Rules::build(RuleSelection { custom: vec![rule], ..RuleSelection::default() })
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[test]
fn patterns_that_match_nothing_or_disagree_with_samples_are_refused() {
    let refused = |pattern: &str, redact: &[&str], leave: &[&str]| {
        build(rule(pattern, redact, leave)).unwrap_err()
    };
    for pattern in ["x*", r"\b", "^", "a|", "(?:x?|y)", "$", r"\B(?:a{0,3})", "(?i)(k|)"] {
        let empty = RuleError::MatchesEmpty { name: "mine".into() };
        assert_eq!(refused(pattern, &[], &[]), empty, "{pattern}");
    }
    assert!(refused(r"[a&&b]", &[], &[]).to_string().contains("no text that it could match"));
    assert!(refused("(", &[], &[]).to_string().contains("unclosed group"));
    for pattern in ["(?=x)y", "(?!x)y", "(?<=x)y", "(?<!x)y"] {
        assert!(refused(pattern, &[], &[]).to_string().contains("looks around"), "{pattern}");
    }
    assert!(refused(r"(a)\1", &[], &[]).to_string().contains("refers back"));
    let missed = refused(r"E\d{6}", &["badge E12345"], &[]);
    let sample = "badge E12345".to_owned();
    assert_eq!(missed, RuleError::SampleMissed { name: "mine".into(), sample, found: None });
    assert_eq!(
        refused(r"E\d{6}", &["badge E123456"], &["ERRORE123456"]).to_string(),
        "rule `mine` finds `E123456` at byte 6 in `ERRORE123456`, which it must leave"
    );
    assert!(build(rule(r"\bE\d{6}\b", &["E123456"], &["ERRORE123456"])).is_ok());
}

#[test]
fn what_a_rule_says_beside_its_pattern_is_checked() {
    let refused = |rule: CustomRule| build(rule).unwrap_err().to_string();
    let of = |pattern: &str| rule(pattern, &[], &[]);
    assert!(refused(of("")).contains("no `pattern`, no `shapes` and no `keys`"));
    let check = CustomRule { check: Some("lunh".into()), ..of(r"\d{9}") };
    assert!(refused(check).contains("no checksum is called `lunh`"));
    let context = CustomRule { context: words(&["tax  id"]), ..of(r"\d{9}") };
    assert!(refused(context).contains("`tax  id`"));
    let shapes = CustomRule { shapes: words(&["00-00"]), ..of("") };
    assert!(refused(shapes).contains("`00-00`"));
    let keys = CustomRule { keys: words(&["badge"]), check: Some("luhn".into()), ..of("") };
    assert!(refused(keys).contains("check"));
    let checked =
        CustomRule { check: Some("luhn".into()), ..rule(r"\d{9}", &["a 046454287"], &[]) };
    assert!(refused(checked).contains("the checksum `luhn` refuses it"));
    let named = CustomRule { context: words(&["sin"]), ..rule(r"\d{9}", &["a 046454286"], &[]) };
    assert!(refused(named).contains("no word of its context"));
}

#[test]
fn words_checksums_names_and_shapes_go_with_a_pattern() {
    let check = |rule: CustomRule, raw: &str, expect: &str| {
        let mut redactor = Redactor::new(Arc::new(build(rule).unwrap()));
        assert_eq!(redact_json(&mut redactor, raw), expect);
    };
    let sin = CustomRule {
        check: Some("luhn".into()),
        context: words(&["sin", "social insurance"]),
        keys: words(&["member Id"]),
        ..rule(r"\b\d{3}-?\d{3}-?\d{3}\b", &["SIN 046-454-286"], &["046-454-286", "SIN 046454287"])
    };
    check(
        sin.clone(),
        r#"{"a":"046-454-286 of sin: 046-454-286","memberId":"x y","sin":[46454286,"046454286"],"b":"046454286"}"#,
        r#"{"a":"046-454-286 of sin: [MINE]","memberId":"[MINE]","sin":[46454286,"[MINE]"],"b":"046454286"}"#,
    );
    check(sin, r#"{"sin_no":123456782}"#, r#"{"sin_no":"[MINE]"}"#);
    let shape = CustomRule {
        shapes: words(&[r"\E000000", "000-000-000"]),
        ..rule("", &["badge E123456"], &["XE123456", "E1234567"])
    };
    check(shape, r#"{"a":"E123456, 046-454-286"}"#, r#"{"a":"[MINE], [MINE]"}"#);
}

#[test]
fn an_empty_name_of_a_field_is_refused() {
    for keys in [words(&[""]), words(&["badge", " "])] {
        let refused = build(CustomRule { keys, ..rule("", &[], &[]) }).unwrap_err().to_string();
        assert!(refused.contains("a name of a field is empty"), "{refused}");
    }
}

#[test]
fn gates_find_all_that_their_patterns_find() {
    let gate =
        |pattern: &str| compile(&rule(pattern, &[], &[])).unwrap().1.map(|gate| gate.to_string());
    assert_eq!(gate(r"E\d{6}"), None);
    for (pattern, text) in [
        (r"\bE[0-9]{6}\b", "xE123456y"),
        ("^a$", "xax"),
        (r"(?:^|,)x", "yx"),
        (r"\Ax", "yx"),
        (r"\b*x", "yx"),
        (r"[]^]x\z", "y]xy"),
        ("(?x) a$ # $", "bab"),
        (r"(\b{start}ab|\Bcd)+\b", "xabcdx"),
        (r"(?m)^(?i:k)$", "xKx"),
    ] {
        let gate = gate(pattern).unwrap();
        assert!(Regex::new(&gate).unwrap().is_match(text), "{pattern}: {gate}");
    }
}

#[test]
fn names_of_fields_in_other_scripts_are_found_however_they_are_spelt() {
    let names = ["Geheimzahl größe", "пароль", "密码"];
    for (name, key) in names.iter().zip(["geheimzahlGröße", "пароль", "密码"]) {
        let own = CustomRule { keys: words(&[name]), ..rule("", &[], &[]) };
        let mut redactor = Redactor::new(Arc::new(build(own).unwrap()));
        let escaped: String = key.chars().map(|it| format!("\\u{:04x}", u32::from(it))).collect();
        for raw in [
            format!(r#"{{"{key}":"x1","a":"b"}}"#),
            format!(r#"{{"{escaped}":"x1","a":"b"}}"#),
            format!(r#"{{"o":{{"{escaped}":["x1"]}},"a":"b"}}"#),
        ] {
            let left = redact_json(&mut redactor, &raw);
            assert!(left.contains("[MINE]") && !left.contains("x1"), "{raw}: {left}");
        }
        let text = format!("login {key}=x1 ok");
        assert_eq!(&*redactor.clean(&text), format!("login {key}=[MINE] ok"));
    }
}
