//! Which anchors are worth a closer look: names are what most are about, and almost none is a secret's; of the
//! others most are in times and numbers of everyday. A few bytes tell.

use super::super::decode::alike;
use super::super::detect::{
    View, is_word, may_assign, may_be_card, may_be_letter, may_direct, may_insert, may_state,
    scheme_before,
};
use super::super::rules::Rules;
use super::super::shapes::Place;
use super::super::sweep::Anchor;
use super::Scan;

impl Scan<'_, '_> {
    /// Whether an anchor is worth a closer look.
    #[inline(always)]
    pub(super) fn passes(&self, anchor: Anchor, at: usize) -> bool {
        let view = self.view;
        match anchor {
            Anchor::Sign => {
                (may_assign(view, at, &self.rules.keys) && !self.names_nothing(at))
                    || is_quoted_at(view, at)
            }
            Anchor::Rare => self.is_rare(at),
            Anchor::LongWord => self.may_be_token(at),
            Anchor::Scheme => {
                scheme_before(view, at).is_some()
                    || may_state(view, at)
                    || may_be_letter(view, at)
                    || may_insert(view, at)
                    || may_direct(view, at)
            }
            Anchor::Capital => self.has_shape(Place::Capital, at),
            Anchor::Pairs => self.has_shape(Place::Pairs, at),
            Anchor::Named => self.rules.shapes.may_follow(view, at),
            Anchor::Groups => self.may_be_groups(at),
            Anchor::Number => self.may_be_number(at),
            // A rule across the page, or a private key's.
            Anchor::Dashes => view.at(at + 2) != b'-' || view.at(at + 3) == b'-',
            // Epoch times, mostly.
            Anchor::LongNumber => may_be_card(view, at),
            Anchor::Iban
            | Anchor::Triple
            | Anchor::Dots
            | Anchor::Colons
            | Anchor::TwoColons
            | Anchor::Hyphens => true,
        }
    }

    fn has_shape(&self, place: Place, at: usize) -> bool {
        self.rules.shapes.has_at(self.view, place, at)
    }

    /// Whether a long word may be a token.
    #[inline(always)]
    fn may_be_token(&self, at: usize) -> bool {
        let Rules { prefixes, shapes, .. } = self.rules;
        prefixes.may_begin(self.view, at)
            || (prefixes.is_others(self.view.at(at))
                && shapes.has_word_length(self.view, at)
                && shapes.is_word(self.view, at))
    }

    /// Whether a rare byte is worth a closer look.
    #[inline(always)]
    fn is_rare(&self, at: usize) -> bool {
        let view = self.view;
        match view.at(at) {
            b'&' => !self.escaped && may_be_entity(view, at),
            0xEF | b'0'..=b'9' => !self.escaped && is_alike_before(view, at),
            // Line breaks of a string, mostly.
            b'\\' if !self.escaped => matches!(view.at(at + 1), b'u' | b'x' | b'\\' | b'/'),
            b'+' => self.may_be_plus(at),
            b'~' => self.rules.prefixes.may_be_odd(view.before(at, 1)),
            b'@' => self.may_be_address(at),
            _ => true,
        }
    }

    /// Whether a `+` may belong to a number, or to credentials after their scheme. Time zones have
    /// most: `+00:00`.
    fn may_be_plus(&self, at: usize) -> bool {
        let view = self.view;
        if !view.at(at + 1).is_ascii_digit() {
            return scheme_before(view, at).is_some();
        }
        let before = view.before(at, 1);
        let shape = |place| self.has_shape(place, at);
        view.at(at + 1) != b'0'
            || are_groups(view, at)
            || (before.is_ascii_alphanumeric()
                && (shape(Place::Group) || shape(Place::Triple) || shape(Place::Pairs)))
            || scheme_before(view, at).is_some()
    }

    /// Whether an `@` may be an e-mail address's or a URL's: not that of `"@timestamp":`.
    fn may_be_address(&self, at: usize) -> bool {
        let view = self.view;
        match view.before(at, 1) {
            0..=b' ' => false,
            b'"' => {
                let end = view.run(at + 1, 64, |byte| is_word(byte) || byte == b'-');
                view.at(end) != b'"'
            }
            _ => true,
        }
    }

    /// Whether a separator between two digits and four may be a number's: not that between a time's
    /// seconds and what they are parted into.
    fn may_be_groups(&self, at: usize) -> bool {
        let view = self.view;
        let before = view.before(at, 3);
        let four = before.is_ascii_digit() && view.before(at, 4).is_ascii_digit();
        let other = view.at(at) != b' ' && (before.is_ascii_digit() || before == b'-');
        four || other || self.has_shape(Place::Group, at)
    }

    /// Whether a run of digits is as long as some shape's, and is or goes on as long as that.
    fn may_be_number(&self, at: usize) -> bool {
        let view = self.view;
        let end = view.run(at, 24, |byte| byte.is_ascii_digit());
        self.rules.shapes.may_have_run(view, at, end)
    }
}

/// Whether the `@` of an address stands here as mails quote it: `=40`.
#[inline(always)]
pub(super) fn is_quoted_at(view: View<'_>, at: usize) -> bool {
    view.bytes.get(at..at + 3) == Some(b"=40")
}

/// Whether an `&` may begin an entity that hides something.
fn may_be_entity(view: View<'_>, at: usize) -> bool {
    match view.at(at + 1) {
        b'#' => true,
        b'l' => view.at(at + 2) == b't' && view.at(at + 3) == b';',
        b'a' => view.at(at + 4) == b';',
        b'q' => view.at(at + 5) == b';',
        _ => false,
    }
}

/// Whether what stands before a digit looks like ASCII, or the digit itself does.
fn is_alike_before(view: View<'_>, at: usize) -> bool {
    let begins =
        |by: usize| at.checked_sub(by).is_some_and(|from| alike(view.bytes, from).is_some());
    if view.at(at) == 0xEF {
        return alike(view.bytes, at).is_some_and(|(it, _)| it.is_ascii_digit());
    }
    begins(3) || begins(2)
}

/// Whether four digits stand before a separator and four behind it, and more behind the same one: a time's
/// zone has no more.
fn are_groups(view: View<'_>, at: usize) -> bool {
    let separator = view.at(at);
    let four =
        (1..=4).all(|by| view.before(at, by).is_ascii_digit() && view.at(at + by).is_ascii_digit());
    let more = |byte: u8| byte == separator || byte.is_ascii_digit();
    four && (more(view.at(at + 5)) || (5..=7).any(|by| view.before(at, by) == separator))
}
