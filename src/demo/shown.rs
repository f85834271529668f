//! What of an arrival is shown. Every record arrives twice, at Elasticsearch and at Loki; half of the
//! sources are shown as the one stored them, half as the other.

use serde_json::Value;

use super::formats::Format;
use crate::receiver::{Entry, Stored};

/// Fields that say nothing to somebody who watches.
const BORING: [&str; 10] = [
    "@timestamp",
    "message",
    "agent.",
    "data_stream.",
    "ecs.",
    "event.",
    "host.",
    "log.",
    "process.thread.",
    "user_agent.",
];

/// An arrival, ready to be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// Where it arrived.
    pub(super) destination: &'static str,
    /// Which of the demo's sources it is of.
    pub(super) source: &'static str,
    /// Its message, or line, and the fields worth seeing.
    pub(super) text: String,
}

impl Shown {
    /// A document, if it is of a source that is shown as Elasticsearch stored it.
    pub(super) fn document(stored: &Stored) -> Option<Self> {
        let mut fields = Vec::new();
        flatten("", &stored.document, &mut fields);
        let format = fields.iter().find_map(|(_, value)| format_of(value));
        let source = match format {
            Some(Format::Nginx | Format::Json | Format::Java) => format.map_or("", Format::source),
            Some(_) => return None,
            None => "?",
        };
        let message = fields.iter().find(|(name, _)| name == "message");
        let mut text = message.map(|(_, value)| value.clone()).unwrap_or_default();
        for (name, value) in &fields {
            if !BORING.iter().any(|boring| name.starts_with(boring)) {
                text.push_str(&format!(" {name}={value}"));
            }
        }
        Some(Self { destination: "elasticsearch", source, text })
    }

    /// An entry, if it is of a source that is shown as Loki stored it.
    pub(super) fn entry(entry: &Entry) -> Option<Self> {
        let metadata = entry.metadata.iter().map(|(_, value)| value);
        let mut values = entry.labels.values().chain(metadata).chain([&entry.line]);
        let format = values.find_map(|value| format_of(value));
        match format {
            Some(Format::Logfmt | Format::Cri | Format::Syslog) => {}
            _ => return None,
        }
        let mut text = entry.line.clone();
        for (name, value) in &entry.metadata {
            if !BORING.iter().any(|boring| name.replace('_', ".").starts_with(boring)) {
                text.push_str(&format!(" {name}={value}"));
            }
        }
        Some(Self { destination: "loki", source: format.map_or("", Format::source), text })
    }
}

/// The format whose file a path names.
fn format_of(value: &str) -> Option<Format> {
    Format::ALL.into_iter().find(|format| value.contains(format.file()))
}

fn flatten(path: &str, value: &Value, fields: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&path, value, fields);
            }
        }
        Value::String(text) => fields.push((path.to_owned(), text.clone())),
        value => fields.push((path.to_owned(), value.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_source_is_shown_once() {
        let shown = |file: &str| {
            let path = format!("/tmp/logs/{file}");
            let stored = Stored {
                index: "logs-demo-default".to_owned(),
                id: "x".to_owned(),
                document: json!({"message": "m", "log": {"file": {"path": path}}, "a": {"b": 1}}),
                accepted_at: 0,
            };
            let entry = Entry {
                tenant: "fake".to_owned(),
                labels: std::collections::BTreeMap::new(),
                time: 0,
                line: "m".to_owned(),
                metadata: vec![
                    ("log_file_path".to_owned(), path),
                    ("a_b".to_owned(), "1".to_owned()),
                ],
                accepted_at: 0,
            };
            (Shown::document(&stored).map(|s| s.text), Shown::entry(&entry).map(|s| s.text))
        };
        assert_eq!(shown("shop.log"), (Some("m a.b=1".to_owned()), None));
        assert_eq!(shown("pod.log"), (None, Some("m a_b=1".to_owned())));
    }
}
