//! Secrets in the shapes in which they once slipped through, and the look-alikes of each.

use super::*;

/// Nothing of the secret is left of a line, neither as a value nor as a record.
#[track_caller]
fn gone(line: &str, secret: &str) {
    assert!(line.contains(secret), "{line:?} has no {secret}");
    let clean = standard().clean(line);
    assert!(!clean.contains(secret), "{line:?} as a value: {}", &*clean);
    assert_eq!(&*standard().clean(&clean), &*clean, "{line:?} again");
    let out = redact_line(line);
    assert!(!out.contains(secret), "{line:?} as a record: {out}");
}

/// The line as a record's message, or as JSON that was read.
fn redact_line(line: &str) -> String {
    let mut redactor = standard();
    if line.starts_with('{') && serde_json::from_str::<serde_json::Value>(line).is_ok() {
        return redact_json(&mut redactor, line);
    }
    let (arena, mut record) = (Arena::new(), Record::default());
    record.message = Some(Text::raw(line));
    shown(redactor.redact(line, &mut record, &arena, &mut BlockState::default())).to_string()
}

#[track_caller]
fn left(line: &str) {
    assert_eq!(&*standard().clean(line), line);
}

#[test]
fn dotted_fields_are_found_in_nested_json() {
    let fields = |action| RuleSelection {
        fields: vec![("user.name".into(), action)],
        ..RuleSelection::default()
    };
    let raw = r#"{"user":{"name":"Alice"},"n":1}"#;
    check(fields(Action::Mask), raw, r#"{"user":{"name":"[NAME]"},"n":1}"#);
    check(fields(Action::DropField), raw, r#"{"user":{},"n":1}"#);
    check(fields(Action::DropRecord), raw, "null");
    check(fields(Action::Mask), r#"{"user.name":"Alice"}"#, r#"{"user.name":"[NAME]"}"#);
    check(fields(Action::Mask), r#"{"pet":{"name":"Rex"}}"#, r#"{"pet":{"name":"Rex"}}"#);
    let blank = |name: &str| RuleSelection {
        fields: vec![(name.into(), Action::Mask)],
        ..RuleSelection::default()
    };
    let raw = r#"{"first name":"Alice"}"#;
    check(blank("first name"), raw, r#"{"first name":"[FIRST_NAME]"}"#);
    let raw = r#"{"o":{"first name":"Alice","last name":"B"}}"#;
    check(blank("First Name"), raw, r#"{"o":{"first name":"[FIRST_NAME]","last name":"B"}}"#);
}

#[test]
fn slashes_may_be_escaped_more_than_once() {
    for slashes in [r"\\/", r"\\\\/"] {
        let url = "https://bob:hunter2@shop.example.com/x".replace('/', slashes);
        gone(&format!(r#"{{"log":"{{\"url\":\"{url}\"}}"}}"#), "hunter2");
        gone(&format!("sent {url}"), "hunter2");
    }
}

#[test]
fn what_html_escapes_is_read() {
    for line in [
        "{&quot;password&quot;:&quot;hunter2 hunter2&quot;,&quot;n&quot;:1}",
        "{&#34;password&#34;: &#34;hunter2&#34;}",
        "{&#x27;password&#x27;: &#x27;hunter2&#x27;}",
        r#"{"m":"&quot;password&quot;=&quot;hunter2&quot;"}"#,
    ] {
        gone(line, "hunter2");
    }
    let one = standard().clean("{&quot;pwd&quot;:&quot;hunter2&quot;,&quot;n&quot;:1}");
    assert_eq!(&*one, "{&quot;pwd&quot;:&quot;[PASSWORD]&quot;,&quot;n&quot;:1}");
}

#[test]
fn an_object_behind_a_name_hides_nothing() {
    for line in [
        r#"login password={"a":"hunter2"} ok"#,
        r#"{"msg":"password={\"a\":{\"b\":\"hunter2\"}}"}"#,
        "password: {'new': 'hunter2', 'old': 'hunter2'}",
    ] {
        gone(line, "hunter2");
    }
    left("password={} passwords: {{ list }} pwd={n: 17}");
}

#[test]
fn commands_and_statements_give_nothing_away() {
    for line in [
        "run: app --password hunter2 --port 80",
        r#"{"cmd":["app","--db-password","hunter2"],"n":1}"#,
        "COMMAND=/usr/bin/app --admin-password 'hunter2'",
        "STATEMENT:  ALTER ROLE app WITH PASSWORD 'hunter2';",
        "CREATE USER app@'%' IDENTIFIED WITH mysql_native_password BY 'hunter2'",
        "create user app identified by hunter2",
        r#"{"query":"ALTER ROLE app PASSWORD 'hunter2'"}"#,
        "|5|src=192.0.2.1 cs1Label=db password cs1=hunter2 dst=192.0.2.2",
    ] {
        gone(line, "hunter2");
    }
    gone("kubectl create secret --token abc123def456", "abc123def456");
    left("use --password-file or --no-password; the --password option is old");
}

#[test]
fn keys_of_putty_are_keys() {
    let key = "PuTTY-User-Key-File-3: ssh-ed25519\nComment: x\nPrivate-Lines: 1\nAAAAIQDhunter2\nPrivate-MAC: 0123abcd";
    gone(key, "AAAAIQDhunter2");
    gone(key, "0123abcd");
    gone(&key.replace('\n', "\\n"), "AAAAIQDhunter2");
}

#[test]
fn every_escape_is_undone() {
    for line in [
        "GET /login?user%5Bpassword%5D=hunter2",
        r#"{"msg":"{\u0027password\u0027: \u0027hunter2\u0027}"}"#,
        "%27password%27:%27hunter2%27",
        r"{\x27password\x27: \x27hunter2\x27}",
        "a%20pwd=hunter2",
        "password%20=%20hunter2",
        "user%20pass%20:%20hunter2",
        "%7B%22password%22%3A%22hunter2%22%7D",
    ] {
        gone(line, "hunter2");
    }
    gone("a%20token=abc123def456", "abc123def456");
    gone("api%20key=abc123def456", "abc123def456");
    gone(r#"{"msg":"caf\u00e9token=abc123def456"}"#, "abc123def456");
    gone("caf%C3%A9token=abc123def456", "abc123def456");
    gone(r#"{"caf\u00e9 token":"abc123def456"}"#, "abc123def456");
    gone(r"bob%5Cu0040example.com", "example.com");
    gone(r#"{"m":"bob\u005cu0040example.com"}"#, "example.com");
}

#[test]
fn names_of_several_words_and_with_odd_ends() {
    for (name, secret) in [
        ("API Key", "0123456789abcdef"),
        ("Access Key", "wJalrXUtnFEMI7K7MDENG"),
        ("Social Security Number", "123456789"),
    ] {
        gone(&format!(r#"{{"{name}":"{secret}"}}"#), secret);
        gone(&format!("{name}: {secret}"), secret);
        gone(&format!("the {name}: {secret} of bob"), secret);
    }
    for name in
        ["user[password]", "password ", "password_", "$password$", "Password:", "password[0]"]
    {
        gone(&format!(r#"{{"{name}":"hunter2"}}"#), "hunter2");
        gone(&format!(r#"{{"o":{{"{name}":"hunter2"}}}}"#), "hunter2");
        gone(&format!(r#"{{"m":"{{\"{name}\":\"hunter2\"}}"}}"#), "hunter2");
    }
    gone("user[password]=hunter2", "hunter2");
    for blanks in ["\r", "\n\t ", &" ".repeat(68)] {
        gone(&format!("{{\"o\":{{\"password\"{blanks}:{blanks}\"hunter2\"}}}}"), "hunter2");
        gone(&format!("body {{\"password\"{blanks}:{blanks}\"hunter2\"}}"), "hunter2");
    }
    gone(&format!("password{0}={0}hunter2", " ".repeat(680)), "hunter2");
    gone("password1: hunter2", "hunter2");
    gone("password123: hunter2", "hunter2");
    gone("pwd1: hunter2", "hunter2");
    gone("<password1>hunter2</password1>", "hunter2");
    for line in [
        "2026-11-22T10:00:00Z pod web-1:8080 sshd[4711]: session 12 opened",
        "API key: none, access key: disabled, private key: loaded from disk",
        "the database pass: 12 fail: 3",
        "Loading private key: /etc/ssl/private/server1.key",
        "Cannot load API key: file_not_found_in_directory",
        "API key: com.example.security.ApiKeyFilter",
        "private key: ./certs/server-2026-11.key, private key: ~/keys/server-2026.key",
        "signing key: kid-2026-11",
        "account key: user/12345",
        "partition access key: rows12345",
        "x: {\"public key\": 5, \"primary key\":\"id\", 'sort key': 'name'}",
        "token\n=====\npassword\n: none",
    ] {
        left(line);
    }
}

#[test]
fn a_mention_of_a_private_key_blinds_nobody() {
    let mut redactor = standard();
    let mut block = BlockState::default();
    let mut line = |raw: &str| {
        let arena = Arena::new();
        let mut record = parsed(raw);
        shown(redactor.redact(raw, &mut record, &arena, &mut block)).to_string()
    };
    let begin = r#"{"method":"GET","agent":"-----BEGIN PRIVATE KEY-----"}"#;
    assert_eq!(line(begin), r#"{"method":"GET","agent":"[PRIVATE_KEY]"}"#);
    let sha = "4f0c5a1b9d27e6f80c5a1b9d27e6f80c5a1b9d27";
    let path = "/api/v1/Products/1234567890/reviews/Abcdef/pictures/17";
    for _ in 0..12 {
        let raw =
            format!(r#"{{"method":"GET","agent":"curl","target":"{path}","commit":"{sha}"}}"#);
        assert_eq!(line(&raw), raw);
    }
    assert!(!block.is_inside());
}

#[test]
fn keys_of_several_lines_go_behind_prefixes_and_in_json() {
    let material = "MIIEpAIBAAKCAQEA7bq5nHq0wq8Wn1w3b3f4m2Jm1kq0F3XkqY5l8t7C6Pp0aZ1x";
    for (before, after) in [("", ""), ("2026-11-22T10:00:00Z INFO ", ""), ("{\"m\":\"", "\\n\"}")] {
        for resumed in [false, true] {
            let mut redactor = standard();
            let mut block = BlockState::resumed(resumed);
            let mut out = String::new();
            let begin = ["-----BEGIN RSA PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED", ""];
            let rest = [material, material, "kQ3wxB8=", "-----END RSA PRIVATE KEY-----", "x"];
            for text in begin.iter().filter(|_| !resumed).chain(&rest) {
                let raw = format!("{before}{text}{after}");
                let arena = Arena::new();
                let mut record = if after.is_empty() {
                    Record { message: Some(Text::raw(&raw)), ..Record::default() }
                } else {
                    parsed(&raw)
                };
                out += &shown(redactor.redact(&raw, &mut record, &arena, &mut block)).to_string();
            }
            assert!(!out.contains("MIIE") && !out.contains("kQ3wxB8="), "{before}: {out}");
            assert!(!block.is_inside(), "{before}");
        }
    }
}

#[test]
fn a_joined_key_goes_whole() {
    let material = "MIIEpAIBAAKCAQEA7bq5nHq0wq8Wn1w3b3f4m2Jm1kq0F3XkqY5l8t7C6Pp0aZ1x\n".repeat(3);
    let (begin, end) = ("-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----");
    gone(&format!("{begin}\nBACKEND started\n{material}{end}"), "MIIEpAI");
    let query = format!("k={}%0A{}", begin.replace(' ', "+"), material.replace('\n', "%0A"));
    gone(&query, "MIIEpAI");
}

#[test]
fn authorization_of_any_scheme() {
    for (credentials, secret) in [
        ("SharedKey account:ctzMq410TV3wS7upTBcunJTDLEJwMAZuFPfr0mrrA08=", "ctzMq410"),
        ("AWS AKIAIOSFODNN7EXAMPL:frJIUN8DYpKDtOLCwo", "frJIUN8D"),
        ("hmac username:abc+def/ghi=", "abc+def"),
        ("MAC id=\"h480djs93hd8\", mac=\"bhCQXTVyfj5cmA9uKkPFx1zeOXM=\"", "bhCQXTV"),
        ("GoogleLogin auth=DQAAAGgA", "DQAAAGgA"),
        ("Custom abc def", "def"),
        ("Token token=\"abc\", email=\"x\"", "abc"),
        ("OAuth oauth_token=\"abc|def\", oauth_signature=\"sig\"", "sig"),
        ("Digest username=\"bob\", response=\"6629fae49393\"", "6629fae"),
    ] {
        gone(&format!("Authorization: {credentials}"), secret);
        gone(&format!("curl -H 'Authorization: {credentials}' https://x"), secret);
        let escaped = credentials.replace('"', "\\\"");
        gone(&format!("headers={{\"authorization\":\"{escaped}\"}}"), secret);
        gone(&format!("{{\"m\":\"> Authorization: {escaped}\\r\\nHost: x\"}}"), secret);
    }
    let quoted = standard().clean("curl -H 'Authorization: Custom abc def' https://x");
    assert_eq!(&*quoted, "curl -H 'Authorization: Custom [AUTHORIZATION]' https://x");
    gone("authorization=abc123def status=200", "abc123def");
    for line in [
        "authorization: failed for user 17",
        "Authorization: header missing in request 4711",
        "Authorization: not required for /health",
        "authorization: granted to group 17",
        "authorization=none status=200",
    ] {
        left(line);
    }
}

#[test]
fn bare_bearers() {
    gone(r#"{"msg":"headers:\n\tBearer 2YotnFZFEjr1zCsicMWpAA"}"#, "2YotnFZF");
    gone("GET /?a=Bearer+2YotnFZFEjr1zCsicMWpAA HTTP/1.1", "2YotnFZF");
    gone("GET /?a=Bearer%20yotnFZFEjr1zCsicMWpAA HTTP/1.1", "yotnFZF");
    gone("with Bearer v2.abcdef0123456789abcdef", "abcdef0123456789abcdef");
    gone("with Bearer mF_9.B5f-4.1JqM ok", "B5f-4.1JqM");
    for line in
        ["Bearer token2 expired", "bearer of bad news 2026-11-22", "an error 4711-abcdef-17"]
    {
        left(line);
    }
}

#[test]
fn everyday_shapes_of_passwords() {
    for line in [
        r#"<wsse:Password Type="http://docs.example/x#PasswordText">hunter2</wsse:Password>"#,
        "<password><![CDATA[hunter2]]></password>",
        "<password type='a'>\t<![CDATA[hun>ter2 hunter2]]></password>",
        r#"{"m":"<wsse:Password Type=\"x#PasswordText\">hunter2</wsse:Password>"}"#,
        r#"{"password":{"String":"hunter2","Valid":true}}"#,
        r#"{"password":{"current":"hunter2"}}"#,
        r#"{"o":{"password":{"current":"hunter2"}}}"#,
        r#"{"auth":{"user":"bob","pass":"hunter2"}}"#,
        r#"{"pass":"hunter2"}"#,
        r#"{"pw":"hunter2"}"#,
        r#"{"password_new":"hunter2"}"#,
        r#"{"passwordAgain":"hunter2"}"#,
        r#"{"password_digest":"hunter2"}"#,
        "password=p'ss-w0rd-hunter2",
        "password=p&ss-w0rd-hunter2 ok",
        "password: it's-hunter2",
    ] {
        gone(line, "hunter2");
    }
    gone(r#"{"tokens":["abc123def456"]}"#, "abc123def456");
    gone(r#"{"a":{"tokens":["abc123def456"]}}"#, "abc123def456");
    for line in [
        r#"{"pass":true,"pw":null,"tokens":1234567,"n":{"pass":12,"tokens":[1,2],"passed":"x"}}"#,
        r#"{"pass":"12","o":{"pass":{"name":"shadow"},"bypass":"x1"}}"#,
        r#"{"tokens":{"prompt":17,"type":"text"},"token":{"type":"bearer"}}"#,
    ] {
        check(RuleSelection::standard(), line, line);
    }
    let quoted = standard().clean("{'a': 'password=hunter2', 'b': 'x'}");
    assert_eq!(&*quoted, "{'a': 'password=[PASSWORD]', 'b': 'x'}");
    let query = standard().clean("GET /?password=hunter2&x=1&y HTTP/1.1");
    assert_eq!(&*query, "GET /?password=[PASSWORD]&x=1&y HTTP/1.1");
}

#[test]
fn passwords_in_urls_as_people_write_them() {
    for line in [
        "postgres://app:pa/ss0rd@db:5432/shop failed",
        "mongodb://app:pa?ss0rd@db/shop",
        "postgres://app:pa#ss0rd@db.example.com",
        r#"{"u":"postgres:\/\/app:pa\/ss0rd@db:5432"}"#,
    ] {
        gone(line, "ss0rd");
    }
    for line in [
        "GET http://localhost:5173/@vite/client 200",
        "npm http fetch https://registry.example:4873/@scope%2fname 200",
        "pulled docker://registry:5000/image@sha256:0123 in 2s",
        "open https://example.com/a:b@c and https://host:80?x=@y",
    ] {
        left(line);
    }
    let clean = |line: &str| standard().clean(line).to_string();
    assert_eq!(clean("https://bob:pw@host/@scope/pkg"), "https://bob:[PASSWORD]@host/@scope/pkg");
    left("https://u:[PASSWORD]@host/x?u=bob@x");
    gone("postgres://app:7#kLmPq@db:5432/x", "kLmPq");
}

#[test]
fn what_a_pattern_cuts_out_of_a_word_is_looked_at() {
    use crate::definition::Definition;
    use crate::parse::{Library, Parser, ParserState, ReadAt};
    let yaml = r"
pattern: '^(?<date>\d{8})(?<pan>\d{16})(?<amount>\d{8})(?<tok>\w{4})(?<key>ghp_\w+)_ (?<message>.*)$'
samples:
  - line: '2026112241111111111111110000001799zzghp_a_ paid'
    record: { date: '20261122', pan: '4111111111111111', amount: '00000017', tok: 99zz, key: ghp_a, message: paid }
";
    let mut definition = Definition::from_yaml(yaml).unwrap();
    definition.name = "fixed".to_owned();
    let library = Library::builtin().with(vec![definition]).unwrap();
    let mut parser = Parser::new(&library, "fixed", ParserState::default()).unwrap();
    let key = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";
    let raw = format!("2026112241111111111111110000001799zz{key}_ paid");
    let (arena, mut record) = (Arena::new(), Record::default());
    parser.parse(&raw, ReadAt { now: 0, container_time: None }, &arena, &mut record);
    let mut redactor = standard();
    let redacted = redactor.redact(&raw, &mut record, &arena, &mut BlockState::default());
    assert_eq!(
        shown(redacted).to_string(),
        r#"{"message":"paid","date":"20261122","pan":"[CREDIT_CARD]","amount":"00000017","tok":"99zz","key":"[GITHUB_TOKEN]"}"#
    );
}
