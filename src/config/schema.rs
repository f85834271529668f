//! The configuration's JSON Schema: what an editor checks and completes by. It says what the readers ask
//! for, and a test holds the two together; what only running can tell (patterns, samples, globs) it leaves
//! to `pillion check`.

use pillion_parsers::multiline::Joiner;
use pillion_parsers::parse::{Library, grammars};
use pillion_parsers::redact::Rules;
use serde_json::Value;

/// The schema but for the names of what is built in.
const SCHEMA: &str = include_str!("schema.json");

/// The schema, of draft 2020-12.
#[must_use]
pub fn schema() -> Value {
    // A test reads it.
    let mut schema: Value = serde_json::from_str(SCHEMA).unwrap_or_default();
    let library = Library::builtin();
    let rules = Rules::builtin().iter().map(|rule| rule.name.as_str());
    let names: [(&str, Vec<&str>); 4] = [
        ("/$defs/builtin_parser/enum", library.names().collect()),
        ("/$defs/builtin_rule/enum", std::iter::once("default").chain(rules).collect()),
        ("/$defs/joiner_name/anyOf/0/enum", Joiner::names().collect()),
        ("/$defs/grammar_name/enum", grammars().collect()),
    ];
    for (place, names) in names {
        if let Some(list) = schema.pointer_mut(place) {
            *list = names.into();
        }
    }
    schema
}
