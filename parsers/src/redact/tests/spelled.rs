//! The same values in the spellings in which logs really have them: coloured, escaped, wrapped.

use super::*;

const CARD: &str = "4111111111111111";
const TOKEN: &str = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";

/// Redacts a text as the message of a record, which the sweep over the raw text gates.
fn message(raw: &str, text: &str) -> String {
    let (arena, mut record) = (Arena::new(), Record::default());
    record.message = Some(Text::built(text));
    let mut redactor = standard();
    let redacted = redactor.redact(raw, &mut record, &arena, &mut BlockState::default());
    redacted.unwrap().message().unwrap().as_stored().to_owned()
}

/// Nothing of the secret is left of a line, whether it is looked at as a value or gated by the sweep
/// over the raw record.
fn gone(line: &str, secret: &str) {
    assert!(line.contains(secret), "{line:?} has no {secret}");
    assert!(!standard().clean(line).contains(secret), "{line:?} as a value");
    let (arena, mut record) = (Arena::new(), Record::default());
    record.message = Some(Text::raw(line));
    let mut redactor = standard();
    let redacted = redactor.redact(line, &mut record, &arena, &mut BlockState::default()).unwrap();
    assert!(!redacted.message().unwrap().as_stored().contains(secret), "{line:?} as a record");
}

#[test]
fn colours_hide_nothing() {
    for escape in ["\x1b", "\\x1b", "\\u001b", "\\033", "\\e"] {
        let on = format!("{escape}[1;36m");
        let off = format!("{escape}[0m");
        for secret in [CARD, TOKEN, "123-45-6789", "+14155552671", "DE89370400440532013000"] {
            gone(&format!("paid {on}{secret}{off} ok"), secret);
        }
        // zerolog's console writer, logrus's text formatter, and a coloured value
        gone(&format!("login {on}password={off}hunter2 {on}n={off}1"), "hunter2");
        gone(&format!("login {on}password{off}=hunter2"), "hunter2");
        gone(&format!("{on}pwd{off}: {on}hunter2{off}"), "hunter2");
        gone(&format!("{on}token{off}=\"abc123def456\""), "abc123def456");
        gone(&format!("{on}Authorization{off}: Bearer {on}abc123def456{off}"), "abc123def456");
    }
}

#[test]
fn escapes_before_a_value_are_no_part_of_it() {
    for escape in
        ["\\n", "\\r\\n", "\\t", "%0A", "%22", "%2C", "%20", "\\u0022", "\\u0026", "\\x22"]
    {
        for secret in [CARD, TOKEN, "123-45-6789", "415-555-2671", "DE89370400440532013000"] {
            gone(&format!("q={escape}{secret}{escape}"), secret);
        }
    }
    gone(r"sent\ntoken=abc123def456\n", "abc123def456");
    gone(r"/a?x=1\u0026sig=abc123def456\u0026y=2", "abc123def456");
}

#[test]
fn values_are_found_however_they_are_wrapped() {
    for line in [
        r#"{"password"        :        "hunter2"}"#,
        r#"{"msg":"password\t: hunter2"}"#,
        r"password\t=hunter2",
        "password\t=\thunter2",
        "password            =            hunter2",
        r#"Config { password: Some("hunter2") }"#,
        r#"password: Secret::new("hunter2"), n: 1"#,
        r#"msg="Config { password: Some(\"hunter2\") }""#,
        "{'password': b'hunter2'}",
        "password = \"\"\"hunter2\"\"\"",
        "<user><password>hunter2</password></user>",
        "<ns:password>correct hunter2</ns:password>",
        r"{\u0022password\u0022:\u0022hunter2\u0022}",
        r"\u003cpassword\u003ehunter2\u003c/password\u003e",
        "passwords=[a1, hunter2]",
        r#"{"env":[{"Name":"DB_PASSWORD","Value":"hunter2"}]}"#,
        r#"{"a":{"Key":"password","Type":"x","Value":"hunter2"}}"#,
        r#"{"password":{"old":{"plain":"hunter2"}}}"#,
        r#"{"password":{"old":["hunter2"],"n":1}}"#,
        r#"Config { password: Secret(Some("hunter2")) }"#,
        r#"array(1) { ["password"]=> string(7) "hunter2" }"#,
        r#"<property name="password" value="hunter2"/>"#,
        r#"<add key="DbPassword" value="hunter2" />"#,
        r#"<property name="password">hunter2</property>"#,
        "<name>password</name><value>hunter2</value>",
        "EnvVar{Name:DB_PASSWORD,Value:hunter2,ValueFrom:nil,}",
        "[name=password, value=hunter2]",
        "env {'name': 'password', 'value': 'hunter2'}",
        r#"sent {"key":"password","value":"hunter2"} to it"#,
        r#"{"msg":"<input name=\"password\" value=\"hunter2\">"}"#,
        "SET PASSWORD FOR bob = PASSWORD('hunter2')",
        "COMMAND=/usr/bin/curl --user bob:hunter2 https://db/",
        "java -jar app.jar -password hunter2",
    ] {
        gone(line, "hunter2");
    }
}

#[test]
fn the_default_rules_are_those_that_are_on_by_default() {
    let on = Rules::builtin().iter().filter(|rule| rule.default);
    let on: Vec<&str> = on.map(|rule| rule.name.as_str()).collect();
    assert!(on.len() > 10);
    assert_eq!(Rules::builtin_default().names(), on);
    assert_eq!(message("password=hunter2", "password=hunter2"), "password=[PASSWORD]");
}

#[test]
fn colours_and_types_alone_are_left() {
    for line in [
        "\x1b[32mINFO\x1b[0m started in 12 ms \x1b[36mtokens=\x1b[0m17",
        "List<Password> a = new ArrayList<Password>(); x->password->length",
        "GET /a%20b/%D0%9F?x=%5B1%5D&y=%221700000000123%22 HTTP/1.1",
        "if a > b && token < 5",
        "it's a b'x' and password's policy",
    ] {
        assert_eq!(&*standard().clean(line), line);
    }
}

#[test]
fn letters_that_are_not_of_ascii_hide_no_address() {
    for (line, secret) in [
        (r#"{"m":"j\u00f6rg@b\u00fccher.example"}"#, r"j\u00f6rg@b\u00fccher.example"),
        (r#"{"m":"{\"a\":\"jan@b\\u00fccher.example\"}"}"#, "jan"),
        (r#"{"\u7528\u6237@\u4f8b\u5b50.cn":1}"#, r"\u7528\u6237"),
        ("GET /?u=m%C3%BCller%40example.com HTTP/1.1", "m%C3%BCller"),
        ("GET /?u=m%25C3%25BCller%2540example.com HTTP/1.1", "m%25C3%25BCller"),
        ("GET /?u=jan@b%C3%BCcher.example HTTP/1.1", "jan"),
        ("GET /?u=m%FCller@example.com HTTP/1.1", "m%FCller"),
        (r"got b'jan@b\xc3\xbccher.example'", "jan"),
        (r"got 'm\xfcller@example.com'", r"m\xfcller"),
        ("<to>m&#252;ller@example.com</to>", "m&#252;ller"),
        ("<to>M&uuml;ller@example.com</to>", "M&uuml;ller"),
        ("<to>&quot;jan doe&quot;@example.com</to>", "jan doe"),
    ] {
        gone(line, secret);
    }
}

#[test]
fn an_address_has_one_hash_however_its_letters_are_spelt() {
    let hash_key = Some(b"0123456789abcdef".to_vec());
    let (rules, action) = (vec!["email".into()], Action::Hash);
    let mut redactor =
        redactor(RuleSelection { rules, action, hash_key, ..RuleSelection::default() });
    let plain = redactor.clean("to müller@example.com").to_string();
    for spelt in [
        r"to m\u00fcller@example.com",
        r"to m\xc3\xbcller@example.com",
        "to m%C3%BCller%40example.com",
        "to m&#xFC;ller@example.com",
    ] {
        assert_eq!(*redactor.clean(spelt), *plain, "{spelt}");
    }
}

#[test]
fn what_stands_beside_a_name_does_not_hide_it() {
    for (line, secret) in [
        ("passport key=C01X00T47", "C01X00T47"),
        ("passport name: C01X00T47", "C01X00T47"),
        (r#"got {"passport":true,"key":"C01X00T47"}"#, "C01X00T47"),
        ("Access\u{a0}Key: hunter2Xk9abcd", "hunter2Xk9abcd"),
        (r#"say {"azure_storage\nkey":"s3cr3tVaue99"}"#, "s3cr3tVaue99"),
        (r#"{"password," : "hunter2xyz"}"#, "hunter2xyz"),
        (r#"{"passport " : "C01X00T47"}"#, "C01X00T47"),
        (r#"{"password"::"hunter2xyz"}"#, "hunter2xyz"),
        ("<password v={1}>hunter2xyz</password>", "hunter2xyz"),
        ("<password href=http://x/?>hunter2xyz</password>", "hunter2xyz"),
        (r#"<password hint="a, b, " >hunter2xyz</password>"#, "hunter2xyz"),
        ("q=4111+1111+1111+1111", "4111+1111+1111+1111"),
        ("q=3782+822463+10005&n=1", "3782+822463+10005"),
    ] {
        gone(line, secret);
    }
}
