//! The drain: everything is read to its end as of now, what is held is shipped, everything retired.

use std::time::{Duration, Instant};

use pillion_parsers::frame::FileNumber;
use tokio::sync::oneshot;

use super::{Tailer, rounds};
use crate::pipeline::chunk::Read;
use crate::tail::LeftBehind;
use crate::tail::identity::DiskId;
use crate::tail::inbox::Drain;
use crate::tail::lineage::{Lineage, TailedFile};

/// A last line that has not grown for so long will not.
const STILL: Duration = Duration::from_secs(1);
/// Between looks at what is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// Whether what a lineage's joiner may hold is a whole record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    /// Nothing follows it, or nothing is held.
    Ends,
    /// It was written a moment ago.
    MayGoOn,
    /// More was written since, which is not read any more.
    GoesOn,
}

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
        // What appeared just now belongs to it, whether it was hinted at by now or not.
        self.watching.ask_all();
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
            self.retire_ended(false);
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
        if !self.retire_ended(waiting) {
            return Some(LOOK);
        }
        self.flush_outboxes();
        if self.outbox.iter().all(|waiting| waiting.is_empty()) {
            self.end_drain();
            return None;
        }
        Some(LOOK)
    }

    /// Retires the lineages whose last record nothing follows, so that it is shipped: the volume may be
    /// gone at the next start. One that goes on is left for then, whole. Whether that was done: while
    /// something is waited for, and there is time, it is not.
    fn retire_ended(&mut self, waiting: bool) -> bool {
        let late = self.drain.as_ref().is_some_and(|drain| self.now.instant >= drain.deadline);
        let (mut ended, mut left, mut unsure) = (Vec::new(), Vec::new(), waiting);
        for (id, lineage) in &self.lineages {
            match self.last_record(lineage) {
                Last::MayGoOn if !late => {
                    unsure = true;
                    left.push(*id);
                }
                Last::GoesOn => left.push(*id),
                Last::Ends | Last::MayGoOn => ended.extend(lineage.files.iter().copied()),
            }
        }
        for id in left {
            // Time is not to end what it holds.
            self.denied(id);
        }
        if unsure && !late {
            return false;
        }
        for number in ended {
            self.detach(number, true);
        }
        true
    }

    fn last_record(&self, lineage: &Lineage) -> Last {
        let files = || lineage.files.iter().filter_map(|number| self.files.get_key_value(number));
        let mut unsettled =
            files().filter(|(number, file)| !self.settled(**number, file)).peekable();
        let nothing = unsettled.peek().is_none();
        // What only this process can read is not left to another.
        if unsettled.any(|(_, file)| file.reader.nameless()) {
            return Last::Ends;
        }
        // What was read before may go on in one that is not open yet.
        if self.is_awaited(lineage.source, &lineage.path) {
            return Last::GoesOn;
        }
        if nothing {
            return Last::Ends;
        }
        let goes_on = |file: &TailedFile| {
            file.reader.file.is_some() && (file.size_now() != file.until || file.unread() > 0)
        };
        let young =
            |file: &TailedFile| self.now.instant.saturating_duration_since(file.grown) < STILL;
        match () {
            () if files().any(|(_, file)| goes_on(file)) => Last::GoesOn,
            () if self.is_succeeded(lineage) => Last::GoesOn,
            () if files().any(|(_, file)| young(file)) => Last::MayGoOn,
            () => Last::Ends,
        }
    }

    /// Whether a file that is not read any more has come to be where the lineage's last one was: it may
    /// begin with the rest of that one's last record.
    fn is_succeeded(&self, lineage: &Lineage) -> bool {
        let Ok(meta) = std::fs::metadata(&lineage.path) else { return false };
        let mut known = lineage.files.iter().filter_map(|number| self.files.get(number));
        meta.len() > 0 && !known.any(|file| file.id == DiskId::of(&meta))
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
        for bytes in self.awaited_bytes() {
            left.bytes = left.bytes.saturating_add(bytes);
            left.files += usize::from(bytes > 0);
        }
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
