//! What a definition adds to a grammar: objects that are opened, fields that get another name, types, and
//! which fields the time and the level are in.

use super::convert::{self, Leveller};
use super::cursor::find;
use super::grammar::Context;
use super::hashed::{Index, Table};
use super::keys::hash;
use super::rename::{Rename, rename, scalar};
use super::{Misfit, nested};
use crate::definition::{Definition, Fault, FieldType};
use crate::record::{ClockUnit, Field, Key, Known, Origin, Record, Text, Time, Value};
use crate::timestamp::{Format, SECOND};

/// What a definition adds to a grammar.
#[derive(Debug)]
pub(super) struct Refine {
    /// Objects to open, in this order, and whether their members keep its name before theirs.
    open: Table<bool>,
    /// Names that the program has, and ours.
    fields: Table<Rename>,
    /// Whether one of those is the client's address.
    has_client: bool,
    types: Table<FieldType>,
    time: Option<(Name, Format)>,
    /// The field with the time's nanoseconds.
    nanos: Option<Name>,
    level: Option<RefinedLevel>,
}

/// A field's name.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) hash: u32,
}

impl Name {
    pub(super) fn new(text: String) -> Self {
        Self { hash: hash(text.as_bytes()), text }
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
        let refine = Self {
            open: open.collect(),
            fields: fields.collect(),
            has_client: definition.fields.values().any(|to| to == Known::ClientIp.name()),
            types: definition.types.iter().map(|(name, kind)| (name.clone(), *kind)).collect(),
            time: time_field.map(|field| (Name::new(field), format)),
            nanos: definition.time.as_ref().and_then(|time| time.nanos.clone()).map(Name::new),
            level,
        };
        let adds = !(refine.open.is_empty() && refine.fields.is_empty() && refine.types.is_empty())
            || refine.time.is_some()
            || refine.nanos.is_some()
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

    /// The names that the definition has others for.
    pub(super) fn renamed(&self) -> &Table<Rename> {
        &self.fields
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
            self.rename(record, &mut index, cx);
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
        }
        self.add_nanos(record, &mut index);
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
            if !convert::retype(&mut field.value, *kind)? {
                index.remove(&mut record.fields, at);
            }
        }
        Ok(())
    }

    /// Makes the time one of nanoseconds, where another field has those of its second.
    fn add_nanos<'a>(&self, record: &mut Record<'a>, index: &mut Index<'a>) {
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
    fn rename<'a>(&self, record: &mut Record<'a>, index: &mut Index<'a>, cx: &mut Context<'_, 'a>) {
        let mut at = 0;
        while let Some(hash) = index.hash(at) {
            let name = record.fields.get(at).map_or("", |field| field.key.name());
            let to = self.fields.get(hash, name);
            let gone = to.is_some_and(|to| rename(record, index, at, to, cx));
            at += usize::from(!gone);
        }
        if self.has_client {
            part_clients(record, index);
        }
    }
}

/// Of a client that is the list of `X-Forwarded-For`, the first is it; all is what that header says.
fn part_clients<'a>(record: &mut Record<'a>, index: &mut Index<'a>) {
    let place = |record: &Record<'a>, known: Known| {
        index.place(&record.fields, hash(known.name().as_bytes()), known.name())
    };
    let Some(at) = place(record, Known::ClientIp) else { return };
    let Some(Field { value: Value::Text(list), .. }) = record.fields.get(at).copied() else {
        return;
    };
    // What has escapes is no list of addresses.
    let Some(client) = first_of(list.as_stored()).filter(|_| !list.is_escaped()) else { return };
    let client = if list.origin() == Origin::Raw { Text::raw(client) } else { Text::built(client) };
    let forwarded = place(record, Known::ForwardedFor).is_some();
    if let Some(field) = record.fields.get_mut(at) {
        field.value = Value::Text(client);
    }
    if !forwarded {
        record.push(Key::Known(Known::ForwardedFor), Value::Text(list));
        index.extend(&record.fields);
    }
}

/// What stands before the first `, ` of a list; `None` of what is no list.
fn first_of(list: &str) -> Option<&str> {
    let mut from = 0;
    loop {
        let rest = list.as_bytes().get(from..)?;
        let comma = from + find(b',', rest)?;
        from = comma + 1;
        if list.as_bytes().get(from) == Some(&b' ') {
            return list.get(..comma);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::first_of;

    #[test]
    fn a_list_has_a_comma_and_a_blank() {
        let as_split = |list: &'static str| list.split_once(", ").map(|(first, _)| first);
        for list in ["", "1.2.3.4", "a,b", "a,", ", b", "a, b", "a,b, c, d", "a,,, b", ",", "é, b"]
        {
            assert_eq!(first_of(list), as_split(list), "{list:?}");
        }
    }
}
