//! Kinds of values to be found: how a valid one is made, how logs name it, which rule is to find it.

use super::draw::Draw;
use super::text::Text;

/// How a kind comes into a log.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// As a value that a field may hold.
    Value {
        /// Makes a valid one, in one of its usual spellings.
        make: fn(&mut Draw) -> String,
        /// Names of fields that hold it.
        keys: &'static [&'static str],
        /// Sentences with it, at `{}`.
        phrases: &'static [&'static str],
        /// Makes one that is not valid out of a valid one.
        spoil: Option<fn(&mut Draw, &str) -> String>,
    },
    /// As a piece of text of its own, in which the value is marked.
    Snippet(fn(&mut Draw) -> Text),
}

/// A kind of value.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    /// Its name in the corpus.
    pub(crate) name: &'static str,
    /// The rule that is to find it: the first of these that there is.
    pub(crate) rules: &'static [&'static str],
    /// How it comes into a log.
    pub(crate) form: Form,
}

impl Kind {
    /// A kind that has a form and check digits.
    pub(crate) const fn checked(
        name: &'static str,
        make: fn(&mut Draw) -> String,
        keys: &'static [&'static str],
        phrases: &'static [&'static str],
        spoil: fn(&mut Draw, &str) -> String,
    ) -> Self {
        let form = Form::Value { make, keys, phrases, spoil: Some(spoil) };
        Self { name, rules: &[], form }
    }

    /// A kind that has a form.
    pub(crate) const fn formed(
        name: &'static str,
        make: fn(&mut Draw) -> String,
        keys: &'static [&'static str],
        phrases: &'static [&'static str],
    ) -> Self {
        Self { name, rules: &[], form: Form::Value { make, keys, phrases, spoil: None } }
    }

    /// A kind of text in which the value is marked.
    pub(crate) const fn snippet(name: &'static str, make: fn(&mut Draw) -> Text) -> Self {
        Self { name, rules: &[], form: Form::Snippet(make) }
    }

    /// Found by one of those rules, where there is none of the kind's own name.
    pub(crate) const fn by(self, rules: &'static [&'static str]) -> Self {
        Self { rules, ..self }
    }
}

/// Another digit in place of the last one: no single check digit survives that.
pub(crate) fn another_last_digit(draw: &mut Draw, value: &str) -> String {
    let Some(at) = value.rfind(|c: char| c.is_ascii_digit()) else { return value.to_owned() };
    let old = value[at..].chars().next().and_then(|c| c.to_digit(10)).unwrap_or(0);
    let new = (u64::from(old) + draw.between(1, 9)) % 10;
    format!("{}{new}{}", &value[..at], &value[at + 1..])
}

/// Another capital in place of the last one.
pub(crate) fn another_last_letter(draw: &mut Draw, value: &str) -> String {
    let Some(at) = value.rfind(|c: char| c.is_ascii_uppercase()) else { return value.to_owned() };
    let old = value.as_bytes()[at] - b'A';
    let new = (old + u8::try_from(draw.between(1, 25)).unwrap_or(1)) % 26;
    format!("{}{}{}", &value[..at], char::from(b'A' + new), &value[at + 1..])
}
