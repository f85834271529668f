//! Made-up logs that vary as real ones do: addresses, paths, sizes, times, agents.

use fastrand::Rng;

const AGENTS: &[&str] = &[
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1",
    "curl/7.88.1",
    "Googlebot/2.1 (+http://www.google.com/bot.html)",
];
const PATHS: &[&str] = &[
    "/",
    "/index.html",
    "/api/v1/orders",
    "/static/app.3f2a91.js",
    "/cart/checkout",
    "/search?q=blue+shoes&page=2",
    "/product/4711/reviews",
    "/healthz",
];
const LOGGERS: &[&str] = &["shop.orders", "shop.cart", "http.server", "db.pool"];
const WORDS: &[&str] = &[
    "request",
    "completed",
    "order",
    "placed",
    "cache",
    "miss",
    "for",
    "key",
    "retrying",
    "after",
    "timeout",
    "connection",
    "pool",
    "exhausted",
    "user",
    "session",
    "started",
];

fn fill(size: usize, mut line: impl FnMut(&mut Rng, u64) -> String) -> Vec<u8> {
    let mut rng = Rng::with_seed(42);
    let mut out = Vec::with_capacity(size + 1024);
    for number in 0.. {
        if out.len() >= size {
            break;
        }
        out.extend_from_slice(line(&mut rng, number).as_bytes());
        out.push(b'\n');
    }
    out
}

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.usize(0..from.len())]
}

fn clock(number: u64) -> (u64, u64, u64) {
    let seconds = number / 2_000;
    (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

fn nginx_line(rng: &mut Rng, number: u64, query: &str) -> String {
    let (hour, minute, second) = clock(number);
    format!(
        "{}.{}.{}.{} - - [22/Nov/2026:{hour:02}:{minute:02}:{second:02} +0000] \"GET {}{query} HTTP/1.1\" {} {} \"https://shop.example{}\" \"{}\"",
        rng.u8(1..224),
        rng.u8(..),
        rng.u8(..),
        rng.u8(1..),
        pick(rng, PATHS),
        pick(rng, &["200", "200", "200", "304", "404", "500"]),
        rng.u32(0..50_000),
        pick(rng, PATHS),
        pick(rng, AGENTS),
    )
}

/// nginx's combined format, nothing personal in it.
pub(crate) fn nginx(size: usize) -> Vec<u8> {
    fill(size, |rng, number| nginx_line(rng, number, ""))
}

/// The same with an e-mail address in one line of fifty.
pub(crate) fn nginx_personal(size: usize) -> Vec<u8> {
    fill(size, |rng, number| {
        let query = if rng.u8(0..50) == 0 { "?email=jane.doe@example.com" } else { "" };
        nginx_line(rng, number, query)
    })
}

fn json_line(rng: &mut Rng, number: u64) -> String {
    let (hour, minute, second) = clock(number);
    let message: Vec<_> = (0..rng.usize(3..9)).map(|_| pick(rng, WORDS)).collect();
    format!(
        "{{\"time\":\"2026-11-22T{hour:02}:{minute:02}:{second:02}.{:03}Z\",\"level\":\"{}\",\"logger\":\"{}\",\"msg\":\"{}\",\"trace_id\":\"{:032x}\",\"order\":{{\"id\":{},\"sku\":\"SKU-{:06}\",\"lines\":[{},{}]}},\"latency_ms\":{}.{},\"ok\":true}}",
        number % 1000,
        pick(rng, &["info", "info", "info", "warn", "error"]),
        pick(rng, LOGGERS),
        message.join(" "),
        rng.u128(..),
        rng.u32(..),
        rng.u32(0..1_000_000),
        rng.u8(..),
        rng.u8(..),
        rng.u16(..),
        rng.u8(0..10),
    )
}

/// An application's JSON lines, with nested objects.
pub(crate) fn json(size: usize) -> Vec<u8> {
    fill(size, json_line)
}

/// The same as a container runtime wraps them.
pub(crate) fn cri_json(size: usize) -> Vec<u8> {
    fill(size, |rng, number| {
        let (hour, minute, second) = clock(number);
        let line = json_line(rng, number);
        format!(
            "2026-11-22T{hour:02}:{minute:02}:{second:02}.{:09}Z stdout F {line}",
            number % 1_000_000_000
        )
    })
}

/// Words.
pub(crate) fn plain(size: usize) -> Vec<u8> {
    fill(size, |rng, number| {
        let words: Vec<_> = (0..rng.usize(5..25)).map(|_| pick(rng, WORDS)).collect();
        format!("{number:08} {}", words.join(" "))
    })
}
