//! What a dead letter is: a record that a destination will never take, kept as text with the reason.

pub mod file;
pub mod kept;
pub mod taken;

/// A record refused for good.
#[derive(Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The record's id, as [`RecordId::text`](super::id::RecordId::text) writes it.
    pub id: String,
    /// Why it is here.
    pub reason: Reason,
    /// The redacted Record as one line of JSON without its newline, under pillion's own field names
    /// (see [`lines`](super::lines)), not the destination's.
    pub record: String,
}

impl DeadLetter {
    /// Bytes of memory it takes.
    #[must_use]
    pub fn resident(&self) -> usize {
        self.id.capacity() + self.record.capacity() + size_of::<Self>()
    }
}

impl std::fmt::Debug for DeadLetter {
    /// Name, reason and size, never content.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeadLetter({} {}, {} bytes)", self.id, self.reason.name(), self.record.len())
    }
}

/// Why a record became a dead letter. Each is a label value of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The server refused it for what it holds: mapping, parsing, a field limit.
    Refused,
    /// The server took it, but put it into its failure store (Elasticsearch 9.1).
    FailureStore,
    /// Too large for the server, even alone.
    TooLarge,
    /// Older than the destination takes (Loki: seven days).
    TooOld,
    /// Further behind its stream's newest entry than the destination takes (Loki: an hour).
    TooFarBehind,
    /// The destination refused some records without naming them, and could not be brought to say
    /// whether this one is stored.
    Uncertain,
}

impl Reason {
    /// Every reason, in the order of their counters.
    pub const ALL: [Self; 6] = [
        Self::Refused,
        Self::FailureStore,
        Self::TooLarge,
        Self::TooOld,
        Self::TooFarBehind,
        Self::Uncertain,
    ];

    /// The reason of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// The name in a dead letter and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::FailureStore => "failure_store",
            Self::TooLarge => "too_large",
            Self::TooOld => "too_old",
            Self::TooFarBehind => "too_far_behind",
            Self::Uncertain => "uncertain",
        }
    }
}
