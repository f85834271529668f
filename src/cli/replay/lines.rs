//! Cuts what is read of a log into runs of whole lines, in bounded memory whatever the log holds.

use std::io::{self, Read};

use pillion_parsers::frame::Encoding;

use crate::pipeline::replay::Replay;

/// Bytes read at a time.
pub(super) const READ: usize = 128 * 1024;

/// What a log's lines are for. What comes of them is appended to `out`.
pub(in crate::cli) trait TakesLines {
    /// Takes whole lines, terminators included.
    fn push(&mut self, lines: &[u8], out: &mut Vec<u8>);
    /// Takes a last line that has no terminator.
    fn push_partial(&mut self, line: &[u8], out: &mut Vec<u8>);
    /// Takes the beginning of a line that was too long, of `length` bytes in all.
    fn push_cut(&mut self, beginning: &[u8], length: u64, out: &mut Vec<u8>);
    /// What comes next is the beginning of another File.
    fn next_file(&mut self);
    /// Ends a record that is held open.
    fn flush(&mut self, out: &mut Vec<u8>);
}

impl TakesLines for Replay {
    fn push(&mut self, lines: &[u8], out: &mut Vec<u8>) {
        Self::push(self, lines, out);
    }

    fn push_partial(&mut self, line: &[u8], out: &mut Vec<u8>) {
        Self::push_partial(self, line, out);
    }

    fn push_cut(&mut self, beginning: &[u8], length: u64, out: &mut Vec<u8>) {
        Self::push_cut(self, beginning, length, out);
    }

    fn next_file(&mut self) {
        Self::next_file(self);
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        Self::flush(self, out);
    }
}

/// A replay, or another use of lines, that is fed bytes as they come. A last line without an end is held
/// until its end comes; of one longer than `max_record`, only the beginning.
pub(in crate::cli) struct Feed<T = Replay> {
    taker: T,
    max_record: usize,
    /// How the file's text is encoded; `None` until its first two bytes came.
    encoding: Option<Encoding>,
    /// The first of them, or half a character of UTF-16: read with what follows.
    half: Vec<u8>,
    held: Vec<u8>,
    /// Bytes so far of a line whose end is left out.
    skipped: Option<u64>,
}

impl<T: TakesLines> Feed<T> {
    pub(in crate::cli) fn new(taker: T, max_record: usize) -> Self {
        let (half, held) = (Vec::new(), Vec::new());
        Self { taker, max_record, encoding: None, half, held, skipped: None }
    }

    /// Takes the next bytes; appends the Records that end in them to `out`.
    pub(super) fn take(&mut self, read: &[u8], out: &mut Vec<u8>) {
        if self.encoding == Some(Encoding::Utf8) {
            return self.take_whole(read, Encoding::Utf8, out);
        }
        let mut bytes = std::mem::take(&mut self.half);
        bytes.extend_from_slice(read);
        if self.encoding.is_none() && bytes.len() >= 2 {
            self.encoding = Some(Encoding::of(&bytes));
        }
        let whole = self.encoding.map_or(0, |it| bytes.len() - bytes.len() % it.unit());
        self.half = bytes.split_off(whole);
        self.take_whole(&bytes, self.encoding.unwrap_or_default(), out);
    }

    /// Takes characters that are whole, as all before them were.
    fn take_whole(&mut self, mut read: &[u8], encoding: Encoding, out: &mut Vec<u8>) {
        if let Some(length) = self.skipped {
            let Some(end) = encoding.first_line_end(0, read) else {
                self.skipped = Some(length + read.len() as u64);
                return;
            };
            self.taker.push_cut(&self.held, length + end as u64, out);
            self.held.clear();
            self.skipped = None;
            read = read.get(end..).unwrap_or_default();
        }
        self.held.extend_from_slice(read);
        if let Some(end) = encoding.last_line_end(0, &self.held) {
            self.taker.push(self.held.get(..end).unwrap_or_default(), out);
            self.held.drain(..end);
        }
        if self.held.len() > self.max_record {
            self.skipped = Some(self.held.len() as u64);
            self.held.truncate(self.max_record);
            self.held.truncate(encoding.whole_characters(0, &self.held));
        }
    }

    /// The file ends here: so does its last line. Another may begin.
    pub(super) fn end_file(&mut self, out: &mut Vec<u8>) {
        match self.skipped.take() {
            Some(length) => self.taker.push_cut(&self.held, length + self.half.len() as u64, out),
            None => {
                self.held.append(&mut self.half);
                if !self.held.is_empty() {
                    self.taker.push_partial(&self.held, out);
                }
            }
        }
        self.held.clear();
        self.half.clear();
        self.encoding = None;
        self.taker.next_file();
    }

    /// Bytes of the line that is held.
    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        self.held.len()
    }

    /// Ends a record that a joiner holds open; an unfinished line stays.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) {
        self.taker.flush(out);
    }
}

/// Feeds all of `input`, and gives the Records that come of it to `write`, one run of lines at a time.
pub(in crate::cli) fn replay(
    mut input: impl Read,
    feed: &mut Feed<impl TakesLines>,
    write: &mut impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = Vec::new();
    let mut chunk = vec![0; READ];
    loop {
        let count = match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        feed.take(chunk.get(..count).unwrap_or_default(), &mut out);
        write(&out)?;
        out.clear();
    }
    feed.end_file(&mut out);
    feed.flush(&mut out);
    write(&out)
}
