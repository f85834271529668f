//! The names that the built-in rules go by, for those who cut a line into fields: a name that is cut
//! from its value no longer gives it away.

use std::sync::{Arc, LazyLock};

use super::rules::Rules;

static RULES: LazyLock<Arc<Rules>> = LazyLock::new(Rules::builtin_default);

/// Whether a value goes because of this name.
pub(crate) fn is_guarded(name: &str) -> bool {
    let keys = &RULES.keys;
    keys.may_be(name.as_bytes())
        && (keys.find(name, &[]).is_some() || keys.find_string(name).is_some())
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

#[cfg(test)]
mod tests {
    use super::names_secret;

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
