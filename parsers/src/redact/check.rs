//! Checksums that tell a number from a look-alike, by the names that rule files call them.
//!
//! Each is given a value without its separators and says whether it can be one. None allocates, none
//! panics whatever it is given.

/// Whether a value, without its separators, can be what it looks like.
pub(super) type Check = fn(&[u8]) -> bool;

/// The checksum of that name.
pub(super) fn by_name(name: &str) -> Option<Check> {
    let check: Check = match name {
        "luhn" => luhn,
        _ => return None,
    };
    Some(check)
}

/// The checksum of ISO/IEC 7812-1, annex B, of digits.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(digit & 0xf)) {
            (0, digit) => digit,
            (_, digit) if digit < 5 => 2 * digit,
            (_, digit) => 2 * digit - 9,
        })
        .sum();
    sum.is_multiple_of(10)
}
