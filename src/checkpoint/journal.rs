//! What changed since a checkpoint was written whole, save by save, in a file beside it: a large state
//! of which little changes costs little to save.
//!
//! A save is a line of JSON, [`Changes`], and a line `xxh3 HASH`. The hash goes on from the one before,
//! and the first one from a number in the checkpoint itself: a journal can be read only after the very
//! state that it goes on from, whatever the files are called, and only as far as it is whole.
//!
//! What is read of it is never more than what happened: an entry that is older than it could be costs
//! repeats. So a save that cannot be read ends the reading, and nothing else has to be thrown away.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::snapshot::{FileEntry, Snapshot};
use super::tombstone::Tombstone;

/// `xxh3 `, sixteen hexadecimal digits, a newline.
const TRAILER: usize = 22;

/// What one save says.
#[derive(Debug, Deserialize)]
pub(super) struct Changes {
    /// See [`Snapshot::next_file`].
    next_file: u32,
    /// All of them: see [`Snapshot::sources`].
    sources: Vec<String>,
    /// Files that are new, or of which something changed.
    files: Vec<FileEntry>,
    /// The same of finished ones.
    tombstones: Vec<Tombstone>,
    /// Numbers of Files that are known no more.
    #[serde(default)]
    forgotten: Vec<u32>,
    /// Numbers of Files that are not finished any more.
    #[serde(default)]
    unburied: Vec<u32>,
}

/// The journal of a checkpoint that this process wrote.
#[derive(Debug)]
pub(super) struct Journal {
    /// None until there is something to say.
    file: Option<File>,
    /// The hash that the next save goes on from.
    chain: u64,
    /// Bytes in it.
    bytes: u64,
    /// Bytes of the checkpoint.
    whole: u64,
}

impl Journal {
    /// That of a checkpoint of so many bytes, from which `chain` goes on.
    pub(super) fn new(chain: u64, whole: u64) -> Self {
        Self { file: None, chain, bytes: 0, whole }
    }

    /// The hash that the next save goes on from.
    pub(super) fn chain(&self) -> u64 {
        self.chain
    }

    /// Whether it takes about so many bytes more. One that is larger than what it spares to write is not
    /// worth its reading; beside a checkpoint of fewer than `small` bytes, none is.
    pub(super) fn takes_more(&self, bytes: u64, small: u64) -> bool {
        self.whole >= small && self.bytes.saturating_add(bytes) <= self.whole
    }

    /// Adds a save, and returns once it would survive a power cut. The file is made by `create`.
    ///
    /// # Errors
    ///
    /// What the system said. Half a save may then be in it: it must not be gone on with.
    pub(super) fn add(
        &mut self,
        changes: &impl Serialize,
        create: impl FnOnce() -> io::Result<File>,
    ) -> io::Result<()> {
        let mut text = serde_json::to_vec(changes)?;
        text.push(b'\n');
        let chain = xxh3_64_with_seed(&text, self.chain);
        writeln!(text, "xxh3 {chain:016x}")?;
        let file = match self.file.take() {
            Some(file) => file,
            None => create()?,
        };
        let file = self.file.insert(file);
        file.write_all(&text)?;
        file.sync_data()?;
        self.chain = chain;
        self.bytes += text.len() as u64;
        Ok(())
    }
}

/// Brings a checkpoint up to date.
pub(super) struct Replay {
    chain: u64,
    next_file: u32,
    sources: Vec<String>,
    files: BTreeMap<u32, FileEntry>,
    tombstones: BTreeMap<u32, Tombstone>,
}

impl Replay {
    /// Begins with the checkpoint, from which `chain` goes on.
    pub(super) fn new(snapshot: Snapshot, chain: u64) -> Self {
        let Snapshot { next_file, sources, files, tombstones } = snapshot;
        Self {
            chain,
            next_file,
            sources,
            files: files.into_iter().map(|entry| (entry.number, entry)).collect(),
            tombstones: tombstones.into_iter().map(|it| (it.number, it)).collect(),
        }
    }

    /// Goes on with a journal as far as it goes on from what was read. How many bytes of it are left.
    pub(super) fn read(&mut self, journal: &[u8]) -> usize {
        let mut rest = journal;
        while let Some((changes, chain, after)) = next(rest, self.chain) {
            self.apply(changes);
            (self.chain, rest) = (chain, after);
        }
        rest.len()
    }

    fn apply(&mut self, changes: Changes) {
        let Changes { next_file, sources, files, tombstones, forgotten, unburied } = changes;
        self.next_file = self.next_file.max(next_file);
        self.sources = sources;
        forgotten.iter().for_each(|number| drop(self.files.remove(number)));
        unburied.iter().for_each(|number| drop(self.tombstones.remove(number)));
        self.files.extend(files.into_iter().map(|entry| (entry.number, entry)));
        self.tombstones.extend(tombstones.into_iter().map(|it| (it.number, it)));
    }

    /// What it has come to.
    pub(super) fn end(self) -> Snapshot {
        let mut tombstones: Vec<Tombstone> = self.tombstones.into_values().collect();
        tombstones.sort_by_key(|tombstone| tombstone.when);
        Snapshot {
            next_file: self.next_file,
            sources: self.sources,
            files: self.files.into_values().collect(),
            tombstones,
        }
    }
}

/// The first save of a journal that goes on from a hash, its own hash, and what follows it.
fn next(journal: &[u8], chain: u64) -> Option<(Changes, u64, &[u8])> {
    let end = memchr::memchr(b'\n', journal)? + 1;
    let (text, rest) = journal.split_at_checked(end)?;
    let (trailer, rest) = rest.split_at_checked(TRAILER)?;
    let chain = xxh3_64_with_seed(text, chain);
    if trailer != format!("xxh3 {chain:016x}\n").as_bytes() {
        return None;
    }
    Some((serde_json::from_slice(text).ok()?, chain, rest))
}
