//! Fields that hold cookies: of these only the values go.

use super::super::detect::{Judge, cookie_values};
use super::{Rules, Work};

impl Work {
    /// What stands in place of a field that goes because of its key: of cookies only the values go.
    pub(in super::super) fn replaced(&self, rules: &Rules, rule: u16, text: &str) -> String {
        if rules.judge(rule) != Judge::Cookie || text.starts_with('[') {
            return self.replacement(rules, rule, text);
        }
        let (mut out, mut from) = (String::with_capacity(text.len()), 0);
        for value in cookie_values(text, &rules.masks) {
            out.push_str(text.get(from..value.start).unwrap_or_default());
            from = value.end;
            out.push_str(&self.replacement(rules, rule, text.get(value).unwrap_or_default()));
        }
        out + text.get(from..).unwrap_or_default()
    }
}
