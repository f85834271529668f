//! Which keys and words the readers ask for where: noted in tests, for the one that holds the schema
//! against them. Elsewhere nothing is noted.

use super::diagnostic::Place;

/// The keys that a mapping at this place may have.
#[cfg_attr(not(test), expect(clippy::missing_const_for_fn, reason = "in tests it is none"))]
pub(super) fn keys(place: Place, keys: &[&'static str]) {
    #[cfg(test)]
    noted::note(&noted::KEYS, place, keys);
    #[cfg(not(test))]
    let _ = (place, keys);
}

/// The words that a value at this place may be.
pub(super) fn words(place: Place, words: impl Iterator<Item = &'static str>) {
    #[cfg(test)]
    noted::note(&noted::WORDS, place, &words.collect::<Vec<_>>());
    #[cfg(not(test))]
    let _ = (place, words);
}

#[cfg(test)]
pub(super) mod noted {
    use std::cell::RefCell;
    use std::thread::LocalKey;

    use super::Place;

    type Noted = RefCell<Vec<(Place, Vec<&'static str>)>>;

    thread_local! {
        pub(in crate::config) static KEYS: Noted = const { RefCell::new(Vec::new()) };
        pub(in crate::config) static WORDS: Noted = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn note(into: &'static LocalKey<Noted>, place: Place, what: &[&'static str]) {
        into.with_borrow_mut(|noted| noted.push((place, what.to_vec())));
    }
}
