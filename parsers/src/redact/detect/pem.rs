//! Private keys in PEM, OpenSSH and PGP armour: in one text, with real or escaped newlines, or over
//! several records.

use std::ops::Range;

use memchr::memmem;

use super::{Masks, View};

/// Whether a private key's BEGIN line starts at `at`, a run of hyphens; its end if so.
fn begins_key(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let hyphens = rest.iter().take_while(|byte| **byte == b'-').count();
    let label = rest.get(hyphens..)?;
    let label = label.strip_prefix(b" ").unwrap_or(label).strip_prefix(b"BEGIN ")?;
    let label = label.get(..label.len().min(64))?;
    let length = label
        .iter()
        .take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || **byte == b' ')
        .count();
    memmem::find(label.get(..length)?, b"PRIVATE KEY")?;
    let start = bytes.len() - rest.len() + hyphens;
    Some(start + rest.get(hyphens..)?.len().min(length + 7))
}

/// A private key whose BEGIN line starts at `at`: through its END line, or to the end of the text.
pub(in super::super) fn private_key(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let body = begins_key(view.bytes, at)?;
    let start = view.run_back(at, usize::MAX, |byte| byte == b'-');
    let end = match memmem::find(view.bytes.get(body..)?, b"END ") {
        Some(found) => {
            let label = view.run(body + found, 64, |byte| byte != b'-');
            view.run(label, 8, |byte| byte == b'-')
        }
        None => view.bytes.len(),
    };
    Some(start..end)
}

/// Whether a raw record leaves a private key open: `None` if it neither begins nor ends one.
pub(in super::super) fn still_open(raw: &str) -> Option<bool> {
    let bytes = raw.as_bytes();
    memmem::find(bytes, b"PRIVATE KEY")?;
    let last_end = memmem::rfind(bytes, b"---END ").or_else(|| memmem::rfind(bytes, b"--- END "));
    let mut open = last_end.map(|_| false);
    for found in memmem::find_iter(bytes, b"BEGIN ") {
        let before = bytes.get(..found).unwrap_or_default();
        let before = before.strip_suffix(b" ").unwrap_or(before);
        let hyphens = before.iter().rposition(|byte| *byte != b'-').map_or(0, |last| last + 1);
        if hyphens + 4 <= before.len()
            && begins_key(bytes, hyphens).is_some()
            && last_end.is_none_or(|end| end < found)
        {
            open = Some(true);
        }
    }
    open
}

/// Bytes of a line of key material that is not the last one.
const LONG: usize = 40;

/// Within a private key that began in an earlier record: the parts of a text that look like more of
/// it. Also tells whether any is surely so.
pub(in super::super) fn key_material(text: &str) -> (Vec<Range<usize>>, bool) {
    let masks = Masks::default();
    let view = View { bytes: text.as_bytes(), bounded: true, masks: &masks };
    let is_material = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let mut found = Vec::new();
    let mut sure = false;
    if let Some(end) = memmem::find(view.bytes, b"END ")
        && let Some(hyphen) = memmem::find(view.bytes, b"--")
        && hyphen < end
    {
        // The END line, and what of the key stands before it in the same record.
        let start = view.run_back(hyphen, usize::MAX, |byte| {
            is_material(byte) || matches!(byte, b'\\' | b'\n' | b'\r' | b'-')
        });
        let label = view.run(end, 64, |byte| byte != b'-');
        found.push(start..view.run(label, 8, |byte| byte == b'-'));
        sure = true;
    }
    let trimmed = text.trim_ascii();
    let mut place = 0;
    while place < view.bytes.len() {
        let start = view.run(place, usize::MAX, |byte| !is_material(byte));
        let end = view.run(start, usize::MAX, is_material);
        place = end.max(place + 1);
        let run = view.bytes.get(start..end).unwrap_or_default();
        let whole = !run.is_empty() && run.len() == trimmed.len();
        let last = end == text.trim_ascii_end().len()
            && run.len() >= 8
            && (run.iter().any(|byte| matches!(byte, b'+' | b'/' | b'='))
                || (run.iter().any(u8::is_ascii_digit) && run.iter().any(u8::is_ascii_uppercase)));
        if run.len() >= LONG || whole || last {
            sure |= run.len() >= LONG || whole;
            found.push(start..end);
        }
    }
    (found, sure)
}

#[cfg(test)]
mod tests {
    use super::super::tests::value;
    use super::*;

    const KEY: &str = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----";

    #[test]
    fn a_key_is_found_through_its_end() {
        assert_eq!(private_key(value(KEY), 0), Some(0..KEY.len()));
        let escaped = KEY.replace('\n', "\\n");
        assert_eq!(private_key(value(&escaped), 0), Some(0..escaped.len()));
        let cut = &KEY[..36];
        assert_eq!(private_key(value(cut), 0), Some(0..36));
        let ssh2 = "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nP2/56w\n---- END SSH2 ENCRYPTED PRIVATE KEY ---- x";
        assert_eq!(private_key(value(ssh2), 0).map(|found| &ssh2[found.end..]), Some(" x"));
    }

    #[test]
    fn certificates_and_rules_are_left() {
        for text in ["-----BEGIN CERTIFICATE-----\nMIIC", "-----BEGIN PUBLIC KEY-----", "---------"]
        {
            assert_eq!(private_key(value(text), 0), None, "{text}");
        }
    }

    #[test]
    fn a_record_opens_or_closes_a_key_or_does_neither() {
        assert_eq!(still_open("10:00 -----BEGIN PRIVATE KEY-----"), Some(true));
        assert_eq!(still_open(KEY), Some(false));
        assert_eq!(still_open("-----END PRIVATE KEY-----"), Some(false));
        assert_eq!(still_open("MIIEow"), None);
        assert_eq!(still_open(&format!("{KEY} {}", &KEY[..36])), Some(true));
        assert_eq!(still_open("BEGIN TRANSACTION"), None);
    }

    #[test]
    fn material_is_told_from_ordinary_lines() {
        let check = |text: &str, expect: &[&str], sure: bool| {
            let (found, told) = key_material(text);
            let found: Vec<&str> = found.into_iter().map(|range| &text[range]).collect();
            assert_eq!((found.as_slice(), told), (expect, sure), "{text}");
        };
        let line = "MIIEpAIBAAKCAQEA7bq5nHq0wq8Wn1w3b3f4m2Jm1kq0F3XkqY5l8t7C6Pp0aZ1x";
        check(line, &[line], true);
        check(&format!("10:00 INFO {line}"), &[line], true);
        check("AB12==", &["AB12=="], true);
        check("10:00 INFO request served", &[], false);
    }
}
