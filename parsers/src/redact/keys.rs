//! Names of fields that hold secrets: which rule, if any, a key belongs to.
//!
//! A rule's names match the *end* of a key, without regard to case and to how its words are joined:
//! `api key` matches `apiKey`, `API_KEY` and `x-api-key`. Names that a configuration gives are
//! matched as they are, as the last parts of a dotted path.

mod joined;
mod tails;
#[cfg(test)]
mod tests;

use super::bytes::{DASH, DIGIT, FOREIGN, LOWER, UNDERSCORE, UPPER, is};
use joined::Joined;
use tails::{Before, Pairs, Tails};

/// A rule's name of at least so many letters may also be the end of a longer word
/// (`dbpassword`).
const GLUED: usize = 6;

/// A name and its rule.
#[derive(Debug)]
struct Name {
    text: Box<[u8]>,
    rule: u16,
}

/// All names of the rules that are on.
pub(super) struct Keys {
    /// Names a configuration gives, lower-case.
    fields: Vec<Name>,
    /// Names of rules, lower-case, words joined, by their last letters.
    names: [Vec<Name>; 32],
    /// Names that only look like those.
    except: Vec<Name>,
    /// Names a configuration gives, lower-case, whose values do not go because of them.
    allowed: Vec<Name>,
    /// Whole names, lower-case, that are a secret's only where the value is a string.
    strings: Vec<Name>,
    /// A bit for each (hashed) ending of four bytes that some name has: rejects almost every key at
    /// once.
    ends: Box<[u64; 512]>,
    /// The last two letters of names of less than four.
    short: Pairs,
    /// Whole names, from their last letter on.
    tails: Tails,
    /// Whether some name has letters that are not of ASCII: escapes may hide those.
    pub(super) foreign: bool,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: usize = self.names.iter().map(Vec::len).sum();
        write!(f, "Keys({} fields, {names} names)", self.fields.len())
    }
}

impl Default for Keys {
    fn default() -> Self {
        let ends = Box::new([0; 512]);
        let [fields, except, allowed, strings] = [const { Vec::new() }; 4];
        let names = [const { Vec::new() }; 32];
        Self {
            fields,
            names,
            except,
            allowed,
            strings,
            ends,
            short: Pairs::default(),
            tails: Tails::default(),
            foreign: false,
        }
    }
}

/// The last bytes of a key that are looked at first.
pub(super) type Ending = [u8; 4];

/// An ending with case and what is no letter taken away, a byte for each.
#[inline]
const fn folded(last: Ending) -> u32 {
    const EACH: u32 = 0x0101_0101;
    let bytes = u32::from_le_bytes(last);
    let low = (bytes | (0x20 * EACH)) & (0x7f * EACH);
    let from_a = low + (0x80 - b'a' as u32) * EACH;
    let past_z = low + (0x7f - b'z' as u32) * EACH;
    // Bytes of other scripts are letters.
    let letters = ((from_a & !past_z) | bytes) >> 7 & EACH;
    bytes & (letters * 0x1f)
}

/// Where a folded ending has its bit.
#[inline]
const fn slot(folded: u32) -> (usize, u64) {
    // Fibonacci hashing to 15 bits.
    let hash = folded.wrapping_mul(0x9E37_79B1) >> 17;
    (hash as usize / 64, 1 << (hash % 64))
}

impl Keys {
    /// Adds a rule's name, words apart by blanks.
    pub(super) fn add(&mut self, name: &str, rule: u16) {
        let text: Box<[u8]> = name.bytes().filter(|byte| *byte != b' ').collect();
        self.foreign |= !name.is_ascii();
        self.allow_words(name);
        let last = text.last().map_or(0, |last| last & 0x1f);
        if let Some(names) = self.names.get_mut(usize::from(last)) {
            // Of several that a key ends in, the longest says most.
            let at = names.partition_point(|name| name.text.len() >= text.len());
            names.insert(at, Name { text, rule });
        }
    }

    /// Lets keys that end in these words, apart by blanks, through the first test.
    pub(super) fn allow_words(&mut self, name: &str) {
        let letters = name.bytes().filter(|byte| *byte != b' ').count();
        let before = if letters < GLUED { Before::NoLetter } else { Before::Anything };
        self.tails.add(name.as_bytes(), before);
        let text: Vec<u8> = name.bytes().filter(|byte| *byte != b' ').collect();
        self.allow_ending(&text);
        // Where the last word is short, what joins the words is among the last bytes.
        let last_word = name.rsplit(' ').next().unwrap_or_default();
        if last_word.len() < 4 && last_word.len() < name.len() {
            for joint in ["_", "-", ".", " "] {
                self.allow_ending(name.replace(' ', joint).as_bytes());
            }
        }
    }

    /// Adds a name that is not to match though it ends like one of the rule's.
    pub(super) fn add_exception(&mut self, name: &str, rule: u16) {
        let text = name.bytes().filter(|byte| *byte != b' ').collect();
        self.except.push(Name { text, rule });
    }

    /// Adds a name that is to match whole, and only where its value is a string.
    pub(super) fn add_string(&mut self, name: &str, rule: u16) {
        self.allow_alone(name.as_bytes());
        self.strings.push(Name { text: name.to_ascii_lowercase().into_bytes().into(), rule });
    }

    /// Adds a field that a configuration names.
    pub(super) fn add_field(&mut self, name: &str, rule: u16) {
        let text: Box<[u8]> = name.to_ascii_lowercase().into_bytes().into();
        let last = text.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
        self.foreign |= !name.is_ascii();
        self.allow(last);
        self.fields.push(Name { text, rule });
    }

    /// Adds a name that no rule is to have, but a configuration's own.
    pub(super) fn add_allowed(&mut self, name: &str) {
        let text = name.to_ascii_lowercase().into_bytes().into();
        self.allowed.push(Name { text, rule: 0 });
    }

    /// Whether a configuration allows a name, at the end of `path`.
    pub(super) fn allows(&self, key: &str, path: &[String]) -> bool {
        leads_to(&self.allowed, key.as_bytes(), path).is_some()
    }

    /// Lets keys with this ending through the first test. Before a name of less than four letters stands
    /// no letter, and then anything.
    pub(super) fn allow(&mut self, name: &[u8]) {
        self.tails.add(trimmed(name), Before::NoLetter);
        self.allow_ending(name);
    }

    /// Lets keys of this name through the first test, which stands alone.
    pub(super) fn allow_alone(&mut self, name: &[u8]) {
        self.tails.add(trimmed(name), Before::Nothing);
        self.allow_ending(name);
    }

    fn allow_ending(&mut self, name: &[u8]) {
        let known = trimmed(name);
        let mut last = Ending::default();
        for (to, from) in last.iter_mut().rev().zip(known.iter().rev()) {
            *to = *from;
        }
        if known.len() < last.len() {
            self.short.add(last[2], last[3], known.len());
        }
        let free = 3_usize.saturating_sub(known.len());
        let any = 0..1_u32 << (5 * free);
        for other in any {
            let before = (other & 0x1f) | (other >> 5) << 8;
            let (word, bit) = slot(folded(last) | before);
            if let Some(word) = self.ends.get_mut(word) {
                *word |= bit;
            }
        }
    }

    /// Whether some name may end like this: `last` is a key's last bytes, up to its last letter.
    #[inline]
    pub(super) fn may_end(&self, last: Ending) -> bool {
        let folded = folded(last);
        self.has(folded) || (last.iter().any(u8::is_ascii_uppercase) && self.begins(last, folded))
    }

    #[inline]
    fn has(&self, folded: u32) -> bool {
        let (word, bit) = slot(folded);
        self.ends.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Whether some name may stand at the end of a text.
    #[inline]
    pub(super) fn may_stand(&self, text: &[u8]) -> bool {
        self.may_end_in(text) && self.tails.has(text)
    }

    /// Whether a configuration gives a name without letters.
    pub(super) const fn has_nameless(&self) -> bool {
        self.tails.nameless
    }

    /// Whether no name stands before a sign, whatever comes before the eight bytes that are before it: they end in
    /// two letters, or those and a quote, that no name goes on from. What else they end in is not judged.
    pub(super) fn none_stands_before(&self, last: [u8; 8]) -> bool {
        let (name, quoted) = match last {
            [name @ .., b'"'] => (name, true),
            [_, name @ ..] => (name, false),
        };
        // A colour may stand after the name.
        let word = matches!(name, [.., second, last]
            if second.is_ascii_alphabetic() && last.is_ascii_alphabetic());
        let last = u64::from_le_bytes(last);
        // What the quote leaves unseen may be an escape's.
        let bytes = if quoted { last << 8 | 0x80 } else { last };
        word && (!self.ends_in(bytes) || self.tails.has_none(&name))
    }

    /// The first test of a text's last bytes.
    #[inline]
    fn may_end_in(&self, text: &[u8]) -> bool {
        text.last_chunk().is_none_or(|last| self.ends_in(u64::from_le_bytes(*last)))
    }

    #[inline(always)]
    fn ends_in(&self, bytes: u64) -> bool {
        const EACH: u64 = 0x0101_0101_0101_0101;
        let ending = ((bytes >> 32) as u32).to_le_bytes();
        let known = self.has(folded(ending));
        // A short name may begin at a capital, or behind what an escape or a colour ends in.
        let low = bytes & (0x7f * EACH);
        let from = |first: u8| low + (0x80 - u64::from(first)) * EACH;
        let within = |first: u8, last: u8| from(first) & !from(last + 1);
        let capitals = within(b'A', b'Z') >> 32;
        let odd = within(b'0', b'9') | within(b'[', b'\\') | within(b'%', b'%') | bytes;
        known | (((capitals | odd) & (0x80 * EACH) != 0) & self.short.has(ending[2], ending[3]))
    }

    /// Whether a short name may begin at a capital: `userId`, `IDNo`.
    fn begins(&self, last: Ending, folded: u32) -> bool {
        last.windows(2).enumerate().any(|(at, pair)| {
            let begins = matches!(pair, [before, first]
                if first.is_ascii_uppercase() && before.is_ascii_alphabetic());
            begins && self.has(folded & !(0x1f << (8 * at)))
        })
    }

    /// Whether a short name may begin at any of these bytes: the one before it is part of an escape or
    /// of a colour.
    pub(super) fn may_end_odd(&self, last: Ending) -> bool {
        (0..3).any(|at| self.has(folded(last) & !(0x1f << (8 * at))))
    }

    /// The rule for a key that stands at the end of `path`, the keys around it (outermost first).
    pub(super) fn find(&self, key: &str, path: &[String]) -> Option<u16> {
        let bytes = key.as_bytes();
        if !self.may_be(bytes) {
            return None;
        }
        let again = || leads_to(&self.fields, without_number(bytes)?, path);
        let own = leads_to(&self.fields, bytes, path).or_else(again);
        own.or_else(|| self.name(bytes).filter(|_| !self.allows(key, path)))
    }

    /// The rule for a key whose value goes only if it is a string.
    pub(super) fn find_string(&self, key: &str) -> Option<u16> {
        let known = without_number(key.as_bytes()).unwrap_or(key.as_bytes());
        let matches = |name: &&Name| name.text.eq_ignore_ascii_case(known);
        let found = self.strings.iter().find(matches).map(|name| name.rule);
        found.filter(|_| !self.allows(key, &[]))
    }

    /// The rule that a name in a raw record may belong to, wherever it stands: of what surrounds it,
    /// and of what of it the parser makes the key, nothing is known yet.
    pub(super) fn may_find(&self, key: &str) -> Option<u16> {
        let bytes = key.as_bytes();
        if !self.may_be(bytes) {
            return None;
        }
        let known = trimmed(bytes);
        let ends_in = |name: &&Name| {
            let name = trimmed(&name.text);
            let word = name.iter().rposition(|&byte| byte == b'.' || !is_member(byte));
            let word = name.get(word.map_or(0, |last| last + 1)..).unwrap_or_default();
            known.len().checked_sub(word.len()).is_some_and(|start| {
                let (rest, end) = known.split_at(start);
                end.eq_ignore_ascii_case(word)
                    && rest.last().is_none_or(|&byte| byte == b'.' || !is_member(byte))
            })
        };
        let field = self.fields.iter().find(ends_in).map(|name| name.rule);
        field.or_else(|| self.name(bytes)).or_else(|| self.find_string(key))
    }

    /// Where names that a configuration gives lead in a field of this name: `name` in `profile.user`, if
    /// one is `user.name`.
    pub(super) fn inside(&self, name: &str) -> impl Iterator<Item = &str> {
        let outer = name.to_ascii_lowercase();
        let fields = self.fields.iter().filter_map(|field| std::str::from_utf8(&field.text).ok());
        let parts = |field| str::match_indices(field, '.').map(move |(at, _)| field.split_at(at));
        fields.flat_map(parts).filter_map(move |(leads, inner)| {
            let rest = outer.strip_suffix(leads)?;
            (rest.is_empty() || rest.ends_with('.')).then(|| inner.get(1..))?
        })
    }

    /// Whether a key ends like some name.
    pub(super) fn may_be(&self, key: &[u8]) -> bool {
        let known = trimmed(key);
        let back = |by: usize| known.len().checked_sub(by).and_then(|at| known.get(at).copied());
        let last = [4, 3, 2, 1].map(|by| back(by).unwrap_or(0));
        self.may_end(last) || (!last.is_ascii() && self.may_end_odd(last))
    }

    /// The rule that has a name which the key ends in.
    fn name(&self, key: &[u8]) -> Option<u16> {
        let joined = Joined::of(key);
        let text = joined.text();
        let ends_in = |name: &Name| {
            text.ends_with(&name.text)
                && (name.text.len() >= GLUED
                    || joined.begins >> (text.len() - name.text.len()) & 1 == 1)
        };
        let names = self.names.get(usize::from(text.last()? & 0x1f))?;
        let found = names.iter().find(|name| ends_in(name))?;
        let except = |name: &&Name| name.rule == found.rule && text.ends_with(&name.text);
        self.except.iter().find(except).is_none().then_some(found.rule)
    }

    /// Whether some name may be what words before a key and the key itself are together.
    pub(super) fn may_end_longer(&self, key: &str) -> bool {
        let joined = Joined::of(key.as_bytes());
        let text = joined.text();
        let longer = |name: &Name| name.text.len() > text.len() && name.text.ends_with(text);
        let blank = |name: &Name| name.text.contains(&b' ');
        // What follows a name's last letter is no part of it, and a name that is allowed is not with others before it.
        !text.iter().any(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
            || !self.allowed.is_empty()
            || self.names.iter().flatten().any(longer)
            || self.fields.iter().chain(&self.strings).any(blank)
    }
}

/// The rule of the name, of those a configuration gives, that a key at the end of `path` has.
fn leads_to(names: &[Name], key: &[u8], path: &[String]) -> Option<u16> {
    let matches = |name: &[u8]| {
        let mut name = name;
        let outer = path.iter().rev().map(String::as_bytes);
        for part in std::iter::once(key).chain(outer) {
            if part.len() >= name.len() {
                let (rest, end) = part.split_at(part.len() - name.len());
                return end.eq_ignore_ascii_case(name)
                    && rest.last().is_none_or(|byte| *byte == b'.');
            }
            let (rest, end) = name.split_at(name.len() - part.len());
            if !end.eq_ignore_ascii_case(part) {
                return false;
            }
            match rest.strip_suffix(b".") {
                Some(rest) => name = rest,
                None => return false,
            }
        }
        false
    };
    names.iter().find(|name| matches(&name.text)).map(|name| name.rule)
}

/// A name without what follows its last letter: digits, `]`, blanks. All of it, if it has no letter.
pub(super) fn trimmed(name: &[u8]) -> &[u8] {
    let letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0x80;
    let last = name.iter().rposition(letter);
    last.and_then(|last| name.get(..=last)).unwrap_or(name)
}

/// The name that one came again by, `user` of `user_2` or `user_`; `None` if it is none such.
pub(super) fn without_number(name: &[u8]) -> Option<&[u8]> {
    let trimmed = |is: fn(&u8) -> bool, name: &[u8]| {
        name.iter().rposition(|byte| !is(byte)).map_or(0, |last| last + 1)
    };
    let joint = name.get(..trimmed(u8::is_ascii_digit, name))?;
    let known = joint.get(..trimmed(|byte| *byte == b'_', joint))?;
    (known.len() < joint.len() && !known.is_empty()).then_some(known)
}

/// Bytes that names are made of where nothing encloses them.
pub(super) const fn is_member(byte: u8) -> bool {
    is(byte, DIGIT | UPPER | LOWER | UNDERSCORE | DASH | FOREIGN)
}
