//! The one pass over a text: finds the places (anchors) where a detector could find something.
//!
//! Each byte becomes a byte of class bits; the AND of neighbours' class bits tells runs of every
//! class at once (of 2, then 4, 8, 16 bytes); a few more ANDs of what stands at fixed distances give
//! the anchors. No step depends on a byte's value, so the compiler makes 16-byte vector instructions
//! of all of it. Every condition looks backwards from the last byte it needs: nothing is missed at
//! the end of a text. Detectors are told the anchor and look for themselves.

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
/// `@ + % = \`
const RARE: u8 = 1 << 6;
/// `r`, `w` and `y`: `Bearer` has two of them, and `password`; `by` has one.
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
    /// `@`, `+`, `%`, `=` or a backslash.
    Rare,
    /// A blank where `Bearer`, `PASSWORD` or `BY` may have ended.
    Scheme,
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
        | when((byte | 0x20 == b'r') | (byte | 0x20 == b'w') | (byte | 0x20 == b'y'), R)
}

/// Class bits of a window, runs of them ending at each byte, and the anchors: the sweep's working
/// space, about 5 KiB, kept from text to text so that it need not be cleared.
pub(super) struct Lanes {
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
        Box::new(Self { class: lane, twos: lane, fours: lane, eights: lane, anchors: [0; WINDOW] })
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
        let len = window.len().next_multiple_of(STEP).min(WINDOW);
        let Self { class: classes, twos, fours, eights, anchors } = self;
        for (to, byte) in classes[BEHIND..].iter_mut().zip(window) {
            *to = class(*byte);
        }
        classes[BEHIND + window.len().min(WINDOW)..BEHIND + len].fill(0);
        // Each lane is finished before the next reads it at an odd distance: a load that straddles
        // two stores still under way would wait for both.
        join(twos, classes, 1, len);
        join(fours, twos, 2, len);
        join(eights, fours, 4, len);
        let class_back = |by: usize| &classes[BEHIND - by..][..len];
        let (c0, c1, c2, c3) = (class_back(0), class_back(1), class_back(2), class_back(3));
        let c4 = class_back(4);
        let (c13, c16) = (class_back(13), class_back(16));
        let twos_back = |by: usize| &twos[BEHIND - by..][..len];
        let (t0, t2, t5) = (twos_back(0), twos_back(2), twos_back(5));
        let (f0, f1) = (&fours[BEHIND..][..len], &fours[BEHIND - 1..][..len]);
        let eights_back = |by: usize| &eights[BEHIND - by..][..len];
        let (e0, e5, e8) = (eights_back(0), eights_back(5), eights_back(8));
        let anchors = &mut anchors[..len];
        for i in 0..len {
            let long_number = e0[i] & e5[i] & !c13[i];
            let groups = f0[i] & (c4[i] >> 3) & t5[i];
            let long_word = e0[i] & e8[i] & (!c16[i] | (c16[i] >> 2));
            let iban = t0[i] & (t2[i] >> 1);
            let dashes = t0[i] & !c2[i];
            // After a digit, only if the four bytes before are of a word and not all digits.
            let word = f1[i] & !(f1[i] << 2);
            let colon = c0[i] & (!(c1[i] << 5) | (word << 3));
            // `ear_`, `_by_`, `word_`
            let scheme = (c0[i] << 4) & ((c1[i] & (c3[i] | (c3[i] << 4))) | (c2[i] & c4[i]));
            anchors[i] = (long_number & DIGIT)
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

/// `to[i] = from[i] & from[i - by]`: runs twice as long.
#[inline(always)]
fn join(to: &mut [u8; BEHIND + WINDOW], from: &[u8; BEHIND + WINDOW], by: usize, len: usize) {
    let earlier = &from[BEHIND - by..BEHIND - by + len];
    for ((to, from), earlier) in to[BEHIND..].iter_mut().zip(&from[BEHIND..]).zip(earlier) {
        *to = from & earlier;
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
