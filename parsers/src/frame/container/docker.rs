//! Docker's `json-file` driver: `{"log":"…\n","stream":"stdout","time":"…"}`, with `attrs` before
//! the time when the daemon is told to add labels. Keys come in the order in which the driver
//! writes them (`daemon/logger/jsonfilelog/jsonlog/jsonlogbytes.go`), without spaces; a line that
//! differs is no line of Docker's. A text that does not end in `\n` goes on in a later line.

use memchr::{memchr, memchr2};

use super::rfc3339;
use super::{Body, Unwrapped, runtime_time};
use crate::frame::Stream;

/// What the line, given without its newline, holds. A text with escapes is decoded into `scratch`,
/// whose former content is lost.
pub(super) fn unwrap(line: &[u8], scratch: &mut Vec<u8>) -> Option<Unwrapped> {
    const LOG: &[u8] = b"{\"log\":\"";
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let log = string(line.strip_prefix(LOG)?)?;
    let (stream, rest) = stream(log.rest)?;
    let rest = match rest.strip_prefix(b"\"attrs\":{") {
        Some(attrs) => skip_attrs(attrs)?,
        None => rest,
    };
    let rest = rest.strip_prefix(b"\"time\":\"")?;
    let (nanos, time_len) = rfc3339::prefix(rest)?;
    if rest.get(time_len..)? != b"\"}" {
        return None;
    }
    // Only an escape that begins two bytes before the end is the newline's: `\\n` is none.
    let ends =
        log.last_escape.is_some_and(|at| at + 2 == log.body.len()) && log.body.ends_with(b"n");
    let kept = log.body.len() - if ends { 2 } else { 0 };
    let body = if log.escapes == usize::from(ends) {
        Body::Within(LOG.len(), LOG.len() + kept)
    } else {
        decode(log.body.get(..kept)?, scratch)?;
        Body::Decoded
    };
    Some(Unwrapped { body, stream, time: runtime_time(nanos), ends })
}

/// A JSON string, from behind its opening quote.
struct Quoted<'a> {
    /// Up to the closing quote, escapes as they stand.
    body: &'a [u8],
    /// Behind the closing quote.
    rest: &'a [u8],
    escapes: usize,
    /// Where in `body` the last escape begins.
    last_escape: Option<usize>,
}

fn string(text: &[u8]) -> Option<Quoted<'_>> {
    let (mut from, mut escapes, mut last_escape) = (0, 0, None);
    loop {
        let at = from + memchr2(b'"', b'\\', text.get(from..)?)?;
        if text.get(at) == Some(&b'"') {
            let (body, rest) = (text.get(..at)?, text.get(at + 1..)?);
            return Some(Quoted { body, rest, escapes, last_escape });
        }
        escapes += 1;
        last_escape = Some(at);
        from = at + 2;
    }
}

/// The stream, and what follows its comma.
fn stream(rest: &[u8]) -> Option<(Stream, &[u8])> {
    let rest = rest.strip_prefix(b",\"stream\":\"std")?;
    match (rest.strip_prefix(b"out\","), rest.strip_prefix(b"err\",")) {
        (Some(rest), _) => Some((Stream::Stdout, rest)),
        (_, Some(rest)) => Some((Stream::Stderr, rest)),
        _ => None,
    }
}

/// Passes the daemon's attributes, a flat object of strings, from behind its brace to behind the
/// comma that follows it.
fn skip_attrs(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        let key = string(rest.strip_prefix(b"\"")?)?;
        rest = string(key.rest.strip_prefix(b":\"")?)?.rest;
        if let Some(rest) = rest.strip_prefix(b"},") {
            return Some(rest);
        }
        rest = rest.strip_prefix(b",")?;
    }
}

/// Decodes a JSON string's body. A lone surrogate becomes U+FFFD, as in Go.
fn decode(mut body: &[u8], into: &mut Vec<u8>) -> Option<()> {
    into.clear();
    while let Some(at) = memchr(b'\\', body) {
        into.extend_from_slice(body.get(..at)?);
        let escape = *body.get(at + 1)?;
        body = body.get(at + 2..)?;
        let byte = match escape {
            b'"' | b'\\' | b'/' => escape,
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 0x08,
            b'f' => 0x0c,
            b'u' => {
                let (decoded, rest) = decode_unicode(body)?;
                into.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
                body = rest;
                continue;
            }
            _ => return None,
        };
        into.push(byte);
    }
    into.extend_from_slice(body);
    Some(())
}

/// One character from behind its `\u`, taking a second escape for the other half of a pair.
fn decode_unicode(body: &[u8]) -> Option<(char, &[u8])> {
    let (first, rest) = hex4(body)?;
    if let 0xD800..=0xDBFF = first
        && let Some((second @ 0xDC00..=0xDFFF, rest)) = rest.strip_prefix(b"\\u").and_then(hex4)
    {
        let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return Some((char::from_u32(code)?, rest));
    }
    Some((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), rest))
}

fn hex4(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_first_chunk::<4>()?;
    let mut code = 0;
    for digit in digits {
        code = code * 16 + char::from(*digit).to_digit(16)?;
    }
    Some((code, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: &str = r#","stream":"stderr","time":"2026-11-22T10:00:00.5Z"}"#;

    /// What a `log` value written in JSON stands for, and whether it ends a line.
    #[track_caller]
    fn check(log: &str, expect: Option<(&str, bool)>) {
        let line = format!(r#"{{"log":"{log}"{TAIL}"#);
        let mut scratch = b"former".to_vec();
        let got = unwrap(line.as_bytes(), &mut scratch).map(|got| {
            assert_eq!((got.stream, got.time.nanos), (Stream::Stderr, 1_795_341_600_500_000_000));
            let text = match got.body {
                Body::Within(start, end) => line[start..end].to_owned(),
                Body::Decoded => String::from_utf8(scratch).expect("UTF-8"),
            };
            (text, got.ends)
        });
        assert_eq!(got, expect.map(|(text, ends)| (text.to_owned(), ends)), "{log}");
    }

    #[test]
    fn texts() {
        check(r"text\n", Some(("text", true)));
        check(r"part", Some(("part", false)));
        check(r"\n", Some(("", true)));
        check("", Some(("", false)));
        // A backslash, then an `n`: no newline.
        check(r"part\\n", Some((r"part\n", false)));
        check(r"whole\\\n", Some((r"whole\", true)));
        check(r"a\r\n", Some(("a\r", true)));
        check(
            r#"{\"k\":\"\u003cv\u003e\/\t\b\f\"}\n"#,
            Some(("{\"k\":\"<v>/\t\u{8}\u{c}\"}", true)),
        );
        check(r"a\nb\n", Some(("a\nb", true)));
        check(r"\ud83d\ude00\n", Some(("😀", true)));
        check(r"\ud83d!\ude00\ud83d\n", Some(("\u{fffd}!\u{fffd}\u{fffd}", true)));
        check(r"\u000A", Some(("\n", false)));
    }

    #[test]
    fn broken_texts_are_ordinary() {
        for log in [r"\x41", r"\u12", r"\u12g4", r"\", "a\"b"] {
            check(log, None);
        }
    }

    #[test]
    fn text_without_escapes_is_not_copied() {
        let line = format!(r#"{{"log":"text\n"{TAIL}"#);
        let got = unwrap(line.as_bytes(), &mut Vec::new()).expect("fits");
        assert_eq!(got.body, Body::Within(8, 12));
    }

    #[test]
    fn attributes_are_passed_over() {
        let time = r#""time":"2026-11-22T10:00:00Z"}"#;
        let fits = |attrs: &str| {
            let line = format!(r#"{{"log":"x\n","stream":"stdout",{attrs}{time}"#);
            unwrap(line.as_bytes(), &mut Vec::new()).is_some()
        };
        assert!(fits(""));
        assert!(fits(r#""attrs":{"tag":"a\"b","env":""},"#));
        assert!(!fits(r#""attrs":{"tag":1},"#));
        assert!(!fits(r#""attrs":{},"#));
        assert!(!fits(r#""other":"x","#));
    }

    #[test]
    fn other_json_is_ordinary() {
        for line in [
            "",
            "{}",
            r#"{"log":"x\n"}"#,
            r#"{"log": "x\n","stream":"stdout","time":"2026-11-22T10:00:00Z"}"#,
            r#"{"stream":"stdout","log":"x\n","time":"2026-11-22T10:00:00Z"}"#,
            r#"{"log":"x\n","stream":"stdin","time":"2026-11-22T10:00:00Z"}"#,
            r#"{"log":"x\n","stream":"stdout","time":"yesterday"}"#,
            r#"{"log":"x\n","stream":"stdout","time":"2026-11-22T10:00:00Z","more":1}"#,
            r#"{"log":"x\n","stream":"stdout","time":"2026-11-22T10:00:00Z"} "#,
            r#"{"log":"x"#,
        ] {
            assert_eq!(unwrap(line.as_bytes(), &mut Vec::new()), None, "{line}");
        }
    }
}
