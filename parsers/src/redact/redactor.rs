//! The redactor: takes a record through its message and fields, and lends what may be encoded.

use std::ops::Range;
use std::sync::Arc;

use super::decode::unescape_json;
use super::json::{self, Stop};
use super::names::Names;
use super::rules::{Rules, Scanner};
use super::work::{Found, Work};
use super::{Action, BlockState, Clean, Redacted};
use crate::Arena;
use crate::record::{Field, Key, Origin, Record, Text, Value};

/// Redacts records, one at a time. One per worker: it owns scratch space and counters.
pub struct Redactor {
    rules: Arc<Rules>,
    work: Work,
}

/// What a rule found, for `explain`: never the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The rule.
    pub rule: String,
    /// Where it found something.
    pub place: Place,
}

/// Where a rule found something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Bytes of the text looked at.
    Bytes(Range<usize>),
    /// A field, by its dotted path; `message` is the message.
    Field(String),
}

/// Numbers from here on may be a card's: 13 digits.
const LONG_NUMBER: u64 = 1_000_000_000_000;

impl Redactor {
    /// A redactor with those rules.
    #[must_use]
    pub fn new(rules: Arc<Rules>) -> Self {
        let work = Work::new(&rules);
        Self { rules, work }
    }

    /// Redacts a record in place and lends what may now be encoded; `None` when a rule says that the
    /// record is to be dropped. `raw` is the raw text the record borrows from, `arena` where
    /// replacements are built, `block` the lineage's state.
    ///
    /// Texts of [`Origin::Raw`] and [`Origin::RawEscaped`], [`Value::Json`] and [`Value::Number`] are
    /// taken to be slices of `raw`: if the sweep over `raw` finds nothing, they are not looked at.
    pub fn redact<'r, 'a>(
        &mut self,
        raw: &str,
        record: &'r mut Record<'a>,
        arena: &'a Arena,
        block: &mut BlockState,
    ) -> Option<Redacted<'r, 'a>> {
        let Self { rules, work } = self;
        if rules.is_off() {
            return Some(Redacted::new(record));
        }
        let keys = rules.scanner(Scanner::PrivateKey).is_some();
        work.inside_key = keys && block.is_inside();
        let dirty = work.inside_key || work.suspects_raw(rules, raw);
        if dirty && keys {
            block.follow(raw);
        }
        let mut pass = Pass { rules, work, arena, dirty, names: None };
        let kept = pass.record(record);
        work.inside_key = false;
        kept.then(|| Redacted::new(record))
    }

    /// As [`Redactor::redact`], and tells what was found in which field.
    pub fn redact_explained<'r, 'a>(
        &mut self,
        raw: &str,
        record: &'r mut Record<'a>,
        arena: &'a Arena,
        block: &mut BlockState,
    ) -> (Option<Redacted<'r, 'a>>, Vec<Match>) {
        self.work.explained = Some(Vec::new());
        let redacted = self.redact(raw, record, arena, block);
        self.work.place(&[]);
        (redacted, self.work.explained.take().unwrap_or_default())
    }

    /// A text that may leave: for paths, hosts, labels and static fields. An action that drops gives
    /// `[REDACTED]`, since such a text cannot be left out.
    pub fn clean(&mut self, text: &str) -> Clean {
        match self.work.text(&self.rules, text, 0) {
            Found::Nothing => Clean::new(text),
            Found::Changed(new) => Clean::new(&new),
            Found::DropField | Found::DropRecord => Clean::from_static("[REDACTED]"),
        }
    }

    /// A constant field that may leave, judged by its name as well as by its value. What a rule drops
    /// becomes `[REDACTED]`.
    pub fn clean_field(&mut self, key: &str, value: &str) -> (Clean, Clean) {
        let arena = Arena::new();
        let mut record = Record::default();
        record.push(Key::Text(Text::built(key)), Value::Text(Text::built(value)));
        let kept = self.redact("", &mut record, &arena, &mut BlockState::default());
        let field = kept.as_ref().and_then(|redacted| redacted.fields().first());
        match field.map(|field| (field.key.name(), field.value)) {
            Some((key, Value::Text(value))) => (Clean::new(key), Clean::new(value.as_stored())),
            _ => (self.clean(key), Clean::from_static("[REDACTED]")),
        }
    }

    /// What the rules find in a text, in order of place. Counts nothing.
    pub fn explain(&mut self, text: &str) -> Vec<Match> {
        self.work.explain(&self.rules, text)
    }

    /// How often each rule has redacted something, by the index of [`Rules::names`].
    #[must_use]
    pub fn matches(&self) -> &[u64] {
        &self.work.matches
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} rules)", self.work.matches.len())
    }
}

/// What became of a field.
enum Fate<'a> {
    Keep,
    Becomes(Field<'a>),
    Leave,
    DropRecord,
}

/// One record's way through the rules.
struct Pass<'p, 'a> {
    rules: &'p Rules,
    work: &'p mut Work,
    arena: &'a Arena,
    /// Whether slices of the raw record must be looked at.
    dirty: bool,
    /// The keys of the record, once one was replaced.
    names: Option<Names>,
}

impl<'a> Pass<'_, 'a> {
    /// Returns whether the record is kept.
    fn record(&mut self, record: &mut Record<'a>) -> bool {
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
        while let Some(field) = record.fields.get(index).copied() {
            if self.skips(&field) {
                index += 1;
                continue;
            }
            match self.field(field, &record.fields) {
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

    /// Whether a text must be looked at.
    #[inline]
    fn concerns(&self, text: &Text<'_>) -> bool {
        match text.origin() {
            Origin::Raw => self.dirty,
            // Escapes may hide a match from the gate of a user's pattern.
            Origin::RawEscaped => self.dirty || !self.rules.custom.is_empty(),
            Origin::Built => true,
            Origin::Vetted => false,
        }
    }

    /// Whether a field needs no look at all: the common case, decided without touching its bytes.
    #[inline]
    fn skips(&self, field: &Field<'_>) -> bool {
        let key = match &field.key {
            Key::Known(known) => self.rules.known_field(*known).is_none(),
            // A vetted key is no slice of the raw record: its name was not seen by the sweep.
            Key::Text(text) => {
                !self.dirty && matches!(text.origin(), Origin::Raw | Origin::RawEscaped)
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
            Value::Number(_) => !self.dirty,
            Value::Json(text) => !(self.dirty || (custom && text.contains('\\'))),
            Value::Text(text) => !self.concerns(text),
        }
    }

    fn field(&mut self, field: Field<'a>, all: &[Field<'a>]) -> Fate<'a> {
        let (name, rule) = match field.key {
            Key::Known(known) => (known.name(), self.rules.known_field(known)),
            Key::Text(text) => {
                let name = self.decoded(text);
                (name, self.rules.keys.find(name, &[]))
            }
        };
        let mut key = field.key;
        if let Key::Text(text) = field.key
            && self.concerns(&text)
        {
            self.work.place(&[]);
            match self.work.text(self.rules, name, 0) {
                Found::Nothing => {}
                Found::Changed(new) => key = Key::Text(self.unique(&new, all)),
                Found::DropField => return Fate::Leave,
                Found::DropRecord => return Fate::DropRecord,
            }
        }
        let mut path = Vec::new();
        if self.work.explained.is_some() || matches!(field.value, Value::Json(_)) {
            path.push(key_name(&key, name).to_owned());
        }
        let fate = match rule {
            Some(rule) => self.secret(rule, field, &path),
            None => None,
        };
        let fate = match fate {
            Some(fate) => fate,
            None => {
                self.work.place(&path);
                self.value(field, &mut path)
            }
        };
        match fate {
            Fate::Keep if key != field.key => Fate::Becomes(Field { key, value: field.value }),
            Fate::Becomes(changed) => Fate::Becomes(Field { key, value: changed.value }),
            fate => fate,
        }
    }

    /// A field whose value may go because of its key; `None` if it does not.
    fn secret(&mut self, rule: u16, field: Field<'a>, path: &[String]) -> Option<Fate<'a>> {
        let text = match field.value {
            Value::Null => return None,
            Value::Bool(value) => value.to_string(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Number(text) => text.to_owned(),
            Value::Text(text) => self.decoded(text).to_owned(),
            // An object keeps its shape: its own keys decide what of it goes.
            Value::Json(text) | Value::CleanJson(text)
                if text.starts_with('{') && !self.rules.is_field(rule) =>
            {
                return None;
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
            Action::Mask | Action::Hash => {
                self.becomes(&self.work.replacement(self.rules, rule, &text))
            }
        })
    }

    fn value(&mut self, field: Field<'a>, path: &mut Vec<String>) -> Fate<'a> {
        if self.skips_value(&field.value) {
            return Fate::Keep;
        }
        match field.value {
            Value::Null | Value::Bool(_) | Value::CleanJson(_) => Fate::Keep,
            Value::Text(text) => self.text(text),
            Value::Int(number) => self.number(&number.to_string()),
            Value::Float(number) => self.number(&number.to_string()),
            Value::Number(text) => self.number(text),
            Value::Json(text) => match json::rewrite(self.work, self.rules, text, path, 0) {
                Ok(None) => Fate::Keep,
                Ok(Some(new)) => self.with(Value::CleanJson(self.arena.alloc_str(&new))),
                Err(Stop::DropRecord) => Fate::DropRecord,
                // A parser promised JSON: what is not cannot be looked through, and must not pass.
                Err(Stop::Malformed) => self.becomes("[REDACTED]"),
            },
        }
    }

    fn text(&mut self, text: Text<'a>) -> Fate<'a> {
        let plain = self.decoded(text);
        let found = self.work.text(self.rules, plain, 0);
        self.fate(found)
    }

    fn number(&mut self, number: &str) -> Fate<'a> {
        let found = self.work.number(self.rules, number);
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
        unescape_json(text.as_stored(), &mut plain);
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
                        unescape_json(text.as_stored(), &mut name);
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
