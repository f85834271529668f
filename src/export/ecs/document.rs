//! Writes Redacted records as ECS documents.
//!
//! A document begins with what is the same for all records of a File, so that, together with the
//! action line before it, it compresses to one match. Every object is opened once: Elasticsearch
//! takes `log.level` and `{"log":{"level":…}}` for the same field, and JSON with a key twice for an
//! error.

use pillion_parsers::record::{Field, Known, Marks};
use pillion_parsers::redact::Redacted;

use super::statics::Statics;
use super::{HEADS, LOG_SLOTS, OBJECTS, SLOTS, slot_for, version};
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

/// Which slots of a record have a value, and which of its fields that is.
struct Slotted {
    /// A bit for each slot: few have one.
    taken: u64,
    /// Indexes of the fields, by slot.
    fields: [u16; SLOTS.len()],
}

/// Every slot has its bit.
const _: () = assert!(SLOTS.len() <= u64::BITS as usize);

/// The bits of the slots in `log`.
const IN_LOG: u64 = (1 << LOG_SLOTS) - 1;

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
        let mut slotted = Slotted { taken: 0, fields: [0; SLOTS.len()] };
        self.own.clear();
        for (index, field) in record.fields().iter().enumerate() {
            if !slotted.put(index, field, statics) {
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
        // The first slot lies in `log`, which the head has opened.
        let mut open = Open { depth: 1, numbers: OBJECTS[0] };
        write_slots(out, &mut open, slotted.taken & IN_LOG, &slotted, record);
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
        write_slots(out, &mut open, slotted.taken & !IN_LOG, &slotted, record);
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

impl Slotted {
    /// Puts a field into its slot; false when it has none that is free.
    #[inline]
    fn put(&mut self, index: usize, field: &Field<'_>, statics: &Statics) -> bool {
        let Some(known) = known(field) else { return false };
        let Some(slot) = slot_for(known, &field.value) else { return false };
        let Ok(number) = u16::try_from(index) else { return false };
        match self.fields.get_mut(slot) {
            Some(free) if self.taken >> slot & 1 == 0 && !statics.hides(slot) => {
                *free = number;
                self.taken |= 1 << slot;
                true
            }
            _ => false,
        }
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

/// Writes the values of the slots whose bits are given, each in its objects.
fn write_slots(
    out: &mut impl Sink,
    open: &mut Open,
    mut slots: u64,
    slotted: &Slotted,
    record: &Redacted<'_, '_>,
) {
    while slots != 0 {
        let number = slots.trailing_zeros() as usize;
        slots &= slots - 1;
        let (Some(slot), Some(numbers)) = (SLOTS.get(number), OBJECTS.get(number)) else { return };
        let field = slotted.fields.get(number).and_then(|at| record.fields().get(usize::from(*at)));
        let Some(Field { value, .. }) = field else { continue };
        let both = open.numbers.iter().zip(numbers).take(open.depth);
        let common = both.take_while(|(one, two)| one == two).count();
        let buffer = out.buffer();
        for _ in common..open.depth {
            buffer.push(b'}');
        }
        buffer.push(b',');
        // Without what is open already.
        let have = HEADS.get(number).and_then(|heads| heads.get(common)).copied().unwrap_or(0);
        buffer
            .extend_from_slice(slot.opener.as_bytes().get(usize::from(have)..).unwrap_or_default());
        *open = Open { depth: slot.groups.len(), numbers: *numbers };
        match slot.shape.prefix().and_then(|_| version(slot.shape, value)) {
            Some(version) => escape::quote(buffer, version),
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
