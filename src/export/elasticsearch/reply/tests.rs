//! Bulk replies as the servers write them, and as they must not be believed.

use super::*;

fn reply(status: u16, body: &str, sent: u32, lenient: bool) -> Outcome {
    Bulk { status, retry_after: None, body: body.as_bytes(), sent, lenient }.outcome()
}

fn not_an_ack() -> Outcome {
    Outcome::Retry { class: RetryClass::Reply, after: None }
}

fn refused(status: u16, error: &str) -> Verdict {
    Verdict::Refused(Refusal { status, error: Some(Arc::from(error)) })
}

fn doubted(status: u16, error: Option<&str>) -> Verdict {
    Verdict::Doubted(Refusal { status, error: error.map(Arc::from) })
}

/// A strict reply of items, each given as the inside of its sole member.
#[track_caller]
fn check(items: &[&str], expect: &[Verdict]) {
    let items: Vec<_> = items.iter().map(|item| format!(r#"{{"create":{{{item}}}}}"#)).collect();
    let body = format!(r#"{{"took":3,"errors":true,"items":[{}]}}"#, items.join(","));
    let sent = u32::try_from(items.len()).expect("few");
    assert_eq!(reply(200, &body, sent, false), Outcome::Records(expect.to_vec()));
}

#[test]
fn each_item_has_its_own_verdict() {
    check(
        &[
            r#""status":201"#,
            r#""status":409,"error":{"type":"version_conflict_engine_exception"}"#,
            r#""status":429,"error":{"type":"es_rejected_execution_exception","reason":"secret"}"#,
            r#""status":400,"error":{"reason":"value 'secret'","type":"document_parsing_exception"}"#,
            r#""status":413"#,
            r#""status":503"#,
            r#""status":408"#,
            r#""status":201,"failure_store":"used""#,
            r#""status":201,"failure_store":"not_enabled""#,
            r#""status":403,"error":{"type":"security_exception"}"#,
            r#""status":404,"error":{"type":"index_not_found_exception"}"#,
            r#""status":429,"error":{"type":"cluster_block_exception"}"#,
        ],
        &[
            Verdict::Delivered,
            Verdict::Duplicate,
            Verdict::Retry(RetryClass::Overload),
            refused(400, "document_parsing_exception"),
            Verdict::Refused(Refusal { status: 413, error: None }),
            Verdict::Retry(RetryClass::Server),
            Verdict::Retry(RetryClass::Server),
            Verdict::FailureStore,
            Verdict::Delivered,
            Verdict::Pause(PauseClass::Forbidden),
            Verdict::Pause(PauseClass::NotFound),
            Verdict::Pause(PauseClass::Blocked),
        ],
    );
}

#[test]
fn an_error_may_be_anything_and_only_a_word_of_it_is_kept() {
    check(
        &[
            r#""status":400,"error":"no such thing as 'alice'""#,
            r#""status":400,"error":{"type":"Alice Miller"}"#,
            r#""error":{"type":"a_b"},"status":400,"_index":".ds-x""#,
        ],
        &[doubted(400, None), doubted(400, None), doubted(400, Some("a_b"))],
    );
}

#[test]
fn all_stored_is_delivered_whatever_the_key_and_the_spaces() {
    let body = r#" { "errors" : false , "items" : [ {"index":{"status":201}}, {"create":{"status":200}} ] } "#;
    assert_eq!(reply(200, body, 2, false), Outcome::Delivered);
}

#[test]
fn what_is_not_a_whole_reply_is_no_ack() {
    for body in [
        "",
        "{}",
        "[]",
        "<html>ok</html>",
        r#"{"errors":false}"#,
        r#"{"errors":false,"items":[]}"#,
        r#"{"items":[{"create":{"status":201}}]}"#,
        r#"{"items":[{"create":{"status":201}},{"create":{"status":201}},{"create":{"status":201}}]}"#,
        r#"{"items":[{"create":{"status":201}},{}]}"#,
        r#"{"items":[{"create":{"status":201}},{"a":{"status":201},"b":{"status":201}}]}"#,
        r#"{"items":[{"create":{"status":201}},{"create":{}}]}"#,
        r#"{"items":[{"create":{"status":201}},{"create":{"status":201}}]"#,
        r#"{"items":[{"create":{"status":201}},{"create":{"status":201}}]}{"#,
        r#"{"error":"bad","items":[{"create":{"status":201}},{"create":{"status":201}}]}"#,
    ] {
        assert_eq!(reply(200, body, 2, false), not_an_ack(), "{body}");
    }
}

#[test]
fn every_truncation_of_a_reply_is_no_ack() {
    let body = r#"{"errors":false,"items":[{"create":{"status":201}},{"create":{"status":201}}]}"#;
    for end in 0..body.len() {
        assert_eq!(reply(200, &body[..end], 2, false), not_an_ack(), "{}", &body[..end]);
    }
}

#[test]
fn a_lenient_server_is_believed_in_what_it_does_not_say() {
    for body in ["", "{}", r#"{"errors":false}"#, r#"{"items":[{"index":{"status":201}}]}"#] {
        assert_eq!(reply(200, body, 3, true), Outcome::Delivered, "{body}");
    }
    let failed = r#"{"errors":true,"items":[{"index":{"status":400}}]}"#;
    assert_eq!(reply(200, failed, 3, true), Outcome::Unattributed { refused: 1 });
    for body in [r#"{"error":"no auth"}"#, r#"{"items":"#, "<html>"] {
        assert_eq!(reply(200, body, 3, true), not_an_ack(), "{body}");
    }
}

#[test]
fn a_whole_answer_is_classified_by_what_to_do() {
    let error = |kind: &str| format!(r#"{{"error":{{"type":"{kind}","reason":"x"}},"status":0}}"#);
    let retry = |class| Outcome::Retry { class, after: None };
    let poisoned =
        |kind: &str| Outcome::Poisoned(Refusal { status: 400, error: Some(Arc::from(kind)) });
    let anonymous = Outcome::Poisoned(Refusal { status: 400, error: None });
    for (status, body, expect) in [
        (400, error("x_content_parse_exception"), poisoned("x_content_parse_exception")),
        (400, r#"{"error":"no handler"}"#.into(), anonymous),
        (400, "<html>plain HTTP to HTTPS port".into(), Outcome::Pause(PauseClass::Unexpected)),
        (401, error("security_exception"), Outcome::Pause(PauseClass::Unauthorized)),
        (403, String::new(), Outcome::Pause(PauseClass::Forbidden)),
        (403, error("cluster_block_exception"), Outcome::Pause(PauseClass::Blocked)),
        (404, String::new(), Outcome::Pause(PauseClass::NotFound)),
        (406, String::new(), Outcome::Pause(PauseClass::Unacceptable)),
        (302, String::new(), Outcome::Pause(PauseClass::Redirected)),
        (413, String::new(), Outcome::TooLarge { status: 413, overload: false }),
        (429, error("es_rejected_execution_exception"), retry(RetryClass::Overload)),
        (
            429,
            error("circuit_breaking_exception"),
            Outcome::TooLarge { status: 429, overload: true },
        ),
        (429, error("cluster_block_exception"), Outcome::Pause(PauseClass::Blocked)),
        (502, "<html>".into(), retry(RetryClass::Server)),
        (503, String::new(), retry(RetryClass::Server)),
        (503, error("cluster_block_exception"), retry(RetryClass::Server)),
        (204, String::new(), not_an_ack()),
        (418, String::new(), Outcome::Pause(PauseClass::Unexpected)),
    ] {
        assert_eq!(reply(status, &body, 2, false), expect, "{status} {body}");
    }
}

/// By the kind of error alone: one record that is refused may be any record.
#[test]
fn what_only_a_record_can_cause_is_told_from_what_a_request_may() {
    let item = |kind: &str| format!(r#""status":400,"error":{{"type":"{kind}"}}"#);
    for kind in [
        "document_parsing_exception",
        "mapper_parsing_exception",
        "strict_dynamic_mapping_exception",
    ] {
        check(&[&item(kind)], &[refused(400, kind)]);
    }
    let kind = "illegal_argument_exception";
    check(&[&item(kind)], &[doubted(400, Some(kind))]);
    check(&[&item(kind), &item(kind)], &[doubted(400, Some(kind)), doubted(400, Some(kind))]);
}

#[test]
fn retry_after_is_passed_on() {
    let after = Some(Duration::from_secs(7));
    let master = br#"{"error":{"type":"cluster_block_exception"},"status":503}"#;
    for (status, body, class) in
        [(429, &b""[..], RetryClass::Overload), (503, master, RetryClass::Server)]
    {
        let bulk = Bulk { status, retry_after: after, body, sent: 1, lenient: false };
        assert_eq!(bulk.outcome(), Outcome::Retry { class, after });
    }
}
