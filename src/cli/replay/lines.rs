//! Cuts what is read of a log into runs of whole lines, in bounded memory whatever the log holds.

use std::io::{self, Read};

use memchr::{memchr, memrchr};

use crate::pipeline::replay::Replay;

/// Bytes read at a time.
pub(super) const READ: usize = 128 * 1024;

/// A replay that is fed bytes as they come. A last line without an end is held until its end comes; of
/// one longer than `max_record`, only the beginning.
pub(super) struct Feed {
    replay: Replay,
    max_record: usize,
    held: Vec<u8>,
    /// Bytes so far of a line whose end is left out.
    skipped: Option<u64>,
}

impl Feed {
    pub(super) fn new(replay: Replay, max_record: usize) -> Self {
        Self { replay, max_record, held: Vec::new(), skipped: None }
    }

    /// Takes the next bytes; appends the Records that end in them to `out`.
    pub(super) fn take(&mut self, mut read: &[u8], out: &mut Vec<u8>) {
        if let Some(length) = self.skipped {
            let Some(end) = memchr(b'\n', read) else {
                self.skipped = Some(length + read.len() as u64);
                return;
            };
            self.replay.push_cut(&self.held, length + end as u64 + 1, out);
            self.held.clear();
            self.skipped = None;
            read = read.get(end + 1..).unwrap_or_default();
        }
        self.held.extend_from_slice(read);
        if let Some(end) = memrchr(b'\n', &self.held) {
            self.replay.push(self.held.get(..=end).unwrap_or_default(), out);
            self.held.drain(..=end);
        }
        if self.held.len() > self.max_record {
            self.skipped = Some(self.held.len() as u64);
            self.held.truncate(self.max_record);
        }
    }

    /// The file ends here: so does its last line.
    pub(super) fn end_file(&mut self, out: &mut Vec<u8>) {
        match self.skipped.take() {
            Some(length) => self.replay.push_cut(&self.held, length, out),
            None if !self.held.is_empty() => self.replay.push_partial(&self.held, out),
            None => {}
        }
        self.held.clear();
    }

    /// Bytes of the line that is held.
    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        self.held.len()
    }

    /// Ends a record that a joiner holds open; an unfinished line stays.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) {
        self.replay.flush(out);
    }
}

/// Feeds all of `input`, and gives the Records that come of it to `write`, one run of lines at a time.
pub(super) fn replay(
    mut input: impl Read,
    feed: &mut Feed,
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
