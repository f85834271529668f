//! Finds out the format by looking at the lines.
//!
//! The format that fitted so far is tried first; a line that does not fit it is tried against the
//! others whose probe says that it could be theirs. The choice is what fits most of the recent
//! lines, so that it follows an application that changes its format, and does not waver for one that
//! mixes two. Work per line is bounded: one probe of a few nanoseconds per grammar, and at most
//! [`TRIES`] readings.

use std::sync::Arc;

use super::grammar::{Context, GRAMMARS, Grammar};
use super::trace::whole_or_head;
use super::{Misfit, json};
use crate::record::Record;

/// Readings per line, the chosen format's included.
const TRIES: usize = 3;
/// Lines after which all scores are halved: about how far back the choice remembers.
const MEMORY: u16 = 256;
/// By how many lines another format must lead before the choice goes to it.
const LEAD: u16 = 16;
/// Lines that fit nothing before that is a choice, too.
const PLAIN_AFTER: u16 = 8;
/// The choice when nothing fits.
const PLAIN: &str = "plain";

/// What has been seen of a lineage.
#[derive(Debug, Default)]
pub(super) struct Auto {
    chosen: Option<Arc<str>>,
    /// Place of the chosen grammar in [`GRAMMARS`]; `None` for plain, and before there is a choice.
    grammar: Option<usize>,
    /// Recent lines that each grammar fitted, and those that none did.
    scores: [u16; GRAMMARS.len()],
    plain: u16,
    lines: u16,
}

/// What came of a text.
pub(super) enum Found<'a> {
    /// A grammar fitted all but this, which lies below the text's first line.
    Fitted(&'a str),
    /// None did, as is usual in this lineage: the text is its own message.
    Plain,
    /// None did, although the lineage has a format, or the text all but fits one.
    Unfit(Misfit),
}

impl Auto {
    pub(super) fn new(resume: Option<Arc<str>>) -> Self {
        let mut auto = Self::default();
        if let Some(name) = resume {
            // Half of what its lines may have earned it: a few that do not fit take nothing away.
            const EARNED: u16 = MEMORY / 2;
            auto.grammar = GRAMMARS.iter().position(|g| g.probe.is_some() && *g.name == *name);
            if let Some(score) = auto.grammar.and_then(|place| auto.scores.get_mut(place)) {
                *score = EARNED;
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

    /// Reads a text, else its first line, by whichever grammar fits. Leaves the record in disorder
    /// unless one did.
    pub(super) fn read<'a>(
        &mut self,
        text: &'a str,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> Found<'a> {
        cx.guessing = true;
        let mut found = None;
        let read = whole_or_head(text, record, |text, record| {
            found = Some(self.find(text, cx, record)?);
            Ok(())
        });
        self.note(found);
        match read {
            Ok(below) => Found::Fitted(below),
            Err(Misfit::Syntax) if self.grammar.is_none() => Found::Plain,
            Err(misfit) => Found::Unfit(misfit),
        }
    }

    /// The place of a grammar that fits a text, having filled the record.
    fn find<'a>(
        &self,
        text: &'a str,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> Result<usize, Misfit> {
        let mut reason = Misfit::Syntax;
        let mut tries = TRIES;
        let mut fits = |place: usize, grammar: &Grammar, record: &mut Record<'a>| -> bool {
            let bad_times = *cx.bad_times;
            clear(record);
            match (grammar.read)(text, cx, record) {
                Ok(()) => true,
                Err(misfit) => {
                    *cx.bad_times = bad_times;
                    // What its own format says of a line tells more than that no other fits. Of the
                    // others, only a refused object is surely no prose.
                    let object = grammar.name == json::GRAMMAR.name;
                    if self.grammar == Some(place) || object && reason == Misfit::Syntax {
                        reason = misfit;
                    }
                    false
                }
            }
        };
        let candidates = self.grammar.into_iter().chain(0..GRAMMARS.len());
        for (turn, place) in candidates.enumerate() {
            let Some(grammar) = GRAMMARS.get(place) else { continue };
            let Some(probe) = grammar.probe else { continue };
            if (turn > 0 && self.grammar == Some(place)) || tries == 0 || !probe(text.as_bytes()) {
                continue;
            }
            tries -= 1;
            if fits(place, grammar, record) {
                return Ok(place);
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
            self.scores.iter_mut().for_each(|score| *score /= 2);
        }
        match found {
            None => self.plain += 1,
            Some(place) => {
                if let Some(score) = self.scores.get_mut(place) {
                    *score += 1;
                }
            }
        }
        let leads = |score: u16, over: u16| score >= over.saturating_add(LEAD);
        let current = match (self.grammar, &self.chosen) {
            (Some(place), _) => self.scores.get(place).copied().unwrap_or(0),
            (None, Some(_)) => self.plain,
            (None, None) => 0,
        };
        let undecided = self.chosen.is_none();
        match found {
            Some(place) if self.grammar != Some(place) => {
                let score = self.scores.get(place).copied().unwrap_or(0);
                // The first line that fits decides for now: plain lines before it may be a banner.
                if undecided || leads(score, current) {
                    self.choose(Some(place));
                }
            }
            None if undecided && self.plain >= PLAIN_AFTER => self.choose(None),
            None if self.grammar.is_some() && leads(self.plain, current.saturating_mul(8)) => {
                self.choose(None);
            }
            _ => {}
        }
    }

    fn choose(&mut self, place: Option<usize>) {
        self.grammar = place;
        let name =
            place.and_then(|place| GRAMMARS.get(place)).map_or(PLAIN, |grammar| grammar.name);
        self.chosen = Some(name.into());
    }
}

/// Empties a record that a grammar may have half filled.
pub(super) fn clear(record: &mut Record<'_>) {
    record.fields.clear();
    (record.time, record.level, record.message) = (None, None, None);
    record.unmappable = false;
}

#[cfg(test)]
mod tests;
