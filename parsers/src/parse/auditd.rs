//! The Linux audit log, also as `auditd` writes it enriched.
//!
//! `type=USER_CMD msg=audit(1795658207.967:146): pid=4693 uid=1001 msg='cwd="/srv" res=success'`
//!
//! Pairs inside of `msg='…'` are fields like those outside; one whose key is taken is `msg_key`.
//! Values in hexadecimal, which stand for what needs quotes, stay so. `(null)` and `?` are none.

use super::cursor::Cursor;
use super::grammar::{Context, Grammar};
use super::keys::{Keys, Scope};
use super::pairs::Pairs;
use super::{Misfit, convert};
use crate::record::{Key, Known, Record, Text, Value};

/// Reads a record of the audit system.
pub(super) const GRAMMAR: Grammar =
    Grammar { name: "auditd", begins: b"", needs: "=( :)", probe: Some(probe), read };

/// What parts a record from what `auditd` adds to it: the names of what are numbers.
const ENRICHED: char = '\u{1d}';

fn probe(bytes: &[u8]) -> bool {
    let head = bytes.get(..256).unwrap_or(bytes);
    (head.starts_with(b"type=") || head.starts_with(b"node="))
        && memchr::memmem::find(head, b" msg=audit(").is_some()
}

fn read<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    let mut keys = Keys::new(cx.arena);
    let mut cursor = Cursor::new(text);
    if cursor.eat("node=") {
        put(Key::Known(Known::Host), text_of(cursor.word()?), &mut keys, record)?;
    }
    cursor.expect("type=")?;
    let kind = cursor.word()?;
    put(fixed("type"), text_of(kind), &mut keys, record)?;
    cursor.expect("msg=audit(")?;
    let time = cursor.until(b':')?;
    record.time = Some(cx.clock.any(time).ok_or(Misfit::Syntax)?);
    let serial = cursor.digits(18)?;
    put(fixed("serial"), convert::number(serial), &mut keys, record)?;
    cursor.expect("):")?;
    let (own, names) = match cursor.rest().split_once(ENRICHED) {
        Some((own, names)) => (own, names),
        None => (cursor.rest(), ""),
    };
    let (outer, inner) = grouped(own);
    let before = pairs(outer, false, &mut keys, cx, record)?.trim_matches(' ');
    let before_inner = pairs(inner, true, &mut keys, cx, record)?.trim_matches(' ');
    if !pairs(names, false, &mut keys, cx, record)?.trim_matches(' ').is_empty() {
        return Err(Misfit::Syntax);
    }
    // Arguments of a command, of which one says what the next is.
    if kind == "EXECVE" {
        record.parted.push(own);
    }
    // What is no pair: `avc:  denied  { read } for`, or what a program said.
    record.message = match (before, before_inner) {
        ("", "") => None,
        ("", text) | (text, "") => Some(Text::raw(text)),
        (outer, inner) => {
            let both = bumpalo::format!(in cx.arena, "{} {}", outer, inner);
            Some(Text::built(both.into_bump_str()))
        }
    };
    Ok(())
}

/// Splits the group `msg='…'` off, which comes last.
fn grouped(text: &str) -> (&str, &str) {
    let text = text.trim_end_matches(' ');
    // Few records have one, and then it ends in the quote.
    let inner = text.strip_suffix('\'').and_then(|inner| inner.split_once(" msg='"));
    inner.unwrap_or((text, ""))
}

/// Puts pairs into the record, and gives what stands before them. Keys of `inner` ones give way.
fn pairs<'a>(
    text: &'a str,
    inner: bool,
    keys: &mut Keys<'a>,
    cx: &Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<&'a str, Misfit> {
    let pairs = Pairs::new(text, false);
    let before = pairs.before;
    for pair in pairs {
        let (key, value) = (pair.key, pair.value);
        if matches!(value, "(null)" | "?" | "") {
            continue;
        }
        let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let value = match quoted.filter(|inside| !inside.contains('"')) {
            Some(inside) => text_of(inside),
            None if is_number(key) => value.parse().map_or(text_of(value), Value::Int),
            None => text_of(value),
        };
        let key = known(key).map_or(Key::Text(Text::raw(key)), Key::Known);
        match put(key, value, keys, record) {
            Err(Misfit::DuplicateKey) if inner => {
                let built = bumpalo::format!(in cx.arena, "msg_{}", pair.key).into_bump_str();
                put(Key::Text(Text::built(built)), value, keys, record)?;
            }
            other => other?,
        }
    }
    Ok(before)
}

#[inline(always)]
fn put<'a>(
    key: Key<'a>,
    value: Value<'a>,
    keys: &mut Keys<'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    keys.add(Scope::OUTER, key.name())?;
    record.push(key, value);
    Ok(())
}

/// What others have too.
fn known(key: &str) -> Option<Known> {
    Some(match key {
        "pid" => Known::Pid,
        "uid" => Known::Uid,
        "acct" => Known::User,
        "addr" => Known::ClientIp,
        "comm" => Known::Program,
        "cwd" => Known::WorkingDirectory,
        _ => return None,
    })
}

fn fixed(name: &'static str) -> Key<'static> {
    Key::Text(Text::fixed(name))
}

fn text_of(text: &str) -> Value<'_> {
    Value::Text(Text::raw(text))
}

/// What is a decimal number whoever says it.
fn is_number(key: &str) -> bool {
    matches!(
        key,
        "pid"
            | "ppid"
            | "opid"
            | "auid"
            | "oauid"
            | "uid"
            | "ouid"
            | "euid"
            | "suid"
            | "fsuid"
            | "gid"
            | "ogid"
            | "egid"
            | "sgid"
            | "fsgid"
            | "ses"
            | "oses"
            | "syscall"
            | "items"
            | "item"
            | "argc"
            | "inode"
            | "exit"
            | "sig"
            | "spid"
    )
}
