//! Servers' addresses, and the certificates they are checked with.

use std::path::{Path, PathBuf};

use reqwest::Url;

use crate::config::diagnostic::Mistake;
use crate::config::read::{Reader, Value};

/// A base URL without a slash at the end of its path. `endpoint` is what pillion appends to that; a
/// query stays, since there are servers that take their settings there.
pub(super) fn url(
    reader: &mut Reader<'_>,
    value: Value<'_>,
    example: &str,
    endpoint: &str,
) -> Option<String> {
    let text = reader.filled(value, "a URL")?;
    match checked(text.trim(), example, endpoint) {
        Ok(url) => Some(url),
        Err((problem, help)) => {
            reader.mistake(Mistake::at(value.place(), problem).help(help));
            None
        }
    }
}

/// What is wrong, and what to do.
type Refusal = (String, String);

fn checked(text: &str, example: &str, endpoint: &str) -> Result<String, Refusal> {
    let like = || format!("write it like `{example}`");
    if !text.contains("://") {
        return Err((
            "the URL does not say how to connect".into(),
            format!("begin it with `http://` or `https://`, like `{example}`"),
        ));
    }
    let mut url = Url::parse(text).map_err(|error| (format!("this is no URL: {error}"), like()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(("the URL has to begin with `http://` or `https://`".into(), like()));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(("the URL names no host".into(), like()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let help = "give `user` and `password`: a URL is shown in logs and metrics";
        return Err(("the URL holds credentials".into(), help.into()));
    }
    if url.fragment().is_some() {
        return Err(("the URL has a fragment".into(), like()));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    if path.ends_with(endpoint) {
        let help = format!("leave `{endpoint}` out: pillion appends it");
        return Err(("the URL names the endpoint".into(), help));
    }
    url.set_path(&path);
    // A URL without a path is shown with `/`.
    let shown =
        if url.query().is_none() { url.as_str().trim_end_matches('/') } else { url.as_str() };
    Ok(shown.to_owned())
}

/// A PEM file of certificates, which has to be there and look like one.
pub(super) fn ca(reader: &mut Reader<'_>, value: Value<'_>, urls: &[String]) -> Option<PathBuf> {
    let path = reader.path(value)?;
    if !urls.is_empty() && urls.iter().all(|url| url.starts_with("http://")) {
        let mistake = Mistake::at(value.place(), "`ca` is of no use without TLS");
        reader.mistake(mistake.help("begin the URL with `https://`, or remove `ca`"));
        return None;
    }
    match certificates(&path) {
        Ok(()) => Some(path),
        Err(problem) => {
            let message = format!("the certificates cannot be used: {problem}");
            let help = "name a readable PEM file that holds `-----BEGIN CERTIFICATE-----`";
            reader.mistake(Mistake::at(value.place(), message).help(help));
            None
        }
    }
}

fn certificates(path: &Path) -> Result<(), String> {
    // A system's whole bundle is a few hundred KiB.
    const LARGEST: u64 = 8 * 1024 * 1024;
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    })?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return Err("not a file of certificates".to_owned());
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let begin = b"-----BEGIN CERTIFICATE-----";
    match memchr::memmem::find(&bytes, begin) {
        Some(_) => Ok(()),
        None => Err("no certificate in it".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls() {
        let check = |text: &str, expect: Result<&str, &str>| {
            let found = checked(text, "http://es:9200", "/_bulk").map_err(|(problem, _)| problem);
            assert_eq!(found, expect.map(str::to_owned).map_err(str::to_owned), "{text}");
        };
        check("http://es:9200", Ok("http://es:9200"));
        check("https://es/prefix/", Ok("https://es/prefix"));
        check("http://[::1]:9200", Ok("http://[::1]:9200"));
        check("es:9200", Err("the URL does not say how to connect"));
        check("ftp://es", Err("the URL has to begin with `http://` or `https://`"));
        check("http://", Err("this is no URL: empty host"));
        check("http://es:99999", Err("this is no URL: invalid port number"));
        check("http://u:p@es", Err("the URL holds credentials"));
        check("http://es?a=b", Ok("http://es/?a=b"));
        check("http://vl/insert/?_time_field=t", Ok("http://vl/insert?_time_field=t"));
        check("http://es/_bulk?a=b", Err("the URL names the endpoint"));
        check("http://es#a", Err("the URL has a fragment"));
        check("http://es/_bulk", Err("the URL names the endpoint"));
    }
}
