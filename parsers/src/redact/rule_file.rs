//! The declarative rules in `rules/`: one YAML file each, with the samples that prove it.

use std::sync::OnceLock;

use super::detect::{Judge, Prefix};
use super::rules::Scanner;
use super::shapes::ShapeFile;

/// A rule as its file declares it.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// Its name in `rules` and in metrics.
    pub name: String,
    /// What it leaves in place of what it finds, without the brackets.
    pub token: String,
    /// What it finds, in a sentence or two.
    pub doc: String,
    /// Whether it is on by default.
    pub default: bool,
    /// Groups it belongs to: each is a name for all of its rules.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The detector that looks for it.
    #[serde(default)]
    pub(super) scan: Option<Scanner>,
    /// Tokens known by how they begin.
    #[serde(default)]
    pub(super) prefixes: Vec<Prefix>,
    /// Names whose values go: matched at the end of a key, words apart by blanks.
    #[serde(default)]
    pub(super) keys: Vec<String>,
    /// Whole names whose values go only if they are strings, or lists with strings: everyday names of
    /// numbers too.
    #[serde(default)]
    pub(super) strings: Vec<String>,
    /// Names that only end like one of `keys`.
    #[serde(default)]
    pub(super) except: Vec<String>,
    /// What counts as a secret where such a name is assigned something in running text.
    #[serde(default)]
    pub(super) values: Judge,
    /// Parameters of a URL's query whose values go if they look random.
    #[serde(default)]
    pub(super) query: Vec<String>,
    /// What its values look like.
    #[serde(default)]
    pub(super) shapes: Vec<ShapeFile>,
    /// Words that stand before such a value, or that its field's name ends in; apart by blanks.
    #[serde(default)]
    pub context: Vec<String>,
    /// The checksum of such a value without its separators, by its name.
    #[serde(default)]
    pub check: Option<String>,
    /// Whether the letters of such a value may be of either case; the checksum is given capitals.
    #[serde(default)]
    pub(super) any_case: bool,
    /// Texts it must find something in.
    #[serde(default)]
    pub must_redact: Vec<String>,
    /// Texts it must leave alone, look-alikes from real logs first of all.
    #[serde(default)]
    pub must_leave: Vec<String>,
}

macro_rules! rules {
    ($($name:literal,)+) => {
        /// Every file's name, without its ending, and its text.
        const FILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../rules/", $name, ".yaml"))),)+];
    };
}

// One line for each file: the order is that of priority.
rules![
    // Personal data.
    "email",
    "card",
    "iban",
    "phone",
    "phone_national",
    "card_data",
    "bank_account",
    "date_of_birth",
    "passport",
    "driving_licence",
    "gps",
    "person_name",
    "postal_address",
    "imei",
    "vin",
    "bitcoin",
    "ethereum",
    "crypto_address",
    "wallet_key",
    "ipv4",
    "ipv6",
    "mac",
    // National numbers.
    "us_ssn",
    "us_itin",
    "us_ein",
    "us_bank",
    "us_npi",
    "us_mbi",
    "ca_sin",
    "uk_nino",
    "uk_nhs",
    "ie_pps",
    "de_tax_id",
    "de_id_card",
    "at_svnr",
    "ch_ahv",
    "fr_nir",
    "nl_bsn",
    "be_nrn",
    "es_dni",
    "pt_nif",
    "it_codice_fiscale",
    "pl_pesel",
    "cz_rc",
    "ro_cnp",
    "se_personnummer",
    "dk_cpr",
    "no_fnr",
    "fi_hetu",
    "tr_tckn",
    "in_aadhaar",
    "in_pan",
    "cn_resident_id",
    "tw_id",
    "sg_nric",
    "jp_my_number",
    "kr_rrn",
    "th_id",
    "il_id",
    "br_cpf",
    "br_cnpj",
    "ar_cuit",
    "cl_rut",
    "mx_curp",
    "au_tfn",
    "au_abn",
    "au_medicare",
    "za_id",
    // Secrets.
    "jwt",
    "authorization",
    "cookie",
    "session_cookie",
    "url_password",
    "url_secret",
    "aws_key",
    "aws_secret",
    "gcp_key",
    "azure_key",
    "alibaba_key",
    "github_token",
    "gitlab_token",
    "slack_token",
    "discord_token",
    "telegram_token",
    "teams_webhook",
    "stripe_key",
    "square_token",
    "shopify_token",
    "twilio_key",
    "sendgrid_key",
    "mailgun_key",
    "mailchimp_key",
    "brevo_key",
    "npm_token",
    "pypi_token",
    "rubygems_key",
    "crates_token",
    "openai_key",
    "anthropic_key",
    "huggingface_token",
    "ai_key",
    "docker_token",
    "vault_token",
    "terraform_token",
    "digitalocean_token",
    "heroku_key",
    "cloudflare_key",
    "datadog_key",
    "newrelic_key",
    "grafana_token",
    "sentry_token",
    "atlassian_token",
    "linear_key",
    "notion_token",
    "figma_token",
    "postman_key",
    "databricks_token",
    "fastly_key",
    "pulumi_token",
    "planetscale_token",
    "doppler_token",
    "age_key",
    "onepassword_key",
    "artifactory_key",
    "airtable_token",
    "circleci_token",
    "sonar_token",
    "supabase_key",
    "fly_token",
    "dropbox_token",
    "octopus_key",
    "paypal_token",
    "plaid_token",
    "easypost_key",
    "okta_token",
    "openshift_token",
    "private_key",
    "password",
    "secret",
    "session_id",
    "high_entropy",
];

/// Names that stand for several rules.
pub(super) const DEFAULT: &str = "default";
/// All of them.
pub(super) const ALL: &str = "all";

/// All rules that are built in, in the order of their priority, without their samples. Read when first
/// asked for.
#[must_use]
pub(super) fn builtin() -> &'static [RuleFile] {
    static RULES: OnceLock<Vec<RuleFile>> = OnceLock::new();
    // Samples are most of a file, and they come last.
    RULES.get_or_init(|| read_all(|text| text.split("\nmust_redact:").next().unwrap_or(text)))
}

/// The same with their samples.
#[must_use]
pub(super) fn with_samples() -> &'static [RuleFile] {
    static RULES: OnceLock<Vec<RuleFile>> = OnceLock::new();
    RULES.get_or_init(|| read_all(|text| text))
}

fn read_all(part: impl Fn(&'static str) -> &'static str) -> Vec<RuleFile> {
    #[expect(
        clippy::expect_used,
        reason = "the files are part of the program and a test reads each of them; to go on with a \
                  rule missing would be to ship what it is there to take out"
    )]
    let readable = |(_, text): &(&str, &'static str)| read(part(text)).expect("a rule can be read");
    FILES.iter().map(readable).collect()
}

pub(super) fn read(text: &str) -> Result<RuleFile, serde_saphyr::Error> {
    serde_saphyr::from_str(text)
}

#[cfg(test)]
mod tests {
    use super::super::check::by_name;
    use super::*;

    #[test]
    fn every_file_can_be_read_and_is_named_after_its_rule() {
        for (name, text) in FILES {
            let rule = read(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(&rule.name, name);
            assert!(rule.must_redact.len() >= 5, "{name}: fewer than 5 must_redact samples");
            assert!(rule.must_leave.len() >= 5, "{name}: fewer than 5 must_leave samples");
            assert!(rule.doc.ends_with('.'), "{name}: doc is no sentence");
            let end = text.rfind("\nmust_leave:");
            assert!(
                text.find("\nmust_redact:") < end,
                "{name}: samples come last, must_leave after"
            );
            let samples = text.get(text.find("\nmust_redact:").unwrap() + 1..).unwrap();
            let keys = samples.lines().filter(|line| line.starts_with(|c: char| c.is_alphabetic()));
            assert_eq!(keys.count(), 2, "{name}: samples come last");
            let check = rule.check.as_deref();
            assert!(check.is_none_or(|name| by_name(name).is_some()), "{name}: no check {check:?}");
            let preset = |group: &String| FILES.iter().any(|(name, _)| name == group);
            assert!(!rule.groups.iter().any(preset), "{name}: a group is called like a rule");
        }
        assert_eq!(builtin().len(), FILES.len());
    }
}
