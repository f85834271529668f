//! What a configuration allows is left, and nothing beside it.

use super::*;
use crate::redact::{Allow, AllowedPattern, Network};

fn with(allow: Allow) -> RuleSelection {
    let rules = Rules::builtin().iter().map(|rule| rule.name.clone()).collect();
    RuleSelection { rules, allow, ..RuleSelection::default() }
}

#[track_caller]
fn cleaned(allow: Allow, text: &str, expect: &str) {
    assert_eq!(&*redactor(with(allow)).clean(text), expect, "{text}");
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn own_domains_are_left_and_those_below_them() {
    let allow = || Allow { domains: owned(&["Example.com"]), ..Allow::default() };
    for own in
        ["bob@example.com", "Bob@mail.EXAMPLE.com", "u=bob%40example.com", "<bob=40example.com>"]
    {
        cleaned(allow(), own, own);
    }
    cleaned(
        allow(),
        "bob@example.com bob@badexample.com bob@example.com.evil.net",
        "bob@example.com [EMAIL] [EMAIL]",
    );
    cleaned(allow(), "To: bob=40badexample.com", "To: [EMAIL]");
}

#[test]
fn networks_are_left() {
    let allow = || Allow {
        networks: ["10.0.0.0/8", "documentation"].map(|it| Network::read(it).unwrap()).concat(),
        ..Allow::default()
    };
    let text = "10.1.2.3 192.0.2.7 2001:db8::7 ::ffff:10.1.1.1";
    cleaned(allow(), text, text);
    cleaned(allow(), "11.1.2.3 2001:db9::7", "[IPV4] [IPV6]");
}

#[test]
fn test_cards_are_left_however_they_are_written() {
    let allow = || Allow { test_cards: true, ..Allow::default() };
    for own in ["4111111111111111", "4111 1111 1111 1111", "n=4111%201111%201111%201111"] {
        cleaned(allow(), own, own);
    }
    check(with(allow()), r#"{"a":4242424242424242}"#, r#"{"a":4242424242424242}"#);
    cleaned(allow(), "4539578763621486", "[CREDIT_CARD]");
    check(with(allow()), r#"{"a":4539578763621486}"#, r#"{"a":"[CREDIT_CARD]"}"#);
}

#[test]
fn values_and_patterns_are_left_whole() {
    let allow = || Allow {
        values: owned(&["+1 415 555 2671", "changeme"]),
        patterns: vec![AllowedPattern::new("svc-[a-z]+@example[.]org").unwrap()],
        ..Allow::default()
    };
    for own in ["call +1-415-555-2671", "password=changeme", "by svc-pay@example.org"] {
        cleaned(allow(), own, own);
    }
    check(with(allow()), r#"{"password":"changeme"}"#, r#"{"password":"changeme"}"#);
    cleaned(allow(), "password=changeme2", "password=[PASSWORD]");
    cleaned(allow(), "by xsvc-pay@example.org", "by [EMAIL]");
}

#[test]
fn a_pattern_cannot_leave_its_group() {
    assert!(AllowedPattern::new("a)|(.*").is_err());
    let allow =
        Allow { patterns: vec![AllowedPattern::new("a|b@c.de").unwrap()], ..Allow::default() };
    cleaned(allow, "bob@c.de", "[EMAIL]");
}

#[test]
fn a_name_that_is_allowed_gives_nothing_away_but_its_value_is_looked_at() {
    let allow = || Allow { keys: owned(&["csrf_token", "auth.secret"]), ..Allow::default() };
    for own in [
        r#"{"csrf_token":"k3wq9zzh2"}"#,
        r#"{"auth":{"secret":"k3wq9zzh2"}}"#,
        r#"{"m":"CSRF_TOKEN=k3wq9zzh2"}"#,
    ] {
        check(with(allow()), own, own);
    }
    check(with(allow()), r#"{"csrf_token":"bob@example.com"}"#, r#"{"csrf_token":"[EMAIL]"}"#);
    check(with(allow()), r#"{"x_token":"k3wq9zzh2"}"#, r#"{"x_token":"[SECRET]"}"#);
    check(with(allow()), r#"{"secret":"k3wq9zzh2"}"#, r#"{"secret":"[SECRET]"}"#);
}

#[test]
fn what_is_allowed_does_not_hide_what_stands_beside_it() {
    let allow = || Allow { domains: owned(&["example.com"]), test_cards: true, ..Allow::default() };
    let text = r#"{"a":"4111111111111111 bob@example.com 5454545454545454 eve@x.org"}"#;
    let expect = r#"{"a":"4111111111111111 bob@example.com [CREDIT_CARD] [EMAIL]"}"#;
    check(with(allow()), text, expect);
    cleaned(allow(), "password=bob@example.com", "password=[PASSWORD]");
    cleaned(allow(), "https://u:bob@example.com/", "https://u:[PASSWORD]@example.com/");
}

#[test]
fn a_field_of_the_configuration_goes_whatever_is_allowed() {
    let allow =
        Allow { values: owned(&["changeme"]), keys: owned(&["password"]), ..Allow::default() };
    let fields = vec![("password".to_owned(), Default::default())];
    let selection = RuleSelection { fields, ..with(allow) };
    check(selection, r#"{"password":"changeme"}"#, r#"{"password":"[PASSWORD]"}"#);
}

#[test]
fn an_address_as_mails_quote_it_is_the_same_address() {
    let values = || Allow { values: owned(&["bob@example.com"]), ..Allow::default() };
    cleaned(values(), "<bob=40example.com>, <al=40example.com>", "<bob=40example.com>, <[EMAIL]>");
    let pattern = AllowedPattern::new("[a-z]+@example[.]com").unwrap();
    let patterns = Allow { patterns: vec![pattern], ..Allow::default() };
    cleaned(patterns, "<bob=40example.com>", "<bob=40example.com>");
    let by = |action| RuleSelection {
        rules: owned(&["email"]),
        action,
        hash_key: Some(b"0123456789abcdef".to_vec()),
        ..RuleSelection::default()
    };
    for (action, kept) in [(Action::Hash, "[EMAIL:"), (Action::Partial, "[EMAIL:example.com]")] {
        let mut redactor = redactor(by(action));
        let plain = redactor.clean("<bob@example.com>").to_string();
        assert!(plain.contains(kept), "{plain}");
        assert_eq!(*redactor.clean("<bob=40example.com>"), *plain);
        assert_eq!(*redactor.clean("<Bob=40Example.com>"), *plain);
    }
}
