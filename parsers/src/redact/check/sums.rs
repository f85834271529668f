//! The sums that many kinds of numbers share: Luhn's and Verhoeff's.

use super::digits::digit;

/// The checksum of ISO/IEC 7812-1, annex B, over digits.
pub(in super::super) fn luhn(value: &[u8]) -> bool {
    let mut sum = 0;
    for (place, byte) in value.iter().rev().enumerate() {
        let Some(digit) = digit(*byte) else { return false };
        sum += match (place % 2, digit) {
            (0, digit) => digit,
            (_, digit) if digit < 5 => 2 * digit,
            (_, digit) => 2 * digit - 9,
        };
    }
    !value.is_empty() && sum.is_multiple_of(10)
}

/// What two digits come to in the dihedral group of a pentagon.
const PRODUCT: [[u8; 10]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];

/// What a digit stands for at a place, counted from the last one; it repeats after eight.
const PERMUTED: [[u8; 10]; 8] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
    [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
    [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
    [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
    [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
    [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
    [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
];

/// J. Verhoeff's checksum (Error Detecting Decimal Codes, 1969), over digits.
pub(in super::super) fn verhoeff(value: &[u8]) -> bool {
    let cell = |row: &[u8; 10], digit: u8| row.get(usize::from(digit)).copied();
    let step = |sum: u8, (row, byte): (&[u8; 10], &u8)| {
        let digit = byte.checked_sub(b'0')?;
        cell(PRODUCT.get(usize::from(sum))?, cell(row, digit)?)
    };
    let mut digits = PERMUTED.iter().cycle().zip(value.iter().rev());
    !value.is_empty() && digits.try_fold(0, step) == Some(0)
}
