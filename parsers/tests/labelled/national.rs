//! Numbers that states give people and firms, each with the check digits of its authority.

use super::checks::{self, weighted};
use super::draw::Draw;
use super::kind::{Kind, another_last_digit, another_last_letter};

/// Draws until something comes out: some bodies have no check digit.
fn until<T>(draw: &mut Draw, mut make: impl FnMut(&mut Draw) -> Option<T>) -> T {
    loop {
        if let Some(made) = make(draw) {
            return made;
        }
    }
}

/// Digits in groups of those sizes, by a separator.
fn grouped(digits: &str, sizes: &[usize], separator: &str) -> String {
    let mut rest = digits;
    let groups: Vec<&str> = sizes
        .iter()
        .map(|size| {
            let (group, behind) = rest.split_at(*size);
            rest = behind;
            group
        })
        .collect();
    groups.join(separator)
}

fn ssn(draw: &mut Draw) -> String {
    let area = until(draw, |draw| Some(draw.between(1, 899)).filter(|area| *area != 666));
    format!("{area:03}-{}-{}", draw.padded(1, 99, 2), draw.padded(1, 9999, 4))
}

fn no_such_area(draw: &mut Draw, value: &str) -> String {
    format!("{}{}", draw.pick(&["000", "666"]), &value[3..])
}

fn itin(draw: &mut Draw) -> String {
    let groups: Vec<u64> = (50..=65).chain(70..=88).chain(90..=92).chain(94..=99).collect();
    format!("{}-{}-{}", draw.grown("9<d2>"), draw.pick(&groups), draw.padded(1, 9999, 4))
}

fn aba(draw: &mut Draw) -> String {
    let district = draw.padded(1, 12, 2);
    let body = draw.grown(&format!("{district}<d6>"));
    let sum = weighted(&body, &[3, 7, 1, 3, 7, 1, 3, 7]);
    format!("{body}{}", (10 - sum % 10) % 10)
}

fn nino(draw: &mut Draw) -> String {
    let prefix = *draw.pick(&["AB", "CE", "JG", "NA", "PX", "SK", "TW", "YY", "ZE", "HH"]);
    let number = draw.grown("<d6>");
    let suffix = *draw.pick(&["A", "B", "C", "D"]);
    let separator = *draw.pick(&["", "", " "]);
    format!("{prefix}{separator}{}{separator}{suffix}", grouped(&number, &[2, 2, 2], separator))
}

fn nhs(draw: &mut Draw) -> String {
    let digits = until(draw, |draw| {
        let body = draw.grown("4<d8>");
        let check = 11 - weighted(&body, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        (check != 10).then(|| format!("{body}{}", check % 11))
    });
    let separator = *draw.pick(&["", " "]);
    grouped(&digits, &[3, 3, 4], separator)
}

fn german_tax(draw: &mut Draw) -> String {
    // Of the first ten digits one stands twice, eight once, one not at all.
    let body = until(draw, |draw| {
        let body = draw.grown("<d10>");
        let count = |digit: char| body.matches(digit).count();
        let counts: Vec<usize> = ('0'..='9').map(count).collect();
        let of = |times| counts.iter().filter(|count| **count == times).count();
        (of(2) == 1 && of(0) == 1 && !body.starts_with('0')).then_some(body)
    });
    let digits = format!("{body}{}", checks::mod_11_10(&body));
    if draw.one_in(3) { grouped(&digits, &[2, 3, 3, 3], " ") } else { digits }
}

fn german_card(draw: &mut Draw) -> String {
    let letters: &[u8] = b"CFGHJKLMNPRTVWXYZ0123456789";
    let mut body = String::from(*draw.pick(&["L", "T", "P", "R", "Y"]));
    body.extend((0..8).map(|_| char::from(*draw.pick(letters))));
    format!("{body}{}", checks::icao(&body))
}

fn nir(draw: &mut Draw) -> String {
    let (sex, year, month) = (draw.between(1, 2), draw.padded(0, 99, 2), draw.padded(1, 12, 2));
    let department = match draw.between(0, 9) {
        0 => draw.pick(&["2A", "2B"]).to_string(),
        _ => draw.padded(1, 95, 2),
    };
    let body = format!(
        "{sex}{year}{month}{department}{}{}",
        draw.padded(1, 600, 3),
        draw.padded(1, 600, 3)
    );
    let number = body.replace("2A", "19").replace("2B", "18");
    let key = 97 - checks::remainder(&number, 97);
    let digits = format!("{body}{key:02}");
    if draw.one_in(3) { grouped(&digits, &[1, 2, 2, 2, 3, 3, 2], " ") } else { digits }
}

const SPANISH: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";

fn spanish_letter(number: u64) -> char {
    char::from(SPANISH[usize::try_from(number % 23).unwrap_or(0)])
}

fn dni(draw: &mut Draw) -> String {
    let number = draw.between(1_000_000, 99_999_999);
    let separator = *draw.pick(&["", "", "-"]);
    format!("{number:08}{separator}{}", spanish_letter(number))
}

fn nie(draw: &mut Draw) -> String {
    let (lead, number) = (draw.between(0, 2), draw.between(1, 9_999_999));
    let letter = spanish_letter(lead * 10_000_000 + number);
    format!("{}{number:07}{letter}", ["X", "Y", "Z"][usize::try_from(lead).unwrap_or(0)])
}

fn codice(draw: &mut Draw) -> String {
    let day = draw.between(1, 31) + 40 * draw.between(0, 1);
    let month = *draw.pick(&["A", "B", "C", "D", "E", "H", "L", "M", "P", "R", "S", "T"]);
    let people = draw.pick(&["RSSMRA", "BNCLGU", "VRDGPP", "FRRNNA", "SPSFNC"]).to_string();
    let body = format!("{people}{}{month}{day:02}{}", draw.padded(20, 99, 2), draw.grown("H<d3>"));
    format!("{body}{}", checks::codice_fiscale(&body))
}

fn pesel(draw: &mut Draw) -> String {
    let birth = [draw.padded(40, 99, 2), draw.padded(1, 12, 2), draw.padded(1, 28, 2)].concat();
    let body = draw.grown(&format!("{birth}<d4>"));
    let sum = weighted(&body, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]);
    format!("{body}{}", (10 - sum % 10) % 10)
}

fn bsn(draw: &mut Draw) -> String {
    until(draw, |draw| {
        let body = draw.grown("1<d7>");
        let check = weighted(&body, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        (check != 10).then(|| format!("{body}{check}"))
    })
}

fn personnummer(draw: &mut Draw) -> String {
    let (year, month, day) =
        (draw.between(1940, 1999), draw.padded(1, 12, 2), draw.padded(1, 28, 2));
    let short = draw.grown(&format!("{}{month}{day}<d3>", year % 100));
    let check = checks::luhn(&short);
    let serial = &short[6..];
    let century = if draw.one_in(2) { "19" } else { "" };
    format!("{century}{}{month}{day}-{serial}{check}", year % 100)
}

fn aadhaar(draw: &mut Draw) -> String {
    let lead = draw.between(2, 9);
    let body = draw.grown(&format!("{lead}<d10>"));
    let digits = format!("{body}{}", checks::verhoeff(&body));
    if draw.one_in(2) { grouped(&digits, &[4, 4, 4], " ") } else { digits }
}

fn cpf(draw: &mut Draw) -> String {
    let mut digits = draw.grown("<d9>");
    digits.push(checks::brazilian(&digits, 12));
    digits.push(checks::brazilian(&digits, 12));
    if draw.one_in(3) {
        return digits;
    }
    format!("{}.{}.{}-{}", &digits[..3], &digits[3..6], &digits[6..9], &digits[9..])
}

fn cnpj(draw: &mut Draw) -> String {
    let mut body = draw.one_of(&["<d8>0001", "<d8>0001", "<d2><N3><d3>0001"]);
    body.push(checks::brazilian(&body, 9));
    body.push(checks::brazilian(&body, 9));
    if draw.one_in(3) {
        return body;
    }
    format!("{}.{}.{}/{}-{}", &body[..2], &body[2..5], &body[5..8], &body[8..12], &body[12..])
}

fn tfn(draw: &mut Draw) -> String {
    let digits = until(draw, |draw| {
        let body = draw.grown("<d8>");
        let sum = weighted(&body, &[1, 4, 3, 7, 5, 8, 6, 9]);
        // The last weight is 10, that is -1.
        let check = sum % 11;
        (check != 10).then(|| format!("{body}{check}"))
    });
    if draw.one_in(2) { grouped(&digits, &[3, 3, 3], " ") } else { digits }
}

fn abn(draw: &mut Draw) -> String {
    // The two check digits stand in front, the first of them counts less one.
    let body = draw.grown("<d9>");
    let sum = weighted(&body, &[3, 5, 7, 9, 11, 13, 15, 17, 19]);
    let fits = |lead: &u64| (10 * (lead / 10 - 1) + lead % 10 + sum).is_multiple_of(89);
    let lead = (10..100).find(fits).unwrap_or(10);
    let digits = format!("{lead}{body}");
    if draw.one_in(2) { grouped(&digits, &[2, 3, 3, 3], " ") } else { digits }
}

fn sin(draw: &mut Draw) -> String {
    let lead = *draw.pick(&[1, 2, 3, 4, 5, 6, 7, 9]);
    let body = draw.grown(&format!("{lead}<d7>"));
    let digits = format!("{body}{}", checks::luhn(&body));
    let separator = *draw.pick(&["", " ", "-"]);
    grouped(&digits, &[3, 3, 3], separator)
}

fn resident(draw: &mut Draw) -> String {
    let region = *draw.pick(&["110105", "310115", "440306", "510104", "330106"]);
    let (year, month, day) =
        (draw.between(1950, 2005), draw.padded(1, 12, 2), draw.padded(1, 28, 2));
    let body = draw.grown(&format!("{region}{year}{month}{day}<d3>"));
    format!("{body}{}", checks::mod_11_2(&body))
}

fn nric(draw: &mut Draw) -> String {
    let lead = *draw.pick(&['S', 'T', 'F', 'G', 'M']);
    let body = draw.grown("<d7>");
    let sum = weighted(&body, &[2, 7, 6, 5, 4, 3, 2]);
    let (add, letters) = match lead {
        'S' => (0, "JZIHGFEDCBA"),
        'T' => (4, "JZIHGFEDCBA"),
        'F' => (0, "XWUTRQPNMLK"),
        'G' => (4, "XWUTRQPNMLK"),
        _ => (3, "XWUTRQPNJLK"),
    };
    let at = usize::try_from((sum + add) % 11).unwrap_or(0);
    // The M series counts its letters from the other end.
    let at = if lead == 'M' { 10 - at } else { at };
    let letter = if lead == 'M' { "KLJNPQRTUWX".as_bytes()[at] } else { letters.as_bytes()[at] };
    format!("{lead}{body}{}", char::from(letter))
}

/// All of them.
pub(crate) const KINDS: &[Kind] = &[
    Kind::checked(
        "us_ssn",
        ssn,
        &["ssn", "social_security_number", "value"],
        &["ssn {} on file", "applicant {} verified"],
        no_such_area,
    ),
    Kind::formed("us_itin", itin, &["itin", "tax_id"], &["itin {}", "ITIN: {}"]),
    Kind::formed(
        "us_ein",
        |draw| draw.one_of(&["12-<d7>", "36-<d7>", "84-<d7>"]),
        &["ein", "employer_identification_number"],
        &["ein {}", "EIN: {}"],
    ),
    Kind::checked(
        "us_bank",
        aba,
        &["routing_number", "aba_routing_number"],
        &["routing number {}", "ABA routing number: {}"],
        another_last_digit,
    )
    .by(&["us_bank", "us_aba", "us_routing_number"]),
    Kind::formed(
        "uk_nino",
        nino,
        &["nino", "national_insurance_number"],
        &["nino {}", "national insurance number {}"],
    ),
    Kind::checked(
        "uk_nhs",
        nhs,
        &["nhs_number", "nhs"],
        &["nhs number {}", "NHS no. {}"],
        another_last_digit,
    ),
    Kind::checked(
        "de_tax_id",
        german_tax,
        &["steuer_id", "tax_id", "steuerliche_identifikationsnummer"],
        &["Steuer-ID {}", "steuer id: {}"],
        another_last_digit,
    ),
    Kind::checked(
        "de_id_card",
        german_card,
        &["personalausweis", "ausweisnummer"],
        &["Personalausweis {}", "Ausweisnummer {}"],
        another_last_digit,
    ),
    Kind::checked(
        "fr_nir",
        nir,
        &["nir", "numero_securite_sociale"],
        &["NIR {}", "sécurité sociale {}"],
        another_last_digit,
    ),
    Kind::checked("es_dni", dni, &["dni", "nif"], &["DNI {}", "NIF: {}"], another_last_letter),
    Kind::checked("es_nie", nie, &["nie"], &["NIE {}", "NIE: {}"], another_last_letter)
        .by(&["es_nie", "es_dni"]),
    Kind::checked(
        "it_codice_fiscale",
        codice,
        &["codice_fiscale", "cf"],
        &["codice fiscale {}", "cliente {} registrato"],
        another_last_letter,
    ),
    Kind::checked("pl_pesel", pesel, &["pesel"], &["PESEL {}", "pesel: {}"], another_last_digit),
    Kind::checked(
        "nl_bsn",
        bsn,
        &["bsn", "burgerservicenummer"],
        &["BSN {}", "bsn: {}"],
        another_last_digit,
    ),
    Kind::checked(
        "se_personnummer",
        personnummer,
        &["personnummer"],
        &["personnummer {}", "Personnummer: {}"],
        another_last_digit,
    ),
    Kind::checked(
        "in_aadhaar",
        aadhaar,
        &["aadhaar", "aadhaar_number"],
        &["aadhaar {}", "Aadhaar no. {}"],
        another_last_digit,
    ),
    Kind::formed(
        "in_pan",
        |draw| draw.one_of(&["<u3>P<u1><d4><u1>", "<u3>C<u1><d4><u1>"]),
        &["pan", "pan_number", "pan_card"],
        &["PAN {}", "pan number: {}"],
    ),
    Kind::checked(
        "br_cpf",
        cpf,
        &["cpf", "cliente_cpf"],
        &["CPF {}", "cpf: {}"],
        another_last_digit,
    ),
    Kind::checked("br_cnpj", cnpj, &["cnpj"], &["CNPJ {}", "cnpj: {}"], another_last_digit),
    Kind::checked(
        "au_tfn",
        tfn,
        &["tfn", "tax_file_number"],
        &["TFN {}", "tax file number {}"],
        another_last_digit,
    ),
    Kind::checked("au_abn", abn, &["abn"], &["ABN {}", "abn: {}"], another_last_digit),
    Kind::checked(
        "ca_sin",
        sin,
        &["sin", "social_insurance_number"],
        &["SIN {}", "social insurance number {}"],
        another_last_digit,
    ),
    Kind::checked(
        "cn_resident_id",
        resident,
        &["id_card", "resident_id", "value"],
        &["resident id {}", "user {} verified"],
        |draw, value| {
            // The seventeenth digit: the last may be an X.
            let spoilt = another_last_digit(draw, &value[..17]);
            format!("{spoilt}{}", &value[17..])
        },
    ),
    Kind::checked("sg_nric", nric, &["nric", "fin"], &["NRIC {}", "nric: {}"], another_last_letter),
];
