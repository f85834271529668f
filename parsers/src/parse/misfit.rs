//! Why texts did not fit, and how many.

/// Why a text did not fit: what the count of unparsed records is broken down by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Misfit {
    /// Not in the format's grammar; under `auto`, in none.
    Syntax,
    /// A key appears twice in a line of a format whose keys come once (CEF, the audit log).
    DuplicateKey,
    /// JSON nested more than 19 levels deep, where a value may not be text.
    TooDeep,
    /// More keys than a record may have: 256 in one object, 1,024 in all.
    TooManyKeys,
    /// A number of more than 64 bytes, or beyond what a 64-bit float holds, where it may not be text.
    Number,
    /// Half of a UTF-16 pair in a key of JSON: text that UTF-8 cannot hold.
    LoneSurrogate,
    /// A field that its definition types is not of that type.
    FieldType,
    /// Not as many columns as the header names, or no header is known.
    Columns,
}

impl Misfit {
    /// Every reason, in the order of [`Counters::unparsed`].
    pub const ALL: [Self; 8] = [
        Self::Syntax,
        Self::DuplicateKey,
        Self::TooDeep,
        Self::TooManyKeys,
        Self::Number,
        Self::LoneSurrogate,
        Self::FieldType,
        Self::Columns,
    ];

    /// What is wrong with a text, in words.
    pub(super) const fn said(self) -> &'static str {
        match self {
            Self::Syntax => "it is not of the format",
            Self::DuplicateKey => "a key stands twice",
            Self::TooDeep => "it is nested more than 19 levels deep",
            Self::TooManyKeys => "it has too many keys: 256 in one object, 1,024 in all",
            Self::Number => "a number is beyond what a computer holds",
            Self::LoneSurrogate => "a key has half a character",
            Self::FieldType => "a field is not of the type that it is to have",
            Self::Columns => {
                "it has not as many columns as the header names, or no header is known"
            }
        }
    }

    /// The reason's name as a metric's label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::DuplicateKey => "duplicate_key",
            Self::TooDeep => "too_deep",
            Self::TooManyKeys => "too_many_keys",
            Self::Number => "number",
            Self::LoneSurrogate => "lone_surrogate",
            Self::FieldType => "field_type",
            Self::Columns => "columns",
        }
    }
}

/// Running counts of one parser, in records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Records that fitted.
    pub parsed: u64,
    /// Records that did not, by reason: indexed like [`Misfit::ALL`].
    pub unparsed: [u64; Misfit::ALL.len()],
    /// Records with a time that could not be read: they have none, and keep its text as a field
    /// where the format has one for it.
    pub bad_times: u64,
    /// Records with a time that names its zone by an abbreviation that several have (`CST`), where no zone
    /// is given: it was taken for UTC.
    pub vague_zones: u64,
}

impl Counters {
    /// Records that did not fit, whatever the reason.
    #[must_use]
    pub fn unparsed_total(&self) -> u64 {
        self.unparsed.iter().sum()
    }
}
