//! Private keys over several records, as programs that log them line by line give them.

use super::*;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
const OTHER: &str = "2026-11-22T10:00:00Z INFO request served in 12 ms";

/// Lines like those of a key: base64 of bytes that look random.
fn body(lines: usize) -> Vec<String> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut seed = 17_u64;
    let mut letter = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(LETTERS[(seed >> 58) as usize])
    };
    (0..lines).map(|_| (0..64).map(|_| letter()).collect()).collect()
}

/// What becomes of records, one after the other.
fn redacted<'t>(records: impl IntoIterator<Item = &'t str>) -> Vec<String> {
    let (mut redactor, mut block) = (standard(), BlockState::default());
    let mut redact = |raw: &str| {
        let arena = Arena::new();
        let mut record = if raw.starts_with('{') {
            parsed(raw)
        } else {
            Record { message: Some(Text::raw(raw)), ..Record::default() }
        };
        shown(redactor.redact(raw, &mut record, &arena, &mut block)).to_string()
    };
    records.into_iter().map(&mut redact).collect()
}

/// No line of the body is left, wherever other records stand between its lines.
#[track_caller]
fn gone(before: &[&str], body: &[String], between: (usize, &[&str])) {
    for prefix in ["", "2026-11-22T10:00:00Z INFO "] {
        let (first, rest) = body.split_at(between.0);
        let lines = before.iter().copied().chain(first.iter().map(String::as_str));
        let lines = lines.chain(between.1.iter().copied());
        let lines = lines.chain(rest.iter().map(String::as_str)).chain([END]);
        let records: Vec<String> = lines.map(|line| format!("{prefix}{line}")).collect();
        let out = redacted(records.iter().map(String::as_str)).join("\n");
        for line in body {
            assert!(!out.contains(&line[8..]), "{line} in {out}");
        }
    }
}

#[test]
fn headers_and_other_threads_may_stand_before_the_first_line() {
    let pgp = "-----BEGIN PGP PRIVATE KEY BLOCK-----";
    let headers = [pgp, "Version: GnuPG v2", "Comment: x", "Hash: SHA512", ""];
    gone(&headers, &body(26), (0, &[]));
    let rsa = "-----BEGIN RSA PRIVATE KEY-----";
    let headers = [rsa, "Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,0123", ""];
    gone(&headers, &body(26), (0, &[OTHER]));
    gone(&[BEGIN], &body(26), (0, &[OTHER; 4]));
    gone(&[BEGIN], &body(26), (4, &[OTHER; 4]));
}

#[test]
fn the_last_line_goes_wherever_it_stands() {
    let last = "VpuwnbNVDpXN6iti6tOX9RM=";
    for record in [
        r#"{"msg":"out: VpuwnbNVDpXN6iti6tOX9RM=","level":"info"}"#,
        r#"{"msg":"VpuwnbNVDpXN6iti6tOX9RM=","level":"info"}"#,
        "VpuwnbNVDpXN6iti6tOX9RM= (main.go:12)",
        r#""VpuwnbNVDpXN6iti6tOX9RM=" +"#,
        r#""VpuwnbNVDpXN6iti6tOX9RM=\n" +"#,
    ] {
        let body = body(3);
        let lines = body.iter().map(String::as_str);
        let records = [BEGIN].into_iter().chain(lines).chain([record, END]);
        let out = redacted(records).join("\n");
        assert!(!out.contains(last), "{record}: {out}");
    }
}

#[test]
fn a_key_is_followed_from_string_to_string() {
    let line = "VTLw7onLRnrq0/IzW7yWR7QkrmBL7jTKEn5u+qKhbwKfBstIs+bMY2Zkp18gnTxK";
    let raw = format!(
        r#"{{"a":["-----BEGIN RSA PRIVATE KEY-----","{line}","AB12wx==","-----END RSA PRIVATE KEY-----"]}}"#
    );
    let left = redact_json(&mut standard(), &raw);
    assert!(!left.contains("VTLw7") && !left.contains("gnTxK") && !left.contains("AB12"), "{left}");
    let clean = r#"{"a":["the -----BEGIN PUBLIC KEY----- line","req4f0c5A1b9D27e6f8"]}"#;
    assert_eq!(redact_json(&mut standard(), clean), clean);
    // What it began in one text does not go on in the next.
    let mut redactor = standard();
    redactor.clean(&raw);
    assert_eq!(
        &*redactor.clean(r#"{"a":"req4f0c5A1b9D27e6f8"}"#),
        r#"{"a":"req4f0c5A1b9D27e6f8"}"#
    );
}
