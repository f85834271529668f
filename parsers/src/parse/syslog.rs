//! Syslog as it stands in files: RFC 5424, RFC 3164 with its priority or without, and the form with an
//! RFC 3339 time that rsyslog writes by default.
//!
//! - `<165>1 2026-11-22T10:00:00.003Z shop app 12 ID47 [origin ip="10.0.0.1"] text`
//! - `<34>Nov 22 10:00:00 shop su[12]: text`, `Nov 22 10:00:00 shop su[12]: text`
//! - `2026-11-22T10:00:00.000003+01:00 shop su[12]: text`
//! - `Nov 22 2026 10:00:00 gate : %ASA-6-302013: text`, as Cisco's devices write it

use super::cursor::Cursor;
use super::grammar::{Context, Grammar};
use super::{Misfit, convert, level};
use crate::record::{Key, Known, Record, Text, Value};
use crate::redact::names_secret;

/// Reads RFC 5424.
pub(super) const RFC5424: Grammar = Grammar {
    name: "syslog_rfc5424",
    begins: b"",
    needs: "<>1 ",
    probe: Some(probe_5424),
    read: read_5424,
};
/// Reads RFC 3164, also with an RFC 3339 time.
pub(super) const RFC3164: Grammar = Grammar {
    name: "syslog_rfc3164",
    begins: b"",
    needs: "",
    probe: Some(probe_3164),
    read: read_3164,
};
/// Reads whichever of the two it is.
pub(super) const EITHER: Grammar = Grammar {
    name: "syslog",
    begins: b"",
    needs: "",
    probe: Some(probe_either),
    read: read_either,
};

/// RFC 3164 allows 32 bytes; systemd units and containers have longer tags.
const MAX_TAG: usize = 128;

fn probe_5424(bytes: &[u8]) -> bool {
    match bytes {
        [b'<', rest @ ..] => {
            let digits = rest.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
            digits > 0 && rest.get(digits..).is_some_and(|rest| rest.starts_with(b">1 "))
        }
        _ => false,
    }
}

fn probe_3164(bytes: &[u8]) -> bool {
    match bytes {
        [b'<', b'0'..=b'9', ..] => !probe_5424(bytes),
        [b'0'..=b'9', _, _, _, b'-', _, _, b'-', _, _, b'T', ..] => true,
        [b'A'..=b'Z', _, _, b' ', _, b'0'..=b'9', b' ', rest @ ..] => {
            matches!(rest, [_, _, b':', ..] | [b'1' | b'2', _, _, _, b' ', _, _, b':', ..])
        }
        _ => false,
    }
}

fn probe_either(bytes: &[u8]) -> bool {
    probe_3164(bytes) || probe_5424(bytes)
}

/// Whether a text begins as syslog does, of either form: what no peer's name looks like.
pub(super) fn begins(text: &str) -> bool {
    probe_either(text.as_bytes())
}

fn read_either<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    let read = if probe_5424(text.as_bytes()) { read_5424 } else { read_3164 };
    read(text, cx, record)
}

/// `<PRI>`: facility and severity.
fn priority(cursor: &mut Cursor<'_>, record: &mut Record<'_>) -> Result<(), Misfit> {
    cursor.expect("<")?;
    let number: u8 = cursor.digits(3)?.parse().map_err(|_| Misfit::Syntax)?;
    cursor.expect(">")?;
    if number > 191 {
        return Err(Misfit::Syntax);
    }
    record.level = Some(level::from_severity(number % 8));
    record.push(Key::Known(Known::Facility), Value::Int((number / 8).into()));
    record.push(Key::Known(Known::Severity), Value::Int((number % 8).into()));
    Ok(())
}

fn put<'a>(record: &mut Record<'a>, key: Known, text: &'a str) {
    record.push(Key::Known(key), Value::Text(Text::raw(text)));
}

/// A process number as one, if it is one.
fn put_pid<'a>(record: &mut Record<'a>, text: &'a str) {
    match convert::digits(text).filter(|number| *number <= u32::MAX.into()) {
        Some(number) => record.push(Key::Known(Known::Pid), Value::Int(number)),
        None => put(record, Known::Pid, text),
    }
}

fn read_5424<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    let mut cursor = Cursor::new(text);
    priority(&mut cursor, record)?;
    cursor.expect("1 ")?;
    let time = cursor.word()?;
    if time != "-" {
        let (time, used) = cx
            .clock
            .iso(time.as_bytes())
            .filter(|(_, used)| *used == time.len())
            .ok_or(Misfit::Syntax)?;
        debug_assert!(used > 0);
        record.time = Some(time);
    }
    // Lengths by RFC 5424, section 6.
    for (key, max) in
        [(Known::Host, 255), (Known::Program, 48), (Known::Pid, 128), (Known::MessageId, 32)]
    {
        let word = cursor.word()?;
        if word.len() > max || !word.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Misfit::Syntax);
        }
        match (word, key) {
            ("-", _) => {}
            (_, Known::Pid) => put_pid(record, word),
            _ => put(record, key, word),
        }
    }
    if !cursor.eat("-") {
        let data = cursor.take(structured_data(cursor.bytes())?)?;
        put(record, Known::StructuredData, data);
    }
    if !cursor.is_done() {
        cursor.expect(" ")?;
        cursor.eat("\u{feff}");
        record.message = Some(Text::raw(cursor.rest()));
    }
    Ok(())
}

/// The length of the structured data elements that `bytes` begin with, checked.
fn structured_data(bytes: &[u8]) -> Result<usize, Misfit> {
    let mut at = 0;
    loop {
        if bytes.get(at) != Some(&b'[') {
            return if at == 0 { Err(Misfit::Syntax) } else { Ok(at) };
        }
        at = name(bytes, at + 1)?;
        loop {
            match bytes.get(at) {
                Some(b']') => break,
                Some(b' ') => at = parameter(bytes, at + 1)?,
                _ => return Err(Misfit::Syntax),
            }
        }
        at += 1;
    }
}

/// The end of an SD-NAME: 1 to 32 printable bytes without `=`, `]` and `"`.
fn name(bytes: &[u8], start: usize) -> Result<usize, Misfit> {
    let rest = bytes.get(start..).unwrap_or_default();
    let len = rest
        .iter()
        .take(33)
        .take_while(|byte| byte.is_ascii_graphic() && !matches!(byte, b'=' | b']' | b'"'))
        .count();
    if (1..=32).contains(&len) { Ok(start + len) } else { Err(Misfit::Syntax) }
}

/// The end of `name="value"`, where `"`, `\` and `]` are escaped.
fn parameter(bytes: &[u8], start: usize) -> Result<usize, Misfit> {
    let mut at = name(bytes, start)?;
    if bytes.get(at..at + 2) != Some(b"=\"") {
        return Err(Misfit::Syntax);
    }
    at += 2;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        at += memchr::memchr3(b'"', b'\\', b']', rest).ok_or(Misfit::Syntax)?;
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at += 2,
            _ => return Err(Misfit::Syntax),
        }
    }
}

fn read_3164<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    let mut cursor = Cursor::new(text);
    if text.starts_with('<') {
        priority(&mut cursor, record)?;
    }
    let bytes = cursor.bytes();
    let iso = bytes.first().is_some_and(u8::is_ascii_digit) && bytes.get(10) == Some(&b'T');
    let read = if iso { cx.clock.iso(bytes) } else { cx.clock.yearless(bytes) };
    let (time, used) = read.ok_or(Misfit::Syntax)?;
    record.time = Some(time);
    cursor.take(used)?;
    // Cisco's devices say no host, where they are not told to.
    let hostless = cursor.eat(":");
    cursor.expect(" ")?;
    let prioritised = record.level.is_some();
    // What is sent to the daemon on the same host does not say which.
    let told = |cursor: &mut Cursor<'a>, record: &mut Record<'a>| {
        mnemonic(cursor, record) || tag(cursor, record)
    };
    let mut tagged = prioritised && told(&mut cursor, record);
    if !hostless && !tagged {
        let host = cursor.word()?;
        if host.len() > 255 || host.ends_with(':') || !host.bytes().all(is_of_host) {
            return Err(Misfit::Syntax);
        }
        // Many programs begin their lines with such a time, and go on with a level.
        if cx.guessing && iso && record.level.is_none() && !names_host(host) {
            return Err(Misfit::Syntax);
        }
        put(record, Known::Host, host);
        cursor.eat(": ");
    }
    tagged = tagged || told(&mut cursor, record);
    // What has no tag may be anybody's text, but not behind a priority.
    let certain = tagged || !iso && (prioritised && !hostless || is_daemons_own(cursor.rest()));
    if cx.guessing && !certain || hostless && !tagged {
        return Err(Misfit::Syntax);
    }
    record.message = Some(Text::raw(cursor.rest()));
    Ok(())
}

/// What a host may be written with: names, addresses, and those of relays as syslog-ng chains them.
fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._:%@/[]+~".contains(&byte)
}

/// What syslog's daemon says in its own name, without a tag.
fn is_daemons_own(text: &str) -> bool {
    text == "-- MARK --" || text.starts_with("last message repeated ")
}

/// `%ASA-6-302013:`, as Cisco's devices begin their texts: facility, severity and name of the message.
fn mnemonic<'a>(cursor: &mut Cursor<'a>, record: &mut Record<'a>) -> bool {
    let mut after = *cursor;
    if !after.eat("%") {
        return false;
    }
    let Ok(word) = after.word() else { return false };
    let Some(name) = word.strip_suffix(':').filter(|name| name.len() <= MAX_TAG) else {
        return false;
    };
    let parts = name.rsplit_once('-').and_then(|(head, _)| head.rsplit_once('-'));
    let severity = parts.and_then(|(_, severity)| match severity.as_bytes() {
        [digit @ b'0'..=b'7'] => Some(digit - b'0'),
        _ => None,
    });
    let Some(severity) = severity else { return false };
    record.level = record.level.or(Some(level::from_severity(severity)));
    put(record, Known::MessageId, name);
    *cursor = after;
    true
}

/// Whether a word can be a host's name or address, and is no level.
fn names_host(word: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:%".contains(&byte);
    word.bytes().all(is_name) && level::from_name(word).is_none()
}

/// `program:`, `program[pid]:`, followed by a blank or the end. Passes over nothing if there is none.
/// `CEF:` is none, but how such a text begins.
fn tag<'a>(cursor: &mut Cursor<'a>, record: &mut Record<'a>) -> bool {
    let head = cursor.bytes().get(..MAX_TAG).unwrap_or(cursor.bytes());
    let Some(end) = memchr::memchr3(b':', b'[', b' ', head) else { return false };
    let mut after = *cursor;
    let Ok(program) = after.take(end) else { return false };
    let mut pid = None;
    if after.eat("[") {
        match after.until(b']') {
            Ok(inside) if inside.len() <= MAX_TAG && !inside.contains(' ') => pid = Some(inside),
            _ => return false,
        }
    }
    let secret = pid.is_none() && names_secret(program, after.rest());
    if secret
        || matches!(program, "" | "CEF")
        || !after.eat(":")
        || !(after.is_done() || after.eat(" "))
    {
        return false;
    }
    put(record, Known::Program, program);
    if let Some(pid) = pid.filter(|pid| !pid.is_empty()) {
        put_pid(record, pid);
    }
    *cursor = after;
    true
}
