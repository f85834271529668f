//! Values as Elasticsearch's dynamic mapping takes them. It refuses a whole document for a key that
//! names no field, or for a number that it has no type for.

use pillion_parsers::record::{Value, is_mappable};

use super::names::{self, Names};
use super::sink::Sink;
use super::walk::{string_end, unquoted};
use crate::export::escape;

/// Writes a value, as a string if it is a number that Elasticsearch has no type for. Nested values are
/// looked into if their record is `unmappable`, and copied as they are if not.
#[inline]
pub(crate) fn write_mappable(out: &mut impl Sink, value: &Value<'_>, unmappable: bool) {
    let mappable = match value {
        Value::Json(json) | Value::CleanJson(json) if unmappable => return write_nested(out, json),
        Value::Number(number) => is_mappable(number),
        #[expect(clippy::cast_possible_truncation, reason = "whether it becomes infinite is asked")]
        Value::Float(number) => (*number as f32).is_finite(),
        _ => true,
    };
    if mappable {
        out.value(value);
    } else {
        out.buffer().push(b'"');
        out.value(value);
        out.buffer().push(b'"');
    }
}

/// Writes valid JSON, with a name for each key that names no field, and each number that has no type as
/// a string. A string of the whole would clash with the object that the field is in other documents.
#[cold]
fn write_nested(out: &mut impl Sink, mut json: &str) {
    let mut objects: Vec<Names> = Vec::new();
    while let Some((token, rest)) = json.split_at_checked(token_end(json.as_bytes())) {
        let Some(first) = token.bytes().next() else { return };
        let is_key = first == b'"' && rest.trim_ascii_start().starts_with(':');
        match (first, objects.last_mut(), unquoted(token)) {
            (b'"', Some(names), Some(inside)) if is_key => {
                let name = names.unique(&names::sound(&names::decoded(inside)));
                escape::quote(out.buffer(), &name);
            }
            (b'-' | b'0'..=b'9', ..) if !is_mappable(token) => escape::quote(out.buffer(), token),
            _ => out.verbatim(token),
        }
        match first {
            b'{' => objects.push(Names::default()),
            b'}' => drop(objects.pop()),
            _ => {}
        }
        out.settle();
        json = rest;
    }
}

/// Where the first token ends: a string, a number, a brace, or all that stands before the next of these.
fn token_end(bytes: &[u8]) -> usize {
    let starts = |byte: &u8| matches!(byte, b'"' | b'{' | b'}' | b'-' | b'0'..=b'9');
    let number = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
    let end = match bytes.first() {
        Some(b'"') => string_end(bytes, 1),
        Some(b'{' | b'}') => Some(1),
        Some(b'-' | b'0'..=b'9') => bytes.iter().position(|byte| !number(byte)),
        _ => bytes.iter().position(starts),
    };
    end.unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(json: &str, unmappable: bool) -> String {
        let mut out = Vec::new();
        write_mappable(&mut out, &Value::Json(json), unmappable);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn what_has_no_mapping_is_given_one() {
        for (json, expect) in [
            (
                r#"{"id": 12345678901234567890, "n": [-1.5e3, 1e39]}"#,
                r#"{"id": "12345678901234567890", "n": [-1.5e3, "1e39"]}"#,
            ),
            (r#"{"":1,"_":{" ":2},"a.b":3}"#, r#"{"_":1,"__":{"_":2},"a.b":3}"#),
            (r#"[{"f:a":{".":{}}},{"." :"." }]"#, r#"[{"f:a":{"_":{}}},{"_" :"." }]"#),
            (r#"{"\u002ex\"":"\u002e","a\t":1}"#, r#"{"_x\"":"\u002e","a\t":1}"#),
            (r#"{"a":"9e99","b":[true,null]}"#, r#"{"a":"9e99","b":[true,null]}"#),
            ("[1e39]", r#"["1e39"]"#),
        ] {
            assert_eq!(written(json, true), expect);
            assert_eq!(written(json, false), json);
        }
    }

    proptest! {
        #[test]
        fn what_has_a_mapping_is_kept(json in crate::export::encode::tests::any_json()) {
            let tree = |json: &str| serde_json::from_str::<serde_json::Value>(json).expect("JSON");
            let mended = written(&json, true);
            prop_assert_eq!(written(&mended, true), mended.clone());
            if !json.contains(['.', '_']) && !json.contains("\"\":") {
                prop_assert_eq!(tree(&mended), tree(&json));
            }
        }

        #[test]
        fn no_text_makes_it_panic_or_go_on_for_ever(text in "[{}\\[\\]\",:\\\\ aé1]{0,32}") {
            written(&text, true);
        }
    }
}
