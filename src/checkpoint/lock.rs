//! The lock on a state directory: one agent at a time, and a second one is told who holds it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// The lock file's name in the state directory.
pub const LOCK_FILE: &str = "lock";

/// Held for as long as it lives. The kernel lets go of it however the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process id as it sees itself (another container counts its own); `None` if it wrote none.
    pub pid: Option<u32>,
    /// What runs under that id here, if anything.
    pub name: Option<String>,
}

/// Why a lock was not had.
#[derive(Debug)]
pub enum LockError {
    /// Somebody else has it.
    Held(Holder),
    /// The lock file could not be opened.
    Io(io::Error),
}

impl Lock {
    /// Takes the lock in `dir` without waiting and writes this process's id into it.
    ///
    /// On a file system that knows no locks it warns and goes on: better unguarded than not at all.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`] names the holder.
    pub fn take(dir: &Path) -> Result<Self, LockError> {
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(dir.join(LOCK_FILE))
            .map_err(LockError::Io)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(LockError::Held(Holder::read(&mut file))),
            Err(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS) => tracing::warn!(
                dir = ?dir,
                "the state directory's file system has no locks: make sure no second agent uses it"
            ),
            Err(other) => return Err(LockError::Io(other.into())),
        }
        // Only for the eyes of a second agent: that it fails (a full disk) is no reason not to start.
        let written = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "{}", std::process::id()));
        if let Err(error) = written {
            tracing::debug!(%error, "the lock does not name this process");
        }
        Ok(Self { _file: file })
    }
}

impl Holder {
    fn read(file: &mut File) -> Self {
        let mut text = String::new();
        let read = file.take(32).read_to_string(&mut text);
        let pid = read.ok().and_then(|_| text.trim().parse::<u32>().ok());
        let name = pid.and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/comm")).ok());
        Self { pid, name: name.map(|name| name.trim().to_owned()) }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.pid, &self.name) {
            (Some(pid), Some(name)) => write!(f, "process {pid} ({name:?})"),
            (Some(pid), None) => write!(f, "process {pid}, which runs elsewhere"),
            (None, _) => f.write_str("a process that left no id"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_is_told_who_holds_it_and_gets_it_afterwards() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = Lock::take(dir.path()).expect("free");
        let Err(LockError::Held(holder)) = Lock::take(dir.path()) else {
            panic!("taken twice");
        };
        assert_eq!(holder.pid, Some(std::process::id()));
        assert!(holder.to_string().starts_with(&format!("process {} (\"", std::process::id())));
        drop(first);
        Lock::take(dir.path()).expect("free again");
    }

    #[test]
    fn a_holder_without_an_id_is_still_described() {
        let dir = tempfile::tempdir().expect("a directory");
        let _first = Lock::take(dir.path()).expect("free");
        std::fs::write(dir.path().join(LOCK_FILE), "rubbish").expect("written");
        let Err(LockError::Held(holder)) = Lock::take(dir.path()) else {
            panic!("taken twice");
        };
        assert_eq!(holder.to_string(), "a process that left no id");
    }
}
