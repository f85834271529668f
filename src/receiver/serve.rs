//! Connections and requests: reading the body, meeting the faults, answering.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::body::{Part, ReplyBody};
use super::fault::{Drawn, Ending, Faults};
use super::store::Store;
use super::{Options, elasticsearch, loki};

/// How long a closed connection's unread input is thrown away, so that the client gets to read an
/// answer that came before it had sent everything.
const LINGER: Duration = Duration::from_secs(2);

/// What the server thread and the [`super::Receiver`] both hold.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) faults: Faults,
    pub(super) store: Store,
}

/// A request with its body read, not yet decompressed.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Question {
    /// A header's only value; `None` if absent, doubled, or not text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// Which API a path belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Api {
    Bulk,
    Push,
    Other,
}

/// How a connection is to end once hyper has given it up.
#[derive(Debug, Default)]
struct Fate(AtomicU8);

impl Fate {
    const RESET: u8 = 1;
    const HALF_HEAD: u8 = 2;

    fn decide(&self, fate: u8) -> Result<Response<ReplyBody>, io::Error> {
        self.0.store(fate, Ordering::Relaxed);
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}

/// Serves on a thread of its own until the sender is dropped.
pub(super) fn spawn(
    listener: TcpListener,
    shared: Arc<Shared>,
) -> io::Result<(oneshot::Sender<()>, JoinHandle<()>)> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::Builder::new().name("receiver".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = stopped => {}
                () = accept(listener, shared) => {}
            }
        });
    })?;
    Ok((stop, thread))
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    // Dropped with this future: stopping closes every connection.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    shared.store.lock().requests.connections += 1;
                    connections.spawn(converse(stream, Arc::clone(&shared)));
                }
                // Out of file descriptors: those of closing connections come back.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, shared: Arc<Shared>) {
    let fate = Arc::new(Fate::default());
    let service = service_fn({
        let fate = Arc::clone(&fate);
        move |request| Box::pin(answer(Arc::clone(&shared), Arc::clone(&fate), request))
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // Errors are the client going away, or our own faults.
    let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let mut stream = connection.into_parts().io.into_inner();
    match fate.0.load(Ordering::Relaxed) {
        Fate::RESET => {
            // Closing at once instead of in order: the client sees ECONNRESET.
            let _ = stream.set_zero_linger();
        }
        Fate::HALF_HEAD => {
            let _ = stream.write_all(b"HTTP/1.1 204 No Con").await;
            let _ = stream.shutdown().await;
        }
        _ => {
            let _ = stream.shutdown().await;
            let _ = tokio::time::timeout(LINGER, drain(&mut stream)).await;
        }
    }
}

async fn drain(stream: &mut TcpStream) {
    let mut rest = vec![0; 16 << 10];
    while matches!(stream.read(&mut rest).await, Ok(read) if read > 0) {}
}

async fn answer(
    shared: Arc<Shared>,
    fate: Arc<Fate>,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, io::Error> {
    let api = match request.uri().path() {
        "/loki/api/v1/push" => Api::Push,
        path if path == "/_bulk" || path.ends_with("/_bulk") => Api::Bulk,
        _ => Api::Other,
    };
    let drawn = if api == Api::Other { Drawn::default() } else { shared.faults.draw() };
    let limit = shared.options.max_body;
    let promised = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let promised = promised.and_then(|value| value.parse::<usize>().ok()).unwrap_or(0);
    let (parts, incoming) = request.into_parts();
    let body = if promised > limit { None } else { read(incoming, limit).await? };
    count(&shared, api, &drawn, body.as_ref().map_or(0, Bytes::len));
    if !drawn.delay.is_zero() {
        tokio::time::sleep(drawn.delay).await;
    }
    match drawn.ending {
        Some(Ending::Reset { stored: false }) => return fate.decide(Fate::RESET),
        Some(Ending::Hang { stored: false }) => return std::future::pending().await,
        _ => {}
    }
    let reply = match body {
        None => too_large(),
        Some(body) => {
            let question = Question {
                method: parts.method,
                path: parts.uri.path().to_owned(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                headers: parts.headers,
                body,
            };
            reply_to(&shared, api, &drawn, &question)
        }
    };
    *shared.store.lock().requests.by_status.entry(reply.status).or_default() += 1;
    shared.store.ring();
    finish(reply, drawn.ending, &fate).await
}

/// Reads a body of at most `limit` bytes; `None` if it is longer.
async fn read(mut incoming: Incoming, limit: usize) -> Result<Option<Bytes>, io::Error> {
    let mut body = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(io::Error::other)?;
        if let Ok(data) = frame.into_data() {
            if body.len() + data.len() > limit {
                return Ok(None);
            }
            body.extend_from_slice(&data);
        }
    }
    Ok(Some(body.freeze()))
}

fn count(shared: &Shared, api: Api, drawn: &Drawn, wire_bytes: usize) {
    let mut kept = shared.store.lock();
    kept.requests.wire_bytes += wire_bytes as u64;
    kept.requests.faulted += u64::from(drawn.any());
    match api {
        Api::Bulk => kept.requests.bulk += 1,
        Api::Push => kept.requests.push += 1,
        Api::Other => {}
    }
    drop(kept);
    // A request that is never answered must wake whoever waits for it, too.
    shared.store.ring();
}

fn reply_to(shared: &Shared, api: Api, drawn: &Drawn, question: &Question) -> Reply {
    let allowed = &shared.options.authorization;
    let given = question.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let let_in =
        allowed.is_empty() || given.is_some_and(|given| allowed.iter().any(|a| a == given));
    let status = drawn.status.or((!let_in).then_some((401, None)));
    let refusal = status.map(|(status, retry_after)| {
        let mut reply = match api {
            Api::Push => loki::refusal(status),
            _ => elasticsearch::refusal(status, &question.path, given.is_some()),
        };
        if let Some(after) = retry_after {
            reply.headers.push((RETRY_AFTER.as_str(), after.as_secs().to_string()));
        }
        reply
    });
    match (refusal, api) {
        (Some(reply), _) => reply,
        (None, Api::Push) => loki::push(shared, drawn, question),
        (None, Api::Bulk) => elasticsearch::bulk(shared, drawn, question),
        (None, Api::Other) if question.path == "/ready" => {
            Reply { status: 200, headers: Vec::new(), body: b"ready\n".to_vec() }
        }
        (None, Api::Other) => elasticsearch::other(shared, question),
    }
}

/// The answer to a body beyond the limit: empty, and the connection closes, often before the client
/// has sent everything.
pub(super) fn too_large() -> Reply {
    Reply {
        status: 413,
        headers: vec![(CONNECTION.as_str(), "close".to_owned())],
        body: Vec::new(),
    }
}

async fn finish(
    mut reply: Reply,
    ending: Option<Ending>,
    fate: &Fate,
) -> Result<Response<ReplyBody>, io::Error> {
    let mut body = None;
    match ending {
        Some(Ending::Reset { .. }) => return fate.decide(Fate::RESET),
        Some(Ending::Hang { .. }) => return std::future::pending().await,
        Some(Ending::Truncated) if reply.body.len() < 2 => return fate.decide(Fate::HALF_HEAD),
        Some(Ending::Stalled) if reply.body.len() < 2 => return std::future::pending().await,
        Some(ending @ (Ending::Truncated | Ending::Stalled)) => {
            let length = reply.body.len();
            reply.headers.push((CONTENT_LENGTH.as_str(), length.to_string()));
            reply.body.truncate(length / 2);
            let part = Bytes::from(std::mem::take(&mut reply.body));
            body = Some(match ending {
                Ending::Stalled => ReplyBody::Stalled(part),
                _ => ReplyBody::Cut(Part::Unsent(part)),
            });
        }
        Some(Ending::Oversize(bytes)) => {
            if reply.status == 204 {
                reply.status = 500;
            }
            // Spaces at the end: JSON stays JSON, however long.
            reply.body.resize(reply.body.len().saturating_add(bytes), b' ');
        }
        None => {}
    }
    let body = body.unwrap_or_else(|| ReplyBody::Whole(Bytes::from(reply.body)));
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

/// An answer with a JSON body.
pub(super) fn json(status: u16, value: &serde_json::Value) -> Reply {
    Reply {
        status,
        headers: vec![(CONTENT_TYPE.as_str(), "application/json".to_owned())],
        body: value.to_string().into_bytes(),
    }
}

/// Parameters of a query string, percent-decoded; a key without a value has an empty one.
pub(super) fn parameters(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decoded(key), percent_decoded(value))
        })
        .collect()
}

/// What `%XX` and `+` stand for; broken escapes stay as they are.
pub(super) fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escape = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let escape = escape.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        rest = after;
        match (first, escape) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) => decoded.push(b' '),
            _ => decoded.push(*first),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
