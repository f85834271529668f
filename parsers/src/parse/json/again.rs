//! Objects with a key that comes again, as some loggers write those that are given a field twice: servers
//! refuse them. They are written anew, the second `user` called `user_2`.

use bumpalo::collections::String;

use super::{MAX_DEPTH, Reader};
use crate::Arena;
use crate::parse::Misfit;
use crate::parse::keys::Scope;
use crate::record::is_field_name;

impl<'a> Reader<'a> {
    /// A key of the outermost object, up to its value, and whether it had to be decoded; what it is called
    /// if it comes again.
    #[inline(always)]
    pub(super) fn outer_key(&mut self) -> Result<(&'a str, bool, Option<&'a str>), Misfit> {
        let (key, escaped) = self.name()?;
        let again = match self.keys.add(Scope::OUTER, key) {
            Err(Misfit::DuplicateKey) => Some(self.keys.again(Scope::OUTER, key, self.arena)?),
            added => added.map(|()| None)?,
        };
        self.colon()?;
        Ok((key, escaped, again))
    }

    /// The object or array that comes next inside `depth` brackets, with keys that are unique, and in one
    /// line.
    #[cold]
    pub(super) fn json_anew(&mut self, depth: usize) -> Result<&'a str, Misfit> {
        let broken = self.broken;
        let mut out = String::new_in(self.arena);
        self.value_anew(depth, &mut out)?;
        self.broken = broken;
        Ok(out.into_bump_str())
    }

    /// Recursion ends at [`MAX_DEPTH`].
    fn value_anew(&mut self, depth: usize, out: &mut String<'a>) -> Result<(), Misfit> {
        let open = match self.peek() {
            Some(open @ (b'{' | b'[')) => open,
            _ => {
                let start = self.at;
                self.skip(depth)?;
                out.push_str(self.slice(start, self.at)?);
                return Ok(());
            }
        };
        if depth >= MAX_DEPTH {
            return Err(Misfit::TooDeep);
        }
        // In ASCII, the closing ones are two further.
        let close = open + 2;
        out.push(char::from(open));
        if let Some(scope) = self.open(open)? {
            loop {
                if open == b'{' {
                    let start = self.at + 1;
                    let (key, _) = self.name()?;
                    match self.keys.add(scope, key) {
                        Err(Misfit::DuplicateKey) => {
                            let key = self.keys.again(scope, key, self.arena)?;
                            out.push_str(&serde_json::Value::from(key).to_string());
                            self.unmappable |= !is_field_name(key);
                        }
                        added => {
                            added?;
                            let written = self.slice(start, self.at - 1)?;
                            out.extend(["\"", written, "\""]);
                            self.unmappable |= !is_field_name(key);
                        }
                    }
                    self.colon()?;
                    out.push(':');
                }
                self.value_anew(depth + 1, out)?;
                if self.next_or_close(close)? {
                    break;
                }
                out.push(',');
            }
            self.close(scope);
        }
        out.push(char::from(close));
        Ok(())
    }
}

/// Validated JSON with its line breaks, which only stand between tokens, made blanks.
pub(super) fn one_line<'a>(text: &str, arena: &'a Arena) -> &'a str {
    let mut out = String::with_capacity_in(text.len(), arena);
    for part in text.split_inclusive(['\n', '\r']) {
        let inner = part.strip_suffix(['\n', '\r']);
        out.push_str(inner.unwrap_or(part));
        if inner.is_some() {
            out.push(' ');
        }
    }
    out.into_bump_str()
}
