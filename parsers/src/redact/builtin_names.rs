//! The names that the built-in rules go by, for those who cut a line into fields: a name that is cut
//! from its value no longer gives it away.

use std::sync::{Arc, LazyLock};

use super::keys::{Keys, trimmed};
use super::rules::Rules;
use crate::record::{closing_quote, unescape};

static RULES: LazyLock<Arc<Rules>> = LazyLock::new(Rules::builtin_default);

/// Whether a value goes because of this name.
pub(crate) fn is_guarded(name: &str) -> bool {
    let keys = &RULES.keys;
    may_name(keys, name) && (keys.find(name, &[]).is_some() || keys.find_string(name).is_some())
}

/// Whether a name may be one of these, letter by letter: many words end as some of them do.
fn may_name(keys: &Keys, name: &str) -> bool {
    let bytes = name.as_bytes();
    // What joins words in other scripts is only looked for where all is.
    keys.may_be(bytes) && (!bytes.is_ascii() || keys.may_stand(trimmed(bytes)))
}

/// Whether a word and what stands behind it are such a name and its value, `password: …` or
/// `password=…`, which must not be parted.
#[inline]
pub(crate) fn names_secret(word: &str, behind: &str) -> bool {
    let assigns = match behind.as_bytes() {
        [b':' | b'=', ..] => true,
        [b' ' | b'\t' | b'"' | b'\'', rest @ ..] => {
            let next = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'"' | b'\''));
            matches!(next, Some(b':' | b'='))
        }
        _ => false,
    };
    assigns && is_guarded(word)
}

/// Whether a text ends in such a name and the sign behind it: what follows is its value.
#[inline]
pub(crate) fn ends_in_secret(text: &str) -> bool {
    // Asked of every number that a layout reads: mostly the last byte or two say no.
    match without_marks(text.as_bytes()) {
        [before @ .., b':' | b'='] => ends_in_name(text, before.len()),
        _ => false,
    }
}

/// Whether so many bytes of a text end in such a name, blanks and quotes behind it aside.
fn ends_in_name(text: &str, len: usize) -> bool {
    let before = without_marks(text.as_bytes().get(..len).unwrap_or_default());
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let name = before.iter().rev().take_while(|byte| is_part(byte)).count();
    name > 0 && text.get(before.len() - name..before.len()).is_some_and(is_guarded)
}

/// Bytes without the blanks and quotes at their end.
#[inline]
fn without_marks(mut bytes: &[u8]) -> &[u8] {
    while let [before @ .., b' ' | b'\t' | b'"' | b'\''] = bytes {
        bytes = before;
    }
    bytes
}

/// Whether what follows a text is a secret because of it: its value, or what goes with `Bearer`.
pub(crate) fn gives_away(text: &str) -> bool {
    let word = text.trim_end().rsplit(|byte: char| !byte.is_ascii_alphanumeric()).next();
    let scheme = |name: &str| word.is_some_and(|word| word.eq_ignore_ascii_case(name));
    ends_in_secret(text) || scheme("bearer") || scheme("basic")
}

/// Whether a member of an object, at any depth, has such a name.
pub(crate) fn has_secret(object: &str) -> bool {
    let mut rest = object;
    while let Some(open) = memchr::memchr(b'"', rest.as_bytes()) {
        let inside = rest.get(open + 1..).unwrap_or_default();
        let Some(end) = closing_quote(inside.as_bytes()) else { return false };
        let key = inside.get(..end).unwrap_or_default();
        rest = inside.get(end + 1..).unwrap_or_default();
        if rest.trim_ascii_start().starts_with(':') {
            let mut name = String::new();
            unescape(key, &mut name);
            if is_guarded(&name) {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{ends_in_secret, gives_away, has_secret, names_secret};

    #[test]
    fn what_ends_in_a_secrets_name() {
        for text in ["a password=", "password: ", "{\"api_key\": \"", "x db.PASSWORD = '"] {
            assert!(ends_in_secret(text), "{text}");
        }
        for text in ["", "=", "password", "password x=", "a.", "took: "] {
            assert!(!ends_in_secret(text), "{text}");
        }
    }

    #[test]
    fn what_gives_away_what_follows() {
        for text in ["a password=", "Authorization: Bearer ", "basic "] {
            assert!(gives_away(text), "{text}");
        }
        for text in ["", "user ", "forbearer x ", "Bearer x "] {
            assert!(!gives_away(text), "{text}");
        }
    }

    #[test]
    fn what_has_a_secret_in_it() {
        for object in [
            r#"{"password":1}"#,
            r#"{"a":[{"x\"y":1,"p\u0061ssword" : ""}]}"#,
            r#"{"a":{"pass":"x"}}"#,
        ] {
            assert!(has_secret(object), "{object}");
        }
        for object in ["{}", "[1]", r#"["password"]"#, r#"{"a":"password","b":"\":"}"#] {
            assert!(!has_secret(object), "{object}");
        }
    }

    #[test]
    fn a_secrets_name_and_its_value() {
        for (word, behind) in
            [("password", ": x"), ("api_key", "=x"), ("db.PASSWORD", " : x"), ("token", "\": x")]
        {
            assert!(names_secret(word, behind), "{word}{behind}");
        }
        for (word, behind) in [("password", " x"), ("c.e.Tokens", ": x"), ("sshd", "[12]: x")] {
            assert!(!names_secret(word, behind), "{word}{behind}");
        }
    }
}
