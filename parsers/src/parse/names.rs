//! What definitions call their fields, and words that they know: each kept once, for as long as the
//! process runs, so that records may borrow it.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::record::{Key, Known, Text};

static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// A name to keep. Definitions are configuration, which has as many as people write: a log adds none,
/// and one that is loaded anew has those that are there.
pub(super) fn keep(name: &str) -> &'static str {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = names.get(name) {
        return kept;
    }
    let kept: &'static str = Box::leak(name.into());
    names.insert(kept);
    kept
}

/// The key of a field that a definition names.
pub(super) fn key(name: &str) -> Key<'static> {
    Known::from_name(name).map_or_else(|| Key::Text(Text::fixed(keep(name))), Key::Known)
}
