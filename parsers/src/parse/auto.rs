//! Finds out the format by looking at the lines.
//!
//! The format that fitted so far is tried first; a line that does not fit it is tried against the
//! others that it could be of, as its first bytes tell. The choice is what fits most of the recent
//! lines, so that it follows an application that changes its format, and does not waver for one that
//! mixes two. What stands in a wrapping format (syslog) is looked for among those that may.

use std::sync::Arc;

use super::compiled::{Compiled, Method};
use super::grammar::Context;
use super::seen::Seen;
use super::trace::whole_or_head;
use super::wrapped::Wrapped;
use super::{Misfit, json};
use crate::record::Record;

/// Readings per line, the chosen format's included. A reading of a line that is not of the format
/// mostly ends within its first bytes.
const TRIES: usize = 48;
/// Lines after which all scores are halved: about how far back the choice remembers.
const MEMORY: u16 = 256;
/// By how many lines another format must lead before the choice goes to it.
const LEAD: u16 = 16;
/// Lines that fit nothing before that is a choice, too.
const PLAIN_AFTER: u16 = 8;
/// The choice when nothing fits.
const PLAIN: &str = "plain";
/// Formats whose recent lines are counted for a lineage.
const COUNTED: usize = 6;
/// Bytes of a line in which what a format must have is looked for.
const LOOKED_AT: usize = 4096;

/// The formats that `auto` knows, in the order they are tried.
#[derive(Debug)]
pub(super) struct Candidates {
    formats: Vec<Candidate>,
    /// The bytes that a text of each has.
    needs: Vec<Seen>,
    /// For each byte that a text may begin with, which of `lists` has those that it could be of.
    by_first: Vec<usize>,
    /// Places of formats. Many bytes have the same.
    lists: Vec<Vec<usize>>,
}

/// A format, and those whose lines may stand in it.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) compiled: Arc<Compiled>,
    pub(super) inner: Wrapped,
}

impl Candidates {
    pub(super) fn new(compiled: impl Iterator<Item = Arc<Compiled>>) -> Self {
        let all: Vec<Arc<Compiled>> = compiled.collect();
        let tried = all.iter().filter(|compiled| match &*compiled.method {
            Method::Grammar(grammar) => grammar.probe.is_some(),
            // What names its programs has no look of its own.
            Method::Layout(_) => compiled.programs.is_empty(),
            Method::Auto | Method::Pattern(_) => false,
        });
        let formats = tried.map(|compiled| Candidate {
            compiled: Arc::clone(compiled),
            inner: Wrapped::new(compiled, &all),
        });
        let formats: Vec<Candidate> = formats.collect();
        let needs = formats.iter().map(|candidate| needs(&candidate.compiled)).collect();
        let (mut by_first, mut lists) = (Vec::new(), Vec::new());
        for first in 0..=u8::MAX {
            let may = |(place, candidate): (usize, &Candidate)| {
                candidate.may_begin(first).then_some(place)
            };
            let list: Vec<usize> = formats.iter().enumerate().filter_map(may).collect();
            let known = lists.iter().position(|known| *known == list);
            by_first.push(known.unwrap_or(lists.len()));
            if known.is_none() {
                lists.push(list);
            }
        }
        Self { formats, needs, by_first, lists }
    }

    /// The places of the formats that a text could be of, from its first byte and those that it has.
    fn possible(&self, text: &str, seen: Seen) -> impl Iterator<Item = usize> {
        let list = text
            .as_bytes()
            .first()
            .and_then(|first| self.lists.get(*self.by_first.get(usize::from(*first))?));
        let has = move |place: &usize| self.needs.get(*place).is_some_and(|needs| seen.has(*needs));
        list.into_iter().flatten().copied().filter(has)
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.formats.iter().position(|candidate| &*candidate.compiled.name == name)
    }

    /// Whether it is JSON of no flavour.
    fn is_json(&self, place: usize) -> bool {
        self.get(place).is_some_and(|candidate| &*candidate.compiled.name == json::GRAMMAR.name)
    }

    fn get(&self, place: usize) -> Option<&Candidate> {
        self.formats.get(place)
    }
}

impl Candidate {
    /// Whether a text of this format may begin so.
    pub(super) fn may_begin(&self, first: u8) -> bool {
        match &*self.compiled.method {
            Method::Grammar(_) => true,
            Method::Layout(layout) => layout.may_fit(&[first], Seen::ALL),
            Method::Auto | Method::Pattern(_) => false,
        }
    }

    /// Whether a text that has these bytes could be of this format: a few nanoseconds.
    pub(super) fn may_fit(&self, text: &str, seen: Seen) -> bool {
        let bytes = text.as_bytes();
        let begins = match &*self.compiled.method {
            Method::Grammar(grammar) => grammar.probe.is_some_and(|probe| probe(bytes)),
            Method::Layout(layout) => layout.may_fit(bytes, seen),
            Method::Auto | Method::Pattern(_) => false,
        };
        let head = bytes.get(..LOOKED_AT).unwrap_or(bytes);
        begins && self.compiled.contains.iter().all(|part| part.find(head).is_some())
    }

    /// Reads a text by this format, and what may stand in it by its own.
    fn read<'a>(
        &self,
        text: &'a str,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        match self.compiled.read_unwrapped(text, cx, record)? {
            "" => {}
            _ => return Err(Misfit::Syntax),
        }
        self.inner.read(record, cx);
        Ok(())
    }
}

/// Bytes that every text of a format has.
pub(super) fn needs(compiled: &Compiled) -> Seen {
    let needs = match &*compiled.method {
        Method::Grammar(grammar) => Seen::of(grammar.needs.as_bytes()),
        Method::Layout(layout) => layout.needs(),
        Method::Auto | Method::Pattern(_) => Seen::default(),
    };
    compiled.contains.iter().map(|part| Seen::of(part.needle())).fold(needs, Seen::and)
}

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
        match read {
            Ok(below) => Found::Fitted(below),
            Err(Misfit::Syntax) if self.format.is_none() => Found::Plain,
            Err(misfit) => Found::Unfit(misfit),
        }
    }

    /// The place of a format that a text fits, having filled the record.
    fn find<'a>(
        &self,
        text: &'a str,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> Result<usize, Misfit> {
        let mut reason = Misfit::Syntax;
        let bad_times = *cx.bad_times;
        let mut read = |place: usize, seen: Seen| -> Option<Result<(), Misfit>> {
            let candidate =
                self.candidates.get(place).filter(|candidate| candidate.may_fit(text, seen))?;
            clear(record);
            cx.seen = seen;
            let read = candidate.read(text, cx, record);
            if read.is_err() {
                *cx.bad_times = bad_times;
            }
            Some(read)
        };
        let mut tries = TRIES;
        if let Some(place) = self.format {
            match read(place, Seen::ALL) {
                Some(Ok(())) => return Ok(place),
                // What its own format says of a line tells more than that no other fits.
                Some(Err(misfit)) => {
                    reason = misfit;
                    tries -= 1;
                }
                None => {}
            }
        }
        let seen = look(text);
        let others = self.candidates.possible(text, seen);
        for place in others.filter(|place| self.format != Some(*place)) {
            if tries == 0 {
                break;
            }
            match read(place, seen) {
                Some(Ok(())) => return Ok(place),
                Some(Err(misfit)) => {
                    tries -= 1;
                    // Only a refused object is surely no prose.
                    if reason == Misfit::Syntax && self.candidates.is_json(place) {
                        reason = misfit;
                    }
                }
                None => {}
            }
        }
        Err(reason)
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

/// The bytes that a text has. One that is too long to be looked at could have any.
pub(super) fn look(text: &str) -> Seen {
    if text.len() > LOOKED_AT { Seen::ALL } else { Seen::of(text.as_bytes()) }
}

/// Empties a record that a grammar may have half filled.
pub(super) fn clear(record: &mut Record<'_>) {
    record.fields.clear();
    (record.time, record.level, record.message) = (None, None, None);
    (record.unmappable, record.decoded) = (false, false);
}

#[cfg(test)]
mod tests;
