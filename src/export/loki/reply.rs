//! What Loki's answer to a push means.
//!
//! A push is not all or nothing. After the whole body was parsed, each stream and entry is judged
//! alone, the good ones are stored, and the answer is a 400 all the same
//! (`pkg/distributor/distributor.go`, `pkg/ingester/instance.go`). So a 400 is told apart by its
//! text; the strings are those of `pkg/validation/validate.go` and `pkg/ingester/stream.go`. It says
//! how many were refused, and names ten of a stream at the most.

use std::sync::Arc;
use std::time::Duration;

use crate::export::outcome::{
    Outcome, PauseClass, Refusal, RetryClass, Verdict, pause_class, retry_class,
};

/// In the text of a 400 about a stream's labels: none of the stream's entries is stored, and the
/// text says so once, however many they are.
const LABELS: &[&str] = &[
    "label names; limit",
    "label name too long",
    "label value too long",
    "duplicate label name",
    "at least one label pair is required",
];

/// In the text of a 400 about an entry, as the distributor counts them: each is named.
const ENTRIES: &[&str] = &[
    "timestamp too old",
    "timestamp too new",
    "max entry size",
    "max line size",
    "structured metadata too large",
    "structured metadata labels",
    "structured metadata for entry",
];

/// In the text of a 400 about every entry that has structured metadata, where the tenant may have
/// none (`allow_structured_metadata`): no record is to blame.
const DISALLOWED: &str = "feature is disallowed";

/// In the text of a 400 about entries, as an ingester counts them: their sum stands at the end.
const IGNORED: &[&str] = &["entry too far behind", "entry out of order", TOTAL];

/// Before an ingester's sum. The quotation mark is the end of `user '…'`.
const TOTAL: &str = "', total ignored: ";

/// What a tenant may send in one go by default (`ingestion_burst_size_mb`), in bytes.
const BURST: usize = 6 << 20;

/// Below this many bytes a payload is not split for a rate limit: it is the rate, not the size.
const SPLIT_FLOOR: usize = 64 << 10;

/// A whole answer to a push.
#[derive(Clone, Copy, Debug)]
pub struct Push<'b> {
    /// The HTTP status.
    pub status: u16,
    /// How long the server, or a proxy before it, asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The body, which quotes label values: never to be logged.
    pub body: &'b [u8],
    /// Records that were sent.
    pub sent: u32,
    /// Bytes of the payload before compression.
    pub plain_bytes: usize,
}

impl Push<'_> {
    /// What is to be done.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let text = unquoted(&String::from_utf8_lossy(self.body));
        match self.status {
            260 => Outcome::Pause(PauseClass::Blocked),
            // 200 is what VictoriaLogs' older versions and some gateways say for 204.
            200..=204 => Outcome::Delivered,
            400 => self.bad_request(&text),
            413 => Outcome::TooLarge { status: 413, overload: false },
            429 => self.limited(&text),
            // The distributor's gRPC to an ingester takes 4 MiB: a larger request fails for ever
            // as a 500 that looks as if it would pass.
            500 if text.contains("resourceexhausted") && text.contains("larger than max") => {
                Outcome::TooLarge { status: 500, overload: false }
            }
            status => self.other(status),
        }
    }

    fn other(&self, status: u16) -> Outcome {
        if let Some(class) = retry_class(status) {
            return Outcome::Retry { class, after: self.retry_after };
        }
        if (200..300).contains(&status) {
            return Outcome::Retry { class: RetryClass::Reply, after: None };
        }
        Outcome::Pause(pause_class(status).unwrap_or(PauseClass::Unexpected))
    }

    fn limited(&self, text: &str) -> Outcome {
        // More than the bucket holds never fits, however long one waits.
        let burst = rate_limit(text).map_or(BURST, |rate| rate.max(SPLIT_FLOOR));
        if text.contains("ingestion rate limit exceeded") && self.plain_bytes > burst {
            return Outcome::TooLarge { status: 429, overload: true };
        }
        Outcome::Retry { class: RetryClass::Overload, after: self.retry_after }
    }

    fn bad_request(&self, text: &str) -> Outcome {
        if without_count(text).starts_with("ingestion blocked") {
            return Outcome::Pause(PauseClass::Blocked);
        }
        let named = |known: &[&str]| known.iter().find(|known| text.contains(**known)).map(word);
        let refusal = |error| Refusal { status: 400, error };
        if let Some(error) = named(LABELS) {
            return Outcome::StreamRefused(refusal(Some(error)));
        }
        if text.contains(DISALLOWED) {
            return Outcome::Pause(PauseClass::Disallowed);
        }
        if let Some(error) = named(ENTRIES).or_else(|| named(IGNORED)) {
            let refused = refused(text).clamp(1, self.sent.max(1));
            if refused < self.sent {
                return Outcome::PartlyRefused { refused, refusal: refusal(Some(error)) };
            }
            // One record alone is no riddle; nor are all of them.
            let all = usize::try_from(self.sent).unwrap_or(usize::MAX);
            return Outcome::Records(vec![Verdict::Refused(refusal(Some(error))); all]);
        }
        if text.trim_start().starts_with('<') {
            // A page: from a proxy, about the request, not from Loki about a record.
            return Outcome::Pause(PauseClass::Unexpected);
        }
        Outcome::Poisoned(refusal(None))
    }
}

/// A server's text in lower case without what it quotes in `"…"`, as it quotes label values: those
/// are the application's words (a file's name is one), and must not decide how it is read.
fn unquoted(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            _ if std::mem::take(&mut escaped) => {}
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            _ => plain.push(c.to_ascii_lowercase()),
        }
    }
    plain
}

/// A known string as a word: `timestamp too old` as `timestamp_too_old`.
fn word(known: &&str) -> Arc<str> {
    known.replace(['\'', ',', ':', ';'], "").trim().replace(' ', "_").into()
}

/// How many records a validation error is about, as far as its text says; 0 if it does not.
fn refused(text: &str) -> u32 {
    let ignored = text.split(TOTAL).skip(1).map(leading_number).fold(0, u32::saturating_add);
    ENTRIES.iter().map(|known| named(text, known)).fold(ignored, u32::saturating_add)
}

/// How many records an error of the distributor is about, over all places where it stands: equal ones
/// are told once, with their number before.
fn named(text: &str, known: &str) -> u32 {
    let mut parts: Vec<_> = text.split(known).collect();
    parts.pop();
    let number = |part: &&str| match part.rsplit_once(LIKE) {
        // The number is this error's own, if no other error was told since.
        Some((before, since)) if !since.contains("; ") => trailing_number(before).max(1),
        _ => 1,
    };
    parts.iter().map(number).fold(0, u32::saturating_add)
}

/// Between a number and the error that so many records have in common.
const LIKE: &str = " errors like: ";

/// A text without the number of errors that it may begin with.
fn without_count(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix(LIKE).unwrap_or(text)
}

fn leading_number(text: &str) -> u32 {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn trailing_number(text: &str) -> u32 {
    let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    text.get(text.len() - digits..).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// The `(limit: N bytes/sec)` of a rate limit's text.
fn rate_limit(text: &str) -> Option<usize> {
    let after = text.split_once("(limit: ")?.1;
    let digits = after.get(..after.find(|c: char| !c.is_ascii_digit())?)?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: u32 = 100;

    fn push(status: u16, body: &str) -> Push<'_> {
        Push { status, retry_after: None, body: body.as_bytes(), sent: SENT, plain_bytes: 1 << 20 }
    }

    #[track_caller]
    fn check(status: u16, body: &str, expect: Outcome) {
        assert_eq!(push(status, body).outcome(), expect, "{status} {body}");
    }

    fn retry(class: RetryClass) -> Outcome {
        Outcome::Retry { class, after: None }
    }

    fn partly(refused: u32, error: &str) -> Outcome {
        let refusal = Refusal { status: 400, error: Some(error.into()) };
        Outcome::PartlyRefused { refused, refusal }
    }

    #[test]
    fn success_is_204_and_nothing_like_260() {
        check(204, "", Outcome::Delivered);
        check(260, "ingestion blocked for user fake", Outcome::Pause(PauseClass::Blocked));
        check(299, "", retry(RetryClass::Reply));
    }

    #[test]
    fn after_a_validation_error_the_rest_is_stored_and_those_refused_are_counted() {
        let far = "entry with timestamp 2026-01-01 00:00:00 +0000 UTC ignored, reason: 'entry \
                   too far behind, oldest acceptable timestamp is: 2026-01-02T00:00:00Z',\n\
                   user 'fake', total ignored: 3 out of 60 for stream: {app=\"a\"}\n\
                   user 'fake', total ignored: 4 out of 40 for stream: {app=\"b\"}";
        check(400, far, partly(7, "entry_too_far_behind"));
        let grouped = "12 errors like: entry for stream '{app=\"x\"}' has timestamp too old: \
                       2020; 2 errors like: max entry size '262144' bytes exceeded";
        check(400, grouped, partly(14, "timestamp_too_old"));
        let each = "entry for stream '{app=\"x\"}' has timestamp too old: 2020-01-01T00:00:00Z, oldest \
                    acceptable timestamp is: 2026; entry for stream '{app=\"x\"}' has timestamp too \
                    old: 2020-01-01T00:00:01Z; 3 errors like: entry for stream '{app=\"x\"}' has \
                    timestamp too old: 2019";
        check(400, each, partly(5, "timestamp_too_old"));
    }

    #[test]
    fn a_stream_refused_for_its_labels_is_looked_for() {
        for (text, error) in [
            ("stream '{a=\"b\"}' has label value too long: 'alice'", "label_value_too_long"),
            ("stream '{a=\"b\"}' has label name too long: 'a'", "label_name_too_long"),
            ("stream '{a=\"b\"}' has duplicate label name: 'a'", "duplicate_label_name"),
            ("entry for stream '{}' has 16 label names; limit 15", "label_names_limit"),
            (
                "error at least one label pair is required per stream",
                "at_least_one_label_pair_is_required",
            ),
            (
                "9 errors like: max entry size '1' bytes exceeded; stream '{}' has label name too long",
                "label_name_too_long",
            ),
        ] {
            let refusal = Refusal { status: 400, error: Some(error.into()) };
            check(400, text, Outcome::StreamRefused(refusal));
        }
    }

    /// A log may be called anything, and its name is a label.
    #[test]
    fn what_an_application_may_write_into_a_label_decides_nothing() {
        let far = |filename: &str| {
            format!(
                "entry with timestamp 2026-01-01 ignored, reason: 'entry too far behind, oldest \
                 acceptable timestamp is: 2026-01-02',\nuser 'fake', total ignored: 2 out of 60 for \
                 stream: {{app=\"a\", filename={filename:?}}}"
            )
        };
        for filename in [
            "/logs/ingestion blocked.log",
            "user 'x', total ignored: 4000000 out of 9",
            "7 errors like: x has timestamp too old",
            "has label name too long",
            "a\"}, user 'x', total ignored: 40 out of \"{",
            "\\",
        ] {
            check(400, &far(filename), partly(2, "entry_too_far_behind"));
        }
        let blocked = "ingestion blocked for user fake until '2030' with status code '400'";
        check(400, blocked, Outcome::Pause(PauseClass::Blocked));
        check(400, &format!("3 errors like: {blocked}"), Outcome::Pause(PauseClass::Blocked));
        let slow = "Per stream rate limit exceeded (limit: 3MB/sec) for stream \
                    '{a=\"ingestion rate limit exceeded (limit: 9 bytes/sec)\"}'";
        check(429, slow, retry(RetryClass::Overload));
    }

    #[test]
    fn when_all_were_refused_they_are_known() {
        let all = |sent, error: &str| {
            let refusal = Refusal { status: 400, error: Some(error.into()) };
            Outcome::Records(vec![Verdict::Refused(refusal); sent])
        };
        check(
            400,
            "user 'fake', total ignored: 100 out of 100 for stream: {}",
            all(100, "total_ignored"),
        );
        let one = Push { sent: 1, ..push(400, "has timestamp too old") };
        assert_eq!(one.outcome(), all(1, "timestamp_too_old"));
        let many = "user 'fake', total ignored: 99999999999999 out of 5";
        check(400, many, partly(1, "total_ignored"));
    }

    #[test]
    fn a_parse_error_is_looked_for_and_a_proxys_page_is_not() {
        let poisoned = Outcome::Poisoned(Refusal { status: 400, error: None });
        check(400, "error parsing labels: 1:3: parse error: unexpected \"=\"", poisoned.clone());
        check(400, "", poisoned);
        check(
            400,
            " <html>The plain HTTP request was sent",
            Outcome::Pause(PauseClass::Unexpected),
        );
    }

    #[test]
    fn what_can_never_fit_is_split() {
        let too_large =
            "rpc error: code = ResourceExhausted desc = trying to send message larger than max";
        check(500, too_large, Outcome::TooLarge { status: 500, overload: false });
        check(500, "rpc error: code = Unavailable", retry(RetryClass::Server));
        check(413, "", Outcome::TooLarge { status: 413, overload: false });
        let limit = "Ingestion rate limit exceeded for user fake (limit: 524288 bytes/sec) while";
        check(429, limit, Outcome::TooLarge { status: 429, overload: true });
        let limit = "ingestion rate limit exceeded for user fake (limit: 4194304 bytes/sec)";
        check(429, limit, retry(RetryClass::Overload));
        check(429, "Maximum active stream limit exceeded", retry(RetryClass::Overload));
        let slow = "ingestion rate limit exceeded for user fake (limit: 100 bytes/sec)";
        let small = Push { plain_bytes: SPLIT_FLOOR, ..push(429, slow) };
        assert_eq!(small.outcome(), retry(RetryClass::Overload), "no use in splitting further");
    }

    #[test]
    fn a_configuration_pauses() {
        check(401, "no org id", Outcome::Pause(PauseClass::Unauthorized));
        check(404, "", Outcome::Pause(PauseClass::NotFound));
        check(422, "", Outcome::Pause(PauseClass::Unexpected));
        let metadata = "stream '{a=\"b\"}' includes structured metadata, but this feature is \
                        disallowed. Please see `limits_config.allow_structured_metadata`";
        let disallowed = Outcome::Pause(PauseClass::Disallowed);
        check(400, &format!("100 errors like: {metadata}"), disallowed.clone());
        check(400, &format!("has timestamp too old: 2020; {metadata}"), disallowed);
        let forged = "entry for stream '{a=\"feature is disallowed\"}' has timestamp too old: 2020";
        check(400, forged, partly(1, "timestamp_too_old"));
    }

    #[test]
    fn rubbish_is_counted_without_panic() {
        for text in [
            "', total ignored: ",
            " errors like: ",
            "é errors like: timestamp too old",
            "', total ignored: é",
            "(limit: ",
            "timestamp too old",
        ] {
            let _ = (refused(text), rate_limit(text), without_count(text));
        }
        assert_eq!(refused("é12 errors like: timestamp too old"), 12);
    }
}
