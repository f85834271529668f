//! More numbers that states give: those whose check digits are a weighted sum, or Luhn's, in some form.

use super::checks::{luhn, weighted};
use super::draw::Draw;
use super::kind::{Kind, another_last_digit};

/// Draws until a check digit comes out that is one.
fn until(draw: &mut Draw, mut make: impl FnMut(&mut Draw) -> Option<String>) -> String {
    loop {
        if let Some(made) = make(draw) {
            return made;
        }
    }
}

/// Day, month and year of two digits, of a birth from 1940 to 1999.
fn born(draw: &mut Draw) -> (String, String, String) {
    (draw.padded(1, 28, 2), draw.padded(1, 12, 2), draw.padded(40, 99, 2))
}

fn npi(draw: &mut Draw) -> String {
    let body = draw.grown("1<d8>");
    format!("{body}{}", luhn(&format!("80840{body}")))
}

fn mbi(draw: &mut Draw) -> String {
    const LETTERS: &[&str] = &[
        "A", "C", "D", "E", "F", "G", "H", "J", "K", "M", "N", "P", "Q", "R", "T", "U", "V", "W",
        "X", "Y",
    ];
    let letter = |draw: &mut Draw| *draw.pick(LETTERS);
    let digit = |draw: &mut Draw| draw.between(0, 9);
    let (a, b, c, d, e) = (letter(draw), letter(draw), letter(draw), letter(draw), letter(draw));
    let (n, o, p, q, r) = (digit(draw), digit(draw), digit(draw), digit(draw), digit(draw));
    format!("{}{a}{n}{o}-{b}{c}{p}-{d}{e}{q}{r}", draw.between(1, 9))
}

fn pps(draw: &mut Draw) -> String {
    let body = draw.grown("<d7>");
    let second = *draw.pick(&["", "A", "B"]);
    let more = second.bytes().next().map_or(0, |byte| u64::from(byte - b'@'));
    let sum = weighted(&body, &[8, 7, 6, 5, 4, 3, 2]) + 9 * more;
    let letter = b"WABCDEFGHIJKLMNOPQRSTUV"[usize::try_from(sum % 23).unwrap_or(0)];
    format!("{body}{}{second}", char::from(letter))
}

fn svnr(draw: &mut Draw) -> String {
    until(draw, |draw| {
        let (serial, (day, month, year)) = (draw.between(100, 999), born(draw));
        let body = format!("{serial}{day}{month}{year}");
        let check = weighted(&body, &[3, 7, 9, 5, 8, 4, 2, 1, 6]) % 11;
        (check != 10).then(|| format!("{serial}{check}{day}{month}{year}"))
    })
}

fn ahv(draw: &mut Draw) -> String {
    let body = draw.grown("756<d9>");
    let sum = weighted(&body, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]);
    let check = (10 - sum % 10) % 10;
    format!("756.{}.{}.{}{check}", &body[3..7], &body[7..11], &body[11..])
}

fn nrn(draw: &mut Draw) -> String {
    let (day, month, year) = born(draw);
    let serial = draw.padded(1, 997, 3);
    let number: u64 = format!("{year}{month}{day}{serial}").parse().unwrap_or(0);
    let check = 97 - number % 97;
    if draw.one_in(2) {
        return format!("{number:09}{check:02}");
    }
    format!("{year}.{month}.{day}-{serial}.{check:02}")
}

fn nif(draw: &mut Draw) -> String {
    let body = draw.one_of(&["1<d7>", "2<d7>", "5<d7>"]);
    let check = 11 - weighted(&body, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    format!("{body}{}", if check > 9 { 0 } else { check })
}

fn rodne_cislo(draw: &mut Draw) -> String {
    until(draw, |draw| {
        let (day, month, _) = born(draw);
        let year = draw.between(54, 99);
        let month = month.parse::<u64>().unwrap_or(1) + 50 * draw.between(0, 1);
        let body = draw.grown(&format!("{year}{month:02}{day}<d3>"));
        let check = body.parse::<u64>().unwrap_or(0) % 11;
        (check != 10).then(|| format!("{}/{}{check}", &body[..6], &body[6..]))
    })
}

fn cnp(draw: &mut Draw) -> String {
    let (day, month, year) = born(draw);
    let (sex, county) = (draw.between(1, 2), draw.padded(1, 40, 2));
    let body = format!("{sex}{year}{month}{day}{county}{}", draw.padded(1, 999, 3));
    let check = weighted(&body, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    format!("{body}{}", if check == 10 { 1 } else { check })
}

fn cpr(draw: &mut Draw) -> String {
    until(draw, |draw| {
        let (day, month, year) = born(draw);
        let body = draw.grown(&format!("{day}{month}{year}0<d2>"));
        let check = (11 - weighted(&body, &[4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
        (check != 10).then(|| format!("{}-{}{check}", &body[..6], &body[6..]))
    })
}

fn fnr(draw: &mut Draw) -> String {
    until(draw, |draw| {
        let (day, month, year) = born(draw);
        let body = draw.grown(&format!("{day}{month}{year}<d3>"));
        let first = (11 - weighted(&body, &[3, 7, 6, 1, 8, 9, 4, 5, 2]) % 11) % 11;
        let body = (first != 10).then(|| format!("{body}{first}"))?;
        let second = (11 - weighted(&body, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
        (second != 10).then(|| format!("{body}{second}"))
    })
}

fn hetu(draw: &mut Draw) -> String {
    let (day, month, year) = born(draw);
    let serial = draw.padded(2, 899, 3);
    let number: usize = format!("{day}{month}{year}{serial}").parse().unwrap_or(0);
    let check = b"0123456789ABCDEFHJKLMNPRSTUVWXY"[number % 31];
    format!("{day}{month}{year}-{serial}{}", char::from(check))
}

fn tckn(draw: &mut Draw) -> String {
    let lead = draw.between(1, 9);
    let body = draw.grown(&format!("{lead}<d8>"));
    let odd = weighted(&body, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = weighted(&body, &[0, 1, 0, 1, 0, 1, 0, 1, 0]);
    let tenth = (odd * 7 + 10 * 9 - even) % 10;
    let last = (odd + even + tenth) % 10;
    format!("{body}{tenth}{last}")
}

fn taiwanese(draw: &mut Draw) -> String {
    let (letter, code) =
        *draw.pick(&[("A", 10), ("B", 11), ("F", 15), ("H", 17), ("N", 22), ("T", 27)]);
    let body = draw.one_of(&["1<d7>", "2<d7>"]);
    let sum = code / 10 + code % 10 * 9 + weighted(&body, &[8, 7, 6, 5, 4, 3, 2, 1]);
    format!("{letter}{body}{}", (10 - sum % 10) % 10)
}

fn my_number(draw: &mut Draw) -> String {
    let body = draw.grown("<d11>");
    let left = weighted(&body, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    format!("{body}{}", if left <= 1 { 0 } else { 11 - left })
}

fn rrn(draw: &mut Draw) -> String {
    let (day, month, year) = born(draw);
    let sex = draw.between(1, 2);
    let body = draw.grown(&format!("{year}{month}{day}{sex}<d5>"));
    let sum = weighted(&body, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
    format!("{}-{}{}", &body[..6], &body[6..], (11 - sum % 11) % 10)
}

fn thai(draw: &mut Draw) -> String {
    let lead = draw.between(1, 8);
    let body = draw.grown(&format!("{lead}<d11>"));
    let sum = weighted(&body, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    let check = (11 - sum % 11) % 10;
    if draw.one_in(2) {
        return format!("{body}{check}");
    }
    format!("{}-{}-{}-{}-{check}", &body[..1], &body[1..5], &body[5..10], &body[10..])
}

fn israeli(draw: &mut Draw) -> String {
    let body = draw.one_of(&["0<d7>", "2<d7>", "3<d7>"]);
    format!("{body}{}", luhn(&body))
}

fn cuit(draw: &mut Draw) -> String {
    until(draw, |draw| {
        let body = draw.one_of(&["20<d8>", "27<d8>", "30<d8>", "23<d8>"]);
        let check = (11 - weighted(&body, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
        let groups = format!("{}-{}-{check}", &body[..2], &body[2..]);
        (check != 10).then_some(groups)
    })
}

fn rut(draw: &mut Draw) -> String {
    let body = draw.between(5_000_000, 25_000_000).to_string();
    let weights = [2, 3, 4, 5, 6, 7, 2, 3];
    let reversed: String = body.chars().rev().collect();
    let check = match 11 - weighted(&reversed, &weights) % 11 {
        11 => "0".to_owned(),
        10 => "K".to_owned(),
        digit => digit.to_string(),
    };
    if draw.one_in(2) {
        return format!("{body}-{check}");
    }
    let (millions, rest) = body.split_at(body.len() - 6);
    format!("{millions}.{}.{}-{check}", &rest[..3], &rest[3..])
}

fn curp(draw: &mut Draw) -> String {
    let (day, month, year) = born(draw);
    let (sex, state) = (*draw.pick(&["H", "M"]), *draw.pick(&["DF", "JC", "NL", "MC", "PL"]));
    let people = *draw.pick(&["GAPR", "LOHM", "MARA", "SISE"]);
    let inner = *draw.pick(&["RRL", "PRN", "TRB", "NZC"]);
    let body = format!("{people}{year}{month}{day}{sex}{state}{inner}0");
    // The alphabet has an Ñ behind its N.
    let value = |c: char| c.to_digit(36).map_or(0, |value| value + u32::from(c > 'N'));
    let sum: u32 = body.chars().map(value).zip((2..=18).rev()).map(|(v, w)| v * w).sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

fn medicare(draw: &mut Draw) -> String {
    let body = draw.one_of(&["2<d7>", "3<d7>", "4<d7>", "5<d7>", "6<d7>"]);
    let check = weighted(&body, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10;
    let issue = draw.between(1, 9);
    if draw.one_in(2) {
        return format!("{body}{check}{issue}");
    }
    format!("{} {}{check} {issue}", &body[..4], &body[4..])
}

fn south_african(draw: &mut Draw) -> String {
    let (day, month, year) = born(draw);
    let body = draw.grown(&format!("{year}{month}{day}<d4>08"));
    format!("{body}{}", luhn(&body))
}

/// The digit before a letter or an issue number is the check digit of some.
fn another_digit_before_last(draw: &mut Draw, value: &str) -> String {
    let (body, last) = value.split_at(value.len() - 1);
    format!("{}{last}", another_last_digit(draw, body))
}

/// All of them.
pub(crate) const KINDS: &[Kind] = &[
    Kind::checked(
        "us_npi",
        npi,
        &["npi", "provider_npi"],
        &["NPI {}", "npi: {}"],
        another_last_digit,
    ),
    Kind::formed("us_mbi", mbi, &["mbi", "medicare_beneficiary_id"], &["MBI {}", "medicare: {}"]),
    Kind::formed("ie_pps", pps, &["ppsn", "pps_number"], &["PPSN {}", "pps number {}"]),
    Kind::formed("at_svnr", svnr, &["svnr", "sozialversicherungsnummer"], &["SVNR {}", "SV-Nr {}"]),
    Kind::checked(
        "ch_ahv",
        ahv,
        &["ahv", "value"],
        &["AHV {}", "holder {} verified"],
        another_last_digit,
    ),
    Kind::checked(
        "be_nrn",
        nrn,
        &["rijksregisternummer", "niss"],
        &["NISS {}", "national number {}"],
        another_last_digit,
    ),
    Kind::checked(
        "pt_nif",
        nif,
        &["nif", "contribuinte"],
        &["NIF {}", "contribuinte {}"],
        another_last_digit,
    ),
    Kind::checked(
        "cz_rc",
        rodne_cislo,
        &["rodne_cislo"],
        &["rodné číslo {}", "RC {}"],
        another_last_digit,
    ),
    Kind::checked("ro_cnp", cnp, &["cnp"], &["CNP {}", "cnp: {}"], another_last_digit),
    Kind::formed("dk_cpr", cpr, &["cpr", "cpr_nummer"], &["CPR {}", "cpr-nummer {}"]),
    Kind::checked(
        "no_fnr",
        fnr,
        &["fnr", "fodselsnummer"],
        &["fnr {}", "fødselsnummer {}"],
        another_last_digit,
    ),
    Kind::formed("fi_hetu", hetu, &["hetu", "henkilotunnus"], &["HETU {}", "henkilötunnus {}"]),
    Kind::checked(
        "tr_tckn",
        tckn,
        &["tckn", "tc_kimlik_no"],
        &["TCKN {}", "kimlik no {}"],
        another_last_digit,
    ),
    Kind::checked(
        "tw_id",
        taiwanese,
        &["national_id"],
        &["national id {}", "身分證 {}"],
        another_last_digit,
    ),
    Kind::checked(
        "jp_my_number",
        my_number,
        &["my_number", "individual_number"],
        &["My Number {}", "マイナンバー {}"],
        another_last_digit,
    ),
    Kind::checked(
        "kr_rrn",
        rrn,
        &["rrn", "resident_registration"],
        &["RRN {}", "주민등록번호 {}"],
        another_last_digit,
    ),
    Kind::checked(
        "th_id",
        thai,
        &["citizen_id", "thai_id"],
        &["Thai ID {}", "citizen id {}"],
        another_last_digit,
    ),
    Kind::checked("il_id", israeli, &["teudat_zehut"], &["teudat zehut {}"], another_last_digit),
    Kind::checked("ar_cuit", cuit, &["cuit"], &["CUIT {}", "cuil: {}"], another_last_digit),
    Kind::formed("cl_rut", rut, &["rut"], &["RUT {}", "rut: {}"]),
    Kind::checked(
        "mx_curp",
        curp,
        &["curp", "value"],
        &["CURP {}", "cliente {} registrado"],
        another_last_digit,
    ),
    Kind::checked(
        "au_medicare",
        medicare,
        &["medicare", "medicare_card"],
        &["medicare {}", "Medicare card {}"],
        another_digit_before_last,
    ),
    Kind::checked(
        "za_id",
        south_african,
        &["sa_id", "id_number"],
        &["SA ID {}", "ID number {}"],
        another_last_digit,
    ),
    Kind::formed(
        "bank_account",
        |draw| draw.grown("<d8-10>"),
        &["account_number", "bank_account"],
        &[],
    ),
];
