//! The whole way over a real socket, to a small server that does what servers and what stands before
//! them do. Real time: a paused clock would run out while the socket is waited for.

use std::sync::atomic::Ordering::Relaxed;

use reqwest::header::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::config::secret::Secret;
use crate::config::settings::Auth;
use crate::export::http::HttpSettings;
use crate::export::outcome::{PauseClass, RetryClass};
use crate::export::sink::{FaultKind, Transport};

/// A request as the server saw it.
#[derive(Clone, Debug)]
struct Request {
    head: String,
    records: Vec<String>,
}

/// What the server does with one.
enum Act {
    /// A whole reply: status line's rest, further headers, body.
    Reply(&'static str, &'static str, String),
    /// These bytes, then nothing any more: the connection is closed.
    Close(&'static str),
    /// These bytes, then a reset.
    Reset(&'static str),
    /// Never an answer.
    Hang,
}

fn ok(body: impl Into<String>) -> Act {
    Act::Reply("200 OK", "", body.into())
}

/// A bulk reply with these statuses.
fn items(statuses: &[u16]) -> Act {
    let item = |status: &u16| format!("{{\"create\":{{\"status\":{status}}}}}");
    let items: Vec<_> = statuses.iter().map(item).collect();
    ok(format!("{{\"errors\":true,\"items\":[{}]}}", items.join(",")))
}

/// A good reply, if one were to read it all.
fn oversized() -> Act {
    let item = "{\"create\":{\"status\":201}}";
    let padding = "x".repeat(1 << 20);
    ok(format!("{{\"padding\":\"{padding}\",\"items\":[{item},{item},{item}]}}"))
}

fn stored(request: &Request) -> Act {
    items(&vec![201; request.records.len()])
}

struct Served {
    address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Served {
    fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("whole").clone()
    }
}

/// Serves requests; `act` is told each with its number, from 0.
async fn serve(act: impl FnMut(usize, &Request) -> Act + Send + 'static) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
    let (act, seen) = (Arc::new(Mutex::new(act)), Arc::clone(&requests));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (act, seen) = (Arc::clone(&act), Arc::clone(&seen));
            tokio::spawn(async move {
                while let Some(request) = read(&mut stream).await {
                    let number = {
                        let mut seen = seen.lock().expect("whole");
                        seen.push(request.clone());
                        seen.len() - 1
                    };
                    let act = (act.lock().expect("whole"))(number, &request);
                    if !perform(&mut stream, act).await {
                        return;
                    }
                }
            });
        }
    });
    Served { address, requests }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = memchr::memmem::find(&bytes, b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head.split("content-length: ").nth(1)?.split("\r\n").next()?.parse().ok()?;
    let mut body = bytes.split_off(end);
    while body.len() < length {
        stream.read_buf(&mut body).await.ok()?;
    }
    let records = String::from_utf8_lossy(&body).lines().map(str::to_owned).collect();
    Some(Request { head, records })
}

/// Whether the connection goes on.
async fn perform(stream: &mut TcpStream, act: Act) -> bool {
    match act {
        Act::Reply(status, headers, body) => {
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n");
            let _ = stream.write_all((head + &body).as_bytes()).await;
            true
        }
        Act::Close(bytes) => {
            let _ = stream.write_all(bytes.as_bytes()).await;
            false
        }
        Act::Reset(bytes) => {
            let _ = stream.write_all(bytes.as_bytes()).await;
            let _ = stream.set_zero_linger();
            false
        }
        Act::Hang => std::future::pending().await,
    }
}

fn settings(addresses: &[&str]) -> HttpSettings {
    let url = |address: &&str| format!("http://{address}/_bulk").parse().expect("a url");
    HttpSettings {
        urls: addresses.iter().map(url).collect(),
        auth: Auth::None,
        ca: None,
        timeout: Duration::from_millis(400),
        headers: HeaderMap::new(),
    }
}

fn bench(settings: HttpSettings) -> Bench<Server<Http>> {
    let budget = Budget::new(1 << 30);
    let transport = Http::new(settings, Arc::clone(&budget)).expect("usable");
    let dialect = Dialect::Elasticsearch { lenient: false };
    Bench { budget, ..Bench::around(Server { transport, dialect }) }
}

/// A server that ignores `filter_path`, and says much of each record.
#[tokio::test]
async fn a_long_reply_is_in_the_budget_while_it_is_held() {
    let served = serve(|_, request| {
        let item = format!("{{\"create\":{{\"status\":201,\"x\":\"{}\"}}}}", "x".repeat(900));
        ok(format!("{{\"items\":[{}]}}", vec![item; request.records.len()].join(",")))
    })
    .await;
    let mut bench = bench(settings(&[&served.address]));
    bench.push("r", 500);
    let queued = bench.budget.used();
    bench.drain().await;
    let more = bench.budget.peak() - queued;
    assert!((500 * 900..500 * 1024).contains(&more), "{more} bytes for the reply");
}

fn retries(stats: &DestinationStats) -> Vec<RetryClass> {
    stats.retries().filter(|(_, count)| *count > 0).map(|(class, _)| class).collect()
}

/// Delivers three records to a server whose first answer is this; the later ones are as they should
/// be. Returns what was sent the second time, and how the first was understood.
async fn after(first: impl Fn() -> Act + Send + 'static) -> (Vec<String>, Vec<RetryClass>) {
    let served =
        serve(move |number, request| if number == 0 { first() } else { stored(request) }).await;
    let mut bench = bench(settings(&[&served.address]));
    bench.push("r", 3);
    bench.drain().await;
    let requests = served.requests();
    assert_eq!(requests.len(), 2);
    (requests[1].records.clone(), retries(&bench.stats))
}

#[tokio::test]
async fn whatever_is_no_whole_answer_leads_to_the_same_bytes_again() {
    let all: Vec<_> = (0..3).map(|at| format!("r{at}")).collect();
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"items\":[";
    let check =
        async |act: fn() -> Act, class| assert_eq!(after(act).await, (all.clone(), vec![class]));
    tokio::join!(
        check(|| Act::Reply("503 Unavailable", "", String::new()), RetryClass::Server),
        check(
            || Act::Reply("429 Too Many", "retry-after: 0\r\n", String::new()),
            RetryClass::Overload
        ),
        check(|| Act::Reset(""), RetryClass::Broken),
        check(|| Act::Close(""), RetryClass::Broken),
        check(|| Act::Hang, RetryClass::Timeout),
        check(|| ok("{\"errors\":false,\"items\":[{\"create\":{\"sta"), RetryClass::Reply),
        check(oversized, RetryClass::Reply),
        check(|| items(&[201, 201]), RetryClass::Reply),
        check(|| ok(""), RetryClass::Reply),
    );
    let cut = async |act: Act| {
        after(move || match &act {
            Act::Reset(bytes) => Act::Reset(bytes),
            Act::Close(bytes) => Act::Close(bytes),
            _ => Act::Hang,
        })
        .await
    };
    assert_eq!(cut(Act::Reset(half)).await, (all.clone(), vec![RetryClass::Broken]));
    assert_eq!(cut(Act::Close(half)).await, (all.clone(), vec![RetryClass::Broken]));
}

#[tokio::test]
async fn a_mixed_answer_is_settled_record_by_record() {
    let served = serve(|number, request| match number {
        0 => items(&[201, 409, 429, 400]),
        _ => stored(request),
    })
    .await;
    let mut bench = bench(settings(&[&served.address]));
    bench.push("r", 4);
    bench.drain().await;
    assert_eq!(served.requests()[1].records, ["r2"]);
    assert_eq!(bench.dead_letters(), [("r3".to_owned(), "refused".to_owned())]);
    assert_eq!(bench.stats.duplicate.load(Relaxed), 1);
}

#[tokio::test]
async fn all_duplicates_need_one_request() {
    let served = serve(|_, _| items(&[409, 409, 409])).await;
    let mut bench = bench(settings(&[&served.address]));
    bench.push("r", 3);
    bench.drain().await;
    assert_eq!((served.requests().len(), bench.stats.duplicate.load(Relaxed)), (1, 3));
}

#[tokio::test]
async fn retry_after_is_read_and_obeyed() {
    let served = serve(|number, request| match number {
        0 => Act::Reply("429 Too Many", "retry-after: 2\r\n", String::new()),
        _ => stored(request),
    })
    .await;
    let mut bench = bench(settings(&[&served.address]));
    bench.push("r", 1);
    let before = Instant::now();
    bench.drain().await;
    assert!(before.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn a_413_is_split_even_when_it_comes_before_the_upload_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut start = vec![0; 16 << 10];
                let _ = stream.read(&mut start).await;
                let reply =
                    b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let _ = stream.write_all(reply).await;
                // As a real server: closes for writing, and reads on for a while.
                let _ = stream.shutdown().await;
                while stream.read(&mut start).await.is_ok_and(|read| read > 0) {}
            });
        }
    });
    let slow = HttpSettings { timeout: Duration::from_secs(20), ..settings(&[&address]) };
    let http = Http::new(slow, Budget::new(0)).expect("usable");
    let large = payload(&vec!["x".repeat(1 << 10); 8 << 10]);
    let reply = http.send(&large).await.expect("the answer, not the broken upload");
    assert_eq!(reply.status, 413);
}

#[tokio::test]
async fn a_413_leads_to_halves() {
    let served = serve(|_, request| match request.records.len() {
        0..3 => stored(request),
        _ => Act::Reply("413 Too Large", "connection: close\r\n", String::new()),
    })
    .await;
    let mut bench = bench(settings(&[&served.address]));
    bench.push("r", 4);
    bench.drain().await;
    let sizes: Vec<_> = served.requests().iter().map(|request| request.records.len()).collect();
    assert_eq!(sizes, [4, 2, 2]);
}

#[tokio::test]
async fn a_rotated_credential_is_picked_up() {
    let directory = tempfile::tempdir().expect("a directory");
    let key = directory.path().join("key");
    std::fs::write(&key, "old\n").expect("written");
    let rotated = key.clone();
    let served = serve(move |_, request| {
        if request.head.contains("authorization: apikey new") {
            return stored(request);
        }
        std::fs::write(&rotated, "new\n").expect("written");
        Act::Reply("401 Unauthorized", "", String::new())
    })
    .await;
    let auth = Auth::ApiKey(Secret::from_file(&key));
    let mut bench = bench(HttpSettings { auth, ..settings(&[&served.address]) });
    bench.push("r", 2);
    bench.drain().await;
    assert_eq!(served.requests().len(), 2);
    let head = &served.requests()[1].head;
    assert!(head.contains(concat!("user-agent: pillion/", env!("CARGO_PKG_VERSION"))), "{head}");
    assert!(head.starts_with("post /_bulk http/1.1"), "{head}");
}

#[tokio::test]
async fn dead_servers_are_passed_over_and_a_redirect_is_not_followed() {
    let dead = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let nobody = dead.local_addr().expect("bound").to_string();
    drop(dead);
    let served = serve(|number, request| match number {
        0..8 => stored(request),
        _ => Act::Reply("302 Found", "location: http://127.0.0.1:1/\r\n", String::new()),
    })
    .await;
    let http =
        Http::new(settings(&[&nobody, &served.address, &nobody]), Budget::new(0)).expect("usable");
    for _ in 0..8 {
        assert_eq!(
            http.send(&payload(&["r".to_owned()])).await.expect("the living one").status,
            200
        );
    }
    assert_eq!(http.send(&payload(&["r".to_owned()])).await.expect("an answer").status, 302);
    let nobody = Http::new(settings(&[&nobody]), Budget::new(0)).expect("usable");
    let fault = nobody.send(&payload(&["r".to_owned()])).await.expect_err("nobody there");
    assert_eq!(fault.kind, FaultKind::Retry(RetryClass::Connect));
    assert!(fault.detail.contains("refused"), "{}", fault.detail);
}

#[tokio::test]
async fn tls_where_none_is_spoken_is_for_a_person_to_mend() {
    let served = serve(|_, request| stored(request)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let plain = listener.local_addr().expect("bound").to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            let _ = stream.read(&mut [0; 1024]).await;
        }
    });
    let url = format!("https://{plain}/").parse().expect("a url");
    let settings = HttpSettings { urls: vec![url], ..settings(&[&served.address]) };
    let http = match Http::new(settings, Budget::new(0)) {
        Ok(http) => http,
        // A system without certificates says so at the start.
        Err(error) => return assert!(error.to_string().contains("set `ca`"), "{error}"),
    };
    let fault = http.send(&payload(&["r".to_owned()])).await.expect_err("no TLS there");
    assert_eq!(fault.kind, FaultKind::Pause(PauseClass::Tls), "{}", fault.detail);
}
