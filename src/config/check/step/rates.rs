//! Steps that let a part of the records pass: `sample` and `throttle`.

use std::time::Duration;

use pillion_parsers::step::{Rate, Sample, Template, Throttle};

use super::inner_when;
use crate::config::diagnostic::Mistake;
use crate::config::read::{Reader, Value};
use crate::config::tree::Kind;
use crate::config::units;

/// No bucket takes longer to fill: a key is remembered for as long.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn sample<'n>(
    reader: &mut Reader<'_>,
    value: Value<'n>,
    when: &mut Option<Value<'n>>,
) -> Option<Sample> {
    let mut fields = reader.map(value)?;
    inner_when(reader, &mut fields, when);
    let key = fields.take("key");
    let key = key.map_or(Some(None), |key| reader.filled(key, "a field's name").map(Some));
    let (rate, one_in) = (fields.take("rate"), fields.take("one_in"));
    let mistyped = fields.unknown().next().is_some();
    let share = match (rate, one_in) {
        (Some(rate), None) => share(reader, rate).map(Share::Rate),
        (None, Some(many)) => {
            reader.whole(many, 1..=1_000_000_000).map(|many| Share::OneIn(many as u64))
        }
        (Some(_), Some(one_in)) => {
            let mistake = Mistake::at(one_in.key, "`rate` and `one_in` say the same");
            reader.mistake(mistake.help("leave one of them out"));
            None
        }
        (None, None) => {
            if !mistyped {
                let mistake = Mistake::at(value.key, "how many are kept is not said");
                reader.mistake(mistake.help("write `rate: 0.1` or `one_in: 10`"));
            }
            None
        }
    };
    fields.finish(reader);
    let key = key?;
    Some(match share? {
        Share::Rate(rate) => Sample::rate(rate, key),
        Share::OneIn(many) => Sample::one_in(many, key),
    })
}

/// How many are kept.
enum Share {
    Rate(f64),
    OneIn(u64),
}

fn share(reader: &mut Reader<'_>, value: Value<'_>) -> Option<f64> {
    let text = reader.filled(value, "a number above 0, and at most 1")?;
    let rate = text.trim().parse().ok().filter(|rate: &f64| *rate > 0.0 && *rate <= 1.0);
    if rate.is_none() {
        let mistake = Mistake::at(value.place(), "`rate` lies above 0, and is at most 1");
        reader.mistake(mistake.help("0.1 keeps a tenth; `drop` keeps none"));
    }
    rate
}

pub(super) fn throttle<'n>(
    reader: &mut Reader<'_>,
    value: Value<'n>,
    when: &mut Option<Value<'n>>,
) -> Option<Throttle> {
    let mut fields = reader.map(value)?;
    inner_when(reader, &mut fields, when);
    let key = fields.take("key").map_or(Some(None), |value| key(reader, value).map(Some));
    let burst = fields.take("burst");
    let many = burst.map_or(Some(None), |value| reader.whole(value, 1..=1_000_000).map(Some));
    let rate = fields.need("rate", "write `rate: 100/s`").and_then(|value| rate(reader, value));
    fields.finish(reader);
    let (key, many, rate) = (key?, many?, rate?);
    let burst_of = many.and_then(|many| u32::try_from(many).ok()).unwrap_or(rate.records);
    let filled = u128::from(rate.per / u64::from(rate.records)) * u128::from(burst_of);
    if filled > LONGEST.as_nanos() {
        let place = burst.map_or(value.key, |burst| burst.place());
        let mistake = Mistake::at(place, "at this rate, so many take more than a day to come");
        reader.mistake(mistake.help("make `burst` smaller, or `rate` larger"));
        return None;
    }
    Some(Throttle::new(rate, burst_of, key))
}

fn key(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Template> {
    let typed = reader.filled(value, "text with places for fields")?;
    match Template::new(&typed) {
        Ok(template) if template.names().next().is_some() => Some(template),
        Ok(_) => {
            let mistake = Mistake::at(value.place(), "this names no field, so all have one key");
            reader.mistake(mistake.help("write `key: '{client_ip}'`, or leave it out"));
            None
        }
        Err(error) => {
            let place = reader.part(value, &typed, &error.at);
            reader.mistake(Mistake::at(place, error.message));
            None
        }
    }
}

/// `100/s`, or `{records: 100, per: 1s}`.
fn rate(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Rate> {
    const RECORDS: usize = 1_000_000;
    if matches!(value.node.kind, Kind::Map(_)) {
        let mut fields = reader.map(value)?;
        let records = fields.need("records", "write `rate: { records: 100, per: 1s }`");
        let records = records.and_then(|value| reader.whole(value, 1..=RECORDS));
        let per = fields.need("per", "write `rate: { records: 100, per: 1s }`");
        let per = per.and_then(|value| reader.duration(value, Duration::from_millis(1)..=LONGEST));
        fields.finish(reader);
        return made(records?, per?);
    }
    let typed = reader.filled(value, "records and a span of time, as `100/s`")?;
    let parts = typed.split_once('/').and_then(|(records, per)| {
        let records =
            records.trim().parse().ok().filter(|records| (1..=RECORDS).contains(records))?;
        let per = per.trim();
        let bare = per.starts_with(|first: char| first.is_ascii_alphabetic());
        let per = if bare { units::duration(&format!("1{per}")) } else { units::duration(per) };
        let per = per.ok().filter(|per| (Duration::from_millis(1)..=LONGEST).contains(per))?;
        made(records, per)
    });
    if parts.is_none() {
        let mistake = Mistake::at(value.place(), "this is no rate");
        reader.mistake(
            mistake.help("write `100/s`, `5/m` or `1000/10s`: 1 to 1000000 records in 1ms to 1d"),
        );
    }
    parts
}

fn made(records: usize, per: Duration) -> Option<Rate> {
    let per = u64::try_from(per.as_nanos()).ok()?;
    Some(Rate { records: u32::try_from(records).ok()?, per })
}
