//! What jiff writes is read back, in every format; and nothing makes a reader panic or read on beyond
//! the end.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use proptest::prelude::*;

use super::*;

/// 1973 to 2200: what the epoch numbers cover by their size, and two digits of a year do not.
fn instants() -> impl Strategy<Value = Timestamp> {
    (100_000_000_i64..7_258_118_400, 0_i32..1_000_000_000)
        .prop_map(|(second, nano)| Timestamp::new(second, nano).unwrap())
}

/// A strptime format that writes what a named format reads, and the digits of its fraction.
const WRITTEN: [(&str, &str, u32); 30] = [
    ("iso", "%Y-%m-%dT%H:%M:%SZ", 0),
    ("iso", "%Y-%m-%dt%H:%M:%S.%3fz", 3),
    ("iso", "%Y-%m-%d %H:%M:%S,%3f", 3),
    ("iso", "%Y/%m/%d %H:%M:%S.%6f UTC", 6),
    ("iso", "%Y-%m-%d %k:%M:%S", 0),
    ("iso", "%Y-%m-%d %-H:%M:%S.%9f", 9),
    ("iso", "%Y.%m.%d_%H:%M:%S.%1f GMT", 1),
    ("iso", "%Y%m%dT%H%M%SZ", 0),
    ("iso", "%Y%m%d %H:%M:%S.%6f", 6),
    ("iso", "%Y%m%d%H%M%S", 0),
    ("clf", "%d/%b/%Y:%H:%M:%S +0000", 0),
    ("clf", "%d/%b/%Y:%H:%M:%S.%3f", 3),
    ("clf", "%d-%b-%Y %H:%M:%S Etc/UTC", 0),
    ("clf", "%-d %B %Y %H:%M:%S.%3f", 3),
    ("clf", "%e %b %Y %H:%M:%S", 0),
    ("rfc2822", "%a, %d %b %Y %H:%M:%S +0000", 0),
    ("rfc2822", "%A, %d-%b-%Y %H:%M:%S GMT", 0),
    ("ctime", "%a %b %e %H:%M:%S %Y", 0),
    ("ctime", "%a %b %d %H:%M:%S.%6f %Y", 6),
    ("ctime", "%a %b %e %H:%M:%S UTC %Y", 0),
    ("ctime", "%a %b %e %H:%M:%S %Y +0000", 0),
    ("ctime", "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)", 0),
    ("ctime", "%b %-d, %Y %-I:%M:%S %p", 0),
    ("ctime", "%B %d, %Y - %I:%M:%S.%3f%P", 3),
    ("ctime", "%b %d, %Y @ %H:%M:%S.%3f", 3),
    ("epoch", "%s", 0),
    ("epoch", "%s.%3f", 3),
    ("epoch", "%s.%9f", 9),
    ("%d.%m.%Y %H:%M:%S,%3f", "%d.%m.%Y %H:%M:%S,%3f", 3),
    ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M:%S %p", 0),
];

/// Cuts an instant after some digits of its second's fraction.
fn cut(instant: Timestamp, digits: u32) -> i64 {
    let step = 10_i128.pow(9 - digits);
    i64::try_from(instant.as_nanosecond().div_euclid(step) * step).unwrap()
}

fn unit(digits: u32) -> ClockUnit {
    match digits {
        0 => ClockUnit::Second,
        1..=3 => ClockUnit::Millisecond,
        4..=6 => ClockUnit::Microsecond,
        _ => ClockUnit::Nanosecond,
    }
}

fn every_format() -> Vec<Format> {
    let names = ["iso", "clf", "rfc2822", "rfc3164", "compact", "glog", "time_of_day"];
    let numbers = ["epoch", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns"];
    let users = ["%d.%m.%Y %H:%M:%S,%3f", "%a %d %B %y %I.%M %p", "%Y-%j %T %z", "%F %R %Q"];
    let known = names.iter().chain(&numbers).chain(&users);
    known.map(|name| Format::new(name).unwrap()).chain([Format::Any]).collect()
}

proptest! {
    #[test]
    fn what_jiff_writes_is_read_back(instant in instants(), next in instants()) {
        for (name, written, digits) in WRITTEN {
            let format = Format::new(name).unwrap();
            let mut clock = clock("UTC");
            // Another after it, and the same again: neither from the other's memo.
            for instant in [instant, next, instant] {
                let text = instant.to_zoned(TimeZone::UTC).strftime(written).to_string();
                let expect = Time { nanos: cut(instant, digits), unit: unit(digits) };
                prop_assert_eq!(clock.read(&format, &text), Some(expect), "{}: {}", name, text);
                let line = format!("{text} and more");
                let read = clock.read_prefix(&format, line.as_bytes());
                prop_assert_eq!(read, Some((expect, text.len())), "{}: {}", name, line);
                if !name.starts_with('%') {
                    prop_assert_eq!(clock.any(&text), Some(expect), "any: {}", text);
                }
            }
        }
    }

    #[test]
    fn offsets_are_subtracted(instant in instants(), minutes in -14 * 60..=14 * 60, secs in 0..1) {
        let offset = Offset::from_seconds(minutes * 60 + secs).unwrap();
        let there = instant.to_zoned(offset.to_time_zone());
        for written in [
            "%Y-%m-%dT%H:%M:%S.%9f%:z",
            "%Y-%m-%d %H:%M:%S.%9f %z",
            "%d/%b/%Y:%H:%M:%S.%9f %z",
            "%a, %d %b %Y %H:%M:%S.%9f %z",
            "%a %b %d %Y %H:%M:%S.%9f GMT%z",
        ] {
            let text = there.strftime(written).to_string();
            let expect = Time { nanos: cut(instant, 9), unit: ClockUnit::Nanosecond };
            // The clock's own zone has no say.
            prop_assert_eq!(clock("Asia/Tokyo").any(&text), Some(expect), "{}", text);
        }
    }

    #[test]
    fn what_jiff_parses_is_read_the_same(text in "[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,9})?(Z|z|[+-][01][0-9]:[0-5][0-9])") {
        let (ours, theirs) = (clock("UTC").any(&text), text.parse::<Timestamp>());
        // It takes a 60th second to be the 59th.
        if let (Ok(theirs), false) = (theirs, text.contains(":60"))
            && let Ok(nanos) = i64::try_from(theirs.as_nanosecond())
        {
            prop_assert_eq!(ours.map(|time| time.nanos), Some(nanos), "{}", text);
        }
    }

    #[test]
    fn zones_agree_with_jiff(second in 0_i64..4_102_444_800, place in 0_usize..6) {
        const PLACES: [&str; 6] = [
            "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia",
            "Africa/Casablanca",
        ];
        let zone = TimeZone::get(PLACES[place]).unwrap();
        let civil = TimeZone::UTC.to_datetime(Timestamp::from_second(second).unwrap());
        let expect = zone.to_timestamp(civil).unwrap().as_second();
        let text = civil.strftime("%Y-%m-%d %H:%M:%S").to_string();
        let read = clock(PLACES[place]).any(&text);
        prop_assert_eq!(read.map(|time| time.nanos), Some(expect * SECOND), "{}", text);
    }

    #[test]
    fn a_missing_year_is_the_year_it_was(second in 946_684_800_i64..4_102_444_800, late in 0_i64..300 * DAY) {
        // Read up to 300 days later, and up to a day earlier, by a host whose clock is behind.
        let instant = Timestamp::from_second(second).unwrap();
        for now in [second + late, second - late % DAY] {
            let mut clock = clock("UTC");
            clock.set_now(now * SECOND);
            for written in ["%b %e %H:%M:%S", "%b %-d %H:%M:%S", "%a %b %d %H:%M:%S"] {
                let text = instant.to_zoned(TimeZone::UTC).strftime(written).to_string();
                let read = clock.any(&text).map(|time| time.nanos);
                prop_assert_eq!(read, Some(second * SECOND), "{} read at {}", text, now);
            }
            let text = instant.to_zoned(TimeZone::UTC).strftime("%m%d %H:%M:%S").to_string();
            let read = clock.read(&Format::new("glog").unwrap(), &text).map(|time| time.nanos);
            prop_assert_eq!(read, Some(second * SECOND), "{} read at {}", text, now);
        }
    }

    #[test]
    fn a_time_of_day_is_that_of_the_place(second in 946_684_800_i64..4_102_444_800, late in -3000_i64..79_000) {
        for place in ["Pacific/Auckland", "America/Los_Angeles", "UTC"] {
            let there = Timestamp::from_second(second).unwrap().to_zoned(TimeZone::get(place).unwrap());
            // A night in which clocks change has hours that are not what they seem.
            let day = there.start_of_day().unwrap().duration_until(&there.tomorrow().unwrap().start_of_day().unwrap());
            if day.as_hours() != 24 { continue; }
            let mut clock = clock(place);
            clock.set_now((second + late) * SECOND);
            let text = there.strftime("%H:%M:%S").to_string();
            let read = clock.any(&text).map(|time| time.nanos / SECOND);
            let off = read.unwrap() - second;
            prop_assert!(off == 0 || off.abs() == 3600 || off.abs() == 82_800 || off.abs() == 90_000, "{} {}", place, off);
        }
    }

    #[test]
    fn readers_are_total(bytes in prop::collection::vec(any::<u8>(), 0..80), now in any::<i64>()) {
        check_total(&bytes, now);
    }

    #[test]
    fn readers_are_total_on_what_looks_like_a_time(
        text in "(Thu,? |Thursday, )?([0-9]{1,4}[-/ .:]?|Nov |November |26)([0-9]{1,2}|Nov)[-/ ,]{1,2}[0-9]{0,4}[T: ]{0,2}[0-9:]{0,9}[.,]?[0-9]{0,12} ?(AM|PM|Z|CET|UTC\\+1|[+-][0-9:]{0,5}|Europe/Berlin|2026)?",
        now in any::<i64>(),
    ) {
        check_total(text.as_bytes(), now);
    }
}

fn check_total(bytes: &[u8], now: i64) {
    let mut clock = clock("Europe/Berlin");
    clock.set_now(now);
    for format in every_format() {
        // The second time from the memo, and the same.
        let first = clock.read_prefix(&format, bytes);
        assert_eq!(clock.read_prefix(&format, bytes), first, "{format:?}");
        let Some((_, used)) = first else { continue };
        assert!(0 < used && used <= bytes.len(), "{format:?}");
        if let Ok(text) = std::str::from_utf8(bytes)
            && used == text.len()
        {
            assert!(clock.read(&format, text).is_some(), "{format:?}");
        }
    }
}
