//! Passwords that only their place among the arguments tells: `htpasswd -b FILE bob hunter2`.

use std::ops::Range;

use super::super::View;
use super::super::command::ABOUT;
use super::{argument, given, is_quote, is_secret, slashes};

/// Arguments that are looked at, and bytes of them, and of the command before.
const ARGUMENTS: usize = 12;
const WINDOW: usize = 512;
const BEFORE: usize = 96;

/// Options of `htpasswd` that take an argument of their own.
const VALUED: [u8; 2] = *b"Cr";

/// The password of a call of `htpasswd` whose option that says there is one has its letters at a place.
pub(super) fn placed(view: View<'_>, letters: Range<usize>) -> Option<Range<usize>> {
    // The password itself may be longer.
    let near = view.bytes.get(..view.bytes.len().min(letters.end + WINDOW))?;
    let near = View { bytes: near, ..view };
    let flags = view.bytes.get(letters.clone())?;
    let mut left = if flags.contains(&b'n') || prints(view, letters.start) { 2 } else { 3 };
    let mut skips = flags.last().is_some_and(|last| VALUED.contains(last));
    let mut place = argument(near, letters.end)?;
    for _ in 0..ARGUMENTS {
        let range = given(near, place);
        match near.bytes.get(range.clone())? {
            // The command's end, or a sentence that speaks of it.
            [] | [b'&' | b'|' | b'>' | b'<' | b';' | b'(', ..] => return None,
            [.., b':' | b','] if left > 1 => return None,
            word if range.start == place && is_about(word) => return None,
            [b'-', flags @ ..] if !skips && !flags.is_empty() => {
                left -= usize::from(flags.contains(&b'n') && left == 3);
                skips = flags.last().is_some_and(|last| VALUED.contains(last));
            }
            _ if skips => skips = false,
            _ if left > 1 => left -= 1,
            _ => {
                let password = given(view, place);
                return is_secret(view, &password).then_some(password);
            }
        }
        place = next(near, place, &range)?;
    }
    None
}

fn is_about(word: &[u8]) -> bool {
    ABOUT.iter().any(|about| word.eq_ignore_ascii_case(about))
}

/// Whether an option before this one says that there is no file: `-n`.
fn prints(view: View<'_>, at: usize) -> bool {
    let before = view.bytes.get(at.saturating_sub(BEFORE)..at).unwrap_or_default();
    let called = memchr::memmem::rfind(before, b"htpasswd").unwrap_or(before.len());
    let mut words = before
        .get(called..)
        .unwrap_or_default()
        .split(|byte| matches!(byte, b' ' | b'"' | b'\'' | b',' | b'\\'));
    words.any(|word| word.starts_with(b"-") && word.contains(&b'n'))
}

/// Where the argument behind one begins that begins at a place itself.
fn next(view: View<'_>, place: usize, range: &Range<usize>) -> Option<usize> {
    // In a shell's command one may have quotes, and the next none.
    let apart = || {
        let quote = slashes(view, range.end);
        let blanks = view.run(quote + 1, 16, |byte| byte == b' ');
        let quoted = range.start > place && is_quote(view.at(quote));
        (quoted && blanks > quote + 1).then_some(blanks)
    };
    argument(view, range.end).or_else(apart)
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::value;
    use super::super::{Called, letter, may_be_letter};

    #[test]
    fn the_password_of_htpasswd_is_found_by_its_place() {
        let check = |text: &str, expect: Option<&str>| {
            let mut places = (0..text.len()).filter(|&at| may_be_letter(value(text), at));
            let found = places.find_map(|at| letter(value(text), at, &mut Called::default()));
            assert_eq!(found.map(|range| &text[range]), expect, "{text}");
        };
        check("htpasswd -b /etc/nginx/users bob hunter2", Some("hunter2"));
        check("/usr/bin/htpasswd -cb users bob hunter2 && x", Some("hunter2"));
        check("htpasswd -nb bob hunter2", Some("hunter2"));
        check("htpasswd -nbB bob hunter2", Some("hunter2"));
        check("htpasswd -nbBC 10 bob hunter2", Some("hunter2"));
        check("htpasswd -n -b bob hunter2", Some("hunter2"));
        check("htpasswd -b -n bob hunter2", Some("hunter2"));
        check("htpasswd -b -B -C 12 users bob 'hun ter2'", Some("hun ter2"));
        check("htpasswd -b '/etc/a b' bob hunter2", Some("hunter2"));
        check("htpasswd -b users bob hun\\ter2", Some("hun\\ter2"));
        check("['htpasswd', '-b', 'users', 'bob', 'hunter2']", Some("hunter2"));
        check(r#"{\"c\":[\"htpasswd\",\"-nb\",\"bob\",\"hunter2\"]}"#, Some("hunter2"));
        check(r#"a0="htpasswd" a1="-b" a2="users" a3="bob" a4="hunter2""#, Some("hunter2"));
        let long = "k".repeat(600);
        check(&format!("htpasswd -nb bob {long}"), Some(&long));
        for text in [
            "htpasswd -b users bob",
            "htpasswd -b users bob && rm x",
            "htpasswd -b users bob > x",
            "'htpasswd -b users bob' failed",
            "htpasswd -B users bob hunter2",
            "htpasswd -b users bob [PASSWORD]",
            "htpasswd -b users bob '[PASSWORD]'",
            "htpasswd -b users bob $PASSWORD",
            "htpasswd -b users bob ${PASSWORD}",
            "htpasswd -b was called without a user",
            "htpasswd -b users bob: no such file",
            "grep -b users bob hunter2",
        ] {
            check(text, None);
        }
    }
}
