//! `redact: allow`: what is left though a rule finds it.

use pillion_parsers::redact::{Allow, AllowedPattern, Network};

use super::bad_pattern;
use crate::config::check::all;
use crate::config::diagnostic::{Mistake, quote};
use crate::config::nearest::suggestion;
use crate::config::read::{Reader, Value};

/// What a configuration allows.
pub(super) fn allow(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Allow> {
    let mut fields = reader.map(value)?;
    let mut each = |reader: &mut Reader<'_>, key, read: Read<String>| {
        fields.take(key).map_or(Some(Vec::new()), |value| list(reader, value, read))
    };
    let domains = each(reader, "domains", domain);
    let values = each(reader, "values", |reader, value| reader.filled(value, "a value"));
    let keys = each(reader, "keys", key);
    let networks = fields.take("networks").map_or(Some(Vec::new()), |value| {
        list(reader, value, network).map(|networks| networks.concat())
    });
    let patterns =
        fields.take("patterns").map_or(Some(Vec::new()), |value| list(reader, value, pattern));
    let test_cards = fields.take("test_cards").map_or(Some(false), |value| reader.boolean(value));
    fields.finish(reader);
    Some(Allow {
        domains: domains?,
        values: values?,
        patterns: patterns?,
        networks: networks?,
        test_cards: test_cards?,
        keys: keys?,
    })
}

/// How one member of a list is read.
type Read<T> = fn(&mut Reader<'_>, Value<'_>) -> Option<T>;

fn list<T>(reader: &mut Reader<'_>, value: Value<'_>, read: Read<T>) -> Option<Vec<T>> {
    let members = reader.list(value);
    all(members.into_iter().map(|value| read(reader, value)))
}

fn domain(reader: &mut Reader<'_>, value: Value<'_>) -> Option<String> {
    let text = reader.filled(value, "a domain")?;
    let label = |label: &str| {
        let member = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        !label.is_empty() && label.chars().all(member)
    };
    if text.split('.').all(label) {
        return Some(text);
    }
    let bare = text.rsplit(['@', '*', '/']).next().unwrap_or_default().trim_matches('.');
    let help = (!bare.is_empty() && bare.split('.').all(label))
        .then(|| format!("write {}: domains below it are left too", quote(bare)));
    let message = format!("{} is no domain", value.quoted());
    reader.mistake(Mistake::at(value.place(), message).maybe_help(help));
    None
}

fn key(reader: &mut Reader<'_>, value: Value<'_>) -> Option<String> {
    let text = reader.filled(value, "a field's name")?;
    if text.split('.').any(|part| part.trim().is_empty()) {
        reader.mistake(Mistake::at(value.place(), "this cannot name a field"));
        return None;
    }
    Some(text)
}

fn network(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Vec<Network>> {
    let text = reader.filled(value, "a network")?;
    match Network::read(&text) {
        Ok(networks) => Some(networks),
        Err(why) => {
            let names = Network::NAMES.into_iter();
            let help = suggestion(&text, names).filter(|_| !text.contains(['.', ':', '/']));
            let names = Network::NAMES.map(quote).join(", ");
            let help = help.unwrap_or_else(|| format!("write `10.0.0.0/8`, or one of {names}"));
            reader.mistake(Mistake::at(value.place(), why).help(help));
            None
        }
    }
}

fn pattern(reader: &mut Reader<'_>, value: Value<'_>) -> Option<AllowedPattern> {
    let text = reader.verbatim(value, "a pattern")?;
    match AllowedPattern::new(text) {
        Ok(pattern) if pattern.allows("") => {
            let message = "this pattern matches the empty string: it says nothing of a value";
            reader.mistake(Mistake::at(value.place(), message));
            None
        }
        Ok(pattern) => Some(pattern),
        Err(reason) => {
            reader.mistake(Mistake { place: Some(value.place()), ..bad_pattern(&reason) });
            None
        }
    }
}
