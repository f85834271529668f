//! What may leave: a record, or a string, that the redactor has seen.

use std::sync::Arc;

use crate::record::{Field, Level, Marks, Record, Text, Time};

/// A redacted record, lent for encoding: read-only, and made by the redactor alone.
///
/// A record cannot be turned into one by hand:
///
/// ```compile_fail
/// use pillion_parsers::{record::Record, redact::Redacted};
/// let mut record = Record::default();
/// let redacted = Redacted { record: &mut record };
/// ```
///
/// ```compile_fail
/// use pillion_parsers::{record::Record, redact::Redacted};
/// let record = Record::default();
/// let redacted: Redacted<'_, '_> = (&record).into();
/// ```
///
/// And it cannot be changed afterwards:
///
/// ```compile_fail
/// use pillion_parsers::{record::Field, redact::Redacted};
/// fn smuggle<'a>(redacted: &mut Redacted<'_, 'a>, field: Field<'a>) {
///     redacted.fields().push(field);
/// }
/// ```
pub struct Redacted<'r, 'a> {
    record: &'r Record<'a>,
}

impl<'r, 'a> Redacted<'r, 'a> {
    /// For the redactor, when it is done with a record.
    pub(super) const fn new(record: &'r Record<'a>) -> Self {
        Self { record }
    }

    /// The time the record carries.
    #[must_use]
    pub const fn time(&self) -> Option<Time> {
        self.record.time
    }

    /// The level the record carries.
    #[must_use]
    pub const fn level(&self) -> Option<Level> {
        self.record.level
    }

    /// The human-readable part.
    #[must_use]
    pub const fn message(&self) -> Option<Text<'a>> {
        self.record.message
    }

    /// Everything else, keys unique.
    #[must_use]
    pub fn fields(&self) -> &'r [Field<'a>] {
        &self.record.fields
    }

    /// What was done to the record on its way.
    #[must_use]
    pub const fn marks(&self) -> Marks {
        self.record.marks
    }

    /// Whether a nested value may have a key or a number that Elasticsearch has no mapping for.
    #[must_use]
    pub const fn unmappable(&self) -> bool {
        self.record.unmappable
    }
}

impl std::fmt::Debug for Redacted<'_, '_> {
    /// Sizes only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redacted({} fields)", self.record.fields.len())
    }
}

/// A string that the redactor has seen: a path, a host, a label's value. Cheap to clone.
///
/// ```compile_fail
/// let clean = pillion_parsers::redact::Clean("secret".into());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Clean(Arc<str>);

impl Clean {
    /// For the redactor.
    pub(super) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// A constant of this program.
    #[must_use]
    pub fn from_static(text: &'static str) -> Self {
        Self(text.into())
    }
}

impl std::ops::Deref for Clean {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Clean {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Clean({:?})", &*self.0)
    }
}

impl std::fmt::Display for Clean {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
