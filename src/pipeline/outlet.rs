//! One destination as a worker sees it: the open batch, its receipt and its share of the budget.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use pillion_parsers::frame::FileSpan;
use pillion_parsers::redact::Redacted;

use self::drops::Drops;
use super::batch::{Batch, Common, Receipt};
use super::pressure::Pressure;
use crate::budget::Permit;
use crate::checkpoint::resume::Resume;
use crate::config::memory::ANSWER;
use crate::config::settings::{BatchLimits, WhenFull};
use crate::export::encode::{Closed, Encoded, Encoder, Place};
use crate::export::queue::Queue;
use crate::export::stats::{DestinationStats, DropReason};

/// Batches that may wait in a destination's queue before an open batch stops closing by age and goes
/// on filling instead: a slow server gets few full batches, not many small ones.
const WAITING_BEFORE_FILLING: usize = 2;

/// The open batch of one destination, within one worker.
pub struct Outlet {
    encoder: Encoder,
    receipt: Receipt,
    /// Whether the open batch has records of a line of which more are to come: its bytes are added with
    /// the last.
    part_way: bool,
    /// What stands for that line, if a batch was closed in the middle of it.
    common: Option<Arc<Common>>,
    /// The open batch's share of the budget; trued up after every chunk.
    permit: Permit,
    /// Records in the open batch, those included that the encoder refused.
    open_records: u64,
    /// When the open batch got its first span, by the worker's clock.
    opened_at: Option<i64>,
    limits: BatchLimits,
    when_full: WhenFull,
    /// Resident bytes of the open batch at which it closes, however many before compression that are.
    most: usize,
    /// Resident bytes this destination may hold before [`WhenFull::DropNewest`] drops.
    share: usize,
    /// Shared with the destination's delivery task, which takes what is closed here.
    queue: Arc<Queue>,
    stats: Arc<DestinationStats>,
    /// Where the open batch's memory is accounted, and what may hold the worker back.
    pressure: Pressure,
    /// What is to be logged of dropped records.
    drops: Drops,
}

/// What an [`Outlet`] is made of.
pub struct OutletParts {
    /// The destination's name, for the log.
    pub name: String,
    /// Encodes for this destination.
    pub encoder: Encoder,
    /// When its batches close.
    pub limits: BatchLimits,
    /// Resident bytes at which they close too: more than a batch is reckoned to take.
    pub most: usize,
    /// What to do when it cannot take more.
    pub when_full: WhenFull,
    /// Resident bytes it may hold before it drops, if it drops.
    pub share: usize,
    /// Where closed batches go.
    pub queue: Arc<Queue>,
    /// Its counters.
    pub stats: Arc<DestinationStats>,
    /// Where the open batch's memory is accounted, and what may hold the worker back.
    pub pressure: Pressure,
}

impl Outlet {
    /// An outlet with nothing in it.
    #[must_use]
    pub fn new(parts: OutletParts) -> Self {
        let OutletParts { name, encoder, limits, most, when_full, share, queue, stats, pressure } =
            parts;
        let permit = pressure.budget().overdraw(0);
        Self {
            encoder,
            receipt: Receipt::default(),
            part_way: false,
            common: None,
            permit,
            open_records: 0,
            opened_at: None,
            limits,
            most,
            when_full,
            share,
            queue,
            stats,
            pressure,
            drops: Drops::new(&name),
        }
    }

    /// Takes a record, and the spans it stands for, into the open batch; closes the batch when it is
    /// full. Of the records of one line, only the last has spans.
    pub fn add(
        &mut self,
        record: &Redacted<'_, '_>,
        place: &Place<'_>,
        spans: &[FileSpan],
        resume: &Resume,
        now: i64,
    ) {
        self.stats.route();
        if self.pressure.is_handing_over() {
            // The rest of a chunk: read again by the next generation.
            return self.stats.give_back();
        }
        if self.when_full == WhenFull::DropNewest && !self.finds_room() {
            if self.pressure.is_handing_over() {
                return self.stats.give_back();
            }
            let is_part = spans.is_empty() || self.part_way || self.common.is_some();
            match is_part {
                true => self.drops.add_part(place.path, place.id.file, place.id.offset, now),
                false => self.drops.add(place.path, spans, now),
            }
            return self.leave_out(DropReason::Full, spans, resume, now);
        }
        let raw_bytes: u64 = spans.iter().map(|span| span.span.len()).sum();
        if raw_bytes >= self.limits.bytes as u64 {
            // A record over the limit travels alone, so that a refusal of its size hits only it.
            self.close();
        }
        let mut encoded = self.encoder.encode(record, place);
        if encoded == Encoded::Full {
            self.close();
            encoded = self.encoder.encode(record, place);
        }
        if encoded == Encoded::Cut {
            self.stats.cut.fetch_add(1, Ordering::Relaxed);
        }
        self.open_records += 1;
        self.stand_for(spans, resume, now);
        if self.encoder.plain_bytes() >= self.limits.bytes
            || self.open_records as usize >= self.limits.records
        {
            self.close();
        }
    }

    /// Settles a record that a rule drops: its bytes go on the receipt, nothing is sent.
    pub fn drop_record(&mut self, spans: &[FileSpan], resume: &Resume, now: i64) {
        self.stats.route();
        if self.pressure.is_handing_over() {
            return self.stats.give_back();
        }
        self.leave_out(DropReason::Rule, spans, resume, now);
    }

    /// Leaves out a record that an earlier run has settled.
    pub fn pass_over(&self) {
        self.stats.route();
        self.stats.pass_over();
    }

    fn leave_out(&mut self, reason: DropReason, spans: &[FileSpan], resume: &Resume, now: i64) {
        self.stats.drop_record(reason);
        self.stand_for(spans, resume, now);
    }

    /// Whether the destination has room left in its share. One that works is waited for: a backlog
    /// is no trouble, and only a destination in trouble is to be dropped for. So is a disk buffer
    /// that has room.
    fn finds_room(&mut self) -> bool {
        // Not to be mistaken for what a slow destination has left lying.
        if self.permit.bytes() >= self.share / 2 {
            self.close();
        }
        let open = self.permit.bytes();
        let (queue, stats, share) = (&self.queue, &self.stats, self.share);
        // What the open batch alone takes would not be given back by waiting.
        let is_full = || match queue.resident() {
            0 => false,
            held => held + open >= share,
        };
        let takes_on = || !stats.is_in_trouble() || stats.buffer.takes();
        self.pressure.wait_while(|| is_full() && takes_on());
        !is_full()
    }

    fn stand_for(&mut self, spans: &[FileSpan], resume: &Resume, now: i64) {
        self.part_way = spans.is_empty();
        match self.common.take_if(|_| !spans.is_empty()) {
            Some(common) => {
                // In this order: the batches before it may be settled meanwhile.
                self.receipt.share(&common);
                common.complete(spans, resume);
            }
            None => spans.iter().for_each(|it| self.receipt.add(it.file, it.span, resume)),
        }
        self.opened_at.get_or_insert(now);
    }

    /// When the open batch is due to close by age, by the worker's clock.
    #[must_use]
    pub fn due(&self) -> Option<i64> {
        let linger = i64::try_from(self.limits.linger.as_nanos()).unwrap_or(i64::MAX);
        self.opened_at.map(|at| at.saturating_add(linger))
    }

    /// Closes the open batch if it is due and the destination keeps up. To be called now and then.
    pub fn close_if_due(&mut self, now: i64) {
        self.drops.warn(now);
        self.drops.say_which();
        if self.due().is_some_and(|due| due <= now) && self.queue.len() < WAITING_BEFORE_FILLING {
            self.close();
        }
    }

    /// Whether nothing of it is under way at the destination.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.resident() == 0
    }

    /// Closes the open batch if the destination has nothing to do.
    pub fn close_if_idle(&mut self) {
        if self.is_idle() {
            self.close();
        }
    }

    /// Takes in what the tailer reserved for what a chunk becomes here.
    pub fn reserve(&mut self, share: Permit) {
        self.permit.absorb(share);
    }

    /// Trues the open batch's budget up, or down, to what it occupies. Closes a batch that compresses
    /// worse than was reckoned with.
    pub fn true_up(&mut self) {
        self.drops.say_which();
        let resident = self.encoder.resident();
        if resident > self.most {
            return self.close();
        }
        self.permit.resize(resident + self.receipt.resident() + self.answers());
    }

    /// Room for what the destination will answer to the open batch.
    fn answers(&self) -> usize {
        self.encoder.records() as usize * ANSWER
    }

    /// Closes the open batch, and says what is left to be said: no more will come.
    pub fn drain(&mut self, now: i64) {
        self.close();
        self.drops.end(now);
    }

    /// Closes the open batch, if there is anything in it, and hands it to the destination.
    pub fn close(&mut self) {
        self.opened_at = None;
        if std::mem::take(&mut self.part_way) {
            let common = self.common.get_or_insert_default();
            self.receipt.share(common);
        }
        if self.receipt.is_empty() {
            return;
        }
        let answers = self.answers();
        let Closed { payload, refused } = self.encoder.finish();
        let receipt = std::mem::take(&mut self.receipt);
        let mut permit = std::mem::replace(&mut self.permit, self.pressure.budget().overdraw(0));
        let resident = payload.as_ref().map_or(0, |payload| payload.resident());
        let letters: usize = refused.iter().map(|letter| letter.resident()).sum();
        permit.resize(resident + letters + receipt.resident() + size_of::<Batch>() + answers);
        let records = std::mem::take(&mut self.open_records);
        // A closed queue means that nobody would settle the batch: it is dropped unsettled, and read
        // again at the next start. Its records count as open to the end.
        if self.queue.push(Batch { payload, refused, receipt, permit }).is_ok() {
            self.stats.open.fetch_sub(records, Ordering::Relaxed);
        }
        if self.when_full == WhenFull::Block {
            self.pressure.ease(&self.queue);
        }
    }
}

mod drops;
#[cfg(test)]
mod tests;
