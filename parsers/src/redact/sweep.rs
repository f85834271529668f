//! The one pass over a text: finds the places (anchors) where a detector could find something.
//!
//! Each byte becomes a byte of class bits; the AND of neighbours' class bits tells runs of every
//! class at once (of 2, then 4, 8, 16 bytes); a few more ANDs of what stands at fixed distances give
//! the anchors. No step depends on a byte's value, so the compiler makes vector instructions of all of
//! it, as wide as the processor at hand has them. Every condition looks backwards from the last byte it
//! needs: nothing is missed at the end of a text. Detectors are told the anchor and look for themselves.

use fearless_simd::{Level, dispatch};

/// Bytes per round.
const WINDOW: usize = 1024;

/// How far back a condition looks.
const BEHIND: usize = 16;

/// Rounds are a multiple of this, so that loops need no odd ends: two vectors, or one.
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
/// `@ + % = \`
const RARE: u8 = 1 << 6;
/// `r`, of which `Bearer` has two.
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
    /// The first of four hyphens.
    Dashes,
    /// `:` or `>`, but not after digits that no word ends in: times are everywhere.
    Colon,
    /// `@`, `+`, `%`, `=` or a backslash.
    Rare,
    /// A blank where `Bearer` may have ended.
    Scheme,
}

/// By the bits of an anchor byte: the kind, and how far before the bit its place is.
const ANCHORS: [(Anchor, usize); 8] = [
    (Anchor::LongNumber, 12),
    (Anchor::Groups, 4),
    (Anchor::LongWord, 15),
    (Anchor::Iban, 3),
    (Anchor::Dashes, 3),
    (Anchor::Colon, 0),
    (Anchor::Rare, 0),
    (Anchor::Scheme, 0),
];

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
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    when(byte.wrapping_sub(b'0') < 10, DIGIT | TOKEN)
        | when(upper, UPPER)
        | when(letter | (byte == b'_'), TOKEN)
        | when(byte == b'-', TOKEN | GAP | HYPHEN)
        | when((byte == b'.') | (byte == b' '), GAP)
        | when((byte == b':') | (byte == b'>'), COLON)
        | when(
            (byte == b'@') | (byte == b'+') | (byte == b'%') | (byte == b'=') | (byte == b'\\'),
            RARE,
        )
        | when(byte | 0x20 == b'r', R)
}

/// Class bits of a window, runs of them ending at each byte, and the anchors: the sweep's working
/// space, about 5 KiB, kept from text to text so that it need not be cleared.
pub(super) struct Lanes {
    /// The vector instructions that there are.
    level: Level,
    class: [u8; BEHIND + WINDOW],
    twos: [u8; BEHIND + WINDOW],
    fours: [u8; BEHIND + WINDOW],
    eights: [u8; BEHIND + WINDOW],
    anchors: [u8; WINDOW],
}

impl Lanes {
    /// Working space.
    pub(super) fn new() -> Box<Self> {
        let lane = [0; BEHIND + WINDOW];
        Box::new(Self {
            level: Level::new(),
            class: lane,
            twos: lane,
            fours: lane,
            eights: lane,
            anchors: [0; WINDOW],
        })
    }

    /// Goes over `text` once and tells `visit` of each anchor.
    #[inline(always)]
    pub(super) fn sweep(&mut self, text: &[u8], visit: &mut impl Visit) {
        for lane in [&mut self.class, &mut self.twos, &mut self.fours, &mut self.eights] {
            lane[..BEHIND].fill(0);
        }
        for (index, window) in text.chunks(WINDOW).enumerate() {
            if index > 0 {
                for lane in [&mut self.class, &mut self.twos, &mut self.fours, &mut self.eights] {
                    lane.copy_within(WINDOW.., 0);
                }
            }
            self.fill(window);
            let anchors = &self.anchors[..window.len().next_multiple_of(STEP)];
            if look(anchors, index * WINDOW, visit) {
                return;
            }
        }
    }

    /// Fills the lanes for a window.
    #[inline(never)]
    fn fill(&mut self, window: &[u8]) {
        dispatch!(self.level, _ => self.fill_here(window));
    }

    /// The same, with the vector instructions of wherever it stands.
    #[inline(always)]
    fn fill_here(&mut self, window: &[u8]) {
        let len = window.len().next_multiple_of(STEP).min(WINDOW);
        let Self { class: classes, twos, fours, eights, anchors, .. } = self;
        let (whole, rest) = window.as_chunks::<STEP>();
        let (to, _) = classes[BEHIND..].as_chunks_mut::<STEP>();
        let (first, last) = to.split_at_mut(whole.len());
        for (to, bytes) in first.iter_mut().zip(whole) {
            *to = bytes.map(class);
        }
        if let (Some(to), false) = (last.first_mut(), rest.is_empty()) {
            let mut bytes = [0; STEP];
            bytes[..rest.len()].copy_from_slice(rest);
            *to = bytes.map(class);
        }
        // Each lane is finished before the next reads it at an odd distance: a load that straddles
        // two stores still under way would wait for both.
        join(twos, classes, 1, len);
        join(fours, twos, 2, len);
        join(eights, fours, 4, len);
        let class_back = |by: usize| steps(classes, by, len);
        let (c0, c1, c3, c4) = (class_back(0), class_back(1), class_back(3), class_back(4));
        let (c13, c16) = (class_back(13), class_back(16));
        let twos_back = |by: usize| steps(twos, by, len);
        let (t0, t2, t5) = (twos_back(0), twos_back(2), twos_back(5));
        let (f0, f1) = (steps(fours, 0, len), steps(fours, 1, len));
        let eights_back = |by: usize| steps(eights, by, len);
        let (e0, e5, e8) = (eights_back(0), eights_back(5), eights_back(8));
        let (anchors, _) = anchors[..len].as_chunks_mut::<STEP>();
        for step in 0..len / STEP {
            let (c0, c1, c3, c4) = (&c0[step], &c1[step], &c3[step], &c4[step]);
            let (c13, c16) = (&c13[step], &c16[step]);
            let (t0, t2, t5) = (&t0[step], &t2[step], &t5[step]);
            let (f0, f1) = (&f0[step], &f1[step]);
            let (e0, e5, e8) = (&e0[step], &e5[step], &e8[step]);
            anchors[step] = std::array::from_fn(|i| {
                let long_number = e0[i] & e5[i] & !c13[i];
                let groups = f0[i] & (c4[i] >> 3) & t5[i];
                let long_word = e0[i] & e8[i] & (!c16[i] | (c16[i] >> 2));
                let iban = t0[i] & (t2[i] >> 1);
                let dashes = f0[i] & !c4[i];
                // After a digit, only if the four bytes before are of a word and not all digits.
                let word = f1[i] & !(f1[i] << 2);
                let colon = c0[i] & (!(c1[i] << 5) | (word << 3));
                let scheme = (c0[i] << 4) & c1[i] & c3[i];
                (long_number & DIGIT)
                    | ((groups & DIGIT) << 1)
                    | (long_word & TOKEN)
                    | ((iban & DIGIT) << 3)
                    | (dashes & HYPHEN)
                    | (colon & COLON)
                    | (c0[i] & RARE)
                    | (scheme & R)
            });
        }
    }
}

/// The steps of a lane, seen from so many bytes before.
#[inline(always)]
fn steps(lane: &[u8; BEHIND + WINDOW], before: usize, len: usize) -> &[[u8; STEP]] {
    lane[BEHIND - before..][..len].as_chunks().0
}

/// `to[i] = from[i] & from[i - by]`: runs twice as long.
#[inline(always)]
fn join(to: &mut [u8; BEHIND + WINDOW], from: &[u8; BEHIND + WINDOW], by: usize, len: usize) {
    let (to, _) = to[BEHIND..][..len].as_chunks_mut::<STEP>();
    let both = steps(from, 0, len).iter().zip(steps(from, by, len));
    for (to, (from, earlier)) in to.iter_mut().zip(both) {
        *to = std::array::from_fn(|i| from[i] & earlier[i]);
    }
}

/// Visits the anchors of a window. Returns whether the sweep may stop.
#[inline(always)]
fn look(anchors: &[u8], base: usize, visit: &mut impl Visit) -> bool {
    let (steps, _) = anchors.as_chunks::<STEP>();
    for (step, bytes) in steps.iter().enumerate() {
        let (words, _) = bytes.as_chunks::<8>();
        for (index, word) in words.iter().enumerate() {
            let mut left = u64::from_le_bytes(*word);
            while left != 0 {
                let bit = left.trailing_zeros() as usize;
                left &= left - 1;
                let (anchor, behind) = ANCHORS[bit % 8];
                let at = base + step * STEP + index * 8 + bit / 8;
                if visit.visit(anchor, at.saturating_sub(behind)) {
                    return true;
                }
            }
        }
    }
    false
}
