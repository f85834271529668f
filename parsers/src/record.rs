//! The structured form of one log record: a time, a level, a message and fields, all borrowed.
//!
//! A [`Record`] is filled by a parser, changed by steps, and consumed by the redactor. It has no
//! encoder on purpose: only [`Redacted`](crate::redact::Redacted) can leave the process.

mod escaped;
mod known;
mod mappable;
mod value;

pub(crate) use escaped::{closing_quote, unescape};
pub use known::Known;
pub use mappable::{is_field_name, is_long, is_mappable};
pub use value::{Key, Origin, Text, Value};

/// The unit a source's clock counts in. Loki's encoder puts a record's offset, modulo the unit, in
/// the nanoseconds that the clock does not give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClockUnit {
    /// The clock gives nanoseconds: nothing is free to be filled.
    Nanosecond,
    /// Steps of 1,000 ns.
    Microsecond,
    /// Steps of 1,000,000 ns.
    Millisecond,
    /// Steps of 1,000,000,000 ns.
    Second,
}

impl ClockUnit {
    /// Nanoseconds in one step of this clock.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        match self {
            Self::Nanosecond => 1,
            Self::Microsecond => 1_000,
            Self::Millisecond => 1_000_000,
            Self::Second => 1_000_000_000,
        }
    }
}

/// When a record says it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// Nanoseconds since 1970-01-01T00:00:00Z; an `i64` reaches from 1677 to 2262.
    pub nanos: i64,
    /// How finely the source's clock counts.
    pub unit: ClockUnit,
}

/// A level, normalised from whatever a program calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Finer than debug.
    Trace,
    /// For developers.
    Debug,
    /// Routine; also notice.
    Info,
    /// Needs a look one day.
    Warn,
    /// Something failed.
    Error,
    /// The program, or the system, could not go on: critical, alert, emergency, panic.
    Fatal,
}

impl Level {
    /// The normalised, lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}

/// What had to be done to a record that a reader of it should know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// No parser fitted: the whole line is the message.
    pub unparsed: bool,
    /// Shipped without its end (an unterminated last line, a container's partial).
    pub partial: bool,
    /// Cut at `max_record`.
    pub truncated: bool,
}

/// One field: a key that is unique within its record, and a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field<'a> {
    /// Unique within the record.
    pub key: Key<'a>,
    /// The value; nested JSON stays text.
    pub value: Value<'a>,
}

/// A parsed record. Reused from line to line: see [`Record::recycle`].
#[derive(Debug, Default, PartialEq)]
pub struct Record<'a> {
    /// The time the record carries; `None` when it carries none that could be read.
    pub time: Option<Time>,
    /// The level the record carries.
    pub level: Option<Level>,
    /// The human-readable part. Access logs have none.
    pub message: Option<Text<'a>>,
    /// Everything else, in the order found, keys unique. Kept unique by [`Record::set`] and by the
    /// parsers; an encoder relies on it (Elasticsearch refuses duplicate keys).
    pub fields: Vec<Field<'a>>,
    /// What was done to the record on its way.
    pub marks: Marks,
    /// Whether a nested value has a key or a number that Elasticsearch has no mapping for
    /// ([`is_field_name`], [`is_mappable`]), or had one before redaction: its encoders then look for
    /// them.
    pub unmappable: bool,
    /// Whether texts that count as slices of the raw record were cut from what it had escaped: the
    /// sweep over the raw record has not seen them as they are.
    pub decoded: bool,
    /// Texts that were cut into fields by their places, the outermost first: what was cut from a
    /// secret's name is judged by it all the same.
    pub parted: Vec<&'a str>,
}

impl<'a> Record<'a> {
    /// Empties the record and hands its allocations on to one with another lifetime.
    ///
    /// Inlined, so that it is not copied to and fro: what was just written in parts is slow to read as a
    /// whole.
    #[inline]
    #[must_use]
    pub fn recycle<'b>(mut self) -> Record<'b> {
        self.fields.clear();
        Record {
            time: None,
            level: None,
            message: None,
            // An empty vector mapped and collected keeps its allocation (the standard library
            // collects in place when item layouts agree), without unsafe code. `benches/` counts
            // allocations and would show it if that ever changed.
            fields: self
                .fields
                .into_iter()
                .map(|field| Field { key: Key::Known(Known::Bytes), value: drop_value(field) })
                .collect(),
            marks: Marks::default(),
            unmappable: false,
            decoded: false,
            parted: emptied(self.parted),
        }
    }

    /// Adds a field without looking for an equal key: for parsers that know theirs to be unique.
    #[inline]
    pub fn push(&mut self, key: Key<'a>, value: Value<'a>) {
        self.fields.push(Field { key, value });
    }

    /// Adds a field, or replaces the value of the field with that key.
    pub fn set(&mut self, key: Key<'a>, value: Value<'a>) {
        match self.fields.iter_mut().find(|field| field.key.name() == key.name()) {
            Some(field) => field.value = value,
            None => self.push(key, value),
        }
    }

    /// The value under a key, by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.fields.iter().find(|field| field.key.name() == name).map(|field| &field.value)
    }
}

/// The allocation of a vector of texts, for texts of another lifetime.
#[inline]
fn emptied<'b>(mut texts: Vec<&str>) -> Vec<&'b str> {
    texts.clear();
    texts.into_iter().map(|_| "").collect()
}

/// Gives a value of any lifetime for a field that [`Record::recycle`] never visits.
#[inline]
fn drop_value<'b>(_: Field<'_>) -> Value<'b> {
    Value::Null
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recycling_keeps_the_allocation_and_nothing_else() {
        let line = String::from("value");
        let mut record = Record::default();
        for _ in 0..40 {
            record.push(Key::Known(Known::Bytes), Value::Text(Text::raw(&line)));
        }
        record.marks.partial = true;
        let capacity = record.fields.capacity();
        let recycled: Record<'static> = record.recycle();
        assert_eq!(recycled, Record::default());
        assert_eq!(recycled.fields.capacity(), capacity);
    }

    #[test]
    fn set_replaces_instead_of_repeating_a_key() {
        let mut record = Record::default();
        record.set(Key::Text(Text::raw("a")), Value::Bool(true));
        record.set(Key::Text(Text::raw("a")), Value::Null);
        assert_eq!(record.fields.len(), 1);
        assert_eq!(record.get("a"), Some(&Value::Null));
    }
}
