//! Check digits and checksums as their authorities define them, for values that are to be valid. They
//! share nothing with the library's own checks: each is written from the definition, to compute a digit
//! where those test one.

use sha2::{Digest, Sha256};

fn digits(text: &str) -> Vec<u64> {
    text.chars().filter_map(|c| c.to_digit(10)).map(u64::from).collect()
}

/// ISO/IEC 7812: the digit that makes the sum of the digits, every second one doubled, a multiple of 10.
pub(crate) fn luhn(body: &str) -> u64 {
    let cross = |doubled: u64| doubled / 10 + doubled % 10;
    let sum: u64 = digits(body)
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| if at % 2 == 0 { cross(2 * digit) } else { *digit })
        .sum();
    (10 - sum % 10) % 10
}

/// The sum of digits times weights.
pub(crate) fn weighted(body: &str, weights: &[u64]) -> u64 {
    digits(body).iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// ISO 13616: two check digits for a country and the account behind them.
pub(crate) fn iban(country: &str, account: &str) -> String {
    format!("{:02}", 98 - remainder(&format!("{account}{country}00"), 97))
}

/// The remainder of a number whose letters stand for 10 to 35.
pub(crate) fn remainder(text: &str, by: u64) -> u64 {
    text.chars().fold(0, |left, c| {
        let value = u64::from(c.to_digit(36).unwrap_or(0));
        (left * if value > 9 { 100 } else { 10 } + value) % by
    })
}

/// Verhoeff's digit: products in the dihedral group of ten elements, permuted by place.
pub(crate) fn verhoeff(body: &str) -> u64 {
    let multiply = |a: u64, b: u64| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - 5 + 5 - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let permute = |digit: u64, times: usize| {
        let order = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
        (0..times % 8).fold(digit, |digit, _| order[usize::try_from(digit).unwrap_or(0)])
    };
    let places = digits(body).into_iter().rev().enumerate();
    let product = places.fold(0, |product, (at, digit)| multiply(product, permute(digit, at + 1)));
    (0..10).find(|digit| multiply(product, *digit) == 0).unwrap_or(0)
}

/// ISO 7064, MOD 11,10: of German tax numbers.
pub(crate) fn mod_11_10(body: &str) -> u64 {
    let product = digits(body).iter().fold(10, |product, digit| {
        let sum = (product + digit) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10
}

/// ISO 7064, MOD 11-2: of Chinese identity numbers.
pub(crate) fn mod_11_2(body: &str) -> char {
    let sum = digits(body).iter().fold(0, |sum, digit| (sum + digit) * 2 % 11);
    match (12 - sum) % 11 {
        10 => 'X',
        digit => char::from(b'0' + u8::try_from(digit).unwrap_or(0)),
    }
}

/// ICAO 9303: the digit behind documents, weights 7, 3, 1.
pub(crate) fn icao(body: &str) -> u64 {
    let value = |c: char| u64::from(c.to_digit(36).unwrap_or(0));
    body.chars().map(value).zip([7, 3, 1].into_iter().cycle()).map(|(v, w)| v * w).sum::<u64>() % 10
}

/// The last letter of an Italian tax code.
pub(crate) fn codice_fiscale(body: &str) -> char {
    // What a character at an odd place counts, by its index among letters or digits.
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let index = |c: char| c.to_digit(10).unwrap_or_else(|| c as u32 - u32::from(b'A'));
    let counts = body.chars().enumerate().map(|(at, c)| match at % 2 {
        0 => ODD.get(index(c) as usize).copied().unwrap_or(0),
        _ => index(c),
    });
    char::from(b'A' + u8::try_from(counts.sum::<u32>() % 26).unwrap_or(0))
}

/// The check digit of a Brazilian number: weights from 2 upwards from the right, to 9 where they begin
/// anew. Letters count as in ASCII, less 48.
pub(crate) fn brazilian(body: &str, highest: u32) -> char {
    let sum: u32 = body
        .bytes()
        .rev()
        .zip((2..=highest).cycle())
        .map(|(byte, weight)| u32::from(byte - b'0') * weight)
        .sum();
    let digit = match sum % 11 {
        0 | 1 => 0,
        left => 11 - left,
    };
    char::from(b'0' + u8::try_from(digit).unwrap_or(0))
}

/// The check character at the ninth place of a vehicle's number, of which that place says anything.
pub(crate) fn vin(number: &str) -> char {
    const WEIGHTS: [u64; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let value = |c: char| match c {
        'A'..='I' => c as u64 - 'A' as u64 + 1,
        'J'..='R' => c as u64 - 'J' as u64 + 1,
        'S'..='Z' => c as u64 - 'S' as u64 + 2,
        _ => u64::from(c.to_digit(10).unwrap_or(0)),
    };
    match number.chars().map(value).zip(WEIGHTS).map(|(v, w)| v * w).sum::<u64>() % 11 {
        10 => 'X',
        digit => char::from(b'0' + u8::try_from(digit).unwrap_or(0)),
    }
}

/// Base58 with the four bytes of a double SHA-256 behind.
pub(crate) fn base58check(payload: &[u8], alphabet: &[u8; 58]) -> String {
    let sum = Sha256::digest(Sha256::digest(payload));
    let mut bytes = [payload, &sum[..4]].concat();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let mut out = Vec::new();
    while bytes.iter().any(|byte| *byte != 0) {
        let mut left = 0;
        for byte in &mut bytes {
            let value = left * 256 + u32::from(*byte);
            *byte = u8::try_from(value / 58).unwrap_or(0);
            left = value % 58;
        }
        out.push(alphabet[left as usize]);
    }
    out.extend(std::iter::repeat_n(alphabet[0], zeros));
    out.iter().rev().map(|byte| char::from(*byte)).collect()
}

/// BIP 173's alphabet.
const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// BIP 173 (bech32) and BIP 350 (bech32m): a witness program after its version.
pub(crate) fn bech32(prefix: &str, version: u8, program: &[u8]) -> String {
    let (mut bits, mut held, mut values) = (0_u32, 0, vec![version]);
    for byte in program {
        bits = bits << 8 | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            values.push(u8::try_from(bits >> held & 31).unwrap_or(0));
        }
        bits &= (1 << held) - 1;
    }
    if held > 0 {
        values.push(u8::try_from(bits << (5 - held) & 31).unwrap_or(0));
    }
    let high = prefix.bytes().map(|byte| byte >> 5).chain([0]);
    let expanded: Vec<u8> = high.chain(prefix.bytes().map(|byte| byte & 31)).collect();
    let target = if version == 0 { 1 } else { 0x2bc8_30a3 };
    let sum = polymod(expanded.iter().chain(&values).copied().chain([0; 6])) ^ target;
    let check = (0..6).map(|at| u8::try_from(sum >> (25 - 5 * at) & 31).unwrap_or(0));
    let letters = values.iter().copied().chain(check);
    let data: String = letters.map(|value| char::from(BECH32[usize::from(value)])).collect();
    format!("{prefix}1{data}")
}

fn polymod(values: impl Iterator<Item = u8>) -> u32 {
    const TERMS: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    values.fold(1, |sum, value| {
        let next = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
        let top = sum >> 25;
        let terms = TERMS.iter().enumerate().filter(|(at, _)| top >> at & 1 == 1);
        terms.fold(next, |sum, (_, term)| sum ^ term)
    })
}

/// CRC-32 in base 62, six characters: how tokens of GitHub and npm end.
pub(crate) fn crc32_base62(body: &str) -> String {
    let mut left = !body.bytes().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    });
    let letters = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut out = [b'0'; 6];
    for place in out.iter_mut().rev() {
        *place = letters[(left % 62) as usize];
        left /= 62;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// RFC 4648, with the letters of URLs or without, no padding.
pub(crate) fn base64(bytes: &[u8], for_url: bool) -> String {
    let last = if for_url { b"-_" } else { b"+/" };
    let letters = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').chain(last.iter().copied());
    let letters: Vec<char> = letters.map(char::from).collect();
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        out.extend((0..=chunk.len()).map(|at| letters[bits >> (18 - 6 * at) & 63]));
    }
    out
}

/// The published values of each, so that the corpus is not valid by its own opinion alone.
#[test]
fn published_values_come_out() {
    assert_eq!(luhn("7992739871"), 3);
    assert_eq!(iban("GB", "WEST12345698765432"), "82");
    assert_eq!(verhoeff("236"), 3);
    assert_eq!(mod_11_10("8609574271"), 9);
    assert_eq!(mod_11_2("11010519491231002"), 'X');
    assert_eq!(icao("L898902C3"), 6);
    assert_eq!(codice_fiscale("RSSMRA85T10A562"), 'S');
    assert_eq!(brazilian("111444777", 12), '3');
    assert_eq!(brazilian("12ABC34501DE", 9), '3');
    assert_eq!(vin("1M8GDM9A_KP042788"), 'X');
    let genesis = "62e907b15cbf27d5425399ebf6f0fb50ebb88f18";
    let payload: Vec<u8> = std::iter::once(0)
        .chain((0..20).map(|at| u8::from_str_radix(&genesis[2 * at..2 * at + 2], 16).unwrap()))
        .collect();
    let alphabet = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    assert_eq!(base58check(&payload, alphabet), "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa");
    let program = "751e76e8199196d454941c45d1b3a323f1433bd6";
    let program: Vec<u8> =
        (0..20).map(|at| u8::from_str_radix(&program[2 * at..2 * at + 2], 16).unwrap()).collect();
    assert_eq!(bech32("bc", 0, &program), "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
    assert_eq!(crc32_base62("123456789"), "3jZRME");
    assert_eq!(base64(b"foobar!", true), "Zm9vYmFyIQ");
}
