//! The detectors: each looks at one place of a text and says which bytes, if any, are to go.
//!
//! Written by hand rather than as patterns: they run only where the [`sweep`](super::sweep) found an
//! anchor, look at a bounded window around it, and reject by the cheapest test first.

mod address;
mod assign;
mod authorization;
mod card;
mod colour;
mod command;
mod cookie;
mod directive;
mod email;
mod iban;
mod insert;
mod jwt;
mod label;
mod members;
mod name;
mod pair;
mod pem;
mod phone;
mod program;
mod token;
mod url;
mod value;

use std::ops::Range;

use super::bytes::{DIGIT, LOWER, UNDERSCORE, UPPER, is};
use super::mask::Masks;

pub(super) use address::{Addresses, address};
pub(super) use assign::{Judge, is_entropic, judge, may_be_entropic, query};
pub(super) use authorization::{authorization, bearer, scheme_before};
pub(super) use card::{card_number, grouped_card, is_card, may_be_card};
pub(super) use command::{counts, may_state, option, option_key, statement};
pub(super) use cookie::{cookie_values, cookies};
pub(super) use directive::{directive, is_directive, may_direct};
pub(super) use email::{email, is_hidden_address, quoted_printable};
pub(super) use iban::iban;
pub(super) use insert::{columns, may_insert, names, values};
pub(super) use jwt::{LONGEST_HEADER, jwt};
pub(super) use label::{NEAR, labelled};
pub(super) use members::members;
pub(super) use name::{Assigned, assignment, may_assign};
pub(super) use pair::pair;
pub(super) use pem::{Material, private_key, putty, still_open};
pub(super) use phone::{e164, is_number, nanp, north_american, ssn};
pub(super) use program::{Called, letter, may_be_letter, user, word_end};
#[cfg(test)]
pub(super) use token::Behind;
pub(super) use token::{Prefix, PrefixTable, after_escape, at_tilde, token};
pub(super) use url::url_password;
pub(super) use value::{is_constant, is_hidden, is_prose, is_template};

/// A text as detectors look at it: no place is out of bounds.
#[derive(Clone, Copy)]
pub(super) struct View<'t> {
    /// The bytes.
    pub(super) bytes: &'t [u8],
    /// Whether what stands around a match matters. It does in a value; it does not in the raw
    /// record, whose parser may cut a value out of a longer word.
    pub(super) bounded: bool,
    /// What earlier redaction has left.
    pub(super) masks: &'t Masks,
}

/// What a detector made of a value whose length is not bounded.
pub(super) struct Looked {
    /// The secret, and whether it is a bare word.
    pub(super) secret: Option<(Range<usize>, bool)>,
    /// Up to where it looked: work that was done even if nothing was found.
    pub(super) end: usize,
}

/// The highest bit of each byte that is no digit, the first byte lowest.
#[inline]
pub(super) const fn others(bytes: [u8; 8]) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let from_zero = u64::from_le_bytes(bytes) ^ (b'0' as u64 * EACH);
    let past_nine = (from_zero & (0x7f * EACH)) + (0x80 - 10) * EACH;
    (past_nine | from_zero) & (0x80 * EACH)
}

impl<'t> View<'t> {
    /// A value in which nothing was redacted yet.
    pub(super) const fn of(bytes: &'t [u8]) -> Self {
        static NONE: Masks = Masks::NONE;
        Self { bytes, bounded: true, masks: &NONE }
    }
}

impl View<'_> {
    /// Notes that so many bytes were looked at: tests count them.
    #[inline]
    pub(super) fn walked(&self, bytes: usize) {
        #[cfg(test)]
        tests::walk(bytes);
        let _ = (self, bytes);
    }

    /// The byte at a place; 0 beyond the end.
    #[inline]
    pub(super) fn at(&self, place: usize) -> u8 {
        self.bytes.get(place).copied().unwrap_or(0)
    }

    /// The byte `by` places before; 0 before the start.
    #[inline]
    pub(super) fn before(&self, place: usize, by: usize) -> u8 {
        place.checked_sub(by).map_or(0, |place| self.at(place))
    }

    /// The end of the run of bytes from `from` on that `member` accepts, at most `most` long.
    #[inline]
    pub(super) fn run(&self, from: usize, most: usize, member: impl Fn(u8) -> bool) -> usize {
        let end = self.bytes.len().min(from.saturating_add(most));
        let Some(bytes) = self.bytes.get(from..end) else { return from };
        let run = bytes.iter().position(|&byte| !member(byte)).map_or(end, |length| from + length);
        #[cfg(test)]
        tests::walk(run - from);
        run
    }

    /// The start of the run of bytes that ends before `to`, at most `most` long.
    #[inline]
    pub(super) fn run_back(&self, to: usize, most: usize, member: impl Fn(u8) -> bool) -> usize {
        let start = to.saturating_sub(most);
        let Some(bytes) = self.bytes.get(start..to) else { return to };
        let run = bytes.iter().rposition(|&byte| !member(byte)).map_or(start, |at| start + at + 1);
        #[cfg(test)]
        tests::walk(to - run);
        run
    }

    /// How many digits stand from a place on: eight at most.
    #[inline]
    pub(super) fn digits_from(&self, place: usize) -> usize {
        let bytes = self.bytes.get(place..).unwrap_or_default();
        let count = match bytes.first_chunk() {
            Some(eight) => others(*eight).trailing_zeros() as usize / 8,
            None => bytes.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        };
        self.walked(count);
        count
    }

    /// How many digits stand right before a place: eight at most.
    #[inline]
    pub(super) fn digits_before(&self, place: usize) -> usize {
        let bytes = self.bytes.get(..place).unwrap_or_default();
        let count = match bytes.last_chunk() {
            Some(eight) => others(*eight).leading_zeros() as usize / 8,
            None => bytes.iter().rev().take_while(|byte| byte.is_ascii_digit()).count(),
        };
        self.walked(count);
        count
    }

    /// Whether the text goes on with `literal` at a place, ASCII case aside.
    pub(super) fn has(&self, place: usize, literal: &[u8]) -> bool {
        self.bytes
            .get(place..place.saturating_add(literal.len()))
            .is_some_and(|found| found.eq_ignore_ascii_case(literal))
    }

    /// The value of the digits between two places; `None` beyond 18 digits or where one is none.
    pub(super) fn number(&self, from: usize, to: usize) -> Option<u64> {
        let digits = self.bytes.get(from..to).filter(|digits| digits.len() <= 18)?;
        digits.iter().try_fold(0_u64, |sum, digit| {
            digit.is_ascii_digit().then(|| sum * 10 + u64::from(digit - b'0'))
        })
    }

    /// Whether a number that begins here is really part of something longer: a word, a decimal
    /// fraction, a version, a UUID.
    pub(super) fn joined_before(&self, place: usize) -> bool {
        if !self.bounded {
            return false;
        }
        match self.before(place, 1) {
            b'-' | b'.' => {
                let end = place - 1;
                let start = self.run_back(end, 12, |byte| byte.is_ascii_alphanumeric());
                let part = self.bytes.get(start..end).unwrap_or_default();
                self.before(place, 2).is_ascii_digit()
                    || (part.len() >= 4 && part.iter().all(u8::is_ascii_hexdigit))
            }
            _ => self.word_before(place),
        }
    }

    /// Whether a number that ends before this place goes on as something longer.
    pub(super) fn joined_after(&self, place: usize) -> bool {
        if !self.bounded {
            return false;
        }
        match self.at(place) {
            b'-' | b'.' => {
                let end = self.run(place + 1, 12, |byte| byte.is_ascii_alphanumeric());
                let part = self.bytes.get(place + 1..end).unwrap_or_default();
                self.at(place + 1).is_ascii_digit()
                    || (part.len() >= 4 && part.iter().all(u8::is_ascii_hexdigit))
            }
            byte => is_word(byte),
        }
    }
}

/// Letters, digits and `_`; bytes of other scripts are none.
#[inline]
pub(super) const fn is_word(byte: u8) -> bool {
    is(byte, DIGIT | UPPER | LOWER | UNDERSCORE)
}

/// What may stand in a bearer token or in base64 (RFC 6750's b68token), padding aside.
#[inline]
pub(super) const fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}

/// The end of a b68token from `from` on, its padding and JSON's `\/` included.
pub(super) fn token68_end(view: View<'_>, from: usize) -> usize {
    let mut end = from;
    loop {
        end = view.run(end, usize::MAX, is_token68);
        if view.at(end) == b'\\' && view.at(end + 1) == b'/' {
            end += 2;
        } else {
            return view.run(end, 2, |byte| byte == b'=');
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    thread_local! {
        static WALKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    /// Notes bytes that a detector walked over.
    pub(super) fn walk(bytes: usize) {
        WALKED.set(WALKED.get() + bytes);
    }

    /// The bytes walked over since this was last asked.
    pub(in super::super) fn walked() -> usize {
        WALKED.replace(0)
    }

    /// A value as detectors see it.
    pub(in super::super) fn value(text: &str) -> View<'_> {
        View { bytes: text.as_bytes(), bounded: true, masks: masks() }
    }

    fn masks() -> &'static Masks {
        static MASKS: std::sync::OnceLock<Masks> = std::sync::OnceLock::new();
        MASKS.get_or_init(|| {
            let mut masks = Masks::default();
            for name in ["PASSWORD", "AUTHORIZATION", "EMAIL", "E2"] {
                masks.add(name);
            }
            masks
        })
    }

    #[test]
    fn masks_are_known_again_and_nothing_else_is() {
        for mask in ["[EMAIL]", "[PASSWORD]", "[E2]", "[EMAIL:abcdefg234]"] {
            assert!(masks().has(mask.as_bytes()), "{mask}");
        }
        for other in
            ["EMAIL", "[]", "[HUNTER2]", "[email]", "[EMAIL:x]", "[EMAIL:abcdefg189]", "[EMAIL"]
        {
            assert!(!masks().has(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn runs_end_at_the_edges_of_the_text() {
        let view = value("12ab");
        assert_eq!(view.run(0, 9, |b| b.is_ascii_digit()), 2);
        assert_eq!(view.run(2, 9, is_word), 4);
        assert_eq!(view.run(9, 9, is_word), 9);
        assert_eq!(view.run_back(2, 9, |b| b.is_ascii_digit()), 0);
        assert_eq!(view.run_back(4, 1, is_word), 3);
    }

    #[test]
    fn digits_are_counted_to_eight_and_to_the_edges() {
        let text = "x12345678901\u{e9}7:0/9a";
        let digit = |byte: u8| byte.is_ascii_digit();
        for place in 0..=text.len() + 1 {
            let view = value(text);
            assert_eq!(view.digits_from(place), view.run(place, 8, digit) - place, "{place}");
            let before = place.min(text.len()) - view.run_back(place.min(text.len()), 8, digit);
            assert_eq!(view.digits_before(place.min(text.len())), before, "{place}");
        }
    }
}
