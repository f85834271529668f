//! Names that no sign parts from their values, and those with several values: commands, statements,
//! labels, cookies, objects.

use std::ops::Range;

use super::super::detect::{
    Assigned, NEAR, View, judge, labelled, letter, may_state, option, putty, statement,
};
use super::super::rules::Scanner;
use super::{Hit, Scan};

impl<'t> Scan<'_, 't> {
    /// The blank before what an SQL statement sets a password to, or an option's letter.
    pub(super) fn statement(&mut self, at: usize) -> bool {
        if at < self.covered {
            return false;
        }
        let look = match self.view.at(at) {
            b' ' if may_state(self.view, at) => statement,
            b' ' => return false,
            _ => letter,
        };
        let Some(rule) = self.rules.keys.find("password", &[]) else { return false };
        if self.spend(192) {
            return true;
        }
        let Some(range) = look(self.view, at) else { return false };
        self.covered = range.end;
        self.hits.push(Hit { range, rule, named: true, quote: 0..0 });
        !self.view.bounded
    }

    /// A command's option that is named like a secret, and its argument.
    pub(super) fn option(&mut self, at: usize) -> bool {
        let Some(assigned) = option(self.view, at, &self.rules.keys) else { return false };
        let Some((rule, how)) = self.named(&assigned) else { return false };
        if !self.view.bounded {
            return self.hit(rule, 0..0);
        }
        let looked = judge(self.view, &assigned, how);
        if self.spend(64 + looked.end.saturating_sub(at)) {
            return true;
        }
        if let Some((range, _)) = looked.secret {
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
}
