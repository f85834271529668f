//! Requests over HTTP/1.1: one client per destination, connections reused, no redirects followed (a
//! body could end up with somebody else), and no proxy taken from the environment (`HTTP_PROXY` and
//! its kin are ignored: a sidecar speaks to the server that its configuration names).

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Url};

use super::auth;
use super::outcome::{PauseClass, RetryClass};
use super::payload::Payload;
use super::sink::{Fault, FaultKind, Reply, Transport};
use super::tls::{self, CaFile, TlsError};
use crate::budget::Budget;
use crate::config::memory::ANSWER;
use crate::config::settings::Auth;

/// How long a connection may take to come about; less if the whole request's timeout is less.
const CONNECT: Duration = Duration::from_secs(10);
/// Idle connections are closed after this long, before most servers and balancers do it.
const IDLE: Duration = Duration::from_secs(30);

/// What a client needs to know.
#[derive(Clone)]
pub struct HttpSettings {
    /// Where requests go, path and query included: at least one, tried in turn.
    pub urls: Vec<Url>,
    /// Credentials, read at each request.
    pub auth: Auth,
    /// PEM file of certificates to trust instead of the system's. Read again when the server's
    /// certificate is not trusted.
    pub ca: Option<PathBuf>,
    /// How long a request may take, its reply included.
    pub timeout: Duration,
    /// Headers of every request: the body's form, the tenant.
    pub headers: HeaderMap,
}

/// Why there can be no client: to be said at the start.
#[derive(Debug)]
pub enum HttpError {
    /// There is no URL, or one without a host, or neither http nor https.
    Url(String),
    /// A value that is to be sent as a header cannot be.
    Header(&'static str),
    /// Nobody can be trusted as configured.
    Tls(TlsError),
    /// The client cannot be built; over https without `ca`, because the system has no certificates.
    Client(String),
}

impl std::fmt::Display for HttpError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url(problem) => write!(f, "{problem}"),
            Self::Header(name) => write!(f, "{name} holds what no HTTP header can carry"),
            Self::Tls(error) => write!(f, "{error}"),
            Self::Client(problem) => {
                write!(f, "{problem}; without certificates on this system, set `ca` to a PEM file")
            }
        }
    }
}

impl std::error::Error for HttpError {}

/// A client for one destination.
pub struct Http {
    settings: HttpSettings,
    /// Where replies are accounted for as they come in: a server may write more than it was asked for.
    budget: Arc<Budget>,
    /// Replaced when the `ca` file has changed.
    client: Mutex<Trusting>,
    /// Index of the URL in use. Kept while it answers, since a connection to it is open; a random
    /// one at first, so that a fleet does not begin at the same server.
    current: AtomicUsize,
}

#[derive(Clone)]
struct Trusting {
    client: Client,
    ca: Option<CaFile>,
}

impl std::fmt::Debug for Http {
    /// Neither URLs nor credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Http({} urls)", self.settings.urls.len())
    }
}

impl Http {
    /// A client; connects to nobody yet.
    ///
    /// # Errors
    ///
    /// When the settings cannot work whatever the servers do.
    pub fn new(settings: HttpSettings, budget: Arc<Budget>) -> Result<Self, HttpError> {
        if settings.urls.is_empty() {
            return Err(HttpError::Url("there is no url".to_owned()));
        }
        for url in &settings.urls {
            if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
                return Err(HttpError::Url("a url must begin with http:// or https://".to_owned()));
            }
        }
        let client = build(&settings)?;
        let current = AtomicUsize::new(fastrand::usize(..settings.urls.len()));
        Ok(Self { settings, budget, client: Mutex::new(client), current })
    }

    fn client(&self) -> Client {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).client.clone()
    }

    /// Builds another client if the `ca` file is another one by now.
    fn trust_anew(&self) {
        let Some(path) = &self.settings.ca else { return };
        let mut trusting = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = tls::read_ca(path).is_ok_and(|now| trusting.ca.as_ref() != Some(&now));
        if changed && let Ok(new) = build(&self.settings) {
            *trusting = new;
        }
    }

    /// Goes on to the next URL, unless somebody already did.
    fn leave(&self, index: usize) {
        let next = (index + 1) % self.settings.urls.len();
        let _ = self.current.compare_exchange(index, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    async fn attempt(&self, index: usize, payload: &Payload) -> Result<Reply, Fault> {
        let Some(url) = self.settings.urls.get(index) else {
            return Err(fault(FaultKind::Pause(PauseClass::Unexpected), "there is no url"));
        };
        let credentials = auth::header(&self.settings.auth).map_err(|error| {
            fault(FaultKind::Pause(PauseClass::Credentials), &error.to_string())
        })?;
        let mut request = self.client().post(url.clone()).body(payload.body.clone());
        if let Some(credentials) = credentials {
            request = request.header(AUTHORIZATION, credentials);
        }
        let mut response = request.send().await.map_err(|error| classify(&error))?;
        let retry_after = response.headers().get(RETRY_AFTER).and_then(retry_after);
        let status = response.status().as_u16();
        let limit = reply_limit(payload.records);
        // What it says of its length saves the room that growing takes.
        let said = response.content_length().and_then(|length| usize::try_from(length).ok());
        let mut body = Vec::with_capacity(said.unwrap_or(0).min(limit));
        // The usual answer is in its batch's share.
        let expected = payload.records as usize * ANSWER / 2;
        let beyond = |body: &Vec<u8>| body.capacity().saturating_sub(expected);
        let mut permit = self.budget.overdraw(beyond(&body));
        while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
            if body.len() + chunk.len() > limit {
                // A failure's text is cut; an acknowledgement must be whole.
                if !(200..300).contains(&status) {
                    break;
                }
                let detail = format!("the reply has more than {limit} bytes");
                return Err(fault(FaultKind::Retry(RetryClass::Reply), &detail));
            }
            body.extend_from_slice(&chunk);
            permit.resize(beyond(&body));
        }
        Ok(Reply { status, retry_after, body, permit })
    }
}

impl Transport for Http {
    async fn send(&self, payload: &Payload) -> Result<Reply, Fault> {
        let mut last = None;
        for _ in 0..self.settings.urls.len() {
            let index = self.current.load(Ordering::Relaxed);
            let reply = self.attempt(index, payload).await;
            match &reply {
                // Nothing was sent: the next one may be asked at once.
                Err(Fault { kind: FaultKind::Retry(RetryClass::Connect), .. }) => {
                    self.leave(index);
                    last = Some(reply);
                    continue;
                }
                Err(Fault { kind: FaultKind::Pause(PauseClass::Tls), .. }) => {
                    self.trust_anew();
                    self.leave(index);
                }
                Err(_) => self.leave(index),
                Ok(reply) if reply.status >= 500 => self.leave(index),
                Ok(_) => {}
            }
            return reply;
        }
        last.unwrap_or_else(|| {
            Err(fault(FaultKind::Pause(PauseClass::Unexpected), "there is no url"))
        })
    }
}

fn build(settings: &HttpSettings) -> Result<Trusting, HttpError> {
    let https = settings.urls.iter().any(|url| url.scheme() == "https");
    let ca = match &settings.ca {
        Some(path) if https => Some(tls::read_ca(path).map_err(HttpError::Tls)?),
        _ => None,
    };
    let client = Client::builder()
        .user_agent(concat!("pillion/", env!("CARGO_PKG_VERSION")))
        .default_headers(settings.headers.clone())
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .retry(reqwest::retry::never())
        .timeout(settings.timeout)
        .connect_timeout(CONNECT.min(settings.timeout))
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(super::concurrency::MOST);
    let trusted = settings.ca.as_deref().zip(ca.as_ref());
    let client = tls::trust(client, https, trusted).map_err(HttpError::Tls)?;
    let client = client.build().map_err(|error| HttpError::Client(root(&error.without_url())))?;
    Ok(Trusting { client, ca })
}

/// Bytes that a reply to so many records may have: what a compatible server that ignores
/// `filter_path` writes per record, up to 4 MiB. A longer one is no acknowledgement, and after a few
/// of them the payload is split, which shortens them.
fn reply_limit(records: u32) -> usize {
    let per_record = usize::try_from(records).unwrap_or(usize::MAX).saturating_mul(1024);
    per_record.saturating_add(64 << 10).min(4 << 20)
}

fn fault(kind: FaultKind, detail: &str) -> Fault {
    Fault { kind, detail: detail.into() }
}

fn classify(error: &reqwest::Error) -> Fault {
    let kind = if tls::is_tls(error) {
        FaultKind::Pause(PauseClass::Tls)
    } else if error.is_connect() {
        FaultKind::Retry(RetryClass::Connect)
    } else if error.is_timeout() {
        FaultKind::Retry(RetryClass::Timeout)
    } else {
        FaultKind::Retry(RetryClass::Broken)
    };
    fault(kind, &root(error))
}

/// The words of the innermost error: the outer ones repeat it, or name the URL.
fn root(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Seconds, or a date (RFC 9110 section 10.2.3).
fn retry_after(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let seconds = at.as_second().saturating_sub(jiff::Timestamp::now().as_second());
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests;
