//! Records as NDJSON under pillion's own names: what `replay` prints, what `console` and `file`
//! destinations get, what a dead letter holds, and, with `@timestamp` for `time`, Elasticsearch's
//! flat schema.
//!
//! A line has `time`, `level` and `message` where the record has them, its fields, `_marks` for what
//! was done to it, the source's constant fields, and `_offset`, `_path` and `_host` for where it came
//! from. A field whose own name is one of these gets a `_` behind it, so that no key comes twice and
//! each can be told back (`read`). A dead letter has a `_stamp` as well, if its destination stores the
//! record under another time than its own, and in `_own` the names of fields that are the application's
//! although pillion has the same.

pub(crate) mod read;

use pillion_parsers::record::{Field, Marks, Text};
use pillion_parsers::redact::{Clean, Redacted};

use super::encode::clock::Clock;
use super::encode::mappable::write_mappable;
use super::encode::names::{self, Names};
use super::encode::sink::Sink;
use super::encode::{Encoded, Place};
use super::escape;
use super::payload::Payload;

/// Names that a line gives meaning to.
const RESERVED: &[&str] =
    &["time", "level", "message", "_marks", "_offset", "_path", "_host", "_stamp", "_own"];

/// Names that Elasticsearch keeps for itself at the top of a document: its metadata fields, of every
/// version from 7 to 9, and the one that every document of a data stream must have.
pub(crate) const METADATA: &[&str] = &[
    "@timestamp",
    "_data_stream_timestamp",
    "_doc_count",
    "_feature",
    "_field_names",
    "_id",
    "_ignored",
    "_ignored_source",
    "_index",
    "_index_mode",
    "_inference_fields",
    "_nested_path",
    "_primary_term",
    "_recovery_source",
    "_routing",
    "_routing_hash",
    "_seq_no",
    "_size",
    "_source",
    "_tier",
    "_ts_routing_hash",
    "_tsid",
    "_type",
    "_version",
];

/// What the time is called, and which names are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// A line for people and files.
    Line,
    /// A document of Elasticsearch's flat schema.
    Flat,
}

impl Style {
    /// Whether a field cannot have this name here: a name with a meaning, or one with `_` behind it
    /// that stands for a field that could not have it.
    fn reserves(self, name: &str) -> bool {
        if !name.starts_with(['t', 'l', 'm', '_', '@']) {
            return false;
        }
        let name = name.trim_end_matches('_');
        RESERVED.contains(&name) || self == Self::Flat && METADATA.contains(&name)
    }

    /// The field's name here.
    fn rename(self, name: &str) -> String {
        let name = if self == Self::Flat { names::sound(name) } else { name.into() };
        if self.reserves(&name) { format!("{name}_") } else { name.into_owned() }
    }
}

/// Writes records as lines.
#[derive(Debug)]
pub struct LineWriter {
    clock: Clock,
    style: Style,
}

impl Default for LineWriter {
    fn default() -> Self {
        Self::with(Style::Line)
    }
}

impl LineWriter {
    pub(crate) fn with(style: Style) -> Self {
        Self { clock: Clock::default(), style }
    }

    /// Appends a record as one line of JSON, without its newline. Without a place, only what the
    /// record itself says: no path, and no time when it carries none.
    pub fn write(
        &mut self,
        out: &mut Vec<u8>,
        record: &Redacted<'_, '_>,
        place: Option<&Place<'_>>,
    ) {
        self.write_to(out, record, place);
    }

    /// As [`LineWriter::write`], with another time than the record's own, in nanoseconds.
    pub(crate) fn write_at(
        &mut self,
        out: &mut Vec<u8>,
        record: &Redacted<'_, '_>,
        place: &Place<'_>,
        nanos: i64,
    ) {
        self.write_timed(out, record, Some(place), Some(nanos));
    }

    pub(crate) fn write_to(
        &mut self,
        out: &mut impl Sink,
        record: &Redacted<'_, '_>,
        place: Option<&Place<'_>>,
    ) {
        let time = record.time().map(|time| time.nanos).or(place.map(|place| place.read_at));
        self.write_timed(out, record, place, time);
    }

    fn write_timed(
        &mut self,
        out: &mut impl Sink,
        record: &Redacted<'_, '_>,
        place: Option<&Place<'_>>,
        time: Option<i64>,
    ) {
        let mut object = Object { unmappable: record.unmappable(), ..Object::new(out) };
        if let Some(nanos) = time {
            object.key(if self.style == Style::Flat { "@timestamp" } else { "time" });
            object.out.buffer().push(b'"');
            self.clock.write(object.out.buffer(), nanos);
            object.out.buffer().push(b'"');
        }
        if let Some(level) = record.level() {
            object.text("level", level.name());
        }
        if let Some(message) = record.message() {
            object.message(message);
        }
        let statics = place.map(|place| place.enrich.fields()).unwrap_or_default();
        object.fields(self.style, record.fields().iter(), statics);
        object.marks(record.marks());
        if let Some(place) = place {
            object.key("_offset");
            escape::push_u64(object.out.buffer(), place.id.offset);
            object.text("_path", place.path);
            object.text("_host", place.host);
        }
        object.end();
    }
}

/// An object being written.
pub(crate) struct Object<'o, S> {
    out: &'o mut S,
    /// What stands before the next key.
    comma: u8,
    /// Whether a nested value may hold what has no mapping.
    unmappable: bool,
}

impl<'o, S: Sink> Object<'o, S> {
    /// Begins an object.
    pub(crate) const fn new(out: &'o mut S) -> Self {
        Self { out, comma: b'{', unmappable: false }
    }

    fn key(&mut self, name: &str) {
        let buffer = self.out.buffer();
        buffer.push(self.comma);
        escape::quote(buffer, name);
        buffer.push(b':');
        self.comma = b',';
    }

    /// Adds a string.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.key(name);
        escape::quote(self.out.buffer(), value);
    }

    /// Adds the message.
    pub(crate) fn message(&mut self, message: Text<'_>) {
        self.key("message");
        self.out.text(message);
    }

    /// Adds the marks that are set.
    pub(crate) fn marks(&mut self, marks: Marks) {
        if marks != Marks::default() {
            self.key("_marks");
            write_marks(self.out.buffer(), marks);
        }
    }

    /// Adds a record's fields and its source's constant ones, under names that nothing else has.
    pub(crate) fn fields<'f, 'a: 'f>(
        &mut self,
        style: Style,
        fields: impl Iterator<Item = &'f Field<'a>> + Clone,
        statics: &[(Clean, Clean)],
    ) {
        let all = fields.clone().map(|field| names::plain_name(&field.key));
        let all = all.chain(statics.iter().map(|(name, _)| Some(&**name)));
        let unreserved = all.map(|name| name.filter(|name| !style.reserves(name)));
        // The rare way: the constant fields choose their names first.
        let mut taken = (!names::certainly_distinct(unreserved)).then(Names::default);
        let static_names: Vec<String> = taken.as_mut().map_or_else(Vec::new, |taken| {
            statics.iter().map(|(name, _)| taken.unique(&style.rename(name))).collect()
        });
        for field in fields {
            match &mut taken {
                None => self.key(field.key.name()),
                Some(taken) => {
                    let name = style.rename(&names::key_text(&field.key));
                    self.key(&taken.unique(&name));
                }
            }
            match style {
                Style::Line => self.out.value(&field.value),
                Style::Flat => write_mappable(self.out, &field.value, self.unmappable),
            }
            self.out.settle();
        }
        for (index, (name, value)) in statics.iter().enumerate() {
            self.text(static_names.get(index).map_or(&**name, String::as_str), value);
        }
    }

    /// Ends it.
    pub(crate) fn end(self) {
        let buffer = self.out.buffer();
        if self.comma == b'{' {
            buffer.push(b'{');
        }
        buffer.push(b'}');
    }
}

/// Names of the marks that are set.
pub(crate) fn mark_names(marks: Marks) -> impl Iterator<Item = &'static str> {
    let all =
        [(marks.unparsed, "unparsed"), (marks.partial, "partial"), (marks.truncated, "truncated")];
    all.into_iter().filter(|(set, _)| *set).map(|(_, name)| name)
}

/// Appends the marks that are set as an array of their names.
pub(crate) fn write_marks(out: &mut Vec<u8>, marks: Marks) {
    let mut comma = b'[';
    for name in mark_names(marks) {
        out.push(comma);
        escape::quote(out, name);
        comma = b',';
    }
    out.push(b']');
}

/// Whether a document is of the flat schema: there alone a number is called `_offset`.
pub(crate) fn is_flat(document: &str) -> bool {
    let is_number = |value: &str| value.starts_with(|first: char| first.is_ascii_digit());
    super::encode::walk::Members::of(document)
        .any(|(key, value)| key == "_offset" && is_number(value))
}

/// Turns a document of the flat schema back into a line.
pub(crate) fn line_of_flat(document: &str) -> String {
    let mut line = RawLine::default();
    for (key, value) in super::encode::walk::Members::of(document) {
        if key == "@timestamp" {
            line.member("time", value);
            continue;
        }
        let name = names::decoded(key);
        // What only Elasticsearch's names had pushed aside goes back.
        let aside = METADATA.contains(&name.trim_end_matches('_')) && name.ends_with('_');
        line.member(if aside { name.strip_suffix('_').unwrap_or(&name) } else { &name }, value);
    }
    line.finish()
}

/// A line put together from members whose values are JSON already.
#[derive(Debug, Default)]
pub(crate) struct RawLine {
    out: Vec<u8>,
    taken: Names,
}

impl RawLine {
    /// Adds a member as it is; a name that is there already gets a `_`.
    pub(crate) fn member(&mut self, name: &str, value: &str) {
        self.out.push(if self.out.is_empty() { b'{' } else { b',' });
        escape::quote(&mut self.out, &self.taken.unique(name));
        self.out.push(b':');
        self.out.extend_from_slice(value.as_bytes());
    }

    /// Adds a field under a record's own name, which may be one that a line gives meaning to.
    pub(crate) fn field(&mut self, name: &str, value: &str) {
        self.member(&Style::Line.rename(name), value);
    }

    /// The line.
    pub(crate) fn finish(mut self) -> String {
        if self.out.is_empty() {
            self.out.push(b'{');
        }
        self.out.push(b'}');
        String::from_utf8(self.out)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

/// The open batch of a `console` or `file` destination: lines, uncompressed.
#[derive(Default)]
pub(crate) struct Lines {
    writer: LineWriter,
    body: Vec<u8>,
    records: u32,
}

impl Lines {
    pub(crate) fn encode(&mut self, record: &Redacted<'_, '_>, place: &Place<'_>) -> Encoded {
        self.writer.write(&mut self.body, record, Some(place));
        self.body.push(b'\n');
        self.records += 1;
        Encoded::Added
    }

    pub(crate) const fn records(&self) -> u32 {
        self.records
    }

    pub(crate) const fn plain_bytes(&self) -> usize {
        self.body.len()
    }

    pub(crate) const fn resident(&self) -> usize {
        self.body.capacity()
    }

    pub(crate) fn finish(&mut self) -> Option<Payload> {
        let records = std::mem::take(&mut self.records);
        let mut body = std::mem::take(&mut self.body);
        body.shrink_to_fit();
        (records > 0).then(|| Payload {
            plain_bytes: body.len(),
            body: body.into(),
            records,
            ids: bytes::Bytes::new(),
        })
    }
}

impl std::fmt::Debug for Lines {
    /// Sizes only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lines({} records, {} bytes)", self.records, self.body.len())
    }
}
