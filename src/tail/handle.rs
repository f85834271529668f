//! The bytes of a File, read at a place: of the file itself, or of what is compressed in it.
//!
//! A compressed file can only be decompressed forwards, and a reader goes on forwards but for a few
//! steps back: to the bytes before its offset, to the beginning of a line whose end it has found. So
//! what lies between the two is kept, up to a bound, and everything before it is let go as the reader
//! moves on. A read further back than that would begin at the beginning again.

use std::cell::RefCell;
use std::fs::{File, Metadata};
use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

use super::inflate::{self, Inflate};
use crate::budget::Permit;
use crate::checkpoint::snapshot::{Prefix, TailHash};

/// Decompressed at once.
const BLOCK: usize = 8 << 10;
/// Kept of the last bytes decompressed when the line they belong to is too long to be kept.
const RECENT: usize = 272 << 10;
/// Bytes that may be decompressed in one step of a reader.
const STEP: usize = 2 << 20;

/// What can be read at a place.
pub(super) trait ReadAt {
    /// Reads some bytes; none at the end.
    ///
    /// # Errors
    ///
    /// What the system said.
    fn read_some(&self, into: &mut [u8], at: u64) -> io::Result<usize>;
}

impl ReadAt for File {
    fn read_some(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        self.read_at(into, at)
    }
}

/// An open file of whichever kind.
#[derive(Debug)]
pub(super) enum Handle {
    /// What is in the file.
    Plain(File),
    /// What is compressed in it. In a cell: reading forwards changes it, whoever asks.
    Gzip(Box<RefCell<Inflated>>),
    /// What is in the file, once a test has said what happens first.
    #[cfg(test)]
    Staged(File, Stage),
}

/// What happens before each call, by its name: something to the file, or an error.
#[cfg(test)]
pub(super) struct Stage(pub(super) Box<Act>);

#[cfg(test)]
type Act = dyn Fn(&str) -> io::Result<()> + Send;

#[cfg(test)]
impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stage")
    }
}

impl From<File> for Handle {
    fn from(file: File) -> Self {
        Self::Plain(file)
    }
}

impl ReadAt for Handle {
    fn read_some(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read_at(into, at),
            Self::Gzip(inflated) => inflated.borrow_mut().read_at(into, at),
            #[cfg(test)]
            Self::Staged(file, stage) => {
                (stage.0)("read")?;
                file.read_at(into, at)
            }
        }
    }
}

impl Handle {
    /// Whether it decompresses.
    pub(super) fn is_gzip(&self) -> bool {
        matches!(self, Self::Gzip(_))
    }

    /// What the system says of the file, which for a compressed one is not of its bytes.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        match self {
            Self::Plain(file) => file.metadata(),
            Self::Gzip(inflated) => inflated.borrow().file.metadata(),
            #[cfg(test)]
            Self::Staged(file, stage) => (stage.0)("stat").and_then(|()| file.metadata()),
        }
    }

    /// How many bytes there are to be read, and when they were last changed (seconds and nanoseconds).
    ///
    /// # Errors
    ///
    /// What the system said.
    pub(super) fn stat(&self) -> io::Result<(u64, (i64, i64))> {
        match self {
            // Never zeros, which stand for one that was not looked at.
            Self::Gzip(inflated) => Ok((inflated.borrow().size, (i64::MAX, 0))),
            _ => {
                let meta = self.metadata()?;
                Ok((meta.len(), (meta.mtime(), meta.mtime_nsec())))
            }
        }
    }

    /// Reads two buffers full, one after the other, as far as there are bytes.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub(super) fn read_both(
        &self,
        first: &mut [u8],
        second: &mut [u8],
        at: u64,
    ) -> io::Result<usize> {
        match self {
            Self::Plain(file) => read_both_of(file, first, second, at),
            #[cfg(test)]
            Self::Staged(file, stage) => {
                (stage.0)("read both")?;
                read_both_of(file, first, second, at)
            }
            Self::Gzip(inflated) => {
                let mut inflated = inflated.borrow_mut();
                let got = inflated.read_at(first, at)?;
                if got < first.len() {
                    return Ok(got);
                }
                Ok(got + inflated.read_at(second, at.saturating_add(got as u64))?)
            }
        }
    }

    /// The end of the hole at `at`; `at` itself if there is none, or none can be told.
    pub(super) fn past_hole(&self, at: u64) -> u64 {
        let Self::Plain(file) = self else { return at };
        match seek(file, SeekFrom::Data(at)) {
            Ok(data) => data.max(at),
            Err(Errno::NXIO) => u64::MAX,
            Err(_) => at,
        }
    }

    /// Lets a reader take its next step.
    pub(super) fn allow_a_step(&self) {
        if let Self::Gzip(inflated) = self {
            inflated.borrow_mut().inflate.allow(STEP);
        }
    }

    /// Says that a reader at `offset` will not look back further than it must.
    pub(super) fn release(&self, offset: u64) {
        if let Self::Gzip(inflated) = self {
            inflated.borrow_mut().release(offset.saturating_sub(u64::from(TailHash::MAX)));
        }
    }
}

impl AsRawFd for Handle {
    fn as_raw_fd(&self) -> RawFd {
        match self {
            Self::Plain(file) => file.as_raw_fd(),
            #[cfg(test)]
            Self::Staged(file, _) => file.as_raw_fd(),
            Self::Gzip(inflated) => inflated.borrow().file.as_raw_fd(),
        }
    }
}

fn read_both_of(file: &File, first: &mut [u8], second: &mut [u8], at: u64) -> io::Result<usize> {
    let mut both = [IoSliceMut::new(first), IoSliceMut::new(second)];
    loop {
        match rustix::io::preadv(file, &mut both, at) {
            Err(Errno::INTR) => {}
            other => return Ok(other?),
        }
    }
}

/// The decompressed bytes of a gzip file.
#[derive(Debug)]
pub(super) struct Inflated {
    file: Arc<File>,
    inflate: Inflate,
    /// How many there are: found out by whoever read it to its end before.
    size: u64,
    /// The first ones, as far as a fingerprint covers them.
    head: Vec<u8>,
    /// Those from `base` on, up to its capacity.
    held: Vec<u8>,
    base: u64,
    /// The last ones, when `held` is full.
    recent: Vec<u8>,
    /// The budget for all this.
    _permit: Permit,
}

impl Inflated {
    /// Bytes of memory for one whose reader looks back at lines of so many bytes.
    pub(super) fn resident(line: usize) -> usize {
        Self::held(line) + 2 * RECENT + inflate::RESIDENT
    }

    fn held(line: usize) -> usize {
        line.saturating_add(usize::from(TailHash::MAX) + 2 * BLOCK)
    }

    /// Opens a gzip file that holds `size` decompressed bytes, for a reader that looks back at lines
    /// of up to `line` bytes. `permit` pays for [`Self::resident`].
    pub(super) fn new(file: File, size: u64, line: usize, permit: Permit) -> Self {
        let file = Arc::new(file);
        let most = usize::try_from(size).unwrap_or(usize::MAX).max(1);
        Self {
            inflate: Inflate::new(Arc::clone(&file)),
            file,
            size,
            head: Vec::new(),
            held: Vec::with_capacity(Self::held(line).min(most)),
            base: 0,
            recent: Vec::new(),
            _permit: permit,
        }
    }

    /// Bytes from here on are not asked for again. If more than is kept was searched for a line's
    /// end, and this is not at that end, everything stays.
    fn release(&mut self, before: u64) {
        if before <= self.base {
            return;
        }
        let recent = self.inflate.pos() - self.recent.len() as u64;
        if !self.recent.is_empty() {
            let Some(at) = before.checked_sub(recent) else { return };
            let at = usize::try_from(at).unwrap_or(usize::MAX).min(self.recent.len());
            self.held.clear();
            self.held.extend(self.recent.drain(at..).take(self.held.capacity()));
            self.recent = Vec::new();
        } else {
            let gone = usize::try_from(before - self.base).unwrap_or(usize::MAX);
            self.held.drain(..gone.min(self.held.len()));
        }
        self.base = before;
    }

    fn read_at(&mut self, into: &mut [u8], at: u64) -> io::Result<usize> {
        let end = at.saturating_add(into.len() as u64).min(self.size);
        let want = usize::try_from(end.saturating_sub(at)).unwrap_or(0);
        let into = into.get_mut(..want).unwrap_or_default();
        if let Some(head) =
            usize::try_from(at).ok().and_then(|at| self.head.get(at..at.checked_add(want)?))
        {
            into.copy_from_slice(head);
            return Ok(want);
        }
        if self.inflate.failed() || at < self.inflate.pos() && self.kept(at).is_empty() {
            self.begin_again(at);
        }
        while self.inflate.pos() < end {
            if self.decode()? == 0 {
                // Another file's bytes, written over those that were looked through.
                self.size = self.inflate.pos();
                break;
            }
        }
        let mut done = 0;
        while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let kept = self.kept(at + done as u64);
            let len = kept.len().min(rest.len());
            if len == 0 {
                if at + (done as u64) < self.size {
                    self.begin_again(at);
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                break;
            }
            rest.iter_mut().zip(kept).for_each(|(to, from)| *to = *from);
            done += len;
        }
        Ok(done)
    }

    /// The bytes that are kept from a place on, as far as they are without a gap.
    fn kept(&self, at: u64) -> &[u8] {
        let from = |start: u64, bytes: &'_ [u8]| {
            usize::try_from(at.checked_sub(start)?).ok().filter(|skip| *skip < bytes.len())
        };
        if let Some(skip) = from(self.base, &self.held) {
            return self.held.get(skip..).unwrap_or_default();
        }
        let recent = self.inflate.pos() - self.recent.len() as u64;
        let skip = from(recent, &self.recent);
        skip.and_then(|skip| self.recent.get(skip..)).unwrap_or_default()
    }

    fn begin_again(&mut self, at: u64) {
        self.inflate.rewind();
        self.held.clear();
        self.recent.clear();
        self.base = at;
    }

    /// Decompresses some more, and keeps what is to be kept.
    fn decode(&mut self) -> io::Result<usize> {
        let mut block = [0; BLOCK];
        let start = self.inflate.pos();
        let got = self.inflate.read(&mut block)?;
        let bytes = block.get(..got).unwrap_or_default();
        if start == self.head.len() as u64 {
            let room = usize::from(Prefix::MAX) - self.head.len();
            self.head.extend(bytes.iter().take(room));
        }
        let skip = usize::try_from(self.base.saturating_sub(start)).unwrap_or(usize::MAX).min(got);
        let bytes = bytes.get(skip..).unwrap_or_default();
        let room = self.held.capacity() - self.held.len();
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        self.held.extend_from_slice(first);
        if !rest.is_empty() && self.recent.capacity() == 0 {
            self.recent.reserve_exact(2 * RECENT);
        }
        self.recent.extend_from_slice(rest);
        if self.recent.len() >= 2 * RECENT - BLOCK {
            self.recent.drain(..self.recent.len() - RECENT);
        }
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::tail::identity::read_at_most;
    use crate::tail::inflate::tests::gzip;

    fn handle(text: &[u8], line: usize) -> Handle {
        let file = tempfile::tempfile().expect("a file");
        file.write_all_at(&gzip(text), 0).expect("written");
        let permit = Budget::new(1 << 24).overdraw(Inflated::resident(line));
        let inflated = Inflated::new(file, text.len() as u64, line, permit);
        Handle::Gzip(Box::new(RefCell::new(inflated)))
    }

    fn read(handle: &Handle, at: usize, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        loop {
            handle.allow_a_step();
            match read_at_most(handle, &mut bytes, at as u64) {
                Ok(got) => {
                    bytes.truncate(got);
                    return bytes;
                }
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
        }
    }

    #[test]
    fn any_place_is_read_whatever_was_read_before() {
        let text: Vec<u8> = (0..300_000_u32).flat_map(|n| format!("{n}\n").into_bytes()).collect();
        let handle = handle(&text, 64 << 10);
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..60 {
            let at = rng.usize(0..text.len() + 100);
            let len = rng.usize(0..50_000);
            if rng.bool() {
                handle.release(at as u64);
            }
            let end = (at + len).min(text.len());
            assert!(read(&handle, at, len) == text[at.min(end)..end], "{len} bytes at {at}");
        }
        assert_eq!(handle.stat().expect("known").0, text.len() as u64);
    }

    #[test]
    fn little_is_kept_of_much() {
        let text = b"abcdefgh".repeat(4 << 20);
        let handle = handle(&text, 64 << 10);
        let mut buffer = vec![0; 128 << 10];
        for at in (0..text.len()).step_by(buffer.len()) {
            assert_eq!(read(&handle, at, buffer.len()).len(), buffer.len());
        }
        let Handle::Gzip(inflated) = &handle else { panic!("compressed") };
        let inflated = inflated.borrow();
        let memory = inflated.held.capacity() + inflated.recent.capacity();
        assert!(memory <= Inflated::resident(64 << 10), "{memory}");
        drop(inflated);
        // The line that begins where nothing was released is still there.
        buffer.truncate(60_000);
        handle.allow_a_step();
        assert_eq!(handle.read_some(&mut buffer, 0).expect("kept"), 60_000);
        handle.release(text.len() as u64);
        assert_eq!(handle.read_some(&mut buffer, text.len() as u64 - 256).expect("kept"), 256);
    }
}
