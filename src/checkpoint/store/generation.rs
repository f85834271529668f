//! Generations as they are written and read, with what their journals add to them.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::{JOURNAL, NEWEST, PREVIOUS, PREVIOUS_JOURNAL, StateError, VERSION};
use crate::checkpoint::journal::Replay;
use crate::checkpoint::snapshot::Snapshot;

/// An unreadable generation, kept for whoever wants to know why.
const DAMAGED: &str = "checkpoint.damaged";
const MAGIC: &str = "pillion-checkpoint ";
/// Begins the second line.
const CHAIN: &str = "chain ";
/// `xxh3 `, sixteen hexadecimal digits, a newline.
pub(super) const TRAILER: usize = 22;
/// A file larger than this was not written by this program.
const MAX_BYTES: u64 = 1 << 30;

/// What a generation turned out to be.
enum Generation {
    /// What it says, and the number that its journal goes on from.
    Whole(Snapshot, u64),
    Absent,
    Unreadable(String),
    Newer(u32),
}

/// The best generation there is; `None` to start from nothing.
pub(super) fn load(dir: &Path) -> Result<Option<Snapshot>, StateError> {
    for name in [NEWEST, PREVIOUS] {
        let file = dir.join(name);
        match read(&file) {
            Generation::Whole(snapshot, chain) => {
                let mut replay = Replay::new(snapshot, chain);
                // Which of them are its own, their bytes tell.
                go_on(&mut replay, &dir.join(PREVIOUS_JOURNAL));
                let left = go_on(&mut replay, &dir.join(JOURNAL));
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

/// Reads a journal, if it is there, as far as it goes on from what was read. How many bytes of it are
/// left.
fn go_on(replay: &mut Replay, file: &Path) -> usize {
    let meta = fs::symlink_metadata(file).ok().filter(fs::Metadata::is_file);
    let text = meta.filter(|meta| meta.len() <= MAX_BYTES).and_then(|_| fs::read(file).ok());
    text.map_or(0, |text| replay.read(&text))
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
    let unreadable = |why: &str| Generation::Unreadable(why.to_owned());
    let Some((body, trailer)) =
        bytes.len().checked_sub(TRAILER).and_then(|at| bytes.split_at_checked(at))
    else {
        return unreadable("too short");
    };
    if trailer != format!("xxh3 {:016x}\n", xxh3_64(body)).as_bytes() {
        return unreadable("the checksum does not fit");
    }
    let Some((version, rest)) = std::str::from_utf8(body)
        .ok()
        .and_then(|body| body.strip_prefix(MAGIC))
        .and_then(|rest| rest.split_once('\n'))
        .and_then(|(version, rest)| Some((version.parse::<u32>().ok()?, rest)))
    else {
        return unreadable("not a checkpoint");
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
            None => return unreadable("its second line is not that of a checkpoint"),
        }
    };
    match serde_json::from_str(json) {
        Ok(snapshot) => Generation::Whole(snapshot, chain),
        Err(error) => Generation::Unreadable(error.to_string()),
    }
}
