//! What a definition adds to a grammar: objects that are opened, fields that get another name, types, and
//! which fields the time and the level are in.

use super::convert::{self, Leveller};
use super::cursor::Cursor;
use super::grammar::Context;
use super::hashed::{Index, Table};
use super::keys::hash;
use super::{Misfit, nested};
use crate::Arena;
use crate::definition::{Definition, Fault, FieldType};
use crate::record::{ClockUnit, Field, Key, Known, Record, Text, Time, Value};
use crate::timestamp::Format;

/// What a definition adds to a grammar.
#[derive(Debug)]
pub(super) struct Refine {
    /// Objects to open, in this order, and whether their members keep its name before theirs.
    open: Table<bool>,
    /// Names that the program has, and ours.
    fields: Table<Rename>,
    types: Table<FieldType>,
    time: Option<(Name, Format)>,
    /// The field with the nanoseconds of the second.
    nanos: Option<Name>,
    level: Option<RefinedLevel>,
}

/// A field's name.
#[derive(Debug)]
struct Name {
    text: String,
    hash: u32,
}

impl Name {
    fn new(text: String) -> Self {
        Self { hash: hash(text.as_bytes()), text }
    }
}

/// What a field is called instead.
#[derive(Debug)]
enum Rename {
    Message,
    /// With the name's hash.
    Known(Known, u32),
    Text(Name),
}

impl Rename {
    fn new(name: &str) -> Self {
        match Known::from_name(name) {
            _ if name == "message" => Self::Message,
            Some(known) => Self::Known(known, hash(name.as_bytes())),
            None => Self::Text(Name::new(name.to_owned())),
        }
    }
}

/// What a definition says of a grammar's level.
#[derive(Debug)]
struct RefinedLevel {
    /// The field it is in, where that is not for the grammar to say.
    field: Option<Name>,
    leveller: Leveller,
}

impl Refine {
    /// `None` when a definition adds nothing. `keyed`: the grammar finds time and level by their keys.
    pub(super) fn new(definition: &Definition, keyed: bool) -> Result<Option<Self>, Fault> {
        let format = convert::format(definition.time.as_ref())?;
        let time_field = definition.time.as_ref().and_then(|time| time.field.clone());
        let level = definition.level.as_ref().map(|level| RefinedLevel {
            field: level.field.clone().map(Name::new),
            leveller: Leveller::new(Some(level)),
        });
        if time_field.is_none() && format != Format::Any {
            return Err(Fault::TimeFormat(
                "a grammar reads its own time: name the `field` that this format is for".to_owned(),
            ));
        }
        let keeps = definition.level.as_ref().is_some_and(|level| level.keep.is_some());
        if (!keyed || keeps) && level.as_ref().is_some_and(|level| level.field.is_none()) {
            return Err(Fault::Level);
        }
        let open = definition.open.iter().map(|name| match name.strip_suffix('.') {
            Some(name) => (name.to_owned(), true),
            None => (name.clone(), false),
        });
        let fields = definition.fields.iter().map(|(from, to)| (from.clone(), Rename::new(to)));
        let nanos = definition.time.as_ref().and_then(|time| time.nanos.clone()).map(Name::new);
        if nanos.is_some() && time_field.is_none() {
            return Err(Fault::TimeFormat(
                "`nanos` adds to a `field`: name the one that has the seconds".to_owned(),
            ));
        }
        let refine = Self {
            nanos,
            open: open.collect(),
            fields: fields.collect(),
            types: definition.types.iter().map(|(name, kind)| (name.clone(), *kind)).collect(),
            time: time_field.map(|field| (Name::new(field), format)),
            level,
        };
        let adds = !(refine.open.is_empty() && refine.fields.is_empty() && refine.types.is_empty())
            || refine.time.is_some()
            || refine.level.is_some();
        Ok(adds.then_some(refine))
    }

    /// Whether the definition says which field the time is in: no other is taken for it, and its
    /// format is tried by [`Refine::apply`].
    pub(super) fn claims_time(&self) -> bool {
        self.time.is_some()
    }

    /// The same for the level.
    pub(super) fn claims_level(&self) -> bool {
        self.level.as_ref().is_some_and(|level| level.field.is_some())
    }

    /// What the definition says that the level's words mean.
    pub(super) fn leveller(&self) -> Option<&Leveller> {
        self.level.as_ref().map(|level| &level.leveller)
    }

    /// The objects to open; `None` if there are none.
    pub(super) fn opens(&self) -> Option<&Table<bool>> {
        (!self.open.is_empty()).then_some(&self.open)
    }

    /// Changes the record that a grammar filled.
    pub(super) fn apply<'a>(
        &self,
        record: &mut Record<'a>,
        cx: &mut Context<'_, 'a>,
    ) -> Result<(), Misfit> {
        self.open(record, cx);
        let mut index = Index::new(&record.fields, cx.arena);
        if !self.fields.is_empty() {
            self.rename(record, &mut index, cx.arena);
        }
        if let Some((name, format)) = &self.time
            && let Some(at) = index.place(&record.fields, name.hash, &name.text)
        {
            let time = scalar(record, at).and_then(|text| cx.clock.read(format, text));
            match time {
                Some(time) => {
                    record.time = Some(time);
                    index.remove(&mut record.fields, at);
                }
                None => *cx.bad_times += 1,
            }
            self.add_nanos(record, &mut index);
        }
        if let Some(RefinedLevel { field: Some(name), leveller }) = &self.level
            && let Some(at) = index.place(&record.fields, name.hash, &name.text)
            && let Some(level) = scalar(record, at).and_then(|text| leveller.level(text))
        {
            record.level = Some(level);
            let kept = scalar(record, at).and_then(|word| leveller.kept(word));
            match (kept, record.fields.get_mut(at)) {
                (Some(key), Some(field)) => {
                    index.set(at, hash(key.name().as_bytes()));
                    field.key = key;
                }
                _ => index.remove(&mut record.fields, at),
            }
        }
        for (hash, name, kind) in self.types.iter() {
            let Some(at) = index.place(&record.fields, hash, name) else { continue };
            let Some(field) = record.fields.get_mut(at) else { continue };
            match convert::value(field.value, *kind)? {
                Some(value) => field.value = value,
                None => index.remove(&mut record.fields, at),
            }
        }
        Ok(())
    }

    /// Makes the time one of nanoseconds, where another field has those of its second.
    fn add_nanos<'a>(&self, record: &mut Record<'a>, index: &mut Index<'a>) {
        const SECOND: i64 = 1_000_000_000;
        if let (Some(name), Some(time)) = (&self.nanos, record.time)
            && let Some(at) = index.place(&record.fields, name.hash, &name.text)
            && let Some(nanos) = scalar(record, at).and_then(|text| text.parse::<i64>().ok())
            && (0..SECOND).contains(&nanos)
        {
            let nanos = time.nanos.div_euclid(SECOND).saturating_mul(SECOND).saturating_add(nanos);
            record.time = Some(Time { nanos, unit: ClockUnit::Nanosecond });
            index.remove(&mut record.fields, at);
        }
    }

    /// Opens the objects that the grammar has not opened itself.
    fn open<'a>(&self, record: &mut Record<'a>, cx: &mut Context<'_, 'a>) {
        let opens = |field: &Field<'_>| {
            matches!(field.value, Value::Json(_)) && {
                let name = field.key.name();
                self.open.find(hash(name.as_bytes()), name).is_some()
            }
        };
        if !self.open.is_empty() && record.fields.iter().any(opens) {
            for (_, name, dotted) in self.open.iter() {
                nested::open(record, cx, name, *dotted);
            }
        }
    }

    /// Calls fields by their other names, in the order of the fields.
    fn rename<'a>(&self, record: &mut Record<'a>, index: &mut Index<'a>, arena: &'a Arena) {
        let mut at = 0;
        while let Some(hash) = index.hash(at) {
            let to = self.fields.maybe(hash).then(|| record.fields.get(at)).flatten();
            let to = to.and_then(|field| self.fields.get(hash, field.key.name()));
            let gone = to.is_some_and(|to| rename(record, index, at, to, arena));
            at += usize::from(!gone);
        }
    }
}

/// Calls a field by another name, unless another has it. Objects and arrays stay, since destinations
/// expect single values below the names they know; an array of one text is that text. What says that
/// there is no value (`-`, or nothing) is left out. Says whether it is a field no more.
fn rename<'a>(
    record: &mut Record<'a>,
    index: &mut Index<'a>,
    at: usize,
    to: &Rename,
    arena: &'a Arena,
) -> bool {
    let Some(Field { value, .. }) = record.fields.get(at).copied() else { return false };
    let value = match (to, sole(value)) {
        (Rename::Message, Value::Json(json)) => match bytes(json, arena) {
            Some(text) => Value::Text(text),
            None => return false,
        },
        (Rename::Known(..), Value::Text(text)) if is_absent(text) => {
            index.remove(&mut record.fields, at);
            return true;
        }
        (_, value) => value,
    };
    let (key, hash) = match (to, value) {
        (_, Value::Json(_)) => return false,
        (Rename::Message, Value::Text(text)) if record.message.is_none() => {
            record.message = Some(text);
            index.remove(&mut record.fields, at);
            return true;
        }
        (Rename::Message, _) => return false,
        (Rename::Known(known, hash), _) => (Key::Known(*known), *hash),
        (Rename::Text(name), _) => {
            (Key::Text(Text::vetted(arena.alloc_str(&name.text))), name.hash)
        }
    };
    // A field of that name may be the program's own, with the same meaning or not.
    if index.place(&record.fields, hash, key.name()).is_none_or(|taken| taken == at)
        && let Some(field) = record.fields.get_mut(at)
    {
        *field = Field { key, value };
        index.set(at, hash);
    }
    false
}

fn is_absent(text: Text<'_>) -> bool {
    matches!(text.as_stored(), "" | "-")
}

/// The text of an array of one text (the headers of a request are such), else the value.
fn sole(value: Value<'_>) -> Value<'_> {
    let Value::Json(json) = value else { return value };
    let Some(rest) = json.strip_prefix("[\"") else { return value };
    let Ok(inside) = super::access::quoted(&mut Cursor::new(rest)) else { return value };
    if rest.len() == inside.len() + 2 { Value::Text(Text::raw_escaped(inside)) } else { value }
}

/// The text of an array of bytes, as journald writes a text that is none: what is no UTF-8 is replaced.
fn bytes<'a>(json: &str, arena: &'a Arena) -> Option<Text<'a>> {
    let inside = json.strip_prefix('[')?.strip_suffix(']')?;
    let mut bytes = bumpalo::collections::Vec::new_in(arena);
    for byte in inside.split(',') {
        bytes.push(byte.trim().parse::<u8>().ok()?);
    }
    Some(Text::built(arena.alloc_str(&String::from_utf8_lossy(&bytes))))
}

/// The text of a field's scalar value as stored.
fn scalar<'a>(record: &Record<'a>, at: usize) -> Option<&'a str> {
    match record.fields.get(at)?.value {
        Value::Text(text) => Some(text.as_stored()),
        Value::Number(number) => Some(number),
        _ => None,
    }
}
