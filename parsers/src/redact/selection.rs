//! What a configuration says about redaction, and how it is refused.

use super::{Action, Allow};

/// What a configuration says about redaction.
#[derive(Clone, Default)]
pub struct RuleSelection {
    /// In order: `default`, `all`, the name of a group or of a rule, or `-name`. Custom rules are on unless taken out. Where
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

    /// The same rules, each masking what it finds: for looking at what they find.
    #[must_use]
    pub fn masked(self) -> Self {
        let fields = self.fields.into_iter().map(|(name, _)| (name, Action::Mask)).collect();
        Self { action: Action::Mask, actions_by_rule: Vec::new(), fields, hash_key: None, ..self }
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
    /// What it finds, in the `regex` crate's syntax; empty if `shapes` or `keys` say it.
    pub pattern: String,
    /// Or what that looks like: `0` a digit, `A` a capital, `X` either of them, `_` a separator that is
    /// the same everywhere, `~` the same or none, `{n}` so many times, `\\` before any other capital.
    pub shapes: Vec<String>,
    /// Names of fields whose values go whole: matched at the end of a name, words apart by blanks.
    pub keys: Vec<String>,
    /// Words, apart by blanks: what `pattern` and `shapes` find goes only where one of these stands
    /// shortly before it, or the name of its field ends in one.
    pub context: Vec<String>,
    /// The checksum that what they find must pass without its separators, by its name.
    pub check: Option<String>,
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
    /// A name that is not lower-case letters, digits and `_`, or is `default`, `all` or a group's.
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
    /// Another part of a custom rule that cannot be.
    Part {
        /// The rule.
        name: String,
        /// The key: `shapes`, `context`, `check`, or `pattern` where there should be one.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A `must_redact` sample in which the rule finds nothing.
    SampleMissed {
        /// The rule.
        name: String,
        /// The sample.
        sample: String,
        /// What its pattern matches there all the same, and why that is not taken.
        found: Option<String>,
    },
    /// A `must_leave` sample in which the rule finds something.
    SampleHit {
        /// The rule.
        name: String,
        /// The sample.
        sample: String,
        /// What it finds, and where.
        found: String,
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
            Self::Part { name, key, reason } => write!(f, "`{key}` of rule `{name}`: {reason}"),
            Self::SampleMissed { name, sample, found } => {
                write!(f, "rule `{name}` does not find anything in its sample `{sample}`")?;
                found.iter().try_for_each(|found| write!(f, ": {found}"))
            }
            Self::SampleHit { name, sample, found } => {
                write!(f, "rule `{name}` finds {found} in `{sample}`, which it must leave")
            }
            Self::NotOn { name } => write!(f, "rule `{name}` is not on: add it to `rules`"),
            Self::NothingOn => f.write_str("no redaction rule is on"),
            Self::NoHashKey => f.write_str("action `hash` needs a `hash_key`"),
        }
    }
}

impl std::error::Error for RuleError {}
