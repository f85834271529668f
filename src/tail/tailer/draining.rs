//! The drain: everything is read to its end as of now, what is held is shipped, everything retired.

use std::time::{Duration, Instant};

use pillion_parsers::frame::FileNumber;
use tokio::sync::oneshot;

use super::{Tailer, rounds};
use crate::pipeline::chunk::Read;
use crate::tail::LeftBehind;
use crate::tail::inbox::Drain;
use crate::tail::lineage::TailedFile;

/// A last line that has not grown for so long will not.
const STILL: Duration = Duration::from_secs(1);
/// Between looks at what is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// A drain that goes on, or is over.
#[derive(Debug)]
pub(super) struct Draining {
    deadline: Instant,
    /// Told once; then none.
    done: Option<oneshot::Sender<LeftBehind>>,
}

impl Draining {
    /// One that waits for nothing and tells nobody.
    pub(super) fn over(now: Instant) -> Self {
        Self { deadline: now, done: None }
    }
}

impl Tailer {
    pub(super) fn begin_drain(&mut self, drain: Drain) {
        if self.drain.is_some() {
            // It goes on as it began; the second asker sees the sender dropped.
            return;
        }
        // What appeared just now belongs to it.
        self.look_round();
        self.watching = super::watching::Watching::default();
        self.drain = Some(Draining { deadline: drain.deadline, done: Some(drain.done) });
        // Half lines at the end of files that had to be closed are shipped too, as far as files can be
        // opened.
        let closed =
            |file: &TailedFile| !file.gone() && file.reader.file.is_none() && file.unread() > 0;
        let closed: Vec<FileNumber> =
            self.files.iter().filter(|(_, file)| closed(file)).map(|(number, _)| *number).collect();
        for number in closed {
            self.open_again(number);
        }
        let mut lineages = Vec::new();
        for file in self.files.values_mut() {
            if file.reader.file.is_some() {
                file.until = file.size_now();
                lineages.extend(file.lineage);
            }
        }
        for lineage in lineages {
            self.queue(lineage);
        }
    }

    /// Takes a drain further. How long to wait at most while one goes on; zero: there is more to do.
    pub(super) fn drain_on(&mut self) -> Option<Duration> {
        let drain = self.drain.as_ref()?;
        drain.done.as_ref()?;
        if self.now.instant >= drain.deadline {
            self.end_drain();
            return None;
        }
        if !self.ready.is_empty() {
            return Some(LOOK);
        }
        // What has only half a line left. One that waits for an older one, or for another try after a
        // failed read, has whole lines, too, which are nobody's last: they stay behind.
        let held: Vec<FileNumber> = self
            .files
            .iter()
            .filter(|(_, file)| file.lineage.is_some() && file.reader.file.is_some())
            .filter(|(_, file)| file.saved && file.spent && file.unread() > 0)
            .map(|(number, _)| *number)
            .filter(|number| !self.waits_for_older(*number))
            .collect();
        let (mut waiting, mut moved) = (false, false);
        for number in held {
            let Some(file) = self.files.get(&number) else { continue };
            if file.size_now() != file.until {
                // Its writer goes on: the line is left for the next start, whole.
                continue;
            }
            if self.now.instant.saturating_duration_since(file.grown) < STILL {
                waiting = true;
            } else {
                match self.read_last(number) {
                    rounds::Turn::Nothing => {}
                    rounds::Turn::Moved => moved = true,
                    rounds::Turn::NoBudget => waiting = true,
                }
            }
        }
        if moved {
            return Some(Duration::ZERO);
        }
        if waiting {
            return Some(LOOK);
        }
        let all: Vec<FileNumber> =
            self.files.iter().filter(|(_, f)| f.lineage.is_some()).map(|(n, _)| *n).collect();
        for number in all {
            self.detach(number, true);
        }
        self.flush_outboxes();
        if self.outbox.iter().all(|waiting| waiting.is_empty()) {
            self.end_drain();
            return None;
        }
        Some(LOOK)
    }

    /// Closes the channels and tells what stayed behind.
    pub(super) fn end_drain(&mut self) {
        let mut left = LeftBehind::default();
        let unsent: u64 = self
            .outbox
            .iter()
            .flatten()
            .map(|read| if let Read::Chunk(chunk) = read { chunk.span.len() } else { 0 })
            .sum();
        for file in self.files.values().filter(|file| !file.gone()) {
            let unread = file.end_now() - file.reader.offset;
            left.bytes = left.bytes.saturating_add(unread);
            left.files += usize::from(unread > 0);
        }
        left.bytes = left.bytes.saturating_add(unsent);
        self.ready.clear();
        self.lineages.clear();
        self.by_lineage.clear();
        self.outbox.iter_mut().for_each(std::collections::VecDeque::clear);
        self.workers.clear();
        if let Some(done) = self.drain.as_mut().and_then(|drain| drain.done.take()) {
            // An asker that went away needs no answer.
            let _ = done.send(left);
        }
    }
}
