//! Whose words stand before a value, and how near.

/// A set of rules that have words, by their slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Slots(u128);

impl Slots {
    /// Adds a slot, if there is one.
    pub(super) fn add(&mut self, slot: Option<u8>) {
        self.0 |= slot.map_or(0, |slot| 1_u128 << (slot & 127));
    }

    /// Adds those of another set.
    pub(super) fn join(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether a slot is among them.
    pub(in super::super) const fn has(self, slot: u8) -> bool {
        self.0 >> (slot & 127) & 1 == 1
    }

    /// Whether the two have one in common.
    pub(in super::super) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is none.
    pub(in super::super) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The words that stand before a value, nearest first: how near, and whose they are.
#[derive(Debug, Default)]
pub(in super::super) struct Near {
    distances: [u32; Self::MOST],
    slots: [Slots; Self::MOST],
    count: usize,
}

impl Near {
    /// Words that are kept.
    const MOST: usize = 6;

    /// Whether no rule's words are there.
    pub(in super::super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The words: how near, and whose.
    pub(super) fn found(&self) -> impl Iterator<Item = (u32, Slots)> {
        self.distances.into_iter().zip(self.slots).take(self.count)
    }

    /// How near a rule's words stand; the name of the field, if it has the rule, stands before all.
    pub(super) fn distance(&self, slot: u8, named: Slots) -> Option<usize> {
        let found = self.found().find(|(_, slots)| slots.has(slot));
        let name = || named.has(slot).then_some(usize::MAX - 1);
        found.map(|(distance, _)| distance as usize).or_else(name)
    }

    /// The rules whose words are there.
    pub(in super::super) fn slots(&self) -> Slots {
        let mut slots = Slots::default();
        for (_, found) in self.found() {
            slots.join(found);
        }
        slots
    }

    /// Adds a word that stands before those that are known.
    pub(super) fn push(&mut self, distance: usize, slots: Slots) {
        let place = self.distances.get_mut(self.count).zip(self.slots.get_mut(self.count));
        if let Some((near, whose)) = place {
            (*near, *whose) = (u32::try_from(distance).unwrap_or(u32::MAX), slots);
            self.count += 1;
        }
    }
}
