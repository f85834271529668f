//! Checksums of crypto-currency addresses: Base58Check, Bech32 and Bech32m, and the capitals of EIP-55.

use sha2::{Digest, Sha256};

/// Bytes of the longest Base58Check value that is read: an extended key of BIP 32.
const LONGEST: usize = 82;

/// Decodes Base58Check (Bitcoin's alphabet) and gives its version byte and how many bytes follow it. `None`
/// if the checksum is wrong.
pub(super) fn base58_check(value: &[u8]) -> Option<(u8, usize)> {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes = [0_u8; LONGEST];
    let mut used = 0;
    for character in value {
        let mut carry = ALPHABET.iter().position(|known| known == character)?;
        for byte in bytes.iter_mut().rev().take(used) {
            carry += usize::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
        while carry > 0 {
            used += 1;
            *bytes.get_mut(LONGEST.checked_sub(used)?)? = carry as u8;
            carry >>= 8;
        }
    }
    // A leading `1` is a byte of zeros.
    used += value.iter().take_while(|character| **character == b'1').count();
    let bytes = bytes.get(LONGEST.checked_sub(used)?..)?;
    let (body, check) = bytes.split_last_chunk::<4>()?;
    let hash = Sha256::digest(Sha256::digest(body));
    hash.starts_with(check).then_some((*body.first()?, body.len() - 1))
}

/// Whether a text is Bech32 (BIP 173) or Bech32m (BIP 350), all in one case.
pub(super) fn bech32(value: &[u8]) -> bool {
    const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let lower = !value.iter().any(u8::is_ascii_uppercase);
    if !lower && value.iter().any(u8::is_ascii_lowercase) {
        return false;
    }
    let Some(one) = value.iter().rposition(|byte| *byte == b'1') else { return false };
    let (name, data) = value.split_at(one);
    let data = data.get(1..).unwrap_or_default();
    if name.is_empty() || data.len() < 6 {
        return false;
    }
    let mut sum = 1;
    let mut add = |value: u32| {
        const GENERATOR: [u32; 5] =
            [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
        let top = sum >> 25;
        sum = (sum & 0x1ff_ffff) << 5 ^ value;
        for (bit, generator) in GENERATOR.iter().enumerate() {
            if top >> bit & 1 == 1 {
                sum ^= generator;
            }
        }
    };
    let name = || name.iter().map(|byte| u32::from(byte.to_ascii_lowercase()));
    name().for_each(|byte| add(byte >> 5));
    add(0);
    name().for_each(|byte| add(byte & 31));
    for byte in data {
        let byte = byte.to_ascii_lowercase();
        let Some(five) = ALPHABET.iter().position(|known| *known == byte) else { return false };
        add(five as u32);
    }
    matches!(sum, 1 | 0x2bc8_30a3)
}

/// Whether 40 hex digits may be an Ethereum address: where capitals and small letters are mixed, they are
/// the checksum of EIP-55.
pub(super) fn ethereum(digits: &[u8]) -> bool {
    if digits.len() != 40 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return false;
    }
    let any = |kind: fn(&u8) -> bool| digits.iter().any(kind);
    if !(any(u8::is_ascii_lowercase) && any(u8::is_ascii_uppercase)) {
        return any(|digit| *digit != b'0');
    }
    let hash = keccak_256(digits);
    digits.iter().enumerate().all(|(index, digit)| {
        let lane = hash[index / 16];
        let nibble = lane >> (index % 16 / 2 * 8 + if index % 2 == 0 { 4 } else { 0 }) & 0xf;
        digit.is_ascii_digit() || digit.is_ascii_uppercase() == (nibble >= 8)
    })
}

/// The first lanes of Keccak-256, little-endian, of hex digits in small letters. They fit in one block.
fn keccak_256(digits: &[u8]) -> [u64; 25] {
    /// Lanes that take in text: 1,600 bits less twice 256.
    const RATE: usize = 17;
    let mut block = [0_u8; RATE * 8];
    for (to, digit) in block.iter_mut().zip(digits) {
        *to = digit.to_ascii_lowercase();
    }
    // Keccak's own padding, from before SHA-3 had another.
    if let Some(end) = block.get_mut(digits.len()) {
        *end = 1;
    }
    block[RATE * 8 - 1] |= 0x80;
    let mut state = [0_u64; 25];
    for (lane, bytes) in state.iter_mut().zip(block.as_chunks::<8>().0) {
        *lane = u64::from_le_bytes(*bytes);
    }
    keccak::Keccak::new().with_f1600(|f1600| f1600(&mut state));
    state
}

/// An address of Bitcoin: P2PKH and P2SH by Base58Check, SegWit and Taproot by Bech32.
pub(super) fn bitcoin(value: &[u8]) -> bool {
    matches!(base58_check(value), Some((0 | 5, 20))) || named_bech32(value, &[b"bc"])
}

/// An address of Ethereum and its kin, with `0x`.
pub(super) fn ether(value: &[u8]) -> bool {
    value.strip_prefix(b"0x").is_some_and(ethereum)
}

/// An address of Litecoin, Dogecoin, Dash, Tron, Cardano (stake addresses), and of chains of Cosmos.
pub(super) fn coin(value: &[u8]) -> bool {
    const NAMES: &[&[u8]] =
        &[b"ltc", b"cosmos", b"osmo", b"terra", b"bnb", b"stake", b"addr", b"zil"];
    // Litecoin 48 and 50, Dogecoin 30 and 22, Dash 76 and 16, Tron 65.
    let version = |(version, length): (u8, usize)| {
        length == 20 && matches!(version, 48 | 50 | 30 | 22 | 76 | 16 | 65)
    };
    base58_check(value).is_some_and(version) || named_bech32(value, NAMES)
}

/// A private key of Bitcoin in the wallet import format: whoever has it has the money.
pub(super) fn wallet_key(value: &[u8]) -> bool {
    matches!(base58_check(value), Some((128, 32 | 33)))
}

/// Whether a text is Bech32 with one of these names before its `1`.
fn named_bech32(value: &[u8], names: &[&[u8]]) -> bool {
    let named = |name: &&[u8]| {
        let (start, rest) = value.split_at(name.len().min(value.len()));
        start.eq_ignore_ascii_case(name) && rest.first() == Some(&b'1')
    };
    names.iter().any(named) && bech32(value)
}
