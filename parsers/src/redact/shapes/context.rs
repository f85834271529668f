//! Words that stand before a value and say what it is: `CPF: 123.456.789-09`, `customer_cpf=…`.
//!
//! Words are compared without regard to case and to how they are joined: `tax id` is `tax_id`, `taxId`
//! and `TAXID`. They are looked for in the bytes right before a value; a hash of each word there, made
//! while going back, tells at once that almost none of them is any rule's.

use super::super::bytes::{FOREIGN, LOWER, UPPER, is};
use super::super::detect::View;
use super::ShapeError;
use super::endings::{Endings, SEEN, WINDOW};
use super::near::{Near, Slots};

/// How far before a value words are looked for.
const REACH: usize = 48;

/// The same where escapes stand: one byte of a value is then up to six of the raw record.
const REACH_ESCAPED: usize = 6 * REACH;

/// How far a word may begin before that: a Thai one has three bytes for each letter.
const LONGEST_WORD: usize = 96;

/// Words that may follow in a name: `cpf_number`.
const FOLLOWERS: [&str; 4] = ["number", "no", "nr", "num"];

/// Bits of the first test.
const BITS: u32 = 14;

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
            *known = (last.len(), view.before(view.run_back(place, JOINTS, is_joint), 1));
        }
        before.last().is_none_or(|letter| letter.eq_ignore_ascii_case(&known.1))
    }
}

/// A word that phrases end in, or all words of one written as one.
#[derive(Debug)]
struct Last {
    hash: u32,
    /// A bit for each letter that the word before it may end in, without regard to case; all of them, if
    /// anything may stand there.
    before: u32,
    phrases: Vec<u16>,
}

/// Bytes between two words of one phrase, at most.
const JOINTS: usize = 3;

/// What may stand there.
const fn is_joint(byte: u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric()
}

/// The words of all rules that are on.
#[derive(Default)]
pub(in super::super) struct Contexts {
    phrases: Vec<Phrase>,
    /// What phrases end in, by its hash.
    lasts: Vec<Last>,
    /// Where those begin there that have the same highest bits.
    starts: Vec<u16>,
    /// A bit for each of them.
    filter: Vec<u64>,
    /// What they end in.
    endings: Endings,
    slots: u8,
}

pub(super) const fn is_letter(byte: u8) -> bool {
    is(byte, UPPER | LOWER | FOREIGN)
}

/// One byte more of a word's hash, from its last on.
#[inline]
const fn hashed(hash: u32, byte: u8) -> u32 {
    (hash.rotate_left(5) ^ (byte | 0x20) as u32).wrapping_mul(0x9E37_79B1)
}

fn hash_of(word: impl DoubleEndedIterator<Item = u8>) -> u32 {
    word.rev().fold(0, hashed)
}

/// The bit of a letter, case aside.
const fn letter_bit(byte: u8) -> u32 {
    1 << (byte & 0x1f)
}

/// Where a hash has its bit.
const fn bit(hash: u32) -> (usize, u64) {
    let slot = hash >> (32 - BITS);
    (slot as usize / 64, 1 << (slot % 64))
}

/// How many beginnings of hashes are told apart.
const STARTS: usize = 1 << 9;

/// Which of them a hash has.
const fn bucket(hash: u32) -> usize {
    hash as usize >> 23
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
        let before = text.rsplit(' ').nth(1).and_then(|word| word.bytes().last());
        self.add_last(last.bytes(), before.map_or(u32::MAX, letter_bit), index);
        if before.is_some() {
            self.add_last(text.bytes().filter(|byte| *byte != b' '), u32::MAX, index);
        }
        let mut slots = Slots::default();
        slots.add(slot);
        let words = text.rsplit(' ').map(|word| word.as_bytes().into()).collect();
        self.phrases.push(Phrase { text: text.into(), words, slots });
    }

    /// Adds what a phrase ends in, and the bits of what may stand before it.
    fn add_last(&mut self, word: impl DoubleEndedIterator<Item = u8>, before: u32, phrase: u16) {
        let hash = hash_of(word);
        let (index, bit) = bit(hash);
        if let Some(word) = self.filter.get_mut(index) {
            *word |= bit;
        }
        let at = self.lasts.partition_point(|last| last.hash < hash);
        match self.lasts.get_mut(at).filter(|last| last.hash == hash) {
            Some(last) => {
                last.before |= before;
                last.phrases.push(phrase);
            }
            None => {
                self.lasts.insert(at, Last { hash, before, phrases: vec![phrase] });
                self.starts.resize(STARTS, 0);
                self.starts.iter_mut().skip(bucket(hash) + 1).for_each(|start| *start += 1);
            }
        }
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
            slots.join(self.ending_at(view, hash_of(word.iter().copied()), (start, end)));
            // What an escape or a colour ends in may stand before it: `\npassport`.
            if let Some((_, shorter)) = word.split_first()
                && is_odd(view.before(start, 1))
            {
                let hash = hash_of(shorter.iter().copied());
                slots.join(self.ending_at(view, hash, (start + 1, end)));
            }
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

    /// The rules whose words end where a word with this hash stands.
    #[inline]
    fn ending_at(&self, view: View<'_>, hash: u32, word: (usize, usize)) -> Slots {
        let (index, bit) = bit(hash);
        if self.filter.get(index).is_none_or(|word| word & bit == 0) {
            return Slots::default();
        }
        self.ending_in(view, hash, word)
    }

    #[inline(never)]
    fn ending_in(&self, view: View<'_>, hash: u32, (start, end): (usize, usize)) -> Slots {
        let mut slots = Slots::default();
        let from = self.starts.get(bucket(hash)).map_or(0, |&start| usize::from(start));
        let mut known = self.lasts.iter().skip(from).take_while(|last| last.hash <= hash);
        let Some(last) = known.find(|last| last.hash == hash) else { return slots };
        let joint = view.run_back(start, JOINTS, is_joint);
        if last.before & letter_bit(view.before(joint, 1)) == 0 {
            return slots;
        }
        // Where the last word begins tells of what is before it: mostly not the end of the word before.
        let mut known = (usize::MAX, 0);
        for index in &last.phrases {
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
        let least = from.saturating_sub(reach);
        // The last letters of windows behind the first are those that the one before has seen last.
        let (mut to, mut fresh) = (from, u64::MAX);
        loop {
            let text = view.bytes.get(..to).unwrap_or_default();
            let mut met = fresh & self.endings.met(text, to - least + 1);
            view.walked(WINDOW);
            while met != 0 {
                let ahead = met.leading_zeros() as usize;
                met ^= 1 << (63 - ahead);
                self.word(view, to - ahead, (least, from, at), &mut near);
            }
            if to - least < WINDOW {
                return near;
            }
            (to, fresh) = (to - (WINDOW - SEEN), u64::MAX >> SEEN);
        }
    }

    /// Looks whether the word that ends at `end`, if one does, is one of the rules'. After an escape or a colour its
    /// first letter may not be its own. The value is at `at`, `from` before what parts it from words, and words end at
    /// `least` or behind it.
    fn word(
        &self,
        view: View<'_>,
        end: usize,
        (least, from, at): (usize, usize, usize),
        near: &mut Near,
    ) {
        let (last, after) = (view.before(end, 1), view.at(end));
        let goes_on = end < from && is_letter(after);
        if goes_on && (end <= least || !parts(last, after, view.at(end + 1))) {
            return;
        }
        let first = least.saturating_sub(LONGEST_WORD);
        let (mut start, mut hash, mut shorter) = (end, 0, 0);
        let (mut next, mut second) = (0, 0);
        let before = loop {
            let byte = if start == first { 0 } else { view.before(start, 1) };
            if !is_letter(byte) || parts(byte, next, second) {
                break byte;
            }
            (shorter, hash) = (hash, hashed(hash, byte));
            (second, next) = (next, byte);
            start -= 1;
        };
        view.walked(end - start);
        self.known(view, hash, (start, end), at, near);
        if is_odd(before) {
            self.known(view, shorter, (start + 1, end), at, near);
        }
    }

    /// Notes the rules that have a word with this hash, if what stands before it is theirs, too.
    #[inline]
    fn known(
        &self,
        view: View<'_>,
        hash: u32,
        (start, end): (usize, usize),
        at: usize,
        near: &mut Near,
    ) {
        // `Mobile/15E148` is a program and its version.
        if end < at && view.at(end) == b'/' && end + 1 != at {
            return;
        }
        let slots = self.ending_at(view, hash, (start, end));
        if !slots.is_empty() {
            near.push(at - end, slots);
        }
    }
}

/// Whether the letter after this byte may be an escape's, or a colour's.
const fn is_odd(byte: u8) -> bool {
    matches!(byte, b'\\' | b'[' | b';' | b'0'..=b'9')
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
            place = view.run_back(place, JOINTS, is_joint);
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

#[cfg(test)]
mod tests;
