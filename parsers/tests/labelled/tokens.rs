//! Secrets that are known by their shape: tokens of services, and addresses of wallets.

use super::checks;
use super::draw::Draw;
use super::kind::Kind;

const KEYS: &[&str] = &["value", "arg", "credential", "param"];
const PHRASES: &[&str] = &[
    "using {}",
    "request with {} refused",
    "loaded {} from the environment",
    "invalid key {}, retrying",
];

/// A kind whose values follow one of several forms.
macro_rules! shaped {
    ($name:literal, [$($form:literal),+ $(,)?] $(, by $($rule:literal),+)?) => {
        Kind::formed($name, |draw| draw.one_of(&[$($form),+]), KEYS, PHRASES)
            .by(&[$name $($(, $rule)+)?])
    };
}

/// A kind that has no shape of its own: only its name tells it.
macro_rules! named {
    ($name:literal, [$($form:literal),+], [$($key:literal),+] $(, by $($rule:literal),+)?) => {
        Kind::formed($name, |draw| draw.one_of(&[$($form),+]), &[$($key),+], &[])
            .by(&[$name $($(, $rule)+)?])
    };
}

fn checked(draw: &mut Draw, prefixes: &[&str]) -> String {
    let (prefix, body) = (*draw.pick(prefixes), draw.grown("<n30>"));
    format!("{prefix}{body}{}", checks::crc32_base62(&body))
}

fn jwt(draw: &mut Draw) -> String {
    let header = *draw.pick(&[
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"typ":"JWT","alg":"RS256"}"#,
        r#"{"alg":"ES256","kid":"k1"}"#,
    ]);
    let payload = draw.grown(r#"{"sub":"<d10>","name":"<l6>","iat":17<d8>}"#);
    let signature = draw.grown("<s43>");
    let part = |text: &str| checks::base64(text.as_bytes(), true);
    format!("{}.{}.{signature}", part(header), part(&payload))
}

fn service_account(draw: &mut Draw) -> String {
    let header = r#"{"alg":"RS256","kid":"dE4xJ0b1uYx7xqz"}"#;
    let payload = draw.grown(
        r#"{"iss":"kubernetes/serviceaccount","kubernetes.io/serviceaccount/namespace":"<l5>"}"#,
    );
    let part = |text: &str| checks::base64(text.as_bytes(), true);
    format!("{}.{}.{}", part(header), part(&payload), draw.grown("<s342>"))
}

fn discord(draw: &mut Draw) -> String {
    let id = draw.grown("1<d17>");
    format!(
        "{}.{}.{}",
        checks::base64(id.as_bytes(), true),
        draw.grown("G<s5>"),
        draw.grown("<s38>")
    )
}

fn mailgun_or_chimp(draw: &mut Draw) -> String {
    draw.one_of(&["<h32>-us<d1>", "<h32>-us1<d1>"])
}

const BITCOIN: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

fn bytes(draw: &mut Draw, count: u64) -> Vec<u8> {
    (0..count).map(|_| u8::try_from(draw.between(0, 255)).unwrap_or(0)).collect()
}

fn versioned(draw: &mut Draw, version: u8, alphabet: &[u8; 58]) -> String {
    let payload = [vec![version], bytes(draw, 20)].concat();
    checks::base58check(&payload, alphabet)
}

fn bitcoin(draw: &mut Draw) -> String {
    match draw.between(0, 3) {
        0 => versioned(draw, 0, BITCOIN),
        1 => versioned(draw, 5, BITCOIN),
        2 => checks::bech32("bc", 0, &bytes(draw, 20)),
        _ => checks::bech32("bc", 1, &bytes(draw, 32)),
    }
}

fn other_coin(draw: &mut Draw) -> String {
    match draw.between(0, 3) {
        0 => versioned(draw, 48, BITCOIN),
        1 => versioned(draw, 30, BITCOIN),
        2 => versioned(draw, 0x41, BITCOIN),
        _ => checks::bech32("ltc", 0, &bytes(draw, 20)),
    }
}

/// Wallet import format: a version, the key, and a mark that its public key is compressed.
fn wallet_key(draw: &mut Draw) -> String {
    let mark = if draw.one_in(2) { vec![1] } else { Vec::new() };
    checks::base58check(&[vec![0x80], bytes(draw, 32), mark].concat(), BITCOIN)
}

/// A letter in another case, which a checksum does not survive.
fn another_case(_: &mut Draw, value: &str) -> String {
    let at = value.len() / 2;
    let turned = |(place, c): (usize, char)| match c {
        'l' | 'o' | 'L' | 'O' | 'i' | 'I' => c,
        _ if place < at || c.is_ascii_digit() => c,
        _ if c.is_ascii_uppercase() => c.to_ascii_lowercase(),
        _ => c.to_ascii_uppercase(),
    };
    value.char_indices().map(turned).collect()
}

/// All of them.
pub(crate) const KINDS: &[Kind] = &[
    shaped!("aws_key", ["AKIA<516>", "ASIA<516>"]),
    named!("aws_secret", ["<b40>"], ["aws_secret_access_key", "AWS_SECRET_ACCESS_KEY"],
        by "aws_secret_key", "secret"),
    shaped!("gcp_key", ["AIzaSy<s33>", "GOCSPX-<s28>", "ya29.¦a0<s90>"]),
    shaped!("azure_client_secret", ["<n3>8Q~<s34>", "<n3>7Q~<s31>"], by "azure_key", "azure"),
    Kind::formed(
        "github_token",
        |draw| checked(draw, &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"]),
        KEYS,
        PHRASES,
    ),
    shaped!("github_fine_grained", ["github_pat_11<N9>0<n10>_<n59>"], by "github_token", "github"),
    shaped!("gitlab_token", ["glpat-<s20>", "gldt-<s20>", "glrt-<s20>", "glptt-<h40>"], by "gitlab"),
    shaped!(
        "slack_token",
        ["xoxb-<d12>-<d12>-<n24>", "xoxp-<d12>-<d12>-<d12>-<h32>", "xapp-1-A<N10>-<d13>-<h64>"]
    ),
    shaped!("slack_webhook", ["https://hooks.slack.com/services/T<N8>/B<N10>/¦<n24>"], by "slack_token", "slack"),
    Kind::formed("discord_token", discord, KEYS, PHRASES).by(&["discord_token", "discord"]),
    shaped!("discord_webhook", ["https://discord.com/api/webhooks/1<d17>/¦<s68>"], by "discord_token", "discord"),
    shaped!("telegram_token", ["<d10>:AA<s33>", "<d9>:AA<s33>"], by "telegram"),
    shaped!("stripe_key", ["sk_live_<n24>", "rk_live_<n24>", "sk_live_51<n97>", "whsec_<n32>"]),
    shaped!("square_token", ["sq0atp-<s22>", "sq0csp-<s43>", "EAAA<s60>"], by "square"),
    shaped!("shopify_token", ["shpat_<h32>", "shpss_<h32>", "shpca_<h32>", "shppa_<h32>"], by "shopify"),
    shaped!("twilio_key", ["SK<h32>"], by "twilio"),
    shaped!("sendgrid_key", ["SG.<s22>.<s43>"], by "sendgrid"),
    shaped!("mailgun_key", ["key-<h32>"], by "mailgun"),
    Kind::formed("mailchimp_key", mailgun_or_chimp, KEYS, PHRASES)
        .by(&["mailchimp_key", "mailchimp"]),
    Kind::formed("npm_token", |draw| checked(draw, &["npm_"]), KEYS, PHRASES)
        .by(&["npm_token", "npm"]),
    shaped!("pypi_token", ["pypi-AgEIcHlwaS5vcmc<s120>"], by "pypi"),
    shaped!("rubygems_key", ["rubygems_<h48>"], by "rubygems", "rubygems_token"),
    shaped!("crates_io_token", ["cio<n32>"], by "crates_io", "crates_token"),
    shaped!("openai_key", ["sk-<n20>T3BlbkFJ<n20>", "sk-proj-<s74>T3BlbkFJ<s74>", "sk-svcacct-<s74>T3BlbkFJ<s74>"], by "openai"),
    shaped!("anthropic_key", ["sk-ant-api03-<s93>AA", "sk-ant-admin01-<s93>AA"], by "anthropic"),
    shaped!("huggingface_token", ["hf_<a34>"], by "huggingface"),
    shaped!("groq_key", ["gsk_<n52>"], by "ai_key", "groq"),
    shaped!("replicate_token", ["r8_<n37>"], by "ai_key", "replicate", "replicate_key"),
    shaped!("xai_key", ["xai-<n80>"], by "ai_key", "xai"),
    shaped!("docker_token", ["dckr_pat_<s27>"], by "dockerhub_token", "docker_hub_token", "docker"),
    shaped!("vault_token", ["hvs.<s90>", "hvb.<s140>"], by "vault"),
    shaped!("terraform_token", ["<n14>.atlasv1.¦<s67>"], by "terraform", "terraform_cloud_token"),
    shaped!("digitalocean_token", ["dop_v1_<h64>", "doo_v1_<h64>", "dor_v1_<h64>"], by "digitalocean"),
    shaped!("heroku_key", ["HRKU-AA<s58>"], by "heroku", "heroku_token"),
    named!("heroku_uuid", ["<h8>-<h4>-4<h3>-a<h3>-<h12>"], ["heroku_api_key", "HEROKU_API_KEY"],
        by "heroku_key", "heroku", "heroku_token", "secret"),
    named!("cloudflare_token", ["<s40>", "<h37>"], ["cloudflare_api_token", "CLOUDFLARE_API_KEY"],
        by "cloudflare", "cloudflare_key", "secret"),
    named!("datadog_key", ["<h32>", "<h40>"], ["datadog_api_key", "DD_API_KEY"],
        by "datadog", "secret"),
    shaped!("newrelic_key", ["NRAK-<N27>", "NRII-<s32>"], by "new_relic_key", "newrelic", "new_relic"),
    shaped!("grafana_token", ["glsa_<n32>_<h8>"], by "grafana"),
    shaped!("sentry_token", ["sntryu_<h64>"], by "sentry"),
    shaped!("atlassian_token", ["ATATT3xFfGF0<s180>"], by "atlassian"),
    shaped!("linear_key", ["lin_api_<n40>"], by "linear", "linear_token"),
    shaped!("notion_token", ["ntn_<d11><n35>"], by "notion"),
    shaped!("figma_token", ["figd_<s40>"], by "figma"),
    shaped!("postman_key", ["PMAK-<h24>-<h34>"], by "postman", "postman_token"),
    shaped!("databricks_token", ["dapi<h32>", "dapi<h32>-2"], by "databricks"),
    named!("fastly_token", ["<s32>"], ["fastly_api_token", "FASTLY_API_KEY"],
        by "fastly", "fastly_key", "secret"),
    shaped!("pulumi_token", ["pul-<h40>"], by "pulumi"),
    shaped!("planetscale_token", ["pscale_tkn_<s43>", "pscale_pw_<s43>"], by "planetscale"),
    shaped!("doppler_token", ["dp.pt.<n43>"], by "doppler"),
    Kind::formed(
        "age_key",
        |draw| draw.grown("age-secret-key-1<z58>").to_uppercase(),
        KEYS,
        PHRASES,
    )
    .by(&["age_key", "age_secret_key", "age"]),
    shaped!("airtable_token", ["pat<n14>.<h64>"]),
    shaped!("alibaba_key", ["LTAI<n20>", "AKID<n32>"]),
    shaped!("artifactory_key", ["AKCp8<n68>", "cmVmd<n59>"]),
    shaped!("brevo_key", ["xkeysib-<h64>-<n16>"]),
    shaped!("circleci_token", ["CCIPAT_<n22>_<h40>", "CCIPRJ_<n22>_<h40>"]),
    shaped!("dropbox_token", ["sl.<s135>", "sl.u.<s140>"]),
    shaped!("easypost_key", ["EZAK<n54>", "EZTK<n54>"]),
    shaped!("fly_token", ["fo1_<s43>"]),
    shaped!("octopus_key", ["API-<N26>"]),
    named!("okta_token", ["00<s40>"], ["okta_api_token", "OKTA_API_TOKEN"]),
    shaped!("onepassword_key", ["ops_eyJ<n250>", "A3-<N6>-<N11>-<N5>-<N5>-<N5>"]),
    shaped!("paypal_token", ["access_token$production$<m16>$<h32>"]),
    shaped!("plaid_token", ["access-production-<h8>-<h4>-<h4>-<h4>-<h12>"]),
    shaped!("sonar_token", ["sqp_<h40>", "squ_<h40>", "sqa_<h40>"]),
    shaped!("supabase_key", ["sbp_<h40>", "sb_secret_<s31>"]),
    shaped!(
        "teams_webhook",
        [
            "https://shop.webhook.office.com/webhookb2/¦<h8>-<h4>-4<h3>-a<h3>-<h12>@<h8>-<h4>-4<h3>-a<h3>-<h12>/IncomingWebhook/<h32>/<h8>-<h4>-4<h3>-a<h3>-<h12>"
        ]
    ),
    Kind::formed("wallet_key", wallet_key, &["value", "wallet"], PHRASES),
    Kind::formed("jwt", jwt, &["value", "id_token", "assertion"], PHRASES),
    Kind::formed("kubernetes_token", service_account, KEYS, PHRASES)
        .by(&["kubernetes_token", "jwt"]),
    Kind::checked(
        "btc_address",
        bitcoin,
        &["address", "value", "wallet"],
        &["payout to {}", "wallet {} credited"],
        another_case,
    )
    .by(&["bitcoin"]),
    shaped!("eth_address", ["0x<h40>"], by "ethereum_address", "crypto_address", "crypto_eth", "eth"),
    Kind::checked(
        "other_coin",
        other_coin,
        &["address", "wallet"],
        &["payout to {}"],
        another_case,
    )
    .by(&["crypto_address", "crypto_other", "ltc_address"]),
];
