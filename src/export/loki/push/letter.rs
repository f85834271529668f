//! Turns an entry of our own making back into a line of pillion's own names, as far as Loki's form
//! has kept them: what a dead letter holds.

use super::entry::{CLOCK_AHEAD, FLAGS, HOST_NAME, OFFSET, ORIGINAL_TIME, PATH_NAME};
use super::labels::LabelFields;
use super::text::{HOST, PATH};
use crate::config::settings::LokiFormat;
use crate::export::encode::clock::Clock;
use crate::export::encode::names::decoded;
use crate::export::encode::walk::{Elements, Members, unquoted};
use crate::export::escape;
use crate::export::id::take_varint;
use crate::export::lines::RawLine;
use crate::export::rewrite::take_field;

/// An entry, read.
#[derive(Debug, Default)]
struct Entry {
    nanos: i64,
    line: String,
    pairs: Vec<(String, String)>,
}

/// The line of an entry and its stream's labels, of which `says` tells what field each holds.
pub(crate) fn line(format: LokiFormat, says: &LabelFields, labels: &[u8], entry: &[u8]) -> String {
    let labels = String::from_utf8_lossy(labels);
    let (labels, entry) = match format {
        LokiFormat::Protobuf => (go_labels(&labels), protobuf_entry(entry)),
        LokiFormat::Json => (pairs(&labels), json_entry(&String::from_utf8_lossy(entry))),
    };
    let mut entry = entry.unwrap_or_default();
    let mut line = RawLine::default();
    let original = entry.take(ORIGINAL_TIME);
    let stamp = original.is_some().then(|| time(entry.nanos));
    line.member("time", &original.map_or_else(|| time(entry.nanos), |text| quoted(&text)));
    if let Some(level) = entry.take("level") {
        line.member("level", &quoted(&level));
    }
    line.member("message", &quoted(&entry.line));
    let flags = entry.take(FLAGS).unwrap_or_default();
    // A constant field of that name stands behind the offset.
    let host =
        if entry.place(HOST_NAME) < entry.place(OFFSET) { entry.take(HOST_NAME) } else { None };
    let offset = entry.take(OFFSET);
    let mut path = entry.take(PATH_NAME);
    let mut host = host;
    for (name, value) in says.of(labels) {
        match name {
            PATH => path = path.or(Some(value)),
            HOST => host = host.or(Some(value)),
            "level" => line.member("level", &quoted(&value)),
            _ => line.field(name, &quoted(&value)),
        }
    }
    for (name, value) in &entry.pairs {
        line.field(says.own_name(name), &quoted(value));
    }
    let marks: Vec<String> = flags
        .split(',')
        .filter(|flag| !flag.is_empty() && *flag != CLOCK_AHEAD)
        .map(quoted)
        .collect();
    if !marks.is_empty() {
        line.member("_marks", &format!("[{}]", marks.join(",")));
    }
    if let Some(offset) = offset {
        line.member("_offset", &offset);
    }
    for (name, value) in [("_path", path), ("_host", host)] {
        if let Some(value) = value {
            line.member(name, &quoted(&value));
        }
    }
    if let Some(stamp) = stamp {
        line.member("_stamp", &stamp);
    }
    line.finish()
}

impl Entry {
    /// Where a pair stands.
    fn place(&self, name: &str) -> Option<usize> {
        self.pairs.iter().position(|(pair, _)| pair == name)
    }

    /// Takes a pair out.
    fn take(&mut self, name: &str) -> Option<String> {
        let index = self.place(name)?;
        Some(self.pairs.remove(index).1)
    }
}

fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    escape::quote(&mut out, text);
    String::from_utf8(out).unwrap_or_default()
}

fn time(nanos: i64) -> String {
    let mut out = vec![b'"'];
    Clock::default().write(&mut out, nanos);
    out.push(b'"');
    String::from_utf8(out).unwrap_or_default()
}

/// The members of a JSON object of strings.
fn pairs(json: &str) -> Vec<(String, String)> {
    let members = Members::of(json);
    members
        .map(|(name, value)| (decoded(name), decoded(unquoted(value).unwrap_or(value))))
        .collect()
}

/// The labels of `{app="shop", env="y"}`: with the signs changed, that is an object, since names are
/// plain and values escaped as in JSON.
fn go_labels(labels: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = labels.strip_prefix('{').unwrap_or(labels);
    while let Some((name, value)) = rest.split_once("=\"") {
        let bytes = value.as_bytes();
        let mut end = 0;
        while let Some(byte) = bytes.get(end).filter(|byte| **byte != b'"') {
            end += if *byte == b'\\' { 2 } else { 1 };
        }
        found.push((name.to_owned(), decoded(value.get(..end).unwrap_or_default())));
        rest = value.get(end..).unwrap_or_default().trim_start_matches(['"', ',', ' ']);
    }
    found
}

fn json_entry(json: &str) -> Option<Entry> {
    let mut elements = Elements::of(json);
    let nanos = unquoted(elements.next()?)?.parse().ok()?;
    let line = decoded(unquoted(elements.next()?)?);
    Some(Entry { nanos, line, pairs: elements.next().map(pairs).unwrap_or_default() })
}

fn protobuf_entry(mut field: &[u8]) -> Option<Entry> {
    let (_, mut rest) = take_field(&mut field)?;
    let mut entry = Entry::default();
    while !rest.is_empty() {
        let (tag, content) = take_field(&mut rest)?;
        match tag {
            0x0a => entry.nanos = timestamp(content)?,
            0x12 => entry.line = String::from_utf8_lossy(content).into_owned(),
            _ => {
                let mut pair = content;
                let (_, name) = take_field(&mut pair)?;
                let (_, value) = take_field(&mut pair)?;
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                entry.pairs.push((text(name), text(value)));
            }
        }
    }
    Some(entry)
}

/// Nanoseconds of a `Timestamp`, both of whose fields we always write.
fn timestamp(mut content: &[u8]) -> Option<i64> {
    let (_, rest) = content.split_first()?;
    content = rest;
    let seconds = take_varint(&mut content)?.cast_signed();
    let (_, rest) = content.split_first()?;
    content = rest;
    let nanos = take_varint(&mut content)?.cast_signed();
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}
