//! The state directory: the checkpoint's file and its previous generation, the instance, the lock.
//!
//! A checkpoint is text: a line `pillion-checkpoint VERSION`, a line `chain CHAIN`, the [`Snapshot`] as
//! JSON, and a line `xxh3 HASH` over all that precedes it. The first line has nothing but the version in
//! all versions, so that each knows a newer one's checkpoint for what it is, and refuses it. It is
//! written beside the old one, synced, and renamed over it; the old one stays as the previous generation.
//! What changes after it may be in a journal, which goes on from `CHAIN`, and with which its generation
//! goes; the chain goes on from generation to generation, so that the previous one with both journals is
//! the newest one but for a save. Which journal belongs where only their bytes tell: no order in which
//! files were renamed, and no moment in which that ended, makes a journal be read after another state than
//! its own. Whatever lies there, the agent starts: with the previous generation if the newest is
//! damaged, else from nothing; a file whose bytes the disk does not give any more is damaged. Refused are only
//! an intact checkpoint of a newer version, and a file that the system does not let be read for now, or not by
//! this user, since going on would throw away what they say.
//!
//! Starting from nothing takes a new instance, so that File numbers, which begin again, never make
//! an id that was used before. Else the generation that a start goes on from says which numbers were not
//! used, whatever came after it and cannot be read: none is used that either generation has not reserved,
//! which is for the one who saves to see to. A copy of a state directory goes on under an instance of its own,
//! as far as it can be told from the original.

use std::fs::{self, File};
use std::io::{self, BufWriter, IntoInnerError, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::journal::Journal;
use super::lock::{Holder, Lock, LockError};
use super::snapshot::Snapshot;
use generation::{Loaded, encode, load, was_more};
use instance::Minted;

mod generation;
mod instance;

/// The version this program writes, and the newest it reads.
pub const VERSION: u32 = 2;
/// The newest generation.
pub const NEWEST: &str = "checkpoint";
/// The one before.
pub const PREVIOUS: &str = "checkpoint.previous";
/// What changed since the newest generation was written, and since the one before was.
pub const JOURNAL: &str = "checkpoint.journal";
const PREVIOUS_JOURNAL: &str = "checkpoint.previous.journal";
const FRESH: &str = "checkpoint.new";

/// A checkpoint of fewer bytes is written whole at each save: that costs no more than anything else would.
const SMALL: u64 = 64 << 10;

/// File numbers that are left unused by a start that knows of more than it can read: the version before, and a
/// first save that failed halfway, may have used some that the generation it goes on from does not reserve.
const GAP: u32 = 1 << 16;

/// Random bytes that tell this state directory's record ids from all others'.
pub type InstanceBytes = [u8; 9];

/// An open state directory. Holds its lock.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    instance: InstanceBytes,
    /// That of the newest generation, if this process wrote it, and all that was to be added was.
    journal: Option<Journal>,
    /// Bytes below which a checkpoint has no journal.
    small: u64,
    /// See [`Self::knew_more`].
    knew_more: bool,
    _lock: Lock,
}

/// Why a state directory cannot be used. Each says what to do.
#[derive(Debug)]
pub enum StateError {
    /// It cannot be made or written.
    Unwritable {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// One of its files is there and cannot be read.
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Another agent has it.
    Locked {
        /// The directory.
        dir: PathBuf,
        /// The other agent.
        holder: Holder,
    },
    /// Its checkpoint is of a newer version of the program.
    Newer {
        /// The checkpoint.
        file: PathBuf,
        /// Its version.
        version: u32,
    },
    /// The system gave no random bytes for an instance.
    Random,
}

impl std::fmt::Display for StateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unwritable { dir, error } => write!(
                f,
                "cannot write the state directory {dir:?}: {error}; mount a writable volume there, \
                 or name another directory with `state` or --state"
            ),
            Self::Unreadable { file, error } => write!(
                f,
                "cannot read {file:?}: {error}; what is in the state directory has to belong to the user \
                 that pillion runs as, and its disk or server has to answer: what that file says is not \
                 thrown away. If it is lost, move it away: then files may be shipped again"
            ),
            Self::Locked { dir, holder } => write!(
                f,
                "the state directory {dir:?} is in use by {holder}; give each agent a directory \
                 of its own"
            ),
            Self::Newer { file, version } => write!(
                f,
                "{file:?} was written by a newer pillion (format {version}, this one reads up to \
                 {VERSION}); run that version, or move the file away to read all files again"
            ),
            Self::Random => f.write_str("the system gives no random bytes for an instance id"),
        }
    }
}

impl std::error::Error for StateError {}

impl StateError {
    fn unreadable(file: &Path, error: io::Error) -> Self {
        Self::Unreadable { file: file.to_owned(), error }
    }
}

impl Store {
    /// Opens a state directory, making it (mode 0700) if need be, locks it, and loads what it holds.
    ///
    /// # Errors
    ///
    /// When it cannot be written, what is there cannot be read, it is locked, or holds a newer version's
    /// checkpoint.
    pub fn open(dir: &Path) -> Result<(Self, Snapshot), StateError> {
        Self::open_with(dir, SMALL)
    }

    /// The same, with journals for checkpoints of no fewer bytes than `small`.
    pub(crate) fn open_with(dir: &Path, small: u64) -> Result<(Self, Snapshot), StateError> {
        let unwritable = |error| StateError::Unwritable { dir: dir.to_owned(), error };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(unwritable)?;
        let lock = Lock::take(dir).map_err(|error| match error {
            LockError::Held(holder) => StateError::Locked { dir: dir.to_owned(), holder },
            LockError::Io(error) => unwritable(error),
        })?;
        probe(dir).map_err(unwritable)?;
        let (loaded, damaged) = load(dir)?;
        let snapshot = loaded.map(|Loaded { mut snapshot, behind }| {
            if behind {
                snapshot.next_file = snapshot.next_file.saturating_add(GAP);
            }
            snapshot
        });
        let instance = match (&snapshot, instance::read(dir)?) {
            (Some(_), Minted::Here(instance)) => instance,
            (known, found) => {
                if known.is_some() && found == Minted::Elsewhere {
                    tracing::warn!(
                        ?dir,
                        "this state directory is a copy: reading goes on where it says, and what is shipped \
                         gets other ids than those of the one it was copied from"
                    );
                }
                instance::mint(dir)?.map_err(unwritable)?
            }
        };
        let knew_more = damaged || was_more(dir);
        if knew_more && snapshot.is_none() {
            tracing::warn!(
                ?dir,
                "nothing of the state can be read: all files are read from their beginning, and \
                 shipped again, whatever `start_at` says"
            );
        }
        let dir = dir.to_owned();
        let store = Self { dir, instance, journal: None, small, knew_more, _lock: lock };
        Ok((store, snapshot.unwrap_or_default()))
    }

    /// The instance.
    #[must_use]
    pub fn instance(&self) -> InstanceBytes {
        self.instance
    }

    /// Whether more may have been known once than was found: something was damaged, or was never saved.
    /// Until the next whole save. A file that is new then may be one that was being read.
    #[must_use]
    pub fn knew_more(&self) -> bool {
        self.knew_more
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes a new generation, a [`Snapshot`] or the
    /// [`Outline`](super::snapshot::Outline) of one, and returns once it would survive a power cut.
    ///
    /// # Errors
    ///
    /// What the system said. The generation before is then still there and whole.
    pub fn save(&mut self, snapshot: &impl Serialize) -> io::Result<()> {
        let chain = self.journal.as_ref().map_or_else(|| fastrand::u64(..), Journal::chain);
        let fresh = self.dir.join(FRESH);
        let mut file = BufWriter::new(create(&fresh)?);
        let bytes = encode(snapshot, chain, &mut file)?;
        file.into_inner().map_err(IntoInnerError::into_error)?.sync_all()?;
        // From here on it may belong to either generation.
        self.journal = None;
        let newest = self.dir.join(NEWEST);
        match fs::rename(&newest, self.dir.join(PREVIOUS)) {
            Ok(()) => self.age_journal()?,
            // It was unreadable: the previous one is still the previous one.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        fs::rename(&fresh, &newest)?;
        sync_dir(&self.dir)?;
        // That of a generation that was unreadable is of no use beside this one.
        remove(&self.dir.join(JOURNAL))?;
        self.journal = Some(Journal::new(chain, bytes));
        self.knew_more = false;
        Ok(())
    }

    /// Whether [`Self::save_changes`] with about so many bytes is to be preferred to [`Self::save`].
    #[must_use]
    pub fn takes_changes(&self, bytes: u64) -> bool {
        self.journal.as_ref().is_some_and(|journal| journal.takes_more(bytes, self.small))
    }

    /// Adds what changed since the last save, as the [`Outline`](super::snapshot::Outline) of it, and
    /// returns once it would survive a power cut.
    ///
    /// # Errors
    ///
    /// What the system said. What was saved before is still there, and the next save has to be a whole
    /// one.
    pub fn save_changes(&mut self, changes: &impl Serialize) -> io::Result<()> {
        let taken = self.journal.take();
        let mut journal = taken.ok_or_else(|| io::Error::other("nothing was saved before"))?;
        journal.add(changes, || {
            let file = create(&self.dir.join(JOURNAL))?;
            sync_dir(&self.dir)?;
            Ok(file)
        })?;
        self.journal = Some(journal);
        Ok(())
    }

    /// What a start would find now.
    #[cfg(test)]
    pub(crate) fn found(&self) -> Snapshot {
        load(&self.dir).expect("not newer").0.expect("something").snapshot
    }

    /// The journal goes with its generation.
    fn age_journal(&self) -> io::Result<()> {
        let previous = self.dir.join(PREVIOUS_JOURNAL);
        match fs::rename(self.dir.join(JOURNAL), &previous) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => remove(&previous),
            other => other,
        }
    }
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether files can be made here, with bytes in them: found out now rather than at the first save.
fn probe(dir: &Path) -> io::Result<()> {
    let path = dir.join("probe");
    match write_synced(&path, b"pillion") {
        Ok(()) => fs::remove_file(&path),
        // A full disk is not a reason to stay down: it may be freed, and shipping goes on meanwhile.
        Err(error) if is_full(&error) => {
            tracing::warn!(?dir, "the state directory's disk is full: nothing can be saved now");
            let _ = fs::remove_file(&path);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Whether there is no room: on the disk, in the user's quota, or under the process's limit.
fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn create(path: &Path) -> io::Result<File> {
    File::options().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests;
