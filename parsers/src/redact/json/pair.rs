//! Objects that say in one member what another is called: `{"key":"password","value":"…"}`.

use super::super::keys::without_number;
use super::super::rules::PAIRED;
use super::{Stop, Walk};
use crate::record::unescape;

/// The rule for an object's `value`, by the name that another of its members says.
pub(super) enum Pair {
    /// Not looked for yet; where the members begin.
    At(usize),
    Known(Option<u16>),
}

impl Walk<'_, '_> {
    /// The rule for the `value` of an object that has its name in another member, wherever that stands:
    /// `{"key":"password","value":"…"}`.
    /// `again`: of a `value_2`, which came again, by what any such name says.
    pub(super) fn paired(&mut self, pair: &mut Pair, again: bool) -> Option<u16> {
        if let Pair::At(open) = *pair {
            let here = std::mem::replace(&mut self.at, open);
            let rule = self.own_rule(again).unwrap_or_default();
            self.at = here;
            *pair = Pair::Known(rule);
        }
        match pair {
            Pair::Known(rule) => *rule,
            Pair::At(_) => None,
        }
    }

    /// The rule for what the member `key` or `name` says, of an object whose members begin here.
    fn own_rule(&mut self, again: bool) -> Result<Option<u16>, Stop> {
        let says = |member: &str| {
            let name =
                if again { without_number(member.as_bytes()) } else { Some(member.as_bytes()) };
            name.is_some_and(|name| {
                PAIRED.iter().any(|it| name.eq_ignore_ascii_case(it.as_bytes()))
            })
        };
        loop {
            self.pass_blanks();
            let member = self.string()?;
            self.pass_blanks();
            if self.peek() != b':' {
                return Err(Stop::Malformed);
            }
            self.at += 1;
            self.pass_blanks();
            if says(member) && self.peek() == b'"' {
                let mut name = String::new();
                unescape(self.string()?, &mut name);
                let outer = self.path.split_last().map_or(&[][..], |(_, outer)| outer);
                let keys = &self.rules.keys;
                let rule = keys.find(&name, outer).or_else(|| keys.find_string(&name));
                if rule.is_some() || !again {
                    return Ok(rule);
                }
            } else {
                self.skip()?;
            }
            self.pass_blanks();
            if self.peek() != b',' {
                return Ok(None);
            }
            self.at += 1;
        }
    }

    fn pass_blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }
}
