//! Fields that another field names: a name and a value of their own each.

use super::super::rules::PAIRED;
use super::Pass;
use crate::record::{Field, Value};

impl<'a> Pass<'_, 'a> {
    /// The rule for a field that is called what another says: `{"key":"password","value":"…"}`, or
    /// CEF's `cs1Label=password cs1=…`.
    pub(super) fn paired(&self, name: &str, all: &[Field<'a>]) -> Option<u16> {
        // `_2` of a member that comes again.
        let number = name.strip_prefix("value").or_else(|| name.strip_prefix("Value"));
        let labelled = name.ends_with(|last: char| last.is_ascii_digit());
        if !labelled && number != Some("") {
            return None;
        }
        let says = |key: &str| {
            labelled && key.strip_suffix("Label") == Some(name)
                || number.is_some()
                    && PAIRED.iter().any(|paired| {
                        let own = key.split_at_checked(paired.len());
                        own.is_some_and(|(own, rest)| {
                            own.eq_ignore_ascii_case(paired) && Some(rest) == number
                        })
                    })
        };
        let said = all.iter().filter(|field| says(field.key.name()));
        let mut rules = said.filter_map(|field| match field.value {
            Value::Text(text) => {
                let name = self.decoded(text);
                self.rules.keys.find(name, &[]).or_else(|| self.rules.keys.find_string(name))
            }
            _ => None,
        });
        rules.next()
    }
}
