//! What the rules found in logs: counted by rule, with the first places of each.

use std::sync::Arc;

use pillion_parsers::redact::{Clean, Match, Place, Redactor, Rules};

use super::around::around;
use crate::cli::shown::in_one_line;
use crate::pipeline::replay::Explained;

/// Fields of a rule that are told apart; those of more are counted together.
const FIELDS: usize = 12;

/// What the fields beyond those are called.
const OTHERS: &str = "others";

/// What is found in keys has no field.
const A_NAME: &str = "(a field's name)";

/// What was found.
pub(super) struct Tally {
    /// Records looked at.
    pub(super) records: u64,
    /// Records in which something was found.
    pub(super) touched: u64,
    /// Records that a step or a rule of the configuration drops.
    pub(super) dropped: u64,
    /// By rule, in the rules' order.
    pub(super) rules: Vec<Found>,
    /// Cleans the names of fields: they are from the log, too.
    redactor: Redactor,
    /// Places that are kept of each rule.
    limit: usize,
}

/// What one rule found.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) token: String,
    pub(super) matches: u64,
    /// Records with a match.
    pub(super) records: u64,
    /// Where the first was.
    pub(super) first: Option<Spot>,
    /// The first of them, at most as many as were asked for.
    pub(super) spots: Vec<(Spot, String)>,
    /// Fields, and how many matches were in each.
    pub(super) fields: Vec<(String, u64)>,
}

/// Where a match is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    /// The log's index.
    pub(super) log: usize,
    /// The line that its record begins in, from 1.
    pub(super) line: u64,
    pub(super) field: String,
}

impl Tally {
    /// One that has seen nothing, and keeps at most so many places of each rule.
    pub(super) fn new(rules: &Arc<Rules>, limit: usize) -> Self {
        let found = |name: &String| Found {
            name: name.clone(),
            token: rules.token(name).unwrap_or_default().to_owned(),
            matches: 0,
            records: 0,
            first: None,
            spots: Vec::new(),
            fields: Vec::new(),
        };
        let redactor = Redactor::new(Arc::clone(rules));
        let rules = rules.names().iter().map(found).collect();
        Self { records: 0, touched: 0, dropped: 0, rules, redactor, limit }
    }

    /// Counts what was found in a record.
    pub(super) fn take(&mut self, log: usize, line: u64, explained: &Explained<'_>) {
        self.records += 1;
        self.dropped += u64::from(explained.record.is_none());
        self.touched += u64::from(!explained.matches.is_empty());
        for (index, found) in explained.matches.iter().enumerate() {
            let Some(at) = self.rules.iter().position(|rule| rule.name == found.rule) else {
                continue;
            };
            let earlier = explained.matches.get(..index).unwrap_or_default();
            let seen = earlier.iter().filter(|it| it.rule == found.rule);
            let field = self.field(found);
            let Some(rule) = self.rules.get_mut(at) else { continue };
            rule.matches += 1;
            rule.records += u64::from(seen.clone().next().is_none());
            rule.count(&field);
            let spot = Spot { log, line, field };
            if rule.spots.len() < self.limit {
                let nth = seen.filter(|it| it.place == found.place).count();
                let shown = around(explained, &found.place, &rule.token, nth);
                rule.spots.push((spot.clone(), shown));
            }
            rule.first.get_or_insert(spot);
        }
    }

    /// The name of the field that something was found in, as it may be shown.
    fn field(&mut self, found: &Match) -> String {
        match &found.place {
            Place::Field(path) => in_one_line(&self.redactor.clean(path)),
            Place::Bytes(_) => A_NAME.to_owned(),
        }
    }
}

impl Tally {
    /// The whole, in a line.
    pub(super) fn summary(&self, lines: u64) -> String {
        let Self { records, touched, dropped, .. } = self;
        let share = share(*touched, *records);
        let dropped = match dropped {
            0 => String::new(),
            dropped => format!("; {dropped} that a step drops were not looked at"),
        };
        format!("{records} records in {lines} lines, {touched} ({share}) with a finding{dropped}")
    }

    /// The same, for programs.
    pub(super) fn as_json(&self, lines: u64, rules: Vec<serde_json::Value>) -> serde_json::Value {
        serde_json::json!({
            "lines": lines, "records": self.records, "records_with_matches": self.touched,
            "records_dropped": self.dropped, "rules": rules,
        })
    }
}

impl Spot {
    /// As `app.log:17`.
    pub(super) fn place(&self, logs: &[Clean]) -> String {
        format!("{}:{}", logs.get(self.log).map_or("", |name| name), self.line)
    }

    /// Its parts.
    pub(super) fn as_json(&self, logs: &[Clean]) -> serde_json::Map<String, serde_json::Value> {
        let log = logs.get(self.log).map_or("", |name| name);
        [("log", log.into()), ("line", self.line.into()), ("field", self.field.as_str().into())]
            .map(|(key, value): (&str, serde_json::Value)| (key.to_owned(), value))
            .into_iter()
            .collect()
    }
}

impl Found {
    fn count(&mut self, field: &str) {
        if let Some((_, count)) = self.fields.iter_mut().find(|(name, _)| name == field) {
            *count += 1;
            return;
        }
        if self.fields.len() < FIELDS {
            self.fields.push((field.to_owned(), 1));
            return;
        }
        match self.fields.last_mut() {
            Some((name, count)) if name == OTHERS => *count += 1,
            _ => self.fields.push((OTHERS.to_owned(), 1)),
        }
    }

    /// The fields, those with most matches first.
    pub(super) fn by_count(&self) -> Vec<(&str, u64)> {
        let mut fields: Vec<_> =
            self.fields.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        fields.sort_by_key(|(name, count)| (*name == OTHERS, std::cmp::Reverse(*count)));
        fields
    }
}

/// A share of a whole in per cent, as it is shown: nothing that is there is shown as none.
pub(super) fn share(part: u64, whole: u64) -> String {
    let share = part as f64 * 100.0 / whole.max(1) as f64;
    if part > 0 && share < 0.01 { "< 0.01 %".to_owned() } else { format!("{share:.2} %") }
}
