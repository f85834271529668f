//! Rounds of reading: one chunk per lineage and turn, budget first, to workers that are never waited
//! for.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::TrySendError;

use pillion_parsers::frame::FileNumber;

use super::Tailer;
use crate::pipeline::chunk::{Chunk, Ending, LineageId, Opened, Read};
use crate::tail::reader::{Limits, Look, Piece, Step};
use crate::tail::stats::count;

/// Why a round ended with lineages still queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blocked {
    /// It did not, or something moved.
    No,
    /// There is no budget.
    Budget,
    /// Every queued lineage's worker has a full channel, or holds more than its share.
    Channel,
}

/// What a lineage's or a File's turn came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Something was read; there may be more.
    Moved,
    /// Nothing is left to be read.
    Nothing,
    /// There is no budget.
    NoBudget,
}

impl Tailer {
    /// Gives every queued lineage one turn.
    pub(super) fn round(&mut self) -> Blocked {
        self.flush_outboxes();
        let mut moved = self.ready.is_empty();
        let hogs = self.hogs();
        for _ in 0..self.ready.len() {
            let Some(id) = self.ready.pop_front() else { break };
            if !self.has_room(id) {
                self.ready.push_back(id);
                continue;
            }
            if hogs.contains(&id) {
                self.denied(id);
                self.ready.push_back(id);
                continue;
            }
            match self.read_lineage(id) {
                Turn::Moved => {
                    moved = true;
                    self.ready.push_back(id);
                }
                Turn::Nothing => {
                    moved = true;
                    if let Some(lineage) = self.lineages.get_mut(&id) {
                        lineage.queued = false;
                    }
                }
                Turn::NoBudget => {
                    // First again when budget comes back.
                    self.ready.push_front(id);
                    for at in 0..self.ready.len() {
                        self.ready.get(at).copied().into_iter().for_each(|id| self.denied(id));
                    }
                    if self.paused_since.is_none() {
                        self.paused_since = Some(self.now.instant);
                        count(&self.stats.budget_pauses, 1);
                    }
                    return Blocked::Budget;
                }
            }
        }
        if moved { Blocked::No } else { Blocked::Channel }
    }

    /// Lineages that hold more than half of the budget while others wait.
    fn hogs(&self) -> Vec<LineageId> {
        let used = self.budget.used();
        if self.ready.len() < 2 || used <= self.budget.room() / 2 {
            return Vec::new();
        }
        // Permits do not say whose they are: the budget is shared out by bytes in flight.
        let mut in_flight: HashMap<LineageId, u64> = HashMap::new();
        let mut total = 0;
        for (number, file) in self.files.awake() {
            let safe = self.tracker.safe(number).unwrap_or(file.reader.offset);
            let bytes = file.reader.offset.saturating_sub(safe);
            total += bytes;
            // One that was let go is no more of its lineage.
            let home = || self.by_lineage.get(&(file.source, Arc::clone(&file.path))).copied();
            if let Some(lineage) = file.lineage.or_else(home) {
                *in_flight.entry(lineage).or_default() += bytes;
            }
        }
        let half = (self.budget.room() / 2) as u128 * u128::from(total);
        let over = |bytes: u64| u128::from(bytes) * used as u128 > half;
        in_flight.into_iter().filter(|(_, bytes)| over(*bytes)).map(|(id, _)| id).collect()
    }

    /// Reads one chunk of a lineage: of its oldest File that has one.
    fn read_lineage(&mut self, id: LineageId) -> Turn {
        let mut index = 0;
        while let Some(number) =
            self.lineages.get(&id).and_then(|lineage| lineage.files.get(index)).copied()
        {
            if self.waits_for_older(number) {
                return Turn::Nothing;
            }
            match self.read_file(number) {
                Turn::Nothing => index += 1,
                other => return other,
            }
        }
        if !self.is_followed(id)
            && let Some(lineage) = self.lineages.get_mut(&id)
            && std::mem::take(&mut lineage.behind)
        {
            self.send(id, Read::CaughtUp(id));
        }
        Turn::Nothing
    }

    /// Whether there is more of a lineage, in a File that is not open yet.
    fn is_followed(&self, id: LineageId) -> bool {
        self.lineages.get(&id).is_some_and(|it| self.is_awaited(it.source, &it.path))
    }

    /// Tells the worker of a lineage that waits for its turn, if it has to think that there is
    /// nothing to be read. A worker with a full channel hears nothing, and knows why.
    pub(super) fn denied(&mut self, id: LineageId) {
        if self.has_room(id)
            && let Some(lineage) = self.lineages.get_mut(&id)
            && lineage.announced
            && !std::mem::replace(&mut lineage.behind, true)
        {
            self.send(id, Read::Behind(id));
        }
    }

    fn read_file(&mut self, number: FileNumber) -> Turn {
        let now = self.now.instant;
        let Some(file) = self.files.get_mut(&number) else { return Turn::Nothing };
        if !file.saved || file.failing.as_ref().is_some_and(|it| it.retry_at > now) {
            return Turn::Nothing;
        }
        let (before, spent) = (file.reader.size, file.spent);
        match self.look(number) {
            Ok(Look::Same) if spent => {
                self.files.get_mut(&number).into_iter().for_each(|file| file.failing = None);
                return Turn::Nothing;
            }
            Ok(Look::Same) => {}
            Ok(Look::Changed | Look::Shrunk(_)) => {
                if let Some(file) = self.files.get_mut(&number) {
                    file.spent = false;
                    if file.reader.size != before {
                        count(&self.stats.stirred, 1);
                        file.grown = now;
                    }
                }
            }
            Ok(replaced) => {
                self.replaced(number, replaced);
                return Turn::Moved;
            }
            Err(error) => return self.fail(number, &error),
        }
        self.step(number, false)
    }

    /// Looks at a File, and counts what was truncated away unread if it still is the same File.
    pub(super) fn look(&mut self, number: FileNumber) -> io::Result<Look> {
        let Some(file) = self.files.get_mut(&number) else { return Ok(Look::Same) };
        let look = file.reader.look()?;
        if let Look::Shrunk(lost) = look {
            let path = file.path.clone();
            count(&self.stats.truncated_shorter, 1);
            self.lose_truncated(&path, lost);
        }
        Ok(look)
    }

    /// Reads what is left of a File without a newline. To be called when there is nothing else.
    pub(super) fn read_last(&mut self, number: FileNumber) -> Turn {
        let lineage = self.files.get(&number).and_then(|file| file.lineage);
        match lineage {
            Some(lineage) if !self.has_room(lineage) => Turn::NoBudget,
            _ => self.step(number, true),
        }
    }

    fn step(&mut self, number: FileNumber, last: bool) -> Turn {
        match self.step_with(number, last, false) {
            Turn::NoBudget if self.nothing_comes_back() => self.step_with(number, last, true),
            turn => turn,
        }
    }

    /// Whether waiting for budget would be waiting for ever: all that was read is settled, and what
    /// little is still taken stays taken (encoders keep buffers from batch to batch).
    fn nothing_comes_back(&self) -> bool {
        self.budget.used() <= self.budget.room() / 2
            && self.files.awake().all(|(number, file)| self.settled(number, file))
    }

    /// Tells the workers that nothing can be read for want of budget.
    pub(super) fn press(&self) {
        for (channel, waiting) in self.workers.iter().zip(&self.outbox) {
            if waiting.is_empty() {
                // A worker with a full channel has enough to do.
                let _ = channel.try_send(Read::Pressed);
            }
        }
    }

    /// `overdraw`: whatever it claims is granted.
    fn step_with(&mut self, number: FileNumber, last: bool, overdraw: bool) -> Turn {
        let Some(file) = self.files.get_mut(&number) else { return Turn::Nothing };
        let max_record = self.settings.sources.get(file.source).map_or(0, |s| s.max_record);
        let (budget, worst) = (&self.budget, &self.settings.worst);
        let mut claim = |bytes| {
            let claimed = worst(bytes);
            if overdraw { Some(budget.overdraw(claimed)) } else { budget.try_take(claimed) }
        };
        let mut limits = Limits {
            chunk: self.settings.chunk,
            max_record,
            until: file.until,
            claim: &mut claim,
            search: &mut self.search,
        };
        let step = if last { file.reader.last(&mut limits) } else { file.reader.step(&mut limits) };
        if matches!(step, Ok(ref step) if !matches!(step, Step::Refused)) {
            file.failing = None;
        }
        match step {
            Ok(Step::Nothing) => {
                file.spent = true;
                Turn::Nothing
            }
            Ok(Step::More) => Turn::Moved,
            Ok(Step::Refused) => Turn::NoBudget,
            Ok(Step::Zeros(span)) => {
                count(&self.stats.zeros_skipped, span.len());
                self.tracker.skip(number, span);
                Turn::Moved
            }
            Ok(Step::Replaced(lost)) => {
                self.replaced(number, Look::Replaced(lost));
                Turn::Moved
            }
            Ok(Step::Lines(piece)) => {
                self.hand_over(number, piece);
                Turn::Moved
            }
            Err(error) => self.fail(number, &error),
        }
    }

    fn fail(&mut self, number: FileNumber, error: &io::Error) -> Turn {
        if self.read_failed(number, error) { Turn::Moved } else { Turn::Nothing }
    }

    fn hand_over(&mut self, number: FileNumber, piece: Piece) {
        self.count_pause(false);
        self.be_restless();
        let Piece { span, bytes, ending, encoding, mut permit } = piece;
        permit.resize((self.settings.worst)(bytes.len()).max(bytes.capacity()));
        let Some(lineage) = self.announce(number, span.start) else { return };
        let caught_up = self.caught_up(lineage, number);
        let stats = &self.stats;
        let lines = encoding.count_lines(span.start, &bytes) as u64;
        count(&stats.lines_read, lines + u64::from(ending != Ending::Newline));
        count(&stats.bytes_read, span.len());
        count(&stats.chunks, 1);
        match ending {
            Ending::Newline => {}
            Ending::Partial => count(&stats.partial_lines, 1),
            Ending::Cut => {
                count(&stats.cut_lines, 1);
                let kept = bytes.len() + encoding.unit();
                count(&stats.cut_bytes, span.len().saturating_sub(kept as u64));
            }
        }
        let read_at = self.now.wall;
        let file = number;
        self.send(
            lineage,
            Read::Chunk(Chunk {
                lineage,
                file,
                span,
                bytes,
                ending,
                encoding,
                caught_up,
                read_at,
                permit,
            }),
        );
    }

    /// Whether the chunk just read of this File is the last there is of its lineage, as of the last
    /// look. What is unsure is behind, until a turn finds nothing.
    fn caught_up(&mut self, id: LineageId, number: FileNumber) -> bool {
        let followed = self.is_followed(id);
        let (Some(lineage), Some(file)) = (self.lineages.get_mut(&id), self.files.get(&number))
        else {
            return false;
        };
        lineage.behind = followed || file.unread() > 0 || lineage.files.last() != Some(&number);
        let behind = lineage.behind;
        if behind {
            // A File that was retired was read outside its lineage's turn.
            self.queue(id);
        }
        !behind
    }

    /// Counts the time without budget so far, and whether it goes on.
    pub(super) fn count_pause(&mut self, goes_on: bool) {
        if let Some(since) = self.paused_since.take() {
            let paused = self.now.instant.saturating_duration_since(since).as_nanos();
            count(&self.stats.budget_paused_nanos, u64::try_from(paused).unwrap_or(u64::MAX));
            self.paused_since = goes_on.then_some(self.now.instant);
        }
    }

    /// Tells the worker of a File before its first chunk.
    fn announce(&mut self, number: FileNumber, offset: u64) -> Option<LineageId> {
        let file = self.files.get_mut(&number)?;
        let lineage = file.lineage?;
        if !std::mem::replace(&mut file.announced, true) {
            let known = self
                .lineages
                .get_mut(&lineage)
                .is_some_and(|lineage| std::mem::replace(&mut lineage.announced, true));
            let file = self.files.get(&number)?;
            let marks = self.tracker.marks(number);
            let settled =
                marks.iter().map(|mark| mark.as_ref().map_or(u64::MAX, |m| m.safe)).collect();
            // What a File of this path that was read before the agent was started ended in, the next
            // one begins in.
            let before = self.resumed.get(&(file.source, Arc::clone(&file.path))).copied();
            let before = before.filter(|before| !known && offset == 0 && *before < number);
            let slowest = self.tracker.slowest(before.unwrap_or(number));
            let resume = slowest.map(|mark| mark.resume).unwrap_or_default();
            let head = self.head(number, offset, &resume);
            let file = self.files.get(&number)?;
            let (source, path) = (file.source, crate::tail::lineage::text(&file.path));
            let opened =
                Opened { lineage, file: number, source, path, offset, settled, resume, head };
            self.send(lineage, Read::Opened(opened));
        }
        Some(lineage)
    }

    fn worker(&self, lineage: LineageId) -> usize {
        lineage.0 as usize % self.outbox.len().max(1)
    }

    fn has_room(&self, lineage: LineageId) -> bool {
        self.outbox.get(self.worker(lineage)).is_some_and(|waiting| waiting.is_empty())
    }

    /// Sends, or keeps until there is room.
    pub(super) fn send(&mut self, lineage: LineageId, read: Read) {
        let worker = self.worker(lineage);
        if let Some(waiting) = self.outbox.get_mut(worker) {
            waiting.push_back(read);
        }
        self.flush(worker);
    }

    pub(super) fn flush_outboxes(&mut self) {
        for worker in 0..self.outbox.len() {
            self.flush(worker);
        }
    }

    fn flush(&mut self, worker: usize) {
        let Some(waiting) = self.outbox.get_mut(worker) else { return };
        let Some(channel) = self.workers.get(worker) else {
            // Closed after a drain: what is not sent stays unsettled.
            waiting.clear();
            return;
        };
        while let Some(read) = waiting.pop_front() {
            match channel.try_send(read) {
                Ok(()) => {}
                // A worker that ended takes nothing more; the agent knows why. Nothing more is read.
                Err(TrySendError::Full(read) | TrySendError::Disconnected(read)) => {
                    waiting.push_front(read);
                    return;
                }
            }
        }
    }
}
