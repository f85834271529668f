//! How far the buffer reaches: what says, when segments are damaged or gone, how many records were in
//! them.
//!
//! The file `bounds` holds two slots that are written in turn, each with a checksum, so that a write
//! that was cut short leaves the one before. It is synced after the frames it speaks of and before
//! their receipts are settled.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::frame::u64_at;
use super::segment::ReadAt;

/// The file's name.
pub(super) const NAME: &str = "bounds";

/// Bytes of a slot: turn, first, base, written, checksum.
const SLOT: usize = 40;

/// So that nothing else is taken for a slot.
const SEED: u64 = u64::from_le_bytes(*b"pillion1");

/// What the buffer holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bounds {
    /// The number of the oldest segment that is not done with.
    pub(super) first: u64,
    /// Records ever written before that one.
    pub(super) base: u64,
    /// Records ever written and synced.
    pub(super) written: u64,
}

/// The open file.
#[derive(Debug)]
pub(super) struct BoundsFile {
    file: File,
    turn: u64,
}

impl BoundsFile {
    /// Opens the file in `directory`, made with mode 0600 if it is not there, and reads it; `None` if
    /// neither slot can be believed.
    ///
    /// # Errors
    ///
    /// When it cannot be opened or read.
    pub(super) fn open(directory: &Path) -> io::Result<(Self, Option<Bounds>)> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(directory.join(NAME))?;
        let mut bytes = [0; 2 * SLOT];
        let read = file.fill_at(&mut bytes, 0)?;
        let slots = bytes.get(..read).unwrap_or_default().chunks(SLOT);
        let newest = slots.filter_map(decode).max_by_key(|(turn, _)| *turn);
        let turn = newest.map_or(0, |(turn, _)| turn);
        Ok((Self { file, turn }, newest.map(|(_, bounds)| bounds)))
    }

    /// Writes the bounds, and returns once they would survive a power cut.
    ///
    /// # Errors
    ///
    /// What the system said. What was written before still stands.
    pub(super) fn write(&mut self, bounds: Bounds) -> io::Result<()> {
        let turn = self.turn + 1;
        let at = (turn % 2) * SLOT as u64;
        self.file.write_all_at(&encode(turn, bounds), at)?;
        self.file.sync_data()?;
        self.turn = turn;
        Ok(())
    }
}

fn encode(turn: u64, bounds: Bounds) -> Vec<u8> {
    let Bounds { first, base, written } = bounds;
    let mut bytes = [turn, first, base, written].map(u64::to_le_bytes).concat();
    bytes.extend(xxh3_64_with_seed(&bytes, SEED).to_le_bytes());
    bytes
}

fn decode(slot: &[u8]) -> Option<(u64, Bounds)> {
    let turn = u64_at(slot, 0)?;
    let bounds =
        Bounds { first: u64_at(slot, 8)?, base: u64_at(slot, 16)?, written: u64_at(slot, 24)? };
    (encode(turn, bounds) == slot).then_some((turn, bounds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_slot_leaves_the_one_before() {
        let dir = tempfile::tempdir().expect("a directory");
        let (mut file, none) = BoundsFile::open(dir.path()).expect("opens");
        assert_eq!(none, None);
        let old = Bounds { first: 1, base: 0, written: 10 };
        let new = Bounds { first: 2, base: 5, written: 20 };
        file.write(old).expect("written");
        file.write(new).expect("written");
        let path = dir.path().join(NAME);
        let good = std::fs::read(&path).expect("read");
        let read = || BoundsFile::open(dir.path()).expect("opens").1;
        assert_eq!(read(), Some(new));
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            std::fs::write(&path, &bad).expect("written");
            let expect = if at < SLOT { old } else { new };
            // The second write went to the first slot.
            assert_eq!(read(), Some(expect), "byte {at}");
            std::fs::write(&path, &good[..at]).expect("written");
            let expect = (at >= SLOT).then_some(new);
            assert_eq!(read(), expect, "cut at {at}");
        }
    }
}
