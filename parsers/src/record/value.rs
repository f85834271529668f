//! Keys, texts and values, each of which knows where its bytes came from.
//!
//! Where text came from decides whether the redactor's one pass over the raw record has already
//! covered it ([`Origin`]).

use super::Known;

/// Where a text's bytes came from, hence whether the scan of the raw record covers them.
///
/// A word in size: a text, a key and a value have no gaps then, and are copied as whole words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Origin {
    /// A slice of the raw record, unchanged: covered by the raw scan.
    Raw,
    /// The inside of a JSON string of the raw record, its escapes intact and validated: covered by
    /// the raw scan, and copied into JSON output as it stands.
    RawEscaped,
    /// Decoded, built, renamed or enriched: not covered, to be scanned on its own.
    Built,
    /// Fixed by this program, or scanned before: safe as it is.
    Vetted,
}

/// A piece of text and its origin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    text: &'a str,
    origin: Origin,
}

impl<'a> Text<'a> {
    /// A slice of the raw record, unchanged.
    #[must_use]
    pub const fn raw(text: &'a str) -> Self {
        Self { text, origin: Origin::Raw }
    }

    /// The inside of a validated JSON string of the raw record. Without a backslash in it, that is
    /// the same as [`Text::raw`], which is what is given.
    #[inline]
    #[must_use]
    pub fn raw_escaped(text: &'a str) -> Self {
        let origin = if memchr::memchr(b'\\', text.as_bytes()).is_some() {
            Origin::RawEscaped
        } else {
            Origin::Raw
        };
        Self { text, origin }
    }

    /// Text that was decoded, built, renamed or enriched.
    #[must_use]
    pub const fn built(text: &'a str) -> Self {
        Self { text, origin: Origin::Built }
    }

    /// Text that this program fixes: safe as it is.
    #[must_use]
    pub const fn fixed(text: &'static str) -> Self {
        Self { text, origin: Origin::Vetted }
    }

    /// Text that this program fixes, or that the redactor has passed.
    #[must_use]
    pub(crate) const fn vetted(text: &'a str) -> Self {
        Self { text, origin: Origin::Vetted }
    }

    /// The bytes as stored: for [`Origin::RawEscaped`] with JSON's escapes still in them.
    #[must_use]
    pub const fn as_stored(&self) -> &'a str {
        self.text
    }

    /// Where the bytes came from.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// Whether the stored bytes carry JSON escapes.
    #[must_use]
    pub const fn is_escaped(&self) -> bool {
        matches!(self.origin, Origin::RawEscaped)
    }
}

impl std::fmt::Debug for Text<'_> {
    /// Prints origin and length, never content: a debug line must not leak what redaction has not
    /// seen.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Text::{:?}({} bytes)", self.origin, self.text.len())
    }
}

/// A field's key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Key<'a> {
    /// One of pillion's own field names, which a format declares and a destination may map.
    Known(Known),
    /// Any other name.
    Text(Text<'a>),
}

impl<'a> Key<'a> {
    /// The key as stored (see [`Text::as_stored`]).
    #[inline]
    #[must_use]
    pub fn name(&self) -> &'a str {
        match self {
            Self::Known(known) => known.name(),
            Self::Text(text) => text.as_stored(),
        }
    }
}

/// A field's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// JSON `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number with a fraction.
    Float(f64),
    /// A number as the raw record writes it, validated by JSON's grammar and of at most 64 bytes:
    /// kept as text so that no digit is lost.
    Number(&'a str),
    /// A string.
    Text(Text<'a>),
    /// An object or array as the raw record writes it: validated (grammar, UTF-8, unique keys,
    /// depth and size), copied as it stands.
    Json(&'a str),
    /// An object or array that the redactor has rebuilt.
    CleanJson(&'a str),
}
