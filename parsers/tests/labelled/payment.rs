//! Cards and bank accounts.

use super::checks;
use super::draw::Draw;
use super::kind::{Kind, another_last_digit};

/// How the numbers of each brand begin, and their digits.
const BRANDS: &[(&str, usize)] = &[
    ("4<d5>", 16),
    ("4<d5>", 13),
    ("4<d5>", 19),
    ("51<d4>", 16),
    ("55<d4>", 16),
    ("2221<d2>", 16),
    ("2720<d2>", 16),
    ("25<d4>", 16),
    ("34<d4>", 15),
    ("37<d4>", 15),
    ("36<d4>", 14),
    ("38<d4>", 14),
    ("305<d3>", 14),
    ("6011<d2>", 16),
    ("65<d4>", 16),
    ("644<d3>", 16),
    ("3528<d2>", 16),
    ("3589<d2>", 16),
    ("622126", 16),
    ("62290<d1>", 16),
    ("6759<d2>", 16),
    ("5018<d2>", 16),
    ("6304<d2>", 16),
    ("2200<d2>", 16),
    ("2204<d2>", 16),
    ("6521<d2>", 16),
    ("9792<d2>", 16),
    ("636368", 16),
    ("438935", 16),
];

fn card_digits(draw: &mut Draw) -> String {
    let (start, length) = *draw.pick(BRANDS);
    let start = draw.grown(start);
    let body = draw.grown(&format!("{start}<d{}>", length - 1 - start.len()));
    format!("{body}{}", checks::luhn(&body))
}

fn card(draw: &mut Draw) -> String {
    let digits = card_digits(draw);
    let separator = *draw.pick(&["", "", " ", "-"]);
    let groups: &[usize] = match digits.len() {
        _ if separator.is_empty() => &[],
        16 => &[4, 8, 12],
        15 => &[4, 10],
        14 => &[4, 10],
        _ => &[],
    };
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if groups.contains(&at) {
            out.push_str(separator);
        }
        out.push(digit);
    }
    out
}

/// Country, and the form of what stands behind the check digits.
const ACCOUNTS: &[(&str, &str)] = &[
    ("DE", "<d18>"),
    ("GB", "<u4><d14>"),
    ("FR", "<d10><N11><d2>"),
    ("ES", "<d20>"),
    ("IT", "<u1><d10><N12>"),
    ("NL", "<u4><d10>"),
    ("BE", "<d12>"),
    ("AT", "<d16>"),
    ("CH", "<d5><N12>"),
    ("PL", "<d24>"),
    ("SE", "<d20>"),
    ("NO", "<d11>"),
    ("DK", "<d14>"),
    ("FI", "<d14>"),
    ("IE", "<u4><d14>"),
    ("PT", "<d21>"),
    ("CZ", "<d20>"),
    ("HU", "<d24>"),
    ("GR", "<d7><N16>"),
    ("RO", "<u4><N16>"),
    ("TR", "<d5>0<N16>"),
    ("LU", "<d3><N13>"),
    ("HR", "<d17>"),
    ("SI", "<d15>"),
    ("SK", "<d20>"),
    ("EE", "<d16>"),
    ("LV", "<u4><N13>"),
    ("LT", "<d16>"),
    ("MT", "<u4><d5><N18>"),
    ("CY", "<d8><N16>"),
    ("BG", "<u4><d6><N8>"),
    ("SA", "<d2><N18>"),
    ("AE", "<d19>"),
    ("UA", "<d6><N19>"),
    ("BR", "<d23><u1><N1>"),
];

fn iban(draw: &mut Draw) -> String {
    let (country, form) = *draw.pick(ACCOUNTS);
    let account = draw.grown(form);
    let number = format!("{country}{}{account}", checks::iban(country, &account));
    let separator = *draw.pick(&["", "", "", " "]);
    let groups: Vec<&str> = (0..number.len().div_ceil(4))
        .map(|at| &number[4 * at..number.len().min(4 * at + 4)])
        .collect();
    groups.join(separator)
}

/// All of them.
pub(crate) const KINDS: &[Kind] = &[
    Kind::checked(
        "card",
        card,
        &["card", "pan", "card_number", "value"],
        &[
            "card {} declined",
            "charging {} for order 17",
            "payment by {} failed: insufficient funds",
        ],
        another_last_digit,
    ),
    Kind::formed(
        "card_cvv",
        |draw| draw.one_of(&["<d3>", "<d3>", "<d4>"]),
        &["cvv", "cvc", "card_cvv", "security_code"],
        &[],
    )
    .by(&["card_data"]),
    Kind::formed(
        "card_expiry",
        |draw| format!("{}/{}", draw.padded(1, 12, 2), draw.between(27, 35)),
        &["card_expiry", "card_exp"],
        &[],
    )
    .by(&["card_data"]),
    Kind::checked(
        "iban",
        iban,
        &["iban", "account", "value"],
        &["paid to {}", "account {} not reachable", "transfer from {} held"],
        |draw, value| {
            let mut spoilt: Vec<char> = value.chars().collect();
            spoilt[3] = another_last_digit(draw, &value[3..4]).chars().next().unwrap_or('0');
            spoilt.into_iter().collect()
        },
    ),
];
