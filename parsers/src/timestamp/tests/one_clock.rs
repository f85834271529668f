//! What one clock remembers, where several ask it.

use super::super::*;

/// One clock serves all that `auto` tries.
#[test]
fn what_one_reader_read_is_no_time_to_another() {
    let mut clock = Clock::default();
    let iso = Format::new("iso").unwrap();
    let text = "2026-11-26 02:57:21.249";
    for format in ["%d-%b-%Y %H:%M:%S%.3f", "%Y/%m/%d %H:%M:%S", "%H:%M:%S", "glog", "compact"] {
        assert!(clock.read(&iso, text).is_some());
        let format = Format::new(format).unwrap();
        assert!(clock.read_prefix(&format, text.as_bytes()).is_none(), "{format:?}");
    }
    let [one, other] = ["%H.%M %Y/%d/%m", "%H.%M %Y/%m/%d"].map(|text| Format::new(text).unwrap());
    let nanos = |time: Option<Time>| time.map(|time| time.nanos);
    let first = nanos(clock.read(&one, "02.57 2026/11/12"));
    assert!(first.is_some());
    assert_ne!(nanos(clock.read(&other, "02.57 2026/11/12")), first);
}

/// What `auto` does not even try is no time.
#[test]
fn what_may_not_begin_a_time_of_any_format_is_none() {
    let mut clock = Clock::default();
    let texts = ["{\"a\":1}", "time=2026", "level=info", "mayor", "-17", "[x]", "/ 1", "", "x1 2"];
    let times =
        ["[26/Nov/2026:10:00:00 +0000]", "Thu Nov 26 10:00:00 2026", " 2/Nov/2026:10:00:00"];
    for (text, is_time) in
        texts.map(|text| (text, false)).into_iter().chain(times.map(|text| (text, true)))
    {
        assert_eq!(clock.read_prefix(&Format::Any, text.as_bytes()).is_some(), is_time, "{text}");
    }
    let may = |format: &Format, text: &str| format.may_begin(text.as_bytes());
    for text in times {
        assert!(may(&Format::Any, text), "{text}");
    }
    for text in ["{\"a\":1}", "time=2026", "level=info", "-17", "", "x1 2"] {
        assert!(!may(&Format::Any, text), "{text}");
    }
    let hour = Format::new("%I:%M%p").unwrap();
    assert!(may(&hour, "3:04AM INF") && may(&hour, " 3:04AM"));
    assert!(!may(&hour, "time=3:04AM") && !may(&hour, "13:04AM"));
}
