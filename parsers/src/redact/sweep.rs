//! The one pass over a text: finds the places (anchors) where a detector could find something.
//!
//! Of each block of 64 bytes, each class of bytes (digits, capitals, separators …) becomes a word with a bit for
//! each byte; the AND of such a word with itself, shifted, tells runs of 2 bytes, then of 4, 8 and 16; a few more
//! of what stands at fixed distances give the anchors. Blocks overlap by as much as conditions look back, so that
//! none needs to know of the one before. Every condition looks backwards from the last byte it needs: nothing is
//! missed at the end of a text. Detectors are told the anchor and look for themselves.

use fearless_simd::{Level, Simd, SimdBase as _, SimdFrom as _, SimdMask as _, dispatch, u8x64};

/// Bytes of a block: one for each bit of a word.
const BLOCK: usize = 64;

/// How far back a condition looks.
const BEHIND: usize = 16;

/// Bytes from block to block.
const STEP: usize = BLOCK - BEHIND;

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
    /// `=`, or `:` or `>`, but these not after digits that no word ends in: times are everywhere.
    Sign,
    /// `@`, `+`, `%`, `&`, `~` or a backslash; a digit behind what looks like a blank or a hyphen, or one of full
    /// width.
    Rare,
    /// A blank where `Bearer`, `PASSWORD`, `BY` or `INTO` may have ended, what follows `requirepass`, or the first
    /// letter of an option.
    Scheme,
    /// The first digit of a run of seven or more.
    Number,
    /// A capital before three digits.
    Capital,
    /// A blank, hyphen or dot between three digits and three.
    Triple,
    /// The first of three blanks, hyphens or dots, each before two digits.
    Pairs,
    /// The blank between a word and six capitals or digits, or a digit or a sign and what a date or a number goes
    /// on with.
    Named,
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
    /// [`Anchor::Number`] to [`Anchor::Named`].
    pub(super) shapes: bool,
    /// [`Anchor::Dots`] to [`Anchor::Hyphens`].
    pub(super) addresses: bool,
}

/// The anchors, and how far before the last byte that tells each its place is.
const ANCHORS: [(Anchor, usize); 17] = [
    (Anchor::LongWord, 15),
    (Anchor::Sign, 0),
    (Anchor::Rare, 0),
    (Anchor::Scheme, 0),
    (Anchor::LongNumber, 12),
    (Anchor::Groups, 4),
    (Anchor::Iban, 3),
    (Anchor::Dashes, 1),
    (Anchor::Number, 6),
    (Anchor::Capital, 3),
    (Anchor::Triple, 3),
    (Anchor::Pairs, 8),
    (Anchor::Named, 6),
    (Anchor::Dots, 0),
    (Anchor::Colons, 0),
    (Anchor::TwoColons, 0),
    (Anchor::Hyphens, 0),
];

/// How many of them, the first ones, almost every block has.
const COMMON: usize = 4;

/// Told of each anchor.
pub(super) trait Visit {
    /// Whether an anchor is worth being told of: a few bytes around it tell that most are not. Asked in any
    /// order.
    fn may_be(&self, anchor: Anchor, at: usize) -> bool;

    /// Whether a name that is worth it may stand before a sign at `at`: almost none is. Asked before
    /// [`Visit::may_be`].
    fn may_assign(&mut self, at: usize) -> bool;

    /// Looks closer at one anchor. Returns whether the sweep may stop, enough being known.
    fn visit(&mut self, anchor: Anchor, at: usize) -> bool;
}

/// The anchors of a block.
#[derive(Clone, Copy, Default)]
struct Marks {
    /// A word for each kind.
    words: [u64; ANCHORS.len()],
    /// Where there is any that is not among the [`COMMON`] ones.
    others: u64,
}

/// The sweep: what the processor can do.
#[derive(Clone, Copy)]
pub(super) struct Sweep(Level);

impl Sweep {
    /// By the widest instructions that there are.
    pub(super) fn new() -> Self {
        Self(Level::new())
    }

    /// Goes over `text` once and tells `visit` of each anchor.
    #[inline]
    pub(super) fn over(self, text: &[u8], wanted: Wanted, visit: &mut impl Visit) {
        let Self(level) = self;
        dispatch!(level, simd => over(simd, text, wanted, visit));
    }
}

#[inline(always)]
fn over<S: Simd>(simd: S, text: &[u8], wanted: Wanted, visit: &mut impl Visit) {
    let mut padded = [0; BLOCK];
    let (mut from, mut fresh) = (0, u64::MAX);
    loop {
        let left = text.get(from..).unwrap_or_default();
        let block = match left.first_chunk() {
            Some(block) => block,
            None => match text.last_chunk() {
                // The last block lies over more of the one before.
                Some(block) => {
                    fresh = u64::MAX << (BLOCK - left.len().saturating_sub(BEHIND)).min(BLOCK - 1);
                    from = text.len() - BLOCK;
                    block
                }
                None => {
                    if let Some(to) = padded.get_mut(..text.len()) {
                        to.copy_from_slice(text);
                    }
                    &padded
                }
            },
        };
        let mut marks = marks(simd, block, wanted, fresh);
        if look(&mut marks, from, visit) {
            return;
        }
        if from + BLOCK >= text.len() {
            return;
        }
        (from, fresh) = (from + STEP, u64::MAX << BEHIND);
    }
}

/// Visits the anchors of a block, in order of their last bytes. Returns whether the sweep may stop.
#[inline(always)]
fn look(marks: &mut Marks, base: usize, visit: &mut impl Visit) -> bool {
    let mut any = 0;
    let [_, signs, ..] = &mut marks.words;
    *signs = named(*signs, base, visit);
    let (common, others) = ANCHORS.split_at(COMMON);
    for (marks, &(anchor, behind)) in marks.words.iter_mut().zip(common) {
        any |= pass(marks, (anchor, behind, base), visit);
    }
    if marks.others != 0 {
        let words = marks.words.iter_mut().skip(COMMON);
        for (marks, &(anchor, behind)) in words.zip(others) {
            if *marks != 0 {
                any |= pass(marks, (anchor, behind, base), visit);
            }
        }
    }
    while any != 0 {
        let bit = any & any.wrapping_neg();
        any ^= bit;
        let at = base + bit.trailing_zeros() as usize;
        for (marks, &(anchor, behind)) in marks.words.iter().zip(&ANCHORS) {
            if marks & bit != 0 && visit.visit(anchor, at.saturating_sub(behind)) {
                return true;
            }
        }
    }
    false
}

/// The signs that a name may stand before.
#[inline(always)]
fn named(signs: u64, base: usize, visit: &mut impl Visit) -> u64 {
    let (mut left, mut named) = (signs, 0);
    while left != 0 {
        let bit = left & left.wrapping_neg();
        left ^= bit;
        let may_be = visit.may_assign(base + bit.trailing_zeros() as usize);
        named |= bit & u64::from(may_be).wrapping_neg();
    }
    named
}

/// Takes away the anchors of one kind that are not worth being told of. Returns what is left.
#[inline(always)]
fn pass(
    marks: &mut u64,
    (anchor, behind, base): (Anchor, usize, usize),
    visit: &impl Visit,
) -> u64 {
    let mut left = *marks;
    while left != 0 {
        let bit = left & left.wrapping_neg();
        left ^= bit;
        let at = (base + bit.trailing_zeros() as usize).saturating_sub(behind);
        if !visit.may_be(anchor, at) {
            *marks ^= bit;
        }
    }
    *marks
}

/// The classes of a block's bytes.
struct Classes {
    digit: u64,
    upper: u64,
    /// `A-Z a-z 0-9 _ -`
    token: u64,
    /// `-`, `.` and a blank.
    gap: u64,
    hyphen: u64,
    blank: u64,
    /// `/`, `.` and `-`: what parts a date.
    slash: u64,
    /// Letters, also those that are not of ASCII, and the dot of `no.`.
    letter: u64,
    /// `:`, and `>` of XML.
    colon: u64,
    equals: u64,
    /// `@ + % & ~ \`
    rare: u64,
    /// Bytes of characters that are not of ASCII.
    foreign: u64,
    /// The first bytes of letters and digits of full width.
    wide: u64,
    /// `p`, `r`, `w` and `y`: `Bearer` has two of them, and `password`; `by` has one.
    r: u64,
}

impl Classes {
    #[inline(always)]
    fn of<S: Simd>(simd: S, block: &[u8; BLOCK]) -> Self {
        let bytes = u8x64::simd_from(simd, *block);
        let is = |byte: u8| bytes.simd_eq(byte);
        let lower = bytes | 0x20;
        let letter = (lower - b'a').simd_le(25);
        let digit = (bytes - b'0').simd_le(9);
        let upper = (bytes - b'A').simd_le(25);
        let foreign = bytes.simd_ge(0x80);
        let (hyphen, blank, dot) = (is(b'-'), is(b' '), is(b'.'));
        // `p` and `r` differ in one bit.
        let r = (lower & !2).simd_eq(b'p') | lower.simd_eq(b'w') | lower.simd_eq(b'y');
        let rare = is(b'@') | is(b'+') | is(b'%') | is(b'&') | is(b'~') | is(b'\\');
        Self {
            digit: digit.to_bitmask(),
            upper: upper.to_bitmask(),
            token: (letter | digit | hyphen | is(b'_')).to_bitmask(),
            gap: (hyphen | dot | blank).to_bitmask(),
            hyphen: hyphen.to_bitmask(),
            blank: blank.to_bitmask(),
            slash: (is(b'/') | dot | hyphen).to_bitmask(),
            letter: (letter | foreign | dot).to_bitmask(),
            colon: (is(b':') | is(b'>')).to_bitmask(),
            equals: is(b'=').to_bitmask(),
            rare: rare.to_bitmask(),
            foreign: foreign.to_bitmask(),
            wide: is(0xEF).to_bitmask(),
            r: r.to_bitmask(),
        }
    }
}

/// The anchors of a block.
#[inline(always)]
fn marks<S: Simd>(simd: S, block: &[u8; BLOCK], wanted: Wanted, fresh: u64) -> Marks {
    let of = Classes::of(simd, block);
    // Here, not where the others are: of a word that nothing is done with before the next branch, LLVM makes 64
    // bytes and a word again, where the processor has no masks of its own (AVX2).
    let rare = of.rare & fresh;
    let Classes { digit, upper, token, gap, hyphen, colon, r, .. } = of;
    let twice = |runs: u64, by: u32| runs & runs << by;
    let (digits2, tokens2) = (twice(digit, 1), twice(token, 1));
    let (digits4, tokens4) = (twice(digits2, 2), twice(tokens2, 2));
    let (digits8, tokens16) = (twice(digits4, 4), twice(twice(tokens4, 4), 8));
    let hyphens2 = twice(hyphen, 1);
    // What ends in this block's own bytes: whatever is found by it does, too.
    let (fresh2, fresh4) = (digits2 & fresh, digits4 & fresh);
    // After a digit, only if the four bytes before are of a word and not all digits.
    let word = tokens4 & !digits4;
    // `rer_`, `_by_` and `word_`.
    let end = (r << 1 & (r << 3 | gap << 3)) | (r << 2 & r << 4);
    let long_number = fresh4 & digits8 & digits8 << 5 & !(digit << 13);
    let groups = fresh4 & gap << 4 & digits2 << 5;
    let long_word = tokens16 & fresh & (!(token << 16) | hyphen << 16);
    let iban = fresh2 & twice(upper, 1) << 2;
    let dashes = hyphens2 & fresh & !(hyphen << 2);
    let signs = (colon & (!(digit << 1) | word << 1) | of.equals) & fresh;
    // ` -u`, `"-p`
    let option = of.letter & hyphen << 1 & !(token << 2);
    // ` INTO ` behind `INSERT`, `UPSERT` or `IGNORE`, `MERGE`, `REPLACE`.
    let into = of.blank << 5 & (r << 7 | r << 8 | (r << 10 & r << 12));
    // What follows `requirepass` or `masterauth`.
    let direct = !token & tokens4 << 1 & tokens4 << 5 & tokens2 << 9 & (r << 5 | (r << 4 & r << 6));
    let scheme = (gap & (end | into) | option | direct) & fresh;
    let shapes = if wanted.shapes { shapes(&of, (digits2, digits4), fresh) } else { [0; 5] };
    let addresses = if wanted.addresses { addresses(&of, fresh) } else { [0; 4] };
    let [number, capital, triple, pairs, named] = shapes;
    let [dots, colons, two_colons, hyphens] = addresses;
    let others = long_number
        | groups
        | iban
        | dashes
        | (number | capital | triple | pairs | named)
        | (dots | colons | two_colons | hyphens);
    let words = [
        long_word,
        signs,
        rare | alike(&of) & fresh,
        scheme,
        long_number,
        groups,
        iban,
        dashes,
        number,
        capital,
        triple,
        pairs,
        named,
        dots,
        colons,
        two_colons,
        hyphens,
    ];
    Marks { words, others }
}

/// Where what looks like a blank or a hyphen may part two digits, and where digits of full width may be: what
/// looks like ASCII may be taken for it.
#[inline(always)]
fn alike(of: &Classes) -> u64 {
    let Classes { digit, foreign, wide, .. } = *of;
    digit & foreign << 1 & (digit << 3 | digit << 4) | wide & wide << 3 & wide << 6
}

/// Those that shapes are found by.
#[inline(always)]
fn shapes(of: &Classes, (digits2, digits4): (u64, u64), fresh: u64) -> [u64; 5] {
    let Classes { digit, upper, gap, hyphen, .. } = *of;
    let (fresh2, fresh4) = (digits2 & fresh, digits4 & fresh);
    let three = fresh2 & digit << 2;
    let six = |of: u64| {
        let of = of & of << 1;
        of & of << 2 & of << 4
    };
    let begun = six(upper | digit) | (six(upper | digit | of.slash) & (digit | hyphen) << 5);
    // All hyphens, or none.
    let alike = !(hyphen << 8 ^ hyphen << 2) & !(hyphen << 8 ^ hyphen << 5);
    [
        fresh4 & digits4 << 3 & !(digit << 7),
        three & upper << 3,
        three & gap << 3 & digits2 << 4 & digit << 6,
        fresh2 & digits2 << 3 & digits2 << 6 & gap << 2 & gap << 5 & gap << 8 & alike,
        begun & fresh & of.blank << 6 & of.letter << 7,
    ]
}

/// Those that addresses are found by: chains of separators at short distances.
#[inline(always)]
fn addresses(of: &Classes, fresh: u64) -> [u64; 4] {
    let Classes { digit, gap, hyphen, colon, .. } = *of;
    // Dots and blanks after a digit.
    let dot = |from: u64| from & (from << 3 | from << 2 | from << 4);
    let colons = |from: u64| from & (from << 3 | from << 2 | from << 4 | from << 5);
    let hyphens = |from: u64| from & from << 3;
    [
        dot(dot(gap & !hyphen & digit << 1)),
        colons(colons(colons(colon))),
        colon & colon << 1,
        hyphens(hyphens(hyphens(hyphen))),
    ]
    .map(|word| word & fresh)
}
