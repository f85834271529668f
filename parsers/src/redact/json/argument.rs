//! Lists of a command's arguments, in which one says what the next is: `["--password","…"]`,
//! `["curl","-u","bob:…"]`.

use std::ops::Range;

use super::super::decode::escape_json;
use super::super::detect::{View, counts, is_directive, letter, option_key, user};
use super::super::work::Work;
use super::{Action, Member, Stop, Walk};

/// What the arguments before say.
#[derive(Default)]
pub(super) struct Argument<'t> {
    /// The name of an option or a directive whose value is the next, and its rule.
    named: Option<(u16, &'t str)>,
    /// Whether the one before is `SET`.
    sets: bool,
    /// Where a password is that an option gives, and its rule.
    given: Option<(u16, Range<usize>)>,
}

impl<'t> Walk<'_, 't> {
    /// An element of an array.
    pub(super) fn element(&mut self, before: &mut Argument<'t>) -> Result<Member, Stop> {
        let named = before.named.take();
        if self.peek() != b'"' {
            return self.value();
        }
        let from = self.at;
        let inside = self.string()?;
        if inside.starts_with('-') {
            let name =
                inside.strip_prefix("--").filter(|name| !name.is_empty() && !name.contains('='));
            before.named = name.and_then(|name| self.named(option_key(name), name));
            // An option before may have said what comes behind this one, too.
            before.given = self.given(from + 1).or(before.given.take());
        }
        if let Some((rule, range)) = before.given.take() {
            if from < range.start && range.end < self.at {
                return self.without(rule, from + 1..self.at - 1, range);
            }
            before.given = Some((rule, range)).filter(|(_, range)| self.at <= range.start);
        }
        if is_directive(inside) && before.sets {
            before.named = self.named("password", inside);
        }
        // `CONFIG SET` takes several pairs.
        let pair = named.is_some() || before.named.is_some();
        before.sets = inside.eq_ignore_ascii_case("set") || (before.sets && pair);
        let own = inside.starts_with('-') || before.named.is_some();
        match named.filter(|(_, name)| !own && !counts(name, inside.as_bytes())) {
            Some((rule, _)) => {
                self.at = from;
                self.secret(rule, Work::goes)
            }
            None => self.string_value(inside),
        }
    }

    /// The rule that has a key, and the name that it is of.
    fn named(&self, key: &str, name: &'t str) -> Option<(u16, &'t str)> {
        self.rules.keys.find(key, &[]).map(|rule| (rule, name))
    }

    /// The password that the option which begins at `at` gives, there or in the next element.
    fn given(&mut self, at: usize) -> Option<(u16, Range<usize>)> {
        let rule = self.rules.keys.find("password", &[])?;
        let view = View { bytes: self.text.as_bytes(), bounded: true, masks: &self.rules.masks };
        let called = &mut self.called;
        let range = if view.at(at + 1) == b'-' {
            user(view, at, called)
        } else {
            letter(view, at + 1, called)
        };
        Some((rule, range?))
    }

    /// Writes a string, which stands at `inside`, without what is at `range`.
    fn without(
        &mut self,
        rule: u16,
        inside: Range<usize>,
        range: Range<usize>,
    ) -> Result<Member, Stop> {
        let found = self.slice(range.clone())?;
        if self.rules.allows(rule, found) {
            let inside = self.slice(inside)?;
            return self.string_value(inside);
        }
        self.changed = true;
        self.work.note_field(self.rules, rule, self.path);
        let replacement = match self.work.action(self.rules, rule) {
            Action::DropRecord => return Err(Stop::DropRecord),
            // What an argument has beside a password, as a user's name, is no field of that name.
            _ => self.work.replaced(self.rules, rule, found),
        };
        let mut left = self.slice(inside.start..range.start)?.to_owned();
        escape_json(&replacement, &mut left);
        left.push_str(self.slice(range.end..inside.end)?);
        self.string_value(&left)
    }
}
