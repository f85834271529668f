//! Looks round a source's directories: which files are there, and where known ones went.
//!
//! It only lists and asks; nothing is opened here. Links to directories are followed when they stay
//! within what is allowed, each directory once; depth and number of entries are bounded.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::ffi::OsStr;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};

use pillion_parsers::frame::FileNumber;

use super::identity::DiskId;
use super::open::{Allowed, Refusal};
use super::pattern::{Patterns, is_gzip};

/// Directory entries looked at in one walk of one source.
const MAX_ENTRIES: usize = 200_000;

/// Directories that hold no logs, however wide a glob is.
const PSEUDO: [&str; 3] = ["/proc", "/sys", "/dev"];

/// A file that fits a source's globs.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The path that fits.
    pub(super) path: PathBuf,
    /// Device and inode of the file, the link's target if it is a link.
    pub(super) id: DiskId,
    /// Its bytes.
    pub(super) size: u64,
    /// When it was last changed: seconds and nanoseconds since the Unix epoch.
    pub(super) changed: (i64, i64),
    /// Whether a link leads there.
    pub(super) link: bool,
}

impl Found {
    /// Of what a `stat` saw.
    pub(super) fn new(path: &Path, meta: &Metadata, link: bool) -> Self {
        Self {
            path: path.to_owned(),
            id: DiskId::of(meta),
            size: meta.len(),
            changed: (meta.mtime(), meta.mtime_nsec()),
            link,
        }
    }
}

/// What a walk asks of whoever knows the Files.
pub(super) struct Known<'k> {
    /// Whether an inode belongs to a File that may have moved.
    pub(super) moved: &'k dyn Fn(u64) -> bool,
    /// The File that a directory's entry of this name, by its inode, still is; none if that has to be
    /// asked of the entry itself.
    pub(super) same: &'k dyn Fn(DiskId, &Path, &OsStr) -> Option<FileNumber>,
}

/// What a walk saw.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Known Files that are where they were.
    pub(super) same: Vec<FileNumber>,
    /// Files that fit: those changed longest ago first, links last.
    pub(super) found: Vec<Found>,
    /// Files named `*.gz`, and whether they fit: those changed longest ago first. Of those that do not
    /// fit, one may be the rest of a File that does.
    pub(super) archives: Vec<(Found, bool)>,
    /// Known files under names that do not fit.
    pub(super) elsewhere: Vec<(DiskId, PathBuf)>,
    /// Directories to watch.
    pub(super) dirs: BTreeSet<PathBuf>,
    /// What fits and is not to be had.
    pub(super) refused: Vec<(PathBuf, Refusal)>,
    /// Whether something could not be looked at: what was not seen may still be there.
    pub(super) incomplete: bool,
    /// Whether a root does not exist (yet).
    pub(super) root_missing: bool,
    /// Whether the walk ended at its bound.
    pub(super) beyond_bounds: bool,
}

struct Walker<'a> {
    patterns: &'a Patterns,
    allowed: &'a Allowed,
    known: &'a Known<'a>,
    walk: Walk,
    /// Directories that were listed, by identity: links may lead in circles.
    listed: HashSet<DiskId>,
    queue: VecDeque<(PathBuf, usize)>,
    /// Links to directories wait until the directories themselves were listed.
    links: VecDeque<(PathBuf, usize)>,
    entries: usize,
}

/// Walks a source's roots.
pub(super) fn walk(patterns: &Patterns, allowed: &Allowed, known: &Known<'_>) -> Walk {
    let mut walker = Walker {
        patterns,
        allowed,
        known,
        walk: Walk::default(),
        listed: HashSet::new(),
        queue: patterns.roots.iter().map(|root| (root.dir.clone(), root.depth)).collect(),
        links: VecDeque::new(),
        entries: 0,
    };
    while let Some((dir, depth)) = walker.queue.pop_front().or_else(|| walker.links.pop_front()) {
        if let Err(error) = walker.list(&dir, depth) {
            let is_root = patterns.roots.iter().any(|root| root.dir == dir);
            match Refusal::from(error) {
                Refusal::Vanished => walker.walk.root_missing |= is_root,
                refusal => {
                    walker.walk.incomplete = true;
                    walker.walk.refused.push((dir, refusal));
                }
            }
        }
    }
    let mut walk = walker.walk;
    let order = |one: &Found, other: &Found| {
        (one.link, one.changed, &one.path).cmp(&(other.link, other.changed, &other.path))
    };
    walk.found.sort_by(order);
    walk.archives.sort_by(|(one, _), (other, _)| order(one, other));
    walk
}

impl Walker<'_> {
    fn list(&mut self, dir: &Path, depth: usize) -> io::Result<()> {
        let id = DiskId::of(&fs::metadata(dir)?);
        let again = !self.listed.insert(id);
        let real = dir.canonicalize()?;
        if again || self.allowed.is_own(&real) {
            return Ok(());
        }
        let entries = fs::read_dir(dir)?;
        self.walk.dirs.insert(dir.to_owned());
        for entry in entries {
            if self.entries == MAX_ENTRIES {
                self.walk.beyond_bounds = true;
                self.walk.incomplete = true;
                return Ok(());
            }
            self.entries += 1;
            let entry = entry?;
            if entry.file_type().is_ok_and(|kind| kind.is_file()) {
                let its = DiskId { inode: entry.ino(), ..id };
                if let Some(number) = (self.known.same)(its, dir, &entry.file_name()) {
                    self.walk.same.push(number);
                    continue;
                }
            }
            let path = self.look(&entry, depth);
            if let Err((path, error)) = path {
                match Refusal::from(error) {
                    Refusal::Vanished => {}
                    refusal => self.walk.refused.push((path, refusal)),
                }
            }
        }
        Ok(())
    }

    fn look(&mut self, entry: &DirEntry, depth: usize) -> Result<(), (PathBuf, io::Error)> {
        let path = entry.path();
        let fits = self.patterns.fits(&path);
        let looked = match entry.file_type() {
            Ok(kind) if kind.is_dir() => {
                self.directory(path.clone(), depth, fits);
                Ok(())
            }
            Ok(kind) if kind.is_symlink() => self.link(&path, depth, fits),
            Ok(_) if fits => fs::symlink_metadata(&path).map(|meta| self.file(&path, &meta, false)),
            Ok(kind) if kind.is_file() && is_gzip(&path) => fs::symlink_metadata(&path)
                .map(|meta| self.walk.archives.push((Found::new(&path, &meta, false), false))),
            Ok(_) if (self.known.moved)(entry.ino()) => fs::symlink_metadata(&path)
                .map(|meta| self.walk.elsewhere.push((DiskId::of(&meta), path.clone()))),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        looked.map_err(|error| (path, error))
    }

    fn directory(&mut self, path: PathBuf, depth: usize, fits: bool) {
        if depth > 1 {
            let pseudo = PSEUDO.iter().any(|pseudo| path == Path::new(pseudo));
            if !pseudo {
                self.queue.push_back((path, depth - 1));
            }
        } else if fits {
            self.walk.refused.push((path, Refusal::Directory));
        }
    }

    fn link(&mut self, path: &Path, depth: usize, fits: bool) -> io::Result<()> {
        if !fits && depth <= 1 {
            return Ok(());
        }
        let (dir, rest) = match self.allowed.resolve(path) {
            Ok(resolved) => resolved,
            Err(Refusal::Vanished | Refusal::Own) => return Ok(()),
            // A link on the way that leads out is only worth a word if a file is asked for there.
            Err(_) if !fits => return Ok(()),
            Err(refusal) => {
                self.walk.refused.push((path.to_owned(), refusal));
                return Ok(());
            }
        };
        let real = dir.join(rest);
        let meta = fs::symlink_metadata(&real)?;
        if meta.is_dir() {
            if depth > 1 {
                self.links.push_back((path.to_owned(), depth - 1));
            }
        } else if fits {
            // Events about the bytes come from where they are.
            self.walk.dirs.extend(real.parent().map(Path::to_owned));
            self.file(path, &meta, true);
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, meta: &Metadata, link: bool) {
        if meta.is_file() {
            let found = Found::new(path, meta, link);
            if is_gzip(path) {
                self.walk.archives.push((found, true));
            } else {
                self.walk.found.push(found);
            }
        } else {
            self.walk.refused.push((path.to_owned(), Refusal::NotRegular));
        }
    }
}

#[cfg(test)]
mod tests;
