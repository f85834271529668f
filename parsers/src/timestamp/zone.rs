//! The zone of times that name none.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::offset::{self, Abbreviation};

/// A zone: an offset from UTC, or a place with rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Zone {
    /// Seconds east of UTC where that never changes.
    offset: i64,
    rules: Option<TimeZone>,
}

impl Zone {
    /// Reads `UTC`, `Z`, an offset as `+01:00`, or an IANA name (from the tables built into the
    /// program, so that an image without zone files behaves the same). `None` for anything else.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(offset) = offset::whole(name) {
            return Some(Self { offset, rules: None });
        }
        TimeZone::get(name).ok().map(Self::from_rules)
    }

    /// The zone of these rules: where whoever calls has found them itself.
    #[must_use]
    pub fn from_rules(rules: TimeZone) -> Self {
        match rules.to_fixed_offset() {
            Ok(offset) => Self { offset: offset.seconds().into(), rules: None },
            Err(_) => Self { offset: 0, rules: Some(rules) },
        }
    }

    /// Seconds east of UTC, for a zone without rules.
    pub(super) fn fixed(&self) -> Option<i64> {
        self.rules.is_none().then_some(self.offset)
    }

    /// Epoch seconds of civil seconds. A time that a change of clocks repeats is its first
    /// occurrence, unless the zone's abbreviation then is the one that the time names; one that it
    /// leaves out is as far after the change as it says.
    pub(super) fn resolve(&self, civil: i64, named: Abbreviation) -> Option<i64> {
        let Some(rules) = &self.rules else { return Some(civil - self.offset) };
        let civil: DateTime = TimeZone::UTC.to_datetime(jiff::Timestamp::from_second(civil).ok()?);
        let ambiguous = rules.to_ambiguous_timestamp(civil);
        if named != Abbreviation::default()
            && let AmbiguousOffset::Fold { .. } = ambiguous.offset()
            && let Ok(later) = ambiguous.later()
            && is_called(named, rules.to_offset_info(later).abbreviation())
        {
            return Some(later.as_second());
        }
        Some(ambiguous.compatible().ok()?.as_second())
    }

    /// Seconds east of UTC at a moment, given in seconds since the Unix epoch.
    #[must_use]
    pub fn offset_at(&self, epoch: i64) -> i64 {
        let Some(rules) = &self.rules else { return self.offset };
        let instant = jiff::Timestamp::from_second(epoch);
        instant.map_or(0, |instant| rules.to_offset(instant).seconds().into())
    }

    /// Civil seconds of epoch seconds.
    pub(super) fn civil(&self, epoch: i64) -> i64 {
        epoch.saturating_add(self.offset_at(epoch))
    }
}

fn is_called(named: Abbreviation, name: &str) -> bool {
    let len = named.iter().position(|byte| *byte == 0).unwrap_or(named.len());
    named.get(..len) == Some(name.as_bytes())
}
