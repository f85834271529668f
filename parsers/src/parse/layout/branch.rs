//! The layouts of a definition as one tree: what several of them begin with stands in it once, and is
//! read once.
//!
//! They are tried in their order still, so only neighbours are put together.

use std::ops::Range;

use super::capture::{Capture, Kind};
use super::{Step, begins, needs};
use crate::parse::seen::Seen;

/// Steps that some layouts have in common, and how each goes on.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) steps: Vec<Step>,
    /// Tried in this order; none where a layout ends.
    pub(super) ways: Vec<Self>,
    /// The places of its layouts in the definition.
    pub(super) layouts: Range<usize>,
    /// What a text of any of its layouts begins with.
    begins: Begins,
    /// What its own steps begin with, where the text has come to them.
    opens: Begins,
    /// Bytes that a line of any of its layouts has.
    needs: Seen,
    /// Whether all of its layouts have several lines.
    lines: bool,
    /// The last byte of a text of any of its layouts, where that is known.
    ends: Option<u8>,
}

impl Branch {
    /// Of one layout.
    pub(super) fn new(place: usize, steps: Vec<Step>) -> Self {
        let of_lines =
            |step: &Step| matches!(step, Step::Literal(text) if text.as_str().contains('\n'));
        Self {
            begins: Begins::new(begins(&steps, Capture::begins)),
            opens: Begins::ANY,
            needs: needs(&steps),
            lines: steps.iter().any(of_lines),
            ends: match steps.last() {
                Some(Step::Literal(text)) => text.as_str().as_bytes().last().copied(),
                _ => None,
            },
            layouts: place..place + 1,
            steps,
            ways: Vec::new(),
        }
    }

    /// Whether a text could be of one of its layouts, from its first byte, the first that is left of it,
    /// those that it has, and whether it has several lines.
    #[inline]
    pub(super) fn may_fit(
        &self,
        first: Option<u8>,
        next: Option<u8>,
        seen: Seen,
        lines: bool,
    ) -> bool {
        self.begins.has(first)
            && self.opens.has(next)
            && seen.has(self.needs)
            && (lines || !self.lines)
    }

    /// Whether a text could be of one of its layouts: from the first byte of all of it, and what is left
    /// of it where these steps begin.
    pub(super) fn may_begin(&self, first: Option<u8>, bytes: &[u8]) -> bool {
        self.begins.has(first)
            && match beginning(&self.steps, bytes) {
                Beginning::Other => false,
                Beginning::Told => true,
                Beginning::Until(rest) => {
                    self.ways.is_empty() || self.ways.iter().any(|way| way.may_begin(first, rest))
                }
            }
    }

    /// Whether a text could be of one of its layouts, from its last byte.
    pub(super) fn may_end(&self, last: Option<u8>) -> bool {
        self.ends.is_none() || self.ends == last
    }

    /// Adds the bytes that a line of each of its layouts has which may begin so.
    pub(super) fn needs_of_each(&self, first: u8, needs: &mut Vec<Seen>) {
        if self.ways.is_empty() && self.begins.has(Some(first)) {
            needs.push(self.needs);
        }
        self.ways.iter().for_each(|way| way.needs_of_each(first, needs));
    }

    /// Puts a layout behind the others, where it parts from the last of them.
    pub(super) fn add(ways: &mut Vec<Self>, mut new: Self) {
        if let Some(last) = ways.last_mut() {
            let shared = share(&mut last.steps, &mut new.steps, new.layouts.start);
            if shared > 0 {
                last.part(shared);
                last.layouts.end = new.layouts.end;
                last.begins = last.begins.or(new.begins);
                last.needs = last.needs.common(new.needs);
                last.lines &= new.lines;
                last.ends = last.ends.filter(|_| last.ends == new.ends);
                new.steps.drain(..shared);
                return Self::add(&mut last.ways, new);
            }
        }
        ways.push(new);
    }

    /// Puts the text that follows a field to it, and says what each begins with, when all layouts are there.
    pub(super) fn settle(ways: &mut [Self]) {
        for way in ways {
            way.opens = Begins::new(begins(&way.steps, Capture::opens));
            attach(&mut way.steps);
            Self::settle(&mut way.ways);
        }
    }

    /// Leaves so many steps, before those that go on from there.
    fn part(&mut self, shared: usize) {
        if shared == self.steps.len() && !self.ways.is_empty() {
            return;
        }
        let rest = Self {
            steps: self.steps.split_off(shared),
            ways: std::mem::take(&mut self.ways),
            layouts: self.layouts.clone(),
            begins: self.begins,
            opens: self.opens,
            needs: self.needs,
            lines: self.lines,
            ends: self.ends,
        };
        self.ways.push(rest);
    }
}

/// What the beginning of a text says of some steps.
enum Beginning<'t> {
    /// That it is of others.
    Other,
    /// That it may be of these.
    Told,
    /// The same, and this is left of it behind them.
    Until(&'t [u8]),
}

/// Holds the first of some steps against the beginning of a text.
fn beginning<'t>(steps: &[Step], bytes: &'t [u8]) -> Beginning<'t> {
    let told = |fits: bool| if fits { Beginning::Told } else { Beginning::Other };
    match steps {
        [] => Beginning::Until(bytes),
        [Step::Literal(text), rest @ ..] => match bytes.strip_prefix(text.as_str().as_bytes()) {
            Some(bytes) => beginning(rest, bytes),
            None => Beginning::Other,
        },
        [Step::Capture(capture), rest @ ..] => match &capture.kind {
            Kind::Rest => beginning(rest, bytes),
            Kind::Time(format) => told(format.may_begin(bytes)),
            Kind::OneOf(words) => told(words.find(bytes).is_some()),
            _ => Beginning::Told,
        },
        // It is there, or what follows it is.
        [Step::Optional(inner), rest @ ..] => match beginning(inner, bytes) {
            Beginning::Other => beginning(rest, bytes),
            Beginning::Told | Beginning::Until(_) => Beginning::Told,
        },
        [Step::Blanks, ..] => Beginning::Told,
    }
}

/// Makes one step of a field and the text that follows it.
fn attach(steps: &mut Vec<Step>) {
    for step in std::mem::take(steps) {
        match (step, steps.last_mut()) {
            (Step::Literal(literal), Some(Step::Capture(capture))) if capture.then.is_none() => {
                capture.then = Some(literal);
            }
            (Step::Optional(mut inner), _) => {
                attach(&mut inner);
                steps.push(Step::Optional(inner));
            }
            (step, _) => steps.push(step),
        }
    }
}

/// How many steps two layouts have in common. Texts that begin alike are parted for it.
fn share(one: &mut Vec<Step>, other: &mut Vec<Step>, place: usize) -> usize {
    let mut shared = 0;
    while let (Some(left), Some(right)) = (one.get_mut(shared), other.get_mut(shared)) {
        match (left, right) {
            (Step::Capture(left), Step::Capture(right)) if left.reads_like(right) => {
                left.until.also(place, std::mem::take(&mut right.until));
            }
            (Step::Literal(left), Step::Literal(right)) if left != right => {
                let len = common(left.as_str(), right.as_str());
                if len == 0 {
                    break;
                }
                let (left, right) = (left.split_off(len), right.split_off(len));
                left.into_iter().for_each(|left| one.insert(shared + 1, Step::Literal(left)));
                right.into_iter().for_each(|right| other.insert(shared + 1, Step::Literal(right)));
            }
            (left, right) if same(left, right) => {}
            _ => break,
        }
        shared += 1;
    }
    shared
}

/// Bytes that two texts have in common, of whole characters.
fn common(one: &str, other: &str) -> usize {
    let alike = one.chars().zip(other.chars()).take_while(|(one, other)| one == other);
    alike.map(|(character, _)| character.len_utf8()).sum()
}

/// Whether two steps do the same.
fn same(one: &Step, other: &Step) -> bool {
    match (one, other) {
        (Step::Literal(one), Step::Literal(other)) => one == other,
        (Step::Blanks, Step::Blanks) => true,
        (Step::Capture(one), Step::Capture(other)) => one.is_same(other),
        (Step::Optional(one), Step::Optional(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        _ => false,
    }
}

impl Capture {
    /// Whether this and another give the same, wherever they end.
    fn gives_like(&self, other: &Self) -> bool {
        self.name == other.name
            && self.gives == other.gives
            && self.kind == other.kind
            && self.apart == other.apart
            && self.behind_name == other.behind_name
    }

    /// The same, and they end in the same place.
    fn is_same(&self, other: &Self) -> bool {
        let ends = self.kind.ends_by_itself() || matches!(self.kind, Kind::Rest);
        self.gives_like(other) && (ends || self.until == other.until)
    }

    /// Whether both are the same time: one that is read as such ends where it ends.
    fn reads_like(&self, other: &Self) -> bool {
        matches!(self.kind, Kind::Time(_)) && self.gives_like(other)
    }
}

/// Bytes that a text may begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Begins([u64; 4]);

impl Begins {
    /// Whatever it is, or nothing.
    const ANY: Self = Self([u64::MAX; 4]);

    fn new(bytes: Option<Vec<u8>>) -> Self {
        let Some(bytes) = bytes else { return Self::ANY };
        let mut set = [0; 4];
        for byte in bytes {
            if let Some(word) = set.get_mut(usize::from(byte >> 6)) {
                *word |= 1 << (byte & 63);
            }
        }
        Self(set)
    }

    fn or(self, other: Self) -> Self {
        let mut set = self.0;
        set.iter_mut().zip(other.0).for_each(|(one, other)| *one |= other);
        Self(set)
    }

    #[inline]
    fn has(&self, first: Option<u8>) -> bool {
        match first {
            Some(byte) => {
                self.0.get(usize::from(byte >> 6)).is_some_and(|word| word >> (byte & 63) & 1 == 1)
            }
            None => *self == Self::ANY,
        }
    }
}
