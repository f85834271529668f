//! Words that stand before a value and say what it is: `CPF: 123.456.789-09`, `customer_cpf=…`.
//!
//! Words are compared without regard to case and to how they are joined: `tax id` is `tax_id`, `taxId`
//! and `TAXID`. They are looked for in the bytes right before a value; a hash of each word there, made
//! while going back, tells at once that almost none of them is any rule's.

use super::super::detect::View;
use super::ShapeError;
use super::endings::{Endings, WINDOW};

/// How far before a value words are looked for.
const REACH: usize = 48;

/// The same where escapes stand: one byte of a value is then up to six of the raw record.
const REACH_ESCAPED: usize = 6 * REACH;

/// How far a word may go on before that: a Thai one has three bytes for each letter.
const LONGEST_WORD: usize = 96;

/// Words that may follow in a name: `cpf_number`.
const FOLLOWERS: [&str; 4] = ["number", "no", "nr", "num"];

/// Bits of the first test.
const BITS: u32 = 14;

/// A set of rules that have words, by their slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Slots(u128);

impl Slots {
    /// Adds a slot, if there is one.
    pub(super) fn add(&mut self, slot: Option<u8>) {
        self.0 |= slot.map_or(0, |slot| 1_u128 << (slot & 127));
    }

    /// Adds those of another set.
    pub(super) fn join(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether a slot is among them.
    pub(in super::super) const fn has(self, slot: u8) -> bool {
        self.0 >> (slot & 127) & 1 == 1
    }

    /// Whether the two have one in common.
    pub(in super::super) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is none.
    pub(in super::super) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The words that stand before a value, nearest first.
#[derive(Debug, Default)]
pub(in super::super) struct Near {
    found: [(usize, Slots); 6],
    count: usize,
}

impl Near {
    /// Whether no rule's words are there.
    pub(in super::super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How near a rule's words stand; the name of the field, if it has the rule, stands before all.
    pub(super) fn distance(&self, slot: u8, named: Slots) -> Option<usize> {
        let found = self.found.iter().take(self.count).find(|(_, slots)| slots.has(slot));
        let name = || named.has(slot).then_some(usize::MAX - 1);
        found.map(|(distance, _)| *distance).or_else(name)
    }

    /// The rules whose words are there.
    pub(in super::super) fn slots(&self) -> Slots {
        let mut slots = Slots::default();
        for (_, found) in self.found.iter().take(self.count) {
            slots.join(*found);
        }
        slots
    }

    fn push(&mut self, distance: usize, slots: Slots) {
        if let Some(place) = self.found.get_mut(self.count) {
            *place = (distance, slots);
            self.count += 1;
        }
    }
}

/// Words of one rule, apart by blanks, in lower case.
#[derive(Debug)]
struct Phrase {
    text: Box<str>,
    /// The last word first.
    words: Box<[Box<[u8]>]>,
    slots: Slots,
}

impl Phrase {
    /// Whether the last letter of the last word but one is where it must be, if there is one; `known` is what stands
    /// there for a last word of such a length.
    #[inline]
    fn may_stand(&self, view: View<'_>, end: usize, known: &mut (usize, u8)) -> bool {
        let [last, before, ..] = &*self.words else { return true };
        if known.0 != last.len() {
            let place = end.saturating_sub(last.len());
            *known = (last.len(), view.before(view.run_back(place, 3, is_joint), 1));
        }
        before.last().is_none_or(|letter| letter.eq_ignore_ascii_case(&known.1))
    }
}

/// What may stand between two words of one phrase.
const fn is_joint(byte: u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric()
}

/// The words of all rules that are on.
#[derive(Default)]
pub(in super::super) struct Contexts {
    phrases: Vec<Phrase>,
    /// The hash of a phrase's last word, and of all its words as one, with the phrase; in order.
    hashes: Vec<(u32, u16)>,
    /// A bit for each of them.
    filter: Vec<u64>,
    /// What they end in.
    endings: Endings,
    slots: u8,
}

pub(super) const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80
}

/// One byte more of a word's hash, from its last on.
#[inline]
const fn hashed(hash: u32, byte: u8) -> u32 {
    (hash.rotate_left(5) ^ (byte | 0x20) as u32).wrapping_mul(0x9E37_79B1)
}

fn hash_of(word: impl DoubleEndedIterator<Item = u8>) -> u32 {
    word.rev().fold(0, hashed)
}

/// Where a hash has its bit.
const fn bit(hash: u32) -> (usize, u64) {
    let slot = hash >> (32 - BITS);
    (slot as usize / 64, 1 << (slot % 64))
}

impl Contexts {
    /// A slot for one rule more.
    pub(in super::super) fn slot(&mut self) -> Result<u8, ShapeError> {
        let slot = self.slots;
        self.slots = slot.checked_add(1).filter(|next| *next <= 128).ok_or(ShapeError::TooMany)?;
        Ok(slot)
    }

    /// Adds words of the rule that has the slot.
    pub(in super::super) fn add(&mut self, words: &str, slot: Option<u8>) {
        self.filter.resize(1 << (BITS - 6), 0);
        let text = words.to_ascii_lowercase();
        if let Some(known) = self.phrases.iter_mut().find(|phrase| *phrase.text == text) {
            known.slots.add(slot);
            return;
        }
        let index = u16::try_from(self.phrases.len()).unwrap_or(u16::MAX);
        let last = text.rsplit(' ').next().unwrap_or_default();
        self.endings.add(last.bytes());
        self.endings.add(text.bytes().filter(|byte| *byte != b' '));
        let mut hashes = vec![hash_of(last.bytes())];
        hashes.push(hash_of(text.bytes().filter(|byte| *byte != b' ')));
        hashes.dedup();
        for hash in hashes {
            let (word, bit) = bit(hash);
            if let Some(word) = self.filter.get_mut(word) {
                *word |= bit;
            }
            let at = self.hashes.partition_point(|known| *known < (hash, index));
            self.hashes.insert(at, (hash, index));
        }
        let mut slots = Slots::default();
        slots.add(slot);
        let words = text.rsplit(' ').map(|word| word.as_bytes().into()).collect();
        self.phrases.push(Phrase { text: text.into(), words, slots });
    }

    /// The names whose values have context, for the first test of names.
    pub(in super::super) fn names(&self) -> impl Iterator<Item = String> {
        let followed = |phrase: &Phrase| {
            let text = phrase.text.clone();
            let long = FOLLOWERS.iter().map(move |word| format!("{text} {word}"));
            std::iter::once(String::from(&*phrase.text)).chain(long)
        };
        self.phrases.iter().flat_map(followed)
    }

    /// The rules whose words the name of a field ends in.
    pub(in super::super) fn of_name(&self, name: &str) -> Slots {
        self.ending_before(View::of(name.as_bytes()), name.len())
    }

    /// The rules whose words end at a place, or before what is no letter there.
    pub(in super::super) fn ending_before(&self, view: View<'_>, place: usize) -> Slots {
        let mut slots = Slots::default();
        if self.phrases.is_empty() {
            return slots;
        }
        let letters = |end| view.run_back(end, LONGEST_WORD, |byte| !is_letter(byte));
        let mut end = letters(place);
        // `cpf_number`: the word before may be it, too.
        for _ in 0..2 {
            let start = word_start(view, end);
            let word = view.bytes.get(start..end).unwrap_or_default();
            slots.join(self.ending_at(view, hash_of(word.iter().copied()), end));
            if !FOLLOWERS.iter().any(|other| word.eq_ignore_ascii_case(other.as_bytes())) {
                break;
            }
            end = letters(start);
        }
        slots
    }

    /// Whether one of the rules' words, or one that may follow it in a name, may end before a place: three
    /// letters tell.
    pub(super) fn may_end(&self, view: View<'_>, place: usize) -> bool {
        let end = view.run_back(place, LONGEST_WORD, |byte| !is_letter(byte));
        let text = view.bytes.get(..end).unwrap_or_default();
        let follows = |word: &&str| {
            text.len()
                .checked_sub(word.len())
                .and_then(|from| text.get(from..))
                .is_some_and(|last| last.eq_ignore_ascii_case(word.as_bytes()))
        };
        self.endings.ends(|by| view.before(end, by + 1)) || FOLLOWERS.iter().any(follows)
    }

    /// The rules whose words end at a place where a word with this hash ends.
    fn ending_at(&self, view: View<'_>, hash: u32, end: usize) -> Slots {
        let mut slots = Slots::default();
        let (index, bit) = bit(hash);
        if self.filter.get(index).is_none_or(|word| word & bit == 0) {
            return slots;
        }
        let from = self.hashes.partition_point(|(known, _)| *known < hash);
        let same = self.hashes.iter().skip(from).take_while(|(known, _)| *known == hash);
        // Where the last word begins tells of what is before it: mostly not the end of the word before.
        let mut known = (usize::MAX, 0);
        for (_, index) in same {
            if let Some(phrase) = self.phrases.get(usize::from(*index))
                && phrase.may_stand(view, end, &mut known)
                && stands(view, end, &phrase.words)
            {
                slots.join(phrase.slots);
            }
        }
        slots
    }

    /// The rules' words that stand before a value at `at`.
    pub(in super::super) fn near(&self, view: View<'_>, at: usize) -> Near {
        let mut near = Near::default();
        if self.phrases.is_empty() {
            return near;
        }
        let from = view.run_back(at, usize::MAX, |byte| byte.is_ascii_whitespace());
        let reach = match view.bytes.get(from.saturating_sub(REACH_ESCAPED)..from) {
            Some(before) if !view.bounded && memchr::memchr2(b'\\', b'%', before).is_some() => {
                REACH_ESCAPED
            }
            _ => REACH,
        };
        if reach < WINDOW
            && !self.endings.meet(view.bytes.get(..from).unwrap_or_default(), reach + 1)
        {
            view.walked(WINDOW);
            return near;
        }
        let first = from.saturating_sub(reach);
        let bytes = view.bytes.get(first.saturating_sub(LONGEST_WORD)..from).unwrap_or_default();
        view.walked(bytes.len());
        let base = from - bytes.len();
        let mut word = Word::default();
        // Two bytes after the one that is looked at.
        let (mut next, mut second) = (0, 0);
        for (index, &byte) in bytes.iter().enumerate().rev() {
            let place = base + index;
            let letter = is_letter(byte);
            if word.length > 0 && (!letter || parts(byte, next, second)) {
                self.close(view, &word, byte, at, &mut near);
                word = Word::default();
                if place < first {
                    return near;
                }
            }
            if letter {
                if word.length == 0 {
                    word.end = place + 1;
                }
                (word.before, word.hash) = (word.hash, hashed(word.hash, byte));
                word.length += 1;
            } else if place < first {
                return near;
            }
            (second, next) = (next, byte);
        }
        if word.length > 0 {
            self.close(view, &word, 0, at, &mut near);
        }
        near
    }

    /// Looks whether a word is one of the rules'. After an escape or a colour its first letter may not
    /// be its own.
    #[inline]
    fn close(&self, view: View<'_>, word: &Word, before: u8, at: usize, near: &mut Near) {
        let odd = matches!(before, b'\\' | b'[' | b';' | b'0'..=b'9');
        for hash in [word.hash, word.before].into_iter().take(1 + usize::from(odd)) {
            let (index, bit) = bit(hash);
            if self.filter.get(index).is_some_and(|word| word & bit != 0) {
                self.known(view, hash, word.end, at, near);
            }
        }
    }

    #[inline(never)]
    fn known(&self, view: View<'_>, hash: u32, end: usize, at: usize, near: &mut Near) {
        // `Mobile/15E148` is a program and its version.
        if end < at && view.at(end) == b'/' && end + 1 != at {
            return;
        }
        let slots = self.ending_at(view, hash, end);
        if !slots.is_empty() {
            near.push(at - end, slots);
        }
    }
}

/// A word that is being gone back over.
#[derive(Default)]
struct Word {
    /// Where it ends.
    end: usize,
    length: usize,
    hash: u32,
    /// Its hash without its first letter.
    before: u32,
}

/// Whether a word begins after `byte`, a letter, before two others: `taxId`, `CPFNumber`.
pub(super) const fn parts(byte: u8, next: u8, second: u8) -> bool {
    next.is_ascii_uppercase()
        && (byte.is_ascii_lowercase() || (byte.is_ascii_uppercase() && second.is_ascii_lowercase()))
}

/// Where the word that ends at `end` begins.
fn word_start(view: View<'_>, end: usize) -> usize {
    let start = view.run_back(end, LONGEST_WORD, is_letter);
    let begins = |at: &usize| {
        let at = *at;
        parts(view.before(at, 1), view.at(at), view.at(at + 1))
    };
    (start + 1..end).rev().find(begins).unwrap_or(start)
}

/// Whether these words, in lower case and the last of them first, end at a place.
fn stands(view: View<'_>, end: usize, words: &[Box<[u8]>]) -> bool {
    let mut place = end;
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            place = view.run_back(place, 3, is_joint);
        }
        let Some(start) = place.checked_sub(word.len()) else { return false };
        let same = |found: &[u8]| found.eq_ignore_ascii_case(word);
        if !view.bytes.get(start..place).is_some_and(same) {
            return false;
        }
        place = start;
    }
    let before = view.before(place, 1);
    // `iPhone` is one word.
    if before == b'i' && !is_letter(view.before(place, 2)) && view.before(place, 2) != b'\\' {
        return false;
    }
    !is_letter(before)
        || parts(before, view.at(place), view.at(place + 1))
        || view.before(place, 2) == b'\\'
        || view.colour_before(place).is_some()
}
