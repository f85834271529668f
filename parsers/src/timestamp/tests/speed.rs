//! What a reader costs: no allocation, and how many nanoseconds. The latter is a measurement:
//! `cargo test --release -p pillion-parsers --lib timestamp::tests::speed -- --ignored --nocapture`.
#![allow(clippy::disallowed_types, reason = "measuring is what a clock is for")]
#![allow(clippy::print_stdout, reason = "the result goes to whoever runs this")]

use std::hint::black_box;
use std::time::Instant;

use super::*;

/// A format, a zone, and three texts: of one second the first two, of another the third.
const CASES: [(&str, &str, [&str; 3]); 20] = [
    (
        "iso",
        "UTC",
        ["2026-11-22T10:00:00.123Z", "2026-11-22T10:00:00.456Z", "2026-11-22T10:00:01.123Z"],
    ),
    (
        "iso",
        "Europe/Berlin",
        ["2026-11-22 10:00:00,123", "2026-11-22 10:00:00,456", "2026-11-22 10:00:01,123"],
    ),
    (
        "iso",
        "Europe/Berlin",
        [
            "2026-11-22 10:00:00.123 CET",
            "2026-11-22 10:00:00.456 CET",
            "2026-11-22 10:00:01.123 CET",
        ],
    ),
    ("iso", "UTC", ["20261122T100000Z", "20261122T100000Z", "20261122T100001Z"]),
    ("iso", "UTC", ["2026-11-22 9:00:00", "2026-11-22 9:00:00", "2026-11-22 9:00:01"]),
    (
        "clf",
        "UTC",
        ["22/Nov/2026:10:00:00 +0100", "22/Nov/2026:10:00:00 +0100", "22/Nov/2026:10:00:01 +0100"],
    ),
    (
        "clf",
        "UTC",
        [
            "22-Nov-2026 10:00:00 Europe/Berlin",
            "22-Nov-2026 10:00:00 Europe/Berlin",
            "22-Nov-2026 10:00:01 Europe/Berlin",
        ],
    ),
    (
        "rfc2822",
        "UTC",
        [
            "Sun, 22 Nov 2026 10:00:00 GMT",
            "Sun, 22 Nov 2026 10:00:00 GMT",
            "Sun, 22 Nov 2026 10:00:01 GMT",
        ],
    ),
    ("rfc3164", "UTC", ["Nov 22 10:00:00", "Nov 22 10:00:00", "Nov 22 10:00:01"]),
    (
        "rfc3164",
        "UTC",
        ["Nov 22, 2026 9:00:00 AM", "Nov 22, 2026 9:00:00 AM", "Nov 22, 2026 9:00:01 AM"],
    ),
    (
        "ctime",
        "UTC",
        [
            "Sun Nov 22 10:00:00.123456 2026",
            "Sun Nov 22 10:00:00.456 2026",
            "Sun Nov 22 10:00:01.1 2026",
        ],
    ),
    ("compact", "UTC", ["261122 10:00:00", "261122 10:00:00", "261122 10:00:01"]),
    ("glog", "UTC", ["1122 10:00:00.123456", "1122 10:00:00.456", "1122 10:00:01.123456"]),
    ("time_of_day", "Europe/Berlin", ["10:00:00.123", "10:00:00.456", "10:00:01.123"]),
    ("epoch", "UTC", ["1795341600.123", "1795341600.456", "1795341601.123"]),
    ("epoch", "UTC", ["1795341600123", "1795341600456", "1795341601123"]),
    (
        "any",
        "UTC",
        ["2026-11-22T10:00:00.123Z", "2026-11-22T10:00:00.456Z", "2026-11-22T10:00:01.123Z"],
    ),
    (
        "any",
        "UTC",
        [
            "[Sun Nov 22 10:00:00.1 2026]",
            "[Sun Nov 22 10:00:00.4 2026]",
            "[Sun Nov 22 10:00:01.1 2026]",
        ],
    ),
    (
        "%d.%m.%Y %H:%M:%S,%3f",
        "Europe/Berlin",
        ["22.11.2026 10:00:00,123", "22.11.2026 10:00:00,456", "22.11.2026 10:00:01,123"],
    ),
    (
        "%m/%d/%Y %I:%M:%S %p",
        "UTC",
        ["11/22/2026 10:00:00 AM", "11/22/2026 10:00:00 AM", "11/22/2026 10:00:01 AM"],
    ),
];

fn format(name: &str) -> Format {
    if name == "any" { Format::Any } else { Format::new(name).unwrap() }
}

#[test]
fn no_reader_allocates() {
    for (name, zone, texts) in CASES {
        let (format, mut clock) = (format(name), clock(zone));
        assert!(clock.read(&format, texts[0]).is_some(), "{name}: {}", texts[0]);
        let counted = allocation_counter::measure(|| {
            for text in texts.iter().cycle().take(30) {
                assert!(clock.read_prefix(&format, text.as_bytes()).is_some(), "{name}: {text}");
                // What is none, as most lines of a file of plain text are.
                black_box(clock.read_prefix(&Format::Any, b"Connection refused by the server"));
                black_box(clock.read_prefix(&Format::Any, b"12 apples"));
            }
        });
        assert_eq!(counted.count_total, 0, "{name}: {}", texts[0]);
    }
}

#[test]
#[ignore = "a measurement"]
fn nanoseconds() {
    const ROUNDS: u32 = 400_000;
    println!("ns a call: same second, another each time");
    for (name, zone, [first, same, other]) in CASES {
        let (format, mut clock) = (format(name), clock(zone));
        let mut best = |one: &str, two: &str| {
            let mut best = f64::INFINITY;
            for _ in 0..5 {
                let start = Instant::now();
                for _ in 0..ROUNDS / 2 {
                    black_box(clock.read_prefix(&format, black_box(one).as_bytes()));
                    black_box(clock.read_prefix(&format, black_box(two).as_bytes()));
                }
                best = best.min(start.elapsed().as_secs_f64() / f64::from(ROUNDS));
            }
            best * 1e9
        };
        let (hit, miss) = (best(first, same), best(first, other));
        println!("{name:22} {zone:14} {hit:6.1} {miss:6.1}  {first}");
    }
}
