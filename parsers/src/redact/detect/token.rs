//! Keys and tokens that say what they are by how they are spelt: `AKIA…`, `ghp_…`, `SG.….…`; and
//! those that what stands before them gives away.

mod form;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub(in super::super) use form::Form;
use form::{Part, end, ends_in, split, start};

use super::super::bytes::Bytes;
use super::authorization::scheme_before;
use super::{View, is_word};

/// How tokens of one kind are written.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(untagged)]
pub(in super::super) enum Prefix {
    /// By their own spelling.
    Whole(Form),
    /// By the address before them, which stays.
    Behind(Behind),
}

/// A token in an address.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Behind {
    /// What stands before it: right before, or with up to four parts of a path between.
    pub(in super::super) after: String,
    /// How it is spelt.
    pub(in super::super) then: Form,
}

/// Parts of a path that may stand between an address and its token.
const BETWEEN: usize = 4;

/// All prefixes of the rules that are on.
pub(in super::super) struct PrefixTable {
    /// Forms that begin with a literal and a long word, by its first byte.
    first: Vec<Vec<Entry>>,
    /// A bit for each (hashed) beginning of three bytes that some of them have.
    firsts: Box<[u64; 1024]>,
    /// The same for the two bytes before the long word of `led`.
    leads: Box<[u64; 1024]>,
    /// Forms whose long word begins behind something, by the last byte of that: `SG.`.
    led: Vec<Vec<Entry>>,
    /// Forms that begin with a run of a fixed length.
    fixed: Vec<Entry>,
    /// What stands behind those runs: after so many bytes, this byte.
    marks: Vec<(usize, u8)>,
    /// Forms that may have no long word at a known place, but a literal that ends in `~`.
    odd: Vec<Entry>,
    /// Tokens in addresses.
    behind: Vec<(Box<[u8]>, Entry)>,
    /// A bit for each byte that stands last but one in an address, and for what may escape its last.
    seconds: Bytes,
    /// A bit for each byte before the `~` of odd forms.
    tildes: Bytes,
    /// A bit for each byte that may stand before the long word of what is not found by its first bytes.
    befores: Bytes,
    /// A bit for each byte that others' words begin with.
    others: Bytes,
}

/// A form, cut where its long word begins.
#[derive(Debug)]
struct Entry {
    lead: Vec<Part>,
    rest: Vec<Part>,
    rule: u16,
}

impl Default for PrefixTable {
    fn default() -> Self {
        let mut table = Self {
            first: Vec::new(),
            firsts: Box::new([0; 1024]),
            leads: Box::new([0; 1024]),
            led: Vec::new(),
            fixed: Vec::new(),
            marks: Vec::new(),
            odd: Vec::new(),
            behind: Vec::new(),
            seconds: Bytes::default(),
            tildes: Bytes::default(),
            befores: Bytes::default(),
            others: Bytes::default(),
        };
        // What ends an escape.
        for byte in [b'\\', b'%'] {
            table.note_before(byte);
        }
        table
    }
}

impl std::fmt::Debug for PrefixTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let led: usize = self.led.iter().map(Vec::len).sum();
        write!(f, "PrefixTable({} behind something)", led + self.behind.len())
    }
}

/// Where three bytes have their bit.
#[inline]
const fn slot(bytes: [u8; 3]) -> (usize, u64) {
    let joined = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
    // Fibonacci hashing to 16 bits.
    let hash = joined.wrapping_mul(0x9E37_79B1) >> 16;
    (hash as usize / 64, 1 << (hash % 64))
}

impl PrefixTable {
    /// Adds a rule's prefix.
    pub(in super::super) fn add(&mut self, prefix: &Prefix, rule: u16) {
        let form = match prefix {
            Prefix::Whole(form) => form,
            Prefix::Behind(Behind { after, then }) => {
                let entry = Entry { lead: Vec::new(), rest: then.0.clone(), rule };
                if let [.., second, last] = *after.as_bytes() {
                    self.note_before(last);
                    self.seconds.insert(second);
                    self.seconds.insert(b'\\');
                    self.behind.push((after.as_bytes().into(), entry));
                }
                return;
            }
        };
        let Some((lead, rest)) = split(&form.0) else {
            for part in &form.0 {
                match part {
                    Part::Literal(text) => match **text {
                        [.., before, b'~'] => self.tildes.insert(before),
                        _ => self.tildes = Bytes::that(|_| true),
                    },
                    Part::Run { .. } => {}
                }
            }
            return self.odd.push(Entry { lead: Vec::new(), rest: form.0.clone(), rule });
        };
        match (lead.last(), rest.first()) {
            (Some(Part::Literal(before)), _) => {
                self.note_lead(before, &lead);
                let last = before.last().map_or(0, |&last| usize::from(last));
                self.led.resize_with(256, Vec::new);
                if let Some(list) = self.led.get_mut(last) {
                    list.push(Entry { lead, rest, rule });
                }
            }
            (_, Some(Part::Literal(text))) => {
                self.note_parts(&rest, [0; 3], 0);
                let first = text.first().map_or(0, |&first| usize::from(first));
                self.first.resize_with(256, Vec::new);
                if let Some(list) = self.first.get_mut(first) {
                    list.push(Entry { lead, rest, rule });
                }
            }
            _ => {
                if let [Part::Run { min, .. }, Part::Literal(text), ..] = rest.as_slice() {
                    let mark = (*min, text.first().copied().unwrap_or(0));
                    if !self.marks.contains(&mark) {
                        self.marks.push(mark);
                    }
                }
                self.fixed.push(Entry { lead, rest, rule });
            }
        }
    }

    /// Lets all words that begin with this byte through the first test: another detector looks at them.
    pub(in super::super) fn mark(&mut self, first: u8) {
        self.others.insert(first);
    }

    /// Lets words that begin like this through the first test.
    pub(in super::super) fn note_first(&mut self, text: &[u8]) {
        self.note_parts(&[Part::Literal(text.into())], [0; 3], 0);
    }

    /// The same for all that may begin so; of the three bytes, `known` are.
    fn note_parts(&mut self, parts: &[Part], mut bytes: [u8; 3], known: usize) {
        if known == bytes.len() {
            let (word, bit) = slot(bytes);
            if let Some(word) = self.firsts.get_mut(word) {
                *word |= bit;
            }
            return;
        }
        let mut before = 0;
        let part = parts.iter().find_map(|part| {
            let place = known - before;
            before += least(part);
            (known < before).then_some((part, place))
        });
        let may_be = |byte: u8| match part {
            Some((Part::Literal(text), place)) => text.get(place) == Some(&byte),
            Some((Part::Run { of, .. }, _)) => of.has(byte),
            None => true,
        };
        for byte in (0..128).filter(|&byte| may_be(byte)) {
            bytes[known] = byte;
            self.note_parts(parts, bytes, known + 1);
        }
    }

    /// Lets words through the first test that have this literal before them, the last of what leads to them.
    fn note_lead(&mut self, before: &[u8], lead: &[Part]) {
        let Some(&last) = before.last() else { return };
        self.note_before(last);
        let second = before.len().checked_sub(2).and_then(|at| before.get(at).copied());
        let may_be = |other: &u8| match (second, lead) {
            (Some(second), _) => second == *other,
            (None, [.., Part::Run { of, min: 1.., .. }, _]) => of.has(*other),
            (None, _) => true,
        };
        for other in (0..=u8::MAX).filter(may_be) {
            let (word, bit) = slot([0, other, last]);
            if let Some(word) = self.leads.get_mut(word) {
                *word |= bit;
            }
        }
    }

    /// Lets words through the first test that have this byte before them.
    fn note_before(&mut self, byte: u8) {
        self.befores.insert(byte);
    }

    #[inline]
    fn may_stand_before(&self, byte: u8) -> bool {
        self.befores.has(byte)
    }

    #[inline]
    fn may_be_first(&self, view: View<'_>, at: usize) -> bool {
        let (word, bit) = slot([view.at(at), view.at(at + 1), view.at(at + 2)]);
        self.firsts.get(word).is_some_and(|word| word & bit != 0)
    }

    #[inline]
    fn is_marked(&self, view: View<'_>, at: usize) -> bool {
        self.marks.iter().any(|&(after, mark)| view.at(at + after) == mark)
    }

    /// Whether a token, a JWT or credentials after their scheme may begin here: a few bytes tell.
    #[inline]
    pub(in super::super) fn may_begin(&self, view: View<'_>, at: usize) -> bool {
        (self.may_stand_before(view.before(at, 1)) && self.may_be_led(view, at))
            || self.may_be_first(view, at)
            || (view.before(at, 1) == b' ' && scheme_before(view, at - 1).is_some())
            || self.is_marked(view, at)
            || (matches!(view.before(at, 1), b'[' | b';') && view.word_start(at) != at)
    }

    /// Whether what stands before a long word may be what gives a token away.
    #[inline(never)]
    fn may_be_led(&self, view: View<'_>, at: usize) -> bool {
        let last = view.before(at, 1);
        let second = view.before(at, 2);
        let leads = |entry: &Entry| match entry.lead.as_slice() {
            [.., Part::Literal(text)] if matches!(**text, [.., known, _] if known != second) => {
                false
            }
            // Another literal at a known distance tells first.
            [.., Part::Literal(far), Part::Run { min, max, .. }, Part::Literal(text)]
                if min == max && Some(&view.before(at, text.len() + min + 1)) != far.last() =>
            {
                false
            }
            [before @ .., Part::Literal(text)] => {
                let from = at.checked_sub(text.len());
                let same = |from| view.bytes.get(from..at) == Some(text);
                let stands = text.len() == 1 || from.is_some_and(same);
                stands && from.is_some_and(|from| start(before, view, from).is_some())
            }
            _ => true,
        };
        matches!(last, b'\\' | b'%')
            || self.places(view, at).any(|place| self.seconds.has(view.before(place, 2)))
            || (self.may_lead(view, at) && self.led_by(last).iter().any(leads))
    }

    /// Forms whose long word begins behind this byte.
    fn led_by(&self, last: u8) -> &[Entry] {
        self.led.get(usize::from(last)).map_or(&[], Vec::as_slice)
    }

    /// Whether the two bytes before a long word are those of what gives a token away.
    #[inline]
    fn may_lead(&self, view: View<'_>, at: usize) -> bool {
        let (word, bit) = slot([0, view.before(at, 2), view.before(at, 1)]);
        self.leads.get(word).is_some_and(|word| word & bit != 0)
    }

    /// The places behind an address from which a token at `at` may be reached by parts of a path.
    fn places<'v>(&self, view: View<'v>, at: usize) -> impl Iterator<Item = usize> + use<'v> {
        let next = move |place: &usize| {
            (view.before(*place, 1) == b'/').then(|| {
                let slash = view.run_back(*place - 1, 4, |byte| byte == b'\\');
                view.run_back(slash, 64, |byte| is_word(byte) || byte == b'-')
            })
        };
        std::iter::successors(Some(at), next).take(BETWEEN + 1)
    }

    /// Whether the `~` of an odd form may stand behind this byte.
    #[inline]
    pub(in super::super) fn may_be_odd(&self, before: u8) -> bool {
        self.tildes.has(before)
    }

    /// Whether another detector's words may begin with this byte.
    #[inline]
    pub(in super::super) fn is_others(&self, byte: u8) -> bool {
        self.others.has(byte)
    }

    /// A token that begins at `at`.
    fn find(&self, view: View<'_>, at: usize) -> Option<(u16, Range<usize>)> {
        let found = |entry: &Entry| Some((entry.rule, at..end(&entry.rest, view, at)?));
        let first = || self.first.get(usize::from(view.at(at)))?.iter().find_map(found);
        let by_first = if self.may_be_first(view, at) { first() } else { None };
        by_first.or_else(|| {
            if self.is_marked(view, at) { self.fixed.iter().find_map(found) } else { None }
        })
    }

    /// A token whose long word begins at `at`.
    fn find_led(&self, view: View<'_>, at: usize) -> Option<(u16, Range<usize>)> {
        self.led_by(view.before(at, 1)).iter().find_map(|entry| {
            let from = start(&entry.lead, view, at)?;
            // What begins with digits may stand behind a word: `/bot123456:…`.
            let own = !view.bounded
                || matches!(entry.lead.first(), Some(Part::Run { .. }))
                || !view.word_before(from);
            let end = own.then(|| end(&entry.rest, view, at))??;
            Some((entry.rule, from..end))
        })
    }

    /// A token without a long word of its own, at the `~` that its literal ends in.
    fn find_odd(&self, view: View<'_>, at: usize) -> Option<(u16, Range<usize>)> {
        self.odd.iter().find_map(|entry| {
            let place = entry.rest.iter().position(|part| matches!(part, Part::Literal(_)))?;
            let before = entry.rest.get(..=place)?.iter().map(least).sum();
            let from = (at + 1).checked_sub(before)?;
            let own = !view.bounded || !view.word_before(from);
            let end = own.then(|| end(&entry.rest, view, from))??;
            (end > at).then_some((entry.rule, from..end))
        })
    }

    /// A token at `at` that an address before it gives away.
    fn find_behind(&self, view: View<'_>, at: usize) -> Option<(u16, Range<usize>)> {
        let near = |place: &usize| self.seconds.has(view.before(*place, 2));
        self.places(view, at).filter(near).find_map(|place| {
            let before = view.bytes.get(..place)?;
            self.behind.iter().find_map(|(after, entry)| {
                let end = ends_in(before, after).then(|| end(&entry.rest, view, at))??;
                Some((entry.rule, at..end))
            })
        })
    }
}

/// Least bytes of a part.
fn least(part: &Part) -> usize {
    match part {
        Part::Literal(text) => text.len(),
        Part::Run { min, .. } => *min,
    }
}

/// Where a token may begin that an escape stands in front of: `\nghp_…`, `\u000aghp_…`, `\x0aghp_…`,
/// `%0Aghp_…`. `at` itself if there is none.
pub(in super::super) fn after_escape(view: View<'_>, at: usize) -> usize {
    at + match (view.before(at, 1), view.at(at)) {
        (b'\\', b'u') => 5,
        (b'\\', b'x') => 3,
        (b'\\', _) => 1,
        (b'%', _) => 2,
        // `ESC[31mghp_…`: so does a coloured one, after the colour.
        _ => view.word_start(at) - at,
    }
}

/// A token that begins at `at`.
pub(in super::super) fn token(
    view: View<'_>,
    at: usize,
    table: &PrefixTable,
) -> Option<(u16, Range<usize>)> {
    let found = table.find(view, at);
    if found.is_some() || !table.may_stand_before(view.before(at, 1)) {
        return found;
    }
    table.find_led(view, at).or_else(|| table.find_behind(view, at))
}

/// A token that has a `~` at `at`, and perhaps no long word.
pub(in super::super) fn at_tilde(
    view: View<'_>,
    at: usize,
    table: &PrefixTable,
) -> Option<(u16, Range<usize>)> {
    table.find_odd(view, at)
}
