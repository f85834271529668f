//! A look round the directories: which Files are there, which left, which are new.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pillion_parsers::frame::FileNumber;

use super::{REMEMBER_RENAMED, Tailer};
use crate::tail::discovery::{self, Found, Known, Walk};
use crate::tail::identity::DiskId;
use crate::tail::lineage::Standing;
use crate::tail::open::{Allowed, Refusal};
use crate::tail::pattern::Patterns;
use crate::tail::stats::count;

/// Paths that were warned about are remembered up to this number.
const MAX_WARNED: usize = 4096;

impl Tailer {
    /// Looks at all directories of all sources.
    pub(super) fn look_round(&mut self) {
        self.looks += 1;
        self.last_look = self.now.instant;
        let asks_all = self.asks_all();
        let crowded = std::mem::take(&mut self.crowded);
        self.admitted = 0;
        self.unsure = false;
        let awaited = self.begin_to_miss();
        let before = (self.numbers.due(self.now.instant), self.ready.len());
        let (mut dirs, mut missing, mut troubled) = (BTreeSet::new(), false, HashSet::new());
        for source in 0..self.settings.sources.len() {
            let Some(mut walk) = self.look_at(source, asks_all) else { continue };
            dirs.append(&mut walk.dirs);
            missing |= walk.root_missing;
            if walk.beyond_bounds {
                troubled.extend(self.settings.sources.get(source).map(|s| PathBuf::from(&s.name)));
            }
            troubled.extend(walk.refused.into_iter().map(|(path, _)| path));
        }
        let now = self.now.instant;
        self.renamed.retain(|known| now < known.told + REMEMBER_RENAMED);
        self.archives.wanting = true;
        self.count_missing(false);
        missing |= self.end_to_miss(awaited.as_deref());
        if self.looks == 1 {
            self.give_up_strangers();
        }
        // What is well again may be warned about again.
        self.warned.retain(|path| troubled.contains(path));
        if std::mem::take(&mut self.misplaced) {
            self.map_paths();
        }
        let added = self.watch(&dirs);
        let quiet = before == (self.numbers.due(self.now.instant), self.ready.len());
        self.look_due =
            self.now.instant + self.until_look(quiet, missing || self.archives.unsettled(), added);
        self.stats.waiting_files.store(self.crowded, Ordering::Relaxed);
        if self.crowded > 0 && crowded == 0 {
            let (waiting, open) = (self.crowded, self.max_open());
            tracing::warn!(
                waiting,
                open,
                "more files have something to be read than may be open: they take turns; raise the \
                 limit (ulimit -n)"
            );
        }
        // Counted when it is done: the first one tells the probes that the files are watched.
        count(&self.stats.rescans, 1);
    }

    /// Looks at a source's directories; `asks_all`: at each file itself.
    fn look_at(&mut self, index: usize, asks_all: bool) -> Option<Walk> {
        let patterns = Arc::clone(&self.patterns);
        let patterns = patterns.get(index)?;
        let source = self.settings.sources.get(index)?;
        let (name, first) =
            (source.name.clone(), !self.known_sources.contains(source.name.as_str()));
        let allowed = self.allowed(patterns, source);
        let mut walk = self.walk(index, patterns, &allowed, asks_all);
        for number in std::mem::take(&mut walk.same) {
            self.files.saw(number, self.looks);
        }
        for (id, path) in std::mem::take(&mut walk.elsewhere) {
            match self.by_disk.get(&(index, id)).copied() {
                Some(number) => self.see_elsewhere(number, path, &allowed),
                None => self.begin_moved(index, id, &path, &allowed),
            }
        }
        self.begin_renamed(index, &allowed);
        for (archive, fits) in std::mem::take(&mut walk.archives) {
            if self.see_archive(index, &archive, fits, &allowed) {
                walk.found.push(archive);
            }
        }
        let mut surplus = self.surplus(index, &walk.found);
        for found in std::mem::take(&mut walk.found) {
            let result = match self.by_disk.get(&(index, found.id)).copied() {
                Some(number) => self.see(number, &found, &allowed),
                // The first are those changed longest ago.
                None if surplus > 0 => {
                    surplus -= 1;
                    Err(Refusal::TooManyKnown)
                }
                None => self.begin(index, &found, &allowed, first),
            };
            match result {
                Ok(()) => {}
                Err(Refusal::TooManyKnown) => walk.beyond_bounds = true,
                Err(refusal) => walk.refused.push((found.path, refusal)),
            }
        }
        self.begin_beside(index, &allowed);
        walk.beyond_bounds |= std::mem::take(&mut self.archives.beyond_bounds);
        if walk.beyond_bounds {
            let dirs: Vec<_> = patterns.roots.iter().map(|root| root.dir.clone()).collect();
            self.warn_bounds(&name, &dirs);
        }
        walk.refused.extend(self.miss_unseen(index, walk.incomplete, &allowed));
        self.refuse_all(&walk.refused);
        let whole = !walk.incomplete && !walk.root_missing;
        if whole {
            self.archives.forget_unseen(index, self.looks);
            self.seen_whole.insert(index, self.looks);
        }
        self.give_up_dormant(&name, whole);
        if first {
            // What appears from now on is new, be it with its whole directory.
            self.known_sources.insert(name);
            self.numbers.begin_source();
        }
        Some(walk)
    }

    /// How many of the files found are more than may be known.
    fn surplus(&self, source: usize, found: &[Found]) -> usize {
        let new = found.iter().filter(|it| !self.by_disk.contains_key(&(source, it.id))).count();
        (self.files.len() + new).saturating_sub(self.settings.max_known)
    }

    /// Lists a source's directories, and asks about what lies there.
    fn walk(&self, index: usize, patterns: &Patterns, allowed: &Allowed, asks_all: bool) -> Walk {
        // There are few entries that it takes this for.
        let inodes: OnceCell<HashSet<u64>> = OnceCell::new();
        let ours = || {
            let ours = self.by_disk.keys().filter(|(source, _)| *source == index);
            let dormant = self.wanted_dormant(index).map(|entry| entry.inode);
            ours.map(|(_, id)| id.inode).chain(dormant).collect()
        };
        let same = |id: DiskId, dir: &Path, name: &OsStr| {
            let number = self.by_disk.get(&(index, id)).filter(|_| !asks_all)?;
            self.files.get(number)?.is_settled_at(dir, name).then_some(*number)
        };
        let moved = |inode: u64| inodes.get_or_init(ours).contains(&inode);
        discovery::walk(patterns, allowed, &Known { moved: &moved, same: &same })
    }

    /// A known File is where the globs look.
    fn see(&mut self, number: FileNumber, found: &Found, allowed: &Allowed) -> Result<(), Refusal> {
        let looks = self.looks;
        let Some(file) = self.files.get(&number) else { return Ok(()) };
        let same = (found.size, found.changed) == (file.reader.size, file.reader.changed);
        let name = found.path.file_name().zip(found.path.parent());
        if same && name.is_some_and(|(name, dir)| file.is_settled_at(dir, name)) {
            self.files.saw(number, looks);
            return Ok(());
        }
        let Some(file) = self.files.get_mut(&number) else { return Ok(()) };
        file.doubted = false;
        let home = *found.path == *file.path;
        if file.seen == looks && !home {
            // A second name for it.
            return Ok(());
        }
        file.seen = looks;
        if *file.at != *found.path {
            let at: Arc<Path> = Arc::from(found.path.as_path());
            let real = found.path.canonicalize().ok().filter(|real| *real != found.path);
            let real = real.map_or_else(|| Arc::clone(&at), Arc::from);
            file.move_to(at, real);
            self.misplaced = true;
            self.numbers.dirty = true;
        }
        match file.standing {
            Standing::Live | Standing::Leaving { .. } if home => file.standing = Standing::Live,
            Standing::Live => self.leave(number, false),
            Standing::Leaving { ref mut deleted, .. } => *deleted = false,
            _ => {}
        }
        self.see_growth(number, found);
        let Some(file) = self.files.get(&number) else { return Ok(()) };
        let changed = (found.size, found.changed) != (file.reader.size, file.reader.changed);
        match (&file.reader.file, file.lineage) {
            (Some(_), Some(lineage)) if changed => self.queue(lineage),
            (None, _) if changed || home && file.lineage.is_none() => {
                return self.open_grown(number, found.size, allowed);
            }
            _ => {}
        }
        Ok(())
    }

    /// Opens a closed File that has so many bytes now. If there is no room for it, at least they are
    /// known: it may be gone before it has its turn.
    fn open_grown(
        &mut self,
        number: FileNumber,
        size: u64,
        allowed: &Allowed,
    ) -> Result<(), Refusal> {
        let opened = self.open_again_in(number, allowed);
        if matches!(opened, Err(Refusal::Crowded))
            && let Some(file) = self.files.get_mut(&number)
        {
            file.crowd_out(size);
        }
        opened
    }

    /// A known File is under a name that does not fit.
    fn see_elsewhere(&mut self, number: FileNumber, path: PathBuf, allowed: &Allowed) {
        let looks = self.looks;
        let Some(file) = self.files.get_mut(&number) else { return };
        if file.seen == looks {
            // A second name for it.
            return;
        }
        file.seen = looks;
        if *file.at != *path {
            let at: Arc<Path> = Arc::from(path);
            file.move_to(Arc::clone(&at), at);
            self.misplaced = true;
            self.numbers.dirty = true;
        }
        if let Standing::Leaving { deleted, .. } = &mut file.standing {
            *deleted = false;
        }
        self.leave(number, false);
        // Closed, it is opened again if it has grown.
        let closed = self.files.get(&number).filter(|file| file.reader.file.is_none());
        if let Some(file) = closed
            && let Ok(meta) = std::fs::symlink_metadata(&file.at)
            && (meta.len() != file.reader.size || file.crowded_out)
        {
            let at = Arc::clone(&file.at);
            if let Err(refusal) = self.open_grown(number, meta.len(), allowed) {
                self.refuse(&at, &refusal);
            }
        }
    }

    /// Files of a source that were not seen have left. Of those without a handle that is only known
    /// when everything could be looked at. What cannot be opened although it has grown.
    fn miss_unseen(
        &mut self,
        source: usize,
        incomplete: bool,
        allowed: &Allowed,
    ) -> Vec<(PathBuf, Refusal)> {
        let mut refused = Vec::new();
        let missed: Vec<FileNumber> = self
            .files
            .iter()
            .filter(|(_, file)| file.source == source && file.seen < self.looks && !file.gone())
            .map(|(number, _)| *number)
            .collect();
        for number in missed {
            let Some(file) = self.files.get_mut(&number) else { continue };
            if file.reader.file.is_some() {
                let deleted = file.reader.nameless();
                if !deleted && self.waits_for_volume(number) {
                    continue;
                }
                let Some(file) = self.files.get_mut(&number) else { continue };
                // Renamed to where nobody looks, it is found there after a restart.
                if let Some(at) = file.reader.path().filter(|at| !deleted && **at != *file.at) {
                    let at: Arc<Path> = Arc::from(at);
                    file.move_to(Arc::clone(&at), at);
                    self.misplaced = true;
                    self.numbers.dirty = true;
                }
                self.leave(number, deleted);
                continue;
            }
            let mut size = size_at(&file.at, file.id);
            if size.is_none() && file.real != file.at {
                size = size_at(&file.real, file.id);
                if size.is_some() {
                    // The link that led there leads elsewhere now.
                    file.at = Arc::clone(&file.real);
                    self.misplaced = true;
                    self.leave(number, false);
                }
            }
            let Some(file) = self.files.get_mut(&number) else { continue };
            let seen = file.seen;
            match size {
                // Renamed to where nobody looks, and closed: only this tells that it grows.
                Some(size) if size > file.reader.size || file.crowded_out => {
                    let at = Arc::clone(&file.at);
                    if let Err(refusal) = self.open_grown(number, size, allowed) {
                        refused.push((at.to_path_buf(), refusal));
                    }
                }
                Some(_) => {}
                None if incomplete || self.waits_for_volume(number) => {}
                None if seen + 1 < self.looks => self.leave(number, true),
                // A file renamed while its directory is listed may be in neither place.
                None => self.unsure = true,
            }
        }
        refused
    }

    /// Hints name paths.
    fn map_paths(&mut self) {
        self.by_path.clear();
        let numbers: Vec<FileNumber> = self.files.keys().copied().collect();
        for number in numbers {
            self.map_paths_of(number);
        }
    }

    /// Has hints about a File's paths lead to it.
    pub(super) fn map_paths_of(&mut self, number: FileNumber) {
        let Some(file) = self.files.get(&number).filter(|file| !file.gone()) else { return };
        for path in [&file.at, &file.real] {
            let numbers = self.by_path.entry(Arc::clone(path)).or_default();
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
    }

    fn refuse_all(&mut self, refused: &[(PathBuf, Refusal)]) {
        if refused.iter().any(|(_, refusal)| matches!(refusal, Refusal::TooManyOpen)) {
            self.lower();
        }
        for (path, refusal) in refused {
            self.refuse(path, refusal);
        }
    }

    /// Says once that a path is not tailed.
    pub(super) fn refuse(&mut self, path: &Path, refusal: &Refusal) {
        let refused = &self.stats.refused;
        let counter: &AtomicU64 = match refusal {
            // Said by who found out.
            Refusal::Crowded | Refusal::TooManyOpen | Refusal::TooManyKnown => return,
            Refusal::Vanished | Refusal::Own => return,
            Refusal::NotRegular => &refused.not_regular,
            Refusal::Directory => &refused.directory,
            Refusal::Denied => &refused.denied,
            Refusal::Escapes => &refused.escapes,
            Refusal::OwnLog => &refused.own_log,
            Refusal::Other(_) => &refused.other,
        };
        if self.warned.len() < MAX_WARNED && self.warned.insert(path.to_owned()) {
            count(counter, 1);
            tracing::warn!(?path, why = refusal.why(), "not tailed");
        }
    }

    fn warn_bounds(&mut self, source: &str, dirs: &[PathBuf]) {
        if self.warned.insert(PathBuf::from(source)) {
            count(&self.stats.refused.beyond_bounds, 1);
            tracing::warn!(source, ?dirs, "too many files below: not all of them are tailed");
        }
    }
}

/// The bytes of a file that a path still names; none if it does not. What cannot be asked is taken to
/// be as it was.
fn size_at(path: &Path, id: DiskId) -> Option<u64> {
    match std::fs::metadata(path) {
        Ok(meta) => (DiskId::of(&meta) == id).then_some(meta.len()),
        Err(error) => (!matches!(Refusal::from(error), Refusal::Vanished)).then_some(0),
    }
}
