//! Puts together what stays of a text and what stands in place of what was found in it.

use std::ops::Range;

use super::{Action, GIVEN_UP, Rules, Work, why};
use crate::redact::mask::{
    hashed, is_host, masked, masked_host, normalised, plain, quote_of_member,
};
use crate::redact::partial::{Kept, partial};

impl Work {
    /// The text with its hits replaced.
    pub(super) fn splice(&mut self, rules: &Rules, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for index in 0..self.hits.len() {
            let Some(hit) = self.hits.get(index).cloned() else { break };
            let why = why(&hit);
            let slice = |range: Range<usize>| text.get(range).unwrap_or_default();
            let found = slice(hit.range.clone());
            out.push_str(slice(from..hit.range.start));
            from = hit.range.end;
            if is_host(text, &hit.range) {
                let new = self.host_replacement(rules, hit.rule, found);
                // The brackets around an IPv6 address go with it, unless one stays.
                if slice(from..from + 1) == "]" && out.ends_with('[') && !new.contains(':') {
                    out.pop();
                    from += 1;
                }
                out.push_str(&new);
            } else {
                let own = quote_of_member(text, &hit.range);
                let quote = slice(if hit.quote.is_empty() { own } else { hit.quote });
                out.push_str(quote);
                out.push_str(&self.replacement(rules, hit.rule, found));
                out.push_str(quote);
            }
            self.note(rules, hit.rule, hit.range, why);
        }
        out.push_str(text.get(from..).unwrap_or_default());
        out
    }

    /// What stands in place of a value.
    pub(in super::super) fn replacement(&self, rules: &Rules, rule: u16, found: &str) -> String {
        let Some(known) = rules.rule(rule) else { return GIVEN_UP.to_owned() };
        match self.kept(rules, rule, found) {
            Some(Kept::Inside(kept)) => masked(&known.token, Some(&kept)),
            Some(Kept::Instead(kept)) => kept,
            None => masked(&known.token, self.hash(rules, rule, found).as_deref()),
        }
    }

    /// The same where the value is a URL's host.
    fn host_replacement(&self, rules: &Rules, rule: u16, found: &str) -> String {
        let Some(known) = rules.rule(rule) else { return masked_host("REDACTED", None) };
        match self.kept(rules, rule, found) {
            Some(Kept::Instead(kept)) => kept,
            _ => masked_host(&known.token, self.hash(rules, rule, found).as_deref()),
        }
    }

    /// What stays of a value, if the action is to keep some of it.
    fn kept(&self, rules: &Rules, rule: u16, found: &str) -> Option<Kept> {
        let known = rules.rule(rule).filter(|known| known.action == Action::Partial)?;
        partial(&known.token, rules.is_field(rule), &plain(&known.token, found))
    }

    /// A value's hash, if that is the action.
    fn hash(&self, rules: &Rules, rule: u16, found: &str) -> Option<String> {
        let known = rules.rule(rule).filter(|known| known.action == Action::Hash)?;
        hashed(rules.hash_key.as_deref()?, &normalised(&known.token, &plain(&known.token, found)))
    }

    /// Whether an address is what would be left of it.
    pub(super) fn is_network(&self, rules: &Rules, rule: u16, found: &str) -> bool {
        matches!(self.kept(rules, rule, found), Some(Kept::Instead(kept)) if kept == found)
    }
}
