//! Which rules are on, what each does, and their detectors put together for one sweep.

use std::sync::Arc;

use super::custom::Custom;
use super::detect::{Addresses, Judge, Masks, PrefixTable};
use super::keys::Keys;
use super::rule_file::{RuleFile, builtin};
use super::{Action, CustomRule, RuleError, RuleSelection};
use crate::record::Known;

/// The detectors that are written by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Scanner {
    /// E-mail addresses.
    Email,
    /// Payment cards.
    Card,
    /// International bank account numbers.
    Iban,
    /// US social security numbers.
    Ssn,
    /// Telephone numbers.
    Phone,
    /// IPv4 addresses.
    Ipv4,
    /// IPv6 addresses.
    Ipv6,
    /// MAC addresses.
    Mac,
    /// JSON Web Tokens.
    Jwt,
    /// Credentials after a bare `Bearer` or `Basic`.
    Authorization,
    /// Passwords in URLs.
    UrlPassword,
    /// Private-key blocks.
    PrivateKey,
}

/// How many kinds of [`Scanner`] there are.
const SCANNERS: usize = Scanner::PrivateKey as usize + 1;

/// Members of an object that may hold the name of its `value`.
pub(super) const PAIRED: [&str; 2] = ["key", "name"];

/// What is done with what one rule finds.
#[derive(Debug)]
pub(super) struct Rule {
    /// The token's name, as `EMAIL`.
    pub(super) token: Box<str>,
    /// What is done.
    pub(super) action: Action,
    /// What it takes for a secret in running text.
    judge: Judge,
    /// Whether it stands for a field that the configuration names: its value goes whole, whatever it
    /// is.
    field: bool,
}

/// Compiled rules, shared by all redactors.
#[derive(Default)]
pub struct Rules {
    names: Vec<String>,
    rules: Vec<Rule>,
    scanners: [Option<u16>; SCANNERS],
    queries: Vec<(Box<str>, u16)>,
    known: Vec<Option<u16>>,
    /// Whether any rule needs the sweep.
    pub(super) sweeps: bool,
    pub(super) addresses: Addresses,
    pub(super) prefixes: PrefixTable,
    pub(super) masks: Masks,
    pub(super) keys: Keys,
    pub(super) custom: Vec<Custom>,
    pub(super) hash_key: Option<Box<[u8]>>,
}

impl Rules {
    /// The default rules, masked.
    #[must_use]
    pub fn builtin_default() -> Arc<Self> {
        let mut rules = Self::default();
        for rule in builtin().iter().filter(|rule| rule.default) {
            rules.add(rule, Action::Mask);
        }
        rules.note_known();
        Arc::new(rules)
    }

    /// The rules a configuration asks for.
    ///
    /// # Errors
    /// [`RuleError`], the first mistake found.
    pub fn build(selection: RuleSelection) -> Result<Self, RuleError> {
        let chosen = Chosen::from(&selection)?;
        let mut rules = Self::default();
        for rule in builtin().iter().filter(|rule| chosen.has(&rule.name)) {
            rules.add(rule, selection.action);
        }
        for custom in selection.custom.iter().filter(|rule| chosen.has(&rule.name)) {
            let index = rules.push(&custom.name, &custom.name, selection.action, false);
            rules.custom.push(Custom::compile(custom, index)?);
        }
        for (name, action) in &selection.actions_by_rule {
            chosen.known(name)?;
            let index = rules.names.iter().position(|known| known == name);
            let rule = index.and_then(|index| rules.rules.get_mut(index));
            rule.ok_or_else(|| RuleError::NotOn { name: name.clone() })?.action = *action;
        }
        for (name, action) in &selection.fields {
            let last = name.rsplit('.').next().unwrap_or(name);
            let index = rules.push(&format!("field:{name}"), last, *action, true);
            rules.keys.add_field(name, index);
            rules.sweeps = true;
        }
        if rules.is_off() {
            return Err(RuleError::NothingOn);
        }
        let hashes = rules.rules.iter().any(|rule| rule.action == Action::Hash);
        if hashes && selection.hash_key.as_ref().is_none_or(Vec::is_empty) {
            return Err(RuleError::NoHashKey);
        }
        rules.hash_key = selection.hash_key.map(Into::into);
        rules.note_known();
        Ok(rules)
    }

    /// Notes which of pillion's own field names a rule has, once all rules are in.
    fn note_known(&mut self) {
        // `{"key":"password","value":…}`: these are looked at for what they say.
        for name in PAIRED {
            self.keys.allow(name.as_bytes());
        }
        self.known = Known::ALL.iter().map(|known| self.keys.find(known.name(), &[])).collect();
    }

    /// No rules: everything passes.
    #[must_use]
    pub fn off() -> Self {
        Self::default()
    }

    /// Names of the rules that are on, then one `field:NAME` for each field named in the
    /// configuration. [`Redactor::matches`](super::Redactor::matches) counts in this order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Every built-in rule, on or off, as its file declares it.
    #[must_use]
    pub fn builtin() -> &'static [RuleFile] {
        builtin()
    }

    fn push(&mut self, name: &str, token: &str, action: Action, field: bool) -> u16 {
        let token = token
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
            .collect::<String>();
        // Tokens begin with a letter, or they would not be known again.
        let token = if token.starts_with(|c: char| c.is_ascii_uppercase()) {
            token
        } else {
            format!("FIELD_{token}")
        };
        let index = u16::try_from(self.rules.len()).unwrap_or(u16::MAX);
        self.masks.add(&token);
        self.masks.add("REDACTED");
        self.names.push(name.to_owned());
        self.rules.push(Rule { token: token.into(), action, judge: Judge::Any, field });
        index
    }

    fn add(&mut self, file: &RuleFile, action: Action) {
        let index = self.push(&file.name, &file.token, action, false);
        if let Some(rule) = self.rules.last_mut() {
            rule.judge = file.values;
        }
        match file.scan {
            Some(Scanner::Ipv4) => self.addresses.ipv4 = Some(index),
            Some(Scanner::Ipv6) => self.addresses.ipv6 = Some(index),
            Some(Scanner::Mac) => self.addresses.mac = Some(index),
            Some(scanner) => {
                if let Some(slot) = self.scanners.get_mut(scanner as usize) {
                    *slot = Some(index);
                }
                self.sweeps = true;
                if scanner == Scanner::Jwt {
                    self.prefixes.note_first(b"eyJ");
                }
            }
            None => self.sweeps = true,
        }
        for prefix in &file.prefixes {
            self.prefixes.add(prefix, index);
        }
        for key in &file.keys {
            self.keys.add(key, index);
        }
        for key in &file.strings {
            self.keys.add_string(key, index);
        }
        for key in &file.except {
            self.keys.add_exception(key, index);
        }
        for name in &file.query {
            self.keys.allow(name.as_bytes());
            self.queries.push((name.as_str().into(), index));
        }
    }

    /// The rule that has this detector, if it is on.
    #[inline]
    pub(super) fn scanner(&self, scanner: Scanner) -> Option<u16> {
        self.scanners.get(scanner as usize).copied().flatten()
    }

    /// The rule at an index. Indexes come from this table; another gives nothing.
    pub(super) fn rule(&self, index: u16) -> Option<&Rule> {
        self.rules.get(usize::from(index))
    }

    /// Whether the configuration names fields of its own.
    #[must_use]
    pub fn name_fields(&self) -> bool {
        self.rules.iter().any(|rule| rule.field)
    }

    /// Whether a rule stands for a field that the configuration names.
    pub(super) fn is_field(&self, index: u16) -> bool {
        self.rule(index).is_some_and(|rule| rule.field)
    }

    /// What a rule takes for a secret in running text.
    pub(super) fn judge(&self, index: u16) -> Judge {
        self.rule(index).map_or(Judge::Any, |rule| rule.judge)
    }

    /// Whether what stands right inside of an object belongs to the rule that the object's key has:
    /// `"password":{"new":"…"}`.
    pub(super) fn reaches_into(&self, index: u16) -> bool {
        self.judge(index) == Judge::Any
    }

    /// The rule for a URL parameter of an everyday name.
    pub(super) fn query(&self, name: &str) -> Option<u16> {
        self.queries
            .iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known))
            .map(|(_, rule)| *rule)
    }

    /// The rule for one of pillion's own field names.
    #[inline]
    pub(super) fn known_field(&self, known: Known) -> Option<u16> {
        self.known.get(known as usize).copied().flatten()
    }

    /// Whether nothing is to be done at all.
    pub(super) fn is_off(&self) -> bool {
        self.rules.is_empty()
    }
}

impl std::fmt::Debug for Rules {
    /// Names, and never the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Rules").field(&self.names).finish()
    }
}

/// Which names a selection turns on.
struct Chosen<'s> {
    on: Vec<&'s str>,
    custom: &'s [CustomRule],
}

impl<'s> Chosen<'s> {
    fn from(selection: &'s RuleSelection) -> Result<Self, RuleError> {
        let mut chosen = Self { on: Vec::new(), custom: &selection.custom };
        for custom in &selection.custom {
            Self::check_name(custom, &selection.custom)?;
            chosen.on.push(&custom.name);
        }
        let typed = || selection.rules.iter().map(|typed| typed.trim());
        // Whoever only takes rules out wants the rest of them on.
        let from_default = typed().next().is_some() && typed().all(|typed| typed.starts_with('-'));
        for typed in from_default.then_some("default").into_iter().chain(typed()) {
            match typed.strip_prefix('-') {
                Some(name) => {
                    if name != "default" {
                        chosen.known(name)?;
                    }
                    let default = builtin().iter().filter(|rule| rule.default);
                    let all: Vec<&str> = default.map(|rule| rule.name.as_str()).collect();
                    chosen.on.retain(|on| *on != name && (name != "default" || !all.contains(on)));
                }
                None if typed == "default" => chosen
                    .on
                    .extend(builtin().iter().filter(|rule| rule.default).map(|rule| &*rule.name)),
                None => {
                    chosen.known(typed)?;
                    chosen.on.push(typed);
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
            || name == "default"
        {
            return Err(RuleError::BadName { name: name.clone() });
        }
        let taken = builtin().iter().any(|rule| rule.name == *name)
            || all.iter().filter(|rule| rule.name == *name).count() > 1;
        if taken { Err(RuleError::Duplicate { name: name.clone() }) } else { Ok(()) }
    }

    fn has(&self, name: &str) -> bool {
        self.on.contains(&name)
    }

    fn known(&self, name: &str) -> Result<(), RuleError> {
        let builtin = builtin().iter().map(|rule| rule.name.as_str());
        let mut known = builtin.chain(self.custom.iter().map(|rule| rule.name.as_str()));
        if known.any(|known| known == name) {
            return Ok(());
        }
        let builtin = super::rule_file::builtin().iter().map(|rule| rule.name.clone());
        let custom = self.custom.iter().map(|rule| rule.name.clone());
        let known = std::iter::once("default".to_owned()).chain(builtin).chain(custom).collect();
        Err(RuleError::Unknown { name: name.to_owned(), known })
    }
}
