//! Secrets that are known by what stands around them: names, headers, URLs, armour.

use super::checks;
use super::draw::Draw;
use super::kind::{Form, Kind};
use super::text::{Text, url, url_component};

/// A password of a person, or of a program.
fn password(draw: &mut Draw) -> String {
    draw.one_of(&[
        "hunter<d1-3>",
        "correct-horse-<l6>",
        "Tr0ub4dor&<d1>",
        "S3cr3t!<n4>",
        "<n12>",
        "<n20>",
        "p@ss<d4>",
        "<l5>#<d3>",
        "qwerty<d3>",
        "Winter20<d2>!",
        "<b24>",
    ])
}

/// What a machine makes.
fn secret(draw: &mut Draw) -> String {
    draw.one_of(&[
        "<h32>",
        "<n32>",
        "<s43>",
        "<h40>",
        "<b40>",
        "<n24>",
        "<h8>-<h4>-4<h3>-a<h3>-<h12>",
    ])
}

/// What a URL carries as it is.
fn plain_password(draw: &mut Draw) -> String {
    let password = password(draw);
    url_component(&password)
}

fn url_password(draw: &mut Draw) -> Text {
    let user = *draw.pick(&["app", "admin", "svc-orders", "deploy"]);
    let scheme = *draw.pick(&["https", "amqp", "ftp", "http", "mqtt"]);
    let password = plain_password(draw);
    Text::ground(format!("connecting to {scheme}://"))
        .then(Text::within("url_password", &format!("{user}:"), &password, "@"))
        .then(format!("queue-{}.internal:5672/orders", draw.between(1, 9)))
}

fn database_url(draw: &mut Draw) -> Text {
    let user = *draw.pick(&["app", "shop", "postgres", ""]);
    let password = plain_password(draw);
    let schemes =
        ["postgres", "postgresql", "mysql", "mongodb+srv", "redis", "mssql", "jdbc:mysql"];
    let scheme = if user.is_empty() { "redis" } else { *draw.pick(&schemes) };
    Text::ground(format!("{}{scheme}://", draw.pick(&["dsn=", "connecting to ", "DATABASE_URL="])))
        .then(Text::within("database_url", &format!("{user}:"), &password, "@"))
        .then("db-1.internal/shop?sslmode=require")
}

fn connection_string(draw: &mut Draw) -> Text {
    let before = *draw.pick(&[
        "Server=db-1;Database=shop;User Id=app;Password=",
        "Data Source=db-1;Initial Catalog=shop;User ID=app;Pwd=",
        "host=db-1 user=app dbname=shop password=",
        "jdbc:sqlserver://db-1:1433;databaseName=shop;user=app;password=",
    ]);
    let password = draw.one_of(&["hunter<d2>", "<n16>", "S3cr3t!<n4>"]);
    let behind = if before.contains(';') { ";Encrypt=true" } else { " sslmode=require" };
    Text::ground(before).then(Text::value("connection_string", password)).then(behind)
}

fn storage_account(draw: &mut Draw) -> Text {
    Text::ground("DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=")
        .then(Text::value("azure_storage", draw.grown("<b86>==")))
        .then(";EndpointSuffix=core.windows.net")
}

fn signed_url(draw: &mut Draw) -> Text {
    let (before, signature) = match draw.between(0, 2) {
        0 => (
            "GET /shop/x.csv?sv=2022-11-02&sr=b&se=2026-11-23T00%3A00%3A00Z&sp=r&sig=",
            url(&draw.grown("<b43>=")),
        ),
        1 => ("GET /shop/x.csv?X-Amz-Date=20261122T100000Z&X-Amz-Signature=", draw.grown("<h64>")),
        _ => ("GET /callback?state=17&code=", draw.grown("<s48>")),
    };
    Text::ground(before).then(Text::value("url_secret", signature)).then(" HTTP/1.1")
}

fn query_secret(draw: &mut Draw) -> Text {
    let key = *draw.pick(&["access_token", "api_key", "token", "client_secret", "apikey"]);
    let secret = url(&secret(draw));
    Text::ground(format!("GET https://api.example.com/v1/orders?page=2&{key}="))
        .then(Text::value("url_query_token", secret))
        .then("&sort=asc")
}

fn authorization(draw: &mut Draw) -> Text {
    let (scheme, credential) = match draw.between(0, 4) {
        0 => ("Basic ", checks::base64(draw.grown("<l5>:<n10>").as_bytes(), false)),
        1 => ("Token ", draw.grown("<h40>")),
        2 => ("ApiKey ", draw.grown("<b56>==")),
        _ => ("Bearer ", draw.grown("<s43>")),
    };
    let header = draw.pick(&[
        "Authorization: ",
        "authorization: ",
        "Proxy-Authorization: ",
        "> Authorization: ",
    ]);
    Text::ground(*header).then(Text::within("authorization", scheme, &credential, ""))
}

fn bearer(draw: &mut Draw) -> Text {
    Text::ground("upstream refused ")
        .then(Text::within("bearer", "Bearer ", &draw.grown("<s43>"), ""))
        .then(", status 401")
}

fn cookie(draw: &mut Draw) -> Text {
    let name = *draw.pick(&["JSESSIONID", "PHPSESSID", "sessionid", "connect.sid", "sid"]);
    let value = draw.one_of(&["<H32>", "<m26>", "<s43>"]);
    match draw.between(0, 2) {
        0 => Text::ground(format!("Set-Cookie: {name}="))
            .then(Text::value("cookie", value))
            .then("; Path=/; HttpOnly"),
        1 => Text::ground(format!("Cookie: {name}=")).then(Text::value("cookie", value)),
        _ => Text::ground("Cookie: theme=")
            .then(Text::within("cookie_value", "", "dark", ""))
            .then(format!("; {name}="))
            .then(Text::value("cookie", value)),
    }
}

fn armour(draw: &mut Draw) -> (String, String, String) {
    let kind = *draw.pick(&["RSA ", "EC ", "OPENSSH ", "", "ENCRYPTED "]);
    let lines: Vec<String> = (0..draw.between(2, 6)).map(|_| draw.grown("<b64>")).collect();
    let bounds = |word: &str| format!("-----{word} {kind}PRIVATE KEY-----");
    (bounds("BEGIN"), lines.join("\n"), bounds("END"))
}

fn private_key(draw: &mut Draw) -> Text {
    let (begin, body, end) = armour(draw);
    Text::ground("loaded key ")
        .then(Text::within("private_key", &format!("{begin}\n"), &body, &format!("\n{end}")))
        .then(" from /etc/shop/tls.key")
}

fn command_line(draw: &mut Draw) -> Text {
    let password = draw.one_of(&["hunter<d3>", "<n16>"]);
    let (before, behind) = *draw.pick(&[
        ("running mysqldump --user app --password ", " shop"),
        ("running psql --host db-1 --password=", " shop"),
        ("started: worker --api-key ", " --queue orders"),
    ]);
    let password = if before.contains("api-key") { draw.grown("<h32>") } else { password };
    Text::ground(before).then(Text::value("command_line", password)).then(behind)
}

fn sql_password(draw: &mut Draw) -> Text {
    let before = *draw.pick(&[
        "statement: ALTER USER app WITH PASSWORD '",
        "statement: CREATE USER 'app'@'%' IDENTIFIED BY '",
        "statement: CREATE ROLE app LOGIN PASSWORD '",
    ]);
    Text::ground(before)
        .then(Text::value("sql_password", draw.one_of(&["hunter<d3>", "<n16>", "S3cr3t!<n4>"])))
        .then("'")
}

/// A secret that its name tells: no sentences, since a word before it is no name.
const fn named(
    name: &'static str,
    make: fn(&mut Draw) -> String,
    keys: &'static [&'static str],
) -> Kind {
    Kind { name, rules: &[], form: Form::Value { make, keys, phrases: &[], spoil: None } }
}

/// All of them.
pub(crate) const KINDS: &[Kind] = &[
    named(
        "password",
        password,
        &["password", "passwd", "pwd", "db_password", "DB_PASSWORD", "user_password", "passphrase"],
    ),
    named(
        "secret",
        secret,
        &[
            "secret",
            "client_secret",
            "api_key",
            "apiKey",
            "access_token",
            "X-Api-Key",
            "secret_key",
            "refresh_token",
            "private_token",
            "auth_token",
        ],
    ),
    named(
        "session_id",
        |draw| draw.one_of(&["<H32>", "<m26>", "<s43>"]),
        &["session_id", "sessionid", "JSESSIONID", "PHPSESSID"],
    )
    .by(&["session_id", "session", "cookie"]),
    named("high_entropy", |draw| draw.one_of(&["<n40>", "<b44>"]), &["license_key", "hmac_key"])
        .by(&["high_entropy"]),
    Kind::snippet("url_password", url_password),
    Kind::snippet("database_url", database_url).by(&[
        "database_url",
        "database_dsn",
        "url_password",
    ]),
    Kind::snippet("connection_string", connection_string).by(&[
        "connection_string",
        "database_dsn",
        "password",
    ]),
    Kind::snippet("azure_storage", storage_account).by(&[
        "azure_storage",
        "azure_key",
        "azure",
        "secret",
    ]),
    Kind::snippet("url_secret", signed_url),
    Kind::snippet("url_query_token", query_secret).by(&["secret"]),
    Kind::snippet("authorization", authorization),
    Kind::snippet("bearer", bearer).by(&["authorization"]),
    Kind::snippet("cookie", cookie).by(&["cookie", "session_id"]),
    Kind::snippet("private_key", private_key),
    Kind::snippet("command_line", command_line).by(&["command_line", "password"]),
    Kind::snippet("sql_password", sql_password).by(&["sql_password", "password"]),
];
