//! Which rules are on, what each does, and their detectors put together for one sweep.

use std::sync::Arc;

use super::check::by_name;
use super::chosen::Chosen;
use super::custom::{Custom, prove};
use super::detect::{Addresses, Judge, PrefixTable};
use super::keys::Keys;
use super::mask::Masks;
use super::rule_file::{RuleFile, builtin, with_samples};
use super::shapes::{Place, ShapeRule, Shapes, Slots};
use super::sweep::Wanted;
use super::{Action, Allow, RuleError, RuleSelection};
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
    /// Which rules' words each of pillion's own field names ends in.
    known_contexts: Vec<Slots>,
    /// A bit for each of those names that says nothing of its value.
    quiet: u128,
    /// Whether any rule needs the sweep.
    pub(super) sweeps: bool,
    pub(super) addresses: Addresses,
    pub(super) prefixes: PrefixTable,
    pub(super) shapes: Shapes,
    pub(super) masks: Masks,
    pub(super) keys: Keys,
    pub(super) custom: Vec<Custom>,
    allow: Allow,
    pub(super) hash_key: Option<Box<[u8]>>,
}

impl Rules {
    /// The default rules, masked.
    #[must_use]
    pub fn builtin_default() -> Arc<Self> {
        Arc::new(Self::of(builtin().iter().filter(|rule| rule.default)))
    }

    /// These rules, masked.
    pub(super) fn of<'f>(files: impl Iterator<Item = &'f RuleFile>) -> Self {
        let mut rules = Self::default();
        for rule in files {
            rules.add(rule, Action::Mask);
        }
        rules.note_known();
        rules
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
            prove(custom)?;
            rules.add_custom(custom, selection.action)?;
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
        for name in &selection.allow.keys {
            rules.keys.add_allowed(name);
        }
        rules.allow = selection.allow;
        rules.note_known();
        Ok(rules)
    }

    /// Notes which of pillion's own field names a rule has, once all rules are in.
    pub(super) fn note_known(&mut self) {
        // `{"key":"password","value":…}`: these are looked at for what they say.
        for name in PAIRED {
            self.keys.allow_alone(name.as_bytes());
        }
        // CEF's `cs1Label=password`, and PuTTY's keys.
        for name in ["label", "lines", "mac"] {
            self.keys.allow(name.as_bytes());
        }
        self.known = Known::ALL.iter().map(|known| self.keys.find(known.name(), &[])).collect();
        let contexts = self.shapes.contexts();
        self.known_contexts =
            Known::ALL.iter().map(|known| contexts.of_name(known.name())).collect();
        let says = |(known, slots): (&Option<u16>, &Slots)| known.is_some() || !slots.is_empty();
        let names = self.known.iter().zip(&self.known_contexts).map(says);
        self.quiet = names
            .take(128)
            .enumerate()
            .fold(0, |quiet, (at, says)| quiet | if says { 0 } else { 1 << at });
        for name in contexts.names() {
            self.keys.allow_words(&name);
        }
        for first in 0..=u8::MAX {
            if self.shapes.has(Place::Word) && self.shapes.may_begin_word(first) {
                self.prefixes.mark(first);
            }
        }
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

    /// What a rule that is on leaves in place of what it finds, without the brackets.
    #[must_use]
    pub fn token(&self, name: &str) -> Option<&str> {
        self.called(name).map(|rule| &*rule.token)
    }

    /// What a rule that is on does with what it finds.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<Action> {
        self.called(name).map(|rule| rule.action)
    }

    fn called(&self, name: &str) -> Option<&Rule> {
        self.rules.get(self.names.iter().position(|known| known == name)?)
    }

    /// Every built-in rule, on or off, as its file declares it.
    #[must_use]
    pub fn builtin() -> &'static [RuleFile] {
        with_samples()
    }

    pub(super) fn push(&mut self, name: &str, token: &str, action: Action, field: bool) -> u16 {
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
                if scanner == Scanner::Jwt {
                    self.prefixes.note_first(b"eyJ");
                }
            }
            None => {}
        }
        self.sweeps = true;
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
        if !file.shapes.is_empty() {
            self.add_shapes(file, index);
        }
        for name in &file.query {
            self.keys.allow_alone(name.as_bytes());
            self.queries.push((name.as_str().into(), index));
        }
    }

    fn add_shapes(&mut self, file: &RuleFile, index: u16) {
        let shapes = ShapeRule {
            shapes: &file.shapes,
            context: &file.context,
            check: file.check.as_deref().and_then(by_name),
            any_case: file.any_case,
            rule: index,
        };
        let added = self.shapes.add(&shapes);
        debug_assert!(added.is_ok(), "{}: {added:?}", file.name);
    }

    /// Which anchors the sweep is to look for.
    #[inline]
    pub(super) fn wanted(&self) -> Wanted {
        Wanted { shapes: !self.shapes.is_empty(), addresses: !self.addresses.is_off() }
    }

    /// The rules whose words the name of a field ends in.
    #[inline]
    pub(super) fn context(&self, name: &str) -> Slots {
        if self.keys.may_be(name.as_bytes()) {
            self.shapes.contexts().of_name(self.masks.behind(name))
        } else {
            Slots::default()
        }
    }

    /// The same of one of pillion's own field names.
    #[inline]
    pub(super) fn known_context(&self, known: Known) -> Slots {
        self.known_contexts.get(known as usize).copied().unwrap_or_default()
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

    /// The rule for a field of that name, at the end of `path`. What redaction has left in a name, as in
    /// `owner [US_SSN]`, says nothing of the value.
    pub(super) fn named(&self, name: &str, path: &[String]) -> Option<u16> {
        let found = self.keys.find(name, path)?;
        let behind = self.masks.behind(name);
        if behind.len() == name.len() || self.is_field(found) {
            return Some(found);
        }
        self.keys.find(behind, &[])
    }

    /// Whether a rule stands for a field that the configuration names.
    pub(super) fn is_field(&self, index: u16) -> bool {
        self.rule(index).is_some_and(|rule| rule.field)
    }

    /// Whether what a rule found is left all the same. What a configuration names goes.
    pub(super) fn allows(&self, index: u16, found: &str) -> bool {
        self.rule(index).is_some_and(|rule| !rule.field && self.allow.has(&rule.token, found))
    }

    /// What a rule takes for a secret in running text.
    pub(super) fn judge(&self, index: u16) -> Judge {
        self.rule(index).map_or(Judge::Any, |rule| rule.judge)
    }

    /// Whether what stands right inside of an object belongs to the rule that the object's key has:
    /// `"password":{"new":"…"}`.
    pub(super) fn reaches_into(&self, index: u16) -> bool {
        matches!(self.judge(index), Judge::Any | Judge::Words | Judge::Cookie)
    }

    /// The rule for a URL parameter of an everyday name.
    pub(super) fn query(&self, name: &str) -> Option<u16> {
        self.queries
            .iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known))
            .filter(|_| !self.keys.allows(name, &[]))
            .map(|(_, rule)| *rule)
    }

    /// Whether one of pillion's own field names says nothing of its value.
    #[inline]
    pub(super) fn is_quiet(&self, known: Known) -> bool {
        self.quiet.checked_shr(known as u32).is_some_and(|quiet| quiet & 1 == 1)
    }

    /// Whether some rule has a name, or part of it has the words of one.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.keys.may_find(name).is_some() || !self.shapes.contexts().of_name(name).is_empty()
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
