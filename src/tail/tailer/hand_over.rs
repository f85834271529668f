//! From one tail to the next within a process, when the configuration is loaded anew: what was known
//! is gone on with as after a restart, from what the checkpoint would say, but no handle is let go, so
//! that what has lost its name is not lost, and Files keep their numbers. While what was read is being
//! settled the old tail goes on looking round: files that come are opened and get their numbers, so that
//! the next one reads them even if they have no name any more by then.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use pillion_parsers::frame::FileNumber;

use super::draining::Draining;
use super::missing::Missing;
use super::saving::{Numbers, entry};
use super::{Renamed, Tailer};
use crate::checkpoint::snapshot::{FileEntry, Snapshot};
use crate::checkpoint::store::Store;
use crate::tail::handle::Handle;
use crate::tail::identity;
use crate::tail::lineage::Standing;
use crate::tail::open::{OpenFile, Refusal};
use crate::tail::watcher::Watcher;

/// What a tail leaves to the next one.
#[derive(Debug)]
pub struct HandedOver {
    /// The state directory, still locked.
    pub store: Store,
    /// What a checkpoint of this moment says.
    pub snapshot: Snapshot,
    /// What no checkpoint can hold.
    pub inherited: Inherited,
}

/// What a tail inherits besides a snapshot; nothing at the start of the process.
#[derive(Debug, Default)]
pub struct Inherited {
    /// The open files, by File number.
    pub(super) handles: HashMap<u32, Kept>,
    /// Which File numbers may be used.
    pub(super) numbers: Option<Numbers>,
    /// Paths that were warned about.
    pub(super) warned: HashSet<PathBuf>,
    /// What watches the directories: no hint is missed between two tails. None while polling.
    pub(super) watcher: Option<Watcher>,
    /// Where files went that may not have been looked at yet.
    pub(super) renamed: Vec<Renamed>,
    /// What is missing of Files that may yet be found compressed.
    pub(super) missing: HashMap<u32, Missing>,
    /// Since when Files of the checkpoint are hoped for.
    pub(super) hoped: HashMap<u32, Instant>,
    /// Since when Files are missed whose volume is not mounted.
    pub(super) missed: HashMap<FileNumber, Instant>,
}

/// An open file, and where and how it stood.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) file: File,
    path: Arc<Path>,
    at: Arc<Path>,
    real: Arc<Path>,
    standing: Standing,
    grown: Instant,
}

impl Tailer {
    /// Reads nothing more and hangs up on the workers. What comes and goes is still looked after.
    pub(super) fn stop_reading(&mut self) {
        self.handing_over = true;
        self.drain = Some(Draining::over(self.now.instant));
        self.end_drain();
    }

    /// What the next tail goes on with, if there is to be one. To be called when nothing settles any
    /// more.
    pub(in crate::tail) fn bequeath(mut self) -> Option<HandedOver> {
        if !self.handing_over {
            return None;
        }
        let mut handles = std::mem::take(&mut self.unadopted);
        let mut files = std::mem::take(&mut self.dormant);
        for (number, mut file) in self.files.take() {
            files.push(entry(&self.tracker, &self.settings, number, &mut file));
            // What is compressed is found again by what it holds.
            if let Some(Handle::Plain(handle)) = file.reader.file.take() {
                let (path, at, real) = (file.path, file.at, file.real);
                let (standing, grown) = (file.standing, file.grown);
                handles.insert(number.0, Kept { file: handle, path, at, real, standing, grown });
            }
        }
        let sources = self.known_sources.into_iter().collect();
        let tombstones = self.archives.tombstones.iter().cloned().collect();
        let snapshot = Snapshot { next_file: self.numbers.next(), sources, files, tombstones };
        let inherited = Inherited {
            handles,
            numbers: Some(self.numbers),
            warned: self.warned,
            watcher: self.watching.watcher,
            renamed: self.renamed,
            missing: self.missing,
            hoped: self.archives.hoped,
            missed: self.volumes.missed,
        };
        Some(HandedOver { store: self.store, snapshot, inherited })
    }

    /// Goes on with the open files of an earlier tail. Those that the configuration does not ask for any
    /// more are closed; what is known of them stays as long as they are on the disk. Those that cannot
    /// be read just now are kept open, and tried again.
    pub(super) fn adopt(&mut self, mut handles: HashMap<u32, Kept>) {
        for entry in std::mem::take(&mut self.dormant) {
            let source = self.settings.sources.iter().position(|it| it.name == entry.source);
            let wanted =
                |kept: &Kept| source.filter(|source| self.is_wanted(*source, &kept.path, &kept.at));
            let kept = handles.remove(&entry.number);
            match kept.and_then(|kept| wanted(&kept).zip(Some(kept))) {
                Some((source, kept)) => self.adopt_one(source, entry, kept),
                None => self.dormant.push(entry),
            }
        }
        self.opened = self.files.len();
    }

    fn adopt_one(&mut self, source: usize, entry: FileEntry, kept: Kept) {
        let looked = kept.file.metadata().and_then(|meta| {
            let same = identity::continues(&entry, &kept.file, meta.len())?;
            Ok((meta, same))
        });
        let (meta, same) = match looked {
            Ok(looked) => looked,
            Err(error) => {
                self.refuse(&kept.at, &error.into());
                self.unadopted.insert(entry.number, kept);
                self.dormant.push(entry);
                return;
            }
        };
        let own_log = self.settings.sources.get(source).and_then(|it| it.own_log.as_ref());
        if own_log.is_some_and(|own| own.is(&meta, [&kept.at, &kept.real])) {
            // It was asked for until now.
            self.refuse(&kept.at, &Refusal::OwnLog);
            return self.dormant.push(entry);
        }
        let Kept { file, path, at, real, standing, grown } = kept;
        let (number, dir_dev) = (FileNumber(entry.number), entry.dir_dev);
        let at_end = self.settings.sources.get(source).is_some_and(|source| source.start_at_end);
        let born = identity::born(&file);
        let open = OpenFile { file: file.into(), meta, born, real: real.to_path_buf() };
        let adopted = if same {
            let again = entry.clone();
            let adopted = self.resume_as(source, entry, open, [&path, &at], at_end);
            // Found again by its name if it has one; else it is counted as gone.
            adopted.inspect_err(|_| self.dormant.push(again))
        } else {
            self.give_up(&entry, "truncated while the configuration was loaded");
            self.begin_fresh(source, open, &path, &at, 0)
        };
        if let Err(refusal) = adopted {
            self.refuse(&at, &refusal);
            return;
        }
        let Some(file) = self.files.get_mut(&number) else { return };
        file.grown = grown;
        if same {
            // Its volume may be away just now.
            file.dir_dev = dir_dev;
        }
        file.standing = match standing {
            Standing::Live | Standing::Leaving { .. } => standing,
            // It was open all the same: something of it is still to be read again.
            Standing::Resting => Standing::Leaving { since: self.now.instant, deleted: false },
            Standing::Gone => Standing::Leaving { since: self.now.instant, deleted: true },
        };
    }
}
