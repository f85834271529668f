//! Finds out the format by looking at the lines.
//!
//! The format that fitted so far is tried first; a line that does not fit it is tried against the
//! others that it could be of, as its first bytes tell. The choice is what fits most of the recent
//! lines, so that it follows an application that changes its format, and does not waver for one that
//! mixes two. What stands in a wrapping format (syslog) is looked for among those that may.

mod candidates;
mod tally;

use std::sync::Arc;

use super::compiled::Compiled;
use super::grammar::Context;
use super::seen::Seen;
use super::trace::{is_trace, whole_or_head};
use super::{Misfit, ParserState};
use crate::multiline::{Choice, Chosen, Joiner};
use crate::record::Record;
pub(super) use candidates::Candidates;
use candidates::{Places, Possible};
pub use tally::Tally;

/// Readings per line, the chosen format's included. A reading of a line that is not of the format
/// mostly ends within its first bytes.
const TRIES: usize = 48;
/// By how many lines another format must lead before the choice goes to it.
const LEAD: u16 = 16;
/// Lines that fit nothing before that is a choice, too.
const PLAIN_AFTER: u16 = 8;
/// The choice when nothing fits.
const PLAIN: &str = "plain";
/// What has been seen of a lineage.
#[derive(Debug)]
pub(super) struct Auto {
    candidates: Arc<Candidates>,
    /// What is chosen, for the lineage's joiner.
    choice: Choice,
    chosen: Option<Arc<str>>,
    /// Place of the chosen format; `None` for plain, and before there is a choice.
    format: Option<u16>,
    tally: Tally,
}

/// What came of a text.
pub(super) enum Found<'a> {
    /// A format fitted all but this, which lies below the text's first line.
    Fitted(&'a str),
    /// None did, as is usual in this lineage, or the text is a trace: it is its own message.
    Plain,
    /// None did, although the lineage has a format, or the text all but fits one.
    Unfit(Misfit),
}

impl Auto {
    pub(super) fn new(candidates: Arc<Candidates>, resume: ParserState) -> Self {
        let ParserState { chosen, tally } = resume;
        let format = chosen.as_ref().and_then(|name| candidates.place(name));
        let plain = chosen.as_deref() == Some(PLAIN);
        let of = candidates.number();
        // Places say nothing where there are other formats now.
        let tally = tally.filter(|tally| tally.of == of);
        let tally = tally.unwrap_or_else(|| Tally::new(of, format, plain));
        let chosen = chosen.filter(|_| plain || format.is_some());
        let auto = Self { candidates, choice: Choice::default(), chosen, format, tally };
        auto.tell();
        auto
    }

    pub(super) fn chosen(&self) -> Option<&Arc<str>> {
        self.chosen.as_ref()
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// Of how many recent lines how many are of what is chosen.
    pub(super) fn sure(&self) -> (u16, u16) {
        (self.format.map_or(self.tally.plain, |place| self.tally.score(place)), self.tally.all())
    }

    /// Whether the line before was read by a format, or in its grammar.
    pub(super) fn has_read_by(&self, format: &Compiled) -> bool {
        let last = self.tally.last.and_then(|place| self.candidates.get(place));
        last.is_some_and(|last| {
            let last = &last.compiled;
            last.name == format.name
                || last.grammar().is_some() && last.grammar() == format.grammar()
        })
    }

    /// Joins lines as the format asks for that they are of.
    pub(super) fn joiner(&self) -> Joiner {
        Joiner::by_format(self.candidates.clone(), self.choice.clone())
    }

    /// Reads a text, else its first line, by whichever format fits. Leaves the record in disorder
    /// unless one did.
    pub(super) fn read<'a>(
        &mut self,
        text: &'a str,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> Found<'a> {
        let mut found: Option<u16> = None;
        // What is known before it is looked at.
        let known = if cx.seen.has(Seen::NEWLINE) { Seen::ALL } else { Seen::ONE_LINE };
        // Of several lines that its own format has a first line of, another would make one message.
        let end = known.has(Seen::NEWLINE).then(|| memchr::memchr(b'\n', text.as_bytes()));
        let own = end.flatten().and_then(|end| {
            let chosen = self.format.filter(|place| !self.candidates.is_generic(*place));
            chosen.or_else(|| self.of_head(text.get(..end)?, cx, record))
        });
        let own = own.and_then(|place| Some((place, self.read_own(place, text, cx, record)?)));
        let read = match own {
            Some((place, below)) => {
                found = Some(place);
                Ok(below)
            }
            None => whole_or_head(text, record, |text, record| {
                found = Some(self.find(text, known, cx, record)?);
                Ok(())
            }),
        };
        self.note(found.filter(|place| self.candidates.is_told(*place, record)));
        match read {
            Ok(below) => Found::Fitted(below),
            Err(Misfit::Syntax) if self.format.is_none() || is_trace(text) => Found::Plain,
            Err(misfit) => Found::Unfit(misfit),
        }
    }

    /// The format that the first of several lines is of, where none is chosen that tells: others' lines,
    /// too, would be read by one that takes every message.
    fn of_head<'a>(
        &self,
        head: &'a str,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> Option<u16> {
        let bad_times = *cx.bad_times;
        let head = head.strip_suffix('\r').unwrap_or(head);
        let found = self.find(head, Seen::ONE_LINE, cx, record).ok();
        *cx.bad_times = bad_times;
        clear(record);
        found
    }

    /// Reads several lines, or the first of them, by one format, unless others' lines fit that, too.
    /// Gives what lies below.
    fn read_own<'a>(
        &self,
        place: u16,
        text: &'a str,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> Option<&'a str> {
        if self.candidates.yields(place) {
            return None;
        }
        let read = whole_or_head(text, record, |text, record| {
            let mut trial = Trial { auto: self, text, tries: 1, reason: Misfit::Syntax };
            let fits = trial.fits(place) && trial.read(place, Seen::ALL, cx, record);
            if fits { Ok(()) } else { Err(trial.reason) }
        });
        read.ok()
    }

    /// The place of a format that a text fits, having filled the record: the chosen one, else one of
    /// those that fitted lately or that show by texts of their own, else any. One that others' lines
    /// fit, too, goes behind them, be it chosen or not.
    fn find<'a>(
        &self,
        text: &'a str,
        known: Seen,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> Result<u16, Misfit> {
        let mut trial = Trial { auto: self, text, tries: TRIES, reason: Misfit::Syntax };
        let (tally, candidates) = (&self.tally, &self.candidates);
        let early = |place: &u16| !candidates.yields(*place);
        let chosen = self.format.filter(early);
        let last = tally.last.filter(|place| chosen != Some(*place) && tally.is_recent(*place));
        let last = last.filter(early);
        for place in [chosen, last].into_iter().flatten() {
            if trial.fits(place) && trial.read(place, known, cx, record) {
                return Ok(place);
            }
        }
        let mut possible = candidates.look_at(text);
        let sooner = possible.last_of(tally.recent()).map_or(0, |recent| recent + 1);
        let places = possible.places(0..sooner, cx.arena);
        let recent = Places::from_iter_in(tally.recent().filter(early), cx.arena);
        let is_recent = |place: &u16| recent.iter().any(|recent| recent == place);
        let first = |place: &&u16| candidates.shows(**place) || is_recent(place);
        let others = places.iter().filter(|place| !first(place));
        let is_other = |place: &&u16| ![chosen, last].contains(&Some(**place));
        let seen = possible.seen();
        for place in places.iter().filter(first).chain(others).filter(is_other) {
            if trial.tries > 0
                && trial.may_be(*place, &possible)
                && trial.read(*place, seen, cx, record)
            {
                return Ok(*place);
            }
        }
        let places = possible.places(sooner..u16::MAX, cx.arena);
        let seen = possible.seen();
        for place in places.iter().filter(is_other) {
            if trial.tries > 0
                && trial.may_be(*place, &possible)
                && trial.read(*place, seen, cx, record)
            {
                return Ok(*place);
            }
        }
        // So many others were tried that its own turn did not come.
        match self.format.filter(|place| trial.tries == 0 && !early(place)) {
            Some(place) if trial.fits(place) && trial.read(place, seen, cx, record) => Ok(place),
            _ => Err(trial.reason),
        }
    }

    /// Counts a line for what it fitted, and goes over to what leads, or to what all lines are of now.
    fn note(&mut self, found: Option<u16>) {
        self.tally.note(found, self.format);
        let tally = &self.tally;
        let leads = |score: u16, over: u16| score >= over.saturating_add(LEAD);
        let current = match (self.format, &self.chosen) {
            (Some(place), _) => tally.score(place),
            (None, Some(_)) => tally.plain,
            (None, None) => 0,
        };
        let undecided = self.chosen.is_none();
        match found {
            // The first line that fits decides for now: plain lines before it may be a banner.
            Some(place)
                if self.format != Some(place)
                    && (undecided || tally.run >= LEAD || leads(tally.score(place), current)) =>
            {
                self.choose(Some(place));
            }
            None if undecided && tally.plain >= PLAIN_AFTER => self.choose(None),
            None if self.format.is_some() && leads(tally.plain, current.saturating_mul(8)) => {
                self.choose(None);
            }
            _ => {}
        }
    }

    fn choose(&mut self, place: Option<u16>) {
        self.format = place;
        let name = place.and_then(|place| self.candidates.get(place));
        self.chosen =
            Some(name.map_or_else(|| PLAIN.into(), |candidate| candidate.compiled.name.clone()));
        self.tell();
    }

    /// Tells the joiner what is chosen.
    fn tell(&self) {
        self.choice.set(match (self.format, &self.chosen) {
            (Some(place), _) => Chosen::Format(place),
            (None, Some(_)) => Chosen::Plain,
            (None, None) => Chosen::Nothing,
        });
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
    /// Whether the text could be of a format, from its beginning and what it must have.
    fn fits(&self, place: u16) -> bool {
        self.auto.candidates.get(place).is_some_and(|it| it.compiled.may_fit(self.text))
    }

    /// The same of one that it could be of by its bytes: they may have told what it has.
    fn may_be(&self, place: u16, possible: &Possible<'_, '_>) -> bool {
        let candidate = self.auto.candidates.get(place);
        candidate.is_some_and(|it| match possible.shows_all(place) {
            true => it.compiled.may_begin(self.text),
            false => it.compiled.may_fit(self.text),
        })
    }

    /// Whether the text, which has these bytes, fits a format: it has filled the record, then.
    fn read(
        &mut self,
        place: u16,
        seen: Seen,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> bool {
        let candidates = &self.auto.candidates;
        let Some(candidate) = candidates.get(place) else { return false };
        let bad_times = *cx.bad_times;
        clear(record);
        cx.seen = seen;
        let Err(misfit) = candidate.read(self.text, cx, record) else { return true };
        *cx.bad_times = bad_times;
        self.tries = self.tries.saturating_sub(1);
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
