//! The admin server: `/metrics` for Prometheus, `/livez` and `/readyz` for a kubelet, `/config` for
//! whoever wants to know which configuration is in force.
//!
//! Readiness says that the agent watches its files, not that its destinations answer: a pod must not
//! be taken out of service because a log server is down.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Connections open at once.
const CONNECTIONS: usize = 16;

/// How long a client may take to send its request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// The media type Prometheus asks for (OpenMetrics 1.0, section "Overall structure").
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the server shows.
pub trait Show: Send + Sync + 'static {
    /// The metrics, in OpenMetrics' text form.
    fn metrics(&self) -> String;
    /// Which configuration is in force, and what became of a later one, in JSON.
    fn config(&self) -> String;
    /// `Ok` while the agent's threads make progress; else what does not.
    ///
    /// # Errors
    ///
    /// What has stopped, in words for the person who reads the probe's answer.
    fn alive(&self) -> Result<(), String>;
    /// `Ok` once the files are watched and until the agent drains; else why not.
    ///
    /// # Errors
    ///
    /// Why the agent is not ready.
    fn ready(&self) -> Result<(), String>;
}

/// A listening admin server. Dropping it stops it.
#[derive(Debug)]
pub struct Admin {
    /// Where it listens: the configured address, with the port the system chose if that was 0.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Admin {
    /// Stops it, and returns when the address is free.
    pub async fn close(mut self) {
        self.task.abort();
        // Cancelled: that is what was asked for.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens on `address` and answers from `show`.
///
/// # Errors
///
/// When the address cannot be listened on.
pub async fn serve(address: SocketAddr, show: Arc<dyn Show>) -> io::Result<Admin> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(accept(listener, show));
    Ok(Admin { address, task })
}

async fn accept(listener: TcpListener, show: Arc<dyn Show>) {
    let mut served = Served::default();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "admin: cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        served.make_room();
        let asked = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(serve_one(stream, Arc::clone(&show), Arc::clone(&asked)));
        served.0.push_back(One { task, asked });
        // Its request may lie there already.
        tokio::task::yield_now().await;
    }
}

async fn serve_one(stream: TcpStream, show: Arc<dyn Show>, asked: Arc<AtomicBool>) {
    let answer = service_fn(move |request| {
        asked.store(true, Ordering::Relaxed);
        let response = answer(&request, show.as_ref());
        async move { Ok::<_, Infallible>(response) }
    });
    // A client that goes away is not worth a word.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

/// The connections that are open, oldest first.
#[derive(Default)]
struct Served(VecDeque<One>);

/// One connection.
struct One {
    /// Serves it; aborted to close it.
    task: JoinHandle<()>,
    /// Whether its request has come; set by the task.
    asked: Arc<AtomicBool>,
}

impl Served {
    /// Makes room for one more. Who connects and says nothing must not keep a probe waiting: the
    /// oldest such connection is closed, and if all have asked, the oldest, which takes no answer.
    fn make_room(&mut self) {
        self.0.retain(|one| !one.task.is_finished());
        if self.0.len() < CONNECTIONS {
            return;
        }
        let silent = self.0.iter().position(|one| !one.asked.load(Ordering::Relaxed));
        if let Some(one) = self.0.remove(silent.unwrap_or(0)) {
            one.task.abort();
        }
    }
}

fn answer(request: &Request<Incoming>, show: &dyn Show) -> Response<Full<Bytes>> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n".to_owned());
    }
    match request.uri().path() {
        "/metrics" => typed(OPENMETRICS, text(StatusCode::OK, show.metrics())),
        "/config" => typed("application/json", text(StatusCode::OK, show.config())),
        "/livez" => probe(show.alive()),
        "/readyz" => probe(show.ready()),
        _ => text(
            StatusCode::NOT_FOUND,
            "there are /metrics, /livez, /readyz and /config\n".to_owned(),
        ),
    }
}

fn typed(media: &'static str, mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

fn probe(state: Result<(), String>) -> Response<Full<Bytes>> {
    match state {
        Ok(()) => text(StatusCode::OK, "ok\n".to_owned()),
        Err(why) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(Result<(), String>);

    impl Show for Fixed {
        fn metrics(&self) -> String {
            "# EOF\n".to_owned()
        }
        fn config(&self) -> String {
            "{}\n".to_owned()
        }
        fn alive(&self) -> Result<(), String> {
            self.0.clone()
        }
        fn ready(&self) -> Result<(), String> {
            Err("draining".to_owned())
        }
    }

    async fn get(address: SocketAddr, path: &str) -> (u16, String) {
        let response = reqwest::get(format!("http://{address}{path}")).await.expect("answer");
        (response.status().as_u16(), response.text().await.expect("body"))
    }

    #[tokio::test]
    async fn probes_and_metrics_answer() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let admin = serve(anywhere, Arc::new(Fixed(Ok(())))).await.expect("listens");
        assert_eq!(get(admin.address, "/livez").await, (200, "ok\n".to_owned()));
        assert_eq!(get(admin.address, "/readyz").await, (503, "draining\n".to_owned()));
        assert_eq!(get(admin.address, "/metrics").await, (200, "# EOF\n".to_owned()));
        assert_eq!(get(admin.address, "/config").await, (200, "{}\n".to_owned()));
        assert_eq!(get(admin.address, "/").await.0, 404);
    }
    #[tokio::test]
    async fn those_who_say_nothing_keep_nobody_waiting() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let admin = serve(anywhere, Arc::new(Fixed(Ok(())))).await.expect("listens");
        let mut silent = Vec::new();
        for _ in 0..40 {
            silent.push(TcpStream::connect(admin.address).await.expect("connects"));
        }
        let answer = tokio::time::timeout(Duration::from_secs(2), get(admin.address, "/livez"));
        assert_eq!(answer.await.expect("in time").0, 200);
    }
}
