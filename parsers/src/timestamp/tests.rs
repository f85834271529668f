//! Tables of times as written, and what they mean.

mod one_clock;
mod own;
mod places;
mod properties;
mod recorded;
mod speed;

use super::format::Reader;
use super::*;

/// 2026-11-22T12:00:00Z.
const NOW: i64 = 1_795_348_800 * SECOND;

fn clock(zone: &str) -> Clock {
    let mut clock = Clock::new(Zone::from_name(zone).unwrap());
    clock.set_now(NOW);
    clock
}

fn show(time: Option<Time>) -> String {
    match time {
        None => "none".to_owned(),
        Some(time) => {
            let instant = jiff::Timestamp::from_nanosecond(time.nanos.into()).unwrap();
            format!("{instant} {:?}", time.unit)
        }
    }
}

fn check_any(text: &str, expect: &str) {
    assert_eq!(show(clock("UTC").any(text)), expect, "{text}");
}

#[test]
fn the_usual_formats_are_recognised() {
    for (text, expect) in [
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z Second"),
        ("2026-11-22T10:00:00.5+01:00", "2026-11-22T09:00:00.5Z Millisecond"),
        ("2026-11-22 10:00:00,123", "2026-11-22T10:00:00.123Z Millisecond"),
        ("2026-11-22 10:00:00.123456 +0530", "2026-11-22T04:30:00.123456Z Microsecond"),
        ("2026-11-22T10:00:00.123456789-08", "2026-11-22T18:00:00.123456789Z Nanosecond"),
        ("2026-11-22T10:00:00.1234567891234Z", "2026-11-22T10:00:00.123456789Z Nanosecond"),
        ("2026/11/22 10:00:00 UTC", "2026-11-22T10:00:00Z Second"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z Second"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z Second"),
        ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z Second"),
        ("22/Nov/2026:10:00:00 +0100", "2026-11-22T09:00:00Z Second"),
        ("[22/Nov/2026:10:00:00 -0000]", "2026-11-22T10:00:00Z Second"),
        ("Nov 22 10:00:00", "2026-11-22T10:00:00Z Second"),
        ("Nov  2 10:00:00.25", "2026-11-02T10:00:00.25Z Millisecond"),
        ("10:00:00.123", "2026-11-22T10:00:00.123Z Millisecond"),
        ("1795341600", "2026-11-22T10:00:00Z Second"),
        ("1795341600.25", "2026-11-22T10:00:00.25Z Millisecond"),
        ("1795341600123", "2026-11-22T10:00:00.123Z Millisecond"),
        ("1795341600123.5", "2026-11-22T10:00:00.1235Z Nanosecond"),
        ("1795341600123456", "2026-11-22T10:00:00.123456Z Microsecond"),
        ("1795341600123456789", "2026-11-22T10:00:00.123456789Z Nanosecond"),
        ("1.7953416e9", "2026-11-22T10:00:00Z Microsecond"),
        ("1.7953416E9", "2026-11-22T10:00:00Z Microsecond"),
        ("2026-11-22t10:00:00.5z", "2026-11-22T10:00:00.5Z Millisecond"),
        ("2026-11-22T10:00:00-00:00", "2026-11-22T10:00:00Z Second"),
        ("2026-11-22T10:00Z", "2026-11-22T10:00:00Z Second"),
        ("2026-11-22 10:00", "2026-11-22T10:00:00Z Second"),
        ("2026-11-22T24:00:00Z", "2026-11-23T00:00:00Z Second"),
        ("2026-11-22 10:00:00 -03", "2026-11-22T13:00:00Z Second"),
        ("2026-11-22 10:00:00 UTC+2", "2026-11-22T08:00:00Z Second"),
        ("2026-11-22 10:00:00 GMT+05:30", "2026-11-22T04:30:00Z Second"),
        ("20261122T100000Z", "2026-11-22T10:00:00Z Second"),
        ("20261122 10:00:00.123456", "2026-11-22T10:00:00.123456Z Microsecond"),
        ("20261122100000", "2026-11-22T10:00:00Z Second"),
        ("691122 10:00:00", "2069-11-22T10:00:00Z Second"),
        ("701122 10:00:00", "1970-11-22T10:00:00Z Second"),
        ("22-NOV-2026 10:00:00.123 UTC", "2026-11-22T10:00:00.123Z Millisecond"),
        ("Sun, 22 Nov 2026 10:00:00 GMT", "2026-11-22T10:00:00Z Second"),
        ("sun nov 22 10:00:00 2026", "2026-11-22T10:00:00Z Second"),
        ("Sun Nov 22 10:00:00 CET 2026", "2026-11-22T09:00:00Z Second"),
        ("Nov 22 2026 10:00:00", "2026-11-22T10:00:00Z Second"),
        ("Nov 22, 2026, 12:00:00\u{202f}AM", "2026-11-22T00:00:00Z Second"),
        ("Nov 22, 2026 12:00:00.5 PM", "2026-11-22T12:00:00.5Z Millisecond"),
        ("10:00PM", "2026-11-21T22:00:00Z Second"),
    ] {
        check_any(text, expect);
    }
}

#[test]
fn an_abbreviation_that_one_zone_has_says_the_offset_where_no_zone_is_given() {
    for (name, offset) in [
        ("CET", "+01"),
        ("CEST", "+02"),
        ("EEST", "+03"),
        ("MSK", "+03"),
        ("JST", "+09"),
        ("EDT", "-04"),
        ("WET", "+00"),
        ("NDT", "-02:30"),
    ] {
        let read = |zone: &str| clock(zone).any(&format!("2026-07-22 10:00:00.123 {name}"));
        assert_eq!(read("UTC"), clock("UTC").any(&format!("2026-07-22 10:00:00.123{offset}")));
        assert_eq!(read("+05:00"), clock("UTC").any("2026-07-22 10:00:00.123+05:00"), "{name}");
    }
    for name in ["CST", "CDT", "IST", "PST"] {
        let mut utc = clock("UTC");
        let text = format!("2026-07-22 10:00:00 {name}");
        assert_eq!(utc.any(&text), clock("UTC").any("2026-07-22T10:00:00Z"), "{name}");
        assert!(utc.take_vague() && !utc.take_vague(), "{name}");
        let mut given = clock("America/Chicago");
        given.any(&text);
        assert!(!given.take_vague(), "{name}");
    }
}

/// What is said of abbreviations holds in all zones that have them.
#[test]
fn what_an_abbreviation_means_it_means_in_all_zones() {
    let moments =
        [1_784_678_400, 1_795_348_800].map(|at| jiff::Timestamp::from_second(at).unwrap());
    for name in jiff::tz::db().available() {
        let zone = jiff::tz::TimeZone::get(name.as_str()).unwrap();
        for info in moments.map(|moment| zone.to_offset_info(moment)) {
            let text = info.abbreviation().as_bytes();
            let mut kept = offset::Abbreviation::default();
            let Some(place) = kept.get_mut(..text.len()) else { continue };
            place.copy_from_slice(text);
            if let Some(said) = offset::of_abbreviation(kept) {
                assert_eq!(said, i64::from(info.offset().seconds()), "{name:?}");
            }
        }
    }
}

#[test]
fn what_is_no_time_is_none() {
    for text in [
        "",
        "[",
        "[]",
        "12",
        "-5",
        "99999999999999999999",
        "9999999999",
        "1795341600x",
        "1795341600.",
        "1e400",
        "2026-13-22T10:00:00Z",
        "2026-02-29T10:00:00Z",
        "2026-11-00T10:00:00Z",
        "2026-11-22T24:00:01Z",
        "2026-11-22T10:60:00Z",
        "2026-11/22T10:00:00Z",
        "2026-11-22T10:00:00Zebra",
        "2026-11-22T10:00:00+25:00",
        "9999-11-22T10:00:00Z",
        "22/Nux/2026:10:00:00 +0100",
        "Nov 31 10:00:00",
        "25:00:00",
        "２０２６-11-22T10:00:00Z",
        "yesterday",
        "2026-11-22T10:00:00 Zebra",
        "2026-11-22 10:00:00 INFO",
        "2026-11-22 10:00:00 PM",
        "2026-11-22",
        "11/22/2026 10:00:00 AM",
        "1122 10:00:00",
        "22-Nov-2026 10:00:00 Mars/Olympus",
        "Sun Nov 22 13:00:00 PM 2026",
        "Nov 22, 2026 13:00:00 PM",
        "Novel 22 10:00:00",
        "Sunny, 22 Nov 2026 10:00:00",
        "10:00",
        "00:30:000",
    ] {
        check_any(text, "none");
    }
}

#[test]
fn zoneless_times_are_in_the_clocks_zone() {
    for (zone, text, expect) in [
        ("Europe/Berlin", "2026-07-01 12:00:00", "2026-07-01T10:00:00Z Second"),
        ("Europe/Berlin", "2026-12-01 12:00:00", "2026-12-01T11:00:00Z Second"),
        // Repeated and left-out hours.
        ("Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T00:30:00Z Second"),
        ("Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29T01:30:00Z Second"),
        ("Europe/Berlin", "2026-07-01T12:00:00Z", "2026-07-01T12:00:00Z Second"),
        ("-03:30", "2026-07-01 12:00:00", "2026-07-01T15:30:00Z Second"),
        ("America/New_York", "Nov 22 01:00:00", "2026-11-22T06:00:00Z Second"),
    ] {
        let mut clock = clock(zone);
        // Twice: the second time from the memo.
        for _ in 0..2 {
            assert_eq!(show(clock.any(text)), expect, "{zone} {text}");
        }
    }
    for name in ["Mars/Olympus", "+01:00 ", " UTC", "UTC+1", "+25:00", ""] {
        assert_eq!(Zone::from_name(name), None, "{name}");
    }
}

#[test]
fn the_zone_of_a_source_is_for_definitions_that_have_none() {
    use crate::definition::Definition;
    use crate::parse::{Library, Parser, ParserState, ReadAt};
    use crate::record::Record;

    let with_zone = |zone: &str| {
        let yaml = format!("{{name: own, pattern: '^(?<time>.*)$', time: {{{zone}}}}}");
        Library::builtin().with(vec![Definition::from_yaml(&yaml).unwrap()]).unwrap()
    };
    let york = Zone::from_name("America/New_York").unwrap();
    for (zone, name, text, expect) in [
        ("zone: Europe/Berlin", "own", "2026-11-22 10:00:00", "2026-11-22T09:00:00Z Second"),
        ("", "own", "2026-11-22 10:00:00", "2026-11-22T15:00:00Z Second"),
        ("", "auto", "time=\"2026-11-22 10:00:00\" a=b", "2026-11-22T15:00:00Z Second"),
        ("", "docker", "{\"time\":\"2026-11-22 10:00:00\"}", "2026-11-22T15:00:00Z Second"),
        ("", "auto", "time=\"2026-11-22 10:00:00Z\" a=b", "2026-11-22T10:00:00Z Second"),
    ] {
        let library = with_zone(zone);
        let parser = Parser::new(&library, name, ParserState::default()).unwrap();
        let (arena, mut record) = (crate::Arena::new(), Record::default());
        let at = ReadAt { now: NOW, container_time: None };
        parser.in_zone(&york).parse(text, at, &arena, &mut record);
        assert_eq!(show(record.time), expect, "{name} {zone}: {text}");
    }
}

#[test]
fn an_abbreviation_tells_which_of_two_hours_is_meant() {
    let mut berlin = clock("Europe/Berlin");
    for (text, expect) in [
        ("2026-10-25 02:30:00 CEST", "2026-10-25T00:30:00Z Second"),
        ("2026-10-25 02:30:00 CET", "2026-10-25T01:30:00Z Second"),
        ("2026-10-25 02:30:00", "2026-10-25T00:30:00Z Second"),
        // Not what the zone calls it: the zone is what counts.
        ("2026-10-25 02:30:00 PST", "2026-10-25T00:30:00Z Second"),
        ("2026-07-01 12:00:00 CET", "2026-07-01T10:00:00Z Second"),
        ("Sun Oct 25 02:30:00 CET 2026", "2026-10-25T01:30:00Z Second"),
    ] {
        assert_eq!(show(berlin.any(text)), expect, "{text}");
    }
}

#[test]
fn a_zone_is_not_taken_from_the_words_that_follow() {
    for (text, used) in [
        ("2026-11-22 10:00:00 Zebra", 19),
        ("2026-11-22 10:00:00 UTCx", 19),
        ("2026-11-22 10:00:00 INFO x", 19),
        ("2026-11-22 10:00:00 GET /", 19),
        ("2026-11-22 10:00:00 CEST_x", 19),
        ("2026-11-22 10:00:00 -1234567", 19),
        ("2026-11-22 10:00:00 - x", 19),
        ("2026-11-22 10:00:00 z x", 19),
        ("2026-11-22 10:00:00 Z x", 21),
        ("2026-11-22 10:00:00 CEST [7]", 24),
        ("2026-11-22 10:00:00 -03 [7]", 23),
        ("Nov 22 10:00:00 2026 x", 20),
        ("Nov 22 10:00:00 2026-host x", 15),
        ("Nov 22 10:00:00 web-1 x", 15),
        ("Nov 22 10:00:00 z x", 15),
    ] {
        let read = clock("UTC").read_prefix(&Format::Any, text.as_bytes());
        assert_eq!(read.map(|(_, used)| used), Some(used), "{text}");
    }
}

#[test]
fn a_missing_year_follows_the_moment_of_reading() {
    fn check(now: &str, text: &str, expect: &str) {
        let now_nanos = now.parse::<jiff::Timestamp>().unwrap().as_nanosecond();
        let mut clock = clock("UTC");
        clock.set_now(i64::try_from(now_nanos).unwrap());
        assert_eq!(show(clock.any(text)), format!("{expect} Second"), "{text} read at {now}");
    }
    // Read at once, before and after midnight, and with a host's clock a little ahead.
    check("2026-12-31T23:59:59Z", "Dec 31 23:59:58", "2026-12-31T23:59:58Z");
    check("2027-01-01T00:00:01Z", "Dec 31 23:59:59", "2026-12-31T23:59:59Z");
    check("2026-12-31T23:59:59Z", "Jan  1 00:00:01", "2027-01-01T00:00:01Z");
    // A backlog read months later goes on in order over New Year's Eve.
    check("2026-11-22T12:00:00Z", "Dec 31 23:59:58", "2025-12-31T23:59:58Z");
    check("2026-11-22T12:00:00Z", "Jan  1 00:00:00", "2026-01-01T00:00:00Z");
    check("2026-11-22T12:00:00Z", "Nov 22 12:00:00", "2026-11-22T12:00:00Z");
    check("2026-11-22T12:00:00Z", "Feb 29 00:00:00", "2024-02-29T00:00:00Z");
    // The leap day itself, read at once, a little early, and from the century without one.
    check("2028-02-29T12:00:00Z", "Feb 29 12:00:01", "2028-02-29T12:00:01Z");
    check("2028-02-28T23:59:59Z", "Feb 29 00:00:01", "2028-02-29T00:00:01Z");
    check("2103-03-01T00:00:00Z", "Feb 29 00:00:00", "2096-02-29T00:00:00Z");
    // Two days ahead is a year behind.
    check("2026-12-30T12:00:00Z", "Jan  1 12:00:01", "2026-01-01T12:00:01Z");
}

#[test]
fn an_odd_time_does_not_take_the_next_to_its_year() {
    let mut clock = clock("UTC");
    for (day, year) in [(22, 2026), (24, 2025), (22, 2026), (22, 2026), (20, 2026)] {
        let text = format!("Nov {day} 10:00:00");
        assert_eq!(show(clock.any(&text)), format!("{year}-11-{day}T10:00:00Z Second"));
    }
}

#[test]
fn one_pair_of_brackets_is_taken_off() {
    check_any("[2026-11-22T10:00:00Z]", "2026-11-22T10:00:00Z Second");
    check_any("[[2026-11-22T10:00:00Z]]", "none");
    check_any(&("[".repeat(1 << 20) + &"]".repeat(1 << 20)), "none");
}

#[test]
fn the_memo_forgets_the_year_with_the_day() {
    let mut clock = clock("UTC");
    assert_eq!(show(clock.any("Nov 22 10:00:00")), "2026-11-22T10:00:00Z Second");
    clock.set_now(NOW + 365 * DAY * SECOND);
    assert_eq!(show(clock.any("Nov 22 10:00:00")), "2027-11-22T10:00:00Z Second");
}

#[test]
fn a_time_of_day_is_the_last_one() {
    for (hour, text, expect) in [
        (0, "23:59:59", "2026-11-21T23:59:59Z Second"),
        (0, "00:00:05", "2026-11-22T00:00:05Z Second"),
        (20, "02:58:00", "2026-11-22T02:58:00Z Second"),
        (20, "7:59PM", "2026-11-22T19:59:00Z Second"),
        // A clock that is ahead, or a zone that nobody said.
        (20, "21:00:00", "2026-11-22T21:00:00Z Second"),
        (20, "21:00:01", "2026-11-21T21:00:01Z Second"),
        (23, "00:00:00", "2026-11-23T00:00:00Z Second"),
    ] {
        let mut clock = clock("UTC");
        clock.set_now((NOW - NOW.rem_euclid(DAY * SECOND)) + hour * 3600 * SECOND);
        assert_eq!(show(clock.any(text)), expect, "{text} read at {hour}");
    }
}

#[test]
fn a_time_at_the_beginning_is_read_with_its_length() {
    for (format, text, rest, expect) in [
        ("iso", "2026-11-22T10:00:00.5Z x", " x", "2026-11-22T10:00:00.5Z Millisecond"),
        (
            "iso",
            "2026-11-22 10:00:00,123 [main]",
            " [main]",
            "2026-11-22T09:00:00.123Z Millisecond",
        ),
        ("clf", "22/Nov/2026:10:00:00 +0100] x", "] x", "2026-11-22T09:00:00Z Second"),
        ("epoch", "1795341600.250 7 x", " 7 x", "2026-11-22T10:00:00.25Z Millisecond"),
        ("epoch", "1795341600. The end", ". The end", "2026-11-22T10:00:00Z Second"),
        ("epoch_ms", "12|x", "|x", "1970-01-01T00:00:00.012Z Millisecond"),
        ("epoch", "1795341600abc", "", "none"),
        (
            "%d.%m.%Y %H:%M:%S,%3f",
            "22.11.2026 10:00:00,123 x",
            " x",
            "2026-11-22T09:00:00.123Z Millisecond",
        ),
        ("%d.%m.%Y %H:%M:%S,%3f", "22.11.2026 10:00:00, x", ", x", "2026-11-22T09:00:00Z Second"),
        ("%d.%m.%Y %H:%M:%S", "22.11.2026 10:00:00 x", " x", "2026-11-22T09:00:00Z Second"),
        ("%H:%M:%S %e.%m.%Y", "10:00:00 22.11.2026: x", ": x", "2026-11-22T09:00:00Z Second"),
        ("%H:%M:%S %e.%m.%Y", "x", "", "none"),
        // A zone that the time names is its own, whatever the clock's is.
        (
            "%d-%b-%Y::%H:%M:%S%.f %Q",
            "2-Nov-2026::10:00:00 UTC =",
            " =",
            "2026-11-02T10:00:00Z Second",
        ),
    ] {
        let mut clock = clock("Europe/Berlin");
        let format = Format::new(format).unwrap();
        for _ in 0..2 {
            let read = clock.read_prefix(&format, text.as_bytes());
            assert_eq!(show(read.map(|(time, _)| time)), expect, "{format:?} {text}");
            let end = read.map_or("", |(_, used)| text.get(used..).unwrap());
            assert_eq!(end, rest, "{format:?} {text}");
        }
    }
}

#[test]
fn a_head_that_goes_on_is_another_time() {
    let format = Format::new("%H:%M:%S %m-%e").unwrap();
    let mut clock = clock("UTC");
    for (text, expect) in [
        ("10:00:00 11-2", "2026-11-02T10:00:00Z Second"),
        ("10:00:00 11-22", "2026-11-22T10:00:00Z Second"),
        ("10:00:00 11-2", "2026-11-02T10:00:00Z Second"),
    ] {
        assert_eq!(show(clock.read(&format, text)), expect, "{text}");
    }
}

#[test]
fn civil_seconds_agree_with_jiff() {
    for day in (-100_000..100_000).step_by(7) {
        let instant = jiff::Timestamp::from_second(day * DAY + 3_661).unwrap();
        let date = jiff::tz::TimeZone::UTC.to_datetime(instant);
        let (month, mday) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        let ours = civil::seconds(date.year().into(), month.into(), mday.into(), 3_661);
        assert_eq!(ours, Some(instant.as_second()), "{date}");
        assert_eq!(civil::year_of(instant.as_second()), i64::from(date.year()), "{date}");
    }
}
