//! What parts of a condition may be put together: types are looked at here, as far as they are known
//! before there is a record.

use std::ops::Range;

use memchr::memmem::Finder;
use regex::RegexBuilder;

use super::lex::wrong;
use super::{Comparison, ConditionError, Expression, Literal, Operand, Position};
use crate::parse::level;

/// Bytes that a compiled pattern, and what it learns while it runs, may take each.
const PATTERN_MEMORY: usize = 1 << 20;

/// Names of levels.
const LEVELS: &[&str] = &["trace", "debug", "info", "warn", "error", "fatal"];

/// A part of a condition, before it is known what it is asked for.
pub(super) enum Node {
    /// True or false.
    Expression(Expression),
    Operand(Operand),
    /// `[1, 2]`
    List(Vec<Literal>),
}

/// A part, and where it stands.
pub(super) type Placed = (Node, Range<usize>);

/// What a condition is, or a value that may be `true`.
pub(super) fn expression((node, place): Placed) -> Result<Expression, ConditionError> {
    match node {
        Node::Expression(expression) => Ok(expression),
        Node::Operand(operand @ (Operand::Name(_) | Operand::Literal(Literal::Bool(_)))) => {
            self::operand((Node::Operand(operand), place)).map(Expression::Is)
        }
        _ => Err(wrong(place, "this is neither true nor false: compare it with something")),
    }
}

pub(super) fn operand((node, place): Placed) -> Result<Operand, ConditionError> {
    match node {
        Node::Operand(Operand::Name(name)) if &*name == "time" => {
            let error = wrong(place, "times cannot be compared");
            let help = "`has(time)` says whether there is one";
            Err(ConditionError { help: Some(help.to_owned()), ..error })
        }
        Node::Operand(operand) => Ok(operand),
        Node::List(_) => {
            let error = wrong(place, "a list stands only behind `in`");
            Err(ConditionError { help: Some("write `field in ['a', 'b']`".to_owned()), ..error })
        }
        Node::Expression(_) => {
            let error = wrong(place, "this is true or false, and no value");
            let help = "put a comparison that is to be negated in parentheses: `!(a == 1)`";
            Err(ConditionError { help: Some(help.to_owned()), ..error })
        }
    }
}

fn is_level(operand: &Operand) -> bool {
    matches!(operand, Operand::Name(name) if &**name == "level")
}

/// What `level` is compared with.
fn as_level(literal: Literal, place: &Range<usize>) -> Result<Literal, ConditionError> {
    match literal {
        Literal::Text(text) => match level::from_name(&text) {
            Some(level) => Ok(Literal::Level(level)),
            None => Err(ConditionError {
                unknown: Some((text.to_string(), LEVELS)),
                ..wrong(place.clone(), &format!("there is no level `{text}`"))
            }),
        },
        Literal::Null => Ok(Literal::Null),
        _ => {
            let error = wrong(place.clone(), "a level is compared with a level's name");
            Err(ConditionError { help: Some("write `level >= 'warn'`".to_owned()), ..error })
        }
    }
}

pub(super) fn compare(
    how: Comparison,
    left: Placed,
    right: Placed,
) -> Result<Expression, ConditionError> {
    let places = (left.1.clone(), right.1.clone());
    let (mut left, mut right) = (operand(left)?, operand(right)?);
    if let Operand::Literal(literal) = &mut right
        && is_level(&left)
    {
        *literal = as_level(literal.clone(), &places.1)?;
    }
    if let Operand::Literal(literal) = &mut left
        && is_level(&right)
    {
        *literal = as_level(literal.clone(), &places.0)?;
    }
    Ok(Expression::Compare(how, left, right))
}

pub(super) fn among(left: Placed, right: Placed) -> Result<Expression, ConditionError> {
    let left = operand(left)?;
    match right {
        (Node::List(mut list), place) => {
            if is_level(&left) {
                for one in &mut list {
                    *one = as_level(one.clone(), &place)?;
                }
            }
            Ok(Expression::Among(left, list))
        }
        (Node::Operand(list @ Operand::Name(_)), place) => {
            Ok(Expression::In(left, operand((Node::Operand(list), place))?))
        }
        (_, place) => Err(wrong(place, "behind `in` stands a list, or a field that holds one")),
    }
}

/// A question about a text.
pub(super) fn search(
    name: &str,
    subject: Operand,
    argument: Operand,
    place: Range<usize>,
) -> Result<Expression, ConditionError> {
    let text = match &argument {
        Operand::Literal(Literal::Text(text)) => Some(text),
        Operand::Literal(_) => return Err(wrong(place, &format!("`{name}` asks for a text"))),
        _ => None,
    };
    Ok(match (name, text) {
        ("matches", Some(pattern)) => {
            let built = RegexBuilder::new(pattern)
                .size_limit(PATTERN_MEMORY)
                .dfa_size_limit(PATTERN_MEMORY)
                .build();
            let pattern = built.map_err(|error| {
                let shown = error.to_string();
                let last = shown.lines().rev().find(|line| !line.trim().is_empty());
                let reason = last.unwrap_or_default().trim().trim_start_matches("error: ");
                let help = "patterns are in the syntax of Rust's `regex` crate: no look-around, no \
                            back-references; `r'…'` keeps backslashes as they are";
                let error = wrong(place, &format!("the pattern cannot be used: {reason}"));
                ConditionError { help: Some(help.to_owned()), ..error }
            })?;
            Expression::Matches(subject, pattern)
        }
        ("matches", None) => {
            return Err(wrong(place, "a pattern is a text in quotes, not a field"));
        }
        ("contains", Some(text)) => {
            Expression::Contains(subject, Box::new(Finder::new(text.as_bytes()).into_owned()))
        }
        ("contains", None) => Expression::Text(Position::Anywhere, subject, argument),
        ("startsWith", _) => Expression::Text(Position::Start, subject, argument),
        _ => Expression::Text(Position::End, subject, argument),
    })
}
