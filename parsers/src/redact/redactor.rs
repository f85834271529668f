//! The redactor: takes a record through its message and fields, and lends what may be encoded.

use std::ops::Range;
use std::sync::Arc;

use super::detect::Material;
use super::pass::Pass;
use super::rules::{Rules, Scanner};
use super::scan::Extent;
use super::suspects::Suspects;
use super::work::{Found, Work};
use super::{BlockState, Clean, Redacted};
use crate::Arena;
use crate::record::{Key, Origin, Record, Text, Value};

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
    /// Why it took that for what it looks for.
    pub why: Why,
}

/// Why a rule took something for what it looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The name of its field says what it is.
    FieldName,
    /// So does a name that stands before it in the text: `password=`.
    NameBefore,
    /// It looks like it.
    Form,
}

/// Where a rule found something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Bytes of the text looked at.
    Bytes(Range<usize>),
    /// A field, by its dotted path; `message` is the message.
    Field(String),
}

impl Redactor {
    /// A redactor with those rules.
    #[must_use]
    pub fn new(rules: Arc<Rules>) -> Self {
        let work = Work::new(&rules);
        Self { rules, work }
    }

    /// One for texts that must not go whole, such as lines of a program's own log: where an action drops
    /// a field or a record, the value alone is masked.
    #[must_use]
    pub fn that_keeps(rules: Arc<Rules>) -> Self {
        let mut redactor = Self::new(rules);
        redactor.work.keeps = true;
        redactor
    }

    /// Redacts a record in place and lends what may now be encoded; `None` when a rule says that the
    /// record is to be dropped. `raw` is the raw text the record borrows from, `arena` where
    /// replacements are built, `block` the lineage's state.
    ///
    /// Texts of [`Origin::Raw`](crate::record::Origin::Raw) and
    /// [`Origin::RawEscaped`](crate::record::Origin::RawEscaped), [`Value::Json`] and [`Value::Number`] are
    /// taken to be slices of `raw`: where the sweep over `raw` finds nothing, they are not looked at, unless
    /// the record was [decoded](Record::decoded).
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
        let found = follow(rules, work, (raw, extent(raw, record)), block);
        let suspects = if record.decoded { Suspects::Anything } else { found };
        let kept = Pass::new(rules, work, arena, (suspects, raw)).record(record);
        work.material = None;
        kept.then(|| Redacted::new(record))
    }

    /// Passes a record by that is dropped before it is redacted: a private key may begin or end in it.
    pub fn pass_by(&mut self, raw: &str, block: &mut BlockState) {
        let Self { rules, work } = self;
        if rules.scanner(Scanner::PrivateKey).is_some() {
            follow(rules, work, (raw, Extent::First), block);
            work.material = None;
        }
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

/// Texts of a record from which on it pays to know in which of them something is.
const SEVERAL: usize = 3;

/// How far the raw record is looked through: to its end, where it is JSON with so many texts in it.
fn extent(raw: &str, record: &Record<'_>) -> Extent {
    if !raw.ends_with('}') || record.decoded || !record.parted.is_empty() {
        return Extent::First;
    }
    let is_slice = |value: &Value<'_>| match value {
        Value::Text(text) => matches!(text.origin(), Origin::Raw | Origin::RawEscaped),
        Value::Json(_) | Value::Number(_) => true,
        _ => false,
    };
    let mut slices = record.fields.iter().filter(|field| is_slice(&field.value));
    if slices.nth(SEVERAL - 1).is_some() { Extent::Places } else { Extent::First }
}

/// Sees to it that the state is that behind a raw record; where there may be something in it.
fn follow(
    rules: &Rules,
    work: &mut Work,
    (raw, extent): (&str, Extent),
    block: &mut BlockState,
) -> Suspects {
    let keys = rules.scanner(Scanner::PrivateKey).is_some();
    work.material = (keys && block.is_inside()).then(|| Material::of(raw));
    let suspects = match work.material {
        Some(_) => Suspects::Anything,
        None => work.suspects_raw(rules, raw, extent),
    };
    if suspects != Suspects::Nothing && keys {
        block.follow(raw, work.material.as_ref().is_some_and(|material| material.sure));
    }
    suspects
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} rules)", self.work.matches.len())
    }
}
