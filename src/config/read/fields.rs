//! The fields of one mapping: what is asked for becomes what is known, and the rest is unknown.

use super::{Reader, Value};
use crate::config::diagnostic::{Mistake, quote};
use crate::config::nearest::{listed, nearest};
use crate::config::seen;
use crate::config::tree::Entry;

/// A mapping that is being read. Ends in [`Fields::finish`], which refuses the keys nobody asked for.
pub(in crate::config) struct Fields<'n> {
    /// The mapping itself.
    pub(in crate::config) whole: Value<'n>,
    entries: &'n [Entry],
    known: Vec<&'static str>,
    /// What is missing, unless it turns out to be mistyped.
    missing: Vec<(&'static str, Mistake)>,
}

impl<'n> Fields<'n> {
    pub(super) fn new(whole: Value<'n>, entries: &'n [Entry]) -> Self {
        Self { whole, entries, known: Vec::new(), missing: Vec::new() }
    }

    fn find(&self, key: &str) -> Option<Value<'n>> {
        self.entries.iter().find(|entry| entry.key == key).map(Value::of)
    }

    /// The value under a key, if it is there.
    pub(in crate::config) fn take(&mut self, key: &'static str) -> Option<Value<'n>> {
        self.known.push(key);
        self.find(key)
    }

    /// The value under a key that has to be there; [`Fields::finish`] says so if it is not. One that is
    /// mistyped stands in, so that what is in it is checked too: ask for needed keys last, when the
    /// others are known.
    pub(in crate::config) fn need(&mut self, key: &'static str, help: &str) -> Option<Value<'n>> {
        let value = self.take(key);
        if value.is_none() {
            let owner = self.whole.name;
            let message = if owner.is_empty() {
                format!("{} is missing", quote(key))
            } else {
                format!("{} is missing from {}", quote(key), quote(owner))
            };
            // The root has no key to point at.
            let mistake = if owner.is_empty() {
                Mistake::anywhere(message)
            } else {
                Mistake::at(self.whole.key, message)
            };
            self.missing.push((key, mistake.help(help)));
            let unknown = self.entries.iter().filter(|entry| !self.is_known(&entry.key));
            let mut near = unknown.filter(|entry| nearest(&entry.key, [key].into_iter()).is_some());
            return near.next().map(Value::of);
        }
        value
    }

    /// The keys that nobody asked for so far.
    pub(in crate::config) fn unknown(&self) -> impl Iterator<Item = &'n str> {
        let keys = self.entries.iter().map(|entry| entry.key.as_str());
        keys.filter(|key| !self.is_known(key))
    }

    fn is_known(&self, key: &str) -> bool {
        self.known.contains(&key)
    }

    /// Refuses every key that was not asked for, with the nearest one that was, and says what is
    /// missing.
    pub(in crate::config) fn finish(mut self, reader: &mut Reader<'_>) {
        seen::keys(self.whole.node.place, &self.known);
        let owner = self.whole.name;
        // One that is there already is not what an unknown key was meant to be.
        let absent: Vec<_> =
            self.known.iter().copied().filter(|known| self.find(known).is_none()).collect();
        for entry in self.entries {
            let key = entry.key.as_str();
            if self.is_known(key) {
                continue;
            }
            // Room for anchors at the top, as in Compose files.
            if owner.is_empty() && key.starts_with("x-") {
                continue;
            }
            let message = if owner.is_empty() {
                format!("unknown key {}", quote(key))
            } else {
                format!("unknown key {} in {}", quote(key), quote(owner))
            };
            let meant = nearest(key, absent.iter().copied());
            // A key that is mistyped is not also missing.
            self.missing.retain(|(missing, _)| Some(*missing) != meant);
            let help = meant.map(|meant| format!("did you mean `{meant}`?"));
            let help = help.or_else(|| listed(self.known.iter().copied()));
            reader.mistake(Mistake::at(entry.key_place, message).maybe_help(help));
        }
        for (_, mistake) in self.missing {
            reader.mistake(mistake);
        }
    }
}
