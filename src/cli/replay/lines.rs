//! Reads a log in runs of whole lines, in bounded memory whatever the log holds.

use std::io::{self, Read};

use memchr::{memchr, memrchr};

use crate::pipeline::replay::Replay;

/// Bytes read at a time.
const READ: usize = 128 * 1024;

/// Feeds all of `input` to `replay`, and the Records it gives to `write`, one run of lines at a time.
/// A line longer than `max_record` bytes is cut, and skipped to its end.
pub(super) fn replay(
    mut input: impl Read,
    max_record: usize,
    replay: &mut Replay,
    write: &mut impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut held = Vec::new();
    let mut out = Vec::new();
    let mut chunk = vec![0; READ];
    // Bytes so far of a line that is being skipped.
    let mut skipped: Option<u64> = None;
    loop {
        let count = match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let mut read = chunk.get(..count).unwrap_or_default();
        if let Some(length) = skipped {
            let Some(end) = memchr(b'\n', read) else {
                skipped = Some(length + count as u64);
                continue;
            };
            replay.push_cut(&held, length + end as u64 + 1, &mut out);
            held.clear();
            skipped = None;
            read = read.get(end + 1..).unwrap_or_default();
        }
        held.extend_from_slice(read);
        if let Some(end) = memrchr(b'\n', &held) {
            replay.push(held.get(..=end).unwrap_or_default(), &mut out);
            held.drain(..=end);
        }
        if held.len() > max_record {
            skipped = Some(held.len() as u64);
            held.truncate(max_record);
        }
        write(&out)?;
        out.clear();
    }
    match skipped {
        Some(length) => replay.push_cut(&held, length, &mut out),
        None if !held.is_empty() => replay.push_partial(&held, &mut out),
        None => {}
    }
    replay.flush(&mut out);
    write(&out)
}
