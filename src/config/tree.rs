//! What was typed: the YAML as a tree whose every node knows its place, bounded in size and depth.
//!
//! Aliases and merge keys (`<<`) are resolved here. Nothing is interpreted yet: a scalar is text.

mod build;
mod deserialize;

use super::diagnostic::Place;

pub(super) use build::build;

/// A value, and where it was typed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) place: Place,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// Text; `plain` when it was written without quotes, so that `null`, `true` and `5` may be meant.
    Scalar { text: String, plain: bool },
    /// `[a, b]`, or lines with dashes.
    List(Vec<Node>),
    /// `{a: b}`, or lines with colons; keys are unique.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_place: Place,
    pub(super) value: Node,
}

impl Node {
    /// A quoted scalar, for settings that come from the command line.
    pub(super) fn text(text: impl Into<String>, place: Place) -> Self {
        Self { kind: Kind::Scalar { text: text.into(), plain: false }, place }
    }

    /// The entry of a key, if this is a mapping that has it.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// How many values a list holds; a single value counts as a list of one.
    pub(super) fn count(&self) -> usize {
        match &self.kind {
            Kind::List(nodes) => nodes.len(),
            _ => usize::from(!self.is_null()),
        }
    }

    /// Nothing was written, or `null`.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// What this is, for a message.
    pub(super) fn described(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar { .. } if self.is_null() => "nothing",
            Kind::Scalar { .. } => "a single value",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }
}
