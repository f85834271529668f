//! One payload on disk: a header with a checksum of its own, a place to mark it as done, and the bytes.
//!
//! All numbers are little-endian. The header is 64 bytes:
//!
//! | at | what |
//! |---|---|
//! | 0 | the segment's marker |
//! | 8 | records ever written before this frame |
//! | 16 | records in it |
//! | 20 | bytes of ids |
//! | 24 | bytes of body |
//! | 28 | version of this layout |
//! | 32 | bytes of the body before compression |
//! | 40 | checksum of ids and body |
//! | 48 | checksum of all the above |
//! | 56 | zero, or the mark that says: done with |
//!
//! The marker is random, differs from segment to segment and stands in the file's name: where a
//! header is damaged, the next frame is found by it, and nobody who writes log lines can make one that
//! would be taken for a frame. The mark is a checksum as well: a flipped bit never makes one.

use bytes::Bytes;
use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

use crate::export::payload::Payload;

/// Bytes of a header.
pub(super) const HEADER: usize = 64;

/// Where in a header the mark is, and how long it is.
const MARK: std::ops::Range<usize> = 56..64;

/// The version of the layout that this program writes, and the only one that it reads.
const VERSION: u32 = 1;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Records ever written to the buffer before this frame.
    pub(super) before: u64,
    /// Records in it.
    pub(super) records: u32,
    /// Bytes of [`Payload::ids`].
    pub(super) ids: u32,
    /// Bytes of [`Payload::body`].
    pub(super) body: u32,
    /// [`Payload::plain_bytes`].
    pub(super) plain: u64,
    /// The checksum of ids and body.
    pub(super) sum: u64,
}

impl Header {
    /// The header of a payload's frame; `None` if it is too large for one.
    pub(super) fn of(payload: &Payload, before: u64) -> Option<Self> {
        Some(Self {
            before,
            records: payload.records,
            ids: u32::try_from(payload.ids.len()).ok()?,
            body: u32::try_from(payload.body.len()).ok()?,
            plain: payload.plain_bytes as u64,
            sum: sum(&payload.ids, &payload.body, before),
        })
    }

    /// Bytes of the whole frame.
    pub(super) fn frame(&self) -> u64 {
        HEADER as u64 + self.content() as u64
    }

    /// Bytes of ids and body.
    pub(super) fn content(&self) -> usize {
        self.ids as usize + self.body as usize
    }

    /// Records ever written up to and with this frame.
    pub(super) fn after(&self) -> u64 {
        self.before.saturating_add(u64::from(self.records))
    }

    /// As it is written, not done.
    pub(super) fn encode(&self, marker: u64) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let fields: [&[u8]; 8] = [
            &marker.to_le_bytes(),
            &self.before.to_le_bytes(),
            &self.records.to_le_bytes(),
            &self.ids.to_le_bytes(),
            &self.body.to_le_bytes(),
            &VERSION.to_le_bytes(),
            &self.plain.to_le_bytes(),
            &self.sum.to_le_bytes(),
        ];
        let fields = fields.concat();
        let own = xxh3_64_with_seed(&fields, marker).to_le_bytes();
        for (to, from) in bytes.iter_mut().zip(fields.iter().chain(&own)) {
            *to = *from;
        }
        bytes
    }

    /// A header, and whether its frame is done; `None` for what is none, whole and of this segment.
    pub(super) fn decode(bytes: &[u8; HEADER], marker: u64) -> Option<(Self, bool)> {
        let header = Self {
            before: u64_at(bytes, 8)?,
            records: u32_at(bytes, 16)?,
            ids: u32_at(bytes, 20)?,
            body: u32_at(bytes, 24)?,
            plain: u64_at(bytes, 32)?,
            sum: u64_at(bytes, 40)?,
        };
        // Whatever is not as it would be written now is not believed.
        let unmarked = MARK.start;
        let good = bytes.get(..unmarked)? == header.encode(marker).get(..unmarked)?;
        good.then(|| (header, bytes.get(MARK) == Some(&header.mark(marker))))
    }

    /// What is written over the zeros at [`Header::mark_at`] once the frame is done with.
    pub(super) fn mark(&self, marker: u64) -> [u8; 8] {
        let encoded = self.encode(marker);
        // Never all zero, which would mean the contrary.
        (xxh3_64_with_seed(&encoded, !marker) | 1).to_le_bytes()
    }

    /// Where the mark of a frame at `offset` is.
    pub(super) fn mark_at(offset: u64) -> u64 {
        offset + MARK.start as u64
    }

    /// The payload, if `content` is what was written.
    pub(super) fn payload(&self, content: Vec<u8>) -> Option<Payload> {
        let mut body = Bytes::from(content);
        if body.len() != self.content() {
            return None;
        }
        let ids = body.split_to(self.ids as usize);
        let plain_bytes = usize::try_from(self.plain).ok()?;
        let whole = sum(&ids, &body, self.before) == self.sum;
        whole.then_some(Payload { body, plain_bytes, records: self.records, ids })
    }
}

/// Of ids and body, for a place: a frame copied elsewhere is not taken for the one that was there.
fn sum(ids: &[u8], body: &[u8], before: u64) -> u64 {
    let mut hash = Xxh3::with_seed(before);
    hash.update(ids);
    hash.update(body);
    hash.digest()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The number at an offset; `None` past the end.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_flipped_bit_of_a_header_is_noticed_and_none_makes_it_done() {
        let payload = Payload {
            body: Bytes::from_static(b"body"),
            plain_bytes: 9,
            records: 3,
            ids: Bytes::from_static(b"ids"),
        };
        let header = Header::of(&payload, 7).expect("small");
        let good = header.encode(11);
        assert_eq!(Header::decode(&good, 11), Some((header, false)));
        assert_eq!(Header::decode(&good, 12), None, "of another segment");
        let mut done = good;
        done[MARK].copy_from_slice(&header.mark(11));
        assert_eq!(Header::decode(&done, 11), Some((header, true)));
        for bit in 0..HEADER * 8 {
            for (bytes, may_be) in [(good, Some((header, false))), (done, Some((header, false)))] {
                let mut flipped = bytes;
                flipped[bit / 8] ^= 1 << (bit % 8);
                let expect = if MARK.contains(&(bit / 8)) { may_be } else { None };
                assert_eq!(Header::decode(&flipped, 11), expect, "bit {bit}");
            }
        }
    }
}
