//! Says how every parser there is takes to one text: for `pillion explain`.

use super::compiled::Method;
use super::library::Library;
use super::{Misfit, Parser, ParserState, ReadAt};
use crate::Arena;
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

/// Tries a text against every parser but those that try others themselves (`auto`, and the
/// containers), as strictly as `auto` does. The best comes first; among equals, the library's order.
#[must_use]
pub fn explain(library: &Library, text: &str, at: ReadAt) -> Vec<Fit> {
    let mut fits: Vec<Fit> = library
        .names()
        .filter_map(|name| {
            let compiled = library.compiled(name).ok()?;
            if matches!(*compiled.method, Method::Auto) {
                return None;
            }
            let mut parser = Parser::with(compiled, library, ParserState::default());
            parser.guessing = true;
            let arena = Arena::new();
            let mut record = Record::default();
            parser.parse(text, at, &arena, &mut record);
            let counts = parser.counters().unparsed;
            let misfit = Misfit::ALL.into_iter().zip(counts).find(|(_, count)| *count > 0);
            Some(Fit {
                name: name.to_owned(),
                score: score(&record),
                misfit: misfit.map(|(misfit, _)| misfit),
                fields: record.fields.len(),
            })
        })
        .collect();
    fits.sort_by_key(|fit| std::cmp::Reverse(fit.score));
    fits
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
