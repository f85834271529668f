//! Turns an ECS document of our own making back into a line of pillion's own names: what a dead
//! letter holds, so that it can be read, and replayed, without knowing what a destination called it.

use pillion_parsers::record::Known;

use super::{SLOTS, Slot, is_namespace};
use crate::export::encode::names;
use crate::export::encode::walk::{Members, unquoted};
use crate::export::lines::RawLine;

/// The members of a line that come from fixed places, in the order they are written.
#[derive(Debug, Default)]
struct Parts<'j> {
    time: Option<&'j str>,
    level: Option<&'j str>,
    message: Option<&'j str>,
    marks: Option<&'j str>,
    offset: Option<&'j str>,
    path: Option<&'j str>,
    host: Option<&'j str>,
    /// Fields that stood in a slot, and their values.
    slotted: Vec<(&'static Slot, &'j str)>,
    /// The namespace object.
    own: Option<&'j str>,
    /// Constant fields, with the insides of their names.
    statics: Vec<(&'j str, &'j str)>,
}

/// The line of a document. Values are copied as text; only the fields' order is not kept. The one
/// object at its top that is none of ECS's is the namespace, whatever it was called when the document
/// was written.
pub(crate) fn record_line(document: &str) -> String {
    let mut parts = Parts::default();
    for (key, value) in Members::of(document) {
        if value.starts_with('{') && is_namespace(key) {
            parts.own = Some(value);
        } else if value.starts_with('{') || SLOTS.iter().any(|slot| slot.path().eq([key])) {
            parts.descend(&mut vec![key], value);
        } else {
            match key {
                "@timestamp" => parts.time = Some(value),
                "message" => parts.message = Some(value),
                _ => parts.statics.push((key, value)),
            }
        }
    }
    parts.line()
}

impl<'j> Parts<'j> {
    /// Sorts what stands below a path.
    fn descend(&mut self, path: &mut Vec<&'j str>, value: &'j str) {
        match path.as_slice() {
            ["log", "level"] => self.level = Some(value),
            ["log", "flags"] => self.marks = Some(value),
            ["log", "offset"] => self.offset = Some(value),
            ["log", "file", "path"] => self.path = Some(value),
            ["host", "name"] => self.host = Some(value),
            _ => match SLOTS.iter().find(|slot| slot.path().eq(path.iter().copied())) {
                Some(slot) => self.slotted.push((slot, value)),
                // Our own objects are never deeper than this.
                None if value.starts_with('{') && path.len() < 4 => {
                    for (key, value) in Members::of(value) {
                        path.push(key);
                        self.descend(path, value);
                        path.pop();
                    }
                }
                None => {}
            },
        }
    }

    fn line(self) -> String {
        let mut line = RawLine::default();
        let fixed = [("time", self.time), ("level", self.level), ("message", self.message)];
        for (name, value) in fixed {
            if let Some(value) = value {
                line.member(name, value);
            }
        }
        // The constant fields choose their names first, as they do when a line is written.
        for (name, value) in self.statics {
            line.field(&names::decoded(name), value);
        }
        for (slot, value) in self.slotted {
            match (slot.shape.prefix(), unquoted(value)) {
                (Some(prefix), Some(version)) => {
                    line.field(slot.known.name(), &format!("\"{prefix}{version}\""));
                }
                _ => line.field(slot.known.name(), value),
            }
        }
        let mut own = Vec::new();
        for (name, value) in self.own.into_iter().flat_map(Members::of) {
            let name = names::decoded(name);
            if Known::from_name(&name).is_some() {
                own.push(format!("\"{name}\""));
            }
            line.field(&name, value);
        }
        let fixed = [
            ("_marks", self.marks),
            ("_offset", self.offset),
            ("_path", self.path),
            ("_host", self.host),
        ];
        for (name, value) in fixed {
            if let Some(value) = value {
                line.member(name, value);
            }
        }
        if !own.is_empty() {
            line.member("_own", &format!("[{}]", own.join(",")));
        }
        line.finish()
    }
}
