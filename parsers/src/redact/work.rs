//! Redacts one text or number: finds, decides, splices, and looks again until nothing is found.

use std::ops::Range;

use super::decode::decode;
use super::detect::{
    Judge, Material, View, cookie_values, is_constant, is_entropic, is_hidden, is_prose,
    is_template,
};
use super::json::{self, Stop};
use super::rules::{Rules, Scanner};
use super::scan::{Extent, Familiar, Hit, scan, suspect};
use super::shapes::Slots;
use super::suspects::{Places, Suspects};
use super::sweep::Sweep;
use super::{Action, Match, Place, Why};

mod cookies;
mod parted;
mod spans;
mod splice;

use spans::{merge, snap};

/// What stands for a value on which too much work would have been done.
const GIVEN_UP: &str = "[REDACTED]";

/// How often a text is looked at: what is left after a replacement may match anew.
const ROUNDS: usize = 4;

/// How many strings JSON is looked for inside of: JSON in a string, in a string of JSON.
const LEVELS: usize = 2;

/// How often a raw record's escapes are undone to see what they hide: once for each string of JSON that text may
/// be in, and twice for what it says itself.
const ESCAPES: usize = LEVELS + 3;

/// What became of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing was found.
    Nothing,
    /// This stands in its place.
    Changed(String),
    /// The field is to be left out.
    DropField,
    /// The record is to be dropped.
    DropRecord,
}

/// Scratch space and counters of a redactor.
pub(super) struct Work {
    sweep: Sweep,
    familiar: Familiar,
    hits: Vec<Hit>,
    /// Of the raw record, where [`Suspects::Places`] says so.
    pub(super) places: Places,
    decoded: [String; 2],
    from: [Vec<u32>; 2],
    /// By the index of the rule.
    pub(super) matches: Vec<u64>,
    /// What the record may hold of a private key that began in an earlier one.
    pub(super) material: Option<Material>,
    /// Whether nothing is dropped: what would be is masked.
    pub(super) keeps: bool,
    /// What was found, while somebody wants to know.
    pub(super) explained: Option<Vec<Match>>,
    /// The rules whose words the name of the field ends in that is being looked at.
    pub(super) named: Slots,
    /// The field that is being looked at, while somebody wants to know.
    place: String,
}

impl Work {
    pub(super) fn new(rules: &Rules) -> Self {
        Self {
            sweep: Sweep::new(),
            familiar: Familiar::default(),
            hits: Vec::new(),
            places: Places::default(),
            decoded: Default::default(),
            from: Default::default(),
            matches: vec![0; rules.names().len()],
            material: None,
            keeps: false,
            explained: None,
            named: Slots::default(),
            place: String::new(),
        }
    }

    /// Where there may be anything to find in a raw record, or in any value cut out of it. What escapes hide is
    /// looked at, level by level, as a parser and a closer look would undo them.
    pub(super) fn suspects_raw(&mut self, rules: &Rules, raw: &str, extent: Extent) -> Suspects {
        let customs = |text: &str| rules.custom.iter().any(|custom| custom.suspects(text));
        let Self { sweep, familiar, hits, decoded: [first, second], from: [from, _], .. } = self;
        let to = (raw.as_bytes(), extent);
        let (suspects, mut escaped) = suspect(rules, (*sweep, familiar), to, hits);
        // A pattern may look for what only it has escaped.
        if !rules.custom.is_empty() && (is_escaped(raw) || customs(raw)) {
            return Suspects::Anything;
        }
        match suspects {
            Suspects::Anything => return Suspects::Anything,
            // What was found is in the text without its escapes, too.
            Suspects::Places if escaped => return Suspects::Anything,
            Suspects::Places => {
                self.places.fill(raw, hits);
                return Suspects::Places;
            }
            Suspects::Nothing => {}
        }
        for level in 0..ESCAPES {
            if !escaped || !decode(if level == 0 { raw } else { second }, first, from) {
                return Suspects::Nothing;
            }
            let to = (first.as_bytes(), Extent::First);
            let (hidden, deeper) = suspect(rules, (*sweep, familiar), to, hits);
            if hidden != Suspects::Nothing || customs(first) {
                return Suspects::Anything;
            }
            escaped = deeper;
            std::mem::swap(first, second);
        }
        Suspects::Anything
    }

    /// Whether there may be anything to find in a value.
    fn suspects(&mut self, rules: &Rules, text: &str) -> bool {
        let by = (self.sweep, &mut self.familiar);
        let to = (text.as_bytes(), Extent::First);
        self.material.is_some()
            || !self.named.is_empty()
            || suspect(rules, by, to, &mut self.hits) != (Suspects::Nothing, false)
            || (!rules.custom.is_empty()
                && (is_escaped(text) || rules.custom.iter().any(|custom| custom.suspects(text))))
    }

    /// Redacts a key, which is never a part of a private key that began in an earlier record.
    pub(super) fn key(&mut self, rules: &Rules, key: &str, level: usize) -> Found {
        let (material, named) = (self.material.take(), std::mem::take(&mut self.named));
        let found = self.text(rules, key, level);
        (self.material, self.named) = (material, named);
        found
    }

    /// Redacts a text that stands inside of `level` strings of JSON.
    pub(super) fn text(&mut self, rules: &Rules, text: &str, level: usize) -> Found {
        if level < LEVELS && json::looks_like_json(text) {
            if !self.suspects(rules, text) {
                return Found::Nothing;
            }
            let told = (self.matches.clone(), self.explained.clone());
            match json::rewrite(self, rules, text, &mut Vec::new(), level + 1, None) {
                Ok(Some(new)) => return Found::Changed(new),
                Ok(None) => return Found::Nothing,
                Err(Stop::DropRecord) => return Found::DropRecord,
                // Cut off, or no JSON after all: text like any other, looked at anew.
                Err(Stop::Malformed) => (self.matches, self.explained) = told,
            }
        }
        let mut current: Option<String> = None;
        for _ in 0..ROUNDS {
            let subject = current.as_deref().unwrap_or(text);
            if self.find(rules, subject) {
                return Found::Changed(GIVEN_UP.to_owned());
            }
            if self.hits.is_empty() {
                return current.map_or(Found::Nothing, Found::Changed);
            }
            match self.taken(rules, subject) {
                Found::Changed(new) => current = Some(new),
                found => return found,
            }
        }
        Found::Changed(GIVEN_UP.to_owned())
    }

    /// The text without what the hits say.
    fn taken(&mut self, rules: &Rules, text: &str) -> Found {
        let new = self.splice(rules, text);
        let action = |of: Action| {
            let does = |hit: &Hit| {
                // A name in running text is no field: its value goes, the text stays.
                self.action(rules, hit.rule) == of && !(hit.named && of == Action::DropField)
            };
            self.hits.iter().any(does)
        };
        if action(Action::DropRecord) {
            Found::DropRecord
        } else if action(Action::DropField) {
            Found::DropField
        } else {
            Found::Changed(new)
        }
    }

    /// Redacts a number as JSON writes it.
    pub(super) fn number(&mut self, rules: &Rules, number: &str) -> Found {
        let Some(rule) = self.number_rule(rules, number) else { return Found::Nothing };
        self.note(rules, rule, 0..number.len(), Why::Form);
        match self.action(rules, rule) {
            Action::DropRecord => Found::DropRecord,
            Action::DropField => Found::DropField,
            Action::Mask | Action::Partial | Action::Hash => {
                Found::Changed(self.replacement(rules, rule, number))
            }
        }
    }

    fn number_rule(&self, rules: &Rules, number: &str) -> Option<u16> {
        let card = rules.scanner(Scanner::Card).filter(|_| {
            let digits = number.trim_start_matches('-');
            if digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return super::detect::is_card(digits.as_bytes());
            }
            // `4.111111111111111e15`, `4111111111111111.0`
            let value = number.parse::<f64>().unwrap_or(0.0).abs();
            value.fract() == 0.0
                && (1e12..1e19).contains(&value)
                && super::detect::is_card(format!("{value:.0}").as_bytes())
        });
        let shape = || rules.shapes.number(View::of(number.as_bytes()), self.named);
        let custom = || {
            let mut found = rules.custom.iter().flat_map(|it| it.find(rules, number, self.named));
            found.next().map(|hit| hit.rule)
        };
        card.or_else(shape).or_else(custom).filter(|rule| !rules.allows(*rule, number))
    }

    /// Whether a value goes because of its key. `string` says whether it is a string.
    pub(super) fn goes(&self, rules: &Rules, rule: u16, text: &str, string: bool) -> bool {
        if rules.is_field(rule) {
            let left = rules.masks.has(text.as_bytes()) || self.is_network(rules, rule, text);
            return text != "null" && !left;
        }
        if rules.allows(rule, text) {
            return false;
        }
        if is_hidden(text.as_bytes()) || is_template(text.as_bytes()) {
            return false;
        }
        if rules.judge(rule) == Judge::Entropy {
            return string && is_entropic(text.as_bytes());
        }
        if rules.judge(rule) == Judge::Cookie && !text.starts_with('[') {
            // Of cookies whose values went already, nothing is left to go.
            return string && !text.is_empty() && !cookie_values(text, &rules.masks).is_empty();
        }
        if string {
            return !text.is_empty() && !rules.masks.has(text.as_bytes());
        }
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        match rules.judge(rule) {
            Judge::Any | Judge::Words | Judge::Header => digits > 0 || text.starts_with('['),
            Judge::Random | Judge::Prose | Judge::Cookie | Judge::Entropy => {
                digits >= 6 || text.starts_with('[')
            }
        }
    }

    /// Whether a value goes because of a key that is a secret's only where the value is a string, or a
    /// list with strings.
    pub(super) fn goes_as_string(
        &self,
        rules: &Rules,
        rule: u16,
        text: &str,
        string: bool,
    ) -> bool {
        let strings = string || (text.starts_with('[') && text.contains('"'));
        let secret = match rules.judge(rule) {
            Judge::Random | Judge::Prose | Judge::Cookie | Judge::Entropy => {
                text.len() >= 8 && text.bytes().any(|byte| byte.is_ascii_digit())
            }
            // Tests pass too, and are counted.
            Judge::Any | Judge::Words | Judge::Header => {
                let counted = text.len() < 6 && text.bytes().all(|byte| byte.is_ascii_digit());
                !counted && !is_constant(text.as_bytes()) && !is_prose(text.as_bytes())
            }
        };
        strings && secret && self.goes(rules, rule, text, true)
    }

    /// Fills `hits` with everything found in a text, in order and apart. Returns whether that was too
    /// much work.
    fn find(&mut self, rules: &Rules, text: &str) -> bool {
        self.hits.clear();
        let by = (self.sweep, &mut self.familiar);
        let told = scan(rules, by, text.as_bytes(), self.named, &mut self.hits);
        custom_hits(rules, text, self.named, &mut self.hits);
        if let Some(material) = &self.material
            && let Some(rule) = rules.scanner(Scanner::PrivateKey)
        {
            let hit = |range| Hit { range, rule, named: false, quote: 0..0 };
            self.hits.extend(material.find(text).into_iter().map(hit));
        }
        let mut exhausted = told.exhausted;
        if told.escaped || (!rules.custom.is_empty() && is_escaped(text)) {
            exhausted |= self.find_decoded(rules, text);
        }
        let mut hits = std::mem::take(&mut self.hits);
        hits.retain(|hit| {
            let found = text.get(hit.range.clone()).unwrap_or_default();
            !hit.range.is_empty()
                && !rules.masks.cover(text, &hit.range)
                && !rules.allows(hit.rule, found)
                && !self.is_network(rules, hit.rule, found)
        });
        self.hits = hits;
        for hit in &mut self.hits {
            snap(text, &mut hit.range);
        }
        merge(&mut self.hits);
        exhausted
    }

    /// Adds what is found after one and two levels of escapes are undone.
    fn find_decoded(&mut self, rules: &Rules, text: &str) -> bool {
        let mut exhausted = false;
        let [first, second] = &mut self.decoded;
        let [from_first, from_second] = &mut self.from;
        if !decode(text, first, from_first) {
            return false;
        }
        let named = self.named;
        let mut add = |subject: &str, back: &dyn Fn(usize) -> usize, hits: &mut Vec<Hit>| {
            let known = hits.len();
            let by = (self.sweep, &mut self.familiar);
            let told = scan(rules, by, subject.as_bytes(), named, hits);
            custom_hits(rules, subject, named, hits);
            for hit in hits.iter_mut().skip(known) {
                hit.range = back(hit.range.start)..back(hit.range.end);
                hit.quote = 0..0;
            }
            exhausted |= told.exhausted;
            told.escaped
        };
        let at = |map: &[u32], place: usize| map.get(place).map_or(text.len(), |at| *at as usize);
        let deeper = add(first, &|place| at(from_first, place), &mut self.hits);
        if deeper && decode(first, second, from_second) {
            add(second, &|place| at(from_first, at(from_second, place)), &mut self.hits);
        }
        exhausted
    }

    /// What is done with what a rule finds.
    pub(super) fn action(&self, rules: &Rules, rule: u16) -> Action {
        let action = rules.rule(rule).map_or(Action::Mask, |rule| rule.action);
        let drops = matches!(action, Action::DropField | Action::DropRecord);
        if drops && self.keeps { Action::Mask } else { action }
    }

    /// Counts a match.
    fn note(&mut self, rules: &Rules, rule: u16, range: Range<usize>, why: Why) {
        if let Some(count) = self.matches.get_mut(usize::from(rule)) {
            *count += 1;
        }
        if let Some(explained) = &mut self.explained {
            let name = rules.names().get(usize::from(rule)).cloned().unwrap_or_default();
            let place = if self.place.is_empty() {
                Place::Bytes(range)
            } else {
                Place::Field(self.place.clone())
            };
            explained.push(Match { rule: name, place, why });
        }
    }

    /// Counts a field that went because of its key.
    pub(super) fn note_field(&mut self, rules: &Rules, rule: u16, path: &[String]) {
        self.place(path);
        self.note(rules, rule, 0..0, Why::FieldName);
    }

    /// Says which field is looked at from here on.
    pub(super) fn place(&mut self, path: &[String]) {
        if self.explained.is_some() {
            self.place = path.join(".");
        }
    }

    /// What is found in a text, by rule and range, unmerged levels aside. Nothing is counted.
    pub(super) fn explain(&mut self, rules: &Rules, text: &str) -> Vec<Match> {
        self.find(rules, text);
        let name = |rule: u16| rules.names().get(usize::from(rule)).cloned().unwrap_or_default();
        let told = |hit: &Hit| Match {
            rule: name(hit.rule),
            place: Place::Bytes(hit.range.clone()),
            why: why(hit),
        };
        self.hits.iter().map(told).collect()
    }
}

/// Why a hit is one.
const fn why(hit: &Hit) -> Why {
    if hit.named { Why::NameBefore } else { Why::Form }
}

/// Adds what the user's own rules find.
fn custom_hits(rules: &Rules, text: &str, named: Slots, hits: &mut Vec<Hit>) {
    for custom in &rules.custom {
        hits.extend(custom.find(rules, text, named));
    }
}

/// Whether escapes may hide something from a pattern.
fn is_escaped(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr2(b'\\', b'%', bytes).is_some() || memchr::memmem::find(bytes, b"&#").is_some()
}
