//! What stands in place of a value: `[EMAIL]`, or `[EMAIL:…]` with a keyed hash of it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::decode::decode;

/// Base32 characters of a hash that are kept: 50 bits.
const HASH_CHARACTERS: usize = 10;

/// RFC 4648's base32 alphabet in lower case: no token of another kind is spelt in it.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A token; with a key and a normalised value, one that tells equal values from others.
pub(super) fn masked(token: &str, hash: Option<(&[u8], String)>) -> String {
    let mut out = String::with_capacity(token.len() + 2 + HASH_CHARACTERS);
    out.push('[');
    out.push_str(token);
    if let Some((key, value)) = hash {
        out.push(':');
        // HMAC takes keys of any length; were that not so, the plain token would remain.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) {
            mac.update(value.as_bytes());
            base32(&mac.finalize().into_bytes(), &mut out);
        } else {
            out.pop();
        }
    }
    out.push(']');
    out
}

/// Appends the first characters of a hash.
fn base32(hash: &[u8], out: &mut String) {
    let bits = hash.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    for index in 0..HASH_CHARACTERS {
        let five = (bits >> (59 - 5 * index)) & 31;
        out.extend(ALPHABET.get(five as usize).map(|byte| char::from(*byte)));
    }
}

/// A value as it is hashed: without what may differ between two spellings of the same thing.
pub(super) fn normalised(token: &str, found: &str) -> String {
    let mut plain = found.to_owned();
    for _ in 0..2 {
        let mut decoded = String::new();
        if !decode(&plain, &mut decoded, &mut Vec::new()) {
            break;
        }
        plain = decoded;
    }
    match token {
        "EMAIL" => plain.to_lowercase(),
        "CREDIT_CARD" | "US_SSN" | "PHONE" => plain.chars().filter(char::is_ascii_digit).collect(),
        "IBAN" | "MAC" => plain
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_uppercase(),
        _ => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_the_first_fifty_bits_of_hmac_sha_256() {
        // RFC 4231, test case 2: 5bdcc146bf60754e6a042426089575c7…
        let value = "what do ya want for nothing?".to_owned();
        assert_eq!(masked("X", Some((b"Jefe", value))), "[X:lpomcrv7mb]");
        assert_eq!(masked("X", None), "[X]");
    }

    #[test]
    fn spellings_of_the_same_value_hash_alike() {
        let check = |token: &str, one: &str, other: &str| {
            assert_eq!(normalised(token, one), normalised(token, other), "{one} {other}");
        };
        check("EMAIL", "Bob@Example.com", "bob%40example.com");
        check("EMAIL", r"bob\u0040example.com", "bob@example.com");
        check("CREDIT_CARD", "4111 1111 1111 1111", "4111111111111111");
        check("CREDIT_CARD", "4111%201111%201111%201111", "4111111111111111");
        check("IBAN", "GB82 WEST 1234 5698 7654 32", "GB82WEST12345698765432");
        check("PHONE", "+1 (415) 555-2671", "+14155552671");
    }
}
