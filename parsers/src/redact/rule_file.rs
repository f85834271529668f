//! The declarative rules in `rules/`: one YAML file each, with the samples that prove it.

use std::sync::OnceLock;

use super::detect::{Judge, Prefix};
use super::rules::Scanner;

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
    /// Texts it must find something in.
    pub must_redact: Vec<String>,
    /// Texts it must leave alone, look-alikes from real logs first of all.
    pub must_leave: Vec<String>,
}

macro_rules! rules {
    ($($name:literal,)+) => {
        /// Every file's name, without its ending, and its text.
        const FILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../rules/", $name, ".yaml"))),)+];
    };
}

rules![
    "email",
    "card",
    "iban",
    "us_ssn",
    "phone",
    "ipv4",
    "ipv6",
    "mac",
    "jwt",
    "authorization",
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
    "private_key",
    "password",
    "secret",
];

/// All rules that are built in, in the order of their priority. Read when first asked for.
#[must_use]
pub(super) fn builtin() -> &'static [RuleFile] {
    static RULES: OnceLock<Vec<RuleFile>> = OnceLock::new();
    #[expect(
        clippy::expect_used,
        reason = "the files are part of the program and a test reads each of them; to go on with a \
                  rule missing would be to ship what it is there to take out"
    )]
    let readable = |(_, text): &(&str, &str)| read(text).expect("a built-in rule can be read");
    RULES.get_or_init(|| FILES.iter().map(readable).collect())
}

fn read(text: &str) -> Result<RuleFile, serde_saphyr::Error> {
    serde_saphyr::from_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_can_be_read_and_is_named_after_its_rule() {
        for (name, text) in FILES {
            let rule = read(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(&rule.name, name);
            assert!(rule.must_redact.len() >= 5, "{name}: fewer than 5 must_redact samples");
            assert!(rule.must_leave.len() >= 5, "{name}: fewer than 5 must_leave samples");
            assert!(rule.doc.ends_with('.'), "{name}: doc is no sentence");
        }
        assert_eq!(builtin().len(), FILES.len());
    }
}
