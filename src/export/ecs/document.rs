//! Writes Redacted records as ECS documents.
//!
//! A document begins with what is the same for all records of a File, so that, together with the
//! action line before it, it compresses to one match. Every object is opened once: Elasticsearch
//! takes `log.level` and `{"log":{"level":…}}` for the same field, and JSON with a key twice for an
//! error.

use pillion_parsers::record::{Field, Known, Marks, Value};
use pillion_parsers::redact::Redacted;

use super::statics::Statics;
use super::{LOG_SLOTS, OBJECTS, SLOTS, slot_for, version};
use crate::export::encode::clock::Clock;
use crate::export::encode::mappable::write_mappable;
use crate::export::encode::names::{self, Names};
use crate::export::encode::sink::Sink;
use crate::export::encode::{Enrich, Place};
use crate::export::escape;

/// Sources whose constant fields are kept as bytes; a reloaded configuration brings new ones.
const KEPT_STATICS: usize = 64;

/// Writes documents of one destination.
#[derive(Debug)]
pub(crate) struct Documents {
    namespace: String,
    clock: Clock,
    /// The constant fields of the sources seen, by [`Enrich::number`].
    statics: Vec<(u64, Statics)>,
    head: Head,
    /// Indexes of the current record's fields that go into the namespace.
    own: Vec<usize>,
}

/// The beginning of a document up to its offset, and what it was made of: records come in runs of
/// the same File.
#[derive(Debug, Default)]
struct Head {
    path: String,
    host: String,
    /// Index into [`Documents::statics`]; `None` before the first record.
    statics: Option<usize>,
    bytes: Vec<u8>,
}

/// The values of a record by slot.
type Slotted<'v, 'a> = [Option<&'v Value<'a>>; SLOTS.len()];

impl Documents {
    /// A writer whose documents keep what is not ECS below `namespace`.
    pub(crate) fn new(namespace: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            clock: Clock::default(),
            statics: Vec::new(),
            head: Head::default(),
            own: Vec::new(),
        }
    }

    /// Bytes of memory taken.
    pub(crate) fn resident(&self) -> usize {
        let statics: usize = self.statics.iter().map(|(_, statics)| statics.resident()).sum();
        statics + self.head.bytes.capacity() + self.own.capacity() * size_of::<usize>()
    }

    /// Appends a record as one document, without a newline.
    pub(crate) fn write(
        &mut self,
        out: &mut impl Sink,
        record: &Redacted<'_, '_>,
        place: &Place<'_>,
    ) {
        self.prepare(place);
        let fallback = Statics::default();
        let statics = self
            .head
            .statics
            .and_then(|index| self.statics.get(index))
            .map_or(&fallback, |(_, statics)| statics);
        let mut slotted: Slotted<'_, '_> = [None; SLOTS.len()];
        self.own.clear();
        for (index, field) in record.fields().iter().enumerate() {
            if !put(&mut slotted, field, statics) {
                self.own.push(index);
            }
        }

        out.buffer().extend_from_slice(&self.head.bytes);
        escape::push_u64(out.buffer(), place.id.offset);
        if let Some(level) = record.level() {
            out.buffer().extend_from_slice(b",\"level\":\"");
            out.buffer().extend_from_slice(level.name().as_bytes());
            out.buffer().push(b'"');
        }
        let (in_log, others) = slotted.split_at(LOG_SLOTS);
        // The first slot lies in `log`, which the head has opened.
        let mut open = Open { depth: 1, numbers: OBJECTS[0] };
        write_slots(out, &mut open, 0, in_log);
        close(out.buffer(), open.depth - 1);
        write_flags(out.buffer(), record.marks());
        out.buffer().extend_from_slice(b"},\"@timestamp\":\"");
        let time = record.time().map_or(place.read_at, |time| time.nanos);
        self.clock.write(out.buffer(), time);
        out.buffer().push(b'"');
        if let Some(message) = record.message() {
            out.buffer().extend_from_slice(b",\"message\":");
            out.text(message);
        }
        open = Open { depth: 0, numbers: [0; 3] };
        write_slots(out, &mut open, LOG_SLOTS, others);
        close(out.buffer(), open.depth);
        if !(self.own.is_empty() && statics.inner().is_empty()) {
            out.buffer().extend_from_slice(b",\"");
            out.buffer().extend_from_slice(self.namespace.as_bytes());
            out.buffer().extend_from_slice(b"\":{");
            write_own(out, record, &self.own, statics);
            out.buffer().push(b'}');
        }
        out.buffer().push(b'}');
    }

    /// Sees to it that `head` is that of the place.
    fn prepare(&mut self, place: &Place<'_>) {
        let number = place.enrich.number();
        let kept = self.head.statics.and_then(|index| self.statics.get(index));
        let same = kept.is_some_and(|(kept, _)| *kept == number);
        if same && *self.head.path == **place.path && *self.head.host == **place.host {
            return;
        }
        let index = self.statics_for(place.enrich);
        let Some((_, statics)) = self.statics.get(index) else { return };
        let head = &mut self.head;
        head.statics = Some(index);
        head.path.clear();
        head.path.push_str(place.path);
        head.host.clear();
        head.host.push_str(place.host);
        let bytes = &mut head.bytes;
        bytes.clear();
        bytes.extend_from_slice(b"{\"ecs\":{\"version\":");
        escape::quote(bytes, super::VERSION);
        if !statics.hides_host() {
            bytes.extend_from_slice(b"},\"host\":{\"name\":");
            escape::quote(bytes, place.host);
        }
        bytes.push(b'}');
        bytes.extend_from_slice(statics.top());
        bytes.extend_from_slice(b",\"log\":{\"file\":{\"path\":");
        escape::quote(bytes, place.path);
        bytes.extend_from_slice(b"},\"offset\":");
    }

    /// The index of a source's constant fields, made when first seen.
    fn statics_for(&mut self, enrich: &Enrich) -> usize {
        let number = enrich.number();
        if let Some(index) = self.statics.iter().position(|(kept, _)| *kept == number) {
            return index;
        }
        if self.statics.len() >= KEPT_STATICS {
            self.statics.clear();
        }
        self.statics.push((number, Statics::new(enrich.fields(), &self.namespace)));
        self.statics.len() - 1
    }
}

/// Puts a field into its slot; false when it has none that is free.
fn put<'v, 'a>(slotted: &mut Slotted<'v, 'a>, field: &'v Field<'a>, statics: &Statics) -> bool {
    let Some(known) = known(field) else { return false };
    let Some(index) = slot_for(known, &field.value) else { return false };
    match slotted.get_mut(index) {
        Some(free @ None) if !statics.hides(index) => {
            *free = Some(&field.value);
            true
        }
        _ => false,
    }
}

/// The field's name among pillion's own.
const fn known(field: &Field<'_>) -> Option<Known> {
    match field.key {
        pillion_parsers::record::Key::Known(known) => Some(known),
        pillion_parsers::record::Key::Text(_) => None,
    }
}

/// Objects that stand open, each with a member in it.
struct Open {
    depth: usize,
    /// Their numbers in [`OBJECTS`], outermost first.
    numbers: [u8; 3],
}

/// Writes the values that there are, each in its objects.
fn write_slots<'v, 'a: 'v>(
    out: &mut impl Sink,
    open: &mut Open,
    from: usize,
    values: &[Option<&'v Value<'a>>],
) {
    let slots = SLOTS.iter().zip(&OBJECTS).skip(from);
    for ((slot, numbers), value) in slots.zip(values) {
        let Some(value) = value else { continue };
        let both = open.numbers.iter().zip(numbers).take(open.depth);
        let common = both.take_while(|(one, two)| one == two).count();
        close(out.buffer(), open.depth - common);
        // What the opener has of the objects that are open already: `"name":{` each.
        let have: usize = slot.groups.iter().take(common).map(|name| name.len() + 4).sum();
        out.buffer().push(b',');
        out.buffer().extend_from_slice(slot.opener.as_bytes().get(have..).unwrap_or_default());
        *open = Open { depth: slot.groups.len(), numbers: *numbers };
        match version(slot.shape, value) {
            Some(version) => escape::quote(out.buffer(), version),
            None => out.value(value),
        }
    }
}

/// Closes objects.
fn close(out: &mut Vec<u8>, objects: usize) {
    out.extend(std::iter::repeat_n(b'}', objects));
}

/// Writes `log.flags`, as Filebeat calls what a reader of a line should know.
fn write_flags(out: &mut Vec<u8>, marks: Marks) {
    if marks != Marks::default() {
        out.extend_from_slice(b",\"flags\":");
        crate::export::lines::write_marks(out, marks);
    }
}

/// Writes the members of the namespace object.
fn write_own(out: &mut impl Sink, record: &Redacted<'_, '_>, own: &[usize], statics: &Statics) {
    out.buffer().extend_from_slice(statics.inner());
    let mut comma = !statics.inner().is_empty();
    let fields = own.iter().filter_map(|index| record.fields().get(*index));
    let plain = !comma
        && names::certainly_distinct(fields.clone().map(|field| names::plain_name(&field.key)));
    let mut taken = (!plain).then(|| Names::taken(statics.inner_names()));
    for field in fields {
        if comma {
            out.buffer().push(b',');
        }
        comma = true;
        match &mut taken {
            None => escape::quote(out.buffer(), field.key.name()),
            Some(taken) => {
                let name = taken.unique(&names::sound(&names::key_text(&field.key)));
                escape::quote(out.buffer(), &name);
            }
        }
        out.buffer().push(b':');
        write_mappable(out, &field.value, record.unmappable());
        out.settle();
    }
}
