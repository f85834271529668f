//! For each rule a value of its kind, planted in all the places in which logs have values, is gone from
//! what leaves. Rules that go by how a token is spelt say themselves how to make one; of the others
//! the samples are planted.

use proptest::prelude::*;

use super::super::decode::decode;
use super::super::detect::{Behind, Prefix};
use super::properties::holds;
use super::*;

/// Where a value may stand in a line; `{}` is the value.
pub(super) const PLACES: &[&str] = &[
    "{}",
    "got \"{}\" from 'it'",
    "'{}'",
    r#"{"level":"info","value":"{}","n":1}"#,
    r#"{"a":{"b":["x",{"c":"{}"}]}}"#,
    "level=info key={} n=1",
    "level=info key=\"{}\" n=1",
    "GET /v1/items?page=2&k={}&sort=asc HTTP/1.1",
    "GET https://shop.example.com/v1?k={} 200",
    "> X-Custom: {}\r\n> Accept: */*",
    "rejected ({}), retrying",
    "list [{}]",
    "one, {}, three",
    "It was {}. Then it ended.",
    "\x1b[31m{}\x1b[0m",
    "\x1b[36mkey=\x1b[0m{} \x1b[36mn=\x1b[0m1",
    r"out: one\n{}\ntwo",
    "10:00:00 INFO main {}",
];

/// Places for whole lines.
const AROUND: &[&str] = &["{}", r#"{"level":"info","message":"{}","n":1}"#];

/// A text as the inside of a JSON string.
fn inside(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A line with a value in a place, and the same as JSON in a string of JSON.
pub(super) fn lines(place: &str, value: &str) -> [String; 2] {
    let value =
        if place.starts_with('{') && place.len() > 2 { inside(value) } else { value.to_owned() };
    let line = place.replace("{}", &value);
    let twice = format!(r#"{{"log":"{}","stream":"stdout"}}"#, inside(&line));
    [line, twice]
}

/// Nothing of a value is left of a line, as a value or as a record, and what is JSON stays so.
#[track_caller]
pub(super) fn gone(redactor: &mut Redactor, rule: &str, line: &str, value: &str) {
    let clean = redactor.clean(line).to_string();
    assert!(!holds(&clean, value), "{rule}: {line:?} → {clean:?}");
    if serde_json::from_str::<serde_json::Value>(line).is_ok() {
        serde_json::from_str::<serde_json::Value>(&clean)
            .unwrap_or_else(|error| panic!("{rule}: {line:?} → {clean:?}: {error}"));
    }
    assert_eq!(&*redactor.clean(&clean), clean, "{rule}: again {line:?}");
    let (arena, mut record) = (Arena::new(), Record::default());
    record.message = Some(Text::raw(line));
    let out = redactor.redact(line, &mut record, &arena, &mut BlockState::default());
    let out = out.unwrap().message().unwrap().as_stored();
    assert!(!holds(out, value), "{rule}: the record {line:?} → {out:?}");
}

/// A token as such a prefix has it, and what of it is the secret.
fn example(prefix: &Prefix, seed: u64) -> (String, String) {
    let mut state = seed;
    // Knuth's MMIX generator.
    let mut choose = |of: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % of
    };
    match prefix {
        Prefix::Whole(form) => {
            let token = form.example(&mut choose);
            (token.clone(), token)
        }
        Prefix::Behind(Behind { after, then }) => {
            let token = then.example(&mut choose);
            (format!("https://x.{}{token}", after.trim_start_matches('.')), token)
        }
    }
}

/// How much of a token must be gone: what follows it may look like a part of it, and its last byte
/// like the end of a sentence.
fn core(token: &str) -> &str {
    &token[..token.len().min(24)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn tokens_of_every_rule_are_gone_wherever_they_stand(seed in any::<u64>()) {
        let mut redactor = super::redactor(all());
        for rule in Rules::builtin() {
            for prefix in &rule.prefixes {
                let (text, token) = example(prefix, seed);
                for place in PLACES {
                    let query = place.starts_with("GET");
                    let text = if query { text.replace('$', "%24").replace('=', "%3D") } else { text.clone() };
                    let token = if query { token.replace('$', "%24").replace('=', "%3D") } else { token.clone() };
                    for line in lines(place, &text) {
                        gone(&mut redactor, &rule.name, &line, core(&token));
                    }
                }
            }
        }
    }

    #[test]
    fn escaped_tokens_of_every_rule_are_gone(seed in any::<u64>(), how in 1..6_usize) {
        let mut redactor = super::redactor(all());
        for rule in Rules::builtin() {
            for prefix in &rule.prefixes {
                let (text, token) = example(prefix, seed);
                let written = super::properties::written(&text, how);
                gone(&mut redactor, &rule.name, &format!("k={written} n=1"), core(&token));
            }
        }
    }
}

#[test]
fn samples_of_every_rule_are_gone_wherever_they_stand() {
    for rule in Rules::builtin() {
        let mut redactor = only(&rule.name);
        for sample in &rule.must_redact {
            let found: Vec<String> = redactor
                .explain(sample)
                .into_iter()
                .filter_map(|found| match found.place {
                    Place::Bytes(range) => sample.get(range).map(str::to_owned),
                    Place::Field(_) => None,
                })
                .collect();
            for place in AROUND {
                for line in lines(place, sample) {
                    for value in found.iter().filter(|value| value.len() > 3) {
                        let mut plain = String::new();
                        decode(value, &mut plain, &mut Vec::new());
                        let clean = redactor.clean(&line);
                        assert!(!holds(&clean, &plain), "{}: {line:?} → {}", rule.name, &*clean);
                    }
                }
            }
        }
    }
}

/// Every rule there is.
fn all() -> RuleSelection {
    let rules = Rules::builtin().iter().map(|rule| rule.name.clone()).collect();
    RuleSelection { rules, ..RuleSelection::default() }
}
