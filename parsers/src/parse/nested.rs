//! Records within records: a syslog message that is a firewall's, a container's line that is JSON, a
//! JSON text that is logfmt.

use super::grammar::Context;
use super::json::{self, decode};
use super::seen::Seen;
use super::{Misfit, auto};
use crate::Arena;
use crate::record::{Field, Key, Known, Record, Text, Value};

/// Fields that a record may have for more to be read into it.
const MAX_OUTER: usize = 256;

/// Reads the message further. Where it fits, its own time and level go before those of what it stood
/// in, and its own message, or none, is the record's. Where it does not, all is as before.
pub(super) fn message<'a>(
    record: &mut Record<'a>,
    cx: &mut Context<'_, 'a>,
    read: impl FnOnce(&'a str, &mut Context<'_, 'a>, &mut Record<'a>) -> Result<(), Misfit>,
) -> Result<(), Misfit> {
    let Some(message) = record.message else { return Err(Misfit::Syntax) };
    let (time, level, decoded) = (record.time, record.level, record.decoded);
    let stored = message.as_stored();
    let text = if message.is_escaped() { decode(stored, cx.arena) } else { stored };
    // A text that was decoded may have other bytes than what was looked at.
    let seen = std::mem::replace(&mut cx.seen, Seen::ALL);
    let result = within(record, cx, |cx, record| read(text, cx, record));
    cx.seen = seen;
    if result.is_ok() {
        record.time = record.time.or(time);
        record.level = record.level.or(level);
        // What a reading deeper down decoded stays so.
        record.decoded |= decoded || message.origin() != crate::record::Origin::Raw;
    } else {
        (record.time, record.level, record.message) = (time, level, Some(message));
    }
    result
}

/// Reads more fields into a record. What the record has of time, level and message stays.
pub(super) fn spread<'a>(
    record: &mut Record<'a>,
    cx: &mut Context<'_, 'a>,
    read: impl FnOnce(&mut Context<'_, 'a>, &mut Record<'a>) -> Result<(), Misfit>,
) -> Result<(), Misfit> {
    let (time, level, message) = (record.time, record.level, record.message);
    let result = within(record, cx, read);
    record.time = time.or(record.time);
    record.level = level.or(record.level);
    let inner = std::mem::replace(&mut record.message, message);
    if let Some(inner) = inner {
        put_message(record, inner, cx.arena);
    }
    result
}

/// Sets the message. One that the record has stays as a field.
pub(super) fn put_message<'a>(record: &mut Record<'a>, message: Text<'a>, arena: &'a Arena) {
    if record.message.is_none() {
        record.message = Some(message);
        return;
    }
    let key = free_name("message", &[], &record.fields, arena);
    record.push(key, Value::Text(message));
}

/// Puts the members of a field that is a JSON object in its place. With `dotted`, a member is called by
/// both names. What is no object stays, as does one with too many members.
pub(super) fn open<'a>(
    record: &mut Record<'a>,
    cx: &mut Context<'_, 'a>,
    name: &str,
    dotted: bool,
) {
    let named =
        |field: &Field<'_>| matches!(field.value, Value::Json(_)) && field.key.name() == name;
    let Some(at) = record.fields.iter().position(named) else { return };
    let Some(Field { value: Value::Json(object), .. }) = record.fields.get(at).copied() else {
        return;
    };
    if !object.starts_with('{') {
        return;
    }
    let closed = record.fields.remove(at);
    let arena = cx.arena;
    let opened = spread(record, cx, |cx, inner| {
        json::members(object, cx, inner)?;
        for field in inner.fields.iter_mut().filter(|_| dotted) {
            let member = field.key.name();
            let len = name.len() + 1 + member.len();
            let mut full = bumpalo::collections::String::with_capacity_in(len, arena);
            full.push_str(name);
            full.push('.');
            full.push_str(member);
            field.key = Key::Text(Text::built(full.into_bump_str()));
        }
        Ok(())
    });
    if opened.is_err() {
        record.fields.insert(at.min(record.fields.len()), closed);
    }
}

/// Reads a record of its own, and puts its fields behind those that are there.
fn within<'a>(
    record: &mut Record<'a>,
    cx: &mut Context<'_, 'a>,
    read: impl FnOnce(&mut Context<'_, 'a>, &mut Record<'a>) -> Result<(), Misfit>,
) -> Result<(), Misfit> {
    let outer = record.fields.len();
    if outer > MAX_OUTER {
        return Err(Misfit::TooManyKeys);
    }
    let (unmappable, decoded) = (record.unmappable, record.decoded);
    (record.time, record.level, record.message) = (None, None, None);
    // Grammars fill a record that is empty: what is there waits behind what they put.
    let fields = &*cx.arena.alloc_slice_copy(&record.fields);
    record.fields.clear();
    let result = read(cx, record);
    if result.is_err() {
        auto::clear(record);
    }
    record.unmappable |= unmappable;
    record.decoded |= decoded;
    let inner = record.fields.len();
    let taken = Taken::by(fields);
    for at in 0..inner {
        let Some(field) = record.fields.get(at).copied() else { break };
        if taken.may_have(field.key) && fields.iter().any(|known| is_same(known.key, field.key)) {
            let key = free_name(field.key.name(), fields, &record.fields, cx.arena);
            if let Some(field) = record.fields.get_mut(at) {
                field.key = key;
            }
        }
    }
    record.fields.extend_from_slice(fields);
    record.fields.copy_within(..inner, outer);
    if let Some(first) = record.fields.get_mut(..outer) {
        first.copy_from_slice(fields);
    }
    result
}

/// What tells of most names that none of some fields has them.
struct Taken {
    /// One bit for each of our own names.
    known: u128,
    /// Bits for the other names, and for all.
    others: u64,
    all: u64,
}

impl Taken {
    fn by(fields: &[Field<'_>]) -> Self {
        let mut taken = Self { known: 0, others: 0, all: 0 };
        for field in fields {
            let bit = name_bit(field.key.name());
            taken.all |= bit;
            match field.key {
                Key::Known(known) => taken.known |= known_bit(known),
                Key::Text(_) => taken.others |= bit,
            }
        }
        taken
    }

    #[inline]
    fn may_have(&self, key: Key<'_>) -> bool {
        match key {
            Key::Known(known) => {
                self.known & known_bit(known) != 0
                    || self.others != 0 && self.others & name_bit(key.name()) != 0
            }
            Key::Text(_) => self.all & name_bit(key.name()) != 0,
        }
    }
}

#[inline]
fn known_bit(known: Known) -> u128 {
    1 << (known as u32 % u128::BITS)
}

/// One bit by the length of a name and its first letter.
#[inline]
fn name_bit(name: &str) -> u64 {
    let first = name.as_bytes().first().copied().unwrap_or_default();
    1 << ((name.len() + 5 * usize::from(first)) % 64)
}

/// Whether two fields are called the same. Those with a place of their own mostly tell by it.
#[inline]
fn is_same(one: Key<'_>, other: Key<'_>) -> bool {
    match (one, other) {
        (Key::Known(one), Key::Known(other)) => one == other,
        _ => one.name() == other.name(),
    }
}

/// A name with as many `_` behind it as make it one of its own.
fn free_name<'a>(
    name: &str,
    outer: &[Field<'a>],
    inner: &[Field<'a>],
    arena: &'a Arena,
) -> Key<'a> {
    let mut free = bumpalo::collections::String::from_str_in(name, arena);
    loop {
        free.push('_');
        let taken = |field: &Field<'a>| field.key.name() == &*free;
        if !outer.iter().any(taken) && !inner.iter().any(taken) {
            return Key::Text(Text::built(free.into_bump_str()));
        }
    }
}
