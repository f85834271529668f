//! Dynamic mapping: the fields an index has come to know, and whether a document fits them. A field
//! is an object or a value for ever; `a.b` and `{"a":{"b":…}}` are the same field.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::{Map, Number, Value};

use super::Refusal;

/// The limits of one index.
#[derive(Clone, Copy, Debug)]
pub(super) struct MappingRules {
    pub(super) fields: usize,
    pub(super) depth: usize,
    pub(super) keyword: usize,
    pub(super) ignore_malformed: bool,
    /// Whether a string that looks like a date makes a date field.
    pub(super) date_detection: bool,
    /// Whether refusals quote the value.
    pub(super) quote_source: bool,
}

/// Field path → what it is. Objects are in it too.
#[derive(Debug, Default)]
pub(super) struct Mapping(HashMap<String, Kind>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Object,
    /// Analysed text: any length.
    Text,
    Keyword,
    Long,
    Float,
    Boolean,
    Date,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Text => "text",
            Self::Keyword => "keyword",
            Self::Long => "long",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Date => "date",
        }
    }
}

/// The text fields of the ECS templates; `error.stack_trace` is a wildcard, `event.original` is not
/// indexed: none has a longest term.
const TEXT: [&str; 4] = ["message", "error.message", "error.stack_trace", "event.original"];

/// Names a document's root cannot have: they are Elasticsearch's own, in some version from 7 to 9.
const METADATA: [&str; 23] = [
    "_data_stream_timestamp",
    "_doc_count",
    "_feature",
    "_field_names",
    "_id",
    "_ignored",
    "_ignored_source",
    "_index",
    "_index_mode",
    "_inference_fields",
    "_nested_path",
    "_primary_term",
    "_recovery_source",
    "_routing",
    "_routing_hash",
    "_seq_no",
    "_size",
    "_source",
    "_tier",
    "_ts_routing_hash",
    "_tsid",
    "_type",
    "_version",
];

impl Mapping {
    /// Takes a document in: new fields are learned, unless the document is refused.
    pub(super) fn admit(
        &mut self,
        document: &Map<String, Value>,
        rules: &MappingRules,
    ) -> Result<(), Refusal> {
        if let Some(name) = document.keys().find(|key| METADATA.contains(&key.as_str())) {
            return Err(refusal(format!(
                "Field [{name}] is a metadata field and cannot be added inside a document. Use the \
                 index API request parameters."
            )));
        }
        let mut walk = Walk { mapping: self, rules, learned: Vec::new() };
        let result = walk.object("", document);
        let learned = std::mem::take(&mut walk.learned);
        if result.is_err() {
            for path in learned {
                self.0.remove(&path);
            }
        }
        result
    }
}

fn refusal(reason: String) -> Refusal {
    Refusal::new(400, "document_parsing_exception", format!("[1:1] failed to parse: {reason}"))
}

struct Walk<'a> {
    mapping: &'a mut Mapping,
    rules: &'a MappingRules,
    /// What this document added, to be forgotten if it is refused.
    learned: Vec<String>,
}

impl Walk<'_> {
    fn object(&mut self, path: &str, object: &Map<String, Value>) -> Result<(), Refusal> {
        for (key, value) in object {
            let parent = self.parents(path, key)?;
            let last = key.rsplit('.').next().unwrap_or(key);
            self.value(&join(&parent, last), value)?;
        }
        Ok(())
    }

    /// The objects that a dotted key stands for; the path of the innermost.
    fn parents(&mut self, path: &str, key: &str) -> Result<String, Refusal> {
        if key.trim().is_empty() {
            return Err(refusal("field name cannot be an empty string".to_owned()));
        }
        let mut parent = path.to_owned();
        let mut names = key.split('.').peekable();
        while let Some(name) = names.next() {
            if name.trim().is_empty() {
                return Err(refusal(format!(
                    "field name starting or ending with a [.] makes object resolution ambiguous: [{key}]"
                )));
            }
            if names.peek().is_some() {
                parent = join(&parent, name);
                self.is(&parent, Kind::Object)?;
            }
        }
        Ok(parent)
    }

    fn value(&mut self, path: &str, value: &Value) -> Result<(), Refusal> {
        match value {
            Value::Null => Ok(()),
            Value::Array(elements) => elements.iter().try_for_each(|value| self.value(path, value)),
            Value::Object(object) => {
                self.is(path, Kind::Object)?;
                self.object(path, object)
            }
            Value::Bool(_) => self.scalar(path, value, Kind::Boolean),
            Value::Number(number) if number.is_f64() => self.scalar(path, value, Kind::Float),
            Value::Number(_) => self.scalar(path, value, Kind::Long),
            Value::String(text) => {
                let kind = if path == "@timestamp" || (self.rules.date_detection && is_date(text)) {
                    Kind::Date
                } else if TEXT.contains(&path) {
                    Kind::Text
                } else {
                    Kind::Keyword
                };
                self.scalar(path, value, kind)
            }
        }
    }

    /// A value at `path`, which would be a `fresh` field if it were new.
    fn scalar(&mut self, path: &str, value: &Value, fresh: Kind) -> Result<(), Refusal> {
        let fresh = if path == "@timestamp" { Kind::Date } else { fresh };
        let kind = self.mapping.0.get(path).copied();
        let kind = match kind {
            Some(kind) => kind,
            None => {
                self.learn(path, fresh)?;
                fresh
            }
        };
        if kind == Kind::Object {
            let name = path.rsplit('.').next().unwrap_or(path);
            return Err(refusal(format!(
                "object mapping for [{path}] tried to parse field [{name}] as object, but found a \
                 concrete value"
            )));
        }
        let is_term = kind == Kind::Keyword;
        if is_term && value.as_str().is_some_and(|text| text.len() > self.rules.keyword) {
            return Err(refusal(format!(
                "Document contains at least one immense term in field=\"{path}\" (whose UTF8 \
                 encoding is longer than the max length {}), all of which were skipped",
                self.rules.keyword
            )));
        }
        let ignored = self.rules.ignore_malformed && path != "@timestamp";
        if fits(kind, value) || ignored { Ok(()) } else { Err(self.misfit(path, kind, value)) }
    }

    fn misfit(&self, path: &str, kind: Kind, value: &Value) -> Refusal {
        let preview = if self.rules.quote_source {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!(". Preview of field's value: '{text}'")
        } else {
            String::new()
        };
        refusal(format!("failed to parse field [{path}] of type [{}]{preview}", kind.name()))
    }

    /// `path` is an object here: it must not have been a value before.
    fn is(&mut self, path: &str, kind: Kind) -> Result<(), Refusal> {
        match self.mapping.0.get(path).copied() {
            None => {
                let depth = path.split('.').count() + 1;
                if depth > self.rules.depth {
                    return Err(refusal(format!(
                        "Limit of mapping depth [{}] has been exceeded due to object field [{path}]",
                        self.rules.depth
                    )));
                }
                self.learn(path, kind)
            }
            Some(known) if known == kind => Ok(()),
            Some(known) => Err(refusal(format!(
                "failed to parse field [{path}] of type [{}]: Can't get text on a START_OBJECT",
                known.name()
            ))),
        }
    }

    fn learn(&mut self, path: &str, kind: Kind) -> Result<(), Refusal> {
        if self.mapping.0.len() >= self.rules.fields {
            return Err(refusal(format!(
                "Limit of total fields [{}] has been exceeded while adding new fields [1]",
                self.rules.fields
            )));
        }
        self.mapping.0.insert(path.to_owned(), kind);
        self.learned.push(path.to_owned());
        Ok(())
    }
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}

/// Whether a value can be read as the type, coerced as Elasticsearch does.
fn fits(kind: Kind, value: &Value) -> bool {
    match (kind, value) {
        (Kind::Text | Kind::Keyword, _) => true,
        (Kind::Long, Value::Number(number)) => long(number),
        (Kind::Float, Value::Number(number)) => float(&number.to_string()),
        (Kind::Float, Value::String(text)) => float(text.trim()),
        (Kind::Long, Value::String(text)) => text.trim().parse::<f64>().is_ok_and(f64::is_finite),
        (Kind::Boolean, Value::Bool(_)) => true,
        (Kind::Boolean, Value::String(text)) => matches!(text.as_str(), "true" | "false" | ""),
        (Kind::Date, Value::String(text)) => is_date(text) || text.parse::<i64>().is_ok(),
        (Kind::Date, Value::Number(number)) => long(number),
        _ => false,
    }
}

/// Whether a number lies in the range of `float`.
fn float(number: &str) -> bool {
    number.parse::<f32>().is_ok_and(f32::is_finite)
}

/// Whether a number lies in the range of `long`; a fraction is cut off.
fn long(number: &Number) -> bool {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a border case by one either way changes nothing"
    )]
    let range = i64::MIN as f64..=i64::MAX as f64;
    number.is_i64()
        || number.as_f64().is_some_and(|value| number.is_f64() && range.contains(&value))
}

/// `strict_date_optional_time`: a date, or a date and time joined by `T`, with or without a zone.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let strict = bytes.len() >= 10
        && bytes.iter().take(4).all(u8::is_ascii_digit)
        && bytes.get(10).is_none_or(|at| *at == b'T')
        && bytes.is_ascii();
    strict && (text.parse::<Timestamp>().is_ok() || text.parse::<DateTime>().is_ok())
}

#[cfg(test)]
mod tests;
