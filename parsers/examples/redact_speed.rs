//! How fast redaction is on lines without anything to find, and on lines with one match: prints
//! GB/s on one core. `cargo run --release -p pillion-parsers --example redact_speed [-- WHICH]`
#![expect(
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a measurement, not the library"
)]

use std::sync::Arc;
use std::time::Instant;

use pillion_parsers::Arena;
use pillion_parsers::record::{Record, Text};
use pillion_parsers::redact::{BlockState, Redactor, RuleSelection, Rules};

/// Synthetic access-log lines of about 260 bytes.
fn nginx(i: usize) -> String {
    format!(
        "192.0.2.{} - - [22/Nov/2026:10:{:02}:{:02} +0000] \"GET /api/v1/products/{}?page={}&sort=price \
         HTTP/1.1\" 200 {} \"https://shop.example.com/catalogue/shoes\" \"Mozilla/5.0 (X11; Linux \
         x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36\"",
        i % 256,
        i / 60 % 60,
        i % 60,
        i * 13,
        i % 20,
        i * 31 % 90_000
    )
}

/// Synthetic JSON lines of about 360 bytes.
fn json(i: usize) -> String {
    format!(
        "{{\"timestamp\":\"2026-11-22T10:{:02}:{:02}.123Z\",\"level\":\"info\",\"logger\":\
         \"com.shop.orders.OrderService\",\"message\":\"order placed successfully\",\"order_id\":{i},\
         \"duration_ms\":{}.5,\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"request_id\":\
         \"550e8400-e29b-41d4-a716-44665544{:04}\",\"ts\":17000000{:05},\"user\":{{\"id\":{i},\
         \"plan\":\"basic\"}},\"path\":\"/api/v1/orders\",\"status\":200}}",
        i / 60 % 60,
        i % 60,
        i % 900,
        i % 10_000,
        i % 100_000
    )
}

/// A stack trace's lines, joined: about 4 KiB.
fn trace(i: usize) -> String {
    let frames = (0..60).map(|n| {
        format!("\tat com.example.shop.orders.internal.OrderServiceImpl$Handler{n}.call(Order.java:{i})\n")
    });
    std::iter::once("java.lang.IllegalStateException: no stock\n".to_owned())
        .chain(frames)
        .collect()
}

fn main() {
    let started = Instant::now();
    drop(Rules::builtin_default());
    println!("rules read and compiled in {:?}", started.elapsed());
    let lines = |make: fn(usize) -> String| (0..20_000).map(make).collect::<Vec<_>>();
    let with_match = |i| nginx(i).replace("page=", "user=bob@example.com&page=");
    let all = || {
        let names = Rules::builtin().iter().map(|rule| rule.name.clone()).collect();
        Rules::build(RuleSelection { rules: names, ..RuleSelection::default() }).unwrap_or_default()
    };
    let sets = [("default", Rules::builtin_default()), ("all", Arc::new(all()))];
    for (set, rules) in sets {
        let inputs = [
            ("nginx, clean", lines(nginx)),
            ("JSON, clean", lines(json)),
            ("stack traces", (0..2_000).map(trace).collect()),
            ("nginx, one match", lines(with_match)),
        ];
        for (name, input) in inputs {
            if std::env::args().nth(1).is_some_and(|only| !format!("{set} {name}").contains(&only))
            {
                continue;
            }
            let bytes: usize = input.iter().map(String::len).sum();
            let best = (0..7).map(|_| pass(&rules, &input)).fold(f64::MAX, f64::min);
            println!("{set:8} {name:18} {:6.2} GB/s", bytes as f64 / best / 1e9);
        }
    }
}

/// Seconds for one pass over the lines.
fn pass(rules: &Arc<Rules>, lines: &[String]) -> f64 {
    let mut redactor = Redactor::new(Arc::clone(rules));
    let mut block = BlockState::default();
    let mut arena = Arena::new();
    let started = Instant::now();
    for line in lines {
        arena.reset();
        let mut record = Record { message: Some(Text::raw(line)), ..Record::default() };
        std::hint::black_box(redactor.redact(line, &mut record, &arena, &mut block).is_some());
    }
    started.elapsed().as_secs_f64()
}
