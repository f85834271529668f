//! Finding what an earlier run left in a buffer.
//!
//! Headers are walked, contents are not read: those are checked when they are taken. Each header says
//! how many records came before it, so that what is missing is known: between two frames, before the
//! first and after the last. Over a gap a frame is written that is done with and stands for it, so that
//! the next start does not count it again.

use std::collections::VecDeque;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tracing::{error, info, warn};

use super::bounds::{Bounds, BoundsFile};
use super::disk::{Disk, Segment, is_unreadable};
use super::frame::HEADER;
use super::segment::{self, Cursor, Found, Name, ReadAt};
use super::stand_in::bury;
use crate::export::stats::DestinationStats;

/// The walk over all segments.
struct Walk {
    /// Records that should have come before the next frame.
    expected: Option<u64>,
    /// What is missing, at which segment.
    gaps: Vec<(Name, u64)>,
    /// Records before the oldest segment that is there.
    base: u64,
}

impl Disk {
    /// What is in `directory`, which need not be there. What it holds is counted from here on.
    ///
    /// # Errors
    ///
    /// When it is there and cannot be read.
    pub(super) fn open(
        destination: &str,
        directory: PathBuf,
        limit: u64,
        stats: Arc<DestinationStats>,
    ) -> io::Result<Self> {
        let mut disk = Self {
            destination: destination.to_owned(),
            directory,
            limit,
            segments: VecDeque::new(),
            bounds: Bounds { first: 1, ..Bounds::default() },
            bounds_file: None,
            writing: false,
            unmarked: Vec::new(),
            failed_reads: 0,
            stats,
        };
        if disk.directory.is_dir() {
            disk.find()?;
        } else {
            disk.stats.adopt(0);
        }
        disk.prune();
        Ok(disk)
    }

    fn find(&mut self) -> io::Result<()> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            names.extend(entry?.file_name().to_str().and_then(Name::parse));
        }
        names.sort_unstable();
        // Where it cannot be made now (a full disk), the first append makes it.
        let (file, bounds) = match BoundsFile::open(&self.directory) {
            Ok((file, bounds)) => (Some(file), bounds),
            Err(_) => (None, None),
        };
        if bounds.is_none() && !names.is_empty() {
            warn!(
                destination = self.destination,
                directory = %self.directory.display(),
                "the buffer's bounds are unreadable: what is missing at its ends is not counted"
            );
        }
        self.bounds_file = file;
        // Below the first, a removal was cut short.
        let first = bounds.map_or(0, |bounds| bounds.first);
        for name in names.iter().filter(|name| name.number < first) {
            let _ = fs::remove_file(self.path(*name));
        }
        let mut walk = Walk {
            expected: bounds.map(|bounds| bounds.base),
            gaps: Vec::new(),
            base: bounds.map_or(0, |bounds| bounds.base),
        };
        for name in names.into_iter().filter(|name| name.number >= first) {
            let segment = self.walk(name, &mut walk)?;
            self.segments.push_back(segment);
        }
        let written = bounds.map_or(0, |bounds| bounds.written);
        let newest = self.segments.back().map(|segment| segment.name);
        let at = newest.unwrap_or(Name { number: first.max(1), marker: 0 });
        self.expect(written, &mut walk, at)?;
        let after = walk.expected.unwrap_or_default();
        let front = self.segments.front().map(|segment| segment.name.number);
        self.bounds = Bounds {
            first: front.unwrap_or(first).max(1),
            base: walk.base,
            written: written.max(after),
        };
        if self.segments.is_empty() {
            self.bounds.base = self.bounds.written;
        }
        if bounds != Some(self.bounds)
            && let Some(file) = &mut self.bounds_file
        {
            // If it cannot be written, the next start finds it as this one did.
            let _ = file.write(self.bounds);
        }
        self.say_found(&walk.gaps);
        Ok(())
    }

    fn say_found(&self, gaps: &[(Name, u64)]) {
        let waiting = self.waiting();
        let lost: u64 = gaps.iter().map(|(_, records)| records).sum();
        self.stats.adopt(waiting + lost);
        for (name, records) in gaps {
            self.say_lost(*name, *records);
        }
        if waiting > 0 {
            let destination = &self.destination;
            info!(destination, records = waiting, bytes = self.bytes(), "buffer taken over");
        }
    }

    /// Walks one segment.
    fn walk(&mut self, name: Name, walk: &mut Walk) -> io::Result<Segment> {
        let file = OpenOptions::new().read(true).write(true).open(self.path(name))?;
        let mut bytes = file.metadata()?.len();
        let (mut cursor, mut left) = (Cursor::default(), 0);
        while let Some(found) = self.next_readable(&file, name, cursor, &mut bytes)? {
            let before = found.header.before;
            let gap = before.saturating_sub(walk.expected.unwrap_or(before));
            if gap > 0 && found.offset >= cursor.at() + HEADER as u64 {
                bury(&file, name, cursor.at(), found.offset, before - gap, gap);
                walk.gaps.push((name, gap));
            } else {
                self.expect(before, walk, name)?;
            }
            walk.expected = walk.expected.max(Some(found.header.after()));
            left += if found.done { 0 } else { u64::from(found.header.records) };
            cursor = Cursor::within(&found);
        }
        let after = walk.expected.unwrap_or_default();
        Ok(Segment {
            name,
            bytes,
            left,
            after,
            cursor: Cursor::default(),
            out: 0,
            taken: left == 0,
            file: None,
        })
    }

    /// The next frame in the first `bytes` of a segment. Where the disk cannot read it, the segment ends
    /// before: one bad place costs what is behind it there, and neither the other segments nor the start.
    pub(super) fn next_readable(
        &self,
        segment: &impl ReadAt,
        name: Name,
        cursor: Cursor,
        bytes: &mut u64,
    ) -> io::Result<Option<Found>> {
        match segment::next(segment, name.marker, cursor, *bytes) {
            Err(error) if is_unreadable(&error) => {
                let (destination, segment) = (&self.destination, self.path(name));
                error!(destination, segment = %segment.display(), %error, "part of the buffer is unreadable");
                *bytes = cursor.at();
                Ok(None)
            }
            next => next,
        }
    }

    /// Notes what is missing between the last frame that was found and the record number `before`: at
    /// the end of the newest segment known, or of those that are gone.
    fn expect(&mut self, before: u64, walk: &mut Walk, at: Name) -> io::Result<()> {
        let expected = walk.expected.unwrap_or(before);
        let gap = before.saturating_sub(expected);
        walk.expected = Some(expected.max(before));
        if gap == 0 {
            return Ok(());
        }
        let Some(newest) = self.segments.back_mut() else {
            walk.gaps.push((at, gap));
            walk.base = before;
            return Ok(());
        };
        walk.gaps.push((newest.name, gap));
        newest.after = before;
        let path = self.directory.join(newest.name.text());
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let mut cursor = Cursor::default();
        while let Some(found) = segment::next(&file, newest.name.marker, cursor, newest.bytes)? {
            cursor = Cursor::within(&found);
        }
        let cursor = cursor.at();
        let end = newest.bytes.max(cursor + HEADER as u64);
        if bury(&file, newest.name, cursor, end, expected, gap) {
            newest.bytes = end;
        }
        Ok(())
    }
}
