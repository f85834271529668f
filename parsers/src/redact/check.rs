//! Checks of numbers that carry their own proof: check digits, dates, prefixes that were never given
//! out.
//!
//! Each takes a value as it is without its separators, letters in capitals, and needs no memory. What
//! each knows comes from the authority that gives the number out, named beside it. An authority's
//! numbers of one digit repeated pass some of its sums and are nobody's: they are refused.

mod america;
mod asia;
mod central;
mod device;
mod digits;
mod iso7064;
mod latin;
mod nordic;
mod pacific;
mod phone;
mod sums;
mod wallet;
mod western;

#[cfg(test)]
mod tests;

pub(super) use iso7064::mod97;
pub(super) use sums::luhn;

/// A check of a value without separators, in capitals.
pub(super) type Check = fn(&[u8]) -> bool;

/// The names that rule files use.
const NAMED: &[(&str, Check)] = &[
    ("luhn", luhn),
    ("mod97", mod97),
    ("verhoeff", sums::verhoeff),
    ("date", digits::date),
    ("paper", digits::paper),
    ("phone", phone::national),
    ("phone_us", phone::american),
    ("aba", america::aba),
    ("ar_cuit", latin::cuit),
    ("at_svnr", central::svnr),
    ("au_abn", pacific::abn),
    ("au_medicare", pacific::medicare),
    ("au_tfn", pacific::tfn),
    ("be_nrn", western::nrn),
    ("bitcoin", wallet::bitcoin),
    ("br_cnpj", latin::cnpj),
    ("br_cpf", latin::cpf),
    ("ca_sin", america::sin),
    ("ch_ahv", central::ahv),
    ("cl_rut", latin::rut),
    ("cn_resident_id", asia::resident_id),
    ("coin", wallet::coin),
    ("cz_rc", central::rodne_cislo),
    ("de_id_card", central::id_card),
    ("de_tax_id", central::tax_id),
    ("dk_cpr", nordic::cpr),
    ("ether", wallet::ether),
    ("es_dni", western::dni),
    ("fi_hetu", nordic::hetu),
    ("fr_nir", western::nir),
    ("ie_pps", western::pps),
    ("il_id", asia::israeli_id),
    ("imei", device::imei),
    ("in_aadhaar", asia::aadhaar),
    ("in_pan", asia::pan),
    ("it_codice_fiscale", western::codice_fiscale),
    ("jp_my_number", asia::my_number),
    ("kr_rrn", asia::rrn),
    ("mx_curp", latin::curp),
    ("nl_bsn", western::bsn),
    ("no_fnr", nordic::fodselsnummer),
    ("pl_pesel", central::pesel),
    ("pt_nif", western::nif),
    ("ro_cnp", central::cnp),
    ("se_personnummer", nordic::personnummer),
    ("sg_nric", asia::nric),
    ("th_id", asia::thai_id),
    ("tr_tckn", central::tckn),
    ("tw_id", asia::taiwanese_id),
    ("uk_nhs", western::nhs),
    ("uk_nino", western::nino),
    ("us_ein", america::ein),
    ("us_itin", america::itin),
    ("us_mbi", america::mbi),
    ("us_npi", america::npi),
    ("us_ssn", america::ssn),
    ("vin", device::vin),
    ("vin_checked", device::checked_vin),
    ("wallet_key", wallet::wallet_key),
    ("za_id", pacific::south_african_id),
];

/// The check of this name.
pub(super) fn by_name(name: &str) -> Option<Check> {
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, check)| *check)
}
