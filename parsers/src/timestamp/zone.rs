//! The zone of times that name none.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A zone: an offset from UTC, or a place with rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Zone {
    /// Seconds east of UTC where that never changes.
    offset: i64,
    rules: Option<TimeZone>,
}

impl Zone {
    /// Reads `UTC`, `Z`, an offset as `+01:00`, or an IANA name (from the tables built into the
    /// program, so that an image without zone files behaves the same).
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        if let Some((offset, used)) = super::civil::offset(name.as_bytes()) {
            return (used == name.len()).then_some(Self { offset, rules: None });
        }
        let rules = TimeZone::get(name).ok()?;
        Some(Self { offset: 0, rules: Some(rules) })
    }

    /// Seconds east of UTC, for a zone without rules.
    pub(crate) fn fixed(&self) -> Option<i64> {
        self.rules.is_none().then_some(self.offset)
    }

    /// Epoch seconds of civil seconds. A time that a change of clocks repeats is its first
    /// occurrence; one that it leaves out is as far after the change as it says.
    pub(super) fn resolve(&self, civil: i64) -> Option<i64> {
        let Some(rules) = &self.rules else { return Some(civil - self.offset) };
        let civil: DateTime = TimeZone::UTC.to_datetime(jiff::Timestamp::from_second(civil).ok()?);
        Some(rules.to_timestamp(civil).ok()?.as_second())
    }
}
