//! From a destination's settings to the requests that are made for it.

use reqwest::Url;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::config::settings::{Compression, Elasticsearch, Loki, LokiFormat};
use crate::export::elasticsearch::reply::FILTER_PATH;
use crate::export::http::{HttpError, HttpSettings};

/// Requests to `_bulk`. Only parameters that every version knows: Elasticsearch refuses others.
pub(super) fn elasticsearch(
    settings: &Elasticsearch,
    compression: Compression,
) -> Result<HttpSettings, HttpError> {
    let address = |text: &String| {
        let mut url = below(text, "_bulk")?;
        url.query_pairs_mut().append_pair("filter_path", FILTER_PATH);
        if let Some(pipeline) = &settings.pipeline {
            url.query_pairs_mut().append_pair("pipeline", pipeline);
        }
        Ok(url)
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    gzip(&mut headers, compression);
    Ok(HttpSettings {
        urls: settings.urls.iter().map(address).collect::<Result<_, _>>()?,
        auth: settings.auth.clone(),
        ca: settings.ca.clone(),
        timeout: settings.timeout,
        headers,
    })
}

/// Requests to the push API.
pub(super) fn loki(settings: &Loki, compression: Compression) -> Result<HttpSettings, HttpError> {
    let mut headers = HeaderMap::new();
    match settings.format {
        // The body is always a snappy block; saying so is optional, and gzip would mean "around it".
        LokiFormat::Protobuf => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        }
        LokiFormat::Json => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            gzip(&mut headers, compression);
        }
    }
    if let Some(tenant) = &settings.tenant {
        let tenant = HeaderValue::try_from(tenant).map_err(|_| HttpError::Header("tenant"))?;
        headers.insert("x-scope-orgid", tenant);
    }
    Ok(HttpSettings {
        urls: vec![below(&settings.url, "loki/api/v1/push")?],
        auth: settings.auth.clone(),
        ca: settings.ca.clone(),
        timeout: settings.timeout,
        headers,
    })
}

fn gzip(headers: &mut HeaderMap, compression: Compression) {
    if compression != Compression::None {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
}

/// A path below a base URL, whose own path and query are kept: servers behind a prefix, and those
/// that take their settings as query parameters (VictoriaLogs).
fn below(base: &str, path: &str) -> Result<Url, HttpError> {
    // The text is not repeated: it may hold a password.
    let mut url =
        Url::parse(base).map_err(|error| HttpError::Url(format!("not a url: {error}")))?;
    if url.cannot_be_a_base() {
        return Err(HttpError::Url("a url must begin with http:// or https://".to_owned()));
    }
    let trimmed = url.path().trim_end_matches('/').to_owned();
    if !trimmed.ends_with(&format!("/{path}")) {
        url.set_path(&format!("{trimmed}/{path}"));
    }
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::Auth;
    use std::time::Duration;

    #[track_caller]
    fn check(base: &str, path: &str, expect: &str) {
        assert_eq!(below(base, path).expect("a url").as_str(), expect);
    }

    #[test]
    fn paths_are_put_below_the_base() {
        check("http://es:9200", "_bulk", "http://es:9200/_bulk");
        check("http://es:9200/", "_bulk", "http://es:9200/_bulk");
        check("http://proxy/a/b/", "_bulk", "http://proxy/a/b/_bulk");
        check("http://vl/insert?x=1#y", "_bulk", "http://vl/insert/_bulk?x=1");
        let push = "http://loki/loki/api/v1/push";
        check("http://loki", "loki/api/v1/push", push);
        check(push, "loki/api/v1/push", push);
        assert!(below("es:9200:x y", "_bulk").is_err());
    }

    #[test]
    fn a_bulk_request_asks_for_a_small_reply_and_names_its_pipeline() {
        let settings = Elasticsearch {
            urls: vec!["http://es:9200/?a=b".to_owned()],
            index: "logs-a-b".to_owned(),
            auth: Auth::None,
            ca: None,
            ids: true,
            pipeline: Some("a b".to_owned()),
            lenient: false,
            timeout: Duration::from_secs(1),
        };
        let http = elasticsearch(&settings, Compression::Fast).expect("good");
        let expect = "a=b&filter_path=errors%2Citems.*.status%2Citems.*.error.type%2C\
                      items.*.failure_store&pipeline=a+b";
        assert_eq!(http.urls[0].query(), Some(expect));
        assert_eq!(http.headers[CONTENT_ENCODING], "gzip");
        let http = elasticsearch(&settings, Compression::None).expect("good");
        assert!(!http.headers.contains_key(CONTENT_ENCODING));
    }
}
