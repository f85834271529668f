//! Files of the checkpoint that were not found yet in this run: found again under whatever name, or
//! given up with what they had left.

use std::cell::LazyCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pillion_parsers::frame::FileNumber;

use super::Tailer;
use super::archives::{Archives, Awaited, Hope};
use super::begin::last_line_start;
use crate::checkpoint::ledger::Mark;
use crate::checkpoint::snapshot::{FileEntry, MarkEntry, TailHash};
use crate::tail::discovery::Found;
use crate::tail::identity::{self, DiskId, born_alike, device};
use crate::tail::open::{Allowed, OpenFile, Refusal};
use crate::tail::pattern::{is_compressed, is_gzip};
use crate::tail::reader::Reader;
use crate::tail::stats::count;

pub(super) mod lying;

use lying::{Lain, Lying};

/// How long other Files wait for one that may be found compressed in a moment: somebody may write
/// compressed files beside ours all the time. After that, the order is given up.
const AWAITED: Duration = Duration::from_secs(60);
/// The same while compressed files are looked through, which may be large.
const AWAITED_LONG: Duration = Duration::from_secs(600);
/// How long a File is kept for which there is no more than hope. Given up, it is still known again
/// if it is found.
pub(super) const HOPED: Duration = Duration::from_secs(3600);

type ByDisk = HashMap<(usize, DiskId), FileNumber>;

impl Tailer {
    /// Whether a File whose lineage goes by `path` and that lies at `at` is one of the source's: the
    /// configuration may have changed since it was. A rotated file has the one name, and maybe not the
    /// other.
    pub(super) fn is_wanted(&self, source: usize, path: &Path, at: &Path) -> bool {
        let patterns = self.patterns.get(source);
        patterns.is_some_and(|patterns| patterns.fits(path) || patterns.fits(at))
    }

    /// At the start of the process: what an earlier one tailed of a file that this one's output leads to,
    /// it did because others write there. It is gone on with at once, whether or not they have yet.
    pub(super) fn recognise_shared(&self) {
        for entry in self.dormant.iter().filter(|entry| !entry.gone) {
            let source = self.settings.sources.iter().find(|it| it.name == entry.source);
            if let Some(own_log) = source.and_then(|source| source.own_log.as_ref()) {
                let id = DiskId { dev: entry.dev, inode: entry.inode };
                own_log.was_tailed(id, entry.born);
            }
        }
    }

    /// The entries of a source's lineages. Those of paths that are not its own any more are left alone,
    /// unless they are found under another name that is.
    pub(super) fn wanted_dormant(&self, source: usize) -> impl Iterator<Item = &FileEntry> {
        let name = self.settings.sources.get(source).map(|source| source.name.as_str());
        let wanted = move |path: &Path| self.is_wanted(source, path, path);
        let ours = self.dormant.iter().filter(move |entry| name == Some(&entry.source));
        ours.filter(move |entry| wanted(Path::new(&entry.path)))
    }

    /// A file that the checkpoint knows was found under a name that does not fit: it was renamed
    /// while the agent was away. If other bytes are in it, it was truncated and written anew before
    /// that, and is begun, provided that its name is the old one with something after it, as
    /// rotations are called: its inode alone may by now be anybody's.
    pub(super) fn begin_moved(
        &mut self,
        source: usize,
        id: DiskId,
        path: &Path,
        allowed: &Allowed,
    ) {
        if self.files.len() >= self.settings.max_known {
            return;
        }
        let Ok(open) = self.open_in_room(allowed, path) else { return };
        if DiskId::of(&open.meta) != id {
            return;
        }
        // Errors from here on are those of a file that goes while it is looked at.
        if let Some(number) = self.known_elsewhere(source, &open, path).ok().flatten() {
            let _ = self.exchange(number, open, path);
            return;
        }
        let settings = self.settings.sources.get(source);
        let at_end = settings.is_some_and(|source| source.start_at_end);
        let name = settings.map(|source| source.name.as_str());
        let rotated = |entry: &&FileEntry| {
            name == Some(&entry.source)
                && (entry.dev, entry.inode) == (id.dev, id.inode)
                && is_rotation(Path::new(&entry.path), path)
        };
        let home = self.dormant.iter().find(rotated).map(|entry| PathBuf::from(&entry.path));
        // Of one of which nothing was read, only the inode is known.
        let unread = |entry: &FileEntry| {
            (entry.dev, entry.inode) == (id.dev, id.inode) && entry.fingerprint.len == 0
        };
        if home.is_none() && self.dormant.iter().any(unread) {
            return;
        }
        let _ = match self.take_dormant(source, &open, path) {
            Ok(Some(entry)) => self.resume(source, entry, open, path, at_end),
            Ok(None) => home.map_or(Ok(()), |home| self.begin_fresh(source, open, &home, path, 0)),
            Err(error) => Err(error.into()),
        };
    }

    /// Looks for a source's entries in the directories where they lay, for which the globs may have
    /// no eye: a link's target is rotated beside itself.
    pub(super) fn begin_beside(&mut self, source: usize, allowed: &Allowed) {
        let ours: Vec<&FileEntry> = self.wanted_dormant(source).collect();
        let inodes: HashSet<u64> = ours.iter().filter(|it| !it.gone).map(|it| it.inode).collect();
        let dirs: BTreeSet<PathBuf> =
            ours.iter().flat_map(|entry| entry.dirs()).map(Path::to_owned).collect();
        let entries = dirs.iter().filter_map(|dir| std::fs::read_dir(dir).ok()).flatten().flatten();
        let (archives, entries): (Vec<_>, Vec<_>) = entries.partition(|it| is_gzip(&it.path()));
        for entry in archives {
            if let Ok(meta) = entry.metadata()
                && meta.is_file()
            {
                let found = Found::new(&entry.path(), &meta, false);
                self.see_archive(source, &found, false, allowed);
            }
        }
        let found: Vec<(DiskId, PathBuf)> = entries
            .into_iter()
            .filter(|entry| inodes.contains(&entry.ino()))
            .filter_map(|entry| Some((entry.metadata().ok()?, entry.path())))
            // Its volume may have another number now. What cannot be one of ours is not even opened.
            .filter(|(meta, _)| meta.is_file())
            .map(|(meta, path)| (DiskId::of(&meta), path))
            .filter(|(id, _)| !self.by_disk.contains_key(&(source, *id)))
            .collect();
        for (id, path) in found {
            self.begin_moved(source, id, &path, allowed);
        }
    }

    /// Finds the checkpoint's entry for an open file and takes it. An entry at the same place with
    /// other bytes has been replaced: it is dropped, with what it had left.
    pub(super) fn take_dormant(
        &mut self,
        source: usize,
        open: &OpenFile,
        path: &Path,
    ) -> io::Result<Option<FileEntry>> {
        let id = DiskId::of(&open.meta);
        let Some(name) = self.settings.sources.get(source).map(|s| s.name.clone()) else {
            return Ok(None);
        };
        let here = [path.parent(), open.real.parent()];
        // A volume that was mounted again may have another device number.
        let remounted = |entry: &FileEntry| {
            entry.fingerprint.len > 0
                && entry.dirs().any(|dir| here.contains(&Some(dir)))
                && is_away(entry)
        };
        let candidates = self.dormant.iter().enumerate().filter(|(_, entry)| {
            entry.source == name
                && !entry.gone
                && self.is_wanted(source, Path::new(&entry.path), path)
                && entry.inode == id.inode
                && born_alike(entry.born, open.born)
                && (entry.dev == id.dev || remounted(entry))
                && (is_told(entry, open.born) || is_named(entry, path))
        });
        let mut best = None;
        for (index, entry) in candidates {
            let at = Path::new(entry.at.as_ref().unwrap_or(&entry.path)) == path;
            let likeness = (entry.dev == id.dev, at, entry.tail.end, entry.number);
            if best.is_none_or(|(best, _)| best < likeness)
                && identity::continues(entry, &open.file, open.meta.len())?
            {
                best = Some((likeness, index));
            }
        }
        if let Some((_, index)) = best {
            let entry = self.dormant.swap_remove(index);
            self.files.change([FileNumber(entry.number)]);
            return Ok(Some(entry));
        }
        // Its bytes may still be found compressed; if not, it is given up.
        let replaced = |it: &&mut FileEntry| {
            let at = Path::new(it.at.as_ref().unwrap_or(&it.path)) == path;
            let here = it.dev == id.dev || at && remounted(it);
            it.source == name && here && it.inode == id.inode
        };
        for entry in self.dormant.iter_mut().filter(replaced) {
            entry.gone = true;
            self.files.change([FileNumber(entry.number)]);
        }
        Ok(None)
    }

    /// Entries whose files are nowhere to be found have nothing left to be read, unless that is
    /// found compressed: what follows them waits for it, though not for ever. Unless the look round
    /// was a `whole` one, nothing is given up.
    pub(super) fn give_up_dormant(&mut self, source: &str, whole: bool) {
        let now = self.now.instant;
        let index = self.settings.sources.iter().position(|it| it.name == source);
        let lying = self.lying(source);
        let mut hoped = std::mem::take(&mut self.archives.hoped);
        let (archives, unadopted, mut awaited) = (&self.archives, &self.unadopted, Vec::new());
        let by_disk = &self.by_disk;
        // Most often there is nothing to hope for.
        let hopes = LazyCell::new(|| archives.hopes());
        let volumes = &mut self.volumes;
        let patterns = index.and_then(|index| self.patterns.get(index));
        let gone = |entry: &mut FileEntry| {
            if entry.source != source
                || unadopted.contains_key(&entry.number)
                || !entry.gone && lies(entry, &lying, index.map(|index| (index, archives, by_disk)))
            {
                return false;
            }
            let away = index.is_some() && !entry.gone && is_elsewhere(entry, &lying);
            if away {
                volumes.wait_for(&entry.path);
            }
            let wanted = patterns.is_some_and(|it| it.fits(Path::new(&entry.path)));
            let index = index.filter(|_| wanted);
            let hope = index.and_then(|index| hopes.of(index, entry.number, entry.dirs()));
            if hope.is_none() && !away {
                return whole;
            }
            let since = *hoped.entry(entry.number).or_insert(now);
            let so_long = now.saturating_duration_since(since);
            let waits = match hope.unwrap_or(Hope::Faint) {
                Hope::Faint => false,
                Hope::Good => so_long < AWAITED,
                Hope::Near => so_long < AWAITED_LONG,
                Hope::Sure => true,
            };
            if waits {
                awaited.extend(index.map(|index| Awaited::new(index, entry)));
                return false;
            }
            whole && (so_long >= HOPED || is_settled(entry) && !away)
        };
        for entry in self.dormant.extract_if(.., gone).collect::<Vec<_>>() {
            self.files.change([FileNumber(entry.number)]);
            let why = match hoped.remove(&entry.number) {
                _ if entry.gone => "truncated or replaced",
                Some(_) => {
                    "not found again, unless in a compressed file that cannot be read, or on a volume \
                     that is not mounted"
                }
                None => "not found again",
            };
            self.give_up(&entry, why);
        }
        if !hoped.is_empty() {
            let left: HashSet<u32> = self.dormant.iter().map(|entry| entry.number).collect();
            hoped.retain(|number, _| left.contains(number));
        }
        self.archives.hoped = hoped;
        if let Some(index) = index {
            self.await_only(index, awaited);
        }
    }

    /// What lies in the directories of a source's entries, as far as it may be theirs: each directory
    /// is listed once, however many entries there are.
    fn lying(&self, source: &str) -> HashMap<PathBuf, Lying> {
        let ours: Vec<&FileEntry> =
            self.dormant.iter().filter(|entry| entry.source == source && !entry.gone).collect();
        let inodes: HashSet<u64> = ours.iter().map(|entry| entry.inode).collect();
        let dirs: HashSet<&Path> = ours.iter().flat_map(|entry| entry.dirs()).collect();
        dirs.into_iter().map(|dir| (dir.to_owned(), Lying::list(dir, &inodes))).collect()
    }

    /// Entries of sources that are not in the configuration stay as long as their files do.
    pub(super) fn give_up_strangers(&mut self) {
        let names: Vec<String> = self.settings.sources.iter().map(|s| s.name.clone()).collect();
        let strangers: BTreeSet<String> =
            self.dormant.iter().map(|entry| entry.source.clone()).collect();
        for stranger in strangers.iter().filter(|stranger| !names.contains(stranger)) {
            self.give_up_dormant(stranger, true);
        }
    }

    /// The names of the destinations that a source goes to; of one that is not in the configuration, all.
    pub(super) fn destinations_of(&self, source: &str) -> impl Iterator<Item = &str> + use<'_> {
        let source = self.settings.sources.iter().find(|it| it.name == source);
        let names = self.settings.destinations.iter().enumerate();
        let its = names.filter(move |(index, _)| source.is_none_or(|it| it.to.contains(index)));
        its.map(|(_, name)| name.as_str())
    }

    /// Nothing is read any more of an entry.
    pub(super) fn give_up(&mut self, entry: &FileEntry, why: &'static str) {
        let lost = entry.unsettled(self.destinations_of(&entry.source));
        if lost > 0 {
            count(&self.stats.lost_gone, lost);
            tracing::warn!(path = ?entry.path, bytes = lost, why, "bytes of a log file are lost");
            let (known, read) = (entry.fingerprint.len, entry.tail.end);
            tracing::debug!(file = entry.number, at = ?entry.at, known, read, "what was known of it");
        }
        self.bury_entry(entry);
    }

    /// Goes on with a File of the checkpoint. `at_end`: a destination that is new to it begins at its
    /// end.
    pub(super) fn resume(
        &mut self,
        source: usize,
        entry: FileEntry,
        open: OpenFile,
        at: &Path,
        at_end: bool,
    ) -> Result<(), Refusal> {
        // A path that is no UTF-8 is not in the checkpoint as it is.
        let home = at.to_string_lossy() == entry.path;
        let path = if home { at.to_owned() } else { PathBuf::from(&entry.path) };
        self.resume_as(source, entry, open, [&path, at], at_end)
    }

    /// As [`Self::resume`], of the lineage of a path that may be no UTF-8.
    pub(super) fn resume_as(
        &mut self,
        source: usize,
        entry: FileEntry,
        open: OpenFile,
        [path, at]: [&Path; 2],
        at_end: bool,
    ) -> Result<(), Refusal> {
        let size = open.file.stat()?.0;
        let named = |name: &str| entry.marks.iter().find(|mark| mark.to == name);
        // A destination that is new here begins as a source would.
        let safe = if at_end { last_line_start(&open.file, size)? } else { 0 };
        let begin = Mark { safe, ..Mark::default() };
        let marks = self.marks(source, |name| named(name).map_or(begin.clone(), MarkEntry::mark));
        let offset = marks.iter().flatten().map(|mark| mark.safe).min().unwrap_or(size).min(size);
        let oldest = if entry.tail.end <= offset { entry.tail } else { TailHash::default() };
        let names = &self.settings.destinations;
        let to = self.settings.sources.get(source).map(|source| source.to.as_slice());
        let present: Vec<&String> =
            to.unwrap_or_default().iter().filter_map(|index| names.get(*index)).collect();
        let absent = entry.marks.iter().filter(|mark| !present.contains(&&mark.to)).take(16);
        let absent = absent.cloned().collect();
        let reader = Reader::new(open.file, offset, oldest)?;
        let number = FileNumber(entry.number);
        self.tracker.begin(number, marks);
        let id = (DiskId::of(&open.meta), open.born);
        let mut file = self.file(source, id, [path, at, &open.real], reader);
        file.saved = self.numbers.is_reserved(number);
        file.absent = absent;
        let newest = self.resumed.entry((source, Arc::clone(&file.path))).or_insert(number);
        *newest = number.max(*newest);
        self.insert(number, file);
        Ok(())
    }
}

/// Whether a path is what rotation makes of another: the same with something after its name, and not
/// compressed.
pub(super) fn is_rotation(of: &Path, path: &Path) -> bool {
    let rest = path.as_os_str().as_encoded_bytes().strip_prefix(of.as_os_str().as_encoded_bytes());
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(&b'/')) && !is_compressed(path)
}

/// Whether an entry's file lies where it did, under whatever name, as far as can be told without opening it;
/// `known`: compressed files and Files, and the source whose they are.
fn lies(
    entry: &FileEntry,
    lying: &HashMap<PathBuf, Lying>,
    known: Option<(usize, &Archives, &ByDisk)>,
) -> bool {
    // One that was being read compressed lies where that does, and is not open.
    let was = is_gzip(Path::new(entry.at.as_ref().unwrap_or(&entry.path)));
    let other = |it: &Lain| {
        known.is_some_and(|(index, archives, by_disk)| {
            by_disk.get(&(index, it.id)).is_some_and(|known| known.0 != entry.number)
                || archives.lie(index, it.id, was)
                || archives.hold(index, entry.number) && it.is_denied()
        })
    };
    entry.dirs().any(|dir| lying.get(dir).is_none_or(|it| it.holds(entry, dir, other)))
}

/// Whether another volume is where an entry's file lay, or none: nobody can say what is on its own.
fn is_elsewhere(entry: &FileEntry, lying: &HashMap<PathBuf, Lying>) -> bool {
    entry.home().and_then(|dir| lying.get(dir)).is_some_and(|it| it.is_another_volume(entry))
}

/// Whether the directory in which a File really lay is on another volume now: its own is not mounted, or has
/// another number.
fn is_away(entry: &FileEntry) -> bool {
    let now = entry.home().and_then(device);
    entry.dir_dev.zip(now).is_some_and(|(was, is)| was != is)
}

/// Whether an entry is known by more than an inode: by when that was made, or by bytes.
fn is_told(entry: &FileEntry, born: Option<i64>) -> bool {
    entry.fingerprint.len > 0 || entry.born.is_some() && born.is_some()
}

/// Whether a path is one that a File had, or that rotation gives it.
fn is_named(entry: &FileEntry, path: &Path) -> bool {
    let home = Path::new(&entry.path);
    home == path || entry.at.as_deref().map(Path::new) == Some(path) || is_rotation(home, path)
}

/// Whether a File's tombstone would say as much as its entry does.
fn is_settled(entry: &FileEntry) -> bool {
    let end = entry.tail.end;
    entry.size <= end && entry.marks.iter().all(|mark| mark.safe == end && !mark.in_private_key)
}
