//! Walks nested JSON and writes it anew with its strings, keys and numbers redacted. Everything that
//! stays is copied as it stands, white space included.

mod argument;
mod pair;
mod token;

use std::ops::Range;

use super::Action;
use super::decode::escape_json;
use super::detect::{Called, still_open};
use super::keys::without_number;
use super::names::Names;
use super::rules::{Rules, Scanner};
use super::work::{Found, Work};
use crate::record::unescape;
use argument::Argument;
use pair::Pair;

/// How deep values may be nested: what parsers let through.
const DEEPEST: usize = 20;

/// Names that say no more than that a value follows: it is what the object is called.
const ONLY_VALUES: [&str; 4] = ["value", "number", "id", "stringValue"];

/// Why a text was not rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It is not JSON, or too deep.
    Malformed,
    /// A rule says that the record is to be dropped.
    DropRecord,
}

/// Whether a value goes because of its key: [`Work::goes`], or [`Work::goes_as_string`].
type Goes = fn(&Work, &Rules, u16, &str, bool) -> bool;

/// What became of one value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Member {
    /// It was written, changed or not.
    Written,
    /// It is to be left out, with its key.
    Dropped,
}

/// Rewrites a JSON object or array. `path` is where it stands, `level` how many strings it is inside
/// of, `rule` the one that an object's strings belong to. Returns the new text, or `None` if nothing
/// changed.
pub(super) fn rewrite(
    work: &mut Work,
    rules: &Rules,
    text: &str,
    path: &mut Vec<String>,
    level: usize,
    rule: Option<u16>,
) -> Result<Option<String>, Stop> {
    let out = String::with_capacity(text.len());
    let depth = path.len();
    let outside = work.material.is_none();
    let mut walk = Walk {
        work,
        rules,
        text,
        at: 0,
        out,
        path,
        level,
        depth: 0,
        inside: rule,
        changed: false,
        called: Called::default(),
    };
    walk.blanks();
    let written = walk.value();
    walk.blanks();
    let (at, changed, out) = (walk.at, walk.changed, walk.out);
    path.truncate(depth);
    if outside {
        work.material = None;
    }
    if written? == Member::Dropped || at < text.len() {
        return Err(Stop::Malformed);
    }
    Ok(changed.then_some(out))
}

struct Walk<'w, 't> {
    work: &'w mut Work,
    rules: &'w Rules,
    text: &'t str,
    at: usize,
    out: String,
    path: &'w mut Vec<String>,
    level: usize,
    depth: usize,
    /// The rule that the strings right inside of the object that comes next belong to.
    inside: Option<u16>,
    changed: bool,
    /// Programs that the text so far calls.
    called: Called,
}

impl<'t> Walk<'_, 't> {
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// Copies a byte that must come next.
    fn expect(&mut self, byte: u8) -> Result<(), Stop> {
        if self.peek() != byte {
            return Err(Stop::Malformed);
        }
        self.out.push(char::from(byte));
        self.at += 1;
        Ok(())
    }

    /// Copies white space.
    fn blanks(&mut self) {
        while let byte @ (b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.out.push(char::from(byte));
            self.at += 1;
        }
    }

    fn slice(&self, range: Range<usize>) -> Result<&'t str, Stop> {
        self.text.get(range).ok_or(Stop::Malformed)
    }

    fn value(&mut self) -> Result<Member, Stop> {
        match self.peek() {
            b'{' => self.items(b'}'),
            b'[' => self.items(b']'),
            b'"' => {
                let inside = self.string()?;
                self.string_value(inside)
            }
            b'-' | b'0'..=b'9' => {
                let number = self.number()?;
                self.number_value(number)
            }
            _ => {
                let rest = self.slice(self.at..self.text.len())?;
                let literal =
                    ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word));
                let literal = literal.ok_or(Stop::Malformed)?;
                self.out.push_str(literal);
                self.at += literal.len();
                Ok(Member::Written)
            }
        }
    }

    /// An array or object, from its first byte to `close`.
    fn items(&mut self, close: u8) -> Result<Member, Stop> {
        let owner = self.inside.take();
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Stop::Malformed);
        }
        self.expect(self.peek())?;
        self.blanks();
        if self.peek() != close {
            let mut names = Names::default();
            let mut pair = [Pair::At(self.at), Pair::At(self.at)];
            let mut empty = true;
            let mut option = Argument::default();
            loop {
                let mark = self.out.len();
                if !empty {
                    self.out.push(',');
                }
                self.blanks();
                let item = match close {
                    b'}' => {
                        let named = self.work.named;
                        let member = self.member(&mut names, owner, &mut pair)?;
                        self.work.named = named;
                        member
                    }
                    _ => self.element(&mut option)?,
                };
                match item {
                    Member::Written => empty = false,
                    Member::Dropped => {
                        self.out.truncate(mark);
                        self.changed = true;
                    }
                }
                self.blanks();
                if self.peek() != b',' {
                    break;
                }
                self.at += 1;
            }
        }
        self.depth -= 1;
        self.expect(close).map(|()| Member::Written)
    }

    /// A key and its value; `owner`: the rule that the object's strings belong to.
    fn member(
        &mut self,
        names: &mut Names,
        owner: Option<u16>,
        pair: &mut [Pair; 2],
    ) -> Result<Member, Stop> {
        let inside = self.string()?;
        let mut key = String::with_capacity(inside.len());
        unescape(inside, &mut key);
        self.path.push(key);
        let key = self.path.last().map(String::as_str).unwrap_or_default();
        let (outer, rule) = match self.path.split_last() {
            Some((last, outer)) => (outer.len(), self.rules.named(last, outer)),
            None => (0, None),
        };
        let is_value = key.eq_ignore_ascii_case("value");
        let context = self.rules.context(key);
        let only_says_so = ONLY_VALUES.contains(&key);
        let is_again = !is_value && without_number(key.as_bytes()) == Some(b"value");
        let list = matches!(key, "arrayValue" | "values");
        let new_key = match self.work.key(self.rules, key, self.level) {
            Found::Nothing => None,
            Found::Changed(new) => Some(new),
            Found::DropField => Some(String::new()),
            Found::DropRecord => return Err(Stop::DropRecord),
        };
        let dropped = new_key.as_ref().is_some_and(String::is_empty);
        let written = new_key.as_deref().unwrap_or(key);
        let unique = names.unique(written);
        self.changed |= new_key.is_some() || unique.is_some();
        self.out.push('"');
        match (&new_key, &unique) {
            (None, None) => self.out.push_str(inside),
            (_, Some(unique)) => escape_json(unique, &mut self.out),
            (Some(new), None) => escape_json(new, &mut self.out),
        }
        self.out.push('"');
        if !only_says_so {
            self.work.named = context;
        }
        self.blanks();
        self.expect(b':')?;
        self.blanks();
        let string = self.peek() == b'"';
        let paired = match pair {
            [pair, _] if is_value && rule.is_none() => self.paired(pair, false),
            [_, pair] if is_again && rule.is_none() => self.paired(pair, true),
            _ => None,
        };
        // What is nested in it is no less its own.
        let nested = matches!(self.peek(), b'{' | b'[');
        let owned = paired.or(owner.filter(|_| string || list || nested));
        // OpenTelemetry's `{"stringValue":"…"}`, whatever the rule.
        if owned.is_some() && self.peek() == b'{' {
            self.inside = owned;
            let written = self.value()?;
            self.path.truncate(outer);
            return Ok(if dropped { Member::Dropped } else { written });
        }
        let in_strings = || self.rules.keys.find_string(self.path.last()?);
        let written = match rule.or(owned) {
            Some(rule) => self.secret(rule, Work::goes)?,
            None => match in_strings().filter(|_| string || self.peek() == b'[') {
                Some(rule) => self.secret(rule, Work::goes_as_string)?,
                None => self.value()?,
            },
        };
        self.path.truncate(outer);
        Ok(if dropped { Member::Dropped } else { written })
    }

    /// A value that goes because of its key, if `goes` says so.
    fn secret(&mut self, rule: u16, goes: Goes) -> Result<Member, Stop> {
        // An object keeps its shape: what goes of it, its own keys decide, and the rule.
        if self.peek() == b'{' && !self.rules.is_field(rule) {
            self.inside = self.rules.reaches_into(rule).then_some(rule);
            return self.value();
        }
        let from = self.at;
        self.skip()?;
        let raw = self.slice(from..self.at)?;
        let text = match raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) {
            Some(inside) => {
                let mut text = String::with_capacity(inside.len());
                unescape(inside, &mut text);
                text
            }
            None => raw.to_owned(),
        };
        let string = raw.starts_with('"');
        if !goes(self.work, self.rules, rule, &text, string) {
            // Its name does not give it away; what it is may.
            self.at = from;
            return self.value();
        }
        self.changed = true;
        self.work.note_field(self.rules, rule, self.path);
        match self.work.action(self.rules, rule) {
            Action::DropField => Ok(Member::Dropped),
            Action::DropRecord => Err(Stop::DropRecord),
            Action::Mask | Action::Partial | Action::Hash => {
                self.out.push('"');
                let replacement = self.work.replaced(self.rules, rule, &text);
                escape_json(&replacement, &mut self.out);
                self.out.push('"');
                Ok(Member::Written)
            }
        }
    }

    fn string_value(&mut self, inside: &str) -> Result<Member, Stop> {
        let decoded = inside.contains('\\').then(|| {
            let mut text = String::with_capacity(inside.len());
            unescape(inside, &mut text);
            text
        });
        self.work.place(self.path);
        let found = self.work.text(self.rules, decoded.as_deref().unwrap_or(inside), self.level);
        self.out.push('"');
        match found {
            Found::Nothing => self.out.push_str(inside),
            Found::Changed(new) => {
                self.changed = true;
                escape_json(&new, &mut self.out);
                // A private key may have a string for each of its lines.
                if self.rules.scanner(Scanner::PrivateKey).is_some()
                    && still_open(inside) == Some(true)
                {
                    self.work.material.get_or_insert_default();
                }
            }
            Found::DropField => return Ok(Member::Dropped),
            Found::DropRecord => return Err(Stop::DropRecord),
        }
        self.out.push('"');
        Ok(Member::Written)
    }

    fn number_value(&mut self, number: &'t str) -> Result<Member, Stop> {
        self.work.place(self.path);
        match self.work.number(self.rules, number) {
            Found::Nothing => self.out.push_str(number),
            Found::Changed(new) => {
                self.changed = true;
                self.out.push('"');
                escape_json(&new, &mut self.out);
                self.out.push('"');
            }
            Found::DropField => return Ok(Member::Dropped),
            Found::DropRecord => return Err(Stop::DropRecord),
        }
        Ok(Member::Written)
    }
}

/// Whether text looks as if it could be a JSON object or array.
pub(super) fn looks_like_json(text: &str) -> bool {
    let text = text.trim_ascii();
    (text.starts_with('{') && text.ends_with('}')) || (text.starts_with('[') && text.ends_with(']'))
}
