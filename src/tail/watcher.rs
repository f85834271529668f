//! The kernel's hints that something happened: inotify by way of `notify`, on directories.
//!
//! Hints are never believed, only acted on. Where they cannot be had (no watches or instances left,
//! a file system whose changes happen elsewhere, or hints that demonstrably do not come) the tail
//! polls instead.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use notify::event::{EventKind, ModifyKind, RemoveKind, RenameMode};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::identity::DiskId;
use super::inbox::Inbox;

/// File systems whose files may be written by another kernel, which tells this one nothing: NFS,
/// SMB (three numbers), FUSE and virtiofs, 9P, Ceph, AFS, Lustre, GFS2, OCFS2. From `linux/magic.h`
/// and the file systems' own sources.
const REMOTE: [u64; 11] = [
    0x6969,
    0x517B,
    0xFF53_4D42,
    0xFE53_4D42,
    0x6573_5546,
    0x0102_1997,
    0x00C3_6400,
    0x5346_414F,
    0x0BD0_0BD0,
    0x0116_1970,
    0x7461_636F,
];

/// How long `notify`'s thread rests after a write was hinted at. The kernel makes one event of a
/// file's further writes meanwhile, so that a busy writer costs wake-ups per rest, not per line.
const REST: Duration = Duration::from_millis(5);
/// Events closer together than this were read from the kernel in one go.
const BATCH: Duration = Duration::from_micros(100);

/// Why events are not to be had.
#[derive(Debug)]
pub(super) struct Unwatchable {
    /// For a person: what is wrong, and what to do.
    pub(super) why: String,
    /// Whether it may be better in a while.
    pub(super) passing: bool,
}

/// Watches directories and posts hints.
#[derive(Debug)]
pub(super) struct Watcher {
    inner: RecommendedWatcher,
    /// Where hints are posted to. `notify`'s thread holds it, too, and its lock while it posts.
    inbox: Arc<Mutex<Arc<Inbox>>>,
    /// By path, which directory it was: another of the same name needs a watch of its own.
    watched: BTreeMap<PathBuf, DiskId>,
}

impl Watcher {
    /// Begins with no directory.
    ///
    /// # Errors
    ///
    /// Why events are not to be had: polling is called for.
    pub(super) fn new(inbox: Arc<Inbox>) -> Result<Self, Unwatchable> {
        let inbox = Arc::new(Mutex::new(inbox));
        let current = Arc::clone(&inbox);
        let mut rested = Instant::now();
        let inner = notify::recommended_watcher(move |event| {
            let written = hint(&current.lock().unwrap_or_else(PoisonError::into_inner), event);
            if written && rested.elapsed() > BATCH {
                std::thread::sleep(REST);
                rested = Instant::now();
            }
        })
        .map_err(|error| refused(error.kind, "inotify"))?;
        Ok(Self { inner, inbox, watched: BTreeMap::new() })
    }

    /// Posts to another inbox, to which nobody else posts hints. What nobody took from the one before
    /// is in it, too.
    pub(super) fn post_to(&self, inbox: &Arc<Inbox>) {
        let mut current = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *current, Arc::clone(inbox)).take();
        inbox.post(|posted| posted.inherit(before));
    }

    /// Watches these directories and no others. Whether some are watched that were not.
    ///
    /// # Errors
    ///
    /// Why events are not to be had, of one directory or any: polling is called for.
    pub(super) fn watch(&mut self, dirs: &BTreeSet<PathBuf>) -> Result<bool, Unwatchable> {
        let there: BTreeMap<&PathBuf, DiskId> = dirs
            .iter()
            .filter_map(|dir| Some((dir, DiskId::of(&std::fs::metadata(dir).ok()?))))
            .collect();
        let inner = &mut self.inner;
        self.watched.retain(|dir, id| {
            let same = there.get(dir) == Some(id);
            if !same {
                // Fails when the directory is gone, and its watch with it.
                let _ = inner.unwatch(dir);
            }
            same
        });
        let before = self.watched.len();
        for (dir, id) in there {
            if !self.watched.contains_key(dir) {
                self.add(dir, id)?;
            }
        }
        Ok(self.watched.len() > before)
    }

    /// The watch of a directory, or of any, may be gone with it, though another has its name and even
    /// its inode: it is made anew.
    pub(super) fn doubt(&mut self, dir: Option<&Path>) {
        const UNKNOWN: DiskId = DiskId { dev: 0, inode: 0 };
        match dir {
            Some(dir) => self.watched.get_mut(dir).into_iter().for_each(|id| *id = UNKNOWN),
            None => self.watched.values_mut().for_each(|id| *id = UNKNOWN),
        }
    }

    fn add(&mut self, dir: &Path, id: DiskId) -> Result<(), Unwatchable> {
        if let Ok(found) = rustix::fs::statfs(dir)
            && REMOTE.contains(&(found.f_type as u64 & 0xFFFF_FFFF))
        {
            let why = format!("{dir:?} is on a file system that tells nothing of others' writes");
            return Err(Unwatchable { why, passing: false });
        }
        match self.inner.watch(dir, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.watched.insert(dir.to_owned(), id);
                Ok(())
            }
            Err(error) => match error.kind {
                // It went while we looked; the next look knows.
                notify::ErrorKind::PathNotFound => Ok(()),
                notify::ErrorKind::Io(io) if io.kind() == std::io::ErrorKind::NotFound => Ok(()),
                kind => Err(refused(kind, &format!("{dir:?}"))),
            },
        }
    }
}

/// What `notify` says, for a person.
fn refused(kind: notify::ErrorKind, what: &str) -> Unwatchable {
    let limit = |error: &std::io::Error| {
        let errno = rustix::io::Errno::from_io_error(error);
        matches!(errno, Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE))
    };
    let why = match kind {
        notify::ErrorKind::MaxFilesWatch => {
            "no inotify watches left: raise fs.inotify.max_user_watches".to_owned()
        }
        notify::ErrorKind::Io(error) if limit(&error) => {
            "no inotify instances left: raise fs.inotify.max_user_instances, or the limit on open \
             files (ulimit -n)"
                .to_owned()
        }
        notify::ErrorKind::Io(error) => format!("{what} cannot be watched: {error}"),
        kind => format!("{what} cannot be watched: {kind:?}"),
    };
    Unwatchable { why, passing: true }
}

/// Runs on `notify`'s thread. Whether it was about written bytes.
fn hint(inbox: &Inbox, event: notify::Result<Event>) -> bool {
    match event {
        Ok(event) if event.need_rescan() => inbox.post(|posted| posted.overflowed = true),
        // Somebody opens, reads or closes: our own doing, mostly.
        Ok(Event { kind: EventKind::Access(_), .. }) => {}
        Ok(Event {
            kind: EventKind::Modify(ModifyKind::Name(RenameMode::Both)), paths, ..
        }) => {
            if let Ok([from, to]) = <[PathBuf; 2]>::try_from(paths) {
                inbox.post(|posted| posted.follow(from, to));
            }
        }
        Ok(Event { kind: EventKind::Modify(ModifyKind::Data(_)), paths, .. }) => {
            inbox.post(|posted| paths.into_iter().for_each(|path| posted.change(path)));
            return true;
        }
        Ok(Event { kind: EventKind::Remove(RemoveKind::Folder), paths, .. }) => {
            inbox.post(|posted| paths.into_iter().for_each(|dir| posted.remove_dir(dir)));
        }
        Ok(event) => {
            inbox.post(|posted| event.paths.into_iter().for_each(|path| posted.rename(path)));
        }
        Err(error) => inbox.post(|posted| {
            // One path's trouble is the next look's; anything else ends the watching.
            if error.paths.is_empty() {
                posted.failed = Some(error.to_string());
            } else {
                posted.overflowed = true;
            }
        }),
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_file_system_is_told_by_its_number() {
        // What `statfs` gives is signed on some platforms: the comparison is of 32 bits.
        assert!(REMOTE.contains(&(i64::from(0xFF53_4D42_u32 as i32) as u64 & 0xFFFF_FFFF)));
    }

    #[test]
    fn writes_and_names_are_hinted() {
        let dir = tempfile::tempdir().expect("a directory");
        let inbox = Arc::new(Inbox::default());
        inbox.read_by(std::thread::current());
        let mut watcher = Watcher::new(Arc::clone(&inbox)).expect("inotify");
        let dirs = BTreeSet::from([dir.path().to_owned(), dir.path().join("none")]);
        watcher.watch(&dirs).expect("watched");
        let path = dir.path().join("a.log");
        std::fs::write(&path, "line\n").expect("written");
        std::fs::rename(&path, dir.path().join("b")).expect("renamed");
        let (mut changed, mut moved, mut renamed) = (false, false, false);
        let end = Instant::now() + Duration::from_secs(10);
        while !(changed && moved && renamed) && Instant::now() < end {
            std::thread::park_timeout(Duration::from_millis(100));
            let posted = inbox.take();
            changed |= posted.changed.contains(&path);
            moved |= posted.moved.contains(&path);
            renamed |= posted.renamed.contains(&(path.clone(), dir.path().join("b")));
        }
        assert!(changed && moved && renamed);
        watcher.watch(&BTreeSet::new()).expect("unwatched");
        assert!(watcher.watched.is_empty());
    }

    #[test]
    fn hints_go_to_another_inbox_with_those_that_nobody_took() {
        let dir = tempfile::tempdir().expect("a directory");
        let (first, second) = (Arc::new(Inbox::default()), Arc::new(Inbox::default()));
        let mut watcher = Watcher::new(Arc::clone(&first)).expect("inotify");
        watcher.watch(&BTreeSet::from([dir.path().to_owned()])).expect("watched");
        let seen = |path: &PathBuf| {
            let end = Instant::now() + Duration::from_secs(10);
            while !second.take().changed.contains(path) {
                assert!(Instant::now() < end, "no event came");
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        let (early, late) = (dir.path().join("early"), dir.path().join("late"));
        std::fs::write(&early, "line\n").expect("written");
        let end = Instant::now() + Duration::from_secs(10);
        while !first.only_writes() && Instant::now() < end {
            // That it was made is told before that it was written to.
            first.post(|posted| posted.moved.clear());
            std::thread::sleep(Duration::from_millis(5));
        }
        first.post(|posted| posted.finish = true);
        second.post(|posted| posted.look = true);
        watcher.post_to(&second);
        let posted = second.take();
        assert!(posted.changed.contains(&early));
        assert!(posted.look && !posted.finish, "commands are for whom they were given to");
        std::fs::write(&late, "line\n").expect("written");
        seen(&late);
    }

    /// With a directory goes its watch, and what is made in its place may even have its inode.
    #[test]
    fn a_directory_that_was_made_anew_is_watched_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let sub = dir.path().join("sub");
        let inbox = Arc::new(Inbox::default());
        let mut watcher = Watcher::new(Arc::clone(&inbox)).expect("inotify");
        std::fs::create_dir(&sub).expect("made");
        let dirs = BTreeSet::from([sub.clone()]);
        assert!(watcher.watch(&dirs).expect("watched"));
        assert!(!watcher.watch(&dirs).expect("watched"), "nothing new");
        std::fs::remove_dir(&sub).expect("removed");
        std::fs::create_dir(&sub).expect("made");
        let seen = |what: &dyn Fn(super::super::inbox::Posted) -> bool| {
            let end = Instant::now() + Duration::from_secs(10);
            while !what(inbox.take()) {
                assert!(Instant::now() < end, "no event came");
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        seen(&|posted| posted.removed_dirs.contains(&sub));
        watcher.doubt(Some(&sub));
        assert!(watcher.watch(&dirs).expect("watched"));
        let log = sub.join("a.log");
        std::fs::write(&log, "line\n").expect("written");
        seen(&|posted| posted.changed.contains(&log));
    }
}
