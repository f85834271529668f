//! One record's way through the rules: its message, its fields, their keys and values.

use super::Action;
use super::json::{self, Stop};
use super::names::Names;
use super::rules::Rules;
use super::scan::Hit;
use super::shapes::Slots;
use super::suspects::Suspects;
use super::work::{Found, Work};
use crate::Arena;
use crate::record::{Field, Key, Known, Origin, Record, Text, Value, unescape};

mod paired;

/// Numbers from here on may be a card's: 13 digits.
const LONG_NUMBER: u64 = 1_000_000_000_000;

/// Durations of so many digits, in nanoseconds, may be cards' numbers: with fewer, one of some hours is
/// likelier than a card of a brand that has so few.
const LONG_DURATION: usize = 16;

/// What became of a field.
enum Fate<'a> {
    Keep,
    Becomes(Field<'a>),
    Leave,
    DropRecord,
}

/// One record's way through the rules.
pub(super) struct Pass<'p, 'a> {
    rules: &'p Rules,
    work: &'p mut Work,
    arena: &'a Arena,
    /// Which slices of the raw record must be looked at.
    suspects: Suspects,
    raw: &'p str,
    /// The keys of the record, once one was replaced.
    names: Option<Names>,
    /// What was found in the texts that its fields were cut from, by where that lies in memory.
    parted: Vec<Hit>,
}

impl<'p, 'a> Pass<'p, 'a> {
    /// `suspects`: where the sweep over the raw record found anything.
    pub(super) const fn new(
        rules: &'p Rules,
        work: &'p mut Work,
        arena: &'a Arena,
        (suspects, raw): (Suspects, &'p str),
    ) -> Self {
        Self { rules, work, arena, suspects, raw, names: None, parted: Vec::new() }
    }

    /// Returns whether the record is kept.
    pub(super) fn record(&mut self, record: &mut Record<'a>) -> bool {
        if self.suspects != Suspects::Nothing {
            for text in &record.parted {
                self.work.whole(self.rules, text, &mut self.parted);
            }
        }
        if let Some(message) = record.message
            && self.concerns(&message)
        {
            self.work.place(&["message".to_owned()]);
            match self.text(message) {
                Fate::Keep => {}
                Fate::Becomes(field) => {
                    if let Value::Text(text) = field.value {
                        record.message = Some(text);
                    }
                }
                Fate::Leave => record.message = None,
                Fate::DropRecord => return false,
            }
        }
        let mut index = 0;
        while let Some(field) = record.fields.get(index) {
            if self.skips(field) {
                index += 1;
                continue;
            }
            match self.field(*field, &record.fields) {
                Fate::Keep => index += 1,
                Fate::Becomes(field) => {
                    if let Some(place) = record.fields.get_mut(index) {
                        *place = field;
                    }
                    index += 1;
                }
                Fate::Leave => {
                    record.fields.remove(index);
                }
                Fate::DropRecord => return false,
            }
        }
        true
    }

    /// Whether a slice of the raw record must be looked at.
    #[inline]
    fn touches(&self, slice: &str) -> bool {
        self.work.places.are_in(self.suspects, (self.raw, slice))
    }

    /// Whether a text must be looked at.
    #[inline]
    fn concerns(&self, text: &Text<'_>) -> bool {
        match text.origin() {
            // Escapes may hide a match from the gate of a user's pattern.
            Origin::RawEscaped if !self.rules.custom.is_empty() => true,
            Origin::Raw | Origin::RawEscaped => self.touches(text.as_stored()),
            Origin::Built => true,
            Origin::Vetted => false,
        }
    }

    /// Whether a field needs no look at all: the common case, decided without touching its bytes.
    #[inline]
    fn skips(&self, field: &Field<'_>) -> bool {
        let key = match &field.key {
            Key::Known(known) => self.rules.is_quiet(*known),
            // A vetted key is no slice of the raw record: its name was not seen by the sweep.
            Key::Text(text) => {
                matches!(text.origin(), Origin::Raw | Origin::RawEscaped)
                    && !self.touches(text.as_stored())
            }
        };
        key && self.skips_value(&field.value)
    }

    /// Whether a value needs no look.
    #[inline]
    fn skips_value(&self, value: &Value<'_>) -> bool {
        let custom = !self.rules.custom.is_empty();
        match value {
            Value::Null | Value::Bool(_) | Value::CleanJson(_) => true,
            Value::Int(number) => number.unsigned_abs() < LONG_NUMBER && !custom,
            Value::Float(number) => number.abs() < LONG_NUMBER as f64 && !custom,
            Value::Json(text) if custom && text.contains('\\') => false,
            Value::Json(text) | Value::Number(text) => !self.touches(text),
            Value::Text(text) => !self.concerns(text),
        }
    }

    fn field(&mut self, field: Field<'a>, all: &[Field<'a>]) -> Fate<'a> {
        let (name, rule, context) = match field.key {
            Key::Known(known) => {
                let context = self.rules.known_context(known);
                (known.name(), self.rules.known_field(known), context)
            }
            Key::Text(text) => {
                let name = self.decoded(text);
                (name, self.rules.named(name, &[]), self.rules.context(name))
            }
        };
        let mut key = field.key;
        if let Key::Text(text) = field.key
            && self.concerns(&text)
        {
            self.work.place(&[]);
            let found = match self.cut(text.as_stored()) {
                Found::Nothing => self.work.key(self.rules, name, 0),
                found => found,
            };
            match found {
                Found::Nothing => {}
                Found::Changed(new) => key = Key::Text(self.unique(&new, all)),
                Found::DropField => return Fate::Leave,
                Found::DropRecord => return Fate::DropRecord,
            }
        }
        let mut path = Vec::new();
        if self.work.explained.is_some()
            || matches!(field.value, Value::Json(_) | Value::CleanJson(_))
        {
            path.push(key_name(&key, name).to_owned());
        }
        let fate = match rule {
            Some(rule) => self.secret(rule, field, &mut path),
            None => match self.paired(name, all) {
                Some(rule) => self.secret(rule, field, &mut path),
                None => self.secret_string(name, field, &mut path),
            },
        };
        let fate = match fate {
            Some(fate) => fate,
            None => {
                self.work.place(&path);
                self.work.named = context;
                let fate = self.value(field, &mut path);
                self.work.named = Slots::default();
                fate
            }
        };
        match fate {
            Fate::Keep if key != field.key => Fate::Becomes(Field { key, value: field.value }),
            Fate::Becomes(changed) => Fate::Becomes(Field { key, value: changed.value }),
            fate => fate,
        }
    }

    /// A field whose value may go because of its key; `None` if it does not.
    fn secret(&mut self, rule: u16, field: Field<'a>, path: &mut Vec<String>) -> Option<Fate<'a>> {
        let text = match field.value {
            Value::Null => return None,
            Value::Bool(value) => value.to_string(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Number(text) => text.to_owned(),
            Value::Text(text) => self.decoded(text).to_owned(),
            // An object keeps its shape: what goes of it, its own keys decide, and the rule.
            Value::Json(text) | Value::CleanJson(text)
                if text.starts_with('{') && !self.rules.is_field(rule) =>
            {
                let inside = self.rules.reaches_into(rule).then_some(rule);
                return inside.map(|rule| self.json(text, path, Some(rule)));
            }
            Value::Json(text) | Value::CleanJson(text) => text.to_owned(),
        };
        if !self.work.goes(self.rules, rule, &text, matches!(field.value, Value::Text(_))) {
            return None;
        }
        self.work.note_field(self.rules, rule, path);
        Some(match self.work.action(self.rules, rule) {
            Action::DropRecord => Fate::DropRecord,
            Action::DropField => Fate::Leave,
            Action::Mask | Action::Partial | Action::Hash => {
                self.becomes(&self.work.replaced(self.rules, rule, &text))
            }
        })
    }

    /// A field whose name is a secret's only where the value is a string.
    fn secret_string(
        &mut self,
        name: &str,
        field: Field<'a>,
        path: &mut Vec<String>,
    ) -> Option<Fate<'a>> {
        let rule = self.rules.keys.find_string(name)?;
        let (text, string) = match field.value {
            Value::Text(text) => (self.decoded(text), true),
            Value::Json(text) => (text, false),
            _ => return None,
        };
        let goes = self.work.goes_as_string(self.rules, rule, text, string);
        if goes { self.secret(rule, field, path) } else { None }
    }

    fn value(&mut self, field: Field<'a>, path: &mut Vec<String>) -> Fate<'a> {
        if self.work.named.is_empty() && self.skips_value(&field.value) {
            return Fate::Keep;
        }
        match field.value {
            Value::Null | Value::Bool(_) | Value::CleanJson(_) => Fate::Keep,
            Value::Text(text) => self.text(text),
            Value::Int(number) => self.typed(field.key, &number.to_string()),
            Value::Float(number) => self.typed(field.key, &number.to_string()),
            Value::Number(text) => self.typed(field.key, text),
            Value::Json(text) => match self.cut_whole(text) {
                Found::Nothing => self.json(text, path, None),
                found => self.fate(found),
            },
        }
    }

    /// JSON, whose strings all belong to `rule` if one is given.
    fn json(&mut self, text: &str, path: &mut Vec<String>, rule: Option<u16>) -> Fate<'a> {
        match json::rewrite(self.work, self.rules, text, path, 0, rule) {
            Ok(None) => Fate::Keep,
            Ok(Some(new)) => self.with(Value::CleanJson(self.arena.alloc_str(&new))),
            Err(Stop::DropRecord) => Fate::DropRecord,
            // A parser promised JSON: what is not cannot be looked through, and must not pass.
            Err(Stop::Malformed) => self.becomes("[REDACTED]"),
        }
    }

    fn text(&mut self, text: Text<'a>) -> Fate<'a> {
        if text.is_escaped() {
            match self.cut_whole(text.as_stored()) {
                Found::Nothing => {}
                found => return self.fate(found),
            }
        }
        let plain = self.decoded(text);
        let found = match self.cut(plain) {
            Found::Changed(cut) => match self.work.text(self.rules, &cut, 0) {
                Found::Nothing => Found::Changed(cut),
                found => found,
            },
            Found::Nothing => self.work.text(self.rules, plain, 0),
            found => found,
        };
        self.fate(found)
    }

    /// A text without what was found where it was cut from: there a name may stand before it, or the
    /// rest of an address behind it.
    fn cut(&mut self, text: &str) -> Found {
        let hits = self.hits_in(text);
        self.work.without(self.rules, text, hits)
    }

    /// The same of a text that is not looked at as it is written: it goes as a whole.
    fn cut_whole(&mut self, text: &str) -> Found {
        let hits = self.hits_in(text);
        self.work.instead(self.rules, text, hits)
    }

    /// What was found there, if it was cut from one of those texts.
    fn hits_in(&self, text: &str) -> Vec<Hit> {
        let start = text.as_ptr().addr();
        let within = |hit: &Hit| {
            let range = hit.range.start.max(start)..hit.range.end.min(start + text.len());
            let inside = range.start < range.end;
            inside.then(|| Hit { range: range.start - start..range.end - start, ..hit.clone() })
        };
        self.parted.iter().filter_map(within).collect()
    }

    /// A number. As one of pillion's own fields it is mapped as a number, and no text
    /// can stand in its place: it is left out.
    fn typed(&mut self, key: Key<'_>, number: &str) -> Fate<'a> {
        let Key::Known(known) = key else { return self.number(number) };
        if known == Known::Duration && number.len() < LONG_DURATION {
            return Fate::Keep;
        }
        match self.number(number) {
            Fate::Becomes(_) => Fate::Leave,
            fate => fate,
        }
    }

    fn number(&mut self, number: &str) -> Fate<'a> {
        let found = match self.cut(number) {
            Found::Nothing => self.work.number(self.rules, number),
            found => found,
        };
        self.fate(found)
    }

    fn fate(&self, found: Found) -> Fate<'a> {
        match found {
            Found::Nothing => Fate::Keep,
            Found::Changed(new) => self.becomes(&new),
            Found::DropField => Fate::Leave,
            Found::DropRecord => Fate::DropRecord,
        }
    }

    /// A field with this text; its key is the caller's matter.
    fn becomes(&self, text: &str) -> Fate<'a> {
        self.with(Value::Text(Text::vetted(self.arena.alloc_str(text))))
    }

    fn with(&self, value: Value<'a>) -> Fate<'a> {
        Fate::Becomes(Field { key: Key::Text(Text::vetted("")), value })
    }

    /// A text without JSON's escapes.
    fn decoded(&self, text: Text<'a>) -> &'a str {
        if !text.is_escaped() {
            return text.as_stored();
        }
        let mut plain = String::with_capacity(text.as_stored().len());
        unescape(text.as_stored(), &mut plain);
        self.arena.alloc_str(&plain)
    }

    /// A key in place of a redacted one, unlike all others of the record.
    fn unique(&mut self, new: &str, all: &[Field<'a>]) -> Text<'a> {
        let names = self.names.get_or_insert_with(|| {
            let mut names = Names::default();
            for field in all {
                let mut name = String::new();
                match field.key {
                    Key::Text(text) if text.is_escaped() => {
                        unescape(text.as_stored(), &mut name);
                    }
                    key => name.push_str(key.name()),
                }
                names.unique(&name);
            }
            names
        });
        let unique = names.unique(new);
        Text::vetted(self.arena.alloc_str(unique.as_deref().unwrap_or(new)))
    }
}

/// The name to show for a key: what it became, if it was replaced.
fn key_name<'k>(key: &Key<'k>, decoded: &'k str) -> &'k str {
    match key {
        Key::Text(text) if text.origin() == Origin::Vetted => text.as_stored(),
        _ => decoded,
    }
}
