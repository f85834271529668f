//! A stream's labels, made from templates, and the two that every stream gets.
//!
//! `service_name` is what Loki would otherwise guess. `filename` keeps the Files of a source apart:
//! Loki refuses what lies an hour behind its stream's newest entry, so a backlog and a live file in
//! one stream would cost the backlog.
//!
//! Fields come redacted, a template's own text does not; and `{user}@{domain}` makes of two harmless
//! fields an address that nothing has seen. So both are cleaned here.

use std::collections::BTreeMap;
use std::sync::Arc;

use pillion_parsers::redact::{Clean, Redacted, Redactor, Rules};

use super::metadata::normal_name;
use super::text::{self, cut};
use crate::export::encode::{EncoderError, Place};

/// Labels per stream that Loki takes by default (`max_label_names_per_series`).
const MAX_LABELS: usize = 15;
/// Bytes of a label's name that Loki takes by default (`max_label_name_length`).
const MAX_NAME: usize = 1024;
/// Bytes of a label's value that Loki takes by default (`max_label_value_length`).
pub(super) const MAX_VALUE: usize = 2048;

/// The label that names the service, and what it is when nothing says.
const SERVICE: &str = "service_name";
const UNKNOWN_SERVICE: &str = "unknown_service";

/// Labels that Loki takes a missing `service_name` from, in this order (`discover_service_name`).
const SERVICE_LABELS: &[&str] = &[
    "service",
    "app",
    "application",
    "app_name",
    "name",
    "app_kubernetes_io_name",
    "container",
    "container_name",
    "k8s_container_name",
    "component",
    "workload",
    "job",
    "k8s_job_name",
];

/// Text with places for fields.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(String),
}

/// The labels of one destination, by name.
#[derive(Debug)]
pub(super) struct Labels {
    templates: Vec<(String, Template)>,
    /// Fields that a label holds whole: not repeated in structured metadata.
    whole: Vec<String>,
    /// Whether `service_name` is ours to say, so that the constant field `service.name` goes first.
    own_service: bool,
    /// Cleans what templates of several parts make; `None` if there are none.
    joined: Option<Box<Joined>>,
}

/// Cleans values that were put together.
#[derive(Debug)]
struct Joined {
    redactor: Redactor,
    /// The last value, and what it became: records in a row mostly have the same labels.
    last: Option<(String, Clean)>,
}

impl Joined {
    fn clean(&mut self, value: &str) -> &Clean {
        let last = self.last.take().filter(|(before, _)| before == value);
        let last = last.unwrap_or_else(|| (value.to_owned(), self.redactor.clean(value)));
        &self.last.insert(last).1
    }
}

impl Labels {
    /// Reads the templates of a configuration.
    pub(super) fn new(configured: &BTreeMap<String, String>) -> Result<Self, EncoderError> {
        let mut templates = BTreeMap::new();
        for (name, template) in configured {
            if !is_label_name(name) {
                return Err(EncoderError::LabelName(name.clone()));
            }
            let parsed = Template::parse(template).ok_or_else(|| EncoderError::LabelTemplate {
                label: name.clone(),
                template: template.clone(),
            })?;
            templates.insert(name.clone(), parsed);
        }
        let path = || Template(vec![Part::Field(text::PATH.to_owned())]);
        templates.entry("filename".to_owned()).or_insert_with(path);
        let own_service = !templates.contains_key(SERVICE);
        if own_service {
            let from = SERVICE_LABELS.iter().find_map(|name| templates.get(*name)).cloned();
            let unknown = || Template(vec![Part::Text(UNKNOWN_SERVICE.to_owned())]);
            templates.insert(SERVICE.to_owned(), from.unwrap_or_else(unknown));
        }
        if templates.len() > MAX_LABELS {
            return Err(EncoderError::TooManyLabels { labels: templates.len(), limit: MAX_LABELS });
        }
        let mut whole: Vec<String> =
            templates.values().filter_map(Template::field).map(str::to_owned).collect();
        if own_service {
            whole.push("service.name".to_owned());
        }
        Ok(Self { templates: templates.into_iter().collect(), whole, own_service, joined: None })
    }

    /// The same with the templates' own text cleaned, now, and what they make of fields, whenever they do.
    pub(super) fn redacted(mut self, rules: &Arc<Rules>) -> Self {
        let mut redactor = Redactor::new(Arc::clone(rules));
        for part in self.templates.iter_mut().flat_map(|(_, template)| &mut template.0) {
            if let Part::Text(text) = part {
                *text = redactor.clean(text).to_string();
            }
        }
        let joins = self.templates.iter().any(|(_, template)| template.joins());
        self.joined = joins.then(|| Box::new(Joined { redactor, last: None }));
        self
    }

    /// The labels' names, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.templates.iter().map(|(name, _)| name.as_str())
    }

    /// Whether a label holds the whole of a field.
    pub(super) fn hold(&self, field: &str) -> bool {
        self.whole.iter().any(|whole| whole == field)
    }

    /// Writes the values of a record's labels into `values`, and where each ends. A value is cut to
    /// what Loki takes; an empty one stands for a label that is left out.
    pub(super) fn values(
        &mut self,
        record: &Redacted<'_, '_>,
        place: &Place<'_>,
        values: &mut Values,
    ) {
        values.text.clear();
        values.ends.clear();
        for (name, template) in &self.templates {
            let start = values.text.len();
            match place.enrich.get("service.name") {
                Some(service) if self.own_service && name == SERVICE => {
                    values.text.push_str(service);
                }
                _ => template.render(record, place, &mut values.text),
            }
            if let Some(joined) = self.joined.as_mut().filter(|_| template.joins()) {
                let clean = joined.clean(values.text.get(start..).unwrap_or_default());
                values.text.truncate(start);
                values.text.push_str(clean);
            }
            if self.own_service && name == SERVICE && values.text.len() == start {
                values.text.push_str(UNKNOWN_SERVICE);
            }
            let value = values.text.get(start..).unwrap_or_default();
            let end = start + cut(value, MAX_VALUE).len();
            values.text.truncate(end);
            values.ends.push(end);
        }
    }
}

/// What a destination's labels say of a record that its entries do not say again: the fields that
/// they hold whole. Other labels are made anew whenever the record is encoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct LabelFields {
    /// Label and field.
    fields: Vec<(String, String)>,
    /// Fields that labels are put together from, under the names that entries give them, and their own.
    parts: Vec<(String, String)>,
    /// Whether `service_name` may be the constant field `service.name`.
    own_service: bool,
}

impl LabelFields {
    /// Of the labels of a configuration.
    pub(crate) fn new(configured: &BTreeMap<String, String>) -> Self {
        let Ok(labels) = Labels::new(configured) else { return Self::default() };
        let templates = labels.templates.into_iter();
        let templates = templates.filter(|(name, _)| !(labels.own_service && name == SERVICE));
        let mut said = Self { own_service: labels.own_service, ..Self::default() };
        for (name, template) in templates {
            match template.field() {
                Some(field) => said.fields.push((name, field.to_owned())),
                None => said.parts.extend(template.0.into_iter().filter_map(|part| match part {
                    Part::Field(field) => Some((normal_name(&field), field)),
                    Part::Text(_) => None,
                })),
            }
        }
        said
    }

    /// What a field was called before it became structured metadata, if a label needs to know.
    pub(super) fn own_name<'n>(&'n self, pair: &'n str) -> &'n str {
        self.parts.iter().find(|(normal, _)| normal == pair).map_or(pair, |(_, own)| own)
    }

    /// The fields and their values in a stream's labels; each field once.
    pub(super) fn of(&self, labels: Vec<(String, String)>) -> Vec<(&str, String)> {
        let is_elsewhere = |service: &str| {
            let others = labels.iter().filter(|(name, _)| name != SERVICE);
            service == UNKNOWN_SERVICE || others.into_iter().any(|(_, value)| value == service)
        };
        let service = labels.iter().find(|(name, value)| name == SERVICE && !is_elsewhere(value));
        let service = service.filter(|_| self.own_service).map(|(_, value)| value.clone());
        let mut found: Vec<(&str, String)> = Vec::new();
        for (label, value) in labels {
            let field = self.fields.iter().find(|(name, _)| *name == label);
            if let Some((_, field)) =
                field.filter(|(_, field)| found.iter().all(|it| it.0 != field))
            {
                found.push((field, value));
            }
        }
        found.extend(service.map(|service| ("service.name", service)));
        found
    }
}

impl Template {
    /// `None` for a brace without its other half, or with nothing between.
    fn parse(template: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            if name.trim().is_empty() || name.contains('{') {
                return None;
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Field(name.trim().to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Some(Self(parts))
    }

    /// The field that is all there is to the template.
    fn field(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Field(name)] => Some(name),
            _ => None,
        }
    }

    /// Whether it puts several parts together.
    const fn joins(&self) -> bool {
        self.0.len() > 1
    }

    fn render(&self, record: &Redacted<'_, '_>, place: &Place<'_>, out: &mut String) {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Field(name) => text::push_field(out, name, record, place),
            }
        }
    }
}

/// Values of labels, in the order of [`Labels::names`]: what tells one stream from another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Values {
    text: String,
    ends: Vec<usize>,
}

impl Values {
    /// Each value.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.text.get(start..*end).unwrap_or_default())
    }

    /// A number to look them up by.
    pub(super) fn hash(&self) -> u64 {
        xxhash_rust::xxh3::xxh3_64(self.text.as_bytes())
    }

    /// Bytes of memory taken.
    pub(super) fn resident(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * size_of::<usize>()
    }
}

/// Whether Loki takes it, and keeps it for us: names with `__` in front are its own.
fn is_label_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty()
        && name.len() <= MAX_NAME
        && name.bytes().all(plain)
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.starts_with("__")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(configured: &[(&str, &str)]) -> Result<Labels, EncoderError> {
        let owned = configured.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Labels::new(&owned.collect())
    }

    #[test]
    fn names_and_templates_are_checked() {
        for (name, template, fine) in [
            ("app", "shop", true),
            ("app", "{service}-{env}", true),
            ("_a9", "", true),
            ("9a", "x", false),
            ("a.b", "x", false),
            ("a:b", "x", false),
            ("__a", "x", false),
            ("", "x", false),
            ("app", "{", false),
            ("app", "{}", false),
            ("app", "{ }", false),
            ("app", "{a{b}}", false),
            ("app", "a}b", true),
        ] {
            assert_eq!(labels(&[(name, template)]).is_ok(), fine, "{name}: {template}");
        }
        let many: Vec<String> = (0..14).map(|n| format!("l{n}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "x")).collect();
        assert!(labels(&many[..13]).is_ok());
        let error = labels(&many).expect_err("16 with the two of ours");
        assert_eq!(error, EncoderError::TooManyLabels { labels: 16, limit: 15 });
    }

    #[test]
    fn a_service_name_and_a_file_name_are_always_there() {
        for (configured, service) in [
            (&[][..], Part::Text("unknown_service".into())),
            (&[("job", "j"), ("app", "{a}")][..], Part::Field("a".into())),
            (&[("service_name", "mine"), ("app", "b")][..], Part::Text("mine".into())),
        ] {
            let labels = labels(configured).expect("fine");
            assert!(labels.names().any(|name| name == "filename"));
            let found = labels.templates.iter().find(|(name, _)| name == "service_name");
            assert_eq!(found.map(|(_, template)| template.0.clone()), Some(vec![service]));
        }
    }
}
