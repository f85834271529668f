//! Frames that are done with: marked, so that no start sends them again.

use std::os::unix::fs::FileExt;

use tracing::debug;

use super::disk::{Disk, Place, opened};
use super::frame::Header;

impl Disk {
    /// Says that a frame's payload has met its end.
    pub(super) fn done(&mut self, place: Place) {
        let Some(segment) = self.segments.iter_mut().find(|it| it.name == place.segment) else {
            return;
        };
        segment.out = segment.out.saturating_sub(1);
        self.unmarked.push(place);
        self.mark();
        self.prune();
    }

    /// Marks what is done with. What the disk does not take now, as one without room may not, is tried
    /// again with the next.
    pub(super) fn mark(&mut self) {
        let directory = &self.directory;
        while let Some(Place { segment: name, found }) = self.unmarked.last() {
            let segment = self.segments.iter_mut().find(|it| it.name == *name);
            // It may have been removed meanwhile, or emptied.
            let end = found.offset + found.header.frame();
            if let Some(segment) = segment.filter(|it| it.bytes >= end) {
                let mark = found.header.mark(name.marker);
                // Not synced: after a power cut it is sent again, as the same bytes.
                let marked = opened(directory, segment)
                    .and_then(|file| file.write_all_at(&mark, Header::mark_at(found.offset)));
                if segment.taken {
                    segment.file = None;
                }
                if let Err(error) = marked {
                    debug!(destination = self.destination, %error, "a sent payload cannot be marked");
                    return;
                }
            }
            self.unmarked.pop();
        }
    }
}
