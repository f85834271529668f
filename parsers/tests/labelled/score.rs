//! Judges what redaction took from the lines of the corpus: precision, recall, false alarms.
//!
//! A value counts as found where what was taken covers all of it, and beyond it, and what belongs to it,
//! no more than four characters of punctuation on each side. What was taken and does not do so is a false
//! alarm, unless it stands in a value whose rule is off.
#![allow(dead_code, reason = "each of the programs that share this uses a part of it")]

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use pillion_parsers::redact::{Redactor, RuleSelection, Rules};

use super::corpus::{Kind, Line, Part, Span, kind};
use super::records::Records;
use super::removed::{Removed, removed};

/// Of these the recorded lines hold many that nobody labelled: there, they are no false alarms. They are
/// rules that are off by default.
const UNLABELLED: &[&str] = &["ipv4", "ipv6", "mac", "session_id"];

/// Characters of punctuation that may go with a value, on each side.
const ADJOINING: usize = 4;

/// What came of one rule, or of all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Values that were to be found.
    pub(crate) values: usize,
    /// Values that were.
    pub(crate) found: usize,
    /// Values that were, by a rule of their own kind.
    pub(crate) by_own: usize,
    /// Parts of lines that were taken and are such values.
    pub(crate) right: usize,
    /// Parts of lines that were taken and are none.
    pub(crate) alarms: usize,
}

impl Tally {
    /// Part of the values that was found.
    pub(crate) fn recall(&self) -> Option<f64> {
        (self.values > 0).then(|| self.found as f64 / self.values as f64)
    }

    /// Part of what was taken that was to be taken.
    pub(crate) fn precision(&self) -> Option<f64> {
        let all = self.right + self.alarms;
        (all > 0).then(|| self.right as f64 / all as f64)
    }
}

/// What came of a corpus.
#[derive(Debug, Default)]
pub(crate) struct Score {
    /// By rule: recall by the rule that is to find a value, precision by the one that took something.
    pub(crate) by_rule: BTreeMap<String, Tally>,
    /// By kind of value.
    pub(crate) by_kind: BTreeMap<&'static str, Tally>,
    /// All rules.
    pub(crate) all: Tally,
    /// Lines of each part, and those with a false alarm.
    pub(crate) lines: BTreeMap<Part, (usize, usize)>,
    /// Values that are left in the records made of the lines, of those that were to be found.
    pub(crate) left: usize,
    /// Values that were not found, and false alarms, in words.
    pub(crate) faults: Vec<Fault>,
}

/// A value that was not found, or a false alarm.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The rule it belongs to.
    pub(crate) rule: String,
    /// `missed`, or `alarm`.
    pub(crate) what: &'static str,
    /// The context and the kind.
    pub(crate) from: String,
    /// The value that was to go, or the part that was taken.
    pub(crate) part: String,
    /// The line.
    pub(crate) line: String,
    /// What came of it.
    pub(crate) output: String,
}

impl Score {
    /// Lines with a false alarm among 2,000 that programs logged.
    pub(crate) fn alarms_in_2000(&self) -> f64 {
        let (lines, alarmed) = self.lines.get(&Part::Recorded).copied().unwrap_or_default();
        alarmed as f64 * 2000.0 / lines.max(1) as f64
    }
}

/// Scores a set of rules.
pub(crate) struct Judge {
    redactor: Redactor,
    /// By rule, whether it has matched in the line that is judged.
    matched: Vec<bool>,
    records: Records,
    tokens: Vec<String>,
}

/// All rules, on.
pub(crate) fn every_rule() -> Arc<Rules> {
    let rules = Rules::builtin().iter().map(|rule| rule.name.clone()).collect();
    let selection = RuleSelection { rules, ..RuleSelection::default() };
    Rules::build(selection).map_or_else(|_| Arc::default(), Arc::new)
}

impl Judge {
    /// For those rules.
    pub(crate) fn new(rules: Arc<Rules>) -> Self {
        let mut tokens: Vec<String> =
            Rules::builtin().iter().map(|rule| rule.token.clone()).collect();
        tokens.push("REDACTED".to_owned());
        let records = Records::new(Arc::clone(&rules));
        Self { redactor: Redactor::new(rules), matched: Vec::new(), records, tokens }
    }

    /// The rule that is to find a kind, if there is one and it is on.
    pub(crate) fn rule_of(&self, kind: &Kind) -> Option<&str> {
        let on = self.redactor.rules().names();
        let mut names = std::iter::once(&kind.name).chain(kind.rules);
        let exist = |name: &&&str| Rules::builtin().iter().any(|rule| rule.name == ***name);
        let name = names.find(exist)?;
        on.iter().find(|on| on == name).map(String::as_str)
    }

    /// The rule that left a token: of several with the same, one that has just matched.
    fn rule_of_token(&self, token: &str) -> String {
        let names = self.redactor.rules().names().iter().zip(&self.matched);
        let leaves = |name: &String| {
            Rules::builtin().iter().any(|rule| rule.name == *name && rule.token == token)
        };
        let mut rules = names.filter(|(name, _)| leaves(name));
        let first = rules.clone().next();
        let rule = rules.find(|(_, matched)| **matched).or(first);
        rule.map_or_else(|| token.to_owned(), |(name, _)| name.clone())
    }

    /// What is taken from a line: all of it if that cannot be told. And what is left.
    pub(crate) fn taken(&mut self, line: &Line) -> (Vec<Removed>, String) {
        let before = self.redactor.matches().to_vec();
        let output = self.redactor.clean(&line.text).to_string();
        let matches = self.redactor.matches().iter().zip(&before);
        self.matched = matches.map(|(now, before)| now > before).collect();
        if output == line.text {
            return (Vec::new(), output);
        }
        let whole = || vec![Removed { range: 0..line.text.len(), token: "REDACTED".to_owned() }];
        let parts = removed(&line.text, &output, &self.tokens, &line.spans).unwrap_or_else(whole);
        (parts, output)
    }

    /// The score on a corpus.
    pub(crate) fn score(&mut self, corpus: &[Line]) -> Score {
        let mut score = Score::default();
        for line in corpus {
            self.line(line, &mut score);
        }
        score
    }

    fn line(&mut self, line: &Line, score: &mut Score) {
        let (parts, output) = self.taken(line);
        let fault = |rule: &str, what, from: &str, part: Range<usize>| Fault {
            rule: rule.to_owned(),
            what,
            from: format!("{} in {}", from, line.from),
            part: line.text.get(part).unwrap_or_default().to_owned(),
            line: line.text.clone(),
            output: output.clone(),
        };
        for span in &line.spans {
            let Some(kind) = kind(span.kind) else { continue };
            let Some(rule) = self.rule_of(kind).map(str::to_owned) else { continue };
            let by = parts.iter().find(|part| covers(&line.text, &part.range, span, line));
            let own = by.is_some_and(|part| self.rule_of_token(&part.token) == rule);
            let tallies = [
                score.by_rule.entry(rule.clone()).or_default(),
                score.by_kind.entry(kind.name).or_default(),
                &mut score.all,
            ];
            for tally in tallies {
                tally.values += 1;
                tally.found += usize::from(by.is_some());
                tally.by_own += usize::from(own);
            }
            if by.is_none() {
                score.faults.push(fault(&rule, "missed", kind.name, span.value.clone()));
            }
        }
        let drawn = line.part == Part::Positive;
        let left = if drawn { self.records.left(line) } else { Vec::new() };
        for span in left {
            let Some(rule) = kind(span.kind).and_then(|kind| self.rule_of(kind)) else { continue };
            score.left += 1;
            score.faults.push(fault(rule, "left", span.kind, span.value.clone()));
        }
        let mut alarmed = false;
        for part in &parts {
            let covered =
                line.spans.iter().find(|span| covers(&line.text, &part.range, span, line));
            let rule = self.rule_of_token(&part.token);
            let off = |span: &Span| kind(span.kind).and_then(|kind| self.rule_of(kind)).is_none();
            let touches = |span: &&Span| {
                part.range.start < span.outer.end && span.outer.start < part.range.end
            };
            let unlabelled = line.part == Part::Recorded && UNLABELLED.contains(&rule.as_str());
            let right = covered.is_some_and(|span| !off(span));
            if !right && (unlabelled || line.spans.iter().filter(touches).any(off)) {
                continue;
            }
            for tally in [score.by_rule.entry(rule.clone()).or_default(), &mut score.all] {
                tally.right += usize::from(right);
                tally.alarms += usize::from(!right);
            }
            if !right {
                alarmed = true;
                score.faults.push(fault(&rule, "alarm", "taken", part.range.clone()));
            }
        }
        let counts = score.lines.entry(line.part).or_default();
        counts.0 += 1;
        counts.1 += usize::from(alarmed);
    }
}

/// Whether what was taken is all of a value and not more than belongs to it.
fn covers(text: &str, taken: &Range<usize>, span: &Span, line: &Line) -> bool {
    if taken.start > span.value.start || taken.end < span.value.end {
        return false;
    }
    // What belongs to other values of the line is nothing too much.
    let outers = line.spans.iter().map(|span| &span.outer);
    let start =
        outers.clone().filter(|outer| outer.end > taken.start).map(|outer| outer.start).min();
    let end = outers.filter(|outer| outer.start < taken.end).map(|outer| outer.end).max();
    let before = taken.start..start.unwrap_or(span.outer.start).max(taken.start);
    let behind = end.unwrap_or(span.outer.end).min(taken.end)..taken.end;
    [before, behind].into_iter().all(|extra| is_adjoining(text.get(extra).unwrap_or_default()))
}

/// Whether a text is a few characters of punctuation, also written as escapes.
fn is_adjoining(text: &str) -> bool {
    let mut rest = text;
    let mut count = 0;
    while let Some(first) = rest.chars().next() {
        let escape = match first {
            '%' => 3,
            '\\' if rest.starts_with("\\u") => 6,
            '\\' => 2,
            _ if first.is_alphanumeric() => return false,
            _ => first.len_utf8(),
        };
        rest = rest.get(escape..).unwrap_or_default();
        count += 1;
    }
    count <= ADJOINING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_adjoins_and_nothing_else() {
        for adjoins in ["", "\"", "',", "%22", r#"\"}"#, "\\u0022", "[("] {
            assert!(is_adjoining(adjoins), "{adjoins}");
        }
        for more in ["a", "17", "user", "-----", "\" x"] {
            assert!(!is_adjoining(more), "{more}");
        }
    }
}
