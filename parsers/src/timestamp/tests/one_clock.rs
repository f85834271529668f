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
