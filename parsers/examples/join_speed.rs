//! How fast the framer cuts logs into records without a joiner and with `traces`, on one core:
//! `cargo run --release -p pillion-parsers --example join_speed`.
#![allow(clippy::disallowed_types, reason = "measuring is what a clock is for")]
#![allow(clippy::print_stdout, reason = "the result goes to whoever runs this")]

use std::hint::black_box;
use std::time::Instant;

use pillion_parsers::frame::{
    Container, Encoding, FileNumber, FrameSettings, Framer, LineEnding, Lines,
};
use pillion_parsers::multiline::Joiner;

const LINES: &[(&str, &str)] = &[
    (
        "json",
        r#"{"time":"2026-11-22T10:00:00.123Z","level":"info","msg":"order placed by customer, all items in stock","service":"shop","order":17234,"status":201}"#,
    ),
    (
        "nginx",
        r#"203.0.113.7 - - [22/Nov/2026:10:00:00 +0000] "GET /api/v1/orders/17234?verbose=1 HTTP/1.1" 200 2326 "-" "Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0 Safari/537.36""#,
    ),
    (
        "java",
        "2026-11-22T10:00:00.123+01:00  INFO 12345 --- [shop] [nio-8080-exec-1] c.e.shop.OrderService : placed order 17",
    ),
    (
        "bracket",
        "[2026-11-22 10:00:00,123] INFO [SocketServer listenerType=ZK_BROKER, nodeId=0] Created data-plane acceptor (kafka.network.SocketServer)",
    ),
    (
        "logfmt",
        r#"time=2026-11-22T10:00:00Z level=info msg="order placed, all items in stock" order=17234 duration=12ms path=/api/v1/orders"#,
    ),
    (
        "syslog",
        "Nov 22 10:00:00 web-1 sshd[4711]: Accepted publickey for joe from 203.0.113.7 port 52144 ssh2: ED25519",
    ),
    ("level", "INFO:     203.0.113.7:52144 - GET /api/v1/orders/17234?verbose=1 HTTP/1.1 200 OK"),
    (
        "indented",
        "  Rendered orders/index.html.erb within layouts/application (Duration: 3.3ms | Allocations: 869)",
    ),
];

fn main() {
    for (name, line) in LINES {
        let chunk = format!("{line}\n").repeat((128 << 10) / (line.len() + 1));
        let speeds = ["none", "traces"].map(|joiner| {
            let joiner = Joiner::named(joiner).unwrap_or_else(Joiner::none);
            speed(&chunk, joiner)
        });
        println!("{name:10} none {:5.2} GB/s, traces {:5.2} GB/s", speeds[0], speeds[1]);
    }
}

/// Gigabytes a second: the best of some runs.
fn speed(chunk: &str, joiner: Joiner) -> f64 {
    let container = Container::None;
    let mut framer = Framer::new(FrameSettings { container, joiner, max_record: 256 << 10 });
    let mut best = f64::INFINITY;
    let mut start = 0;
    for _ in 0..30 {
        let rounds = 64;
        let began = Instant::now();
        for _ in 0..rounds {
            let lines = Lines {
                file: FileNumber(1),
                start,
                bytes: black_box(chunk.as_bytes()),
                ending: LineEnding::Newline,
                encoding: Encoding::default(),
            };
            framer.push(lines, 0, &mut |raw| {
                black_box(raw.text.len());
            });
            start += chunk.len() as u64;
        }
        best = best.min(began.elapsed().as_secs_f64() / f64::from(rounds));
    }
    chunk.len() as f64 / best / 1e9
}
