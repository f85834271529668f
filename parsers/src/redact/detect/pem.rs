//! Private keys in PEM, OpenSSH and PGP armour: in one text, with real or escaped newlines, or over
//! several records.

use std::ops::Range;

use memchr::memmem;

use super::name::Assigned;
use super::{Masks, View};

/// Whether a private key's BEGIN line starts at `at`, a run of hyphens; its end if so.
fn begins_key(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let hyphens = rest.iter().take_while(|byte| **byte == b'-').count();
    let label = rest.get(hyphens..)?;
    let label = label.strip_prefix(b" ").unwrap_or(label).strip_prefix(b"BEGIN")?;
    let label = label.get(..label.len().min(64))?;
    // In a query a blank is written as `+`.
    let blank = |byte: &u8| matches!(byte, b' ' | b'+');
    let length = label
        .iter()
        .take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || blank(byte))
        .count();
    let label = label.get(..length)?;
    let word = memmem::find(label, b"PRIVATE")? + b"PRIVATE".len();
    let private = label.first().is_some_and(blank)
        && label.get(word).is_some_and(blank)
        && label.get(word + 1..)?.starts_with(b"KEY");
    let start = bytes.len() - rest.len() + hyphens;
    private.then(|| start + rest.len().saturating_sub(hyphens).min(length + 6))
}

/// The first END line from `from` on: hyphens, `END`, a label, hyphens.
fn end_line(view: View<'_>, from: usize) -> Option<Range<usize>> {
    let rest = view.bytes.get(from..)?;
    memmem::find_iter(rest, b"END").find_map(|found| {
        let end = from + found;
        let blank = end - usize::from(matches!(view.before(end, 1), b' ' | b'+'));
        let hyphens = view.run_back(blank, 8, |byte| byte == b'-');
        let ends = hyphens + 2 <= blank && matches!(view.at(end + 3), b' ' | b'+');
        let label = view.run(end, 64, |byte| byte != b'-');
        ends.then(|| hyphens..view.run(label, 8, |byte| byte == b'-'))
    })
}

/// A private key whose BEGIN line starts at `at`: through its END line, or to the end of the text.
pub(in super::super) fn private_key(view: View<'_>, at: usize) -> Option<Range<usize>> {
    let body = begins_key(view.bytes, at)?;
    let start = view.run_back(at, usize::MAX, |byte| byte == b'-');
    Some(start..end_line(view, body).map_or(view.bytes.len(), |line| line.end))
}

/// A key in PuTTY's format, behind `Private-Lines:`, through its `Private-MAC:` or to the end of the text.
pub(in super::super) fn putty(view: View<'_>, assigned: &Assigned<'_>) -> Option<Range<usize>> {
    let from = assigned.value;
    let last = assigned.key.eq_ignore_ascii_case("Private-MAC");
    if !(last || assigned.key.eq_ignore_ascii_case("Private-Lines")) {
        return None;
    }
    let rest = view.bytes.get(from..)?;
    let mac =
        if last { Some(0) } else { memmem::find(rest, PUTTY_END).map(|at| at + PUTTY_END.len()) };
    let end = mac.map_or(view.bytes.len(), |at| {
        let blanks = view.run(from + at, 8, |byte| byte == b' ');
        view.run(blanks, 128, |byte| byte.is_ascii_hexdigit())
    });
    (from < end && !view.masks.has(view.bytes.get(from..end)?)).then_some(from..end)
}

/// What begins the lines of a key in PuTTY's format, and what ends them.
const PUTTY_BEGIN: &[u8] = b"Private-Lines:";
const PUTTY_END: &[u8] = b"Private-MAC:";

/// Whether a raw record leaves a private key open: `None` if it neither begins nor ends one.
pub(in super::super) fn still_open(raw: &str) -> Option<bool> {
    let bytes = raw.as_bytes();
    let keys = [b"PRIVATE KEY", PUTTY_BEGIN, PUTTY_END];
    let is_named = |at: usize| {
        keys.iter().any(|key| bytes.get(at..).is_some_and(|rest| rest.starts_with(key)))
    };
    if !memchr::memchr_iter(b'P', bytes).any(is_named) {
        return None;
    }
    if let Some(begin) = memmem::rfind(bytes, PUTTY_BEGIN) {
        return Some(memmem::rfind(bytes, PUTTY_END).is_none_or(|end| end < begin));
    }
    if memmem::find(bytes, PUTTY_END).is_some() {
        return Some(false);
    }
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

/// Bytes of a run of base64 that may be told from words wherever it stands.
const MIDDLE: usize = 16;

/// What base64 is made of, its padding included.
const fn is_material(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// What a byte of base64 is: a capital, a small letter, a digit, or another.
const fn kind(byte: u8) -> u8 {
    match byte {
        b'A'..=b'Z' => 0,
        b'a'..=b'z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    }
}

/// Whether a run changes its kind of byte as often as chance has it, and words do not.
pub(super) fn is_varied(run: &[u8]) -> bool {
    let changes = run.windows(2).filter(|pair| kind(pair[0]) != kind(pair[1])).count();
    changes * 3 >= run.len()
}

/// Whether a run of base64 is a line of key material rather than a path, a word or a hash: chance
/// gives it capitals, small letters and digits, few slashes, and in a long one no words.
fn is_mixed(run: &[u8]) -> bool {
    let has = |wanted: u8| run.iter().any(|&byte| kind(byte) == wanted);
    let slashes = run.iter().filter(|byte| **byte == b'/').count();
    let words = run.len() >= LONG && !is_varied(run);
    has(0) && has(1) && has(2) && slashes <= run.len() / 10 && !words
}

/// Whether a run ends in base64's padding, and is not a name before `=`.
fn is_padded(run: &[u8]) -> bool {
    let Some(text) = run.strip_suffix(b"==").or_else(|| run.strip_suffix(b"=")) else {
        return false;
    };
    run.len() >= 4 && text.windows(2).any(|pair| kind(pair[0]) != kind(pair[1]))
}

/// The runs of base64 in a text. Padding ends one: what follows `name=` is a run of its own.
fn runs(view: View<'_>) -> impl Iterator<Item = Range<usize>> {
    let mut place = 0;
    std::iter::from_fn(move || {
        let start = view.run(place, usize::MAX, |byte| !is_material(byte));
        let letters = view.run(start, usize::MAX, |byte| byte != b'=' && is_material(byte));
        place = view.run(letters, 2, |byte| byte == b'=');
        (start < place).then_some(start..place)
    })
}

/// What a raw record tells about a private key that began in an earlier one.
#[derive(Debug, Default)]
pub(in super::super) struct Material {
    /// Whether the record is nothing but base64: then it is a line of the key, however short.
    whole: bool,
    /// Whether the record holds what is surely more of the key.
    pub(in super::super) sure: bool,
}

impl Material {
    /// Looks at a raw record.
    pub(in super::super) fn of(raw: &str) -> Self {
        let masks = Masks::default();
        let view = View { bytes: raw.as_bytes(), bounded: true, masks: &masks };
        let trimmed = raw.trim_ascii().as_bytes();
        let whole = !trimmed.is_empty() && trimmed.iter().all(|&byte| is_material(byte));
        let long =
            |run: Range<usize>| run.len() >= LONG && view.bytes.get(run).is_some_and(is_mixed);
        Self { whole, sure: whole || end_line(view, 0).is_some() || runs(view).any(long) }
    }

    /// The parts of a text cut out of the record that are more of the key. The last line of one is
    /// shorter than the others: at the end of a text its place gives it away.
    pub(in super::super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let masks = Masks::default();
        let view = View { bytes: text.as_bytes(), bounded: true, masks: &masks };
        let mut found = Vec::new();
        if let Some(line) = end_line(view, 0) {
            // The END line, and what of the key stands before it in the same record.
            let start = view.run_back(line.start, usize::MAX, |byte| {
                is_material(byte) || matches!(byte, b'\\' | b'\n' | b'\r' | b'-')
            });
            found.push(start..line.end);
        }
        let text_end = text.trim_ascii_end().len();
        let trimmed = text.trim_ascii().as_bytes();
        if self.whole && trimmed.iter().all(|&byte| is_material(byte)) {
            found.push(text_end - trimmed.len()..text_end);
            return found;
        }
        found.extend(runs(view).filter(|run| {
            let bytes = view.bytes.get(run.clone()).unwrap_or_default();
            let (mixed, padded) = (is_mixed(bytes), is_padded(bytes));
            let last = run.end == text_end && (padded || (mixed && bytes.len() >= 8));
            // `name=value` has no padding, nor has `name="value"` the length of padded base64.
            let padded = padded && bytes.len().is_multiple_of(4) && !is_material(view.at(run.end));
            last || (bytes.len() >= MIDDLE && is_varied(bytes) && (mixed || padded))
        }));
        found
    }
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
    fn words_that_end_in_end_are_no_end() {
        let text =
            "-----BEGIN PRIVATE KEY-----\nBACKEND started\nMIIEow\n-----END PRIVATE KEY----- x";
        let found = private_key(value(text), 0).unwrap();
        assert_eq!(&text[found.end..], " x");
        let query = "-----BEGIN+RSA+PRIVATE+KEY-----%0AMIIE%0A-----END+RSA+PRIVATE+KEY-----&x=1";
        let found = private_key(value(query), 0).unwrap();
        assert_eq!(&query[found.end..], "&x=1");
    }

    #[test]
    fn material_is_told_from_ordinary_lines() {
        let check = |raw: &str, text: &str, expect: &[&str], sure: bool| {
            let material = Material::of(raw);
            let found: Vec<&str> =
                material.find(text).into_iter().map(|range| &text[range]).collect();
            assert_eq!((found.as_slice(), material.sure), (expect, sure), "{raw}: {text}");
        };
        let line = "MIIEpAIBAAKCAQEA7bq5nHq0wq8Wn1w3b3f4m2Jm1kq0F3XkqY5l8t7C6Pp0aZ1x";
        check(line, line, &[line], true);
        let prefixed = format!("10:00 INFO {line}");
        check(&prefixed, &prefixed, &[line], true);
        check(&format!("{{\"m\":\"{line}\"}}"), line, &[line], true);
        let first = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
        check(&format!("{first} x"), first, &[first], true);
        check("AB12==", "AB12==", &["AB12=="], true);
        check("10:00 INFO AB12wx3==", "AB12wx3==", &["AB12wx3=="], false);
        check("10:00 INFO request served", "10:00 INFO request served", &[], false);
        // What is short and stands somewhere, and what only has the look of padding.
        let short = "VpuwnbNVDpXN6iti6tOX9RM=";
        for text in [
            format!("out: {short}"),
            format!("{short} (main.go:12)"),
            format!("\"{short}\" +"),
            format!("\"{short}\\n\" +"),
        ] {
            check(&format!("{{\"m\":\"{text}\",\"level\":\"info\"}}"), &text, &[short], false);
            check(&text, &text, &[short], false);
        }
        check("x out: kQ3wxB8", "out: kQ3wxB8A", &["kQ3wxB8A"], false);
        for text in [
            "done status=200",
            "customerId=471100",
            "sessionIdentifier=\"x\" userIdentifier=\"y\"",
            "took 12ms in OrderManagementServiceImpl2 of web-1",
            "waiting for count=",
            "id 550e8400-e29b-41d4-a716-446655440000",
            "20261122T100000Z",
        ] {
            check(&format!("{text} ."), text, &[], false);
        }
        // What a record of many fields is made of.
        let path = "/api/v1/products/Reviews/ABCDEFGHIJKLMNOPQRSTUVWXYZ/1234567890/pictures";
        check(&format!("{path} 200"), path, &[], false);
        let access = "GET /api/v1/products/1234567890/Reviews/abcdef/Pictures 4f0c5a1b9d27e6f80c5a1b9d27e6f80c5a1b9d27e6";
        for value in ["GET", "/api/v1/products/1234567890/Reviews/abcdef/Pictures", access] {
            check(&format!("{access} 200"), value, &[], false);
        }
    }
}
