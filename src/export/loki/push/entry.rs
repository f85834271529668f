//! One record as an entry: its timestamp, its line, and its structured metadata.
//!
//! The line is the message. A record without one (an access log) has its fields as a JSON object for
//! a line; so has, beside its message, one whose fields do not fit structured metadata, or may not
//! go there. What a label holds whole is not said again.

use pillion_parsers::record::{ClockUnit, Field, Level, Text, Time, Value};
use pillion_parsers::redact::{Clean, Redacted};

use super::body::push_entry;
use super::labels::{Labels, MAX_VALUE};
use super::metadata::Pairs;
use super::text::{HOST, PATH, cut_bytes, push_text, value_text};
use crate::config::settings::LokiFormat;
use crate::export::encode::Place;
use crate::export::encode::clock::Clock;
use crate::export::encode::names::key_text;
use crate::export::escape::push_u64;
use crate::export::lines::{Object, Style, mark_names};

/// Names of the pairs that pillion adds. Loki would make underscores of ECS's dots.
pub(super) const HOST_NAME: &str = "host_name";
pub(super) const PATH_NAME: &str = "log_file_path";
pub(super) const OFFSET: &str = "log_offset";
pub(super) const FLAGS: &str = "log_flags";
pub(super) const ORIGINAL_TIME: &str = "original_time";
/// The flag of a record whose time lay too far ahead to be kept.
pub(super) const CLOCK_AHEAD: &str = "clock_ahead";

/// Bytes of a line that Loki takes by default (`max_line_size`, 256 KB of 1,024 bytes).
const MAX_LINE: usize = 256 * 1024;
/// How old an entry may be by default (`reject_old_samples_max_age`, 7 days), in nanoseconds.
const MAX_AGE: i64 = 7 * 86_400 * 1_000_000_000;
/// How far ahead an entry may be by default (`creation_grace_period`, 10 minutes), in nanoseconds.
const MAX_AHEAD: i64 = 600 * 1_000_000_000;

/// The time that an entry is stored under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    nanos: i64,
    /// The time the record said, when that lies too far ahead to be kept.
    instead_of: Option<i64>,
}

impl Stamp {
    #[cfg(test)]
    pub(super) const fn exactly(nanos: i64) -> Self {
        Self { nanos, instead_of: None }
    }

    /// The record's time, or when it was read; the error is the same time of a record that is too old
    /// for Loki. Nanoseconds that
    /// the clock leaves free say where in the File the record stands: two equal lines within one step
    /// of the clock stay two, in order, and have the same timestamps when they are sent again.
    pub(super) fn of(time: Option<Time>, place: &Place<'_>) -> Result<Self, i64> {
        // All lines of a chunk are read at once; a million bytes of them fit a millisecond.
        let read = Time { nanos: place.read_at, unit: ClockUnit::Millisecond };
        let said = time.unwrap_or(read);
        let ahead = said.nanos > place.read_at.saturating_add(MAX_AHEAD);
        let from = if ahead { read } else { said };
        let unit = from.unit.nanos();
        let position = place.id.offset.wrapping_add(u64::from(place.id.sub));
        let free = i64::try_from(position % unit.unsigned_abs()).unwrap_or(0);
        let nanos = (from.nanos - from.nanos.rem_euclid(unit)).saturating_add(free);
        if said.nanos < place.read_at.saturating_sub(MAX_AGE) {
            return Err(nanos);
        }
        Ok(Self { nanos, instead_of: ahead.then_some(said.nanos) })
    }
}

/// Writes entries, with the buffers that takes.
#[derive(Debug)]
pub(super) struct Entries {
    format: LokiFormat,
    structured_metadata: bool,
    pairs: Pairs,
    line: String,
    object: Vec<u8>,
    text: String,
    clock: Clock,
    /// A time or an offset as text.
    digits: Vec<u8>,
    /// Indexes of fields that go into the line.
    rest: Vec<usize>,
    /// Constant fields that go into the line.
    rest_statics: Vec<(Clean, Clean)>,
}

impl Entries {
    pub(super) fn new(format: LokiFormat, structured_metadata: bool, labels: &Labels) -> Self {
        Self {
            format,
            structured_metadata,
            pairs: Pairs::new(format, labels.names()),
            line: String::new(),
            object: Vec::new(),
            text: String::new(),
            clock: Clock::default(),
            digits: Vec::new(),
            rest: Vec::new(),
            rest_statics: Vec::new(),
        }
    }

    /// Bytes of memory taken.
    pub(super) fn resident(&self) -> usize {
        let buffers = self.line.capacity() + self.object.capacity() + self.text.capacity();
        buffers + self.pairs.resident() + self.rest.capacity() * size_of::<usize>()
    }

    /// Appends a record to a stream's entries; true when its line had to be cut.
    pub(super) fn push(
        &mut self,
        entries: &mut Vec<u8>,
        record: &Redacted<'_, '_>,
        place: &Place<'_>,
        stamp: Stamp,
        labels: &Labels,
    ) -> bool {
        self.pairs.clear();
        self.rest.clear();
        self.rest_statics.clear();
        if self.structured_metadata {
            self.add_origin(record, place, labels);
        }
        self.add_fields(record, place, labels);
        let whole = match self.bare_message(record, labels) {
            Some(message) if message.is_escaped() => {
                self.line.clear();
                push_text(&mut self.line, message);
                self.line.as_bytes()
            }
            Some(message) => message.as_stored().as_bytes(),
            None => {
                self.write_object(record, labels);
                &self.object
            }
        };
        let line = cut_bytes(whole, MAX_LINE);
        let was_cut = line.len() < whole.len();
        if self.structured_metadata {
            add_flags(&mut self.pairs, &mut self.text, record, stamp, was_cut);
            if let Some(nanos) = stamp.instead_of {
                self.digits.clear();
                self.clock.write(&mut self.digits, nanos);
                self.pairs
                    .add_last(ORIGINAL_TIME, str::from_utf8(&self.digits).unwrap_or_default());
            }
        }
        push_entry(entries, self.format, stamp.nanos, line, &self.pairs.encoded);
        was_cut
    }

    /// Adds the level, and where the record came from.
    fn add_origin(&mut self, record: &Redacted<'_, '_>, place: &Place<'_>, labels: &Labels) {
        if let Some(level) = record.level().filter(|_| !labels.hold("level")) {
            self.pairs.add("level", level.name());
        }
        if !labels.hold(HOST) && place.enrich.get("host.name").is_none() {
            self.pairs.add(HOST_NAME, place.host);
        }
        if !labels.hold(PATH) {
            self.pairs.add(PATH_NAME, place.path);
        }
        self.digits.clear();
        push_u64(&mut self.digits, place.id.offset);
        self.pairs.add(OFFSET, str::from_utf8(&self.digits).unwrap_or_default());
    }

    /// Adds constant and own fields to the pairs, or, where they may not go or do not fit, to the
    /// rest.
    fn add_fields(&mut self, record: &Redacted<'_, '_>, place: &Place<'_>, labels: &Labels) {
        for (name, value) in place.enrich.fields() {
            let said = labels.hold(name) || self.structured_metadata && self.pairs.add(name, value);
            if !said {
                self.rest_statics.push((name.clone(), value.clone()));
            }
        }
        let beside = self.structured_metadata && record.message().is_some();
        for (index, field) in record.fields().iter().enumerate() {
            if labels.hold(field.key.name()) && is_label(field, record, place) {
                continue;
            }
            if beside {
                let text = value_text(&mut self.text, &field.value);
                if self.pairs.add(&key_text(&field.key), text) {
                    continue;
                }
            }
            self.rest.push(index);
        }
    }

    /// The level, when it has nowhere to go but the line.
    fn level_for_line(&self, record: &Redacted<'_, '_>, labels: &Labels) -> Option<Level> {
        record.level().filter(|_| !self.structured_metadata && !labels.hold("level"))
    }

    /// The message, when there is nothing else for the line to hold.
    fn bare_message<'a>(&self, record: &Redacted<'_, 'a>, labels: &Labels) -> Option<Text<'a>> {
        let nothing_else = self.rest.is_empty()
            && self.rest_statics.is_empty()
            && self.level_for_line(record, labels).is_none();
        record.message().filter(|_| nothing_else)
    }

    /// Writes the line as an object.
    fn write_object(&mut self, record: &Redacted<'_, '_>, labels: &Labels) {
        let level = self.level_for_line(record, labels);
        self.object.clear();
        let mut object = Object::new(&mut self.object);
        if let Some(level) = level {
            object.text("level", level.name());
        }
        if let Some(message) = record.message() {
            object.message(message);
        }
        let fields: &[Field<'_>] = record.fields();
        let rest = self.rest.iter().filter_map(|index| fields.get(*index));
        object.fields(Style::Line, rest, &self.rest_statics);
        if !self.structured_metadata {
            object.marks(record.marks());
        }
        object.end();
    }
}

/// Whether a label that holds a field of this name holds this one: not something else that goes
/// before it, and not only its beginning.
fn is_label(field: &Field<'_>, record: &Redacted<'_, '_>, place: &Place<'_>) -> bool {
    let name = field.key.name();
    let other = match name {
        "level" => record.level().is_some(),
        PATH | HOST => true,
        _ => place.enrich.get(name).is_some(),
    };
    let length = match &field.value {
        Value::Text(text) => text.as_stored().len(),
        Value::Json(text) | Value::CleanJson(text) => text.len(),
        _ => 0,
    };
    !other && length <= MAX_VALUE
}

/// Adds what a reader of the line should know.
fn add_flags(
    pairs: &mut Pairs,
    text: &mut String,
    record: &Redacted<'_, '_>,
    stamp: Stamp,
    was_cut: bool,
) {
    text.clear();
    let marks = record.marks();
    let cut_here = (was_cut && !marks.truncated).then_some("truncated");
    let ahead = stamp.instead_of.map(|_| CLOCK_AHEAD);
    for name in mark_names(marks).chain(cut_here).chain(ahead) {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(name);
    }
    pairs.add_last(FLAGS, text);
}
