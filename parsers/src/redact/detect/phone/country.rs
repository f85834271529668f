//! Country calling codes, and how many digits follow each.

/// At least and at most so many digits follow these codes: fixed lines, mobile and toll-free numbers
/// (ITU-T E.164 and the national numbering plans, as libphonenumber 9 has them).
const LENGTHS: &[(usize, usize, &[u16])] = &[
    (4, 5, &[290]),
    (4, 7, &[683, 690]),
    (4, 11, &[352]),
    (4, 13, &[43]),
    (5, 5, &[247, 500, 682]),
    (5, 7, &[676, 677, 678, 688]),
    (5, 8, &[686]),
    (5, 9, &[27]),
    (5, 10, &[358, 685]),
    (5, 12, &[971]),
    (5, 13, &[49, 82]),
    (6, 6, &[298, 299, 672, 687]),
    (6, 7, &[597]),
    (6, 8, &[386]),
    (6, 9, &[40, 46, 252, 376, 421, 508, 681]),
    (6, 10, &[53, 95, 98, 880]),
    (6, 11, &[375]),
    (6, 12, &[39, 359, 381, 598]),
    (6, 13, &[63]),
    (7, 7, &[238, 239, 246, 248, 269, 291, 297, 592, 673, 674, 680, 691, 692]),
    (7, 8, &[241, 599, 670, 675, 853, 961, 965, 975]),
    (7, 9, &[220, 231, 245, 265, 354, 355, 385, 423, 967, 968]),
    (7, 10, &[44, 48, 61, 230, 243, 254, 263, 267, 353, 372, 960]),
    (7, 11, &[31, 501, 503, 507, 595, 679, 974]),
    (7, 12, &[86, 882, 972]),
    (7, 13, &[62]),
    (
        8,
        8,
        &[
            45, 47, 216, 222, 223, 226, 227, 228, 232, 235, 236, 253, 257, 266, 268, 350, 356, 357,
            370, 371, 373, 374, 389, 505, 509, 800, 973, 993,
        ],
    ),
    (
        8,
        9,
        &[32, 36, 51, 213, 224, 233, 237, 250, 258, 264, 377, 382, 387, 591, 689, 852, 962, 963],
    ),
    (8, 10, &[20, 60, 64, 84, 378, 506, 850, 855, 856, 964, 970, 976]),
    (8, 11, &[57, 65, 92, 502, 504, 593, 886, 977]),
    (8, 12, &[383, 883]),
    (8, 13, &[66, 81, 91]),
    (
        9,
        9,
        &[
            33, 34, 41, 93, 94, 211, 212, 218, 221, 240, 242, 244, 249, 251, 255, 256, 260, 261,
            262, 351, 420, 590, 594, 596, 979, 992, 994, 995, 998,
        ],
    ),
    (9, 10, &[380, 881, 966, 996]),
    (9, 11, &[55, 56]),
    (9, 12, &[870]),
    (10, 10, &[1, 52, 58, 225, 229]),
    (10, 11, &[54]),
    (10, 12, &[30, 234]),
    (10, 13, &[90]),
    (10, 14, &[7]),
    (11, 11, &[888]),
    (12, 12, &[878]),
];

/// Numbers shorter than this are service numbers, or no numbers at all: without and with grouping.
const SHORTEST: (usize, usize) = (10, 9);

/// Whether digits, the country's code first, can be a subscriber's number, written in so many groups.
pub(in super::super::super) fn is_number(digits: &[u8], groups: usize) -> bool {
    let code = |length: usize| {
        let code = digits.get(..length).unwrap_or_default();
        code.iter().fold(0_u16, |sum, digit| sum * 10 + u16::from(digit & 0xf))
    };
    let fits = |length: usize, shortest: usize| {
        let rest = digits.len() - length.min(digits.len());
        let is = |(least, most, codes): &(usize, usize, &[u16])| {
            (*least..=*most).contains(&rest) && codes.contains(&code(length))
        };
        digits.len() >= shortest && LENGTHS.iter().any(is)
    };
    let shortest = if groups > 1 { SHORTEST.1 } else { SHORTEST.0 };
    match code(1) {
        1 => north_american(digits.get(1..).unwrap_or_default()) && groups <= 4,
        7 => digits.len() == 11 && matches!(digits.get(1), Some(b'3' | b'4' | b'6'..=b'9')),
        // Codes of three digits are of small countries, whose numbers are short.
        _ => fits(2, shortest) || fits(3, shortest - 1),
    }
}

/// Whether ten digits are a number of the North American plan (NANPA): neither area nor exchange begins
/// with 0 or 1, and no area ends in 11.
pub(in super::super::super) fn north_american(digits: &[u8]) -> bool {
    let &[area, b, c, exchange, ..] = digits else { return false };
    digits.len() == 10
        && digits.iter().all(u8::is_ascii_digit)
        && matches!(area, b'2'..=b'9')
        && matches!(exchange, b'2'..=b'9')
        && (b, c) != (b'1', b'1')
}
