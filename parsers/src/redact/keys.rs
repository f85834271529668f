//! Names of fields that hold secrets: which rule, if any, a key belongs to.
//!
//! A rule's names match the *end* of a key, without regard to case and to how its words are joined:
//! `api key` matches `apiKey`, `API_KEY` and `x-api-key`. Names that a configuration gives are
//! matched as they are, as the last parts of a dotted path.

/// Bytes of a key that are looked at, from its end.
const LONGEST: usize = 64;

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
    /// Names of rules, lower-case, words joined.
    names: Vec<Name>,
    /// Names that only look like those.
    except: Vec<Name>,
    /// Whole names, lower-case, that are a secret's only where the value is a string.
    strings: Vec<Name>,
    /// A bit for each (hashed) ending of four bytes that some name has: rejects almost every key at
    /// once.
    ends: Box<[u64; 512]>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({} fields, {} names)", self.fields.len(), self.names.len())
    }
}

impl Default for Keys {
    fn default() -> Self {
        let ends = Box::new([0; 512]);
        let [fields, names, except, strings] = [const { Vec::new() }; 4];
        Self { fields, names, except, strings, ends }
    }
}

/// The last bytes of a key that are looked at first.
pub(super) type Ending = [u8; 4];

/// Where an ending has its bit. Case does not matter to the low five bits of a letter.
#[inline]
const fn slot(last: Ending) -> (usize, u64) {
    let fives = u32::from_le_bytes(last) & 0x1f1f_1f1f;
    // Fibonacci hashing to 15 bits.
    let hash = fives.wrapping_mul(0x9E37_79B1) >> 17;
    (hash as usize / 64, 1 << (hash % 64))
}

impl Keys {
    /// Adds a rule's name, words apart by blanks.
    pub(super) fn add(&mut self, name: &str, rule: u16) {
        let text: Box<[u8]> = name.bytes().filter(|byte| *byte != b' ').collect();
        self.allow(&text);
        // Where the last word is short, what joins the words is among the last bytes.
        let last_word = name.rsplit(' ').next().unwrap_or_default();
        if last_word.len() < 4 && last_word.len() < name.len() {
            for joint in ["_", "-", ".", " "] {
                self.allow(name.replace(' ', joint).as_bytes());
            }
        }
        self.names.push(Name { text, rule });
    }

    /// Adds a name that is not to match though it ends like one of the rule's.
    pub(super) fn add_exception(&mut self, name: &str, rule: u16) {
        let text = name.bytes().filter(|byte| *byte != b' ').collect();
        self.except.push(Name { text, rule });
    }

    /// Adds a name that is to match whole, and only where its value is a string.
    pub(super) fn add_string(&mut self, name: &str, rule: u16) {
        self.allow(name.as_bytes());
        self.strings.push(Name { text: name.to_ascii_lowercase().into_bytes().into(), rule });
    }

    /// Adds a field that a configuration names.
    pub(super) fn add_field(&mut self, name: &str, rule: u16) {
        let text: Box<[u8]> = name.to_ascii_lowercase().into_bytes().into();
        let last = text.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
        self.allow(last);
        self.fields.push(Name { text, rule });
    }

    /// Lets keys with this ending through the first test.
    pub(super) fn allow(&mut self, name: &[u8]) {
        let known = trimmed(name);
        let mut last = [None; 4];
        for (to, from) in last.iter_mut().rev().zip(known.iter().rev()) {
            *to = Some(*from);
        }
        self.allow_from(last, Ending::default(), 0);
    }

    /// Sets the bits of every ending that agrees with `known`; what stands before a shorter name may
    /// be anything.
    fn allow_from(&mut self, known: [Option<u8>; 4], mut ending: Ending, place: usize) {
        let Some(byte) = known.get(place) else {
            let (word, bit) = slot(ending);
            if let Some(word) = self.ends.get_mut(word) {
                *word |= bit;
            }
            return;
        };
        for choice in byte.map_or(0..=31, |byte| byte..=byte) {
            ending[place] = choice;
            self.allow_from(known, ending, place + 1);
        }
    }

    /// Whether some name may end like this: `last` is a key's last bytes, up to its last letter.
    #[inline]
    pub(super) fn may_end(&self, last: Ending) -> bool {
        let (word, bit) = slot(last);
        self.ends.get(word).is_some_and(|word| word & bit != 0)
    }

    /// The rule for a key that stands at the end of `path`, the keys around it (outermost first).
    pub(super) fn find(&self, key: &str, path: &[String]) -> Option<u16> {
        let bytes = key.as_bytes();
        if !self.may_be(bytes) {
            return None;
        }
        let again = || self.field(without_number(bytes)?, path);
        self.field(bytes, path).or_else(again).or_else(|| self.name(bytes))
    }

    /// The rule for a key whose value goes only if it is a string.
    pub(super) fn find_string(&self, key: &str) -> Option<u16> {
        let known = without_number(key.as_bytes()).unwrap_or(key.as_bytes());
        let matches = |name: &&Name| name.text.eq_ignore_ascii_case(known);
        self.strings.iter().find(matches).map(|name| name.rule)
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
        self.may_end([4, 3, 2, 1].map(|by| back(by).unwrap_or(0)))
    }

    /// The rule for a field that a configuration names.
    fn field(&self, key: &[u8], path: &[String]) -> Option<u16> {
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
        self.fields.iter().find(|name| matches(&name.text)).map(|name| name.rule)
    }

    /// The rule that has a name which the key ends in.
    fn name(&self, key: &[u8]) -> Option<u16> {
        if self.names.is_empty() {
            return None;
        }
        let key = &key[key.len().saturating_sub(LONGEST)..];
        let mut joined = [0; LONGEST];
        // A bit for each joined byte that begins a word.
        let mut begins = 0_u64;
        let mut length = 0;
        let mut before = b' ';
        for &byte in trimmed(key) {
            if byte.is_ascii_alphanumeric() {
                if !before.is_ascii_alphanumeric()
                    || (byte.is_ascii_uppercase() && !before.is_ascii_uppercase())
                {
                    begins |= 1 << length;
                }
                if let Some(to) = joined.get_mut(length) {
                    *to = byte.to_ascii_lowercase();
                    length += 1;
                }
            }
            before = byte;
        }
        let joined = joined.get(..length)?;
        let ends_in = |name: &Name| {
            joined.ends_with(&name.text)
                && (name.text.len() >= GLUED || begins >> (length - name.text.len()) & 1 == 1)
        };
        let found = self.names.iter().find(|name| ends_in(name))?;
        let except = |name: &&Name| name.rule == found.rule && joined.ends_with(&name.text);
        self.except.iter().find(except).is_none().then_some(found.rule)
    }
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
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        let mut keys = Keys::default();
        keys.add("password", 1);
        keys.add("pwd", 1);
        keys.add("api key", 2);
        keys.add("token", 2);
        keys.add_exception("page token", 2);
        keys.add_field("user.Email", 7);
        keys.add_field("pw", 8);
        keys.add_field("line2", 9);
        keys
    }

    #[test]
    fn rules_names_match_the_end_of_a_key_however_joined() {
        let check = |key: &str, expect| assert_eq!(keys().find(key, &[]), expect, "{key}");
        check("password", Some(1));
        check("db_password", Some(1));
        check("dbpassword", Some(1));
        check("userPassword2", Some(1));
        check("PASSWORD", Some(1));
        check("mysql.pwd", Some(1));
        check("spwd", None);
        check("API_KEY", Some(2));
        check("x-api-key", Some(2));
        check("apiKey", Some(2));
        check("access_token", Some(2));
        check("nextPageToken", None);
        check("tokens", None);
        check("password_changed", None);
        check("key", None);
        check("", None);
    }

    #[test]
    fn configured_names_match_whole_parts_of_a_path() {
        let path = |parts: &[&str]| parts.iter().map(|&part| part.into()).collect::<Vec<String>>();
        let check = |key: &str, around: &[&str], expect| {
            assert_eq!(keys().find(key, &path(around)), expect, "{around:?} {key}");
        };
        check("email", &["user"], Some(7));
        check("EMAIL", &["request", "User"], Some(7));
        check("user.email", &[], Some(7));
        check("user.email", &["x"], Some(7));
        check("email", &["superuser"], None);
        check("email", &["a.user"], Some(7));
        check("email", &[], None);
        check("pw", &[], Some(8));
        check("xpw", &[], None);
        check("line2", &[], Some(9));
        check("line3", &[], None);
        // what comes again, and what made room for another
        check("email_2", &["user"], Some(7));
        check("user.email_17", &[], Some(7));
        check("user.email_", &[], Some(7));
        check("line2_2", &[], Some(9));
        check("pw2", &[], None);
        check("xpw_2", &[], None);
        check("_2", &[], None);
    }

    #[test]
    fn odd_ends_and_blanks_are_no_part_of_a_name() {
        let check = |key: &str, expect| assert_eq!(keys().find(key, &[]), expect, "{key}");
        for key in ["user[password]", "password ", "password_", "$password$", "Password:", "pwd[0]"]
        {
            check(key, Some(1));
        }
        check("API Key", Some(2));
        check("password?x", None);
    }

    #[test]
    fn a_raw_name_may_be_the_last_part_of_a_configured_one() {
        let mut keys = keys();
        keys.add_field("a/first name", 10);
        keys.add_string("pass", 11);
        let check = |key: &str, expect| assert_eq!(keys.may_find(key), expect, "{key}");
        check("email", Some(7));
        check("x.EMAIL", Some(7));
        check("user.email", Some(7));
        check("x_email", None);
        check("name", Some(10));
        check("first name", Some(10));
        check("pass", Some(11));
        check("bypass", None);
        check("x-api-key", Some(2));
        assert_eq!((keys.find("pass", &[]), keys.find_string("Pass")), (None, Some(11)));
        assert_eq!((keys.find_string("pass_2"), keys.find_string("pass2")), (Some(11), None));
    }
}
