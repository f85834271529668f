//! Steps: what a configuration does with records between parsing and redaction. They drop, keep,
//! sample and throttle records, and rename, remove and add fields.
//!
//! A [`Step`] is compiled once and shared; what it remembers from record to record is in a [`Stepper`],
//! one for each worker. What a step makes is marked as built, so that the redactor looks at it: steps
//! come before redaction, and rules about keys go by the names that steps leave.

mod sample;
mod template;
mod throttle;

use crate::Arena;
use crate::condition::{Condition, Scratch};
use crate::named::{self, Named};
use crate::parse::level;
use crate::record::{Record, Text, Value};
use crate::timestamp::Clock;

pub use sample::{Identity, Sample};
pub use template::{Template, TemplateError};
pub use throttle::{MAX_KEYS, Rate, Throttle};

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name: unique, a metric's label.
    pub name: String,
    /// The records it is for; all, if there is no such condition.
    pub when: Option<Condition>,
    /// What it does.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Drops records of which this holds.
    Drop(Condition),
    /// Drops all others.
    Keep(Condition),
    /// Gives fields other names: the old one, and the new.
    Rename(Vec<(String, String)>),
    /// Removes fields, by their names.
    Remove(Vec<String>),
    /// Adds fields, or replaces them: names, and what they become.
    Add(Vec<(String, Addition)>),
    /// Keeps a part of the records.
    Sample(Sample),
    /// Drops records beyond a rate.
    Throttle(Throttle),
}

/// What a field is added with.
#[derive(Clone, Debug, PartialEq)]
pub enum Addition {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number with a fraction.
    Float(f64),
    /// Text with places for fields; a field's value, if there is nothing else in it.
    Text(Template),
}

impl Step {
    /// Whether it may drop a record.
    #[must_use]
    pub const fn may_drop(&self) -> bool {
        match self.action {
            Action::Drop(_) | Action::Keep(_) | Action::Sample(_) | Action::Throttle(_) => true,
            Action::Rename(_) | Action::Remove(_) | Action::Add(_) => false,
        }
    }
}

/// Whether a text is what some program calls a level: what a field `level` may be given.
#[must_use]
pub fn is_level(text: &str) -> bool {
    level::from_name(text).or_else(|| level::from_number(text)).is_some()
}

/// What steps remember from record to record, and the room they work in. One for each worker.
#[derive(Debug, Default)]
pub struct Stepper {
    scratch: Scratch,
    text: String,
    clock: Clock,
    throttles: throttle::Table,
}

/// Which record is at hand, since when, and what it may become.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// What tells the record from all others, the same whenever it is read.
    pub identity: Identity,
    /// When its bytes were read: nanoseconds since the Unix epoch.
    pub read_at: i64,
    /// The time that throttles go by: the same, unless the record is only replayed.
    pub throttled_at: i64,
    /// Bytes that a text may have which is added to it; what is longer is cut, and the record marked.
    pub max_record: usize,
}

impl Stepper {
    /// Takes a record through those of the steps that `which` names, in that order. The index of the
    /// one that drops it, if one does: the record is then in no state to be used.
    pub fn run<'a>(
        &mut self,
        steps: &'a [Step],
        which: &[usize],
        moment: Moment,
        arena: &'a Arena,
        record: &mut Record<'a>,
    ) -> Option<usize> {
        self.clock.set_now(moment.read_at);
        which.iter().copied().find(|&index| {
            steps.get(index).is_some_and(|step| !self.keeps(step, index, moment, arena, record))
        })
    }

    /// Does what a step says; whether the record is still there.
    fn keeps<'a>(
        &mut self,
        step: &'a Step,
        index: usize,
        moment: Moment,
        arena: &'a Arena,
        record: &mut Record<'a>,
    ) -> bool {
        let Self { scratch, text, clock, throttles } = self;
        if step.when.as_ref().is_some_and(|when| !when.holds(record, scratch)) {
            return true;
        }
        match &step.action {
            Action::Drop(condition) => return !condition.holds(record, scratch),
            Action::Keep(condition) => return condition.holds(record, scratch),
            Action::Rename(pairs) => {
                for (old, new) in pairs {
                    named::rename(record, old, new, clock, arena);
                }
            }
            Action::Remove(names) => {
                for name in names {
                    named::remove(record, name, arena);
                }
            }
            Action::Add(fields) => {
                for (name, addition) in fields {
                    if let Some(value) = added(addition, record, moment.max_record, text, arena) {
                        named::add(record, name, value, clock, arena);
                    }
                }
            }
            Action::Sample(sample) => {
                return sample.keeps(&step.name, moment.identity, record, text);
            }
            Action::Throttle(throttle) => {
                return throttles.lets_pass(index, throttle, moment.throttled_at, record, text);
            }
        }
        true
    }
}

/// What a field is added with; nothing where a text comes out empty. The record of one that is cut is
/// marked.
fn added<'a>(
    addition: &Addition,
    record: &mut Record<'a>,
    most: usize,
    text: &mut String,
    arena: &'a Arena,
) -> Option<Named<'a>> {
    Some(match addition {
        Addition::Bool(flag) => Named::Value(Value::Bool(*flag)),
        Addition::Int(number) => Named::Value(Value::Int(*number)),
        Addition::Float(number) => Named::Value(Value::Float(*number)),
        Addition::Text(template) => match template.whole() {
            Some(name) => named::copy(record, name, arena)?,
            None => {
                record.marks.truncated |= !template.render(record, most, text);
                if text.is_empty() {
                    return None;
                }
                Named::Value(Value::Text(Text::built(arena.alloc_str(text))))
            }
        },
    })
}

#[cfg(test)]
mod tests;
