//! Indexes and data streams, and what becomes of one document.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_128;

use super::super::store::{Arrival, Kept, Stored};
use super::super::{Keep, Options, json};
use super::action::{Action, Op};
use super::filter_path::matches;
use super::mapping::{Mapping, MappingRules};
use super::{IndexRules, Item, Refusal};

/// What a request says about all its records.
pub(super) struct Settings<'a> {
    pub(super) rules: &'a IndexRules,
    /// The index of the path; empty if it names none.
    pub(super) default_index: String,
    pub(super) pipeline: Option<&'a str>,
    pub(super) require_alias: bool,
    pub(super) require_data_stream: bool,
    /// Whether refusals quote the value: `include_source_on_error`.
    pub(super) quote_source: bool,
}

/// The indexes and data streams of a receiver.
#[derive(Debug, Default)]
pub(crate) struct Indexes(HashMap<String, Index>);

#[derive(Debug)]
struct Index {
    data_stream: bool,
    /// Of the backing index, from 1.
    generation: u32,
    /// Hash of each id of this generation, and the place of its document in `Kept::documents`.
    ids: HashMap<u128, Option<usize>>,
    mapping: Mapping,
    sequence: u64,
}

impl Indexes {
    /// Forgets the ids of all documents; mappings stay.
    pub(crate) fn forget(&mut self) {
        self.0.values_mut().for_each(|index| index.ids = HashMap::new());
    }

    /// Begins a new backing index: ids of earlier ones are free again.
    pub(crate) fn rollover(&mut self, name: &str) {
        if let Some(index) = self.0.get_mut(name) {
            index.generation += 1;
            index.ids.clear();
            index.mapping = Mapping::default();
        }
    }
}

/// Carries out one action; `fault` is what the shard says instead.
pub(super) fn carry_out(
    kept: &mut Kept,
    options: &Options,
    settings: &Settings<'_>,
    action: &Action<'_>,
    fault: Option<Refusal>,
) -> Item {
    let result = match fault {
        Some(refusal) => Err(refusal),
        None => store(kept, options, settings, action),
    };
    let (status, body) = match result {
        Ok(done) => (if done.version > 1 { 200 } else { 201 }, done.body()),
        Err(refusal) => {
            match refusal.status {
                409 => kept.requests.duplicates += 1,
                429 | 500.. => kept.requests.deferred += 1,
                _ => kept.requests.refused += 1,
            }
            let error = json!({"type": refusal.kind, "reason": refusal.reason});
            let body = json!({"_index": action.index, "_id": action.id, "status": refusal.status, "error": error});
            (refusal.status, body)
        }
    };
    let mut item = Map::new();
    item.insert(action.op.key().to_owned(), body);
    Item { status, value: Value::Object(item) }
}

/// A document stored.
struct Done {
    index: String,
    id: String,
    version: u32,
    sequence: u64,
}

impl Done {
    fn body(self) -> Value {
        let created = self.version == 1;
        json!({
            "_index": self.index,
            "_id": self.id,
            "_version": self.version,
            "result": if created { "created" } else { "updated" },
            "_shards": {"total": 2, "successful": 1, "failed": 0},
            "_seq_no": self.sequence,
            "_primary_term": 1,
            "status": if created { 201 } else { 200 },
        })
    }
}

fn store(
    kept: &mut Kept,
    options: &Options,
    settings: &Settings<'_>,
    action: &Action<'_>,
) -> Result<Done, Refusal> {
    let rules = settings.rules;
    let name = action.index.as_str();
    let data_stream = rules.data_streams.iter().any(|pattern| matches(pattern, name));
    target(kept, rules, action, data_stream)?;
    let document = document(action, settings)?;
    let index = kept.indexes.0.entry(name.to_owned()).or_insert_with(|| Index {
        data_stream,
        generation: 1,
        ids: HashMap::new(),
        mapping: Mapping::default(),
        sequence: 0,
    });
    if index.data_stream {
        data_stream_fields(name, &document)?;
    }
    let mapping_rules = MappingRules {
        fields: rules.fields,
        depth: rules.depth,
        keyword: rules.keyword,
        ignore_malformed: rules.ignore_malformed.unwrap_or(index.data_stream),
        date_detection: !index.data_stream,
        quote_source: settings.quote_source,
    };
    index.mapping.admit(&document, &mapping_rules)?;
    let sequence = index.sequence;
    let id = action.id.clone().unwrap_or_else(|| format!("made-up-{:012}", sequence));
    let backing = backing(name, index);
    let key = xxh3_128(id.as_bytes());
    let before = index.ids.get(&key).copied();
    if before.is_some() && action.op == Op::Create {
        return Err(Refusal::new(
            409,
            "version_conflict_engine_exception",
            format!("[{id}]: version conflict, document already exists (current version [1])"),
        ));
    }
    index.sequence += 1;
    let stored = Stored {
        index: name.to_owned(),
        id: id.clone(),
        document: Value::Object(document),
        accepted_at: options.clock.now(),
    };
    let place = keep(&mut kept.documents, &options.keep, before.flatten(), stored);
    index.ids.insert(key, place);
    kept.requests.stored += 1;
    let version = if before.is_some() { 2 } else { 1 };
    Ok(Done { index: backing, id, version, sequence })
}

/// Keeps a document, in place of an older one of its id if there is one; returns where.
fn keep(
    documents: &mut Vec<Stored>,
    keep: &Keep,
    before: Option<usize>,
    stored: Stored,
) -> Option<usize> {
    match keep {
        Keep::Everything => match before.and_then(|at| documents.get_mut(at)) {
            Some(old) => {
                *old = stored;
                before
            }
            None => {
                documents.push(stored);
                documents.len().checked_sub(1)
            }
        },
        Keep::Counts => None,
        Keep::Show(show) => {
            show(Arrival::Document(&stored));
            None
        }
    }
}

/// Whether the action may have the target it names.
fn target(
    kept: &Kept,
    rules: &IndexRules,
    action: &Action<'_>,
    data_stream: bool,
) -> Result<(), Refusal> {
    let name = action.index.as_str();
    let missing = |why: &str| {
        Refusal::new(404, "index_not_found_exception", format!("no such index [{name}]{why}"))
    };
    if let Some(flaw) = bad_name(name) {
        let reason = format!("Invalid index name [{name}], {flaw}");
        return Err(Refusal::new(400, "invalid_index_name_exception", reason));
    }
    if action.require_alias {
        return Err(missing(&format!(
            " and [require_alias] request flag is [true] and [{name}] is not an alias"
        )));
    }
    if action.require_data_stream && !data_stream {
        return Err(missing(&format!(
            " and [require_data_stream] request flag is [true] and [{name}] is not a data stream"
        )));
    }
    let exists = kept.indexes.0.contains_key(name) || rules.existing.iter().any(|e| e == name);
    if !exists && !rules.auto_create {
        return Err(missing(""));
    }
    match &action.pipeline {
        Some(id) if id != "_none" && !rules.pipelines.contains(id) => {
            return Err(Refusal::illegal(format!("pipeline with id [{id}] does not exist")));
        }
        _ => {}
    }
    match action.op {
        Op::Update | Op::Delete => {
            Err(Refusal::illegal("this receiver neither updates nor deletes"))
        }
        Op::Index if data_stream => Err(Refusal::illegal(
            "only write ops with an op_type of create are allowed in data streams",
        )),
        _ if action.id.as_deref() == Some("") => {
            Err(Refusal::illegal("if _id is specified it must not be empty"))
        }
        _ => Ok(()),
    }
}

/// What is wrong with an index's name: `MetadataCreateIndexService.validateIndexOrAliasName`.
fn bad_name(name: &str) -> Option<&'static str> {
    if name.contains(['\\', '/', '*', '?', '"', '<', '>', '|', ' ', ',', '#', ':']) {
        Some(
            "must not contain the following characters ['\\','/','*','?','\"','<','>','|',' ',',','#',':']",
        )
    } else if name.starts_with(['_', '-', '+']) {
        Some("must not start with '_', '-', or '+'")
    } else if name.chars().any(char::is_uppercase) {
        Some("must be lowercase")
    } else if name.len() > 255 {
        Some("index name is too long")
    } else if name == "." || name == ".." {
        Some("must not be '.' or '..'")
    } else {
        None
    }
}

fn document(action: &Action<'_>, settings: &Settings<'_>) -> Result<Map<String, Value>, Refusal> {
    let source = action.source.strip_suffix(b"\r").unwrap_or(action.source);
    let parsed = json::parse(source).map_err(|error| {
        let quoted = if settings.quote_source {
            format!(
                "; source: {}",
                String::from_utf8_lossy(source).chars().take(50).collect::<String>()
            )
        } else {
            String::new()
        };
        let reason = format!("[1:1] failed to parse: {error}{quoted}");
        Refusal::new(400, "document_parsing_exception", reason)
    })?;
    match parsed {
        Value::Object(document) => Ok(document),
        _ => Err(Refusal::new(
            400,
            "document_parsing_exception",
            "[1:1] failed to parse: Malformed content, must start with an object",
        )),
    }
}

/// What a data stream asks of every document: one `@timestamp`, and `data_stream.*` that agree with
/// its name.
fn data_stream_fields(name: &str, document: &Map<String, Value>) -> Result<(), Refusal> {
    let refuse = |reason: String| {
        let reason = format!("[1:1] failed to parse: {reason}");
        Err(Refusal::new(400, "document_parsing_exception", reason))
    };
    let count = match document.get("@timestamp") {
        None | Some(Value::Null) => 0,
        Some(Value::Array(times)) => times.iter().filter(|time| !time.is_null()).count(),
        Some(_) => 1,
    };
    match count {
        0 => return refuse("data stream timestamp field [@timestamp] is missing".to_owned()),
        1 => {}
        _ => {
            return refuse(
                "data stream timestamp field [@timestamp] encountered multiple values".to_owned(),
            );
        }
    }
    let mut parts = name.splitn(3, '-');
    for key in ["type", "dataset", "namespace"] {
        let part = parts.next().unwrap_or_default();
        let dotted = document.get(&format!("data_stream.{key}"));
        let nested = document.get("data_stream").and_then(|object| object.get(key));
        for value in dotted.into_iter().chain(nested) {
            if value.as_str() != Some(part) {
                return refuse(format!(
                    "[constant_keyword] field [data_stream.{key}] only accepts values that are \
                     equal to the value defined in the mappings [{part}]"
                ));
            }
        }
    }
    Ok(())
}

/// The name the reply gives: for a data stream, its backing index.
fn backing(name: &str, index: &Index) -> String {
    if index.data_stream {
        format!(".ds-{name}-2026.01.01-{:06}", index.generation)
    } else {
        name.to_owned()
    }
}
