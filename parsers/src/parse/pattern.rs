//! A user's pattern: a regular expression whose named captures become the record.

mod sequence;
mod tail;

use std::sync::OnceLock;

use regex::{CaptureLocations, Regex, RegexBuilder};

use super::convert::{self, Leveller};
use super::cursor::Bytes;
use super::grammar::Context;
use super::{Misfit, names};
use crate::definition::{Definition, Fault, FieldType};
use crate::record::{Key, Known, Record, Text, Value};
use crate::redact::ends_in_secret;
use crate::timestamp::Format;
use sequence::{Sequence, Walked};
use tail::Tail;

/// Bytes a compiled pattern may take, and those its lazy automaton may keep, per pattern.
const SIZE_LIMIT: usize = 1 << 20;

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    text: String,
    /// All of it, where it was needed.
    whole: OnceLock<Regex>,
    /// The same as runs and texts, if it is nothing else: it is walked first.
    sequence: Option<Sequence>,
    /// The same without the group that takes the rest of a line: it is tried before all of it.
    tail: Option<Tail>,
    /// What each named group becomes.
    captures: Vec<Capture>,
    time: Format,
    level: Leveller,
}

/// Room for the matches of a parser's patterns, reused from line to line.
#[derive(Default)]
pub(crate) struct Locations {
    of: Vec<(usize, CaptureLocations)>,
    /// Where groups begin and end that are walked.
    places: Vec<usize>,
}

impl Locations {
    /// The room for a pattern's regex, which does not move while its parser is there.
    fn of(&mut self, regex: &Regex) -> &mut CaptureLocations {
        let place = std::ptr::from_ref(regex).addr();
        let known = self.of.iter().position(|(of, _)| *of == place);
        let at = known.unwrap_or_else(|| {
            self.of.push((place, regex.capture_locations()));
            self.of.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "it was found or has just been put there")]
        &mut self.of[at].1
    }
}

/// A named group.
#[derive(Debug)]
struct Capture {
    group: usize,
    key: Key<'static>,
    gives: Gives,
}

/// What a capture becomes.
#[derive(Clone, Copy, Debug)]
enum Gives {
    Time,
    Level,
    Message,
    Text,
    Typed(FieldType),
}

impl Pattern {
    /// Compiles a definition's pattern.
    pub(super) fn new(pattern: &str, definition: &Definition) -> Result<Self, Fault> {
        let regex = build(pattern).map_err(|error| Fault::Pattern(error.to_string()))?;
        let time = definition.time.as_ref();
        let time_field = time.and_then(|time| time.field.as_deref());
        let level_field = definition.level.as_ref().and_then(|level| level.field.as_deref());
        let captures: Vec<Capture> = regex
            .capture_names()
            .enumerate()
            .filter_map(|(group, name)| Some((group, name?)))
            .map(|(group, name)| {
                let gives = if name == time_field.unwrap_or("time") {
                    Gives::Time
                } else if name == level_field.unwrap_or("level") {
                    Gives::Level
                } else if name == "message" {
                    Gives::Message
                } else {
                    match definition.types.get(name) {
                        None | Some(FieldType::String) => Gives::Text,
                        Some(kind) => Gives::Typed(*kind),
                    }
                };
                Capture { group, key: key(name), gives }
            })
            .collect();
        if captures.is_empty() {
            return Err(Fault::Pattern("it has no named group, as `(?<message>.*)`".to_owned()));
        }
        let named = |field: &str| captures.iter().any(|capture| capture.key.name() == field);
        let typed = definition.types.keys().map(|field| ("types", field.as_str()));
        let wanted = typed
            .chain(time_field.map(|field| ("time", field)))
            .chain(level_field.map(|field| ("level", field)));
        for (key, field) in wanted {
            if !named(field) {
                return Err(Fault::NoSuchField { key, field: field.to_owned() });
            }
        }
        let time = convert::format(time)?;
        let level = Leveller::new(definition.level.as_ref());
        let tail = Tail::of(pattern, |head| build(head).ok());
        // Few lines need both: the other is compiled anew for the first that does.
        let whole = if tail.is_some() { OnceLock::new() } else { OnceLock::from(regex) };
        let sequence = Sequence::of(pattern);
        Ok(Self { text: pattern.to_owned(), whole, sequence, tail, captures, time, level })
    }

    /// Where a text matches.
    fn find<'l>(&self, text: &str, locations: &'l mut Locations) -> Option<Found<'l>> {
        if let Some(sequence) = &self.sequence {
            match sequence.walk(text, &mut locations.places) {
                Walked::Match(end) => {
                    let groups = Groups::Walked(&locations.places);
                    return Some(Found { start: 0, end, groups, rest: None });
                }
                Walked::Other => return None,
                Walked::Open => {}
            }
        }
        if let Some(tail) = &self.tail {
            let head = tail.head.captures_read(locations.of(&tail.head), text)?;
            if let Some((start, end, last)) = tail.rest(head, text) {
                let rest = Some((tail.group, (head.end(), last)));
                let groups = Groups::Matched(locations.of(&tail.head));
                return Some(Found { start, end, groups, rest });
            }
        }
        let whole = match self.whole.get() {
            Some(whole) => whole,
            // It was compiled before.
            None => {
                let whole = build(&self.text).ok()?;
                self.whole.get_or_init(|| whole)
            }
        };
        let groups = locations.of(whole);
        let found = whole.captures_read(groups, text)?;
        let (start, end) = (found.start(), found.end());
        Some(Found { start, end, groups: Groups::Matched(groups), rest: None })
    }

    /// Matches a text and fills the record.
    pub(super) fn read<'a>(
        &self,
        text: &'a str,
        cx: &mut Context<'_, 'a>,
        record: &mut Record<'a>,
    ) -> Result<(), Misfit> {
        let Context { clock, bad_times, locations, .. } = cx;
        let matched = self.find(text, locations).ok_or(Misfit::Syntax)?;
        // A line of a joined record that the match leaves out would be lost. Where the first line
        // fits by itself, whoever calls finds out.
        let bytes = text.as_bytes();
        let rest = [bytes.get(..matched.start), bytes.get(matched.end..)];
        if rest.into_iter().flatten().any(|rest| memchr::memchr(b'\n', rest).is_some()) {
            return Err(Misfit::Syntax);
        }
        for capture in &self.captures {
            let Some((start, end)) = matched.group(capture.group) else { continue };
            let Some(found) = text.get(start..end) else { continue };
            // Redaction's sweep over the raw record sees whole words only.
            let shown = || {
                let cut = splits_word(text, start) || splits_word(text, end);
                if cut { Text::built(found) } else { Text::raw(found) }
            };
            match capture.gives {
                Gives::Text => record.push(capture.key, Value::Text(shown())),
                Gives::Message => record.message = Some(shown()),
                Gives::Time => {
                    record.time = clock.read(&self.time, found);
                    if record.time.is_none() {
                        **bad_times += 1;
                        record.push(capture.key, Value::Text(shown()));
                    }
                }
                Gives::Level => match self.level.level(found) {
                    Some(level) => {
                        record.level = Some(level);
                        if let Some(key) = self.level.kept(found) {
                            record.push(key, Value::Text(shown()));
                        }
                    }
                    None => record.push(capture.key, Value::Text(shown())),
                },
                // What a secret's name stands before is looked at as it is written.
                Gives::Typed(_) if text.get(..start).is_some_and(ends_in_secret) => {
                    record.push(capture.key, Value::Text(shown()));
                }
                Gives::Typed(kind) => {
                    if let Some(value) = convert::text(found, kind)? {
                        record.push(capture.key, value);
                    }
                }
            }
        }
        record.parted.push(text);
        Ok(())
    }
}

/// A match.
struct Found<'l> {
    start: usize,
    end: usize,
    groups: Groups<'l>,
    /// The group that takes all that is left, which is not among the others, and where it is.
    rest: Option<(usize, (usize, usize))>,
}

/// Where the groups of a match are.
enum Groups<'l> {
    Matched(&'l CaptureLocations),
    /// By twice their number, and one more.
    Walked(&'l [usize]),
}

impl Found<'_> {
    #[inline]
    fn group(&self, group: usize) -> Option<(usize, usize)> {
        match self.rest {
            Some((rest, place)) if rest == group => Some(place),
            _ => match self.groups {
                Groups::Matched(groups) => groups.get(group),
                Groups::Walked(places) => match places.get(2 * group..2 * group + 2)? {
                    [start, end] => Some((*start, *end)),
                    _ => None,
                },
            },
        }
    }
}

fn build(pattern: &str) -> Result<Regex, regex::Error> {
    let mut builder = RegexBuilder::new(pattern);
    builder.size_limit(SIZE_LIMIT).dfa_size_limit(SIZE_LIMIT).build()
}

/// What words are made of.
static WORD: Bytes = Bytes::letters_and(b"_");

/// Whether a place lies within a word of letters, digits and `_`.
#[inline]
pub(super) fn splits_word(text: &str, place: usize) -> bool {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| WORD.has(*byte));
    let bytes = text.as_bytes();
    is_word(bytes.get(place)) && is_word(place.checked_sub(1).and_then(|at| bytes.get(at)))
}

/// The key of a field that a definition names.
fn key(name: &str) -> Key<'static> {
    let own = || Key::Text(Text::built(names::keep(name)));
    Known::from_name(name).map_or_else(own, Key::Known)
}
