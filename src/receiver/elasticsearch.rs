//! Elasticsearch's bulk API, at the level of a whole request: parameters, content type, encoding,
//! and the reply. Texts and statuses are those of `RestController`, `RestBulkAction` and
//! `BulkRequestParser` of version 9.

mod action;
mod filter_path;
mod index;
mod mapping;

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::Bytes;
use hyper::Method;
use hyper::header::CONTENT_ENCODING;
use serde_json::{Value, json};

use super::Check;
use super::body::{self, Encoding, Unreadable};
use super::fault::Drawn;
use super::serve::{Question, Reply, Shared, json as json_reply, parameters, too_large};
use super::store::Kept;

use filter_path::FilterPath;
pub(super) use index::Indexes;
use index::Settings;

/// What the indexes accept. The default is a cluster as installed, except that keywords have no
/// `ignore_above` and fields beyond the limit are refused, as with a template of one's own; the
/// built-in one for `logs-*-*` ignores such values.
#[derive(Clone, Debug)]
pub struct IndexRules {
    /// The version it claims to be; its major decides which `compatible-with` it takes.
    pub version: String,
    /// Names, with `*`, that become data streams; the rest become indexes.
    pub data_streams: Vec<String>,
    /// Whether an index or data stream that is not there is made; else 404 for each record, but for
    /// those in `existing`.
    pub auto_create: bool,
    /// What exists without being made.
    pub existing: Vec<String>,
    /// Ingest pipelines that exist; others are refused with 400 for each record. They do nothing.
    pub pipelines: Vec<String>,
    /// Fields (objects count) an index may have: `index.mapping.total_fields.limit`.
    pub fields: usize,
    /// How deep objects may nest: `index.mapping.depth.limit`.
    pub depth: usize,
    /// Bytes of a keyword beyond which the record is refused: Lucene's longest term.
    pub keyword: usize,
    /// Whether a value that does not fit its field's type is ignored instead of refused. `None`: for
    /// data streams yes, for indexes no, as the built-in templates have it. An object where a value
    /// was, or a value where an object was, is refused either way.
    pub ignore_malformed: Option<bool>,
    /// Whether what stands before a malformed line is carried out although the whole request is
    /// refused: `rest.incremental_bulk`, the default since 9.0.
    pub incremental: bool,
}

impl Default for IndexRules {
    fn default() -> Self {
        Self {
            version: "9.1.0".to_owned(),
            data_streams: vec!["logs-*-*".to_owned()],
            auto_create: true,
            existing: Vec::new(),
            pipelines: Vec::new(),
            fields: 1000,
            depth: 20,
            keyword: 32_766,
            ignore_malformed: None,
            incremental: false,
        }
    }
}

/// A refusal of a request or of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Refusal {
    status: u16,
    kind: &'static str,
    reason: String,
}

impl Refusal {
    fn new(status: u16, kind: &'static str, reason: impl Into<String>) -> Self {
        Self { status, kind, reason: reason.into() }
    }

    fn illegal(reason: impl Into<String>) -> Self {
        Self::new(400, "illegal_argument_exception", reason)
    }

    fn reply(&self) -> Reply {
        let cause = json!({"type": self.kind, "reason": self.reason});
        let mut error = cause.clone();
        if let Value::Object(error) = &mut error {
            error.insert("root_cause".to_owned(), json!([cause]));
        }
        product(json_reply(self.status, &json!({"error": error, "status": self.status})))
    }
}

/// Every parameter that `RestBulkAction` and `RestController` consume.
const PARAMETERS: [&str; 17] = [
    "_source",
    "_source_excludes",
    "_source_includes",
    "error_trace",
    "filter_path",
    "format",
    "human",
    "include_source_on_error",
    "list_executed_pipelines",
    "pipeline",
    "pretty",
    "refresh",
    "require_alias",
    "require_data_stream",
    "routing",
    "timeout",
    "wait_for_active_shards",
];

/// Answers a bulk request.
pub(super) fn bulk(shared: &Shared, drawn: &Drawn, question: &Question) -> Reply {
    let began = Instant::now();
    let parameters = parameters(&question.query);
    let filter = FilterPath::new(parameters.get("filter_path").map_or("", String::as_str));
    let result = match shared.options.check {
        Check::Strict => carry_out(shared, drawn, question, &parameters),
        Check::Count => match counted(shared, question) {
            Ok(reply) => return reply,
            Err(refusal) => Err(refusal.into()),
        },
    };
    match result {
        Ok(items) => {
            let errors = items.iter().any(Item::is_error);
            let items: Vec<Value> = items.into_iter().map(|item| item.value).collect();
            let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let reply = json!({"errors": errors, "took": took, "items": items});
            product(json_reply(200, &filter.apply(reply)))
        }
        Err(Outcome::TooLarge) => too_large(),
        Err(Outcome::Refused(refusal)) => refusal.reply(),
    }
}

/// Why a request has no items in its reply.
enum Outcome {
    TooLarge,
    Refused(Refusal),
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// One record's part of the reply: `{"create": {…}}`.
struct Item {
    status: u16,
    value: Value,
}

impl Item {
    fn is_error(&self) -> bool {
        self.status >= 300
    }
}

fn carry_out(
    shared: &Shared,
    drawn: &Drawn,
    question: &Question,
    parameters: &BTreeMap<String, String>,
) -> Result<Vec<Item>, Outcome> {
    let rules = &shared.options.elasticsearch;
    if question.method != Method::POST && question.method != Method::PUT {
        let (path, method) = (&question.path, &question.method);
        return Err(Refusal::new(
            405,
            "method_not_allowed_exception",
            format!(
                "Incorrect HTTP method for uri [{path}] and method [{method}], allowed: [POST, PUT]"
            ),
        )
        .into());
    }
    content_type(question, rules)?;
    let limit = shared.options.max_body.min(drawn.too_large.unwrap_or(usize::MAX));
    let plain = plain(question, limit)?;
    let mut kept = shared.store.lock();
    kept.body(&shared.options, &plain);
    let settings = settings(question, parameters, shared)?;
    if plain.is_empty() {
        return Err(Refusal::new(400, "parse_exception", "request body is required").into());
    }
    let (actions, flaw) = action::actions(&plain, &settings);
    if let Some(flaw) = flaw {
        if rules.incremental {
            items(&mut kept, shared, drawn, &settings, &actions);
        }
        return Err(flaw.into());
    }
    Ok(items(&mut kept, shared, drawn, &settings, &actions))
}

fn items(
    kept: &mut Kept,
    shared: &Shared,
    drawn: &Drawn,
    settings: &Settings<'_>,
    actions: &[action::Action<'_>],
) -> Vec<Item> {
    let deferred = |status| match status {
        429 => Refusal::new(
            429,
            "es_rejected_execution_exception",
            "rejected execution of coordinating operation",
        ),
        400 => Refusal::new(400, "document_parsing_exception", "failed to parse"),
        403 => Refusal::new(
            403,
            "cluster_block_exception",
            "index blocked by: [FORBIDDEN/8/index write (api)];",
        ),
        404 => Refusal::new(404, "index_not_found_exception", "no such index"),
        status => {
            Refusal::new(status, "unavailable_shards_exception", "primary shard is not active")
        }
    };
    let mut items = Vec::with_capacity(actions.len());
    for action in actions {
        let fault = drawn.records.filter(|(_, fraction)| shared.faults.hits(*fraction));
        let fault = fault.map(|(status, _)| deferred(status));
        items.push(index::carry_out(kept, &shared.options, settings, action, fault));
    }
    items
}

/// The decompressed body. An encoding the server does not know reaches its JSON parser as it is.
fn plain(question: &Question, limit: usize) -> Result<Bytes, Outcome> {
    let encoding = match question.header(CONTENT_ENCODING.as_str()) {
        Some("gzip" | "x-gzip") => Some(Encoding::Gzip),
        Some("deflate" | "x-deflate") => Some(Encoding::Zlib),
        _ => None,
    };
    let plain = match encoding {
        Some(encoding) => body::decode(&question.body, encoding, limit),
        None if question.body.len() > limit => Err(Unreadable::TooLarge),
        None => Ok(question.body.clone()),
    };
    plain.map_err(|unreadable| match unreadable {
        Unreadable::TooLarge => Outcome::TooLarge,
        Unreadable::Corrupt => corrupt().into(),
    })
}

/// Takes NDJSON and JSON, plain or with `compatible-with` this major or the one before.
fn content_type(question: &Question, rules: &IndexRules) -> Result<(), Refusal> {
    let refusal = |reason: String| Err(Refusal::new(406, "content_type_header_exception", reason));
    let given: Vec<_> = question.headers.get_all("content-type").iter().collect();
    let [only] = given[..] else {
        return refusal(match given.len() {
            0 => "Content-Type header is missing".to_owned(),
            _ => "only one Content-Type header should be provided".to_owned(),
        });
    };
    let text = only.to_str().unwrap_or_default().to_ascii_lowercase();
    let unsupported = || refusal(format!("Content-Type header [{text}] is not supported"));
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    let versioned = match media {
        "application/x-ndjson" | "application/json" => false,
        "application/vnd.elasticsearch+x-ndjson" | "application/vnd.elasticsearch+json" => true,
        _ => return unsupported(),
    };
    let major = rules.version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    for part in parts {
        let known = match part.split_once('=') {
            Some(("charset", charset)) => charset == "utf-8",
            Some(("compatible-with", version)) if versioned => {
                let version = version.parse::<u32>().ok();
                version.is_some() && (version == major || version.map(|v| v + 1) == major)
            }
            _ => false,
        };
        if !known {
            return unsupported();
        }
    }
    Ok(())
}

fn settings<'a>(
    question: &Question,
    parameters: &'a BTreeMap<String, String>,
    shared: &'a Shared,
) -> Result<Settings<'a>, Refusal> {
    let unknown: Vec<_> =
        parameters.keys().filter(|key| !PARAMETERS.contains(&key.as_str())).collect();
    if !unknown.is_empty() {
        let s = if unknown.len() > 1 { "s" } else { "" };
        let list: Vec<_> = unknown.iter().map(|key| format!("[{key}]")).collect();
        let (path, list) = (&question.path, list.join(", "));
        return Err(Refusal::illegal(format!(
            "request [{path}] contains unrecognized parameter{s}: {list}"
        )));
    }
    let flag = |name: &str, absent: bool| match parameters.get(name).map(String::as_str) {
        None => Ok(absent),
        Some("" | "true") => Ok(true),
        Some("false") => Ok(false),
        Some(value) => Err(Refusal::illegal(format!(
            "Failed to parse value [{value}] as only [true] or [false] are allowed."
        ))),
    };
    let path_index = question.path.strip_suffix("/_bulk").unwrap_or_default();
    Ok(Settings {
        rules: &shared.options.elasticsearch,
        default_index: super::serve::percent_decoded(path_index.trim_start_matches('/')),
        pipeline: parameters.get("pipeline").map(String::as_str),
        require_alias: flag("require_alias", false)?,
        require_data_stream: flag("require_data_stream", false)?,
        quote_source: flag("include_source_on_error", true)?,
    })
}

/// [`Check::Count`]: a success for every two lines.
fn counted(shared: &Shared, question: &Question) -> Result<Reply, Refusal> {
    let gzip = question.header(CONTENT_ENCODING.as_str()) == Some("gzip");
    let (mut lines, mut bytes) = (0, 0);
    let decoded = body::decode_through(&question.body, gzip, |piece| {
        lines += memchr::memchr_iter(b'\n', piece).count();
        bytes += piece.len() as u64;
    });
    decoded.map_err(|_| corrupt())?;
    let mut kept = shared.store.lock();
    kept.requests.plain_bytes += bytes;
    kept.requests.stored += lines as u64 / 2;
    let items = vec!["{\"create\":{\"status\":201}}"; lines / 2].join(",");
    let mut reply = json_reply(200, &Value::Null);
    reply.body = format!("{{\"errors\":false,\"took\":0,\"items\":[{items}]}}").into_bytes();
    Ok(product(reply))
}

fn corrupt() -> Refusal {
    Refusal::new(400, "decompression_exception", "Input is not in the encoding named")
}

/// Answers `GET /`, and everything that is not there.
pub(super) fn other(shared: &Shared, question: &Question) -> Reply {
    if question.path == "/" && (question.method == Method::GET || question.method == Method::HEAD) {
        let info = json!({
            "name": "receiver",
            "cluster_name": "pillion",
            "version": {"number": shared.options.elasticsearch.version},
            "tagline": "You Know, for Search",
        });
        return product(json_reply(200, &info));
    }
    let (path, method) = (&question.path, &question.method);
    let error = format!("no handler found for uri [{path}] and method [{method}]");
    product(json_reply(400, &json!({"error": error})))
}

/// The answer of a server that does not take the request at all, whatever is in it.
pub(super) fn refusal(status: u16, path: &str, credentials: bool) -> Reply {
    let (kind, reason) = match status {
        401 if credentials => ("security_exception", "unable to authenticate with provided credentials for REST request".to_owned()),
        401 => ("security_exception", format!("missing authentication credentials for REST request [{path}]")),
        403 => ("security_exception", format!("action [indices:admin/auto_create] is unauthorized for REST request [{path}]")),
        404 => ("index_not_found_exception", "no such index".to_owned()),
        413 => return too_large(),
        429 => ("es_rejected_execution_exception", "rejected execution of coordinating operation [coordinating_and_primary_bytes=0, replica_bytes=0, all_bytes=0, coordinating_operation_bytes=1, max_coordinating_bytes=0]".to_owned()),
        503 => ("cluster_block_exception", "blocked by: [SERVICE_UNAVAILABLE/2/no master];".to_owned()),
        _ => ("exception", "failed".to_owned()),
    };
    let mut reply = Refusal::new(status, kind, reason).reply();
    if status == 401 {
        reply.headers.push((
            "www-authenticate",
            "ApiKey, Basic realm=\"security\", charset=\"UTF-8\"".to_owned(),
        ));
    }
    reply
}

/// The header clients of 7.14 and later ask for.
fn product(mut reply: Reply) -> Reply {
    reply.headers.push(("x-elastic-product", "Elasticsearch".to_owned()));
    reply
}
