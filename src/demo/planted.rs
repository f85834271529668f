//! Made-up personal data and secrets: made, remembered, and looked for in what arrives.

use std::collections::{HashMap, HashSet};

use fastrand::Rng;

/// Bytes by which a value is recognised before it is compared whole.
const WINDOW: usize = 8;

/// Values that must not arrive anywhere.
#[derive(Debug, Default)]
pub(super) struct Planted {
    values: Vec<String>,
    /// First bytes of values → indexes into `values`.
    windows: HashMap<[u8; WINDOW], Vec<usize>>,
    leaked: HashSet<usize>,
}

impl Planted {
    /// Remembers a value; it must have at least eight bytes.
    pub(super) fn plant(&mut self, value: String) {
        if let Some(window) = value.as_bytes().first_chunk::<WINDOW>() {
            self.windows.entry(*window).or_default().push(self.values.len());
            self.values.push(value);
        }
    }

    /// Looks for planted values in what came over the wire.
    pub(super) fn look(&mut self, text: &[u8]) {
        for at in 0..text.len() {
            let Some(rest) = text.get(at..) else { return };
            let Some(window) = rest.first_chunk::<WINDOW>() else { return };
            for index in self.windows.get(window).into_iter().flatten() {
                if self.values.get(*index).is_some_and(|value| rest.starts_with(value.as_bytes())) {
                    self.leaked.insert(*index);
                }
            }
        }
    }

    /// How many values were planted.
    pub(super) fn count(&self) -> usize {
        self.values.len()
    }

    /// How many of them were found.
    pub(super) fn leaked(&self) -> usize {
        self.leaked.len()
    }
}

const FIRST: [&str; 8] = ["anna", "bela", "chloe", "dimitri", "eve", "farid", "grace", "hiro"];
const LAST: [&str; 6] = ["adams", "brandt", "castillo", "dubois", "eriksen", "fischer"];

/// An address at a domain that RFC 2606 keeps for examples.
pub(super) fn email(rng: &mut Rng) -> String {
    let (first, last, number) = (pick(rng, &FIRST), pick(rng, &LAST), rng.u32(1000..100_000));
    format!("{first}.{last}{number}@example.com")
}

/// A card number of the range payment providers publish for tests, with a right check digit.
pub(super) fn card(rng: &mut Rng) -> String {
    let mut digits = vec![4, 2, 4, 2, 4, 2];
    digits.extend((0..9).map(|_| rng.u32(0..10)));
    digits.push(luhn(&digits));
    let digits: String = digits.iter().filter_map(|digit| char::from_digit(*digit, 10)).collect();
    if rng.bool() {
        return digits;
    }
    let groups: Vec<_> = (0..4).filter_map(|n| digits.get(n * 4..n * 4 + 4)).collect();
    groups.join(" ")
}

/// The digit that completes a card number.
fn luhn(digits: &[u32]) -> u32 {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, twice) if twice > 9 => twice - 9,
            (0, twice) => twice,
            _ => *digit,
        })
        .sum();
    (10 - sum % 10) % 10
}

/// A number in the shape of a US social security number.
pub(super) fn ssn(rng: &mut Rng) -> String {
    format!("{:03}-{:02}-{:04}", rng.u32(100..600), rng.u32(10..100), rng.u32(1000..10_000))
}

/// An IBAN of the bank that Britain's examples use, with right check digits.
pub(super) fn iban(rng: &mut Rng) -> String {
    let account = rng.u32(10_000_000..100_000_000);
    let bank = format!("WEST123456{account}");
    let check = 98 - mod97(&format!("{bank}GB00"));
    format!("GB{check:02}{bank}")
}

/// ISO 7064 over the text, letters as 10 to 35.
fn mod97(text: &str) -> u32 {
    text.chars().filter_map(|c| c.to_digit(36)).fold(0, |rest, digit| {
        let shift = if digit > 9 { 100 } else { 10 };
        (rest * shift + digit) % 97
    })
}

/// An opaque token, as in `Authorization: Bearer …`.
pub(super) fn bearer(rng: &mut Rng) -> String {
    std::iter::repeat_with(|| rng.alphanumeric()).take(40).collect()
}

/// An AWS access key id in shape.
pub(super) fn aws_key(rng: &mut Rng) -> String {
    const ALPHABET: [&str; 32] = [
        "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R",
        "S", "T", "U", "V", "W", "X", "Y", "Z", "2", "3", "4", "5", "6", "7",
    ];
    let rest: String = (0..16).map(|_| pick(rng, &ALPHABET)).collect();
    format!("AKIA{rest}")
}

/// A password.
pub(super) fn password(rng: &mut Rng) -> String {
    let rest: String = std::iter::repeat_with(|| rng.alphanumeric()).take(10).collect();
    format!("hunter2-{rest}")
}

pub(super) fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from.get(rng.usize(0..from.len().max(1))).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_checksums_that_detectors_ask_for() {
        let mut rng = Rng::with_seed(1);
        assert_eq!(luhn(&[4, 2, 4, 2, 4, 2, 4, 2, 4, 2, 4, 2, 4, 2, 4]), 2);
        // The standard's own example: GB82 WEST 1234 5698 7654 32.
        assert_eq!(98 - mod97("WEST12345698765432GB00"), 82);
        for _ in 0..200 {
            let card: Vec<u32> = card(&mut rng).chars().filter_map(|c| c.to_digit(10)).collect();
            let (check, digits) = card.split_last().expect("16 digits");
            assert_eq!((card.len(), luhn(digits)), (16, *check));
            let iban = iban(&mut rng);
            assert_eq!(mod97(&format!("{}{}", &iban[4..], &iban[..4])), 1);
        }
    }

    #[test]
    fn a_value_is_found_wherever_it_stands_and_only_whole() {
        let mut planted = Planted::default();
        planted.plant("anna.adams1@example.com".to_owned());
        planted.plant("anna.adams2@example.com".to_owned());
        planted.look(b"mail to anna.adams3@example.com, anna.adams");
        assert_eq!((planted.count(), planted.leaked()), (2, 0));
        planted.look(b"anna.adams2@example.com");
        planted.look(b"\"anna.adams2@example.com\" again");
        assert_eq!(planted.leaked(), 1);
        planted.look(b"");
    }
}
