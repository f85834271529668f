//! `redact: custom`: rules of the user's own.

use pillion_parsers::redact::CustomRule;

use super::Typed;
use crate::config::check::all;
use crate::config::read::{Reader, Value};

/// Reads one rule; what is wrong with it as a rule, [`Rules::build`](pillion_parsers::redact::Rules)
/// says.
pub(super) fn read<'n>(reader: &mut Reader<'_>, value: Value<'n>, typed: &mut Typed<'n>) {
    match rule(reader, value, typed) {
        Some(rule) => typed.custom.push((rule, value)),
        None => typed.broken.push(value.name.to_owned()),
    }
}

fn rule<'n>(
    reader: &mut Reader<'_>,
    value: Value<'n>,
    typed: &mut Typed<'n>,
) -> Option<CustomRule> {
    let mut fields = reader.map(value)?;
    let mut list = |key| texts(reader, fields.take(key));
    let [must_redact, must_leave] = ["must_redact", "must_leave"].map(&mut list);
    let [shapes, keys, context] = ["shapes", "keys", "context"].map(&mut list);
    let check = fields.take("check");
    let check = check.map_or(Some(None), |value| reader.filled(value, "a checksum").map(Some));
    if let Some(action) = fields.take("action") {
        typed.actions.push((value.name.to_owned(), action));
    }
    let others = [&shapes, &keys].iter().any(|list| list.as_ref().is_none_or(|it| !it.is_empty()));
    let pattern = if others {
        fields.take("pattern")
    } else {
        fields.need("pattern", r"write `pattern: '\bE\d{6}\b'`, or `shapes`, or `keys`")
    };
    let asked = pattern.is_some() || others;
    let pattern = pattern.map_or(Some(""), |value| reader.verbatim(value, "a pattern"));
    fields.finish(reader);
    asked.then_some(())?;
    Some(CustomRule {
        name: value.name.to_owned(),
        pattern: pattern?.to_owned(),
        shapes: shapes?,
        keys: keys?,
        context: context?,
        check: check?,
        must_redact: must_redact?,
        must_leave: must_leave?,
    })
}

fn texts(reader: &mut Reader<'_>, value: Option<Value<'_>>) -> Option<Vec<String>> {
    let Some(value) = value else { return Some(Vec::new()) };
    let texts = reader.list(value);
    all(texts.into_iter().map(|value| reader.verbatim(value, "a text").map(str::to_owned)))
}
