//! Formats that a user says.

use super::*;

#[test]
fn strptime_spellings_of_known_formats_are_read_by_hand() {
    for (format, reader) in [
        ("%F %T%.f%:z", Reader::Iso),
        ("%Y/%m/%d %H:%M:%S.%6f", Reader::Slashes),
        ("%d/%b/%Y:%T %z", Reader::Clf),
        ("%d-%b-%Y %H:%M:%S", Reader::Clf),
        ("%a, %d %b %Y %H:%M:%S %z", Reader::English),
        ("%a %b %e %H:%M:%S.%6f %Y", Reader::English),
        ("%b %e %T", Reader::Yearless),
        ("%y%m%d %H:%M:%S", Reader::Compact),
        ("%m%d %H:%M:%S.%f", Reader::Glog),
        ("%H:%M:%S,%3f", Reader::TimeOfDay),
    ] {
        assert_eq!(Format::new(format), Ok(Format::Known(reader)), "{format}");
    }
}

#[test]
fn user_formats_are_applied_and_remembered() {
    for (format, text, expect) in [
        (
            "%d.%m.%Y %H:%M:%S,%3f",
            "22.11.2026 10:00:00,123",
            "2026-11-22T09:00:00.123Z Millisecond",
        ),
        (
            "%d.%m.%Y %H:%M:%S%.f",
            "22.11.2026 10:00:00.123456",
            "2026-11-22T09:00:00.123456Z Microsecond",
        ),
        ("%d.%m.%Y %H:%M:%S%.f", "22.11.2026 10:00:00", "2026-11-22T09:00:00Z Second"),
        (
            "%Y-%m-%d %H:%M:%S%.3f",
            "2026-11-22 10:00:00.123",
            "2026-11-22T09:00:00.123Z Millisecond",
        ),
        (
            "%a, %d %b %Y %H:%M:%S %z",
            "Sun, 22 Nov 2026 10:00:00 +0000",
            "2026-11-22T10:00:00Z Second",
        ),
        ("%b %d %H.%M.%S", "Nov 22 10.00.00", "2026-11-22T09:00:00Z Second"),
        ("%I:%M:%S %p", "10:00:00 AM", "2026-11-22T09:00:00Z Second"),
        ("%Y%m%d%H%M%S%3f", "20261122100000123", "2026-11-22T09:00:00.123Z Nanosecond"),
        ("%Y-%j %H:%M", "2026-326 10:00", "2026-11-22T09:00:00Z Second"),
        ("epoch_ms", "1795341600123", "2026-11-22T10:00:00.123Z Millisecond"),
        ("epoch_s", "12", "1970-01-01T00:00:12Z Second"),
        ("epoch_s", "-12.5", "1969-12-31T23:59:47.5Z Millisecond"),
        ("clf", "22/Nov/2026:10:00:00 +0100", "2026-11-22T09:00:00Z Second"),
        ("%d.%m.%Y %H:%M:%S,%3f", "22.11.2026 10:00", "none"),
        ("%d.%m.%Y %H:%M:%S,%3f", "32.11.2026 10:00:00,123", "none"),
        ("iso", "2026-11-22 10", "none"),
        ("iso_offset", "2026-11-22 10:00:00.123+0100", "2026-11-22T09:00:00.123Z Millisecond"),
        ("iso_offset", "2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z Second"),
        ("iso_offset", "2026-11-22 10:00:00.123", "none"),
    ] {
        let mut clock = clock("Europe/Berlin");
        let format = Format::new(format).unwrap();
        for _ in 0..2 {
            assert_eq!(show(clock.read(&format, text)), expect, "{format:?} {text}");
        }
    }
}

#[test]
fn unusable_formats_are_refused_when_loaded() {
    for format in ["", "rfc", "%Y-%m-%d", "%H", "%!", "%Y %H:%M:%S", "%Q%Q%Y"] {
        let result = Format::new(format);
        // A bare hour is a time of day, if a coarse one.
        assert_eq!(result.is_ok(), format == "%H", "{format}: {result:?}");
    }
}
