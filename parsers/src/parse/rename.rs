//! Fields of a grammar that a definition calls otherwise: by one of pillion's names, or as what they are
//! to the record, its message, its time or its request.

use super::access;
use super::cursor::Cursor;
use super::grammar::Context;
use super::hashed::Index;
use super::json::decode;
use super::keys::{hash, is_same};
use super::refine::Name;
use crate::Arena;
use crate::record::{Field, Key, Known, Origin, Record, Text, Value};

/// What a request line is called whose parts the record has already: others call an object `request`,
/// or `req`.
pub(super) const REQUEST_LINE: &str = "request_line";

/// What a field is called instead.
#[derive(Debug)]
pub(super) enum Rename {
    Message,
    Time,
    /// A request line, that is taken apart.
    Request,
    /// With the name's hash.
    Known(Known, u32),
    Text(Name),
}

impl Rename {
    /// By the name that a definition gives.
    pub(super) fn new(name: &str) -> Self {
        match Known::from_name(name) {
            _ if name == "message" => Self::Message,
            _ if name == "time" => Self::Time,
            _ if name == "request" => Self::Request,
            Some(known) => Self::Known(known, hash(name.as_bytes())),
            None => Self::Text(Name::new(name.to_owned())),
        }
    }
}

/// Calls a field by another name, unless another has it. Objects and arrays stay, since destinations
/// expect single values below the names they know; an array of one text is that text. What says that
/// there is no value (`-`, or nothing) is left out. Says whether it is a field no more.
pub(super) fn rename<'a>(
    record: &mut Record<'a>,
    index: &mut Index<'a>,
    at: usize,
    to: &Rename,
    cx: &mut Context<'_, 'a>,
) -> bool {
    let arena = cx.arena;
    match to {
        Rename::Time => return take_time(record, index, at, cx),
        Rename::Request => return take_request(record, index, at, arena),
        // Nearly all.
        Rename::Known(known, hash) => {
            let Some(field) = record.fields.get(at) else { return false };
            if matches!(field.value, Value::Text(text) if is_absent(text)) {
                index.remove(&mut record.fields, at);
                return true;
            }
            if !matches!(field.value, Value::Json(_)) {
                let key = Key::Known(*known);
                if is_free(record, index, at, *hash, key.name())
                    && let Some(field) = record.fields.get_mut(at)
                {
                    field.key = key;
                    index.set(at, *hash);
                }
                return false;
            }
        }
        Rename::Message | Rename::Text(_) => {}
    }
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
        (Rename::Message | Rename::Time | Rename::Request, _) => return false,
        (Rename::Known(known, hash), _) => (Key::Known(*known), *hash),
        (Rename::Text(name), _) => {
            (Key::Text(Text::vetted(arena.alloc_str(&name.text))), name.hash)
        }
    };
    if is_free(record, index, at, hash, key.name())
        && let Some(field) = record.fields.get_mut(at)
    {
        *field = Field { key, value };
        index.set(at, hash);
    }
    false
}

/// Whether no other field has that name than the one at a place. It may be the program's own, with the same
/// meaning or not.
#[inline]
fn is_free(record: &Record<'_>, index: &Index<'_>, at: usize, hash: u32, name: &str) -> bool {
    // What is called so in the program, too, is called so once.
    index.hash(at) == Some(hash)
        && record.fields.get(at).is_some_and(|it| is_same(it.key.name(), name))
        || index.place(&record.fields, hash, name).is_none()
}

/// Takes a field for the record's time, where that has none or a coarser one. What says the same is
/// left out. Says whether it is a field no more.
fn take_time<'a>(
    record: &mut Record<'a>,
    index: &mut Index<'a>,
    at: usize,
    cx: &mut Context<'_, 'a>,
) -> bool {
    let Some(time) = scalar(record, at).and_then(|text| cx.clock.any(text)) else { return false };
    let finer = record.time.is_none_or(|known| time.unit < known.unit);
    let same = record
        .time
        .is_some_and(|known| known.nanos - known.nanos.rem_euclid(time.unit.nanos()) == time.nanos);
    if finer {
        record.time = Some(time);
    }
    if finer || same {
        index.remove(&mut record.fields, at);
    }
    finer || same
}

/// Puts method, target and protocol in the place of a request line, where the record has none of them;
/// else calls it so. Says whether it is a field no more.
fn take_request<'a>(
    record: &mut Record<'a>,
    index: &mut Index<'a>,
    at: usize,
    arena: &'a Arena,
) -> bool {
    let Some(Field { value: Value::Text(line), .. }) = record.fields.get(at).copied() else {
        return false;
    };
    let parts = [Known::Method, Known::Target, Known::Protocol];
    let is_there = |part: &Known| {
        index.place(&record.fields, hash(part.name().as_bytes()), part.name()).is_some()
    };
    if parts.iter().any(is_there) {
        let hash = hash(REQUEST_LINE.as_bytes());
        if index.place(&record.fields, hash, REQUEST_LINE).is_none()
            && let Some(field) = record.fields.get_mut(at)
        {
            field.key = Key::Text(Text::fixed(REQUEST_LINE));
            index.set(at, hash);
        }
        return false;
    }
    index.remove(&mut record.fields, at);
    let before = record.fields.len();
    let decoded = line.is_escaped().then(|| decode(line.as_stored(), arena));
    access::request(decoded.unwrap_or(line.as_stored()), arena, record);
    if decoded.is_some() || line.origin() != Origin::Raw {
        for field in record.fields.iter_mut().skip(before) {
            if let Value::Text(part) = field.value {
                field.value = Value::Text(Text::built(part.as_stored()));
            }
        }
    }
    index.extend(&record.fields);
    true
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
    let text = bumpalo::collections::String::from_utf8_lossy_in(&bytes, arena);
    Some(Text::built(text.into_bump_str()))
}

/// The text of a field's scalar value as stored.
pub(super) fn scalar<'a>(record: &Record<'a>, at: usize) -> Option<&'a str> {
    match record.fields.get(at)?.value {
        Value::Text(text) => Some(text.as_stored()),
        Value::Number(number) => Some(number),
        _ => None,
    }
}
