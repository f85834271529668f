//! nginx's error log.
//!
//! `2026/11/22 10:00:00 [error] 12#34: *56 open() "/x" failed (2: No such file or directory),
//! client: 10.0.0.1, server: _, request: "GET /x HTTP/1.1", host: "shop"`
//!
//! Written by `ngx_log.c` (head) and `ngx_http_log_error_handler` in `ngx_http_request.c` (the
//! context after the message, whose values are not escaped). Before its log is open, nginx writes
//! `nginx: [emerg] unknown directive "x" in /etc/nginx/nginx.conf:3`.

use super::cursor::Cursor;
use super::grammar::{Context, Grammar};
use super::{Misfit, access, level};
use crate::Arena;
use crate::record::{Key, Known, Record, Text, Value};

/// Reads a line of the error log.
pub(super) const GRAMMAR: Grammar =
    Grammar { name: "nginx_error", begins: b"", needs: ":[", probe: Some(probe), read };

/// Where a context can begin is guessed at most so often: the message may quote one.
const GUESSES: usize = 4;

/// What stands before the level while the log is not open.
const UNOPENED: &str = "nginx: [";

fn probe(bytes: &[u8]) -> bool {
    bytes.starts_with(UNOPENED.as_bytes()) || is_stamped(bytes)
}

fn is_stamped(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [_, _, _, _, b'/', _, _, b'/', _, _, b' ', _, _, b':', _, _, b':', _, _, b' ', b'[', ..]
    )
}

fn read<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    let mut cursor = Cursor::new(text);
    if cursor.eat(UNOPENED) {
        record.level = Some(level::from_name(cursor.until(b']')?).ok_or(Misfit::Syntax)?);
        cursor.expect(" ")?;
        record.message = Some(Text::raw(cursor.rest()));
        return Ok(());
    }
    if !is_stamped(text.as_bytes()) {
        return Err(Misfit::Syntax);
    }
    let (time, used) = cx.clock.iso(cursor.bytes()).ok_or(Misfit::Syntax)?;
    record.time = Some(time);
    cursor.take(used)?;
    cursor.expect(" [")?;
    record.level = Some(level::from_name(cursor.until(b']')?).ok_or(Misfit::Syntax)?);
    cursor.expect(" ")?;
    put_number(record, Known::Pid, cursor.digits(10)?)?;
    cursor.expect("#")?;
    put_number(record, Known::Thread, cursor.digits(10)?)?;
    cursor.expect(":")?;
    cursor.eat(" ");
    let before = cursor;
    if cursor.eat("*") {
        match cursor.digits(18) {
            Ok(number) if cursor.eat(" ") => put_number(record, Known::Connection, number)?,
            _ => cursor = before,
        }
    }
    let rest = cursor.rest();
    let (message, context) = split_context(rest);
    record.message = Some(Text::raw(message));
    for (key, value) in context.into_iter().flat_map(Pairs::new) {
        put_context(record, key, value, cx.arena);
    }
    Ok(())
}

fn put_number(record: &mut Record<'_>, key: Known, text: &str) -> Result<(), Misfit> {
    let number = text.parse().map_err(|_| Misfit::Syntax)?;
    record.push(Key::Known(key), Value::Int(number));
    Ok(())
}

fn put_context<'a>(record: &mut Record<'a>, name: &'static str, value: &'a str, arena: &'a Arena) {
    let key = match name {
        "request" => return access::request(value, arena, record),
        "client" => Key::Known(Known::ClientIp),
        "host" => Key::Known(Known::VirtualHost),
        "referrer" => Key::Known(Known::Referrer),
        other => Key::Text(Text::vetted(other)),
    };
    // Unique, since pairs come in order.
    record.push(key, Value::Text(Text::raw(value)));
}

/// Splits the context from the message, at the first place from where all is context.
fn split_context(text: &str) -> (&str, Option<&str>) {
    for (at, _) in text.match_indices(", client: ").take(GUESSES) {
        let (message, context) = text.split_at(at);
        let mut pairs = Pairs::new(context);
        while pairs.next().is_some() {}
        if pairs.rest.is_empty() {
            return (message, Some(context));
        }
    }
    (text, None)
}

/// The keys of a context in the order in which nginx writes them, and whether their values are quoted.
const KEYS: [(&str, bool); 8] = [
    ("client", false),
    ("server", false),
    ("request", true),
    ("subrequest", true),
    ("login", true),
    ("upstream", true),
    ("host", true),
    ("referrer", true),
];

/// Walks over `, key: value` pairs in the order of [`KEYS`], and stops with an empty rest if there is
/// nothing else. What is out of order, hence also what repeats, nginx has not written.
struct Pairs<'a> {
    rest: &'a str,
    /// Keys that have been passed.
    passed: usize,
}

impl<'a> Pairs<'a> {
    fn new(rest: &'a str) -> Self {
        Self { rest, passed: 0 }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'static str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.strip_prefix(", ")?;
        for (place, (name, is_quoted)) in KEYS.into_iter().enumerate().skip(self.passed) {
            let Some(value) = rest.strip_prefix(name).and_then(|rest| rest.strip_prefix(": "))
            else {
                continue;
            };
            let (value, rest) = if is_quoted {
                let inside = value.strip_prefix('"')?;
                // Not escaped: the quote that ends it is the one that something can follow.
                let end = inside.match_indices('"').take(16).map(|(at, _)| at).find(|at| {
                    matches!(inside.as_bytes().get(at + 1..at + 3), None | Some(b", "))
                })?;
                (inside.get(..end)?, inside.get(end + 1..)?)
            } else {
                value.split_at(value.find(", ").unwrap_or(value.len()))
            };
            (self.rest, self.passed) = (rest, place + 1);
            return Some((name, value));
        }
        None
    }
}
