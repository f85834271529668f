//! Reads one File: whole lines out of it, in chunks, and notices when it is no longer the same bytes.
//!
//! No bytes are held between reads: an unfinished last line stays in the file, and only how far it
//! was searched for its end is remembered. So a line of any length costs no memory until it is known
//! to fit, or known not to. Every read begins a little before the offset and compares the hash of
//! those bytes with what was there when they were read: a file that was truncated and has grown back
//! is noticed before a byte of it is taken for a continuation.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use pillion_parsers::frame::{Encoding, Span};

use super::handle::Handle;
use super::identity::encoding_of;
use crate::budget::Permit;
use crate::checkpoint::snapshot::{Prefix, TailHash};
use crate::pipeline::chunk::Ending;

mod known;
mod long;
mod zeros;

/// Hashes kept of bytes in flight. Thinned out beyond it: a checkpoint may then name an older place.
const MAX_TAILS: usize = 64;

/// Reads of the search buffer in one step: a long line is searched for its end in several turns.
const SEARCH_READS: usize = 8;

/// How much is read, and what it claims.
pub(super) struct Limits<'a> {
    /// Bytes a chunk aims at.
    pub(super) chunk: usize,
    /// Bytes beyond which a line is cut, if it is also longer than a chunk.
    pub(super) max_record: usize,
    /// Bytes from here on are left alone.
    pub(super) until: u64,
    /// Claims budget for a chunk of so many bytes.
    pub(super) claim: &'a mut dyn FnMut(usize) -> Option<Permit>,
    /// Where to search for the end of a long line.
    pub(super) search: &'a mut [u8],
}

/// What one step brought.
#[derive(Debug)]
pub(super) enum Step {
    /// Lines.
    Lines(Piece),
    /// Zero bytes where a line should begin; to be settled, they are nobody's record.
    Zeros(Span),
    /// Nothing yet, but there is more to search: call again.
    More,
    /// No further whole line is there.
    Nothing,
    /// There is no budget for the next chunk.
    Refused,
    /// The bytes before the offset are not those that were read: another generation. The number of
    /// bytes lost, as far as known.
    Replaced(u64),
}

/// Bytes that were read, not yet a Chunk.
#[derive(Debug)]
pub(super) struct Piece {
    /// Where.
    pub(super) span: Span,
    /// What.
    pub(super) bytes: Vec<u8>,
    /// How the last line ends.
    pub(super) ending: Ending,
    /// How the text is encoded.
    pub(super) encoding: Encoding,
    /// Its budget.
    pub(super) permit: Permit,
}

/// What a look at the file showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// As before.
    Same,
    /// Something was written.
    Changed,
    /// Something that was not read was truncated away: so many bytes, as far as known.
    Shrunk(u64),
    /// It is shorter than what was read of it. The number of bytes lost, as far as known.
    Shorter(u64),
    /// It has other bytes before the offset. The number of bytes lost, as far as known.
    Replaced(u64),
}

/// The place in a File, and its handle while it is open.
#[derive(Debug)]
pub(super) struct Reader {
    /// The handle.
    pub(super) file: Option<Handle>,
    /// Where the next line begins.
    pub(super) offset: u64,
    /// Bytes as of the last look.
    pub(super) size: u64,
    /// Time of change as of the last look, in seconds and nanoseconds.
    pub(super) changed: (i64, i64),
    /// Of its first bytes, as far as they were read.
    pub(super) prefix: Prefix,
    /// Where it ended when the bytes before `offset` were last known to be those that were read.
    verified: u64,
    /// There is no newline between `offset` and this, which is `offset` or follows a character that
    /// is not zero.
    searched: u64,
    /// There are only zeros between `searched` and this: preallocated, perhaps still to be written.
    blank: u64,
    /// There are only zeros between `offset` and this.
    zeros: u64,
    /// Of the bytes before `offset`.
    tail: TailHash,
    /// Of earlier offsets, oldest first, for the checkpoint.
    tails: VecDeque<TailHash>,
    /// See [`Self::middle`].
    middle: u64,
    /// How its text is encoded, told whenever its first bytes are read.
    encoding: Encoding,
}

impl Reader {
    /// Reads an open file from `offset`, before which `prefix` was read.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub(super) fn new(file: impl Into<Handle>, offset: u64, oldest: TailHash) -> io::Result<Self> {
        let file = file.into();
        file.release(offset);
        file.allow_a_step();
        let tail = TailHash::read(&file, offset)?;
        let mut reader = Self {
            file: None,
            offset,
            size: offset,
            changed: (0, 0),
            prefix: Prefix::default(),
            verified: offset,
            searched: offset,
            blank: offset,
            zeros: offset,
            tail,
            tails: VecDeque::from([oldest]),
            encoding: encoding_of(&file)?,
            middle: known::middle_before(&file, offset)?,
        };
        reader.push_tail(tail);
        if offset > 0 {
            reader.prefix = Prefix::read(&file, offset)?;
        }
        reader.file = Some(file);
        Ok(reader)
    }

    /// Takes a new handle on a file that was closed; gives it back if it has other bytes now.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub(super) fn reopen(&mut self, file: Handle) -> io::Result<Result<(), Handle>> {
        if !self.fits(&file)? {
            return Ok(Err(file));
        }
        self.file = Some(file);
        self.changed = (0, 0);
        self.search_anew();
        Ok(Ok(()))
    }

    /// Looks at the open file. Without a handle nothing is seen.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub(super) fn look(&mut self) -> io::Result<Look> {
        let Some(file) = &self.file else { return Ok(Look::Same) };
        let (size, changed) = file.stat()?;
        if (size, changed) == (self.size, self.changed) {
            return Ok(Look::Same);
        }
        // Zeros at the end are nobody's, and no loss when they are cut off.
        let end = self.end();
        let unread = end.saturating_sub(self.offset);
        if size < self.offset {
            return Ok(Look::Shorter(unread));
        }
        // Longer ones are compared when they are read.
        if size == self.offset && !self.tail.fits(file)? {
            return Ok(Look::Replaced(unread));
        }
        if size < self.searched || size < self.zeros {
            self.search_anew();
        }
        // Zeros may be written over.
        self.blank = self.searched;
        let shrunk = end.saturating_sub(size);
        if shrunk > 0 {
            self.verified = self.verified.min(size);
        }
        (self.size, self.changed) = (size, changed);
        Ok(if shrunk > 0 { Look::Shrunk(shrunk) } else { Look::Changed })
    }

    /// Where what is to be read ends, as far as it was searched: zeros at the end may be a
    /// preallocated file's, and wait.
    pub(super) fn end(&self) -> u64 {
        match () {
            () if self.zeros > self.offset && self.zeros >= self.size => self.offset,
            () if self.searched > self.offset && self.blank >= self.size => self.searched,
            () => self.size,
        }
    }

    fn search_anew(&mut self) {
        (self.searched, self.blank, self.zeros) = (self.offset, self.offset, self.offset);
    }

    fn replaced(&self) -> Step {
        Step::Replaced(self.verified.saturating_sub(self.offset))
    }

    /// Whether a handle's file has no name any more.
    pub(super) fn nameless(&self) -> bool {
        self.file
            .as_ref()
            .and_then(|file| file.metadata().ok())
            .is_some_and(|meta| meta.nlink() == 0)
    }

    /// Bytes on the disk that only open handles keep there: of a file that has no name any more.
    pub(super) fn pinned(&self) -> Option<u64> {
        let meta = self.file.as_ref()?.metadata().ok()?;
        (meta.nlink() == 0).then(|| meta.blocks().saturating_mul(512))
    }

    /// The path of an open file now, as the kernel tells it.
    pub(super) fn path(&self) -> Option<PathBuf> {
        let handle = self.file.as_ref()?.as_raw_fd();
        std::fs::read_link(format!("/proc/self/fd/{handle}")).ok()
    }

    /// Whether it decompresses what it reads.
    pub(super) fn is_gzip(&self) -> bool {
        self.file.as_ref().is_some_and(Handle::is_gzip)
    }

    /// Reads the next lines.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub(super) fn step(&mut self, limits: &mut Limits<'_>) -> io::Result<Step> {
        let Some(file) = self.file.take() else { return Ok(Step::Nothing) };
        file.allow_a_step();
        let step = or_more(self.step_in(&file, limits));
        if let Ok(Step::Nothing) = step {
            self.verified = self.end();
        }
        self.file = Some(file);
        step
    }

    fn step_in(&mut self, file: &Handle, limits: &mut Limits<'_>) -> io::Result<Step> {
        let size = self.encoding.floor(self.size.min(limits.until));
        if size <= self.offset {
            return Ok(Step::Nothing);
        }
        if self.zeros > self.offset {
            return self.zeros_in(file, size, limits);
        }
        if self.searched > self.offset {
            return self.search(file, size, limits);
        }
        let want = usize::try_from(size - self.offset).unwrap_or(usize::MAX).min(limits.chunk);
        let Some(permit) = (limits.claim)(want) else { return Ok(Step::Refused) };
        let Some((before, mut bytes)) = self.read_checked(file, want)? else {
            return Ok(self.replaced());
        };
        if zeros::begins_with_zero(self.encoding, &bytes) {
            drop(permit);
            return self.zeros_in(file, size, limits);
        }
        let Some(end) = self.encoding.last_line_end(self.offset, &bytes) else {
            if self.offset == 0 && bytes.len() < 2 {
                // Too little to tell the encoding by, and with it what a newline is.
                return Ok(Step::Nothing);
            }
            self.no_newline_in(self.offset, &bytes);
            return if self.blank < size { Ok(Step::More) } else { Ok(Step::Nothing) };
        };
        bytes.truncate(end);
        if let Some(start) = zeros::line_of_zeros(self.encoding, self.offset, &bytes) {
            bytes.truncate(start);
        }
        let end = self.offset + bytes.len() as u64;
        self.hand_over(file, end, (before, bytes), Ending::Newline, permit)
    }
}

/// What is compressed comes in portions: not far enough yet is no error.
fn or_more(step: io::Result<Step>) -> io::Result<Step> {
    match step {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Step::More),
        other => other,
    }
}

#[cfg(test)]
mod tests;
