//! The segments of one buffer, as they lie on disk. Everything here blocks.
//!
//! Frames are appended to the newest segment and taken from the oldest, by one cursor. A segment is
//! removed when every frame of it is done with and none is older: so what is missing between two
//! segments was taken away by somebody else.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tracing::{debug, error};

use super::bounds::{Bounds, BoundsFile};
use super::frame::{HEADER, Header};
use super::segment::{self, Cursor, Found, Name, ReadAt};
use crate::budget::{Budget, Permit};
use crate::config::memory::ANSWER;
use crate::export::append::{create_private, sync_directory};
use crate::export::payload::Payload;
use crate::export::stats::DestinationStats;

/// Reads that may fail in a row before a frame, or what cannot be walked of a segment, is given up.
const READS: u32 = 5;

/// What is known of a segment.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) name: Name,
    /// Bytes of it that hold whole, synced frames.
    pub(super) bytes: u64,
    /// Records of frames that were not taken yet.
    pub(super) left: u64,
    /// Records ever written up to its end.
    pub(super) after: u64,
    /// How far it was taken.
    pub(super) cursor: Cursor,
    /// Frames taken and not done with.
    pub(super) out: usize,
    /// Nothing more is taken from it.
    pub(super) taken: bool,
    /// Open while it is written or read.
    pub(super) file: Option<File>,
}

impl Segment {
    /// Whether there may be a frame in it that was not taken. [`Self::left`] does not say that: frames may
    /// be found that were not counted, where they were copied or moved.
    fn has_more(&self) -> bool {
        !self.taken && self.cursor.at() < self.bytes
    }
}

/// The frames of one buffer.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) destination: String,
    pub(super) directory: PathBuf,
    /// Bytes that its segments may have together.
    pub(super) limit: u64,
    pub(super) segments: VecDeque<Segment>,
    pub(super) bounds: Bounds,
    /// Opened with the directory.
    pub(super) bounds_file: Option<BoundsFile>,
    /// Whether the newest segment is of this run and takes more.
    pub(super) writing: bool,
    /// Frames that are done with and could not be marked.
    pub(super) unmarked: Vec<Place>,
    /// Reads that failed since one succeeded.
    pub(super) failed_reads: u32,
    pub(super) stats: Arc<DestinationStats>,
}

/// Why frames were not appended.
#[derive(Debug)]
pub(super) enum Refusal {
    /// There is no room, and there will be when something is done with.
    Full,
    /// They would not fit into an empty buffer.
    TooLarge,
    /// The disk did not take them.
    Io(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A taken frame's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) segment: Name,
    pub(super) found: Found,
}

/// What a take brought.
#[derive(Debug)]
pub(super) enum Take {
    /// A payload, its share of the budget, and where to say that it is done with.
    Payload(Payload, Permit, Place),
    /// Nothing waits.
    Nothing,
    /// The budget has no room for it.
    NoBudget,
}

impl Disk {
    /// Writes frames and syncs them, all or none.
    pub(super) fn append(&mut self, payloads: &[Payload]) -> Result<(), Refusal> {
        let mut before = self.bounds.written;
        let mut frames = Vec::with_capacity(payloads.len());
        for payload in payloads {
            let header = Header::of(payload, before).ok_or(Refusal::TooLarge)?;
            before = header.after();
            frames.push((header, payload));
        }
        let bytes: u64 = frames.iter().map(|(header, _)| header.frame()).sum();
        if bytes > self.limit {
            return Err(Refusal::TooLarge);
        }
        if self.bytes().saturating_add(bytes) > self.limit {
            return Err(Refusal::Full);
        }
        let written = self.segment_to_write().and_then(|()| self.write(&frames, before));
        if written.is_err() {
            self.seal_after_failure();
        }
        Ok(written?)
    }

    fn write(&mut self, frames: &[(Header, &Payload)], after: u64) -> io::Result<()> {
        let gone = || io::Error::from(io::ErrorKind::NotFound);
        let segment = self.segments.back_mut().ok_or_else(gone)?;
        let file = segment.file.as_ref().ok_or_else(gone)?;
        let mut at = segment.bytes;
        for (header, payload) in frames {
            file.write_all_at(&header.encode(segment.name.marker), at)?;
            at += HEADER as u64;
            for part in [&payload.ids, &payload.body] {
                file.write_all_at(part, at)?;
                at += part.len() as u64;
            }
        }
        file.sync_data()?;
        let bounds = Bounds { written: after, ..self.bounds };
        self.bounds_file.as_mut().ok_or_else(gone)?.write(bounds)?;
        segment.left += after - self.bounds.written;
        (segment.bytes, segment.after) = (at, after);
        self.bounds = bounds;
        Ok(())
    }

    /// After a failure nobody knows what is on the disk: what is not whole is cut off as far as the
    /// system allows it, and the next frames go to a segment of their own.
    fn seal_after_failure(&mut self) {
        self.writing = false;
        let Some(segment) = self.segments.back() else { return };
        if let Some(file) = &segment.file {
            let _ = file.set_len(segment.bytes);
        }
        if segment.bytes == 0 {
            let _ = fs::remove_file(self.path(segment.name));
            self.segments.pop_back();
        }
    }

    /// Sees to it that the newest segment takes frames.
    fn segment_to_write(&mut self) -> io::Result<()> {
        let newest = self.segments.back().filter(|_| self.writing);
        if newest.is_some_and(|segment| segment.bytes < self.segment_bytes()) {
            return Ok(());
        }
        self.writing = false;
        if let Some(full) = self.segments.back_mut() {
            full.file = None;
        }
        if self.bounds_file.is_none() || !self.directory.is_dir() {
            create_private(&self.directory)?;
            self.bounds_file = Some(BoundsFile::open(&self.directory)?.0);
        }
        let number = self.segments.back().map_or(self.bounds.first.max(1), |it| it.name.number + 1);
        // A marker that nobody can foresee.
        let marker = getrandom::u64().map_err(|error| io::Error::other(error.to_string()))?;
        let name = Name { number, marker };
        let path = self.path(name);
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        // A name that is not on disk would take the synced frames with it.
        sync_directory(&self.directory).inspect_err(|_| drop(fs::remove_file(&path)))?;
        self.segments.push_back(Segment {
            name,
            bytes: 0,
            left: 0,
            after: self.bounds.written,
            cursor: Cursor::default(),
            out: 0,
            taken: false,
            file: Some(file),
        });
        self.writing = true;
        Ok(())
    }

    /// The oldest payload that was not taken yet. It is taken past the budget's limit only if it
    /// `must` be.
    ///
    /// # Errors
    ///
    /// When the disk does not give it now.
    pub(super) fn take(&mut self, budget: &Arc<Budget>, must: bool) -> io::Result<Take> {
        while let Some(at) = self.segments.iter().position(|segment| !segment.taken) {
            match self.found(at) {
                Ok(Some(found)) if found.done => self.step(at, Cursor::within(&found)),
                Ok(Some(found)) => {
                    let answers = found.header.records as usize * ANSWER;
                    let bytes = found.header.content() + size_of::<Payload>() + answers;
                    let permit =
                        if must { Some(budget.overdraw(bytes)) } else { budget.try_take(bytes) };
                    let Some(permit) = permit else { return Ok(Take::NoBudget) };
                    match self.read(at, found) {
                        Err(error) if !self.gives_up(&error) => return Err(error),
                        Ok(Some(payload)) => {
                            self.count_uncounted(at, found);
                            if let Some(place) = self.took(at, found, Cursor::behind(&found)) {
                                return Ok(Take::Payload(payload, permit, place));
                            }
                        }
                        Ok(None) => self.lose_frame(at, found, Cursor::inside(&found)),
                        Err(_) => self.lose_frame(at, found, Cursor::within(&found)),
                    }
                }
                Err(error) if error.kind() != io::ErrorKind::NotFound && !self.gives_up(&error) => {
                    return Err(error);
                }
                Ok(None) if self.writing && at + 1 == self.segments.len() && self.is_even(at) => {
                    return Ok(Take::Nothing);
                }
                Ok(None) | Err(_) => self.end(at),
            }
        }
        Ok(Take::Nothing)
    }

    /// Whether to stop trying, after an error: only where the disk itself cannot read the place. What
    /// passes (too many open files) is waited for.
    fn gives_up(&mut self, error: &io::Error) -> bool {
        let unreadable = is_unreadable(error);
        self.failed_reads += u32::from(unreadable);
        unreadable && self.failed_reads >= READS
    }

    fn found(&mut self, at: usize) -> io::Result<Option<Found>> {
        let directory = &self.directory;
        let Some(segment) = self.segments.get_mut(at) else { return Ok(None) };
        let (marker, cursor, bytes) = (segment.name.marker, segment.cursor, segment.bytes);
        segment::next(opened(directory, segment)?, marker, cursor, bytes)
    }

    /// A frame's payload; `None` if it is not what was written.
    fn read(&mut self, at: usize, found: Found) -> io::Result<Option<Payload>> {
        let directory = &self.directory;
        let Some(segment) = self.segments.get_mut(at) else { return Ok(None) };
        let mut content = vec![0; found.header.content()];
        let read =
            opened(directory, segment)?.fill_at(&mut content, found.offset + HEADER as u64)?;
        content.truncate(read);
        Ok(found.header.payload(content))
    }

    /// A payload that was taken and is not done with; `None` if it is damaged or gone.
    pub(super) fn again(&mut self, place: Place) -> io::Result<Option<Payload>> {
        let at = self.segments.iter().position(|segment| segment.name == place.segment);
        at.map_or(Ok(None), |at| self.read(at, place.found))
    }

    fn step(&mut self, at: usize, cursor: Cursor) {
        self.failed_reads = 0;
        if let Some(segment) = self.segments.get_mut(at) {
            segment.cursor = cursor;
        }
    }

    fn took(&mut self, at: usize, found: Found, cursor: Cursor) -> Option<Place> {
        self.step(at, cursor);
        let segment = self.segments.get_mut(at)?;
        segment.left = segment.left.saturating_sub(u64::from(found.header.records));
        segment.out += 1;
        Some(Place { segment: segment.name, found })
    }

    fn lose_frame(&mut self, at: usize, found: Found, cursor: Cursor) {
        let records = u64::from(found.header.records);
        if let Some(segment) = self.segments.get(at) {
            self.say_lost(segment.name, records.min(segment.left));
        }
        if let Some(place) = self.took(at, found, cursor) {
            self.done(place);
        }
    }

    /// A payload is there that was not, or no longer, known to be.
    fn count_uncounted(&self, at: usize, found: Found) {
        let left = self.segments.get(at).map_or(0, |segment| segment.left);
        self.stats.find_buffered(u64::from(found.header.records).saturating_sub(left));
    }

    /// Whether a segment was taken to its end, with nothing missing.
    fn is_even(&self, at: usize) -> bool {
        self.segments.get(at).is_none_or(|segment| segment.left == 0 && !segment.has_more())
    }

    /// Nothing more can be taken from a segment: what should be there and is not was lost.
    fn end(&mut self, at: usize) {
        self.failed_reads = 0;
        self.writing &= at + 1 < self.segments.len();
        let Some(segment) = self.segments.get_mut(at) else { return };
        (segment.taken, segment.file) = (true, None);
        let (name, lost) = (segment.name, std::mem::take(&mut segment.left));
        if lost > 0 {
            self.say_lost(name, lost);
        }
        self.prune();
    }

    pub(super) fn say_lost(&self, name: Name, records: u64) {
        let (destination, segment) = (&self.destination, self.path(name));
        self.stats.lose_buffered(records);
        error!(
            destination,
            segment = %segment.display(),
            records,
            "part of the buffer is damaged or gone: its records are lost, all others are sent; \
             look at the disk, and at who else writes to the state directory"
        );
    }

    /// Removes the oldest segments as long as they are done with.
    pub(super) fn prune(&mut self) {
        while let Some(front) = self.segments.front() {
            if front.out > 0 || front.left > 0 || front.has_more() {
                break;
            }
            let (name, after) = (front.name, front.after);
            self.writing &= self.segments.len() > 1;
            let bounds = Bounds { first: name.number + 1, base: after, ..self.bounds };
            let said = self.bounds_file.as_mut().map(|file| file.write(bounds));
            let removed = fs::remove_file(self.path(name));
            if let Some(Err(_)) = said
                && let Some(file) = &mut self.bounds_file
            {
                // A file system without room may have some now.
                let _ = file.write(bounds);
            }
            if let Err(error) = removed {
                debug!(destination = self.destination, %error, "a sent segment cannot be removed");
            }
            self.bounds = bounds;
            self.segments.pop_front();
        }
        self.empty();
        self.show();
    }

    /// Bytes of all segments.
    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Records that were not taken yet, as far as they are known of.
    pub(super) fn waiting(&self) -> u64 {
        self.segments.iter().map(|segment| segment.left).sum()
    }

    /// Whether there may be something to take.
    fn has_more(&self) -> bool {
        self.segments.iter().any(|segment| segment.left > 0 || segment.has_more())
    }

    /// Shows what there is.
    pub(super) fn show(&self) {
        self.stats.buffer.bytes.store(self.bytes(), Relaxed);
        self.stats.buffer.waiting.store(self.has_more(), Relaxed);
    }

    pub(super) fn path(&self, name: Name) -> PathBuf {
        self.directory.join(name.text())
    }

    /// So that a good part of the limit is there again when one is removed.
    fn segment_bytes(&self) -> u64 {
        (self.limit / 16).clamp(64 << 10, 8 << 20)
    }
}

/// Whether the disk itself cannot read the place.
pub(super) fn is_unreadable(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

pub(super) fn opened<'s>(directory: &Path, segment: &'s mut Segment) -> io::Result<&'s File> {
    if segment.file.is_none() {
        let path = directory.join(segment.name.text());
        segment.file = Some(OpenOptions::new().read(true).write(true).open(path)?);
    }
    segment.file.as_ref().ok_or_else(|| io::ErrorKind::NotFound.into())
}
