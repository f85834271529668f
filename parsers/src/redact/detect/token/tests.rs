//! Tokens where they stand and how they are cut.

use super::super::tests::value;
use super::form::tests::form;
use super::*;

fn table() -> PrefixTable {
    let mut table = PrefixTable::default();
    let forms = [
        "AKIA{base32:16}",
        "ghp_{alnum:36-}",
        "SG.{slug:22}.{slug:43}",
        "{digit:8-10}:AA{slug:33}",
        "{hex:32}-us{digit:1-2}",
        "{unreserved:3}{digit:1}Q~{unreserved:31-34}",
    ];
    for (rule, spelt) in (1..).zip(forms) {
        table.add(&Prefix::Whole(form(spelt)), rule);
    }
    let after = "hooks.example.com/services/".to_owned();
    table.add(&Prefix::Behind(Behind { after, then: form("{alnum:16-}") }), 9);
    table
}

/// What is found at any place where a long word begins.
fn found(text: &str) -> Option<(u16, &str)> {
    let (view, table) = (value(text), table());
    let slug = |byte: u8| is_word(byte) || byte == b'-';
    let begins = |&at: &usize| {
        let before = view.before(at, 1);
        view.run(at, 16, slug) == at + 16 && (!slug(before) || before == b'-')
    };
    let tildes = text.match_indices('~');
    if let Some((rule, range)) = tildes.into_iter().find_map(|(at, _)| at_tilde(view, at, &table)) {
        return Some((rule, &text[range]));
    }
    (0..text.len()).filter(begins).filter(|&at| table.may_begin(view, at)).find_map(|at| {
        let found = token(view, at, &table).or_else(|| token(view, after_escape(view, at), &table));
        found.map(|(rule, range)| (rule, &text[range]))
    })
}

#[test]
fn tokens_are_found_at_the_start_after_hyphens_and_after_escapes() {
    let key = "AKIAIOSFODNN7EXAMPLE";
    for before in ["", "id-", "\\n", "\\u000a", "%0A", "=", "x.", "\\u001b[31m", "\x1b[1;31m"] {
        assert_eq!(found(&format!("{before}{key}")), Some((1, key)), "{before}");
    }
    for text in [format!("{key}A"), format!("X{key}"), "AKIAIOSFODNN7EXAMPL1".to_owned()] {
        assert_eq!(found(&text), None, "{text}");
    }
    assert!(!table().may_begin(value("XKIAIOSFODNN7EXAMPLE"), 0));
}

#[test]
fn tokens_of_several_parts_are_found_whole() {
    let send = "SG.abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuvwxyz0123456789-_abcde";
    assert_eq!(found(&format!("key={send}.")), Some((3, send)));
    assert_eq!(found(&format!("MSG{}", &send[2..])), None);
    let bot = "1234567890:AAabcdefghijklmnopqrstuvwxyz0123456";
    assert_eq!(found(&format!("/bot{bot}/send")), Some((4, bot)));
    assert_eq!(found(&format!("12{bot}")), None);
    let chimp = "0123456789abcdef0123456789abcdef-us12";
    assert_eq!(found(&format!("({chimp})")), Some((5, chimp)));
    assert_eq!(found("0123456789abcdef0123456789abcdef-usage"), None);
    for odd in
        ["abc8Q~defghijklmnopqrstuvwxyz0123456789", "abc8Q~.efgh~ijklmnopqrstuvwxyz0123456789"]
    {
        assert_eq!(found(&format!("s='{odd}'")), Some((6, odd)));
    }
}

#[test]
fn tokens_in_addresses_leave_the_address() {
    let key = "abcdefghijklmnop0123";
    for before in
        ["hooks.example.com/services/", "https:\\/\\/hooks.example.com\\/services\\/T0\\/B0\\/"]
    {
        assert_eq!(found(&format!("{before}{key}")), Some((9, key)), "{before}");
    }
    assert_eq!(found(&format!("hooks.example.com/docs/{key}")), None);
    assert_eq!(found(&format!("hooks.example.com/services/a/b/c/d/e/{key}")), None);
}
