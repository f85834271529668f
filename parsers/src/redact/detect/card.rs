//! Payment cards: Luhn, issuer, length, grouping and what stands around, all at once. Of digit runs
//! in logs, most are epoch times and identifiers; each of these tests alone lets some through.

use std::ops::Range;

use super::super::check::luhn;
use super::View;

/// Any length that ISO/IEC 7812 allows and a brand has said it uses.
const MAESTRO: &[usize] = &[13, 14, 15, 16, 17, 18, 19];

/// Most brands' longest cards have nineteen digits.
const LONG: &[usize] = &[16, 17, 18, 19];

/// First digits (lowest, highest) of an issuer's cards and the lengths they come in, from the
/// issuers' published ranges (ISO/IEC 7812).
const ISSUERS: &[(u64, u64, &[usize])] = &[
    (4, 4, &[13, 16, 19]),             // Visa; some of Dankort and Elo
    (51, 55, &[16]),                   // Mastercard
    (2221, 2720, &[16]),               // Mastercard
    (34, 34, &[15]),                   // American Express
    (37, 37, &[15]),                   // American Express
    (6011, 6011, LONG),                // Discover
    (644, 649, LONG),                  // Discover
    (65, 65, LONG),                    // Discover, RuPay, Elo, Troy, Verve
    (300, 305, &[14, 16]),             // Diners Club
    (3095, 3095, &[14, 16]),           // Diners Club
    (36, 36, &[14, 16]),               // Diners Club
    (38, 39, &[14, 16]),               // Diners Club, Hipercard
    (3528, 3589, LONG),                // JCB
    (2131, 2131, &[15]),               // JCB
    (62, 62, LONG),                    // UnionPay
    (81, 82, &[16]),                   // UnionPay, RuPay
    (353, 353, &[16]),                 // RuPay
    (356, 356, &[16]),                 // RuPay
    (508, 508, &[16]),                 // RuPay
    (60, 60, &[16]),                   // RuPay, Hipercard
    (2200, 2205, LONG),                // Mir, Borica
    (9792, 9792, &[16]),               // Troy
    (504_175, 504_175, &[16]),         // Elo
    (506_699, 506_778, &[16]),         // Elo
    (509_000, 509_999, &[16]),         // Elo
    (636_297, 636_297, &[16]),         // Elo
    (636_368, 636_368, &[16]),         // Elo
    (506_099, 506_198, &[16, 18, 19]), // Verve
    (507_865, 507_964, &[16, 18, 19]), // Verve
    (5019, 5019, &[16]),               // Dankort
    (636, 636, LONG),                  // InterPayment
    (637, 639, &[16]),                 // InstaPayment
    (8600, 8600, &[16]),               // Uzcard
    (9860, 9860, &[16]),               // Humo
    (5018, 5018, MAESTRO),
    (5020, 5020, MAESTRO),
    (5038, 5038, MAESTRO),
    (5893, 5893, MAESTRO),
    (6304, 6304, MAESTRO),
    (6759, 6763, MAESTRO),
    (676_770, 676_774, MAESTRO),
];

/// Groups of digits as issuers print them, longer ones first.
const GROUPINGS: &[&[usize]] =
    &[&[4, 4, 4, 4, 3], &[4, 4, 4, 4, 2], &[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4]];

/// Whether no issuer's numbers begin with this digit: epoch times and most identifiers do.
const fn is_unissued(first: u8) -> bool {
    matches!(first, b'0' | b'1' | b'7')
}

/// Whether the long run of digits that begins here may be a card's, or the fraction of one: a byte tells.
#[inline]
pub(in super::super) fn may_be_card(view: View<'_>, at: usize) -> bool {
    !is_unissued(view.at(at)) || view.before(at, 1) == b'.'
}

/// Whether these digits are a payment card's number.
pub(in super::super) fn is_card(digits: &[u8]) -> bool {
    if !(13..=19).contains(&digits.len()) || digits.first().is_some_and(|&it| is_unissued(it)) {
        return false;
    }
    let first = |count: usize| {
        digits.iter().take(count).fold(0_u64, |sum, digit| sum * 10 + u64::from(digit & 0xf))
    };
    let issued = ISSUERS.iter().any(|(low, high, lengths)| {
        (*low..=*high).contains(&first(low.ilog10() as usize + 1))
            && lengths.contains(&digits.len())
    });
    issued && luhn(digits) && digits.iter().any(|digit| Some(digit) != digits.first())
}

/// A card's number without separators; `at` is the first digit of its run.
pub(in super::super) fn card_number(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let end = view.run(at, 20, |byte| byte.is_ascii_digit());
    let digits = view.bytes.get(at..end)?;
    if view.before(at, 1) == b'.' && matches!(view.at(end), b'e' | b'E') {
        // In a raw record it may be a number, and whether that is a card, its value tells.
        return if view.bounded { scientific(view, at, end) } else { Some(at..end) };
    }
    let card = is_card(digits) && starts(view, at, end) && finishes(view, end);
    card.then_some(at..end)
}

/// A card's number in scientific notation, as `4.111111111111111e15`: `at` is the first digit after the
/// dot, `end` the `e`.
fn scientific(view: View<'_>, at: usize, end: usize) -> Option<Range<usize>> {
    let start = at.checked_sub(2).filter(|&start| view.at(start).is_ascii_digit())?;
    let sign = end + 1 + usize::from(view.at(end + 1) == b'+');
    let last = view.run(sign, 3, |byte| byte.is_ascii_digit());
    let power = usize::try_from(view.number(sign, last)?).ok()?;
    let mut digits = [b'0'; 19];
    digits[0] = view.at(start);
    let fraction = view.bytes.get(at..end)?;
    digits.get_mut(1..=fraction.len())?.copy_from_slice(fraction);
    // What is beyond the power are decimals, and of a card there are none.
    let card = fraction.len() <= power && digits.get(..=power).is_some_and(is_card);
    (card && !view.joined_before(start) && !view.joined_after(last)).then_some(start..last)
}

/// Whether a card's number may begin here: after another card's, or on a magnetic stripe as in
/// `%B4111111111111111^DOE/JANE^`.
fn starts(view: View<'_>, at: usize, end: usize) -> bool {
    let stripe = view.before(at, 1) == b'B' && view.before(at, 2) == b'%' && view.at(end) == b'^';
    let other = || {
        let hyphen = at - 1;
        let start = view.run_back(hyphen, 20, |byte| byte.is_ascii_digit());
        view.bytes.get(start..hyphen).is_some_and(is_card)
    };
    stripe || !view.joined_before(at) || (view.before(at, 1) == b'-' && other())
}

/// Whether a card's number may end here: before another card's, too.
fn finishes(view: View<'_>, end: usize) -> bool {
    let other = || {
        let last = view.run(end + 1, 20, |byte| byte.is_ascii_digit());
        view.bytes.get(end + 1..last).is_some_and(is_card)
    };
    // `4111111111111111.0`, as tables of floats are printed.
    let zeros = view.run(end + 1, 4, |byte| byte == b'0');
    let float = view.at(end) == b'.' && zeros > end + 1 && !view.joined_after(zeros);
    !view.joined_after(end) || float || (view.at(end) == b'-' && other())
}

/// A card's number in groups; `at` is the separator after its first four digits.
pub(in super::super) fn grouped_card(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let separator = view.at(at);
    let start = at.checked_sub(4)?;
    view.number(start, at)?;
    if view.bounded && preceded(view, start, separator) {
        return None;
    }
    GROUPINGS.iter().find_map(|groups| {
        let mut digits = [0; 19];
        let mut filled = 0;
        let mut place = start;
        for (index, &length) in groups.iter().enumerate() {
            if index > 0 {
                (view.at(place) == separator).then_some(())?;
                place += 1;
            }
            let group = view.bytes.get(place..place + length)?;
            group.iter().all(u8::is_ascii_digit).then_some(())?;
            digits.get_mut(filled..filled + length)?.copy_from_slice(group);
            filled += length;
            place += length;
        }
        let ends = !view.at(place).is_ascii_digit() && !view.joined_after(place);
        (ends && is_card(digits.get(..filled)?)).then_some(start..place)
    })
}

/// Whether what stands before says that the groups are columns of numbers, or part of an id.
fn preceded(view: View<'_>, start: usize, separator: u8) -> bool {
    let column = view.before(start, 1) == separator
        && (2..6).all(|by| view.before(start, by).is_ascii_digit())
        && !view.before(start, 6).is_ascii_digit();
    column || view.joined_before(start)
}

#[cfg(test)]
mod tests {
    use super::super::tests::value;
    use super::*;

    #[test]
    fn published_test_numbers_of_each_brand_are_cards() {
        for number in [
            "4111111111111111",
            "4012888888881881",
            "4222222222222",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "371449635398431",
            "6011111111111117",
            "30569309025904",
            "38520000023237",
            "3530111333300000",
            "6200000000000005",
            "6304000000000000",
            "6759649826438453",
            "4917610000000000003", // Visa, nineteen digits
            "2720992593319364",    // Mastercard
            "3566002020360505",    // JCB
            "6011000990139424",    // Discover
            "36148900647913",      // Diners Club
            "6250941006528599",    // UnionPay
            "2200123456789019",    // Mir
            "9792000000000003",    // Troy
            "6362970000457013",    // Elo
            "5066991111111118",    // Elo
            "6521111111111110",    // RuPay
            "5019717010103742",    // Dankort
        ] {
            assert!(is_card(number.as_bytes()), "{number}");
        }
    }

    #[test]
    fn epoch_times_and_failed_checksums_are_none() {
        for number in [
            "1700000000123",
            "1700000000123456",
            "1700000000123456789",
            "4111111111111112",
            "0000000000000000",
            "411111111111",
            "9999999999999995",
        ] {
            assert!(!is_card(number.as_bytes()), "{number}");
        }
        // every millisecond of a day, and then some: no epoch time is a card
        assert!(
            (0..2_000_000_u64).all(|n| !is_card((1_763_800_000_000 + n).to_string().as_bytes()))
        );
    }

    #[test]
    fn numbers_that_floats_print_are_cards_too() {
        let check = |text: &str, at: usize, expect: Option<Range<usize>>| {
            assert_eq!(card_number(value(text), at), expect, "{text}");
        };
        check("4.111111111111111e15", 2, Some(0..20));
        check("n=4.111111111111111E+15,", 4, Some(2..23));
        check("4111111111111111.0", 0, Some(0..16));
        check("4111111111111111.00 x", 0, Some(0..16));
        check("4.111111111111112e15", 2, None);
        check("4.111111111111111e14", 2, None);
        check("4.111111111111111e-15", 2, None);
        check("4.111111111111111e999", 2, None);
        check("4111111111111111.5", 0, None);
        check("1.4111111111111111", 2, None);
    }

    #[test]
    fn a_changed_digit_makes_a_card_another_number() {
        for number in ["4111111111111111", "378282246310005", "6759649826438453"] {
            for place in 0..number.len() {
                for digit in b'0'..=b'9' {
                    let mut other = number.as_bytes().to_vec();
                    other[place] = digit;
                    assert_eq!(is_card(&other), other == number.as_bytes());
                }
            }
        }
    }

    #[test]
    fn groups_must_be_whole_and_alike() {
        let check = |text: &str, at: usize, expect: Option<Range<usize>>| {
            assert_eq!(grouped_card(value(text), at), expect, "{text}");
        };
        check("4111 1111 1111 1111", 4, Some(0..19));
        check("3782-822463-10005", 4, Some(0..17));
        check("4917 6100 0000 0000 003", 4, Some(0..23));
        check("4111.1111.1111.1111", 4, Some(0..19));
        check("4111 1111-1111 1111", 4, None);
        check("1234 4111 1111 1111 1111", 9, None);
        check("4111 1111 1111 11111", 4, None);
        check("card 4111 1111 1111 1111, ok", 9, Some(5..24));
    }
}
