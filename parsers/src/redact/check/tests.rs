//! Every check against numbers of another library, against the errors it is there to catch, and against
//! a second formula where it has a well-known one.

use super::wallet::{base58_check, bech32, ethereum};
use super::*;

/// Names and valid numbers, in the order of the file.
fn numbers() -> impl Iterator<Item = (&'static str, Check, Vec<&'static str>)> {
    let lines = include_str!("tests/numbers.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let mut words = line.split(' ');
        let name = words.next().unwrap();
        (name, by_name(name).unwrap_or_else(|| panic!("no check {name}")), words.collect())
    })
}

/// Digits from a multiplicative congruence: the same at every run.
struct Digits(u64);

impl Digits {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn text(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| b'0' + self.below(10) as u8).collect()
    }
}

#[test]
fn numbers_that_another_library_holds_for_valid_pass() {
    let mut refused = Vec::new();
    for (name, check, numbers) in numbers() {
        assert!(numbers.len() >= 15, "{name}");
        let wrong = numbers.iter().filter(|number| !check(number.as_bytes()));
        refused.extend(wrong.map(|number| format!("{name} {number}")));
    }
    assert!(refused.is_empty(), "{refused:?}");
}

/// Of a hundred thousand: how many changed digits and how many swapped neighbours pass.
fn missed(check: Check, numbers: &[&str]) -> (usize, usize) {
    let (mut changed, mut changes, mut swapped, mut swaps) = (0, 0, 0, 0);
    for number in numbers {
        let bytes = number.as_bytes();
        for place in 0..bytes.len() {
            for digit in (b'0'..=b'9')
                .filter(|digit| *digit != bytes[place] && bytes[place].is_ascii_digit())
            {
                let mut other = bytes.to_vec();
                other[place] = digit;
                changes += 1;
                changed += usize::from(check(&other));
            }
            let digits =
                bytes.get(place..place + 2).filter(|pair| pair.iter().all(u8::is_ascii_digit));
            if digits.is_some_and(|pair| pair[0] != pair[1]) {
                let mut other = bytes.to_vec();
                other.swap(place, place + 1);
                swaps += 1;
                swapped += usize::from(check(&other));
            }
        }
    }
    (changed * 100_000 / changes.max(1), swapped * 100_000 / swaps.max(1))
}

/// Of a hundred thousand errors, how many each check may miss: changed digits, swapped neighbours. What is
/// not named here misses none.
fn missed_at_most(name: &str) -> (usize, usize) {
    const ALL: usize = 100_000;
    match name {
        // Ranges and dates, and no check digit.
        "us_ssn" | "us_itin" | "us_ein" | "in_pan" | "dk_cpr" => (ALL, ALL),
        // Luhn's sum, and weights modulo 10: neighbours that differ by five, or by nine.
        "aba" | "ca_sin" | "ch_ahv" | "il_id" | "imei" | "za_id" | "pl_pesel" => (0, 13_000),
        "tr_tckn" => (0, 12_000),
        "de_tax_id" => (0, 3_000),
        // Even weights modulo 10.
        "mx_curp" => (10_000, 0),
        // Two remainders modulo 11 share one check digit; with two of them, an error must slip by both.
        "br_cpf" | "br_cnpj" => (500, 500),
        "ar_cuit" | "cz_rc" | "jp_my_number" | "pt_nif" | "ro_cnp" => (4_000, 4_000),
        "kr_rrn" | "th_id" => (13_000, 13_000),
        // Of another century, or without one.
        "be_nrn" => (1_000, 1_000),
        "se_personnummer" => (1_000, 3_000),
        _ => (0, 0),
    }
}

#[test]
fn an_error_in_a_number_makes_it_another() {
    for (name, check, numbers) in numbers() {
        let (changed, swapped) = missed(check, &numbers);
        let (may_change, may_swap) = missed_at_most(name);
        assert!(changed <= may_change && swapped <= may_swap, "{name}: {changed}, {swapped}");
    }
}

#[test]
fn values_of_another_length_or_with_other_bytes_are_refused_by_all() {
    for (name, check) in NAMED {
        for value in ["", "0", "-", "é", "12345678901234567890123", "4111-1111", "\u{0}\u{0}\u{0}"]
        {
            assert!(
                *name == "luhn" || *name == "verhoeff" || !check(value.as_bytes()),
                "{name} {value}"
            );
        }
    }
}

#[test]
fn luhns_sum_is_that_of_its_table() {
    const DOUBLED: [u32; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    for number in 0..200_000_u32 {
        let text = format!("{number:06}");
        let digits = text.bytes().map(|byte| u32::from(byte - b'0'));
        let sum: u32 = digits
            .enumerate()
            .map(|(at, digit)| if at % 2 == 0 { DOUBLED[digit as usize] } else { digit })
            .sum();
        assert_eq!(luhn(text.as_bytes()), sum.is_multiple_of(10), "{text}");
    }
}

#[test]
fn verhoeffs_sum_catches_every_change_and_every_swap() {
    // The group of a pentagon, by what its members do to the corners.
    let corners = |member: usize| -> [usize; 5] {
        std::array::from_fn(|corner| {
            if member < 5 { (corner + member) % 5 } else { (member + 5 - corner) % 5 }
        })
    };
    let product = |one: usize, other: usize| {
        let (one, other) = (corners(one), corners(other));
        let both: [usize; 5] = std::array::from_fn(|corner| one[other[corner]]);
        (0..10).find(|member| corners(*member) == both).unwrap()
    };
    let permuted = |digit: usize, times: usize| {
        (0..times).fold(digit, |digit, _| [1, 5, 7, 6, 2, 8, 3, 0, 9, 4][digit])
    };
    for number in 0..100_000_usize {
        let text = format!("{number:05}");
        let digits = text.bytes().rev().map(|byte| usize::from(byte - b'0')).enumerate();
        let sum = digits.fold(0, |sum, (place, digit)| product(sum, permuted(digit, place)));
        assert_eq!(super::sums::verhoeff(text.as_bytes()), sum == 0, "{text}");
    }
    // Wikipedia's and UIDAI's examples.
    assert!(super::sums::verhoeff(b"2363") && super::sums::verhoeff(b"123451"));
}

#[test]
fn remainders_are_those_of_long_division() {
    let mut digits = Digits(1);
    for _ in 0..2_000 {
        let mut text = b"GB00".to_vec();
        text.extend(digits.text(18));
        let moved = format!("{}1611", std::str::from_utf8(&text[4..]).unwrap());
        let remainder = format!("{moved}00").parse::<u128>().unwrap() % 97;
        for check in 0..100 {
            text[2..4].copy_from_slice(format!("{check:02}").as_bytes());
            let valid = (remainder + check) % 97 == 1;
            assert_eq!(mod97(&text), valid, "{}", String::from_utf8_lossy(&text));
        }
    }
}

#[test]
fn published_examples_of_what_the_other_library_does_not_know() {
    let check = |name: &str, valid: &[&str], wrong: &[&str]| {
        let check = by_name(name).unwrap();
        for value in valid {
            assert!(check(value.as_bytes()), "{name} {value}");
        }
        for value in wrong {
            assert!(!check(value.as_bytes()), "{name} {value}");
        }
    };
    check(
        "uk_nino",
        &["AB123456C", "JG103759A", "CE000000D"],
        &["DA123456A", "BG123456A", "AO123456A", "AB123456E"],
    );
    check("de_id_card", &["L01X00T471", "T220001293"], &["L01X00T472", "I01X00T471", "1234567897"]);
    check(
        "sg_nric",
        &["S1234567D", "T1234567J", "F1234567N", "G1234567X", "M1234567K"],
        &["S1234567A", "A1234567D"],
    );
    check("us_mbi", &["1EG4TE5MK73", "1EG4TE5MK72"], &["0EG4TE5MK73", "1SG4TE5MK73", "1EG4TE5MK7"]);
    check("us_npi", &["1234567893", "1245319599"], &["1234567894", "3234567893"]);
    check("vin_checked", &["1M8GDM9AXKP042788", "1HGCM82633A004352"], &["1M8GDM9A1KP042788"]);
    check(
        "vin",
        &["WVWZZZ1JZXW000001", "1M8GDM9AXKP042788"],
        &["1M8GDM9AXKPO42788", "12345678901234567"],
    );
    check("date", &["19800517", "17051980", "05171980"], &["00000000", "18700517", "19801340"]);
    check(
        "bitcoin",
        &["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"],
        &["a12uel5l", "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1"],
    );
    check(
        "ether",
        &["0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"],
        &["5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"],
    );
    check(
        "coin",
        &[
            "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1",
            "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L",
            "cosmos1fl48vsnmsdzcv85q5d2q4z5ajdha8yu34mf0eh",
        ],
        &["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"],
    );
    check(
        "wallet_key",
        &[
            "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
            "KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617",
        ],
        &["5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTK"],
    );
    check("au_medicare", &["2123456701", "29501012011"], &["2123456711", "1123456701"]);
    check("tw_id", &["A123456789", "F131104093", "A800000014"], &["A123456788", "A323456789"]);
    check("br_cnpj", &["12ABC34501DE35", "11222333000181"], &["12ABC34501DE36", "00000000000000"]);
    check("fr_nir", &["255081416802538"], &["255081416802539"]);
    check("in_pan", &["ABCPE1234F"], &["ABCDE1234F", "ABCPE0000F"]);
}

#[test]
fn numbers_of_one_digit_are_refused() {
    // These begin with a day: 11 November 1911 is one.
    let dated = |name: &str| {
        matches!(name, "at_svnr" | "be_nrn" | "cz_rc" | "dk_cpr" | "pl_pesel" | "se_personnummer")
    };
    let sums = |name: &str| matches!(name, "luhn" | "verhoeff" | "mod97");
    for (name, check) in NAMED.iter().filter(|(name, _)| !dated(name) && !sums(name)) {
        for digit in b'0'..=b'9' {
            for length in 8..=15 {
                assert!(!check(&vec![digit; length]), "{name} {}×{length}", digit - b'0');
            }
        }
    }
}

#[test]
fn coins_addresses_by_their_checksums() {
    for (address, version) in [
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", 0),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", 0),
        ("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", 5),
        ("1111111111111111111114oLvT2", 0),
    ] {
        assert_eq!(base58_check(address.as_bytes()), Some((version, 20)), "{address}");
        for place in 1..address.len() {
            let mut other = address.as_bytes().to_vec();
            other[place] = if other[place] == b'z' { b'y' } else { b'z' };
            assert_eq!(base58_check(&other), None, "{}", String::from_utf8_lossy(&other));
        }
    }
    for other in ["", "1", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfN0", &"z".repeat(200)] {
        assert_eq!(base58_check(other.as_bytes()), None, "{other}");
    }
}

#[test]
fn bech32_and_its_successor() {
    // BIP 173 and BIP 350.
    for valid in [
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "A12UEL5L",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    ] {
        assert!(bech32(valid.as_bytes()), "{valid}");
    }
    for wrong in [
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
        "bc1Qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "1nwldj5",
        "bc1",
        "x1b4n0q5v",
    ] {
        assert!(!bech32(wrong.as_bytes()), "{wrong}");
    }
}

#[test]
fn capitals_of_an_ethereum_address_are_its_checksum() {
    // EIP-55.
    for valid in [
        "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "fB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "dbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "D1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        "52908400098527886E0F7030069857D2E4169EE7",
        "de709f2102306220921060314715629080e2fb77",
    ] {
        assert!(ethereum(valid.as_bytes()), "{valid}");
    }
    for wrong in [
        "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD",
        "5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
        "0000000000000000000000000000000000000000",
    ] {
        assert!(!ethereum(wrong.as_bytes()), "{wrong}");
    }
}
