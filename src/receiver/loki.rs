//! Loki's push API: body forms, limits, and texts as of Loki 3 (`pkg/loghttp/push`,
//! `pkg/distributor`, `pkg/validation`, `pkg/ingester`).
//!
//! Stricter than Loki in three places: strings must be UTF-8, JSON keys must not repeat, and label
//! names have no colon.

mod decoded;
mod labels;
mod protobuf;
mod streams;

use std::time::Duration;

use bytes::Bytes;
use hyper::Method;

use super::body::{self, Encoding, Unreadable};
use super::fault::Drawn;
use super::serve::{Question, Reply, Shared};
use super::{Check, Clock};

use decoded::Push;
pub(super) use streams::Streams;

/// What the streams accept: Loki's defaults.
#[derive(Clone, Debug)]
pub struct LokiLimits {
    /// Whether a request must name its tenant.
    pub tenancy: bool,
    /// Bytes of a line.
    pub line: usize,
    /// Labels of a stream.
    pub label_names: usize,
    /// Bytes of a label's name.
    pub label_name: usize,
    /// Bytes of a label's value.
    pub label_value: usize,
    /// How old an entry may be.
    pub too_old: Duration,
    /// How far in the future an entry may be.
    pub too_new: Duration,
    /// How far behind its stream's newest entry an entry may be.
    pub too_far_behind: Duration,
    /// Streams a tenant may have.
    pub streams: usize,
    /// Whether structured metadata is taken at all.
    pub structured_metadata: bool,
    /// Bytes of an entry's structured metadata, names and values.
    pub metadata_bytes: usize,
    /// Pairs of an entry's structured metadata.
    pub metadata_pairs: usize,
    /// Bytes of lines and metadata beyond which a request can never pass the tenant's rate limit:
    /// its burst.
    pub burst: usize,
    /// Bytes of lines and metadata a second, refilling up to `burst`. `None` (not Loki's default,
    /// which is 4 MiB) has no limit.
    pub rate: Option<usize>,
    /// Bytes of a decompressed request beyond which the distributor cannot hand it on to an ingester.
    pub message: usize,
}

impl Default for LokiLimits {
    fn default() -> Self {
        Self {
            tenancy: false,
            line: 256 << 10,
            label_names: 15,
            label_name: 1024,
            label_value: 2048,
            too_old: Duration::from_secs(7 * 24 * 3600),
            too_new: Duration::from_secs(600),
            too_far_behind: Duration::from_secs(3600),
            streams: 5000,
            structured_metadata: true,
            metadata_bytes: 64 << 10,
            metadata_pairs: 128,
            burst: 6 << 20,
            rate: None,
            message: 4 << 20,
        }
    }
}

/// A refusal of the whole request.
struct Refusal(u16, String);

/// Answers a push request.
pub(super) fn push(shared: &Shared, drawn: &Drawn, question: &Question) -> Reply {
    match carry_out(shared, drawn, question) {
        Ok(()) => Reply { status: 204, headers: Vec::new(), body: Vec::new() },
        Err(Refusal(status, text)) => reply(status, &text),
    }
}

fn carry_out(shared: &Shared, drawn: &Drawn, question: &Question) -> Result<(), Refusal> {
    if question.method != Method::POST {
        return Err(Refusal(405, String::new()));
    }
    let tenant = tenant(shared, question)?;
    if shared.options.check == Check::Count {
        return Ok(());
    }
    let limit = shared.options.max_body.min(drawn.too_large.unwrap_or(usize::MAX));
    let (plain, is_json) = plain(question, limit)?;
    let mut kept = shared.store.lock();
    kept.body(&shared.options, &plain);
    let push = if is_json { decoded::from_json(&plain) } else { protobuf::decode(&plain) };
    let push = push.map_err(|reason| Refusal(400, reason))?;
    // Every stream's labels are read before anything is stored.
    let streams = parsed(push)?;
    let limits = &shared.options.loki;
    admission(&mut kept.streams, &tenant, &streams, limits, shared.options.clock)?;
    if plain.len() > limits.message {
        return Err(Refusal(
            500,
            format!(
                "rpc error: code = ResourceExhausted desc = trying to send message larger than max ({} vs. {})",
                plain.len(),
                limits.message
            ),
        ));
    }
    let is_limited = || drawn.records.is_some_and(|(_, fraction)| shared.faults.hits(fraction));
    streams::store(&mut kept, &shared.options, &tenant, streams, is_limited)
        .map_err(|(status, text)| Refusal(status, text))
}

/// A stream whose labels are parsed.
struct Parsed {
    labels: labels::Labels,
    entries: Vec<decoded::RawEntry>,
}

fn parsed(push: Push) -> Result<Vec<Parsed>, Refusal> {
    let mut streams = Vec::with_capacity(push.streams.len());
    for stream in push.streams {
        let labels = labels::parse(&stream.labels)
            .map_err(|reason| Refusal(400, format!("couldn't parse labels: {reason}")))?;
        streams.push(Parsed { labels, entries: stream.entries });
    }
    if streams.is_empty() {
        return Err(Refusal(
            422,
            "error at least one valid stream is required for ingestion".to_owned(),
        ));
    }
    Ok(streams)
}

/// The tenant's rate limit: all or nothing.
fn admission(
    state: &mut Streams,
    tenant: &str,
    streams: &[Parsed],
    limits: &LokiLimits,
    clock: Clock,
) -> Result<(), Refusal> {
    let entries = || streams.iter().flat_map(|stream| &stream.entries);
    let bytes = entries().map(decoded::RawEntry::size).sum::<usize>();
    let allowed = match limits.rate {
        None => bytes <= limits.burst,
        Some(rate) => state.take(bytes, rate, limits.burst, clock.now()),
    };
    if allowed {
        return Ok(());
    }
    let rate = limits.rate.unwrap_or(4 << 20);
    let lines = entries().count();
    Err(Refusal(
        429,
        format!(
            "Ingestion rate limit exceeded for user {tenant} (limit: {rate} bytes/sec) while attempting \
             to ingest '{lines}' lines totaling '{bytes}' bytes, reduce log volume or contact your Loki \
             administrator to see if the limit can be increased"
        ),
    ))
}

/// The body, decompressed, and whether it is JSON.
fn plain(question: &Question, limit: usize) -> Result<(Bytes, bool), Refusal> {
    let encoding = match question.header("content-encoding") {
        None | Some("" | "snappy") => None,
        Some("gzip") => Some(Encoding::GzipMembers),
        Some("deflate") => Some(Encoding::Deflate),
        Some(other) => {
            return Err(Refusal(400, format!("Content-Encoding {other:?} not supported")));
        }
    };
    let is_json = content_type(question)?;
    let mut plain = question.body.clone();
    if let Some(encoding) = encoding {
        plain = body::decode(&plain, encoding, limit).map_err(|flaw| unreadable(&flaw, limit))?;
    }
    if !is_json {
        plain = body::decode(&plain, Encoding::Snappy, limit)
            .map_err(|flaw| unreadable(&flaw, limit))?;
    }
    if plain.len() > limit {
        return Err(unreadable(&Unreadable::TooLarge, limit));
    }
    Ok((plain, is_json))
}

fn unreadable(flaw: &Unreadable, limit: usize) -> Refusal {
    match flaw {
        Unreadable::TooLarge => {
            Refusal(413, format!("request body too large, limit: {limit} bytes"))
        }
        Unreadable::Corrupt => Refusal(400, "snappy: corrupt input".to_owned()),
    }
}

/// Anything but JSON is taken for protobuf; a header that cannot be read is refused.
fn content_type(question: &Question) -> Result<bool, Refusal> {
    let given = question.header("content-type").unwrap_or_default();
    let media = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let token = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    };
    if media.is_empty() {
        return Err(Refusal(400, "mime: no media type".to_owned()));
    }
    match media.split_once('/') {
        Some((kind, subtype)) if token(kind) && token(subtype) => Ok(media == "application/json"),
        _ => Err(Refusal(400, "mime: unexpected content after media type".to_owned())),
    }
}

fn tenant(shared: &Shared, question: &Question) -> Result<String, Refusal> {
    if !shared.options.loki.tenancy {
        return Ok("fake".to_owned());
    }
    let Some(tenant) = question.header("x-scope-orgid").filter(|tenant| !tenant.is_empty()) else {
        return Err(Refusal(401, "no org id".to_owned()));
    };
    if tenant.len() > 150 {
        return Err(Refusal(400, "tenant ID is too long: max 150 characters".to_owned()));
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!-_.*'()".contains(&b);
    match tenant.char_indices().find(|(_, c)| !u8::try_from(*c).is_ok_and(allowed)) {
        Some((at, c)) => Err(Refusal(
            400,
            format!("tenant ID '{tenant}' contains unsupported character '{c}' at {at}"),
        )),
        None => Ok(tenant.to_owned()),
    }
}

/// The answer of a server that does not take the request at all, whatever is in it.
pub(super) fn refusal(status: u16) -> Reply {
    let text = match status {
        260 => {
            "ingestion blocked for user fake until '2030-01-01T00:00:00Z' with status code '260'"
        }
        401 => "no org id",
        413 => "request body too large",
        429 => {
            "Ingestion rate limit exceeded for user fake (limit: 4194304 bytes/sec) while attempting to \
             ingest '1' lines totaling '1' bytes, reduce log volume or contact your Loki administrator \
             to see if the limit can be increased"
        }
        500 => "empty ring",
        503 => "service unavailable",
        _ => "refused",
    };
    reply(status, text)
}

fn reply(status: u16, text: &str) -> Reply {
    let headers = vec![("content-type", "text/plain; charset=utf-8".to_owned())];
    Reply { status, headers, body: format!("{text}\n").into_bytes() }
}
