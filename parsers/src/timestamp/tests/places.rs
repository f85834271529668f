//! Times that name a place, beside an offset (RFC 9557) or instead of one.

use super::check_any;

#[test]
fn a_place_is_a_zone() {
    for (text, expect) in [
        ("2026-11-22T10:00:00-08:00[America/Los_Angeles]", "2026-11-22T18:00:00Z Second"),
        ("2026-11-22T10:00:00.5Z[UTC][u-ca=gregory]", "2026-11-22T10:00:00.5Z Millisecond"),
        ("2026-11-22T10:00:00[Europe/Berlin]", "2026-11-22T09:00:00Z Second"),
        ("2026-11-22 10:00:00 Europe/Berlin", "2026-11-22T09:00:00Z Second"),
        ("2026-11-22 10:00:00.25 America/Argentina/Ushuaia", "2026-11-22T13:00:00.25Z Millisecond"),
        ("2026-11-22 10:00:00 Europe/Nowhere", "none"),
        ("2026-11-22T10:00:00Z[INFO]", "none"),
        ("22-Nov-2026 10:00:00 Europe/Berlin", "2026-11-22T09:00:00Z Second"),
    ] {
        check_any(text, expect);
    }
}
