//! Keeps keys unique: two addresses that were keys are both `[EMAIL]` once they are masked.

use std::collections::{BTreeMap, BTreeSet};

/// Keeps the keys of one object unique when some of them are replaced.
#[derive(Default)]
pub(super) struct Names {
    taken: BTreeSet<String>,
    last: BTreeMap<String, usize>,
}

impl Names {
    /// Another name for a key that is taken: `[EMAIL]#2`. `None` if it is free, as it is unless a key
    /// of this object was replaced.
    pub(super) fn unique(&mut self, name: &str) -> Option<String> {
        if self.taken.insert(name.to_owned()) {
            return None;
        }
        let last = self.last.entry(name.to_owned()).or_insert(1);
        loop {
            *last += 1;
            let other = format!("{name}#{last}");
            if self.taken.insert(other.clone()) {
                return Some(other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn taken_names_are_numbered() {
        let mut names = Names::default();
        let mut next = |name: &str| names.unique(name);
        assert_eq!(next("[EMAIL]"), None);
        assert_eq!(next("x"), None);
        assert_eq!(next("[EMAIL]").as_deref(), Some("[EMAIL]#2"));
        assert_eq!(next("[EMAIL]#3"), None);
        assert_eq!(next("[EMAIL]").as_deref(), Some("[EMAIL]#4"));
    }
}
