//! What a File is known by: hashes of its first bytes, of the last ones that were read, and of some
//! between. They are made of the very bytes that are handed over: a second read may be of another
//! generation, if the file is truncated in between, and that would be taken for this one from then on.

use std::io;

use pillion_parsers::frame::{Encoding, Span};

use super::{MAX_TAILS, Piece, Reader, Step};
use crate::budget::Permit;
use crate::checkpoint::snapshot::{Prefix, TailHash};
use crate::pipeline::chunk::Ending;
use crate::tail::handle::Handle;
use crate::tail::identity::{hash_middle, middle_of, read_at_most};

const TAIL: usize = TailHash::MAX as usize;

/// The last bytes before an offset, as many as a hash covers, read again and found to be the same.
pub(super) struct Before {
    bytes: [u8; TAIL],
    len: usize,
}

impl Before {
    /// As many bytes as a hash covers, of these and then of `bytes`, which follow them.
    fn and<'b>(&self, bytes: &'b [u8], joined: &'b mut [u8; TAIL]) -> &'b [u8] {
        if let Some((_, last)) = bytes.split_last_chunk::<TAIL>() {
            return last;
        }
        let before = self.bytes.get(..self.len).unwrap_or_default();
        let before = before.get((self.len + bytes.len()).saturating_sub(TAIL)..);
        let all = before.unwrap_or_default().iter().chain(bytes);
        let len = joined.iter_mut().zip(all).map(|(to, from)| *to = *from).count();
        joined.get(..len).unwrap_or_default()
    }
}

impl Reader {
    /// Reads up to `want` bytes at the offset, and those before it again; `None` when those have changed.
    pub(super) fn read_checked(
        &mut self,
        file: &Handle,
        want: usize,
    ) -> io::Result<Option<(Before, Vec<u8>)>> {
        let mut before = Before { bytes: [0; TAIL], len: usize::from(self.tail.len).min(TAIL) };
        let mut bytes = vec![0; want];
        let at = self.offset.saturating_sub(before.len as u64);
        let got = file.read_both(before.bytes.split_at_mut(before.len).0, &mut bytes, at)?;
        let Some(got) = got.checked_sub(before.len).filter(|_| self.is_before(&before)) else {
            return Ok(None);
        };
        bytes.truncate(got);
        if self.offset == 0 {
            self.encoding = Encoding::of(&bytes);
        }
        Ok(Some((before, bytes)))
    }

    /// Reads the bytes before the offset again; `None` when they have changed.
    pub(super) fn read_before(&self, file: &Handle) -> io::Result<Option<Before>> {
        let mut before = Before { bytes: [0; TAIL], len: usize::from(self.tail.len).min(TAIL) };
        let at = self.offset.saturating_sub(before.len as u64);
        let got = read_at_most(file, before.bytes.split_at_mut(before.len).0, at)?;
        Ok((got == before.len && self.is_before(&before)).then_some(before))
    }

    fn is_before(&self, before: &Before) -> bool {
        let bytes = before.bytes.get(..before.len).unwrap_or_default();
        before.len == 0 || TailHash::of(self.offset, bytes) == self.tail
    }

    /// Moves on to `end`, and gives out the bytes read.
    pub(super) fn hand_over(
        &mut self,
        file: &Handle,
        end: u64,
        (before, bytes): (Before, Vec<u8>),
        ending: Ending,
        permit: Permit,
    ) -> io::Result<Step> {
        let span = Span { start: self.offset, end };
        let tail = if span.len() == bytes.len() as u64 {
            TailHash::of(end, before.and(&bytes, &mut [0; TAIL]))
        } else {
            match self.tail_beyond(file, end, &bytes)? {
                Some(tail) => tail,
                None => return Ok(self.replaced()),
            }
        };
        self.pass(file, &before, &bytes, tail);
        Ok(Step::Lines(Piece { span, bytes, ending, encoding: self.encoding, permit }))
    }

    /// Of the bytes before `end`, of which only the first ones were read; none if these are not there any
    /// more: what is before `end` may be another's then.
    fn tail_beyond(&self, file: &Handle, end: u64, first: &[u8]) -> io::Result<Option<TailHash>> {
        let tail = TailHash::read(file, end)?;
        let whole = u64::from(tail.len) == end.min(u64::from(TailHash::MAX));
        let same = match self.offset {
            0 => Prefix::of(first).fits(file)?,
            _ => self.tail.fits(file)?,
        };
        Ok((whole && same).then_some(tail))
    }

    /// Moves on over zeros.
    pub(super) fn skip_to(&mut self, file: &Handle, before: &Before, end: u64) -> Step {
        let span = Span { start: self.offset, end };
        let zeros = [0; Prefix::MAX as usize];
        let len = usize::try_from(span.len()).unwrap_or(usize::MAX).min(zeros.len());
        let zeros = zeros.get(..len).unwrap_or_default();
        let tail = TailHash::of(end, before.and(zeros, &mut [0; TAIL]));
        self.pass(file, before, zeros, tail);
        Step::Zeros(span)
    }

    /// Moves on to where a tail ends. `bytes` are what lies at the offset, or the first of it.
    fn pass(&mut self, file: &Handle, before: &Before, bytes: &[u8], tail: TailHash) {
        self.learn_prefix(file, bytes);
        if let Some(place) = middle_of(tail.end).filter(|place| *place > self.offset) {
            let len = usize::try_from(place - self.offset).ok();
            let found = len.and_then(|len| bytes.get(..len));
            self.middle = found.map_or(0, |bytes| hash_middle(before.and(bytes, &mut [0; TAIL])));
        }
        self.offset = tail.end;
        self.verified = self.size;
        self.search_anew();
        self.tail = tail;
        self.push_tail(tail);
        file.release(tail.end);
    }

    /// Learns more of the first bytes from those at the offset. Those before them are read again, and
    /// learned from if they are still there.
    fn learn_prefix(&mut self, file: &Handle, bytes: &[u8]) {
        const MOST: usize = Prefix::MAX as usize;
        let Some(before) = usize::try_from(self.offset).ok().filter(|at| *at < MOST) else {
            return;
        };
        let mut head = [0; MOST];
        let (first, rest) = head.split_at_mut(before);
        // What cannot be read now is learned with a later line, or not at all.
        let read = read_at_most(file, first, 0).is_ok_and(|got| got == first.len());
        let known = first.get(..usize::from(self.prefix.len));
        if read && (self.prefix.len == 0 || known.map(Prefix::of) == Some(self.prefix)) {
            let learned = rest.iter_mut().zip(bytes).map(|(to, from)| *to = *from).count();
            self.prefix = Prefix::of(head.get(..before + learned).unwrap_or_default());
        }
    }

    pub(super) fn push_tail(&mut self, tail: TailHash) {
        if self.tails.len() == MAX_TAILS {
            let mut at = 0;
            self.tails.retain(|_| {
                at += 1;
                at % 2 == 1
            });
        }
        if self.tails.back() != Some(&tail) {
            self.tails.push_back(tail);
        }
    }

    /// The newest hash of bytes that end at or before `safe`; older ones are forgotten.
    pub(in crate::tail) fn tail_before(&mut self, safe: u64) -> TailHash {
        while self.tails.get(1).is_some_and(|next| next.end <= safe) {
            self.tails.pop_front();
        }
        self.tails.front().copied().filter(|tail| tail.end <= safe).unwrap_or_default()
    }

    /// Of the bytes before the offset.
    pub(in crate::tail) fn tail(&self) -> TailHash {
        self.tail
    }

    /// Of some bytes that were read, before the place that [`middle_of`] names; 0 if there is none, or
    /// they were not held.
    pub(in crate::tail) fn middle(&self) -> u64 {
        self.middle
    }

    /// Whether a file, of which so many bytes are there, has the bytes that were read.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub(in crate::tail) fn fits(&self, file: &Handle) -> io::Result<bool> {
        Ok(file.stat()?.0 >= self.offset && self.prefix.fits(file)? && self.tail.fits(file)?)
    }
}

/// Of some bytes of a file that was read up to `offset` before. What is compressed is not decompressed
/// again for it.
pub(super) fn middle_before(file: &Handle, offset: u64) -> io::Result<u64> {
    match middle_of(offset).filter(|_| !file.is_gzip()) {
        Some(place) => Ok(TailHash::read(file, place)?.hash.max(1)),
        None => Ok(0),
    }
}
