//! Records within records: a syslog message that is a firewall's, a container's line that is JSON, a
//! JSON text that is logfmt.

mod taken;

use super::grammar::Context;
use super::json::{self, decode};
use super::roles::Outside;
use super::seen::Seen;
use super::{Misfit, auto};
use crate::Arena;
use crate::record::{Field, Key, Origin, Record, Text, Value};
use taken::{Sieve, Taken};

/// Fields that a record may have for more to be read into it.
const MAX_OUTER: usize = 256;

/// Pairs of an outer and an inner name that are compared each with each.
const FEW: usize = 1024;

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
    // A slice of one line is one. A text that was decoded may have other bytes than what was looked at.
    let is_line = message.origin() == Origin::Raw && !cx.seen.has(Seen::NEWLINE);
    let inside = if is_line { Seen::ONE_LINE } else { Seen::ALL };
    let seen = std::mem::replace(&mut cx.seen, inside);
    let outside = std::mem::take(&mut cx.outside);
    let result = within(record, cx, |cx, record| read(text, cx, record));
    (cx.seen, cx.outside) = (seen, outside);
    if result.is_ok() {
        record.time = record.time.or(time);
        record.level = record.level.or(level);
        // What a reading deeper down decoded stays so.
        record.decoded |= decoded || message.origin() != Origin::Raw;
    } else {
        (record.time, record.level, record.message) = (time, level, Some(message));
    }
    result
}

/// Reads more fields into a record. What the record has of time, level and message stays, as does what
/// it gets from `behind` them: what they say of that is a field like the others.
pub(super) fn spread<'a>(
    record: &mut Record<'a>,
    cx: &mut Context<'_, 'a>,
    behind: Option<Outside>,
    read: impl FnOnce(&mut Context<'_, 'a>, &mut Record<'a>) -> Result<(), Misfit>,
) -> Result<(), Misfit> {
    let (time, level, message) = (record.time, record.level, record.message);
    let said = |behind: Outside| Outside {
        time: behind.time || time.is_some(),
        level: behind.level || level.is_some(),
        message: behind.message || message.is_some(),
    };
    // Members of an object have been looked through before.
    let outside = behind.map(said).unwrap_or_default();

    let before = std::mem::replace(&mut cx.outside, outside);
    let result = within(record, cx, |cx, inner| {
        read(cx, inner)?;
        // These are names of what is said outside.
        for at in 0..inner.fields.len() {
            let Some(field) = inner.fields.get(at) else { break };
            let name = field.key.name();
            if outside.says(name) {
                let key = free_name(name, &[], &inner.fields, cx.arena);
                if let Some(field) = inner.fields.get_mut(at) {
                    field.key = key;
                }
            }
        }
        Ok(())
    });
    cx.outside = before;
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
    let opened = spread(record, cx, None, |cx, inner| {
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
    let parted = record.parted.len();
    let result = read(cx, record);
    if result.is_err() {
        auto::clear(record);
        record.parted.truncate(parted);
    }
    record.unmappable |= unmappable;
    record.decoded |= decoded;
    let inner = record.fields.len();
    if fields.len() * inner > FEW {
        name_many(record, fields, cx.arena);
    } else {
        name_few(record, fields, cx.arena);
    }
    record.fields.extend_from_slice(fields);
    record.fields.copy_within(..inner, outer);
    if let Some(first) = record.fields.get_mut(..outer) {
        first.copy_from_slice(fields);
    }
    result
}

/// Gives fields that are called as ones of `outer` names of their own.
fn name_few<'a>(record: &mut Record<'a>, outer: &[Field<'a>], arena: &'a Arena) {
    let sieve = Sieve::of(outer);
    for at in 0..record.fields.len() {
        let Some(field) = record.fields.get(at) else { break };
        // Mostly none is.
        if !sieve.may_have(field.key) || !outer.iter().any(|other| is_same(other.key, field.key)) {
            continue;
        }
        let key = free_name(field.key.name(), outer, &record.fields, arena);
        if let Some(field) = record.fields.get_mut(at) {
            field.key = key;
        }
    }
}

/// The same, in time linear in their number.
fn name_many<'a>(record: &mut Record<'a>, outer: &[Field<'a>], arena: &'a Arena) {
    let mut taken = Taken::new(outer, &record.fields);
    for field in &mut record.fields {
        let name = field.key.name();
        if taken.is_outer(name) {
            let more = taken.free(name);
            let mut free = bumpalo::collections::String::from_str_in(name, arena);
            free.extend(std::iter::repeat_n('_', more));
            field.key = Key::Text(Text::built(free.into_bump_str()));
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn record(names: impl Iterator<Item = usize>) -> Record<'static> {
        let mut record = Record::default();
        for count in names {
            let name: &'static str = format!("a{}", "_".repeat(count)).leak();
            record.push(Key::Text(Text::raw(name)), Value::Null);
        }
        record
    }

    #[test]
    fn many_names_come_out_as_few_do() {
        let arena = Arena::new();
        for outer in [vec![0, 2, 3], vec![1, 0], (0..60).collect(), vec![7]] {
            let outer = record(outer.into_iter());
            for inner in [vec![0, 1, 4], vec![2, 0, 1], (0..60).rev().collect()] {
                let [mut few, mut many] = [(); 2].map(|()| record(inner.iter().copied()));
                name_few(&mut few, &outer.fields, &arena);
                name_many(&mut many, &outer.fields, &arena);
                assert_eq!(few, many);
            }
        }
    }
}
