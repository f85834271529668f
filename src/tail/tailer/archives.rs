//! Compressed rotations: which File each is, and what it holds that was not read.
//!
//! A `.gz` is looked through once it rests, and then is what it is: a File that is known and was read
//! (most are), the rest of one that is not on the disk any more, or, where the globs ask for it, a new
//! one. What there is to read is read under the File's own number and offsets, one at a time for
//! each source: each costs memory for decompressing.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pillion_parsers::frame::FileNumber;

use super::{Now, Tailer};
use crate::checkpoint::snapshot::FileEntry;
use crate::checkpoint::tombstone::{Tombstone, Tombstones};
use crate::tail::archive::Examination;
use crate::tail::discovery::Found;
use crate::tail::handle::Handle;
use crate::tail::identity::{DiskId, read_at_most};
use crate::tail::open::{self, OpenFile};

mod bury;
mod examine;
mod hopes;
mod resume;
mod sight;

pub(super) use hopes::Hope;
use resume::Opening;

/// One that has not changed for so long is not being written.
const RESTS: Duration = Duration::from_secs(1);
/// One that ends too early and has not changed for so long will not be written any further.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of the smallest gzip file.
const SMALLEST: u64 = 20;

/// A source, and where a compressed file of it lies on the disk.
type Key = (usize, DiskId);

/// What is known of compressed files.
pub(super) struct Archives {
    /// Those that are there.
    seen: HashMap<Key, Archive>,
    /// Those to be looked through.
    due: VecDeque<Key>,
    /// The one that is being looked through.
    examination: Option<(Key, Examination)>,
    /// The one that is being decompressed up to where its reading goes on.
    opening: Option<Opening>,
    /// Whether there were more than may be known: those beyond it are left alone until others are gone.
    pub(super) beyond_bounds: bool,
    /// Whether one may have something to be read.
    pub(super) wanting: bool,
    /// Files that are not read on before these.
    awaited: Vec<Awaited>,
    /// Since when Files that are nowhere to be found are hoped for, by their numbers.
    pub(super) hoped: HashMap<u32, Instant>,
    /// Files that are finished.
    pub(super) tombstones: Tombstones,
}

/// A File whose rest is about to be read compressed. Those that follow it in its lineage wait, since a
/// record may go on in them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Awaited {
    source: usize,
    path: Arc<Path>,
    number: u32,
}

impl Awaited {
    /// An entry of the checkpoint.
    pub(super) fn new(source: usize, entry: &FileEntry) -> Self {
        Self { source, path: Arc::from(Path::new(&entry.path)), number: entry.number }
    }
}

/// A compressed file.
struct Archive {
    path: Arc<Path>,
    /// Bytes in it, and when they were last changed, as of the last look.
    state: (u64, (i64, i64)),
    /// Whether it may be a File that was never seen before.
    fits: bool,
    /// Whether it was there when its source was first tailed.
    first: bool,
    /// The look round in which it was last seen.
    looks: u64,
    /// Since when it has been in this state.
    since: Instant,
    /// Its length, decompressed, modulo 2³², by its last bytes.
    said: u32,
    /// Whether what it was found to be was contradicted once: it is then looked through whole, once
    /// more.
    doubted: bool,
    verdict: Verdict,
}

/// What is known of what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It may still be being written.
    Fresh,
    /// It could not be opened or read: it is tried again at the next look.
    Refused,
    /// It is to be looked through.
    Due,
    /// It ends too early: nothing is known until it changes.
    Early,
    /// Nothing that is to be read.
    Nobodys,
    /// It is only named like a compressed file.
    Plain,
    /// A new File of so many bytes.
    New(u64),
    /// Bytes of this File, so many from its beginning.
    Of(u32, u64),
}

impl Archives {
    /// `now`: seconds since the Unix epoch, by the clock that they will be aged by.
    pub(super) fn new(tombstones: Vec<Tombstone>, now: i64) -> Self {
        let mut tombstones = Tombstones::new(tombstones);
        tombstones.set_clock(now);
        Self {
            seen: HashMap::new(),
            due: VecDeque::new(),
            examination: None,
            opening: None,
            beyond_bounds: false,
            wanting: false,
            awaited: Vec::new(),
            hoped: HashMap::new(),
            tombstones,
        }
    }

    /// Whether one has to be looked at again soon.
    pub(super) fn unsettled(&self) -> bool {
        self.seen.values().any(|archive| archive.verdict == Verdict::Fresh)
    }

    /// Whether there may be something to be read that no File says.
    pub(super) fn busy(&self) -> bool {
        let looks = self.examination.is_some() || !self.due.is_empty();
        looks || self.opening.is_some() || !self.awaited.is_empty()
    }

    /// Whether one holds bytes of a File.
    pub(super) fn hold(&self, source: usize, number: u32) -> bool {
        let of = |verdict| matches!(verdict, Verdict::Of(of, _) if of == number);
        self.seen.iter().any(|((its, _), archive)| *its == source && of(archive.verdict))
    }

    /// The Files that were there compressed at the last look.
    pub(super) fn there(&self) -> HashSet<u32> {
        let its = self.seen.values().filter_map(|archive| match archive.verdict {
            Verdict::Of(number, _) => Some(number),
            _ => None,
        });
        its.collect()
    }

    /// Whether what lies there is compressed; `was`: whether it was when it was last seen.
    pub(super) fn lie(&self, source: usize, id: DiskId, was: bool) -> bool {
        self.seen.get(&(source, id)).is_some_and(|archive| match archive.verdict {
            Verdict::Plain => false,
            Verdict::Fresh | Verdict::Due => was,
            Verdict::Refused | Verdict::Early => true,
            Verdict::Nobodys | Verdict::New(_) | Verdict::Of(..) => true,
        })
    }

    /// Forgets those of a source that are gone.
    pub(super) fn forget_unseen(&mut self, source: usize, looks: u64) {
        self.seen.retain(|(its, _), archive| *its != source || archive.looks == looks);
    }

    /// Has one looked through once more that is not what it was found to be. Whether it is.
    fn doubt(&mut self, key: Key) -> bool {
        let archive = self.seen.get_mut(&key).filter(|archive| !archive.doubted);
        let Some(archive) = archive else { return false };
        (archive.doubted, archive.verdict) = (true, Verdict::Due);
        self.due.push_back(key);
        true
    }

    fn judge(&mut self, key: Key, verdict: Verdict, now: Now) {
        if let Some(archive) = self.seen.get_mut(&key) {
            tracing::debug!(source = key.0, path = ?archive.path, ?verdict, "a compressed log file");
            archive.verdict = verdict;
            if verdict == Verdict::Fresh {
                archive.since = now.instant;
            }
        }
    }
}

impl Archive {
    /// Seconds since it was changed.
    fn age(&self, now: Now) -> i64 {
        (now.wall / 1_000_000_000).saturating_sub(self.state.1.0)
    }

    /// Whether it has not changed for so long, by whichever clock.
    fn rests(&self, now: Now, so_long: Duration) -> bool {
        let seconds = i64::try_from(so_long.as_secs()).unwrap_or(i64::MAX);
        self.age(now) > seconds || now.instant.saturating_duration_since(self.since) >= so_long
    }

    /// What tells it from all others, and from itself when it is changed; not 0.
    fn id(&self, disk: DiskId) -> u64 {
        let (size, (seconds, nanos)) = self.state;
        let text = format!("{} {} {size} {seconds} {nanos}", disk.dev, disk.inode);
        xxhash_rust::xxh3::xxh3_64(text.as_bytes()).max(1)
    }
}

impl Tailer {
    /// Says which Files of a source are waited for; what waited for others goes on.
    pub(super) fn await_only(&mut self, source: usize, awaited: Vec<Awaited>) {
        let others = |it: &mut Awaited| it.source == source && !awaited.contains(it);
        let over: Vec<Awaited> = self.archives.awaited.extract_if(.., others).collect();
        self.archives.awaited.retain(|it| it.source != source);
        self.archives.awaited.extend(awaited);
        self.go_on_after(over);
    }

    /// Lineages go on whose Files waited; those end that had none but what they waited for.
    fn go_on_after(&mut self, over: Vec<Awaited>) {
        for Awaited { source, path, number } in over {
            let awaited = self.is_awaited(source, &path);
            let Some(id) = self.by_lineage.get(&(source, path)).copied() else { continue };
            let files = self.lineages.get(&id).map_or(0, |lineage| lineage.files.len());
            match files {
                0 if !awaited => self.end_lineage(id, FileNumber(number)),
                _ => self.queue(id),
            }
        }
    }

    /// Whether a File of this lineage is about to be read compressed.
    pub(super) fn is_awaited(&self, source: usize, path: &Path) -> bool {
        self.archives.awaited.iter().any(|it| it.source == source && *it.path == *path)
    }

    /// Of each File that is waited for, the bytes that are not settled.
    pub(super) fn awaited_bytes(&self) -> impl Iterator<Item = u64> + use<'_> {
        let awaited = |number| self.archives.awaited.iter().any(|it| it.number == number);
        let entries = self.dormant.iter().filter(move |entry| awaited(entry.number));
        entries.map(|entry| entry.unsettled(self.destinations_of(&entry.source)))
    }

    /// A File is waited for no longer: it is read, or never will be.
    fn no_longer_awaited(&mut self, number: u32) {
        let over = self.archives.awaited.extract_if(.., |it| it.number == number).collect();
        self.go_on_after(over);
    }

    /// Whether a File has to wait for an older one of its lineage.
    pub(super) fn waits_for_older(&self, number: FileNumber) -> bool {
        !self.archives.awaited.is_empty()
            && self.files.get(&number).is_some_and(|file| {
                self.archives.awaited.iter().any(|it| {
                    it.number < number.0 && it.source == file.source && it.path == file.path
                })
            })
    }

    /// Takes one step with a compressed file. Whether there may be another step to take at once.
    pub(super) fn look_through_archives(&mut self) -> bool {
        if self.drain.is_some() || self.workers.is_empty() {
            return false;
        }
        if self.archives.opening.is_some() {
            self.go_on_opening();
            return true;
        }
        // What others wait for is not kept waiting by whatever else is to be looked through.
        let awaits = !self.archives.awaited.is_empty() && self.archives.wanting;
        if awaits && self.archives.examination.is_none() && self.open_wanted() {
            return true;
        }
        if self.archives.examination.is_some() || !self.archives.due.is_empty() {
            self.examine();
            return true;
        }
        std::mem::take(&mut self.archives.wanting) && self.open_wanted()
    }

    /// Opens one, if it still is what it was; `None` has it looked at again.
    fn open_archive(&mut self, key: Key) -> Option<OpenFile> {
        let archive = self.archives.seen.get(&key)?;
        let (patterns, source) = (self.patterns.get(key.0)?, self.settings.sources.get(key.0)?);
        let path = Arc::clone(&archive.path);
        let opened = open::open(&self.allowed(patterns, source), &path);
        let found = opened.map(|open| (Found::new(&path, &open.meta, false), open));
        match found {
            Ok((found, open))
                if (found.id, (found.size, found.changed)) == (key.1, archive.state) =>
            {
                Some(open)
            }
            Ok(_) => {
                self.archives.judge(key, Verdict::Fresh, self.now);
                None
            }
            Err(refusal) => {
                if archive.fits {
                    self.refuse(&path, &refusal);
                }
                self.archives.judge(key, Verdict::Refused, self.now);
                None
            }
        }
    }
}

/// Whether a file begins as gzip does. In doubt it does.
pub(super) fn may_be_gzip(file: &Handle) -> bool {
    let mut magic = [0; 2];
    !read_at_most(file, &mut magic, 0).is_ok_and(|got| got == 2) || magic == [0x1F, 0x8B]
}
