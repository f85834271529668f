//! The one pass over a text: finds the places (anchors) where a detector could find something.
//!
//! Each byte becomes a byte of class bits; the AND of neighbours' class bits tells runs of every
//! class at once (of 2, then 4, 8, 16 bytes); a few more ANDs of what stands at fixed distances give
//! the anchors. No step depends on a byte's value, so the compiler makes vector instructions of all of
//! it. Every condition looks backwards from the last byte it needs: nothing is missed at
//! the end of a text. Detectors are told the anchor and look for themselves.

use fearless_simd::{Level, Simd};

/// Bytes per round.
const WINDOW: usize = 1024;

/// How far back a condition looks.
const BEHIND: usize = 16;

/// Rounds are a multiple of this, so that loops need no odd ends.
const STEP: usize = 32;

// Class bits.
const DIGIT: u8 = 1;
const UPPER: u8 = 1 << 1;
/// `A-Z a-z 0-9 _ -`
const TOKEN: u8 = 1 << 2;
/// `-`, `.` and a blank.
const GAP: u8 = 1 << 3;
/// `-`
const HYPHEN: u8 = 1 << 4;
/// `:`, and `>` of XML.
const COLON: u8 = 1 << 5;
/// `@ + % # = ~ \`
const RARE: u8 = 1 << 6;
/// `p`, `r`, `w` and `y`: `Bearer` has two of them, and `password`; `by` and `-p` have one.
const R: u8 = 1 << 7;

/// What makes a place worth a closer look; each comes with a byte offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// The first digit of a run of 13 or more.
    LongNumber,
    /// A blank, hyphen or dot between two digits and four digits.
    Groups,
    /// 16 or more letters, digits, `_` and `-` begin here, after something else or after a `-`.
    LongWord,
    /// Two capitals and two digits begin here.
    Iban,
    /// The first of two hyphens or more.
    Dashes,
    /// `:` or `>`, but not after digits that no word ends in: times are everywhere.
    Colon,
    /// `@`, `+`, `%`, `#`, `=`, `~` or a backslash.
    Rare,
    /// A blank where `Bearer`, `PASSWORD` or `BY` may have ended, or the letter of `-p`.
    Scheme,
    /// The first digit of a run of seven or more.
    Number,
    /// A capital before three digits.
    Capital,
    /// A blank, hyphen or dot between three digits and three.
    Triple,
    /// The first of three blanks, hyphens or dots, each before two digits.
    Pairs,
    /// The third dot of four short numbers.
    Dots,
    /// The fourth colon of five short words, or a later one.
    Colons,
    /// The second of two colons.
    TwoColons,
    /// The fourth hyphen of pairs.
    Hyphens,
}

/// Which anchors are wanted: those of shapes and of addresses take time of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// [`Anchor::Number`] to [`Anchor::Pairs`].
    pub(super) shapes: bool,
    /// [`Anchor::Dots`] to [`Anchor::Hyphens`].
    pub(super) addresses: bool,
}

/// By the bits of an anchor byte: the kind, and how far before the bit its place is.
const ANCHORS: [(Anchor, usize); 8] = [
    (Anchor::LongNumber, 12),
    (Anchor::Groups, 4),
    (Anchor::LongWord, 15),
    (Anchor::Iban, 3),
    (Anchor::Dashes, 1),
    (Anchor::Colon, 0),
    (Anchor::Rare, 0),
    (Anchor::Scheme, 0),
];

/// The same for the second lane.
const MORE: [(Anchor, usize); 8] = [
    (Anchor::Number, 6),
    (Anchor::Capital, 3),
    (Anchor::Triple, 3),
    (Anchor::Pairs, 8),
    (Anchor::Dots, 0),
    (Anchor::Colons, 0),
    (Anchor::TwoColons, 0),
    (Anchor::Hyphens, 0),
];

// Bits of links: what a chain of separators is made of, at short distances.
const DOT_LINK: u8 = 1;
const COLON_LINK: u8 = 1 << 1;
const HYPHEN_LINK: u8 = 1 << 2;

/// Told of each anchor.
pub(super) trait Visit {
    /// Looks closer at one anchor. Returns whether the sweep may stop, enough being known.
    fn visit(&mut self, anchor: Anchor, at: usize) -> bool;
}

/// The class bits of one byte.
#[inline(always)]
const fn class(byte: u8) -> u8 {
    const fn when(set: bool, bits: u8) -> u8 {
        if set { bits } else { 0 }
    }
    let upper = byte.wrapping_sub(b'A') < 26;
    let lower = byte | 0x20;
    let letter = lower.wrapping_sub(b'a') < 26;
    when(byte.wrapping_sub(b'0') < 10, DIGIT | TOKEN)
        | when(upper, UPPER)
        | when(letter | (byte == b'_'), TOKEN)
        | when(byte == b'-', TOKEN | GAP | HYPHEN)
        | when((byte == b'.') | (byte == b' '), GAP)
        | when((byte == b':') | (byte == b'>'), COLON)
        | when(
            (byte == b'@')
                | (byte == b'+')
                | (byte == b'%')
                | (byte == b'#')
                | (byte == b'=')
                | (byte == b'~')
                | (byte == b'\\'),
            RARE,
        )
        // `p` and `r` differ in one bit.
        | when((lower & !2 == b'p') | (lower == b'w') | (lower == b'y'), R)
}

/// A lane: what is known of each byte of a window, and of those before it.
type Lane = [u8; BEHIND + WINDOW];

/// Class bits of a window, runs of them ending at each byte, and the anchors: the sweep's working
/// space, about 9 KiB, kept from text to text so that it need not be cleared.
pub(super) struct Lanes {
    class: Lane,
    twos: Lane,
    fours: Lane,
    eights: Lane,
    /// Separators that end one, two and three links of a chain.
    links: [Lane; 3],
    anchors: [u8; WINDOW],
    more: [u8; WINDOW],
    /// What the processor can do.
    level: Level,
}

impl Lanes {
    /// Working space.
    pub(super) fn new() -> Box<Self> {
        let lane = [0; BEHIND + WINDOW];
        let [class, twos, fours, eights] = [lane; 4];
        let [anchors, more] = [[0; WINDOW]; 2];
        Box::new(Self {
            class,
            twos,
            fours,
            eights,
            links: [lane; 3],
            anchors,
            more,
            level: Level::new(),
        })
    }

    /// Goes over `text` once and tells `visit` of each anchor.
    #[inline(always)]
    pub(super) fn sweep(&mut self, text: &[u8], wanted: Wanted, visit: &mut impl Visit) {
        self.each(wanted, |lane| lane[..BEHIND].fill(0));
        for (index, window) in text.chunks(WINDOW).enumerate() {
            if index > 0 {
                self.each(wanted, |lane| lane.copy_within(WINDOW.., 0));
            }
            let len = window.len().next_multiple_of(STEP).min(WINDOW);
            self.fill(window, wanted);
            if look(&self.anchors[..len], &ANCHORS, index * WINDOW, visit) {
                return;
            }
            if (wanted.shapes || wanted.addresses)
                && look(&self.more[..len], &MORE, index * WINDOW, visit)
            {
                return;
            }
        }
    }

    /// Does the same to each lane that looks back.
    #[inline(always)]
    fn each(&mut self, wanted: Wanted, mut with: impl FnMut(&mut Lane)) {
        for lane in [&mut self.class, &mut self.twos, &mut self.fours, &mut self.eights] {
            with(lane);
        }
        if wanted.addresses {
            self.links.iter_mut().for_each(with);
        }
    }

    /// Fills the lanes for a window, by instructions for 32 bytes at once where there are such.
    fn fill(&mut self, window: &[u8], wanted: Wanted) {
        #[cfg(target_arch = "x86_64")]
        if let Some(wide) = self.level.as_avx2() {
            return wide.vectorize(|| self.fill_lanes(window, wanted));
        }
        self.fill_lanes(window, wanted);
    }

    #[inline(always)]
    fn fill_lanes(&mut self, window: &[u8], wanted: Wanted) {
        let len = window.len().next_multiple_of(STEP).min(WINDOW);
        self.fill_anchors(window, len);
        if wanted.shapes || wanted.addresses {
            self.fill_shapes(len);
            if wanted.addresses {
                self.fill_addresses(len);
            }
        }
    }

    /// Fills the first lane of anchors, and what all of them are made of.
    #[inline(always)]
    fn fill_anchors(&mut self, window: &[u8], len: usize) {
        let Self { class: classes, twos, fours, eights, anchors, .. } = self;
        let (whole, rest) = window.as_chunks::<STEP>();
        let mut last = [0; STEP];
        last[..rest.len()].copy_from_slice(rest);
        let last = if rest.is_empty() { &[][..] } else { &[last][..] };
        for (step, bytes) in whole.iter().chain(last).enumerate() {
            let to = step_mut(classes, BEHIND + step * STEP);
            for i in 0..STEP {
                to[i] = class(bytes[i]);
            }
        }
        // Each lane is finished before the next reads it at an odd distance: a load that straddles
        // two stores still under way would wait for both.
        join(twos, classes, 1, len);
        join(fours, twos, 2, len);
        join(eights, fours, 4, len);
        for at in (0..len).step_by(STEP) {
            let class_back = |by| back(classes, by, at);
            let (c0, c1, c2) = (class_back(0), class_back(1), class_back(2));
            let (c3, c4) = (class_back(3), class_back(4));
            let (c13, c16) = (class_back(13), class_back(16));
            let (t0, t2, t5) = (back(twos, 0, at), back(twos, 2, at), back(twos, 5, at));
            let (f0, f1) = (back(fours, 0, at), back(fours, 1, at));
            let (e0, e5, e8) = (back(eights, 0, at), back(eights, 5, at), back(eights, 8, at));
            let to = step_mut(anchors, at);
            for i in 0..STEP {
                let long_number = e0[i] & e5[i] & !c13[i];
                let groups = f0[i] & (c4[i] >> 3) & t5[i];
                let long_word = e0[i] & e8[i] & (!c16[i] | (c16[i] >> 2));
                let iban = t0[i] & (t2[i] >> 1);
                let dashes = t0[i] & !c2[i];
                // After a digit, only if the four bytes before are of a word and not all digits.
                let word = f1[i] & !(f1[i] << 2);
                let colon = c0[i] & (!(c1[i] << 5) | (word << 3));
                // `rer_`, `_by_`, `word_`, and `_-p`.
                let end = (c1[i] & (c3[i] | (c3[i] << 4))) | (c2[i] & c4[i]);
                let scheme = ((c0[i] << 4) & end) | (c0[i] & (c1[i] << 3) & (c2[i] << 4));
                to[i] = (long_number & DIGIT)
                    | ((groups & DIGIT) << 1)
                    | (long_word & TOKEN)
                    | ((iban & DIGIT) << 3)
                    | (dashes & HYPHEN)
                    | (colon & COLON)
                    | (c0[i] & RARE)
                    | (scheme & R);
            }
        }
    }

    /// Fills the second lane of anchors with those that shapes are found by.
    #[inline(always)]
    fn fill_shapes(&mut self, len: usize) {
        let Self { class, twos, fours, more, .. } = self;
        for at in (0..len).step_by(STEP) {
            let class = |by| back(class, by, at);
            let (c2, c3, c5, c6) = (class(2), class(3), class(5), class(6));
            let (c7, c8) = (class(7), class(8));
            let twos = |by| back(twos, by, at);
            let (t0, t3, t4, t6) = (twos(0), twos(3), twos(4), twos(6));
            let (f0, f3) = (back(fours, 0, at), back(fours, 3, at));
            let to = step_mut(more, at);
            for i in 0..STEP {
                let number = f0[i] & f3[i] & !c7[i];
                let three = t0[i] & c2[i];
                let capital = three & (c3[i] >> 1);
                let triple = three & (c3[i] >> 3) & t4[i] & c6[i];
                // All hyphens, or none.
                let alike = !((c8[i] ^ c2[i]) >> 4) & !((c8[i] ^ c5[i]) >> 4);
                let gaps = (c2[i] & c5[i] & c8[i]) >> 3;
                let pairs = t0[i] & t3[i] & t6[i] & gaps & alike;
                to[i] = (number & DIGIT)
                    | ((capital & DIGIT) << 1)
                    | ((triple & DIGIT) << 2)
                    | ((pairs & DIGIT) << 3);
            }
        }
    }

    /// Adds those that addresses are found by.
    #[inline(always)]
    fn fill_addresses(&mut self, len: usize) {
        let Self { class, links: [one, two, three], more, .. } = self;
        for at in (0..len).step_by(STEP) {
            let (c0, c1) = (back(class, 0, at), back(class, 1, at));
            let to = step_mut(one, BEHIND + at);
            for i in 0..STEP {
                // Dots and blanks after a digit.
                let dot = (c0[i] >> 3) & !(c0[i] >> 4) & c1[i];
                to[i] =
                    (dot & DOT_LINK) | ((c0[i] >> 4) & COLON_LINK) | ((c0[i] >> 2) & HYPHEN_LINK);
            }
        }
        link(two, one, len);
        link(three, two, len);
        for at in (0..len).step_by(STEP) {
            let (c0, c1) = (back(class, 0, at), back(class, 1, at));
            let (l0, l2, l3) = (back(three, 0, at), back(three, 2, at), back(three, 3, at));
            let (l4, l5) = (back(three, 4, at), back(three, 5, at));
            let to = step_mut(more, at);
            for i in 0..STEP {
                let fourth = l0[i] & (l3[i] | ((l2[i] | l4[i] | l5[i]) & COLON_LINK));
                let double = c0[i] & c1[i] & COLON;
                to[i] |= ((l0[i] & DOT_LINK) << 4)
                    | ((fourth & COLON_LINK) << 4)
                    | (double << 1)
                    | ((fourth & HYPHEN_LINK) << 5);
            }
        }
    }
}

/// A step of a lane as it looks from a place of the window, so far back.
#[inline(always)]
fn back(lane: &Lane, by: usize, at: usize) -> &[u8; STEP] {
    const NOTHING: [u8; STEP] = [0; STEP];
    lane.get(BEHIND - by + at..).and_then(|rest| rest.first_chunk()).unwrap_or(&NOTHING)
}

/// A step that is to be written, from a place on. There is none beyond the window.
#[inline(always)]
fn step_mut(lane: &mut [u8], at: usize) -> &mut [u8; STEP] {
    #[expect(clippy::expect_used, reason = "lanes are as long as a window, and steps fill that")]
    lane.get_mut(at..).and_then(|rest| rest.first_chunk_mut()).expect("a step within the window")
}

/// `to[i]`: whether a separator ends one link more than `from` has.
#[inline(always)]
fn link(to: &mut Lane, from: &Lane, len: usize) {
    const CLOSE: u8 = DOT_LINK | COLON_LINK;
    for at in (0..len).step_by(STEP) {
        let (f0, f2, f3) = (back(from, 0, at), back(from, 2, at), back(from, 3, at));
        let (f4, f5) = (back(from, 4, at), back(from, 5, at));
        let to = step_mut(to, BEHIND + at);
        for i in 0..STEP {
            to[i] = f0[i] & (f3[i] | ((f2[i] | f4[i]) & CLOSE) | (f5[i] & COLON_LINK));
        }
    }
}

/// `to[i] = from[i] & from[i - by]`: runs twice as long.
#[inline(always)]
fn join(to: &mut Lane, from: &Lane, by: usize, len: usize) {
    for at in (0..len).step_by(STEP) {
        let (later, earlier) = (back(from, 0, at), back(from, by, at));
        let to = step_mut(to, BEHIND + at);
        for i in 0..STEP {
            to[i] = later[i] & earlier[i];
        }
    }
}

/// Visits the anchors of a window. Returns whether the sweep may stop.
#[inline(always)]
fn look(anchors: &[u8], kinds: &[(Anchor, usize); 8], base: usize, visit: &mut impl Visit) -> bool {
    let (steps, _) = anchors.as_chunks::<STEP>();
    for (step, bytes) in steps.iter().enumerate() {
        let (words, _) = bytes.as_chunks::<8>();
        for (index, word) in words.iter().enumerate() {
            let mut left = u64::from_le_bytes(*word);
            while left != 0 {
                let bit = left.trailing_zeros() as usize;
                left &= left - 1;
                let (anchor, behind) = kinds[bit % 8];
                let at = base + step * STEP + index * 8 + bit / 8;
                if visit.visit(anchor, at.saturating_sub(behind)) {
                    return true;
                }
            }
        }
    }
    false
}
