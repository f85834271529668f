//! The labelled corpus: lines with values of every kind, each with its place; lines with look-alikes; the
//! lines that real programs logged. Made anew from a seed whenever it is wanted, so that nothing of it
//! needs to be kept.
#![allow(dead_code, reason = "each of the programs that share this uses a part of it")]

mod checks;
mod commands;
mod contexts;
mod credentials;
mod draw;
mod kind;
mod national;
mod near;
mod payment;
mod personal;
mod recorded;
mod states;
mod text;
mod tokens;

use contexts::{FIELDS, MESSAGES, PIECES};
use draw::Draw;
use kind::Form;
pub(crate) use kind::Kind;
pub(crate) use text::Span;
use text::Text;

/// What goes in a field of its name whatever it is: of these, values that are not valid stand elsewhere.
const BY_NAME: &[&str] = &["us_ssn"];

/// Of which part of the corpus a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// Values of one kind in one context.
    Positive,
    /// Look-alikes.
    Near,
    /// What a program logged.
    Recorded,
}

impl Part {
    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Near => "near",
            Self::Recorded => "recorded",
        }
    }
}

/// A line and what is to be found in it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The line; of joined records several.
    pub(crate) text: String,
    /// What is to be found, in order.
    pub(crate) spans: Vec<Span>,
    /// Of which part it is.
    pub(crate) part: Part,
    /// The context, or the log.
    pub(crate) from: String,
}

/// Every kind.
pub(crate) fn kinds() -> impl Iterator<Item = &'static Kind> {
    [
        personal::KINDS,
        payment::KINDS,
        national::KINDS,
        states::KINDS,
        tokens::KINDS,
        credentials::KINDS,
        commands::KINDS,
    ]
    .into_iter()
    .flatten()
}

/// The kind of a span. Some values have none: whether they go does not matter.
pub(crate) fn kind(name: &str) -> Option<&'static Kind> {
    kinds().find(|kind| kind.name == name)
}

/// The corpus of a seed, with `times` values of each kind in each context.
pub(crate) fn corpus(seed: u64, times: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for (at, kind) in kinds().enumerate() {
        // Each kind draws for itself, so that a new one changes nothing of the others.
        let mut draw = Draw::new(seed.wrapping_add(1 + at as u64) << 20);
        for _ in 0..times {
            positives(&mut draw, kind, &mut lines);
        }
    }
    near(&mut Draw::new(seed), times, &mut lines);
    lines.extend(recorded::lines());
    lines
}

/// A value in every spelling that the corpus's lines give one.
pub(crate) fn spellings(value: &str) -> Vec<String> {
    let once = [text::json, text::unicode_escaped, text::url, text::url_component, text::xml];
    let mut all: Vec<String> = once.iter().map(|spell| spell(value)).collect();
    all.extend([value.to_owned(), text::json(&text::json(value))]);
    all
}

fn push(lines: &mut Vec<Line>, part: Part, from: &str, text: &Text) {
    let (text, spans) = text.labelled();
    lines.push(Line { text, spans, part, from: from.to_owned() });
}

/// One value of a kind in each context.
fn positives(draw: &mut Draw, kind: &Kind, lines: &mut Vec<Line>) {
    let part = Part::Positive;
    match kind.form {
        Form::Snippet(make) => {
            for (from, wrap) in MESSAGES {
                let message = make(draw);
                push(lines, part, from, &wrap(draw, message));
            }
        }
        Form::Value { make, keys, phrases, .. } => {
            for (from, field) in FIELDS {
                let value = Text::value(kind.name, make(draw));
                let key = *draw.pick(keys);
                push(lines, part, from, &field(draw, key, value));
            }
            for (from, field) in PIECES {
                let value = Text::value(kind.name, make(draw));
                let key = *draw.pick(keys);
                let piece = field(draw, key, value);
                let (_, wrap) = draw.pick(MESSAGES);
                push(lines, part, from, &wrap(draw, piece));
            }
            for (from, wrap) in MESSAGES {
                if let Some(phrase) = (!phrases.is_empty()).then(|| *draw.pick(phrases)) {
                    let value = Text::value(kind.name, make(draw)).within_phrase(phrase);
                    push(lines, part, from, &wrap(draw, value));
                }
            }
        }
    }
}

/// Look-alikes: of every sort in a few contexts, and of every kind one whose check digit is wrong.
fn near(draw: &mut Draw, times: usize, lines: &mut Vec<Line>) {
    for _ in 0..12 * times {
        for (from, make, keys) in near::VALUES {
            let (key, value) = (*draw.pick(keys), make(draw));
            push(lines, Part::Near, from, &anywhere(draw, key, value));
        }
        for kind in kinds() {
            let Form::Value { make, keys, spoil: Some(spoil), .. } = kind.form else { continue };
            let keys = if BY_NAME.contains(&kind.name) { &["order", "ref", "value"] } else { keys };
            let (key, valid) = (*draw.pick(keys), make(draw));
            let value = spoil(draw, &valid);
            push(lines, Part::Near, kind.name, &anywhere(draw, key, value));
        }
    }
    for (from, wrap) in MESSAGES {
        for sentence in near::SENTENCES {
            push(lines, Part::Near, from, &wrap(draw, Text::ground(*sentence)));
        }
    }
}

/// A field in any context.
fn anywhere(draw: &mut Draw, key: &str, value: String) -> Text {
    let (_, field) = draw.pick(FIELDS);
    if draw.one_in(2) {
        return field(draw, key, value.into());
    }
    let (_, piece) = draw.pick(PIECES);
    let piece = piece(draw, key, value.into());
    let (_, wrap) = draw.pick(MESSAGES);
    wrap(draw, piece)
}
