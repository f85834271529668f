//! Personal data planted in every place a line has is nowhere afterwards: not on the wire, not in
//! dead letters, not in the checkpoint, not on the pages that the agent serves, and not in its own log
//! at its most talkative, whatever a file is called and a server answers.

use std::fs;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use pillion::receiver::{Fault, Options, Receiver};
use pillion_parsers::redact::{Action, Redactor, RuleSelection, Rules};

use super::harness::{Agent, PATIENCE, Place, until};
use super::seen::get;

/// What must not be found anywhere. Each line below carries some of them.
const PLANTED: &[&str] = &[
    "jane.doe@planted.example",
    "4111111111111111",
    "4111 1111 1111 1111",
    "DE89370400440532013000",
    "078-05-1120",
    "hunter2secret",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "MIIEpAIBAAKCAQEA7",
    "jane.doe%40planted.example",
    "jane.doe\\u0040planted.example",
];

const LINES: &[&str] = &[
    "plain words by jane.doe@planted.example and card 4111 1111 1111 1111\n",
    "{\"msg\":\"order\",\"user\":{\"email\":\"jane.doe@planted.example\"},\"card\":4111111111111111}\n",
    "{\"jane.doe@planted.example\":\"as a key\",\"list\":[\"DE89370400440532013000\",{\"ssn\":\"078-05-1120\"}]}\n",
    "{\"msg\":\"unicode jane.doe\\u0040planted.example\",\"password\":\"hunter2secret\"}\n",
    "{\"msg\":\"{\\\"inner\\\":\\\"jane.doe@planted.example\\\",\\\"password\\\":\\\"hunter2secret\\\"}\"}\n",
    "level=info msg=\"logfmt\" email=jane.doe@planted.example password=hunter2secret\n",
    "203.0.113.9 - - [22/Nov/2026:10:00:00 +0000] \"GET /?e=jane.doe%40planted.example&password=hunter2secret HTTP/1.1\" 200 5 \"-\" \"x\"\n",
    "https://jane:hunter2secret@shop.example/ and AKIAIOSFODNN7EXAMPLE\n",
    "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N\n",
    "-----BEGIN RSA PRIVATE KEY-----\n",
    "MIIEpAIBAAKCAQEA7MIIEpAIBAAKCAQEA7MIIEpAIBAAKCAQEA7\n",
    "-----END RSA PRIVATE KEY-----\n",
    "{\"truncated json with jane.doe@planted.example\n",
    "2026-11-22T10:00:00.1Z stdout F inside cri jane.doe@planted.example\n",
    "Exception in thread \"main\" java.lang.Error: jane.doe@planted.example\n",
    "\tat com.example.Shop.charge(Shop.java:8)\n",
    "Caused by: java.lang.Error: password=hunter2secret\n",
    "{\"name\":\"jane.doe\",\"domain\":\"planted.example\",\"pass\":\"hunter2secret\"}\n",
    "GET /login?user%5Bpassword%5D=hunter2secret\n",
    "dsn postgres://app:hunter2secret/x@db/shop\n",
    "got {\"pan\":4111111111111111,\"n\":[{\"pw\":{\"password\":\"hunter2secret\"}}]} from it\n",
    "{\"n\":4.111111111111111e15,\"deep\":{\"a\":[[{\"078-05-1120\":{\"x\":4111111111111111}}]]}}\n",
    "{\"msg\":\"{\\\"in\\\":\\\"{\\\\\\\"password\\\\\\\":\\\\\\\"hunter2secret\\\\\\\"}\\\"}\"}\n",
    "{\"level\":\"jane.doe@planted.example\",\"logger\":\"password=hunter2secret\"}\n",
];

/// A directory whose name leaks too.
const DIRECTORY: &str = "jane.doe@planted.example";

fn assert_clean(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for planted in PLANTED {
        if let Some(at) = text.find(planted) {
            let from = text[..at].rfind('\n').map_or(0, |at| at + 1);
            let to = text[at..].find('\n').map_or(text.len(), |end| at + end);
            panic!("{what} holds {planted:?}: {}", &text[from..to]);
        }
    }
}

fn assert_clean_below(dir: &Path) {
    for entry in fs::read_dir(dir).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            assert_clean_below(&path);
        } else {
            let mut bytes = fs::read(&path).expect("readable");
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("checkpoint"))
            {
                // Files are found again by their names: those, and nothing of their content, stand in
                // the checkpoint, which stays on the host beside them.
                let text = String::from_utf8_lossy(&bytes).replace(&format!("/{DIRECTORY}/"), "/");
                bytes = text.into_bytes();
            }
            assert_clean(&path.display().to_string(), &bytes);
        }
    }
}

/// A server that refuses everything, and says in every part of its answer what was planted.
struct Gossip {
    url: String,
}

impl Gossip {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        // Ends with the process: it waits for connections.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || Self::answer(stream));
            }
        });
        Self { url }
    }

    fn answer(stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        loop {
            let mut length = 0;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).ok()? == 0 {
                    return None;
                }
                let (name, value) = line.split_once(':').unwrap_or((&line, ""));
                if name.eq_ignore_ascii_case("content-length") {
                    length = value.trim().parse().ok()?;
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            std::io::copy(&mut (&mut reader).take(length), &mut std::io::sink()).ok()?;
            let said = PLANTED.iter().filter(|it| !it.contains('\\')).copied().collect::<Vec<_>>();
            let said = said.join(" ");
            let error = format!("{{\"type\":\"{said}\",\"reason\":\"failed to parse '{said}'\"}}");
            let body = format!("{{\"error\":{error},\"status\":400}}");
            let head = format!(
                "HTTP/1.1 400 {said}\r\nwarning: 299 {said}\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\n\r\n",
                body.len()
            );
            (&stream).write_all((head + &body).as_bytes()).ok()?;
        }
    }
}

/// Names that leak, of what is not tailed and of what is lost: the agent's log says which.
fn lay_traps(place: &Place) {
    fs::create_dir(place.log(DIRECTORY)).expect("directory");
    symlink("/etc/hosts", place.log("card 4111 1111 1111 1111.log")).expect("linked");
    symlink("/etc/hosts", place.log("password=hunter2secret.log")).expect("linked");
    symlink("/etc/hosts", place.log(DIRECTORY).join("three.log")).expect("linked");
}

#[test]
fn planted_values_are_nowhere() {
    nowhere("redact: {}\n");
}

#[test]
fn planted_values_are_nowhere_in_part_either() {
    nowhere("redact: {action: partial, rules: [default, ipv4, ipv6, mac]}\n");
}

fn nowhere(redact: &str) {
    let place = Place::new();
    let options = || Options { raw_bodies: true, ..Options::default() };
    let search = Receiver::start(options()).expect("receiver");
    let grafana = Receiver::start(options()).expect("receiver");
    let gossip = Gossip::start();
    // Some records are refused for good, so that there are dead letters to look at.
    search.faults().set(Fault::Records { status: 400, fraction: 0.5 });
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\n{redact}\
         sources: {{app: {{files: ['{{logs}}/**/*.log'], fields: {{owner: jane.doe@planted.example}}}}}}\n\
         destinations:\n  \
           search: {{elasticsearch: {{url: '{}', index: a}}, batch: {{linger: 50ms}}}}\n  \
           gossip:\n    \
             elasticsearch: {{url: '{}', index: a}}\n    batch: {{linger: 50ms}}\n    \
             when_full: drop_newest\n  \
           grafana:\n    \
             loki: {{url: '{}', labels: {{app: shop, who: '{{user}}', mail: '{{name}}@{{domain}}', owner: 'jane.doe@planted.example', level: '{{level}}'}}}}\n    \
             batch: {{linger: 50ms}}\n  \
           disk: {{file: {{path: '{{state}}/copy.ndjson'}}}}\n",
        search.url(),
        gossip.url,
        grafana.url()
    ));
    lay_traps(&place);
    let agent = Agent::start(&config, &["--log", "trace", "--grace", "1s"]);
    for (name, repeat) in [("one.log".to_owned(), 1), (format!("{DIRECTORY}/two.log"), 3)] {
        for _ in 0..repeat {
            place.append(&name, LINES.concat());
        }
    }
    let written = 4 * 10;
    let all = search.wait_for(PATIENCE, |it| it.stored + it.refused >= written)
        && grafana.wait_for(PATIENCE, |it| it.stored >= written / 2);
    assert!(all, "{:?}\n{}", search.requests(), agent.log().join("\n"));
    agent.wait_for_log("destination=\"gossip\"");
    agent.wait_for_log("not tailed");
    let admin = agent.logged("admin").expect("the agent says where");
    let listed = || get(&admin, "/metrics").1.contains("pillion_file_lag_bytes{");
    assert!(until(PATIENCE, listed), "no path on the page to look at");
    for page in ["/", "/metrics", "/config", "/readyz", "/livez"] {
        assert_clean(page, get(&admin, page).1.as_bytes());
    }
    let (_, log) = agent.terminate_at_once();
    let letters = fs::read_to_string(place.state().join("dead-letters/search.ndjson"));
    assert!(letters.is_ok_and(|letters| !letters.is_empty()), "no dead letter to look at");
    assert!(log.len() > 3, "a talkative log was wanted");

    assert_clean("the agent's log", log.join("\n").as_bytes());
    assert_clean_below(&place.state());
    for receiver in [&search, &grafana] {
        assert!(!receiver.raw_bodies().is_empty());
        for body in receiver.raw_bodies() {
            assert_clean("a request", &body);
        }
    }
    for entry in grafana.entries() {
        assert_clean("a Loki entry", format!("{entry:?}").as_bytes());
    }
}

#[test]
fn a_url_stays_a_url() {
    let urls = [
        "https://bob@example.com/orders?u=bob%40example.com#bob@example.com",
        "http://198.51.100.7:8080/x?card=4111111111111111",
        "http://[2001:db8::7]:8080/x/4111%201111%201111%201111",
        "postgres://app:hunter2secret@db:5432/shop",
        "https://u:p@198.51.100.7/?token=k3wq9zzh2lmnop&email=bob@example.com",
        "https://h/?next=http%3A%2F%2F198.51.100.7%2F",
    ];
    for action in [Action::Mask, Action::Partial, Action::Hash] {
        let rules = Rules::builtin().iter().map(|rule| rule.name.clone()).collect();
        let hash_key = Some(b"0123456789abcdef".to_vec());
        let selection = RuleSelection { rules, action, hash_key, ..RuleSelection::default() };
        let mut redactor = Redactor::new(Arc::new(Rules::build(selection).expect("built in")));
        for url in urls {
            let before = reqwest::Url::parse(url).expect("a URL");
            let clean = redactor.clean(url);
            assert_ne!(&*clean, url);
            let after = reqwest::Url::parse(&clean).unwrap_or_else(|why| panic!("{clean}: {why}"));
            assert_eq!(before.scheme(), after.scheme(), "{clean}");
            assert_eq!(before.port(), after.port(), "{clean}");
            assert_eq!(
                before.path_segments().map(Iterator::count),
                after.path_segments().map(Iterator::count)
            );
            assert_eq!(before.query_pairs().count(), after.query_pairs().count(), "{clean}");
        }
    }
}
