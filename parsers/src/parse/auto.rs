//! Finds out the format by looking at the lines.
//!
//! The format that fitted so far is tried first; a line that does not fit it is tried against the
//! others that it could be of, as its first bytes tell. The choice is what fits most of the recent
//! lines, so that it follows an application that changes its format, and does not waver for one that
//! mixes two. What stands in a wrapping format (syslog) is looked for among those that may.

mod candidates;

use std::sync::Arc;

use super::Misfit;
use super::grammar::Context;
use super::looks::look;
use super::seen::Seen;
use super::trace::whole_or_head;
use crate::record::Record;
pub(super) use candidates::Candidates;

/// Readings per line, the chosen format's included. A reading of a line that is not of the format
/// mostly ends within its first bytes.
const TRIES: usize = 48;
/// Lines after which all scores are halved: about how far back the choice remembers.
const MEMORY: u16 = 256;
/// By how many lines another format must lead before the choice goes to it.
const LEAD: u16 = 16;
/// Lines that fit nothing before that is a choice, too.
const PLAIN_AFTER: u16 = 8;
/// Recent lines of a format that make it one to be tried before most others.
const RECENT: u16 = 4;
/// The choice when nothing fits.
const PLAIN: &str = "plain";
/// Formats whose recent lines are counted for a lineage.
const COUNTED: usize = 6;
/// What has been seen of a lineage.
#[derive(Debug)]
pub(super) struct Auto {
    candidates: Arc<Candidates>,
    chosen: Option<Arc<str>>,
    /// Place of the chosen format; `None` for plain, and before there is a choice.
    format: Option<usize>,
    /// Recent lines that a format fitted, by its place, and those that none did.
    scores: [(usize, u16); COUNTED],
    plain: u16,
    lines: u16,
    /// Place of the format that the line before fitted.
    last: Option<usize>,
}

/// What came of a text.
pub(super) enum Found<'a> {
    /// A format fitted all but this, which lies below the text's first line.
    Fitted(&'a str),
    /// None did, as is usual in this lineage: the text is its own message.
    Plain,
    /// None did, although the lineage has a format, or the text all but fits one.
    Unfit(Misfit),
}

impl Auto {
    pub(super) fn new(candidates: Arc<Candidates>, resume: Option<Arc<str>>) -> Self {
        let mut auto = Self {
            candidates,
            chosen: None,
            format: None,
            scores: [(0, 0); COUNTED],
            plain: 0,
            lines: 0,
            last: None,
        };
        if let Some(name) = resume {
            // Half of what its lines may have earned it: a few that do not fit take nothing away.
            const EARNED: u16 = MEMORY / 2;
            auto.format = auto.candidates.place(&name);
            if let (Some(place), Some(score)) = (auto.format, auto.scores.first_mut()) {
                *score = (place, EARNED);
                auto.chosen = Some(name);
            } else if &*name == PLAIN {
                auto.plain = EARNED;
                auto.chosen = Some(name);
            }
        }
        auto
    }

    pub(super) fn chosen(&self) -> Option<&Arc<str>> {
        self.chosen.as_ref()
    }

    /// Reads a text, else its first line, by whichever format fits. Leaves the record in disorder
    /// unless one did.
    pub(super) fn read<'a>(
        &mut self,
        text: &'a str,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> Found<'a> {
        let mut found = None;
        let read = whole_or_head(text, record, |text, record| {
            found = Some(self.find(text, cx, record)?);
            Ok(())
        });
        self.note(found);
        self.last = found;
        match read {
            Ok(below) => Found::Fitted(below),
            Err(Misfit::Syntax) if self.format.is_none() => Found::Plain,
            Err(misfit) => Found::Unfit(misfit),
        }
    }

    /// The place of a format that a text fits, having filled the record: the chosen one, else one of
    /// those that fitted lately or that show by texts of their own, else any.
    fn find<'a>(
        &self,
        text: &'a str,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> Result<usize, Misfit> {
        let mut trial = Trial { auto: self, text, tries: TRIES, reason: Misfit::Syntax };
        if let Some(place) = self.format
            && trial.read(place, Seen::ALL, cx, record)
        {
            return Ok(place);
        }
        // One that has flavours goes behind them.
        let last = self.last.filter(|place| self.format != Some(*place) && self.is_recent(*place));
        let last = last.filter(|place| !self.candidates.has_flavours(*place));
        if let Some(place) = last
            && trial.read(place, Seen::ALL, cx, record)
        {
            return Ok(place);
        }
        let seen = look(text);
        let possible = self.candidates.possible(text, seen, cx.arena);
        let recent = possible.iter().rposition(|place| self.is_recent(*place));
        let (early, rest) = possible.split_at(recent.map_or(0, |recent| recent + 1));
        let first = |place: &&usize| self.is_recent(**place) || self.candidates.shows(**place);
        let others = early.iter().filter(|place| !first(place));
        let places = early.iter().filter(first).chain(others).chain(rest);
        for place in places.filter(|place| ![self.format, last].contains(&Some(**place))) {
            if trial.tries == 0 {
                break;
            }
            if trial.read(*place, seen, cx, record) {
                return Ok(*place);
            }
        }
        Err(trial.reason)
    }

    /// Whether several of the recent lines are of a format.
    fn is_recent(&self, place: usize) -> bool {
        self.scores.iter().any(|(of, score)| *of == place && *score >= RECENT)
    }

    /// Counts a line for what it fitted, and goes over to what leads.
    fn note(&mut self, found: Option<usize>) {
        self.lines += 1;
        if self.lines >= MEMORY {
            self.lines = 0;
            self.plain /= 2;
            self.scores.iter_mut().for_each(|(_, score)| *score /= 2);
        }
        match found {
            None => self.plain += 1,
            Some(place) => self.count(place),
        }
        let leads = |score: u16, over: u16| score >= over.saturating_add(LEAD);
        let current = match (self.format, &self.chosen) {
            (Some(place), _) => self.score(place),
            (None, Some(_)) => self.plain,
            (None, None) => 0,
        };
        let undecided = self.chosen.is_none();
        match found {
            // The first line that fits decides for now: plain lines before it may be a banner.
            Some(place)
                if self.format != Some(place)
                    && (undecided || leads(self.score(place), current)) =>
            {
                self.choose(Some(place));
            }
            None if undecided && self.plain >= PLAIN_AFTER => self.choose(None),
            None if self.format.is_some() && leads(self.plain, current.saturating_mul(8)) => {
                self.choose(None);
            }
            _ => {}
        }
    }

    /// Counts a line for a format, in place of the one with the fewest if it is new.
    fn count(&mut self, place: usize) {
        let known = |(of, score): &&mut (usize, u16)| *of == place && *score > 0;
        if let Some((_, score)) = self.scores.iter_mut().find(known) {
            *score += 1;
            return;
        }
        let chosen = self.format;
        let others =
            self.scores.iter_mut().filter(|(of, score)| *score == 0 || chosen != Some(*of));
        if let Some(least) = others.min_by_key(|(_, score)| *score) {
            *least = (place, 1);
        }
    }

    fn score(&self, place: usize) -> u16 {
        let found = self.scores.iter().find(|(of, score)| *of == place && *score > 0);
        found.map_or(0, |(_, score)| *score)
    }

    fn choose(&mut self, place: Option<usize>) {
        self.format = place;
        let name = place.and_then(|place| self.candidates.get(place));
        self.chosen =
            Some(name.map_or_else(|| PLAIN.into(), |candidate| candidate.compiled.name.clone()));
    }
}

/// Which format a text fits, as far as it has been found out.
struct Trial<'t, 'a> {
    auto: &'t Auto,
    text: &'a str,
    /// Readings that are left.
    tries: usize,
    /// What to say if none fits.
    reason: Misfit,
}

impl<'a> Trial<'_, 'a> {
    /// Whether the text, which has these bytes, fits a format: it has filled the record, then.
    fn read(
        &mut self,
        place: usize,
        seen: Seen,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> bool {
        let candidates = &self.auto.candidates;
        let Some(candidate) = candidates.get(place).filter(|it| it.compiled.may_fit(self.text))
        else {
            return false;
        };
        let bad_times = *cx.bad_times;
        clear(record);
        cx.seen = seen;
        let Err(misfit) = candidate.read(self.text, cx, record) else { return true };
        *cx.bad_times = bad_times;
        self.tries -= 1;
        // What its own format says of a line tells more than that no other fits; of others, only a
        // refused object is surely no prose.
        let telling = self.auto.format == Some(place)
            || self.reason == Misfit::Syntax && candidates.is_json(place);
        if telling {
            self.reason = misfit;
        }
        false
    }
}

/// Empties a record that a grammar may have half filled.
pub(super) fn clear(record: &mut Record<'_>) {
    record.fields.clear();
    (record.time, record.level, record.message) = (None, None, None);
    (record.unmappable, record.decoded) = (false, false);
}

#[cfg(test)]
mod tests;
