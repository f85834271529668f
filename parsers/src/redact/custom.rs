//! A user's own rules: patterns, with samples that must agree before they are taken.

use regex::{Regex, RegexBuilder};

use super::{CustomRule, RuleError};

/// Bytes a compiled pattern may take, and its cache while it runs.
const SIZES: (usize, usize) = (1 << 20, 256 << 10);

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Custom {
    /// What it finds in a value.
    pub(super) pattern: Regex,
    /// The same without what looks at the surroundings (`^`, `$`, `\b`): where it finds nothing in a
    /// raw record, `pattern` finds nothing in any value cut out of it. `None` if there is no such
    /// form, and every value must be looked at.
    pub(super) gate: Option<Regex>,
    /// The rule's index.
    pub(super) rule: u16,
}

impl Custom {
    /// Compiles a rule and runs its samples.
    pub(super) fn compile(rule: &CustomRule, index: u16) -> Result<Self, RuleError> {
        let name = || rule.name.clone();
        let pattern = compile(&rule.pattern)
            .map_err(|error| RuleError::Pattern { name: name(), reason: error.to_string() })?;
        let samples = rule.must_redact.iter().chain(&rule.must_leave).map(String::as_str);
        for text in ["", " ", "a", "0", "a 0"].into_iter().chain(samples) {
            if pattern.find_iter(text).any(|found| found.is_empty()) {
                return Err(RuleError::MatchesEmpty { name: name() });
            }
        }
        if let Some(sample) = rule.must_redact.iter().find(|sample| !pattern.is_match(sample)) {
            return Err(RuleError::SampleMissed { name: name(), sample: sample.clone() });
        }
        if let Some(sample) = rule.must_leave.iter().find(|sample| pattern.is_match(sample)) {
            return Err(RuleError::SampleHit { name: name(), sample: sample.clone() });
        }
        let gate = without_assertions(&rule.pattern).and_then(|gate| compile(&gate).ok());
        Ok(Self { pattern, gate, rule: index })
    }
}

pub(super) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(SIZES.0).dfa_size_limit(SIZES.1).build()
}

/// The pattern without `^`, `$` and `\b`; `None` where that could change what the rest means.
fn without_assertions(pattern: &str) -> Option<String> {
    let mut out = String::with_capacity(pattern.len());
    let mut in_class = 0_usize;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        let dropped = match character {
            '\\' => {
                let escaped = characters.next()?;
                match escaped {
                    // `\b{start}` and the like are rare enough to give up on.
                    'b' if in_class == 0 && characters.peek() != Some(&'{') => true,
                    'b' | 'B' | 'A' | 'z' | '<' | '>' => return None,
                    _ => {
                        out.extend(['\\', escaped]);
                        continue;
                    }
                }
            }
            '^' | '$' if in_class == 0 => true,
            '[' => {
                in_class += 1;
                false
            }
            ']' => {
                in_class = in_class.saturating_sub(1);
                false
            }
            _ => false,
        };
        if !dropped {
            out.push(character);
        } else if matches!(characters.peek(), Some('*' | '+' | '?' | '{')) {
            return None;
        }
    }
    // A literal `]` first in a class, or verbose mode's comments, would have been misread.
    let verbose =
        |flags: &str| flags.split([':', ')', '<', 'P']).next().unwrap_or("").contains('x');
    let misread = pattern.contains("[]")
        || pattern.contains("[^]")
        || pattern.split("(?").skip(1).any(verbose);
    (!misread).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(pattern: &str, redact: &[&str], leave: &[&str]) -> CustomRule {
        let owned = |samples: &[&str]| samples.iter().map(|&sample| sample.into()).collect();
        CustomRule {
            name: "mine".into(),
            pattern: pattern.into(),
            must_redact: owned(redact),
            must_leave: owned(leave),
        }
    }

    #[test]
    fn patterns_that_match_nothing_or_disagree_with_samples_are_refused() {
        let refused = |pattern: &str, redact: &[&str], leave: &[&str]| {
            Custom::compile(&rule(pattern, redact, leave), 0).unwrap_err()
        };
        for pattern in ["", "x*", r"\b", "^", "a|"] {
            assert_eq!(refused(pattern, &[], &[]), RuleError::MatchesEmpty { name: "mine".into() });
        }
        assert!(matches!(refused("(", &[], &[]), RuleError::Pattern { .. }));
        assert!(matches!(refused("(?=x)", &[], &[]), RuleError::Pattern { .. }));
        assert_eq!(
            refused(r"E\d{6}", &["badge E12345"], &[]),
            RuleError::SampleMissed { name: "mine".into(), sample: "badge E12345".into() }
        );
        assert_eq!(
            refused(r"E\d{6}", &["badge E123456"], &["ERRORE123456"]),
            RuleError::SampleHit { name: "mine".into(), sample: "ERRORE123456".into() }
        );
        assert!(Custom::compile(&rule(r"\bE\d{6}\b", &["E123456"], &["ERRORE123456"]), 0).is_ok());
    }

    #[test]
    fn gates_find_all_that_their_patterns_find() {
        let gate = |pattern: &str| without_assertions(pattern);
        assert_eq!(gate(r"\bE\d{6}\b").as_deref(), Some(r"E\d{6}"));
        assert_eq!(gate(r"^a$").as_deref(), Some("a"));
        assert_eq!(gate(r"[$^]\\b").as_deref(), Some(r"[$^]\\b"));
        assert_eq!(gate(r"(?:^|,)x").as_deref(), Some("(?:|,)x"));
        assert_eq!(gate(r"\Ax"), None);
        assert_eq!(gate(r"\b*x"), None);
        assert_eq!(gate(r"[]^]x"), None);
        assert_eq!(gate("(?x) a # $"), None);
    }
}
