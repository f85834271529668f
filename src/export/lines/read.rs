//! Lines read back: what was kept as text becomes a Record again, of the same values under the same
//! names, so that it can be redacted and encoded as when it was read first. Nothing is copied but what
//! has to be decoded.

use std::borrow::Cow;

use pillion_parsers::record::{ClockUnit, Key, Known, Level, Marks, Record, Text, Time, Value};
use serde::de::IgnoredAny;

use super::RESERVED;
use crate::export::encode::names::decoded;
use crate::export::encode::walk::{Elements, Members, unquoted};

/// The most bytes of a number that a Record takes as it stands.
const MAX_NUMBER: usize = 64;

/// What a line says.
#[derive(Debug, Default)]
pub(crate) struct Kept<'l> {
    /// The record. Its texts are slices of the line; all nanoseconds of its time count.
    pub(crate) record: Record<'l>,
    /// The path of its File.
    pub(crate) path: Cow<'l, str>,
    /// The host that it was read on.
    pub(crate) host: Cow<'l, str>,
    /// The time that its destination stores it under, if that is not its own; nanoseconds since the
    /// Unix epoch.
    pub(crate) stamp: Option<i64>,
}

/// Reads a line, without its newline. `None` for what is no line of ours: it may have been damaged, so
/// it is not relied on to be JSON.
pub(crate) fn read(line: &str) -> Option<Kept<'_>> {
    serde_json::from_str::<IgnoredAny>(line).ok()?;
    if !line.trim_ascii_start().starts_with('{') {
        return None;
    }
    let mut kept = Kept::default();
    // Whatever nested values hold, the encoders are to look.
    kept.record.unmappable = true;
    for (key, value) in Members::of(line) {
        kept.take(key, value)?;
    }
    Some(kept)
}

impl<'l> Kept<'l> {
    /// Takes a member in. `None` if its name has a meaning that its value has not.
    fn take(&mut self, key: &'l str, value: &'l str) -> Option<()> {
        let record = &mut self.record;
        match key {
            "time" => {
                record.time = Some(Time { nanos: nanos(value)?, unit: ClockUnit::Nanosecond });
            }
            "level" => match level(unquoted(value)?) {
                Some(level) => record.level = Some(level),
                // A label of that name, of a program that has levels of its own.
                None => record.push(Key::Text(Text::raw(key)), self::value(value)?),
            },
            "message" => record.message = Some(Text::raw_escaped(unquoted(value)?)),
            "_marks" => record.marks = marks(value),
            // Every id says it, too.
            "_offset" => {}
            "_path" => self.path = text(unquoted(value)?),
            "_host" => self.host = text(unquoted(value)?),
            "_stamp" => self.stamp = Some(nanos(value)?),
            // Behind all fields.
            "_own" => disown(record, value),
            _ => record.push(self::key(key), self::value(value)?),
        }
        Some(())
    }
}

/// A field's own key: without the `_` that keeps it apart from a name with a meaning.
fn key(inside: &str) -> Key<'_> {
    let aside = inside.ends_with('_') && RESERVED.contains(&inside.trim_end_matches('_'));
    let name = if aside { inside.strip_suffix('_').unwrap_or(inside) } else { inside };
    Known::from_name(name).map_or_else(|| Key::Text(Text::raw_escaped(name)), Key::Known)
}

/// Makes fields the application's own that have the names of pillion's.
fn disown(record: &mut Record<'_>, names: &str) {
    for name in Elements::of(names).filter_map(unquoted) {
        for field in &mut record.fields {
            match field.key {
                Key::Known(known) if known.name() == name => {
                    field.key = Key::Text(Text::fixed(known.name()));
                }
                _ => {}
            }
        }
    }
}

fn value(json: &str) -> Option<Value<'_>> {
    Some(match json.bytes().next()? {
        b'n' => Value::Null,
        b't' => Value::Bool(true),
        b'f' => Value::Bool(false),
        b'"' => Value::Text(Text::raw_escaped(unquoted(json)?)),
        b'{' | b'[' => Value::Json(json),
        _ if json.len() > MAX_NUMBER => return None,
        _ => Value::Number(json),
    })
}

fn level(name: &str) -> Option<Level> {
    use Level::{Debug, Error, Fatal, Info, Trace, Warn};
    [Trace, Debug, Info, Warn, Error, Fatal].into_iter().find(|level| level.name() == name)
}

fn marks(json: &str) -> Marks {
    let has = |name: &str| Elements::of(json).any(|mark| unquoted(mark) == Some(name));
    Marks { unparsed: has("unparsed"), partial: has("partial"), truncated: has("truncated") }
}

fn nanos(json: &str) -> Option<i64> {
    let time: jiff::Timestamp = unquoted(json)?.parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok()
}

fn text(inside: &str) -> Cow<'_, str> {
    if inside.contains('\\') { Cow::Owned(decoded(inside)) } else { Cow::Borrowed(inside) }
}

#[cfg(test)]
mod tests {
    use pillion_parsers::Arena;
    use pillion_parsers::redact::{BlockState, Redactor, Rules};
    use proptest::prelude::*;
    use std::sync::Arc;

    use super::*;
    use crate::export::encode::tests::{Spot, any_spec};
    use crate::export::lines::LineWriter;

    /// The line of what a line says, redacted by these rules.
    fn again(line: &str, rules: Arc<Rules>) -> String {
        let Kept { mut record, .. } = read(line).expect("a line of ours");
        let (arena, mut block) = (Arena::new(), BlockState::default());
        let mut redactor = Redactor::new(rules);
        let redacted = redactor.redact(line, &mut record, &arena, &mut block).expect("kept");
        let mut out = Vec::new();
        LineWriter::default().write(&mut out, &redacted, None);
        String::from_utf8(out).expect("UTF-8")
    }

    proptest! {
        #[test]
        fn a_line_comes_back_as_the_same_line(spec in any_spec(), offset: u32) {
            let spot = Spot::new(&[("service.name", "shop"), ("time", "x")]);
            let mut line = Vec::new();
            let place = spot.at(offset.into());
            spec.redacted(|record| LineWriter::default().write(&mut line, record, Some(&place)));
            let line = String::from_utf8(line).expect("UTF-8");
            let kept = read(&line).expect("a line of ours");
            prop_assert_eq!((&*kept.path, &*kept.host), (&*spot.path, &*spot.host));
            let whole = again(&line, Arc::new(Rules::off()));
            prop_assert!(line.starts_with(whole.strip_suffix('}').expect("an object")), "{} {}", line, whole);
        }

        #[test]
        fn what_was_redacted_is_left_alone(spec in any_spec()) {
            let mut line = Vec::new();
            let (arena, mut block) = (Arena::new(), BlockState::default());
            let mut redactor = Redactor::new(Rules::builtin_default());
            let mut record = spec.record();
            let mut raw = Vec::new();
            spec.redacted(|record| LineWriter::default().write(&mut raw, record, None));
            let raw = String::from_utf8(raw).expect("UTF-8");
            if let Some(redacted) = redactor.redact(&raw, &mut record, &arena, &mut block) {
                LineWriter::default().write(&mut line, &redacted, None);
                let line = String::from_utf8(line).expect("UTF-8");
                let kept = read(&line).expect("a line of ours");
                let mut record = kept.record;
                let redacted = redactor.redact(&line, &mut record, &arena, &mut BlockState::default());
                let mut twice = Vec::new();
                LineWriter::default().write(&mut twice, &redacted.expect("kept"), None);
                prop_assert_eq!(line, String::from_utf8(twice).expect("UTF-8"));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "[{}\\[\\]\",:\\\\ aé1t_]{0,32}") {
            let _ = read(&text);
        }
    }

    #[test]
    fn secrets_that_were_redacted_stay_as_they_are_and_others_go() {
        let line = "{\"message\":\"by [EMAIL] and jane@example.com\",\"password\":\"[REDACTED]\",\
                    \"user\":{\"token\":\"[REDACTED]\",\"mail\":\"j\\u006fe@example.com\"}}";
        let expect = "{\"message\":\"by [EMAIL] and [EMAIL]\",\"password\":\"[REDACTED]\",\
                      \"user\":{\"token\":\"[REDACTED]\",\"mail\":\"[EMAIL]\"}}";
        assert_eq!(again(line, Rules::builtin_default()), expect);
    }

    #[test]
    fn what_is_no_line_of_ours_is_not_read() {
        for line in [
            "",
            "x",
            "[]",
            "{\"time\":1}",
            "{\"time\":\"noon\"}",
            "{\"message\":1}",
            "{\"a\":1",
            "{}}",
        ] {
            assert!(read(line).is_none(), "{line}");
        }
    }
}
