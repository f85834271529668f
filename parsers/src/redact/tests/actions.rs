//! What each action leaves, and that it is left alone from then on.

use super::*;
use crate::record::Known;
use crate::redact::Action;

/// The actions that leave something in place of a value.
const REPLACING: [Action; 3] = [Action::Mask, Action::Partial, Action::Hash];

fn all(action: Action) -> RuleSelection {
    RuleSelection {
        rules: Rules::builtin().iter().map(|rule| rule.name.clone()).collect(),
        action,
        hash_key: Some(b"0123456789abcdef".to_vec()),
        ..RuleSelection::default()
    }
}

fn one(rule: &str, action: Action) -> RuleSelection {
    RuleSelection { rules: vec![rule.to_owned()], ..all(action) }
}

#[track_caller]
fn cleaned(selection: RuleSelection, text: &str, expect: &str) {
    assert_eq!(&*redactor(selection).clean(text), expect, "{text}");
}

/// Redacts a text twice: the second time nothing is found.
#[track_caller]
fn settled(redactor: &mut Redactor, text: &str) {
    let once = redactor.clean(text).to_string();
    let found: u64 = redactor.matches().iter().sum();
    assert_eq!(&*redactor.clean(&once), once, "of {text}");
    assert_eq!(redactor.matches().iter().sum::<u64>(), found, "again in {once}");
    let json = serde_json::json!({ "m": text, "o": { text: [text] } }).to_string();
    let once = redact_json(redactor, &json);
    let found: u64 = redactor.matches().iter().sum();
    assert_eq!(redact_json(redactor, &once), once, "of {json}");
    assert_eq!(redactor.matches().iter().sum::<u64>(), found, "again in {once}");
}

#[test]
fn what_any_action_left_of_any_sample_is_found_by_no_rule() {
    for action in REPLACING {
        let mut together = redactor(all(action));
        for rule in Rules::builtin() {
            let mut alone = redactor(one(&rule.name, action));
            for sample in &rule.must_redact {
                settled(&mut alone, sample);
                settled(&mut together, sample);
            }
        }
    }
}

#[test]
fn what_one_action_left_is_left_by_the_others() {
    for first in REPLACING {
        let mut before = redactor(all(first));
        for then in REPLACING {
            let mut selection = all(then);
            // The network of an address is an address like any other.
            selection.rules.retain(|rule| {
                first != Action::Partial || !["ipv4", "ipv6", "mac"].contains(&rule.as_str())
            });
            let mut after = redactor(selection);
            for sample in Rules::builtin().iter().flat_map(|rule| &rule.must_redact) {
                let once = before.clean(sample);
                assert_eq!(&*after.clean(&once), &*once, "{first:?} {then:?} {sample}");
            }
        }
    }
}

#[test]
fn partial_keeps_what_tells_where_a_value_belongs() {
    for (rule, text, expect) in [
        ("card", "card 4111 1111 1111 1111 ok", "card [CREDIT_CARD:1111] ok"),
        ("card", "n=4111%201111%201111%201111", "n=[CREDIT_CARD:1111]"),
        ("iban", "to DE89 3704 0044 0532 0130 00.", "to [IBAN:3000]."),
        ("phone", "call +1 (415) 555-2671", "call [PHONE:2671]"),
        ("email", "by Bob@Example.com,", "by [EMAIL:example.com],"),
        ("email", "u=bob%40example.com", "u=[EMAIL:example.com]"),
        ("ipv4", "from 198.51.100.7:443", "from 198.51.100.0:443"),
        ("ipv6", "from [2001:db8:1:2::7]:443", "from [2001:db8:1::]:443"),
        ("mac", "eth0 00:1b:44:11:3a:b7 up", "eth0 00:1b:44:00:00:00 up"),
        ("us_ssn", "ssn 123-45-6789", "ssn [US_SSN]"),
        ("password", "password=hunter2", "password=[PASSWORD]"),
    ] {
        cleaned(one(rule, Action::Partial), text, expect);
    }
}

#[test]
fn partial_keeps_of_a_field_what_its_value_allows() {
    let fields = ["client", "user.email", "pin", "iban"];
    let fields = fields.map(|name| (name.to_owned(), Action::Partial)).to_vec();
    let selection = || RuleSelection { fields: fields.clone(), ..RuleSelection::standard() };
    check(selection(), r#"{"client":"192.0.2.7"}"#, r#"{"client":"192.0.2.0"}"#);
    check(selection(), r#"{"client":"192.0.2.0"}"#, r#"{"client":"192.0.2.0"}"#);
    check(selection(), r#"{"client":"a host"}"#, r#"{"client":"[CLIENT]"}"#);
    check(
        selection(),
        r#"{"user":{"email":"bob@example.com"}}"#,
        r#"{"user":{"email":"[EMAIL:example.com]"}}"#,
    );
    check(selection(), r#"{"pin":4711}"#, r#"{"pin":"[PIN]"}"#);
    check(selection(), r#"{"pin":4111111111111111}"#, r#"{"pin":"[PIN:1111]"}"#);
    check(selection(), r#"{"iban":"what is it to you"}"#, r#"{"iban":"[IBAN]"}"#);
}

#[test]
fn a_hosts_place_in_a_url_takes_no_brackets() {
    for (rule, action, text, expect) in [
        ("ipv4", Action::Mask, "GET http://198.51.100.7:80/x", "GET http://redacted-ipv4:80/x"),
        ("ipv6", Action::Mask, "http://[2001:db8::7]:80/", "http://redacted-ipv6:80/"),
        ("ipv6", Action::Partial, "http://[2001:db8:1:2::7]:80/", "http://[2001:db8:1::]:80/"),
        ("ipv4", Action::Partial, "http://198.51.100.7/", "http://198.51.100.0/"),
        ("email", Action::Mask, "https://bob@example.com/o", "https://redacted-email/o"),
        ("email", Action::Partial, "https://bob@example.com/o", "https://redacted-email/o"),
        ("email", Action::Mask, "https://h/?u=bob@example.com", "https://h/?u=[EMAIL]"),
        ("url_password", Action::Mask, "redis://u:s3cret@h:1/0", "redis://u:[PASSWORD]@h:1/0"),
    ] {
        let selection = one(rule, action);
        cleaned(selection.clone(), text, expect);
        settled(&mut redactor(selection), text);
    }
    let mut redactor = redactor(one("ipv4", Action::Hash));
    let clean = redactor.clean("http://198.51.100.7:80/x").to_string();
    assert!(clean.starts_with("http://redacted-ipv4-"), "{clean}");
    assert_eq!(clean.len(), "http://redacted-ipv4-aaaaaaaaaa:80/x".len());
    settled(&mut redactor, "http://198.51.100.7:80/x");
}

#[test]
fn a_number_in_json_within_a_text_gets_its_quotes() {
    let text = r#"got {"pan":4111111111111111,"n":[1]} from it"#;
    cleaned(RuleSelection::standard(), text, r#"got {"pan":"[CREDIT_CARD]","n":[1]} from it"#);
    let text = r#"got {\"pan\": 4111111111111111} from it"#;
    cleaned(RuleSelection::standard(), text, r#"got {\"pan\": \"[CREDIT_CARD]\"} from it"#);
    let text = r#"got {"n":[17, 4111111111111111,4111111111111111]}"#;
    let expect = r#"got {"n":[17, "[CREDIT_CARD]","[CREDIT_CARD]"]}"#;
    cleaned(RuleSelection::standard(), text, expect);
    let text = "got pan:4111111111111111, 4111111111111111";
    cleaned(RuleSelection::standard(), text, "got pan:[CREDIT_CARD], [CREDIT_CARD]");
}

#[test]
fn a_number_of_pillions_own_fields_is_left_out_rather_than_made_a_text() {
    let mut redactor = standard();
    let mut kept = |known: Known, number: i64| {
        let (arena, mut record) = (Arena::new(), Record::default());
        record.push(Key::Known(known), Value::Int(number));
        record.push(Key::Text(Text::built("n")), Value::Int(number));
        shown(redactor.redact("", &mut record, &arena, &mut BlockState::default())).to_string()
    };
    // An hour and a quarter, in nanoseconds, that Luhn takes for a card of thirteen digits.
    assert_eq!(
        kept(Known::Duration, 4_222_222_222_222),
        r#"{"duration":4222222222222,"n":"[CREDIT_CARD]"}"#
    );
    assert_eq!(kept(Known::Duration, 4_111_111_111_111_111), r#"{"n":"[CREDIT_CARD]"}"#);
    assert_eq!(kept(Known::ResponseBytes, 4_111_111_111_111_111), r#"{"n":"[CREDIT_CARD]"}"#);
    assert_eq!(kept(Known::Duration, 17), r#"{"duration":17,"n":17}"#);
}
