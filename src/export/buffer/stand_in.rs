//! Frames that are done with and stand for records that are not there any more: so that no start counts
//! them as missing.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use tracing::debug;

use super::disk::Disk;
use super::frame::{HEADER, Header};
use super::segment::Name;

impl Disk {
    /// Gives back the bytes of segments that are done with and have one before them that is not: it may
    /// hold what a destination does not take for hours.
    pub(super) fn empty(&mut self) {
        let mut before = self.segments.front().map_or(0, |front| front.after);
        for segment in self.segments.iter_mut().skip(1) {
            let records = segment.after.saturating_sub(before);
            if segment.taken && segment.out == 0 && segment.bytes > HEADER as u64 {
                let path = self.directory.join(segment.name.text());
                match shorten(&path, segment.name, before, records) {
                    Ok(()) => segment.bytes = HEADER as u64,
                    Err(error) => debug!(%error, "a sent segment cannot be emptied"),
                }
            }
            before = segment.after;
        }
    }
}

/// Makes a segment short whose frames are all done with.
fn shorten(path: &Path, name: Name, before: u64, records: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    if !bury(&file, name, 0, HEADER as u64, before, records) {
        return Err(io::ErrorKind::Other.into());
    }
    // What is behind it must not go first.
    file.sync_data()?;
    file.set_len(HEADER as u64)
}

/// Writes over a gap between two offsets that so many records are done with there. Whether it could.
pub(super) fn bury(
    file: &fs::File,
    name: Name,
    from: u64,
    to: u64,
    before: u64,
    records: u64,
) -> bool {
    let body = to.saturating_sub(from).checked_sub(HEADER as u64).map(u32::try_from);
    let (Some(Ok(body)), Ok(records)) = (body, u32::try_from(records)) else { return false };
    let header = Header { before, records, ids: 0, body, plain: 0, sum: 0 };
    let mut bytes = header.encode(name.marker);
    if let Some(mark) = bytes.get_mut(HEADER - 8..) {
        mark.copy_from_slice(&header.mark(name.marker));
    }
    file.write_all_at(&bytes, from).is_ok()
}
