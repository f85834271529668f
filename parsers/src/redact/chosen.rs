//! Which rules a selection turns on: by their names, by the names of groups, or taken out by `-name`.

use super::rule_file::{ALL, DEFAULT, RuleFile, builtin};
use super::{CustomRule, RuleError, RuleSelection};

/// Which names a selection turns on.
pub(super) struct Chosen<'s> {
    on: Vec<&'s str>,
    custom: &'s [CustomRule],
}

/// The built-in rules that a name stands for: one, or a group of them. `None` if it stands for none.
pub(super) fn called(name: &str) -> Option<Vec<&'static RuleFile>> {
    let found: Vec<&RuleFile> = builtin()
        .iter()
        .filter(|rule| match name {
            DEFAULT => rule.default,
            ALL => true,
            name => rule.name == name || rule.groups.iter().any(|group| group == name),
        })
        .collect();
    (!found.is_empty()).then_some(found)
}

/// The names that stand for several rules, in order.
pub(super) fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&str> =
        builtin().iter().flat_map(|rule| &rule.groups).map(String::as_str).collect();
    groups.sort_unstable();
    groups.dedup();
    groups.splice(0..0, [DEFAULT, ALL]);
    groups
}

impl<'s> Chosen<'s> {
    pub(super) fn from(selection: &'s RuleSelection) -> Result<Self, RuleError> {
        let mut chosen = Self { on: Vec::new(), custom: &selection.custom };
        for custom in &selection.custom {
            Self::check_name(custom, &selection.custom)?;
            chosen.on.push(&custom.name);
        }
        let typed = || selection.rules.iter().map(|typed| typed.trim());
        // Whoever only takes rules out wants the rest of them on.
        let from_default = typed().next().is_some() && typed().all(|typed| typed.starts_with('-'));
        for typed in from_default.then_some(DEFAULT).into_iter().chain(typed()) {
            match typed.strip_prefix('-') {
                Some(name) => {
                    let out = chosen.names(name)?;
                    chosen.on.retain(|on| !out.contains(on));
                }
                None => {
                    let names = chosen.names(typed)?;
                    chosen.on.extend(names);
                }
            }
        }
        Ok(chosen)
    }

    fn check_name(rule: &CustomRule, all: &[CustomRule]) -> Result<(), RuleError> {
        let name = &rule.name;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !name.starts_with(|c: char| c.is_ascii_lowercase())
            || !name.chars().all(plain)
            || groups().contains(&name.as_str())
        {
            return Err(RuleError::BadName { name: name.clone() });
        }
        let taken = builtin().iter().any(|rule| rule.name == *name)
            || all.iter().filter(|rule| rule.name == *name).count() > 1;
        if taken { Err(RuleError::Duplicate { name: name.clone() }) } else { Ok(()) }
    }

    /// Whether the rule of this name is on.
    pub(super) fn has(&self, name: &str) -> bool {
        self.on.contains(&name)
    }

    /// Whether there is a rule of this name at all.
    pub(super) fn known(&self, name: &str) -> Result<(), RuleError> {
        let builtin = builtin().iter().map(|rule| rule.name.as_str());
        let mut known = builtin.chain(self.custom.iter().map(|rule| rule.name.as_str()));
        if known.any(|known| known == name) { Ok(()) } else { Err(self.unknown(name)) }
    }

    /// The rules that a name stands for.
    fn names(&self, name: &str) -> Result<Vec<&'s str>, RuleError> {
        if let Some(rules) = called(name) {
            return Ok(rules.into_iter().map(|rule| rule.name.as_str()).collect());
        }
        let custom = self.custom.iter().find(|rule| rule.name == name);
        custom.map(|rule| vec![rule.name.as_str()]).ok_or_else(|| self.unknown(name))
    }

    fn unknown(&self, name: &str) -> RuleError {
        let groups = groups().into_iter().map(str::to_owned);
        let builtin = builtin().iter().map(|rule| rule.name.clone());
        let custom = self.custom.iter().map(|rule| rule.name.clone());
        let known = groups.chain(builtin).chain(custom).collect();
        RuleError::Unknown { name: name.to_owned(), known }
    }
}
