//! Redaction: which rules, which actions, and the user's own rules with their samples.

mod allow;
mod custom;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use pillion_parsers::redact::{Action, Allow, CustomRule, RuleError, RuleSelection, Rules};

use super::all;
use crate::config::diagnostic::Mistake;
use crate::config::nearest::suggestion;
use crate::config::read::{Reader, Value};
use crate::config::secret::Held;
use crate::config::tree::{Kind, Node};

/// Fewest bytes of a key: with a shorter one, hashes of e-mail addresses could be tried out.
const KEY: usize = 16;

/// The help where a selection leaves nothing to do.
const OFF: &str = "write `redact: off` if nothing is to be redacted";

/// The places of what a selection names: for pointing at what it is refused for.
#[derive(Default)]
struct Typed<'n> {
    rules: Vec<(String, Value<'n>)>,
    actions: Vec<(String, Value<'n>)>,
    custom: Vec<(CustomRule, Value<'n>)>,
    /// Custom rules already refused, which others may name.
    broken: Vec<String>,
    /// Whether nothing was refused so far.
    sound: bool,
}

/// What a configuration says about redaction.
pub(super) struct Redaction {
    pub(super) rules: Arc<Rules>,
    /// What they were compiled from, if there are any.
    pub(super) selection: Option<RuleSelection>,
    /// What the key of `hash` was read from.
    pub(super) hash_key: Option<Held>,
}

impl Redaction {
    /// What is done where nothing is said.
    pub(super) fn standard() -> Self {
        let selection = Some(RuleSelection::standard());
        Self { rules: Rules::builtin_default(), selection, hash_key: None }
    }

    fn off() -> Self {
        Self { rules: Arc::new(Rules::off()), selection: None, hash_key: None }
    }
}

/// The rules a configuration asks for: the default ones if it says nothing.
pub(super) fn redaction(reader: &mut Reader<'_>, redact: Option<Value<'_>>) -> Option<Redaction> {
    compiled(reader, redact, Rules::build)
}

fn compiled(
    reader: &mut Reader<'_>,
    redact: Option<Value<'_>>,
    mut compile: impl FnMut(RuleSelection) -> Result<Rules, RuleError>,
) -> Option<Redaction> {
    let Some(value) = redact else { return Some(Redaction::standard()) };
    if let Kind::Scalar { text, .. } = &value.node.kind
        && text == "off"
    {
        return Some(Redaction::off());
    }
    let Kind::Map(_) = value.node.kind else {
        let mistake = Mistake::at(value.place(), "`redact` takes a mapping, or `off`");
        reader.mistake(mistake.help("leave `redact` out for the default rules"));
        return None;
    };
    let mut fields = reader.map(value)?;
    let mut typed = Typed::default();
    let rules = fields.take("rules");
    let own = fields.take("custom");
    let listed = match rules {
        Some(value) => listed(reader, value, own.is_some()),
        None => Some(Vec::new()),
    };
    if let Some(value) = own {
        for rule in reader.named(value, "rules") {
            custom::read(reader, rule, &mut typed);
        }
    }
    let action = fields
        .take("action")
        .map_or(Some(Action::Mask), |value| default_action(reader, value, &mut typed));
    let hash_key = fields.take("hash_key").map_or(Some(None), |value| hash_key(reader, value));
    let on_fields =
        fields.take("fields").map_or(Some(Vec::new()), |value| on_fields(reader, value));
    let allow = fields.take("allow");
    let allowed = allow.map_or(Some(Allow::default()), |value| allow::allow(reader, value));
    fields.finish(reader);

    typed.sound = typed.broken.is_empty()
        && listed.is_some()
        && action.is_some()
        && hash_key.is_some()
        && on_fields.is_some()
        && allowed.is_some();
    typed.rules = listed.unwrap_or_default();
    let mut names: Vec<_> = typed.rules.iter().map(|(name, _)| name.clone()).collect();
    if rules.is_none() {
        names.push("default".to_owned());
    }
    let selection = RuleSelection {
        rules: names,
        custom: typed.custom.iter().map(|(rule, _)| rule.clone()).collect(),
        action: action.unwrap_or_default(),
        actions_by_rule: Vec::new(),
        fields: on_fields.unwrap_or_default(),
        allow: allowed.unwrap_or_default(),
        // A key that was refused is not also missing.
        hash_key: match &hash_key {
            Some(read) => read.as_ref().map(|(_, key)| key.as_bytes().to_vec()),
            None => Some(vec![0; KEY]),
        },
    };
    let mut built_of = None;
    let rules = build(reader, value, selection, &typed, |selection| {
        built_of = Some(selection.clone());
        compile(selection)
    })?;
    let hash_key = hash_key.flatten().map(|(held, _)| held);
    Some(Redaction { rules, selection: built_of, hash_key })
}

fn listed<'n>(
    reader: &mut Reader<'_>,
    value: Value<'n>,
    has_custom: bool,
) -> Option<Vec<(String, Value<'n>)>> {
    if matches!(&value.node.kind, Kind::List(nodes) if nodes.is_empty()) && !has_custom {
        let mistake = Mistake::at(value.place(), "`rules` is empty");
        reader.mistake(mistake.help(OFF));
        return None;
    }
    let names = reader.list(value);
    all(names.into_iter().map(|value| Some((reader.filled(value, "a rule's name")?, value))))
}

/// `action: mask`, or `action: {default: mask, email: hash}`.
fn default_action<'n>(
    reader: &mut Reader<'_>,
    value: Value<'n>,
    typed: &mut Typed<'n>,
) -> Option<Action> {
    let Kind::Map(entries) = &value.node.kind else { return one_action(reader, value) };
    let mut default = Some(Action::Mask);
    for entry in entries {
        if entry.key == "default" {
            default = one_action(reader, Value::of(entry));
        } else {
            typed.actions.push((entry.key.clone(), Value::of(entry)));
        }
    }
    default
}

fn one_action(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Action> {
    let named: Vec<_> = Action::ALL.iter().map(|action| (action.name(), *action)).collect();
    reader.one_of(value, &named)
}

/// The key, and what it is read from: with another one, equal values are no longer equal, so it is
/// the rules' for as long as they are.
fn hash_key(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Option<(Held, String)>> {
    let (held, key) = Held::read(reader.secret(value)?).ok()?;
    if key.len() < KEY {
        let message = format!("`hash_key` is shorter than {KEY} bytes: hashes could be guessed");
        let help = "make one with `openssl rand -hex 32`";
        reader.mistake(Mistake::at(value.place(), message).help(help));
        return None;
    }
    Some(Some((held, key)))
}

fn on_fields(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Vec<(String, Action)>> {
    let Kind::Map(entries) = &value.node.kind else {
        reader.map(value);
        return None;
    };
    all(entries.iter().map(|entry| {
        let action = one_action(reader, Value::of(entry));
        if entry.key.trim().is_empty() || entry.key.split('.').any(str::is_empty) {
            reader.mistake(Mistake::at(entry.key_place, "this cannot name a field"));
            return None;
        }
        Some((entry.key.clone(), action?))
    }))
}

/// Compiles the selection; what it is refused for is reported and taken out, until the rest is
/// accepted, so that every mistake is seen.
fn build(
    reader: &mut Reader<'_>,
    value: Value<'_>,
    mut selection: RuleSelection,
    typed: &Typed<'_>,
    mut compile: impl FnMut(RuleSelection) -> Result<Rules, RuleError>,
) -> Option<Arc<Rules>> {
    let mut sound = typed.sound;
    for (name, value) in &typed.actions {
        match one_action(reader, *value) {
            Some(action) => selection.actions_by_rule.push((name.clone(), action)),
            None => sound = false,
        }
    }
    let is_broken = |name: &str| typed.broken.iter().any(|broken| broken == name);
    selection.rules.retain(|name| !is_broken(name.trim_start_matches('-')));
    selection.actions_by_rule.retain(|(name, _)| !is_broken(name));
    // Each round takes something out, or is the last.
    let samples = |rule: &CustomRule| rule.must_redact.len() + rule.must_leave.len();
    let rounds = selection.rules.len()
        + selection.custom.iter().map(|rule| 1 + samples(rule)).sum::<usize>()
        + selection.actions_by_rule.len();
    for _ in 0..=rounds {
        // What is off only because a mistake was taken out is not one more mistake.
        if !sound && selection.rules.is_empty() {
            selection.rules.push("default".to_owned());
        }
        let error = match compile(selection.clone()) {
            Ok(rules) => return sound.then(|| Arc::new(rules)),
            Err(error) => error,
        };
        sound = false;
        reader.mistake(refusal(value, &error, typed));
        if without_sample(&mut selection, &error) {
            continue;
        }
        let name = culprit(&error)?;
        selection.rules.retain(|rule| rule.strip_prefix('-').unwrap_or(rule) != name);
        selection.custom.retain(|rule| rule.name != name);
        selection.actions_by_rule.retain(|(rule, _)| rule != name);
    }
    None
}

/// Takes out a sample that disagrees with its rule: others may as well.
fn without_sample(selection: &mut RuleSelection, error: &RuleError) -> bool {
    let (RuleError::SampleMissed { name, sample, .. } | RuleError::SampleHit { name, sample, .. }) =
        error
    else {
        return false;
    };
    for rule in selection.custom.iter_mut().filter(|rule| rule.name == *name) {
        rule.must_redact.retain(|text| text != sample);
        rule.must_leave.retain(|text| text != sample);
    }
    true
}

fn culprit(error: &RuleError) -> Option<&str> {
    match error {
        RuleError::Unknown { name, .. }
        | RuleError::Duplicate { name }
        | RuleError::BadName { name }
        | RuleError::Pattern { name, .. }
        | RuleError::MatchesEmpty { name }
        | RuleError::Part { name, .. }
        | RuleError::SampleMissed { name, .. }
        | RuleError::SampleHit { name, .. }
        | RuleError::NotOn { name } => Some(name),
        RuleError::NothingOn | RuleError::NoHashKey => None,
    }
}

fn refusal(value: Value<'_>, error: &RuleError, typed: &Typed<'_>) -> Mistake {
    let custom = |name: &str| {
        let found = typed.custom.iter().find(|(rule, _)| rule.name == name);
        found.map(|(_, value)| *value)
    };
    let inside = |name: &str, key: &str, text: Option<&str>| {
        let rule = custom(name)?;
        let part = child(rule.node, key)?;
        let sample = text.and_then(|text| match &part.kind {
            Kind::List(nodes) => nodes.iter().find(|node| is_text(node, text)),
            _ => None,
        });
        Some(sample.unwrap_or(part).place)
    };
    let place = match error {
        RuleError::Unknown { name, .. } => {
            let listed =
                typed.rules.iter().find(|(rule, _)| rule.strip_prefix('-').unwrap_or(rule) == name);
            let by_rule = typed.actions.iter().find(|(rule, _)| rule == name);
            listed.map(|(_, value)| value.place()).or(by_rule.map(|(_, value)| value.key))
        }
        RuleError::Duplicate { name } | RuleError::BadName { name } => {
            custom(name).map(|rule| rule.key)
        }
        RuleError::Pattern { name, .. } | RuleError::MatchesEmpty { name } => {
            inside(name, "pattern", None)
        }
        RuleError::Part { name, key, .. } => inside(name, key, None),
        RuleError::SampleMissed { name, sample, .. } => inside(name, "must_redact", Some(sample)),
        RuleError::SampleHit { name, sample, .. } => inside(name, "must_leave", Some(sample)),
        RuleError::NotOn { name } => {
            let by_rule = typed.actions.iter().find(|(rule, _)| rule == name);
            by_rule.map(|(_, value)| value.key)
        }
        RuleError::NothingOn => child(value.node, "rules").map(|rules| rules.place),
        RuleError::NoHashKey => {
            let chosen = typed.actions.iter().map(|(_, value)| value.node);
            let chosen = chosen.chain(["action", "fields"].into_iter().flat_map(|key| {
                match child(value.node, key).map(|node| (node, &node.kind)) {
                    Some((_, Kind::Map(entries))) => entries.iter().map(|it| &it.value).collect(),
                    Some((node, _)) => vec![node],
                    None => Vec::new(),
                }
            }));
            let mut hashed = chosen.filter(|node| is_text(node, Action::Hash.name()));
            hashed.next().map(|node| node.place)
        }
    };
    let help = match error {
        RuleError::Unknown { name, known } => suggestion(name, known.iter().map(String::as_str)),
        RuleError::Duplicate { .. } => {
            Some("choose another name: `pillion rules` lists those built in".to_owned())
        }
        RuleError::Pattern { reason, .. } => {
            let place = place.unwrap_or(value.key);
            return Mistake { place: Some(place), ..bad_pattern(reason) };
        }
        RuleError::NothingOn => Some(OFF.to_owned()),
        RuleError::NoHashKey => Some("write `hash_key: \"${file:/run/secrets/pii}\"`".to_owned()),
        _ => None,
    };
    Mistake::at(place.unwrap_or(value.key), error.to_string()).maybe_help(help)
}

/// A regular expression that does not compile: the last line of the compiler's answer says why, and
/// the snippet shows the pattern already.
pub(super) fn bad_pattern(problem: &str) -> Mistake {
    let last = problem.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let reason = last.trim().trim_start_matches("error: ").trim_end_matches('.');
    Mistake::anywhere(format!("the pattern cannot be used: {reason}")).help(
        "patterns are in the syntax of Rust's `regex` crate: no look-around, no back-references",
    )
}

fn child<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    match &node.kind {
        Kind::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|it| &it.value),
        _ => None,
    }
}

fn is_text(node: &Node, wanted: &str) -> bool {
    matches!(&node.kind, Kind::Scalar { text, .. } if text == wanted)
}
