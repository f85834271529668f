//! The state directory: the checkpoint's file and its previous generation, the instance, the lock.
//!
//! A checkpoint is text: a line `pillion-checkpoint VERSION`, the [`Snapshot`] as JSON, and a line
//! `xxh3 HASH` over all that precedes it. It is written beside the old one, synced, and renamed over
//! it; the old one stays as the previous generation. Whatever lies there, the agent starts: with the
//! previous generation if the newest is unreadable, else from nothing. Only an intact checkpoint of
//! a newer version is refused, since going on would throw away what it says.
//!
//! Starting from nothing takes a new instance, so that File numbers, which begin again, never make
//! an id that was used before. Starting from the previous generation leaves a gap in the numbers.

use std::fs::{self, File};
use std::io::{self, BufWriter, IntoInnerError, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::lock::{Holder, Lock, LockError};
use super::snapshot::Snapshot;

/// The version this program writes, and the newest it reads.
pub const VERSION: u32 = 1;
/// The newest generation.
pub const NEWEST: &str = "checkpoint";
/// The one before.
pub const PREVIOUS: &str = "checkpoint.previous";
/// An unreadable generation, kept for whoever wants to know why.
const DAMAGED: &str = "checkpoint.damaged";
const FRESH: &str = "checkpoint.new";
const INSTANCE: &str = "instance";
const MAGIC: &str = "pillion-checkpoint ";
/// `xxh3 `, sixteen hexadecimal digits, a newline.
const TRAILER: usize = 22;
/// What a lost newest generation may have minted beyond the previous one's mark.
const GENERATION_GAP: u32 = 1 << 16;
/// A file larger than this was not written by this program.
const MAX_BYTES: u64 = 1 << 30;

/// Random bytes that tell this state directory's record ids from all others'.
pub type InstanceBytes = [u8; 9];

/// An open state directory. Holds its lock.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    instance: InstanceBytes,
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

/// What a generation turned out to be.
enum Generation {
    Whole(Snapshot),
    Absent,
    Unreadable(String),
    Newer(u32),
}

impl Store {
    /// Opens a state directory, making it (mode 0700) if need be, locks it, and loads what it holds.
    ///
    /// # Errors
    ///
    /// When it cannot be written, is locked, or holds a newer version's checkpoint.
    pub fn open(dir: &Path) -> Result<(Self, Snapshot), StateError> {
        let unwritable = |error| StateError::Unwritable { dir: dir.to_owned(), error };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(unwritable)?;
        let lock = Lock::take(dir).map_err(|error| match error {
            LockError::Held(holder) => StateError::Locked { dir: dir.to_owned(), holder },
            LockError::Io(error) => unwritable(error),
        })?;
        probe(dir).map_err(unwritable)?;
        let snapshot = load(dir)?;
        let instance = match (&snapshot, read_instance(dir)) {
            (Some(_), Some(instance)) => instance,
            _ => mint_instance(dir).ok_or(StateError::Random)?.map_err(unwritable)?,
        };
        let store = Self { dir: dir.to_owned(), instance, _lock: lock };
        Ok((store, snapshot.unwrap_or_default()))
    }

    /// The instance.
    #[must_use]
    pub fn instance(&self) -> InstanceBytes {
        self.instance
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
    pub fn save(&self, snapshot: &impl Serialize) -> io::Result<()> {
        let fresh = self.dir.join(FRESH);
        let mut file = BufWriter::new(create(&fresh)?);
        encode(snapshot, &mut file)?;
        file.into_inner().map_err(IntoInnerError::into_error)?.sync_all()?;
        let newest = self.dir.join(NEWEST);
        match fs::rename(&newest, self.dir.join(PREVIOUS)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::rename(&fresh, &newest)?;
        sync_dir(&self.dir)
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

/// The best generation there is; `None` to start from nothing.
fn load(dir: &Path) -> Result<Option<Snapshot>, StateError> {
    for (name, gap) in [(NEWEST, 0), (PREVIOUS, GENERATION_GAP)] {
        let file = dir.join(name);
        match read(&file) {
            Generation::Whole(mut snapshot) => {
                if gap > 0 {
                    tracing::warn!(?file, "going on from the previous checkpoint");
                }
                snapshot.next_file = snapshot.next_file.saturating_add(gap);
                return Ok(Some(snapshot));
            }
            Generation::Newer(version) => return Err(StateError::Newer { file, version }),
            Generation::Unreadable(why) => {
                tracing::warn!(?file, why, "this checkpoint is unreadable");
                // Out of the way: the next save must not put it in the place of the previous one.
                let _ = fs::rename(&file, dir.join(DAMAGED));
            }
            Generation::Absent => {}
        }
    }
    Ok(None)
}

fn read(file: &Path) -> Generation {
    let meta = match fs::symlink_metadata(file) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Generation::Absent,
        Err(error) => return Generation::Unreadable(error.to_string()),
    };
    if !meta.is_file() || meta.len() > MAX_BYTES {
        return Generation::Unreadable("not a checkpoint's file".to_owned());
    }
    match fs::read(file) {
        Ok(bytes) => decode(&bytes),
        Err(error) => Generation::Unreadable(error.to_string()),
    }
}

fn encode(snapshot: &impl Serialize, to: &mut impl Write) -> io::Result<()> {
    let mut hashed = Hashed { to, hash: Xxh3::new() };
    writeln!(hashed, "{MAGIC}{VERSION}")?;
    serde_json::to_writer(&mut hashed, snapshot)?;
    writeln!(hashed)?;
    let hash = hashed.hash.digest();
    writeln!(to, "xxh3 {hash:016x}")
}

/// Writes, and hashes what was written.
struct Hashed<'w, W> {
    to: &'w mut W,
    hash: Xxh3,
}

impl<W: Write> Write for Hashed<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// The checksum is looked at first: a flipped bit in the version must not look like a newer one.
fn decode(bytes: &[u8]) -> Generation {
    let unreadable = |why: &str| Generation::Unreadable(why.to_owned());
    let Some((body, trailer)) =
        bytes.len().checked_sub(TRAILER).and_then(|at| bytes.split_at_checked(at))
    else {
        return unreadable("too short");
    };
    if trailer != format!("xxh3 {:016x}\n", xxh3_64(body)).as_bytes() {
        return unreadable("the checksum does not fit");
    }
    let Some((version, json)) = std::str::from_utf8(body)
        .ok()
        .and_then(|body| body.strip_prefix(MAGIC))
        .and_then(|rest| rest.split_once('\n'))
        .and_then(|(version, json)| Some((version.parse::<u32>().ok()?, json)))
    else {
        return unreadable("not a checkpoint");
    };
    if version > VERSION {
        return Generation::Newer(version);
    }
    match serde_json::from_str(json) {
        Ok(snapshot) => Generation::Whole(snapshot),
        Err(error) => Generation::Unreadable(error.to_string()),
    }
}

fn read_instance(dir: &Path) -> Option<InstanceBytes> {
    let text = fs::read_to_string(dir.join(INSTANCE)).ok()?;
    let digits = text.trim_end().as_bytes();
    let mut instance = [0; 9];
    if digits.len() != instance.len() * 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in instance.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(instance)
}

/// `None` when there is no randomness to be had.
fn mint_instance(dir: &Path) -> Option<io::Result<InstanceBytes>> {
    let mut instance = [0; 9];
    getrandom::fill(&mut instance).ok()?;
    let mut text: String = instance.iter().map(|byte| format!("{byte:02x}")).collect();
    text.push('\n');
    let fresh = dir.join("instance.new");
    let written = write_synced(&fresh, text.as_bytes())
        .and_then(|()| fs::rename(&fresh, dir.join(INSTANCE)))
        .and_then(|()| sync_dir(dir));
    match written {
        // It cannot be kept on a full disk. Once there is room a checkpoint will be there without
        // an instance, and the next start takes another: repeats, never a loss.
        Err(error) if is_full(&error) => {
            let _ = fs::remove_file(dir.join(INSTANCE));
            Some(Ok(instance))
        }
        other => Some(other.map(|()| instance)),
    }
}

#[cfg(test)]
mod tests;
