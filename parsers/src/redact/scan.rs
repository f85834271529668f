//! Puts anchors and detectors together: which rule looks where, and what it found.

mod names;

use std::ops::Range;

use super::detect::{
    Called, Judge, LONGEST_HEADER, View, address, after_escape, assignment, at_tilde,
    authorization, bearer, card_number, cookies, e164, email, grouped_card, iban,
    is_hidden_address, judge, jwt, may_be_entropic, members, nanp, pair, private_key,
    query as query_value, quoted_printable, scheme_before, ssn, token, url_password,
};
use super::rules::{Rules, Scanner};
use super::shapes::{Apart, Place, Slots};
use super::suspects::{MOST, Suspects};
use super::sweep::{Anchor, Sweep, Visit};

mod escape;
mod familiar;
mod gate;
mod shape;

pub(super) use familiar::Familiar;
use familiar::Says;
use gate::is_quoted_at;

/// What a rule found: bytes of the text that are to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    /// Which bytes.
    pub(super) range: Range<usize>,
    /// By which rule.
    pub(super) rule: u16,
    /// Whether the name it was assigned to gave it away.
    pub(super) named: bool,
    /// Where the text has the quotes that must stand around a replacement (a bare JSON number);
    /// empty mostly.
    pub(super) quote: Range<usize>,
}

/// One sweep over one text.
struct Scan<'s, 't> {
    rules: &'s Rules,
    view: View<'t>,
    extent: Extent,
    hits: &'s mut Vec<Hit>,
    familiar: &'s mut Familiar,
    /// Whether escapes were seen that may hide something.
    escaped: bool,
    /// Everything before this place is covered by a match that may be long; it is not looked at
    /// again, or the work would grow with the square of the text.
    covered: usize,
    /// Bytes that detectors may still look at.
    fuel: usize,
    /// The rules whose words the name of the field ends in.
    named: Slots,
    /// Names and values of shapes that were seen.
    apart: &'s mut Apart,
    /// Programs that were.
    called: Called,
}

/// What a scan tells beside its hits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Escapes were seen that may hide something.
    pub(super) escaped: bool,
    /// The text made more work than it is worth: treat all of it as found.
    pub(super) exhausted: bool,
}

/// How much detectors may look at, per byte of text and beside that.
const FUEL: (usize, usize) = (64, 16 * 1024);

/// Finds everything in a value; `named` are the rules whose words the name of its field ends in.
pub(super) fn scan(
    rules: &Rules,
    (sweep, familiar): (Sweep, &mut Familiar),
    text: &[u8],
    named: Slots,
    hits: &mut Vec<Hit>,
) -> Told {
    let view = View { bytes: text, bounded: true, masks: &rules.masks };
    run(rules, (sweep, familiar), (view, Extent::Places), named, (hits, &mut Apart::default()))
}

/// How far a raw record is looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// To the first thing found.
    First,
    /// To the end, while what is found is known by its form, so that its place is.
    Places,
}

/// Where there may be anything in a raw record or in any value a parser cuts out of it, and whether escapes were
/// seen that may hide more. The hits are left.
pub(super) fn suspect(
    rules: &Rules,
    by: (Sweep, &mut Familiar),
    (text, extent): (&[u8], Extent),
    hits: &mut Vec<Hit>,
) -> (Suspects, bool) {
    hits.clear();
    let view = View { bytes: text, bounded: false, masks: &rules.masks };
    let mut apart = Apart::default();
    let told = run(rules, by, (view, extent), Slots::default(), (hits, &mut apart));
    let suspects = match Suspects::of(hits) {
        _ if told.exhausted || rules.shapes.meet(view, &apart) => Suspects::Anything,
        Suspects::Places if extent == Extent::First => Suspects::Anything,
        suspects => suspects,
    };
    (suspects, told.escaped)
}

fn run(
    rules: &Rules,
    (sweep, familiar): (Sweep, &mut Familiar),
    (view, extent): (View<'_>, Extent),
    named: Slots,
    (hits, apart): (&mut Vec<Hit>, &mut Apart),
) -> Told {
    let fuel = view.bytes.len().saturating_mul(FUEL.0).saturating_add(FUEL.1);
    let (escaped, covered) = (false, 0);
    let called = Called::default();
    let mut scan =
        Scan { rules, view, extent, hits, familiar, escaped, covered, fuel, named, apart, called };
    if rules.sweeps {
        sweep.over(view.bytes, rules.wanted(), &mut scan);
        if view.bounded && !named.is_empty() {
            scan.whole();
        }
    }
    Told { escaped: scan.escaped, exhausted: scan.fuel == 0 }
}

impl Visit for Scan<'_, '_> {
    #[inline(always)]
    fn may_be(&self, anchor: Anchor, at: usize) -> bool {
        self.passes(anchor, at)
    }

    #[inline(always)]
    fn may_assign(&mut self, at: usize) -> bool {
        let before =
            at.checked_sub(8).and_then(|from| self.view.bytes.get(from..at)?.first_chunk());
        let sign = self.view.at(at);
        // A tag's name is elsewhere.
        sign == b'>'
            || (sign == b'=' && is_quoted_at(self.view, at))
            || before.is_none_or(|last| self.familiar.may_stand_before(self.rules, *last))
    }

    #[inline(always)]
    fn visit(&mut self, anchor: Anchor, at: usize) -> bool {
        self.look(anchor, at)
    }
}

impl<'t> Scan<'_, 't> {
    /// Looks closer at any anchor.
    #[inline(never)]
    fn look(&mut self, anchor: Anchor, at: usize) -> bool {
        match anchor {
            Anchor::Sign => self.assign(at),
            Anchor::Rare => match self.view.at(at) {
                b'@' => self.at_sign(at),
                b'+' => self.plus(at),
                b'~' => self.tilde(at),
                byte => self.escape(byte, at),
            },
            Anchor::LongNumber => self.try_rule(Scanner::Card, |view| card_number(view, at)),
            Anchor::Groups => self.groups(at),
            Anchor::LongWord => self.long_word(at),
            Anchor::Iban => {
                self.try_rule(Scanner::Iban, |view| iban(view, at))
                    || self.shape(Place::Capitals, at)
            }
            Anchor::Dashes => self.dashes(at),
            Anchor::Scheme => self.scheme(at) || self.statement(at),
            Anchor::Number => self.number(at),
            Anchor::Capital => self.shape(Place::Capital, at),
            Anchor::Triple => self.shape(Place::Triple, at),
            Anchor::Pairs => self.shape(Place::Pairs, at),
            Anchor::Named => self.after_word(at),
            Anchor::Dots | Anchor::Colons | Anchor::TwoColons | Anchor::Hyphens => self.address(at),
        }
    }

    fn address(&mut self, at: usize) -> bool {
        let found = address(self.view, &self.rules.addresses, at);
        found.is_some_and(|(rule, range)| self.hit(rule, range))
    }

    /// Notes a hit. Returns whether that is enough to know.
    fn hit(&mut self, rule: u16, range: Range<usize>) -> bool {
        let has_place = self.extent == Extent::Places && !range.is_empty() && !self.escaped;
        self.hits.push(Hit { range, rule, named: false, quote: 0..0 });
        !(self.view.bounded || (has_place && self.hits.len() <= MOST))
    }

    /// Uses up work. Returns whether none may be done any more.
    fn spend(&mut self, bytes: usize) -> bool {
        self.fuel = self.fuel.saturating_sub(bytes);
        self.fuel == 0
    }

    /// Runs one detector, if a rule that is on has it.
    fn try_rule(
        &mut self,
        scanner: Scanner,
        look: impl FnOnce(View<'t>) -> Option<Range<usize>>,
    ) -> bool {
        match self.rules.scanner(scanner) {
            Some(rule) => match look(self.view) {
                Some(range) => self.hit(rule, range),
                None => false,
            },
            None => false,
        }
    }

    fn groups(&mut self, at: usize) -> bool {
        if self.try_rule(Scanner::Card, |view| grouped_card(view, at))
            || self.shape(Place::Group, at)
        {
            return true;
        }
        if self.view.at(at) == b' ' {
            return false;
        }
        self.try_rule(Scanner::Ssn, |view| ssn(view, at))
            || self.try_rule(Scanner::Phone, |view| nanp(view, at))
    }

    fn plus(&mut self, at: usize) -> bool {
        if scheme_before(self.view, at).is_some() {
            return self.scheme(at);
        }
        if !self.view.at(at + 1).is_ascii_digit() {
            return false;
        }
        // In a query a blank is written as `+`: `4111+1111+1111+1111`.
        self.try_rule(Scanner::Phone, |view| e164(view, at))
            || (self.view.before(at, 1).is_ascii_digit()
                && self.try_rule(Scanner::Card, |view| grouped_card(view, at)))
            || (self.view.before(at, 1).is_ascii_alphanumeric()
                && [Place::Group, Place::Triple, Place::Pairs]
                    .into_iter()
                    .any(|place| self.shape(place, at)))
    }

    fn at_sign(&mut self, at: usize) -> bool {
        if let Some(rule) = self.rules.scanner(Scanner::UrlPassword) {
            if self.spend(256) {
                return true;
            }
            if let Some(range) = url_password(self.view, at) {
                return self.hit(rule, range);
            }
        }
        self.escaped |=
            self.rules.scanner(Scanner::Email).is_some() && is_hidden_address(self.view, at);
        self.try_rule(Scanner::Email, |view| email(view, at))
    }

    fn tilde(&mut self, at: usize) -> bool {
        let found = at_tilde(self.view, at, &self.rules.prefixes);
        found.is_some_and(|(rule, range)| self.hit(rule, range))
    }

    fn long_word(&mut self, at: usize) -> bool {
        if at < self.covered {
            return false;
        }
        let (rules, view) = (self.rules, self.view);
        // Each `-eyJ` of a long word is looked at, up to a header's length.
        if self.spend(if view.at(at) == b'e' { LONGEST_HEADER } else { 64 }) {
            return true;
        }
        let begins = |place: usize| {
            token(view, place, &rules.prefixes)
                .or_else(|| rules.scanner(Scanner::Jwt).zip(jwt(view, place)))
        };
        let found = begins(at).or_else(|| begins(after_escape(view, at)));
        match found {
            Some((rule, range)) => {
                self.covered = range.end;
                self.hit(rule, range)
            }
            None => {
                self.shape(Place::Word, after_escape(view, at))
                    || (view.before(at, 1) == b' ' && self.scheme(at - 1))
            }
        }
    }

    /// The blank after a bare `Bearer` or `Basic`.
    fn scheme(&mut self, at: usize) -> bool {
        let Some(rule) = self.rules.scanner(Scanner::Authorization) else { return false };
        if at < self.covered {
            return false;
        }
        let looked = bearer(self.view, at);
        if self.spend(64 + looked.end - at) {
            return true;
        }
        let Some((range, _)) = looked.secret else { return false };
        self.covered = range.end;
        self.hit(rule, range)
    }

    fn dashes(&mut self, at: usize) -> bool {
        if at < self.covered {
            return false;
        }
        if self.view.at(at + 2) != b'-' {
            return self.option(at);
        }
        let Some(rule) = self.rules.scanner(Scanner::PrivateKey) else { return false };
        match private_key(self.view, at) {
            Some(range) => {
                self.covered = range.end;
                self.hit(rule, range)
            }
            None => false,
        }
    }

    /// `=` or `:`: is it a secret's name that stands before it?
    #[inline(never)]
    fn assign(&mut self, at: usize) -> bool {
        if is_quoted_at(self.view, at)
            && self.try_rule(Scanner::Email, |view| quoted_printable(view, at))
        {
            return true;
        }
        let Some(assigned) = assignment(self.view, at, &self.rules.keys) else { return false };
        if at < self.covered || self.spend(64) {
            return self.fuel == 0;
        }
        let assigned = pair(self.view, &assigned).unwrap_or(assigned);
        let says = self.familiar.says(self.rules, assigned.key);
        if !self.rules.shapes.is_empty() && self.shape_of(&assigned, says.context) {
            return true;
        }
        if !self.view.bounded
            && let Some(rule) = self.paired(&assigned, at)
        {
            return self.hit(rule, 0..0);
        }
        if let Some(stop) = self.described(&assigned) {
            return stop;
        }
        // What an escape parts from the name shows once it is decoded.
        self.escaped |= assigned.after_escape(self.view).is_some();
        let looked = match self.named(&assigned, says) {
            // In the raw record the name alone decides, mostly: the value is the parser's to cut out.
            Some((_, Judge::Entropy))
                if !self.view.bounded && !may_be_entropic(self.view, &assigned) =>
            {
                None
            }
            // Nothing is nothing wherever it is cut out.
            Some(_) if !self.view.bounded && assigned.is_null(self.view) => None,
            Some((rule, _)) if !self.view.bounded => return self.hit(rule, 0..0),
            Some((rule, Judge::Header)) => Some((rule, authorization(self.view, &assigned))),
            Some((rule, how @ (Judge::Any | Judge::Words | Judge::Cookie))) => {
                let stop = self.several(rule, at, |view, each| match how {
                    Judge::Cookie => cookies(view, &assigned, each),
                    _ => members(view, &assigned, each),
                });
                if let Some(stop) = stop {
                    return stop;
                }
                Some((rule, judge(self.view, &assigned, how)))
            }
            Some((rule, how)) => Some((rule, judge(self.view, &assigned, how))),
            None => None,
        };
        // A parameter's everyday name may be another rule's, too.
        let looked = match looked {
            Some((rule, looked)) if looked.secret.is_some() => Some((rule, looked)),
            looked => says.query.map(|rule| (rule, query_value(self.view, &assigned))).or(looked),
        };
        let Some((rule, looked)) = looked else { return false };
        if self.spend(looked.end.saturating_sub(at)) {
            return true;
        }
        let Some((range, bare)) = looked.secret else { return false };
        self.covered = range.end;
        let number = |range: Range<usize>| {
            self.view.bytes.get(range).is_some_and(|value| value.iter().all(u8::is_ascii_digit))
        };
        let quote = if bare && number(range.clone()) { assigned.quote() } else { 0..0 };
        self.hits.push(Hit { range, rule, named: true, quote });
        !self.view.bounded
    }
}
