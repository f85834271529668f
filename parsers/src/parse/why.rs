//! Why a text does not fit a parser, in words for a person.

use std::sync::Arc;

use super::compiled::Compiled;
use super::{Library, Misfit, Parser, ParserState, ReadAt, convert, json, layout};
use crate::Arena;
use crate::definition::{Definition, FieldType};
use crate::record::{Record, Value};
use crate::redact::is_guarded;

/// Why a text does not fit the parser of that name; `None` if it does, or if there is none. It may have
/// what the text has.
#[must_use]
pub fn why(library: &Library, name: &str, text: &str, at: ReadAt) -> Option<String> {
    let definition = library.definition(name)?;
    let mut parser = Parser::new(library, name, ParserState::default()).ok()?;
    let (arena, mut record) = (Arena::new(), Record::default());
    parser.parse(text, at, &arena, &mut record);
    let counts = parser.counters().unparsed;
    let misfit = Misfit::ALL.into_iter().zip(counts).find(|(_, count)| *count > 0)?.0;
    let said = match misfit {
        Misfit::FieldType => mistyped(definition, library, text, at),
        Misfit::Syntax => unread(definition, text, at),
        _ => None,
    };
    Some(said.unwrap_or_else(|| misfit.said().to_owned()))
}

/// What is wrong with the text itself.
fn unread(definition: &Definition, text: &str, at: ReadAt) -> Option<String> {
    match definition.grammar.as_deref() {
        None if definition.pattern.is_some() => Some("the pattern does not match it".to_owned()),
        None => layout::stop(definition, text, at.now),
        Some(grammar) if grammar == json::GRAMMAR.name => {
            let error = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text);
            error.err().map(|error| format!("it is no JSON object: {error}"))
        }
        Some(grammar) => Some(format!("it is not in the grammar `{grammar}`")),
    }
}

/// The field that is not of its type, and its text.
fn mistyped(definition: &Definition, library: &Library, text: &str, at: ReadAt) -> Option<String> {
    let untyped = Definition { types: Default::default(), ..definition.clone() };
    let compiled = Arc::new(Compiled::new(&untyped, library).ok()?);
    let mut parser = Parser::with(compiled, library, ParserState::default());
    let (arena, mut record) = (Arena::new(), Record::default());
    parser.parse(text, at, &arena, &mut record);
    definition.types.iter().find_map(|(field, kind)| {
        let value = *record.get(field)?;
        convert::value(value, *kind).err()?;
        let shown = match value {
            Value::Text(text) => text.as_stored().to_owned(),
            Value::Number(text) | Value::Json(text) | Value::CleanJson(text) => text.to_owned(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            Value::Null => return None,
        };
        let wanted = wanted(*kind);
        Some(if is_guarded(field) {
            format!("the field `{field}` is not {wanted}")
        } else {
            format!("the field `{field}` is {wanted}, not `{shown}`")
        })
    })
}

const fn wanted(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Integer => "a whole number",
        FieldType::Float => "a number",
        FieldType::Boolean => "true or false",
        FieldType::String => "a text",
        FieldType::Seconds
        | FieldType::Milliseconds
        | FieldType::Microseconds
        | FieldType::Nanoseconds => "a duration",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_lines_that_do_not_fit() {
        let definitions = [
            "{name: shop, layout: ['{time:iso} [{level:INFO|WARN}] {logger:word}: {message}', 'only {a:int}']}",
            r"{name: regex, pattern: '^(?<took>\S+) (?<message>.*)$', types: {took: float}}",
            "{name: typed, grammar: logfmt, types: {n: integer}}",
        ];
        let definitions = definitions.map(|yaml| Definition::from_yaml(yaml).unwrap());
        let library = Library::builtin().with(definitions.to_vec()).unwrap();
        for (name, text, expect) in [
            ("shop", "2026-11-26 10:00:00 [INFO] a: b", None),
            (
                "shop",
                "2026-11-26 10:00:00 (INFO) a: b",
                Some(
                    "`{time:iso} [{level:INFO|WARN}] {logger:word}: {message}` fits up to column 20, where ` [` should follow",
                ),
            ),
            (
                "shop",
                "2026-11-26 10:00:00 [INFO] a b",
                Some(
                    "`{time:iso} [{level:INFO|WARN}] {logger:word}: {message}` fits up to column 28, where `{logger}` and `: ` should follow",
                ),
            ),
            ("shop", "only 1x", Some("`only {a:int}` fits up to column 7, where it should end")),
            ("regex", "x y", Some("the field `took` is a number, not `x`")),
            ("regex", "x", Some("the pattern does not match it")),
            ("typed", "a=1 n=x", Some("the field `n` is a whole number, not `x`")),
            ("typed", "a=\"1", Some("it is not in the grammar `logfmt`")),
            (
                "json",
                "{\"a\":1",
                Some("it is no JSON object: EOF while parsing an object at line 1 column 6"),
            ),
            ("json", "{\"\\ud800\":1}", Some("a key has half a character")),
            ("nothing", "x", None),
        ] {
            assert_eq!(
                why(&library, name, text, ReadAt::default()).as_deref(),
                expect,
                "{name}: {text}"
            );
        }
    }
}
