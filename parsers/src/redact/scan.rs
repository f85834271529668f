//! Puts anchors and detectors together: which rule looks where, and what it found.

use std::ops::Range;

use super::detect::{
    self, Assigned, Judge, LONGEST_HEADER, View, after_escape, assignment, authorization, bearer,
    card_number, cookies, e164, email, grouped_card, iban, judge, jwt, labelled, may_assign,
    may_state, members, nanp, option, private_key, putty, query, scheme_before, ssn, statement,
    token, url_password,
};
use super::rules::{PAIRED, Rules, Scanner};
use super::sweep::{Anchor, Lanes, Visit};

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
    hits: &'s mut Vec<Hit>,
    /// Whether escapes were seen that may hide something.
    escaped: bool,
    /// Everything before this place is covered by a match that may be long; it is not looked at
    /// again, or the work would grow with the square of the text.
    covered: usize,
    /// Bytes that detectors may still look at.
    fuel: usize,
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

/// Finds everything in a value.
pub(super) fn scan(rules: &Rules, lanes: &mut Lanes, text: &[u8], hits: &mut Vec<Hit>) -> Told {
    run(rules, lanes, View { bytes: text, bounded: true, masks: &rules.masks }, hits)
}

/// Whether there may be anything in a raw record or in any value a parser cuts out of it. Stops at
/// the first thing found.
pub(super) fn suspect(rules: &Rules, lanes: &mut Lanes, text: &[u8], hits: &mut Vec<Hit>) -> bool {
    hits.clear();
    let told = run(rules, lanes, View { bytes: text, bounded: false, masks: &rules.masks }, hits);
    let suspect = !hits.is_empty() || told.escaped || told.exhausted;
    hits.clear();
    suspect
}

fn run(rules: &Rules, lanes: &mut Lanes, view: View<'_>, hits: &mut Vec<Hit>) -> Told {
    let fuel = view.bytes.len().saturating_mul(FUEL.0).saturating_add(FUEL.1);
    let mut scan = Scan { rules, view, hits, escaped: false, covered: 0, fuel };
    if rules.sweeps {
        lanes.sweep(view.bytes, &mut scan);
    }
    let told = Told { escaped: scan.escaped, exhausted: scan.fuel == 0 };
    if !rules.addresses.is_off() && (view.bounded || hits.is_empty()) {
        detect::addresses(view, &rules.addresses, |rule, range| {
            hits.push(Hit { range, rule, named: false, quote: 0..0 });
            !view.bounded
        });
    }
    told
}

impl Visit for Scan<'_, '_> {
    /// Names are what most anchors are about, and almost none is a secret's: that is decided here,
    /// without a call.
    #[inline(always)]
    fn visit(&mut self, anchor: Anchor, at: usize) -> bool {
        match anchor {
            Anchor::Colon if !may_assign(self.view, at, &self.rules.keys) => false,
            Anchor::LongWord if !self.rules.prefixes.may_begin(self.view, at) => false,
            Anchor::Scheme
                if scheme_before(self.view, at).is_none() && !may_state(self.view, at) =>
            {
                false
            }
            Anchor::Rare
                if self.view.at(at) == b'=' && !may_assign(self.view, at, &self.rules.keys) =>
            {
                false
            }
            _ => self.look(anchor, at),
        }
    }
}

impl<'t> Scan<'_, 't> {
    /// Looks closer at any anchor.
    #[inline(never)]
    fn look(&mut self, anchor: Anchor, at: usize) -> bool {
        match anchor {
            Anchor::Colon => self.assign(at),
            Anchor::Rare => match self.view.at(at) {
                b'=' => self.assign(at),
                b'@' => self.at_sign(at),
                b'+' => self.plus(at),
                byte => self.escape(byte, at),
            },
            Anchor::LongNumber => self.try_rule(Scanner::Card, |view| card_number(view, at)),
            Anchor::Groups => self.groups(at),
            Anchor::LongWord => self.long_word(at),
            Anchor::Iban => self.try_rule(Scanner::Iban, |view| iban(view, at)),
            Anchor::Dashes => self.dashes(at),
            Anchor::Scheme => self.scheme(at) || self.statement(at),
        }
    }

    /// Notes a hit. Returns whether that is enough to know.
    fn hit(&mut self, rule: u16, range: Range<usize>) -> bool {
        self.hits.push(Hit { range, rule, named: false, quote: 0..0 });
        !self.view.bounded
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
        let stop = self.try_rule(Scanner::Card, |view| grouped_card(view, at));
        if stop || self.view.at(at) == b' ' {
            return stop;
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
        self.try_rule(Scanner::Email, |view| email(view, at))
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
            None => view.before(at, 1) == b' ' && self.scheme(at - 1),
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

    /// The blank before what an SQL statement sets a password to.
    fn statement(&mut self, at: usize) -> bool {
        if at < self.covered || !may_state(self.view, at) {
            return false;
        }
        let Some(rule) = self.rules.keys.find("password", &[]) else { return false };
        if self.spend(128) {
            return true;
        }
        let Some(range) = statement(self.view, at) else { return false };
        self.covered = range.end;
        self.hits.push(Hit { range, rule, named: true, quote: 0..0 });
        !self.view.bounded
    }

    /// A command's option that is named like a secret, and its argument.
    fn option(&mut self, at: usize) -> bool {
        let Some(assigned) = option(self.view, at, &self.rules.keys) else { return false };
        let Some((rule, how)) = self.named(&assigned) else { return false };
        if !self.view.bounded {
            return self.hit(rule, 0..0);
        }
        let looked = judge(self.view, &assigned, how);
        if self.spend(64 + looked.end.saturating_sub(at)) {
            return true;
        }
        if let Some((range, _)) = looked.secret {
            self.covered = range.end;
            self.hits.push(Hit { range, rule, named: true, quote: 0..0 });
        }
        false
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
        let Some(assigned) = assignment(self.view, at, &self.rules.keys) else { return false };
        if at < self.covered || self.spend(64) {
            return self.fuel == 0;
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
        let looked = match self.named(&assigned) {
            // In the raw record the name alone decides: the value is the parser's to cut out.
            Some((rule, _)) if !self.view.bounded => return self.hit(rule, 0..0),
            Some((rule, Judge::Header)) => Some((rule, authorization(self.view, &assigned))),
            Some((rule, how @ (Judge::Any | Judge::Cookie))) => {
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
            None => self.rules.query(assigned.key).zip(Some(query(self.view, &assigned))),
        };
        let Some((rule, looked)) = looked else { return self.escaped && !self.view.bounded };
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

    /// Notes what stands in several places behind one name: whether the sweep may stop. `None` if
    /// nothing of the kind stands there.
    fn several(
        &mut self,
        rule: u16,
        at: usize,
        look: impl FnOnce(View<'t>, &mut dyn FnMut(Range<usize>)) -> Option<usize>,
    ) -> Option<bool> {
        let hits = &mut *self.hits;
        let mut each = |range| hits.push(Hit { range, rule, named: true, quote: 0..0 });
        let end = look(self.view, &mut each)?;
        self.covered = self.covered.max(end);
        Some(self.spend(end.saturating_sub(at)))
    }

    /// What another name describes: a field of CEF that has a label, a key in PuTTY's format.
    fn described(&mut self, assigned: &Assigned<'t>) -> Option<bool> {
        let (view, keys) = (self.view, &self.rules.keys);
        let named =
            |name: &str| if view.bounded { keys.find(name, &[]) } else { keys.may_find(name) };
        let key = || self.rules.scanner(Scanner::PrivateKey).zip(putty(view, assigned));
        let (rule, range) = labelled(view, assigned, named).or_else(key)?;
        self.hits.push(Hit { range, rule, named: true, quote: 0..0 });
        Some(!view.bounded)
    }

    /// The rule for a name that is itself a value, of `{"key":"password","value":…}`.
    fn paired(&self, assigned: &Assigned<'t>, at: usize) -> Option<u16> {
        /// Bytes of a name that are looked at.
        const LONGEST: usize = 256;
        if self.view.at(at) != b':' || !PAIRED.contains(&assigned.key) {
            return None;
        }
        let blanks = self.view.run(at + 1, LONGEST, |byte| byte.is_ascii_whitespace());
        let quote = self.view.run(blanks, 8, |byte| byte == b'\\');
        if self.view.at(quote) != b'"' {
            return None;
        }
        let end = self.view.run(quote + 1, LONGEST, |byte| !matches!(byte, b'"' | b'\\'));
        let name = std::str::from_utf8(self.view.bytes.get(quote + 1..end)?).ok()?;
        self.rules.keys.may_find(name)
    }

    /// The rule for a name, and what it takes for a secret after it. Two or three words without quotes
    /// may be prose: what follows them must look random.
    fn named(&self, assigned: &Assigned<'t>) -> Option<(u16, Judge)> {
        let (view, rules) = (self.view, self.rules);
        let rule = |name: &str| {
            if view.bounded { rules.keys.find(name, &[]) } else { rules.keys.may_find(name) }
        };
        if let Some(rule) = rule(assigned.key) {
            return Some((rule, rules.judge(rule)));
        }
        // `\ntoken=…`: the `n` may be an escape's.
        if let Some(rule) = assigned.after_escape(view).and_then(rule) {
            return Some((rule, rules.judge(rule)));
        }
        let rule = assigned.with_words(view).find_map(rule)?;
        let how = match rules.judge(rule) {
            _ if rules.is_field(rule) => Judge::Any,
            Judge::Random => Judge::Prose,
            _ => Judge::Random,
        };
        Some((rule, how))
    }

    /// A backslash or `%`: does it hide a byte that a detector would look for?
    fn escape(&mut self, byte: u8, at: usize) -> bool {
        if self.escaped {
            return false;
        }
        let hidden = if byte == b'%' {
            self.hex(at + 1, 2).is_some_and(|hidden| match hidden {
                b' ' => self.blank(at, at + 3),
                hidden => tells(hidden) || self.parts(at + 3),
            })
        } else {
            // Backslashes in a row: escaped more than once.
            if self.view.before(at, 1) == b'\\' {
                return false;
            }
            let letter = self.view.run(at, 16, |byte| byte == b'\\');
            match self.view.at(letter) {
                b'u' => self
                    .hex(letter + 1, 2)
                    .filter(|high| *high == 0)
                    .and_then(|_| self.hex(letter + 3, 2))
                    .is_some_and(|hidden| tells(hidden) || self.parts(letter + 5)),
                b'x' => self
                    .hex(letter + 1, 2)
                    .is_some_and(|hidden| tells(hidden) || self.parts(letter + 3)),
                _ => false,
            }
        };
        self.escaped |= hidden;
        hidden && !self.view.bounded
    }

    /// Whether the blank that `%20` stands for tells. Most are between the words of a search: it does
    /// between digits, after a scheme, and where no word follows. Names after it are seen at their `=`.
    fn blank(&self, at: usize, after: usize) -> bool {
        let next = self.view.at(after);
        self.parts(after)
            || (self.view.before(at, 1).is_ascii_digit() && next.is_ascii_alphanumeric())
            || !(next.is_ascii_alphanumeric() || next <= b' ')
            || scheme_before(self.view, at).is_some()
    }

    /// Whether an escaped byte parts what comes after it from the escape's own digits: `%22` in
    /// `%224111…`, `\u0022` in `\u0022DE89…`.
    fn parts(&self, after: usize) -> bool {
        let (first, second) = (self.view.at(after), self.view.at(after + 1));
        first.is_ascii_digit() || (first.is_ascii_uppercase() && second.is_ascii_uppercase())
    }

    fn hex(&self, at: usize, digits: usize) -> Option<u8> {
        super::decode::hex(self.view.bytes.get(at..at + digits)?)
    }
}

/// Whether a byte may be a part of what detectors look for, or part it from what stands around.
const fn tells(byte: u8) -> bool {
    byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
