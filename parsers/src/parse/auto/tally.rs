//! What the recent lines of a lineage were.

use serde::{Deserialize, Serialize};

/// Lines after which all scores are halved: about how far back the choice remembers.
pub(super) const MEMORY: u16 = 256;
/// Recent lines of a format that make it one to be tried before most others.
const RECENT: u16 = 4;
/// Formats whose recent lines are counted for a lineage.
const COUNTED: usize = 6;

/// What the recent lines of a lineage were, for `auto` to go on in the middle of a File as if nothing had
/// happened. Without line content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Tells the formats there are, whose places the others are.
    pub(super) of: u32,
    /// Recent lines that a format fitted, by its place.
    scores: [(u16, u16); COUNTED],
    /// Recent lines that none fitted.
    pub(super) plain: u16,
    lines: u16,
    /// Place of the format that the line before fitted.
    pub(super) last: Option<u16>,
    /// How many in a row fitted that one.
    pub(super) run: u16,
}

impl Tally {
    /// Of formats that this number tells, with what an earlier choice counts for.
    pub(super) fn new(of: u32, chosen: Option<u16>, plain: bool) -> Self {
        // Half of what its lines may have earned it: a few that do not fit take nothing away.
        const EARNED: u16 = MEMORY / 2;
        let mut tally = Self { of, ..Self::default() };
        if let (Some(place), Some(score)) = (chosen, tally.scores.first_mut()) {
            *score = (place, EARNED);
        }
        if plain {
            tally.plain = EARNED;
        }
        tally
    }

    /// Counts a line for what it fitted. What counts for `chosen` is not forgotten for another.
    pub(super) fn note(&mut self, found: Option<u16>, chosen: Option<u16>) {
        self.lines += 1;
        if self.lines >= MEMORY {
            self.lines = 0;
            self.plain /= 2;
            self.scores.iter_mut().for_each(|(_, score)| *score /= 2);
        }
        self.run =
            if found.is_some() && found == self.last { self.run.saturating_add(1) } else { 1 };
        self.last = found;
        match found {
            None => self.plain = self.plain.saturating_add(1),
            Some(place) => self.count(place, chosen),
        }
    }

    /// Counts a line for a format, in place of the one with the fewest if it is new.
    fn count(&mut self, place: u16, chosen: Option<u16>) {
        let known = |(of, score): &&mut (u16, u16)| *of == place && *score > 0;
        if let Some((_, score)) = self.scores.iter_mut().find(known) {
            *score = score.saturating_add(1);
            return;
        }
        let others =
            self.scores.iter_mut().filter(|(of, score)| *score == 0 || chosen != Some(*of));
        if let Some(least) = others.min_by_key(|(_, score)| *score) {
            *least = (place, 1);
        }
    }

    pub(super) fn score(&self, place: u16) -> u16 {
        let found = self.scores.iter().find(|(of, score)| *of == place && *score > 0);
        found.map_or(0, |(_, score)| *score)
    }

    /// Whether several of the recent lines are of a format.
    pub(super) fn is_recent(&self, place: u16) -> bool {
        self.score(place) >= RECENT
    }

    /// The places of the formats that several of the recent lines are of.
    pub(super) fn recent(&self) -> impl Iterator<Item = u16> {
        self.scores.iter().filter(|(_, score)| *score >= RECENT).map(|(place, _)| *place)
    }

    /// Recent lines that are counted.
    pub(super) fn all(&self) -> u16 {
        let scores = self.scores.iter().map(|(_, score)| *score);
        scores.fold(self.plain, u16::saturating_add)
    }
}
