//! A user's own rules: patterns and shapes with their words, their checksum and the names of their
//! fields, with samples that must agree before they are taken.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use regex_syntax::ast;
use regex_syntax::hir::{Hir, HirKind, Repetition};

use super::check::{Check, by_name};
use super::detect::View;
use super::scan::Hit;
use super::shapes::{ShapeError, ShapeFile, ShapeRule, Slots};
use super::{Action, CustomRule, Redactor, RuleError, Rules};

/// Bytes a compiled pattern may take, and its cache while it runs.
const SIZES: (usize, usize) = (1 << 20, 256 << 10);

/// Bytes of a value without its separators that a checksum is given.
const LONGEST: usize = 128;

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Custom {
    /// What it finds in a value.
    pattern: Regex,
    /// The same without what looks at the surroundings (`^`, `$`, `\b`): where it finds nothing in a
    /// raw record, `pattern` finds nothing in any value cut out of it. `None` if that is the same.
    gate: Option<Regex>,
    /// Which of the rules with words it is.
    slot: Option<u8>,
    /// What a value must pass.
    check: Option<Check>,
    /// The rule's index.
    pub(super) rule: u16,
}

impl Custom {
    /// Whether there may be something to find in a value cut out of a raw record.
    pub(super) fn suspects(&self, raw: &str) -> bool {
        self.gate.as_ref().unwrap_or(&self.pattern).is_match(raw)
    }

    /// What it finds in a value; `named` are the rules whose words its field's name ends in.
    pub(super) fn find<'c>(
        &'c self,
        rules: &'c Rules,
        text: &'c str,
        named: Slots,
    ) -> impl Iterator<Item = Hit> + 'c {
        let is = move |range: &std::ops::Range<usize>| {
            let in_context = || {
                let near = || rules.shapes.contexts().near(View::of(text.as_bytes()), range.start);
                self.slot.is_none_or(|slot| named.has(slot) || near().slots().has(slot))
            };
            !range.is_empty() && in_context() && self.passes(text.get(range.clone()))
        };
        let found = self.pattern.find_iter(text).map(|found| found.range());
        found.filter(is).map(|range| Hit { range, rule: self.rule, named: false, quote: 0..0 })
    }

    /// Whether a value, without its separators, passes the checksum.
    fn passes(&self, value: Option<&str>) -> bool {
        let (Some(check), Some(value)) = (self.check, value) else { return true };
        let mut bytes = [0; LONGEST];
        let mut filled = 0;
        for byte in value.bytes().filter(|byte| byte.is_ascii_alphanumeric()) {
            let Some(place) = bytes.get_mut(filled) else { return false };
            (*place, filled) = (byte, filled + 1);
        }
        let Some(value) = bytes.get_mut(..filled) else { return false };
        check(value) || {
            value.make_ascii_uppercase();
            check(value)
        }
    }
}

impl Rules {
    /// Adds a rule of the user's own.
    pub(super) fn add_custom(
        &mut self,
        rule: &CustomRule,
        action: Action,
    ) -> Result<(), RuleError> {
        let part = |key, reason| RuleError::Part { name: rule.name.clone(), key, reason };
        if rule.pattern.is_empty() && rule.shapes.is_empty() && rule.keys.is_empty() {
            return Err(part(
                "pattern",
                "it has no `pattern`, no `shapes` and no `keys`".to_owned(),
            ));
        }
        let unused = rule.pattern.is_empty() && rule.shapes.is_empty();
        if unused && (rule.check.is_some() || !rule.context.is_empty()) {
            let key = if rule.check.is_some() { "check" } else { "context" };
            return Err(part(key, "there is no `pattern` and no shape that it is for".to_owned()));
        }
        let index = self.push(&rule.name, &rule.name, action, false);
        let check = match &rule.check {
            Some(name) => Some(
                by_name(name)
                    .ok_or_else(|| part("check", format!("no checksum is called `{name}`")))?,
            ),
            None => None,
        };
        for words in &rule.context {
            let word = |word: &str| !word.is_empty() && word.chars().all(char::is_alphabetic);
            if !words.split(' ').all(word) {
                let reason = format!("`{words}` is no word, nor words apart by one blank");
                return Err(part("context", reason));
            }
        }
        let needs_context = !rule.context.is_empty();
        let shapes: Vec<ShapeFile> = rule
            .shapes
            .iter()
            .map(|shape| ShapeFile { shape: shape.clone(), needs_context })
            .collect();
        let slot = self
            .shapes
            .add(&ShapeRule {
                shapes: &shapes,
                context: &rule.context,
                check,
                any_case: false,
                rule: index,
            })
            .map_err(|error| part(error_key(&error), error.to_string()))?;
        for name in &rule.keys {
            if name.trim().is_empty() {
                return Err(part("keys", "a name of a field is empty".to_owned()));
            }
            self.keys.add(&name.to_ascii_lowercase(), index);
        }
        self.sweeps = true;
        if !rule.pattern.is_empty() {
            let (pattern, gate) = compile(rule)?;
            self.custom.push(Custom { pattern, gate, slot, check, rule: index });
        }
        Ok(())
    }
}

/// The key of a rule that a mistake in its shapes is about.
const fn error_key(error: &ShapeError) -> &'static str {
    match error {
        ShapeError::TooMany => "context",
        _ => "shapes",
    }
}

/// Runs the samples of a rule by the rule alone.
pub(super) fn prove(rule: &CustomRule) -> Result<(), RuleError> {
    let mut alone = Rules::default();
    alone.add_custom(rule, Action::Mask)?;
    alone.note_known();
    let mut redactor = Redactor::new(Arc::new(alone));
    for sample in &rule.must_redact {
        if *redactor.clean(sample) == **sample {
            let (name, sample) = (rule.name.clone(), sample.clone());
            let found = refused_in(rule, &sample);
            return Err(RuleError::SampleMissed { name, sample, found });
        }
    }
    for sample in &rule.must_leave {
        let clean = redactor.clean(sample);
        if *clean != **sample {
            let (name, sample) = (rule.name.clone(), sample.clone());
            let found = changed(&sample, &clean);
            return Err(RuleError::SampleHit { name, sample, found });
        }
    }
    Ok(())
}

/// What a rule's pattern finds in a sample though the rule does not take it, in words.
fn refused_in(rule: &CustomRule, sample: &str) -> Option<String> {
    let found = compile(rule).ok()?.0.find(sample)?;
    let (text, at) = (found.as_str(), found.start() + 1);
    let of = match (&rule.check, rule.context.is_empty()) {
        (Some(check), true) => format!("the checksum `{check}` refuses it"),
        (Some(check), false) => {
            format!("no word of its context stands before it, or the checksum `{check}` refuses it")
        }
        (None, _) => "no word of its context stands before it".to_owned(),
    };
    Some(format!("the pattern matches `{text}` at byte {at}, but {of}"))
}

/// What was taken out of a sample, in words.
fn changed(sample: &str, clean: &str) -> String {
    let same = |pair: &(u8, u8)| pair.0 == pair.1;
    let start = sample.bytes().zip(clean.bytes()).take_while(same).count();
    let end = sample.bytes().rev().zip(clean.bytes().rev()).take_while(same).count();
    let end = (sample.len() - end).max(start);
    let text = String::from_utf8_lossy(sample.as_bytes().get(start..end).unwrap_or_default());
    format!("`{text}` at byte {}", start + 1)
}

/// A pattern within bounds.
pub(super) fn build(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(SIZES.0).dfa_size_limit(SIZES.1).build()
}

/// A rule's pattern, and its gate if that is another.
fn compile(rule: &CustomRule) -> Result<(Regex, Option<Regex>), RuleError> {
    let refused = |reason| RuleError::Pattern { name: rule.name.clone(), reason };
    let hir = regex_syntax::parse(&rule.pattern).map_err(|error| refused(in_words(&error)))?;
    match hir.properties().minimum_len() {
        Some(0) => return Err(RuleError::MatchesEmpty { name: rule.name.clone() }),
        None => return Err(refused("there is no text that it could match".to_owned())),
        Some(_) => {}
    }
    let pattern = build(&rule.pattern).map_err(|error| refused(error.to_string()))?;
    if hir.properties().look_set().is_empty() {
        return Ok((pattern, None));
    }
    let gate =
        build(&without_looks(hir).to_string()).map_err(|error| refused(error.to_string()))?;
    Ok((pattern, Some(gate)))
}

/// Why a pattern cannot be read. Patterns of other engines can look around a place, and back.
fn in_words(error: &regex_syntax::Error) -> String {
    if let regex_syntax::Error::Parse(error) = error {
        match error.kind() {
            ast::ErrorKind::UnsupportedLookAround => {
                return "it looks around a place (`(?=`, `(?!`, `(?<=` or `(?<!`), and the engine, which \
                        reads a text only once, cannot: say which words stand before a value by \
                        `context`, what must not touch it by `\\b`, or take what stands around into \
                        the pattern"
                    .to_owned();
            }
            ast::ErrorKind::UnsupportedBackreference => {
                return "it refers back to what it has matched (`\\1`), and the engine, which reads a \
                        text only once, cannot: write the pattern for each case, apart by `|`"
                    .to_owned();
            }
            _ => {}
        }
    }
    error.to_string()
}

/// A pattern without what looks at the surroundings: it matches wherever the whole one does, and
/// wherever that would in a text cut out.
fn without_looks(hir: Hir) -> Hir {
    match hir.into_kind() {
        HirKind::Look(_) | HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Repetition(repeated) => {
            let sub = Box::new(without_looks(*repeated.sub));
            Hir::repetition(Repetition { sub, ..repeated })
        }
        HirKind::Capture(capture) => without_looks(*capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(without_looks).collect()),
        HirKind::Alternation(parts) => {
            Hir::alternation(parts.into_iter().map(without_looks).collect())
        }
    }
}

#[cfg(test)]
mod tests;
