//! What a destination's answer means, classified by what is to be done about it, not by its cause.

use std::sync::Arc;
use std::time::Duration;

use super::dead_letter::Reason;

/// What to do after one attempt to send a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every record is stored: nothing left to do.
    Delivered,
    /// Each record has its own verdict, by position; exactly as many as were sent.
    Records(Vec<Verdict>),
    /// Stored, except for some records that the answer does not name: find them by sending parts
    /// again, of which the destination knows what it has stored already.
    PartlyRefused {
        /// How many were refused, as far as the answer says: at least 1, and fewer than were sent.
        refused: u32,
        /// What was said about them, or about some of them.
        refusal: Refusal,
    },
    /// Stored, except for some records that the answer does not tell apart. Sending again would
    /// store the others twice.
    Unattributed {
        /// How many were refused: at least 1, at most as many as were sent.
        refused: u32,
    },
    /// Nothing is certain: send the same bytes again.
    Retry {
        /// Why.
        class: RetryClass,
        /// How long the server asks to be left alone.
        after: Option<Duration>,
    },
    /// More than the destination takes at once: send halves. One record alone is refused.
    TooLarge {
        /// The HTTP status.
        status: u16,
        /// Whether to wait as well, since it is the load that is too large.
        overload: bool,
    },
    /// At least one record makes the destination refuse the whole: find it by halving. One record
    /// alone is refused.
    Poisoned(Refusal),
    /// At least one stream was refused whole, for its labels: find it by parting the streams. One
    /// stream alone is refused.
    StreamRefused(Refusal),
    /// A person must mend something; until then nothing is lost, and the server is asked slowly.
    Pause(PauseClass),
    /// Nobody will ever read again (standard output was closed): deliver no more.
    Gone,
}

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Stored.
    Delivered,
    /// Stored by an earlier attempt.
    Duplicate,
    /// Refused by the index, kept in the server's failure store.
    FailureStore,
    /// Not stored, for want of capacity: send this one again.
    Retry(RetryClass),
    /// Not stored, and not before a person mends something: send this one again, slowly.
    Pause(PauseClass),
    /// Refused for good.
    Refused(Refusal),
    /// Refused, perhaps not for what it holds but for how it was sent: for good only by a destination
    /// that takes others.
    Doubted(Refusal),
}

/// A refusal for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status, of the record or of the request.
    pub status: u16,
    /// The server's name for the error, cleaned by [`error_type`]. Never its reason, which quotes
    /// values.
    pub error: Option<Arc<str>>,
}

impl Refusal {
    /// The reason that a dead letter names.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match (self.status, self.error.as_deref()) {
            (413, _) | (_, Some("max_entry_size" | "max_line_size")) => Reason::TooLarge,
            (_, Some("timestamp_too_old")) => Reason::TooOld,
            (_, Some("entry_too_far_behind")) => Reason::TooFarBehind,
            _ => Reason::Refused,
        }
    }

    /// Whether it may also meet a record that was stored when it was sent before: it is about when
    /// the record comes, not about what it is.
    #[must_use]
    pub fn may_follow_success(&self) -> bool {
        matches!(
            self.error.as_deref(),
            Some(
                "timestamp_too_old"
                    | "entry_too_far_behind"
                    | "entry_out_of_order"
                    | "total_ignored"
            )
        )
    }
}

macro_rules! classes {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// All of them, in the order of their counters.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in metrics and logs.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}
pub(crate) use classes;

classes! {
    /// Why something is sent again.
    RetryClass {
        /// No connection: refused, unreachable, no such host.
        Connect = "connect",
        /// The connection broke, or the answer did.
        Broken = "broken",
        /// No whole answer in time.
        Timeout = "timeout",
        /// 429, or a record's 429.
        Overload = "overload",
        /// 408 and 5xx, or a record's.
        Server = "server",
        /// An answer that is no acknowledgement: truncated, oversized, not what was asked for.
        Reply = "reply",
        /// The file, or its disk, cannot take it now.
        Disk = "disk",
    }
}

classes! {
    /// What a person must mend.
    PauseClass {
        /// 401: the credentials are missing, wrong or expired.
        Unauthorized = "unauthorized",
        /// 403: the credentials lack a privilege.
        Forbidden = "forbidden",
        /// 404 or 405: no such index, or not such a server.
        NotFound = "not_found",
        /// 406 or 415: the server does not take this form of body.
        Unacceptable = "unacceptable",
        /// 260, or a cluster block: the operator has closed the door.
        Blocked = "blocked",
        /// The server does not take a feature that the configuration uses.
        Disallowed = "disallowed",
        /// A 3xx: the URL is not the server's own.
        Redirected = "redirected",
        /// The certificate is not trusted, or TLS is not spoken there.
        Tls = "tls",
        /// A credential file cannot be read.
        Credentials = "credentials",
        /// An answer that the server named in the configuration would not give.
        Unexpected = "unexpected",
    }
}

impl PauseClass {
    /// What the person who reads the log is to do.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Unauthorized => {
                "check the destination's credentials; they are read again at each attempt"
            }
            Self::Forbidden => {
                "grant the credentials create_doc and auto_configure, or the right to write"
            }
            Self::NotFound => "check the url's path; create the index or allow its creation",
            Self::Unacceptable => {
                "check that the url leads to the kind of server that is configured"
            }
            Self::Blocked => {
                "lift the block at the server: ingestion limits, or its disk's flood stage"
            }
            Self::Disallowed => {
                "set `structured_metadata: false`, or allow_structured_metadata at the server"
            }
            Self::Redirected => "set the url that the server redirects to",
            Self::Tls => {
                "set `ca` to the certificate authority, and https only where TLS is spoken"
            }
            Self::Credentials => "make the credential file readable",
            Self::Unexpected => {
                "check that the url leads to the server itself, over the right scheme, and that the \
                 pipeline and the index template fit"
            }
        }
    }
}

/// The class of a whole request's status that means "a person must mend this", if it does.
#[must_use]
pub fn pause_class(status: u16) -> Option<PauseClass> {
    Some(match status {
        401 | 407 => PauseClass::Unauthorized,
        403 => PauseClass::Forbidden,
        404 | 405 | 410 => PauseClass::NotFound,
        406 | 415 => PauseClass::Unacceptable,
        260 => PauseClass::Blocked,
        300..=399 => PauseClass::Redirected,
        _ => return None,
    })
}

/// The class of a status that means "later", if it does.
#[must_use]
pub fn retry_class(status: u16) -> Option<RetryClass> {
    match status {
        429 => Some(RetryClass::Overload),
        408 | 425 | 500..=599 => Some(RetryClass::Server),
        _ => None,
    }
}

/// A server's error type as a word that can stand in a log: lower-case letters, digits, `_` and `.`,
/// at most 64 bytes. `None` for anything else, which may be a quotation.
#[must_use]
pub fn error_type(text: &str) -> Option<&str> {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.');
    (!text.is_empty() && text.len() <= 64 && text.bytes().all(plain) && text.contains('_'))
        .then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_means_one_thing() {
        for status in 200..=599 {
            let meanings = [pause_class(status).is_some(), retry_class(status).is_some()];
            assert!(meanings != [true, true], "{status}");
        }
        assert_eq!(pause_class(401), Some(PauseClass::Unauthorized));
        assert_eq!(retry_class(503), Some(RetryClass::Server));
        assert_eq!((pause_class(400), retry_class(400)), (None, None));
    }

    #[test]
    fn only_words_are_error_types() {
        assert_eq!(error_type("mapper_parsing_exception"), Some("mapper_parsing_exception"));
        for text in ["", "alice", "alice@example_com", "a b_c", &"a_".repeat(33)] {
            assert_eq!(error_type(text), None, "{text}");
        }
    }
}
