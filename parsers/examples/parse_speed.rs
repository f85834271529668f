//! How fast each parser reads one line into a borrowed record, on one core:
//! `cargo run --release -p pillion-parsers --example parse_speed [PARSER]`.
#![allow(clippy::disallowed_types, reason = "measuring is what a clock is for")]
#![allow(clippy::print_stdout, reason = "the result goes to whoever runs this")]

use std::hint::black_box;
use std::time::Instant;

use pillion_parsers::Arena;
use pillion_parsers::parse::{Library, Parser, ParserState, ReadAt};
use pillion_parsers::record::Record;

const LINES: &[(&str, &str)] = &[
    (
        "json",
        r#"{"time":"2026-11-22T10:00:00.123Z","level":"info","msg":"order placed by customer, all items in stock","service":"shop","order":17234,"duration_ms":12.5,"method":"POST","path":"/api/v1/orders","status":201,"ok":true,"request_id":"0af7651916cd43dd8448eb211c80319c"}"#,
    ),
    (
        "json",
        r#"{"time":"2026-11-22T10:00:00.123Z","level":"info","msg":"said \"hello\"\n","http":{"request":{"method":"GET","headers":["a","b"]},"status":200},"n":1}"#,
    ),
    (
        "nginx",
        r#"203.0.113.7 - - [22/Nov/2026:10:00:00 +0000] "GET /api/v1/orders/17234?verbose=1 HTTP/1.1" 200 2326 "https://shop.example/cart" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36""#,
    ),
    (
        "nginx_error",
        r#"2026/11/22 10:00:00 [error] 12#34: *56 open() "/srv/x" failed (2: No such file or directory), client: 203.0.113.7, server: _, request: "GET /x HTTP/1.1", host: "shop.example""#,
    ),
    (
        "logfmt",
        r#"time=2026-11-22T10:00:00Z level=info msg="order placed, all items in stock" order=17234 duration=12ms path=/api/v1/orders"#,
    ),
    ("syslog", "<34>Nov 22 10:00:00 shop sshd[4711]: Accepted publickey for joe from 203.0.113.7"),
    ("syslog", r#"<165>1 2026-11-22T10:00:00.003Z shop app 12 ID47 [o ip="10.0.0.1"] an event"#),
    (
        "java",
        "2026-11-22T10:00:00.123+01:00  INFO 12345 --- [shop] [nio-8080-exec-1] c.e.shop.OrderService : placed order 17",
    ),
    (
        "redis",
        "41202:M 26 Nov 2026 03:25:16.421 # WARNING Memory overcommit must be enabled! Without it, a background save or replication may fail under low memory condition.",
    ),
    (
        "rabbitmq",
        "2026-11-26 01:43:41.701686+00:00 [notice] <0.223.0> Logging: configured log handlers are now ACTIVE and so on, until the line is done",
    ),
    ("auto", "a sentence that fits no format, of about the length that such lines have"),
    (
        "auto",
        "level=info a sentence that looks like logfmt at first, but then it is something else",
    ),
];

fn main() {
    let library = Library::builtin();
    let only = std::env::args().nth(1);
    for (name, line) in LINES {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let Ok(mut parser) = Parser::new(&library, name, ParserState::default()) else { continue };
        let at = ReadAt { now: 1_795_348_800_000_000_000, container_time: None };
        let mut best = f64::INFINITY;
        let mut arena = Arena::with_capacity(64 << 10);
        for _ in 0..5 {
            let rounds = 200_000;
            let start = Instant::now();
            let mut reused = Record::default();
            for _ in 0..rounds {
                let mut record = reused.recycle();
                parser.parse(black_box(line), at, &arena, &mut record);
                black_box(&record);
                reused = record.recycle();
                arena.reset();
            }
            best = best.min(start.elapsed().as_secs_f64() / f64::from(rounds));
        }
        let unparsed = parser.counters().unparsed_total();
        println!(
            "{name:12} {:4} bytes {:6.0} ns {:6.0} MB/s{}",
            line.len(),
            best * 1e9,
            line.len() as f64 / best / 1e6,
            if unparsed > 0 { "  (unparsed)" } else { "" }
        );
    }
}
