//! What the tail knows of each File and each lineage.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use pillion_parsers::frame::FileNumber;

use super::identity::{DiskId, device};
use super::reader::Reader;
use crate::checkpoint::snapshot::{MarkEntry, Prefix};
use crate::pipeline::chunk::LineageId;

/// A path of one source and its rotations.
#[derive(Debug)]
pub(super) struct Lineage {
    /// Index of its source.
    pub(super) source: usize,
    /// The path.
    pub(super) path: Arc<Path>,
    /// Its Files, oldest first: in this order they are read.
    pub(super) files: Vec<FileNumber>,
    /// Whether it waits for its turn.
    pub(super) queued: bool,
    /// Whether its worker heard of it.
    pub(super) announced: bool,
    /// Whether its worker knows that there may be more of it to read.
    pub(super) behind: bool,
}

/// How a File stands with its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has its lineage's path.
    Live,
    /// It was renamed or deleted, and is read on while a writer may still hold it.
    Leaving {
        /// Since when.
        since: Instant,
        /// Whether it has no name at all any more.
        deleted: bool,
    },
    /// Read to its end under another name and closed. Opened again should it grow.
    Resting,
    /// No more bytes can come: deleted and let go, truncated away, or read to its end compressed. Known until
    /// all is settled.
    Gone,
}

/// What is known of a File that cannot be read.
#[derive(Clone, Debug)]
pub(super) struct Failing {
    /// Since when.
    pub(super) since: Instant,
    /// When it is to be tried again.
    pub(super) retry_at: Instant,
    /// When it last got another handle since.
    pub(super) renewed: Option<Instant>,
}

/// A File the tail knows. There may be many thousands: what is equal is shared.
#[derive(Debug)]
pub(super) struct TailedFile {
    /// Index of its source.
    pub(super) source: usize,
    /// Where it lies on the disk.
    pub(super) id: DiskId,
    /// The device of the directory that it really lies in: see
    /// [`FileEntry::dir_dev`](crate::checkpoint::snapshot::FileEntry::dir_dev).
    pub(super) dir_dev: Option<u64>,
    /// When it was made, if its file system tells.
    pub(super) born: Option<i64>,
    /// The lineage that reads it; none for Files at rest or gone.
    pub(super) lineage: Option<LineageId>,
    /// The path its lineage goes by.
    pub(super) path: Arc<Path>,
    /// The path it was last seen at.
    pub(super) at: Arc<Path>,
    /// Where it really lies, links resolved, if elsewhere: hints name this.
    pub(super) real: Arc<Path>,
    /// The handle and the place in it.
    pub(super) reader: Reader,
    /// How it stands.
    pub(super) standing: Standing,
    /// Whether its worker was told of it.
    pub(super) announced: bool,
    /// Whether its number is safe to use: the checkpoint has it.
    pub(super) saved: bool,
    /// Whether all whole lines were handed over as of the last change.
    pub(super) spent: bool,
    /// Whether it was seen to be changed, and was not opened since for want of descriptors.
    pub(super) crowded_out: bool,
    /// When it was last seen to grow, or was opened.
    pub(super) grown: Instant,
    /// Since reading it failed, until it succeeds.
    pub(super) failing: Option<Box<Failing>>,
    /// Bytes from here on are left alone: set by a drain.
    pub(super) until: u64,
    /// Marks of destinations that are not in the configuration now.
    pub(super) absent: Vec<MarkEntry>,
    /// The look round in which it was last seen.
    pub(super) seen: u64,
    /// Whether a hint said that its name may be another file's by now.
    pub(super) doubted: bool,
    /// Whether its bytes come out of a compressed file, which lies at `at`.
    pub(super) archived: bool,
}

impl TailedFile {
    /// Bytes a drain, or a retirement, would still have to read.
    pub(super) fn unread(&self) -> u64 {
        self.reader.end().min(self.until).saturating_sub(self.reader.offset)
    }

    /// Whether it is a file of its lineage's path that was looked at and is read as it grows: while events
    /// tell of that, the same name and inode tell that it is there.
    pub(super) fn is_settled_at(&self, dir: &Path, name: &OsStr) -> bool {
        let at = self.at.as_os_str().as_bytes().strip_suffix(name.as_bytes());
        let here = at.and_then(|at| at.strip_suffix(b"/")) == Some(dir.as_os_str().as_bytes());
        let live = self.standing == Standing::Live && self.at == self.path;
        let looked_at = self.reader.changed != (0, 0) && self.lineage.is_some();
        here && live && looked_at && !self.doubted && !self.archived
    }

    /// It was found to lie here.
    pub(super) fn move_to(&mut self, at: Arc<Path>, real: Arc<Path>) {
        (self.at, self.real) = (at, real);
        self.dir_dev = self.real.parent().and_then(device);
    }

    /// It was seen to have so many bytes, and could not be opened.
    pub(super) fn crowd_out(&mut self, size: u64) {
        self.reader.size = self.reader.size.max(size);
        // The next look is to find it changed.
        self.reader.changed = (0, 0);
        self.crowded_out = true;
    }

    /// Of its first bytes: of those that were read, or while none were, of those that are there.
    pub(super) fn fingerprint(&self) -> Prefix {
        let read = self.reader.prefix;
        match &self.reader.file {
            Some(handle) if read.len == 0 => {
                Prefix::read(handle, u64::from(Prefix::MAX)).unwrap_or(read)
            }
            _ => read,
        }
    }

    /// Whether it is known only until its bytes are settled.
    pub(super) fn gone(&self) -> bool {
        self.standing == Standing::Gone
    }

    /// Whether it is read on under another name, or none.
    pub(super) fn leaving(&self) -> bool {
        matches!(self.standing, Standing::Leaving { .. })
    }

    /// Bytes in it now, asked of the open handle; of its name, if that is dead.
    pub(super) fn size_now(&self) -> u64 {
        let asked = self.reader.file.as_ref().and_then(|file| match file.stat() {
            Ok((size, _)) => Some(size),
            Err(_) => self.size_by_name(),
        });
        asked.unwrap_or(self.reader.size).max(self.reader.offset)
    }

    fn size_by_name(&self) -> Option<u64> {
        let meta = std::fs::metadata(&self.at).ok()?;
        (DiskId::of(&meta) == self.id && !self.archived).then_some(meta.len())
    }

    /// Where what there is to read ends now: zeros at the end, as far as they were found, are not.
    pub(super) fn end_now(&self) -> u64 {
        match self.size_now() {
            _ if self.gone() => self.reader.offset,
            size if size == self.reader.size => self.reader.end(),
            size => size,
        }
    }
}

/// A path as text; what is no UTF-8 in it is replaced.
pub(super) fn text(path: &std::path::Path) -> Arc<str> {
    Arc::from(path.to_string_lossy())
}
