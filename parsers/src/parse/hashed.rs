//! Names found by their hashes: those that a definition knows, and those of a record's fields. A record
//! has a few dozen, most of which a definition does not know: a bit tells.

use bumpalo::collections::Vec as ArenaVec;

use super::keys::{bit, hash, is_same, position};
use super::names;
use crate::Arena;
use crate::record::Field;

/// Names that are known in advance, in an order, each with what it stands for.
#[derive(Debug)]
pub(super) struct Table<T> {
    /// The entries' places where their hashes say, or behind that. At least half of it is empty.
    places: Vec<Place>,
    entries: Vec<Entry<T>>,
}

/// The place of an entry.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// Half of its name's hash, which does not say where that is: mostly it tells that a name is not known.
    half: u16,
    /// One more than it is; 0 where there is none.
    number: u16,
}

/// A name, its hash, and what it stands for.
#[derive(Debug)]
struct Entry<T> {
    hash: u32,
    name: &'static str,
    to: T,
}

/// The upper half of a hash.
#[inline]
const fn half(hash: u32) -> u16 {
    (hash >> 16) as u16
}

impl<T> FromIterator<(String, T)> for Table<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(entries: I) -> Self {
        let entry = |(name, to): (String, T)| Entry {
            hash: hash(name.as_bytes()),
            name: names::keep(&name),
            to,
        };
        let entries: Vec<Entry<T>> = entries.into_iter().map(entry).collect();
        let size = (2 * entries.len()).next_power_of_two().max(2);
        let mut table = Self { places: vec![Place::default(); size], entries };
        for (number, entry) in (1..=u16::MAX).zip(&table.entries) {
            let is_free = |at: &usize| table.places.get(*at).is_some_and(|place| place.number == 0);
            let free = table.places_of(entry.hash).find(is_free);
            if let Some(free) = free.and_then(|at| table.places.get_mut(at)) {
                *free = Place { half: half(entry.hash), number };
            }
        }
        table
    }
}

impl<T> Table<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The names' hashes, the names, and what they stand for.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &str, &T)> {
        self.entries.iter().map(|entry| (entry.hash, entry.name, &entry.to))
    }

    /// Where the place of an entry of that hash may be written.
    #[inline]
    fn places_of(&self, hash: u32) -> impl Iterator<Item = usize> + use<T> {
        let last = self.places.len() - 1;
        (0..=last).map(move |step| (hash as usize + step) & last)
    }

    /// The place of a name, the first if there are several, and what it stands for.
    #[inline]
    pub(super) fn find(&self, hash: u32, name: &str) -> Option<(usize, &T)> {
        let is = |known: &str| is_same(known, name);
        self.search(hash, is).map(|(place, entry)| (place, &entry.to))
    }

    /// A name that is two with a dot between, if it is known: nobody has to put it together, then.
    #[inline]
    pub(super) fn dotted(&self, hash: u32, object: &str, member: &str) -> Option<&'static str> {
        let is = |known: &str| {
            let rest = known.strip_prefix(object).and_then(|rest| rest.strip_prefix('.'));
            rest.is_some_and(|rest| is_same(rest, member))
        };
        self.search(hash, is).map(|(_, entry)| entry.name)
    }

    /// The entry of a hash whose name is the one that is looked for.
    #[inline]
    fn search(&self, hash: u32, is: impl Fn(&str) -> bool) -> Option<(usize, &Entry<T>)> {
        for at in self.places_of(hash) {
            let place = self.places.get(at)?;
            // Mostly none has it, or the first that has is it.
            if place.half == half(hash)
                && let Some(number) = usize::from(place.number).checked_sub(1)
                && let Some(entry) = self.entries.get(number)
                && entry.hash == hash
                && is(entry.name)
            {
                return Some((number, entry));
            }
            if place.number == 0 {
                return None;
            }
        }
        None
    }

    /// What a name stands for.
    #[inline]
    pub(super) fn get(&self, hash: u32, name: &str) -> Option<&T> {
        self.find(hash, name).map(|(_, to)| to)
    }
}

/// Hashes, each a bit of so many that those of a record's few dozen names are mostly apart: one whose bit is
/// free is not of the set.
#[derive(Default)]
struct Bits([u64; 4]);

impl Bits {
    #[inline]
    fn may_have(&self, hash: u32) -> bool {
        self.0.get(Self::word(hash)).is_some_and(|word| word & bit(hash) != 0)
    }

    #[inline]
    fn add(&mut self, hash: u32) {
        if let Some(word) = self.0.get_mut(Self::word(hash)) {
            *word |= bit(hash);
        }
    }

    /// By other bits of the hash than those that [`bit`] goes by.
    #[inline]
    const fn word(hash: u32) -> usize {
        (hash >> 24) as usize % 4
    }
}

/// The hashes of the names of a record's fields, each at its field's place.
pub(super) struct Index<'a> {
    bits: Bits,
    hashes: ArenaVec<'a, u32>,
}

impl<'a> Index<'a> {
    pub(super) fn new(fields: &[Field<'_>], arena: &'a Arena) -> Self {
        let mut hashes = ArenaVec::with_capacity_in(fields.len(), arena);
        hashes.extend(fields.iter().map(|field| hash(field.key.name().as_bytes())));
        let mut bits = Bits::default();
        hashes.iter().for_each(|hash| bits.add(*hash));
        Self { bits, hashes }
    }

    /// The hash of the name of the field at a place.
    #[inline]
    pub(super) fn hash(&self, at: usize) -> Option<u32> {
        self.hashes.get(at).copied()
    }

    /// The place of the field of that name.
    #[inline(always)]
    pub(super) fn place(&self, fields: &[Field<'_>], hash: u32, name: &str) -> Option<usize> {
        if self.bits.may_have(hash) { self.search(fields, hash, name) } else { None }
    }

    #[inline(never)]
    fn search(&self, fields: &[Field<'_>], hash: u32, name: &str) -> Option<usize> {
        let mut from = 0;
        // Mostly none has it, or the first that has is it.
        while let Some(at) = position(self.hashes.get(from..)?, hash) {
            from += at + 1;
            if fields.get(from - 1).is_some_and(|field| field.key.name() == name) {
                return Some(from - 1);
            }
        }
        None
    }

    /// Takes the field at a place out.
    pub(super) fn remove(&mut self, fields: &mut Vec<Field<'_>>, at: usize) {
        if at < fields.len() && at < self.hashes.len() {
            fields.remove(at);
            self.hashes.remove(at);
        }
    }

    /// Fields have been put behind the others.
    pub(super) fn extend(&mut self, fields: &[Field<'_>]) {
        for field in fields.get(self.hashes.len()..).unwrap_or_default() {
            let hash = hash(field.key.name().as_bytes());
            self.bits.add(hash);
            self.hashes.push(hash);
        }
    }

    /// The field at a place has another name now.
    pub(super) fn set(&mut self, at: usize, hash: u32) {
        self.bits.add(hash);
        if let Some(known) = self.hashes.get_mut(at) {
            *known = hash;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Key, Text, Value};

    #[test]
    fn names_are_found_where_they_are() {
        let table: Table<u8> = [("a", 1), ("bb", 2), ("a", 3)]
            .map(|(name, to)| (name.to_owned(), to))
            .into_iter()
            .collect();
        let find = |name: &str| table.find(hash(name.as_bytes()), name);
        assert_eq!((find("a"), find("bb"), find("b")), (Some((0, &1)), Some((1, &2)), None));
        // Another name of the same hash is another name.
        assert_eq!(table.find(hash(b"a"), "c"), None);
        assert_eq!((table.len(), table.iter().count()), (3, 3));
    }

    #[test]
    fn an_index_follows_its_fields() {
        let arena = Arena::new();
        let field = |name| Field { key: Key::Text(Text::raw(name)), value: Value::Null };
        let mut fields = vec![field("a"), field("b"), field("c")];
        let mut index = Index::new(&fields, &arena);
        let place = |index: &Index<'_>, fields: &[Field<'_>], name: &str| {
            index.place(fields, hash(name.as_bytes()), name)
        };
        assert_eq!(place(&index, &fields, "c"), Some(2));
        index.remove(&mut fields, 1);
        assert_eq!((place(&index, &fields, "b"), place(&index, &fields, "c")), (None, Some(1)));
        fields[0] = field("d");
        index.set(0, hash(b"d"));
        assert_eq!((place(&index, &fields, "a"), place(&index, &fields, "d")), (None, Some(0)));
        index.remove(&mut fields, 7);
        assert_eq!(fields.len(), 2);
        fields.extend([field("e"), field("f")]);
        index.extend(&fields);
        assert_eq!((place(&index, &fields, "e"), place(&index, &fields, "f")), (Some(2), Some(3)));
    }
}
