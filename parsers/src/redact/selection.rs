//! What a configuration says about redaction, and how it is refused.

use super::{Action, Allow};

/// What a configuration says about redaction.
#[derive(Clone, Default)]
pub struct RuleSelection {
    /// In order: `default`, a rule's name, or `-name`. Custom rules are on unless taken out. Where
    /// nothing but `-name` is listed, the default rules are what it is taken from.
    pub rules: Vec<String>,
    /// The user's own rules.
    pub custom: Vec<CustomRule>,
    /// What is done where nothing more special is said.
    pub action: Action,
    /// By rule name.
    pub actions_by_rule: Vec<(String, Action)>,
    /// Fields redacted whole, by name at any depth or by dotted path; ASCII case does not matter.
    pub fields: Vec<(String, Action)>,
    /// What is left though a rule finds it.
    pub allow: Allow,
    /// The key of [`Action::Hash`].
    pub hash_key: Option<Vec<u8>>,
}

impl RuleSelection {
    /// The default rules, masked.
    #[must_use]
    pub fn standard() -> Self {
        Self { rules: vec!["default".into()], ..Self::default() }
    }
}

impl std::fmt::Debug for RuleSelection {
    /// Leaves the key out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuleSelection")
            .field("rules", &self.rules)
            .field("action", &self.action)
            .finish_non_exhaustive()
    }
}

/// A rule of the user's own.
#[derive(Clone, Debug, Default)]
pub struct CustomRule {
    /// Its name in `rules` and in metrics; in capitals, its token.
    pub name: String,
    /// What it finds, in the `regex` crate's syntax.
    pub pattern: String,
    /// Texts it must find something in.
    pub must_redact: Vec<String>,
    /// Texts it must find nothing in.
    pub must_leave: Vec<String>,
}

/// Why a selection of rules is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleError {
    /// A name that no rule has.
    Unknown {
        /// What was typed, without a leading `-`.
        name: String,
        /// Every name that would have done.
        known: Vec<String>,
    },
    /// A custom rule with the name of another rule.
    Duplicate {
        /// The name.
        name: String,
    },
    /// A name that is not lower-case letters, digits and `_`, or is `default`.
    BadName {
        /// The name.
        name: String,
    },
    /// A pattern that does not compile.
    Pattern {
        /// The rule.
        name: String,
        /// What the `regex` crate says.
        reason: String,
    },
    /// A pattern that matches the empty string, hence everything.
    MatchesEmpty {
        /// The rule.
        name: String,
    },
    /// A `must_redact` sample in which the pattern finds nothing.
    SampleMissed {
        /// The rule.
        name: String,
        /// The sample.
        sample: String,
    },
    /// A `must_leave` sample in which the pattern finds something.
    SampleHit {
        /// The rule.
        name: String,
        /// The sample.
        sample: String,
    },
    /// An action for a rule that is not on.
    NotOn {
        /// The rule.
        name: String,
    },
    /// No rule is on and no field is named: everything would pass.
    NothingOn,
    /// An action is `hash`, and there is no key.
    NoHashKey,
}

impl std::fmt::Display for RuleError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown { name, .. } => write!(f, "there is no redaction rule `{name}`"),
            Self::Duplicate { name } => write!(f, "there is already a redaction rule `{name}`"),
            Self::BadName { name } => write!(
                f,
                "`{name}` cannot name a redaction rule: use lower-case letters, digits and `_`"
            ),
            Self::Pattern { name, reason } => {
                write!(f, "the pattern of rule `{name}` does not compile: {reason}")
            }
            Self::MatchesEmpty { name } => {
                write!(f, "the pattern of rule `{name}` matches the empty string")
            }
            Self::SampleMissed { name, sample } => {
                write!(f, "rule `{name}` does not find anything in its sample `{sample}`")
            }
            Self::SampleHit { name, sample } => {
                write!(f, "rule `{name}` finds something in `{sample}`, which it must leave")
            }
            Self::NotOn { name } => write!(f, "rule `{name}` is not on: add it to `rules`"),
            Self::NothingOn => f.write_str("no redaction rule is on"),
            Self::NoHashKey => f.write_str("action `hash` needs a `hash_key`"),
        }
    }
}

impl std::error::Error for RuleError {}
