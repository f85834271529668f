//! An Elasticsearch, or what speaks like it.

use std::time::Duration;

use super::{auth, checked, url};
use crate::config::diagnostic::Mistake;
use crate::config::names;
use crate::config::read::{Reader, Value};
use crate::config::settings::Elasticsearch;
use crate::config::tree::Kind;

pub(super) const TIMEOUT: Duration = Duration::from_secs(90);

pub(super) fn elasticsearch(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Elasticsearch> {
    let mut fields = reader.map(value)?;
    let auth = auth::auth(reader, &mut fields, true);
    let ca = fields.take("ca");
    let ids = fields.take("ids").map_or(Some(true), |value| reader.boolean(value));
    let pipeline = fields.take("pipeline").map_or(Some(None), |value| {
        checked(reader, value, "an ingest pipeline's name", pipeline_name).map(Some)
    });
    let lenient = fields.take("lenient").map_or(Some(false), |value| reader.boolean(value));
    let timeout = fields.take("timeout").map_or(Some(TIMEOUT), |value| timeout(reader, value));
    let urls = fields.need("url", "write `url: http://elasticsearch:9200`");
    let urls = urls.and_then(|value| urls_of(reader, value));
    let help = "name a data stream, as `logs-shop-prod`, or an index";
    let index = fields.need("index", help);
    let index = index.and_then(|value| checked(reader, value, "an index name", names::index));
    let ca = ca.map_or(Some(None), |value| {
        url::ca(reader, value, urls.as_deref().unwrap_or_default()).map(Some)
    });
    fields.finish(reader);
    Some(Elasticsearch {
        urls: urls?,
        index: index?,
        auth: auth?,
        ca: ca?,
        ids: ids?,
        pipeline: pipeline?,
        lenient: lenient?,
        timeout: timeout?,
    })
}

pub(super) fn timeout(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Duration> {
    reader.duration(value, Duration::from_secs(1)..=Duration::from_secs(600))
}

fn urls_of(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Vec<String>> {
    let list = reader.list(value);
    if list.is_empty() && matches!(value.node.kind, Kind::List(_)) {
        reader.mistake(Mistake::at(value.place(), "`url` is empty"));
        return None;
    }
    let read = |value| url::url(reader, value, "http://elasticsearch:9200", "/_bulk");
    super::all(list.into_iter().map(read))
}

/// It travels in the request's query.
fn pipeline_name(name: &str) -> Result<(), &'static str> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-.:@".contains(letter);
    if name.len() <= 255 && name.chars().all(fits) {
        Ok(())
    } else {
        Err("a pipeline's name is made of letters, digits and _ - . : @")
    }
}
