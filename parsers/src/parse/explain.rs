//! Says how every parser there is takes to one text: for `pillion explain`.

use std::sync::Arc;

use super::compiled::Compiled;
use super::library::Library;
use super::{Misfit, Parser, ParserState, ReadAt};
use crate::Arena;
use crate::frame::FileSpan;
use crate::record::Record;

/// How a parser takes to a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// The parser's name.
    pub name: String,
    /// How sure one can be that the text is of this format, from 0 (it does not fit) to 100: what
    /// was found of time, level, message and fields.
    pub score: u8,
    /// Why it does not fit.
    pub misfit: Option<Misfit>,
    /// Fields found, besides time, level and message.
    pub fields: usize,
}

/// Tries texts against every parser but those that try others themselves (`auto`, and the containers),
/// as strictly as `auto` does. What a header said holds for the texts that follow.
#[derive(Debug)]
pub struct Explainer {
    parsers: Vec<(String, Arc<Compiled>, Parser)>,
}

impl Explainer {
    /// One that has seen no text.
    #[must_use]
    pub fn new(library: &Library) -> Self {
        let parsers = library.names().filter_map(|name| {
            let compiled = library.compiled(name).ok().filter(|compiled| !compiled.finds())?;
            let mut parser = Parser::with(compiled.clone(), library, ParserState::default());
            parser.guessing = true;
            Some((name.to_owned(), compiled, parser))
        });
        Self { parsers: parsers.collect() }
    }

    /// How the parsers take to a text, which is made of bytes that begin here. The best comes first;
    /// among equals, the library's order.
    #[must_use]
    pub fn fits(&mut self, text: &str, first: FileSpan, at: ReadAt) -> Vec<Fit> {
        let fit = |(name, compiled, parser): &mut (String, Arc<Compiled>, Parser)| {
            let before = parser.counters().unparsed;
            let arena = Arena::new();
            let mut record = Record::default();
            parser.place(first);
            parser.parse(text, at, &arena, &mut record);
            let counts = parser.counters().unparsed.into_iter().zip(before);
            let misfit =
                Misfit::ALL.into_iter().zip(counts).find(|(_, (now, before))| now > before);
            Fit {
                name: name.clone(),
                score: score(&record) / if is_telling(compiled, text) { 1 } else { 2 },
                misfit: misfit.map(|(misfit, _)| misfit),
                fields: record.fields.len(),
            }
        };
        let mut fits: Vec<Fit> = self.parsers.iter_mut().map(fit).collect();
        fits.sort_by_key(|fit| std::cmp::Reverse(fit.score));
        fits
    }
}

/// Whether a text that fits shows that it is of a format: any object fits what is a flavour of JSON.
fn is_telling(compiled: &Compiled, text: &str) -> bool {
    !compiled.manual && compiled.contains.iter().all(|part| part.find(text.as_bytes()).is_some())
}

fn score(record: &Record<'_>) -> u8 {
    if record.marks.unparsed {
        return 0;
    }
    let found = |present: bool, worth: u8| if present { worth } else { 0 };
    let fields = u8::try_from(record.fields.len().min(7)).unwrap_or(7) * 5;
    found(record.time.is_some(), 40)
        + found(record.level.is_some(), 15)
        + found(record.message.is_some(), 10)
        + fields
}
