//! Volumes that come and go while the tail runs, and handles that died with one: a File is the same
//! though it lies on a device with another number now, or has to be opened anew.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use pillion_parsers::frame::FileNumber;
use rustix::io::Errno;

use super::dormant::HOPED;
use super::{TICK, Tailer};
use crate::tail::identity::{DiskId, born_alike, device};
use crate::tail::lineage::{Failing, Standing, TailedFile};
use crate::tail::open::{OpenFile, Refusal};
use crate::tail::stats::count;

/// Devices remembered at most: beyond it, it is looked up which of them have Files.
const MAX_DEVICES: usize = 1024;

/// What is known of volumes.
#[derive(Default)]
pub(super) struct Volumes {
    /// The devices on which Files lie, and some on which they lay.
    devices: BTreeSet<u64>,
    /// Since when Files are missed whose volume is not mounted.
    pub(super) missed: HashMap<FileNumber, Instant>,
    /// A path on one that is waited for, as of the last look round.
    awaited: Option<String>,
}

impl Volumes {
    /// `missed`: since when Files are missed already.
    pub(super) fn new(missed: HashMap<FileNumber, Instant>) -> Self {
        Self { missed, ..Self::default() }
    }

    /// What lay at this path lay on a volume that is waited for.
    pub(super) fn wait_for(&mut self, path: &str) {
        self.awaited.get_or_insert_with(|| path.to_owned());
    }
}

impl Tailer {
    /// A File lies on this device.
    pub(super) fn note_device(&mut self, device: u64) {
        if self.volumes.devices.insert(device) && self.volumes.devices.len() > MAX_DEVICES {
            self.volumes.devices = self.by_disk.keys().map(|(_, id)| id.dev).collect();
        }
    }

    /// Whether a File that is missed may lie on a volume that is not mounted. After a while it is gone with
    /// it.
    pub(super) fn waits_for_volume(&mut self, number: FileNumber) -> bool {
        let now = self.now.instant;
        let Some(file) = self.files.get(&number).filter(|file| is_away(file)) else {
            return false;
        };
        let since = *self.volumes.missed.entry(number).or_insert(now);
        let waits = now.saturating_duration_since(since) < HOPED;
        if waits {
            self.volumes.wait_for(&file.at.to_string_lossy());
        }
        waits
    }

    /// Begins a look round: the path on a volume that was waited for before it.
    pub(super) fn begin_to_miss(&mut self) -> Option<String> {
        self.volumes.awaited.take()
    }

    /// Ends it: forgets which Files were missed that are there again, or nowhere. Whether a volume is waited
    /// for.
    pub(super) fn end_to_miss(&mut self, before: Option<&str>) -> bool {
        let (files, looks) = (&self.files, self.looks);
        let missed = |number: &FileNumber| files.get(number).is_some_and(|it| it.seen < looks);
        self.volumes.missed.retain(|number, _| missed(number));
        if let (Some(path), None) = (&self.volumes.awaited, before) {
            tracing::info!(
                path,
                "log files are waited for whose volume seems not to be mounted; after an hour they are \
                 given up"
            );
        }
        self.volumes.awaited.is_some()
    }

    /// The File that an open file is, though it lay on a device with another number, which is not there
    /// any more.
    pub(super) fn known_elsewhere(
        &self,
        source: usize,
        open: &OpenFile,
        path: &Path,
    ) -> io::Result<Option<FileNumber>> {
        let DiskId { dev, inode } = DiskId::of(&open.meta);
        let here = [path.parent(), open.real.parent()];
        for other in self.volumes.devices.iter().filter(|other| **other != dev) {
            let known = self.by_disk.get(&(source, DiskId { dev: *other, inode }));
            let Some((number, file)) = known.and_then(|it| self.files.get_key_value(it)) else {
                continue;
            };
            if [&file.at, &file.real].iter().any(|at| here.contains(&at.parent()))
                && is_away(file)
                && is_same(file, open)?
            {
                return Ok(Some(*number));
            }
        }
        Ok(None)
    }

    /// Goes on with a File through another handle, which was found to be one on it.
    pub(super) fn exchange(
        &mut self,
        number: FileNumber,
        open: OpenFile,
        at: &Path,
    ) -> Result<(), Refusal> {
        let (id, looks, now) = (DiskId::of(&open.meta), self.looks, self.now.instant);
        let Some(file) = self.files.get_mut(&number) else { return Ok(()) };
        if file.reader.reopen(open.file)?.is_err() {
            // Written anew since.
            return Ok(());
        }
        let before = (file.source, std::mem::replace(&mut file.id, id));
        (file.born, file.seen) = (open.born, looks);
        if let Some(failing) = &mut file.failing {
            // Whether it can be read through this one shows at once.
            failing.retry_at = now;
        }
        let at = if *file.at == *at { Arc::clone(&file.at) } else { Arc::from(at) };
        let real = if *at == *open.real { Arc::clone(&at) } else { open.real.into() };
        file.move_to(at, real);
        let moved = file.standing == Standing::Live && file.at != file.path;
        self.by_disk.remove(&before);
        self.by_disk.insert((before.0, id), number);
        self.note_device(id.dev);
        (self.misplaced, self.numbers.dirty) = (true, true);
        self.awaken(number);
        if moved {
            self.leave(number, false);
        }
        Ok(())
    }

    /// Reading a File failed. Whether it can go on, through another handle; else it is tried again.
    pub(super) fn read_failed(&mut self, number: FileNumber, error: &io::Error) -> bool {
        count(&self.stats.read_errors, 1);
        self.restless = true;
        let (now, dead) = (self.now.instant, is_dead(error));
        let Some(file) = self.files.get_mut(&number) else { return false };
        let Some(failing) = &mut file.failing else {
            let failing = Failing { since: now, retry_at: now + TICK, renewed: None };
            file.failing = Some(Box::new(failing));
            tracing::warn!(path = ?file.path, %error, "reading failed, and is tried again");
            return false;
        };
        failing.retry_at = now + TICK;
        // Another handle for bytes that the disk does not give is of no use; one may die again.
        let of_use = failing.renewed.is_none_or(|renewed| dead && renewed < now);
        if of_use && self.renew(number) {
            return true;
        }
        if dead {
            self.give_up_dead(number);
        }
        false
    }

    /// A File whose handle is dead, and which is nowhere to be seen, is gone after a while.
    fn give_up_dead(&mut self, number: FileNumber) {
        let Some(file) = self.files.get(&number) else { return };
        let looked = self.seen_whole.get(&file.source).is_some_and(|looks| file.seen < *looks);
        let since = file.failing.as_ref().map(|failing| failing.since);
        let long = since.is_some_and(|it| self.now.instant.saturating_duration_since(it) >= HOPED);
        if looked && long {
            tracing::warn!(path = ?file.path, "a log file that cannot be read any more is gone");
            self.lose_unread(number);
            self.let_go(number, true);
        }
    }

    /// Another handle for a File whose own fails again and again, as those do of a network's file system,
    /// or of one in a process that was started anew. Whether there is one: where its path does not lead to
    /// it any more, there is none.
    fn renew(&mut self, number: FileNumber) -> bool {
        let now = self.now.instant;
        let Some(file) = self.files.get(&number).filter(|file| !file.archived && !file.gone())
        else {
            return false;
        };
        let (Some(patterns), Some(source)) =
            (self.patterns.get(file.source), self.settings.sources.get(file.source))
        else {
            return false;
        };
        let (allowed, at) = (self.allowed(patterns, source), Arc::clone(&file.at));
        let Ok(open) = self.open_in_room(&allowed, &at) else { return false };
        let Some(file) = self.files.get(&number) else { return false };
        let id = DiskId::of(&open.meta);
        let free = self.by_disk.get(&(file.source, id)).is_none_or(|known| *known == number);
        // What cannot be read through it either is tried again.
        let same = free && id.inode == file.id.inode && is_same(file, &open).unwrap_or(false);
        let renewed = same && self.exchange(number, open, &at).is_ok();
        let failing = self.files.get_mut(&number).and_then(|file| file.failing.as_mut());
        let before = failing.filter(|_| renewed).and_then(|it| it.renewed.replace(now));
        if renewed && before.is_none() {
            tracing::info!(path = ?at, "a log file that could not be read was opened anew");
        }
        renewed
    }
}

/// Whether an open file with the inode of a File is that.
fn is_same(file: &TailedFile, open: &OpenFile) -> io::Result<bool> {
    let told = file.reader.prefix.len > 0 || DiskId::of(&open.meta) == file.id;
    Ok(told && born_alike(file.born, open.born) && file.reader.fits(&open.file)?)
}

/// Whether the directory in which a File really lay is on another volume now: its own is not mounted, or has
/// another number.
fn is_away(file: &TailedFile) -> bool {
    let now = file.real.parent().and_then(device);
    file.dir_dev.zip(now).is_some_and(|(was, is)| was != is)
}

/// Whether a handle is of a file system that does not know it any more: nothing is read through it again.
fn is_dead(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    errno.is_some_and(|it| matches!(it, Errno::STALE | Errno::NOTCONN | Errno::NODEV))
}
