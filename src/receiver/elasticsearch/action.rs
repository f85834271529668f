//! The lines of a bulk body: an action, then its document, each ended by a newline.

use bytes::Bytes;
use memchr::memchr;
use serde_json::{Map, Value};

use super::super::json;
use super::Refusal;
use super::index::Settings;

/// What is to be done with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Create,
    Index,
    Update,
    Delete,
}

impl Op {
    /// The key of its item in the reply.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Index => "index",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// One action and its document's bytes.
#[derive(Debug)]
pub(super) struct Action<'a> {
    pub(super) op: Op,
    pub(super) index: String,
    pub(super) id: Option<String>,
    pub(super) pipeline: Option<String>,
    pub(super) require_alias: bool,
    pub(super) require_data_stream: bool,
    pub(super) source: &'a [u8],
}

/// The actions of a body, up to the first flaw that fails the whole request.
pub(super) fn actions<'a>(
    body: &'a Bytes,
    settings: &Settings<'_>,
) -> (Vec<Action<'a>>, Option<Refusal>) {
    let mut lines = Lines { rest: body, number: 0 };
    let mut actions = Vec::new();
    let mut invalid = Vec::new();
    loop {
        match next(&mut lines, settings) {
            Ok(Some(action)) => {
                invalid.extend(validate(&action));
                actions.push(action);
            }
            Ok(None) => break,
            Err(refusal) => return (actions, Some(refusal)),
        }
    }
    if actions.is_empty() {
        invalid.push("no requests added".to_owned());
    }
    if invalid.is_empty() {
        return (actions, None);
    }
    let mut reason = "Validation Failed: ".to_owned();
    for (number, text) in invalid.iter().enumerate() {
        reason.push_str(&format!("{}: {text};", number + 1));
    }
    (Vec::new(), Some(Refusal::new(400, "action_request_validation_exception", reason)))
}

/// What fails every request of which the action is part: `IndexRequest.validate`.
fn validate(action: &Action<'_>) -> Option<String> {
    let too_long = action.id.as_ref().filter(|id| id.len() > 512);
    if action.index.is_empty() {
        return Some("index is missing".to_owned());
    }
    too_long.map(|id| {
        let length = id.len();
        format!("id [{id}] is too long, must be no longer than 512 bytes but was: {length}")
    })
}

struct Lines<'a> {
    rest: &'a [u8],
    /// Of the line taken last, from 1.
    number: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Result<Option<&'a [u8]>, Refusal> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let end = memchr(b'\n', self.rest).ok_or_else(|| {
            Refusal::illegal("The bulk request must be terminated by a newline [\\n]")
        })?;
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest.get(1..).unwrap_or_default();
        self.number += 1;
        Ok(Some(line))
    }
}

fn next<'a>(lines: &mut Lines<'a>, settings: &Settings<'_>) -> Result<Option<Action<'a>>, Refusal> {
    let line = loop {
        match lines.next()? {
            None => return Ok(None),
            // The parser finds no token on such a line, and goes on.
            Some(line) if line.iter().all(u8::is_ascii_whitespace) => {}
            Some(line) => break line,
        }
    };
    let number = lines.number;
    let malformed =
        |what: &str| Refusal::illegal(format!("Malformed action/metadata line [{number}], {what}"));
    let value =
        json::parse(line).map_err(|error| Refusal::new(400, "x_content_parse_exception", error))?;
    let Value::Object(object) = value else {
        return Err(malformed("expected START_OBJECT but found [VALUE]"));
    };
    let mut entries = object.into_iter();
    let Some((key, parameters)) = entries.next() else {
        return Err(malformed("expected FIELD_NAME but found [END_OBJECT]"));
    };
    if entries.next().is_some() {
        return Err(malformed("expected END_OBJECT but found [FIELD_NAME]"));
    }
    let op = match key.as_str() {
        "create" => Op::Create,
        "index" => Op::Index,
        "update" => Op::Update,
        "delete" => Op::Delete,
        key => {
            return Err(malformed(&format!(
                "expected field [create], [delete], [index] or [update] but found [{key}]"
            )));
        }
    };
    let Value::Object(parameters) = parameters else {
        return Err(malformed("expected START_OBJECT but found [VALUE]"));
    };
    let mut action = action(op, parameters, number, settings)?;
    if op != Op::Delete {
        // The real parser drops an action that has no document without a word; nobody wants that.
        action.source = lines.next()?.ok_or_else(|| malformed("expected a document line"))?;
    }
    Ok(Some(action))
}

fn action<'a>(
    mut op: Op,
    parameters: Map<String, Value>,
    number: usize,
    settings: &Settings<'_>,
) -> Result<Action<'a>, Refusal> {
    let mut action = Action {
        op,
        index: settings.default_index.clone(),
        id: None,
        pipeline: settings.pipeline.map(str::to_owned),
        require_alias: settings.require_alias,
        require_data_stream: settings.require_data_stream,
        source: &[],
    };
    for (key, value) in parameters {
        let text = match &value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Null => continue,
            Value::Array(_) | Value::Object(_) => {
                return Err(Refusal::illegal(format!(
                    "Malformed action/metadata line [{number}], expected a simple value for field \
                     [{key}] but found [{}]",
                    if value.is_array() { "START_ARRAY" } else { "START_OBJECT" }
                )));
            }
        };
        match key.as_str() {
            "_index" => action.index = text,
            "_id" => action.id = Some(text),
            "pipeline" => action.pipeline = Some(text),
            "op_type" if text == "create" => op = Op::Create,
            "op_type" if text == "index" => {}
            "require_alias" => action.require_alias = text == "true",
            "require_data_stream" => action.require_data_stream = text == "true",
            "routing"
            | "version"
            | "version_type"
            | "if_seq_no"
            | "if_primary_term"
            | "retry_on_conflict"
            | "dynamic_templates"
            | "list_executed_pipelines" => {}
            _ => {
                return Err(Refusal::illegal(format!(
                    "Action/metadata line [{number}] contains an unknown parameter [{key}]"
                )));
            }
        }
    }
    if action.op == Op::Index {
        action.op = op;
    }
    Ok(action)
}
