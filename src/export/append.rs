//! Appending lines to a file so that they are whole and on disk when it is said that they are: used
//! for dead letters and for `file` destinations. Blocking; callers run it on a blocking thread.
//!
//! Other processes may append to the same file, or take it away: whoever does holds its lock meanwhile,
//! and looks after having got it whether the file is still the one at its path.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// A file that lines are appended to; opened when first needed, and again when it was renamed away
/// or deleted (logrotate), or when an attempt failed.
#[derive(Debug)]
pub struct Appender {
    path: PathBuf,
    open: Option<File>,
}

/// What an append did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// The bytes are in the file, and synced. It has this many bytes now.
    Synced(u64),
    /// Nothing was written: the file would pass the cap.
    Full,
}

impl Appender {
    /// An appender to `path`, which is created with mode 0600 if it is not there.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, open: None }
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends whole lines and syncs them (`fdatasync`), all or nothing: after an error the file is
    /// as long as before, as far as the system allows it. With a `cap`, nothing is written that
    /// would make the file longer.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, written or synced. Trying again is right: the next attempt
    /// opens it anew, since after a failed sync the system may have forgotten what it did not write.
    pub fn append(&mut self, lines: &[u8], cap: Option<u64>) -> io::Result<Appended> {
        let mut file = self.hold(is_still_at)?;
        let metadata = file.metadata()?;
        let (before, regular) = (metadata.len(), metadata.is_file());
        let after = before.saturating_add(lines.len() as u64);
        if regular && cap.is_some_and(|cap| after > cap) {
            self.let_go(file);
            return Ok(Appended::Full);
        }
        let written = file.write_all(lines).and_then(|()| sync(&file, regular));
        if let Err(error) = written {
            if regular {
                // Half a line would be glued to the next attempt's first.
                let _ = file.set_len(before);
            }
            return Err(error);
        }
        self.let_go(file);
        Ok(Appended::Synced(after))
    }

    /// The file at the path, locked. Closing it lets go of the lock, too.
    fn hold(&mut self, is_still_at: impl Fn(&File, &Path) -> bool) -> io::Result<File> {
        let mut round = 1;
        loop {
            let (file, opened) = match self.open.take() {
                Some(file) => (file, false),
                None => (open(&self.path)?, true),
            };
            let regular = file.metadata()?.is_file();
            if regular {
                lock(&file)?;
            }
            // Taken away that often between opening and locking it is not: its file system gives it
            // other numbers by its path than by its handle. It was opened just now.
            if is_still_at(&file, &self.path) || opened && round >= ROUNDS {
                if opened && regular {
                    cut_torn_line(&file)?;
                }
                return Ok(file);
            }
            if opened && !regular {
                // A pipe's end, which is nowhere.
                return Ok(file);
            }
            round += 1;
        }
    }

    /// Keeps the file open, for others to lock.
    fn let_go(&mut self, file: File) {
        // One that is not let go of is closed.
        self.open = flock(&file, FlockOperation::Unlock).is_ok().then_some(file);
    }
}

/// Times that a file is opened which is another one by the time that it is locked.
const ROUNDS: usize = 5;

/// Waits until nobody else appends to a file or takes it away. False on a file system that knows no
/// locks, which is no reason not to write.
///
/// # Errors
///
/// When the system fails.
pub(super) fn lock(file: &File) -> io::Result<bool> {
    loop {
        match flock(file, FlockOperation::LockExclusive) {
            Err(Errno::INTR) => {}
            Ok(()) => return Ok(true),
            Err(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
}

fn sync(file: &File, regular: bool) -> io::Result<()> {
    // A pipe or a terminal cannot be synced, and need not be.
    if regular { file.sync_data() } else { Ok(()) }
}

/// Whether a file is the one at a path: not renamed away, and not deleted.
pub(super) fn is_still_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

fn open(path: &Path) -> io::Result<File> {
    let existed = path.exists();
    let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    if !existed && let Some(directory) = path.parent().filter(|path| !path.as_os_str().is_empty()) {
        // A name that is not on disk would take the synced bytes with it. If it cannot be had there,
        // the next attempt is to try again, and finds it missing.
        sync_directory(directory).inspect_err(|_| drop(std::fs::remove_file(path)))?;
    }
    Ok(file)
}

/// Brings the names in a directory to disk; those in one that may be written but not read stay as
/// they are.
///
/// # Errors
///
/// When it cannot be opened or synced.
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    match File::open(directory) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        opened => opened?.sync_all(),
    }
}

/// Makes a directory and those above it, for nobody else to read, and brings their names to disk.
///
/// # Errors
///
/// When one of them cannot be made or synced.
pub(super) fn create_private(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let Some(parent) = directory.parent() else { return Ok(()) };
    create_private(parent)?;
    DirBuilder::new().mode(0o700).create(directory)?;
    sync_directory(parent).inspect_err(|_| drop(fs::remove_dir(directory)))
}

/// A crash in the middle of an append leaves part of a line. It was never acknowledged, and will be
/// written again: it is cut off.
fn cut_torn_line(file: &File) -> io::Result<()> {
    const BLOCK: u64 = 64 << 10;
    let end = file.metadata()?.len();
    let mut whole = end;
    while whole > 0 {
        let start = whole.saturating_sub(BLOCK);
        let mut block = vec![0; usize::try_from(whole - start).unwrap_or(0)];
        file.read_exact_at(&mut block, start)?;
        if let Some(newline) = memchr::memrchr(b'\n', &block) {
            whole = start + newline as u64 + 1;
            break;
        }
        whole = start;
    }
    if whole < end { file.set_len(whole) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> String {
        std::fs::read_to_string(path).expect("readable")
    }

    #[test]
    fn lines_are_appended_and_the_file_is_private() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("out");
        let mut appender = Appender::new(path.clone());
        assert_eq!(appender.append(b"one\n", None).expect("written"), Appended::Synced(4));
        assert_eq!(appender.append(b"two\n", None).expect("written"), Appended::Synced(8));
        assert_eq!(read(&path), "one\ntwo\n");
        assert_eq!(std::fs::metadata(&path).expect("there").mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_renamed_away_is_opened_anew() {
        let directory = tempfile::tempdir().expect("a directory");
        let (path, rotated) = (directory.path().join("out"), directory.path().join("out.1"));
        let mut appender = Appender::new(path.clone());
        appender.append(b"one\n", None).expect("written");
        std::fs::rename(&path, &rotated).expect("renamed");
        appender.append(b"two\n", None).expect("written");
        std::fs::remove_file(&path).expect("removed");
        appender.append(b"three\n", None).expect("written");
        assert_eq!((read(&rotated).as_str(), read(&path).as_str()), ("one\n", "three\n"));
    }

    /// As on SMB with `noserverino`: it is written to all the same, and no torn line is left in it.
    #[test]
    fn a_file_that_never_seems_to_be_at_its_path_is_taken_as_it_was_opened() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("out");
        std::fs::write(&path, "one\ntorn").expect("written");
        let mut appender = Appender::new(path.clone());
        for line in ["two\n", "three\n"] {
            let mut file = appender.hold(|_, _| false).expect("opened");
            file.write_all(line.as_bytes()).expect("written");
            appender.let_go(file);
        }
        assert_eq!(read(&path), "one\ntwo\nthree\n");
    }

    #[test]
    fn a_torn_line_is_cut_off_however_long() {
        for torn in ["torn", &"x".repeat(200_000)] {
            let directory = tempfile::tempdir().expect("a directory");
            let path = directory.path().join("out");
            std::fs::write(&path, format!("whole\n{torn}")).expect("written");
            Appender::new(path.clone()).append(b"next\n", None).expect("written");
            assert_eq!(read(&path), "whole\nnext\n");
            std::fs::write(&path, torn).expect("written");
            Appender::new(path.clone()).append(b"next\n", None).expect("written");
            assert_eq!(read(&path), "next\n");
        }
    }

    #[test]
    fn the_cap_is_never_passed_and_makes_room_again_after_rotation() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("out");
        let mut appender = Appender::new(path.clone());
        assert_eq!(appender.append(b"12345\n", Some(10)).expect("written"), Appended::Synced(6));
        assert_eq!(appender.append(b"12345\n", Some(10)).expect("asked"), Appended::Full);
        assert_eq!(read(&path), "12345\n");
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(appender.append(b"12345\n", Some(10)).expect("written"), Appended::Synced(6));
    }

    #[test]
    fn a_disk_without_room_is_an_error_and_not_the_end() {
        let mut full = Appender::new("/dev/full".into());
        for _ in 0..2 {
            let error = full.append(b"line\n", None).expect_err("no room");
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        }
    }

    /// Two processes, as far as locks are concerned.
    #[test]
    fn nobody_cuts_off_what_another_is_writing() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("out");
        let write = |name: char| {
            let path = path.clone();
            std::thread::spawn(move || {
                for _ in 0..200 {
                    // Opened anew each time: then torn lines are looked for.
                    let line = format!("{}\n", name.to_string().repeat(3_000));
                    Appender::new(path.clone()).append(line.as_bytes(), None).expect("written");
                }
            })
        };
        let writers: Vec<_> = ['a', 'b', 'c'].map(write).into();
        writers.into_iter().for_each(|writer| writer.join().expect("no panic"));
        assert_eq!(read(&path).lines().filter(|line| line.len() == 3_000).count(), 600);
    }
}
