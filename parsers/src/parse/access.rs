//! The access logs of nginx, Apache and those that write like them: common and combined, with a
//! virtual host before and further columns after.
//!
//! `127.0.0.1 - frank [22/Nov/2026:10:00:00 +0100] "GET /a?b HTTP/1.1" 200 2326 "ref" "agent"`
//!
//! Columns: nginx `ngx_http_log_module.c` (`ngx_http_combined_fmt`), Apache `mod_log_config`. Both
//! escape what could end a quoted column (`\xHH`, Apache also `\"`, `\\`, `\n` …), which is undone.

use std::net::{IpAddr, SocketAddr};

use super::cursor::{Cursor, find, find_any};
use super::escape::undo;
use super::grammar::{Context, Grammar};
use super::{Misfit, syslog};
use crate::Arena;
use crate::record::{Key, Known, Record, Text, Value};

/// Reads common, combined and what extends them.
pub(super) const GRAMMAR: Grammar =
    Grammar { name: "access", begins: b"", needs: " [", probe: Some(probe), read };

/// A ` [` and a digit among the first bytes, with three words before it. Few lines have a bracket.
fn probe(bytes: &[u8]) -> bool {
    let head = bytes.get(..512).unwrap_or(bytes);
    let opens = |at: &usize| {
        let around = at.checked_sub(1).and_then(|before| head.get(before..));
        matches!(around, Some([b' ', b'[', b'0'..=b'9', ..]))
    };
    let before = memchr::memchr_iter(b'[', head).find(opens).and_then(|at| head.get(..at));
    before.is_some_and(|before| (3..=16).contains(&memchr::memchr_iter(b' ', before).count()))
}

fn read<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    // A line in syslog begins with words, too, and names blanks can be in.
    if syslog::begins(text) {
        return Err(Misfit::Syntax);
    }
    let mut cursor = Cursor::new(text);
    who(up_to_time(&mut cursor)?, cx.arena, record)?;
    let (time, used) = cx.clock.clf(cursor.bytes()).ok_or(Misfit::Syntax)?;
    record.time = Some(time);
    cursor.take(used)?;
    cursor.expect("] \"")?;
    request(quoted(&mut cursor)?, cx.arena, record);
    cursor.expect(" ")?;
    put_number(record, Known::Status, cursor.word()?)?;
    put_number(record, Known::Bytes, cursor.word()?)?;
    if cursor.eat("\"") {
        put_quoted(record, Known::Referrer, quoted(&mut cursor)?, cx.arena);
        if cursor.eat(" \"") {
            put_quoted(record, Known::UserAgent, quoted(&mut cursor)?, cx.arena);
        }
        cursor.eat(" ");
    }
    if !cursor.is_done() {
        record.push(Key::Text(Text::vetted("trailing")), Value::Text(Text::raw(cursor.rest())));
    }
    Ok(())
}

/// Who asked whom: a virtual host or none, the client, the identity and the user's name, which may have
/// blanks.
fn who<'a>(head: &'a str, arena: &'a Arena, record: &mut Record<'a>) -> Result<(), Misfit> {
    let word = |text: &'a str| {
        text.split_once(' ').filter(|(word, _)| !word.is_empty()).ok_or(Misfit::Syntax)
    };
    let (mut client, mut rest) = word(head)?;
    if is_before_client(client, rest) {
        put_vhost(record, client);
        (client, rest) = word(rest)?;
    }
    // What `X-Forwarded-For` says in its place: the first of a list is the client.
    if let Some(first) = client.strip_suffix(',') {
        let list = rest.split_inclusive(' ').take_while(|word| word.ends_with(", "));
        let len = list.map(str::len).sum();
        let (last, behind) = word(rest.get(len..).unwrap_or_default())?;
        let len = client.len() + 1 + len + last.len();
        let list = head.rfind(client).and_then(|at| head.get(at..at + len));
        (client, rest) = (first, behind);
        put_client(record, client);
        put(record, Known::ForwardedFor, list.unwrap_or_default());
    } else {
        put_client(record, client);
    }
    let (ident, user) = word(rest)?;
    put(record, Known::Ident, ident);
    // Apache writes a name that is empty as `""`.
    if user != "\"\"" {
        put_quoted(record, Known::User, user, arena);
    }
    Ok(())
}

/// Whether a word is the virtual host, before this: Apache's vhost_combined puts `host:port` before the
/// client, others the host alone, which an address shows that comes after it.
fn is_before_client(first: &str, rest: &str) -> bool {
    if first.ends_with(',') {
        return false;
    }
    let Some((second, behind)) = rest.split_once(' ') else { return false };
    if second == "-" {
        return is_vhost(first) && behind.contains(' ') && !is_address(first);
    }
    behind.contains(' ') && (is_vhost(first) || second.ends_with(',') || is_address(second))
}

/// Whether a word is an address, with a port or without.
fn is_address(word: &str) -> bool {
    let is_ip = |word: &str| word.parse::<IpAddr>().is_ok();
    is_ip(word) || word.parse::<SocketAddr>().is_ok()
}

/// An address, and its port where it has one.
fn put_client<'a>(record: &mut Record<'a>, word: &'a str) {
    match word.rsplit_once(':').filter(|_| is_vhost(word)) {
        Some((host, port)) if port.len() <= 5 => {
            let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            put(record, Known::ClientIp, bare.unwrap_or(host));
            if let Ok(port) = port.parse() {
                record.push(Key::Known(Known::ClientPort), Value::Int(port));
            }
        }
        _ => put(record, Known::ClientIp, word),
    }
}

/// What stands before the time: up to a bracket and a digit.
fn up_to_time<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, Misfit> {
    let bytes = cursor.bytes();
    let at = memchr::memchr_iter(b'[', bytes)
        .find(|at| {
            // Not that of an address.
            matches!(
                bytes.get(at + 1..),
                Some(
                    [b'0'..=b'9', b'/' | b'-' | b' ', ..]
                        | [b'0'..=b'9', _, b'/' | b'-' | b' ', ..]
                )
            ) && at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b' ')
        })
        .ok_or(Misfit::Syntax)?;
    let head = cursor.take(at)?;
    cursor.take(1)?;
    head.strip_suffix(' ').ok_or(Misfit::Syntax)
}

/// `name:port`, and not an IPv6 address.
fn is_vhost(word: &str) -> bool {
    word.rsplit_once(':').is_some_and(|(name, port)| {
        (!name.contains(':') || name.ends_with(']'))
            && !port.is_empty()
            && port.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// `name:port`, which is known to be one.
fn put_vhost<'a>(record: &mut Record<'a>, word: &'a str) {
    let parts = word.rsplit_once(':');
    match parts.and_then(|(name, port)| Some((name, port.parse::<u16>().ok()?))) {
        Some((name, port)) => {
            put(record, Known::VirtualHost, name);
            record.push(Key::Known(Known::ServerPort), Value::Int(port.into()));
        }
        None => put(record, Known::VirtualHost, word),
    }
}

/// The inside of a quoted column whose opening quote has been read: up to the next quote that no
/// backslash precedes.
#[inline]
pub(super) fn quoted<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, Misfit> {
    quoted_or_escaped(cursor).map(|(inside, _)| inside)
}

/// The same, and whether there is a backslash in it.
#[inline]
pub(super) fn quoted_or_escaped<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a str, bool), Misfit> {
    let bytes = cursor.bytes();
    let (mut at, mut escaped) = (0, false);
    loop {
        let found =
            find_any([b'"', b'\\'], bytes.get(at..).unwrap_or_default()).ok_or(Misfit::Syntax)?;
        at += found;
        if bytes.get(at) == Some(&b'"') {
            break;
        }
        (at, escaped) = (at + 2, true);
    }
    let inside = cursor.take(at)?;
    cursor.take(1)?;
    Ok((inside, escaped))
}

/// `GET /path HTTP/1.1`; what is not of that shape (a TLS hello sent to a plain port) is a target.
pub(super) fn request<'a>(line: &'a str, arena: &'a Arena, record: &mut Record<'a>) {
    // Of a connection that is not HTTP, Envoy says `- - -`, a load balancer of AWS `- - - `.
    if matches!(line, "" | "-" | "- - -" | "- - - ") {
        return;
    }
    let parts = find(b' ', line.as_bytes()).and_then(|at| {
        let (method, rest) = (line.get(..at)?, line.get(at + 1..)?);
        let at = memchr::memrchr(b' ', rest.as_bytes())?;
        let (target, protocol) = (rest.get(..at)?, rest.get(at + 1..)?);
        let named = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        (named && !target.is_empty() && protocol.starts_with("HTTP/"))
            .then_some((method, target, protocol))
    });
    match parts {
        // Envoy of a request that it could not read.
        None if line.starts_with("- - HTTP/") => {
            put(record, Known::Protocol, line.get(4..).unwrap_or_default());
        }
        Some((method, target, protocol)) => {
            put(record, Known::Method, method);
            put_quoted(record, Known::Target, target, arena);
            put(record, Known::Protocol, protocol);
        }
        None => put_quoted(record, Known::Target, line, arena),
    }
}

/// A column as it stands; `-` and nothing are no value.
#[inline]
fn put<'a>(record: &mut Record<'a>, key: Known, text: &'a str) {
    if !text.is_empty() && text != "-" {
        record.push(Key::Known(key), Value::Text(Text::raw(text)));
    }
}

#[inline]
fn put_number(record: &mut Record<'_>, key: Known, text: &str) -> Result<(), Misfit> {
    if text != "-" {
        if text.len() > 18 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Misfit::Syntax);
        }
        let number = text.parse().map_err(|_| Misfit::Syntax)?;
        record.push(Key::Known(key), Value::Int(number));
    }
    Ok(())
}

/// A quoted column, its escapes undone.
#[inline]
fn put_quoted<'a>(record: &mut Record<'a>, key: Known, inside: &'a str, arena: &'a Arena) {
    if memchr::memchr(b'\\', inside.as_bytes()).is_none() {
        put(record, key, inside);
    } else if let Some(decoded) = undo(inside, arena) {
        record.push(Key::Known(key), Value::Text(Text::built(decoded)));
    } else {
        put(record, key, inside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probe_wants_a_bracketed_date_after_three_words() {
        for (text, expect) in [
            ("1.2.3.4 - - [22/Nov/2026:10:00:00 +0000] \"GET", true),
            ("a:80 1.2.3.4 - joe user [22/Nov", true),
            ("hello [1]", false),
            ("", false),
            ("one two three [x", false),
            ("one [x two [1", true),
            ("one [1 two three [1", false),
            (" [1", false),
            ("[1", false),
            (&format!("{} [1", "x ".repeat(15)), true),
            (&format!("{} [1", "x ".repeat(16)), false),
        ] {
            assert_eq!(probe(text.as_bytes()), expect, "{text}");
        }
    }
}
