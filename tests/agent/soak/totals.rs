//! What a soak did and found, in all its rounds.

use super::Soak;
use super::end::Found;

/// Printed at the end, and beside what went wrong.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) lines: u64,
    pub(super) bytes: u64,
    pub(super) rounds: u64,
    pub(super) rounds_with_buffers: u64,
    pub(super) rotations: u64,
    pub(super) deletions: u64,
    pub(super) compressions: u64,
    pub(super) faults: u64,
    pub(super) kills: u64,
    pub(super) restarts: u64,
    pub(super) ends_in_trouble: u64,
    /// Records that were in disk buffers then.
    pub(super) left_in_buffers: u64,
    pub(super) reloads: u64,
    pub(super) full_disks: u64,
    pub(super) rounds_that_poll: u64,
    pub(super) rounds_that_drop: u64,
    pub(super) dropped: u64,
    pub(super) dead_letters: usize,
    pub(super) missing: usize,
    pub(super) repeated: usize,
    pub(super) altered: u64,
    pub(super) repeated_at_loki: usize,
    pub(super) peak_resident: u64,
}

impl Soak {
    /// Adds a round, and what was found at its end.
    pub(super) fn count(&mut self, found: &[Found; 3]) {
        let [search, grafana, spare] = found;
        let undropped = self.missing_places(spare).unlike(&self.said);
        let totals = &mut self.totals;
        totals.rounds += 1;
        totals.rounds_with_buffers += u64::from(self.settings.has_buffers());
        totals.lines = self.apps.iter().map(|app| app.writer.written().1).sum();
        totals.bytes = self.apps.iter().map(|app| app.writer.put).sum();
        totals.rounds_that_poll += u64::from(self.settings.polls);
        totals.rounds_that_drop += u64::from(self.settings.drops);
        totals.dropped += self.dropped;
        totals.dead_letters += found.iter().map(|it| it.letters).sum::<usize>();
        totals.missing += search.lines.missing.len() + grafana.lines.missing.len();
        totals.missing += undropped as usize;
        totals.altered += found.iter().map(|it| it.lines.altered).sum::<u64>();
        totals.repeated += search.lines.repeated.len() + spare.lines.repeated.len();
        totals.repeated_at_loki += grafana.lines.repeated.len();
    }
}
