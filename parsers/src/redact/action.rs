//! What is done with what a rule finds.

/// What is done with what a rule finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// The found text becomes the rule's token, as `[EMAIL]`.
    #[default]
    Mask,
    /// Of the found text stays what tells where it belongs and not whose it is: the last four of a card,
    /// an account or a telephone number, the domain of an address, the network of an IP address, the
    /// vendor of a MAC address. All else becomes the rule's token.
    Partial,
    /// The found text becomes `[EMAIL:…]` with the first ten base32 characters of its keyed
    /// HMAC-SHA-256, so that equal values can still be joined. Needs a key.
    Hash,
    /// The field it was found in is left out of the record.
    DropField,
    /// The record is dropped and counted.
    DropRecord,
}

/// What is done with a field that a configuration names: the same choices.
pub type FieldAction = Action;

impl Action {
    /// The action's name in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mask => "mask",
            Self::Partial => "partial",
            Self::Hash => "hash",
            Self::DropField => "drop_field",
            Self::DropRecord => "drop_record",
        }
    }

    /// Every action.
    pub const ALL: &'static [Self] =
        &[Self::Mask, Self::Partial, Self::Hash, Self::DropField, Self::DropRecord];

    /// The action of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }
}
