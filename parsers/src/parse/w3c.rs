//! The W3C's extended log format: `IIS` and `CloudFront` write it, and some proxies.
//!
//! ```text
//! #Fields: date time s-ip cs-method cs-uri-stem cs-uri-query c-ip cs(User-Agent) sc-status
//! 2026-11-22 10:00:00 10.0.0.1 GET /shop a=b 203.0.113.7 Mozilla/5.0+(X11) 200
//! ```
//!
//! From a `#Fields:` line on, columns are what it says; there may be several in a File. Directives
//! are records whose message they are. A value `-` is none. In a line of blanks between values, a
//! user agent's own blanks are `+` (IIS), in one of tabs it is %-encoded (CloudFront).
//!
//! <https://www.w3.org/TR/WD-logfile.html>

use super::columns::{self, Gives, Names};
use super::cursor::find;
use super::grammar::{Context, Grammar};
use super::{Misfit, convert};
use crate::Arena;
use crate::definition::FieldType;
use crate::record::{Field, Key, Known, Record, Text, Value};

/// Reads directives, and the lines below one that says what the columns are.
pub(super) const GRAMMAR: Grammar = Grammar { name: "w3c", needs: "", probe: Some(probe), read };

/// What the directive begins with that says what the columns are.
pub(super) const FIELDS: &str = "#Fields:";

/// What directives begin with.
pub(super) const DIRECTIVES: [&str; 7] =
    [FIELDS, "#Version:", "#Software:", "#Date:", "#Start-Date:", "#End-Date:", "#Remark:"];

/// A directive, or a day and a time to the second.
fn probe(bytes: &[u8]) -> bool {
    match bytes {
        [b'#', b'A'..=b'Z', ..] => true,
        [b'0'..=b'9', _, _, _, b'-', _, _, b'-', _, _, one, rest @ ..] => {
            matches!(one, b' ' | b'\t')
                && matches!(rest, [_, _, b':', _, _, b':', _, _, b' ' | b'\t', ..])
        }
        _ => false,
    }
}

fn read<'a>(
    text: &'a str,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) -> Result<(), Misfit> {
    if text.starts_with('#') {
        if let Some(fields) = text.strip_prefix(FIELDS) {
            let names = Names::new(fields.split_ascii_whitespace(), gives)?;
            if names.len() == 0 {
                return Err(Misfit::Syntax);
            }
            cx.columns.set(names);
        } else if cx.guessing && !DIRECTIVES.iter().any(|known| text.starts_with(known)) {
            return Err(Misfit::Syntax);
        }
        record.message = Some(Text::raw(text));
        return Ok(());
    }
    let keys = cx.columns.names().ok_or(Misfit::Columns)?.keys(cx.arena);
    let separator = if memchr::memchr(b'\t', text.as_bytes()).is_some() { b'\t' } else { b' ' };
    let mut values = Values { rest: Some(text), separator };
    let mut request = Request::default();
    let (mut date, mut time) = (None, None);
    for (name, gives) in keys {
        let (value, quoted) = values.next().ok_or(Misfit::Columns)?;
        if matches!(value, "-" | "") && !quoted {
            continue;
        }
        match gives {
            Gives::Date => date = Some((name, value)),
            Gives::TimeOfDay => time = Some((name, value)),
            Gives::Stem => request.stem = Some(value),
            Gives::Query => request.query = Some((name, value)),
            Gives::UserAgent => {
                let text = user_agent(value, separator, quoted, cx.arena);
                record.push(Key::Known(Known::UserAgent), Value::Text(text));
            }
            Gives::KnownNumber(known) => {
                let number = value.parse().map_err(|_| Misfit::FieldType)?;
                record.push(Key::Known(known), Value::Int(number));
            }
            Gives::Duration => {
                // Seconds with decimals are the draft's and CloudFront's, whole milliseconds IIS's.
                let unit =
                    if value.contains('.') { FieldType::Seconds } else { FieldType::Milliseconds };
                if let Some(value) = convert::text(value, unit)? {
                    record.push(Key::Known(Known::Duration), value);
                }
            }
            Gives::Number => record.push(columns::key(name), convert::number(value)),
            Gives::Known(known) => record.push(Key::Known(known), Value::Text(Text::raw(value))),
            _ => record.push(columns::key(name), Value::Text(Text::raw(value))),
        }
    }
    if values.rest.is_some() {
        return Err(Misfit::Columns);
    }
    request.put(record, cx.arena);
    put_time(date, time, cx, record);
    Ok(())
}

/// The day and the time of day as the record's time; what cannot be read as one stays two fields.
fn put_time<'a>(
    date: Option<(&'a str, &'a str)>,
    time: Option<(&'a str, &'a str)>,
    cx: &mut Context<'_, 'a>,
    record: &mut Record<'a>,
) {
    if let (Some((_, day)), Some((_, time))) = (date, time) {
        let mut both = [b' '; 40];
        let len = day.len() + 1 + time.len();
        let (head, tail) = both.split_at_mut(day.len().min(20));
        if let (Some(tail), true) = (tail.get_mut(1..=time.len()), head.len() == day.len()) {
            head.copy_from_slice(day.as_bytes());
            tail.copy_from_slice(time.as_bytes());
            let read = cx.clock.iso(both.get(..len).unwrap_or_default());
            record.time = read.filter(|(_, used)| *used == len).map(|(time, _)| time);
        }
        if record.time.is_some() {
            return;
        }
        *cx.bad_times += 1;
    }
    for (name, value) in date.into_iter().chain(time) {
        let field = Field { key: columns::key(name), value: Value::Text(Text::raw(value)) };
        record.fields.push(field);
    }
}

/// What the client asked for, in two columns.
#[derive(Default)]
struct Request<'a> {
    stem: Option<&'a str>,
    query: Option<(&'a str, &'a str)>,
}

impl<'a> Request<'a> {
    fn put(self, record: &mut Record<'a>, arena: &'a Arena) {
        match (self.stem, self.query) {
            (None, None) => {}
            (Some(stem), None) => {
                record.push(Key::Known(Known::Target), Value::Text(Text::raw(stem)));
            }
            (None, Some((name, query))) => {
                record.push(columns::key(name), Value::Text(Text::raw(query)));
            }
            (Some(stem), Some((_, query))) => {
                let joined = bumpalo::format!(in arena, "{}?{}", stem, query);
                let text = Text::built(joined.into_bump_str());
                record.push(Key::Known(Known::Target), Value::Text(text));
            }
        }
    }
}

/// What becomes of a column, by the names that IIS, CloudFront and the draft itself use.
fn gives(name: &str) -> Gives {
    match name {
        "date" => Gives::Date,
        "time" => Gives::TimeOfDay,
        "c-ip" => Gives::Known(Known::ClientIp),
        "cs-username" => Gives::Known(Known::User),
        "cs-method" => Gives::Known(Known::Method),
        "cs-uri-stem" => Gives::Stem,
        "cs-uri-query" => Gives::Query,
        "cs-uri" => Gives::Known(Known::Target),
        "cs-version" | "cs-protocol-version" => Gives::Known(Known::Protocol),
        "sc-status" => Gives::KnownNumber(Known::Status),
        "sc-bytes" => Gives::KnownNumber(Known::Bytes),
        "cs(Referer)" => Gives::Known(Known::Referrer),
        "cs(User-Agent)" => Gives::UserAgent,
        "cs-host" | "cs(Host)" => Gives::Known(Known::VirtualHost),
        "s-computername" => Gives::Known(Known::Host),
        "s-ip" => Gives::Known(Known::ServerIp),
        "s-port" => Gives::KnownNumber(Known::ServerPort),
        "c-port" => Gives::KnownNumber(Known::ClientPort),
        "ssl-protocol" => Gives::Known(Known::TlsProtocol),
        "ssl-cipher" => Gives::Known(Known::TlsCipher),
        "time-taken" => Gives::Duration,
        "time-to-first-byte" | "cs-bytes" | "sc-substatus" | "sc-win32-status"
        | "sc-content-len" | "sc-range-start" | "sc-range-end" | "bytes" | "cached" => {
            Gives::Number
        }
        _ => Gives::Field,
    }
}

/// Walks over the values of a line.
struct Values<'a> {
    /// `None` at the end: after a last tab there is an empty value.
    rest: Option<&'a str>,
    separator: u8,
}

impl<'a> Iterator for Values<'a> {
    /// The value, without its quotes, and whether it had any.
    type Item = (&'a str, bool);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest?;
        if rest.starts_with('"')
            && let Some((inside, after)) = self.quoted(rest)
        {
            self.go_on(after);
            return Some((inside, true));
        }
        let Some(at) = find(self.separator, rest.as_bytes()) else {
            self.rest = None;
            return Some((rest, false));
        };
        self.go_on(rest.get(at..).unwrap_or_default());
        Some((rest.get(..at).unwrap_or_default(), false))
    }
}

impl<'a> Values<'a> {
    /// The inside of the quotes that `rest` begins with, and what comes after them: the separator or
    /// nothing. A quote that is not closed so is text.
    fn quoted(&self, rest: &'a str) -> Option<(&'a str, &'a str)> {
        let end = memchr::memchr(b'"', rest.as_bytes().get(1..)?)? + 1;
        let after = rest.get(end + 1..)?;
        let ends = after.as_bytes().first().is_none_or(|byte| *byte == self.separator);
        Some((rest.get(1..end)?, after)).filter(|_| ends)
    }

    /// Passes over the separator that `after` begins with; of blanks, over all.
    fn go_on(&mut self, after: &'a str) {
        let next = match self.separator {
            b' ' => after.trim_start_matches(' '),
            _ => after.get(1..).unwrap_or_default(),
        };
        let ends = after.is_empty() || self.separator == b' ' && next.is_empty();
        self.rest = (!ends).then_some(next);
    }
}

/// What a client calls itself, its blanks given back.
fn user_agent<'a>(value: &'a str, separator: u8, quoted: bool, arena: &'a Arena) -> Text<'a> {
    if quoted {
        return Text::raw(value);
    }
    let decoded = match separator {
        b' ' => spaced(value, arena),
        // Of old, CloudFront encoded twice.
        _ => percent(value, arena).map(|once| percent(once, arena).unwrap_or(once)),
    };
    decoded.map_or(Text::raw(value), Text::built)
}

/// With blanks for `+`.
fn spaced<'a>(value: &str, arena: &'a Arena) -> Option<&'a str> {
    memchr::memchr(b'+', value.as_bytes())?;
    let mut out = bumpalo::collections::String::with_capacity_in(value.len(), arena);
    let mut parts = value.split('+');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push(' ');
        out.push_str(part);
    }
    Some(out.into_bump_str())
}

/// With what `%XX` stands for, if there are any and they give text.
fn percent<'a>(value: &str, arena: &'a Arena) -> Option<&'a str> {
    let bytes = value.as_bytes();
    let mut at = memchr::memchr(b'%', bytes)?;
    let mut out = bumpalo::collections::Vec::with_capacity_in(value.len(), arena);
    out.extend_from_slice(bytes.get(..at)?);
    while let Some(byte) = bytes.get(at) {
        let digit = |place: usize| char::from(*bytes.get(place)?).to_digit(16);
        let decoded = (*byte == b'%')
            .then(|| u8::try_from((digit(at + 1)? << 4) | digit(at + 2)?).ok())
            .flatten();
        out.push(decoded.unwrap_or(*byte));
        at += if decoded.is_some() { 3 } else { 1 };
    }
    std::str::from_utf8(out.into_bump_slice()).ok()
}

#[cfg(test)]
mod tests;
