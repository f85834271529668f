//! Telephone numbers (E.164 with `+`, North American ones with punctuation) and US social security
//! numbers: digits whose grouping gives them away.

use std::ops::Range;

use super::View;

mod country;

pub(in super::super) use country::{is_number, north_american};

/// An international number; `at` is its `+`.
pub(in super::super) fn e164(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let before = view.before(at, 1);
    if !matches!(view.at(at + 1), b'1'..=b'9')
        || (view.bounded && (view.word_before(at) || matches!(before, b'+' | b'#' | b'.')))
    {
        return None;
    }
    let mut digits = [0_u8; 15];
    let mut count = 0;
    let mut groups = 1;
    let mut place = at + 1;
    let mut best = None;
    loop {
        while let byte @ b'0'..=b'9' = view.at(place) {
            let Some(digit) = digits.get_mut(count) else { return best };
            *digit = byte;
            count += 1;
            place += 1;
        }
        if is_number(digits.get(..count)?, groups) && ends(view, place) {
            best = Some(at..place);
        }
        let next = gap(view, place);
        if next == place || groups == 7 || !view.at(next).is_ascii_digit() || count == 15 {
            return best;
        }
        groups += 1;
        place = next;
    }
}

/// Whether a number ends here; an extension may follow: `x123`.
fn ends(view: View<'_>, place: usize) -> bool {
    let extension = view.run(place + 1, 7, |byte| byte.is_ascii_digit());
    let extended = matches!(view.at(place), b'x' | b'X')
        && extension > place + 1
        && !view.joined_after(extension);
    extended || !view.joined_after(place)
}

/// The place after what may stand between two groups of a number: one of `-./`, a blank (`+` in a
/// query), or parentheses around the next or the last group. `(0)` is dialled only within the country,
/// and is no part of the number.
fn gap(view: View<'_>, place: usize) -> usize {
    let joint =
        |at: usize| at + usize::from(matches!(view.at(at), b' ' | b'+' | b'-' | b'.' | b'/'));
    let next = joint(place + usize::from(view.at(place) == b')'));
    if view.at(next) != b'(' {
        next
    } else if view.at(next + 1) == b'0' && view.at(next + 2) == b')' {
        joint(next + 3)
    } else {
        next + 1
    }
}

/// A North American number as `(ddd) ddd-dddd`, `ddd-ddd-dddd` or `ddd.ddd.dddd`, with or without a
/// leading `1`; `at` is the separator before the last four digits.
pub(in super::super) fn nanp(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let separator = view.at(at);
    let exchange = at.checked_sub(3)?;
    let end = at + 5;
    view.number(exchange, at)?;
    view.number(at + 1, end)?;
    let area = match view.before(exchange, 1) {
        byte if byte == separator && byte != b' ' => exchange.checked_sub(4)?,
        b')' => exchange.checked_sub(4)?,
        b' ' | b'+' if view.before(exchange, 2) == b')' => exchange.checked_sub(5)?,
        _ => return None,
    };
    view.number(area, area + 3)?;
    if !matches!(view.at(area), b'2'..=b'9')
        || !matches!(view.at(exchange), b'2'..=b'9')
        || (view.at(area + 1) == b'1' && view.at(area + 2) == b'1')
        || view.at(end).is_ascii_digit()
        || !ends(view, end)
    {
        return None;
    }
    let parenthesis = view.at(area + 3) == b')';
    let mut start = area;
    if parenthesis {
        start = start.checked_sub(1).filter(|&place| view.at(place) == b'(')?;
    }
    let joint = view.before(start, 1);
    if view.before(start, 2) == b'1' && (joint == separator || joint == b' ') {
        let country = start - 2;
        if !view.word_before(country) {
            start = country;
        }
    }
    let joined = if parenthesis && start == area - 1 {
        view.bounded && view.word_before(start)
    } else {
        view.joined_before(start)
    };
    (!joined).then_some(start..end)
}

/// A US social security number as `ddd-dd-dddd`; `at` is its second hyphen.
pub(in super::super) fn ssn(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let start = at.checked_sub(6)?;
    if view.at(at) != b'-' || view.at(start + 3) != b'-' {
        return None;
    }
    let area = view.number(start, start + 3)?;
    let group = view.number(start + 4, at)?;
    let serial = view.number(at + 1, at + 5)?;
    let issued = !matches!(area, 0 | 666 | 900..) && group != 0 && serial != 0;
    let apart = !view.at(at + 5).is_ascii_digit()
        && !view.before(start, 1).is_ascii_digit()
        && !view.joined_before(start)
        && !view.joined_after(at + 5);
    (issued && apart).then_some(start..at + 5)
}

#[cfg(test)]
mod tests {
    use super::super::tests::value;
    use super::*;

    #[test]
    fn international_numbers_in_their_usual_groupings() {
        for text in [
            "+14155552671",
            "+1 415 555 2671",
            "+1 (415) 555-2671",
            "+1-415-555-2671",
            "+442079460958",
            "+44 20 7946 0958",
            "+49 30 901820",
            "+33 1 23 45 67 89",
            "+4915112345678",
            "+353 86 123 4567",
            "+7 495 123-45-67",
            "+298 211234",
            "+44 (0)20 7946 0958",
            "+49 (0) 30 901820",
            "+49(0)30901820",
        ] {
            assert_eq!(e164(value(text), 0), Some(0..text.len()), "{text}");
        }
    }

    #[test]
    fn numbers_of_every_country_with_and_without_their_groups() {
        let examples =
            include_str!("phone/examples.txt").lines().filter(|line| line.starts_with('+'));
        for example in examples {
            let digits: String = example.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
            // Saint Helena's, and those of the smallest islands, are as short as counters.
            let (short, grouped) = (digits.len() < 11, example.len() > digits.len());
            for text in [example, &digits] {
                let found = e164(value(text), 0);
                assert!(short || found == Some(0..text.len()), "{text}: {found:?}");
            }
            assert!(
                digits.len() < 10 || !grouped || e164(value(example), 0).is_some(),
                "{example}"
            );
        }
    }

    #[test]
    fn more_or_fewer_digits_than_a_country_has_are_none() {
        for text in [
            "+33 1 23 45 67 8",
            "+331234567890",
            "+4512345",
            "+34 612 34 56 789",
            "+1 415 555 26711",
        ] {
            assert_eq!(e164(value(text), 0), None, "{text}");
        }
    }

    #[test]
    fn zones_counters_and_unassigned_codes_are_none() {
        for text in [
            "+0000",
            "+0530",
            "+1030",
            "+1.5",
            "+12345678",
            "+1700000000",
            "+9991234567",
            "+20",
            "+1 015 555 2671",
            "+1030 2026-11-22",
        ] {
            assert_eq!(e164(value(text), 0), None, "{text}");
        }
        assert_eq!(e164(value("1e+4915112345678"), 2), None);
        assert_eq!(e164(value("#+4915112345678"), 1), None);
    }

    #[test]
    fn north_american_numbers_need_their_punctuation() {
        let check = |text: &str, expect: Option<Range<usize>>| {
            let at = text.len() - 5;
            assert_eq!(nanp(value(text), at), expect, "{text}");
        };
        check("415-555-2671", Some(0..12));
        check("(415) 555-2671", Some(0..14));
        check("(415)555-2671", Some(0..13));
        check("415.555.2671", Some(0..12));
        check("1-415-555-2671", Some(0..14));
        check("tel-415-555-2671", Some(4..16));
        check("115-555-2671", None);
        check("911-555-2671", None);
        check("415-155-2671", None);
        check("2-415-555-2671", None);
        check("415 555-2671", None);
        check("x415-555-2671", None);
    }

    #[test]
    fn every_serial_of_an_issued_group_is_a_number() {
        for serial in 0..10_000 {
            let text = format!("123-45-{serial:04}");
            assert_eq!(ssn(value(&text), 6).is_some(), serial != 0, "{text}");
        }
        for area in 0..1_000 {
            let text = format!("{area:03}-45-6789");
            let issued = area != 0 && area != 666 && area < 900;
            assert_eq!(ssn(value(&text), 6).is_some(), issued, "{text}");
        }
        assert_eq!(ssn(value("123-00-6789"), 6), None);
        assert_eq!(ssn(value("1123-45-6789"), 7), None);
        assert_eq!(ssn(value("123-45-67891"), 6), None);
    }
}
