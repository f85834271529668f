//! Generations as they are written and read, with what their journals add to them.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use rustix::io::Errno;
use serde::Serialize;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::{FRESH, JOURNAL, NEWEST, PREVIOUS, PREVIOUS_JOURNAL, StateError, VERSION};
use crate::checkpoint::journal::Replay;
use crate::checkpoint::snapshot::Snapshot;

/// A damaged generation, kept for whoever wants to know why.
const DAMAGED: &str = "checkpoint.damaged";
const MAGIC: &str = "pillion-checkpoint ";
/// Begins the second line.
const CHAIN: &str = "chain ";
/// `xxh3 `, sixteen hexadecimal digits, a newline.
pub(super) const TRAILER: usize = 22;
/// A file larger than this was not written by this program.
const MAX_BYTES: u64 = 1 << 30;

/// What a generation turned out to be.
pub(super) enum Generation {
    /// What it says, and the number that its journal goes on from.
    Whole(Snapshot, u64),
    Absent,
    Damaged(String),
    Newer(u32),
}

/// What a start goes on from.
pub(super) struct Loaded {
    pub(super) snapshot: Snapshot,
    /// Whether it is known that more was written after that.
    pub(super) behind: bool,
}

/// The best generation there is, `None` to start from nothing; and whether something was damaged.
///
/// What cannot be read for now, or not by this user, is not damaged: it is refused, since going on without
/// it would ship again, or leave out, what whoever mends that would not.
pub(super) fn load(dir: &Path) -> Result<(Option<Loaded>, bool), StateError> {
    let mut damaged = false;
    for name in [NEWEST, PREVIOUS] {
        let file = dir.join(name);
        match read(&file)? {
            Generation::Whole(snapshot, chain) => {
                let mut replay = Replay::new(snapshot, chain);
                let more = go_on(&mut replay, dir)?;
                if more {
                    tracing::warn!(
                        ?file,
                        "what changed after this checkpoint was written can be read in part only: what \
                         was shipped since may be shipped again"
                    );
                }
                if name == PREVIOUS {
                    tracing::warn!(?file, "going on from the previous checkpoint");
                }
                let behind = more || name == PREVIOUS;
                return Ok((Some(Loaded { snapshot: replay.end(), behind }), damaged));
            }
            Generation::Newer(version) => return Err(StateError::Newer { file, version }),
            Generation::Damaged(why) => {
                damaged = true;
                tracing::warn!(?file, why, "this checkpoint is unreadable");
                // Out of the way: the next save must not put it in the place of the previous one.
                let _ = fs::rename(&file, dir.join(DAMAGED));
            }
            Generation::Absent => {}
        }
    }
    Ok((None, damaged))
}

/// Whether there was more of a state than was loaded: the newest generation was damaged or lost, or the last
/// attempt to write one failed or was cut off. Then nobody knows which sources were ever read.
pub(super) fn was_more(dir: &Path) -> bool {
    let lies = |name: &str| fs::symlink_metadata(dir.join(name)).is_ok();
    lies(FRESH)
        || !lies(NEWEST) && [PREVIOUS, JOURNAL, PREVIOUS_JOURNAL, DAMAGED].into_iter().any(lies)
}

/// Reads the journals as far as they go on from a generation: which of them are its own, their bytes tell.
/// Whether there is more that may be its own.
fn go_on(replay: &mut Replay, dir: &Path) -> Result<bool, StateError> {
    let previous = bytes_of(&dir.join(PREVIOUS_JOURNAL));
    if let Ok(Content::Bytes(text)) = &previous {
        replay.read(text);
    }
    let (joined, left) = match bytes_of(&dir.join(JOURNAL))? {
        Content::Bytes(text) => {
            let left = replay.read(&text);
            (left < text.len(), left > 0)
        }
        Content::Absent => (false, false),
        Content::Damaged(why) => {
            tracing::warn!(why, "the checkpoint's journal is unreadable");
            (false, true)
        }
    };
    // If the newest one goes on from here, the one before it belongs elsewhere.
    match previous {
        Ok(Content::Bytes(_) | Content::Absent) => Ok(left),
        _ if joined => Ok(left),
        Ok(Content::Damaged(_)) => Ok(true),
        Err(error) => Err(error),
    }
}

pub(super) fn read(file: &Path) -> Result<Generation, StateError> {
    Ok(match bytes_of(file)? {
        Content::Bytes(bytes) => decode(&bytes),
        Content::Absent => Generation::Absent,
        Content::Damaged(why) => Generation::Damaged(why),
    })
}

/// What is in a file.
pub(super) enum Content {
    Bytes(Vec<u8>),
    Absent,
    /// Nothing that this program wrote (no regular file, or one that is too large), or bytes that are lost.
    Damaged(String),
}

/// Reads one of the state directory's files.
pub(super) fn bytes_of(file: &Path) -> Result<Content, StateError> {
    let read = || {
        let meta = fs::symlink_metadata(file)?;
        if !meta.is_file() || meta.len() > MAX_BYTES {
            return Ok(Content::Damaged("not a file that pillion wrote".to_owned()));
        }
        fs::read(file).map(Content::Bytes)
    };
    // What a disk or a network gets wrong once it may get right.
    let again = |error: io::Error| if is_lost(&error) { read() } else { Err(error) };
    match read().or_else(again) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Content::Absent),
        Err(error) if is_lost(&error) => Ok(Content::Damaged(error.to_string())),
        content => content.map_err(|error| StateError::unreadable(file, error)),
    }
}

/// Whether an error says that a file's bytes are lost: so file systems with checksums say that a bit is
/// flipped. All others pass (no memory, a server that does not answer), or somebody can put them right.
pub(super) fn is_lost(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    errno.is_some_and(|it| {
        matches!(it, Errno::IO | Errno::BADMSG | Errno::UCLEAN | Errno::NODATA | Errno::ILSEQ)
    })
}

/// Writes a generation. How many bytes it has become.
pub(super) fn encode(
    snapshot: &impl Serialize,
    chain: u64,
    to: &mut impl Write,
) -> io::Result<u64> {
    let mut hashed = Hashed { to, hash: Xxh3::new(), bytes: TRAILER as u64 };
    // Nothing else on the first line: earlier versions read all of it as the number.
    writeln!(hashed, "{MAGIC}{VERSION}\n{CHAIN}{chain:016x}")?;
    serde_json::to_writer(&mut hashed, snapshot)?;
    writeln!(hashed)?;
    let (hash, bytes) = (hashed.hash.digest(), hashed.bytes);
    writeln!(to, "xxh3 {hash:016x}")?;
    Ok(bytes)
}

/// Writes, and hashes what was written.
struct Hashed<'w, W> {
    to: &'w mut W,
    hash: Xxh3,
    bytes: u64,
}

impl<W: Write> Write for Hashed<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or(bytes));
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// The checksum is looked at first: a flipped bit in the version must not look like a newer one.
fn decode(bytes: &[u8]) -> Generation {
    let damaged = |why: &str| Generation::Damaged(why.to_owned());
    let Some((body, trailer)) =
        bytes.len().checked_sub(TRAILER).and_then(|at| bytes.split_at_checked(at))
    else {
        return damaged("too short");
    };
    if trailer != format!("xxh3 {:016x}\n", xxh3_64(body)).as_bytes() {
        return damaged("the checksum does not fit");
    }
    let Some((version, rest)) = std::str::from_utf8(body)
        .ok()
        .and_then(|body| body.strip_prefix(MAGIC))
        .and_then(|rest| rest.split_once('\n'))
        .and_then(|(version, rest)| Some((version.parse::<u32>().ok()?, rest)))
    else {
        return damaged("not a checkpoint");
    };
    if version > VERSION {
        return Generation::Newer(version);
    }
    // The first version had no journals.
    let (chain, json) = if version < 2 {
        (0, rest)
    } else {
        let line = rest.strip_prefix(CHAIN).and_then(|rest| rest.split_once('\n'));
        match line.and_then(|(chain, json)| Some((u64::from_str_radix(chain, 16).ok()?, json))) {
            Some(chained) => chained,
            None => return damaged("its second line is not that of a checkpoint"),
        }
    };
    match serde_json::from_str(json) {
        Ok(snapshot) => Generation::Whole(snapshot, chain),
        Err(error) => Generation::Damaged(error.to_string()),
    }
}
