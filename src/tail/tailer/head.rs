//! The header of a File that is gone on with below it: read again, since a checkpoint has no lines.

use pillion_parsers::frame::FileNumber;

use super::Tailer;
use crate::checkpoint::resume::Resume;
use crate::checkpoint::snapshot::Prefix;
use crate::pipeline::chunk::Head;
use crate::tail::identity::{encoding_of, read_at_most};

/// Bytes that a header may have.
const MOST: u64 = 64 << 10;
/// Read at once: nearly always enough.
const STEP: usize = 8 << 10;

impl Tailer {
    /// The File from its header on, for a reader that goes on at `offset`: from where the checkpoint
    /// says that it lies, else from its beginning if its source's files have one. None where there is
    /// none, or it cannot be read any more.
    pub(super) fn head(&self, number: FileNumber, offset: u64, resume: &Resume) -> Option<Head> {
        let file = self.files.get(&number)?;
        let known = resume.header.filter(|header| header.file == number);
        let wanted = self.settings.sources.get(file.source)?.header;
        let from = known.map(|header| header.offset).or(wanted.then_some(0))?;
        let handle = file.reader.file.as_ref()?;
        let encoding = encoding_of(handle).ok()?;
        // Of what is compressed, only the first bytes are at hand.
        let reach = if handle.is_gzip() { u64::from(Prefix::MAX) } else { from + MOST };
        let most = usize::try_from(reach.min(offset).checked_sub(from)?).ok()?;
        let mut bytes = Vec::new();
        while bytes.len() < most {
            let done = bytes.len();
            bytes.resize(done.saturating_add(STEP).min(most), 0);
            let got = read_at_most(handle, bytes.get_mut(done..)?, from + done as u64).ok()?;
            bytes.truncate(done + got);
            let end = encoding.line_ends(from, &bytes).last();
            if let Some(end) = end {
                bytes.truncate(end);
                bytes.shrink_to_fit();
                return Some(Head { offset: from, bytes, encoding });
            }
            if got == 0 {
                break;
            }
        }
        None
    }
}
