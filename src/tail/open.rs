//! Opens what may be opened: a regular file below a source's root or one of its `links_to`
//! directories, never blocking, and without a moment in which a name could be swapped for a link
//! that leads elsewhere.
//!
//! The path is resolved first (links followed), the result must lie below an allowed directory, and
//! is then walked from there with no link allowed at all: by `openat2` where the kernel has it, else
//! component by component. Whether it is a regular file is asked of the open file. The components of
//! the root itself are the operator's and trusted.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

use super::handle::Handle;
use super::identity;
use super::own_log::OwnLog;

/// Why a path is not opened.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Gone, or a link to nothing. Not worth a word.
    Vanished,
    /// A FIFO, socket or device.
    NotRegular,
    /// A directory.
    Directory,
    /// No permission.
    Denied,
    /// It leads out of the allowed directories, or in a circle.
    Escapes,
    /// It lies in the agent's own state directory. Not worth a word.
    Own,
    /// The agent's own log goes there.
    OwnLog,
    /// As many files are known as may be. Said once for a source.
    TooManyKnown,
    /// As many files are open as the tail may have; one will be closed. Not worth a word.
    Crowded,
    /// The process, or the system, has too many files open.
    TooManyOpen,
    /// Anything else the system said.
    Other(io::Error),
}

impl Refusal {
    /// For a person.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Vanished => "it is gone".to_owned(),
            Self::Crowded => "enough files are open already".to_owned(),
            Self::NotRegular => "it is a FIFO, socket or device, not a file".to_owned(),
            Self::Directory => "it is a directory".to_owned(),
            Self::Denied => "permission denied: let the agent's user or group read it".to_owned(),
            Self::Escapes => "it is a link that leads out of the source's directory: name its \
                              target's directory in `links_to` if that is meant"
                .to_owned(),
            Self::TooManyKnown => "enough files are known already".to_owned(),
            Self::Own => "it is the agent's own".to_owned(),
            Self::OwnLog => {
                "the agent's own log goes there: `include_own_log: true` in its source \
                             has it tailed all the same"
                    .to_owned()
            }
            Self::TooManyOpen => "too many open files: raise the limit (ulimit -n)".to_owned(),
            Self::Other(error) => error.to_string(),
        }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        match Errno::from_io_error(&error) {
            Some(Errno::NOENT | Errno::NOTDIR | Errno::AGAIN) => Self::Vanished,
            Some(Errno::ACCESS | Errno::PERM) => Self::Denied,
            Some(Errno::LOOP | Errno::XDEV) => Self::Escapes,
            Some(Errno::MFILE | Errno::NFILE) => Self::TooManyOpen,
            Some(Errno::NXIO) => Self::NotRegular,
            _ => Self::Other(error),
        }
    }
}

/// Where a link may lead: directories with their own links resolved.
#[derive(Debug, Default)]
pub(super) struct Allowed {
    dirs: Vec<PathBuf>,
    /// The state directory. Nothing below it is tailed, whatever its name: each record shipped would
    /// change the checkpoint, which would be shipped, for ever; what the disk buffer takes would come
    /// back to it.
    own: Option<PathBuf>,
    /// The agent's own log, where that is to be left alone.
    own_log: Option<Arc<OwnLog>>,
}

impl Allowed {
    /// Resolves the directories; those that do not exist (yet) allow nothing. What lies in `own`, the
    /// state directory, is not allowed.
    pub(super) fn new<'a>(dirs: impl IntoIterator<Item = &'a Path>, own: &Path) -> Self {
        let dirs = dirs.into_iter().filter_map(|dir| dir.canonicalize().ok()).collect();
        Self { dirs, own: own.canonicalize().ok(), own_log: None }
    }

    /// The same, but for the agent's own log.
    pub(super) fn but_for(self, own_log: Option<Arc<OwnLog>>) -> Self {
        Self { own_log, ..self }
    }

    /// Whether a path without links is the agent's own: the state directory, or anything below it.
    pub(super) fn is_own(&self, real: &Path) -> bool {
        self.own.as_ref().is_some_and(|own| real.starts_with(own))
    }

    /// Resolves a path and finds the allowed directory above it: that directory, and the rest.
    pub(super) fn resolve(&self, path: &Path) -> Result<(&Path, PathBuf), Refusal> {
        let real = path.canonicalize()?;
        if self.is_own(&real) {
            return Err(Refusal::Own);
        }
        self.dirs
            .iter()
            .find_map(|dir| Some((dir.as_path(), real.strip_prefix(dir).ok()?.to_owned())))
            .ok_or(Refusal::Escapes)
    }
}

/// An open regular file.
#[derive(Debug)]
pub(super) struct OpenFile {
    /// The handle.
    pub(super) file: Handle,
    /// What it is, asked of the handle.
    pub(super) meta: Metadata,
    /// When it was made, if that can be told.
    pub(super) born: Option<i64>,
    /// Where it really lies.
    pub(super) real: PathBuf,
}

/// Opens a file.
pub(super) fn open(allowed: &Allowed, path: &Path) -> Result<OpenFile, Refusal> {
    let (dir, rest) = allowed.resolve(path)?;
    let real = dir.join(&rest);
    // Asked before as well: opening a device may do something to it.
    regular(&real.symlink_metadata()?)?;
    let file = File::from(open_beneath(dir, &rest)?);
    let meta = file.metadata()?;
    regular(&meta)?;
    if allowed.own_log.as_ref().is_some_and(|own| own.is(&meta, [path, &real])) {
        return Err(Refusal::OwnLog);
    }
    let born = identity::born(&file);
    Ok(OpenFile { file: file.into(), meta, born, real })
}

fn regular(meta: &Metadata) -> Result<(), Refusal> {
    match meta.file_type() {
        kind if kind.is_file() => Ok(()),
        kind if kind.is_dir() => Err(Refusal::Directory),
        // It was resolved a moment ago: somebody is at work here.
        kind if kind.is_symlink() => Err(Refusal::Escapes),
        _ => Err(Refusal::NotRegular),
    }
}

const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

fn open_beneath(dir: &Path, rest: &Path) -> Result<OwnedFd, io::Error> {
    let base = openat(CWD, dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match openat2(&base, rest, READ, Mode::empty(), resolve) {
        // Not in this kernel, or a sandbox that does not know it.
        Err(Errno::NOSYS | Errno::PERM | Errno::INVAL) => walk_beneath(base, rest),
        other => other.map_err(io::Error::from),
    }
}

/// The same without `openat2`: every component by itself, no links.
fn walk_beneath(base: OwnedFd, rest: &Path) -> Result<OwnedFd, io::Error> {
    let mut at = base;
    let mut name: Option<&OsStr> = None;
    for component in rest.components() {
        let Component::Normal(next) = component else { return Err(Errno::XDEV.into()) };
        if let Some(dir) = name.replace(next) {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            at = openat(&at, dir, flags, Mode::empty())?;
        }
    }
    let name = name.ok_or_else(|| io::Error::from(Errno::ISDIR))?;
    Ok(openat(&at, name, READ, Mode::empty())?)
}

#[cfg(test)]
mod tests;
