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
}

impl Lanes {
    /// Working space.
    pub(super) fn new() -> Box<Self> {
        let lane = [0; BEHIND + WINDOW];
        let [class, twos, fours, eights] = [lane; 4];
        let [anchors, more] = [[0; WINDOW]; 2];
        Box::new(Self { class, twos, fours, eights, links: [lane; 3], anchors, more })
    }

    /// Goes over `text` once and tells `visit` of each anchor.
    #[inline(always)]
    pub(super) fn sweep(&mut self, text: &[u8], wanted: Wanted, visit: &mut impl Visit) {
        self.each(wanted, |lane| lane[..BEHIND].fill(0));
        for (index, window) in text.chunks(WINDOW).enumerate() {
            if index > 0 {
                self.each(wanted, |lane| lane.copy_within(WINDOW.., 0));
            }
            self.fill(window);
            let len = window.len().next_multiple_of(STEP).min(WINDOW);
            if look(&self.anchors[..len], &ANCHORS, index * WINDOW, visit) {
                return;
            }
            if wanted.shapes || wanted.addresses {
                self.fill_shapes(len);
                if wanted.addresses {
                    self.fill_addresses(len);
                }
                if look(&self.more[..len], &MORE, index * WINDOW, visit) {
                    return;
                }
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

    /// Fills the lanes for a window.
    #[inline(never)]
    fn fill(&mut self, window: &[u8]) {
        let len = window.len().next_multiple_of(STEP).min(WINDOW);
        let Self { class: classes, twos, fours, eights, anchors, .. } = self;
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

    /// Fills the second lane of anchors with those that shapes are found by.
    #[inline(never)]
    fn fill_shapes(&mut self, len: usize) {
        let class = |by| back(&self.class, by, len);
        let (c2, c3, c5, c6) = (class(2), class(3), class(5), class(6));
        let (c7, c8) = (class(7), class(8));
        let twos = |by| back(&self.twos, by, len);
        let (t0, t3, t4, t6) = (twos(0), twos(3), twos(4), twos(6));
        let (f0, f3) = (back(&self.fours, 0, len), back(&self.fours, 3, len));
        let more = &mut self.more[..len];
        for i in 0..len {
            let number = f0[i] & f3[i] & !c7[i];
            let three = t0[i] & c2[i];
            let capital = three & (c3[i] >> 1);
            let triple = three & (c3[i] >> 3) & t4[i] & c6[i];
            // All hyphens, or none.
            let alike = !((c8[i] ^ c2[i]) >> 4) & !((c8[i] ^ c5[i]) >> 4);
            let gaps = (c2[i] & c5[i] & c8[i]) >> 3;
            let pairs = t0[i] & t3[i] & t6[i] & gaps & alike;
            more[i] = (number & DIGIT)
                | ((capital & DIGIT) << 1)
                | ((triple & DIGIT) << 2)
                | ((pairs & DIGIT) << 3);
        }
    }

    /// Adds those that addresses are found by.
    #[inline(never)]
    fn fill_addresses(&mut self, len: usize) {
        let [one, two, three] = &mut self.links;
        let (c0, c1) = (back(&self.class, 0, len), back(&self.class, 1, len));
        for (i, link) in one[BEHIND..][..len].iter_mut().enumerate() {
            // Dots and blanks after a digit.
            let dot = (c0[i] >> 3) & !(c0[i] >> 4) & c1[i];
            *link = (dot & DOT_LINK) | ((c0[i] >> 4) & COLON_LINK) | ((c0[i] >> 2) & HYPHEN_LINK);
        }
        link(two, one, len);
        link(three, two, len);
        let (l0, l2) = (back(three, 0, len), back(three, 2, len));
        let (l3, l4, l5) = (back(three, 3, len), back(three, 4, len), back(three, 5, len));
        for (i, anchor) in self.more[..len].iter_mut().enumerate() {
            let fourth = l0[i] & (l3[i] | ((l2[i] | l4[i] | l5[i]) & COLON_LINK));
            let double = c0[i] & c1[i] & COLON;
            *anchor |= ((l0[i] & DOT_LINK) << 4)
                | ((fourth & COLON_LINK) << 4)
                | (double << 1)
                | ((fourth & HYPHEN_LINK) << 5);
        }
    }
}

/// A lane as it looks from each byte of a window, so far back.
#[inline(always)]
fn back(lane: &Lane, by: usize, len: usize) -> &[u8] {
    &lane[BEHIND - by..][..len]
}

/// `to[i]`: whether a separator ends one link more than `from` has.
#[inline(always)]
fn link(to: &mut Lane, from: &Lane, len: usize) {
    const CLOSE: u8 = DOT_LINK | COLON_LINK;
    let (f0, f2, f3) = (back(from, 0, len), back(from, 2, len), back(from, 3, len));
    let (f4, f5) = (back(from, 4, len), back(from, 5, len));
    let to = &mut to[BEHIND..][..len];
    for i in 0..len {
        to[i] = f0[i] & (f3[i] | ((f2[i] | f4[i]) & CLOSE) | (f5[i] & COLON_LINK));
    }
}

/// `to[i] = from[i] & from[i - by]`: runs twice as long.
#[inline(always)]
fn join(to: &mut Lane, from: &Lane, by: usize, len: usize) {
    let earlier = &from[BEHIND - by..BEHIND - by + len];
    for ((to, from), earlier) in to[BEHIND..].iter_mut().zip(&from[BEHIND..]).zip(earlier) {
        *to = from & earlier;
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
