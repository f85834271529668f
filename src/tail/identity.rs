//! What a File is known by: where it lies on the disk, and hashes of its bytes. They only *find* a
//! File again; no id is made of them, since inodes are reused and first lines are alike.

use std::fs::Metadata;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use pillion_parsers::frame::Encoding;
use rustix::fs::{AtFlags, CWD, Statx, StatxFlags, statx};
use xxhash_rust::xxh3::xxh3_64;

use super::handle::ReadAt;
use crate::checkpoint::snapshot::{FileEntry, Prefix, TailHash};

/// Device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct DiskId {
    /// Device.
    pub(super) dev: u64,
    /// Inode.
    pub(super) inode: u64,
}

impl DiskId {
    /// Of what a `stat` saw.
    pub(super) fn of(meta: &Metadata) -> Self {
        Self { dev: meta.dev(), inode: meta.ino() }
    }
}

/// When an open file was made, in nanoseconds since the Unix epoch; none where its file system, or the
/// kernel, does not tell.
pub(super) fn born(file: impl AsFd) -> Option<i64> {
    birth(statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::BTIME))
}

/// The same of whatever has this name, which need not be one that may be opened.
pub(super) fn born_at(path: &Path) -> Option<i64> {
    birth(statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BTIME))
}

fn birth(told: rustix::io::Result<Statx>) -> Option<i64> {
    let told = told.ok().filter(|told| told.stx_mask & StatxFlags::BTIME.bits() != 0)?;
    let time = told.stx_btime;
    let nanos = time.tv_sec.checked_mul(1_000_000_000)?.checked_add(i64::from(time.tv_nsec))?;
    // What a file system says that has no such times.
    (nanos != 0).then_some(nanos)
}

/// Whether a file that was made then may be one that was made then. In doubt it may.
pub(super) fn born_alike(one: Option<i64>, other: Option<i64>) -> bool {
    one.zip(other).is_none_or(|(one, other)| one == other)
}

/// The device that a directory is on, or would be: that of the nearest one above it that is there.
/// None if that cannot be told.
pub(super) fn device(dir: &Path) -> Option<u64> {
    let mut above = dir.ancestors().map(std::fs::metadata);
    let there = above.find(|it| match it {
        Ok(meta) => meta.is_dir(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    });
    there.and_then(Result::ok).as_ref().map(Metadata::dev)
}

/// The places of which one is hashed besides a File's first bytes and its last ones: these are often
/// those of another, and those are not there in a copy that ends too early.
pub(super) const MIDDLES: [u64; 2] = [16 << 10, 2 << 10];

/// The place to be hashed in a File of so many bytes: the last one there is. None in a small one.
pub(super) fn middle_of(len: u64) -> Option<u64> {
    MIDDLES.into_iter().find(|place| *place <= len)
}

/// A hash of the bytes before such a place; not 0.
pub(super) fn hash_middle(bytes: &[u8]) -> u64 {
    TailHash::of(0, bytes).hash.max(1)
}

impl Prefix {
    /// Bytes it covers at most.
    pub const MAX: u16 = 1024;

    /// Of a File's first bytes, up to `end` or [`Self::MAX`].
    ///
    /// # Errors
    ///
    /// What the system said.
    pub(super) fn read(file: &impl ReadAt, end: u64) -> io::Result<Self> {
        let mut bytes = [0; Self::MAX as usize];
        let want = usize::try_from(end).unwrap_or(usize::MAX).min(bytes.len());
        let (got, _) = bytes.split_at_mut(want);
        let len = read_at_most(file, got, 0)?;
        Ok(Self::of(got.get(..len).unwrap_or_default()))
    }

    /// Of these first bytes: of [`Self::MAX`] at most.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let bytes = bytes.get(..usize::from(Self::MAX)).unwrap_or(bytes);
        Self { len: u16::try_from(bytes.len()).unwrap_or(Self::MAX), hash: xxh3_64(bytes) }
    }

    /// Whether the file begins with the bytes this was made of.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub(super) fn fits(self, file: &impl ReadAt) -> io::Result<bool> {
        Ok(self.len == 0 || Self::read(file, u64::from(self.len))? == self)
    }
}

impl TailHash {
    /// Bytes it covers at most.
    pub const MAX: u16 = 256;

    /// Of the bytes that end at `end`: the last of `bytes`.
    #[must_use]
    pub fn of(end: u64, bytes: &[u8]) -> Self {
        let len = bytes.len().min(usize::from(Self::MAX));
        let last = bytes.get(bytes.len() - len..).unwrap_or_default();
        Self { end, len: u16::try_from(len).unwrap_or(Self::MAX), hash: xxh3_64(last) }
    }

    /// Of the bytes on disk before `end`.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub(super) fn read(file: &impl ReadAt, end: u64) -> io::Result<Self> {
        let len = u16::try_from(end).unwrap_or(Self::MAX).min(Self::MAX);
        Self { end, len, hash: 0 }.on_disk(file)
    }

    /// Whether the bytes this was made of are still there.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub(super) fn fits(self, file: &impl ReadAt) -> io::Result<bool> {
        Ok(self.len == 0 || self.on_disk(file)? == self)
    }

    /// The same place, with the hash of what is there now.
    fn on_disk(self, file: &impl ReadAt) -> io::Result<Self> {
        let mut bytes = [0; Self::MAX as usize];
        let (got, _) = bytes.split_at_mut(usize::from(self.len.min(Self::MAX)));
        let len = read_at_most(file, got, self.end.saturating_sub(u64::from(self.len)))?;
        Ok(Self::of(self.end, got.get(..len).unwrap_or_default()))
    }
}

/// Whether an open file of `size` bytes is the File of a checkpoint's entry, gone on: it has not
/// become shorter than what was settled anywhere, and begins and ends there as it did.
pub(super) fn continues(entry: &FileEntry, file: &impl ReadAt, size: u64) -> io::Result<bool> {
    let read = entry.marks.iter().map(|mark| mark.safe).max().unwrap_or(0);
    Ok(size >= read.max(entry.tail.end)
        && entry.fingerprint.fits(file)?
        && entry.tail.fits(file)?)
}

/// Reads until the buffer is full or the file ends.
pub(super) fn read_at_most(
    file: &impl ReadAt,
    buffer: &mut [u8],
    offset: u64,
) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_some(rest, offset.saturating_add(done as u64)) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// How a file's text is encoded, as its first bytes tell.
pub(super) fn encoding_of(file: &impl ReadAt) -> io::Result<Encoding> {
    let mut mark = [0; 2];
    let len = read_at_most(file, &mut mark, 0)?;
    Ok(Encoding::of(mark.get(..len).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use super::*;
    use crate::checkpoint::snapshot::MarkEntry;

    fn file(content: &[u8]) -> File {
        let file = tempfile::tempfile().expect("a file");
        file.write_all_at(content, 0).expect("written");
        file
    }

    fn entry(content: &[u8], safe: u64) -> FileEntry {
        let was = file(content);
        FileEntry {
            number: 1,
            source: String::new(),
            path: String::new(),
            at: None,
            real: None,
            dev: 0,
            dir_dev: None,
            inode: 0,
            born: None,
            size: content.len() as u64,
            fingerprint: Prefix::read(&was, safe).expect("read"),
            tail: TailHash::read(&was, safe).expect("read"),
            middle: 0,
            marks: vec![MarkEntry {
                to: String::new(),
                safe,
                parser: None,
                tally: None,
                in_private_key: false,
                container: None,
                header: None,
            }],
            gone: false,
        }
    }

    #[test]
    fn a_file_is_recognised_by_its_bytes() {
        let banner = b"banner\n".repeat(300);
        let lines = |last: &str| [&banner, last.as_bytes()].concat();
        let check = |was: &[u8], safe: u64, is: &[u8], expect: bool| {
            let found = continues(&entry(was, safe), &file(is), is.len() as u64).expect("read");
            assert_eq!(found, expect, "{} bytes, safe {safe}, now {}", was.len(), is.len());
        };
        check(b"", 0, b"", true);
        check(b"", 0, b"anything", true);
        check(b"one\n", 4, b"one\ntwo\n", true);
        check(b"one\n", 4, b"One\ntwo\n", false);
        check(b"one\n", 4, b"on", false);
        check(b"one\n", 0, b"two\n", true);
        check(&lines("old\n"), 2104, &lines("old\nmore\n"), true);
        check(&lines("old\n"), 2104, &lines("new\nmore\n"), false);
        check(&lines("old\n"), 2104, &lines("old"), false);
        check(&lines("old\n"), 2100, &lines("new\nmore\n"), true);
    }
}
