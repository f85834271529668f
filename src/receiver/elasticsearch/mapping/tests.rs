//! Documents one after the other into one index, with what it says to each.

use serde_json::json;

use super::*;

const RULES: MappingRules = MappingRules {
    fields: 40,
    depth: 20,
    keyword: 100,
    ignore_malformed: false,
    date_detection: true,
    quote_source: true,
};

/// Each document with a part of its refusal, or "" if it is taken.
fn check(rules: &MappingRules, documents: &[(Value, &str)]) {
    let mut mapping = Mapping::default();
    for (document, expect) in documents {
        let object = document.as_object().expect("an object");
        match mapping.admit(object, rules) {
            Ok(()) => assert_eq!(*expect, "", "{document} was taken"),
            Err(refusal) => {
                assert_eq!((refusal.status, refusal.kind), (400, "document_parsing_exception"));
                let part = !expect.is_empty() && refusal.reason.contains(expect);
                assert!(part, "{document}: {}", refusal.reason);
            }
        }
    }
}

/// `levels` objects, one in the other, around a number.
fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!({"a": inner}))
}

#[test]
fn a_field_is_an_object_or_a_value_for_ever() {
    check(
        &RULES,
        &[
            (json!({"host": "web-1"}), ""),
            (json!({"host": {"name": "web-1"}}), "Can't get text on a START_OBJECT"),
            (json!({"host.name": "web-1"}), "Can't get text on a START_OBJECT"),
            (json!({"user": {"id": 1}}), ""),
            (json!({"user.id": 2}), ""),
            (json!({"user": "ann"}), "found a concrete value"),
            (json!({"user": null}), ""),
            (json!({"list": [{"x": 1}, {"x": 2}]}), ""),
            (json!({"list": [{"x": 1}, 2]}), "found a concrete value"),
            (json!({"a": 1, "a.b": 2}), "Can't get text on a START_OBJECT"),
        ],
    );
}

#[test]
fn what_a_refused_document_would_have_added_is_not_learned() {
    check(
        &RULES,
        &[(json!({"new": {"x": 1}, "": 1}), "empty string"), (json!({"new": "a value now"}), "")],
    );
}

#[test]
fn values_must_fit_the_first_ones_type() {
    check(
        &RULES,
        &[
            (json!({"n": 1, "f": 1.5, "b": true, "d": "2026-11-22T10:00:00.123Z", "k": "x"}), ""),
            (json!({"n": "17", "f": "2", "b": "false", "d": 1_700_000_000_000_i64, "k": 5}), ""),
            (json!({"n": 2.5, "d": "2026-11-22"}), ""),
            (json!({"n": "many"}), "of type [long]. Preview of field's value: 'many'"),
            (json!({"n": 18_446_744_073_709_551_615_u64}), "of type [long]"),
            (json!({"n": true}), "of type [long]"),
            (json!({"b": "yes"}), "of type [boolean]"),
            (json!({"f": 1e38}), ""),
            (json!({"f": 1e39}), "of type [float]"),
            (json!({"f": "1e39"}), "of type [float]"),
            (json!({"g": 1e39}), "of type [float]"),
            (json!({"d": "soon"}), "of type [date]"),
            (json!({"@timestamp": "2026-11-22 10:00:00"}), "of type [date]"),
        ],
    );
    let lenient = MappingRules { ignore_malformed: true, ..RULES };
    check(
        &lenient,
        &[
            (json!({"n": 1}), ""),
            (json!({"n": "many"}), ""),
            (json!({"n": {"x": 1}}), "Can't get text on a START_OBJECT"),
            (json!({"@timestamp": "yesterday"}), "of type [date]"),
        ],
    );
    let silent = MappingRules { quote_source: false, ..RULES };
    let mut mapping = Mapping::default();
    let one = json!({"n": 1});
    mapping.admit(one.as_object().expect("an object"), &silent).expect("fits");
    let other = json!({"n": "secret"});
    let refusal = mapping.admit(other.as_object().expect("an object"), &silent);
    assert!(!refusal.expect_err("misfit").reason.contains("secret"));
}

#[test]
fn limits_hold() {
    let many: Map<String, Value> = (0..41).map(|n| (format!("f{n}"), json!(n))).collect();
    check(
        &RULES,
        &[
            (Value::Object(many), "Limit of total fields [40]"),
            (nested(19), ""),
            (json!({"b": nested(20)}), "Limit of mapping depth [20]"),
            (json!({"long": "x".repeat(101)}), "immense term"),
            (json!({"message": "x".repeat(101)}), ""),
            (json!({"a": {"b.": 1}}), "ambiguous"),
            (json!({".b": 1}), "ambiguous"),
            (json!({"_id": "x"}), "metadata field"),
            (json!({"_tsid": "x"}), "metadata field"),
            (json!({"": 1}), "empty string"),
            (json!({"p..q": 1}), "ambiguous"),
        ],
    );
}
