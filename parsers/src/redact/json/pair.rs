//! Objects that say in one member what another is called: `{"key":"password","value":"…"}`.

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
    pub(super) fn paired(&mut self, pair: &mut Pair) -> Option<u16> {
        if let Pair::At(open) = *pair {
            let here = std::mem::replace(&mut self.at, open);
            let name = self.own_name().unwrap_or_default();
            self.at = here;
            let outer = self.path.split_last().map_or(&[][..], |(_, outer)| outer);
            let keys = &self.rules.keys;
            let rule =
                name.and_then(|name| keys.find(&name, outer).or_else(|| keys.find_string(&name)));
            *pair = Pair::Known(rule);
        }
        match pair {
            Pair::Known(rule) => *rule,
            Pair::At(_) => None,
        }
    }

    /// What the member `key` or `name` says, of an object whose members begin here.
    fn own_name(&mut self) -> Result<Option<String>, Stop> {
        loop {
            self.pass_blanks();
            let member = self.string()?;
            self.pass_blanks();
            if self.peek() != b':' {
                return Err(Stop::Malformed);
            }
            self.at += 1;
            self.pass_blanks();
            if PAIRED.contains(&member) && self.peek() == b'"' {
                let mut name = String::new();
                unescape(self.string()?, &mut name);
                return Ok(Some(name));
            }
            self.skip()?;
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
