//! A segment: a file of frames, one after the other, and how it is walked when some are damaged.
//!
//! A frame whose header is good is stepped over by its length. Where that does not lead to another good
//! header, the next marker is looked for, so that no good frame is lost behind a bad one.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use memchr::memmem;

use super::frame::{HEADER, Header};

/// Bytes looked through at a time for a marker.
const WINDOW: usize = 64 << 10;

/// A segment's name: its place in the sequence, and the marker of its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    /// Counted up from 1.
    pub(super) number: u64,
    /// What its frames begin with.
    pub(super) marker: u64,
}

impl Name {
    /// The file's name.
    pub(super) fn text(self) -> String {
        format!("{:016x}-{:016x}.segment", self.number, self.marker)
    }

    /// From a file's name; `None` for a file that is no segment.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (number, marker) = text.strip_suffix(".segment")?.split_once('-')?;
        let hex = |text| u64::from_str_radix(text, 16).ok();
        let name = Self { number: hex(number)?, marker: hex(marker)? };
        (name.text() == text).then_some(name)
    }
}

/// Where bytes are read from: a file, or in tests bytes.
pub(super) trait ReadAt {
    /// Reads what is there, up to the length of `into`; fewer bytes only at the end.
    fn fill_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl ReadAt for File {
    fn fill_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match FileExt::read_at(self, rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

/// A frame with a good header that ends within its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Where it begins.
    pub(super) offset: u64,
    /// What its header says.
    pub(super) header: Header,
    /// Whether it is done with.
    pub(super) done: bool,
}

impl Found {
    /// Where the next one begins.
    pub(super) fn end(&self) -> u64 {
        self.offset + self.header.frame()
    }
}

/// Where the next frame is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Where it should begin.
    at: u64,
    /// From where it is looked for if none begins there, or not the one that should.
    from: u64,
    /// Records ever written before it, where that has to tell whether it is the next.
    before: Option<u64>,
}

impl Cursor {
    /// Behind a frame whose content is as it was written.
    pub(super) fn behind(found: &Found) -> Self {
        Self { at: found.end(), from: found.end(), before: None }
    }

    /// Behind a frame whose content is not what it should be: bytes may have been put in or taken out,
    /// so that the next one begins earlier than its length says, where another one may begin by chance.
    pub(super) fn inside(found: &Found) -> Self {
        let at = found.offset + HEADER as u64;
        Self { at, from: at, before: None }
    }

    /// Behind a frame whose content was not looked at, or cannot be. It may not be what was written, and
    /// then the next one may begin within it: its header tells whether it is the next.
    pub(super) fn within(found: &Found) -> Self {
        let from = found.offset + HEADER as u64;
        Self { at: found.end(), from, before: Some(found.header.after()) }
    }

    /// Where the next frame should begin.
    pub(super) fn at(self) -> u64 {
        self.at
    }
}

/// The next frame in the first `end` bytes of a segment. `None` if there is no other.
///
/// # Errors
///
/// When the segment cannot be read.
pub(super) fn next(
    segment: &impl ReadAt,
    marker: u64,
    cursor: Cursor,
    end: u64,
) -> io::Result<Option<Found>> {
    let Cursor { mut at, mut from, before } = cursor;
    if let Some(found) = frame(segment, marker, at, end)? {
        let passed = before.filter(|before| *before < found.header.before);
        let Some(before) = passed else { return Ok(Some(found)) };
        // As many bytes may have been taken out before it as a frame has, which then begins earlier.
        let nearer = next(segment, marker, Cursor { at: from, from, before: None }, at)?;
        let between = |it: &Found| (before..found.header.before).contains(&it.header.before);
        return Ok(nearer.filter(between).or(Some(found)));
    }
    loop {
        if let Some(found) = frame(segment, marker, at, end)? {
            return Ok(Some(found));
        }
        let Some(marked) = find(segment, marker, from, end)? else { return Ok(None) };
        (at, from) = (marked, marked + 1);
    }
}

/// The frame that begins at `offset`, if one does.
fn frame(segment: &impl ReadAt, marker: u64, offset: u64, end: u64) -> io::Result<Option<Found>> {
    let left = end.saturating_sub(offset);
    let mut bytes = [0; HEADER];
    if left < HEADER as u64 || segment.fill_at(&mut bytes, offset)? < HEADER {
        return Ok(None);
    }
    let header = Header::decode(&bytes, marker).filter(|(header, _)| header.frame() <= left);
    Ok(header.map(|(header, done)| Found { offset, header, done }))
}

/// Where the marker is next.
fn find(segment: &impl ReadAt, marker: u64, from: u64, end: u64) -> io::Result<Option<u64>> {
    let marker = marker.to_le_bytes();
    let mut window = vec![0; WINDOW];
    let mut at = from;
    while at < end {
        let read = segment.fill_at(&mut window, at)?;
        let seen = window.get(..read).unwrap_or_default();
        if let Some(found) = memmem::find(seen, &marker) {
            return Ok(Some(at + found as u64));
        }
        if read < WINDOW {
            return Ok(None);
        }
        // A marker may lie across the border.
        at += (read - marker.len() + 1) as u64;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::export::payload::Payload;

    impl ReadAt for [u8] {
        fn fill_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
            let from = self.get(usize::try_from(offset).expect("small")..).unwrap_or_default();
            let read = from.len().min(into.len());
            into[..read].copy_from_slice(&from[..read]);
            Ok(read)
        }
    }

    struct Bytes8(Vec<u8>);

    impl ReadAt for Bytes8 {
        fn fill_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
            ReadAt::fill_at(self.0.as_slice(), into, offset)
        }
    }

    const MARKER: u64 = 0x0123_4567_89ab_cdef;

    fn payload(number: u8, bytes: usize) -> Payload {
        let body: Vec<u8> = (0..bytes).map(|at| number.wrapping_add(at as u8)).collect();
        let ids = Bytes::from(vec![number; usize::from(number % 3)]);
        Payload { body: body.into(), plain_bytes: bytes * 3, records: 1 + u32::from(number), ids }
    }

    /// A segment, with the end of each frame.
    fn segment(payloads: &[Payload]) -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut ends, mut before) = (Vec::new(), Vec::new(), 0);
        for payload in payloads {
            let header = Header::of(payload, before).expect("small");
            bytes.extend(header.encode(MARKER));
            bytes.extend_from_slice(&payload.ids);
            bytes.extend_from_slice(&payload.body);
            ends.push(bytes.len());
            before = header.after();
        }
        (bytes, ends)
    }

    /// The payloads that can be read, each with the records before it.
    fn read(bytes: &[u8]) -> Vec<(u64, Payload)> {
        let source = Bytes8(bytes.to_vec());
        let (mut found, mut cursor) = (Vec::new(), Cursor::default());
        let mut last = None;
        while let Some(frame) =
            next(&source, MARKER, cursor, bytes.len() as u64).expect("bytes are readable")
        {
            assert!(last < Some(frame.offset), "it goes on");
            last = Some(frame.offset);
            let content = frame.offset as usize + HEADER..frame.end() as usize;
            let payload = frame.header.payload(bytes[content].to_vec());
            cursor =
                if payload.is_some() { Cursor::behind(&frame) } else { Cursor::inside(&frame) };
            found.extend(payload.map(|payload| (frame.header.before, payload)));
        }
        found
    }

    fn same(one: &Payload, other: &Payload) -> bool {
        one.body == other.body
            && one.ids == other.ids
            && (one.records, one.plain_bytes) == (other.records, other.plain_bytes)
    }

    /// Every frame that `damaged` does not name is read, unaltered, and nothing else.
    fn check(bytes: &[u8], payloads: &[Payload], damaged: impl Fn(usize) -> bool) {
        let read = read(bytes);
        let mut before = 0;
        let mut expected = Vec::new();
        for (at, payload) in payloads.iter().enumerate() {
            if !damaged(at) {
                expected.push((before, payload));
            }
            before += u64::from(payload.records);
        }
        assert_eq!(
            read.len(),
            expected.len(),
            "{:?}",
            read.iter().map(|(at, _)| at).collect::<Vec<_>>()
        );
        for ((at, got), (before, expected)) in read.iter().zip(expected) {
            assert!(*at == before && same(got, expected), "the frame after {before} is another");
        }
    }

    fn payloads() -> impl Strategy<Value = Vec<Payload>> {
        proptest::collection::vec((any::<u8>(), 0_usize..300), 1..12)
            .prop_map(|all| all.into_iter().map(|(number, bytes)| payload(number, bytes)).collect())
    }

    fn frame_of(ends: &[usize], at: usize) -> usize {
        ends.iter().filter(|end| **end <= at).count()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn s31_a_changed_byte_costs_its_own_frame_at_the_most(
            payloads in payloads(), at in any::<proptest::sample::Index>(), change in 1_u8..,
        ) {
            let (mut bytes, ends) = segment(&payloads);
            let at = at.index(bytes.len());
            bytes[at] ^= change;
            let begin = frame_of(&ends, at).checked_sub(1).map_or(0, |before| ends[before]);
            // In the place for the mark it changes nothing: the frame is sent again at the worst.
            let mark = (begin + 56..begin + 64).contains(&at);
            check(&bytes, &payloads, |frame| !mark && frame == frame_of(&ends, at));
        }

        #[test]
        fn s31_a_cut_costs_what_was_cut_and_no_half_frame_is_taken_for_a_whole_one(
            payloads in payloads(), at in any::<proptest::sample::Index>(),
        ) {
            let (bytes, ends) = segment(&payloads);
            let at = at.index(bytes.len());
            check(&bytes[..at], &payloads, |frame| ends[frame] > at);
        }

        #[test]
        fn s31_bytes_put_in_or_taken_out_cost_the_frames_they_touch(
            payloads in payloads(),
            at in any::<proptest::sample::Index>(),
            other in any::<proptest::sample::Index>(),
            noise in proptest::collection::vec(any::<u8>(), 1..200),
        ) {
            let (bytes, ends) = segment(&payloads);
            let (at, other) = (at.index(bytes.len()), other.index(bytes.len()));
            let (from, to) = (at.min(other), at.max(other));
            let mut changed = bytes.clone();
            changed.splice(from..to, noise);
            let begin = |frame: usize| if frame == 0 { 0 } else { ends[frame - 1] };
            // A zero put in where zeros stand leaves a frame as it was, and so does what is put at the
            // border of two, or into the place for the mark.
            let is_at = |frame: usize, place: Option<usize>| {
                let written = &bytes[begin(frame)..ends[frame]];
                let found = place.and_then(|place| changed.get(place..place + written.len()));
                found.is_some_and(|found| found[..56] == written[..56] && found[64..] == written[64..])
            };
            let moved = |place: usize| (place + changed.len()).checked_sub(bytes.len());
            check(&changed, &payloads, |frame| {
                let touched = begin(frame) < to.max(from + 1) && ends[frame] > from;
                touched && !is_at(frame, Some(begin(frame))) && !is_at(frame, moved(begin(frame)))
            });
        }

        #[test]
        fn anything_at_all_is_walked_to_its_end(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert!(read(&bytes).is_empty());
        }
    }

    #[test]
    fn a_marker_far_away_or_across_the_border_of_two_windows_is_found() {
        let (frame, _) = segment(&[payload(1, 10)]);
        for gap in [WINDOW - 8, WINDOW - 7, WINDOW - 1, WINDOW, WINDOW + 1, 3 * WINDOW - 4] {
            let bytes = [vec![7; gap], frame.clone()].concat();
            assert_eq!(read(&bytes).len(), 1, "{gap}");
        }
    }

    #[test]
    fn only_names_that_it_would_write_are_segments() {
        let name = Name { number: 12, marker: u64::MAX };
        assert_eq!(Name::parse(&name.text()), Some(name));
        for text in ["", "bounds", "12-34.segment", &format!("{}~", name.text())] {
            assert_eq!(Name::parse(text), None, "{text}");
        }
    }
}
