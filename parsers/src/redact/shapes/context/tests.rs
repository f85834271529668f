//! Words before a value are found by windows as by letters.

use super::*;
use crate::redact::detect::tests::value;
use proptest::prelude::*;

fn contexts() -> Contexts {
    let mut contexts = Contexts::default();
    for (slot, words) in [
        "cpf",
        "tax id",
        "passport number",
        "n\u{fa}mero",
        "id",
        &"a".repeat(100),
        &"\u{e01}".repeat(40),
    ]
    .iter()
    .enumerate()
    {
        let _ = contexts.slot();
        contexts.add(words, u8::try_from(slot).ok());
    }
    contexts
}

/// The same, going back letter by letter.
fn near_by_letters(contexts: &Contexts, view: View<'_>, at: usize) -> Vec<(u32, Slots)> {
    let from = view.run_back(at, usize::MAX, |byte| byte.is_ascii_whitespace());
    let before = view.bytes.get(from.saturating_sub(REACH_ESCAPED)..from).unwrap_or_default();
    let escaped = !view.bounded && before.iter().any(|byte| matches!(byte, b'\\' | b'%'));
    let first = from.saturating_sub(if escaped { REACH_ESCAPED } else { REACH });
    let base = first.saturating_sub(LONGEST_WORD);
    let mut near = Near::default();
    let mut close = |start: usize, end: usize, before: u8| {
        let word = |from: usize| view.bytes.get(from..end).unwrap_or_default();
        contexts.known(view, hash_of(word(start).iter().copied()), (start, end), at, &mut near);
        if matches!(before, b'\\' | b'[' | b';' | b'0'..=b'9') {
            let shorter = hash_of(word(start + 1).iter().copied());
            contexts.known(view, shorter, (start + 1, end), at, &mut near);
        }
    };
    let (mut end, mut next, mut second) = (None, 0, 0);
    for place in (base..from).rev() {
        let byte = view.at(place);
        if let Some(known) = end
            && (!is_letter(byte) || parts(byte, next, second))
        {
            close(place + 1, known, byte);
            end = None;
            if place < first {
                return near.found().collect();
            }
        }
        if is_letter(byte) {
            end = end.or(Some(place + 1));
        } else if place < first {
            return near.found().collect();
        }
        (second, next) = (next, byte);
    }
    if let Some(known) = end {
        close(base, known, 0);
    }
    near.found().collect()
}

proptest! {
    #[test]
    fn windows_hide_no_word(
        parts in prop::collection::vec("cpf|CPF|taxId|tax_id|passport number|n\u{fa}mero|ID|xid|aCPF|[a-z]{1,9}|a{90,150}|\u{e01}{30,50}|[A-Z]{1,3}|[0-9]{1,4}|[ :\"=/_-]|\\\\n|%20", 0..80),
        bounded: bool,
    ) {
        let text = parts.concat() + "1";
        let view = View { bounded, ..value(&text) };
        let (contexts, at) = (contexts(), text.len() - 1);
        let near: Vec<_> = contexts.near(view, at).found().collect();
        prop_assert_eq!(near, near_by_letters(&contexts, view, at));
    }
}
