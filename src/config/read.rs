//! Reads typed values off the tree, and collects what is wrong with them instead of stopping.
//!
//! A reader that returns `None` has said why. No message repeats what interpolation put into a
//! value: it may be a credential in the wrong place.

mod fields;
mod interpolate;

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::Environment;
use super::diagnostic::{Diagnostics, Mistake, Place, quote};
use super::nearest::suggestion;
use super::pod::{Asked, Pod};
use super::seen;
use super::tree::{Entry, Kind, Node};
use super::units;

pub(super) use fields::Fields;

/// A value, and the key it was found under.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'n> {
    pub(super) name: &'n str,
    /// The key's place: where to point when the value is missing something.
    pub(super) key: Place,
    pub(super) node: &'n Node,
}

impl<'n> Value<'n> {
    pub(super) fn of(entry: &'n Entry) -> Self {
        Self { name: &entry.key, key: entry.key_place, node: &entry.value }
    }

    pub(super) fn place(&self) -> Place {
        // An empty value has no extent of its own to point at.
        if self.node.is_null() { self.key } else { self.node.place }
    }

    /// What was typed, for a message: before interpolation.
    pub(super) fn quoted(&self) -> String {
        match &self.node.kind {
            Kind::Scalar { text, .. } => quote(text),
            _ => self.node.described().to_owned(),
        }
    }
}

/// Collects mistakes while values are read.
pub(super) struct Reader<'e> {
    pub(super) found: Diagnostics,
    environment: &'e Environment<'e>,
    /// Whether nothing has a stand-in.
    whole: bool,
}

impl<'e> Reader<'e> {
    pub(super) fn new(found: Diagnostics, environment: &'e Environment<'e>) -> Self {
        Self { found, environment, whole: true }
    }

    pub(super) fn environment(&self, name: &str) -> Option<String> {
        (self.environment)(name)
    }

    /// What the pod says of itself.
    pub(super) fn learn(&self, asked: &Asked) -> Pod {
        Pod::learn(asked, self.environment)
    }

    pub(super) fn mistake(&mut self, mistake: Mistake) {
        self.found.add(mistake);
    }

    /// The part, or instead of one that was refused a stand-in, with which the checks across parts
    /// can go on. What was read is then no longer [sound](Reader::is_sound).
    pub(super) fn or<T>(&mut self, part: Option<T>, stand_in: T) -> T {
        self.whole &= part.is_some();
        part.unwrap_or(stand_in)
    }

    /// Whether what was read may be used: nothing was refused.
    pub(super) fn is_sound(&self) -> bool {
        self.whole && self.found.is_empty()
    }

    fn wrong_kind<T>(&mut self, value: Value<'_>, wanted: &str) -> Option<T> {
        let name = match value.name {
            "" => "the configuration".to_owned(),
            name => quote(name),
        };
        let mistake = if value.node.is_null() {
            Mistake::at(value.place(), format!("{name} has no value"))
                .label(format!("{wanted} is wanted"))
        } else {
            let found = value.node.described();
            Mistake::at(value.place(), format!("{name} takes {wanted}, not {found}"))
        };
        self.mistake(mistake);
        None
    }

    /// A mapping's fields.
    pub(super) fn map<'n>(&mut self, value: Value<'n>) -> Option<Fields<'n>> {
        match &value.node.kind {
            Kind::Map(entries) => Some(Fields::new(value, entries)),
            _ => self.wrong_kind(value, "a mapping"),
        }
    }

    /// A mapping's fields; nothing counts as an empty mapping.
    pub(super) fn map_or_nothing<'n>(&mut self, value: Value<'n>) -> Option<Fields<'n>> {
        if value.node.is_null() { Some(Fields::new(value, &[])) } else { self.map(value) }
    }

    /// A mapping whose keys are names that the user chose: never empty.
    pub(super) fn named<'n>(&mut self, value: Value<'n>, what: &str) -> Vec<Value<'n>> {
        let Kind::Map(entries) = &value.node.kind else {
            self.wrong_kind::<()>(value, &format!("a mapping from names to {what}"));
            return Vec::new();
        };
        if entries.is_empty() {
            let message = format!("{} is empty", quote(value.name));
            self.mistake(Mistake::at(value.place(), message).help("name at least one"));
        }
        entries.iter().map(Value::of).collect()
    }

    /// The values of a list; a single value counts as a list of one.
    pub(super) fn list<'n>(&mut self, value: Value<'n>) -> Vec<Value<'n>> {
        match &value.node.kind {
            Kind::List(nodes) => nodes.iter().map(|node| Value { node, ..value }).collect(),
            Kind::Scalar { .. } if !value.node.is_null() => vec![value],
            _ => {
                self.wrong_kind::<()>(value, "a list");
                Vec::new()
            }
        }
    }

    /// A scalar as it was typed, for patterns and samples: not interpolated.
    pub(super) fn verbatim<'n>(&mut self, value: Value<'n>, wanted: &str) -> Option<&'n str> {
        match &value.node.kind {
            Kind::Scalar { text, .. } if !value.node.is_null() => Some(text),
            _ => self.wrong_kind(value, wanted),
        }
    }

    /// An interpolated scalar, perhaps empty.
    pub(super) fn text(&mut self, value: Value<'_>, wanted: &str) -> Option<String> {
        let typed = self.verbatim(value, wanted)?;
        self.interpolate(value, typed)
    }

    /// An interpolated scalar that is not empty.
    pub(super) fn filled(&mut self, value: Value<'_>, wanted: &str) -> Option<String> {
        let text = self.text(value, wanted)?;
        if text.trim().is_empty() {
            let message = format!("{} is empty", quote(value.name));
            self.mistake(Mistake::at(value.place(), message).label(format!("{wanted} is wanted")));
            return None;
        }
        Some(text)
    }

    pub(super) fn boolean(&mut self, value: Value<'_>) -> Option<bool> {
        let text = self.text(value, "`true` or `false`")?;
        match text.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                let help = match other {
                    "yes" | "on" | "1" => "write `true`",
                    "no" | "off" | "0" => "write `false`",
                    _ => "write `true` or `false`",
                };
                let message = format!("{} takes `true` or `false`", quote(value.name));
                self.mistake(Mistake::at(value.place(), message).help(help));
                None
            }
        }
    }

    /// One of several words.
    pub(super) fn one_of<T: Copy>(
        &mut self,
        value: Value<'_>,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        seen::words(value.node.place, words.iter().map(|(word, _)| *word));
        let text = self.filled(value, "a word")?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*meaning);
        }
        let message = format!("{} cannot be {}", quote(value.name), value.quoted());
        let help = suggestion(&text, words.iter().map(|(word, _)| *word));
        self.mistake(Mistake::at(value.place(), message).maybe_help(help));
        None
    }

    /// A number of bytes.
    pub(super) fn size(
        &mut self,
        value: Value<'_>,
        allowed: RangeInclusive<usize>,
    ) -> Option<usize> {
        let text = self.filled(value, "a size")?;
        let size = match units::bytes(&text) {
            // More than an address space is beyond every limit.
            Ok(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX),
            Err(problem) => {
                let help = "write a number and a unit, as `256KiB`, `12MiB` or `1GiB`";
                self.mistake(Mistake::at(value.place(), problem).help(help));
                return None;
            }
        };
        let (least, most) = (units::shown(*allowed.start()), units::shown(*allowed.end()));
        self.within(value, size, &allowed, &least, &most)
    }

    pub(super) fn duration(
        &mut self,
        value: Value<'_>,
        allowed: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let text = self.filled(value, "a duration")?;
        let duration = match units::duration(&text) {
            Ok(duration) => duration,
            Err(problem) => {
                let help = "write a number and a unit, as `250ms`, `1s`, `5m` or `7d`";
                self.mistake(Mistake::at(value.place(), problem).help(help));
                return None;
            }
        };
        let (least, most) = (format!("{:?}", allowed.start()), format!("{:?}", allowed.end()));
        self.within(value, duration, &allowed, &least, &most)
    }

    /// A whole number.
    pub(super) fn whole(
        &mut self,
        value: Value<'_>,
        allowed: RangeInclusive<usize>,
    ) -> Option<usize> {
        let text = self.filled(value, "a whole number")?;
        let Ok(number) = text.trim().parse() else {
            let message = format!("{} takes a whole number", quote(value.name));
            self.mistake(Mistake::at(value.place(), message));
            return None;
        };
        let (least, most) = (allowed.start().to_string(), allowed.end().to_string());
        self.within(value, number, &allowed, &least, &most)
    }

    fn within<T: PartialOrd>(
        &mut self,
        value: Value<'_>,
        number: T,
        allowed: &RangeInclusive<T>,
        least: &str,
        most: &str,
    ) -> Option<T> {
        if allowed.contains(&number) {
            return Some(number);
        }
        let message = format!("{} has to lie between {least} and {most}", quote(value.name));
        self.mistake(Mistake::at(value.place(), message));
        None
    }

    /// An absolute path without `..`.
    pub(super) fn path(&mut self, value: Value<'_>) -> Option<PathBuf> {
        let text = self.filled(value, "an absolute path")?;
        self.is_absolute(value, &text).then(|| PathBuf::from(text))
    }

    /// Whether a path, or a pattern of paths, begins at the root and never goes up.
    pub(super) fn is_absolute(&mut self, value: Value<'_>, text: &str) -> bool {
        let mistake = if !text.starts_with('/') {
            let help = if text.starts_with('~') {
                "write the directory out: `~` is a shell's abbreviation"
            } else {
                "begin it with `/`"
            };
            Mistake::at(value.place(), format!("{} is not absolute", value.quoted())).help(help)
        } else if text.split('/').any(|part| part == "..") {
            Mistake::at(value.place(), format!("{} goes up with `..`", value.quoted()))
                .help("write the path it leads to")
        } else if text.contains('\0') {
            Mistake::at(value.place(), "a path cannot hold a NUL")
        } else {
            return true;
        };
        self.mistake(mistake);
        false
    }
}
