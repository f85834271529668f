//! Lines longer than a chunk, and last lines without an end: searched piecewise, read once it is
//! known how long they are.

use std::io;

use super::{Limits, Reader, SEARCH_READS, Step, or_more};
use crate::pipeline::chunk::Ending;
use crate::tail::handle::Handle;
use crate::tail::identity::read_at_most;

impl Reader {
    /// Goes on searching for the end of the line at the offset.
    pub(super) fn search(
        &mut self,
        file: &Handle,
        size: u64,
        limits: &mut Limits<'_>,
    ) -> io::Result<Step> {
        for _ in 0..SEARCH_READS {
            // No newline is in a hole, however large.
            let from = file.past_hole(self.blank.max(self.searched)).min(size);
            let from = self.encoding.floor(from);
            let left = usize::try_from(size - from).unwrap_or(usize::MAX);
            let want = left.min(limits.search.len());
            let buffer = limits.search.get_mut(..want).unwrap_or_default();
            let got = read_at_most(file, buffer, from)?;
            let bytes = limits.search.get(..got).unwrap_or_default();
            if let Some(end) = self.encoding.first_line_end(from, bytes) {
                let end = from + end as u64;
                // Left at the newline: without budget now, it is found again at once.
                self.searched = end - self.encoding.unit() as u64;
                self.blank = self.searched;
                return self.long_line(file, end, limits);
            }
            self.no_newline_in(from, bytes);
            if self.blank <= from {
                return Ok(Step::Nothing);
            }
        }
        Ok(if self.blank < size { Step::More } else { Step::Nothing })
    }

    /// Notes that no line ends in these bytes, which begin at the offset `from`. Half a character at
    /// their end is looked at again with its other half.
    pub(super) fn no_newline_in(&mut self, from: u64, bytes: &[u8]) {
        self.blank = self.encoding.floor(from + bytes.len() as u64);
        if let Some(last) = bytes.iter().rposition(|byte| *byte != 0) {
            let character = self.encoding.floor(from + last as u64);
            self.searched = (character + self.encoding.unit() as u64).min(self.blank);
        }
    }

    /// Reads the line that ends at `end`, or the beginning of it.
    fn long_line(&mut self, file: &Handle, end: u64, limits: &mut Limits<'_>) -> io::Result<Step> {
        let len = usize::try_from(end - self.offset).unwrap_or(usize::MAX);
        if len <= limits.chunk {
            // Short enough to be read together with what follows it.
            self.search_anew();
            return self.step_in(file, limits);
        }
        if len - self.encoding.unit() > limits.max_record {
            return self.cut(file, end, limits);
        }
        let Some(permit) = (limits.claim)(len) else { return Ok(Step::Refused) };
        let Some((before, bytes)) = self.read_checked(file, len)? else {
            return Ok(self.replaced());
        };
        if self.encoding.last_line_end(self.offset, &bytes) != Some(len) {
            // Rewritten since it was searched.
            self.search_anew();
            return Ok(Step::More);
        }
        self.hand_over(file, end, (before, bytes), Ending::Newline, permit)
    }

    /// Reads the first `max_record` bytes of a line that ends at `end`.
    fn cut(&mut self, file: &Handle, end: u64, limits: &mut Limits<'_>) -> io::Result<Step> {
        let Some(permit) = (limits.claim)(limits.max_record) else { return Ok(Step::Refused) };
        let Some((before, mut bytes)) = self.read_checked(file, limits.max_record)? else {
            return Ok(self.replaced());
        };
        bytes.truncate(self.encoding.whole_characters(self.offset, &bytes));
        self.hand_over(file, end, (before, bytes), Ending::Cut, permit)
    }

    /// Reads what is left without a newline, when there will be none: to be called when [`Self::step`]
    /// says there is nothing. Zeros at the end stay.
    ///
    /// # Errors
    ///
    /// What the system said.
    pub(in crate::tail) fn last(&mut self, limits: &mut Limits<'_>) -> io::Result<Step> {
        let Some(file) = self.file.take() else { return Ok(Step::Nothing) };
        let blank = self.blank;
        file.allow_a_step();
        let step = or_more(self.last_in(&file, limits));
        if matches!(step, Ok(Step::Lines(_))) {
            // What follows is known to be zeros.
            self.zeros = blank.max(self.offset);
        }
        self.file = Some(file);
        step
    }

    fn last_in(&mut self, file: &Handle, limits: &mut Limits<'_>) -> io::Result<Step> {
        let end = self.end().min(limits.until);
        if end <= self.offset {
            return Ok(Step::Nothing);
        }
        let len = usize::try_from(end - self.offset).unwrap_or(usize::MAX);
        if len > limits.max_record.max(limits.chunk) {
            return self.cut(file, end, limits);
        }
        let Some(permit) = (limits.claim)(len) else { return Ok(Step::Refused) };
        let Some((before, bytes)) = self.read_checked(file, len)? else {
            return Ok(self.replaced());
        };
        if bytes.is_empty() {
            return Ok(Step::Nothing);
        }
        let end = self.offset + bytes.len() as u64;
        self.hand_over(file, end, (before, bytes), Ending::Partial, permit)
    }
}
