//! What lies in the directories where a checkpoint's Files lay, asked without opening anything: whether
//! one may still be there under whatever name, and whether its volume is.

use std::collections::HashSet;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;

use crate::checkpoint::snapshot::FileEntry;
use crate::tail::identity::{DiskId, born_alike, born_at, device};
use crate::tail::open::Refusal;

/// A regular file with the inode that is looked for.
pub(in crate::tail::tailer) struct Lain {
    path: PathBuf,
    /// Where it lies on the disk.
    pub(in crate::tail::tailer) id: DiskId,
    born: Option<i64>,
}

impl Lain {
    /// Whether the agent may not read it. What it is can then not be found out.
    pub(in crate::tail::tailer) fn is_denied(&self) -> bool {
        let asked = accessat(CWD, &self.path, Access::READ_OK, AtFlags::EACCESS);
        matches!(asked, Err(Errno::ACCESS | Errno::PERM))
    }
}

/// A directory.
pub(in crate::tail::tailer) struct Lying {
    device: Option<u64>,
    /// By their inodes; none if that cannot be known.
    files: Option<Vec<Lain>>,
}

impl Lying {
    /// Lists a directory; only what has one of these inodes is kept.
    pub(in crate::tail::tailer) fn list(dir: &Path, inodes: &HashSet<u64>) -> Self {
        Self { device: device(dir), files: list(dir, inodes) }
    }

    /// Whether a File lies here, in `dir`, as far as its inode and when that was made can tell. `other` says
    /// of what is known to be another. In doubt it does.
    pub(in crate::tail::tailer) fn holds(
        &self,
        entry: &FileEntry,
        dir: &Path,
        other: impl Fn(&Lain) -> bool,
    ) -> bool {
        let Some(files) = &self.files else { return true };
        let away = entry.home() == Some(dir) && self.is_another_volume(entry);
        let may_be =
            |it: &&Lain| (it.id.dev == entry.dev || away) && born_alike(it.born, entry.born);
        // There may be thousands, and as many entries.
        let from = files.partition_point(|it| it.id.inode < entry.inode);
        let files = files.get(from..).unwrap_or_default();
        let same = files.iter().take_while(|it| it.id.inode == entry.inode);
        same.filter(may_be).any(|it| !other(it))
    }

    /// Whether what is mounted here, where the File really lay, is not what was, or has another number now.
    pub(in crate::tail::tailer) fn is_another_volume(&self, entry: &FileEntry) -> bool {
        entry.dir_dev.zip(self.device).is_some_and(|(was, is)| was != is)
    }
}

fn list(dir: &Path, inodes: &HashSet<u64>) -> Option<Vec<Lain>> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) => return matches!(Refusal::from(error), Refusal::Vanished).then(Vec::new),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.ok()?;
        if inodes.contains(&entry.ino())
            && let Ok(meta) = entry.metadata()
            && meta.is_file()
        {
            let path = entry.path();
            found.push(Lain { id: DiskId::of(&meta), born: born_at(&path), path });
        }
    }
    found.sort_unstable_by_key(|it| it.id.inode);
    Some(found)
}
