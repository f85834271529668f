//! What looks like something to be found and is not: numbers of orders, times, hashes, versions, words
//! about secrets. And values whose check digit is wrong.

use super::draw::Draw;

/// Makes one.
pub(crate) type Make = fn(&mut Draw) -> String;

/// Values, with names that fields of programs give them.
pub(crate) const VALUES: &[(&str, Make, &[&str])] = &[
    ("epoch seconds", |d| d.grown("17<d8>"), &["ts", "exp", "time", "last_seen"]),
    ("epoch milliseconds", |d| d.grown("17<d11>"), &["ts", "timestamp", "created_at"]),
    ("epoch microseconds", |d| d.grown("17<d14>"), &["us", "timestamp", "start"]),
    ("epoch nanoseconds", |d| d.grown("17<d17>"), &["ns", "timeUnixNano", "at"]),
    ("number", |d| d.grown("<d5-12>"), &["order_id", "offset", "seq", "bytes", "blk", "user_id"]),
    ("snowflake", |d| d.grown("1<d18>"), &["id", "message_id", "tweet"]),
    (
        "UUID",
        |d| d.grown("<h8>-<h4>-4<h3>-a<h3>-<h12>"),
        &["request_id", "id", "correlation_id", "uid"],
    ),
    ("trace id", |d| d.grown("<h32>"), &["trace_id", "traceId", "etag", "md5", "dd.trace_id"]),
    ("span id", |d| d.grown("<h16>"), &["span_id", "parent", "lsn"]),
    ("SHA-1", |d| d.grown("<h40>"), &["commit", "sha", "revision", "git_sha"]),
    ("SHA-256", |d| d.grown("sha256:<h64>"), &["image", "digest", "layer"]),
    (
        "version",
        |d| d.one_of(&["<d1>.<d2>.<d1>", "<d1>.<d1>.<d2>-rc.1+build.<d4>", "v1.27.<d1>"]),
        &["version", "release"],
    ),
    (
        "package",
        |d| d.one_of(&["lodash@4.17.<d2>", "pkg@1.2.<d1>", "@babel/core@7.2<d1>.0"]),
        &["package", "dep"],
    ),
    (
        "host",
        |d| d.one_of(&["git@github.com:shop/orders.git", "root@localhost", "a@1.service"]),
        &["remote", "unit"],
    ),
    ("image", |d| d.one_of(&["logo@2x.png", "icon@3x.webp"]), &["path", "file"]),
    (
        "date",
        |d| d.one_of(&["2026-11-<d2>", "22/Nov/2026:10:00:00 +0000", "2026-11-22T10:00:00+0530"]),
        &["date", "at"],
    ),
    ("ratio", |d| d.one_of(&["0.<d16>", "12.5<d3>", "1e-<d2>"]), &["ratio", "load", "score"]),
    ("hex", |d| d.grown("0x<h8-16>"), &["addr", "ptr", "flags"]),
    ("ULID", |d| d.grown("01<516><N8>"), &["id", "job"]),
    ("base32", |d| d.grown("<512>"), &["sku", "room"]),
    ("parts", |d| d.grown("<d4>-<d5>-<d3>"), &["part", "sku", "batch"]),
    (
        "count",
        |d| d.grown("<d1-3>"),
        &["tokens_used", "passed", "page_token", "max_tokens", "password_min_length"],
    ),
    (
        "name of a secret",
        |d| d.one_of(&["shop-tls", "db-credentials", "orders-config"]),
        &["secretName", "secret_name", "password_policy"],
    ),
    (
        "time of a secret",
        |_| "2026-11-22T10:00:00Z".to_owned(),
        &["password_changed_at", "token_expires_at"],
    ),
    ("kind of a token", |d| d.one_of(&["Bearer", "bearer", "refresh"]), &["token_type", "grant"]),
    (
        "key",
        |d| d.one_of(&["user:1", "orders.created", "idx_<d2>"]),
        &["key", "primary_key", "routing_key", "cache_key"],
    ),
    ("class", |_| "com.example.orders.OrderServiceImplementation".to_owned(), &["logger", "class"]),
    (
        "words",
        |d| d.pick(&["basic", "premium", "de-DE", "eu-central-1", "GET"]).to_string(),
        &["plan", "locale", "region"],
    ),
];

/// Sentences.
pub(crate) const SENTENCES: &[&str] = &[
    "password changed for user 17",
    "password: incorrect",
    "password must be at least 12 characters",
    "Bearer token expired, retrying",
    "your Basic plan has expired",
    "authorization failed for request 4711",
    "Authorization: header missing in request 4711",
    "Authorization: RBAC allowed by ClusterRoleBinding \"admins\" of Group \"ops\"",
    "authorization: granted to group 17",
    "Started getty@tty1.service",
    "com.example.$Proxy@2bd79c9e",
    "secret \"shop-tls\" not found in namespace default",
    "token bucket refilled: 120 of 500",
    "cookie jar cleared",
    "session closed for user root",
    "api key rotation finished in 12 s",
    "private key loaded from /etc/ssl/private/tls.key",
    "-----BEGIN CERTIFICATE-----",
    "card 17 of 52 dealt",
    "phone call scheduled for tomorrow",
    "GET /static/logo@2x.png took 3 ms",
    "range 100-200-3000 of part 12-3456",
    "mem 1234 5678 9012 3456 7890 swap 100",
    "block blk_38865049064139660 terminating",
    "listening on 127.0.0.1:8080",
    "loaded lib-1.2.3.4.jar, oid 1.3.6.1.4.1",
    "00:1b.0 Audio device: Intel 6 Series (rev 04) [8086:1c20]",
    "std::vec::Vec grew from 1024 to 2048",
    "diff +12345678 -1234",
    "secrets store synced 17 keys",
    "the password reset mail was not sent: quota",
    "key=user:1 evicted after 300s",
    "login user=app password=${DB_PASSWORD} host=db-1",
    "login user=app password=*** host=db-1",
    "login user=app password=null token=none host=db-1",
    "login user=app password=[FILTERED] host=db-1",
    "login user=app token=<redacted> host=db-1",
    "tokens=17 prompt_tokens=4711 completion_tokens=815",
];
