//! Requests and their answers, over real connections, byte by byte: no client library smooths
//! anything out.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;

mod bulk;
mod faults;
mod push;

/// 2026-11-22T10:00:00Z.
const NOW: i64 = 1_795_341_600_000_000_000;

fn start(change: impl FnOnce(&mut Options)) -> Receiver {
    let mut options = Options { clock: Clock::Fixed(NOW), ..Options::default() };
    change(&mut options);
    Receiver::start(options).expect("a free port")
}

/// An answer as it came; status 0 if none did.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
    /// The connection was reset.
    reset: bool,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Status and `error.type` of each item.
    fn items(&self) -> Vec<(u64, String)> {
        let reply = self.json();
        let items = reply["items"].as_array().expect("items");
        items
            .iter()
            .map(|item| {
                let (_, item) = item.as_object().expect("an object").iter().next().expect("an op");
                let kind = item["error"]["type"].as_str().unwrap_or_default();
                (item["status"].as_u64().expect("a status"), kind.to_owned())
            })
            .collect()
    }
}

/// Sends a request on a connection of its own; reads until the server closes, or for ten seconds.
fn ask(receiver: &Receiver, line: &str, headers: &[&str], body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(receiver.address()).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    let mut head = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes()).expect("the head is taken");
    // A body beyond the limits may be refused while it is being sent.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let reset = read.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset);
    let split = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = match split {
        Some(at) => (answer[..at].to_vec(), answer[at + 4..].to_vec()),
        None => (answer, Vec::new()),
    };
    let head = String::from_utf8_lossy(&head).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head, body, reset }
}

const NDJSON: &str = "Content-Type: application/x-ndjson";

fn bulk(receiver: &Receiver, body: &str) -> Answer {
    ask(receiver, "POST /_bulk", &[NDJSON], body.as_bytes())
}

fn push(receiver: &Receiver, body: &Value) -> Answer {
    let headers = ["Content-Type: application/json"];
    ask(receiver, "POST /loki/api/v1/push", &headers, body.to_string().as_bytes())
}

/// A create action into a data stream, and a document with that message.
fn create(id: &str, message: &str) -> String {
    let action = json!({"create": {"_index": "logs-app-default", "_id": id}});
    let document = json!({"@timestamp": "2026-11-22T10:00:00Z", "message": message});
    format!("{action}\n{document}\n")
}

/// A push request of one stream `{app="x"}` with these (time, line).
fn stream(entries: &[(i64, &str)]) -> Value {
    let values: Vec<_> =
        entries.iter().map(|(time, line)| json!([time.to_string(), line])).collect();
    json!({"streams": [{"stream": {"app": "x"}, "values": values}]})
}

#[test]
fn what_was_stored_survives_a_restart_on_the_same_port() {
    let mut receiver = start(|_| {});
    let address = receiver.address();
    assert_eq!(bulk(&receiver, &create("a", "one")).status, 200);
    receiver.stop();
    assert!(TcpStream::connect(address).is_err(), "it is closed");
    receiver.restart().expect("the port is free");
    assert_eq!(receiver.address(), address);
    assert_eq!(bulk(&receiver, &create("a", "one")).items()[0].0, 409);
    assert_eq!(bulk(&receiver, &create("b", "two")).items()[0].0, 201);
    let ids: Vec<_> = receiver.documents().into_iter().map(|stored| stored.id).collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(receiver.requests().connections, 3);
}

#[test]
fn a_connection_is_used_again_and_closed_by_a_stop() {
    let mut receiver = start(|_| {});
    let mut stream = TcpStream::connect(receiver.address()).expect("it listens");
    for id in ["a", "b"] {
        let body = create(id, "x");
        let length = body.len();
        write!(
            stream,
            "POST /_bulk HTTP/1.1\r\nHost: x\r\n{NDJSON}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .expect("taken");
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).expect("an answer");
        assert!(piece[..read].starts_with(b"HTTP/1.1 200"), "{id}");
    }
    assert_eq!(receiver.requests().connections, 1);
    receiver.stop();
    assert!(matches!(stream.read(&mut [0; 8]), Ok(0) | Err(_)), "closed");
}

#[test]
fn what_arrives_can_be_shown_instead_of_kept() {
    let (seen, shown) = std::sync::mpsc::sync_channel(8);
    let receiver = start(|options| {
        options.keep = Keep::Show(Arc::new(move |arrival| {
            let line = match arrival {
                Arrival::Document(stored) => stored.document["message"].to_string(),
                Arrival::Entry(entry) => entry.line.clone(),
                Arrival::Body(body) => format!("a body: {}", !body.is_empty()),
            };
            let _ = seen.try_send(line);
        }));
    });
    assert_eq!(bulk(&receiver, &create("a", "one")).status, 200);
    assert_eq!(push(&receiver, &stream(&[(NOW, "two")])).status, 204);
    let shown: Vec<_> = shown.try_iter().collect();
    assert_eq!(shown, ["a body: true", "\"one\"", "a body: true", "two"]);
    assert!(receiver.documents().is_empty() && receiver.entries().is_empty());
    assert_eq!(receiver.requests().stored, 2);
    assert!(receiver.wait_for(Duration::ZERO, |requests| requests.stored == 2));
    assert!(!receiver.wait_for(Duration::ZERO, |requests| requests.stored == 3));
}

#[test]
fn counting_takes_everything_and_answers_for_every_document() {
    let receiver = start(|options| options.check = Check::Count);
    let answer = bulk(&receiver, "{}\nnot json\n{}\nneither\n");
    assert_eq!(answer.json()["errors"], json!(false));
    assert_eq!(answer.items().len(), 2);
    assert_eq!(push(&receiver, &json!("anything")).status, 204);
    assert_eq!(receiver.requests().stored, 2);
}
