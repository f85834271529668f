//! Generations as they are written and read, with what their journals add to them.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

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

/// The best generation there is; `None` to start from nothing.
///
/// What cannot be read for now, or not by this user, is not damaged: it is refused, since going on without
/// it would ship again, or leave out, what whoever mends that would not.
pub(super) fn load(dir: &Path) -> Result<Option<Snapshot>, StateError> {
    for name in [NEWEST, PREVIOUS] {
        let file = dir.join(name);
        match read(&file)? {
            Generation::Whole(snapshot, chain) => {
                let mut replay = Replay::new(snapshot, chain);
                // Which of them are its own, their bytes tell.
                go_on(&mut replay, &dir.join(PREVIOUS_JOURNAL))?;
                let left = go_on(&mut replay, &dir.join(JOURNAL))?;
                if left > 0 {
                    tracing::warn!(
                        ?file,
                        bytes = left,
                        "what changed after this checkpoint was written can be read in part only: what \
                         was shipped since may be shipped again"
                    );
                }
                if name == PREVIOUS {
                    tracing::warn!(?file, "going on from the previous checkpoint");
                }
                return Ok(Some(replay.end()));
            }
            Generation::Newer(version) => return Err(StateError::Newer { file, version }),
            Generation::Damaged(why) => {
                tracing::warn!(?file, why, "this checkpoint is unreadable");
                // Out of the way: the next save must not put it in the place of the previous one.
                let _ = fs::rename(&file, dir.join(DAMAGED));
            }
            Generation::Absent => {}
        }
    }
    Ok(None)
}

/// Whether there was more of a state than was loaded: the newest generation was damaged or lost, or the last
/// attempt to write one failed or was cut off. Then nobody knows which sources were ever read.
pub(super) fn was_more(dir: &Path) -> bool {
    let lies = |name: &str| fs::symlink_metadata(dir.join(name)).is_ok();
    lies(FRESH)
        || !lies(NEWEST) && [PREVIOUS, JOURNAL, PREVIOUS_JOURNAL, DAMAGED].into_iter().any(lies)
}

/// Reads a journal, if it is there, as far as it goes on from what was read. How many bytes of it are
/// left.
fn go_on(replay: &mut Replay, file: &Path) -> Result<usize, StateError> {
    match bytes_of(file)? {
        Content::Bytes(text) => Ok(replay.read(&text)),
        Content::Absent | Content::Foreign => Ok(0),
    }
}

pub(super) fn read(file: &Path) -> Result<Generation, StateError> {
    Ok(match bytes_of(file)? {
        Content::Bytes(bytes) => decode(&bytes),
        Content::Absent => Generation::Absent,
        Content::Foreign => Generation::Damaged("not a checkpoint's file".to_owned()),
    })
}

/// What is in a file.
enum Content {
    Bytes(Vec<u8>),
    Absent,
    /// Nothing that this program wrote: no regular file, or one that is too large.
    Foreign,
}

/// Reads one of the state directory's files.
fn bytes_of(file: &Path) -> Result<Content, StateError> {
    let meta = match fs::symlink_metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::Absent),
        meta => meta.map_err(|error| StateError::unreadable(file, error))?,
    };
    if !meta.is_file() || meta.len() > MAX_BYTES {
        return Ok(Content::Foreign);
    }
    fs::read(file).map(Content::Bytes).map_err(|error| StateError::unreadable(file, error))
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
