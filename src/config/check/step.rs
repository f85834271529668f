//! Steps: at the top for every source, and a source's own after them.

mod fields;
mod rates;

use std::collections::HashSet;
use std::sync::Arc;

use pillion_parsers::condition::Condition;
use pillion_parsers::redact::Rules;
use pillion_parsers::step::{Action, Step};

use crate::config::diagnostic::{Mistake, Place, quote};
use crate::config::names;
use crate::config::nearest::suggestion;
use crate::config::read::{Fields, Reader, Value};
use crate::config::settings::Source;

pub(super) use fields::unguarded;

/// Most steps at one place.
const MOST: usize = 64;

/// What a step may do.
const ACTIONS: [&str; 7] = ["drop", "keep", "rename", "remove", "add", "sample", "throttle"];

/// A step, and where it was typed.
pub(super) type Placed = (Step, Place);

/// Reads a list of steps: those of the source `owner`, or those at the top.
pub(super) fn steps(
    reader: &mut Reader<'_>,
    value: Value<'_>,
    owner: Option<&str>,
    rules: &Rules,
) -> Option<Vec<Placed>> {
    let list = reader.list(value);
    if list.len() > MOST {
        let message = format!("{} steps: there may be {MOST} in one place", list.len());
        reader.mistake(Mistake::at(value.key, message));
        return None;
    }
    super::all(list.into_iter().enumerate().map(|(index, value)| {
        let step = step(reader, value, rules)?;
        let (name, place, action) = (step.name, step.place, step.action);
        let name = name.unwrap_or_else(|| format!("{}-{}", kind(&action), index + 1));
        let name = owner.map_or(name.clone(), |owner| format!("{owner}/{name}"));
        Some((Step { name, when: step.when, action }, place))
    }))
}

/// All steps in one list, and for each source the indexes of those that its records take.
pub(super) fn numbered(
    reader: &mut Reader<'_>,
    top: Vec<Placed>,
    sources: Vec<(Source, Vec<Placed>)>,
) -> (Arc<[Step]>, Vec<Source>) {
    let common = top.len();
    let mut all = top;
    let mut numbered = Vec::new();
    for (mut source, own) in sources {
        source.steps = (0..common).chain(all.len()..all.len() + own.len()).collect();
        all.extend(own);
        numbered.push(source);
    }
    let mut names = HashSet::new();
    for (step, place) in &all {
        if !names.insert(step.name.clone()) {
            let message = format!("there are two steps {}", quote(&step.name));
            reader.mistake(Mistake::at(*place, message).help("give one of them another `name`"));
        }
    }
    (all.into_iter().map(|(step, _)| step).collect(), numbered)
}

/// A step as it was typed.
struct Typed {
    name: Option<String>,
    place: Place,
    when: Option<Condition>,
    action: Action,
}

fn step(reader: &mut Reader<'_>, value: Value<'_>, rules: &Rules) -> Option<Typed> {
    let mut fields = reader.map(value)?;
    let name = fields.take("name");
    let place = name.map_or(value.node.place, |name| name.place());
    let name = name
        .map_or(Some(None), |name| super::checked(reader, name, "a name", names::own).map(Some));
    let when = fields.take("when");
    let there: Vec<_> =
        ACTIONS.into_iter().filter_map(|key| Some((key, fields.take(key)?))).collect();
    let mistyped = fields.unknown().next().is_some();
    let action = match there.as_slice() {
        [] if mistyped => None,
        [] => {
            let mistake = Mistake::at(value.node.place, "this step does nothing");
            let known = ACTIONS.map(|action| format!("`{action}`")).join(", ");
            reader.mistake(mistake.help(format!("write one of {known}")));
            None
        }
        [(key, value)] => action(reader, key, *value, when, rules),
        [(one, _), (two, value), ..] => {
            let message = format!("a step does one thing, and this one has `{one}` and `{two}`");
            reader.mistake(Mistake::at(value.key, message).help("make two steps of it"));
            None
        }
    };
    fields.finish(reader);
    let (action, when) = action?;
    Some(Typed { name: name?, place, when, action })
}

/// What a step does, and to which records.
fn action(
    reader: &mut Reader<'_>,
    key: &str,
    value: Value<'_>,
    when: Option<Value<'_>>,
    rules: &Rules,
) -> Option<(Action, Option<Condition>)> {
    let mut when = when;
    let action = match key {
        "drop" | "keep" => {
            if let Some(when) = when.take() {
                let mistake = Mistake::at(when.key, format!("`{key}` has its condition already"));
                reader.mistake(mistake.help("join the two with `&&`"));
            }
            let make = if key == "drop" { Action::Drop } else { Action::Keep };
            condition(reader, value).map(make)
        }
        "rename" => fields::rename(reader, value, rules).map(Action::Rename),
        "remove" => fields::remove(reader, value).map(Action::Remove),
        "add" => fields::add(reader, value, rules).map(Action::Add),
        "sample" => rates::sample(reader, value, &mut when).map(Action::Sample),
        _ => rates::throttle(reader, value, &mut when).map(Action::Throttle),
    };
    let when = when.map_or(Some(None), |when| condition(reader, when).map(Some));
    Some((action?, when?))
}

const fn kind(action: &Action) -> &'static str {
    match action {
        Action::Drop(_) => "drop",
        Action::Keep(_) => "keep",
        Action::Rename(_) => "rename",
        Action::Remove(_) => "remove",
        Action::Add(_) => "add",
        Action::Sample(_) => "sample",
        Action::Throttle(_) => "throttle",
    }
}

/// A condition, as it stands: nothing is put into it.
fn condition(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Condition> {
    let typed = reader.verbatim(value, "a condition")?;
    match Condition::new(typed) {
        Ok(condition) => Some(condition),
        Err(error) => {
            let place = reader.part(value, typed, &error.at);
            let known =
                error.unknown.and_then(|(word, known)| suggestion(&word, known.iter().copied()));
            let mistake = Mistake::at(place, error.message);
            reader.mistake(mistake.maybe_help(error.help.or(known)));
            None
        }
    }
}

/// What may stand beside a step's own settings as well as among them: `when`.
fn inner_when<'n>(reader: &mut Reader<'_>, fields: &mut Fields<'n>, when: &mut Option<Value<'n>>) {
    if let Some(inner) = fields.take("when")
        && when.replace(inner).is_some()
    {
        let mistake = Mistake::at(inner.key, "there is a `when` beside this already");
        reader.mistake(mistake.help("join the two with `&&`"));
    }
}
