//! A Loki, or what speaks like it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{auth, checked, elasticsearch, url};
use crate::config::diagnostic::{Mistake, quote};
use crate::config::names;
use crate::config::read::{Reader, Value};
use crate::config::settings::{Loki, LokiFormat};
use crate::config::tree::Kind;

/// Loki answers fast, or is in trouble.
const TIMEOUT: Duration = Duration::from_secs(15);

/// `max_label_names_per_series` of Loki 3.
const LABELS: usize = 15;

/// Labels that every stream gets, whether they are named or not.
const AUTOMATIC: [&str; 2] = ["filename", "service_name"];

pub(super) fn loki(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Loki> {
    let mut fields = reader.map(value)?;
    let labels = fields.take("labels").map_or_else(
        || Some(BTreeMap::from([("job".to_owned(), "pillion".to_owned())])),
        |value| labels(reader, value),
    );
    let tenant = fields
        .take("tenant")
        .map_or(Some(None), |value| checked(reader, value, "a tenant", names::tenant).map(Some));
    let auth = auth::auth(reader, &mut fields, false);
    let ca = fields.take("ca");
    let format = fields.take("format").map_or(Some(LokiFormat::Protobuf), |value| {
        let words = [("protobuf", LokiFormat::Protobuf), ("json", LokiFormat::Json)];
        reader.one_of(value, &words)
    });
    let structured_metadata =
        fields.take("structured_metadata").map_or(Some(true), |value| reader.boolean(value));
    let timeout =
        fields.take("timeout").map_or(Some(TIMEOUT), |value| elasticsearch::timeout(reader, value));
    let address = fields.need("url", "write `url: http://loki:3100`");
    let address =
        address.and_then(|value| url::url(reader, value, "http://loki:3100", "/loki/api/v1/push"));
    let ca = ca.map_or(Some(None), |value| url::ca(reader, value, address.as_slice()).map(Some));
    fields.finish(reader);
    Some(Loki {
        url: address?,
        labels: labels?,
        tenant: tenant?,
        auth: auth?,
        ca: ca?,
        format: format?,
        structured_metadata: structured_metadata?,
        timeout: timeout?,
    })
}

fn labels(reader: &mut Reader<'_>, value: Value<'_>) -> Option<BTreeMap<String, String>> {
    let Kind::Map(entries) = &value.node.kind else {
        reader.map(value);
        return None;
    };
    let mut labels = BTreeMap::new();
    let mut fits = true;
    for entry in entries {
        if let Err(problem) = names::label(&entry.key) {
            let name: String = entry
                .key
                .chars()
                .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' })
                .collect();
            let name =
                name.trim_start_matches(['_', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
            let help = names::label(name).is_ok().then(|| format!("write {}", quote(name)));
            reader.mistake(Mistake::at(entry.key_place, problem).maybe_help(help));
            fits = false;
        }
        match checked(reader, Value::of(entry), "a label's value", names::label_template) {
            Some(template) => {
                labels.insert(entry.key.clone(), template);
            }
            None => fits = false,
        }
    }
    let is_named = |name: &&str| entries.iter().any(|entry| entry.key == **name);
    let all = entries.len() + AUTOMATIC.iter().filter(|name| !is_named(name)).count();
    if all > LABELS {
        let message = format!(
            "{all} labels, `filename` and `service_name` included: Loki takes at most {LABELS} a stream"
        );
        let help = "leave out those with many values: fields travel as structured metadata anyway";
        reader.mistake(Mistake::at(value.key, message).help(help));
        fits = false;
    } else if fits && !labels.values().any(|template| is_never_empty(template)) {
        let message = "a stream needs a label that is never empty";
        let help =
            "add one with a fixed value, as `app: shop`: Loki refuses streams without labels";
        reader.mistake(Mistake::at(value.key, message).help(help));
        fits = false;
    }
    fits.then_some(labels)
}

/// Whether there is text outside the `{field}` places.
fn is_never_empty(template: &str) -> bool {
    let mut inside = false;
    template.chars().any(|letter| {
        match letter {
            '{' => inside = true,
            '}' => inside = false,
            _ => return !inside,
        }
        false
    })
}
