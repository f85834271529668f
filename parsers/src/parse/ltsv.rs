//! Labelled tab-separated values: `time:[22/Nov/2026:10:00:00 +0100]\thost:10.0.0.1\tstatus:200`.
//!
//! Labels are those of <http://ltsv.org> for web servers, or the application's own; values are text
//! without escapes, and `-` is none. A label that comes again gets a number, as in `user_2`.

use super::cursor::find;
use super::grammar::{Context, Grammar};
use super::keys::Keys;
use super::rename::REQUEST_LINE;
use super::roles::{self, Roles};
use super::{Misfit, access, convert};
use crate::Arena;
use crate::record::{Field, Key, Known, Record, Text, Value};

/// Reads a line of labels and values, one at least; when guessing two.
pub(super) const GRAMMAR: Grammar =
    Grammar { name: "ltsv", begins: b"", needs: ":\t", probe: Some(probe), read };

/// A label, a colon, and a tab some time after it.
fn probe(bytes: &[u8]) -> bool {
    let head = bytes.get(..512).unwrap_or(bytes);
    let len = label_len(bytes.get(..64).unwrap_or(bytes));
    len > 0 && head.get(len) == Some(&b':') && memchr::memchr(b'\t', head).is_some()
}

/// Bytes of a label: letters, digits, `_`, `.` and `-`.
fn label_len(bytes: &[u8]) -> usize {
    let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    bytes.iter().take_while(|byte| is_label(byte)).count()
}

fn read<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    if text.contains('\n') {
        return Err(Misfit::Syntax);
    }
    let mut keys = Keys::new(cx.arena);
    let mut roles = Roles::default();
    let (mut rest, mut pairs) = (Some(text), 0);
    while let Some(line) = rest {
        let end = find(b'\t', line.as_bytes());
        rest = end.and_then(|end| line.get(end + 1..));
        let pair = end.and_then(|end| line.get(..end)).unwrap_or(line);
        // Of a value that is tabs, and at the end.
        if pair.is_empty() {
            continue;
        }
        let len = label_len(pair.as_bytes());
        let label = pair.get(..len).filter(|label| !label.is_empty()).ok_or(Misfit::Syntax)?;
        let value =
            pair.get(len..).and_then(|rest| rest.strip_prefix(':')).ok_or(Misfit::Syntax)?;
        let key = Key::Text(keys.add_again(label, cx.arena)?);
        pairs += 1;
        if value != "-" {
            put(key, value, &mut roles, cx, record);
        }
    }
    if pairs < if cx.guessing { 2 } else { 1 } {
        return Err(Misfit::Syntax);
    }
    settle(record, cx.arena);
    roles.finish(record);
    Ok(())
}

fn put<'a>(
    key: Key<'a>,
    value: &'a str,
    roles: &mut Roles<'a>,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) {
    let value = match key.name() {
        "status" | "size" | "reqtime" | "apptime" | "reqtime_microsec" | "reqsize" | "cache" => {
            convert::number(value)
        }
        _ => Value::Text(Text::raw(value)),
    };
    let field = Field { key, value };
    match roles::role(key.name().as_bytes()) {
        None => record.fields.push(field),
        Some((role, rank)) => roles.put(role, rank, field, cx, record),
    }
}

/// The known fields among the labels of a web server, which has a status beside a request or its
/// method.
fn settle<'a>(record: &mut Record<'a>, arena: &'a Arena) {
    let place = |record: &Record<'_>, name: &str| {
        record.fields.iter().position(|field| field.key.name() == name)
    };
    let has = |record: &Record<'_>, name: &str| place(record, name).is_some();
    if !has(record, "status") || !(has(record, "req") || has(record, "method")) {
        return;
    }
    for at in 0..record.fields.len() {
        let Some(field) = record.fields.get(at) else { break };
        let name = field.key.name();
        let Some(known) = known(name, &field.value) else { continue };
        if (known.name() == name || !has(record, known.name()))
            && let Some(field) = record.fields.get_mut(at)
        {
            field.key = Key::Known(known);
        }
    }
    // The parts of the request are those of its line, unless they have labels of their own.
    let parts = [Known::Method, Known::Target, Known::Protocol];
    let Some(at) = place(record, "req") else { return };
    if !parts.iter().any(|part| has(record, part.name())) {
        if let Value::Text(line) = record.fields.remove(at).value {
            access::request(line.as_stored(), arena, record);
        }
    } else if !has(record, REQUEST_LINE)
        && let Some(field) = record.fields.get_mut(at)
    {
        field.key = Key::Text(Text::fixed(REQUEST_LINE));
    }
}

/// What ltsv.org's labels are called here.
fn known(label: &str, value: &Value<'_>) -> Option<Known> {
    Some(match label {
        "host" => Known::ClientIp,
        "user" => Known::User,
        "ident" => Known::Ident,
        "method" => Known::Method,
        "uri" => Known::Target,
        "protocol" => Known::Protocol,
        "status" if matches!(value, Value::Int(_)) => Known::Status,
        "size" if matches!(value, Value::Int(_)) => Known::Bytes,
        "referer" => Known::Referrer,
        "ua" => Known::UserAgent,
        "vhost" => Known::VirtualHost,
        _ => return None,
    })
}
