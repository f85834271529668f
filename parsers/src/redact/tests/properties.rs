//! What must hold for any text.

use proptest::prelude::*;

use super::super::decode::decode;
use super::*;

/// Values that must never come through, with the rule that finds each.
const PLANTED: &[&str] = &[
    "bob.planted@example.com",
    "4111111111111111",
    "5555 5555 5555 4444",
    "DE89370400440532013000",
    "123-45-6789",
    "+14155552671",
    "(415) 555-2671",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx",
];

/// How a value may be written.
pub(super) fn written(value: &str, how: usize) -> String {
    let every = |format: &dyn Fn(u8) -> String| value.bytes().map(format).collect::<String>();
    match how {
        0 => value.to_owned(),
        1 => every(&|byte| format!("\\u{byte:04x}")),
        2 => every(&|byte| format!("%{byte:02X}")),
        3 => every(&|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("\\u{byte:04X}")
            }
        }),
        4 => every(&|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02x}")
            }
        }),
        5 => every(&|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%25{byte:02x}")
            }
        }),
        6 => every(&|byte| format!("&#{byte};")),
        _ => every(&|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("&#x{byte:x};")
            }
        }),
    }
}

/// Whether a text, or what it says after up to four levels of escapes, has the value in it.
pub(super) fn holds(text: &str, value: &str) -> bool {
    let mut text = text.to_owned();
    for _ in 0..4 {
        if text.contains(value) {
            return true;
        }
        let mut plain = String::new();
        decode(&text, &mut plain, &mut Vec::new());
        text = plain;
    }
    false
}

fn words() -> impl Strategy<Value = String> {
    "[ -~é]{0,12}|[a-z]{1,8} |[a-z]{1,8}=|\\[|\\(|, "
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn redacting_again_changes_nothing(text in ".{0,80}|([ -~]{0,12}(@|=|:|-----BEGIN |%40|\\\\u0040)[ -~]{0,12}){1,4}") {
        let mut redactor = standard();
        let once = redactor.clean(&text);
        prop_assert_eq!(&*redactor.clean(&once), &*once);
    }

    #[test]
    fn pieces_of_samples_in_any_order_are_redacted_once_and_for_all(
        picks in proptest::collection::vec((0..PLANTED.len(), 0..8_usize, "[ -~]{0,6}"), 1..5)
    ) {
        let mut redactor = standard();
        let text: String = picks.iter().map(|(pick, how, glue)| written(PLANTED[*pick], *how) + glue).collect();
        let once = redactor.clean(&text);
        prop_assert_eq!(&*redactor.clean(&once), &*once);
    }

    #[test]
    fn planted_values_never_come_through(
        pick in 0..PLANTED.len(), how in 0..8_usize, place in 0..6_usize,
        before in "([a-z ,;(]{0,12}[ ,;(\\[=])?", after in "([ ,;)\\]][a-z ,;)]{0,12})?",
    ) {
        let mut redactor = standard();
        let value = PLANTED[pick];
        let text = format!("{before}{}{after}", written(value, how));
        // As the inside of a JSON string: `written` may be escaped for JSON already.
        let inside = if matches!(how, 1 | 3) { text.clone() } else { text.replace('\\', "\\\\") };
        let quoted = serde_json::to_string(&format!("{{\"k\":\"{inside}\"}}")).unwrap();
        let raw = match place {
            0 => format!("{{\"m\":\"{inside}\",\"n\":17}}"),
            1 => format!("{{\"o\":{{\"a\":[\"{inside}\"]}}}}"),
            2 => format!("{{\"{inside}\":1}}"),
            3 => format!("{{\"o\":{{\"{inside}\":true}}}}"),
            4 => format!("{{\"m\":{quoted}}}"),
            _ => String::new(),
        };
        let out = if raw.is_empty() {
            redactor.clean(&text).to_string()
        } else {
            redact_json(&mut redactor, &raw)
        };
        prop_assert!(!holds(&out, value), "{} → {}", if raw.is_empty() { text } else { raw }, out);
    }

    #[test]
    fn any_text_comes_out_as_text(text in any::<String>(), head in 0..PLANTED.len(), word in words()) {
        let mut redactor = standard();
        let text = format!("{word}{text}{}{word}", PLANTED[head]);
        let clean = redactor.clean(&text);
        prop_assert!(!clean.is_empty());
        let _ = redactor.explain(&text);
        BlockState::resumed(true).follow(&text, false);
    }

    #[test]
    fn rebuilt_json_is_json(raw in any::<String>(), key in "[a-z@.]{0,12}", number in any::<f64>()) {
        let mut redactor = standard();
        let number = if number.is_finite() { number } else { 0.0 };
        let value = serde_json::json!({ "a": raw, &key: [raw, number, null], "e": "bob@example.com" });
        let text = serde_json::json!({ "o": value }).to_string();
        let out: serde_json::Value = serde_json::from_str(&redact_json(&mut redactor, &text)).unwrap();
        prop_assert_eq!(&out["o"]["e"], "[EMAIL]");
    }
}
