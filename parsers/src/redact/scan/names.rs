//! Names that no sign parts from their values, and those with several values: commands, statements,
//! labels, cookies, objects.

use std::ops::Range;

use super::super::detect::{
    Assigned, Judge, NEAR, View, columns, directive, judge, labelled, letter, may_direct,
    may_insert, may_state, names, option, putty, statement, user, values, word_end,
};
use super::super::rules::{PAIRED, Scanner};
use super::{Hit, Says, Scan};

impl<'t> Scan<'_, 't> {
    /// The blank before what an SQL statement sets a password to, or an option's letter.
    pub(super) fn statement(&mut self, at: usize) -> bool {
        if at < self.covered {
            return false;
        }
        if may_insert(self.view, at) {
            return self.insert(at);
        }
        let direct = may_direct(self.view, at);
        let state = direct || may_state(self.view, at);
        if !state && self.view.at(at) == b' ' {
            return false;
        }
        let Some(rule) = self.rules.keys.find("password", &[]) else { return false };
        let work = if state || self.called.before(self.view, at) { 192 } else { 16 };
        if self.spend(work) {
            return true;
        }
        let found = match state {
            true if direct => directive(self.view, at),
            true => statement(self.view, at),
            false => letter(self.view, at, &mut self.called),
        };
        found.is_some_and(|range| self.given(rule, range))
    }

    /// The values of columns that are named like a secret.
    fn insert(&mut self, at: usize) -> bool {
        let (view, rules) = (self.view, self.rules);
        let Some(list) = columns(view, at) else { return false };
        let close = list.end;
        if self.spend(64 + close - at) {
            return true;
        }
        let mut known = Vec::new();
        for (column, (name, place)) in names(view, list).enumerate() {
            if !view.bounded {
                if let Some(rule) = rules.keys.may_find(name) {
                    return self.hit(rule, 0..0);
                }
            } else if let Some(rule) = rules.keys.find(name, &[]) {
                known.push((column, rule, Assigned::of(name, place, 0)));
            }
        }
        if known.is_empty() {
            return false;
        }
        let hits = &mut *self.hits;
        let end = values(view, close, &mut |given| {
            let column = known.binary_search_by_key(&given.column, |(column, ..)| *column);
            let Some((_, rule, name)) = column.ok().and_then(|at| known.get(at)) else { return };
            let how = rules.judge(*rule);
            if given.is_secret(view, name, how) {
                let range = given.range.clone();
                hits.push(Hit { range, rule: *rule, named: true, quote: 0..0 });
            }
        });
        // What is assigned within a value is looked at all the same.
        end.is_some_and(|end| self.spend(end - at))
    }

    /// Notes a password that a command or a statement gives.
    fn given(&mut self, rule: u16, range: Range<usize>) -> bool {
        self.covered = range.end;
        let spent = self.spend(range.len());
        self.hits.push(Hit { range, rule, named: true, quote: 0..0 });
        spent || !self.view.bounded
    }

    /// A command's option that is named like a secret, and its argument.
    pub(super) fn option(&mut self, at: usize) -> bool {
        if let Some(rule) = self.rules.keys.find("password", &[])
            && let Some(range) = user(self.view, at, &mut self.called)
        {
            return self.given(rule, range);
        }
        let Some(assigned) = option(self.view, at, &self.rules.keys) else { return false };
        let says = self.familiar.says(self.rules, assigned.key);
        let Some((rule, how)) = self.named(&assigned, says) else { return false };
        if !self.view.bounded {
            return self.hit(rule, 0..0);
        }
        let looked = judge(self.view, &assigned, how);
        if self.spend(64 + looked.end.saturating_sub(at)) {
            return true;
        }
        if let Some((mut range, bare)) = looked.secret {
            // What is assigned ends at an escape; an argument goes on behind a backslash.
            if bare && self.view.at(range.end) == b'\\' {
                range.end = word_end(self.view, range.end);
                if self.spend(range.len()) {
                    return true;
                }
            }
            self.covered = range.end;
            self.hits.push(Hit { range, rule, named: true, quote: 0..0 });
        }
        false
    }

    /// Notes what stands in several places behind one name: whether the sweep may stop. `None` if
    /// nothing of the kind stands there.
    pub(super) fn several(
        &mut self,
        rule: u16,
        at: usize,
        look: impl FnOnce(View<'t>, &mut dyn FnMut(Range<usize>)) -> Option<usize>,
    ) -> Option<bool> {
        let hits = &mut *self.hits;
        let mut each = |range| hits.push(Hit { range, rule, named: true, quote: 0..0 });
        let end = look(self.view, &mut each)?;
        self.covered = self.covered.max(end);
        Some(self.spend(end.saturating_sub(at)))
    }

    /// What another name describes: a field of CEF that has a label, a key in PuTTY's format.
    pub(super) fn described(&mut self, assigned: &Assigned<'t>) -> Option<bool> {
        let (view, keys) = (self.view, &self.rules.keys);
        let named =
            |name: &str| if view.bounded { keys.find(name, &[]) } else { keys.may_find(name) };
        let key = || self.rules.scanner(Scanner::PrivateKey).zip(putty(view, assigned));
        let (rule, range) = labelled(view, assigned, named).or_else(key)?;
        if self.spend(NEAR) {
            return Some(true);
        }
        self.hits.push(Hit { range, rule, named: true, quote: 0..0 });
        Some(!view.bounded)
    }

    /// The rule for a name that is itself a value, of `{"key":"password","value":…}`.
    pub(super) fn paired(&self, assigned: &Assigned<'t>, at: usize) -> Option<u16> {
        /// Bytes of a name that are looked at.
        const LONGEST: usize = 256;
        if self.view.at(at) != b':' || !PAIRED.contains(&assigned.key) {
            return None;
        }
        let blanks = self.view.run(at + 1, LONGEST, |byte| byte.is_ascii_whitespace());
        let quote = self.view.run(blanks, 8, |byte| byte == b'\\');
        if self.view.at(quote) != b'"' {
            return None;
        }
        let end = self.view.run(quote + 1, LONGEST, |byte| !matches!(byte, b'"' | b'\\'));
        let name = std::str::from_utf8(self.view.bytes.get(quote + 1..end)?).ok()?;
        self.rules.keys.may_find(name)
    }

    /// Whether what stands before the `:` at `at` is `"name"` or `"key"`, which no rule has, and the string behind it
    /// is none of a rule's names, nor a value that a word before it would give away: most are of something.
    #[inline]
    pub(super) fn names_nothing(&self, at: usize) -> bool {
        /// Bytes of a string that are looked at.
        const LONGEST: usize = 96;
        let (view, rules) = (self.view, self.rules);
        let before = view.bytes.get(..at).unwrap_or_default();
        let Some(word) = before.strip_suffix(b"\"").filter(|_| view.at(at + 1) == b'"') else {
            return false;
        };
        let own = |name: &&&str| {
            let open = word.strip_suffix(name.as_bytes()).and_then(|rest| rest.strip_suffix(b"\""));
            matches!(open, Some([.., b'{' | b','])) && !rules.has_name(name)
        };
        if view.at(at) != b':' || PAIRED.iter().find(own).is_none() {
            return false;
        }
        let start = at + 2;
        let plain = |byte: u8| byte.is_ascii() && !matches!(byte, b'"' | b'\\');
        let end = view.run(start, LONGEST, plain);
        let value = view.bytes.get(start..end).unwrap_or_default();
        view.at(end) == b'"' && !rules.keys.may_be(value) && !rules.shapes.named_fits(view, start)
    }

    /// The rule for a name, and what it takes for a secret after it. Two or three words without quotes
    /// may be prose: what follows them must look random.
    pub(super) fn named(&self, assigned: &Assigned<'t>, says: Says) -> Option<(u16, Judge)> {
        let (view, rules) = (self.view, self.rules);
        let rule = |name: &str| {
            if view.bounded { rules.keys.find(name, &[]) } else { rules.keys.may_find(name) }
        };
        let own = if view.bounded { says.rule } else { says.may_be };
        let own = own.map(|rule| (rule, rules.judge(rule)));
        // `API Key:` says more than `Key:`.
        let weak = own.filter(|(_, how)| *how == Judge::Entropy);
        if weak.is_none() && own.is_some() {
            return own;
        }
        // `\ntoken=…`: the `n` may be an escape's.
        if weak.is_none()
            && let Some(rule) = assigned.after_escape(view).and_then(rule)
        {
            return Some((rule, rules.judge(rule)));
        }
        if !says.longer {
            return weak;
        }
        let other = |name| rule(name).filter(|rule| weak.is_none_or(|(weak, _)| weak != *rule));
        let Some(rule) = assigned.with_words(view).find_map(other) else { return weak };
        let how = match rules.judge(rule) {
            _ if rules.is_field(rule) => Judge::Any,
            Judge::Random => Judge::Prose,
            _ => Judge::Random,
        };
        Some((rule, how))
    }
}
