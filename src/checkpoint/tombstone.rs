//! What is remembered of Files that are finished: enough to know one again when it turns up
//! compressed, days later. Few bytes each, so many, and no more than [`MAX`].

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::resume::Resume;
use super::snapshot::{Prefix, ResumeEntry, TailHash, is_zero};

/// Tombstones kept at most: the oldest go first.
pub const MAX: usize = 10_000;
/// Seconds that one is kept after nothing of its File was on the disk any more.
pub const KEPT: i64 = 7 * 24 * 3600;
/// Seconds by which one may be older than it could be.
pub const REFRESHED: u64 = 3600;
/// Seconds by which the last one is to be older than now, or younger, for the clock to be in doubt.
const CLOCK_WRONG: u64 = 24 * 3600;
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
    /// Of some bytes between its first and its last ones; 0 if those are not known.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub middle: u64,
    /// When it was finished, or a compressed file was last known to be it: seconds since the Unix
    /// epoch, by a clock that does not jump while the agent runs.
    pub when: i64,
    /// Which compressed file was found to be it, as a hash of where that lies and when it was
    /// changed; 0 if none was.
    #[serde(default)]
    pub archive: u64,
    /// Whether it went before it was read to its end, and the rest may yet be found compressed: what of
    /// it is not is still to be counted as lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hoped_for: bool,
    /// What it takes to go on after what was read of it, should it turn out to have more; none where
    /// there is nothing to know.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_resume",
        deserialize_with = "read_resume"
    )]
    pub resume: Option<Arc<Resume>>,
}

/// All of them, oldest first.
#[derive(Debug, Default)]
pub struct Tombstones {
    all: VecDeque<Tombstone>,
    /// Of which something changed since they were last written, or that are there no more. Not those
    /// that went by age or number, as they go again when they are read.
    changed: BTreeSet<u32>,
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
        self.changed.insert(tombstone.number);
        self.share(tombstone);
        self.trim();
    }

    /// Those that are still on the disk as a compressed file, be it for months, are as young as one
    /// finished `now` (seconds since the Unix epoch), give or take [`REFRESHED`]: without them it would
    /// be a new one.
    pub fn refresh(&mut self, there: &HashSet<u32>, now: i64) {
        let old =
            |it: &&mut Tombstone| now.abs_diff(it.when) >= REFRESHED && there.contains(&it.number);
        let mut any = false;
        for tombstone in self.all.iter_mut().filter(old) {
            tombstone.when = now;
            self.changed.insert(tombstone.number);
            any = true;
        }
        if any {
            self.all.make_contiguous().sort_by_key(|tombstone| tombstone.when);
        }
    }

    /// Takes the clock for wrong by which they were finished, if the last of them was days before `now`
    /// (seconds since the Unix epoch), or after it: they are all as much younger, or older, as it is. So
    /// the time in which no agent ran, or none finished a File, does not count. Where some were finished within
    /// the last days, it is the others that are wrong which were finished after now: those were now.
    pub fn set_clock(&mut self, now: i64) {
        let lately = |it: &Tombstone| (0..=KEPT).contains(&now.saturating_sub(it.when));
        let future = i64::try_from(CLOCK_WRONG).map_or(i64::MAX, |it| now.saturating_add(it));
        if self.all.iter().any(|it| it.when >= future) && self.all.iter().any(lately) {
            for tombstone in self.all.iter_mut().filter(|it| it.when > now) {
                tombstone.when = now;
                self.changed.insert(tombstone.number);
            }
            self.all.make_contiguous().sort_by_key(|tombstone| tombstone.when);
            return;
        }
        let last = self.all.iter().map(|tombstone| tombstone.when).max();
        let Some(last) = last.filter(|last| now.abs_diff(*last) >= CLOCK_WRONG) else { return };
        for tombstone in &mut self.all {
            tombstone.when = now.saturating_sub(last.saturating_sub(tombstone.when));
            self.changed.insert(tombstone.number);
        }
    }

    /// Forgets those that are too old; `now` in seconds since the Unix epoch.
    pub fn age(&mut self, now: i64) {
        self.all.retain(|tombstone| now.saturating_sub(tombstone.when) <= KEPT);
    }

    /// Takes out a File's.
    pub fn take(&mut self, number: u32) -> Option<Tombstone> {
        let at = self.all.iter().position(|tombstone| tombstone.number == number)?;
        self.changed.insert(number);
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
        let news =
            found.is_some_and(|found| std::mem::replace(&mut found.archive, archive) != archive);
        if news {
            self.changed.insert(number);
        }
        news
    }

    /// The rest of some Files was found, or is counted as lost. Whether that was news of any.
    pub fn no_longer_hoped_for(&mut self, is_one: impl Fn(u32) -> bool) -> bool {
        let hoped_for = self.all.iter_mut().filter(|it| it.hoped_for && is_one(it.number));
        let mut news = false;
        for tombstone in hoped_for {
            tombstone.hoped_for = false;
            self.changed.insert(tombstone.number);
            news = true;
        }
        news
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

    /// Those of which something changed since [`Self::written`].
    pub fn changed(&self) -> impl Iterator<Item = &Tombstone> {
        // Most often there is none.
        let some = !self.changed.is_empty();
        self.all.iter().filter(move |it| some && self.changed.contains(&it.number))
    }

    /// How many may have changed.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.changed.len()
    }

    /// The numbers of those that are there no more.
    #[must_use]
    pub fn taken(&self) -> Vec<u32> {
        let mut taken = self.changed.clone();
        for there in self.changed() {
            taken.remove(&there.number);
        }
        taken.into_iter().collect()
    }

    /// All of them are written as they are now.
    pub fn written(&mut self) {
        self.changed.clear();
    }

    fn share(&mut self, mut tombstone: Tombstone) {
        let text = |one: &Tombstone| one.path == tombstone.path && one.source == tombstone.source;
        if let Some(equal) = self.all.iter().rev().take(SHARED).find(|one| text(one)) {
            tombstone.path = Arc::clone(&equal.path);
            tombstone.source = Arc::clone(&equal.source);
            if equal.resume == tombstone.resume {
                tombstone.resume.clone_from(&equal.resume);
            }
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

fn write_resume<S: Serializer>(resume: &Option<Arc<Resume>>, to: S) -> Result<S::Ok, S::Error> {
    resume.as_deref().map(ResumeEntry::new).serialize(to)
}

fn read_resume<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Arc<Resume>>, D::Error> {
    let entry = Option::<ResumeEntry>::deserialize(from)?;
    Ok(entry.map(|entry| Arc::new(entry.resume())))
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
            middle: u64::MAX,
            when,
            archive: u64::MAX,
            hoped_for: false,
            resume: None,
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
    fn those_that_are_still_there_compressed_stay_and_go_last() {
        let mut tombstones = Tombstones::new((0..4).map(|n| tombstone(n, i64::from(n))).collect());
        tombstones.refresh(&HashSet::from([1, 2]), KEPT);
        tombstones.age(KEPT + 3);
        assert_eq!(tombstones.iter().map(|one| one.number).collect::<Vec<_>>(), [3, 1, 2]);
        tombstones.age(2 * KEPT);
        assert_eq!(tombstones.iter().map(|one| one.number).collect::<Vec<_>>(), [1, 2]);
        tombstones.age(2 * KEPT + 1);
        assert_eq!(tombstones.entries().len(), 0);
    }

    #[test]
    fn it_knows_what_it_takes_to_go_on() {
        let resume =
            Resume { in_private_key: true, parser: Some("java".into()), ..Resume::default() };
        let one =
            |number| Tombstone { resume: Some(Arc::new(resume.clone())), ..tombstone(number, 1) };
        let tombstones = Tombstones::new(vec![one(1), one(2), tombstone(3, 1)]);
        let shared: Vec<_> = tombstones.iter().filter_map(|it| it.resume.as_ref()).collect();
        assert!(Arc::ptr_eq(shared[0], shared[1]));
        let text = serde_json::to_string(tombstones.entries()).expect("written");
        let read = Tombstones::new(serde_json::from_str(&text).expect("read"));
        assert_eq!(read.entries(), tombstones.entries());
    }

    #[test]
    fn one_costs_little_on_disk_and_in_memory() {
        let mut tombstones = Tombstones::default();
        tombstones.push(tombstone(1, 1_800_000_000));
        tombstones.push(tombstone(2, 1_800_000_000));
        let text = serde_json::to_string(tombstones.entries()).expect("written");
        assert!(text.len() < 560, "{text}");
        let mut read = Tombstones::new(serde_json::from_str(&text).expect("read"));
        assert_eq!(read.entries(), tombstones.entries());
        let paths: Vec<_> = read.iter().map(|one| Arc::as_ptr(&one.path)).collect();
        assert_eq!(paths[0], paths[1], "shared");
        assert!(size_of::<Tombstone>() <= 120, "{}", size_of::<Tombstone>());
        assert!(read.mark(2, 7) && !read.mark(2, 7) && !read.mark(3, 7));
        read.push(tombstone(1, 1));
        assert_eq!(read.iter().map(|one| one.number).collect::<Vec<_>>(), [2, 1]);
        assert!(read.take(1).is_some() && read.get(1).is_none());
    }

    #[test]
    fn by_a_clock_that_was_wrong_they_are_as_old_as_they_are_to_each_other() {
        let ages = |now: i64, whens: [i64; 2]| {
            let mut tombstones =
                Tombstones::new(vec![tombstone(1, whens[0]), tombstone(2, whens[1])]);
            tombstones.set_clock(now);
            tombstones.iter().map(|one| now - one.when).collect::<Vec<_>>()
        };
        let now = 1_800_000_000;
        assert_eq!(ages(now, [now - 9000, now - 50]), [9000, 50], "right");
        assert_eq!(ages(now, [100, 1100]), [1000, 0], "it was 1970 to it");
        assert_eq!(ages(100, [now, now + 70]), [70, 0], "it is now");
        assert_eq!(ages(now, [now - 10 * KEPT, now - KEPT]), [9 * KEPT, 0]);
        assert_eq!(ages(now, [now - 9000, now + 50 * KEPT]), [9000, 0], "one is wrong");
        assert_eq!(ages(now, [now + 50 * KEPT, now - 9000]), [9000, 0], "in order");
    }

    #[test]
    fn a_checkpoint_of_before_has_none() {
        use crate::checkpoint::snapshot::Snapshot;
        let before = r#"{"next_file":7,"sources":["app"],"files":[]}"#;
        let snapshot: Snapshot = serde_json::from_str(before).expect("read");
        assert_eq!((snapshot.next_file, snapshot.tombstones), (7, Vec::new()));
    }
}
