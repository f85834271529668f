//! IBANs: country, the country's length, and ISO 7064 mod 97-10.

use std::ops::Range;

use super::super::check::mod97;
use super::{View, is_word};

/// Country codes with the length of their IBANs (SWIFT IBAN registry, release 99).
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// An IBAN that begins at `at`, in one piece or in groups of four.
pub(in super::super) fn iban(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let country = [view.at(at), view.at(at + 1)];
    let (_, length) = LENGTHS.iter().find(|(code, _)| **code == country)?;
    if view.bounded && view.word_before(at) {
        return None;
    }
    let separator = match view.at(at + 4) {
        // In a query a blank is written as `+`.
        byte @ (b' ' | b'-' | b'+') => Some(byte),
        _ => None,
    };
    let mut characters = [0; 34];
    let mut place = at;
    for index in 0..*length {
        if let Some(separator) = separator
            && index > 0
            && index % 4 == 0
        {
            (view.at(place) == separator).then_some(())?;
            place += 1;
        }
        let byte = view.at(place);
        (byte.is_ascii_uppercase() || byte.is_ascii_digit()).then_some(())?;
        *characters.get_mut(index)? = byte;
        place += 1;
    }
    let ends = !(view.bounded && is_word(view.at(place)));
    (ends && mod97(characters.get(..*length)?)).then_some(at..place)
}

#[cfg(test)]
mod tests {
    use super::super::tests::value;
    use super::*;

    #[test]
    fn the_registrys_examples_are_found_however_grouped() {
        for (text, expect) in [
            ("GB29NWBK60161331926819", 22),
            ("DE89370400440532013000", 22),
            ("DE89 3704 0044 0532 0130 00", 27),
            ("NO9386011117947", 15),
            ("MT84-MALT-0110-0001-2345-MTLC-AST0-01S", 38),
            ("FR1420041010050500013M02606", 27),
            ("DE89+3704+0044+0532+0130+00", 27),
        ] {
            assert_eq!(iban(value(text), 0), Some(0..expect), "{text}");
        }
    }

    #[test]
    fn a_wrong_digit_length_or_neighbour_is_refused() {
        for text in ["DE88370400440532013000", "DE8937040044053201300", "DE893704004405320130001"] {
            assert_eq!(iban(value(text), 0), None, "{text}");
        }
        assert_eq!(iban(value("XDE89370400440532013000"), 1), None);
        for wrong in 0..=9 {
            let text = format!("DE8937040044053201300{wrong}");
            assert_eq!(iban(value(&text), 0).is_some(), wrong == 0, "{text}");
        }
    }
}
