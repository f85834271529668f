//! Words before a value are found by windows as by letters.

use super::*;
use crate::redact::detect::tests::value;
use proptest::prelude::*;

fn contexts() -> Contexts {
    let mut contexts = Contexts::default();
    for (slot, words) in
        ["cpf", "tax id", "passport number", "n\u{fa}mero", "id"].iter().enumerate()
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
    let reach = if escaped { REACH_ESCAPED } else { REACH };
    let ends = (from.saturating_sub(reach)..=from).rev().filter(|&end| {
        let (last, next) = (view.before(end, 1), view.at(end));
        let inside = end < from && is_letter(next) && !parts(last, next, view.at(end + 1));
        is_letter(last) && !inside
    });
    let mut near = Near::default();
    for end in ends {
        let letters = view.run_back(end, LONGEST_WORD, is_letter);
        let begins = |&at: &usize| {
            // What stands behind the word is none of it.
            let second = if at + 1 < end { view.at(at + 1) } else { 0 };
            parts(view.before(at, 1), view.at(at), second)
        };
        let start = (letters + 1..end).rev().find(begins).unwrap_or(letters);
        let word = |from: usize| view.bytes.get(from..end).unwrap_or_default();
        contexts.known(view, hash_of(word(start).iter().copied()), (start, end), at, &mut near);
        if matches!(view.before(start, 1), b'\\' | b'[' | b';' | b'0'..=b'9') {
            let shorter = hash_of(word(start + 1).iter().copied());
            contexts.known(view, shorter, (start + 1, end), at, &mut near);
        }
    }
    near.found().collect()
}

proptest! {
    #[test]
    fn windows_hide_no_word(
        parts in prop::collection::vec("cpf|CPF|taxId|tax_id|passport number|n\u{fa}mero|ID|xid|aCPF|[a-z]{1,9}|[A-Z]{1,3}|[0-9]{1,4}|[ :\"=/_-]|\\\\n|%20", 0..80),
        bounded: bool,
    ) {
        let text = parts.concat() + "1";
        let view = View { bounded, ..value(&text) };
        let (contexts, at) = (contexts(), text.len() - 1);
        let near: Vec<_> = contexts.near(view, at).found().collect();
        prop_assert_eq!(near, near_by_letters(&contexts, view, at));
    }
}
