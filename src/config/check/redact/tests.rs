//! What is refused, and that all of it is, against a stand-in that refuses one thing at a time as
//! `Rules::build` does.

use super::*;
use crate::config::diagnostic::{Diagnostics, Text};
use crate::config::tree;

const KNOWN: [&str; 4] = ["default", "email", "ipv4", "phone"];

fn stand_in(selection: RuleSelection) -> Result<Rules, RuleError> {
    let mut known: Vec<_> = KNOWN.iter().map(|name| (*name).to_owned()).collect();
    for CustomRule { name, pattern, must_redact, must_leave, .. } in selection.custom {
        if known.contains(&name) {
            return Err(RuleError::Duplicate { name });
        }
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(RuleError::BadName { name });
        }
        let regex = match regex::Regex::new(&pattern) {
            Ok(regex) => regex,
            Err(error) => return Err(RuleError::Pattern { name, reason: error.to_string() }),
        };
        if regex.is_match("") {
            return Err(RuleError::MatchesEmpty { name });
        }
        if let Some(sample) = must_redact.into_iter().find(|sample| !regex.is_match(sample)) {
            return Err(RuleError::SampleMissed { name, sample, found: None });
        }
        if let Some(sample) = must_leave.into_iter().find(|sample| regex.is_match(sample)) {
            return Err(RuleError::SampleHit { name, sample, found: "something".to_owned() });
        }
        known.push(name);
    }
    let listed = selection.rules.iter().map(|name| name.strip_prefix('-').unwrap_or(name));
    let acted = selection.actions_by_rule.iter().map(|(name, _)| name.as_str());
    for name in listed.chain(acted) {
        if !known.iter().any(|known| known == name) {
            return Err(RuleError::Unknown { name: name.to_owned(), known });
        }
    }
    let hashes = selection.action == Action::Hash
        || selection.actions_by_rule.iter().any(|(_, action)| *action == Action::Hash)
        || selection.fields.iter().any(|(_, action)| *action == Action::Hash);
    if hashes && selection.hash_key.is_none() {
        return Err(RuleError::NoHashKey);
    }
    Ok(Rules::off())
}

fn refused(yaml: &str) -> Vec<String> {
    refused_by(stand_in, yaml)
}

fn refused_by(
    compile: impl FnMut(RuleSelection) -> Result<Rules, RuleError>,
    yaml: &str,
) -> Vec<String> {
    let text = Text::file("test", yaml.to_owned());
    let mut found = Diagnostics::new(vec![text]);
    let root = tree::build(&mut found).expect("YAML");
    let environment = |_: &str| None;
    let mut reader = Reader::new(found, &environment);
    let Kind::Map(entries) = &root.kind else { panic!("a mapping") };
    let rules = compiled(&mut reader, entries.first().map(Value::of), compile);
    let mut found = reader.found;
    found.finish(&[]);
    let mistakes: Vec<_> =
        found.located().map(|(place, message)| format!("{place} {message}")).collect();
    assert_eq!(rules.is_none(), !mistakes.is_empty(), "{yaml}");
    mistakes
}

#[test]
fn each_mistake_is_found_and_placed() {
    let yaml = r"redact:
  rules: [default, emial, -fone, employee_id, typo]
  custom:
    employee_id: { pattern: '\bE\d{6}\b', must_redact: ['E123456', 'E12345'] }
    Ticket: { pattern: 'T\d+' }
    email: { pattern: 'x' }
    greedy: { pattern: 'x*' }
    open: { pattern: '(', action: mask }
    shy: { pattern: 'T\d+', must_leave: ['a', 'T17'] }
    typo: { patern: 'T\d+' }
  action: { default: hash, ipv5: mask, phone: maks }
  fields: { password: remove, 'a..b': mask }
  rule: x
";
    let expected = [
        "2:20 there is no redaction rule `emial`",
        "2:27 there is no redaction rule `fone`",
        "4:68 rule `employee_id` does not find anything in its sample `E12345`",
        "5:5 `Ticket` cannot name a redaction rule: use lower-case letters, digits and `_`",
        "6:5 there is already a redaction rule `email`",
        "7:24 the pattern of rule `greedy` matches the empty string",
        "8:22 the pattern cannot be used: unclosed group",
        "9:47 rule `shy` finds something in `T17`, which it must leave",
        "10:13 unknown key `patern` in `typo`",
        "11:28 there is no redaction rule `ipv5`",
        "11:47 `phone` cannot be `maks`",
        "12:23 `password` cannot be `remove`",
        "12:31 this cannot name a field",
        "13:3 unknown key `rule` in `redact`",
        "11:22 action `hash` needs a `hash_key`",
    ];
    let mut found = refused(yaml);
    let mut expected = expected.map(str::to_owned);
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn what_is_sound_is_accepted() {
    for yaml in [
        "redact: off",
        "redact: {}",
        "redact: { rules: [default, ipv4, -phone], action: mask }",
        "redact: { rules: [], custom: { a: { pattern: a+ } } }",
        "redact: { action: hash, hash_key: 0123456789abcdef }",
        "redact: { fields: { password: drop_field, ip: partial }, action: partial }",
    ] {
        assert_eq!(refused(yaml), Vec::<String>::new(), "{yaml}");
    }
}

#[test]
fn nothing_on_is_not_the_same_as_off() {
    assert_eq!(refused("redact: { rules: [] }"), ["1:18 `rules` is empty"]);
    assert_eq!(refused("redact: on"), ["1:9 `redact` takes a mapping, or `off`"]);
    assert_eq!(refused("redact:"), ["1:1 `redact` takes a mapping, or `off`"]);
    assert_eq!(
        refused("redact: { action: hash, hash_key: short }"),
        ["1:35 `hash_key` is shorter than 16 bytes: hashes could be guessed"]
    );
    assert_eq!(
        refused("redact: { fields: { a: hash } }"),
        ["1:24 action `hash` needs a `hash_key`"]
    );
}

#[test]
fn a_rule_without_effect_is_refused() {
    let refused = |yaml: &str| refused_by(Rules::build, yaml);
    for sound in ["rules: [-phone]", "rules: [default, ipv4], action: { ipv4: drop_record }"] {
        assert_eq!(refused(&format!("redact: {{ {sound} }}")), Vec::<String>::new(), "{sound}");
    }
    assert_eq!(
        refused("redact: { action: { default: mask, ipv4: drop_record } }"),
        ["1:36 rule `ipv4` is not on: add it to `rules`"]
    );
    assert_eq!(
        refused("redact: { rules: [-phone], action: { phone: hash, email: mask } }"),
        ["1:38 rule `phone` is not on: add it to `rules`"]
    );
    for empty in ["[-default]", "[email, -email]"] {
        let yaml = format!("redact: {{ rules: {empty} }}");
        assert_eq!(refused(&yaml), ["1:18 no redaction rule is on"]);
    }
    assert_eq!(refused("redact: { rules: [emial] }"), ["1:19 there is no redaction rule `emial`"]);
}

#[test]
fn what_is_allowed_is_read_strictly() {
    let yaml = r"redact:
  allow:
    domains: [example.com, '@example.org', '*.example.net', 'a b']
    networks: [10.0.0.0/8, documentation, privat, 10.1.2.3/8, 10.0.0.0/33]
    patterns: ['svc-.*', '(', '.*', '(?=x)']
    values: [changeme, '']
    keys: [csrf_token, 'a..b']
    test_cards: yes
    domain: x
";
    let expected = [
        "3:28 `@example.org` is no domain",
        "3:44 `*.example.net` is no domain",
        "3:61 `a b` is no domain",
        "4:43 `privat` is no address and no network",
        "4:51 `10.1.2.3/8` is an address in the network `10.0.0.0/8`",
        "4:63 what follows the `/` in `10.0.0.0/33` is not 0 to 32",
        "5:26 the pattern cannot be used: unclosed group",
        "5:31 this pattern matches the empty string: it says nothing of a value",
        "5:37 the pattern cannot be used: look-around, including look-ahead and look-behind, is \
         not supported",
        "6:24 `values` is empty",
        "7:24 this cannot name a field",
        "8:17 `test_cards` takes `true` or `false`",
        "9:5 unknown key `domain` in `allow`",
    ];
    let mut found = refused_by(Rules::build, yaml);
    let mut expected = expected.map(str::to_owned);
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    let sound = "redact: { allow: { domains: example.com, networks: [private, 2001:db8::/32], \
                 patterns: ['svc-[a-z]+'], values: [changeme], keys: [a.b], test_cards: true } }";
    assert_eq!(refused_by(Rules::build, sound), Vec::<String>::new());
}

#[test]
fn a_custom_rule_is_refused_with_what_is_wrong_with_each_part() {
    let yaml = r"redact:
  custom:
    a: { pattern: 'E\d+', must_redact: [E1, x, y], must_leave: [z, E2] }
    b: { shapes: ['000-000', '(('], check: luhn }
    c: { keys: [badge no], must_redact: ['badge_no=hunter2'] }
    d: { pattern: 'E\d+', check: lun }
    e: { pattern: 'E\d+(?=x)' }
    f: { pattern: '(E)\1' }
    g: { context: [badge] }
    h: { pattern: 'a*b*' }
";
    let found = refused_by(Rules::build, yaml);
    let mut places: Vec<_> =
        found.iter().map(|it| it.split(' ').next().unwrap_or_default()).collect();
    places.sort();
    let expected = ["3:45", "3:48", "3:68", "4:18", "6:34", "7:19", "8:19", "9:5", "10:19"];
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(places, expected, "{found:#?}");
    let said = found.join("\n");
    for part in ["rule `a` finds `E2` at byte 1", "looks around", "refers back", "called `lun`"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
