//! Zeros where a line should begin: what a writer that did not open its file for appending leaves
//! before its next line when the file was truncated under it. They are skipped, holes without being
//! read, once something follows them. Zeros at the end may be a preallocated file's: they wait.

use std::io;

use pillion_parsers::frame::Encoding;

use super::{Limits, Reader, SEARCH_READS, Step};
use crate::tail::handle::Handle;
use crate::tail::identity::read_at_most;

/// Whether the first character is a zero: both bytes of it in UTF-16, where letters have zero halves.
pub(super) fn begins_with_zero(encoding: Encoding, bytes: &[u8]) -> bool {
    bytes.get(..encoding.unit()).is_some_and(|unit| unit.iter().all(|byte| *byte == 0))
}

/// Where the first line begins that begins with a zero, the first line left aside. `bytes` begin at
/// the offset `start`.
pub(super) fn line_of_zeros(encoding: Encoding, start: u64, bytes: &[u8]) -> Option<usize> {
    if encoding == Encoding::Utf8 {
        return memchr::memchr_iter(0, bytes)
            .find(|&at| at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'\n'));
    }
    encoding
        .line_ends(start, bytes)
        .find(|end| begins_with_zero(encoding, bytes.get(*end..).unwrap_or_default()))
}

impl Reader {
    /// Goes on over zeros that begin at the offset.
    pub(super) fn zeros_in(
        &mut self,
        file: &Handle,
        size: u64,
        limits: &mut Limits<'_>,
    ) -> io::Result<Step> {
        let mut first = [0; 2];
        let unit = first.get_mut(..self.encoding.unit()).unwrap_or_default();
        if read_at_most(file, unit, self.offset)? == 0 || unit.iter().any(|byte| *byte != 0) {
            // Filled in meanwhile.
            self.zeros = self.offset;
            return Ok(Step::More);
        }
        let mut at = self.zeros.max(self.offset);
        for _ in 0..SEARCH_READS {
            at = file.past_hole(at).min(size);
            let want = usize::try_from(size - at).unwrap_or(usize::MAX).min(limits.search.len());
            let got = read_at_most(file, limits.search.get_mut(..want).unwrap_or_default(), at)?;
            if got == 0 {
                self.zeros = at;
                return Ok(Step::Nothing);
            }
            let bytes = limits.search.get(..got).unwrap_or_default();
            let Some(text) = bytes.iter().position(|byte| *byte != 0) else {
                at += got as u64;
                continue;
            };
            let end = self.encoding.floor(at + text as u64).max(self.offset);
            let before = self.read_before(file)?;
            return Ok(match before {
                Some(before) => self.skip_to(file, &before, end),
                None => self.replaced(),
            });
        }
        self.zeros = at;
        Ok(Step::More)
    }
}
