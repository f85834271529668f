//! No rule costs more than its share, whatever the text: bytes that detectors walk over are counted.

use super::super::detect::tests::walked;
use super::*;

/// What detectors look at, repeated: nothing of it may cost the square of its length.
const UNITS: [&str; 54] = [
    "0",
    "1234567",
    "1234567 ",
    "12345678901 ",
    "12345678901-",
    "123-",
    "123 ",
    "123.",
    "12-",
    " 12",
    "1234 ",
    "1234-",
    "4111 1111 1111 1111 ",
    "046-454-286 ",
    "sin ",
    "tax id ",
    "pesel 12345678901 ",
    "tax 12345678901 ",
    "passport ",
    "passport: ",
    "passport=[",
    "taxId",
    "A123",
    "AB12",
    "RSSMRA85T10A562S",
    " 12 34 56",
    "12+34+56+",
    "a\\n12345678 ",
    "%20",
    "12345678%20",
    "@",
    "a@b.c ",
    "=",
    "a=",
    ":",
    "::",
    "a:b",
    "12:",
    "1.",
    "1.2.3.4",
    "ab-",
    "eyJ",
    "eyJhbGciOiJIUzI1NiJ9.",
    "        1234567",
    "4111–1111–1111–1111 ",
    "1\u{a0}2",
    "４１",
    "a=40b.de ",
    "htpasswd -b ",
    "htpasswd -b a '",
    "htpasswd -b \"a\" ",
    "requirepass ",
    "requirepass \"",
    "zip -P a\\t",
];

/// Bytes walked over for each byte of a text.
fn walked_for(redactor: &mut Redactor, text: &str) -> usize {
    walked();
    let once = redactor.clean(text);
    assert!(once.len() <= 8 * text.len());
    walked()
}

fn check(redactor: &mut Redactor, unit: &str) {
    const SIZE: usize = 8 * 1024;
    let text = |size: usize| unit.repeat(size / unit.len() + 1);
    let half = walked_for(redactor, &text(SIZE));
    let whole = walked_for(redactor, &text(2 * SIZE));
    assert!(whole <= 256 * 2 * SIZE, "{unit:?}: {whole} bytes walked over for {}", 2 * SIZE);
    assert!(whole <= 3 * half + 64 * 1024, "{unit:?}: {half} for {SIZE}, {whole} for twice that");
}

fn everything() -> Redactor {
    redactor(RuleSelection { rules: vec!["all".into()], ..RuleSelection::default() })
}

#[test]
fn work_grows_with_the_text_and_no_faster() {
    let mut shapes = super::super::shapes::tests::redactor();
    let mut all = everything();
    for unit in UNITS {
        check(&mut shapes, unit);
        check(&mut all, unit);
    }
}

#[test]
fn work_grows_no_faster_for_what_any_rule_finds_or_leaves() {
    let mut all = everything();
    for rule in Rules::builtin() {
        for sample in rule.must_redact.iter().take(3).chain(rule.must_leave.iter().take(2)) {
            check(&mut all, sample);
            check(&mut all, &format!("{sample} "));
        }
    }
}
