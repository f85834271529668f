//! JSON read strictly: an object with the same key twice is refused, as Elasticsearch's parser does.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads one JSON value, and nothing after it.
///
/// # Errors
/// What is wrong with it, in the parser's words; a repeated key as `Duplicate field 'key'`.
pub(super) fn parse(text: &[u8]) -> Result<Value, String> {
    match serde_json::from_slice::<Strict>(text) {
        Ok(Strict(value)) => Ok(value),
        Err(error) => Err(error.to_string()),
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Strict)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(value)) = elements.next_element()? {
            array.push(value);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Strict(value))) = entries.next_entry::<String, Strict>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("Duplicate field '{key}'")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Result<&str, &str>) {
        match (parse(text.as_bytes()), expect) {
            (Ok(value), Ok(expect)) => assert_eq!(value.to_string(), expect, "{text}"),
            (Err(error), Err(part)) => assert!(error.contains(part), "{text}: {error}"),
            (result, _) => panic!("{text}: {result:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn what_is_not_strict_json_is_refused() {
        let nested = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        let long = "9".repeat(400);
        check(
            r#"{"b":[1,-2,2.5,null,true,"\u00e9"],"a":{}}"#,
            Ok(r#"{"b":[1,-2,2.5,null,true,"é"],"a":{}}"#),
        );
        check(r#"{"a":1,"a":2}"#, Err("Duplicate field 'a'"));
        check(r#"[{"x":{"a":1,"\u0061":2}}]"#, Err("Duplicate field 'a'"));
        check(r#"{"a":1} {"b":2}"#, Err("trailing characters"));
        check(r#"{"a":"\ud800"}"#, Err("hex escape"));
        check(r#"{"a":"\udc00 x"}"#, Err("surrogate"));
        check("{\"a\":\"\t\"}", Err("control character"));
        check(&nested, Err("recursion limit"));
        check(&long, Err("number out of range"));
        check("", Err("EOF"));
    }
}
