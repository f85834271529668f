//! Asks a compiled condition about a record. Nothing here can fail, and nothing is allocated but room
//! for texts that have JSON's escapes in them.

use std::cmp::Ordering;

use super::{Comparison, Expression, Literal, Operand, Position, Scratch};
use crate::named::{self, Named, nested};
use crate::parse::level;
use crate::record::{Level, Record, Text, Value, is_long, unescape};

/// A condition that is asked about a record. Recursion is bounded by the depth of a condition.
pub(super) struct Asked<'q> {
    pub(super) record: &'q Record<'q>,
    pub(super) scratch: &'q mut Scratch,
}

/// What an operand is in a record.
#[derive(Clone, Copy)]
enum Seen<'v> {
    /// Nothing, or nothing that can be compared.
    Absent,
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Text<'v>),
    Level(Level),
    Json(&'v str),
}

impl<'q> Asked<'q> {
    pub(super) fn holds(&mut self, expression: &'q Expression) -> bool {
        match expression {
            Expression::And(all) => all.iter().all(|one| self.holds(one)),
            Expression::Or(any) => any.iter().any(|one| self.holds(one)),
            Expression::Not(inner) => !self.holds(inner),
            Expression::Has(name) => named::find(self.record, name).is_some(),
            Expression::Is(operand) => matches!(self.see(operand), Seen::Bool(true)),
            Expression::Compare(how, left, right) => {
                let (left, right) = (self.see(left), self.see(right));
                compare(*how, left, right, self.scratch)
            }
            Expression::Among(operand, list) => {
                let seen = self.see(operand);
                list.iter()
                    .any(|one| order(seen, literal(one), self.scratch).is_some_and(Ordering::is_eq))
            }
            Expression::In(operand, list) => {
                let (seen, Seen::Json(text)) = (self.see(operand), self.see(list)) else {
                    return false;
                };
                let is_it =
                    |item| order(seen, see(item), self.scratch).is_some_and(Ordering::is_eq);
                nested::items(text).any(is_it)
            }
            Expression::Text(position, subject, with) => {
                let (subject, with) = (self.see(subject), self.see(with));
                let Scratch { left, right } = &mut *self.scratch;
                let texts = plain(subject, left).zip(plain(with, right));
                texts.is_some_and(|(subject, with)| match position {
                    Position::Anywhere => {
                        memchr::memmem::find(subject.as_bytes(), with.as_bytes()).is_some()
                    }
                    Position::Start => subject.starts_with(with),
                    Position::End => subject.ends_with(with),
                })
            }
            Expression::Contains(subject, finder) => {
                let subject = plain(self.see(subject), &mut self.scratch.left);
                subject.is_some_and(|text| finder.find(text.as_bytes()).is_some())
            }
            Expression::Matches(subject, pattern) => {
                let subject = plain(self.see(subject), &mut self.scratch.left);
                subject.is_some_and(|text| pattern.is_match(text))
            }
        }
    }

    fn see(&mut self, operand: &'q Operand) -> Seen<'q> {
        match operand {
            Operand::Name(name) => match named::find(self.record, name) {
                Some(Named::Level(level)) => Seen::Level(level),
                Some(Named::Value(value)) => see(value),
                // The compiler lets no time be compared.
                Some(Named::Time(_)) | None => Seen::Absent,
            },
            Operand::Literal(it) => literal(it),
            Operand::Size(of) => match self.see(of) {
                Seen::Json(text) => count(nested::items(text).count()),
                of => match plain(of, &mut self.scratch.left) {
                    Some(text) => count(text.chars().count()),
                    None => Seen::Absent,
                },
            },
            Operand::Int(of) => match self.see(of) {
                Seen::Int(number) => Seen::Int(number),
                Seen::Float(number) => whole(number),
                Seen::Text(text) => {
                    let text = plain(Seen::Text(text), &mut self.scratch.left).unwrap_or_default();
                    text.trim().parse().map_or(Seen::Absent, Seen::Int)
                }
                _ => Seen::Absent,
            },
            Operand::Double(of) => match self.see(of) {
                #[expect(clippy::cast_precision_loss, reason = "what is asked for")]
                Seen::Int(number) => Seen::Float(number as f64),
                Seen::Float(number) => Seen::Float(number),
                Seen::Text(text) => {
                    let text = plain(Seen::Text(text), &mut self.scratch.left).unwrap_or_default();
                    text.trim().parse().map_or(Seen::Absent, Seen::Float)
                }
                _ => Seen::Absent,
            },
        }
    }
}

fn count(items: usize) -> Seen<'static> {
    i64::try_from(items).map_or(Seen::Absent, Seen::Int)
}

/// A number without its fraction.
fn whole(number: f64) -> Seen<'static> {
    // 2^63 itself is not an `i64` any more.
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number);
    #[expect(clippy::cast_possible_truncation, reason = "its range was asked for")]
    if fits { Seen::Int(number as i64) } else { Seen::Absent }
}

fn see(value: Value<'_>) -> Seen<'_> {
    match value {
        Value::Null => Seen::Null,
        Value::Bool(flag) => Seen::Bool(flag),
        Value::Int(number) => Seen::Int(number),
        Value::Float(number) => Seen::Float(number),
        Value::Number(text) => {
            let int = if is_long(text) { text.parse().ok() } else { None };
            let float = || text.parse().map_or(Seen::Absent, Seen::Float);
            int.map_or_else(float, Seen::Int)
        }
        Value::Text(text) => Seen::Text(text),
        Value::Json(text) | Value::CleanJson(text) => Seen::Json(text),
    }
}

fn literal(literal: &Literal) -> Seen<'_> {
    match literal {
        Literal::Null => Seen::Null,
        Literal::Bool(flag) => Seen::Bool(*flag),
        Literal::Int(number) => Seen::Int(*number),
        Literal::Float(number) => Seen::Float(*number),
        Literal::Text(text) => Seen::Text(Text::vetted(text)),
        Literal::Level(level) => Seen::Level(*level),
    }
}

/// A text without escapes; a level by its name. None of anything else.
fn plain<'v>(seen: Seen<'v>, room: &'v mut String) -> Option<&'v str> {
    match seen {
        Seen::Text(text) if text.is_escaped() => {
            room.clear();
            unescape(text.as_stored(), room);
            Some(room)
        }
        Seen::Text(text) => Some(text.as_stored()),
        Seen::Level(level) => Some(level.name()),
        _ => None,
    }
}

fn compare(how: Comparison, left: Seen<'_>, right: Seen<'_>, scratch: &mut Scratch) -> bool {
    let order = order(left, right, scratch);
    match how {
        Comparison::Equal => order.is_some_and(Ordering::is_eq),
        Comparison::Unequal => !order.is_some_and(Ordering::is_eq),
        _ if !is_ordered(left) => false,
        Comparison::Less => order.is_some_and(Ordering::is_lt),
        Comparison::LessOrEqual => order.is_some_and(Ordering::is_le),
        Comparison::More => order.is_some_and(Ordering::is_gt),
        Comparison::MoreOrEqual => order.is_some_and(Ordering::is_ge),
    }
}

fn is_ordered(seen: Seen<'_>) -> bool {
    matches!(seen, Seen::Int(_) | Seen::Float(_) | Seen::Text(_) | Seen::Level(_))
}

/// How two values stand to each other; `None` when they cannot be compared, which makes them unequal.
fn order(left: Seen<'_>, right: Seen<'_>, scratch: &mut Scratch) -> Option<Ordering> {
    Some(match (left, right) {
        (Seen::Null, Seen::Null) => Ordering::Equal,
        (Seen::Bool(left), Seen::Bool(right)) => left.cmp(&right),
        (Seen::Int(left), Seen::Int(right)) => left.cmp(&right),
        #[expect(clippy::cast_precision_loss, reason = "a fraction is compared with nothing finer")]
        (Seen::Int(left), Seen::Float(right)) => (left as f64).partial_cmp(&right)?,
        #[expect(clippy::cast_precision_loss, reason = "a fraction is compared with nothing finer")]
        (Seen::Float(left), Seen::Int(right)) => left.partial_cmp(&(right as f64))?,
        (Seen::Float(left), Seen::Float(right)) => left.partial_cmp(&right)?,
        (Seen::Level(left), Seen::Level(right)) => left.cmp(&right),
        (Seen::Level(left), Seen::Text(right)) => {
            left.cmp(&level::from_name(plain(Seen::Text(right), &mut scratch.right)?)?)
        }
        (Seen::Text(left), Seen::Level(right)) => {
            level::from_name(plain(Seen::Text(left), &mut scratch.left)?)?.cmp(&right)
        }
        (Seen::Text(left), Seen::Text(right)) => {
            let Scratch { left: room, right: other } = scratch;
            plain(Seen::Text(left), room)?.cmp(plain(Seen::Text(right), other)?)
        }
        // As written: nested values are not taken apart.
        (Seen::Json(left), Seen::Json(right)) if left == right => Ordering::Equal,
        _ => return None,
    })
}
