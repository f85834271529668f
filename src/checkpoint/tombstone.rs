//! What is remembered of Files that are finished: enough to know one again when it turns up
//! compressed, days later. Few bytes each, so many, and no more than [`MAX`].

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::snapshot::{Prefix, TailHash};

/// Tombstones kept at most: the oldest go first.
pub const MAX: usize = 10_000;
/// Seconds that one is kept.
pub const KEPT: i64 = 7 * 24 * 3600;
/// A path is compared with those of so many others, to be shared with one that is equal.
const SHARED: usize = 100;

/// A File of which nothing is read any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// Its number.
    pub number: u32,
    /// Name of its source.
    #[serde(serialize_with = "write", deserialize_with = "read")]
    pub source: Arc<str>,
    /// The path its lineage went by.
    #[serde(serialize_with = "write", deserialize_with = "read")]
    pub path: Arc<str>,
    /// Of its first bytes.
    pub fingerprint: Prefix,
    /// Bytes it was known to have.
    pub size: u64,
    /// Of the bytes before the end of what was read of it; all of that is settled everywhere.
    pub tail: TailHash,
    /// When it was finished: seconds since the Unix epoch.
    pub when: i64,
    /// Which compressed file was found to be it, as a hash of where that lies and when it was
    /// changed; 0 if none was.
    #[serde(default)]
    pub archive: u64,
}

/// All of them, oldest first.
#[derive(Debug, Default)]
pub struct Tombstones {
    all: VecDeque<Tombstone>,
}

impl Tombstones {
    /// Those of a checkpoint.
    #[must_use]
    pub fn new(all: Vec<Tombstone>) -> Self {
        let mut tombstones = Self::default();
        for tombstone in all {
            tombstones.share(tombstone);
        }
        tombstones.trim();
        tombstones
    }

    /// Adds one; an earlier one of the same File goes.
    pub fn push(&mut self, tombstone: Tombstone) {
        self.take(tombstone.number);
        self.share(tombstone);
        self.trim();
    }

    /// Forgets those that are too old; `now` in seconds since the Unix epoch.
    pub fn age(&mut self, now: i64) {
        self.all.retain(|tombstone| now.saturating_sub(tombstone.when) <= KEPT);
    }

    /// Takes out a File's.
    pub fn take(&mut self, number: u32) -> Option<Tombstone> {
        let at = self.all.iter().position(|tombstone| tombstone.number == number)?;
        self.all.remove(at)
    }

    /// A File's.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&Tombstone> {
        self.all.iter().find(|tombstone| tombstone.number == number)
    }

    /// Says which compressed file a File became. Whether that was news.
    pub fn mark(&mut self, number: u32, archive: u64) -> bool {
        let found = self.all.iter_mut().find(|tombstone| tombstone.number == number);
        found.is_some_and(|found| std::mem::replace(&mut found.archive, archive) != archive)
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Tombstone> {
        self.all.iter()
    }

    /// As a checkpoint has them.
    #[must_use]
    pub fn entries(&self) -> &VecDeque<Tombstone> {
        &self.all
    }

    fn share(&mut self, mut tombstone: Tombstone) {
        let text = |one: &Tombstone| one.path == tombstone.path && one.source == tombstone.source;
        if let Some(equal) = self.all.iter().rev().take(SHARED).find(|one| text(one)) {
            tombstone.path = Arc::clone(&equal.path);
            tombstone.source = Arc::clone(&equal.source);
        }
        self.all.push_back(tombstone);
    }

    fn trim(&mut self) {
        self.all.drain(..self.all.len().saturating_sub(MAX));
    }
}

fn write<S: Serializer>(text: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(text)
}

fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
    String::deserialize(from).map(Arc::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tombstone(number: u32, when: i64) -> Tombstone {
        Tombstone {
            number,
            source: Arc::from("app"),
            path: Arc::from("/var/log/app.log"),
            fingerprint: Prefix { len: 1024, hash: u64::MAX },
            size: 1 << 30,
            tail: TailHash { end: 1 << 30, len: 256, hash: u64::MAX },
            when,
            archive: u64::MAX,
        }
    }

    #[test]
    fn the_oldest_go_first_and_all_go_after_a_week() {
        let mut tombstones = Tombstones::default();
        for number in 0..u32::try_from(MAX).expect("small") + 5 {
            tombstones.push(tombstone(number, i64::from(number)));
        }
        assert_eq!(
            (tombstones.entries().len(), tombstones.iter().next().map(|t| t.number)),
            (MAX, Some(5))
        );
        tombstones.age(KEPT + 10);
        assert_eq!(tombstones.iter().next().map(|one| one.number), Some(10));
        tombstones.age(KEPT + 100_000);
        assert_eq!(tombstones.entries().len(), 0);
    }

    #[test]
    fn one_costs_little_on_disk_and_in_memory() {
        let mut tombstones = Tombstones::default();
        tombstones.push(tombstone(1, 1_800_000_000));
        tombstones.push(tombstone(2, 1_800_000_000));
        let text = serde_json::to_string(tombstones.entries()).expect("written");
        assert!(text.len() < 500, "{text}");
        let mut read = Tombstones::new(serde_json::from_str(&text).expect("read"));
        assert_eq!(read.entries(), tombstones.entries());
        let paths: Vec<_> = read.iter().map(|one| Arc::as_ptr(&one.path)).collect();
        assert_eq!(paths[0], paths[1], "shared");
        assert!(size_of::<Tombstone>() <= 112, "{}", size_of::<Tombstone>());
        assert!(read.mark(2, 7) && !read.mark(2, 7) && !read.mark(3, 7));
        read.push(tombstone(1, 1));
        assert_eq!(read.iter().map(|one| one.number).collect::<Vec<_>>(), [2, 1]);
        assert!(read.take(1).is_some() && read.get(1).is_none());
    }

    #[test]
    fn a_checkpoint_of_before_has_none() {
        use crate::checkpoint::snapshot::Snapshot;
        let before = r#"{"next_file":7,"sources":["app"],"files":[]}"#;
        let snapshot: Snapshot = serde_json::from_str(before).expect("read");
        assert_eq!((snapshot.next_file, snapshot.tombstones), (7, Vec::new()));
    }
}
