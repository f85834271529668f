//! The places of a log where a value may stand: fields in many syntaxes, and messages in many wrappers.

use super::draw::Draw;
use super::text::{Text, json, unicode_escaped, url, url_component, xml};

/// A field with its value, as a line or a piece of one.
pub(crate) type Field = fn(&mut Draw, &str, Text) -> Text;

/// A message, as a line.
pub(crate) type Message = fn(&mut Draw, Text) -> Text;

fn clock(draw: &mut Draw) -> String {
    let (hour, second) = (draw.padded(0, 23, 2), draw.padded(0, 59, 2));
    draw.grown(&format!("2026-11-22T{hour}:17:{second}.<d3>Z"))
}

fn client(draw: &mut Draw) -> Text {
    Text::value("ipv4", draw.one_of(&["192.0.2.1<d2>", "203.0.113.1<d2>", "10.17.4.1<d2>"]))
}

fn agent(draw: &mut Draw) -> &'static str {
    draw.pick::<&str>(&[
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
        "curl/8.5.0",
        "okhttp/4.12.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15",
    ])
}

/// A line of nginx's or Apache's for a target.
fn access(draw: &mut Draw, target: Text) -> Text {
    let status = draw.pick(&["200 5316", "302 0", "404 153", "500 17"]);
    client(draw)
        .then(draw.grown(" - - [22/Nov/2026:1<d1>:2<d1>:3<d1> +0000] \"GET "))
        .then(target)
        .then(format!(" HTTP/1.1\" {status} \"-\" \"{}\"", agent(draw)))
}

/// How a value that needs no quotes is written without, and one that does with.
fn quoted(value: Text) -> Text {
    let plain = value.plain();
    if plain.bytes().any(|byte| b" \"=\n".contains(&byte)) {
        Text::ground("\"").then(value.spelt(json)).then("\"")
    } else {
        value
    }
}

/// A value as JSON: where it is a number, at times as one.
fn json_value(draw: &mut Draw, value: Text) -> Text {
    let plain = value.plain();
    let numeric = !plain.starts_with('0') && plain.len() <= 17;
    if numeric && plain.bytes().all(|byte| byte.is_ascii_digit()) && draw.one_in(2) {
        return value;
    }
    Text::ground("\"").then(value.spelt(json)).then("\"")
}

fn member(draw: &mut Draw, key: &str, value: Text) -> Text {
    Text::ground(format!("\"{key}\":")).then(json_value(draw, value))
}

fn in_object(draw: &mut Draw, key: &str, value: Text) -> Text {
    let order = draw.between(1000, 9999);
    Text::ground(format!("{{\"order\":{order},"))
        .then(member(draw, key, value))
        .then(",\"plan\":\"basic\",\"ok\":true}")
}

/// Fields, each as a whole line.
pub(crate) const FIELDS: &[(&str, Field)] = &[
    ("nginx query", |draw, key, value| {
        let page = draw.between(1, 20);
        let target = Text::ground(format!("/api/v1/find?page={page}&{key}="))
            .then(value.spelt(url))
            .then("&sort=price");
        access(draw, target)
    }),
    ("Apache query", |draw, key, value| {
        let target = Text::ground(format!("/index.php?{key}=")).then(value.spelt(url_component));
        access(draw, target)
    }),
    ("URL-encoded JSON", |draw, key, value| {
        let object = in_object(draw, key, value).spelt(url_component);
        access(draw, Text::ground("/track?data=").then(object))
    }),
    ("JSON", |draw, key, value| {
        Text::ground(format!("{{\"time\":\"{}\",\"level\":\"info\",", clock(draw)))
            .then(member(draw, key, value))
            .then(",\"msg\":\"request done\",\"status\":200,\"duration_ms\":12.5}")
    }),
    ("JSON at depth", |draw, key, value| {
        let time = draw.grown("17<d11>");
        Text::ground(format!("{{\"ts\":{time},\"ctx\":{{\"user\":{{\"id\":4711,\"tags\":[{{"))
            .then(member(draw, key, value))
            .then("},{\"n\":1}]}},\"level\":\"warn\",\"msg\":\"slow request\"}")
    }),
    ("unicode-escaped JSON", |draw, key, value| {
        Text::ground(format!("{{\"Timestamp\":\"{}\",\"{key}\":\"", clock(draw)))
            .then(value.spelt(unicode_escaped))
            .then("\",\"Level\":\"Information\"}")
    }),
    ("JSON in JSON", |draw, key, value| {
        let inner = in_object(draw, key, value).spelt(json);
        Text::ground(format!("{{\"level\":\"info\",\"ts\":\"{}\",\"body\":\"", clock(draw)))
            .then(inner)
            .then("\"}")
    }),
    ("JSON in CRI", |draw, key, value| {
        let clock = draw.grown("2026-11-22T10:00:00.<d9>Z stdout F ");
        Text::ground(clock).then(in_object(draw, key, value))
    }),
    ("logfmt", |draw, key, value| {
        Text::ground(format!("ts={} level=info caller=main.go:42 {key}=", clock(draw)))
            .then(quoted(value))
            .then(" duration=12.5ms msg=\"request done\"")
    }),
    ("header", |draw, key, value| {
        let title = |word: &str| word[..1].to_uppercase() + &word[1..];
        let name: Vec<String> = key.split('_').filter(|word| !word.is_empty()).map(title).collect();
        let prefix = if key.starts_with('X') { "" } else { "X-" };
        let status = draw.between(100, 999);
        Text::ground(format!("[debug] #{status} > {prefix}{}: ", name.join("-"))).then(value)
    }),
    ("YAML", |_, key, value| Text::ground(format!("  {key}: ")).then(value)),
];

/// Fields, each as a piece of a message.
pub(crate) const PIECES: &[(&str, Field)] = &[
    ("assignment", |_, key, value| {
        Text::ground(format!("request done {key}=")).then(quoted(value)).then(" status=200")
    }),
    ("trailing comma", |_, key, value| {
        Text::ground(format!("order placed: id=17, {key}=")).then(value).then(", plan=basic")
    }),
    ("toString", |_, key, value| {
        Text::ground(format!("saved Customer{{id=17, plan=basic, {key}=")).then(value).then("}")
    }),
    ("Python dict", |_, key, value| {
        Text::ground(format!("payload {{'id': 17, '{key}': '")).then(value).then("', 'ok': True}")
    }),
    ("Rust Debug", |_, key, value| {
        Text::ground(format!("got Order {{ id: 17, {key}: Some(\""))
            .then(value.spelt(json))
            .then("\") }")
    }),
    ("colon", |_, key, value| Text::ground(format!("rejected input, {key}: ")).then(value)),
    ("XML", |_, key, value| {
        Text::ground(format!("<order><id>17</id><{key}>"))
            .then(value.spelt(xml))
            .then(format!("</{key}></order>"))
    }),
    ("SQL", |_, key, value| {
        Text::ground(format!("statement: UPDATE customers SET {key} = '"))
            .then(value)
            .then("' WHERE id = 17")
    }),
    ("JSON in text", |draw, key, value| {
        Text::ground("POST /v1/orders body ").then(in_object(draw, key, value)).then(" took 12 ms")
    }),
    ("brackets", |_, key, value| {
        Text::ground(format!("session opened ({key}=")).then(value).then(")")
    }),
];

/// Messages, each as a line.
pub(crate) const MESSAGES: &[(&str, Message)] = &[
    ("Java", |draw, message| {
        Text::ground(format!("{} INFO  [main] com.shop.orders.OrderService - ", clock(draw)))
            .then(message)
    }),
    ("Python", |draw, message| {
        Text::ground(draw.grown("2026-11-22 10:00:00,<d3> WARNING shop.orders: ")).then(message)
    }),
    ("syslog", |draw, message| {
        Text::ground(draw.grown("Nov 22 10:00:0<d1> web-1 shopd[<d4>]: ")).then(message)
    }),
    ("PostgreSQL", |draw, message| {
        Text::ground(draw.grown("2026-11-22 10:00:00.<d3> UTC [<d4>] app@shop LOG:  "))
            .then(message)
    }),
    ("JSON message", |draw, message| {
        let time = draw.grown("17<d11>");
        Text::ground(format!("{{\"level\":30,\"time\":{time},\"pid\":1,\"msg\":\""))
            .then(message.spelt(json))
            .then("\"}")
    }),
    ("Docker", |draw, message| {
        Text::ground("{\"log\":\"")
            .then(message.spelt(json))
            .then(format!("\\n\",\"stream\":\"stdout\",\"time\":\"{}\"}}", clock(draw)))
    }),
    ("logfmt message", |draw, message| {
        Text::ground(format!("time={} level=warning msg=\"", clock(draw)))
            .then(message.spelt(json))
            .then("\" component=orders")
    }),
    ("CRI", |draw, message| {
        Text::ground(draw.grown("2026-11-22T10:00:00.<d9>Z stderr F [WARN] ")).then(message)
    }),
    ("stack trace", |draw, message| {
        let line = draw.between(10, 400);
        Text::ground("java.lang.IllegalStateException: ").then(message).then(format!(
            "\n\tat com.shop.orders.OrderService.place(OrderService.java:{line})\n\tat \
             java.base/java.lang.Thread.run(Thread.java:840)"
        ))
    }),
    ("double quotes", |_, message| {
        Text::ground("[2026-11-22] shop.INFO: got \"").then(message).then("\" []")
    }),
    ("square brackets", |_, message| Text::ground("INFO [").then(message).then("] handled in 3ms")),
    ("full stop", |_, message| Text::ground("WARN ").then(message).then(". Giving up.")),
];
