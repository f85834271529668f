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
    (
        "csv",
        r#"2026-11-22T10:00:00.123Z,info,17234,Frank Miller & Sons of Portland,"packed, sealed and ""handed over"" at the gate",129.90"#,
    ),
    (
        "w3c",
        "2026-11-22 10:00:00 10.0.0.1 GET /shop/cart id=17234 443 - 203.0.113.7 Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)+AppleWebKit/537.36 https://shop.example/ 200 0 0 15",
    ),
    (
        "ltsv",
        "time:[26/Nov/2026:02:58:40 +0100]\thost:127.0.0.1\tforwardedfor:-\treq:GET /orders?page=1&q=a%20b HTTP/1.1\tmethod:GET\turi:/orders?page=1&q=a%20b\tprotocol:HTTP/1.1\tstatus:404\tsize:236\treferer:-\tua:curl/7.88.1\treqtime_microsec:167\tuser:-\tvhost:shop.example\tnote:-",
    ),
    (
        "key_value",
        "user=frank, ip: 203.0.113.7; action = order placed by customer, note='all in stock'",
    ),
    (
        "cef",
        "2026-11-26T01:55:22.516810Z CEF:0|Cowrie|Cowrie|1.0|cowrie.login.failed|cowrie.login.failed|5|app=SSHv2 destinationServicename=sshd deviceExternalId=web-1 msg=login attempt [root/example] failed src=203.0.113.7 proto=tcp duser=root outcome=failed",
    ),
    (
        "auditd",
        r#"type=SYSCALL msg=audit(1795658207.635:128): arch=c000003e syscall=44 success=yes exit=60 a0=3 a1=7fff85620000 a2=3c a3=0 items=0 ppid=3272 pid=4628 auid=4294967295 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=4294967295 comm="auditd" exe="/usr/sbin/auditd" key=(null)"#,
    ),
    (
        "netfilter",
        "Nov 26 01:53:22 web-1 kernel: [13832.647170] [UFW BLOCK] IN=eth0 OUT= MAC=02:00:00:00:00:01:02:00:00:00:00:02:08:00 SRC=203.0.113.50 DST=198.51.100.10 LEN=60 TOS=0x00 PREC=0x00 TTL=53 ID=7982 DF PROTO=TCP SPT=51514 DPT=22 WINDOW=64240 RES=0x00 SYN URGP=0 OPT (020405B40402080A0001E2400000000001030307) ",
    ),
    (
        "otlp",
        r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},{"key":"service.version","value":{"stringValue":"1.0"}},{"key":"host.name","value":{"stringValue":"web-1"}}]},"scopeLogs":[{"scope":{"name":"shop.orders"},"logRecords":[{"timeUnixNano":"1795658789173735424","observedTimeUnixNano":"1795658789173802772","severityNumber":9,"severityText":"INFO","body":{"stringValue":"INFO:shop.orders:order 1 placed"},"attributes":[{"key":"order","value":{"intValue":"1"}},{"key":"total","value":{"doubleValue":19.99}},{"key":"paid","value":{"boolValue":false}},{"key":"code.file.path","value":{"stringValue":"/srv/shop/shop.py"}}],"flags":3,"traceId":"6b32c7ceef1e130e8d5a37791e0c02b8","spanId":"daa7dc59c00ba3ca"}]}]}]}"#,
    ),
    ("auto", "a sentence that fits no format, of about the length that such lines have"),
    (
        "auto",
        "level=info a sentence that looks like logfmt at first, but then it is something else",
    ),
];

/// What stands above a line, for the formats that need it.
const HEADERS: &[(&str, &str)] = &[
    ("csv", "time,level,order,customer,note,total"),
    (
        "w3c",
        "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
    ),
];

fn main() {
    let library = Library::builtin();
    let only = std::env::args().nth(1);
    let wanted = |name: &str| only.as_ref().is_none_or(|only| only == name);
    for (name, line) in LINES.iter().filter(|(name, _)| wanted(name)) {
        let header = HEADERS.iter().find(|(of, _)| of == name).map(|(_, header)| *header);
        measure(&library, name, line, header);
    }
    println!("\nthe first sample of each definition:");
    for name in library.names().filter(|name| wanted(name)) {
        let Some(definition) = library.definition(name) else { continue };
        if let Some(sample) = definition.samples.iter().find(|sample| sample.record.is_some()) {
            measure(&library, name, &sample.line, sample.header.as_deref());
        }
    }
}

fn measure(library: &Library, name: &str, line: &str, header: Option<&str>) {
    let Ok(mut parser) = Parser::new(library, name, ParserState::default()) else { return };
    if let Some(header) = header {
        parser.learn(header);
    }
    let at = ReadAt { now: 1_795_348_800_000_000_000, container_time: None };
    let mut best = f64::INFINITY;
    let mut arena = Arena::with_capacity(64 << 10);
    for _ in 0..10 {
        let rounds = 50_000;
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
        "{name:20} {:4} bytes {:6.0} ns {:6.0} MB/s{}",
        line.len(),
        best * 1e9,
        line.len() as f64 / best / 1e6,
        if unparsed > 0 { "  (unparsed)" } else { "" }
    );
}
