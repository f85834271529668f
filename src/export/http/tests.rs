//! Requests over real sockets: what is sent, and what each kind of answer or failure is taken for.

use super::*;

fn settings(url: &str) -> HttpSettings {
    HttpSettings {
        urls: vec![url.parse().expect("a url")],
        auth: Auth::None,
        ca: None,
        timeout: Duration::from_secs(1),
        headers: HeaderMap::new(),
    }
}

fn http(settings: HttpSettings) -> Result<Http, HttpError> {
    Http::new(settings, Budget::new(0))
}

#[test]
fn what_can_never_work_is_said_at_the_start_and_shows_no_password() {
    let error = http(settings("ftp://user:hunter2@host/")).expect_err("no http");
    assert_eq!(error.to_string(), "a url must begin with http:// or https://");
    let none = HttpSettings { urls: Vec::new(), ..settings("http://host/") };
    assert!(http(none).is_err());
    for (content, expect) in
        [(None, "cannot read ca file"), (Some("rubbish"), "no PEM certificates")]
    {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("ca.pem");
        if let Some(content) = content {
            std::fs::write(&path, content).expect("written");
        }
        let with_ca = |url| HttpSettings { ca: Some(path.clone()), ..settings(url) };
        let error = http(with_ca("https://host/")).expect_err("no certificate");
        assert!(error.to_string().starts_with(expect), "{error}");
        assert!(http(with_ca("http://host/")).is_ok(), "not needed without TLS");
    }
    let http = http(settings("http://user:hunter2@host/")).expect("usable");
    assert!(!format!("{http:?}").contains("hunter2"));
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let read = |text: &str| retry_after(&HeaderValue::from_str(text).expect("a header"));
    assert_eq!(read(" 120 "), Some(Duration::from_secs(120)));
    assert_eq!(read("Fri, 31 Dec 1999 23:59:59 GMT"), None, "a date gone by asks for nothing");
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(90);
    let soon = soon.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    assert!(read(&soon).is_some_and(|wait| (88..=90).contains(&wait.as_secs())), "{soon}");
    for rubbish in ["", "-1", "1.5", "soon", "99999999999999999999999999"] {
        assert_eq!(read(rubbish), None, "{rubbish}");
    }
}

#[test]
fn replies_are_bounded_by_what_was_asked() {
    assert_eq!(reply_limit(1), (64 << 10) + 1024);
    assert_eq!(reply_limit(u32::MAX), 4 << 20);
}
